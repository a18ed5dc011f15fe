"""The figures of local Moran and of Gi and Gi* for maps without gaps: arrays of areas × maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.spatial.maps_of_values import Numbers
from tkyt_analysis.analysis.spatial.permutations import tails_p
from tkyt_analysis.analysis.spatial.permuted_neighbours import permuted_sums
from tkyt_analysis.analysis.spatial.weights import Weights

_NAMES = {True: {True: "high_high", False: "high_low"}, False: {True: "low_high", False: "low_low"}}


def local_moran_figures(x: Numbers, weights: Weights, words: dict[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """value, lag, local_i, expectation, variance, quadrant, neighbours, reason [, p_value] (areas × maps)."""
    n, w = len(x), weights.matrix
    z = x - (x.mean(axis=0) if n else 0.0)
    m2 = (z**2).sum(axis=0) / max(n, 1)
    alike, few = m2 <= 1e-28 * np.maximum((x**2).sum(axis=0), 1e-300), n < 4
    divisor = np.where(alike, 1.0, m2 if words["scaling"] == "spdep" else m2 * n / max(n - 1, 1))
    lag_z, lag = w @ z, w @ x
    local = z / divisor * lag_z
    row, squares = (np.asarray(part.sum(axis=1)).ravel()[:, None] for part in (w, w.multiply(w)))
    with np.errstate(all="ignore"):
        if words["variance"] == "total":
            b2 = (z**4).sum(axis=0) / n / m2**2
            expectation = np.broadcast_to(-row / (n - 1), x.shape)
            variance = (
                (n - b2) / (n - 1) * squares + (2 * b2 - n) / ((n - 1) * (n - 2)) * (row**2 - squares) - expectation**2
            )
        else:
            expectation = -(z**2) * row / ((n - 1) * m2)
            variance = (z / m2) ** 2 * (n / (n - 2)) * (squares - row**2 / (n - 1)) * (m2 - z**2 / (n - 1))
        out = {"value": x, "lag": lag, "local_i": local, "expectation": expectation, "variance": variance}
        if words["variance"] == "permutation" and not few:
            drawn = permuted_sums(z, w, lag_z, words["permutations"], words["seed"], sign=np.where(z < 0, -1.0, 1.0))
            out |= {"expectation": z / divisor * drawn.mean, "variance": (z / divisor) ** 2 * drawn.variance}
            out["p_value"] = tails_p(drawn.above, drawn.below, words["permutations"], words["alternative"])
    reason = _reasons(x, weights, few, alike)
    return out | {"quadrant": _quadrants(x, z, lag, lag_z, words["quadrant"]), "reason": reason,
                  "neighbours": np.broadcast_to(weights.cardinality[:, None], x.shape).astype(float)}  # fmt: skip


def _reasons(x: Numbers, weights: Weights, few: bool, alike: Any) -> npt.NDArray[Any]:
    return np.select(
        [np.broadcast_to(few, x.shape), np.broadcast_to(alike, x.shape),
         np.broadcast_to(weights.islands[:, None], x.shape)],
        ["reason.too_few_areas", "reason.values_alike", "reason.no_neighbours"], default="",
    )  # fmt: skip


def _quadrants(x: Numbers, z: Numbers, lag: Numbers, lag_z: Numbers, rule: str) -> npt.NDArray[Any]:
    if not len(x):
        return np.empty(x.shape, dtype="U12")
    middle = np.mean if rule == "mean" else np.median
    high = z > 0 if rule == "pysal" else x > middle(x, axis=0)
    near = lag_z > 0 if rule == "pysal" else lag > middle(lag, axis=0)
    cases = [(own, around) for own in (True, False) for around in (True, False)]
    return np.select(
        [(high == own) & (near == around) for own, around in cases],
        [_NAMES[own][around] for own, around in cases], default="",
    )  # fmt: skip


def local_g_figures(x: Numbers, weights: Weights, words: dict[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """value, lag, g, expectation, variance, z, neighbours, reason [, p_value] (areas × maps)."""
    n, w, star = len(x), weights.matrix, words["star"]
    m = n if star else n - 1
    own = 0.0 if star else x
    total = x.sum(axis=0) - own
    row, squares = (np.asarray(part.sum(axis=1)).ravel()[:, None] for part in (w, w.multiply(w)))
    lag = w @ x
    few, alike = n < 4, (np.ptp(x, axis=0) == 0) if n else np.ones(x.shape[1], dtype=bool)
    with np.errstate(all="ignore"):
        mean = total / m
        spread = ((x**2).sum(axis=0) - own**2) / m - mean**2
        weight_part = row * (m - row) if words["variance"] == "binary" else m * squares - row**2
        variance = np.broadcast_to(spread * weight_part / (m - 1), x.shape)
        out = {
            "value": x,
            "lag": lag,
            "g": lag / total,
            "expectation": row * mean / total,
            "variance": variance / total**2,
        }
        out["z"] = (lag - row * mean) / np.sqrt(variance)
        if words["variance"] == "permutation" and not few:
            drawn = permuted_sums(x, w, lag, words["permutations"], words["seed"])
            out |= {"expectation": drawn.mean / total, "variance": drawn.variance / total**2}
            out["z"] = (lag - drawn.mean) / np.sqrt(drawn.variance)
            out["p_value"] = tails_p(drawn.above, drawn.below, words["permutations"], words["alternative"])
    neighbours = weights.cardinality - (weights.links.diagonal() != 0)
    alone = weights.islands if not star else np.zeros(n, dtype=bool)
    reason = np.where(
        alone[:, None] & ~np.broadcast_to(alike | few, x.shape),
        "reason.no_neighbours",
        _reasons(x, weights, few, alike),
    )
    return out | {
        "reason": reason.astype(object),
        "neighbours": np.broadcast_to(neighbours[:, None], x.shape).astype(float),
    }
