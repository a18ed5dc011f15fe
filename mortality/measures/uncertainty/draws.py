"""The four sources of doubt as random draws: counts, completeness, shares of redistribution, denominators.

Streams belong to (seed, key, source, block), never to an order of work: a place alone gives the same draws as the same place
in a batch of all, and the size of a piece of work changes nothing.
"""

from __future__ import annotations

import hashlib
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from tkyt_analysis.errors import UsageError

Numbers = npt.NDArray[np.float64]
BLOCK = 250  # draws in hand at once; fixed, because the streams are numbered by it
SOURCES = ("counts", "completeness", "redistribution", "denominator")
_EVENT = len(SOURCES)  # the stream of the one further death
COMPLETENESS_DISTRIBUTIONS = ("logit_normal", "beta")
_NEARLY_ONE = 1 - 1e-9


def stream(seed: int, key: str, source: str, block: int) -> np.random.Generator:
    """The random stream of one source, place (by its name) and block of draws; `source` may also be "event"."""
    words = np.frombuffer(hashlib.sha256(key.encode()).digest()[:16], dtype=np.uint32)
    number = _EVENT if source == "event" else SOURCES.index(source)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(*map(int, words), number, block)))


def true_counts(rng: np.random.Generator, counts: Numbers, draws: int) -> Numbers:
    """(causes, draws, sexes, ages): the means that Poisson counts (causes, sexes, ages) may have had: Gamma(count), so that
    sums of cells stay Gamma(sum).

    A cell without deaths stays without, and uses no random number; `further_death` gives the upper limit that it needs.
    """
    cause, cell = np.nonzero(counts.reshape(len(counts), -1))
    shape = counts.reshape(len(counts), -1)[cause, cell]
    found = np.zeros((len(counts), draws, counts[0].size))
    found[cause, :, cell] = rng.standard_gamma(np.broadcast_to(shape[:, None], (len(shape), draws)))
    return found.reshape(len(counts), draws, *counts.shape[1:])


def further_death(rng: np.random.Generator, draws: int) -> Numbers:
    """(draws,): the one death more of exact Poisson (Garwood) and Fay–Feuer upper limits, Gamma(1)."""
    return rng.standard_exponential(draws)


def normal_scores(rng: np.random.Generator, draws: int, shape: tuple[int, int], shared: str) -> Numbers:
    """(draws, sexes, ages) standard normal scores, equal in what they are shared by.

    shared : "place" (one score for all sexes and ages), "sex" (one per sex), "age" (one per age), "cell" (each its own)
    """
    sexes, ages = shape
    sizes = {"place": (1, 1), "sex": (sexes, 1), "age": (1, ages), "cell": (sexes, ages)}
    if shared not in sizes:
        raise UsageError("error.uncertainty_shared", found=shared, known=", ".join(sizes))
    return np.broadcast_to(rng.standard_normal((draws, *sizes[shared])), (draws, sexes, ages))


def completeness_at(
    scores: Numbers, value: Numbers, lower: Numbers, upper: Numbers, *, level: float = 0.95, distribution: str
) -> Numbers:
    """Completeness (0–1] at standard normal scores: the value at 0, the limits at the scores of their level.

    value, lower, upper : (sexes, ages); a limit that equals the value leaves no doubt on its side
    distribution : "logit_normal", a normal on the logit scale with a standard deviation of its own on either side, so that
        the limits are met exactly; "beta", the beta distribution of the same mean and of (upper − lower) / 2z as its
        standard deviation
    """
    if distribution not in COMPLETENESS_DISTRIBUTIONS:
        known = ", ".join(COMPLETENESS_DISTRIBUTIONS)
        raise UsageError("error.uncertainty_distribution", found=distribution, known=known)
    z = NormalDist().inv_cdf((1 + level) / 2)
    if distribution == "beta":
        return _beta(scores, value, (upper - lower) / (2 * z))
    middle = _logit(value)
    below, above = (middle - _logit(lower)) / z, (_logit(upper) - middle) / z
    return np.asarray(1 / (1 + np.exp(-(middle + scores * np.where(scores < 0, below, above)))), dtype=float)


def _logit(share: Numbers) -> Numbers:
    safe = np.clip(share, 1 - _NEARLY_ONE, _NEARLY_ONE)
    return np.asarray(np.log(safe) - np.log1p(-safe), dtype=float)


def _beta(scores: Numbers, mean: Numbers, deviation: Numbers) -> Numbers:
    from scipy.special import betaincinv, ndtr

    drawn = np.broadcast_to(mean, scores.shape).astype(float)
    open_ = (deviation > 0) & (mean < 1)
    if not open_.any():
        return drawn
    m = mean[open_]
    total = np.maximum(m * (1 - m) / deviation[open_] ** 2 - 1, 1e-3)
    drawn[:, open_] = betaincinv(m * total, (1 - m) * total, ndtr(scores[:, open_]))
    return drawn


def denominators_at(scores: Numbers, relative_error: Numbers) -> Numbers:
    """Factors of the population at standard normal scores: lognormal, median 1, with this relative standard error."""
    return np.asarray(np.exp(scores * np.sqrt(np.log1p(relative_error**2))), dtype=float)
