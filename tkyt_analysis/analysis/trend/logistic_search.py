"""Maximum likelihood of logistic joinpoint models: every place a joinpoint can take, fitted at once.

A joinpoint lies on a time of observation (one column, (t - tau)+) or freely between two of them: then level and slope
may both change (two columns) and the place is where the two lines meet, which has to be between those times.
Czajkowski, Gill, Rempala, Stat Med 2008;27:1508-26; R package ljr.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.limits import Numbers

STEPS, CELLS = 30, 4_000_000
Places = npt.NDArray[np.intp]  # (configurations, joinpoints): numbers of distinct times


@dataclass(frozen=True)
class LogisticFit:
    """Best fit of each series: coefficients (constant, time, covariates, changes of slope), tau, log-likelihood."""

    beta: Numbers  # (series, 2 + m)
    change: Numbers  # (series, k)
    tau: Numbers  # (series, k), ascending
    loglik: Numbers  # without the binomial coefficients; -inf where nothing could be fitted


def best_fit(events: Numbers, sizes: Numbers, time: Numbers, k: int, *, extra: Numbers, offset: Numbers) -> LogisticFit:
    """The maximum over all admissible places of k joinpoints, for series that share their times.

    events, sizes : (series, rows), 0 ≤ events ≤ sizes; time : (rows,), in order, repeated times allowed
    extra : (rows, m) covariates; offset : (rows,) known part of the logit
    Joinpoints lie from the second to the last but one distinct time (as ljr).
    """
    centre = time - time.mean()
    best = _empty(len(events), 2 + extra.shape[1], k)
    for fixed, free in _patterns(len(np.unique(time)), k):
        best = _better(best, _fit_pattern(events, sizes, centre, fixed, free, extra, offset))
    beta, tau = best.beta.copy(), best.tau + time.mean()
    beta[:, 0] -= beta[:, 1] * time.mean()
    order = np.argsort(tau, axis=1)
    return LogisticFit(beta, np.take_along_axis(best.change, order, 1), np.take_along_axis(tau, order, 1), best.loglik)


@lru_cache(maxsize=64)
def _patterns(n: int, k: int) -> tuple[tuple[Places, Places], ...]:
    """(fixed, free) index arrays, one per number of free joinpoints: places among n distinct times.

    fixed i: at time i; free i: between times i and i + 1. Two free joinpoints never stand in neighbouring intervals,
    and none beside a fixed one: a piece of one time cannot be estimated.
    """
    points, gaps = range(1, n - 1), range(1, n - 2)
    out: list[tuple[Places, Places]] = []
    for number in range(k + 1):
        rows = [
            (on, between)
            for on in itertools.combinations(points, k - number)
            for between in itertools.combinations(gaps, number)
            if all(b - a > 1 for a, b in itertools.pairwise(between))
            and not any(i in (j, j + 1) for i in on for j in between)
        ]
        if rows:
            on, between = (np.array([row[i] for row in rows], dtype=np.intp).reshape(len(rows), -1) for i in (0, 1))
            out.append((on, between))
    return tuple(out)


def _fit_pattern(
    events: Numbers, sizes: Numbers, time: Numbers, fixed: Places, free: Places, extra: Numbers, offset: Numbers
) -> LogisticFit:
    """The best admissible configuration of one pattern for each series."""
    distinct = np.unique(time)
    design = _design(time, distinct, fixed, free, extra)
    n, m = len(events), extra.shape[1]
    best = _empty(n, 2 + m, fixed.shape[1] + free.shape[1])
    at_once = max(1, CELLS // max(1, design.size * design.shape[2] // len(time) + design.size))
    for start in range(0, n, at_once):
        rows = slice(start, start + at_once)
        coefficients, loglik = _newton(events[rows], sizes[rows], design, offset)
        found = _chosen(coefficients, loglik, distinct, fixed, free, m)
        for name in ("beta", "change", "tau", "loglik"):
            getattr(best, name)[rows] = getattr(found, name)
    return best


def _design(time: Numbers, distinct: Numbers, fixed: Places, free: Places, extra: Numbers) -> Numbers:
    """(configurations, rows, terms): constant, time, covariates, hinges at fixed places, level and slope at free ones."""
    c, t = len(fixed), time[None, :, None]
    base = np.column_stack([np.ones_like(time), time, extra])
    hinges = np.maximum(t - distinct[fixed][:, None, :], 0.0)
    after = (t > distinct[free][:, None, :]).astype(float)
    slopes = np.maximum(t - distinct[free][:, None, :], 0.0)
    return np.concatenate([np.broadcast_to(base, (c, *base.shape)), hinges, after, slopes], axis=-1)


def _newton(events: Numbers, sizes: Numbers, design: Numbers, offset: Numbers) -> tuple[Numbers, Numbers]:
    """Coefficients (series, configurations, terms) and log-likelihood of every logistic fit (concave: Newton)."""
    share = (events + 0.5) / (sizes + 1)
    work = np.log(share / (1 - share)) - offset
    beta = np.zeros((len(events), len(design), design.shape[-1]))
    loglik = np.full(beta.shape[:2], -np.inf)
    eta = np.broadcast_to(work[:, None, :], (*beta.shape[:2], events.shape[1])) + offset
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(eta, -500, 500)))
        weight = np.maximum(sizes[:, None, :] * p * (1 - p), 1e-12)
        response = (eta - offset) + (events[:, None, :] - sizes[:, None, :] * p) / weight
        response = np.where(sizes[:, None, :] > 0, response, 0.0)
        weight = np.where(sizes[:, None, :] > 0, weight, 0.0)
        beta = _solve(design, weight, response)
        eta = np.einsum("cta,sca->sct", design, beta, optimize=True) + offset
        before, loglik = loglik, log_likelihood(events[:, None, :], sizes[:, None, :], eta)
        if (np.abs(loglik - before) <= 1e-13 * (np.abs(loglik) + 1) + 1e-12).all():
            break
    return beta, np.where(np.isfinite(beta).all(axis=-1), loglik, -np.inf)


def _solve(design: Numbers, weight: Numbers, response: Numbers) -> Numbers:
    information = np.einsum("cta,sct,ctb->scab", design, weight, design, optimize=True)
    score = np.einsum("cta,sct->sca", design, weight * response, optimize=True)
    scale = 1 / np.sqrt(np.maximum(np.einsum("scaa->sca", information), 1e-300))
    scaled = information * scale[..., :, None] * scale[..., None, :] + 1e-13 * np.eye(information.shape[-1])
    return scale * np.linalg.solve(scaled, (scale * score)[..., None])[..., 0]


def log_likelihood(events: Numbers, sizes: Numbers, eta: Numbers) -> Numbers:
    """Sum over rows of events × eta - sizes × log(1 + exp(eta)): without the binomial coefficients, as ljr."""
    return (events * eta - sizes * np.logaddexp(0.0, eta)).sum(axis=-1)


def _chosen(
    coefficients: Numbers, loglik: Numbers, distinct: Numbers, fixed: Places, free: Places, m: int
) -> LogisticFit:
    """The best configuration whose free joinpoints lie in their own intervals."""
    a, f = fixed.shape[1], free.shape[1]
    level, slope = coefficients[..., 2 + m + a : 2 + m + a + f], coefficients[..., 2 + m + a + f :]
    with np.errstate(divide="ignore", invalid="ignore"):
        tau = distinct[free] - level / slope
    inside = ((tau > distinct[free]) & (tau < distinct[free + 1])).all(axis=-1)
    best = np.argmax(np.where(inside, loglik, -np.inf), axis=1)
    rows = np.arange(len(coefficients))
    chosen = coefficients[rows, best]
    change = np.concatenate([chosen[:, 2 + m : 2 + m + a], slope[rows, best]], axis=1)
    places = np.concatenate([distinct[fixed][best], tau[rows, best]], axis=1)
    return LogisticFit(chosen[:, : 2 + m], change, places, np.where(inside, loglik, -np.inf)[rows, best])


def _empty(n: int, terms: int, k: int) -> LogisticFit:
    return LogisticFit(
        np.full((n, terms), np.nan), np.full((n, k), np.nan), np.full((n, k), np.nan), np.full(n, -np.inf)
    )


def _better(one: LogisticFit, other: LogisticFit) -> LogisticFit:
    take = other.loglik > one.loglik
    wide = take[:, None]
    return LogisticFit(
        np.where(wide, other.beta, one.beta), np.where(wide, other.change, one.change),
        np.where(wide, other.tau, one.tau), np.where(take, other.loglik, one.loglik),
    )  # fmt: skip
