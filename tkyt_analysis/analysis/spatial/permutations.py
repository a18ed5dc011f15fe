"""Permutation tests: values shuffled over the areas, or over the others of one area; seeded, the same for every map."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tkyt_analysis.errors import UsageError

Numbers = npt.NDArray[np.float64]


def permuted(statistic: Callable[[Numbers], Numbers], x: Numbers, permutations: int, seed: int) -> Numbers:
    """The statistic of every map (columns) for each of `permutations` shuffles of the areas (rows): (permutations, maps)."""
    require_permutations(permutations)
    rng = np.random.default_rng(seed)
    return np.array([statistic(x[rng.permutation(len(x))]) for _ in range(permutations)])


def require_permutations(permutations: int) -> None:
    """Raises UsageError unless it is a whole number from 1."""
    if not isinstance(permutations, (int, np.integer)) or permutations < 1:
        raise UsageError("error.spatial_permutations", value=permutations)


def rank_p(observed: Numbers, drawn: Numbers, alternative: str) -> Numbers:
    """(draws at least as extreme + 1)/(draws + 1); two-sided: twice the smaller tail, at most 1."""
    slack = 1e-12 * np.maximum(np.abs(observed), 1e-300)
    return tails_p(
        (drawn >= observed - slack).sum(axis=0), (drawn <= observed + slack).sum(axis=0), len(drawn), alternative
    )


def tails_p(above: npt.NDArray[np.int64], below: npt.NDArray[np.int64], draws: int, alternative: str) -> Numbers:
    """P-values from the number of draws at least as high, and at least as low, as what was observed."""
    high, low = (above + 1) / (draws + 1), (below + 1) / (draws + 1)
    if alternative == "two_sided":
        return np.minimum(2 * np.minimum(high, low), 1.0)
    return np.asarray(high if alternative == "greater" else low)
