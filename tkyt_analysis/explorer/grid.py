"""Figures of a pivot as a picture needs them: what goes along the axis, what is a series, and the totals apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tkyt_analysis.cube.model import PERIODS, TOTAL
from tkyt_analysis.explorer.titles import measure_name, member_name
from tkyt_analysis.labels import format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.explorer.layout import Pivot

Key = tuple[str, ...]
COUNTS = ("count", "average")  # methods whose parts make up a whole; an average not over periods
_NUMBERS = ("shown", "value", "lower", "upper", "expected", "received")
LEAST_RECEIVED = 0.8  # share of the reports due below which a point is drawn hollow


@dataclass(frozen=True, eq=False)
class Grid:
    """Arrays of shape (categories, series) without totals.

    categories, series : keys, one part per dimension of `along` and of `across` (which may hold "measure")
    names, series_names : the same as words
    total : what is shown for all categories together, per series (missing where the pivot has no total)
    """

    pivot: Pivot
    language: str
    along: tuple[str, ...]
    across: tuple[str, ...]
    categories: list[Key]
    series: list[Key]
    names: list[str]
    series_names: list[str]
    shown: np.ndarray
    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    expected: np.ndarray
    received: np.ndarray
    status: np.ndarray
    measure: np.ndarray
    total: np.ndarray

    @cached_property
    def measures(self) -> list[str]:
        """Ids of the measures in the grid, in the order of the view."""
        present = set(np.unique(self.measure)) - {""}
        return [one for one in self.pivot.figures.view.measures if one in present]

    @cached_property
    def relative(self) -> bool:
        """Whether cells show a share or a change in place of the value."""
        return self.pivot.layout.shows != "value"

    @cached_property
    def counts(self) -> bool:
        """Whether every measure counts things or people (events, or a population), so that parts make up a whole."""
        return all(self.pivot.figures.measures[one].method in COUNTS for one in self.measures)

    @cached_property
    def hatched(self) -> np.ndarray:
        """Where a modelled denominator is marked: nowhere if all figures have one (a remark says so)."""
        modelled, shown = self.status == "modelled", np.isfinite(self.shown)
        return modelled & shown & ~self.all_modelled

    @cached_property
    def all_modelled(self) -> bool:
        """Whether every figure that is shown has a modelled denominator."""
        shown = np.isfinite(self.shown)
        return bool(shown.any() and (self.status[shown] == "modelled").all())

    @cached_property
    def decimals(self) -> int:
        """Decimals that numbers are shown with."""
        if self.relative:
            return 1
        return max((self.pivot.figures.measures[one].decimals for one in self.measures), default=0)

    @cached_property
    def unit(self) -> str:
        """The unit of what is shown."""
        if self.relative:
            return "%"
        units = [self.pivot.figures.measures[one].unit[self.language] for one in self.measures]
        return "; ".join(dict.fromkeys(unit for unit in units if unit))

    @cached_property
    def intervals(self) -> bool:
        """Whether 95 % limits are to be drawn and there are any."""
        return bool(self.pivot.layout.intervals and not self.relative and np.isfinite(self.lower).any())

    @cached_property
    def thin(self) -> np.ndarray:
        """Where fewer reports arrived than a figure should rest on."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return (self.received / self.expected) < LEAST_RECEIVED

    def text(self, number: float) -> str:
        """A number as it is written beside its mark."""
        sign = "+" if self.pivot.layout.shows.startswith("change") and number > 0 else ""
        return sign + format_number(number, self.decimals, self.language)

    def gap(self, row: int, column: int) -> str:
        """Why a cell has no number: a status word, "" where there is no such figure."""
        status = str(self.status[row, column])
        return status if status in ("suppressed", "not_assessable") else ""

    def said(self, row: int, column: int) -> str:
        """A cell in words, for hints: "Hà Nội, 2024: 5,8 (5,6–6,0) trên 1.000 dân"."""
        head = ", ".join(part for part in (self.names[row], self.series_names[column]) if part)
        if not np.isfinite(self.shown[row, column]):
            why = self.gap(row, column) or "missing"
            return f"{head}: {label(f'chart.status.{why}', self.language)}"
        text = self.text(self.shown[row, column])
        low, high = self.lower[row, column], self.upper[row, column]
        if not self.relative and np.isfinite(low) and np.isfinite(high):
            text += f" ({self.text(low)}–{self.text(high)})"
        if self.status[row, column] == "modelled":
            text += f", {label('chart.status.modelled', self.language)}"
        if self.thin[row, column]:
            share = format_number(100 * self.received[row, column] / self.expected[row, column], 0, self.language)
            text += f", {label('chart.reports_received', self.language, share=share)}"
        return f"{head}: {text} {self.unit}".strip() if head else f"{text} {self.unit}"

    def pick(self, categories: Sequence[int] | None = None, series: Sequence[int] | None = None) -> Grid:
        """Some categories and series only."""
        rows = list(range(len(self.categories))) if categories is None else list(categories)
        columns = list(range(len(self.series))) if series is None else list(series)
        cut = {name: getattr(self, name)[np.ix_(rows, columns)] for name in (*_NUMBERS, "status", "measure")}
        return replace(
            self,
            categories=[self.categories[i] for i in rows],
            names=[self.names[i] for i in rows],
            series=[self.series[i] for i in columns],
            series_names=[self.series_names[i] for i in columns],
            total=self.total[columns],
            **cut,
        )


