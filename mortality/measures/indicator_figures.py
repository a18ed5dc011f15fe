"""Rates and shares as the columns that every indicator has: numerator, denominator, value, limits, method, status, reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mortality.measures.indicator_frame import NOT_ASSESSABLE, OK
from tkyt_analysis.analysis.rates import crude_rate, wilson_limits


def with_rate(
    frame: pd.DataFrame, events: Any, base: pd.Series, *, per: float, method: str = "crude", limits: str = "byar_exact"
) -> pd.DataFrame:
    """The frame with events over a base (person-years, live births), one to one by row."""
    rates = crude_rate(events, base, per=per, limits=limits)
    return frame.assign(
        numerator=rates["events"].to_numpy(),
        denominator=base.to_numpy(),
        value=rates["rate"].to_numpy(),
        lower=rates["lower"].to_numpy(),
        upper=rates["upper"].to_numpy(),
        method=method + "_" + rates["method"].to_numpy(),
        status=rates["status"].to_numpy(),
        reason=rates["reason"].to_numpy(),
    )


def with_share(frame: pd.DataFrame, events: pd.Series, total: pd.Series, *, per: float) -> pd.DataFrame:
    """The frame with a share of deaths and its Wilson limits; without any death there is none."""
    limits = wilson_limits(events, total)
    return frame.assign(
        numerator=events,
        denominator=total,
        value=per * limits["share"],
        lower=per * limits["lower"],
        upper=per * limits["upper"],
        method="proportion_wilson",
        status=np.where(total > 0, OK, NOT_ASSESSABLE),
        reason=np.where(total > 0, "", "reason.no_deaths"),
        population_source="deaths",
        population_status=OK,
    )
