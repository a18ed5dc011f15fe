"""What the cells of a table show: the value, its share of a total (counts only), or its change against an earlier period."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tkyt_analysis.cube.model import NOT_ASSESSABLE, PERIODS, TOTAL
from tkyt_analysis.errors import InputError, TkytError
from tkyt_analysis.explorer.layout import SHOWS, Layout, Pivot
from tkyt_analysis.explorer.table_lines import MEASURE

if TYPE_CHECKING:
    from tkyt_analysis.cube.model import Figures

_PER_YEAR = {"year": 1, "half": 2, "quarter": 4, "month": 12}


def require_shows(figures: Figures, layout: Layout) -> None:
    """InputError where no cell could show what the layout asks for."""
    if layout.shows not in SHOWS:
        raise InputError("error.layout_shows", found=layout.shows, expected=", ".join(SHOWS))
    names = ", ".join(one.title.vi for one in figures.measures.values())
    if layout.shows.startswith(("share_", "cumulative")) and not any(one.additive for one in figures.measures.values()):
        raise InputError("error.share_of_rates", measures=names)
    along = layout.shows.startswith(("change_", "cumulative"))
    if along and not period_dimension((*layout.rows, *layout.columns)):
        raise InputError("error.change_without_period")
    if along and period_dimension(layout.rows) and period_dimension(layout.columns):
        raise InputError("error.change_periods_on_both_sides")


def with_shown(table: Pivot) -> Pivot:
    """The table with `shown` worked out from `value`; what cannot be worked out although there is a value is marked."""
    shows = table.layout.shows
    if shows.startswith("share_"):
        return _shares(table, shows.removeprefix("share_"))
    if shows.startswith("change_"):
        return _changes(table, shows.removeprefix("change_"))
    if shows == "cumulative":
        return _cumulative(table)
    return replace(table, shown=table.value)


def additive_cells(table: Pivot) -> np.ndarray:
    """Which cells hold counts."""
    additive = [one.id for one in table.figures.measures.values() if one.additive]
    return np.isin(table.measure.astype(str), additive)


def period_dimension(names: Sequence[str]) -> str:
    """The finest period among dimensions; "" for none."""
    return next((one for one in reversed(PERIODS) if one in names), "")


def _shares(table: Pivot, of: str) -> Pivot:
    rows = _partners(table.row_keys, partial(_whole, table.layout.rows))
    columns = _partners(table.column_keys, partial(_whole, table.layout.columns))
    own_rows, own_columns = np.arange(len(rows)), np.arange(len(columns))
    base = _at(table.value, own_rows if of == "row" else rows, own_columns if of == "column" else columns)
    additive = additive_cells(table)
    with np.errstate(divide="ignore", invalid="ignore"):
        shown = np.where(additive & (base > 0), 100 * table.value / base, np.nan)
    unknown = additive & np.isfinite(table.value) & ~np.isfinite(shown)
    return replace(table, shown=shown, status=np.where(unknown, NOT_ASSESSABLE, table.status))


def _changes(table: Pivot, against: str) -> Pivot:
    before, known = earlier_values(table, against)
    with np.errstate(divide="ignore", invalid="ignore"):
        shown = np.where(before > 0, 100 * (table.value / before - 1), np.nan)
    unknown = known & np.isfinite(table.value) & ~np.isfinite(shown)
    return replace(table, shown=shown, status=np.where(unknown, NOT_ASSESSABLE, table.status))


def _cumulative(table: Pivot) -> Pivot:
    """Counts since the beginning of the year (of years: since the first), along the side that has the periods; a period
    without a figure adds nothing and shows nothing."""
    values = np.where(additive_cells(table), table.value, np.nan)
    return replace(table, shown=np.where(np.isfinite(values), running_sums(table, values), np.nan))


def running_sums(table: Pivot, values: np.ndarray) -> np.ndarray:
    """Sums of an array shaped like the table since the beginning of the year, along the side that has the periods."""
    if period_dimension(table.layout.rows):
        return _running(values.T, table.layout.rows, table.row_keys).T
    return _running(values, table.layout.columns, table.column_keys)


def _running(values: np.ndarray, names: Sequence[str], keys: Sequence[tuple[str, ...]]) -> np.ndarray:
    """Running sums over the columns of each year and each combination of the other dimensions."""
    finest = period_dimension(names)
    place = list(names).index(finest)
    others = [at for at, name in enumerate(names) if name not in PERIODS]
    groups: dict[tuple[str, ...], list[int]] = {}
    for column, key in enumerate(keys):
        year = "" if finest == "year" else key[place][:4]
        groups.setdefault((year, *(key[at] for at in others)), []).append(column)
    sums = np.full(values.shape, np.nan)
    for columns in groups.values():
        sums[:, columns] = np.nancumsum(values[:, columns], axis=1)
    return sums


def earlier_values(table: Pivot, against: str) -> tuple[np.ndarray, np.ndarray]:
    """(value of the earlier period of each cell, whether the table has that period at all)."""
    rows, columns = earlier_places(table, against)
    return _at(table.value, rows, columns), (rows >= 0)[:, None] & (columns >= 0)[None, :]


def earlier_places(table: Pivot, against: str) -> tuple[np.ndarray, np.ndarray]:
    """For each row and column the one that holds its earlier period ("previous" or "year"); itself without periods, -1 for none."""
    layout = table.layout
    return (
        _partners(table.row_keys, partial(_earlier, layout.rows, against)),
        _partners(table.column_keys, partial(_earlier, layout.columns, against)),
    )


def _partners(
    keys: Sequence[tuple[str, ...]], partner: Callable[[tuple[str, ...]], tuple[str, ...] | None]
) -> np.ndarray:
    places = {key: place for place, key in enumerate(keys)}
    found = [partner(key) for key in keys]
    return np.array([-1 if key is None else places.get(key, -1) for key in found], dtype=int)


def _at(values: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """values[rows, columns], missing where either is -1."""
    known = (rows >= 0)[:, None] & (columns >= 0)[None, :]
    return np.where(known, values[np.ix_(rows, columns)], np.nan)


def _whole(names: Sequence[str], key: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(code if name == MEASURE else TOTAL for name, code in zip(names, key))


def _earlier(names: Sequence[str], against: str, key: tuple[str, ...]) -> tuple[str, ...] | None:
    """The key of the earlier period; the same key on an axis without periods; None where the key has no earlier one."""
    from tkyt_analysis.reference.periods import period, period_of, shift

    finest = period_dimension(names)
    if not finest:
        return key
    try:
        steps = -_PER_YEAR[finest] if against == "year" else -1
        before = shift(period(key[list(names).index(finest)]), steps)
    except TkytError:  # a total, the others, or a period that is not known
        return None
    return tuple(
        period_of(before.start, name).period_id if name in _PER_YEAR else code for name, code in zip(names, key)
    )
