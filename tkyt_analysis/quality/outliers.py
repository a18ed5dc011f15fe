"""Count-aware outliers in unit × period panels: both sides, leave-one-out, pooled over units.

For each series (one element and category in one unit) the expected count is the median of its other values
nearby, times the effect of the month that all units share. How far a value may stray is the larger of
counting noise (Poisson) and the series' own spread beyond it, drawn towards the spread of all units, so
that four values are judged with the experience of a thousand series. A value never helps to judge itself.

Everything is array arithmetic on one units × periods matrix per element: the cost is linear in cells.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.quality.findings import make_findings

SERIES = ["dataset_id", "element_id", "category_id"]
_ROWS_AT_ONCE = 2_048
_MAD_TO_SD = 1.4826


@dataclass(frozen=True)
class OutlierSettings:
    """What the rule needs to know; the catalog rule gives the values.

    threshold : a value strays when its distance is more than this many standard deviations
    minimum_others : other values a series must have; below it the value is not assessable
    window : values on which the expected count rests (the nearest ones)
    minimum_units : units with a value in a period before the shared month effect is estimated
    prior_values : weight of the spread of all units, in values
    minimum_ratio : a value within this factor of the expected is never called an error
    """

    threshold: float = 3.2
    minimum_others: int = 3
    window: int = 12
    minimum_units: int = 20
    prior_values: float = 20.0
    minimum_ratio: float = 1.5


@dataclass(frozen=True)
class PanelScores:
    """Arrays of the shape of the counts: expected, lower and upper counts, distance [sd], assessable."""

    expected: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    distance: np.ndarray
    assessable: np.ndarray


def leave_one_out_median(sorted_values: np.ndarray, rank: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Median of a row without the value at `rank`; rows sorted with missing values last, `n` values each.

    Shapes: sorted_values and rank (series, periods); n (series, 1) counts the values with the one left out.
    """
    last = sorted_values.shape[1] - 1
    m = n - 1
    low, high = (m - 1) // 2, m // 2

    def without(k: np.ndarray) -> np.ndarray:
        position = np.clip(k + (k >= rank), 0, last)
        return np.take_along_axis(sorted_values, position, axis=1)

    return (without(np.broadcast_to(low, rank.shape)) + without(np.broadcast_to(high, rank.shape))) / 2


def _loo_median_of_row(values: np.ndarray) -> np.ndarray:
    """For each cell the median of the other values of its row (missing where there are none)."""
    order = np.argsort(values, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(values.shape[1]), values.shape), axis=1)
    n = np.isfinite(values).sum(axis=1, keepdims=True)
    middle = leave_one_out_median(np.take_along_axis(values, order, axis=1), rank, n)
    return np.where((n > 1) & np.isfinite(values), middle, np.nan)


