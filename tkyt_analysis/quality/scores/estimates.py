"""From counts to a score: shares, their uncertainty, shrinkage of small units to their peers, and the composite. Arrays only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tkyt_analysis.quality.scores.settings import ScoreSettings

Numbers = npt.NDArray[np.float64]
LEAST_STRENGTH, MOST_STRENGTH = 1.0, 1000.0
FEW_PEERS = 5  # with fewer, the spread between units says nothing


@dataclass(frozen=True)
class Shares:
    """One component of several places. mean, variance : of the share after shrinkage; reliability : how much of the mean
    is the place's own (0–1). All NaN where there is nothing to judge."""

    mean: Numbers
    variance: Numbers
    reliability: Numbers


def prior_strength(good: Numbers, total: Numbers) -> float:
    """How many observations the peers are worth: a + b of the Beta distribution of true shares between units.

    Method of moments for the beta-binomial (Kleinman, JASA 1973;68:46-54), weights = totals; between 1 and 1000. With few
    peers, or none that differ by more than chance, 1000 (chance only) or 1 (nothing known).
    """
    here = total > 0
    x, n = good[here], total[here]
    if len(n) < FEW_PEERS:
        return LEAST_STRENGTH
    mean, count = x.sum() / n.sum(), len(n)
    spread = float((n * (x / n - mean) ** 2).sum())
    chance = mean * (1 - mean)
    room = n.sum() - (n**2).sum() / n.sum() - (count - 1)
    if chance <= 0 or room <= 0:
        return LEAST_STRENGTH
    within = (spread - (count - 1) * chance) / (room * chance)
    return float(np.clip(1 / within - 1, LEAST_STRENGTH, MOST_STRENGTH)) if within > 0 else MOST_STRENGTH


def shrunken_shares(good: Numbers, total: Numbers, *, strength: float | None = None) -> Shares:
    """Shares of units pulled to the mean of their peers: posterior mean and variance of the beta-binomial.

    A unit with n observations keeps n / (n + strength) of its own share.
    """
    strength = prior_strength(good, total) if strength is None else strength
    mean = (good.sum() + 0.5) / (total.sum() + 1.0)
    a, b = mean * strength + good, (1 - mean) * strength + total - good
    judged = total > 0
    share, variance = a / (a + b), a * b / ((a + b) ** 2 * (a + b + 1))
    return Shares(*(np.where(judged, part, np.nan) for part in (share, variance, total / (total + strength))))


def clustered_shares(
    good: Numbers, total: Numbers, units: Numbers, good_squared: Numbers, cross: Numbers, total_squared: Numbers
) -> Shares:
    """Shares of places that are sums over units: the units differ, so the variance is that of a ratio of unit totals
    (Cochran, Sampling Techniques, §6.3, without finite correction), never less than chance alone.

    good_squared, cross, total_squared : sums over the units of x², x·n and n²
    """
    judged = total > 0
    n = np.where(judged, total, 1.0)
    share = (good + 0.5) / (n + 1.0)
    raw = good / n
    chance = share * (1 - share) / (n + 2.0)
    squares = np.maximum(good_squared - 2 * raw * cross + raw**2 * total_squared, 0.0)
    between = np.where(units > 1, units / np.maximum(units - 1, 1.0), 1.0) * squares / n**2
    variance = np.minimum(np.maximum(chance, between), share * (1 - share) * 0.999)
    return Shares(*(np.where(judged, part, np.nan) for part in (share, variance, np.ones_like(n))))


def composite(means: Numbers, variances: Numbers, settings: ScoreSettings) -> tuple[Numbers, Numbers, Numbers]:
    """(score, variance, weight present) of places: `means`, `variances` have a column per component, NaN where nothing
    could be judged. What is missing leaves its weight to the others; NaN where too little weight is present."""
    weights = np.array([settings.weights[name] for name in settings.components])
    there = np.isfinite(means)
    present = (there * weights).sum(axis=1)
    safe = np.where(present > 0, present, 1.0)
    share = there * weights / safe[:, None]
    score = (np.nan_to_num(means) * share).sum(axis=1)
    variance = (np.nan_to_num(variances) * share**2).sum(axis=1)
    enough = present >= settings.least_weight - 1e-12
    return np.where(enough, score, np.nan), np.where(enough, variance, np.nan), present


def score_limits(score: Numbers, variance: Numbers, confidence: float = 0.95) -> tuple[Numbers, Numbers]:
    """Limits of a score in 0–1: quantiles of the Beta distribution with the same mean and variance."""
    from scipy.special import betaincinv

    a, b = beta_parameters(score, variance)
    known = np.isfinite(a)
    tail = (1 - confidence) / 2
    lower, upper = np.full_like(score, np.nan), np.full_like(score, np.nan)
    lower[known], upper[known] = betaincinv(a[known], b[known], tail), betaincinv(a[known], b[known], 1 - tail)
    return lower, upper


def beta_parameters(mean: Numbers, variance: Numbers) -> tuple[Numbers, Numbers]:
    """(a, b) of the Beta distribution with this mean and variance; NaN where they are."""
    mean = np.clip(mean, 1e-9, 1 - 1e-9)
    variance = np.clip(variance, 1e-12, mean * (1 - mean) * 0.999)
    size = mean * (1 - mean) / variance - 1
    return mean * size, (1 - mean) * size


def bands(lower: Numbers, upper: Numbers, settings: ScoreSettings) -> npt.NDArray[np.object_]:
    """The band that holds the whole interval; "undecided" where it reaches over an edge, "" where there is no score."""
    names = [*settings.bands, "poor"]
    edges = np.array(sorted(settings.bands.values()))
    place_low = np.searchsorted(edges, lower, side="right")
    place_high = np.searchsorted(edges, upper, side="right")
    chosen = np.array(names[::-1], dtype=object)[np.clip(place_low, 0, len(edges))]
    found = np.where(place_low == place_high, chosen, "undecided")
    return np.where(np.isfinite(lower), found, "")


def point_band(score: Numbers, settings: ScoreSettings) -> npt.NDArray[np.int64]:
    """Number of the band (0 = the lowest) in which a score stands, whatever its interval."""
    return np.searchsorted(np.array(sorted(settings.bands.values())), np.nan_to_num(score, nan=-1.0), side="right")
