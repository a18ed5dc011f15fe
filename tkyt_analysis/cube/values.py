"""From counts and denominators to values with their limits, on arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tkyt_analysis.cube.model import NOT_ASSESSABLE, OK, TOTAL, Measure, View

CONFIDENCE = 0.95


def of_whole_places(measure: Measure, view: View, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows without a denominator where it is not known by a dimension that they are split or filtered by (births by sex):
    the deaths of boys over all births would be a wrong figure."""
    kept = dict(view.where)
    for name in measure.options.get("undivided", ()):
        if name in kept:
            rows = rows.assign(denominator=np.nan)
        elif name in rows:
            rows = rows.assign(denominator=rows["denominator"].where(rows[name] == TOTAL))
    return rows


def _counted(measure: Measure, rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(value=rows["numerator"], lower=np.nan, upper=np.nan, status=OK)


def _averaged(measure: Measure, rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(value=rows["numerator"] / rows["denominator"], lower=np.nan, upper=np.nan, status=OK)


def _crude(measure: Measure, rows: pd.DataFrame) -> pd.DataFrame:
    from tkyt_analysis.analysis.rates import crude_rate

    if measure.options.get("missing_denominator"):
        rows = rows.assign(denominator=np.nan)
    limits = str(measure.options.get("limits") or "byar_exact")
    rates = crude_rate(rows["numerator"], rows["denominator"], per=measure.per, limits=limits)
    return rows.assign(
        value=np.asarray(rates["rate"]), lower=np.asarray(rates["lower"]), upper=np.asarray(rates["upper"]),
        status=np.asarray(rates["status"]),
    )  # fmt: skip


def _proportion(measure: Measure, rows: pd.DataFrame) -> pd.DataFrame:
    from tkyt_analysis.analysis.rates import wilson_limits

    limits = wilson_limits(rows["numerator"], rows["denominator"], CONFIDENCE)
    scaled = {
        name: measure.per * limits[column]
        for name, column in (("value", "share"), ("lower", "lower"), ("upper", "upper"))
    }
    return rows.assign(**scaled, status=np.where(rows["denominator"] > 0, OK, NOT_ASSESSABLE))


def _ratio(measure: Measure, rows: pd.DataFrame) -> pd.DataFrame:
    if not measure.denominator:
        return rows.assign(value=measure.per * rows["numerator"], lower=np.nan, upper=np.nan, status=OK)
    good = rows["numerator"].notna() & (rows["denominator"] > 0)
    value = (measure.per * rows["numerator"] / rows["denominator"]).where(good)
    return rows.assign(value=value, lower=np.nan, upper=np.nan, status=np.where(good, OK, NOT_ASSESSABLE))


FINISH = {"count": _counted, "average": _averaged, "crude": _crude, "proportion": _proportion, "ratio": _ratio}
