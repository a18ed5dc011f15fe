"""Reporting delays as a triangle: events by period of occurrence and by how many periods later they became known."""

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
from tkyt_analysis.analysis.trend.series_panel import COUNT_COLUMNS, require_counts
from tkyt_analysis.analysis.trend.weeks import Times, read_times, time_grid, times_of_table
from tkyt_analysis.errors import InputError

_DELAY_COLUMNS = ("delay", "lag", "delay_periods")
_REPORTED_COLUMNS = ("reported_period", "reported_id", "report_week", "reported", "registered", "report_date")


@dataclass(frozen=True)
class LagTriangle:
    """Reporting triangles of many series.

    keys : one row per series; times : periods of occurrence
    cells : (series, periods, delays) events by delay 0 … longest; NaN where not yet known (or not given)
    beyond : (series,) events with a longer delay, which no estimate here counts
    """

    keys: pd.DataFrame
    times: Times
    cells: Numbers
    beyond: Numbers

    @property
    def longest(self) -> int:
        """Longest delay, in periods."""
        return self.cells.shape[2] - 1

    def age(self) -> npt.NDArray[np.intp]:
        """(periods,) how many periods each one is old: the largest delay that can be known, at most the longest."""
        back = np.arange(self.cells.shape[1])[::-1]
        return np.minimum(back, self.longest)

    def cumulative(self) -> Numbers:
        """(series, periods, delays) events known up to each delay; NaN from the first unknown cell on."""
        return np.cumsum(self.cells, axis=2)

    def known_at(self, place: int) -> LagTriangle:
        """The triangle as it was at the end of an earlier period (place 0 = the first)."""
        cells = self.cells[:, : place + 1].copy()
        delay = np.arange(cells.shape[2])
        cells[:, np.arange(place + 1)[:, None] + delay[None, :] > place] = np.nan
        dates = None if self.times.dates is None else self.times.dates[: place + 1]
        times = Times(dates, self.times.numbers[: place + 1], self.times.frequency)
        return replace(self, times=times, cells=cells)


def lag_triangle(
    table: object,
    *,
    by: str | Sequence[str] = (),
    time: object = None,
    value: str | None = None,
    delay: str | None = None,
    reported: str | None = None,
    max_delay: int | None = None,
    as_of: str | int | None = None,
    gaps: str = "zero",
    frequency: int | None = None,
) -> LagTriangle:
    """Read a reporting triangle.

    Parameters
    ----------
    table : one row per series, period of occurrence and delay (columns delay and a count), or with the period of report
        in place of the delay (`reported`); without a count every row is one event (a line list). Or an array
        (periods, delays) or (series, periods, delays) of new events by delay, NaN where not yet known
    max_delay : longest delay in periods; default: the longest found. Later events are left out and counted in `beyond`
    as_of : last period whose reports are in (id, date or number); default: the latest report of all
    gaps : "zero": a cell that could be known and has no row is 0; "missing": it is unknown
    """
    if gaps not in ("zero", "missing"):
        raise InputError("error.surveillance_option", option="gaps", found=gaps, known="zero, missing")
    if not isinstance(table, pd.DataFrame) and not hasattr(table, "keys"):
        return _of_array(table, max_delay)
    rows = as_table(table)
    require_columns(rows, names_of(by))
    if not len(rows):
        raise InputError("error.surveillance_shape", found=0)
    times = times_of_table(rows, time, frequency=frequency)
    late = _delays(rows, times, delay, reported)
    counts = _counts(rows, value)
    return _filled(rows, names_of(by), times, late, counts, max_delay=max_delay, as_of=as_of, gaps=gaps)


def _of_array(values: Any, max_delay: int | None) -> LagTriangle:
    cells: Numbers = as_numbers(values).copy()
    cells = cells[None] if cells.ndim == 2 else cells
    if cells.ndim != 3 or not cells.shape[2]:
        raise InputError("error.surveillance_shape", found=" × ".join(map(str, cells.shape)))
    require_counts(cells)
    keep = cells.shape[2] if max_delay is None else max_delay + 1
    periods = cells.shape[1]
    cells[:, np.arange(periods)[:, None] + np.arange(cells.shape[2])[None, :] >= periods] = np.nan
    keys = pd.DataFrame({"series": np.arange(1, len(cells) + 1)} if len(cells) > 1 else {}, index=range(len(cells)))
    beyond = np.nansum(cells[:, :, keep:], axis=(1, 2))
    return LagTriangle(keys, Times.numbered(periods, 52), cells[:, :, :keep], beyond)


