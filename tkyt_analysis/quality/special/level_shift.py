"""A level that changes for good on one date in a whole province (D1): a new definition or form, not events.

The mean log count of each element, province by province, less what all provinces have in common (logs, so that one
large unit with wrong figures moves nothing); the split of time that
explains most is a change of definition when the step is large against the noise, sudden, and lasts to the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tkyt_analysis.quality.checks import CheckResult, TableCheck
from tkyt_analysis.quality.findings import make_findings
from tkyt_analysis.quality.special.expected import quiet
from tkyt_analysis.reference.periods import period

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext

_SUMS = """
    SELECT province_id, period_id, element_id, category_id, sum(greatest(value, 0)) AS value, count(value) AS reports,
           sum(ln(1 + greatest(value, 0))) AS logs
    FROM cell JOIN series USING (series_no) JOIN unit USING (unit_no) JOIN period USING (period_no)
    WHERE dataset_id = ? AND kind = ? AND province_id <> '' AND value IS NOT NULL GROUP BY ALL
"""
_FORMS = """
    SELECT dataset_id, kind FROM cell JOIN series USING (series_no) JOIN period USING (period_no)
    WHERE kind IN ('month', 'administrative_month', 'quarter') GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True)
class ShiftSettings:
    """minimum_ratio : smallest change of the mean log count; distance : in standard errors; edge : months (or a year and a quarter of quarters) needed on either side, more than a shock lasts twice;
    minimum_count : events per province and period below which a series is not assessable; minimum_provinces : with
    fewer, what provinces have in common cannot be told from a change in one; minimum_periods : with a count, below which a level has hardly been seen."""

    minimum_ratio: float = 1.15
    distance: float = 8.0
    edge: int = 8
    minimum_count: float = 20.0
    minimum_provinces: int = 6
    minimum_periods: int = 16


def run_level_shift(context: CheckContext, rule: Rule) -> Iterator[CheckResult]:
    """Findings at the province and the first period of the new level; value and expected are counts per report."""
    settings = ShiftSettings(**dict(rule.parameters))
    for form in context.query(_FORMS).itertuples():
        sums = context.query(_SUMS, [form.dataset_id, form.kind])
        rows, judged, total = judge_sums(sums, settings)
        findings = make_findings(
            rows.assign(dataset_id=form.dataset_id), rule_id=rule.id, rule_version=rule.version, severity=rule.severity,
            fields=["ratio", "distance"],
        )  # fmt: skip
        yield CheckResult(findings, judged, total)


def judge_sums(sums: pd.DataFrame, settings: ShiftSettings) -> tuple[pd.DataFrame, int, int]:
    """Rows, judged and all series (province × element) of one form.

    sums : province_id, period_id, element_id, category_id, value (sum), reports, logs (sum of ln(1 + value))
    """
    if sums.empty:  # no unit with a known province
        return pd.DataFrame({"unit_id": pd.Series(dtype="str")}), 0, 0
    names, ids = {}, {}
    for column in ("province_id", "period_id"):
        ids[column], names[column] = pd.factorize(sums[column], sort=True)
    element, elements = pd.factorize(pd.MultiIndex.from_frame(sums[["element_id", "category_id"]]), sort=True)
    order = np.argsort([period(one).start.toordinal() for one in names["period_id"]], kind="stable")
    place = np.argsort(order)
    shape = (len(names["province_id"]), len(elements), len(order))
    value, logs, reports = np.full(shape, np.nan), np.zeros(shape), np.zeros(shape)
    at = ids["province_id"], element, place[ids["period_id"]]
    value[at], logs[at], reports[at] = sums["value"], sums["logs"], sums["reports"]
    edge = 5 if "Q" in names["period_id"][0] else settings.edge
    able, first, step, distance = _shifts(value, logs / np.where(reports > 0, reports, np.nan), settings, edge)
    group, series = np.nonzero(
        able & (distance >= settings.distance) & (np.abs(step) >= np.log(settings.minimum_ratio))
    )
    rate = value / np.maximum(reports, 1)
    before, after = _around(rate, group, series, first[group, series])
    rows = pd.DataFrame(
        {
            "unit_id": np.asarray(names["province_id"])[group],
            "period_id": np.asarray(names["period_id"])[order][first[group, series]],
            "element_id": [elements[one][0] for one in series], "category_id": [elements[one][1] for one in series],
            "value": after.round(1), "expected": before.round(1), "verdict": "inconsistent", "explanation": "new_definition",
            "probability": np.clip(1 - 2 * np.exp(-distance[group, series] / 3), 0.5, 0.99).round(3),
            "at_stake": (np.abs(after - before) * np.nansum(reports, axis=2)[group, series] / shape[2]).round(1),
            "ratio": (after / np.maximum(before, 0.01)).round(2), "distance": distance[group, series].round(1),
        }
    )  # fmt: skip
    return rows, int(able.sum()), int(np.isfinite(value).any(axis=2).sum())


