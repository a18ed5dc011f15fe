"""What each value of a panel should have been, judged from all the others.

On the log scale, expected count = level of the unit (moving over time) + what all units share in the period
+ corrections whose weights the panel itself teaches (values of the last months, the same month of other years, the
province in that period, Tết). Levels and shared changes are sums of counts with negative binomial weights
1 / (1 / expected + spread), so that a count of 3 and a count of 3,000 each speak with the weight they deserve; values far
from their neighbours are drawn in before they speak. A value never speaks for itself: every sum leaves it out.

Sources: quasi-score of the negative binomial (McCullagh & Nelder, Generalized Linear Models, ch. 9); one-step
M-estimation from a median start (Huber, Robust Statistics); gamma-Poisson shrinkage (Clayton & Kaldor, Biometrics 1987).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tkyt_analysis.quality.model.arrays import (
    median_of_neighbours,
    quiet,
    robust_variance,
    thinned,
    time_kernel,
)
from tkyt_analysis.quality.model.spread import spread_of_series

_SPREAD_LIMITS = (0.002, 1.5)
_HUBER = 2.5
_BEYOND_CHANCE = 4.0
_FEW_UNITS, _UNKNOWN_LEVEL = 5, 4.0
_YEARS = 24  # periods from which seasons can be told from trends


@dataclass(frozen=True)
class Expected:
    """Arrays of shape (units, periods).

    counts : as reported, negative ones missing; mean : expected count; spread : variance of sound values on the log scale
    beyond counting; level_variance : uncertainty of the expected log count; others : other values of the series;
    shared : log change that the unit shares with others in the period, beyond the season; weights : learned corrections
    """

    counts: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    level_variance: np.ndarray
    others: np.ndarray
    shared: np.ndarray
    weights: np.ndarray

    @property
    def variance(self) -> np.ndarray:
        """Log variance of a sound value around `mean` beyond counting noise."""
        return self.spread + self.level_variance


@dataclass(frozen=True)
class LevelPrior:
    """What is known of each unit's log level before its own values: mean and variance, shape (units,)."""

    mean: np.ndarray
    variance: np.ndarray


class _Fit:
    """The steps of `expected_counts`, which share arrays; see there."""

    def __init__(self, counts: np.ndarray, prior: LevelPrior | None) -> None:
        self.y = np.where(counts >= 0, counts, np.nan).astype(float)
        self.present = np.isfinite(self.y)
        self.filled = np.where(self.present, self.y, 0.0)
        self.n = self.present.sum(axis=1, keepdims=True)
        self.log = np.log(self.y + 0.5)
        self.own = np.nanmedian(self.log, axis=1, keepdims=True)
        self.pooled = prior is None
        self.prior, self.prior_variance = self._prior(prior)
        self._start()

    def _prior(self, given: LevelPrior | None) -> tuple[np.ndarray, np.ndarray]:
        shape = (len(self.y), 1)
        if given is not None:
            return given.mean.reshape(shape), given.variance.reshape(shape)
        middle = np.nanmedian(self.own)
        between = np.nan_to_num(robust_variance(self.own - middle)) if len(self.y) >= _FEW_UNITS else _UNKNOWN_LEVEL
        return np.full(shape, np.nan_to_num(middle)), np.full(shape, max(float(between), 0.04))

    def _start(self) -> None:
        """First guess: medians of periods and of neighbours, which no single value moves far."""
        drawn = (np.nan_to_num(self.own) * self.n / 0.5 + self.prior / self.prior_variance) / (
            self.n / 0.5 + 1 / self.prior_variance
        )
        centred = self.log - np.where(self.n > 2, self.own, np.where(self.n > 0, drawn, self.prior))
        reporting = self.present.sum(axis=0)
        middle = np.nan_to_num(np.nanmedian(centred, axis=0))
        self.period = (middle * reporting / (reporting + 5.0) * (reporting >= 3))[None, :]
        near = median_of_neighbours(self.log - self.period, 12)
        if self.pooled:
            level = np.where(np.isfinite(near), near, self.prior)
        else:
            known = np.minimum(self.n - self.present, 12) / 0.4
            level = (np.nan_to_num(near) * known + self.prior / self.prior_variance) / (known + 1 / self.prior_variance)
        self.level = np.exp(level)
        self.mean = np.exp(level + self.period)
        noise = np.nanmedian(1 / (self.mean + 0.5)[self.present]) if self.present.any() else 0.0
        self._set_spread(robust_variance((self.log - level - self.period)[self.present]) - noise)

    def _set_spread(self, value: float) -> None:
        self.phi = float(np.clip(np.nan_to_num(value, nan=0.1), *_SPREAD_LIMITS))

    def refine(self) -> None:
        """Period effects and levels as leave-one-out quasi-scores of the drawn-in counts."""
        reach = np.exp(_HUBER * np.sqrt(self.phi + 1 / (self.mean + 0.5)))
        drawn_in = np.clip(self.filled + 0.5, (self.mean + 0.5) / reach, (self.mean + 0.5) * reach) - 0.5
        weight = 1 / (1 + self.phi * self.mean)
        self.told = np.where(self.present, np.maximum(drawn_in, 0) * weight, 0.0)
        self._period_effects(np.where(self.present, self.level * weight, 0.0))
        self.base = np.where(self.present, np.exp(self.period) * weight, 0.0)
        self._levels()
        self.mean = self.level * np.exp(self.period)
        self.residual = np.where(self.present, np.log((self.filled + 0.5) / (self.mean + 0.5)), np.nan)
        noise = (1 / (self.mean + 0.5) + self.level_variance)[self.present]
        self._set_spread(robust_variance(self.residual[self.present]) - (np.median(noise) if noise.size else 0.0))

    def _period_effects(self, due: np.ndarray) -> None:
        told, due = (part.sum(axis=0, keepdims=True) - part for part in (self.told, due))
        pull = 1 / max(float(np.var(self.period)), 0.01)
        self.period = np.log((told + pull) / (due + pull))

    def _levels(self) -> None:
        periods = self.y.shape[1]
        kernel = time_kernel(periods, 12.0, 0.15) if periods > _YEARS else time_kernel(periods, 1e9)
        pull = 1 / self.prior_variance
        known = self.base @ kernel
        self.level = (self.told @ kernel + pull) / (known + pull / np.exp(self.prior))
        self.level_variance = 1 / (known * self.level + pull)

    def local(self, scale: float, pull: float) -> np.ndarray:
        """Log change of the unit around a period against its level, from the periods near by."""
        kernel = time_kernel(self.y.shape[1], scale)
        hold = pull * self.mean / (1 + self.phi * self.mean)
        return np.log((self.told @ kernel + hold) / ((self.base @ kernel) * self.level + hold))

    def season(self, number: np.ndarray, local: np.ndarray) -> np.ndarray:
        """Log change of the unit in the same month of other years."""
        same = (number[:, None] == number[None, :]).astype(float)
        np.fill_diagonal(same, 0)
        hold = self.mean / (1 + self.phi * self.mean)
        return np.log((self.told @ same + hold) / ((self.base * self.level * np.exp(local)) @ same + hold))

    def group(self, groups: np.ndarray) -> list[np.ndarray]:
        """Log change of the other units of the group (province) in the period: as it is, and where it is beyond chance."""
        names, place = np.unique(groups.astype(str), return_inverse=True)
        if not 1 < len(names) < len(groups):
            return []
        member = np.zeros((len(names), len(groups)))
        member[place, np.arange(len(groups))] = 1
        due = np.where(self.present, self.mean / (1 + self.phi * self.mean), 0.0)
        told, due = ((member @ part)[place] - part for part in (self.told, due))
        change = np.log((told + 20.0) / (due + 20.0))
        return [change, np.where(np.abs(change) * np.sqrt(due) > _BEYOND_CHANCE, change, 0.0)]

    def learn(self, corrections: list[np.ndarray]) -> np.ndarray:
        """Weight of each correction: ridge regression of the drawn-in residuals of all values."""
        if not corrections or not self.present.any():
            return np.zeros(len(corrections))
        reach = 3 * np.sqrt(self.phi + 1 / (self.mean + 0.5))
        weight = 1 / (1 / (self.mean + 0.5) + self.phi + self.level_variance)
        columns = [np.broadcast_to(one, self.y.shape)[self.present] for one in corrections]
        target = np.clip(self.residual, -reach, reach)[self.present]
        *columns, target, weight = thinned(*columns, target, weight[self.present], most=40_000)
        x = np.stack(columns, axis=1)
        normal = (x * weight[:, None]).T @ x + 30.0 * np.eye(len(corrections))
        return np.clip(np.linalg.solve(normal, (x * weight[:, None]).T @ target), -0.5, 1.3)


