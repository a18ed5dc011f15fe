"""Domain 2, outliers within the year: metrics 2a, 2b (standard deviations) and 2c (median and MAD).

The table of months has one row per geography, place, year and subunit, and a column per month (or quarter).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tkyt_analysis.quality.desk_review.counting import month_is_noise
from tkyt_analysis.quality.desk_review.judged import GROUP, KEY, summarise

MEAN_AD = 0.7979  # sqrt(2/pi): mean absolute deviation of a normal distribution with standard deviation 1
MAD = 0.6745  # its median absolute deviation


def month_columns(months: pd.DataFrame) -> list[str]:
    """The columns of the periods of the year."""
    return [name for name in months.columns if name not in KEY]


def extreme_outliers(months: pd.DataFrame, *, threshold: float = 3.0, at_least: int = 1) -> pd.DataFrame:
    """2a: share of the year's values farther than `threshold` sample standard deviations from the mean of the year;
    a subunit diverges from `at_least` such values on.

    With n values none can lie farther than (n-1)/sqrt(n) deviations: where that does not reach the threshold the subunit is not
    assessable (too_few_values), as is one whose values are all equal (no_spread). Facts: outlying, values.
    """
    values = months[month_columns(months)].to_numpy(float)
    scores, status = standard_scores(values, threshold)
    return _outlier_results(months, values, scores, status, threshold, at_least)


def moderate_outliers(months: pd.DataFrame, *, threshold: float = 2.0, at_least: int = 2) -> pd.DataFrame:
    """2b: as 2a with 2 standard deviations; a subunit diverges from two values on."""
    return extreme_outliers(months, threshold=threshold, at_least=at_least)


def robust_outliers(
    months: pd.DataFrame, *, threshold: float = 3.5, at_least: int = 2, extreme: float = 5.0
) -> pd.DataFrame:
    """2c: share of the year's values with a modified z above `threshold`: 0.6745 (x - median) / MAD, and where the MAD
    is 0 0.7979 (x - median) / mean absolute deviation, so that a spike in a flat series is found.

    All values equal: not assessable (no_spread); fewer than five values: too_few_values. Facts: outlying, values, extreme (above 5).
    Source: Iglewicz, Hoaglin, How to detect and handle outliers, ASQC 1993; WHO who-data-quality-app 2020.
    """
    values = months[month_columns(months)].to_numpy(float)
    scores, status = modified_scores(values, threshold)
    return _outlier_results(months, values, scores, status, threshold, at_least, extreme)


def standard_scores(values: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """(|x - mean| / sample SD, status) of rows of values; missing values have no score."""
    seen = ~np.isnan(values)
    n = seen.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(seen, values, 0.0).sum(axis=1) / n
        off = np.where(seen, values - mean[:, None], np.nan)
        deviation = np.sqrt(np.nansum(off**2, axis=1) / (n - 1))
        flat = _flat(values, seen)
        scores = np.abs(off) / np.where(flat, np.nan, deviation)[:, None]
        enough = (n - 1) / np.sqrt(n) > threshold
    return scores, _status(n, enough, flat)


def modified_scores(values: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """(modified z, status) of rows of values. One spike in an otherwise flat series of n values scores 0.7979 n."""
    seen = ~np.isnan(values)
    n = seen.sum(axis=1)
    off = np.abs(values - _median(values, n)[:, None])
    mad = _median(off, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_ad = np.where(seen, off, 0.0).sum(axis=1) / n
        scores = np.where((mad > 0)[:, None], MAD * off / mad[:, None], MEAN_AD * off / mean_ad[:, None])
    flat = _flat(values, seen)
    scores = np.where(flat[:, None], np.nan, scores)
    return scores, _status(n, MEAN_AD * n > threshold, flat)


def _median(values: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Median of each row without its missing values."""
    ordered = np.sort(values, axis=1)  # missing values come last
    rows, top = np.arange(len(values)), max(values.shape[1] - 1, 0)
    low, high = np.clip((n - 1) // 2, 0, top), np.clip(n // 2, 0, top)
    return (ordered[rows, low] + ordered[rows, high]) / 2 if values.shape[1] else np.full(len(values), np.nan)


def _flat(values: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Rows whose values are all equal (not by their standard deviation, which rounding leaves above 0)."""
    top = np.where(seen, values, -np.inf).max(axis=1, initial=-np.inf)
    return top <= np.where(seen, values, np.inf).min(axis=1, initial=np.inf)


def _status(n: np.ndarray, enough: np.ndarray, flat: np.ndarray) -> np.ndarray:
    status = np.where(flat, "no_spread", "ok").astype(object)
    status[~enough] = "too_few_values"
    status[n == 0] = "no_values"
    return status


@dataclass(frozen=True)
class _Flags:
    count: np.ndarray
    certain: np.ndarray
    extreme: np.ndarray


def _flags(values: np.ndarray, scores: np.ndarray, threshold: float, extreme: float) -> _Flags:
    """Per row: outlying values, those that counting noise does not explain, those beyond `extreme`."""
    out = np.nan_to_num(scores, nan=0.0) > threshold
    certain = np.zeros_like(out)
    row, column = np.nonzero(out)
    if len(row):
        total, n = np.nansum(values, axis=1), (~np.isnan(values)).sum(axis=1)
        certain[row, column] = ~month_is_noise(values[row, column], total[row], n[row], z=threshold)
    return _Flags(out.sum(axis=1), certain.sum(axis=1), (np.nan_to_num(scores, nan=0.0) > extreme).sum(axis=1))


def _outlier_results(
    months: pd.DataFrame,
    values: np.ndarray,
    scores: np.ndarray,
    status: np.ndarray,
    threshold: float,
    at_least: int,
    extreme: float | None = None,
) -> pd.DataFrame:
    fine = status == "ok"
    flags = _flags(values[fine], scores[fine], threshold, extreme or np.inf)
    rows = months[KEY].assign(status=status, values=(~np.isnan(values)).sum(axis=1))
    for name, of_row in (("outlying", flags.count), ("certain", flags.certain), ("extreme", flags.extreme)):
        rows[name] = 0
        rows.loc[fine, name] = of_row
    judged = rows.assign(
        score=rows["outlying"] / rows["values"].where(rows["values"] > 0),
        diverges=rows["outlying"] >= at_least,
        beyond_noise=rows["certain"] >= at_least,
        distance=rows["outlying"].astype(float),
    )
    counted = rows.assign(**{name: rows[name].where(fine, 0) for name in ("values", "outlying", "extreme")})
    columns = ["outlying", "values", *(["extreme"] if extreme else [])]
    overall = counted.groupby(GROUP, observed=True, sort=True)[columns].sum().reset_index()
    overall["score"] = overall["outlying"] / overall["values"].where(overall["values"] > 0)
    return summarise(judged, overall.assign(reason=""), threshold=threshold)
