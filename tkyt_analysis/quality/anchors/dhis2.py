"""Outlier detection of DHIS2 (2.42–2.44): z-score, modified z-score, min-max ranges, values that are no numbers.

Every statistic includes the value under suspicion, so |z| can never exceed sqrt(n − 1): with fewer than ten values
nothing reaches 3. Series whose spread is 0 are dropped by DHIS2 without a word; here they are "not assessable".
"""

from __future__ import annotations

import re

import numpy as np

from tkyt_analysis.quality.anchors.series import (
    AnchorFlags,
    answer,
    divided,
    row_count,
    row_mad,
    row_mean,
    row_median,
    why_not,
)

MODIFIED_Z = 0.6745
# What `MathUtils` of DHIS2 takes for a number: sign, digits without superfluous leading zeros, decimals, exponent.
_NUMBER = re.compile(r"-?(0|[1-9]\d*)?(\.\d+)?([eE][+-]?\d+)?")


def population_sd(values: np.ndarray) -> np.ndarray:
    """Standard deviation of each row as PostgreSQL's stddev_pop sums it (Youngs and Cramer, value by value).

    Two equal spikes or one in five values give |z| of exactly 2: the last digit decides whether they are flagged, so
    the sum has to be made in the same way.
    """
    n, total, squares = (np.zeros((len(values), 1)) for _ in range(3))
    for column in values.T:
        value = column[:, None]
        here = np.isfinite(value)
        n, total = n + here, total + np.where(here, value, 0.0)
        step = np.where(here & (n > 1), value * n - total, 0.0)
        squares = squares + step * step / np.where(n > 1, n * (n - 1), 1.0)
    return np.sqrt(np.where(n > 0, squares / np.maximum(n, 1), np.nan))


def _flagged(score: np.ndarray, threshold: float, strict: bool) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.abs(score) > threshold if strict else np.abs(score) >= threshold


def dhis2_z(values: np.ndarray, *, threshold: float = 3.0, strict: bool = False) -> AnchorFlags:
    """|value − mean| / SD of the population, flagged from the threshold on.

    values : (units, periods), NaN missing; strict : only beyond the threshold, as /api/analytics/outlierDetection
    (where /api/outlierDetection has >=). SD 0 → not assessable ("no_spread").
    """
    mean, sd = row_mean(values), population_sd(values)
    score = divided(values - mean, sd)
    return answer(
        values,
        _flagged(score, threshold, strict),
        reason=why_not((~(sd > 0), "no_spread")),
        expected=mean,
        lower=mean - threshold * sd,
        upper=mean + threshold * sd,
        score=score,
    )


def dhis2_modified_z(values: np.ndarray, *, threshold: float = 3.5, strict: bool = False) -> AnchorFlags:
    """0.6745 · |value − median| / MAD, flagged from the threshold on; MAD 0 → not assessable ("no_spread")."""
    middle, mad = row_median(values), row_mad(values)
    score = divided(MODIFIED_Z * (values - middle), mad)
    reach = threshold * mad / MODIFIED_Z
    return answer(
        values,
        _flagged(score, threshold, strict),
        reason=why_not((~(mad > 0), "no_spread")),
        expected=middle,
        lower=middle - reach,
        upper=middle + reach,
        score=score,
    )


def dhis2_ranges(
    values: np.ndarray, *, deviations: float = 2.0, positive: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """The ranges that DHIS2 generates from all history: round(mean ± deviations · SD), cut at 0 for positive types.

    Returns (minimum, maximum), each (units, 1); halves are rounded up, as Java's Math.round does.
    """
    mean, sd = row_mean(values), population_sd(values)
    lower, upper = (np.floor(mean + sign * deviations * sd + 0.5) for sign in (-1, 1))
    return (np.maximum(lower, 0.0) if positive else lower), upper


def dhis2_min_max(
    values: np.ndarray,
    *,
    deviations: float = 2.0,
    positive: bool = True,
    ranges: tuple[np.ndarray, np.ndarray] | None = None,
) -> AnchorFlags:
    """Values outside their range: that of `ranges` (as received from DHIS2), or the one generated from `values`."""
    lower, upper = ranges or dhis2_ranges(values, deviations=deviations, positive=positive)
    with np.errstate(invalid="ignore"):
        outside = (values < lower) | (values > upper)
    absent = ~(np.isfinite(lower) & np.isfinite(upper))
    return answer(
        values, outside, reason=why_not((absent, "no_range")), expected=row_mean(values), lower=lower, upper=upper
    )


def dhis2_invalid_numeric(written: np.ndarray) -> np.ndarray:
    """Which texts DHIS2 does not take for a number; "" and None are missing, not invalid.

    Values of a warehouse are numbers already: what was none is in quarantine. This is for received text.
    """

    def invalid(text: object) -> bool:
        given = "" if text is None else str(text)
        return bool(given) and not (_NUMBER.fullmatch(given) and any(sign.isdigit() for sign in given))

    return np.frompyfunc(invalid, 1, 1)(np.asarray(written, dtype=object)).astype(bool)


def largest_score(n: int) -> float:
    """The largest |z| that a series of n values can have when the suspect counts with the others."""
    return float(np.sqrt(max(n - 1, 0)))


def too_short(values: np.ndarray, threshold: float) -> np.ndarray:
    """Series in which z cannot reach the threshold, whatever the error: (units,) bool."""
    return (np.sqrt(np.maximum(row_count(values) - 1, 0)) < threshold)[:, 0]
