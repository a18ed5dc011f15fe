"""Log-linear models of counts for many series at once: Poisson, quasi-Poisson, negative binomial."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tkyt_analysis.errors import UsageError

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
FAMILIES = ("quasipoisson", "poisson", "negative_binomial")
_STEPS, _THETA_STEPS, _CLOSE = 60, 30, 1e-11
_LARGEST_ETA = 300.0


@dataclass(frozen=True)
class CountFit:
    """Coefficients in the columns of `basis` (the design made orthogonal over the rows that were used).

    beta : (series, columns); cov : (series, columns, columns), without the dispersion; basis : (time, columns)
    turn : design = basis @ turn; dispersion, theta : (series,); theta is inf where the family has none
    reason : label key why a series has no fit, "" if it has
    """

    beta: Numbers
    cov: Numbers
    basis: Numbers
    turn: Numbers
    dispersion: Numbers
    theta: Numbers
    degrees: Numbers
    reason: npt.NDArray[np.str_]

    def one(self, number: int) -> CountFit:
        """One of the series alone."""
        at = slice(number, number + 1)
        own = ("beta", "cov", "dispersion", "theta", "degrees", "reason")
        return replace(self, **{name: getattr(self, name)[at] for name in own})

    def linear(self, basis: Numbers) -> Numbers:
        """log of the fitted rate, shape (series, rows of basis)."""
        return self.beta @ basis.T

    def log_se(self, basis: Numbers) -> Numbers:
        """Standard error of `linear`, dispersion included."""
        spread = np.einsum("tp,spq,tq->st", basis, self.cov, basis, optimize=True)
        return np.sqrt(np.maximum(spread * self.dispersion[:, None], 0.0))


def fit_counts(
    counts: Numbers, design: Numbers, offset: Numbers, use: Flags, *, family: str = "quasipoisson"
) -> CountFit:
    """Fit log E(count) = design · beta + offset by iteratively reweighted least squares, every series at once.

    counts, offset, use : (series, time); design : (time, columns), common to all series
    family : "quasipoisson" (dispersion = Pearson chi-square / degrees of freedom, not below 1), "poisson" (1),
        "negative_binomial" (variance mu + mu²/theta, theta by maximum likelihood as MASS::glm.nb)

    A series with fewer usable periods than columns + 1, or without any event, has a reason and no figures.
    """
    if family not in FAMILIES:
        raise UsageError("error.excess_option", option="family", found=family, expected=", ".join(FAMILIES))
    basis, turn = _orthogonal(design, np.asarray(use.any(axis=0)))
    y = np.where(use, counts, 0.0)
    reason = np.select(
        [use.sum(axis=1) <= basis.shape[1], y.sum(axis=1) <= 0, _undetermined(use, basis)],
        ["reason.excess_few_periods", "reason.excess_no_events", "reason.excess_few_periods"],
        default="",
    )
    fitted = use & (reason == "")[:, None]
    theta = np.full(len(counts), np.inf)
    beta, mu = _least_squares(y, basis, offset, fitted, theta)
    if family == "negative_binomial":
        beta, mu, theta = _with_theta(y, basis, offset, fitted, beta, mu)
    weight = fitted * mu / (1 + mu / theta[:, None])
    cov = np.asarray(np.linalg.pinv(_crossed(weight, basis), hermitian=True), dtype=float)
    degrees = np.maximum(fitted.sum(axis=1) - basis.shape[1], 1).astype(float)
    pearson = np.where(fitted, (y - mu) ** 2 / np.where(fitted, mu, 1.0), 0.0).sum(axis=1)
    dispersion = np.maximum(pearson / degrees, 1.0) if family == "quasipoisson" else np.ones(len(counts))
    beta = np.where((reason == "")[:, None], beta, np.nan)
    return CountFit(beta, cov, basis, turn, dispersion, theta, degrees, reason)


def _orthogonal(design: Numbers, used: Flags) -> tuple[Numbers, Numbers]:
    """(basis, turn): columns made orthogonal over the used rows; what depends on earlier columns is left out."""
    from scipy.linalg import qr, solve_triangular

    size = np.sqrt((design[used] ** 2).sum(axis=0)) if used.any() else np.ones(design.shape[1])
    scaled = design / np.where(size > 0, size, 1.0)
    _, upper, order = qr(scaled[used], mode="economic", pivoting=True)
    diagonal = np.abs(np.diag(upper))
    rank = int((diagonal > 1e-9 * max(diagonal.max(initial=0.0), 1e-300)).sum())
    kept = order[:rank]
    basis = solve_triangular(upper[:rank, :rank], scaled[:, kept].T, trans="T").T * np.sqrt(max(used.sum(), 1))
    turn, *_ = np.linalg.lstsq(basis[used], design[used], rcond=None)
    return basis, turn


def _undetermined(use: Flags, basis: Numbers) -> Flags:
    """Series whose own periods do not tell the columns apart (a gap where a column has its values)."""
    if not basis.shape[1]:  # no period at all
        return np.ones(len(use), dtype=bool)
    found: Flags = np.linalg.cond(_crossed(use.astype(float), basis)) > 1e10
    return found


def _crossed(weight: Numbers, basis: Numbers) -> Numbers:
    """X'WX of every series."""
    columns = basis.shape[1]
    products = (basis[:, :, None] * basis[:, None, :]).reshape(len(basis), columns * columns)
    return (weight @ products).reshape(len(weight), columns, columns)


