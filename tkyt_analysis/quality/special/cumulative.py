"""Cumulative figures ("lũy kế") reported as the period's own (B5).

Within a year, is each report better explained as its own count or as the sum since January? The evidence of an element
is the log likelihood of differences against values, for the best run of periods; a form's is that of its elements
together. The usual level comes from the unit's other years; where there are none, the two readings each bring their
own level (the differences alike, or the values alike).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.quality.panel import FormBlock
from tkyt_analysis.quality.special.expected import (
    Expected,
    expect_block,
    log_density,
    log_fit,
    probability,
    robust_level,
)
from tkyt_analysis.quality.special.rows import cell_rows, no_rows

Judged = tuple[pd.DataFrame, int, int]


@dataclass(frozen=True)
class CumulativeSettings:
    """form_evidence : log likelihood ratio that a whole form needs; element_evidence : that a single element needs
    over at least three periods; together : that each of three or more elements needs in the same periods."""

    form_evidence: float = 14.0
    element_evidence: float = 14.0
    together: float = 4.0


@dataclass(frozen=True)
class Runs:
    """The best run of cumulative periods: evidence, first and last place in the year; shapes (units, series) or (units,)."""

    evidence: np.ndarray
    first: np.ndarray
    last: np.ndarray


def judge_cumulative(block: FormBlock, parameters: Mapping[str, Any]) -> Judged:
    """Cells that hold the sum since January: value, suggested (the difference), previous, evidence."""
    settings = CumulativeSettings(**parameters)
    expected = expect_block(block)
    years = np.array([one.year for one in block.periods])
    parts, judged, total = [], 0, 0
    for year in np.unique(years):
        columns = np.flatnonzero(years == year)
        values = block.values[:, columns]
        enough = np.isfinite(values).sum(axis=1) >= 3
        total += int(np.isfinite(values[:, block.asked[columns]]).sum())
        judged += int((np.isfinite(values) & enough[:, None])[:, block.asked[columns]].sum())
        if len(columns) >= 3:
            parts.append(_judge_year(block, expected, columns, settings))
    found = [part for part in parts if len(part)]
    return (pd.concat(found, ignore_index=True) if found else no_rows()), judged, total


def _judge_year(
    block: FormBlock, expected: Expected, columns: np.ndarray, settings: CumulativeSettings
) -> pd.DataFrame:  # fmt: skip
    values = block.values[:, columns].astype(np.float32)
    mean, alone = _mean_of_other_years(block, expected, columns)
    before, previous = _before(values, mean)
    spread = np.where(alone[:, None, :], expected.spread + 0.1, expected.spread)
    start, go_on = _evidence(values, before, previous, mean, spread)
    own = _own_level_evidence(values, previous, expected.effect[:, columns], expected.spread)
    own = np.where(_rises(values, previous), own, np.minimum(own, 0))
    element = _best_runs(np.clip(start, -8, 5), np.clip(go_on, -8, 5))
    form = _best_runs(_summed(start), _summed(go_on))
    element = _or_whole_year(element, own, values, settings.element_evidence)
    form = _or_whole_year(form, _summed_flat(own), values, settings.form_evidence)
    chosen = _decide(element, form, start, go_on, own, settings)
    chosen["cell"] &= ~_beside_a_gap(values, chosen["first"], chosen["last"]) & _grows(values, chosen)
    at = np.arange(len(columns))[None, :, None]
    inside = chosen["cell"][:, None, :] & (at >= chosen["first"][:, None, :]) & (at <= chosen["last"][:, None, :])
    begins = at == chosen["first"][:, None, :]
    suggested = np.maximum(values - np.where(begins, before, previous), 0)
    with np.errstate(invalid="ignore"):
        inside &= np.abs(values - suggested) >= 1
    unit, column, place = np.nonzero(inside)
    return cell_rows(
        block, unit, columns[column], place,
        expected=_finite(mean[unit, column, place]),
        suggested=np.round(suggested[unit, column, place].astype(float)),
        verdict="cumulative", explanation="cumulative_as_period",
        probability=probability(chosen["evidence"][unit, place], 6.0),
        previous=np.round(previous[unit, column, place].astype(float)),
        evidence=np.round(chosen["evidence"][unit, place].astype(float), 1),
    )  # fmt: skip


def _finite(values: np.ndarray) -> np.ndarray:
    return np.round(values.astype(float), 1)


def _mean_of_other_years(block: FormBlock, expected: Expected, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expected counts from the unit's years before and after, or from the year itself where there is less than half a
    year of them: (units, periods, series) and which (units, series) those are."""
    n, periods = len(columns), len(block.periods)
    beside = [at for at in range(max(0, columns[0] - n), min(periods, columns[-1] + n + 1)) if at not in columns]
    own = np.ascontiguousarray(block.values[:, columns].transpose(0, 2, 1)).astype(np.float32)
    level, alone = _lower_level(own), np.ones((len(own), own.shape[1]), dtype=bool)
    if len(beside) >= 2:
        others = np.ascontiguousarray(block.values[:, beside].transpose(0, 2, 1)).astype(np.float32)
        known = robust_level(others, max(2, n // 2))
        alone = ~np.isfinite(known)
        level = np.where(alone, level, known)
    return level[:, None, :] * expected.effect[:, columns], alone


def _lower_level(own: np.ndarray) -> np.ndarray:
    """Level of a year from the year alone, safe where its second half is cumulative: mean of the second quarter of
    the sorted values. NaN where there are fewer than six. own : (units, series, periods)"""
    ordered, n = np.sort(own, axis=2), np.isfinite(own).sum(axis=2)
    at = np.arange(own.shape[2])
    lower = (at >= (n // 6)[..., None]) & (at < ((n + 1) // 2)[..., None])
    return np.where(n >= 6, np.where(lower, ordered, 0).sum(axis=2) / np.maximum(lower.sum(axis=2), 1), np.nan)


def _rises(values: np.ndarray, previous: np.ndarray) -> np.ndarray:
    """Do at least two steps of the year go up, and a third of all? (units, series)"""
    with np.errstate(invalid="ignore"):
        up = (values > previous).sum(axis=1)
    return up >= np.maximum(2, np.isfinite(values).sum(axis=1) / 3)


def _grows(values: np.ndarray, chosen: dict[str, np.ndarray]) -> np.ndarray:
    """Is the last figure of a run well above the one before the run? For whole forms their sums: figures of 0 and 1 that never change are no sums."""
    whole = chosen["whole"][:, None, None]
    figures = np.where(whole, np.nansum(values, axis=2, keepdims=True), np.nan_to_num(values))

    def at(place: np.ndarray) -> np.ndarray:
        inside = np.clip(place, 0, values.shape[1] - 1)[:, None, :]
        return np.take_along_axis(figures, inside, axis=1)[:, 0, :]

    return at(chosen["last"]) > 1.4 * at(chosen["first"] - 1) + 1


def _beside_a_gap(values: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """A single period beside one without a report: two periods in one rather than the sum since January."""
    sent = np.isfinite(values).any(axis=2)
    n = values.shape[1]
    units = np.arange(len(values))[:, None]
    near = sent[units, np.clip(first - 1, 0, n - 1)] & sent[units, np.clip(last + 1, 0, n - 1)]
    return (first == last) & ~near


def _before(values: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(sum of the year's earlier values, last value plus what is usual for missed periods since): NaN at the first."""
    summed, previous = np.full_like(values, np.nan), np.full_like(values, np.nan)
    total = np.zeros_like(values[:, 0])
    last = np.full_like(total, np.nan)
    seen = np.zeros(total.shape, dtype=bool)
    for at in range(values.shape[1]):
        summed[:, at] = np.where(seen, total, np.nan)
        previous[:, at] = last
        here = np.isfinite(values[:, at])
        usual = np.nan_to_num(mean[:, at])
        total = total + np.where(here, values[:, at], usual)
        last = np.where(here, values[:, at], last + usual)
        seen |= here
    return summed, previous


def _evidence(
    values: np.ndarray, before: np.ndarray, previous: np.ndarray, mean: np.ndarray, spread: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """For each cell the evidence that a cumulative run starts there, and that it goes on there (0 where unknown)."""
    as_it_is = log_density(values, mean, spread)
    gains = []
    for base in (before, previous):
        gain = log_density(values - base, mean, spread) - as_it_is
        unusual = (log_fit(values - base, mean, spread) < -8) | (
            values < base
        )  # a sum never falls, and its steps are usual
        gains.append(np.where(unusual, np.minimum(gain, -3), gain))
    start, go_on = gains
    unknown = ~np.isfinite(mean) | ~np.isfinite(values) | ~np.isfinite(before)
    return np.where(unknown, 0, np.nan_to_num(start)), np.where(unknown, 0, np.nan_to_num(go_on))


def _own_level_evidence(
    values: np.ndarray, previous: np.ndarray, effect: np.ndarray, spread: np.ndarray
) -> np.ndarray:  # fmt: skip
    """Evidence that the whole year is cumulative from the year alone: (units, series); differences alike, or values alike."""
    difference = np.where(np.isfinite(previous), values - previous, values)
    seen = np.isfinite(values)
    weight = np.where(seen, effect, 0).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        as_sum = np.nanmax(np.where(seen, values, -np.inf), axis=1) / weight
        as_value = np.nansum(values, axis=1) / weight
        gain = log_density(difference, as_sum[:, None] * effect, spread) - log_density(
            values, as_value[:, None] * effect, spread
        )
    bounded = np.clip(np.where(seen, np.nan_to_num(gain), 0), -8, 6)
    return np.where(seen.sum(axis=1) >= 3, bounded.sum(axis=1), 0)


def _summed(evidence: np.ndarray) -> np.ndarray:
    """Evidence of a form: that of its elements, none counting for more than 10 nor against for more than 6."""
    return np.clip(evidence, -6, 10).sum(axis=2)


def _summed_flat(own: np.ndarray) -> np.ndarray:
    return np.clip(own, -12, 20).sum(axis=1)


def _best_runs(start: np.ndarray, go_on: np.ndarray) -> Runs:
    """The run with most evidence: it starts with `start` and goes on with `go_on`. Axis 1 is time."""
    shape = (start.shape[0], *start.shape[2:])
    best, best_first, best_last = np.zeros(shape, np.float32), np.zeros(shape, int), np.full(shape, -1)
    run, first = np.full(shape, -np.inf, np.float32), np.zeros(shape, int)
    for at in range(1, start.shape[1]):
        new = start[:, at] > run + go_on[:, at]
        run = np.where(new, start[:, at], run + go_on[:, at])
        first = np.where(new, at, first)
        better = run > best
        best = np.where(better, run, best)
        best_first, best_last = np.where(better, first, best_first), np.where(better, at, best_last)
    return Runs(best, best_first, best_last)


def _or_whole_year(runs: Runs, own: np.ndarray, values: np.ndarray, needed: float) -> Runs:
    """The whole year instead where the other years say too little and the year alone says more."""
    better = (own > runs.evidence) & (runs.evidence < needed)
    last = np.where(better, values.shape[1] - 1, runs.last)
    return Runs(np.where(better, own, runs.evidence), np.where(better, 1, runs.first), last)


def _decide(
    element: Runs, form: Runs, start: np.ndarray, go_on: np.ndarray, own: np.ndarray, settings: CumulativeSettings
) -> dict[str, np.ndarray]:
    """Which series of which units, and for which run of periods: the whole form, or some elements of it."""
    in_form = np.maximum(
        _over_run(start, go_on, form), np.where(form.evidence[:, None] == _summed_flat(own)[:, None], own, -np.inf)
    )
    speaks = np.abs(in_form) > 0.5
    agree = (in_form > 0.5).sum(axis=1) / np.maximum(speaks.sum(axis=1), 1)
    whole = (form.evidence > settings.form_evidence) & (agree >= 0.7) & (speaks.sum(axis=1) >= 2)
    length = element.last - element.first + 1
    alone = (element.evidence > settings.element_evidence) & (length >= 3)
    alike = _many_alike(element, settings.together)
    cell = np.where(whole[:, None], in_form > -0.5, alone | alike)
    return {
        "whole": whole,
        "cell": cell,
        "first": np.where(whole[:, None], form.first[:, None], element.first),
        "last": np.where(whole[:, None], form.last[:, None], element.last),
        "evidence": np.where(whole[:, None], form.evidence[:, None], element.evidence),
    }


def _over_run(start: np.ndarray, go_on: np.ndarray, form: Runs) -> np.ndarray:
    """Evidence of each element over the run of its form: (units, series)."""
    at = np.arange(start.shape[1])[None, :]
    begins = at == form.first[:, None]
    goes = (at > form.first[:, None]) & (at <= form.last[:, None])
    return (start * begins[:, :, None] + go_on * goes[:, :, None]).sum(axis=1)


def _many_alike(element: Runs, needed: float) -> np.ndarray:
    """Elements with evidence whose run ends where those of at least two more of the form end: 24 together, 36 in one or two periods."""
    clear = element.evidence > needed
    short = element.last - element.first <= 1
    result = np.zeros(clear.shape, dtype=bool)
    for last in np.unique(element.last[clear]):
        here = clear & (element.last == last)
        together = (element.evidence * here * np.where(short, 2 / 3, 1)).sum(axis=1)
        enough = (here.sum(axis=1) >= 3) & (together > 24)
        result |= here & enough[:, None]
    return result