def neighbour_positions(periods: int, window: int) -> np.ndarray:
    """For each period the positions of its `window` nearest others: shape (periods, window)."""
    width = min(window, periods - 1)
    start = np.clip(np.arange(periods) - width // 2, 0, max(periods - 1 - width, 0))
    inside = start[:, None] + np.arange(width + 1)
    return np.stack([row[row != at][:width] for at, row in enumerate(inside)])


def _median_of_neighbours(values: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """(median, number) of the nearest other values of the same series."""
    if values.shape[1] < 2:
        return np.full_like(values, np.nan), np.zeros(values.shape)
    positions = neighbour_positions(values.shape[1], window)
    middle, number = np.empty_like(values), np.empty(values.shape)
    for start in range(0, len(values), _ROWS_AT_ONCE):
        near = np.sort(values[start : start + _ROWS_AT_ONCE][:, positions], axis=2)
        n = np.isfinite(near).sum(axis=2)
        low, high = np.maximum((n - 1) // 2, 0), np.maximum(n // 2, 0)
        high = np.minimum(high, near.shape[2] - 1)
        both = [np.take_along_axis(near, k[:, :, None], axis=2)[:, :, 0] for k in (low, high)]
        part = slice(start, start + _ROWS_AT_ONCE)
        middle[part] = np.where(n > 0, (both[0] + both[1]) / 2, np.nan)
        number[part] = n
    return middle, number


def shared_month_effect(logs: np.ndarray, minimum_units: int) -> np.ndarray:
    """What all units have in common in each period (log scale; 0 where too few report): shape (periods,)."""
    if logs.shape[0] < minimum_units:
        return np.zeros(logs.shape[1])
    with np.errstate(invalid="ignore"):
        centred = logs - np.nanmedian(logs, axis=1, keepdims=True)
        enough = np.isfinite(centred).sum(axis=0) >= minimum_units
        return np.where(enough, np.nanmedian(centred, axis=0), 0.0)


def _spread_beyond_counting(residual: np.ndarray, expected: np.ndarray, settings: OutlierSettings) -> np.ndarray:
    """Squared log spread of the series beyond Poisson noise, without the cell itself, shrunk to all units'."""
    noise = 1 / (expected + 0.5)
    n = np.isfinite(residual).sum(axis=1, keepdims=True)
    own = (_MAD_TO_SD * _loo_median_of_row(np.abs(residual))) ** 2 - noise
    pooled = np.nanmedian((_MAD_TO_SD * np.abs(residual)) ** 2 * 1.0) - np.nanmedian(noise)
    pooled = max(float(np.nan_to_num(pooled)), 1e-4)
    weight = settings.prior_values
    return np.maximum(((n - 1) * np.nan_to_num(own, nan=pooled) + weight * pooled) / (n - 1 + weight), 1e-4)


def stabilise(counts: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Counts on a scale of about one standard deviation per unit, given the negative binomial spread."""
    return 2 / np.sqrt(spread) * np.arcsinh(np.sqrt(spread * (counts + 0.375)))


def _back(distance: np.ndarray, spread: np.ndarray) -> np.ndarray:
    root = np.sinh(np.maximum(distance, 0) * np.sqrt(spread) / 2)
    return np.maximum(root**2 / spread - 0.375, 0)


def score_panel(counts: np.ndarray, settings: OutlierSettings | None = None) -> PanelScores:
    """Expected count, limits and distance of every cell of one units × periods matrix.

    Parameters
    ----------
    counts : shape (units, periods), missing = NaN; negative values count as missing

    A cell is assessable when its series has `minimum_others` other values and the values are not all the same.
    """
    settings = settings or OutlierSettings()
    clean = np.where(counts >= 0, counts, np.nan).astype(float)
    logs = np.log(clean + 0.5)
    with np.errstate(invalid="ignore", divide="ignore"), _quiet():
        month = shared_month_effect(logs, settings.minimum_units)
        level, near = _median_of_neighbours(logs - month, settings.window)
        expected = np.maximum(np.exp(level + month) - 0.5, 0.0)
        spread = _spread_beyond_counting(logs - month - level, expected, settings)
        uncertainty = np.sqrt(1 + np.pi / 2 / np.maximum(near, 1))
        centre = stabilise(expected, spread)
        distance = (stabilise(clean, spread) - centre) / uncertainty
        reach = settings.threshold * uncertainty
        others = np.isfinite(clean).sum(axis=1, keepdims=True) - 1
        varies = np.nanmax(clean, axis=1, keepdims=True) > np.nanmin(clean, axis=1, keepdims=True)
    assessable = np.isfinite(clean) & (others >= settings.minimum_others) & varies & np.isfinite(distance)
    return PanelScores(expected, _back(centre - reach, spread), _back(centre + reach, spread), distance, assessable)


@contextmanager
def _quiet() -> Iterator[None]:
    """All-missing rows are expected: no warning about them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def judge_panel(counts: np.ndarray, scores: PanelScores, settings: OutlierSettings) -> np.ndarray:
    """The verdict of every cell: ok, error_high, error_low, missing_or_zero, not_assessable; "" where no value is."""
    ratio = np.abs(np.log((np.where(counts >= 0, counts, 0) + 0.5) / (scores.expected + 0.5)))
    strays = scores.assessable & (np.abs(scores.distance) > settings.threshold)
    strays &= ratio >= np.log(settings.minimum_ratio)
    verdict = np.full(counts.shape, "ok", dtype="<U15")
    verdict[~scores.assessable] = "not_assessable"
    verdict[strays & (scores.distance > 0)] = "error_high"
    verdict[strays & (scores.distance < 0)] = "error_low"
    verdict[strays & (scores.distance < 0) & (counts == 0)] = "missing_or_zero"
    verdict[np.isnan(counts)] = ""
    return verdict


def period_kind(period_id: pd.Series) -> pd.Series:
    """Periods of one kind look alike: digits as "d" ("dddddd" month, "ddddQd" quarter); series never mix kinds."""
    distinct = pd.Series(period_id.unique(), dtype="str")
    kinds = dict(zip(distinct, distinct.str.replace(r"\d", "d", regex=True)))
    cumulative = {period: period for period, kind in kinds.items() if kind.startswith("ddddC")}
    return period_id.map(kinds | {period: period[4:] for period in cumulative})


def assess_values(values: pd.DataFrame, settings: OutlierSettings | None = None) -> pd.DataFrame:
    """Every reported value with its expected count, limits, distance and verdict.

    Parameters
    ----------
    values : dataset_id, element_id, category_id, unit_id, period_id, value; one row per cell (of duplicate
        rows the last counts)

    Returns the rows with expected, lower, upper [counts], distance [standard deviations], verdict
    (ok | error_high | error_low | missing_or_zero | not_assessable).
    """
    settings = settings or OutlierSettings()
    cells = values.drop_duplicates([*SERIES, "unit_id", "period_id"], keep="last")
    kinds = period_kind(cells["period_id"])
    parts = [
        _assess_block(block, settings)
        for _, block in cells.groupby([*SERIES, kinds.rename("kind")], observed=True, sort=False, dropna=False)
    ]
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else cells.assign(expected=[], lower=[], upper=[], distance=[], verdict=[])
    )


def _assess_block(block: pd.DataFrame, settings: OutlierSettings) -> pd.DataFrame:
    """One element and category: its rows as a matrix, scored, and back to rows."""
    row, units = pd.factorize(block["unit_id"])
    column, periods = pd.factorize(block["period_id"], sort=True)
    counts = np.full((len(units), len(periods)), np.nan)
    counts[row, column] = pd.to_numeric(block["value"], errors="coerce")
    scores = score_panel(counts, settings)
    verdict = judge_panel(counts, scores, settings)[row, column]
    cells = {name: getattr(scores, name)[row, column] for name in ("expected", "lower", "upper", "distance")}
    return block.assign(**cells, verdict=np.where(verdict == "", "not_assessable", verdict))


def check_outliers(values: pd.DataFrame, **options: Any) -> pd.DataFrame:
    """The findings of `check_outliers_with_coverage`."""
    return check_outliers_with_coverage(values, **options)[0]


def check_outliers_with_coverage(
    values: pd.DataFrame,
    *,
    settings: OutlierSettings | None = None,
    rule_id: str = "outlier_count",
    rule_version: int = 1,
    severity: str = "warning",
) -> tuple[pd.DataFrame, int, int]:
    """(findings, values judged, values): one finding for each value that strays, most events at stake first."""
    assessed = assess_values(values, settings)
    strays = assessed[~assessed["verdict"].isin(["ok", "not_assessable"])]
    at_stake = (strays["value"] - strays["expected"]).abs()
    strays = strays.assign(events_at_stake=at_stake.round(1), distance=strays["distance"].round(2))
    findings = make_findings(
        strays.sort_values("events_at_stake", ascending=False, kind="stable"),
        rule_id=rule_id,
        rule_version=rule_version,
        severity=severity,
        fields=["distance", "events_at_stake"],
    )
    return findings, int((assessed["verdict"] != "not_assessable").sum()), len(assessed)
