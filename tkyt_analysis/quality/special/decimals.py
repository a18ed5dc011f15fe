"""Counts that are no counts (B9, B10): "1.184" read as 1,184 thousandths, halves, percents, negative numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.quality.panel import FormBlock
from tkyt_analysis.quality.special.expected import distance, expect_block
from tkyt_analysis.quality.special.rows import cell_rows

Judged = tuple[pd.DataFrame, int, int]


def judge_decimals(block: FormBlock, parameters: Mapping[str, Any]) -> Judged:
    """Cells that are not whole numbers, below zero, or a thousand times too small: value, suggested.

    parameters : most_fractions, the share of fractions in an element from which it is no count but a rate or a
    measurement (0.05); its cells are not assessable. A lost thousands separator is suggested where the value times a
    thousand is whole and about what is expected; a negative number suggests its absolute value.
    """
    values = block.values
    with np.errstate(invalid="ignore"):
        fraction = np.isfinite(values) & (np.abs(values - np.round(values)) > 1e-9)
        below = values < 0
    counted = np.isfinite(values).sum(axis=(0, 1))
    is_count = fraction.sum(axis=(0, 1)) <= float(parameters.get("most_fractions", 0.05)) * np.maximum(counted, 1)
    expected = expect_block(block)
    lost = _thousandth(values, fraction, expected.mean, expected.spread)
    odd = (fraction | below | lost) & is_count
    unit, column, place = np.nonzero(odd)
    value, mean = values[unit, column, place], expected.mean[unit, column, place]
    thousand, negative = lost[unit, column, place], value < 0
    suggested = np.select(
        [thousand, negative & ~fraction[unit, column, place]], [np.round(value * 1000), -value], np.nan
    )
    rows = cell_rows(
        block, unit, column, place,
        expected=np.round(mean.astype(float), 1), suggested=suggested, verdict="error",
        explanation=np.where(thousand, "decimal_comma", "unknown"),
        probability=np.where(fraction[unit, column, place] | negative, 0.99, 0.9),
        at_stake=np.abs(value - np.where(np.isfinite(suggested), suggested, np.nan_to_num(mean, nan=0.0))).round(1),
    )  # fmt: skip
    present = np.isfinite(values[:, block.asked])
    return rows, int(present[:, :, is_count].sum()), int(present.sum())


def _thousandth(values: np.ndarray, fraction: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Values of which a thousand times is whole and usual: all fractions that do, and whole numbers where a thousand or more is expected."""
    with np.errstate(invalid="ignore"):
        larger = values * 1000
        whole = np.abs(larger - np.round(larger)) < 1e-6
        candidate = np.flatnonzero(whole & (values > 0) & (fraction | ((mean > 300) & (values < mean / 300))))
    result = np.zeros(values.shape, dtype=bool)
    if len(candidate):
        series = candidate % values.shape[2]
        away = distance(larger.ravel()[candidate], mean.ravel()[candidate], spread[series])
        result.ravel()[candidate] = np.abs(np.nan_to_num(away, nan=np.inf)) < 6
    return result
