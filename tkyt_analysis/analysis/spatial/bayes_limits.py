"""Limits of empirical Bayes rates: quantiles of the posterior whose mean is the rate.

Marshall's rate is the mean of a gamma posterior, Martuzzi and Elliott's that of a beta posterior, so their quantiles are
limits. They take the prior's mean and variance for known and are a little too narrow. Where areas differ no more than by
chance, each has the rate of all, and the limits are the exact Poisson limits of that rate.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.limits import tail

Numbers = npt.NDArray[np.float64]


def gamma_limits(
    e: Numbers, n: Numbers, mean: Numbers, variance: Numbers, wanted: npt.NDArray[np.bool_], confidence: float
) -> tuple[Numbers, Numbers]:
    """Quantiles of gamma(events + mean²/variance, population + mean/variance); NaN where not wanted or without variance."""
    from scipy.special import gammaincinv

    side = tail(confidence)
    known = wanted & (variance > 0) & (mean > 0)
    m, v = mean[known], variance[known]
    shape, scale = e[known] + m**2 / v, n[known] + m / v
    return _placed(known, gammaincinv(shape, side) / scale), _placed(known, gammaincinv(shape, 1 - side) / scale)


def beta_limits(
    e: Numbers, n: Numbers, mean: Numbers, weight: Numbers, wanted: npt.NDArray[np.bool_], confidence: float
) -> tuple[Numbers, Numbers]:
    """Quantiles of beta(events + M·mean, population − events + M·(1 − mean)) with M = population·(1 − weight)/weight.

    With M = 0 (the area's own rate stands) the exact limits of Clopper and Pearson.
    """
    from scipy.special import betaincinv

    side = tail(confidence)
    known = wanted & (weight > 0) & (mean > 0) & (mean < 1) & (e <= n)
    m, size = mean[known], n[known] * (1 / weight[known] - 1)
    a, b = e[known] + size * m, n[known] - e[known] + size * (1 - m)
    more = (size == 0).astype(float)
    lower = np.where(a > 0, betaincinv(np.where(a > 0, a, 1.0), b + more, side), 0.0)
    upper = np.where(b > 0, betaincinv(a + more, np.where(b > 0, b, 1.0), 1 - side), 1.0)
    return _placed(known, lower), _placed(known, upper)


def total_limits(
    events: Numbers, people: Numbers, wanted: npt.NDArray[np.bool_], confidence: float
) -> tuple[Numbers, Numbers]:
    """Exact Poisson limits of the rate of all (events over people in total); 0 events have the lower limit 0."""
    from scipy.special import gammaincinv

    side = tail(confidence)
    known = wanted & (people > 0)
    total, size = events[known], people[known]
    some = np.where(total > 0, total, 1.0)
    lower = np.where(total > 0, gammaincinv(some, side), 0.0) / size
    return _placed(known, lower), _placed(known, gammaincinv(total + 1, 1 - side) / size)


def _placed(known: npt.NDArray[np.bool_], values: Numbers) -> Numbers:
    out = np.full(known.shape, np.nan)
    out[known] = values
    return out
