"""FASTR (World Bank / GFF), module 1: outliers, completeness of indicators, consistency of pairs, data quality score.

Works on (units, periods) matrices, one per indicator; thresholds are those of the R code of June 2025.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tkyt_analysis.quality.anchors.series import MAD_TO_SD, AnchorFlags, answer, divided, row_mad, row_median, why_not

INACTIVE = 2  # completeness: the unit does not count in that month
PAIRS = {
    "pair_delivery": ("bcg", "delivery", 0.7, 1.3),
    "pair_penta": ("penta1", "penta3", 1.0, np.inf),
    "pair_anc": ("anc1", "anc4", 1.0, np.inf),
}


def fastr(
    values: np.ndarray,
    *,
    years: np.ndarray,
    deviations: float = 10.0,
    share: float = 0.8,
    minimum: float = 100.0,
) -> AnchorFlags:
    """More than 10 MAD (scaled, of the values from the median up) from the median, or more than 80 % of the year's total.

    values : (units, periods); years : the calendar year of each column. Values up to `minimum` are never flagged:
    not assessable ("small_volume"). The code measures the distance on both sides; as small values are never flagged
    it hardly finds low ones, and a zero never.
    """
    middle = row_median(values)
    with np.errstate(invalid="ignore"):
        upper_half = np.where(values >= middle, values, np.nan)
    mad = MAD_TO_SD * row_mad(upper_half)
    score = divided(np.abs(values - middle), mad)
    with np.errstate(invalid="ignore"):
        flags = (score > deviations) | (share_of_year(values, years) > share)
    small = np.isfinite(values) & (np.nan_to_num(values) <= minimum)
    return answer(
        values,
        flags,
        reason=why_not((small, "small_volume")),
        expected=middle,
        lower=middle - deviations * mad,
        upper=middle + deviations * mad,
        score=score,
    )


def share_of_year(values: np.ndarray, years: np.ndarray) -> np.ndarray:
    """Each value over the sum of its unit and year; NaN where that is 0."""
    total = np.zeros(values.shape)
    for year in np.unique(years):
        here = years == year
        total[:, here] = np.nansum(values[:, here], axis=1, keepdims=True)
    return divided(values, total)


def completeness(values: np.ndarray, *, months: int = 6) -> np.ndarray:
    """1 reported, 0 not reported, 2 inactive, for the periods between the first and last with any value; NaN outside.

    values : (units, periods). A unit is inactive in the months before its first report, or after its last, where
    those are `months` or more. Units that never reported are no part of it (NaN).
    """
    reported = np.isfinite(values)
    seen = reported.any(axis=0)
    flags = np.full(values.shape, np.nan)
    if not seen.any():
        return flags
    first, last = np.flatnonzero(seen)[[0, -1]]
    part = reported[:, first : last + 1]
    inside = part.astype(float)
    width = part.shape[1]
    lead, tail = part.argmax(axis=1)[:, None], part[:, ::-1].argmax(axis=1)[:, None]
    at = np.arange(width)[None, :]
    inside[((lead >= months) & (at < lead)) | ((tail >= months) & (at >= width - tail))] = INACTIVE
    inside[~part.any(axis=1)] = np.nan
    flags[:, first : last + 1] = inside
    return flags


def consistency(
    numerator: np.ndarray, denominator: np.ndarray, districts: np.ndarray, *, lower: float, upper: float
) -> tuple[np.ndarray, np.ndarray]:
    """Is the ratio of two indicators of a district within its limits? 1, 0, NaN where the denominator is 0.

    numerator, denominator : (units, periods), outliers already taken out (NaN); districts : of each unit, (units,).
    Returns (district ids in order, (districts, periods) array).
    """
    names, place = np.unique(districts, return_inverse=True)
    above, below = (_sum_by(one, place, len(names)) for one in (numerator, denominator))
    ratio = divided(above, below)
    with np.errstate(invalid="ignore"):
        inside = (ratio >= lower) & (ratio <= upper)
    return names, np.where(np.isfinite(ratio), inside.astype(float), np.nan)


def _sum_by(values: np.ndarray, place: np.ndarray, groups: int) -> np.ndarray:
    total = np.zeros((groups, values.shape[1]))
    np.add.at(total, place, np.nan_to_num(values))
    return total


@dataclass(frozen=True)
class FastrResult:
    """Module 1 on a set of indicators.

    outliers, completeness : {indicator: (units, periods)}; pairs : {pair: (districts, periods) 1 / 0 / NaN}
    districts : rows of `pairs`; mean, binary : the data quality score of each unit and period, NaN where no indicator
    of the score counts there
    """

    outliers: Mapping[str, AnchorFlags]
    completeness: Mapping[str, np.ndarray]
    pairs: Mapping[str, np.ndarray]
    districts: np.ndarray
    mean: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    binary: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))


def assess(
    indicators: Mapping[str, np.ndarray],
    *,
    years: np.ndarray,
    districts: np.ndarray,
    scored: tuple[str, ...] = ("penta1", "anc1", "opd"),
    pairs: Mapping[str, tuple[str, str, float, float]] = PAIRS,
    pairs_not_scored: tuple[str, ...] = ("pair_delivery",),
) -> FastrResult:
    """All of FASTR's module 1 on one grid of units and periods.

    indicators : {name: (units, periods)}; districts : district of each unit; pairs : {name: (numerator, denominator,
    lower, upper)}, those whose indicators are absent are left out
    """
    outliers = {name: fastr(values, years=years) for name, values in indicators.items()}
    complete = {name: completeness(values) for name, values in indicators.items()}
    kept = {name: np.where(outliers[name].flags, np.nan, values) for name, values in indicators.items()}
    judged: dict[str, np.ndarray] = {}
    names = np.unique(districts)
    for name, (above, below, lower, upper) in pairs.items():
        if above in kept and below in kept:
            judged[name] = consistency(kept[above], kept[below], districts, lower=lower, upper=upper)[1]
    place = np.searchsorted(names, districts)
    used = [one[place] for name, one in judged.items() if name not in pairs_not_scored]
    mean, binary = quality_score([(complete[one], outliers[one].flags) for one in scored if one in indicators], used)
    return FastrResult(outliers, complete, judged, names, mean, binary)


def quality_score(
    indicators: list[tuple[np.ndarray, np.ndarray]], pairs: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """(mean, binary) score: the mean of two shares, points for "reported" and "no outlier", and pairs that hold.

    indicators : (completeness, outlier flags) of each scored indicator; pairs : 1 / 0 / NaN per unit and period (a pair
    that cannot be judged does not hold). Binary: every point and every pair.
    """
    counts = [np.isin(complete, (0, 1)) for complete, _ in indicators]
    points = [
        here * ((complete == 1).astype(int) + ~flags)
        for here, (complete, flags) in zip(counts, indicators, strict=True)
    ]
    share = sum(points) / (2 * len(indicators))
    held = sum((one == 1).astype(int) for one in pairs)
    parts = (share + held / len(pairs)) / 2 if pairs else share
    whole = (share == 1) & (held == len(pairs))
    any_counts = np.any(counts, axis=0)
    return np.where(any_counts, parts, np.nan), np.where(any_counts, whole.astype(float), np.nan)
