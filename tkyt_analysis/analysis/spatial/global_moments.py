"""Sums of weights; the statistics, and their variances, of Moran's I, Geary's C and Getis and Ord's G when nothing is associated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.spatial.weights import Weights

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """What the variances need of the weights.

    size : number of areas; n : those that count (with neighbours, or all)
    n_in_sums : the n that stands in the polynomial terms of C and G (spdep puts `size` there, and `n` in the rest)
    s0, s1, s2 : Σw, ½Σ(w_ij + w_ji)², Σ(row + column)²
    """

    size: int
    n: int
    n_in_sums: int
    s0: float
    s1: float
    s2: float

    @property
    def n1(self) -> int:
        return self.n - 1

    @property
    def n2(self) -> int:
        return self.n - 2

    @property
    def n3(self) -> int:
        return self.n - 3


def moments_of(weights: Weights, count: str) -> Moments:
    """Sums of the weights in their style; `count` says how islands count ("spdep", "with_neighbours", "all")."""
    w = weights.matrix
    joined = weights.n - int(weights.islands.sum())
    n = weights.n if count == "all" else joined
    inside = weights.n if count in ("all", "spdep") else joined
    both = w + w.T
    ends = np.asarray(w.sum(axis=0)).ravel() + np.asarray(w.sum(axis=1)).ravel()
    s1 = 0.5 * float(both.multiply(both).sum())
    return Moments(inside, n, inside, float(w.sum()), s1, float((ends**2).sum()))


def _kurtosis(x: Numbers, scale: float) -> Numbers:
    z = x - x.mean(axis=0)
    return np.asarray(scale * (z**4).sum(axis=0) / (z**2).sum(axis=0) ** 2)


def moran_variance(x: Numbers, m: Moments, *, normality: bool = False, ranks: bool = False) -> Numbers:
    """Variance of I under randomisation or normality (Cliff & Ord 1981, p. 46)."""
    n, s02 = m.n, m.s0**2
    if normality:
        one = (n**2 * m.s1 - n * m.s2 + 3 * s02) / (s02 * (n**2 - 1))
        return np.full(x.shape[1], one - 1 / m.n1**2)
    k = np.full(x.shape[1], 3 * (3 * n**2 - 7) / (5 * (n**2 - 1))) if ranks else _kurtosis(x, len(x))
    first = n * (m.s1 * (n**2 - 3 * n + 3) - n * m.s2 + 3 * s02)
    second = k * (m.s1 * (n**2 - n) - 2 * n * m.s2 + 6 * s02)
    return np.asarray((first - second) / (m.n1 * m.n2 * m.n3 * s02) - 1 / m.n1**2)


def geary_variance(x: Numbers, m: Moments, *, normality: bool = False) -> Numbers:
    """Variance of C under randomisation or normality (Cliff & Ord 1981, p. 48)."""
    n, s02 = m.n_in_sums, m.s0**2
    if normality:
        return np.full(x.shape[1], ((2 * m.s1 + m.s2) * m.n1 - 4 * s02) / (2 * (n + 1) * s02))
    square, k = m.n**2, _kurtosis(x, m.n)
    total = m.n1 * m.s1 * (square - 3 * n + 3 - k * m.n1)
    total = total - 0.25 * m.n1 * m.s2 * (square + 3 * n - 6 - k * (square - n + 2))
    total = total + s02 * (square - 3 - k * m.n1**2)
    return np.asarray(total / (n * m.n2 * m.n3 * s02))


def getis_variance(x: Numbers, m: Moments, *, b1_correct: bool = True) -> Numbers:
    """Variance of G under randomisation (Getis & Ord 1992)."""
    n, square, s02 = m.n_in_sums, m.n**2, m.s0**2
    b0 = (square - 3 * n + 3) * m.s1 - n * m.s2 + 3 * s02
    b1 = -((square - n) * m.s1 - 2 * n * m.s2 + (6 if b1_correct else 3) * s02)
    b2 = -(2 * n * m.s1 - (n + 3) * m.s2 + 6 * s02)
    b3 = 4 * m.n1 * m.s1 - 2 * (n + 1) * m.s2 + 8 * s02
    b4 = m.s1 - m.s2 + s02
    p1, p2, p3, p4 = (np.sum(x**power, axis=0) for power in (1, 2, 3, 4))
    top = b0 * p2**2 + b1 * p4 + b2 * p1**2 * p2 + b3 * p1 * p3 + b4 * p1**4
    return np.asarray(top / ((p1**2 - p2) ** 2 * n * m.n1 * m.n2 * m.n3) - (m.s0 / (n * m.n1)) ** 2)


def moran_statistic(x: Numbers, w: Any, m: Moments, options: dict[str, Any]) -> Numbers:
    """Moran's I of each map (columns); `subtract_mean`=False leaves the mean in the numerator."""
    z = x - x.mean(axis=0)
    top = z if options.get("subtract_mean", True) else x
    return np.asarray(m.n / m.s0 * (top * (w @ top)).sum(axis=0) / (z**2).sum(axis=0))


def geary_statistic(x: Numbers, w: Any, m: Moments, options: dict[str, Any]) -> Numbers:
    """Geary's C of each map."""
    z = x - x.mean(axis=0)
    row, column = np.asarray(w.sum(axis=1)).ravel(), np.asarray(w.sum(axis=0)).ravel()
    squares = (row + column) @ z**2 - 2 * (z * (w @ z)).sum(axis=0)
    return np.asarray(m.n1 / (2 * m.s0) * squares / (z**2).sum(axis=0))


def getis_statistic(x: Numbers, w: Any, m: Moments, options: dict[str, Any]) -> Numbers:
    """Getis and Ord's G of each map."""
    return np.asarray((x * (w @ x)).sum(axis=0) / (x.sum(axis=0) ** 2 - (x**2).sum(axis=0)))
