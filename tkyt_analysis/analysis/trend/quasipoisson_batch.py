"""Quasi-Poisson regression (log link) of many series on one design, by iteratively reweighted least squares.

All series share the rows of the design (the same weeks), so that one matrix product gives the normal equations of every
series. Start, stopping rule and the weights that standard errors rest on are those of R's `glm.fit` (start y + 0.1, stop
when the deviance changes by less than 1e-8 of itself, at most 25 steps), so that series with empty seasons end where R ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.limits import Numbers

STEPS = 25
EPSILON = 1e-8
_LEAST_MEAN = 1e-300
_SINGULAR = 1e-11


@dataclass(frozen=True)
class QuasiPoisson:
    """Fits of S series on a design of n rows and p columns.

    coefficients : (S, p); a column without weight in a series has 0
    mean : (S, n) fitted counts
    covariance : (S, p, p) inverse of X'WX, not yet multiplied by a dispersion
    weights : (S, n) working weights of the last step
    converged : (S,)
    residual_df : (S,) rows with weight minus columns used
    """

    coefficients: Numbers
    mean: Numbers
    covariance: Numbers
    weights: Numbers
    converged: npt.NDArray[np.bool_]
    residual_df: Numbers

    def dispersion(self, counts: Numbers, weights: Numbers | None = None) -> Numbers:
        """(S,) Pearson chi-square over the residual degrees of freedom, not limited to 1; NaN without any.

        weights : in place of the working weights (see `farrington_detection`)
        """
        used = self.weights if weights is None else weights
        residual = np.where(used > 0, (counts - self.mean) / self.mean, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.residual_df > 0, (used * residual**2).sum(axis=1) / self.residual_df, np.nan)

    def leverage(self, design: Numbers) -> Numbers:
        """(S, n) diagonal of the hat matrix of a shared design."""
        products = _products(design)
        return self.weights * (self.covariance.reshape(len(self.mean), -1) @ products.T)

    def predict(self, row: Numbers) -> tuple[Numbers, Numbers]:
        """Linear predictor (without offset) and its variance (before dispersion): row (p,) or (m, p) → (S,) or (S, m)."""
        value = self.coefficients @ np.asarray(row).T
        variance = np.einsum("...i,sij,...j->s...", row, self.covariance, row, optimize=True)
        return value, variance


def fit_quasipoisson(
    design: Numbers,
    counts: Numbers,
    *,
    weights: Numbers | None = None,
    offset: Numbers | None = None,
    steps: int = STEPS,
) -> QuasiPoisson:
    """Fit log E(counts) = offset + design·b for every row of `counts`.

    design : (n, p), or (S, n, p) where every series has its own; a factor stands as one column per level, without
        intercept
    counts : (S, n), >= 0; where `weights` is 0 the value does not matter
    weights : (S, n) prior weights, default 1; 0 leaves a row out
    offset : (S, n)
    steps : at most so many; a season without any event needs one step per factor e by which its mean falls
    """
    design = np.asarray(design, dtype=float)
    prior = np.ones_like(counts) if weights is None else weights
    y = np.where(prior > 0, counts, 0.0)
    base = np.zeros_like(y) if offset is None else offset
    state = _State(design, y, prior, base)
    for _ in range(steps):
        if not len(state.active):
            break
        state.step()
    return state.result()


class _State:
    """What changes from step to step; series that have settled are left alone."""

    def __init__(self, design: Numbers, y: Numbers, prior: Numbers, base: Numbers) -> None:
        self.design, self.y, self.prior, self.base = design, y, prior, base
        count, columns = len(y), design.shape[-1]
        self.active = np.arange(count)
        self.eta = np.log(y + 0.1)
        self.mean = y + 0.1
        # of the deviance 2·Σ w(y·log y − y − y·eta + mean): what does not change
        self.fixed = (prior * (y * np.log(np.where(y > 0, y, 1.0)) - y)).sum(axis=1)
        self.deviance = 2 * (self.fixed + (prior * (self.mean - y * self.eta)).sum(axis=1))
        self.coefficients = np.zeros((count, columns))
        self.working = np.zeros_like(y)
        self.converged = np.zeros(count, dtype=bool)
        self.shared = design.ndim == 2
        self.products = _products(design) if self.shared else design
        self.kept, self.back = _distinct_columns(self.products if self.shared else np.zeros((1, 1)))

    def step(self) -> None:
        """One step of reweighted least squares for the series that still move."""
        at = self.active
        y, mean, prior, base = self.y[at], self.mean[at], self.prior[at], self.base[at]
        working = prior * mean
        target = self.eta[at] - base + (y - mean) / mean
        own = self.design if self.shared else self.design[at]
        moment = working * target
        right = moment @ own if self.shared else np.einsum("sn,snp->sp", moment, own)
        solution = solve_normal(self._normal(working, own), right)
        eta = base + (solution @ own.T if self.shared else np.einsum("sp,snp->sn", solution, own))
        new_mean = np.maximum(np.exp(np.minimum(eta, 700.0)), _LEAST_MEAN)
        deviance = 2 * (self.fixed[at] + (prior * (new_mean - y * eta)).sum(axis=1))
        settled = np.abs(deviance - self.deviance[at]) / (np.abs(deviance) + 0.1) < EPSILON
        self.coefficients[at], self.eta[at], self.mean[at] = solution, eta, new_mean
        self.working[at], self.deviance[at], self.converged[at] = working, deviance, settled
        self.active = at[~settled & np.isfinite(deviance)]

    def _normal(self, working: Numbers, own: Numbers) -> Numbers:
        """X'WX of every series; of a shared design by one matrix product over the distinct products of columns."""
        if not self.shared:
            return np.einsum("snp,sn,snq->spq", own, working, own, optimize=True)
        size = self.design.shape[1]
        return (working @ self.products[:, self.kept])[:, self.back].reshape(-1, size, size)

    def result(self) -> QuasiPoisson:
        matrix = self._normal(self.working, self.design)
        covariance, singular = _inverse(matrix)
        used = (np.diagonal(matrix, axis1=1, axis2=2) > 0).sum(axis=1)
        return QuasiPoisson(
            coefficients=self.coefficients,
            mean=self.mean,
            covariance=covariance,
            weights=self.working,
            converged=self.converged & ~singular,
            residual_df=((self.prior > 0).sum(axis=1) - used).astype(float),
        )


