"""From the expected count to the bound of what is usual: three rules of the Farrington detectors."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.trend.farrington_control import FarringtonControl

_EXPONENT = {"2/3": 2 / 3, "1/2": 1 / 2, "none": 1.0}


def bounds(now: Numbers, model: dict[str, Numbers], control: FarringtonControl) -> dict[str, Numbers]:
    """expected, lower, upperbound, score, pvalue, mu0 of the monitored counts.

    model : eta (log of the expected count), se of eta, dispersion (at least 1); the score is (observed − centre) over
        (upperbound − centre), with centre = the expected count for "delta" and, as the package has it, its logarithm for the
        negative binomial rules (an alarm is the same either way).
    """
    if control.threshold_method == "delta":
        return _delta(now, model, control)
    return _negative_binomial(now, model, control)


def _delta(now: Numbers, model: dict[str, Numbers], control: FarringtonControl) -> dict[str, Numbers]:
    from scipy.special import ndtr

    mean = np.exp(model["eta"])
    power = _EXPONENT[control.powertrans]
    with np.errstate(all="ignore"):
        tau = model["dispersion"] + (model["se"] * mean) ** 2 / mean
        spread = power * np.sqrt(mean ** (2 * power - 1) * tau)
        z = NormalDist().inv_cdf(1 - (control.alpha / 2 if control.classic else control.alpha))
        ends = [(mean**power + side * z * spread) ** (1 / power) for side in (-1, 1)]
        upper = np.fmax(*ends)
        lower = np.where(np.isnan(ends[0]), 0.0, np.maximum(np.fmin(*ends), 0.0))
        p_value = 1 - ndtr((now**power - mean**power) / spread)
        score = (now - mean) / (upper - mean)
        mu0 = np.exp(model["eta"] + NormalDist().inv_cdf(1 - control.alpha) * model["se"])
    return {"expected": mean, "lower": lower, "upperbound": upper, "score": score, "pvalue": p_value, "mu0": mu0}


def _negative_binomial(now: Numbers, model: dict[str, Numbers], control: FarringtonControl) -> dict[str, Numbers]:
    eta, phi = model["eta"], model["dispersion"]
    shift = 0.0 if control.threshold_method == "nbPlugin" else NormalDist().inv_cdf(1 - control.alpha) * model["se"]
    with np.errstate(all="ignore"):
        mu0 = np.exp(eta + shift)
        known = np.isfinite(mu0) & np.isfinite(phi)
        safe, spread = np.where(known, mu0, 1.0), np.where(known, phi, 1.0)
        lower = np.where(known, count_quantile(control.alpha, safe, spread), np.nan)
        upper = np.where(known, count_quantile(1 - control.alpha, safe, spread), np.nan)
        p_value = np.where(known, at_least(now, safe, spread), np.nan)
        score = (now - eta) / (upper - eta)
    return {
        "expected": np.where(known, np.exp(eta), np.nan),
        "lower": lower,
        "upperbound": upper,
        "score": score,
        "pvalue": p_value,
        "mu0": mu0,
    }


def count_quantile(p: float, mean: Numbers, dispersion: Numbers) -> Numbers:
    """Smallest count whose probability of not being exceeded is at least p: negative binomial, Poisson where dispersion is 1."""
    guess = np.maximum(np.round(mean), 0.0)
    low, high = np.full(mean.shape, -1.0), guess
    short = _not_above(high, mean, dispersion) < p
    while short.any():
        low = np.where(short, high, low)
        high = np.where(short, 2 * high + np.sqrt(mean * dispersion) + 1, high).round()
        short = _not_above(high, mean, dispersion) < p
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        reached = _not_above(middle, mean, dispersion) >= p
        high, low = np.where(reached, middle, high), np.where(reached, low, middle)
    return high


def _not_above(count: Numbers, mean: Numbers, dispersion: Numbers) -> Numbers:
    """P(X <= count); a hair is added, so that rounding does not move a quantile that sits on a step."""
    from scipy.special import betainc, pdtr

    whole = np.floor(count + 1e-7)
    wide = dispersion > 1
    size = np.where(wide, mean / np.where(wide, dispersion - 1, 1.0), 1.0)
    inside = np.maximum(whole, 0.0)
    probability = np.where(wide, betainc(size, inside + 1, 1 / dispersion), pdtr(inside, mean))
    return np.where(whole < 0, 0.0, probability * (1 + 64 * np.finfo(float).eps))


def at_least(count: Numbers, mean: Numbers, dispersion: Numbers) -> Numbers:
    """P(X >= count) of a negative binomial (Poisson where the dispersion is 1) with this mean and variance/mean."""
    from scipy.special import betainc, gammainc

    below = np.floor(count - 1 + 1e-7)
    wide = dispersion > 1
    size = np.where(wide, mean / np.where(wide, dispersion - 1, 1.0), 1.0)
    inside = np.maximum(below, 0.0)
    tail = np.where(wide, betainc(inside + 1, size, 1 - 1 / dispersion), gammainc(inside + 1, mean))
    return np.where(np.isnan(count), np.nan, np.where(below < 0, 1.0, tail))
