"""Autoregression of residuals by the Yule–Walker equations, as stats::ar and stats::ARMAacf of R."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AutoRegression:
    """sigma : standard deviation of the ratios beyond that of the counts; coefficients : of lags 1, 2, …"""

    sigma: float
    coefficients: Numbers

    @property
    def matters(self) -> bool:
        """Whether errors are correlated at all."""
        return len(self.coefficients) > 0 and self.sigma > 0


def fit_autoregression(ratio: Numbers, known_variance: Numbers, *, order_max: int, aic: bool) -> AutoRegression:
    """The extra variance of the ratios and the autoregression of the standardised ones.

    ratio : observed / expected - 1; known_variance : of counts and expected counts, relative; order_max, aic : largest
    order, and whether Akaike's criterion chooses (n·log(variance) + 2·order, as R's `ar`) or the largest is taken.
    """
    extra = max(0.0, float(np.mean(ratio**2 - known_variance)))
    standard = ratio / np.sqrt(known_variance + extra)
    return AutoRegression(float(np.sqrt(extra)), yule_walker(standard, order_max=order_max, aic=aic))


def yule_walker(x: Numbers, *, order_max: int, aic: bool = True) -> Numbers:
    """Coefficients of the chosen order by Levinson's recursion; the mean is taken off, covariances divide by n."""
    n, centred = len(x), x - x.mean()
    covariance = np.array([centred[: n - lag] @ centred[lag:] for lag in range(order_max + 1)]) / n
    coefficients, variances = [np.array([])], [covariance[0]]
    for order in range(1, order_max + 1):
        before = coefficients[-1]
        last = (covariance[order] - before @ covariance[order - 1 : 0 : -1]) / variances[-1]
        coefficients.append(np.append(before - last * before[::-1], last))
        variances.append(variances[-1] * (1 - last**2))
    criterion = n * np.log(variances) + 2 * np.arange(order_max + 1)
    return coefficients[int(criterion.argmin()) if aic else order_max]


def autocorrelation(coefficients: Numbers, size: int) -> Numbers:
    """Correlation matrix (size × size) of the stationary process with these coefficients."""
    from scipy.linalg import toeplitz

    order = len(coefficients)
    equations = np.eye(order + 1)
    for lag in range(order + 1):
        for back in range(1, order + 1):
            equations[lag, abs(lag - back)] -= coefficients[back - 1]
    start = np.linalg.solve(equations, np.eye(order + 1)[0])
    course = list(start / start[0])
    while len(course) < size:
        course.append(float(coefficients @ np.array(course[-1 : -order - 1 : -1])))
    found: Numbers = toeplitz(course[:size])
    return found
