"""Empirical Bayes by maximum likelihood: events are Poisson around a risk that follows a gamma distribution.

Clayton & Kaldor, Biometrics 1987;43:671-81. The same answers as SpatialEpi::eBayes (negative binomial regression); the
version by moments is `empirical_bayes_rate(method="clayton_kaldor")`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.rates import rate_table, same_length
from tkyt_analysis.analysis.spatial.hierarchical import MODELLED, evidence
from tkyt_analysis.errors import InputError

NO_EXTRA_SPREAD = 1e8  # shape of the gamma beyond which risks are taken as equal


def gamma_poisson_rate(
    events: npt.ArrayLike,
    expected: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    threshold: float = 1.0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Relative risk of each area, pulled towards the mean (or the regression on covariates) as its data are few.

    Parameters
    ----------
    events, expected : by area; covariates : areas × k
    threshold : exceedance is P(relative risk > threshold)

    Returns
    -------
    One row per area, index of `events` kept: events, expected, smr, relative_risk (posterior mean), median, lower, upper,
    exceedance, evidence, method, status, reason. `attrs`: beta (intercept first), alpha (shape of the gamma; inf where risks
    differ by no more than chance). An area without expected events or without a count is not assessable and does not enter.
    """
    index = events.index if isinstance(events, pd.Series) else None
    counts, base = (part.ravel() for part in same_length(events=events, expected=expected))
    reason = np.select(
        [~(counts >= 0) | np.isinf(counts), ~(base > 0) | np.isinf(base)],
        ["reason.events_missing", "reason.bym_expected_missing"],
        default="",
    )
    design = _design(covariates, len(counts))
    usable = (reason == "") & np.isfinite(design).all(axis=1)
    if usable.sum() <= design.shape[1] or not counts[usable].sum() > 0:
        raise InputError("error.gamma_poisson_few", areas=int(usable.sum()), events=float(np.nansum(counts[usable])))
    beta, alpha = negative_binomial(counts[usable], base[usable], design[usable])
    middle = np.exp(design @ beta)
    columns = _posterior(counts, base, middle, alpha, threshold, confidence)
    table = rate_table(
        {
            "events": counts,
            "expected": base,
            **{name: np.where(usable, part, np.nan) for name, part in columns.items()},
        },
        method="gamma_poisson_ml",
        reason=np.where(usable, "", np.where(reason == "", "reason.bym_covariate_missing", reason)),
        index=index,
    )
    table.insert(8, "evidence", np.where(usable, evidence(table["exceedance"]), ""))
    table["status"] = table["status"].mask(usable, MODELLED)
    table.attrs |= {"beta": beta.tolist(), "alpha": alpha}
    return table


def _design(covariates: Any, n: int) -> Numbers:
    """Intercept and covariates."""
    if covariates is None:
        return np.ones((n, 1))
    x = np.asarray(covariates, dtype=float)
    x = x[:, None] if x.ndim == 1 else x
    if len(x) != n:
        raise InputError("error.bym_covariates", found=len(x), expected=n, missing=0)
    return np.column_stack([np.ones(n), x])


def _posterior(
    counts: Numbers, base: Numbers, middle: Numbers, alpha: float, threshold: float, confidence: float
) -> dict[str, Numbers]:
    """Gamma distribution of each area's risk: shape α + events, rate α / mean + expected."""
    from scipy.stats import gamma

    with np.errstate(divide="ignore", invalid="ignore"):
        smr = counts / base
        if np.isinf(alpha):
            same = dict.fromkeys(("relative_risk", "median", "lower", "upper"), middle)
            return {"smr": smr, **same, "exceedance": (middle > threshold).astype(float)}
        shape, scale = alpha + counts, 1 / (alpha / middle + base)
        tails = (1 - confidence) / 2
        return {
            "smr": smr,
            "relative_risk": shape * scale,
            "median": gamma.ppf(0.5, shape, scale=scale),
            "lower": gamma.ppf(tails, shape, scale=scale),
            "upper": gamma.ppf(1 - tails, shape, scale=scale),
            "exceedance": gamma.sf(threshold, shape, scale=scale),
        }


def negative_binomial(counts: Numbers, base: Numbers, design: Numbers) -> tuple[Numbers, float]:
    """(coefficients, shape) of the highest likelihood: Newton's steps for the coefficients within a search for the shape."""
    from scipy.optimize import minimize_scalar

    beta = np.zeros(design.shape[1])
    beta[0] = np.log(counts.sum() / base.sum())

    def loss(log_alpha: float) -> float:
        alpha = float(np.exp(log_alpha))
        return -_likelihood(counts, base * np.exp(design @ _coefficients(counts, base, design, alpha, beta)), alpha)

    grid = np.linspace(np.log(1e-3), np.log(NO_EXTRA_SPREAD), 40)
    best = int(np.argmin([loss(value) for value in grid]))
    around = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    log_alpha = float(minimize_scalar(loss, bounds=around, method="bounded", options={"xatol": 1e-10}).x)
    log_alpha = _polished(counts, base, design, log_alpha, beta)
    alpha = float(np.exp(log_alpha))
    if alpha > 0.5 * NO_EXTRA_SPREAD:
        return _coefficients(counts, base, design, NO_EXTRA_SPREAD, beta), np.inf
    return _coefficients(counts, base, design, alpha, beta), alpha


def _coefficients(counts: Numbers, base: Numbers, design: Numbers, alpha: float, start: Numbers) -> Numbers:
    beta = start.copy()
    for _ in range(100):
        mean = base * np.exp(design @ beta)
        share = mean / (1 + mean / alpha)
        score = design.T @ ((counts - mean) / (1 + mean / alpha))
        step = np.linalg.solve(design.T @ (design * share[:, None]), score)
        beta = beta + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-13:
            break
    return beta


def _likelihood(counts: Numbers, mean: Numbers, alpha: float) -> float:
    from scipy.special import gammaln, xlogy

    terms = (
        gammaln(counts + alpha) - gammaln(alpha) - alpha * np.log1p(mean / alpha) + xlogy(counts, mean / (mean + alpha))
    )
    return float(terms.sum())


def _polished(counts: Numbers, base: Numbers, design: Numbers, log_alpha: float, start: Numbers) -> float:
    """The root of the likelihood's slope in α near the best value found, so that α is exact to many digits."""
    from scipy.optimize import brentq
    from scipy.special import digamma

    def slope(value: float) -> float:
        alpha = float(np.exp(value))
        mean = base * np.exp(design @ _coefficients(counts, base, design, alpha, start))
        terms = digamma(counts + alpha) - digamma(alpha) - np.log1p(mean / alpha) + (mean - counts) / (mean + alpha)
        return float(terms.sum())

    low, high = log_alpha - 0.05, log_alpha + 0.05
    if slope(low) * slope(high) >= 0:
        return log_alpha
    return float(brentq(slope, low, high, xtol=1e-14, rtol=1e-14))
