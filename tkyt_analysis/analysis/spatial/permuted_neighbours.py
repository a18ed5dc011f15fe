"""Conditional permutation: what each area's neighbourhood would sum to if its neighbours were drawn from all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.spatial.permutations import require_permutations

Numbers = npt.NDArray[np.float64]
_CELLS = 4_000_000  # of one block: bounds the memory


@dataclass(frozen=True, eq=False)
class Drawn:
    """Mean and variance of the drawn sums, and how many were at least as high (above) or as low (below) as observed."""

    mean: Numbers
    variance: Numbers
    above: npt.NDArray[np.int64]
    below: npt.NDArray[np.int64]


def permuted_sums(
    x: Numbers, w: Any, observed: Numbers, permutations: int, seed: int, *, sign: Numbers | None = None
) -> Drawn:
    """Drawn sums for areas (rows) on maps (columns).

    x : values; w : sparse weights; observed : w @ x; sign : where -1, high and low are exchanged (the statistic is the
        area's own value times the sum). An area's own weight (Gi*) keeps its own value. The same draws serve every area, as
        in GeoDa and esda: `permutations` rows of positions among the n − 1 others, without repetition.
    """
    require_permutations(permutations)
    n, maps = x.shape
    own = w.diagonal()
    others = w.tolil()
    others.setdiag(0)
    others = others.tocsr()
    others.eliminate_zeros()
    count = np.diff(others.indptr)
    places = _places(n, int(count.max(initial=0)), permutations, seed)
    parts = {name: np.zeros((n, maps)) for name in ("mean", "variance", "above", "below")}
    for k in np.unique(count[count > 0]):
        rows = np.flatnonzero(count == k)
        size = max(1, _CELLS // (permutations * int(k)))
        for start in range(0, len(rows), size):
            block = rows[start : start + size]
            _block(parts, x, observed, others, own, block, places[:, :k], sign)
    return Drawn(parts["mean"], parts["variance"], parts["above"].astype(int), parts["below"].astype(int))


def _places(n: int, most: int, permutations: int, seed: int) -> npt.NDArray[np.intp]:
    """(permutations, most) positions 0 … n − 2, none twice in a row."""
    rng = np.random.default_rng(seed)
    return np.array([rng.choice(n - 1, size=most, replace=False) for _ in range(permutations)]).reshape(
        permutations, most
    )


def _block(
    parts: dict[str, Numbers], x: Numbers, observed: Numbers, w: Any, own: Numbers, rows: Any, places: Any, sign: Any
) -> None:
    k = places.shape[1]
    weight = w.data[w.indptr[rows][:, None] + np.arange(k)]
    index = places[None] + (places[None] >= rows[:, None, None])  # skip the area itself
    for column in range(x.shape[1]):
        sums = (x[index, column] * weight[:, None, :]).sum(axis=2) + (own[rows] * x[rows, column])[:, None]
        seen = observed[rows, column][:, None]
        slack = 1e-12 * np.maximum(np.abs(seen), 1e-300)
        high, low = (sums >= seen - slack).sum(axis=1), (sums <= seen + slack).sum(axis=1)
        turned = np.zeros(len(rows), dtype=bool) if sign is None else sign[rows, column] < 0
        parts["mean"][rows, column] = sums.mean(axis=1)
        parts["variance"][rows, column] = sums.var(axis=1, ddof=1)
        parts["above"][rows, column] = np.where(turned, low, high)
        parts["below"][rows, column] = np.where(turned, high, low)
