"""Several indicators of the same units judged together: what one says about the other.

First every indicator alone; then the level of each unit in each indicator as the others predict it (short series borrow
from them); then each unit-month: where all indicators of a unit move together, none of them is an error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tkyt_analysis.quality.model.across import predicted_by_others, signal_covariance
from tkyt_analysis.quality.model.arrays import MAD_TO_SD, quiet
from tkyt_analysis.quality.model.expected import Expected, LevelPrior, expected_counts
from tkyt_analysis.quality.model.judge import Judged, judge_cells
from tkyt_analysis.quality.model.settings import ModelSettings
from tkyt_analysis.quality.model.situation import situation_of

MOST_CELLS_TOGETHER = 8_000_000
_CAP = 2.5
_LEVEL_PULL, _CELL_PULL = 20.0, 100.0


@dataclass(frozen=True)
class Indicator:
    """counts : shape (units of this indicator, periods); units : their places in the common list of units"""

    counts: np.ndarray
    units: np.ndarray


@dataclass(frozen=True)
class Grid:
    """What all indicators share: number of units, number within the year and year of each period, group of each unit, Tết share."""

    units: int
    number: np.ndarray | None = None
    year: np.ndarray | None = None
    groups: np.ndarray | None = None
    tet: np.ndarray | None = None

    def expected(self, one: Indicator, prior: LevelPrior | None = None) -> Expected:
        """The panel of one indicator alone."""
        groups = None if self.groups is None else self.groups[one.units]
        return expected_counts(one.counts, number=self.number, groups=groups, tet=self.tet, prior=prior)


def judge_indicators(indicators: list[Indicator], grid: Grid, settings: ModelSettings | None = None) -> list[Judged]:
    """Every value of every indicator. More than about eight million cells are judged indicator by indicator."""
    settings = settings or ModelSettings()
    cells = sum(one.counts.size for one in indicators)
    if len(indicators) < 2 or cells > MOST_CELLS_TOGETHER:
        return [_judge_alone(one, grid, settings) for one in indicators]
    with quiet():
        expected = [grid.expected(one) for one in indicators]
        expected = [
            grid.expected(one, prior) for one, prior in zip(indicators, level_priors(indicators, expected, grid))
        ]
        together = _unit_months(indicators, expected, grid)
    return [
        judge_cells(
            own, situation_of(own.counts, grid.year), settings, **dict(zip(("mean", "variance", "shared"), told))
        )
        for own, told in zip(expected, together)
    ]


def _judge_alone(one: Indicator, grid: Grid, settings: ModelSettings) -> Judged:
    expected = grid.expected(one)
    return judge_cells(expected, situation_of(expected.counts, grid.year), settings)


def level_priors(indicators: list[Indicator], expected: list[Expected], grid: Grid) -> list[LevelPrior]:
    """The log level of each unit in each indicator as its other indicators predict it."""
    level = np.full((grid.units, len(indicators)), np.nan)
    noise, middle = level.copy(), np.zeros(len(indicators))
    for place, (one, own) in enumerate(zip(indicators, expected)):
        n = np.isfinite(own.counts).sum(axis=1)
        median = np.nanmedian(np.log(own.counts + 0.5), axis=1)
        middle[place] = np.nan_to_num(np.nanmedian(median))
        spread = np.clip(np.median(own.spread), 0.05, 1.0) if own.spread.size else 0.3
        level[one.units, place] = median - middle[place]
        noise[one.units, place] = (spread + 1 / (np.exp(median) + 0.5)) * 1.5 / np.maximum(n, 1)
    reach = 3 * np.maximum(np.nan_to_num(MAD_TO_SD * np.nanmedian(np.abs(level), axis=0)), 0.3)
    level = np.clip(level, -reach, reach)
    covariance = signal_covariance(level, noise, pull=_LEVEL_PULL)
    mean, variance = predicted_by_others(level, noise, covariance)
    variance = np.maximum(variance - noise, 0.01)
    wide = float(np.nanmax(variance)) if np.isfinite(variance).any() else 4.0
    return [
        LevelPrior(
            np.nan_to_num(mean[one.units, k]) + middle[k], np.nan_to_num(variance[one.units, k], nan=max(wide, 0.04))
        )
        for k, one in enumerate(indicators)
    ]


def _unit_months(
    indicators: list[Indicator], expected: list[Expected], grid: Grid
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(mean, variance, shared change) of each indicator after the others of the same unit and period have spoken."""
    periods = indicators[0].counts.shape[1]
    x = np.full((grid.units * periods, len(indicators)), np.nan)
    noise = x.copy()
    for place, (one, own) in enumerate(zip(indicators, expected)):
        total = own.variance + 1 / (own.mean + 0.5)
        score = np.log((own.counts + 0.5) / (own.mean + 0.5)) / np.sqrt(total)
        rows = (one.units[:, None] * periods + np.arange(periods)).ravel()
        x[rows, place] = score.ravel()
        noise[rows, place] = np.where(np.isfinite(score), 1 / (own.mean + 0.5) / total, np.nan).ravel()
    x = _drawn_in(x)
    some = np.isfinite(x).sum(axis=1) > 1
    covariance = signal_covariance(x[some], noise[some], pull=_CELL_PULL)
    noise = np.maximum(noise, 0.02)
    told, left = np.zeros(x.shape), np.ones(x.shape)
    mean, variance = predicted_by_others(x[some], noise[some], covariance)
    told[some] = np.nan_to_num(mean)
    left[some] = np.nan_to_num(variance / (np.diag(covariance) + noise[some]), nan=1.0)
    shape = (grid.units, periods)
    return [
        _spoken(own, told[:, k].reshape(shape)[one.units], np.clip(left[:, k].reshape(shape)[one.units], 0.03, 1.0))
        for k, (one, own) in enumerate(zip(indicators, expected))
    ]


def _drawn_in(score: np.ndarray) -> np.ndarray:
    """Scores within `_CAP` of the median of their unit-month (of 0 where fewer than three stand there)."""
    several = np.isfinite(score).sum(axis=1, keepdims=True) >= 3
    middle = np.where(several, np.nanmedian(score, axis=1, keepdims=True), 0.0)
    return np.clip(score, middle - _CAP, middle + _CAP)


def _spoken(own: Expected, told: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    total = own.variance + 1 / (own.mean + 0.5)
    change = told * np.sqrt(total)
    mean = np.maximum((own.mean + 0.5) * np.exp(change) - 0.5, 0.05)
    variance = np.maximum(left * total - 1 / (own.mean + 0.5), 0.0)
    counting = 1 / (mean + 0.5)
    distance = np.abs(np.log((own.counts + 0.5) / (mean + 0.5))) / np.sqrt(variance + counting)
    scale = float(np.nan_to_num((MAD_TO_SD * np.nanmedian(distance)) ** 2, nan=1.0))
    return mean, variance * scale + max(scale - 1, 0.0) * counting, own.shared + change
