"""What a life table is computed from, as arrays: ages, sexes and rates, however the caller wrote them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.ages import parse_band

Numbers = npt.NDArray[np.float64]
Words = npt.NDArray[np.object_]

OK, NOT_ASSESSABLE, MODELLED = "ok", "not_assessable", "modelled"
SEXES = ("male", "female", "total")
_SEX_WORDS = {
    **dict.fromkeys(("male", "males", "m", "men", "nam", "1", "1.0"), "male"),
    **dict.fromkeys(("female", "females", "f", "women", "nữ", "2", "2.0"), "female"),
    **dict.fromkeys(("total", "both", "b", "t", "persons", "all", "chung", "cả hai", "3", "3.0"), "total"),
}


def age_starts(age: Iterable[object]) -> Numbers:
    """First completed year of each age group, youngest first; the last group is open.

    age : starts (0, 1, 5, …, 85) or labels ("0", "1-4", "5-9", …, "85+")

    Raises InputError where ages repeat or fall, labels leave a gap, or the last label is not open.
    """
    if isinstance(age, str) or not isinstance(age, Iterable):
        raise InputError("error.life_table_ages", found=str(age))
    values = list(age)
    words = [str(value).strip() for value in values]
    if pd.isna(pd.Series(values, dtype=object)).any():
        raise InputError("error.life_table_ages", found=", ".join(words))
    if all(_is_number(word) or (at == len(words) - 1 and word.endswith("+")) for at, word in enumerate(words)):
        starts = np.array([float(word.rstrip("+")) for word in words])
    else:
        starts = _starts_of_labels(words)
    if len(starts) < 2 or not (np.diff(starts) > 0).all() or starts[0] < 0:
        raise InputError("error.life_table_ages", found=", ".join(words))
    return starts


def widths(starts: Numbers) -> Numbers:
    """Years in each age group; the open one is infinite."""
    return np.append(np.diff(starts), np.inf)


def age_labels(starts: Numbers) -> list[str]:
    """The labels of the age groups: "0", "1-4", "5-9", …, "85+"."""
    ends = [*(starts[1:] - 1), np.inf]
    return [_label(low, high) for low, high in zip(starts, ends, strict=True)]


def rates_by_series(values: npt.ArrayLike, ages: int) -> tuple[Numbers, list[Hashable] | None]:
    """Rates as (series, ages), and the names of the series (None for one series given as a vector).

    values : vector of one series, matrix (series, ages), or DataFrame with a row per series and a column per age
    """
    names = list(values.index) if isinstance(values, pd.DataFrame) else None
    rates = as_floats(values)
    if rates.ndim == 1:
        rates, names = rates[np.newaxis, :], None
    elif rates.ndim == 2 and names is None:
        names = list(range(len(rates)))
    if rates.ndim != 2 or rates.shape[1] != ages:
        raise InputError("error.life_table_shape", found=" × ".join(map(str, np.shape(values))), ages=ages)
    return rates, names


def sexes_of_series(sex: str | Sequence[str] | npt.ArrayLike, series: int) -> Words:
    """ "male", "female" or "total" per series; one word holds for all. Raises InputError for other words."""
    given = np.atleast_1d(np.asarray(sex, dtype=object)).ravel()
    given = np.array([str(word).strip().casefold() for word in given], dtype=object)
    known = {word: _SEX_WORDS.get(word) for word in pd.unique(given)}
    wrong = [word for word, found in known.items() if found is None]
    if wrong:
        raise InputError("error.life_table_sex", found=", ".join(wrong), known=", ".join(SEXES))
    if len(given) not in (1, series):
        raise InputError("error.life_table_sex_count", found=len(given), series=series)
    return np.broadcast_to(np.array([known[word] for word in given], dtype=object), (series,))


def per_series(value: npt.ArrayLike, series: int, name: str) -> Numbers:
    """One number per series; one number holds for all."""
    numbers = np.atleast_1d(as_floats(value)).ravel()
    if len(numbers) not in (1, series):
        raise InputError("error.life_table_per_series", name=name, found=len(numbers), series=series)
    return np.broadcast_to(numbers, (series,)).astype(float)


def as_floats(values: npt.ArrayLike) -> Numbers:
    """Any list, array, Series or DataFrame as floats; InputError for words."""
    if isinstance(values, (pd.Series, pd.DataFrame)):
        return values.to_numpy(dtype=float, na_value=np.nan)
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as problem:
        raise InputError("error.life_table_not_numbers", problem=str(problem)) from None


def _starts_of_labels(words: list[str]) -> Numbers:
    bands = [parse_band(word) for word in words]
    for (_, end), (start, _), word in zip(bands, bands[1:], words, strict=False):
        if end + 1 != start:
            raise InputError("error.life_table_gap", after=word, next=f"{start:g}")
    if bands and bands[-1][1] != np.inf:
        raise InputError("error.life_table_not_open", last=words[-1])
    return np.array([float(low) for low, _ in bands])


def _label(low: float, high: float) -> str:
    if high == np.inf:
        return f"{low:g}+"
    return f"{low:g}" if high == low else f"{low:g}-{high:g}"


def _is_number(word: str) -> bool:
    return word.replace(".", "", 1).isdigit()