def expected_counts(
    counts: np.ndarray,
    *,
    number: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    tet: np.ndarray | None = None,
    prior: LevelPrior | None = None,
) -> Expected:
    """Expected count and spread of every cell of one units × periods matrix.

    Parameters
    ----------
    counts : shape (units, periods), missing = NaN; negative values count as missing
    number : number of each period within its year (month 1–12), for seasons
    groups : province of each unit, for changes that a province shares
    tet : share of the days of each period that are Tết holidays
    prior : what is known of the units' levels from elsewhere (other indicators); default: the units among themselves

    Cost is linear in units; periods enter through one matrix product (periods × periods).
    """
    with quiet():
        fit = _Fit(counts, prior)
        fit.refine()
        fit.refine()
        shared, own = _shared_corrections(fit, groups, tet), _own_corrections(fit, number)
        weights = fit.learn([*own, *shared])
        change = sum((w * one for w, one in zip(weights, [*own, *shared])), np.zeros_like(fit.mean))
        beyond = _beyond_season(fit.period, number) + sum(w * one for w, one in zip(weights[len(own) :], shared))
        mean = fit.mean * np.exp(change)
        residual = np.where(fit.present, np.log((fit.filled + 0.5) / (mean + 0.5)), np.nan)
        spread = spread_of_series(residual, mean, fit.level_variance)
    return Expected(
        fit.y, mean, spread, fit.level_variance, fit.n - fit.present, np.broadcast_to(beyond, mean.shape), weights
    )


def _own_corrections(fit: _Fit, number: np.ndarray | None) -> list[np.ndarray]:
    if fit.y.shape[1] < 6:
        return []
    near = fit.local(3.0, 1.5)
    found = [near, fit.local(1.0, 0.7) - near]
    if number is not None and fit.y.shape[1] >= _YEARS:
        found.append(fit.season(number, near))
    return found


def _shared_corrections(fit: _Fit, groups: np.ndarray | None, tet: np.ndarray | None) -> list[np.ndarray]:
    found = fit.group(groups) if groups is not None else []
    if tet is not None and np.ptp(tet) > 0:
        found.append(np.broadcast_to(3 * (tet - tet.mean()), fit.y.shape))
    return found


def _beyond_season(period: np.ndarray, number: np.ndarray | None) -> np.ndarray:
    """The shared change of each period beyond what the same month of other years usually shows."""
    if number is None or period.shape[1] < _YEARS:
        return period
    same = number[:, None] == number[None, :]
    np.fill_diagonal(same, False)
    usual = np.array([np.median(period[:, row]) if row.any() else 0.0 for row in same])
    return np.where(np.abs(period) < np.abs(period - usual), period, period - usual)
