"""Count series as people hold them → one matrix (series × periods): lists, arrays, Series, tables with a time column.

Every detector and nowcast of this package reads its input here, so that all of them understand the same columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.groups import as_table, column, groups, names_of, require_columns
from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.rates import as_numbers
from tkyt_analysis.analysis.trend.weeks import (
    Times,
    dated,
    iso_year_and_week,
    read_times,
    time_grid,
    times_of_table,
    weekday,
)
from tkyt_analysis.errors import InputError

COUNT_COLUMNS = ("events", "observed", "count", "counts", "cases", "deaths", "nbc", "nb", "n", "value")
GAPS = ("missing", "zero")


@dataclass(frozen=True)
class Panel:
    """Count series on one regular time axis.

    keys : one row per series (the columns of `by`; none for a single series)
    counts : (series, periods); NaN where nothing was given
    times : the axis (`weeks.Times`): dates of the first day of each period, or plain numbers 1, 2, …
    listed : (series, periods) True where the input had a row for it (its count may still be missing)
    columns : further columns of the table in the same shape (population, …)
    """

    keys: pd.DataFrame
    counts: Numbers
    times: Times
    listed: npt.NDArray[np.bool_]
    columns: dict[str, Numbers]

    @property
    def periods(self) -> int:
        """Number of periods."""
        return self.counts.shape[1]


def panel_of(
    series: object,
    *,
    by: str | Sequence[str] = (),
    value: str | None = None,
    time: str | npt.ArrayLike | None = None,
    frequency: int | None = None,
    gaps: str = "missing",
    extra: Sequence[str] = (),
) -> Panel:
    """Read count series.

    Parameters
    ----------
    series : a list or array of counts in order (one series), an array (series, periods), a pandas Series (its index is
        the time), a table with one row per series and period, or one with a column per series and dates as index
    by : columns of the table that name a series; value : its column of counts (default: the first of COUNT_COLUMNS)
    time : the column of the table that names the period (default: see `weeks.times_of_table`), or the dates of an array
    frequency : periods per year (52, 12, 365, 4, 1); default: from the dates, 52 without dates
    gaps : "missing" (a period that is not listed is unknown) or "zero" (it had no event: tables of single events)
    extra : numeric columns of the table that are wanted in the same shape
    """
    if gaps not in GAPS:
        raise InputError("error.surveillance_option", option="gaps", found=gaps, known=", ".join(GAPS))
    unnamed = not by and value is None and time is None
    if unnamed and isinstance(series, pd.DataFrame) and isinstance(series.index, (pd.DatetimeIndex, pd.PeriodIndex)):
        return _of_columns(series, frequency, gaps=gaps)
    if isinstance(series, pd.DataFrame) or hasattr(series, "keys") and not isinstance(series, pd.Series):
        table = as_table(series)
        return _of_table(table, names_of(by), value, time, frequency, gaps=gaps, extra=extra)
    return _of_array(series, time, frequency, gaps=gaps)


def _of_array(series: Any, time: object, frequency: int | None, *, gaps: str) -> Panel:
    if isinstance(series, pd.Series) and time is None and not isinstance(series.index, pd.RangeIndex):
        time = series.index
    counts: Numbers = as_numbers(series)
    counts = counts[None, :] if counts.ndim == 1 else counts
    if counts.ndim != 2 or not counts.shape[1]:
        raise InputError("error.surveillance_shape", found=" × ".join(map(str, counts.shape)))
    require_counts(counts)
    if time is not None:
        return _dated_array(counts, read_times(time, frequency=frequency), gaps=gaps)
    return Panel(
        _numbered(counts), counts, Times.numbered(counts.shape[1], frequency or 52), np.ones(counts.shape, bool), {}
    )


def _numbered(counts: Numbers) -> pd.DataFrame:
    """Keys of series without names: 1, 2, …; none for a single one."""
    return pd.DataFrame({"series": np.arange(1, len(counts) + 1)} if len(counts) > 1 else {}, index=range(len(counts)))


def _of_columns(table: pd.DataFrame, frequency: int | None, *, gaps: str) -> Panel:
    """A table with dates as index: each column is a series, named by the column."""
    counts = np.stack([column(table, name) for name in table.columns])
    require_counts(counts)
    panel = _dated_array(counts, read_times(table.index, frequency=frequency), gaps=gaps)
    return replace(panel, keys=pd.DataFrame({"series": table.columns.astype("str")}))


def _dated_array(counts: Numbers, times: Times, *, gaps: str) -> Panel:
    if len(times) != counts.shape[1]:
        raise InputError("error.surveillance_times", found=len(times), expected=counts.shape[1])
    place, grid = time_grid(times)
    full = np.full((len(counts), len(grid)), 0.0 if gaps == "zero" else np.nan)
    if len(np.unique(place)) < len(place):
        raise InputError("error.surveillance_twice", row=_second(place) + 1, series="–", many=1)
    full[:, place] = counts
    listed = np.zeros(full.shape, dtype=bool)
    listed[:, place] = True
    return Panel(_numbered(counts), full, grid, listed, {})


def _second(cell: npt.NDArray[np.int64]) -> int:
    """Place of the first cell that stood before."""
    _, first = np.unique(cell, return_index=True)
    return int(np.setdiff1d(np.arange(len(cell)), first)[0])


def _of_table(
    table: pd.DataFrame,
    by: list[str],
    value: str | None,
    time: object,
    frequency: int | None,
    *,
    gaps: str,
    extra: Sequence[str],
) -> Panel:
    missing = [name for name in [*by, *([value] if value else []), *extra] if name not in table.columns]
    found = value or next((name for name in COUNT_COLUMNS if name in table.columns), None)
    if missing or found is None or not len(table):
        raise InputError(
            "error.surveillance_columns",
            missing=", ".join(missing) or " / ".join(COUNT_COLUMNS),
            found=", ".join(map(str, table.columns)),
        )
    times = times_of_table(table, time, frequency=frequency)
    place, grid = time_grid(times)
    row, keys = groups(table, by)
    _require_single(table, row, place, len(grid), by)
    counts = column(table, found)
    require_counts(counts)
    shape = (len(keys), len(grid))
    full = np.full(shape, 0.0 if gaps == "zero" else np.nan)
    full[row, place] = counts
    listed = np.zeros(shape, dtype=bool)
    listed[row, place] = True
    columns = {}
    for name in extra:
        columns[name] = np.full(shape, np.nan)
        columns[name][row, place] = column(table, name)
    return Panel(keys, full, grid, listed, columns)


def _require_single(
    table: pd.DataFrame, row: npt.NDArray[np.intp], place: npt.NDArray[np.intp], periods: int, by: list[str]
) -> None:
    cell = row.astype(np.int64) * periods + place
    many = len(cell) - len(np.unique(cell))
    if many:
        first = _second(cell)
        where = "; ".join(f"{name}={table[name].iloc[first]}" for name in by) or "–"
        raise InputError("error.surveillance_twice", row=first + 1, series=where, many=many)


def require_counts(counts: Numbers) -> None:
    """Raises InputError for negative or infinite counts."""
    wrong = (counts < 0) | np.isinf(counts)
    if wrong.any():
        place = tuple(int(part[0]) + 1 for part in np.nonzero(wrong))
        raise InputError("error.surveillance_counts", found=counts[wrong][0], where=", ".join(map(str, place)))


def long_table(panel: Panel, places: npt.NDArray[np.intp], columns: dict[str, npt.NDArray]) -> pd.DataFrame:
    """One row per series and period: keys, index (1 = first period), period (if dated), then `columns` (series, periods)."""
    count = len(places)
    repeated = panel.keys.loc[panel.keys.index.repeat(count)].reset_index(drop=True)
    head = {"index": np.tile(places + 1, len(panel.keys))}
    if panel.times.dates is not None:
        head["period"] = np.tile(panel.times.names()[places], len(panel.keys))
        head["period_start"] = np.tile(panel.times.dates[places], len(panel.keys))
    flat = {name: np.asarray(values).ravel() for name, values in columns.items()}
    table = pd.concat([repeated, pd.DataFrame({**head, **flat})], axis=1)
    for name in ("period", "method", "status", "reason"):
        if name in table:
            table[name] = table[name].astype("str")
    return table


def complete_periods(
    table: object,
    *,
    by: str | Sequence[str] = (),
    time: str | npt.ArrayLike | None = None,
    value: str | None = None,
    gaps: str = "zero",
) -> pd.DataFrame:
    """Every series on every week (month, day) between the first and the last of all: absent ones are filled and marked.

    gaps : "zero" for counts of single events (no row = no event), "missing" for reports (no row = no report)

    Returns
    -------
    by, period, period_start, iso_year and iso_week (weeks), events, filled (True where the input had no row).
    """
    panel = panel_of(table, by=by, value=value, time=time, gaps=gaps)
    every = np.arange(panel.periods, dtype=np.intp)
    result = long_table(panel, every, {"events": panel.counts, "filled": ~panel.listed}).drop(columns="index")
    if panel.times.frequency == 52 and panel.times.dates is not None:
        year, week = iso_year_and_week(result["period_start"].to_numpy(dtype="datetime64[D]"))
        place = int(result.columns.get_indexer(["events"])[0])
        result.insert(place, "iso_year", year)
        result.insert(place + 1, "iso_week", week)
    return result


def count_by_period(
    events: object,
    *,
    date: str,
    by: str | Sequence[str] = (),
    frequency: int = 52,
    first: str | None = None,
    last: str | None = None,
) -> pd.DataFrame:
    """Single events with a date → counts of every ISO week (52), month (12) or day (365), zeros included.

    first, last : days between which events were recorded; default: the first and the last event. A period that reaches
        beyond them is marked `partial`: its count is not that of a whole week or month.

    Returns
    -------
    by, period, period_start, events, partial. Raises InputError for a date that cannot be read.
    """
    rows = as_table(events)
    require_columns(rows, [date, *names_of(by)])
    if frequency not in (365, 52, 12):
        raise InputError("error.surveillance_option", option="frequency", found=frequency, known="365, 52, 12")
    days = read_times(rows[date].to_numpy(), frequency=365).dates
    if days is None or not len(days):
        raise InputError("error.surveillance_time", found=rows[date].iloc[0] if len(rows) else "–")
    ends = [
        days.min() if first is None else np.datetime64(first, "D"),
        days.max() if last is None else np.datetime64(last, "D"),
    ]
    outside = (days < ends[0]) | (days > ends[1])
    if outside.any():
        raise InputError("error.surveillance_outside", found=days[outside][0], first=ends[0], last=ends[1])
    starts = _starts(np.append(days, ends), frequency)
    place, grid = time_grid(dated(starts, frequency))
    row, keys = groups(rows, names_of(by))
    shape = (len(keys), len(grid))
    cells = (
        np.bincount(row * len(grid) + place[: len(days)], minlength=shape[0] * shape[1]).reshape(shape).astype(float)
    )
    assert grid.dates is not None
    after = np.append(
        grid.dates[1:], _starts(grid.dates[-1:] + np.timedelta64({365: 1, 52: 7, 12: 31}[frequency], "D"), frequency)
    )
    partial = (grid.dates < ends[0]) | (after - np.timedelta64(1, "D") > ends[1])
    panel = Panel(keys, cells, grid, np.ones(shape, dtype=bool), {})
    every = np.arange(len(grid), dtype=np.intp)
    columns = {"events": cells, "partial": np.broadcast_to(partial, shape)}
    return long_table(panel, every, columns).drop(columns="index")


def _starts(days: npt.NDArray, frequency: int) -> npt.NDArray:
    """First day of the ISO week or month of each day."""
    if frequency == 52:
        return days - (weekday(days) - 1).astype("timedelta64[D]")
    return days.astype("datetime64[M]").astype("datetime64[D]") if frequency == 12 else days