def _least_squares(
    y: Numbers, basis: Numbers, offset: Numbers, use: Flags, theta: Numbers, start: Numbers | None = None
) -> tuple[Numbers, Numbers]:
    """(beta, mu) of the given theta."""
    eta = np.log(y + 0.1) if start is None else np.clip(start @ basis.T + offset, -_LARGEST_ETA, _LARGEST_ETA)
    beta = np.zeros((len(y), basis.shape[1])) if start is None else start
    for _ in range(_STEPS):
        mu = np.exp(eta)
        weight = use * mu / (1 + mu / theta[:, None])
        working = np.where(use, eta - offset + (y - mu) / mu, 0.0)
        cross = _crossed(weight, basis) + 1e-12 * np.eye(basis.shape[1])
        new = np.linalg.solve(cross, ((weight * working) @ basis)[..., None])[..., 0]
        moved = np.abs(new - beta).max(initial=0.0)
        beta = new
        eta = np.clip(beta @ basis.T + offset, -_LARGEST_ETA, _LARGEST_ETA)
        if moved <= _CLOSE * (1 + np.abs(beta).max(initial=0.0)):
            break
    return beta, np.exp(eta)


def _with_theta(
    y: Numbers, basis: Numbers, offset: Numbers, use: Flags, beta: Numbers, mu: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """(beta, mu, theta): the mean and theta in turns until neither moves."""
    number = np.maximum(use.sum(axis=1), 1)
    excess = np.where(use, (y / np.where(use, mu, 1.0) - 1) ** 2, 0.0).sum(axis=1)
    theta = number / np.maximum(excess, 1e-8)
    for _ in range(_THETA_STEPS):
        before = theta
        theta = _theta(y, mu, use, theta)
        beta, mu = _least_squares(y, basis, offset, use, theta, beta)
        if np.all(np.abs(theta - before) <= 1e-8 * before):
            break
    return beta, mu, theta


def _theta(y: Numbers, mu: Numbers, use: Flags, theta: Numbers) -> Numbers:
    """Maximum likelihood of theta for given means, by Newton's steps on log theta."""
    from scipy.special import digamma, polygamma

    for _ in range(_STEPS):
        at = theta[:, None]
        slope = digamma(y + at) - digamma(at) + np.log(at) + 1 - np.log(at + mu) - (y + at) / (mu + at)
        bend = polygamma(1, y + at) - polygamma(1, at) + 1 / at - 2 / (mu + at) + (y + at) / (mu + at) ** 2
        first = theta * np.where(use, slope, 0.0).sum(axis=1)
        second = theta**2 * np.where(use, bend, 0.0).sum(axis=1) + first
        step = np.where(second < 0, -first / np.where(second < 0, second, -1.0), np.sign(first))
        theta = np.clip(theta * np.exp(np.clip(step, -1.0, 1.0)), 1e-6, 1e9)
        if np.all(np.abs(step) < 1e-10):
            break
    return theta
