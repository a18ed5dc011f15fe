"""How the curve of an event is fitted: its columns, independent errors, errors correlated over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.trend.autoregression import AutoRegression, autocorrelation
from tkyt_analysis.analysis.trend.excess_dates import as_days
from tkyt_analysis.analysis.trend.excess_fit import fit_counts
from tkyt_analysis.analysis.trend.expected import Expected
from tkyt_analysis.analysis.trend.natural_spline import natural_spline
from tkyt_analysis.errors import InputError

Numbers = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


def curve_design(
    basis: Expected, at: Indices, *, knots_per_year: float, event: Any = None, discontinuity: bool = True
) -> Numbers:
    """Columns of the curve: natural spline over the window, and the jump at the event."""
    dates, frequency = basis.counts.dates[at], basis.counts.frequency
    x = np.arange(len(at)) / frequency * 365
    number = round(knots_per_year * float((dates[-1] - dates[0]).astype(int)) / 365)
    places = np.linspace(1, len(at), number + 2).round().astype(int) - 1
    knots = x[places[1:-1]]
    if len(knots) + 2 >= len(at):
        raise InputError("error.excess_too_many_knots", found=len(knots), periods=len(at))
    if event is None:
        return natural_spline(x, knots)
    day = as_days([event], "event")[0]
    if not dates[0] < day < dates[-1]:
        raise InputError("error.excess_event_outside", event=day, start=dates[0], end=dates[-1])
    place = x[np.abs((dates - day).astype(int)).argmin()]
    if len(knots):
        knots = knots + place - knots[np.abs(knots - place).argmin()]
    spline = natural_spline(x, knots)
    if not discontinuity:
        return spline
    since = (x - place) * (x >= place)
    return np.column_stack([spline, x >= place, since, since**2])


@dataclass(frozen=True)
class FittedCurve:
    """Curve, its standard error, the covariance of the ratios, design and covariance of coefficients."""

    curve: Numbers
    se: Numbers
    cov: Numbers
    design: Numbers
    betacov: Numbers


def independent_curve(
    basis: Expected, at: Indices, design: Numbers, *, min_rate: float, dispersion: float
) -> FittedCurve:
    """Poisson regression of the counts on the curve with the expected counts as offset."""
    observed, mu = basis.counts.counts[:, at], np.maximum(basis.expected[:, at], min_rate)
    fit = fit_counts(observed, design, np.log(mu), np.ones(observed.shape, dtype=bool), family="poisson")
    fitted = np.exp(fit.linear(fit.basis) + np.log(mu))[0]
    curve = np.maximum(fitted / mu[0] - 1, min_rate / mu[0] - 1)
    betacov = fit.cov[0] * dispersion
    of_curve = np.einsum("tp,pq,tq->t", fit.basis, betacov, fit.basis)
    log_var = basis.log_se[0, at] ** 2
    ratio = fitted / mu[0]
    spread = (basis.expected[0, at] / mu[0]) ** 2
    se = ratio * np.sqrt(of_curve + spread * log_var)
    return FittedCurve(curve, se, np.diag(1 / mu[0]), fit.basis, betacov)


def correlated_curve(
    basis: Expected, at: Indices, design: Numbers, ar: AutoRegression, *, maxit: int, epsilon: float, min_rate: float
) -> FittedCurve:
    """Generalised least squares of observed / expected - 1, its weights renewed until the deviance rests."""
    from scipy.linalg import cho_factor, cho_solve

    observed, mu = basis.counts.counts[0, at], np.maximum(basis.expected[0, at], min_rate)
    log_var = basis.log_se[0, at] ** 2
    ratio, curve, deviance = observed / mu - 1, np.zeros(len(at)), _deviance(observed, mu)
    columns, _ = np.linalg.qr(design)
    together = autocorrelation(ar.coefficients, len(at)) if ar.matters else np.eye(len(at))
    for _ in range(maxit):
        size = np.sqrt((1 + curve) ** 2 * (ar.sigma**2 + log_var) + (1 + curve) / mu)
        cov = together * np.outer(size, size)
        weighted = cho_solve(cho_factor(cov), columns)
        betacov = np.linalg.inv(columns.T @ weighted)
        curve = np.maximum(columns @ (betacov @ (weighted.T @ ratio)), min_rate / mu - 1)
        before, deviance = deviance, _deviance(observed, mu * (1 + curve))
        if abs(deviance - before) / (0.1 + abs(deviance)) < epsilon:
            break
    se = np.sqrt(np.einsum("tp,pq,tq->t", columns, betacov, columns))
    return FittedCurve(curve, se, cov, columns, betacov)


def _deviance(observed: Numbers, mean: Numbers) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(observed > 0, observed * np.log(observed / mean), 0.0)
    return float(2 * (part - (observed - mean)).sum())