def dimensions_of(pivot: Pivot) -> tuple[str, ...]:
    """The dimensions of rows and columns, "measure" among them."""
    return (*pivot.layout.rows, *pivot.layout.columns)


def period_dimension(pivot: Pivot) -> str:
    """The finest period among the dimensions ("" for none)."""
    found = [one for one in dimensions_of(pivot) if one in PERIODS]
    return max(found, key=PERIODS.index) if found else ""


def arrange(pivot: Pivot, along: Sequence[str], *, language: str) -> Grid:
    """The pivot's cells with `along` on the axis and the other dimensions as series; totals are set apart."""
    dimensions = dimensions_of(pivot)
    finer = along and along[-1] in PERIODS  # a month says its year: the year is no series beside it
    across = tuple(one for one in dimensions if one not in along and not (finer and one in PERIODS))
    cells = _cells(pivot, dimensions, tuple(along), across)
    categories = list(dict.fromkeys(cell[0] for cell in cells if not cell[4]))
    series = list(dict.fromkeys(cell[1] for cell in cells if not cell[4]))
    places = np.array([(*_where(cell, categories, series), *cell[2:4]) for cell in cells if not cell[4]], int)
    arrays = _arrays(pivot, places.reshape(-1, 4), (len(categories), len(series)))
    name_of = _namer(pivot, language, with_measure=len(pivot.figures.view.measures) > 1)
    return Grid(
        pivot=pivot,
        language=language,
        along=tuple(along),
        across=across,
        categories=categories,
        series=series,
        names=[name_of(tuple(along), key) for key in categories],
        series_names=[name_of(across, key) for key in series],
        total=_totals(pivot, cells, series),
        **arrays,
    )


_Cell = tuple[Key, Key, int, int, bool]  # category, series, row and column of the pivot, whether it is a total


def _cells(pivot: Pivot, dimensions: Key, along: Key, across: Key) -> list[_Cell]:
    """Every cell of the pivot under its category and series; totals over the series are left out."""
    at = {name: i for i, name in enumerate(dimensions)}
    cells = []
    for row, row_key in enumerate(pivot.row_keys):
        for column, column_key in enumerate(pivot.column_keys):
            key = (*row_key, *column_key)
            category, one = tuple(key[at[name]] for name in along), tuple(key[at[name]] for name in across)
            is_total = TOTAL in category
            if TOTAL in one or (is_total and any(part != TOTAL for part in category)):
                continue
            cells.append((category, one, row, column, is_total))
    return cells


def _where(cell: _Cell, categories: list[Key], series: list[Key]) -> tuple[int, int]:
    return categories.index(cell[0]), series.index(cell[1])


