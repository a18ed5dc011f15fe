"""Generalised linear models of many series at once: iteratively reweighted least squares on stacked arrays.

Poisson, quasi-Poisson and negative binomial (log link) and binomial (logit link). Shapes: counts (series, time),
design (time, terms) shared or (series, time, terms). No loop over series.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from tkyt_analysis.analysis.limits import Numbers

STEPS, CLOSE = 60, 1e-12
ROUNDING = 1e-14  # of a sum of counts: a deviance near 0 is known no better
LARGEST_ETA = 500.0


@dataclass(frozen=True)
class BatchFit:
    """What was fitted, one row per series.

    coefficients (series, terms); covariance (series, terms, terms) at dispersion 1; fitted (series, time), NaN where
    nothing was observed; deviance, pearson (sum of squared Pearson residuals), df (residual), converged; theta
    (negative binomial) and its standard error, inf and NaN for the others.
    """

    coefficients: Numbers
    covariance: Numbers
    fitted: Numbers
    deviance: Numbers
    pearson: Numbers
    df: Numbers
    converged: np.ndarray
    theta: Numbers
    theta_se: Numbers

    @property
    def dispersion(self) -> Numbers:
        """Pearson chi-square over residual degrees of freedom; NaN without any."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.df > 0, self.pearson / self.df, np.nan)


def fit_counts(
    counts: Numbers, design: Numbers, *, offset: Numbers | float = 0.0, theta: Numbers | float = np.inf
) -> BatchFit:
    """Log-linear model of counts; theta = inf is Poisson, otherwise variance mu + mu²/theta.

    counts : (series, time), NaN where not observed; a series without enough usable rows comes back not converged
    """
    seen, y = ~np.isnan(counts), np.nan_to_num(counts)
    shift = np.broadcast_to(np.nan_to_num(np.asarray(offset, float)), y.shape)
    size = np.broadcast_to(np.asarray(theta, float).reshape(-1, 1), (len(y), 1))
    start = y + np.where(np.isinf(size), 0.1, (y == 0) / 6)
    eta = np.log(np.where(seen, np.maximum(start, 1e-6), 1.0))
    deviance, done = np.full(len(y), np.inf), np.zeros(len(y), dtype=bool)
    beta, cov = np.zeros((len(y), design.shape[-1])), np.empty((len(y), design.shape[-1], design.shape[-1]))
    for _ in range(STEPS):
        mu = np.exp(eta)
        weight = np.where(seen, mu / (1 + mu / size), 0.0)
        beta, cov = weighted_solve(design, weight, eta - shift + (y - mu) / mu)
        eta = np.clip(times(design, beta) + shift, -LARGEST_ETA, LARGEST_ETA)
        before, deviance = deviance, _deviance(y, np.exp(eta), size, seen)
        done = np.abs(deviance - before) <= CLOSE * (np.abs(deviance) + 0.1) + ROUNDING * y.sum(axis=1)
        if done.all():
            break
    return _result(y, np.exp(eta), beta, cov, deviance, done, seen, size[:, 0])


def fit_negative_binomial(counts: Numbers, design: Numbers, *, offset: Numbers | float = 0.0) -> BatchFit:
    """As `fit_counts` with theta by maximum likelihood (as MASS::glm.nb: alternately), and its standard error.

    Where the counts vary no more than Poisson counts do, theta has no finite maximum: it comes back as inf and the
    fit is the Poisson one.
    """
    fit = fit_counts(counts, design, offset=offset)
    theta, busy = _moment_theta(counts, fit), np.arange(len(counts))
    for _ in range(STEPS):
        busy = busy[np.isfinite(theta[busy])]
        if not len(busy):
            break
        theta[busy] = _theta_step(counts[busy], fit.fitted[busy], before := theta[busy])
        fit = _replaced(fit, busy, _part(counts, design, offset, busy, theta[busy]))
        busy = busy[~(np.abs(theta[busy] - before) <= 1e-10 * before)]
    if (away := np.isinf(theta)).any():
        fit = _replaced(fit, np.flatnonzero(away), _part(counts, design, offset, np.flatnonzero(away)))
    score, information = _theta_score(counts, fit.fitted, theta)
    with np.errstate(invalid="ignore", divide="ignore"):
        se = np.where(np.isfinite(theta) & (information > 0), 1 / np.sqrt(information), np.nan)
        settled = np.isinf(theta) | (np.abs(score) * theta <= 1e-6 * np.maximum(information * theta**2, 1.0))
    return replace(fit, theta=theta, theta_se=se, converged=fit.converged & settled)


def log_likelihood(counts: Numbers, fit: BatchFit) -> Numbers:
    """Log-likelihood of each series: Poisson, or negative binomial where theta is finite."""
    from scipy.special import gammaln, xlogy

    y, mu = np.nan_to_num(counts), np.where(np.isnan(counts), 1.0, fit.fitted)
    size = np.where(np.isinf(fit.theta), 1.0, fit.theta)[:, None]
    mu = np.maximum(mu, 1e-300)
    poisson = xlogy(y, mu) - mu - gammaln(y + 1)
    binomial = (
        gammaln(size + y) - gammaln(size) - gammaln(y + 1)
        + size * np.log(size) + xlogy(y, mu) - (size + y) * np.log(size + mu)
    )  # fmt: skip
    each = np.where(np.isinf(fit.theta)[:, None], poisson, binomial)
    return np.where(np.isnan(counts), 0.0, each).sum(axis=1)


def weighted_solve(design: Numbers, weight: Numbers, response: Numbers) -> tuple[Numbers, Numbers]:
    """Weighted least squares of every row: coefficients and (X'WX)^-1; zero where the design is singular."""
    shared = design.ndim == 2
    information = np.einsum("ta,st,tb->sab" if shared else "sta,st,stb->sab", design, weight, design, optimize=True)
    score = np.einsum("ta,st->sa" if shared else "sta,st->sa", design, weight * response, optimize=True)
    inverse = safe_inverse(information)
    return np.einsum("sab,sb->sa", inverse, score), inverse


