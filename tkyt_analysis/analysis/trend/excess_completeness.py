"""Which counts can be trusted: missing periods, periods still being reported, and counts estimated for reporting delay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import z_value
from tkyt_analysis.analysis.trend.excess_dates import as_days
from tkyt_analysis.analysis.trend.excess_input import Counts, read_counts
from tkyt_analysis.errors import InputError

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Observed:
    """value (NaN where it cannot be used), its standard error (0 for counts), reason and flags, all (series, time).

    estimated : the value is a nowcast; settled : the count may enter a baseline
    """

    value: Numbers
    se: Numbers
    reason: npt.NDArray[Any]
    estimated: Flags
    settled: Flags


def observed_counts(series: Counts, incomplete_from: Any, nowcast: pd.DataFrame | None, confidence: float) -> Observed:
    """The counts with what is known of their completeness.

    incomplete_from : first date that is still being reported (one for all); nowcast : date or period_id (and the keys of
    the series), value (or estimate), lower, upper; its rows take the place of the counts (those of `nowcast` that are complete do not).
    """
    shape = series.counts.shape
    late = np.zeros(shape, dtype=bool)
    if incomplete_from is not None:
        late |= series.dates >= as_days([incomplete_from], "incomplete_from")[0]
    value, se = series.counts.copy(), np.zeros(shape)
    estimated = np.zeros(shape, dtype=bool)
    if nowcast is not None:
        value, se, estimated = _nowcast(series, nowcast, confidence)
    open_ = late & ~estimated
    reason = np.select(
        [estimated, open_, ~series.present, np.isnan(value), ~(series.population > 0)],
        ["reason.excess_nowcast", "reason.excess_incomplete", "reason.excess_period_missing", "reason.events_missing",
         "reason.no_total"],
        default="",
    )  # fmt: skip
    usable = estimated | (reason == "")
    return Observed(np.where(usable, value, np.nan), se, reason, estimated, ~late & ~estimated)


def _nowcast(series: Counts, nowcast: pd.DataFrame, confidence: float) -> tuple[Numbers, Numbers, Flags]:
    """(counts with the estimates in their place, standard errors, where)."""
    keys = list(series.keys.columns)
    given = _estimates(nowcast)
    other = read_counts(given, by=keys, frequency=series.frequency, outcome="value", extra=["lower", "upper"])
    rows = np.arange(len(other.keys))
    if keys:
        placed = other.keys.merge(series.keys.reset_index(names="place"), on=keys, how="left", validate="one_to_one")
        if placed["place"].isna().any():
            raise InputError(
                "error.excess_nowcast_unknown", series=str(other.keys[placed["place"].isna()].iloc[0].tolist())
            )
        rows = placed["place"].to_numpy(dtype=int)
    place = np.searchsorted(series.dates, other.dates)
    inside = (place < len(series.dates)) & (series.dates[np.minimum(place, len(series.dates) - 1)] == other.dates)
    if not inside.all():
        raise InputError("error.excess_nowcast_unknown", series=str(other.dates[~inside][0]))
    value, se = series.counts.copy(), np.zeros(series.counts.shape)
    estimated = np.zeros(series.counts.shape, dtype=bool)
    at = np.ix_(rows, place)
    estimated[at] = np.isfinite(other.counts)
    value[at] = np.where(estimated[at], other.counts, value[at])
    spread = (other.extra["upper"] - other.extra["lower"]) / (2 * z_value(confidence))
    se[at] = np.where(estimated[at], np.nan_to_num(spread), 0.0)
    return value, se, estimated


def _estimates(nowcast: pd.DataFrame) -> pd.DataFrame:
    """The rows of a nowcast that are estimates, with columns value, lower, upper."""
    given = nowcast.rename(columns={"estimate": "value"}) if "value" not in nowcast else nowcast
    absent = [name for name in ("value", "lower", "upper") if name not in given]
    if absent:
        found = ", ".join(map(str, nowcast.columns))
        raise InputError("error.excess_column", expected=", ".join(absent), found=found)
    if "complete" in given:
        given = given[~given["complete"].astype(bool)]
    return given.drop(columns=[one for one in ("outcome", "events", "deaths", "population") if one in given])
