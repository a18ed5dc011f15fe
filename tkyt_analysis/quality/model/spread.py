"""How far sound values stray from what is expected, on the log scale and beyond counting noise."""

from __future__ import annotations

import numpy as np

from tkyt_analysis.quality.model.arrays import MAD_TO_SD, thinned

_PRIOR_VALUES = 10.0  # weight of all units against the unit's own values
_MEAN_OF_CAPPED = 1.1  # mean of min(z², 9) when the spread is right and tails are a little heavy


def spread_of_series(residual: np.ndarray, mean: np.ndarray, level_variance: np.ndarray) -> np.ndarray:
    """Log variance of each cell beyond counting: that of counts of this size in all units, times the unit's own factor.

    The factor rests on the other values of the series, each capped at three standard deviations, and is drawn towards 1.
    """
    present = np.isfinite(residual)
    noise = 1 / (mean + 0.5) + level_variance / 2
    pooled = _by_size(residual[present], noise[present], mean[present], mean)
    capped = np.where(present, np.minimum(residual**2 / (pooled + noise), 9.0), 0.0)
    others = present.sum(axis=1, keepdims=True) - present
    factor = (capped.sum(axis=1, keepdims=True) - capped + _PRIOR_VALUES) / (others * _MEAN_OF_CAPPED + _PRIOR_VALUES)
    return pooled * np.clip(factor, 0.25, 6.0)


def _by_size(residual: np.ndarray, noise: np.ndarray, mean: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Robust variance beyond noise in up to eight classes of expected count, interpolated between them."""
    if residual.size == 0:
        return np.full_like(wanted, 0.1)
    size, residual, noise = thinned(np.log(mean + 0.5), np.abs(residual), noise, most=60_000)
    order = np.argsort(size, kind="stable")
    centres, variances = [], []
    for part in np.array_split(order, int(np.clip(len(order) // 300, 1, 8))):
        total = (MAD_TO_SD * np.median(residual[part])) ** 2
        centres.append(np.median(size[part]))
        variances.append(max(total - np.median(noise[part]), 0.1 * total, 4e-4))
    return np.exp(np.interp(np.log(wanted + 0.5), centres, np.log(variances)))