def safe_inverse(matrices: Numbers) -> Numbers:
    """The inverse of each symmetric matrix; NaN where it is singular (after scaling of its diagonal to 1)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = 1 / np.sqrt(np.einsum("saa->sa", matrices))
    scaled = matrices * scale[:, :, None] * scale[:, None, :]
    usable = np.isfinite(scaled).all(axis=(1, 2))
    scaled[~usable] = np.eye(matrices.shape[-1])
    good = np.linalg.cond(scaled) < 1e14
    scaled[~good] = np.eye(matrices.shape[-1])
    inverse = np.linalg.inv(scaled) * np.where(np.isfinite(scale), scale, 0.0)[:, :, None] * scale[:, None, :]
    inverse[~(usable & good)] = np.nan
    return inverse


def times(design: Numbers, beta: Numbers) -> Numbers:
    """Linear predictor (series, time)."""
    return np.einsum("ta,sa->st" if design.ndim == 2 else "sta,sa->st", design, beta)


def _deviance(y: Numbers, mu: Numbers, size: Numbers, seen: np.ndarray) -> Numbers:
    from scipy.special import xlogy

    log_mu = np.log(np.maximum(mu, 1e-300))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        poisson = xlogy(y, y) - y * log_mu - (y - mu)
        finite = np.where(np.isinf(size), 1.0, size)
        binomial = xlogy(y, y) - y * log_mu - (y + finite) * np.log((y + finite) / (mu + finite))
    return 2 * np.where(seen, np.where(np.isinf(size), poisson, binomial), 0.0).sum(axis=1)


def _result(
    y: Numbers, mu: Numbers, beta: Numbers, cov: Numbers, deviance: Numbers, done: np.ndarray, seen: np.ndarray,
    theta: Numbers,
) -> BatchFit:  # fmt: skip
    variance = mu + mu**2 / theta[:, None]
    pearson = np.where(seen, (y - mu) ** 2 / variance, 0.0).sum(axis=1)
    df = (seen.sum(axis=1) - beta.shape[1]).astype(float)
    settled = done & np.isfinite(beta).all(axis=1) & np.isfinite(deviance)
    nothing = np.full(len(y), np.nan)
    return BatchFit(beta, cov, np.where(seen, mu, np.nan), deviance, pearson, df, settled, theta, nothing)


def _part(
    counts: Numbers, design: Numbers, offset: Numbers | float, rows: np.ndarray, theta: Numbers | float = np.inf
) -> BatchFit:
    """`fit_counts` of some of the series."""
    own = design[rows] if design.ndim == 3 else design
    shift = np.broadcast_to(np.asarray(offset, float), counts.shape)[rows]
    return fit_counts(counts[rows], own, offset=shift, theta=theta)


def _replaced(fit: BatchFit, rows: np.ndarray, by: BatchFit) -> BatchFit:
    """The fit with some of its series taken from another one."""
    merged = {}
    for field in fields(fit):
        values = getattr(fit, field.name).copy()
        values[rows] = getattr(by, field.name)
        merged[field.name] = values
    return BatchFit(**merged)


def _moment_theta(counts: Numbers, fit: BatchFit) -> Numbers:
    """First guess as MASS: n over the sum of (y/mu - 1)².

    inf where the squared residuals are no larger than the counts: there the likelihood falls as 1/theta leaves 0
    (its slope at 0 is half the sum of (y - mu)² - y), so that Poisson is the best negative binomial.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        guess = (~np.isnan(counts)).sum(axis=1) / np.nansum((counts / fit.fitted - 1) ** 2, axis=1)
        slope = np.nansum((counts - fit.fitted) ** 2 - counts, axis=1)
    return np.where(fit.converged & (guess > 0) & (slope > 0), guess, np.inf)


def _theta_step(counts: Numbers, mu: Numbers, theta: Numbers) -> Numbers:
    """Newton on log(theta) for given means; steps bounded, inf where it runs away."""
    theta = theta.copy()
    for _ in range(25):
        score, information = _theta_score(counts, mu, theta)
        with np.errstate(invalid="ignore", divide="ignore"):
            curvature = information * theta**2 - score * theta  # of -log-likelihood in log(theta)
            step = np.where(curvature > 0, score * theta / curvature, np.sign(score))
        theta = np.where(np.isfinite(theta), theta * np.exp(np.clip(np.nan_to_num(step), -2, 2)), np.inf)
        theta = np.where(theta > 1e8, np.inf, theta)
        if (np.abs(step)[np.isfinite(theta)] < 1e-12).all():
            break
    return theta


def _theta_score(counts: Numbers, mu: Numbers, theta: Numbers) -> tuple[Numbers, Numbers]:
    """Score and observed information of theta (Venables & Ripley, MASS, 4th ed., section 7.4)."""
    from scipy.special import polygamma, psi

    seen, size = ~np.isnan(counts), np.where(np.isinf(theta), 1.0, theta)[:, None]
    y, mean = np.nan_to_num(counts), np.where(seen, mu, 1.0)
    score = psi(size + y) - psi(size) + np.log(size) + 1 - np.log(size + mean) - (y + size) / (mean + size)
    information = (
        polygamma(1, size) - polygamma(1, size + y) - 1 / size + 2 / (mean + size) - (y + size) / (mean + size) ** 2
    )
    keep = seen & np.isfinite(theta)[:, None]
    return np.where(keep, score, 0.0).sum(axis=1), np.where(keep, information, 0.0).sum(axis=1)
