"""Habits of a unit that show in its digits and in their variation: rounding to 0 and 5 (B8), invented smooth figures (B12).

Both are tests per unit, with the share of false discoveries held at `fdr` (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.quality.panel import FormBlock
from tkyt_analysis.quality.special.expected import quiet

Judged = tuple[pd.DataFrame, int, int]
_CHANCE = 0.2  # two digits of ten


def false_discovery_limit(p_values: np.ndarray, rate: float) -> float:
    """The largest p-value that is a discovery when at most `rate` of the discoveries may be false (0 where none is)."""
    ordered = np.sort(p_values[np.isfinite(p_values)])
    passes = np.flatnonzero(ordered <= rate * np.arange(1, len(ordered) + 1) / max(len(ordered), 1))
    return float(ordered[passes[-1]]) if len(passes) else 0.0


def judge_heaping(block: FormBlock, parameters: Mapping[str, Any]) -> Judged:
    """Units that round: value (share of counts ending in 0 or 5), expected (usual share), counted (counts of two digits).

    parameters : fdr (0.01), minimum_counts (30), minimum_share (0.35). A unit with fewer counts of at least ten is not
    assessable. Where everybody rounds a little (at most 0.27) that is the usual share; more than that is called rounding.
    """
    from scipy.stats import binom

    fewest, least = int(parameters.get("minimum_counts", 30)), float(parameters.get("minimum_share", 0.35))
    values = block.values[:, block.asked]
    with np.errstate(invalid="ignore"):
        large = (values >= 10) & (values == np.floor(values))
        rounded = large & (np.mod(values, 5) == 0)
    counted, heaped = large.sum(axis=(1, 2)), rounded.sum(axis=(1, 2))
    able = counted >= fewest
    share = heaped / np.maximum(counted, 1)
    usual = float(np.clip(np.median(share[able]), _CHANCE, 0.27)) if able.any() else _CHANCE
    p = np.where(able, binom.sf(heaped - 1, counted, usual), np.nan)
    limit = false_discovery_limit(p, float(parameters.get("fdr", 0.01)))
    found = np.flatnonzero(able & (p <= limit) & (share >= least))
    excess = heaped[found] - usual * counted[found]
    rows = _unit_rows(
        block, found, value=share[found].round(3), expected=usual, verdict="inconsistent", explanation="heaped",
        probability=np.clip(1 - p[found], 0.9, 0.999).round(3), at_stake=(2.5 * excess).round(1), counted=counted[found],
    )  # fmt: skip
    return rows, int(able.sum()), len(able)


def judge_invented(block: FormBlock, parameters: Mapping[str, Any]) -> Judged:
    """Units whose counts vary less than chance alone would make them: value (variance against Poisson), counted, series.

    parameters : fdr (0.01), minimum_counts (36), maximum_ratio (0.6). Elements that hardly vary anywhere (staff, beds:
    stocks, not events) are left out, and totals whose parts are in the form do no harm because nothing is added to
    the variance of honest counts. A unit without enough counts is not assessable.
    """
    from scipy.stats import chi2

    fewest, most = int(parameters.get("minimum_counts", 36)), float(parameters.get("maximum_ratio", 0.6))
    squares, freedom = _variation(block.values[:, block.asked])
    ratio = squares / np.maximum(freedom, 1)
    with quiet():
        of_events = np.nanmedian(np.where(freedom >= 5, ratio, np.nan), axis=0) >= 0.6
    chosen = (freedom >= 5) & of_events
    total, degrees = (squares * chosen).sum(axis=1), (freedom * chosen).sum(axis=1)
    able = degrees >= fewest
    with np.errstate(invalid="ignore", divide="ignore"):
        value = total / degrees
    # totals and their parts are not independent: the test is held to half the degrees of freedom
    p = np.where(able, chi2.cdf(total / 2, degrees / 2), np.nan)
    limit = false_discovery_limit(p, float(parameters.get("fdr", 0.01)))
    found = np.flatnonzero(able & (p <= limit) & (value <= most))
    rows = _unit_rows(
        block, found, value=value[found].round(3), expected=1.0, verdict="inconsistent", explanation="invented",
        probability=np.clip(1 - p[found], 0.9, 0.999).round(3), at_stake=np.nansum(block.values[found][:, block.asked], axis=(1, 2)),
        counted=degrees[found], series=chosen.sum(axis=1)[found],
    )  # fmt: skip
    return rows, int(able.sum()), len(able)


def _variation(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(sum of (count − mean)²/mean, degrees of freedom) of every series with a mean of at least 2: (units, series)."""
    with quiet(), np.errstate(invalid="ignore", divide="ignore"):
        n = np.isfinite(values).sum(axis=1)
        mean = np.nanmean(values, axis=1)
        squares = np.nansum((values - mean[:, None]) ** 2, axis=1) / mean
    usable = (mean >= 2) & (n >= 6) & np.isfinite(squares)
    return np.where(usable, squares, 0), np.where(usable, n - 1, 0)


def _unit_rows(block: FormBlock, found: np.ndarray, **columns: Any) -> pd.DataFrame:
    """One row per unit, for all its periods and elements."""
    return pd.DataFrame(
        {"unit_id": block.units[found], "period_id": "", "element_id": "", "category_id": "", **columns}
    ).reset_index(drop=True)
