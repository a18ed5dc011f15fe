"""Time axes of count series: ISO weeks, months and days; gaps; what becomes of week 53.

A week is named by its ISO year and number (`2026W53`) and stands on its Monday. Nothing here assumes 52 weeks per year.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.errors import InputError, UsageError

Days = npt.NDArray[Any]  # datetime64[D]
_DATE_COLUMNS = ("epoch", "date", "week_start", "period_start", "month_start")
_NAME_COLUMNS = ("period_id", "period", "week_id", "wk2", "iso_week_id")
_YEAR_COLUMNS = ("iso_year", "YoDi", "year")
_WEEK_COLUMNS = ("iso_week", "WoDi", "week", "week_number")
_NUMBER_COLUMNS = ("week", "month", "time", "t", "index", "wk", "day")
_WEEK_NAME = re.compile(r"^(\d{4})-?W?(\d{1,2})$", re.IGNORECASE)
_STEPS = {52: 7, 365: 1}
_MONTHS = {12: 1, 4: 3, 2: 6, 1: 12}


@dataclass(frozen=True)
class Times:
    """A time axis.

    dates : first day of each period (datetime64[D]), or None where periods are plain numbers
    numbers : position of each period (dates: number of the period since 1970; else the number given)
    frequency : periods per year: 52 weeks, 12 months, 365 days, 4 quarters, 1 year
    """

    dates: Days | None
    numbers: npt.NDArray[np.int64]
    frequency: int

    def __len__(self) -> int:
        return len(self.numbers)

    @staticmethod
    def numbered(periods: int, frequency: int) -> Times:
        """Periods 1, 2, … without dates."""
        return Times(None, np.arange(1, periods + 1), frequency)

    def names(self) -> npt.NDArray[np.str_]:
        """`2026W53` for weeks that start on Monday, `202506` for months, the date for others, the number without dates."""
        if self.dates is None:
            return self.numbers.astype(str)
        if self.frequency == 52 and (weekday(self.dates) == 1).all():
            return iso_week_ids(self.dates)
        if self.frequency == 12:
            return np.char.replace(self.dates.astype("datetime64[M]").astype(str), "-", "")
        return self.dates.astype("datetime64[D]").astype(str)


def weekday(days: Days) -> npt.NDArray[np.int64]:
    """ISO weekday: 1 Monday … 7 Sunday."""
    return (days.astype("datetime64[D]").astype(np.int64) + 3) % 7 + 1


def iso_year_and_week(days: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """ISO year and week of dates: 2027-01-01 → 2026, 53."""
    found = np.asarray(days, dtype="datetime64[D]")
    thursday = found + (4 - weekday(found)).astype("timedelta64[D]")
    year = thursday.astype("datetime64[Y]")
    return year.astype(np.int64) + 1970, (thursday - year.astype("datetime64[D]")).astype(np.int64) // 7 + 1


def iso_week_ids(days: npt.ArrayLike) -> npt.NDArray[np.str_]:
    """`2026W53` of dates."""
    year, week = iso_year_and_week(days)
    return np.char.add(np.char.add(year.astype(str), "W"), np.char.zfill(week.astype(str), 2))


def mondays(year: npt.ArrayLike, week: npt.ArrayLike) -> Days:
    """First day of ISO weeks. Raises InputError for a week that its year has not (week 53 of 2025)."""
    years, weeks = np.asarray(year, dtype=np.int64), np.asarray(week, dtype=np.int64)
    fourth = ((years - 1970).astype("datetime64[Y]").astype("datetime64[D]")) + np.timedelta64(3, "D")
    first = fourth - (weekday(fourth) - 1).astype("timedelta64[D]")
    found = first + (7 * (weeks - 1)).astype("timedelta64[D]")
    back_year, back_week = iso_year_and_week(found)
    wrong = np.flatnonzero((back_year != years) | (back_week != weeks))
    if len(wrong):
        raise InputError("error.surveillance_week", year=years.flat[wrong[0]], week=weeks.flat[wrong[0]])
    return found


def weeks_in_year(year: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """52 or 53 per ISO year."""
    years = np.asarray(year, dtype=np.int64)
    last = ((years - 1970).astype("datetime64[Y]") + 1).astype("datetime64[D]") - np.timedelta64(4, "D")
    return iso_year_and_week(last)[1]


def read_times(values: object, *, frequency: int | None = None) -> Times:
    """Dates, ids of weeks ("2008-23", "2008W23"), of months ("202506"), or plain numbers → a time axis."""
    if isinstance(values, Times):
        return values
    array = np.asarray(values)
    if len(array) and isinstance(array.flat[0], pd.Period):
        array = pd.PeriodIndex(array).to_timestamp().to_numpy()
    if np.issubdtype(array.dtype, np.datetime64):
        return dated(array.astype("datetime64[D]"), frequency)
    if array.dtype.kind in "iuf" and not _looks_like_month(array):
        numbers = array.astype(float)
        if not np.isfinite(numbers).all() or (numbers != np.round(numbers)).any():
            raise InputError("error.surveillance_time", found=array[0])
        return Times(None, numbers.astype(np.int64), frequency or 52)
    return _read_words(pd.Series(array).astype("str").str.strip(), frequency)


def _looks_like_month(array: npt.NDArray) -> bool:
    return bool(len(array)) and bool(((array >= 190001) & (array <= 219912)).all())


def _read_words(words: pd.Series, frequency: int | None) -> Times:
    parts = words.str.extract(_WEEK_NAME.pattern, flags=re.IGNORECASE)
    if parts.notna().all(axis=None):
        year, number = parts[0].to_numpy(dtype=np.int64), parts[1].to_numpy(dtype=np.int64)
        said = words.str.contains("W", case=False).any()
        if said or frequency == 52 or (frequency is None and number.max() > 12):
            return dated(mondays(year, number), 52)
        if number.min() >= 1 and number.max() <= 12:
            months = ((year - 1970) * 12 + number - 1).astype("datetime64[M]")
            return dated(months.astype("datetime64[D]"), 12)
    found = pd.to_datetime(words, errors="coerce", format="ISO8601")
    if found.isna().any():
        raise InputError("error.surveillance_time", found=words[found.isna()].iloc[0])
    return dated(found.to_numpy(dtype="datetime64[D]"), frequency)


def dated(days: Days, frequency: int | None = None) -> Times:
    """A time axis from the first days of periods; the frequency from their usual distance."""
    if np.isnat(days).any():
        raise InputError("error.surveillance_time", found="NaT")
    distinct = np.unique(days)
    usual = float(np.median(np.diff(distinct).astype(np.int64))) if len(distinct) > 1 else 7.0
    if frequency is None:
        frequency = next((f for f, low, high in _USUAL if low <= usual <= high), 0)
    if frequency not in _STEPS and frequency not in _MONTHS:
        raise InputError("error.surveillance_frequency", found=usual)
    if frequency in _STEPS:
        numbers = (days - distinct[0]).astype(np.int64)
        step = _STEPS[frequency]
        uneven = numbers % step != 0
        if uneven.any():
            raise InputError("error.surveillance_uneven", found=days[uneven][0], first=distinct[0])
        return Times(days, numbers // step, frequency)
    return Times(days, days.astype("datetime64[M]").astype(np.int64) // _MONTHS[frequency], frequency)


_USUAL = ((365, 1, 2), (52, 6, 8), (12, 28, 31), (4, 89, 92), (2, 180, 185), (1, 364, 367))


def time_grid(times: Times) -> tuple[npt.NDArray[np.intp], Times]:
    """Where each time stands on the axis without gaps from the first to the last, and that axis."""
    if not len(times):
        raise InputError("error.surveillance_shape", found=0)
    first, last = int(times.numbers.min()), int(times.numbers.max())
    numbers = np.arange(first, last + 1)
    if len(numbers) > 200_000:
        raise InputError("error.surveillance_span", found=len(numbers))
    place = (times.numbers - first).astype(np.intp)
    if times.dates is None:
        return place, Times(None, numbers, times.frequency)
    if times.frequency in _STEPS:
        days = times.dates.min() + (_STEPS[times.frequency] * np.arange(len(numbers))).astype("timedelta64[D]")
    else:
        offset = times.dates[0] - times.dates[0].astype("datetime64[M]").astype("datetime64[D]")
        days = (numbers * _MONTHS[times.frequency]).astype("datetime64[M]").astype("datetime64[D]") + offset
    return place, Times(days, numbers, times.frequency)


def times_of_table(table: pd.DataFrame, time: object = None, *, frequency: int | None = None) -> Times:
    """The time of each row of a table.

    time : a column, a pair of columns (ISO year and week), or None: the first of epoch, date, week_start, period_start;
        period_id, period, wk2; year and week (iso_year/iso_week, YoDi/WoDi); year and month; week, month, time as numbers
    """
    if isinstance(time, (list, tuple)) and len(time) == 2 and all(isinstance(one, str) for one in time):
        return _of_pair(table, *time)
    if isinstance(time, str):
        if time not in table.columns:
            raise InputError("error.surveillance_columns", missing=time, found=", ".join(map(str, table.columns)))
        return read_times(table[time].to_numpy(), frequency=frequency)
    for name in (*_DATE_COLUMNS, *_NAME_COLUMNS):
        if name in table.columns:
            return read_times(table[name].to_numpy(), frequency=frequency)
    year = next((name for name in _YEAR_COLUMNS if name in table.columns), None)
    for name in (*_WEEK_COLUMNS, "month"):
        if year and name in table.columns:
            return _of_pair(table, year, name)
    for name in (*_NUMBER_COLUMNS, *([year] if year else [])):
        if name in table.columns:
            return read_times(table[name].to_numpy(), frequency=frequency or (1 if name == year else None))
    raise InputError(
        "error.surveillance_columns", missing="date / period_id / year + week", found=", ".join(map(str, table.columns))
    )


def _of_pair(table: pd.DataFrame, year: str, number: str) -> Times:
    try:
        years, numbers = (pd.to_numeric(table[name]).to_numpy(dtype=np.int64) for name in (year, number))
    except (KeyError, TypeError, ValueError):
        raise InputError(
            "error.surveillance_columns", missing=f"{year}, {number}", found=", ".join(map(str, table.columns))
        ) from None
    if number == "month":
        return dated(((years - 1970) * 12 + numbers - 1).astype("datetime64[M]").astype("datetime64[D]"), 12)
    return dated(mondays(years, numbers), 52)


WEEK_53 = ("keep", "as_52", "as_1", "drop")


def season_week(days: npt.ArrayLike, *, week_53: str = "as_52") -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Year and week under which weeks of several years are compared; week 53 by a rule with a name.

    week_53 : "keep" (a 53rd week that few years have), "as_52" (a second week 52), "as_1" (a first week of the next year,
        beside week 1), "drop" (week 0: no comparison). Farrington needs no rule: it compares the nearest same weekday.
    """
    if week_53 not in WEEK_53:
        raise UsageError("error.surveillance_option", option="week_53", found=week_53, known=", ".join(WEEK_53))
    year, week = iso_year_and_week(days)
    last = week == 53
    if week_53 == "as_52":
        return year, np.where(last, 52, week)
    if week_53 == "as_1":
        return year + last, np.where(last, 1, week)
    return year, np.where(last & (week_53 == "drop"), 0, week)
