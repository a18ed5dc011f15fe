"""Countdown to 2030 (cd2030.core): median ± 5 MAD of the years before the last, per unit."""

from __future__ import annotations

import numpy as np

from tkyt_analysis.quality.anchors.series import MAD_TO_SD, AnchorFlags, answer, row_mad, row_median, why_not


def cd2030(values: np.ndarray, *, years: np.ndarray, deviations: float = 5.0, flat_series: str = "flag") -> AnchorFlags:
    """Values outside round(median ± deviations · 1.4826 · MAD, 1), both of all years but the last.

    values : (units, periods); years : the calendar year of each column. A unit without a value before the last year
    is not assessable ("no_history"). A MAD of 0 makes every value that differs an outlier, as published;
    flat_series="not_assessable" says so instead ("no_spread").
    """
    before = np.where(years < years.max(initial=0), values, np.nan)
    middle, mad = row_median(before), row_mad(before)
    reach = deviations * MAD_TO_SD * mad
    lower, upper = np.round(middle - reach, 1), np.round(middle + reach, 1)
    with np.errstate(invalid="ignore"):
        outside = (values < lower) | (values > upper)
    reason = why_not((np.isnan(middle), "no_history"), ((mad == 0) & (flat_series != "flag"), "no_spread"))
    return answer(
        values,
        outside,
        reason=reason,
        expected=middle,
        lower=lower,
        upper=upper,
        score=(values - middle) / np.where(reach > 0, reach / deviations, np.nan),
    )
