"""Whether chains agree: rank-normalised split R-hat and effective sample sizes.

Vehtari, Gelman, Simpson, Carpenter & Bürkner, Bayesian Analysis 2021;16:667-718: R-hat below 1.01 and at least 100 effective
draws per chain, in the bulk and in the tails, before a posterior is read.
"""

from __future__ import annotations

import numpy as np

from tkyt_analysis.analysis.limits import Numbers


def r_hat(draws: Numbers) -> Numbers:
    """Rank-normalised split R-hat of each quantity; draws: chains × draws × quantities. 1 for what never moves."""
    halves = _split(draws)
    return np.maximum(_plain_r_hat(_normal_scores(halves)), _plain_r_hat(_normal_scores(_folded(halves))))


def ess_bulk(draws: Numbers) -> Numbers:
    """Effective number of draws for the middle of each distribution."""
    return _ess(_normal_scores(_split(draws)))


def ess_tail(draws: Numbers) -> Numbers:
    """Effective number of draws for the 5 % and 95 % quantiles, the smaller of both."""
    halves = _split(draws)
    low, high = np.quantile(halves, [0.05, 0.95], axis=(0, 1))
    return np.minimum(_ess((halves <= low).astype(float)), _ess((halves <= high).astype(float)))


def _split(draws: Numbers) -> Numbers:
    """Each chain cut into halves."""
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, draws.shape[1] - half :]])


def _folded(draws: Numbers) -> Numbers:
    return np.abs(draws - np.median(draws, axis=(0, 1)))


def _normal_scores(draws: Numbers) -> Numbers:
    from scipy.special import ndtri
    from scipy.stats import rankdata

    flat = draws.reshape(-1, draws.shape[2])
    ranks = rankdata(flat, axis=0)
    return np.asarray(ndtri((ranks - 0.375) / (len(flat) + 0.25))).reshape(draws.shape)


def _plain_r_hat(draws: Numbers) -> Numbers:
    length = draws.shape[1]
    within = draws.var(axis=1, ddof=1).mean(axis=0)
    between = draws.mean(axis=1).var(axis=0, ddof=1)
    still = within + between <= 0
    ratio = between / np.where(within > 0, within, 1.0)
    stuck = (within <= 0) & ~still
    return np.where(still, 1.0, np.where(stuck, np.inf, np.sqrt((length - 1) / length + ratio)))


def _ess(draws: Numbers) -> Numbers:
    from numpyro.diagnostics import effective_sample_size

    moving = draws.var(axis=(0, 1)) > 0
    found = np.full(draws.shape[2], float(draws.shape[0] * draws.shape[1]))
    if moving.any():
        with np.errstate(divide="ignore", invalid="ignore"):
            found[moving] = effective_sample_size(draws[:, :, moving])
    return found
