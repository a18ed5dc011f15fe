"""Nowcasts tried on the past: what a method would have said then, beside what came true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.rates import OK
from tkyt_analysis.analysis.trend.nowcasting import MODELLED, nowcast, reported_so_far
from tkyt_analysis.analysis.trend.reporting_lags import LagTriangle, lag_triangle
from tkyt_analysis.errors import InputError


def nowcast_backtest(
    triangle: object,
    *,
    method: str = "chain_ladder",
    last: int = 26,
    window: int | None = None,
    confidence: float = 0.95,
    closed: npt.ArrayLike | None = None,
    by: str | Sequence[str] = (),
    **reading: Any,
) -> pd.DataFrame:
    """What the method would have said in each of the `last` complete periods, beside what came true.

    Returns
    -------
    One row per series, as_of (place, 1 = first period) and period that was then incomplete: keys, as_of, index, period, age,
    reported, estimate, lower, upper, final, error (estimate ÷ final − 1), covered. `backtest_summary` adds up by age.
    """
    lags = triangle if isinstance(triangle, LagTriangle) else lag_triangle(triangle, by=by, **reading)
    final = reported_so_far(lags)
    complete = len(lags.times) - lags.longest
    cuts = [place for place in range(complete - last, complete) if place >= 2 * lags.longest + 2]
    if not cuts:
        raise InputError("error.nowcast_short", found=len(lags.times), needed=3 * lags.longest + 3)
    parts = []
    for place in cuts:
        days = None if closed is None else np.asarray(closed, dtype=float)[: place + 1]
        said = nowcast(lags.known_at(place), method=method, window=window, confidence=confidence, closed=days)
        said["final"], said["as_of"] = final[:, : place + 1].ravel(), place + 1
        parts.append(said[said["status"] != OK])
    table = pd.concat(parts, ignore_index=True)
    table["age"] = table["as_of"] - table["index"]
    table["error"] = table["estimate"] / table["final"].where(table["final"] > 0) - 1
    table["covered"] = (table["lower"] <= table["final"]) & (table["final"] <= table["upper"])
    names = [
        *lags.keys.columns,
        "as_of",
        "index",
        *(["period"] if "period" in table else []),
        "age",
        "reported",
        "estimate",
    ]
    return table[[*names, "lower", "upper", "final", "error", "covered", "method", "status", "reason"]]


def backtest_summary(backtest: pd.DataFrame) -> pd.DataFrame:
    """By age of the period: nowcasts, bias and mean absolute error (shares of the final count), coverage of the limits."""
    usable = backtest[backtest["status"] == MODELLED].assign(size=lambda table: table["error"].abs())
    return usable.groupby("age", as_index=False).agg(
        nowcasts=("estimate", "size"), bias=("error", "mean"), error=("size", "mean"), coverage=("covered", "mean")
    )
