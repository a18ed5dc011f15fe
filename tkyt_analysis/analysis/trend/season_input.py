"""Monthly and weekly series as a grid: running numbers of the times from year and month, dates or periods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.groups import as_table, names_of
from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK
from tkyt_analysis.analysis.trend.series_grid import Given, SeriesGrid, series_grid

RUNNING = ("time", "t", "tm", "month", "week", "period")
DATED = ("date", "month", "period", "time", "week", "period_start")
MONTHS, DAYS = 12, 365.25
WITHIN_YEAR = ("month", "m", "week", "quarter")


def season_grid(
    series: object,
    period: float,
    *,
    by: str | Sequence[str] = (),
    time: Given = None,
    needed: Mapping[str, Given],
    optional: Mapping[str, Given] | None = None,
) -> SeriesGrid:
    """As `series_grid`, with running times: a column time, t, month or week that does not repeat; year and month (or
    week, quarter), where 1 is the first month of the first year; the months of dates (a column or the index).

    Weeks of ISO years with a 53rd week need a running number of their own: two weeks would fall on one place.
    """
    if isinstance(series, pd.Series):
        series = pd.Series(series.to_numpy(), index=_running_index(series.index, period))
    elif time is None and series is not None and not isinstance(series, (list, tuple, np.ndarray)):
        series, time = _with_running(as_table(series), period, names_of(by))
    return series_grid(series, by=by, needed={**needed, "time": time}, optional=optional)


def _running_index(index: pd.Index, period: float) -> pd.Index:
    """Months of dates counted from January of the first year; any other index stays."""
    if isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex)) and len(index):
        months = 12 * (index.year - index.year.min()) + index.month
        return pd.Index(months) if period == 12 else pd.RangeIndex(1, len(index) + 1)
    return index


def _with_running(table: pd.DataFrame, period: float, by: list[str]) -> tuple[pd.DataFrame, str | None]:
    """The table with a column of running times, and its name (None: left to the usual names)."""
    names = {str(name).casefold(): name for name in table.columns if name not in by}
    within = next(
        (names[word] for word in WITHIN_YEAR if word in names and _in_a_year(table[names[word]], period)), None
    )
    if "year" in names and within is not None:
        year = pd.to_numeric(table[names["year"]], errors="coerce")
        running = period * (year - year.min()) + pd.to_numeric(table[within], errors="coerce")
        return table.assign(_running=running), "_running"
    dated = next((names[word] for word in DATED if word in names and _are_dates(table[names[word]])), None)
    if dated is not None:
        return table.assign(_running=_running_dates(table[dated], period)), "_running"
    return table, next((names[word] for word in RUNNING if word in names), None)


def _are_dates(values: pd.Series) -> bool:
    """Dates, periods, or texts such as 2015-01 and 2015-01-31; not the numbers 1, 2, 3 …"""
    if isinstance(values.dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(values):
        return True
    texts = values.dropna().astype("str")
    return len(texts) > 0 and bool(texts.str.fullmatch(r"\d{4}-\d{2}(-\d{2})?").all())


def _running_dates(values: pd.Series, period: float) -> pd.Series:
    """Months of dates counted from January of the first year; weeks or days from the first date."""
    dates = values.dt.to_timestamp() if isinstance(values.dtype, pd.PeriodDtype) else pd.to_datetime(values)
    if period == MONTHS:
        return MONTHS * (dates.dt.year - dates.dt.year.min()) + dates.dt.month
    return 1 + (dates - dates.min()).dt.days / round(DAYS / period)


def _in_a_year(values: pd.Series, period: float) -> bool:
    numbers = pd.to_numeric(values, errors="coerce")
    return bool(numbers.between(1, period).all())


def why_no_season(grid: SeriesGrid, y: Numbers, period: float) -> npt.NDArray[np.str_]:
    """Why a series cannot be decomposed: a logarithm of 0, a gap, fewer than two cycles; "" where it can."""
    steps = np.diff(grid.time)
    uneven = len(steps) > 0 and bool((np.abs(steps - steps[0]) > 1e-9).any())
    gap = np.isnan(y).any(axis=1) | uneven
    return np.select(
        [np.isinf(y).any(axis=1), gap, np.full(len(y), y.shape[1] < 2 * period)],
        ["reason.trend_zero_on_log_scale", "reason.season_gap", "reason.season_short"],
        "",
    )


def stated(table: pd.DataFrame, method: str, reason: npt.NDArray) -> pd.DataFrame:
    """The table with method, status and reason."""
    return table.assign(
        method=pd.array([method] * len(table), dtype="str"),
        status=pd.array(np.where(reason == "", OK, NOT_ASSESSABLE), dtype="str"),
        reason=pd.array(reason, dtype="str"),
    )
