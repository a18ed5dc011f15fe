"""Age: completed years, units, and age groups ("0", "1-4", "5-9", … "85+").

An age group is text that names its first and last completed year; "85+" is open. Groups are joined by their label,
never by position; other spellings ("00-04", "85 tuổi trở lên", "<1") become the one label through `band_label`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from tkyt_analysis.errors import InputError

UNKNOWN = "unknown"  # the age is missing or impossible
OUTSIDE = "outside"  # the age is known, but no band holds it
OLDEST_AGE = 130


def _five_year(first: int, open_from: int) -> tuple[str, ...]:
    return (*(f"{low}-{low + 4}" for low in range(first, open_from, 5)), f"{open_from}+")


FIVE_YEAR_80 = _five_year(0, 80)
FIVE_YEAR_85 = _five_year(0, 85)
FIVE_YEAR_90 = _five_year(0, 90)
ABRIDGED_85 = ("0", "1-4", *_five_year(5, 85))

_BAND = re.compile(r"(?P<low>\d{1,3})(?:\s*[-–]\s*(?P<high>\d{1,3})|\s*(?P<open>\+|trở lên|and over|and older))?")
_UNDER = re.compile(r"(?:<|dưới|under)\s*(?P<below>\d{1,3})")
_WORDS = re.compile(r"\s*(?:tuổi|years?|ages?)\s*")


def parse_band(text: str) -> tuple[int, float]:
    """First and last completed year of an age group: "5-9" → (5, 9), "0" → (0, 0), "85+" → (85, inf).

    Raises InputError for anything else.
    """
    words = _WORDS.sub(" ", str(text).strip().casefold()).strip()
    under = _UNDER.fullmatch(words)
    if under and int(under["below"]) > 0:
        return 0, int(under["below"]) - 1
    match = _BAND.fullmatch(words)
    if not match:
        raise InputError("error.age_band_unknown", value=text)
    low = int(match["low"])
    high = np.inf if match["open"] else int(match["high"] or low)
    if high < low:
        raise InputError("error.age_band_unknown", value=text)
    return low, high


def band_label(text: str) -> str:
    """The one label of an age group: "00-04" → "0-4", "85 tuổi trở lên" → "85+", "<1" → "0"."""
    low, high = parse_band(text)
    if high == np.inf:
        return f"{low}+"
    return f"{low}" if high == low else f"{low}-{high}"


def parse_bands(bands: Iterable[str]) -> pd.DataFrame:
    """Age groups as numbers, youngest first: age_group, low, high (last completed year; inf if open).

    Raises InputError where two overlap or one is written twice. Gaps are allowed (bands of children only).
    """
    rows = [(text, *parse_band(text)) for text in bands]
    table = pd.DataFrame(rows, columns=["age_group", "low", "high"]).sort_values("low", ignore_index=True)
    overlaps = table["high"].to_numpy()[:-1] >= table["low"].to_numpy()[1:]
    if overlaps.any():
        first = int(np.argmax(overlaps))
        names = table["age_group"]
        raise InputError("error.age_bands_overlap", first=names[first], second=names[first + 1])
    return table


def age_group(age_years: pd.Series, bands: Sequence[str] = ABRIDGED_85) -> pd.Series:
    """The age group of each age in years (completed or exact).

    Missing, negative and impossible ages (over 130) are "unknown"; an age that no band holds is "outside".
    """
    table = parse_bands(bands)
    ages = pd.to_numeric(age_years).to_numpy(dtype=float, na_value=np.nan)
    known = (ages >= 0) & (ages <= OLDEST_AGE)
    completed = np.where(known, np.floor(np.where(known, ages, 0)), 0)
    place = np.searchsorted(table["low"].to_numpy(), completed, side="right") - 1
    held = (place >= 0) & (completed <= table["high"].to_numpy()[place.clip(0)])
    labels = np.append(table["age_group"].to_numpy(dtype=object), [OUTSIDE, UNKNOWN])
    codes = np.where(~known, len(table) + 1, np.where(held, place, len(table)))
    return pd.Series(labels[codes], index=age_years.index, name="age_group", dtype="str")


# ---- nesting


def nesting(fine: Iterable[str], coarse: Iterable[str]) -> dict[str, str]:
    """Which coarse group holds each fine one: {"0": "0-4", "1-4": "0-4", …}; only where bands nest.

    Fine groups outside every coarse one are left out (ages 0-14 against bands from 15).
    Raises InputError where a fine group lies across two coarse ones, or a coarse one is not filled.
    """
    small, large = parse_bands(fine), parse_bands(coarse)
    place = np.searchsorted(large["low"].to_numpy(), small["low"].to_numpy(), side="right") - 1
    overlapping = np.searchsorted(large["low"].to_numpy(), small["high"].to_numpy(), side="right") - 1
    holds: dict[str, str] = {}
    for name, low, high, at, until in zip(
        small["age_group"], small["low"], small["high"], place, overlapping, strict=True
    ):
        inside = at >= 0 and low <= large["high"][at]
        if until != at or (inside and high > large["high"][at]):
            raise InputError("error.age_bands_do_not_nest", fine=name, coarse=large["age_group"][max(until, at)])
        if inside:
            holds[name] = large["age_group"][at]
    _require_filled(small, large, holds)
    return holds


def _require_filled(small: pd.DataFrame, large: pd.DataFrame, holds: dict[str, str]) -> None:
    for name, low, high in large.itertuples(index=False):
        parts = small[small["age_group"].map(holds) == name]
        edges = list(pairwise(parts[["low", "high"]].itertuples(index=False, name=None)))
        gapless = all(before[1] + 1 == after[0] for before, after in edges)
        if parts.empty or parts["low"].iloc[0] != low or parts["high"].iloc[-1] != high or not gapless:
            raise InputError("error.age_bands_do_not_fill", coarse=name, fine=", ".join(small["age_group"]))


def bands_nest(fine: Iterable[str], coarse: Iterable[str]) -> bool:
    """Can the fine groups be added up to the coarse ones?"""
    try:
        nesting(fine, coarse)
    except InputError:
        return False
    return True


def regroup(table: pd.DataFrame, bands: Sequence[str], sums: Sequence[str]) -> pd.DataFrame:
    """The table with its age groups added up to coarser `bands`; the columns in `sums` are added.

    Every other column names a row of the result; the total of `sums` over the ages of `bands` is kept.
    """
    holds = nesting(table["age_group"].unique(), bands)
    keys = [name for name in table.columns if name not in sums]
    within = table[table["age_group"].isin(holds)]
    return (
        within.assign(age_group=within["age_group"].map(holds).astype("str"))
        .groupby(keys, sort=False, observed=True, dropna=False)[list(sums)]
        .sum()
        .reset_index()[list(table.columns)]
    )


# ---- ages

_PER_YEAR = {
    "years": 1.0,
    "months": 12.0,
    "weeks": 365.25 / 7,
    "days": 365.25,
    "hours": 365.25 * 24,
    "minutes": 365.25 * 24 * 60,
}
_UNIT_WORDS = {
    **dict.fromkeys(("years", "year", "y", "tuổi", "năm"), "years"),
    **dict.fromkeys(("months", "month", "m", "tháng"), "months"),
    **dict.fromkeys(("weeks", "week", "w", "tuần"), "weeks"),
    **dict.fromkeys(("days", "day", "d", "ngày"), "days"),
    **dict.fromkeys(("hours", "hour", "h", "giờ"), "hours"),
    **dict.fromkeys(("minutes", "minute", "min", "phút"), "minutes"),
}


def age_unit(word: str) -> str:
    """The unit that a word means: "tháng" → "months"; one of years, months, weeks, days, hours, minutes.

    Raises InputError for another word.
    """
    try:
        return _UNIT_WORDS[word.strip().casefold()]
    except KeyError:
        raise InputError("error.age_unit_unknown", value=word, known=", ".join(_PER_YEAR)) from None


def age_in_years(value: pd.Series, unit: pd.Series | str) -> pd.Series:
    """Age in years from a value and its unit (8 months → 0.667); a missing value or unit stays missing."""
    words = pd.Series(unit, index=value.index) if isinstance(unit, str) else unit
    per_year = {word: _PER_YEAR[age_unit(word)] for word in words.dropna().unique() if word != ""}
    return (pd.to_numeric(value) / words.map(per_year).astype(float)).rename("age_years")


def completed_age(birth: pd.Series, day: pd.Series) -> pd.Series:
    """Completed years from the date of birth to `day` (Int64; missing where a date is missing).

    Somebody born on 29 February completes a year on 1 March in a common year. A `day` before birth gives a
    negative age: a finding for the quality checks, not an age of zero.
    """
    birth, day = pd.to_datetime(birth), pd.to_datetime(day)
    had_no_birthday = day.dt.month * 100 + day.dt.day < birth.dt.month * 100 + birth.dt.day
    return (day.dt.year - birth.dt.year - had_no_birthday).astype("Int64").rename("age_years")
