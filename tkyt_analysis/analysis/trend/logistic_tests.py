"""How many joinpoints: ljr's forward and backward sequences of likelihood-ratio tests with simulated p-values."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.trend.logistic_search import LogisticFit, best_fit

Test = tuple[int, int, float, float]  # null, alternative, statistic, p-value


class OneSeries(Protocol):
    """What a test needs of a series."""

    @property
    def sizes(self) -> Numbers: ...
    @property
    def time(self) -> Numbers: ...
    @property
    def extra(self) -> Numbers: ...
    @property
    def offset(self) -> Numbers: ...


def forward(
    series: OneSeries, fits: dict[int, LogisticFit], *, alpha: float, replicates: int, seed: int
) -> tuple[int, list[Test]]:
    """0 against 1 joinpoint, 1 against 2, …, until a test is not significant."""
    tests: list[Test] = []
    for k in range(max(fits)):
        tests.append(_test(series, fits, k, k + 1, replicates=replicates, seed=seed + len(tests)))
        if tests[-1][3] >= alpha:
            return k, tests
    return max(fits), tests


def backward(
    series: OneSeries, fits: dict[int, LogisticFit], *, alpha: float, replicates: int, seed: int
) -> tuple[int, list[Test]]:
    """0 against the largest number: the null grows by one if rejected at alpha / largest, else the alternative shrinks."""
    null, other, largest = 0, max(fits), max(fits)
    tests: list[Test] = []
    while null < other:
        tests.append(_test(series, fits, null, other, replicates=replicates, seed=seed + len(tests)))
        if tests[-1][3] > alpha / largest:
            other -= 1
        else:
            null += 1
    return null, tests


def _test(
    series: OneSeries, fits: dict[int, LogisticFit], null: int, other: int, *, replicates: int, seed: int
) -> Test:
    """Series drawn from the null model; the share whose gain in log-likelihood exceeds the observed one."""
    observed = float(fits[other].loglik[0] - fits[null].loglik[0])
    p = 1 / (1 + np.exp(-_logit(series, fits[null])))
    sizes = np.rint(series.sizes).astype(np.int64)
    drawn = np.random.default_rng(seed).binomial(sizes, p, size=(replicates, len(sizes))).astype(float)
    whole = np.broadcast_to(sizes.astype(float), drawn.shape)
    low, high = (
        best_fit(drawn, whole, series.time, k, extra=series.extra, offset=series.offset).loglik for k in (null, other)
    )
    return null, other, observed, float((high - low > observed).mean())


def _logit(series: OneSeries, fit: LogisticFit) -> Numbers:
    hinges = np.maximum(series.time[:, None] - fit.tau, 0.0)
    line = fit.beta[0, 0] + fit.beta[0, 1] * series.time
    return series.offset + line + series.extra @ fit.beta[0, 2:] + hinges @ fit.change[0]
