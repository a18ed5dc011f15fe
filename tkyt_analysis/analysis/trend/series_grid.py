"""Series as a grid: many series beside each other on their common times; what is absent is missing.

One reader for every function of trends: a table with a column of times, a Series (its index is the time), or plain
lists. The usual names of columns are known, any other can be named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.groups import as_table, column, groups, names_of
from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.errors import InputError

USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "time": ("time", "year", "t", "tm", "month", "week", "period", "yr", "date"),
    "events": ("events", "deaths", "count", "counts", "cases", "observed", "y", "value"),
    "population": ("population", "person_years", "persons", "exposure", "n"),
    "value": ("rate", "value", "y", "events", "deaths", "count"),
    "se": ("se", "standard_error", "std_error", "stderr"),
    "weights": ("weights", "weight"),
}
Given = str | npt.ArrayLike | None


@dataclass(frozen=True)
class SeriesGrid:
    """Many series on one line of times.

    keys : one row per series (no column where there is one series)
    time : the sorted times, numbers
    columns : by name one array (series, time), NaN where a series has nothing
    """

    keys: pd.DataFrame
    time: Numbers
    columns: dict[str, Numbers]

    def __len__(self) -> int:
        return len(self.keys)


def series_grid(
    series: object, *, by: str | Sequence[str] = (), needed: Mapping[str, Given], optional: Mapping[str, Given] | None = None
) -> SeriesGrid:  # fmt: skip
    """The grid of a table, Series or list.

    needed, optional : role ("time", "events", …) → name of the column, an array, or None: found by its usual names

    Raises InputError where a column is absent or no number, where a time is missing, and where a series has two rows
    for one time (then a key is missing in `by`).
    """
    number, keys, columns = series_rows(series, by=by, needed=needed, optional=optional)
    time = columns.pop("time")
    times, place = np.unique(time, return_inverse=True)
    _require_once(number, place, times, keys, len(times))
    grids = {name: np.full((len(keys), len(times)), np.nan) for name in columns}
    for name, values in columns.items():
        grids[name][number, place] = values
    return SeriesGrid(keys, times, grids)


def series_rows(
    series: object, *, by: str | Sequence[str] = (), needed: Mapping[str, Given], optional: Mapping[str, Given] | None = None
) -> tuple[npt.NDArray[np.intp], pd.DataFrame, dict[str, Numbers]]:  # fmt: skip
    """As `series_grid`, but left as rows (times may repeat): number of each row's series, keys, role → numbers."""
    table, by = _as_rows(series, needed, optional or {}), names_of(by)
    columns = _columns(table, by, needed, optional or {})
    return *groups(table, by), columns


def _as_rows(series: object, needed: Mapping[str, Given], optional: Mapping[str, Given]) -> pd.DataFrame:
    """The table, or one made of a Series, a list or the arrays given by role; always with arrays as columns."""
    arrays = {role: given for role, given in {**needed, **optional}.items() if _is_array(given)}
    main = next(role for role in needed if role != "time")
    if isinstance(series, pd.Series):
        rows = pd.DataFrame({"time": _index_numbers(series.index), main: series.to_numpy()})
        rows = rows.drop(columns="time") if _only_counts(series.index) else rows
    elif series is None or isinstance(series, (list, tuple, np.ndarray)):
        arrays = arrays if series is None else {main: _listed(series)} | arrays
        rows = pd.DataFrame(index=range(len(np.atleast_1d(np.asarray(next(iter(arrays.values()), []))))))
    else:
        rows = as_table(series)
    try:
        rows = rows.assign(**{role: np.asarray(given) for role, given in arrays.items()})
    except ValueError:
        found = ", ".join(f"{role} {len(np.atleast_1d(np.asarray(given)))}" for role, given in arrays.items())
        raise InputError("error.lengths_differ", found=found) from None
    no_time = needed.get("time") is None and not isinstance(series, (pd.DataFrame, Mapping)) and "time" not in rows
    return rows.assign(time=np.arange(1.0, len(rows) + 1)) if no_time else rows


def _listed(series: Any) -> npt.NDArray[Any]:
    """A list of numbers as an array; InputError for lists within it."""
    try:
        found = np.asarray(series)
    except ValueError:
        raise InputError("error.not_a_table", found=type(series).__name__) from None
    if found.ndim > 1:
        raise InputError("error.not_a_table", found=f"{type(series).__name__} {found.shape}")
    return found


def _is_array(given: Given) -> bool:
    return given is not None and not isinstance(given, str)


def _only_counts(index: pd.Index) -> bool:
    """An index 0, 1, 2, … that nobody gave: its Series is a list, whose times are 1, 2, …"""
    return isinstance(index, pd.RangeIndex) and (index.start, index.step) == (0, 1)


def _index_numbers(index: pd.Index) -> npt.ArrayLike:
    """Years of a PeriodIndex or DatetimeIndex of years; otherwise the index itself."""
    if isinstance(index, pd.PeriodIndex) and index.freqstr.startswith(("Y", "A")):
        return index.year
    return index


def _columns(
    table: pd.DataFrame, by: list[str], needed: Mapping[str, Given], optional: Mapping[str, Given]
) -> dict[str, Numbers]:
    """Role → numbers; InputError that names what is absent."""
    names = {role: _name(table, by, role, given) for role, given in {**needed, **optional}.items()}
    missing = [role for role in needed if names[role] is None]
    unknown = [name for name in [*by, *filter(None, names.values())] if name not in table.columns]
    if missing or unknown:
        found = ", ".join(map(str, table.columns))
        raise InputError("error.rate_columns_missing", missing=", ".join([*missing, *unknown]), found=found)
    table = _with_year_numbers(table, names["time"])
    values = {role: column(table, name) for role, name in names.items() if name is not None}
    if not np.isfinite(values["time"]).all():
        raise InputError("error.trend_time_missing", n=int((~np.isfinite(values["time"])).sum()))
    return values


def _with_year_numbers(table: pd.DataFrame, name: Any) -> pd.DataFrame:
    """Dates and periods in the column of times become their year."""
    dtype = None if name is None else table[name].dtype
    if isinstance(dtype, pd.PeriodDtype) or (dtype is not None and pd.api.types.is_datetime64_any_dtype(dtype)):
        return table.assign(**{name: table[name].dt.year})
    return table


def _name(table: pd.DataFrame, by: list[str], role: str, given: Given) -> Any:
    if _is_array(given):
        return role
    if given is not None:
        return given
    known = {str(name).casefold(): name for name in table.columns if name not in by}
    return next((known[word] for word in (role, *USUAL_NAMES.get(role, ())) if word in known), None)


def _require_once(
    number: npt.NDArray[np.intp], place: npt.NDArray[np.intp], times: Numbers, keys: pd.DataFrame, n: int
) -> None:
    cell = number * n + place
    cells, counts = np.unique(cell, return_counts=True)
    if len(cells) == len(cell):
        return
    twice = cells[counts > 1][0]
    series = ", ".join(str(value) for value in keys.iloc[twice // n]) or "–"
    raise InputError("error.trend_time_twice", time=f"{times[twice % n]:g}", series=series, n=int((counts > 1).sum()))
