"""Forms under each other's names: unit A's report stands under B and B's under A.

Candidates are reports of one province and period that do not look like their own unit; among them every pair is tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.quality.panel import FormBlock
from tkyt_analysis.quality.special.expected import Expected, distance, expect_block, log_fit, probability
from tkyt_analysis.quality.special.rows import form_rows, no_rows

Judged = tuple[pd.DataFrame, int, int]
_MOST_CANDIDATES = 80  # of one province and period; the least fitting ones


def judge_swapped_units(block: FormBlock, parameters: Mapping[str, Any]) -> Judged:
    """Two rows for each exchanged pair of forms: other_unit, evidence; at_stake is what the figures differ by.

    parameters : evidence, the log likelihood ratio needed (20). Judged are reports with at least five expected counts.
    """
    needed = float(parameters.get("evidence", 20.0))
    expected = expect_block(block)
    away = distance(block.values.astype(np.float32), expected.mean, expected.spread)
    known = np.isfinite(away).sum(axis=2)
    with np.errstate(invalid="ignore"):
        misfit = np.nansum(np.minimum(away**2, 25), axis=2) / np.maximum(known, 1)
    able = (known >= 5) & block.reported
    odd = able & (misfit > max(2.0, 2 * float(np.median(misfit[able]))) if able.any() else able)
    pairs = [one for column in range(odd.shape[1]) for one in _pairs_of(block, expected, odd, misfit, column, needed)]
    reports = block.reported[:, block.asked]
    return _rows(block, pairs), int(able[:, block.asked].sum()), int(reports.sum())


def _pairs_of(
    block: FormBlock, expected: Expected, odd: np.ndarray, misfit: np.ndarray, column: int, needed: float
) -> list[tuple[int, int, int, float]]:
    """(unit, unit, period, evidence) of one period, province by province; each unit in at most one pair."""
    found = []
    rows = np.flatnonzero(odd[:, column])
    for group in np.unique(block.groups[rows].astype(str)):
        inside = rows[block.groups[rows] == group]
        inside = inside[np.argsort(-misfit[inside, column])][:_MOST_CANDIDATES]
        if len(inside) >= 2:
            found += _best_pairs(block, expected, inside, column, needed)
    return found


def _best_pairs(
    block: FormBlock, expected: Expected, units: np.ndarray, column: int, needed: float
) -> list[tuple[int, int, int, float]]:
    values, mean = block.values[units, column], expected.mean[units, column]
    fit = np.clip(log_fit(values[:, None, :], mean[None, :, :], expected.spread), -15, 0)  # report i as if of unit j
    cells = np.isfinite(fit)
    own = np.einsum("iie->ie", fit)
    gain = np.where(cells & np.isfinite(own)[:, None, :], fit - own[:, None, :], 0).sum(axis=2)
    mean_fit = np.nansum(fit, axis=2) / np.maximum(cells.sum(axis=2), 1)
    both = np.where(
        (mean_fit > -1.25) & (mean_fit.T > -1.25) & (np.minimum(gain, gain.T) > needed / 3), gain + gain.T, -np.inf
    )
    np.fill_diagonal(both, -np.inf)
    found = []
    while both.size and both.max() > needed:
        i, j = np.unravel_index(int(both.argmax()), both.shape)
        found.append((int(units[i]), int(units[j]), column, float(both[i, j])))
        both[[i, j], :], both[:, [i, j]] = -np.inf, -np.inf
    return found


def _rows(block: FormBlock, pairs: list[tuple[int, int, int, float]]) -> pd.DataFrame:
    if not pairs:
        return no_rows()
    one, two, column, evidence = (np.array(part) for part in zip(*pairs, strict=True))
    unit, other = np.concatenate([one, two]), np.concatenate([two, one])
    column, evidence = np.concatenate([column, column]), np.concatenate([evidence, evidence])
    change = np.nansum(np.abs(block.values[unit, column] - block.values[other, column]), axis=1)
    return form_rows(
        block, unit, column,
        verdict="inconsistent", explanation="swapped_units", probability=probability(evidence, 12.0),
        at_stake=change, other_unit=block.units[other], evidence=evidence.round(1),
    )  # fmt: skip
