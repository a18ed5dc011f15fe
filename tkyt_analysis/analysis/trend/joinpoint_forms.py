"""The forms in which people hold a series of rates → one table with a column of years."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.analysis.groups import as_table
from tkyt_analysis.errors import InputError

_PAIRS = ("year", "rate", "se")  # columns of an array without names
_YEARS = (1000, 3000)  # what an index must lie between to be one of years


def table_of(
    series: object, by: list[str], columns: Mapping[str, Any], known: Mapping[str, tuple[str, ...]]
) -> tuple[pd.DataFrame, list[str], dict[str, str | None]]:
    """(table, columns that name a series, column of each part: None where it has to be found).

    series : a table; a Series (index: years); a mapping of columns, or year → rate; rates in a list, or an array of
        year, rate[, se]; a wide table (index: years, one column per series: `by` is then the name of the columns, or
        "series"). columns : part → name of a column, or the values themselves, one per row. known : usual names
    """
    arrays = {part: values for part, values in columns.items() if values is not None and not isinstance(values, str)}
    names = {part: name for part, name in columns.items() if part not in arrays}
    table = _with_names(series, "year" in arrays)
    if not by and names.get("year") is None and "year" not in arrays:
        table, by = _long(table, known)
    for part, values in arrays.items():
        table = table.assign(**{part: _beside(values, len(table), part)})
    return table, by, names | {part: part for part in arrays}


def _with_names(series: object, has_years: bool) -> pd.DataFrame:
    if isinstance(series, pd.Series):
        return pd.DataFrame({"year": series.index, "rate": series.to_numpy()})
    if isinstance(series, Mapping) and series and all(map(np.isscalar, series.values())):
        return pd.DataFrame({"year": list(series), "rate": list(series.values())})
    if not isinstance(series, list | tuple | np.ndarray):
        return as_table(series)
    values = _array(series)
    if values.ndim == 2 and values.shape[1] in (2, 3):
        return pd.DataFrame(values, columns=_PAIRS[: values.shape[1]])
    if values.ndim != 1:
        raise InputError("error.not_a_table", found=f"{type(series).__name__} {values.shape}")
    years = {} if has_years else {"year": np.arange(1, len(values) + 1)}
    return pd.DataFrame(years | {"rate": values})


def _array(series: Any) -> Any:
    try:
        values = np.asarray(series)
    except ValueError:  # rows of unlike length
        values = np.asarray(series, dtype=object)
    if values.dtype.kind == "O" and any(isinstance(one, Mapping | str) for one in values.ravel()):
        raise InputError("error.not_a_table", found=type(series).__name__)
    return values


def _long(table: pd.DataFrame, known: Mapping[str, tuple[str, ...]]) -> tuple[pd.DataFrame, list[str]]:
    """The years of the index as a column; a wide table (nothing but figures of unknown names) below each other."""
    lower = {str(name).casefold() for name in table.columns}
    if lower & set(known["year"]) or not _of_years(table.index, known["year"]):
        return table, []
    plain = table.set_axis(table.index.set_names("year"), axis=0)
    if lower & {*known["rate"], *known["count"]} or table.shape[1] < 2:
        return plain.reset_index(), []
    by = [str(name) if name is not None else f"series{n or ''}" for n, name in enumerate(table.columns.names)]
    tall = plain.set_axis(plain.columns.set_names(by), axis=1).unstack().rename("rate")
    return tall.reset_index(), by


def _of_years(index: pd.Index, known: tuple[str, ...]) -> bool:
    if str(index.name).casefold() in known or isinstance(index, pd.DatetimeIndex | pd.PeriodIndex):
        return True
    numbers = pd.to_numeric(index, errors="coerce")
    return len(index) > 0 and bool(((numbers > _YEARS[0]) & (numbers < _YEARS[1])).all())


def _beside(values: Any, n: int, part: str) -> Any:
    listed = np.asarray(values)
    if listed.ndim == 1 and len(listed) == n:
        return listed
    raise InputError("error.lengths_differ", found=f"{part} {' × '.join(map(str, listed.shape)) or 1}, {n}")


def year_numbers(years: pd.Series) -> pd.Series:
    """Dates and periods as their year; anything else as it is. InputError where a year holds several dates."""
    if isinstance(years.dtype, pd.PeriodDtype):
        years = years.dt.to_timestamp()
    if not pd.api.types.is_datetime64_any_dtype(years):
        return years
    return years.dt.year
