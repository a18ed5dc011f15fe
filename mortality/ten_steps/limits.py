"""Figures → verdicts, by the dated limits of the catalog (threshold `ten_steps`)."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

GOOD, REVIEW, NOT_ASSESSABLE = "good", "review", "not_assessable"
VERDICTS = (GOOD, REVIEW, NOT_ASSESSABLE)
TOO_FEW, TOO_WIDE = "too_few", "too_wide"
STEPS = range(1, 11)


@dataclass(frozen=True)
class Limit:
    """What a figure should be: within [low, high] (None: no end); `least`: the base below which nothing is said.

    source : a document, "" for a rule of our own; unverified : recalled, or our own judgement
    """

    figure: str
    low: float | None
    high: float | None
    least: float
    source: str
    unverified: bool


def limits_at(day: datetime.date) -> dict[str, Limit]:
    """The limits in force on a day, by figure; figures without one are shown and not judged."""
    from tkyt_analysis.catalog.loader import load_entry

    given: Mapping[str, Mapping[str, Any]] = load_entry("thresholds", "ten_steps").at(day)["figures"]
    return {
        name: Limit(
            name,
            None if one.get("from") is None else float(one["from"]),
            None if one.get("to") is None else float(one["to"]),
            float(one["least"]),
            str(one.get("source", "")),
            bool(one.get("unverified", False)),
        )
        for name, one in given.items()
    }


def judge(figures: pd.DataFrame, limits: Mapping[str, Limit]) -> pd.DataFrame:
    """The figures with low, high, verdict ("" where there is no limit) and sure.

    verdict : good inside the limits, review outside, not_assessable without a value, on too small a base (reason too_few),
        or where the interval reaches from far below to far above the limits (reason too_wide)
    sure : the whole interval lies on the verdict's side
    """
    named = [limits.get(str(name)) for name in figures["figure"]]
    judged = np.array([one is not None for one in named], dtype=bool)
    low = np.array([-np.inf if one is None or one.low is None else one.low for one in named], dtype=float)
    high = np.array([np.inf if one is None or one.high is None else one.high for one in named], dtype=float)
    least = np.array([one.least if one else 0.0 for one in named], dtype=float)
    value, lower, upper = (figures[name].to_numpy(dtype=float) for name in ("value", "lower", "upper"))
    known = figures["status"].eq("ok").to_numpy()
    few = judged & known & (np.nan_to_num(figures["base"].to_numpy(dtype=float)) < least)
    wide = judged & known & ~few & (lower < low) & (upper > high)
    inside = (value >= low) & (value <= high)
    sure = np.where(inside, ~(lower < low) & ~(upper > high), (upper < low) | (lower > high))
    reason = np.select([few, wide], [TOO_FEW, TOO_WIDE], figures["reason"].to_numpy(dtype=object))
    verdict = np.select([~judged, ~known | few | wide, inside], ["", NOT_ASSESSABLE, GOOD], REVIEW)
    return figures.assign(
        low=low, high=high, reason=reason, verdict=verdict, sure=np.where(np.isin(verdict, [GOOD, REVIEW]), sure, False)
    )


def step_verdicts(judged: pd.DataFrame) -> pd.DataFrame:
    """place, year, step, verdict: review if any figure asks for it, else good if any is, else not_assessable."""
    rows = judged[judged["verdict"] != ""]
    marks = rows.assign(review=rows["verdict"].eq(REVIEW), good=rows["verdict"].eq(GOOD))
    table = marks.groupby(["place", "year", "step"], as_index=False, sort=False)[["review", "good"]].any()
    verdict = np.select([table["review"], table["good"]], [REVIEW, GOOD], NOT_ASSESSABLE)
    return table[["place", "year", "step"]].assign(verdict=verdict)
