"""Release table small_area_rate: rates of communes and of provinces, smoothed by empirical Bayes.

A commune has so few deaths that its rate says more about chance than about the commune. The smoothed rate draws it towards
the mean of its province (a province: of all provinces) by as much as chance explains the differences; it is `modelled`, stands
beside the registered rate and never replaces it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tkyt_analysis.warehouse.release import NATION

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.release import ReleaseContext

COLUMNS = [
    "figure_id", "indicator_id", "unit_id", "period_id", "sex", "age_group", "cause", "events", "population", "registered", "value",
    "lower", "upper", "mean", "weight", "pool", "areas", "method", "status", "reason", "population_source",
]  # fmt: skip
METHODS = frozenset({"crude", "defined_rate", "per_live_births", "maternal_ratio"})  # events over a denominator
_SERIES = ["indicator_id", "period_id", "sex", "age_group", "cause", "pool"]
_KEPT = ["figure_id", *_SERIES, "unit_id", "numerator", "denominator", "per", "population_source"]
LEAST_AREAS = 3  # of fewer, the spread between areas is not known at all


def small_area_rate(context: ReleaseContext) -> pd.DataFrame:
    """COLUMNS and scope: one row per commune (pool: its province) and per province (pool: the nation), year, sex and rate.

    figure_id : of the registered figure in `indicator_value` that was smoothed (`tkyt explain` walks it back)
    registered, value, lower, upper, mean : in the indicator's unit; lower and upper are 95 % limits of the smoothed rate
    weight : share (0-1) of the area's own rate in the smoothed one; areas : how many areas the mean is of
    """
    from mortality.measure_release import registered_indicators

    rows = registered_indicators(context)
    if rows.empty:
        return pd.DataFrame(columns=[*COLUMNS, "scope"]).astype("str")
    return context.add_scope(smoothed(rows, context.units))


def smoothed(figures: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """COLUMNS of figures (as `indicator_value`) of communes and provinces of 2025; units: unit_id, province_id."""
    from tkyt_analysis.catalog.loader import load_entries

    entries = {name: entry for name, entry in load_entries("indicators").items() if entry.method in METHODS}
    rows = figures[figures["indicator_id"].isin(list(entries))]
    rows = rows.assign(
        pool=_pool(rows["unit_id"], units), per=rows["indicator_id"].map({k: e.per for k, e in entries.items()})
    )
    rows = rows[rows["pool"].notna() & rows["numerator"].notna() & rows["denominator"].notna()].reset_index(drop=True)
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS).astype("str")
    parts = [_of_pool(part) for _, part in rows.groupby("pool", sort=True)]
    told = _told(pd.concat(parts, ignore_index=True))
    return told[COLUMNS].sort_values(
        ["indicator_id", "period_id", "sex", "unit_id", "age_group", "cause"], ignore_index=True
    )


def _of_pool(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the areas of one pool with their smoothed rates: pool by pool, so that memory does not grow with all of them."""
    from tkyt_analysis.analysis.spatial.empirical_bayes import empirical_bayes_rate

    counts = rows[[*_SERIES, "unit_id"]].assign(
        events=rows["numerator"].astype(float), population=rows["denominator"].astype(float)
    )
    found = empirical_bayes_rate(counts, by=_SERIES, area="unit_id", method="marshall")
    return rows[_KEPT].join(found.drop(columns=list(counts.columns)), validate="one_to_one")


def _pool(unit_ids: pd.Series, units: pd.DataFrame) -> pd.Series:
    """Among which areas each unit is smoothed: a commune among those of its province, a province among all; else missing."""
    province = unit_ids.map(units.set_index("unit_id")["province_id"])
    level = unit_ids.str.extract(r"^VN2025:(\d+)$", expand=False).str.len()
    return province.where(level == 5).mask(level == 2, NATION)


def _told(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows in the indicator's unit; a smoothed rate is modelled, and of few areas not assessable."""
    areas = rows.groupby(_SERIES, dropna=False)["unit_id"].transform("size")
    few = (areas < LEAST_AREAS) & (rows["status"] != "not_assessable")
    reason = rows["reason"].mask(few, "reason.small_area_few")
    lost = reason != ""
    figures = {
        name: (rows[name] * rows["per"]).mask(lost).round(6) for name in ("rate", "lower", "upper", "prior_mean")
    }
    registered = (rows["raw_rate"] * rows["per"]).round(6)
    return rows.assign(
        events=rows["numerator"], population=rows["denominator"], registered=registered, value=figures["rate"],
        lower=figures["lower"], upper=figures["upper"], mean=figures["prior_mean"], weight=rows["weight"].mask(lost).round(6),
        areas=areas, status=np.where(lost, "not_assessable", "modelled"), reason=reason,
    )  # fmt: skip
