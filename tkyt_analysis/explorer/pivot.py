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

from tkyt_analysis.cube.model import MODELLED, NOT_ASSESSABLE, OK, SUPPRESSED, TOTAL, UNKNOWN, View
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.explorer.layout import Layout, Pivot
from tkyt_analysis.explorer.pivot_html import pivot_html
from tkyt_analysis.explorer.shows import additive_cells, period_dimension, require_shows, with_shown
from tkyt_analysis.explorer.titles import measure_name, member_name
from tkyt_analysis.labels import current_language, label

if TYPE_CHECKING:
    from tkyt_analysis.cube.model import Figures

__all__ = ["MEASURE", "REST", "axes", "needed_groupings", "pivot", "pivot_html", "total_lines"]

MEASURE = "measure"
REST = "rest"  # stands in the key of the row that sums what a top-n table leaves out
_NUMBERS = ("value", "lower", "upper", "numerator", "denominator", "expected", "received", "findings")
_ARRAYS = (*_NUMBERS, "shown", "status", "measure")


def needed_groupings(layout: Layout) -> tuple[tuple[str, ...], ...]:
    """The groupings of dimensions whose figures the layout shows or divides by, each once: rows × columns, then row
    totals, column totals and the grand total where there are totals, or the one that a share needs."""
    rows, columns = _dimensions(layout.rows), _dimensions(layout.columns)
    wanted = [(*rows, *columns)]
    if layout.totals:
        wanted += [rows, columns, ()]
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
        table = with_shown(_ordered(table, language or current_language()))
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


def total_lines(keys: Sequence[tuple[str, ...]], dimensions: Sequence[str]) -> np.ndarray:
    """Which lines of an axis are totals."""
    places = [place for place, one in enumerate(dimensions) if one != MEASURE]
    return np.array([bool(places) and all(key[place] == TOTAL for place in places) for key in keys], dtype=bool)


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
    rows, columns = (_axis(figures, names) for names in (layout.rows, layout.columns))
    shape = (len(rows.keys), len(columns.keys))
    here = (rows.place >= 0) & (columns.place >= 0)
    at = rows.place[here] * shape[1] + columns.place[here]
    if len(np.unique(at)) < len(at):
        raise ProcessingError("error.pivot_repeated", number=len(at) - len(np.unique(at)))
    frame = figures.rows[here]
    numbers = {name: _grid(frame, name, at, shape) for name in _NUMBERS}
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
        row_names=_names(figures, layout.rows, rows.keys, language),
        column_names=_names(figures, layout.columns, columns.keys, language),
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


def _axis(figures: Figures, names: tuple[str, ...]) -> _Axis:
    """The combinations that occur, totals behind their parts; a row that is a total in part only belongs to no line."""
    frame = figures.rows
    if not names:
        return _Axis([()], np.zeros(len(frame), dtype=int))
    orders = [_order(figures, name) for name in names]
    codes = np.stack([pd.Categorical(frame[name], categories=order).codes for name, order in zip(names, orders)], 1)
    others = [place for place, name in enumerate(names) if name != MEASURE]
    lasts = np.array([len(orders[place]) - 1 for place in others])
    totals = codes[:, others] == lasts
    kept = (codes >= 0).all(axis=1) & (totals.all(axis=1) | ~totals.any(axis=1))
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


def _names(
    figures: Figures, dimensions: tuple[str, ...], keys: list[tuple[str, ...]], language: str
) -> list[tuple[str, ...]]:
    additive = all(figures.measures[one].additive for one in figures.view.measures if one in figures.measures)
    total = label("table.total" if additive else "table.whole", language)
    before = dict(zip(dimensions, (MEASURE, *dimensions)))  # a total of several dimensions is named once
    words = {TOTAL: total, REST: label("table.rest", language)}
    known = {
        (name, code): word if before[name] == MEASURE else "" for name in dimensions for code, word in words.items()
    }
    for pair in {pair for key in keys for pair in zip(dimensions, key)} - known.keys():
        known[pair] = (
            measure_name(figures, pair[1], language) if pair[0] == MEASURE else member_name(figures, *pair, language)
        )
    return [tuple(known[pair] for pair in zip(dimensions, key)) for key in keys]


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
    """Whether the layout shows changes between the lines of this side: a total of periods has none."""
    return layout.shows.startswith("change_") and bool(period_dimension(names))


def _without_totals(table: Pivot, *, rows: bool, columns: bool) -> Pivot:
    """The table without its total rows, without its total columns, or as it is."""
    kept_columns = ~total_lines(table.column_keys, table.layout.columns) | (not columns)
    kept_rows = ~total_lines(table.row_keys, table.layout.rows) | (not rows)
    return _columns(_rows(table, np.nonzero(kept_rows)[0]), np.nonzero(kept_columns)[0])


def _columns(table: Pivot, places: np.ndarray) -> Pivot:
    """The table with these columns, in this order."""
    return replace(
        table,
        column_keys=[table.column_keys[place] for place in places],
        column_names=[table.column_names[place] for place in places],
        **{name: getattr(table, name)[:, places] for name in _ARRAYS},
    )


