"""Regressors of the calendar and the weather: Tết, which moves with the moon, and heat.

Each is one column per period, a share or an average over the days of the period, so that days, weeks and months of any
year can be told the same way. The lunar new year comes from the published Vietnamese tables (package vnlunar, UTC+7).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.trend.excess_dates import as_days
from tkyt_analysis.analysis.trend.excess_input import Counts, read_counts
from tkyt_analysis.errors import InputError, UsageError

Days = npt.NDArray[np.datetime64]
Numbers = npt.NDArray[np.float64]
# Days from the first day of the lunar year: the holidays themselves, and the days after, when late records are made up.
TET_WINDOWS = {"tet": (-1, 5), "tet_after": (6, 12)}
HEAT_THRESHOLD = 35.0  # °C: "nắng nóng" of the national weather service begins at a daily maximum of 35 °C (unverified)


@lru_cache(maxsize=400)
def lunar_new_year(year: int) -> datetime.date:
    """The first day of the lunar year that begins in `year` (mùng một Tết)."""
    from vnlunar import get_solar_date

    found = get_solar_date(1, 1, year)
    return datetime.date(found["year"], found["month"], found["day"])


def tet_regressors(
    periods: Counts | pd.DataFrame | Any, *, windows: Mapping[str, tuple[int, int]] = TET_WINDOWS
) -> pd.DataFrame:
    """Share of the days of each period that lie in each window around Tết.

    periods : counts as in `excess_deaths` (one row per period of their grid comes back), or a list of period ids
    windows : name → (first day, last day), counted from the first day of the lunar year

    A week wholly within the window has 1, a month of 31 days with four days of it 4/31. Columns: names of the windows.
    """
    starts, ends = period_days(periods)
    years = range(int(str(starts.min())[:4]) - 1, int(str(ends.max())[:4]) + 2)
    firsts = np.array([lunar_new_year(year) for year in years], dtype="datetime64[D]")
    return pd.DataFrame(
        {name: _share(starts, ends, firsts + low, firsts + high) for name, (low, high) in windows.items()}
    )


def period_days(periods: Any) -> tuple[Days, Days]:
    """First and last day of each period."""
    if isinstance(periods, pd.DataFrame):
        periods = read_counts(periods)
    if isinstance(periods, Counts):
        return periods.starts, periods.ends
    from tkyt_analysis.reference.periods import period_windows

    found = period_windows(list(periods))
    return found["period_start"].to_numpy().astype("datetime64[D]"), found["period_end"].to_numpy().astype(
        "datetime64[D]"
    )


def _share(starts: Days, ends: Days, lows: Days, highs: Days) -> Numbers:
    """Share of the days of each period within any of the windows."""
    last = np.minimum(ends[:, None], highs)
    first = np.maximum(starts[:, None], lows)
    days = np.maximum((last - first).astype(int) + 1, 0).sum(axis=1)
    found: Numbers = days / ((ends - starts).astype(int) + 1)
    return found


def heat_regressor(
    periods: Counts | pd.DataFrame | Any,
    temperature: pd.DataFrame | pd.Series,
    *,
    threshold: float = HEAT_THRESHOLD,
    lag: int = 0,
    name: str = "heat",
) -> pd.DataFrame:
    """Average of the degrees above `threshold` over the days of each period (0 on cooler days).

    temperature : daily, °C: a Series over dates, or a table with columns date and temperature
    threshold : degrees from which heat counts; lag : days by which deaths come after it

    One row per period, column `name`. Raises InputError where a day of a period has no temperature.
    """
    starts, ends = period_days(periods)
    degrees = _daily(temperature)
    days = pd.date_range(starts.min() - lag, ends.max() - lag)
    course = degrees.reindex(days)
    if course.isna().any():
        at = course.index[course.isna()][0].date()
        raise InputError("error.excess_temperature_gap", date=at, days=int(course.isna().sum()))
    summed = np.concatenate([[0.0], np.maximum(course.to_numpy(dtype=float) - threshold, 0.0).cumsum()])
    first = (starts - starts.min()).astype(int)
    last = (ends - starts.min()).astype(int) + 1
    return pd.DataFrame({name: (summed[last] - summed[first]) / (last - first)})


def _daily(temperature: pd.DataFrame | pd.Series) -> pd.Series:
    """Temperature over dates, each date once."""
    if isinstance(temperature, pd.DataFrame):
        absent = [one for one in ("date", "temperature") if one not in temperature]
        if absent:
            found = ", ".join(map(str, temperature.columns))
            raise InputError("error.excess_column", expected=", ".join(absent), found=found)
        temperature = pd.Series(temperature["temperature"].to_numpy(), index=temperature["date"])
    series = pd.Series(temperature.to_numpy(dtype=float), index=pd.to_datetime(as_days(temperature.index)))
    if series.index.has_duplicates:
        raise InputError("error.excess_temperature_twice", date=series.index[series.index.duplicated()][0].date())
    return series


def calendar_regressors(
    series: Counts, *, tet: Any = False, heat: Any = None, threshold: float | None = None
) -> pd.DataFrame:
    """The regressors that `excess_deaths` was asked for: Tết (True or windows) and heat (daily temperature)."""
    tables = [pd.DataFrame(index=range(len(series.dates)))]
    if tet is not False and tet is not None:
        if tet is not True and not isinstance(tet, Mapping):
            raise UsageError("error.excess_option", option="tet", found=tet, expected='True, False, {"tet": (-1, 5)}')
        windows = tet if isinstance(tet, Mapping) else TET_WINDOWS
        tables.append(tet_regressors(series, windows=windows))
    if heat is not None:
        given = HEAT_THRESHOLD if threshold is None else threshold
        tables.append(heat_regressor(series, heat, threshold=given))
    return pd.concat(tables, axis=1)
