"""How likely a count is when it is sound: Student's t on the scale that makes negative binomial counts even."""

from __future__ import annotations

from math import lgamma, log, pi

import numpy as np


def stabilised(counts: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Counts on a scale of about one standard deviation per unit (Anscombe, Biometrika 1948), given the log variance `spread`."""
    return 2 / np.sqrt(spread) * np.arcsinh(np.sqrt(spread * (counts + 0.375)))


def counts_at(distance: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """The inverse of `stabilised`; never below 0."""
    root = np.sinh(np.maximum(distance, 0) * np.sqrt(spread) / 2)
    return np.maximum(root**2 / spread - 0.375, 0)


def distance_from(counts: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Standard deviations between a count and its expected count."""
    return stabilised(counts, spread) - stabilised(mean, spread)


def log_probability(counts: np.ndarray, mean: np.ndarray, spread: np.ndarray, tail: float) -> np.ndarray:
    """Log of the approximate probability of a count: t density of its distance times the slope of the scale."""
    distance = distance_from(counts, mean, spread)
    constant = lgamma((tail + 1) / 2) - lgamma(tail / 2) - 0.5 * log(tail * pi)
    at = counts + 0.375
    return constant - (tail + 1) / 2 * np.log1p(distance**2 / tail) - 0.5 * np.log(at * (1 + spread * at))
