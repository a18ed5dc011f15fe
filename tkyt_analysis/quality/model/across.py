"""What the other indicators of a unit say about a value: Gaussian prediction that leaves the value itself out.

Used twice: for the level of a short series (a unit that is large elsewhere is large here), and for one unit-month (a
month in which all its indicators are down is a true change). With covariance C of the signal between indicators and
own noise D, the prediction of value i from all others is x_i − [(C + D)⁻¹ x]_i / [(C + D)⁻¹]_ii, one inverse for all i
(Rasmussen & Williams, Gaussian Processes for Machine Learning, eq. 5.12).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_ELEMENTS_AT_ONCE = 4_000_000
_MOST_ROWS_FOR_COVARIANCE = 20_000


def signal_covariance(x: np.ndarray, noise: np.ndarray, *, pull: float) -> np.ndarray:
    """Covariance between columns of what is not noise, from pairs where both are present.

    x, noise : shape (rows, columns), NaN where missing; correlations are drawn towards their mean with the weight of
    `pull` rows. The result is positive definite.
    """
    step = len(x) // _MOST_ROWS_FOR_COVARIANCE + 1
    x, noise = x[::step], noise[::step]
    present = np.isfinite(x)
    filled, both = np.where(present, x, 0.0), present.astype(float).T @ present.astype(float)
    product = filled.T @ filled / np.maximum(both, 1)
    total = np.diag(product)
    own_noise = np.array(
        [np.median(noise[present[:, k], k]) if present[:, k].any() else 0.0 for k in range(x.shape[1])]
    )
    signal = np.maximum(np.maximum(total - own_noise, 0.15 * total), 1e-4)
    scale = np.sqrt(np.where(total > 0, total, 1.0))
    correlation = product / np.outer(scale, scale)
    apart = ~np.eye(len(signal), dtype=bool)
    pairs = np.where(apart, both, 0.0)
    middle = float(np.clip((correlation * pairs).sum() / max(pairs.sum(), 1.0), 0.0, 0.95))
    drawn = (correlation * both + middle * pull) / (both + pull) * np.outer(scale, scale)
    root = np.sqrt(np.outer(signal, signal))
    return _positive(np.where(apart, np.clip(drawn / root, -0.995, 0.995), 1.0)) * root


def _positive(correlation: np.ndarray) -> np.ndarray:
    """The nearest correlation matrix with no eigenvalue below 0.001."""
    values, vectors = np.linalg.eigh(correlation)
    mended = (vectors * np.maximum(values, 1e-3)) @ vectors.T
    scale = np.sqrt(np.diag(mended))
    return mended / np.outer(scale, scale)


def predicted_by_others(x: np.ndarray, noise: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(prediction of each present cell from the other cells of its row, variance of cell minus prediction).

    x, noise : shape (rows, columns), NaN where missing. Missing cells get NaN.
    """
    prediction, variance = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    for rows, columns in _same_pattern(np.isfinite(x)):
        at = np.ix_(rows, columns)
        matrix = np.repeat(covariance[np.ix_(columns, columns)][None], len(rows), axis=0)
        diagonal = np.arange(len(columns))
        matrix[:, diagonal, diagonal] += noise[at]
        inverse = np.linalg.inv(matrix)
        own = inverse[:, diagonal, diagonal]
        prediction[at] = x[at] - np.einsum("nij,nj->ni", inverse, x[at]) / own
        variance[at] = 1 / own
    return prediction, variance


def _same_pattern(present: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(rows, columns) of the rows with the same present columns, in pieces that fit in memory."""
    packed = np.packbits(present, axis=1)
    _, pattern = np.unique(packed, axis=0, return_inverse=True)
    pattern = np.asarray(pattern).ravel()
    order = np.argsort(pattern, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(pattern[order])) + 1):
        columns = np.flatnonzero(present[rows[0]]) if len(rows) else np.array([], dtype=int)
        if len(columns):
            step = max(1, _ELEMENTS_AT_ONCE // len(columns) ** 2)
            for start in range(0, len(rows), step):
                yield rows[start : start + step], columns