def _products(design: Numbers) -> Numbers:
    """(n, p²): every column times every other."""
    return (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)


def _distinct_columns(products: Numbers) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Which columns to multiply, and where each of all columns then stands (columns of factors repeat or are 0)."""
    _, first, back = np.unique(products, axis=1, return_index=True, return_inverse=True)
    return first, np.asarray(back).ravel()


def _scaled(matrix: Numbers) -> tuple[Numbers, Numbers]:
    """Matrices with unit diagonal, and what they were divided by; a column without weight becomes that of the identity."""
    diagonal = np.diagonal(matrix, axis1=1, axis2=2)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = matrix / scale[:, :, None] / scale[:, None, :]
    absent = ~(diagonal > 0)
    if absent.any():
        row, column = np.nonzero(absent)
        scaled[row, column, column] = 1.0
    return scaled, scale


def solve_normal(matrix: Numbers, right: Numbers) -> Numbers:
    """Solutions (S, p) of the normal equations; a column without weight gets 0."""
    scaled, scale = _scaled(matrix)
    try:
        return np.linalg.solve(scaled, (right / scale)[:, :, None])[:, :, 0] / scale
    except np.linalg.LinAlgError:  # a column that is the sum of others in some series: smallest solution
        return (np.linalg.pinv(scaled, hermitian=True) @ (right / scale)[:, :, None])[:, :, 0] / scale


def _inverse(matrix: Numbers) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """Inverses, and True for a series whose columns cannot be told apart."""
    scaled, scale = _scaled(matrix)
    smallest = np.linalg.eigvalsh(scaled)[:, 0]
    singular = ~(smallest > _SINGULAR)
    scaled[singular] = np.eye(scaled.shape[1])
    inverse = np.linalg.inv(scaled) / scale[:, :, None] / scale[:, None, :]
    return inverse, singular
