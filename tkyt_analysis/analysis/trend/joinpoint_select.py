"""How many joinpoints: information criteria and the permutation test, as NCI's program.

Criteria are ln(SSE/n) + penalty·ln(n)/n with penalty 2k+2 (BIC), 3k+2 (BIC3) or (2+R²)k+2 (weighted BIC), where R² is the
largest partial R² of a joinpoint within its two segments, so that small changes are judged by BIC and large ones by BIC3.
Kim, Fay, Feuer, Midthune, Stat Med 2000;19:335-51 (permutation test); Kim & Kim, J Korean Stat Soc 2016;45:1-13 (BIC3);
Kim et al., J Appl Stat 2022;50:1992-2013 (weighted BIC).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tkyt_analysis.analysis.trend.joinpoint_search import (
    Batch,
    Grid,
    Numbers,
    Places,
    free_of,
    hinges,
    orthonormal,
    search,
)

CRITERIA = ("wbic", "bic3", "bic")
SELECTORS = (*CRITERIA, "permutation")
_EXACT, _ROUNDING = 1e-24, 1e-13  # shares of the sums of squares of y, and of the straight line


@dataclass(frozen=True)
class PermutationPlan:
    """permutations of each test; seed; alpha over all tests; batch: permutations between two looks, 0: no early stop."""

    permutations: int = 4499
    seed: int = 7160
    alpha: float = 0.05
    batch: int = 0


def default_most(n: int) -> int:
    """NCI's "Determined by # points": 0 up to 6 points, then one more for every 5 points, at most 5 (from 27 points)."""
    return int(np.clip((n - 2) // 5, 0, 5))


def criteria(squares: Numbers, weight: Numbers, whole: Numbers, n: int) -> dict[str, Numbers]:
    """{criterion: (series, models)} from sums of squares, R² of `largest_partial`, and the sum of squares of y itself."""
    k = np.arange(squares.shape[1])
    fit = np.log(np.maximum(squares, exact_below(squares[:, 0], whole)[:, None]) / n)
    share = np.log(n) / n
    return {
        "bic": fit + (2 * k + 2) * share,
        "bic3": fit + (3 * k + 2) * share,
        "wbic": fit + ((2 + weight) * k + 2) * share,
    }


def exact_below(straight: Numbers, whole: Numbers) -> Numbers:
    """Sums of squares below this are rounding: the fit is exact. From those of the straight line and of y itself."""
    return np.maximum(np.maximum(_ROUNDING * straight, _EXACT * whole), 1e-300)


def largest_partial(batch: Batch, grid: Grid, chosen: Sequence[Places]) -> Numbers:
    """(series, models): the largest partial R² of the joinpoints of each model; 0 without joinpoints.

    R² of (x − τ)+ given the line, among the observations of the two segments that meet in τ, both ends included.
    """
    found = np.zeros((len(batch.y), len(chosen) + 1))
    for k, places in enumerate(chosen, start=1):
        tau = grid.places[places]
        ends = np.column_stack([np.full(len(tau), batch.x[0]), tau, np.full(len(tau), batch.x[-1])])
        partial = [_partial(batch, ends[:, j], tau[:, j], ends[:, j + 2]) for j in range(k)]
        found[:, k] = np.max(partial, axis=0)
    return found


def _partial(batch: Batch, low: Numbers, tau: Numbers, high: Numbers) -> Numbers:
    """Partial R² of one joinpoint of each series within its window."""
    inside = (batch.x >= low[:, None]) & (batch.x <= high[:, None])
    basis = list(np.moveaxis(orthonormal(batch.line() * inside[:, None, :]), 1, 0))
    hinge = batch.whiten(np.clip(batch.x - tau[:, None], 0, None)) * inside
    both = np.stack([hinge, batch.whiten(batch.y) * inside], axis=1)
    free = free_of(both, basis)
    sizes = np.einsum("smn,smn->sm", free, free)
    useful = sizes[:, 1] > _EXACT * np.einsum("sn,sn->s", both[:, 1], both[:, 1])
    product = np.einsum("sn,sn->s", free[:, 0], free[:, 1])
    return np.where(useful, product**2 / np.where(useful, sizes.prod(axis=1), 1.0), 0.0)


def permutation_tests(
    batch: Batch, grid: Grid, squares: Numbers, chosen: Sequence[Places], plan: PermutationPlan, least: int = 0
) -> pd.DataFrame:
    """The tests of each series in their order; the last column of a series' last row is its number of joinpoints.

    One row per test: series, null, alternative, statistic (SSE of the null over SSE of the alternative), p_value, level,
    permutations, rejected, joinpoints (what is left if this is the last test). The null is raised by one when rejected, else
    the alternative lowered by one; each test has the level alpha / (most − null).
    """
    rows = []
    for series in range(len(batch.y)):
        random = np.random.default_rng(plan.seed)
        one = _Permuted(batch.part(slice(series, series + 1)), grid, plan, random)
        null, other = least, squares.shape[1] - 1
        most = other
        while null < other:
            level = plan.alpha / (most - null)
            places = grid.places[chosen[null - 1][series]] if null else np.empty(0)
            statistic, p_value, drawn = one.test(null, other, squares[series], places, level)
            rejected = p_value < level
            row = [series, null, other, statistic, p_value, level, drawn, rejected]
            null, other = (null + 1, other) if rejected else (null, other - 1)
            rows.append([*row, null])
    names = ["series", "null", "alternative", "statistic", "p_value", "level", "permutations", "rejected", "joinpoints"]
    return pd.DataFrame(rows, columns=names)


class _Permuted:
    """Permutation tests of one series."""

    def __init__(self, batch: Batch, grid: Grid, plan: PermutationPlan, random: np.random.Generator) -> None:
        self.batch, self.grid, self.plan, self.random = batch, grid, plan, random

    def test(self, null: int, other: int, squares: Numbers, places: Numbers, level: float) -> tuple[float, float, int]:
        """(statistic, p, permutations drawn): how often permuted residuals of the null fit give as large a ratio."""
        whole = np.square(self.batch.whiten(self.batch.y)).sum(axis=1)
        floor = float(exact_below(squares[:1], whole)[0])
        if squares[null] <= floor:
            return 1.0, 1.0, 0
        observed = squares[null] / max(squares[other], floor)
        fitted, residual = self.null_fit(places)
        count, drawn = 1, 0
        while drawn < self.plan.permutations:
            size = min(self.plan.batch or self.plan.permutations, self.plan.permutations - drawn)
            ratio = self.ratios(fitted, residual, size, null, other)
            count, drawn = count + int((ratio >= observed * (1 - 1e-10)).sum()), drawn + size
            if self.plan.batch and self.decided(count, drawn, level):
                break
        return observed, count / (drawn + 1), drawn

    def decided(self, count: int, drawn: int, level: float) -> bool:
        """Whether the permutations still to come cannot change the decision (curtailed sampling)."""
        whole = self.plan.permutations
        return count / (whole + 1) >= level or (count + whole - drawn) / (whole + 1) < level

    def null_fit(self, places: Numbers) -> tuple[Numbers, Numbers]:
        """Fitted values and residuals (n,) of the model with these joinpoints, whitened."""
        columns = [self.batch.line(), *([hinges(self.batch, places)] if len(places) else [])]
        basis = list(np.moveaxis(orthonormal(np.concatenate(columns, axis=1)), 1, 0))
        z = self.batch.whiten(self.batch.y)
        residual = free_of(z[:, None, :], basis)[0, 0]
        return z[0] - residual, residual

    def ratios(self, fitted: Numbers, residual: Numbers, size: int, null: int, other: int) -> Numbers:
        """SSE ratio of `size` permuted series."""
        shuffled = self.random.permuted(np.broadcast_to(residual, (size, len(residual))), axis=1)
        found = search(self.batch, (fitted + shuffled).T[None], self.grid, other, track=False)
        return found.squares(null)[0] / np.maximum(found.squares(other)[0], 1e-300)