def _around(
    rate: np.ndarray, group: np.ndarray, series: np.ndarray, first: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Median counts per report before and from the change on."""
    both = [
        (np.nanmedian(rate[g, s, :f]), np.nanmedian(rate[g, s, f:]))
        for g, s, f in zip(group, series, first, strict=True)
    ]
    before, after = np.array(both).reshape(-1, 2).T
    return before, after


def _shifts(
    value: np.ndarray, mean_log: np.ndarray, settings: ShiftSettings, edge: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """(can be judged, first period of the new level, its step [log], distance [standard errors]) per province and element."""
    with quiet(), np.errstate(invalid="ignore", divide="ignore"):
        rate = mean_log - np.nanmedian(mean_log, axis=2, keepdims=True)
        rate -= _median_of_others(rate)
        noise = 1.4826 * np.nanmedian(np.abs(np.diff(rate, axis=2)), axis=2) / np.sqrt(2)
        enough = np.nanmean(value, axis=2) >= settings.minimum_count
    able = (
        enough
        & (np.isfinite(rate).sum(axis=2) >= settings.minimum_periods)
        & (len(value) >= settings.minimum_provinces)
    )
    best = _best_split(rate, edge)
    noise = np.maximum(noise, 0.03)
    return able, best[0], best[1], np.where(best[2], np.abs(best[1]) * best[3] / (1.25 * noise), 0)


def _median_of_others(rate: np.ndarray) -> np.ndarray:
    """What the other provinces have in common: a step of its own is not taken from a province, nor given to the others."""
    others = [
        np.nanmedian(np.delete(rate, at, axis=0), axis=0) if len(rate) > 1 else 0 * rate[0] for at in range(len(rate))
    ]
    return np.stack(others)


def _best_split(rate: np.ndarray, edge: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(first period after the split, step between the medians, sudden and lasting, weight √(n₁n₂/n)) of the best split."""
    periods = rate.shape[2]
    shape = rate.shape[:2]
    first, step, weight, score = np.full(shape, edge), np.zeros(shape), np.zeros(shape), np.zeros(shape)
    with quiet():
        for at in range(edge, periods - edge + 1):
            change = np.nanmedian(rate[:, :, at:], axis=2) - np.nanmedian(rate[:, :, :at], axis=2)
            wide = np.sqrt(at * (periods - at) / periods)
            # deviations that remain once the step is taken out: the right place leaves least
            left = np.nansum(np.abs(rate[:, :, :at] - np.nanmedian(rate[:, :, :at], axis=2, keepdims=True)), axis=2)
            right = np.nansum(np.abs(rate[:, :, at:] - np.nanmedian(rate[:, :, at:], axis=2, keepdims=True)), axis=2)
            gain = np.nan_to_num(np.nansum(np.abs(rate), axis=2) - left - right)
            better = gain > score
            first, step = np.where(better, at, first), np.where(better, change, step)
            weight, score = np.where(better, wide, weight), np.where(better, gain, score)
        sudden = np.zeros(shape, dtype=bool)
        for group, series in np.argwhere(score > 0):
            f, own = first[group, series], rate[group, series]
            near = np.nanmedian(own[f : f + 3]) - np.nanmedian(own[max(0, f - 3) : f])
            lasting = np.nanmedian(own[-3:]) - np.nanmedian(own[:f])
            whole = step[group, series]
            sudden[group, series] = near * np.sign(whole) >= 0.6 * abs(whole) and lasting * np.sign(whole) >= 0.5 * abs(
                whole
            )
    return first, np.nan_to_num(step), sudden, weight


LEVEL_SHIFT = TableCheck(("cell",), run_level_shift)
