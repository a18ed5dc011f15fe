"""Slopes of fitted joinpoint models with their limits: by Student's t, and by resampling ("empirical quantile").

Standard errors follow NCI's program (statistical notes of its help, after Lerman 1980 and Feder 1975): observations on a
joinpoint are left out, each segment has its own line, one error variance serves all, and t has n* − 2(k+1) degrees of
freedom. "conditional" takes the joinpoints for known instead (t still has n − 2(k+1) degrees of freedom). Empirical quantiles: Kim, Luo, Chen, Green, Buckman, Byrne,
Feuer, Stat Med 2017;36:3059-74 (how residuals are smoothed and scaled before they are drawn is ours, unverified against NCI's program).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tkyt_analysis.analysis.limits import z_value
from tkyt_analysis.analysis.trend.joinpoint_search import Batch, Grid, Numbers, hinges, profile_squares, search

_ZERO, _ROUNDING = 1e-12, 1e-13


@dataclass(frozen=True)
class Fit:
    """Models with k joinpoints of several series: tau (series, k), slopes (series, k+1), intercept at x = 0 of the first
    segment (series,), jumps and jump_error (series, steps), fitted (series, n), residual (series, n; whitened), sse (series,),
    covariance of the slopes (series, k+1, k+1) and degrees of freedom (series,)."""

    tau: Numbers
    slopes: Numbers
    intercept: Numbers
    jumps: Numbers
    jump_error: Numbers
    fitted: Numbers
    residual: Numbers
    sse: Numbers
    covariance: Numbers
    freedom: Numbers

    @property
    def k(self) -> int:
        """Number of joinpoints."""
        return self.tau.shape[1]

    @property
    def error(self) -> Numbers:
        """(series, k+1): standard error of each slope."""
        return np.sqrt(np.einsum("sjj->sj", self.covariance))


def fit_models(batch: Batch, tau: Numbers, *, standard_errors: str = "lerman") -> Fit:
    """Least squares with joinpoints tau (series, k), different for each series.

    standard_errors : "lerman" or "conditional"; the latter always with autocorrelation or steps
    """
    k, line = tau.shape[1], batch.line()
    hinge = np.stack([batch.whiten(one) for one in _raw_hinges(batch, tau)], axis=1) if k else line[:, :0]
    design = np.swapaxes(np.concatenate([line, hinge], axis=1), 1, 2)
    q, r = np.linalg.qr(design)
    z = batch.whiten(batch.y)
    beta = np.linalg.solve(r, np.swapaxes(q, 1, 2) @ z[..., None])[..., 0]
    residual = z - np.einsum("snc,sc->sn", design, beta)
    fixed = line.shape[1]
    turn = slope_map(fixed, k)
    sse = np.square(residual).sum(axis=1)
    slopes = beta @ turn.T
    flat = np.abs(slopes) * np.ptp(batch.x) <= _ROUNDING * np.abs(batch.y).max(axis=1, keepdims=True)
    slopes = np.where(flat, 0.0, slopes)
    raw = [np.ones_like(batch.y), np.broadcast_to(batch.x - batch.x.mean(), batch.y.shape)]
    raw += [np.broadcast_to(one, batch.y.shape) for one in (batch.steps.T if batch.steps.size else [])]
    fitted = np.einsum("csn,sc->sn", np.stack([*raw, *_raw_hinges(batch, tau)]), beta)
    freedom = np.full(len(z), float(z.shape[1] - (fixed + 2 * k)))
    inverse = np.linalg.inv(r) @ np.swapaxes(np.linalg.inv(r), 1, 2)
    variance = np.where(freedom > 0, sse / np.where(freedom > 0, freedom, 1.0), np.nan)
    jump_error = np.sqrt(variance[:, None] * np.einsum("scc->sc", inverse)[:, 2:fixed])
    covariance = variance[:, None, None] * (turn @ inverse @ turn.T)
    if standard_errors == "lerman" and not conditional_only(batch):
        covariance, freedom = _lerman(batch, tau)
    intercept = beta[:, 0] - beta[:, 1] * batch.x.mean()
    return Fit(tau, slopes, intercept, beta[:, 2:fixed], jump_error, fitted, residual, sse, covariance, freedom)


def conditional_only(batch: Batch) -> bool:
    """Autocorrelation and steps leave only the errors for known joinpoints."""
    return batch.rho is not None or bool(batch.steps.size)


def slope_map(fixed: int, k: int) -> Numbers:
    """(k+1, columns): slopes of the segments from the coefficients; each adds one more change of slope."""
    turn = np.zeros((k + 1, fixed + k))
    turn[:, 1] = 1
    turn[:, fixed:] = np.tri(k + 1, k, -1)
    return turn


def _raw_hinges(batch: Batch, tau: Numbers) -> list[Numbers]:
    return [np.clip(batch.x - tau[:, j : j + 1], 0, None) for j in range(tau.shape[1])]


def _lerman(batch: Batch, tau: Numbers) -> tuple[Numbers, Numbers]:
    """(covariance of the slopes, degrees of freedom): own lines of the segments, observations on joinpoints left out."""
    series, k = tau.shape
    edge = np.column_stack([np.full(series, -np.inf), tau, np.full(series, np.inf)])
    weight = batch.scale**2
    spread, squares, parameters, points = np.full((series, k + 1), np.nan), np.zeros(series), 0, 0
    for j in range(k + 1):
        inside = (batch.x > edge[:, j : j + 1]) & (batch.x < edge[:, j + 1 : j + 2])
        some, count = np.where(inside, weight, 0.0), inside.sum(axis=1)
        total = np.maximum(some.sum(axis=1, keepdims=True), 1e-300)
        x = batch.x - (some * batch.x).sum(axis=1, keepdims=True) / total
        y = batch.y - (some * batch.y).sum(axis=1, keepdims=True) / total
        sxx, sxy = (some * x * x).sum(axis=1), (some * x * y).sum(axis=1)
        line = count >= 2
        slope = np.where(line, sxy / np.where(line, sxx, 1.0), 0.0)
        spread[:, j] = np.where(line, 1 / np.where(line, sxx, 1.0), np.nan)
        squares += (some * np.square(y - slope[:, None] * x)).sum(axis=1)
        parameters, points = parameters + np.minimum(count, 2), points + count
    freedom = np.asarray(points - parameters, dtype=float)
    variance = np.where(freedom > 0, squares / np.where(freedom > 0, freedom, 1.0), np.nan)
    covariance = np.zeros((series, k + 1, k + 1))
    covariance[:, np.arange(k + 1), np.arange(k + 1)] = spread * variance[:, None]
    return covariance, freedom


def t_limits(value: Numbers, error: Numbers, freedom: Numbers, confidence: float) -> tuple[Numbers, Numbers, Numbers]:
    """(lower, upper, p) of values by Student's t; infinite `freedom`: the normal distribution. Missing without freedom."""
    from scipy.special import stdtr, stdtrit

    known = np.isfinite(error) & (freedom > 0)
    finite = np.where(known & np.isfinite(freedom), freedom, 1e9)
    quantile = np.where(np.isinf(freedom), z_value(confidence), stdtrit(finite, 0.5 + confidence / 2))
    half = np.where(known, quantile * error, np.nan)
    ratio = np.abs(value) / np.where(error > 0, error, 1.0)
    ratio = np.where(error > _ZERO * np.abs(value), ratio, np.where(np.abs(value) > _ZERO, np.inf, 0.0))
    return value - half, value + half, np.where(known, 2 * stdtr(finite, -ratio), np.nan)