def _delays(rows: pd.DataFrame, times: Times, delay: str | None, reported: str | None) -> npt.NDArray[np.int64]:
    """Delay of each row in periods."""
    name = delay or next((one for one in _DELAY_COLUMNS if one in rows.columns), None)
    if name is not None:
        require_columns(rows, [name])
        late = column(rows, name)
    else:
        name = reported or next((one for one in _REPORTED_COLUMNS if one in rows.columns), None)
        if name is None:
            found = ", ".join(map(str, rows.columns))
            raise InputError("error.surveillance_columns", missing="delay / reported", found=found)
        require_columns(rows, [name])
        late = (_numbers_on(times, rows[name]) - times.numbers).astype(float)
    wrong = ~(late >= 0) | (late != np.round(late))
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise InputError("error.nowcast_delay", row=place + 1, found=late[place], many=int(wrong.sum()))
    return late.astype(np.int64)


def _numbers_on(times: Times, values: pd.Series) -> npt.NDArray[np.int64]:
    """Numbers of other dates on the same axis (any day of the week counts for its week)."""
    if times.dates is None:
        return read_times(values.to_numpy()).numbers
    other = read_times(values.to_numpy(), frequency=365 if np.issubdtype(values.dtype, np.datetime64) else None)
    assert other.dates is not None
    if times.frequency in (52, 365):
        step = 7 if times.frequency == 52 else 1
        start = times.dates.min()
        return np.floor((other.dates - start).astype(np.int64) / step).astype(np.int64) + int(times.numbers.min())
    return read_times(other.dates.astype("datetime64[M]").astype("datetime64[D]"), frequency=times.frequency).numbers


def _counts(rows: pd.DataFrame, value: str | None) -> Numbers:
    name = value or next((one for one in COUNT_COLUMNS if one in rows.columns), None)
    if name is None:
        return np.ones(len(rows))
    require_columns(rows, [name])
    counts = column(rows, name)
    require_counts(counts)
    return counts


def _filled(
    rows: pd.DataFrame,
    by: list[str],
    times: Times,
    late: npt.NDArray[np.int64],
    counts: Numbers,
    *,
    max_delay: int | None,
    as_of: str | int | None,
    gaps: str,
) -> LagTriangle:
    """The cells; several rows of one cell are added up."""
    row, keys = groups(rows, by)
    last = int((times.numbers + late).max()) if as_of is None else _last(times, as_of)
    known = times.numbers + late <= last
    place, grid = time_grid(_until(times, last))
    longest = int(late[known].max(initial=0)) if max_delay is None else int(max_delay)
    shape = (len(keys), len(grid), longest + 1)
    inside = known & (late <= longest)
    cell = np.ravel_multi_index((row[inside], place[: len(rows)][inside], late[inside]), shape)
    sums: Numbers = np.bincount(cell, counts[inside], int(np.prod(shape))).astype(float).reshape(shape)
    given = np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape) > 0
    cells: Numbers = sums if gaps == "zero" else np.where(given, sums, np.nan)
    future = np.arange(len(grid))[:, None] + np.arange(longest + 1)[None, :] > len(grid) - 1
    cells[:, future] = np.nan
    beyond = np.bincount(row[known & ~inside], counts[known & ~inside], len(keys)).astype(float)
    return LagTriangle(keys, grid, cells, beyond)


def _until(times: Times, last: int) -> Times:
    """The times and, after them, the last period (so that the axis reaches it)."""
    numbers = np.append(np.minimum(times.numbers, last), last)
    if times.dates is None:
        return Times(None, numbers, times.frequency)
    step = {52: 7, 365: 1}.get(times.frequency)
    if step is None:
        months = {12: 1, 4: 3, 2: 6, 1: 12}[times.frequency]
        end = np.datetime64(last * months, "M").astype("datetime64[D]")
    else:
        end = times.dates[0] + np.timedelta64((last - int(times.numbers[0])) * step, "D")
    return Times(np.append(np.minimum(times.dates, end), end), numbers, times.frequency)


def _last(times: Times, as_of: str | int) -> int:
    if times.dates is None:
        return int(as_of)
    return int(
        _numbers_on(
            times, pd.Series(read_times([as_of], frequency=times.frequency if times.frequency != 365 else None).dates)
        )[0]
    )
