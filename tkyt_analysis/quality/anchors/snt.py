"""Outlier rules of the tools for subnational tailoring of malaria work: Magic Glasses (OpenHEXA), sntutils."""

from __future__ import annotations

import numpy as np

from tkyt_analysis.quality.anchors.series import (
    MAD_TO_SD,
    AnchorFlags,
    answer,
    each_year,
    row_count,
    row_mad,
    row_mean,
    row_median,
    row_quantile,
    row_sd,
    why_not,
)


def magic_glasses(
    values: np.ndarray,
    *,
    years: np.ndarray,
    first: float = 15.0,
    second: float = 10.0,
    flat_series: str = "flag",
) -> AnchorFlags:
    """Outside median ± 15 MAD of the year; then, on what is left of it, outside median ± 10 MAD. MAD is not scaled.

    values : (units, periods); years : the calendar year of each column. Its seasonal stages (residuals of R's
    forecast::tsclean beyond 5, then 3) are not reproduced: no oracle for them was at hand. As published a MAD of 0
    flags every value that differs; flat_series="not_assessable" says "no_spread" instead.
    """
    return each_year(lambda part: _two_stages(part, first, second, flat_series), values, years)


def _two_stages(values: np.ndarray, first: float, second: float, flat_series: str) -> AnchorFlags:
    coarse = _beyond(values, values, first)
    left = np.where(coarse, np.nan, values)
    middle, mad = row_median(left), row_mad(left)
    flat = (row_mad(values) == 0) | (mad == 0)
    return answer(
        values,
        coarse | _beyond(values, left, second),
        reason=why_not((row_count(values) < 2, "too_few_values"), (flat & (flat_series != "flag"), "no_spread")),
        expected=middle,
        lower=middle - second * mad,
        upper=middle + second * mad,
        score=(values - middle) / np.where(mad > 0, mad, np.nan),
    )


def _beyond(values: np.ndarray, basis: np.ndarray, deviations: float) -> np.ndarray:
    middle, reach = row_median(basis), deviations * row_mad(basis)
    with np.errstate(invalid="ignore"):
        return (values > middle + reach) | (values < middle - reach)


def sntutils(
    values: np.ndarray,
    *,
    mean_sd: float = 3.0,
    median_mad: float = 9.0,
    iqr: float = 2.0,
    agreement: int = 2,
    minimum_n: int = 8,
    outbreak_run: int = 2,
    outbreak_tolerance: float = 0.9,
    outbreak_gap: int = 1,
) -> AnchorFlags:
    """Above mean + 3 SD, median + 9 MAD (scaled), Q3 + 2 IQR ("balanced"): flagged where `agreement` of them agree.

    values : (units, periods). High values only. Fewer than `minimum_n` values → not assessable ("too_few_values");
    a method whose scale is 0 does not vote, and where fewer than `agreement` can vote → "no_spread". Flagged values
    in a run of `outbreak_run` or more, with at most `outbreak_gap` unflagged periods between two of them and each within
    `outbreak_tolerance` of the run's median, are taken for an outbreak.
    """
    limits, votes_possible = _upper_limits(values, mean_sd, median_mad, iqr)
    with np.errstate(invalid="ignore"):
        votes = np.sum([values > limit for limit in limits], axis=0)
    flags = votes >= agreement
    reason = why_not((row_count(values) < minimum_n, "too_few_values"), (votes_possible < agreement, "no_spread"))
    flags &= np.isfinite(values) & (reason == "")
    runs = outbreak_runs(values, flags, run=outbreak_run, tolerance=outbreak_tolerance, gap=outbreak_gap)
    ordered = np.sort(np.concatenate(limits, axis=1), axis=1)  # methods that do not vote stand last
    return answer(
        values,
        flags,
        reason=reason,
        expected=row_median(values),
        upper=ordered[:, agreement - 1 : agreement],
        score=votes,
        outbreak=runs,
    )


def _upper_limits(
    values: np.ndarray, mean_sd: float, median_mad: float, iqr: float
) -> tuple[list[np.ndarray], np.ndarray]:
    """The three limits (NaN where a method's scale is 0), and how many methods can vote."""
    third = row_quantile(values, 0.75)
    scales = (row_sd(values, sample=True), MAD_TO_SD * row_mad(values), third - row_quantile(values, 0.25))
    centres = (row_mean(values), row_median(values), third)
    limits = [
        np.where(scale > 0, centre + times * scale, np.nan)
        for centre, times, scale in zip(centres, (mean_sd, median_mad, iqr), scales, strict=True)
    ]
    return limits, np.isfinite(np.concatenate(limits, axis=1)).sum(axis=1, keepdims=True)


def outbreak_runs(values: np.ndarray, flags: np.ndarray, *, run: int, tolerance: float, gap: int) -> np.ndarray:
    """Flagged values that stand in a run: (units, periods) bool. Rows without two flagged values cost nothing."""
    inside = np.zeros(flags.shape, dtype=bool)
    for row in np.flatnonzero(flags.sum(axis=1) >= run):
        places = np.flatnonzero(flags[row])
        for part in np.split(places, np.flatnonzero(np.diff(places) - 1 > gap) + 1):
            middle = np.median(values[row, part])
            near = part[np.abs(values[row, part] - middle) <= tolerance * middle]
            if len(near) >= run:
                inside[row, near] = True
    return inside