def window_weights(tau: Numbers, first: float, last: float, start: float, end: float) -> Numbers:
    """(series, k+1): share of the window start–end that lies in each segment of the series first–last."""
    series = len(tau)
    edge = np.column_stack([np.full(series, first), tau, np.full(series, last)])
    length = np.clip(np.minimum(edge[:, 1:], end) - np.maximum(edge[:, :-1], start), 0, None)
    return length / length.sum(axis=1, keepdims=True)


def average_slopes(fit: Fit, weights: Numbers, confidence: float) -> tuple[Numbers, Numbers, Numbers, Numbers, Numbers]:
    """(slope, se, lower, upper, p) of the weighted mean of the segments' slopes; normal, or t where one segment is all."""
    value = (weights * fit.slopes).sum(axis=1)
    used = np.where(weights > 0, 1.0, 0.0)
    safe = np.where((used[:, :, None] * used[:, None, :]) > 0, fit.covariance, 0.0)
    error = np.sqrt(np.einsum("si,sij,sj->s", weights, safe, weights))
    single = used.sum(axis=1) == 1
    freedom = np.where(single | ~(fit.freedom > 0), fit.freedom, np.inf)
    return (value, error, *t_limits(value, error, freedom, confidence))


def joinpoint_limits(batch: Batch, grid: Grid, fit: Fit, confidence: float) -> tuple[Numbers, Numbers]:
    """(lower, upper) of each joinpoint (series, k): places whose best fit is not significantly worse than the best of all.

    Lerman 1980: SSE(τ) ≤ SSE·(1 + F(1, n − 2k − 2)/(n − 2k − 2)). Missing without degrees of freedom.
    """
    from scipy.special import fdtri

    freedom = len(batch.x) - 2 * fit.k - 2 - (batch.steps.shape[1] if batch.steps.size else 0)
    if freedom <= 0 or not fit.k:
        return np.full(fit.tau.shape, np.nan), np.full(fit.tau.shape, np.nan)
    squares = profile_squares(batch, grid, fit.k)
    least = squares.min(axis=(1, 2), keepdims=True)
    good = squares <= np.maximum(least, 0) * (1 + fdtri(1, freedom, confidence) / freedom) + 1e-12 * np.abs(least)
    lower = np.where(good, grid.places, np.inf).min(axis=2)
    return lower, np.where(good, grid.places, -np.inf).max(axis=2)


