"""Small array tools of the count model: neighbours, kernels, robust spreads. Rows are series, columns periods."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

MAD_TO_SD = 1.4826
_ROWS_AT_ONCE = 2_048


@contextmanager
def quiet() -> Iterator[None]:
    """Rows without any value are expected: no warning about them."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def neighbour_positions(periods: int, window: int) -> np.ndarray:
    """For each period the positions of its `window` nearest others: shape (periods, window)."""
    width = min(window, periods - 1)
    start = np.clip(np.arange(periods) - width // 2, 0, max(periods - 1 - width, 0))
    inside = start[:, None] + np.arange(width + 1)
    return np.stack([row[row != at][:width] for at, row in enumerate(inside)])


def median_of_neighbours(values: np.ndarray, window: int) -> np.ndarray:
    """Median of the nearest other values of the same row; NaN where there is none."""
    if values.shape[1] < 2:
        return np.full_like(values, np.nan)
    positions = neighbour_positions(values.shape[1], window)
    middle = np.empty_like(values)
    for start in range(0, len(values), _ROWS_AT_ONCE):
        near = values[start : start + _ROWS_AT_ONCE][:, positions]
        near.sort(axis=2)
        n = np.isfinite(near).sum(axis=2)
        low, high = np.maximum((n - 1) // 2, 0), np.minimum(np.maximum(n // 2, 0), near.shape[2] - 1)
        both = [np.take_along_axis(near, k[:, :, None], axis=2)[:, :, 0] for k in (low, high)]
        middle[start : start + _ROWS_AT_ONCE] = np.where(n > 0, (both[0] + both[1]) / 2, np.nan)
    return middle


def time_kernel(periods: int, scale: float, floor: float = 0.0) -> np.ndarray:
    """Weights exp(-|distance| / scale) + floor between periods, largest 1; 0 for a period and itself."""
    distance = np.abs(np.arange(periods)[:, None] - np.arange(periods)[None, :])
    weights = np.exp(-distance / scale) + floor
    np.fill_diagonal(weights, 0)
    return weights / max(weights.max(), 1e-9)


def robust_variance(residual: np.ndarray) -> float:
    """Variance from the median absolute value; NaN where there is nothing."""
    return float((MAD_TO_SD * np.nanmedian(np.abs(residual))) ** 2) if residual.size else float("nan")


def thinned(*columns: np.ndarray, most: int) -> list[np.ndarray]:
    """Every k-th row of equally long columns, so that at most about `most` are left."""
    step = len(columns[0]) // most + 1
    return [column[::step] for column in columns]
