"""Models of how lists overlap, fitted to counts of capture histories: Chapman and Petersen for two lists, log-linear for three.

Counts are (areas, 2^lists), see `capture_recapture`; every fit is {"estimate", "variance", "aic"} over the areas.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tkyt_analysis.errors import InputError

Numbers = npt.NDArray[np.float64]
PAIRS = ((0, 1), (0, 2), (1, 2))
# The eight hierarchical models of three lists, by the pairs of lists that they let depend on each other.
MODELS: dict[str, tuple[tuple[int, int], ...]] = {
    "1,2,3": (),
    "12,3": ((0, 1),),
    "13,2": ((0, 2),),
    "23,1": ((1, 2),),
    "12,13": ((0, 1), (0, 2)),
    "12,23": ((0, 1), (1, 2)),
    "13,23": ((0, 2), (1, 2)),
    "12,13,23": PAIRS,
}


def list_totals(histories: Numbers) -> Numbers:
    """(…, lists): how many deaths each list holds."""
    places = np.arange(histories.shape[-1])
    lists = int(np.log2(histories.shape[-1]))
    return np.stack([histories[..., (places >> one) & 1 == 1].sum(axis=-1) for one in range(lists)], axis=-1)


def in_common(histories: Numbers) -> Numbers:
    """(…): deaths on two lists or more."""
    places = np.array([place.bit_count() for place in range(histories.shape[-1])])
    return histories[..., places >= 2].sum(axis=-1)


def _chapman(flat: Numbers) -> dict[str, Numbers]:
    first, second = list_totals(flat).T
    both = flat[:, 3]
    total = (first + 1) * (second + 1) / (both + 1) - 1
    variance = (first + 1) * (second + 1) * (first - both) * (second - both) / ((both + 1) ** 2 * (both + 2))
    return {"estimate": total, "variance": variance, "aic": np.zeros(len(flat))}


def _petersen(flat: Numbers) -> dict[str, Numbers]:
    """Chandra Sekar & Deming, J Am Stat Assoc 44 (1949): 101–115; nothing in common: no estimate."""
    first, second = list_totals(flat).T
    both = np.where(flat[:, 3] > 0, flat[:, 3], np.nan)
    variance = first * second * (first - both) * (second - both) / both**3
    return {"estimate": first * second / both, "variance": variance, "aic": np.zeros(len(flat))}


TWO_LISTS = {"chapman": _chapman, "petersen": _petersen}


def _design(pairs: tuple[tuple[int, int], ...]) -> Numbers:
    """Rows: the seven seen histories; columns: 1, each list, each pair that may depend."""
    on = np.array([[(place >> one) & 1 for one in range(3)] for place in range(1, 8)], dtype=float)
    return np.column_stack([np.ones(7), on, *[on[:, a] * on[:, b] for a, b in pairs]])


def log_linear(flat: Numbers, models: Sequence[str], correction: float) -> dict[str, dict[str, Numbers]]:
    unknown = [name for name in models if name not in MODELS]
    if unknown or not models:
        raise InputError("error.capture_model", found=", ".join(unknown), expected=", ".join(MODELS))
    cells = flat[:, 1:] + correction
    return {name: _fit(cells, flat[:, 1:].sum(axis=1), _design(MODELS[name])) for name in models}


def _fit(cells: Numbers, observed: Numbers, design: Numbers) -> dict[str, Numbers]:
    """Poisson regression of every area at once by Newton's method; NaN where no finite maximum exists."""
    beta = np.zeros((len(cells), design.shape[1]))
    beta[:, 0] = np.log(np.maximum(cells.mean(axis=1), 1e-3))
    done = np.zeros(len(cells), dtype=bool)
    for _ in range(60):
        mean = np.exp(np.clip(beta @ design.T, -30, 30))
        score = (cells - mean) @ design
        step = _solve(np.einsum("ni,ij,ik->njk", mean, design, design), score)
        beta = beta + np.clip(step, -2, 2)
        done = np.abs(step).max(axis=1) < 1e-9
        if done.all():
            break
    mean = np.exp(np.clip(beta @ design.T, -30, 30))
    variance = _unit_variance(np.einsum("ni,ij,ik->njk", mean, design, design))
    unseen = np.exp(np.clip(beta[:, 0], -30, 30))
    proper = done & (np.abs(beta) < 15).all(axis=1) & np.isfinite(variance)
    aic = 2 * (mean - cells * np.log(mean)).sum(axis=1) + 2 * design.shape[1]
    return {
        "estimate": np.where(proper, observed + unseen, np.nan),
        "variance": np.where(proper, unseen + unseen**2 * variance, np.nan),
        "aic": np.where(proper, aic, np.inf),
    }


def _solve(matrices: Numbers, right: Numbers) -> Numbers:
    """Each system solved, by a nudge where its matrix is singular."""
    nudge = 1e-10 * np.eye(matrices.shape[1])
    return np.asarray(np.linalg.solve(matrices + nudge, right[..., None])[..., 0], dtype=float)


def _unit_variance(information: Numbers) -> Numbers:
    """Variance of the first coefficient, NaN where the information matrix is singular."""
    unit = np.zeros((len(information), information.shape[1]))
    unit[:, 0] = 1
    good = np.abs(np.linalg.det(information)) > 1e-9
    safe = np.where(good[:, None, None], information, np.eye(information.shape[1]))
    return np.where(good, np.linalg.solve(safe, unit[..., None])[:, 0, 0], np.nan)
