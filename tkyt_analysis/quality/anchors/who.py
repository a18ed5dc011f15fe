"""Outliers of WHO's data quality review and assurance toolkits: metrics 2a, 2b, 2c.

The statistics are those of the months that are judged (one year), the suspect among them. WHO's own DHIS2 app has two
errors that are not repeated here: its mean absolute deviation is the median one, so that 2c never looks at a series
whose MAD is 0; and an SD of 0 gives NaN, which passes for "no outlier".
"""

from __future__ import annotations

import numpy as np

from tkyt_analysis.quality.anchors.dhis2 import MODIFIED_Z
from tkyt_analysis.quality.anchors.series import (
    MEAN_DEVIATION_TO_SD,
    AnchorFlags,
    answer,
    divided,
    each_year,
    row_count,
    row_mad,
    row_mean,
    row_median,
    row_sd,
    why_not,
)


def standard_score(values: np.ndarray, *, threshold: float) -> AnchorFlags:
    """|value − mean| / SD of a sample beyond the threshold. One value, or SD 0 → not assessable."""
    mean, sd = row_mean(values), row_sd(values, sample=True)
    score = divided(values - mean, sd)
    with np.errstate(invalid="ignore"):
        flags = np.abs(score) > threshold
    return answer(
        values,
        flags,
        reason=why_not((row_count(values) < 2, "too_few_values"), (~(sd > 0), "no_spread")),
        expected=mean,
        lower=mean - threshold * sd,
        upper=mean + threshold * sd,
        score=score,
    )


def modified_score(values: np.ndarray, *, threshold: float) -> AnchorFlags:
    """0.6745 (value − median) / MAD beyond the threshold; where MAD is 0, 0.7979 (value − median) / mean deviation.

    Iglewicz and Hoaglin 1993. All values equal → not assessable ("no_spread").
    """
    middle, mad = row_median(values), row_mad(values)
    mean_deviation = row_mean(np.abs(values - middle))
    scale = np.where(mad > 0, mad / MODIFIED_Z, mean_deviation / MEAN_DEVIATION_TO_SD)
    score = divided(values - middle, scale)
    with np.errstate(invalid="ignore"):
        flags = np.abs(score) > threshold
    return answer(
        values,
        flags,
        reason=why_not((row_count(values) < 2, "too_few_values"), (~(scale > 0), "no_spread")),
        expected=middle,
        lower=middle - threshold * scale,
        upper=middle + threshold * scale,
        score=score,
    )


def who_2a(values: np.ndarray, *, years: np.ndarray | None = None, threshold: float = 3.0) -> AnchorFlags:
    """Extreme outliers: more than 3 SD (sample) from the mean of the year. values : (units, periods)."""
    return each_year(lambda part: standard_score(part, threshold=threshold), values, years)


def who_2b(values: np.ndarray, *, years: np.ndarray | None = None, threshold: float = 2.0) -> AnchorFlags:
    """Moderate outliers: more than 2 SD (sample) from the mean of the year."""
    return each_year(lambda part: standard_score(part, threshold=threshold), values, years)


def who_2c(values: np.ndarray, *, years: np.ndarray | None = None, threshold: float = 3.5) -> AnchorFlags:
    """Moderate outliers, robust: modified z beyond 3.5 in the year (5 for extreme ones)."""
    return each_year(lambda part: modified_score(part, threshold=threshold), values, years)


def diverging_units(result: AnchorFlags, *, least: int) -> np.ndarray:
    """Units that diverge: at least `least` outliers among their values (2a: 1; 2b and 2c: 2). Shape (units,)."""
    return result.flags.sum(axis=1) >= least
