"""Lines (rows, columns) of a table: which are totals, what they are called, and tables with some of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tkyt_analysis.cube.model import TOTAL
from tkyt_analysis.explorer.layout import Pivot
from tkyt_analysis.explorer.titles import measure_name, member_name
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from tkyt_analysis.cube.model import Figures

MEASURE = "measure"
REST = "rest"  # stands in the key of the row that sums what a top-n table leaves out
NUMBERS = ("value", "lower", "upper", "numerator", "denominator", "expected", "received", "findings")
ARRAYS = (*NUMBERS, "shown", "status", "measure")


def total_lines(keys: Sequence[tuple[str, ...]], dimensions: Sequence[str]) -> np.ndarray:
    """Which lines of an axis are totals."""
    places = [place for place, one in enumerate(dimensions) if one != MEASURE]
    return np.array([bool(places) and all(key[place] == TOTAL for place in places) for key in keys], dtype=bool)


def subtotal_lines(keys: Sequence[tuple[str, ...]], dimensions: Sequence[str]) -> np.ndarray:
    """Which lines of an axis add up their inner dimensions only."""
    inside = np.array([TOTAL in key for key in keys], dtype=bool)
    return inside & ~total_lines(keys, dimensions)


def without_subtotals(table: Pivot) -> Pivot:
    """The table without the lines of its outer dimensions."""
    lines = subtotal_lines(table.row_keys, table.layout.rows)
    return with_rows(table, np.nonzero(~lines)[0]) if lines.any() else table


def line_names(
    figures: Figures, dimensions: tuple[str, ...], keys: list[tuple[str, ...]], language: str
) -> list[tuple[str, ...]]:
    """The words of each line, one per dimension; of a total or the others only the first."""
    additive = all(figures.measures[one].additive for one in figures.view.measures if one in figures.measures)
    total = label("table.total" if additive else "table.whole", language)
    words = {TOTAL: total, REST: label("table.rest", language)}
    known = {(name, code): word for name in dimensions for code, word in words.items()}
    for pair in {pair for key in keys for pair in zip(dimensions, key)} - known.keys():
        known[pair] = (
            measure_name(figures, pair[1], language) if pair[0] == MEASURE else member_name(figures, *pair, language)
        )
    named = [tuple(known[pair] for pair in zip(dimensions, key)) for key in keys]
    return [tuple(_once(words, dimensions, key, name)) for key, name in zip(keys, named)]


def _once(
    words: dict[str, str], dimensions: tuple[str, ...], key: tuple[str, ...], name: tuple[str, ...]
) -> Iterator[str]:
    """The names of a line; what is a total of several dimensions is named at the first of them only."""
    before = ""
    for dimension, code, word in zip(dimensions, key, name):
        yield "" if code in words and code == before else word
        before = before if dimension == MEASURE else code


def with_rows(table: Pivot, places: np.ndarray) -> Pivot:
    """The table with these rows, in this order."""
    return replace(
        table,
        row_keys=[table.row_keys[place] for place in places],
        row_names=[table.row_names[place] for place in places],
        **{name: getattr(table, name)[places] for name in ARRAYS},
    )


def with_columns(table: Pivot, places: np.ndarray) -> Pivot:
    """The table with these columns, in this order."""
    return replace(
        table,
        column_keys=[table.column_keys[place] for place in places],
        column_names=[table.column_names[place] for place in places],
        **{name: getattr(table, name)[:, places] for name in ARRAYS},
    )


def joined(upper: Pivot, lower: Pivot) -> Pivot:
    arrays: dict[str, Any] = {name: np.concatenate([getattr(upper, name), getattr(lower, name)]) for name in ARRAYS}
    return replace(
        upper,
        row_keys=[*upper.row_keys, *lower.row_keys],
        row_names=[*upper.row_names, *lower.row_names],
        **arrays,
    )