def _arrays(pivot: Pivot, places: np.ndarray, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """The pivot's arrays put into the grid's shape."""
    to, at = (places[:, 0], places[:, 1]), (places[:, 2], places[:, 3])
    arrays = {name: np.full(shape, np.nan) for name in _NUMBERS}
    for name, array in arrays.items():
        array[to] = np.asarray(getattr(pivot, name), dtype=float)[at]
    for name in ("status", "measure"):
        arrays[name] = np.full(shape, "", dtype=object)
        arrays[name][to] = np.asarray(getattr(pivot, name), dtype=object)[at]
    return arrays


def _totals(pivot: Pivot, cells: list[_Cell], series: list[Key]) -> np.ndarray:
    found = np.full(len(series), np.nan)
    for _, one, row, column, is_total in cells:
        if is_total and one in series:
            found[series.index(one)] = pivot.shown[row, column]
    return found


def part_names(pivot: Pivot, dimensions: Key, key: Key, language: str) -> list[str]:
    """Each part of a key in words; a view's only measure goes without saying."""
    word = _words(pivot, language, with_measure=len(pivot.figures.view.measures) > 1)
    return [word(dimension, code) for dimension, code in zip(dimensions, key)]


def _written(pivot: Pivot) -> dict[tuple[str, str], str]:
    """(dimension, code) → the word that the pivot shows for it."""
    words = {}
    for dimensions, keys, names in (
        (pivot.layout.rows, pivot.row_keys, pivot.row_names),
        (pivot.layout.columns, pivot.column_keys, pivot.column_names),
    ):
        for key, name in zip(keys, names):
            words.update({(one, code): str(word) for one, code, word in zip(dimensions, key, name)})
    return words


def _words(pivot: Pivot, language: str, *, with_measure: bool) -> Callable[[str, str], str]:
    """(dimension, code) in words, as the pivot shows them."""
    written, figures = _written(pivot), pivot.figures

    def word(dimension: str, code: str) -> str:
        if dimension == "measure":
            return measure_name(figures, code, language) if with_measure else ""
        return written.get((dimension, code)) or member_name(figures, dimension, code, language)

    return word


def _namer(pivot: Pivot, language: str, *, with_measure: bool) -> Callable[[Key, Key], str]:
    """Keys in words, their parts joined by "·"."""
    word = _words(pivot, language, with_measure=with_measure)
    return lambda dimensions, key: capital(" · ".join(part for part in map(word, dimensions, key) if part))


def capital(text: str) -> str:
    """The text with a capital first letter, as it stands in a legend or beside a bar."""
    return text[:1].upper() + text[1:]


def by_unit(grid: Grid) -> list[Grid]:
    """The grid parted so that every part has one unit: figures of different units never share an axis.

    Of shares, measures that have none (rates) are left out.
    """
    measures = grid.pivot.figures.measures
    if grid.relative:
        shown = [i for i in range(len(grid.series)) if np.isfinite(grid.shown[:, i]).any() or _withheld(grid, i)]
        part = grid.pick(None, shown)
        return [_with_measures(part, part.measures)]
    units: dict[str, list[str]] = {}
    for one in grid.measures:
        units.setdefault(measures[one].unit[grid.language], []).append(one)
    if len(units) < 2:
        return [grid]
    return [_with_measures(grid, ids) for ids in units.values()]


def _withheld(grid: Grid, column: int) -> bool:
    return bool((grid.status[:, column] == "suppressed").any())


def _with_measures(grid: Grid, ids: list[str]) -> Grid:
    """The rows and columns of some measures; a single one is not named in every row and column."""
    holds = np.isin(grid.measure, ids)
    part = grid.pick(np.flatnonzero(holds.any(axis=1)).tolist(), np.flatnonzero(holds.any(axis=0)).tolist())
    if len(ids) > 1 or "measure" in part.along:
        return part
    name = _namer(grid.pivot, grid.language, with_measure=False)
    return replace(part, series_names=[name(part.across, key) for key in part.series])