def _rows(table: Pivot, places: np.ndarray) -> Pivot:
    """The table with these rows, in this order."""
    return replace(
        table,
        row_keys=[table.row_keys[place] for place in places],
        row_names=[table.row_names[place] for place in places],
        **{name: getattr(table, name)[places] for name in _ARRAYS},
    )


def _ordered(table: Pivot, language: str) -> Pivot:
    """The table sorted and cut as its layout says: groups of rows (a row, or the rows of its measures) move together."""
    names = table.layout.rows
    totals = total_lines(table.row_keys, names)
    groups = [tuple(code for name, code in zip(names, key) if name != MEASURE) for key in table.row_keys]
    position = _positions(table, groups, totals)
    rank = np.array([position[group] for group in groups], dtype=float)
    cut = (rank >= table.layout.top) & ~totals if table.layout.top else np.zeros(len(rank), dtype=bool)
    kept = _rows(table, np.nonzero(~cut)[0])
    rank, totals = rank[~cut], totals[~cut]
    if cut.any():
        rest = _rest_rows(table, cut, language)
        kept = _joined(kept, rest)
        rank = np.append(rank, np.full(len(rest.row_keys), np.inf))
        totals = np.append(totals, np.zeros(len(rest.row_keys), dtype=bool))
    measures = _measure_ranks(kept)
    block = measures if names and names[0] == MEASURE else np.zeros(len(rank))
    return _rows(kept, np.lexsort((measures, rank, totals, block)))


def _positions(table: Pivot, groups: list[tuple[str, ...]], totals: np.ndarray) -> dict[tuple[str, ...], int]:
    """{group: its place}: by the value of its first row in the last column that has any, else as it stands."""
    first: dict[tuple[str, ...], int] = {}
    for place, group in enumerate(groups):
        if not totals[place]:
            first.setdefault(group, place)
    places = np.array(list(first.values()), dtype=int)
    if table.layout.sort == "value" and len(places):
        filled = np.nonzero(np.isfinite(table.shown[places]).any(axis=0))[0]
        if len(filled):
            values = table.shown[places, filled[-1]]
            places = places[np.argsort(np.where(np.isfinite(values), -values, np.inf), kind="stable")]
    order = {groups[place]: rank for rank, place in enumerate(places)}
    return order | {group: len(order) for group, total in zip(groups, totals) if total}


def _measure_ranks(table: Pivot) -> np.ndarray:
    if MEASURE not in table.layout.rows:
        return np.zeros(len(table.row_keys))
    place = table.layout.rows.index(MEASURE)
    order = {one: rank for rank, one in enumerate(table.figures.view.measures)}
    return np.array([order[key[place]] for key in table.row_keys], dtype=float)


def _rest_rows(table: Pivot, cut: np.ndarray, language: str) -> Pivot:
    """One row per measure that stands among the rows (else one): sums of the counts that were cut off; rates stay empty.

    No row where nothing of it can be summed."""
    names = table.layout.rows
    which = _measure_ranks(table)
    parts = [np.nonzero(cut & (which == one))[0] for one in dict.fromkeys(which[cut])]
    summed = [_sum(table, part) for part in parts]
    kept = [place for place, one in enumerate(summed) if (one["status"] != "").any()]
    keys = [
        tuple(code if name == MEASURE else REST for name, code in zip(names, table.row_keys[parts[place][0]]))
        for place in kept
    ]
    shape = (len(kept), len(table.column_keys))
    arrays: dict[str, Any] = {
        name: np.array([summed[place][name] for place in kept]).reshape(shape) for name in _ARRAYS
    }
    words = _names(table.figures, names, keys, language)
    return replace(table, row_keys=keys, row_names=words, **arrays)


def _sum(table: Pivot, part: np.ndarray) -> dict[str, np.ndarray]:
    """One row: the sums of some rows where counts may be summed."""
    additive = additive_cells(table)[part].all(axis=0)
    status, counted = table.status[part], np.isfinite(table.value[part])
    found = additive & counted.any(axis=0)
    modelled = (status == MODELLED).any(axis=0)
    hidden = (status == SUPPRESSED).any(axis=0)
    words = np.where(found, np.where(modelled, MODELLED, OK), np.where(hidden, SUPPRESSED, NOT_ASSESSABLE))
    sums = {name: _known_sum(getattr(table, name)[part], additive) for name in _NUMBERS}
    empty = np.full(len(found), np.nan)
    value = np.where(found, sums["value"], np.nan)
    words = np.where(additive & (status != "").any(axis=0), words, "").astype(object)
    measure = table.measure[part[0]]
    return sums | {
        "value": value,
        "shown": value,
        "lower": empty,
        "upper": empty,
        "denominator": empty,
        "status": words,
        "measure": measure,
    }


def _known_sum(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    return np.where(where & known.any(axis=0), np.where(known, values, 0.0).sum(axis=0), np.nan)


def _joined(upper: Pivot, lower: Pivot) -> Pivot:
    arrays: dict[str, Any] = {name: np.concatenate([getattr(upper, name), getattr(lower, name)]) for name in _ARRAYS}
    return replace(
        upper,
        row_keys=[*upper.row_keys, *lower.row_keys],
        row_names=[*upper.row_names, *lower.row_names],
        **arrays,
    )
