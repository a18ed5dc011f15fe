"""Log likelihood ratios of windows, the best window seen, and the best of each simulated replicate.

Kulldorff, Commun Stat Theory Methods 1997;26:1481-96. Poisson: c·ln(c/E) + (C − c)·ln((C − c)/(C − E)); Bernoulli likewise
with the people without the event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.spatial.scan_zones import Row, Zones

BLOCK = 250_000  # simulated windows in one go: what fits into the processor's cache is quickest
Score = Callable[[npt.NDArray, Numbers], Numbers]


@dataclass(frozen=True)
class Best:
    """The best window of one row: its score, how many areas, which run of periods."""

    score: float
    row: Row
    areas: int
    window: int


def score_of(model: str, *, cases: float, base: float, direction: str) -> Score:
    """Function (cases in windows, base of windows) → log likelihood ratio, 0 where the window is not on the asked side.

    base : people (Bernoulli) or expected cases on any scale (Poisson); the totals are those of the whole map
    """
    inside = _poisson(cases, base) if model == "poisson" else _bernoulli(cases, base)

    def score(counts: npt.NDArray, windows: Numbers) -> Numbers:
        value = inside(counts, windows)
        if direction == "both":
            return value
        expected = windows * (cases / base)
        expected = expected[..., None] if counts.ndim > windows.ndim else expected
        np.multiply(value, counts > expected if direction == "high" else counts < expected, out=value)
        return value

    return score


def _poisson(total: float, base: float) -> Score:
    table = _both_sides(total)

    def value(counts: npt.NDArray, windows: Numbers) -> Numbers:
        expected = windows * (total / base)
        usable = (expected > 0) & (expected < total)
        rest = np.log(np.where(usable, total - expected, 1.0))
        slope = np.where(usable, np.log(np.where(usable, expected, 1.0)) - rest, 0.0)
        if counts.ndim > windows.ndim:
            slope, rest, usable = slope[..., None], rest[..., None], usable[..., None]
        found = table(counts)
        found -= counts * slope
        found -= total * rest
        if not usable.all():
            found *= usable
        return found

    return value


def _both_sides(total: float) -> Callable[[npt.NDArray], Numbers]:
    """c·ln c + (C − c)·ln(C − c): looked up for whole cases, computed for fractions."""
    from scipy.special import xlogy

    known: Numbers | None = None

    def value(counts: npt.NDArray) -> Numbers:
        nonlocal known
        if counts.dtype.kind == "f":
            left = np.maximum(total - counts, 0)
            return np.asarray(xlogy(counts, counts) + xlogy(left, left))
        if known is None:
            whole = np.arange(int(total) + 1, dtype=float)
            known = xlogy(whole, whole)
            known = known + known[::-1]
        return known[counts]

    return value


def _bernoulli(total: float, base: float) -> Score:
    from scipy.special import xlogy

    table = _both_sides(total)
    overall = xlogy(total, total / base) + (base - total) * np.log1p(-total / base)

    def value(counts: npt.NDArray, windows: Numbers) -> Numbers:
        usable = (windows > 0) & (windows < base)
        people, others = np.where(usable, windows, 1.0), np.where(usable, base - windows, 1.0)
        if counts.ndim > windows.ndim:
            people, others, usable = people[..., None], others[..., None], usable[..., None]
        found = table(counts) - counts * np.log(people) - (total - counts) * np.log(others) - overall
        found += _without(counts, people)
        found += _without(total - counts, others)
        if not usable.all():
            found *= usable
        return np.maximum(found, 0.0)

    return value


def _without(counts: npt.NDArray, people: Numbers) -> Numbers:
    """(n − c)·ln(1 − c/n); 0 where everybody has the event."""
    left = np.maximum(1 - counts / people, 0)
    return people * left * np.log(np.where(left > 0, left, 1.0))


def best_windows(
    zones: Zones, counts: Numbers, base: Numbers, score: Score, *, taken: npt.NDArray[np.bool_] | None = None
) -> Iterator[Best]:
    """The best window of every row (areas × runs of periods in, scores above 0 out).

    taken : areas that no window may hold; a row ends before the first of them
    """
    for row in zones.rows():
        order = row.order
        if taken is not None and taken[order].any():
            order = order[: int(np.argmax(taken[order]))]
        if not len(order):
            continue
        found = score(np.cumsum(counts[order], axis=0), np.cumsum(base[order], axis=0)) * row.weight
        place = int(np.argmax(found))
        areas, window = divmod(place, found.shape[1])
        if found[areas, window] > 0:
            yield Best(float(found[areas, window]), row, areas + 1, window)


def best_of_replicates(zones: Zones, draws: npt.NDArray, base: Numbers, score: Score) -> Numbers:
    """Highest score of each replicate; draws: areas × runs of periods × replicates, whole numbers."""
    highest = np.zeros(draws.shape[2])
    for row in zones.rows():
        windows = np.cumsum(base[row.order], axis=0)
        at_once = max(1, BLOCK // max(1, windows.size))
        for first in range(0, draws.shape[2], at_once):
            part = slice(first, first + at_once)
            counts = draws[row.order, :, part]
            np.cumsum(counts, axis=0, out=counts)
            found = score(counts, windows).max(axis=(0, 1)) * row.weight
            np.maximum(highest[part], found, out=highest[part])
    return highest
