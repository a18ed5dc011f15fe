"""Do two series have the same trend? Permutation tests of parallel and of coincident joinpoint models, pair by pair.

Kim, Fay, Yu, Barrett, Feuer, Biometrics 2004;60:1005-14. NCI's "Pairwise Comparison" does the same; how it sets the number of
joinpoints of the models is not known to us (unverified).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.analysis.groups import names_of
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK
from tkyt_analysis.analysis.trend.joinpoint_input import Panel, known_word, read_panel
from tkyt_analysis.analysis.trend.joinpoint_regression import joinpoint
from tkyt_analysis.analysis.trend.joinpoint_search import (
    Batch,
    Grid,
    Numbers,
    free_of,
    hinges,
    joinpoint_grid,
    most_joinpoints,
    orthonormal,
    search,
)
from tkyt_analysis.errors import UsageError

TESTS = ("parallel", "coincident")
_LEAST = 7  # years that both series must have


def compare_joinpoints(
    series: object,
    by: str | Sequence[str],
    *,
    test: str = "parallel",
    joinpoints: int | None = None,
    permutations: int = 4499,
    seed: int = 7160,
    model: str = "log_linear",
    **columns: Any,
) -> pd.DataFrame:
    """Every pair of series: can one shape of trend serve both?

    Parameters
    ----------
    series, by, model : as in `joinpoint`; further columns and weights too (rate=, se=, weights=, per= …)
    test : "parallel" (same joinpoints and changes per year, other levels) or "coincident" (the same line)
    joinpoints : of each model; None: the larger of the two numbers that the weighted BIC chooses
    permutations, seed : residuals of the common model are permuted so many times

    Returns
    -------
    One row per pair: the columns of `by` with _1 and _2, joinpoints, statistic ((SSE common − SSE apart)/SSE apart), p_value,
    permutations, method, status, reason. A small p says that the trends differ; a large one does not prove that they agree.
    Not assessable: a series that cannot be fitted, or fewer than 7 years.
    """
    test = known_word("test", test, TESTS)
    if permutations < 1:
        raise UsageError("error.joinpoint_number", option="permutations", value=permutations, expected="1, 2, 3 …")
    by = names_of(by)
    panel = _panel(series, by, model, columns)
    chosen = np.full(len(panel.keys), joinpoints)
    if joinpoints is None:
        found = joinpoint(series, by=by, model=model, **columns).series["n_joinpoints"]
        chosen = found.fillna(0).to_numpy(dtype=np.intp)
    rows = []
    for one, other in itertools.combinations(range(len(panel.keys)), 2):
        k = int(max(chosen[one], chosen[other]))
        names = {
            f"{name}_{place + 1}": panel.keys[name].iloc[at] for place, at in enumerate((one, other)) for name in by
        }
        rows.append({**names, **_pair(panel, (one, other), test, k, permutations, seed)})
    method = f"joinpoint_pairs;{model};weights={panel.weights};test={test};seed={seed}"
    front = [f"{name}_{place}" for place in (1, 2) for name in by]
    table = pd.DataFrame(rows, columns=[*front, "joinpoints", "statistic", "p_value", "permutations", "reason"])
    table.insert(len(table.columns) - 1, "method", method)
    table.insert(len(table.columns) - 1, "status", np.where(table["reason"] == "", OK, NOT_ASSESSABLE))
    return table


def _panel(series: object, by: list[str], model: str, columns: dict[str, Any]) -> Panel:
    parts = ("year", "rate", "se", "count", "population", "weight")
    return read_panel(
        series,
        by=by,
        columns={part: columns.get(part) for part in parts},
        model=known_word("model", model, ("log_linear", "linear")),
        weights=columns.get("weights", "auto"),
        zeros=columns.get("zeros", "half"),
        per=columns.get("per", 100_000),
        breaks=None,
        at_breaks="mark",
    )


def _pair(panel: Panel, pair: tuple[int, int], test: str, k: int, permutations: int, seed: int) -> dict[str, object]:
    """joinpoints, statistic, p_value, permutations, reason of two series."""
    known = [np.isfinite(panel.y[one]) for one in pair]
    reason = next((panel.reason[one] for one in pair if panel.reason[one]), "")
    if not reason and min(part.sum() for part in known) < _LEAST:
        reason = "reason.joinpoint_pair_short"
    if reason:
        return {"joinpoints": pd.NA, "statistic": np.nan, "p_value": np.nan, "permutations": 0, "reason": reason}
    parts = [
        Batch(panel.x[seen], panel.y[one, seen][None], panel.scale[one, seen][None])
        for one, seen in zip(pair, known, strict=True)
    ]
    models = _Models.of(parts, k, parallel=test == "parallel")
    statistic, p_value = models.test(permutations, np.random.default_rng(seed))
    return {
        "joinpoints": models.k,
        "statistic": statistic,
        "p_value": p_value,
        "permutations": permutations,
        "reason": "",
    }


@dataclass(frozen=True)
class _Models:
    """The common model of two series laid end to end, and the two of their own; all with k joinpoints."""

    together: Batch
    apart: list[Batch]
    grid: Grid
    grids: list[Grid]
    k: int

    @classmethod
    def of(cls, parts: list[Batch], k: int, *, parallel: bool) -> _Models:
        """The models of two batches of one series each."""
        x = np.concatenate([part.x for part in parts])
        second = np.repeat([0.0, 1.0], [len(part.x) for part in parts])
        steps = second[:, None] if parallel else np.empty((0, 0))
        y, scale = (np.concatenate([getattr(part, name) for part in parts], axis=1) for name in ("y", "scale"))
        grids = [joinpoint_grid(part.x) for part in parts]
        fits = min(k, *(most_joinpoints(grid) for grid in grids))
        return cls(Batch(x, y, scale, None, steps), parts, joinpoint_grid(np.unique(x)), grids, fits)

    def statistic(self, z: Numbers) -> Numbers:
        """(P,): how much worse the common model is, for whitened series z (observations of both, P)."""
        common = search(self.together, z[None], self.grid, self.k, track=False).squares(self.k)[0]
        cut = len(self.apart[0].x)
        own = [
            search(part, rows[None], grid, self.k, track=False).squares(self.k)[0]
            for part, rows, grid in zip(self.apart, (z[:cut], z[cut:]), self.grids, strict=True)
        ]
        return (common - own[0] - own[1]) / np.maximum(own[0] + own[1], 1e-300)

    def test(self, permutations: int, random: np.random.Generator) -> tuple[float, float]:
        """(statistic, p) from permuted residuals of the common model."""
        z = self.together.whiten(self.together.y)
        found = search(self.together, z[..., None], self.grid, self.k)
        columns = [self.together.line()]
        if self.k:
            columns.append(hinges(self.together, self.grid.places[found.chosen[-1][0, 0]]))
        basis = list(np.moveaxis(orthonormal(np.concatenate(columns, axis=1)), 1, 0))
        residual = free_of(z[:, None, :], basis)[0, 0]
        observed = float(self.statistic(z.T)[0])
        shuffled = random.permuted(np.broadcast_to(residual, (permutations, len(residual))), axis=1)
        drawn = self.statistic((z[0] - residual + shuffled).T)
        count = 1 + int((drawn >= observed * (1 - 1e-10)).sum())
        return observed, count / (permutations + 1)
