"""Counting noise: how far a ratio of two counts, or one month of a series, may lie off by chance alone."""

from __future__ import annotations

from typing import Any

import numpy as np


def ratio_interval(a: Any, b: Any, *, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Interval of the ratio of two Poisson means from their counts.

    Given a + b, the count a is binomial with share ratio / (1 + ratio); the exact limits of the share (Clopper and
    Pearson) give those of the ratio. Both counts 0: from 0 to infinity. Where one count is part of the other the true noise
    is smaller, so that the interval errs on the side of not accusing.

    a, b : counts >= 0 (a negative one counts as 0); arrays or numbers. Returns (lower, upper); missing where a count is.
    Source: Clopper, Pearson, Biometrika 1934;26:404; Przyborowski, Wilenski, Biometrika 1940;31:313.
    """
    from scipy.stats import beta

    first, second = np.maximum(np.asarray(a, float), 0), np.maximum(np.asarray(b, float), 0)
    tail = (1 - confidence) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(first > 0, beta.ppf(tail, first, second + 1), 0.0)
        high = np.where(second > 0, beta.ppf(1 - tail, first + 1, second), 1.0)
        unknown = np.isnan(first) | np.isnan(second)
        return np.where(unknown, np.nan, low / (1 - low)), np.where(unknown, np.nan, high / (1 - high))


def month_is_noise(value: Any, total: Any, months: Any, *, z: float) -> np.ndarray:
    """Whether one month of a series may be chance: given the total over the months, a month is binomial with share 1/months.

    value : the month; total : of all months, that one included; months : how many
    z : the strictness of the rule that flagged it, in standard deviations; noise where the two-sided exact probability
        is at least that of z in a normal distribution
    """
    from scipy.stats import binom, norm

    counts = np.rint(np.maximum(np.asarray(value, float), 0))
    all_of = np.maximum(np.rint(np.maximum(np.asarray(total, float), 0)), counts)
    share = 1 / np.asarray(months, float)
    above, below = binom.sf(counts - 1, all_of, share), binom.cdf(counts, all_of, share)
    return np.minimum(1.0, 2 * np.minimum(above, below)) >= 2 * norm.sf(z)
