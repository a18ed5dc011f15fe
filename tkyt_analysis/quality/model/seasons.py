"""What the calendar says of a run of periods: number within the year, year, share of Tết days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache

import numpy as np

from tkyt_analysis.reference.periods import Period

# The days of little activity around the first day of the lunar year; the days off by law are fewer and vary
# (data_catalog/calendars/vietnam.yaml).
TET_FROM, TET_TO = -2, 6
_FIRST_YEAR, _LAST_YEAR = 1900, 2199


def tet_share(periods: Sequence[Period]) -> np.ndarray:
    """Share of the days of each period that are Tết: the lunar new year moves between January and February."""
    return np.array([_share(one.start, one.end) for one in periods])


@cache
def _share(start: date, end: date) -> float:
    days = 0
    for year in range(max(start.year, _FIRST_YEAR), min(end.year, _LAST_YEAR) + 1):
        first = _lunar_new_year(year)
        if first is not None:
            around = (first + timedelta(days=offset) for offset in range(TET_FROM, TET_TO + 1))
            days += sum(start <= day <= end for day in around)
    return days / ((end - start).days + 1)


@cache
def _lunar_new_year(year: int) -> date | None:
    from vnlunar import get_solar_date

    found = get_solar_date(1, 1, year)
    return date(found["year"], found["month"], found["day"]) if found else None


def numbers_and_years(periods: Sequence[Period]) -> tuple[np.ndarray, np.ndarray]:
    """(number within the year, year) of each period."""
    return np.array([one.number for one in periods]), np.array([one.year for one in periods])
