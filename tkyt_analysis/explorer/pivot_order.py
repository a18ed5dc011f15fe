"""A table sorted by value and cut to its first rows, with one row that sums the counts of the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tkyt_analysis.cube.model import MODELLED, NOT_ASSESSABLE, OK, SUPPRESSED
from tkyt_analysis.explorer.layout import Pivot
from tkyt_analysis.explorer.shows import additive_cells
from tkyt_analysis.explorer.table_lines import (
    ARRAYS,
    MEASURE,
    NUMBERS,
    REST,
    joined,
    line_names,
    total_lines,
    with_rows,
)


def ordered(table: Pivot, language: str) -> Pivot:
    """The table sorted and cut as its layout says: groups of rows (a row, or the rows of its measures) move together."""
    names = table.layout.rows
    totals = total_lines(table.row_keys, names)
    groups = [tuple(code for name, code in zip(names, key) if name != MEASURE) for key in table.row_keys]
    position = _positions(table, groups, totals)
    rank = np.array([position[group] for group in groups], dtype=float)
    cut = (rank >= table.layout.top) & ~totals if table.layout.top else np.zeros(len(rank), dtype=bool)
    kept = with_rows(table, np.nonzero(~cut)[0])
    rank, totals = rank[~cut], totals[~cut]
    if cut.any():
        rest = _rest_rows(table, cut, language)
        kept = joined(kept, rest)
        rank = np.append(rank, np.full(len(rest.row_keys), np.inf))
        totals = np.append(totals, np.zeros(len(rest.row_keys), dtype=bool))
    measures = _measure_ranks(kept)
    block = measures if names and names[0] == MEASURE else np.zeros(len(rank))
    return with_rows(kept, np.lexsort((measures, rank, totals, block)))


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
    arrays: dict[str, Any] = {name: np.array([summed[place][name] for place in kept]).reshape(shape) for name in ARRAYS}
    words = line_names(table.figures, names, keys, language)
    return replace(table, row_keys=keys, row_names=words, **arrays)


def _sum(table: Pivot, part: np.ndarray) -> dict[str, np.ndarray]:
    """One row: the sums of some rows where counts may be summed."""
    additive = additive_cells(table)[part].all(axis=0)
    status, counted = table.status[part], np.isfinite(table.value[part])
    found = additive & counted.any(axis=0)
    modelled = (status == MODELLED).any(axis=0)
    hidden = (status == SUPPRESSED).any(axis=0)
    words = np.where(found, np.where(modelled, MODELLED, OK), np.where(hidden, SUPPRESSED, NOT_ASSESSABLE))
    sums = {name: _known_sum(getattr(table, name)[part], additive) for name in NUMBERS}
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
