"""Figures → a table: members in their natural order, totals as they were measured, sorted and cut where that is asked.

Nothing is summed here but the row "the others" of counts: a total of rates is a figure of its own that the cube measured.
Which groupings a layout needs of the cube: `needed_groupings`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tkyt_analysis.cube.model import MODELLED, OK, TOTAL, UNKNOWN, View
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.explorer.layout import Layout, Pivot
from tkyt_analysis.explorer.pivot_html import pivot_html
from tkyt_analysis.explorer.pivot_order import ordered
from tkyt_analysis.explorer.shows import period_dimension, require_shows, with_shown
from tkyt_analysis.explorer.table_lines import MEASURE, NUMBERS, REST, line_names, total_lines, with_columns, with_rows
from tkyt_analysis.labels import current_language

if TYPE_CHECKING:
    from tkyt_analysis.cube.model import Figures

__all__ = ["MEASURE", "REST", "axes", "needed_groupings", "pivot", "pivot_html", "total_lines"]


def needed_groupings(layout: Layout) -> tuple[tuple[str, ...], ...]:
    """The groupings of dimensions whose figures the layout shows or divides by, each once: rows × columns, then row
    totals, column totals and the grand total where there are totals, or the one that a share needs."""
    rows, columns = _dimensions(layout.rows), _dimensions(layout.columns)
    wanted = [(*rows, *columns)]
    if layout.totals:
        wanted += [rows, columns, ()]
    for outer in range(1, len(rows)) if has_subtotals(layout) else ():
        wanted += [(*rows[:outer], *columns), *([rows[:outer]] if layout.totals else [])]
    bases: dict[str, tuple[str, ...]] = {"share_row": rows, "share_column": columns, "share_all": ()}
    if layout.shows in bases:
        wanted.append(bases[layout.shows])
    return tuple(dict.fromkeys(wanted))


def pivot(figures: Figures, layout: Layout, *, language: str | None = None) -> Pivot:
    """The figures as the layout wants them. `layout` of the answer says where the measures ended up.

    A combination without a figure stays empty. It is a zero only for a count whose measure says `absent_is_zero`, in
    a row and a column that have figures of that measure.
    Raises InputError for a layout that does not fit the view, a share of rates only, a change without a period.
    """
    layout = _placed(figures.view, layout)
    require_shows(figures, layout)
    table = _with_zeros(_table(figures, layout, language or current_language()))
    table = with_shown(table)
    if layout.sort or layout.top:
        table = with_shown(ordered(table, language or current_language()))
    drop = {axis: not layout.totals or _changes_along(layout, names) for axis, names in _sides(layout)}
    return _without_totals(table, **drop)


def axes(view: View, layout: Layout) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(rows, columns) with every dimension of the view, and the measures where they are needed to tell lines apart."""
    known = {*view.by, MEASURE}
    stray = [one for one in (*layout.rows, *layout.columns) if one not in known]
    if stray or len({*layout.rows, *layout.columns}) < len(layout.rows) + len(layout.columns):
        said = ", ".join((*layout.rows, *layout.columns))
        raise InputError("error.layout_dimensions", layout=said, view=", ".join(view.by) or "–")
    rows = (*layout.rows, *(one for one in view.by if one not in (*layout.rows, *layout.columns)))
    columns = layout.columns
    if MEASURE not in (*rows, *columns):
        if not columns or (rows and len(view.measures) > 1):
            columns = (*columns, MEASURE)
        elif not rows:
            rows = (MEASURE,)
    return rows, columns


def has_subtotals(layout: Layout) -> bool:
    """Whether the table gets lines for the outer dimensions of its rows."""
    return layout.subtotals and layout.picture == "table" and not (layout.sort or layout.top)


