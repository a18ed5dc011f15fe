"""Limits of a weighted sum of Poisson counts (a directly standardised rate), by name.

Each function takes the sums of many rates at once (`WeightedSums`) and gives their lower and upper limits. Reviews:
Ng, Filardo & Zheng, Comput Stat Data Anal 2008;52:3501-16; Swift, Stat Methods Med Res 2010;19:107-16.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.limits import Numbers, gamma_quantile, midp_gamma_limits, poisson_limits, tail, z_value
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word


@dataclass(frozen=True)
class WeightedSums:
    """Sums over age groups, one element per rate; each is worked out when a method asks for it.

    w : rates × ages: weight / person-years / sum of weights, 0 where the age group does not count
    x : events; squares : Σ frequency² · persons (the events themselves where each person has one event)
    kept : age groups that belong to the rate; None: all of them
    """

    w: Numbers
    x: Numbers
    squares: Numbers
    person_years: Numbers
    events: Numbers
    kept: npt.NDArray[np.bool_] | None = None

    @cached_property
    def rate(self) -> Numbers:
        """Σ w · events."""
        return np.einsum("ij,ij->i", self.w, self.x)

    @cached_property
    def variance(self) -> Numbers:
        """Σ w² · events."""
        return np.einsum("ij,ij,ij->i", self.w, self.w, self.squares)

    @cached_property
    def third(self) -> Numbers:
        """Σ w³ · events."""
        return np.einsum("ij,ij,ij,ij->i", self.w, self.w, self.w, self.x)

    @cached_property
    def largest(self) -> Numbers:
        """The largest w."""
        return self.w.max(axis=1, initial=0.0)

    @cached_property
    def smallest(self) -> Numbers:
        """The smallest w of the age groups that belong to the rate."""
        kept = self.w if self.kept is None else np.where(self.kept, self.w, np.inf)
        return kept.min(axis=1, initial=np.inf)

    @cached_property
    def mean(self) -> Numbers:
        """The mean of w."""
        return self.w.sum(axis=1) / self._number()

    @cached_property
    def mean_square(self) -> Numbers:
        """The mean of w²."""
        return np.einsum("ij,ij->i", self.w, self.w) / self._number()

    def _number(self) -> Numbers:
        width = np.full(len(self.w), float(self.w.shape[1]))
        return width if self.kept is None else np.maximum(self.kept.sum(axis=1), 1).astype(float)


def direct_limits(
    sums: WeightedSums, method: str, *, confidence: float, count_limits: str = "byar"
) -> tuple[Numbers, Numbers]:
    """Lower and upper limits of the rates by the named method; NaN where it has none without events.

    method : one of `METHODS`; count_limits : limits of the total count in Dobson's method (`limits.poisson_limits`)
    """
    method = direct_method(method)
    if method not in METHODS:
        raise UsageError("error.standardisation_method_unknown", value=method, known=", ".join(METHODS))
    if method == "dobson":
        return _dobson(sums, confidence, count_limits)
    return METHODS[method](sums, confidence)


def _dobson(sums: WeightedSums, confidence: float, count_limits: str = "byar") -> tuple[Numbers, Numbers]:
    """Limits of the total count, moved to the rate and stretched by its standard error (Dobson et al. 1991)."""
    low, high, _ = poisson_limits(sums.events, confidence=confidence, limits=count_limits)
    some = sums.events > 0
    over = np.divide(sums.variance, sums.events, out=np.full_like(sums.rate, np.nan), where=some)
    spread = np.sqrt(np.where(over >= 0, over, np.nan))
    return sums.rate + spread * (low - sums.events), sums.rate + spread * (high - sums.events)


def _shape_scale(mean: Numbers, variance: Numbers) -> tuple[Numbers, Numbers]:
    """Gamma distribution of this mean and variance; shape 0 where the mean is 0."""
    known = (mean > 0) & (variance > 0)
    m, v = np.where(known, mean, 1.0), np.where(known, variance, 1.0)
    return np.where(known, m**2 / v, 0.0), v / m


def _with_one_more(sums: WeightedSums, added: str) -> tuple[Numbers, Numbers]:
    """Mean and variance of the rate if one more event of a certain weight had been seen."""
    weight, square = {
        "largest": (sums.largest, sums.largest**2),
        "mean": (sums.mean, sums.mean**2),
        "tiwari": (sums.mean, sums.mean_square),
        "midrange": ((sums.largest + sums.smallest) / 2, ((sums.largest + sums.smallest) / 2) ** 2),
        "nothing": (0.0 * sums.mean, 0.0 * sums.mean),
    }[added]
    return sums.rate + weight, sums.variance + square


def _gamma(sums: WeightedSums, confidence: float, *, added: str) -> tuple[Numbers, Numbers]:
    """Fay & Feuer 1997: gamma distributions; the upper limit counts one more event of the added weight."""
    error = tail(confidence)
    lower = np.where(sums.rate > 0, gamma_quantile(error, *_shape_scale(sums.rate, sums.variance)), 0.0)
    return lower, gamma_quantile(1 - error, *_shape_scale(*_with_one_more(sums, added)))


def _gamma_midp(sums: WeightedSums, confidence: float) -> tuple[Numbers, Numbers]:
    """Fay & Kim 2017: mid-P version of the gamma limits (largest weight)."""
    above = _shape_scale(*_with_one_more(sums, "largest"))
    return midp_gamma_limits(_shape_scale(sums.rate, sums.variance), above, confidence)


def _normal(sums: WeightedSums, confidence: float) -> tuple[Numbers, Numbers]:
    rate = np.where(sums.rate > 0, sums.rate, np.nan)
    half = z_value(confidence) * np.sqrt(sums.variance)
    return np.maximum(rate - half, 0.0), rate + half


def _lognormal(sums: WeightedSums, confidence: float) -> tuple[Numbers, Numbers]:
    rate = np.where(sums.rate > 0, sums.rate, np.nan)
    factor = np.exp(z_value(confidence) * np.sqrt(sums.variance) / rate)
    return rate / factor, rate * factor


def _logit(sums: WeightedSums, confidence: float) -> tuple[Numbers, Numbers]:
    rate = np.where((sums.rate > 0) & (sums.rate < 1), sums.rate, np.nan)
    half = z_value(confidence) * np.sqrt(sums.variance) / (rate * (1 - rate))
    odds = rate / (1 - rate)
    lower, upper = odds * np.exp(-half), odds * np.exp(half)
    return lower / (1 + lower), upper / (1 + upper)


def _beta(sums: WeightedSums, confidence: float, *, added: str) -> tuple[Numbers, Numbers]:
    """Beta distribution of the rate's mean and variance (Tiwari, Clegg & Zou 2006)."""
    from scipy.special import betaincinv

    mean, variance = _with_one_more(sums, added)
    known = (mean > 0) & (mean < 1) & (variance > 0)
    m, v = np.where(known, mean, 0.5), np.where(known, variance, 0.01)
    total = m * (1 - m) / v - 1
    error = tail(confidence)
    ends = [
        np.where(known & (total > 0), betaincinv(m * total, (1 - m) * total, p), np.nan) for p in (error, 1 - error)
    ]
    return np.where(sums.rate > 0, ends[0], 0.0 * ends[0]), ends[1]


