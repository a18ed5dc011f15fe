"""Sex, age and words of a block of records as arrays, whatever words or code letters they are written in."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from tkyt_analysis.reference.vietnamese_text import fold

SEXES = {
    "male": "male", "m": "male", "nam": "male", "1": "male", "1.0": "male",
    "female": "female", "f": "female", "nu": "female", "2": "female", "2.0": "female",
}  # fmt: skip
# Words and CoDEdit's letters; a unit is years, months, days, hours or minutes.
UNITS = {
    word: unit
    for unit, words in {
        "years": "years year y nam tuoi", "months": "months month m thang", "days": "days day d ngay", "weeks": "weeks week w tuan",
        "hours": "hours hour h gio", "minutes": "minutes minute min phut",
    }.items()
    for word in words.split()
}  # fmt: skip
DAYS_OF_UNIT = {"minutes": 1 / 1440, "hours": 1 / 24, "days": 1.0, "weeks": 7.0, "months": 365.25 / 12, "years": 365.25}


def mapped(texts: pd.Series, words: dict[str, str]) -> np.ndarray:
    """Each text as the word it stands for, "" where it is none; each distinct text is read once."""
    number, distinct = pd.factorize(texts.astype(object))
    found = np.array([words.get(fold(str(text)).strip(" ."), "") for text in distinct] + [""], dtype=object)
    return found[number]


def sexes(frame: pd.DataFrame) -> np.ndarray:
    """male | female | "" for each row."""
    return mapped(frame["sex"], SEXES) if "sex" in frame else np.full(len(frame), "", dtype=object)


def ages(frame: pd.DataFrame) -> pd.DataFrame:
    """value (as written), unit ("" unknown), written (a value stands where a unit belongs), days (lived, about), years (completed).

    From age_value and age_unit; where these say nothing, from age_years.
    """
    value = _numbers(frame, "age_value")
    unit = mapped(frame["age_unit"], UNITS) if "age_unit" in frame else np.full(len(frame), "", dtype=object)
    whole_years = _numbers(frame, "age_years")
    length = np.full(len(frame), np.nan)
    for name, days_of_one in DAYS_OF_UNIT.items():
        length[unit == name] = days_of_one
    days = value * length
    years = np.floor(np.select([unit == "years", unit == "months"], [value, value / 12], days / 365.25) + 1e-9)
    years = np.where(np.isnan(years), np.floor(whole_years), years)
    days = np.where(np.isnan(days), np.floor(whole_years) * 365.25, days)
    written = ~np.isnan(value) & ("age_unit" in frame)
    return pd.DataFrame({"value": value, "unit": unit, "written": written, "days": days, "years": years})


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    if name not in frame:
        return np.full(len(frame), np.nan)
    return pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def any_matches(frame: pd.DataFrame, names: tuple[str, ...], pattern: str) -> np.ndarray:
    """For each row, whether the folded words of one of these columns match; each distinct text is read once."""
    found, said = np.zeros(len(frame), dtype=bool), re.compile(pattern)
    for name in names:
        if name in frame:
            number, distinct = pd.factorize(frame[name].astype(object))
            matches = [bool(said.search(fold(str(text)))) for text in distinct]
            found |= np.array([*matches, False], dtype=bool)[number]
    return found


def any_words(frame: pd.DataFrame, names: tuple[str, ...]) -> np.ndarray:
    """For each row, whether one of these columns says anything."""
    said = [frame[name].fillna("").astype("str").str.strip().ne("").to_numpy() for name in names if name in frame]
    return np.logical_or.reduce(said) if said else np.zeros(len(frame), dtype=bool)
