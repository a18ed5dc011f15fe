"""What stands around a value: the month before, the year so far, empty neighbours, habitual zeros."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

_RARE_ZERO = 1e-4
_CHANCE_ZEROS = 0.04  # share of zeros among the other values that may be errors themselves


@dataclass(frozen=True)
class Situation:
    """Arrays of one shape; `at(…)` picks cells.

    value : as reported; previous : value of the period before, NaN where none; year_so_far : sum of the values of the year
    before this period, NaN in the first; gap : log odds that an empty period beside it lends to "two periods in one": high where
    empty periods are rare, none where they are common; zero_rate : chance of a sound zero that the expected count does not explain (series where zeros are a habit)
    """

    value: np.ndarray
    previous: np.ndarray
    year_so_far: np.ndarray
    gap: np.ndarray
    zero_rate: np.ndarray

    def at(self, cells: np.ndarray) -> Situation:
        """The situation of some cells (a mask or positions)."""
        return Situation(*(getattr(self, one.name)[cells] for one in fields(self)))


def situation_of(counts: np.ndarray, year: np.ndarray | None = None) -> Situation:
    """The situation of every cell of a units × periods matrix; `year` of each period, None where years do not matter."""
    present = np.isfinite(counts)
    return Situation(
        counts,
        _shifted(counts, 1),
        np.full(counts.shape, np.nan) if year is None else _year_so_far(counts, year),
        _gap_odds(present),
        _zero_rate(counts, present),
    )


def _shifted(values: np.ndarray, steps: int) -> np.ndarray:
    moved = np.full(values.shape, np.nan)
    if steps > 0:
        moved[:, steps:] = values[:, :-steps]
    else:
        moved[:, :steps] = values[:, -steps:]
    return moved


def _year_so_far(counts: np.ndarray, year: np.ndarray) -> np.ndarray:
    filled = np.where(np.isfinite(counts), counts, 0.0)
    total = np.full(counts.shape, np.nan)
    for one in np.unique(year):
        columns = np.flatnonzero(year == one)
        running = np.cumsum(filled[:, columns], axis=1)
        total[:, columns[1:]] = running[:, :-1]
    return total


def _gap_odds(present: np.ndarray) -> np.ndarray:
    beside = _beside_gap(present)
    share = float(np.clip(beside[present].mean(), 0.02, 0.98)) if present.any() else 0.5
    return np.asarray(np.where(beside, float(np.log(0.9 / share)), float(np.log(0.1 / (1 - share)))))


def _beside_gap(present: np.ndarray) -> np.ndarray:
    """Cells before or after an empty period of a unit that reports both earlier and later."""
    begun = np.cumsum(present, axis=1) > 0
    going_on = np.cumsum(present[:, ::-1], axis=1)[:, ::-1] > 0
    empty = begun & going_on & ~present
    beside = np.zeros_like(empty)
    beside[:, 1:] |= empty[:, :-1]
    beside[:, :-1] |= empty[:, 1:]
    return beside


def _zero_rate(counts: np.ndarray, present: np.ndarray) -> np.ndarray:
    zero = counts == 0
    others = present.sum(axis=1, keepdims=True) - present
    zeros = zero.sum(axis=1, keepdims=True) - zero
    return np.maximum(zeros - 1 - _CHANCE_ZEROS * others, 0) / (others + 4) + _RARE_ZERO
