"""Groups of rows, found quickly where rows of one group stand together; and small helpers of the result tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.errors import InputError


def as_table(rows: object) -> pd.DataFrame:
    """A DataFrame, or one of a mapping {column: values}; InputError for anything else."""
    if isinstance(rows, pd.DataFrame):
        return rows
    try:
        return pd.DataFrame(dict(rows)) if isinstance(rows, Mapping) else _no_table(rows)
    except ValueError:
        return _no_table(rows)


def _no_table(rows: object) -> pd.DataFrame:
    raise InputError("error.not_a_table", found=type(rows).__name__)


def names_of(by: str | Sequence[str]) -> list[str]:
    """Column names: one name may stand alone."""
    return [by] if isinstance(by, str) else list(by)


def groups(table: pd.DataFrame, by: list[str]) -> tuple[npt.NDArray[np.intp], pd.DataFrame]:
    """Number of each row's group, and the sorted keys of the groups (no `by`: one group).

    Rows that follow each other with the same keys are one run; only the first row of each run is sorted, so a table
    that is in order (18 ages of a series below each other) costs little more than its comparison with itself.
    """
    if not by:
        return np.zeros(len(table), dtype=np.intp), pd.DataFrame(index=range(min(len(table), 1)))
    starts = _starts_of_runs(table, by)
    first = np.flatnonzero(starts)
    heads = table[by].iloc[first]
    number = heads.groupby(by, observed=True, sort=True, dropna=False).ngroup().to_numpy()
    _, place = np.unique(number, return_index=True)
    return number[np.cumsum(starts) - 1], heads.iloc[place].reset_index(drop=True)


def _starts_of_runs(table: pd.DataFrame, by: list[str]) -> npt.NDArray[np.bool_]:
    """True where a row's keys differ from those of the row before (or either is missing)."""
    starts = np.zeros(len(table), dtype=bool)
    starts[:1] = True
    for name in by:
        values = table[name].array
        changed = values[1:] != values[:-1]
        starts[1:] |= pd.array(changed, dtype="boolean").to_numpy(dtype=bool, na_value=True)
    return starts


def group_sum(values: npt.ArrayLike, group: npt.NDArray[np.intp], n: int) -> npt.NDArray[np.float64]:
    """The sum of the values in each of `n` groups; missing where one is missing."""
    return np.bincount(group, np.asarray(values, dtype=float), n).astype(float)


def column(table: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    """A column as floats; what is missing is NaN. InputError for words."""
    try:
        return table[name].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as problem:
        raise InputError("error.column_not_numbers", column=name, problem=str(problem)) from None


def require_columns(table: pd.DataFrame, names: Sequence[str]) -> None:
    """Raises InputError that names the absent columns and those that are there."""
    missing = [name for name in names if name not in table.columns]
    if missing:
        found = ", ".join(map(str, table.columns))
        raise InputError("error.rate_columns_missing", missing=", ".join(missing), found=found)


def text_with(method: str, notes: Iterable[str]) -> str:
    """The method with the notes that are not empty: "dobson;limits=exact"."""
    return ";".join([method, *(note for note in notes if note)])
