"""Copied forms (B7): a report equal to the unit's one before, to that of a year ago, or to another unit's.

Equality is evidence only where chance would not bring it about: the probability that the unit's own usual counts would
give exactly these figures is multiplied by the number of comparisons made. Forms of zeros and ones are no evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.quality.panel import FormBlock
from tkyt_analysis.quality.special.expected import Expected, expect_block, log_fit, periods_of_year
from tkyt_analysis.quality.special.rows import form_rows

Judged = tuple[pd.DataFrame, int, int]
_SOURCES = ("before", "year_ago", "other_unit")


def judge_copied(block: FormBlock, parameters: Mapping[str, Any]) -> Judged:
    """Whole forms that repeat another: value (sum of the form), source ("before" …), source_unit, source_period, equal_cells.

    parameters : by_chance, how many such equalities chance may bring about in a block (0.01); tolerance, the share of
    non-zero cells that may differ (0.05). Judged are reports whose repetition could be told from chance.
    """
    by_chance, tolerance = float(parameters.get("by_chance", 0.01)), float(parameters.get("tolerance", 0.05))
    expected = expect_block(block)
    counts = np.nan_to_num(block.values)
    sent = block.reported & (counts != 0).any(axis=2)
    usual = _usual_equality(counts, sent)
    pairs = [
        _same_unit(counts, sent, 1, tolerance),
        _same_unit(counts, sent, periods_of_year(block), tolerance),
        _other_unit(counts, sent, block, expected),
    ]
    unit, column, from_unit, from_column = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    source = np.repeat(_SOURCES, [len(one[0]) for one in pairs])
    chance = _log_chance(counts, expected, usual, (unit, column), (from_unit, from_column))
    limit = np.log(by_chance) - np.log(max(3 * sent.sum(), 1))
    keep = chance < limit
    rows = _rows(
        block, counts, unit[keep], column[keep], from_unit[keep], from_column[keep], source[keep], chance[keep]
    )
    able = _could_tell(counts, expected, usual, sent, limit)[:, block.asked]
    return rows, int(able.sum()), int(block.reported[:, block.asked].sum())


def _same_unit(counts: np.ndarray, sent: np.ndarray, lag: int, tolerance: float) -> tuple[np.ndarray, ...]:
    """(unit, period, unit, earlier period) of forms that equal their own of `lag` periods before in nearly all non-zero cells."""
    if counts.shape[1] <= lag:
        return (np.zeros(0, dtype=int),) * 4
    now, then = counts[:, lag:], counts[:, :-lag]
    filled = ((now != 0) | (then != 0)).sum(axis=2)
    differs = (now != then).sum(axis=2)
    unit, column = np.nonzero(sent[:, lag:] & sent[:, :-lag] & (differs <= np.floor(tolerance * filled)))
    return unit, column + lag, unit, column


def _other_unit(
    counts: np.ndarray, sent: np.ndarray, block: FormBlock, expected: Expected
) -> tuple[np.ndarray, ...]:  # fmt: skip
    """(unit, period, other unit, period) of equal forms of two units in one period; the copy is the one that fits its own unit less."""
    weights = np.random.default_rng(7).integers(1, 2**62, counts.shape[2], dtype=np.int64)
    bits = (counts * 1000).astype(np.int64)
    marks = (bits * weights).sum(axis=2)  # equal forms have equal sums (modulo 2^64); unequal ones practically never
    unit, column = np.nonzero(sent)
    order = np.lexsort((unit, marks[unit, column], column))
    unit, column = unit[order], column[order]
    same = (column[1:] == column[:-1]) & (marks[unit[1:], column[1:]] == marks[unit[:-1], column[:-1]])
    one, two, at = unit[1:][same], unit[:-1][same], column[1:][same]
    fit = [np.nansum(log_fit(counts[who, at], expected.mean[who, at], expected.spread), axis=1) for who in (one, two)]
    copy, source = np.where(fit[0] <= fit[1], one, two), np.where(fit[0] <= fit[1], two, one)
    return copy, at, source, at


def _usual_equality(counts: np.ndarray, sent: np.ndarray) -> np.ndarray:
    """How often a non-zero figure of each element equals the one before anyway (stocks and staff hardly change)."""
    both = (sent[:, 1:] & sent[:, :-1])[:, :, None] & (counts[:, 1:] != 0)
    same = (both & (counts[:, 1:] == counts[:, :-1])).sum(axis=(0, 1))
    return (same + 1) / (both.sum(axis=(0, 1)) + 2)


def _log_of_values(counts: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Log probability of exactly these counts (negative binomial); 0 for zeros and where nothing is expected."""
    from scipy.special import gammaln

    size = 1 / np.maximum(spread, 1e-3)
    m = np.maximum(mean, 0.05)
    log = gammaln(counts + size) - gammaln(size) - gammaln(counts + 1)
    log = log + size * np.log(size / (size + m)) + counts * np.log(m / (size + m))
    return np.where((counts > 0) & np.isfinite(mean), np.minimum(log, 0), 0)


def _log_chance(
    counts: np.ndarray,
    expected: Expected,
    usual: np.ndarray,
    where: tuple[np.ndarray, ...],
    source: tuple[np.ndarray, ...],
) -> np.ndarray:
    """Log probability that chance makes the form equal its source in the cells in which it does."""
    from scipy.special import gammaln

    values, mean = counts[where], expected.mean[where].astype(float)
    equal = values == counts[source]
    log = np.maximum(_log_of_values(values, mean, expected.spread), np.log(usual)) * (equal & (values > 0))
    filled = (values > 0).sum(axis=1)
    k = ((~equal) & (values > 0)).sum(axis=1)
    ways = gammaln(filled + 1) - gammaln(k + 1) - gammaln(np.maximum(filled - k, 0) + 1)
    return log.sum(axis=1) + ways


def _could_tell(
    counts: np.ndarray, expected: Expected, usual: np.ndarray, sent: np.ndarray, limit: float
) -> np.ndarray:  # fmt: skip
    """Reports so full that their repetition would be evidence: from the most probable probability of each figure, about 1/√(2π variance)."""
    mean = expected.mean
    with np.errstate(divide="ignore", invalid="ignore"):
        log = -0.5 * np.log(2 * np.pi * np.maximum(mean * (1 + expected.spread * mean), 0.5))
    log = np.where((counts > 0) & np.isfinite(mean), np.clip(log, np.log(usual), 0), 0)
    return sent & (log.sum(axis=2) < limit)


def _rows(
    block: FormBlock, counts: np.ndarray, unit: np.ndarray, column: np.ndarray, from_unit: np.ndarray,
    from_column: np.ndarray, source: np.ndarray, chance: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    names = np.array([one.period_id for one in block.periods], dtype=object)
    equal = ((counts[unit, column] == counts[from_unit, from_column]) & (counts[unit, column] != 0)).sum(axis=1)
    rows = form_rows(
        block, unit, column,
        verdict="repeated", explanation="copied_form", probability=np.clip(1 - np.exp(np.maximum(chance, -50)), 0.9, 0.999).round(3),
        at_stake=counts[unit, column].sum(axis=1), source=source, source_unit=block.units[from_unit],
        source_period=names[from_column], equal_cells=equal,
    )  # fmt: skip
    return rows.drop_duplicates(["unit_id", "period_id"], ignore_index=True)
