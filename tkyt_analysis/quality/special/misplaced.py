"""Figures in the wrong place of a form (B4): two counts that changed places, or a run that stands one row too far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.quality.panel import FormBlock
from tkyt_analysis.quality.special.expected import distance, expect_block, log_fit, probability
from tkyt_analysis.quality.special.rows import cell_rows

Judged = tuple[pd.DataFrame, int, int]
_WORST = 6  # cells of a form on either side that are tried as partners


def judge_misplaced(block: FormBlock, parameters: Mapping[str, Any]) -> Judged:
    """Cells that fit another cell of their form: value, suggested (the figure that belongs there), evidence.

    parameters : evidence, the log likelihood ratio needed (12). Judged are the cells with an expected count.
    """
    needed = float(parameters.get("evidence", 12.0))
    expected = expect_block(block)
    away = distance(block.values.astype(np.float32), expected.mean, expected.spread)
    with np.errstate(invalid="ignore"):
        high, low = away > 2.5, away < -2.5
    unit, column = np.nonzero(high.any(axis=2) & (low.any(axis=2) | (high.sum(axis=2) >= 2)))
    values, mean = block.values[unit, column], expected.mean[unit, column]
    found = [
        _exchanged(values, mean, expected.spread, away[unit, column], needed),
        *(_moved(values, mean, expected.spread, away[unit, column], step, needed) for step in (1, -1)),
    ]
    form, place, suggested, evidence = _best_of_each_form(found)
    rows = cell_rows(
        block, unit[form], column[form], place,
        expected=np.round(mean[form, place].astype(float), 1), suggested=suggested,
        verdict="inconsistent", explanation="column_shift",
        probability=probability(evidence, 8.0), evidence=np.round(evidence, 1),
        at_stake=np.abs(block.values[unit[form], column[form], place] - np.where(np.isfinite(suggested), suggested, mean[form, place])).round(1),
    )  # fmt: skip
    present = np.isfinite(block.values[:, block.asked])
    return rows, int((present & np.isfinite(expected.mean[:, block.asked])).sum()), int(present.sum())


Moved = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # form, place, suggested, evidence


def _exchanged(values: np.ndarray, mean: np.ndarray, spread: np.ndarray, away: np.ndarray, needed: float) -> Moved:
    """The best exchange of one count that is too high with one that is too low."""
    n = len(values)
    clean = np.nan_to_num(away)
    size = min(_WORST, values.shape[1])
    highs, lows = np.argsort(-clean, axis=1)[:, :size], np.argsort(clean, axis=1)[:, :size]
    rows = np.arange(n)[:, None]
    own = np.nan_to_num(log_fit(values, mean, spread))
    a, b = highs[:, :, None], lows[:, None, :]
    at = rows[:, :, None]
    fit_a = log_fit(values[at, a], mean[at, b], spread[b])  # the high count in the place of the low one
    fit_b = log_fit(values[at, b], mean[at, a], spread[a])
    gain = fit_a + fit_b - own[at, a] - own[at, b]
    good = (clean[at, a] > 2.5) & (clean[at, b] < -2.5) & (fit_a > -2.5) & (fit_b > -2.5) & np.isfinite(gain)
    # one digit too many says as much, and is commoner, unless the low count is far off too
    extra_digit = log_fit(values[at, a] / 10, mean[at, a], spread[a]) > -2
    good &= ~(extra_digit & (clean[at, b] > -4))
    gain = np.where(good, gain, -np.inf).reshape(n, size * size)
    best = gain.argmax(axis=1) if n else np.zeros(0, dtype=int)
    evidence = gain[np.arange(n), best]
    form = np.flatnonzero(evidence > needed)
    i, j = highs[form, best[form] // size], lows[form, best[form] % size]
    return (
        np.concatenate([form, form]), np.concatenate([i, j]),
        np.concatenate([values[form, j], values[form, i]]), np.concatenate([evidence[form]] * 2),
    )  # fmt: skip


def _moved(
    values: np.ndarray, mean: np.ndarray, spread: np.ndarray, away: np.ndarray, step: int, needed: float
) -> Moved:  # fmt: skip
    """The best run of at least two counts that fit the cell `step` places before them, some too high and some too low."""
    n, cells = values.shape
    before = np.full_like(mean, np.nan)
    width = np.zeros(cells) + spread
    if step > 0:
        before[:, 1:], width[1:] = mean[:, :-1], spread[:-1]
    else:
        before[:, :-1], width[:-1] = mean[:, 1:], spread[1:]
    moved = log_fit(values, before, width)
    gain = moved - log_fit(values, mean, spread)
    gain = np.where(np.isfinite(gain), np.clip(np.where(moved < -8, np.minimum(gain, -2), gain), -10, 15), -3)
    best, first, last = _best_sum(gain)
    form, place, suggested, evidence = [], [], [], []
    for one in np.flatnonzero((best > needed) & (last - first >= 1)):
        run = np.arange(first[one], last[one] + 1)
        touched = np.nan_to_num(away[one, [*(run - step), run[-1]]])
        if (
            (gain[one, run] > 1).sum() < 2
            or touched.min() > -2
            or touched.max() < 2
            or np.nanmean(moved[one, run]) < -2
        ):
            continue
        origin, end = run - step, run[-1] if step > 0 else run[0]
        form += [one] * (len(run) + 1)
        place += [*origin, end]
        suggested += [*values[one, run], np.nan]
        evidence += [best[one]] * (len(run) + 1)
    return np.array(form, dtype=int), np.array(place, dtype=int), np.array(suggested), np.array(evidence, dtype=float)


def _best_sum(gain: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The run of neighbours with the largest sum, along axis 1: (sum, first, last)."""
    n = len(gain)
    best, first, last = np.full(n, -np.inf), np.zeros(n, dtype=int), np.full(n, -1)
    run, begun = np.zeros(n), np.zeros(n, dtype=int)
    for at in range(gain.shape[1]):
        new = run <= 0
        run, begun = np.where(new, gain[:, at], run + gain[:, at]), np.where(new, at, begun)
        better = run > best
        best, first, last = np.where(better, run, best), np.where(better, begun, first), np.where(better, at, last)
    return best, first, last


def _best_of_each_form(found: list[Moved]) -> Moved:
    """Of several explanations of one form the one with most evidence."""
    form, place, suggested, evidence = (np.concatenate(parts) for parts in zip(*found, strict=True))
    way = np.repeat(np.arange(len(found)), [len(one[0]) for one in found])
    if not len(form):
        return form, place, suggested, evidence
    rank = pd.DataFrame({"form": form, "way": way, "evidence": evidence})
    best = rank.sort_values("evidence", kind="stable").drop_duplicates("form", keep="last").set_index("form")["way"]
    keep = best.reindex(form).to_numpy() == way
    return form[keep], place[keep], suggested[keep], evidence[keep]