def _dimensions(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(one for one in names if one != MEASURE)


def _placed(view: View, layout: Layout) -> Layout:
    rows, columns = axes(view, layout)
    return replace(layout, rows=rows, columns=columns)


@dataclass(frozen=True, eq=False)
class _Axis:
    """Lines of one side; `place`: the line of each row of the figures, -1 where it stands on none."""

    keys: list[tuple[str, ...]]
    place: np.ndarray


def _table(figures: Figures, layout: Layout, language: str) -> Pivot:
    rows = _axis(figures, layout.rows, subtotals=has_subtotals(layout))
    columns = _axis(figures, layout.columns)
    shape = (len(rows.keys), len(columns.keys))
    here = (rows.place >= 0) & (columns.place >= 0)
    at = rows.place[here] * shape[1] + columns.place[here]
    if len(np.unique(at)) < len(at):
        raise ProcessingError("error.pivot_repeated", number=len(at) - len(np.unique(at)))
    frame = figures.rows[here]
    numbers = {name: _grid(frame, name, at, shape) for name in NUMBERS}
    status = np.full(shape, "", dtype=object)
    status.flat[at] = frame["status"].to_numpy(object)
    counts = np.isin(status, (OK, MODELLED))
    for name in ("value", "lower", "upper"):
        numbers[name] = np.where(counts, numbers[name], np.nan)
    return Pivot(
        layout=layout,
        figures=figures,
        row_keys=rows.keys,
        column_keys=columns.keys,
        row_names=line_names(figures, layout.rows, rows.keys, language),
        column_names=line_names(figures, layout.columns, columns.keys, language),
        shown=numbers["value"],
        status=status,
        measure=_measures(figures.view, layout, rows.keys, columns.keys),
        **numbers,
    )


def _grid(frame: pd.DataFrame, name: str, at: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    grid = np.full(shape, np.nan)
    if name in frame:
        grid.flat[at] = frame[name].astype("float64").to_numpy()
    return grid


def _axis(figures: Figures, names: tuple[str, ...], *, subtotals: bool = False) -> _Axis:
    """The combinations that occur, totals behind their parts. A row that is a total in part belongs to no line, but with
    `subtotals` where the inner dimensions are added up."""
    frame = figures.rows
    if not names:
        return _Axis([()], np.zeros(len(frame), dtype=int))
    orders = [_order(figures, name) for name in names]
    codes = np.stack([pd.Categorical(frame[name], categories=order).codes for name, order in zip(names, orders)], 1)
    others = [place for place, name in enumerate(names) if name != MEASURE]
    lasts = np.array([len(orders[place]) - 1 for place in others])
    totals = codes[:, others] == lasts
    inner = (np.diff(totals.astype(int), axis=1) >= 0).all(axis=1) & subtotals
    kept = (codes >= 0).all(axis=1) & (totals.all(axis=1) | ~totals.any(axis=1) | inner)
    lines, inverse = np.unique(codes[kept], axis=0, return_inverse=True)
    place = np.full(len(frame), -1)
    place[kept] = inverse.reshape(-1)
    return _Axis([tuple(order[code] for order, code in zip(orders, line)) for line in lines], place)


def _order(figures: Figures, name: str) -> list[str]:
    """Codes of a dimension in natural order, the total last."""
    if name == MEASURE:
        return list(figures.view.measures)
    present = set(figures.rows[name].unique()) - {TOTAL}
    named = [code for code in figures.names.get(name, {}) if code in present]
    others = sorted(present - set(named), key=lambda code: (code == UNKNOWN, str(code)))
    return [*named, *others, TOTAL]


def _measures(view: View, layout: Layout, rows: list[tuple[str, ...]], columns: list[tuple[str, ...]]) -> np.ndarray:
    shape = (len(rows), len(columns))
    if MEASURE in layout.rows:
        place = layout.rows.index(MEASURE)
        return np.broadcast_to(np.array([key[place] for key in rows], dtype=object)[:, None], shape)
    if MEASURE in layout.columns:
        place = layout.columns.index(MEASURE)
        return np.broadcast_to(np.array([key[place] for key in columns], dtype=object), shape)
    return np.full(shape, view.measures[0], dtype=object)


def _with_zeros(table: Pivot) -> Pivot:
    """Counts whose absence is a zero get it, where row and column have figures of the measure."""
    zero = [one.id for one in table.figures.measures.values() if one.additive and one.options.get("absent_is_zero")]
    there = table.status != ""
    filled = np.zeros(there.shape, dtype=bool)
    for one in zero:
        own = table.measure == one
        known = there & own
        filled |= own & ~there & known.any(axis=1, keepdims=True) & known.any(axis=0, keepdims=True)
    if not filled.any():
        return table
    numbers: dict[str, Any] = {name: np.where(filled, 0.0, getattr(table, name)) for name in ("value", "numerator")}
    return replace(table, **numbers, status=np.where(filled, OK, table.status))


def _sides(layout: Layout) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (("rows", layout.rows), ("columns", layout.columns))


def _changes_along(layout: Layout, names: tuple[str, ...]) -> bool:
    """Whether the layout compares or adds up the lines of this side: a total of periods would say nothing then."""
    return layout.shows.startswith(("change_", "cumulative")) and bool(period_dimension(names))


def _without_totals(table: Pivot, *, rows: bool, columns: bool) -> Pivot:
    """The table without its total rows, without its total columns, or as it is."""
    kept_columns = ~total_lines(table.column_keys, table.layout.columns) | (not columns)
    kept_rows = ~total_lines(table.row_keys, table.layout.rows) | (not rows)
    return with_columns(with_rows(table, np.nonzero(kept_rows)[0]), np.nonzero(kept_columns)[0])