@dataclass(frozen=True)
class Resampled:
    """Refits to resampled series: slopes (draws, k+1), tau (draws, k)."""

    slopes: Numbers
    tau: Numbers


def resample(batch: Batch, grid: Grid, fit: Fit, *, draws: int, seed: int) -> Resampled:
    """Fit `draws` series made of the fitted values of ONE series and residuals drawn from their smoothed distribution.

    A uniform number picks a place between two neighbouring residuals, which are scaled so that what is drawn has the
    variance SSE/(n − 2k − 2); the model with the same number of joinpoints is searched again.
    """
    n = len(batch.x)
    uniform = np.random.default_rng(seed).random((draws, n))
    drawn = np.interp(uniform, np.linspace(0, 1, n), _scaled_residuals(fit.residual[0], n - 2 * fit.k - 2))
    z = batch.whiten(batch.y)[0] - fit.residual[0] + drawn
    if fit.k:
        found = search(batch, z.T[None], grid, fit.k)
        tau = grid.places[found.chosen[-1][0]]
    else:
        tau = np.empty((draws, 0))
    return Resampled(_slopes(batch, z, tau), tau)


def _scaled_residuals(residual: Numbers, freedom: int) -> Numbers:
    """Sorted residuals whose linear interpolation, as a distribution, has mean 0 and variance SSE/freedom."""
    ordered = np.sort(residual)
    low, high = ordered[:-1], ordered[1:]
    mean = (low + high).mean() / 2
    variance = (low**2 + low * high + high**2).mean() / 3 - mean**2
    wanted = np.square(residual).sum() / max(freedom, 1)
    return (ordered - mean) * np.sqrt(wanted / variance if variance > 0 else 1.0)


def _slopes(batch: Batch, z: Numbers, tau: Numbers) -> Numbers:
    """Slopes (draws, k+1) of whitened series z (draws, n), each with its own joinpoints."""
    draws, k = tau.shape
    line = batch.line()
    places, where = np.unique(tau, return_inverse=True)
    turns = hinges(batch, places)[0][where.reshape(draws, k)] if k else np.empty((draws, 0, z.shape[1]))
    design = np.concatenate([np.broadcast_to(line, (draws, *line.shape[1:])), turns], axis=1)
    q, r = np.linalg.qr(np.swapaxes(design, 1, 2))
    beta = np.linalg.solve(r, np.swapaxes(q, 1, 2) @ z[..., None])[..., 0]
    return beta @ slope_map(line.shape[1], k).T


def quantile_limits(value: Numbers, draws: Numbers, confidence: float) -> tuple[Numbers, Numbers, Numbers]:
    """(lower, upper, p) of values (m,) from draws (draws, m): quantiles, and twice the smaller share on one side of 0."""
    tail = (1 - confidence) / 2
    lower, upper = np.quantile(draws, [tail, 1 - tail], axis=0)
    side = np.minimum((draws <= 0).sum(axis=0), (draws >= 0).sum(axis=0))
    flat = np.all(np.abs(draws) <= _ZERO, axis=0)
    return lower, upper, np.where(flat, 1.0, np.minimum(1.0, 2 * (side + 1) / (len(draws) + 1)))
