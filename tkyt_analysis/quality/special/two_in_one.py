"""Two periods in one report, the one beside it empty (B6): does the form fit the sum of both periods better than its own?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.quality.panel import FormBlock
from tkyt_analysis.quality.special.expected import Expected, expect_block, log_fit, probability
from tkyt_analysis.quality.special.rows import cell_rows

Judged = tuple[pd.DataFrame, int, int]


def judge_two_in_one(block: FormBlock, parameters: Mapping[str, Any]) -> Judged:
    """Cells of forms that hold two periods: value, expected, suggested (this period's share), evidence, empty_period.

    parameters : evidence, the log likelihood ratio that a form needs (6). Judged are the reports with an empty period
    of an active unit beside them, and trivially those without one; total are all reports asked for.
    """
    needed = float(parameters.get("evidence", 6.0))
    sent = np.nansum(np.abs(block.values), axis=2) > 0
    expected = expect_block(block)
    best = [_beside(block, expected, sent, step) for step in (-1, 1)]
    unit, column, other, evidence = _better(*best)
    keep = evidence > needed
    unit, column, other, evidence = unit[keep], column[keep], other[keep], evidence[keep]
    m, n = expected.mean[unit, column], expected.mean[unit, other]
    with np.errstate(invalid="ignore", divide="ignore"):
        suggested = np.round(block.values[unit, column] * m / (m + n))
        form, place = np.nonzero(np.abs(block.values[unit, column] - suggested) >= 1)
    names = np.array([one.period_id for one in block.periods], dtype=object)
    rows = cell_rows(
        block, unit[form], column[form], place,
        expected=np.round(m[form, place].astype(float), 1), suggested=suggested[form, place],
        verdict="error_high", explanation="two_periods_in_one",
        probability=probability(evidence[form], 4.0), evidence=np.round(evidence[form], 1),
        empty_period=names[other[form]],
    )  # fmt: skip
    reports = block.reported[:, block.asked]
    known = np.isfinite(expected.mean).any(axis=2)[:, block.asked]
    return rows, int((reports & known).sum()), int(reports.sum())


def _beside(
    block: FormBlock, expected: Expected, sent: np.ndarray, step: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """(unit, period, the empty period beside it, evidence) of reports next to an empty one of a unit that reported before and after."""
    periods = sent.shape[1]
    unit, column = np.nonzero(sent)
    other = column + step
    inside = (other >= 0) & (other < periods)
    inside &= ~sent[unit, np.clip(other, 0, periods - 1)]
    active = np.maximum.accumulate(sent, axis=1) & np.maximum.accumulate(sent[:, ::-1], axis=1)[:, ::-1]
    inside &= active[unit, np.clip(other, 0, periods - 1)]
    unit, column, other = unit[inside], column[inside], other[inside]
    values, m = block.values[unit, column], expected.mean[unit, column]
    both = m + expected.mean[unit, other]
    fit = log_fit(values, both, expected.spread)
    gain = np.nan_to_num(fit - log_fit(values, m, expected.spread))
    gain = np.clip(np.where(fit < -8, np.minimum(gain, 0), gain), -5, 5)
    speaks = np.abs(gain) > 0.3
    agree = (gain > 0.3).sum(axis=1) >= 0.45 * np.maximum(speaks.sum(axis=1), 2)
    fits = np.nansum(fit, axis=1) > -2 * np.maximum(np.isfinite(fit).sum(axis=1), 1)
    return unit, column, other, np.where(agree & fits, gain.sum(axis=1), -np.inf)


def _better(*sides: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """Of both sides of a report the one with more evidence."""
    unit, column, other, evidence = (np.concatenate(parts) for parts in zip(*sides, strict=True))
    order = np.lexsort((-evidence, column, unit))
    unit, column, other, evidence = unit[order], column[order], other[order], evidence[order]
    first = np.ones(len(unit), dtype=bool)
    first[1:] = (unit[1:] != unit[:-1]) | (column[1:] != column[:-1])
    return unit[first], column[first], other[first], evidence[first]