def _swift(sums: WeightedSums, confidence: float) -> tuple[Numbers, Numbers]:
    """Approximate bootstrap (Swift, Stat Med 1995;14:1875-88)."""
    rate = np.where(sums.rate > 0, sums.rate, np.nan)
    deviation = np.sqrt(sums.variance)
    skew = sums.third / (6 * np.where(sums.rate > 0, sums.variance, np.nan) ** 1.5)
    z = z_value(confidence)
    ends = [rate + deviation * (skew + side) / (1 - skew * (skew + side)) ** 2 for side in (-z, z)]
    return ends[0], ends[1]


METHODS: dict[str, Callable[[WeightedSums, float], tuple[Numbers, Numbers]]] = {
    "dobson": _dobson,
    "fay_feuer": lambda sums, confidence: _gamma(sums, confidence, added="largest"),
    "tiwari": lambda sums, confidence: _gamma(sums, confidence, added="tiwari"),
    "gamma_midp": _gamma_midp,
    "gamma_mean": lambda sums, confidence: _gamma(sums, confidence, added="mean"),
    "gamma_midrange": lambda sums, confidence: _gamma(sums, confidence, added="midrange"),
    "normal": _normal,
    "lognormal": _lognormal,
    "logit": _logit,
    "beta": lambda sums, confidence: _beta(sums, confidence, added="nothing"),
    "beta_tiwari": lambda sums, confidence: _beta(sums, confidence, added="tiwari"),
    "bootstrap": _swift,
}

_OTHER_NAMES = {
    "gamma": "fay_feuer", "fayfeuer": "fay_feuer", "fay_and_feuer": "fay_feuer", "max": "fay_feuer", "tcz": "tiwari",
    "tiwari_cheng_zou": "tiwari", "seer": "tiwari", "seer_stat": "tiwari", "midp": "gamma_midp", "mid_p": "gamma_midp",
    "midp_gamma": "gamma_midp", "mid_p_gamma": "gamma_midp", "gamma_mid_p": "gamma_midp", "fay_kim": "gamma_midp",
    "minmaxavg": "gamma_midrange", "byar": "dobson", "byars": "dobson", "dobson_byar": "dobson", "phe": "dobson",
    "asymptotic": "normal", "log": "lognormal", "swift": "bootstrap", "approximate_bootstrap": "bootstrap",
}  # fmt: skip


def direct_method(method: str) -> str:
    """The name of `METHODS` that is meant: other programs' names ("gamma", "tcz", "Fay-Feuer") are understood."""
    return str(option_word(method, METHODS, _OTHER_NAMES))
