"""Estimates as indicators: rows of `indicator_value` of corrected figures, and of the completeness that they use."""

from __future__ import annotations

import pandas as pd

from mortality.corrected_release import completeness_of, corrected_rows
from mortality.measure_release import registered_indicators
from mortality.measures.indicator_frame import INDICATOR_VALUE_COLUMNS, NOT_ASSESSABLE
from tkyt_analysis.warehouse.release import ReleaseContext

CORRECTED, COMPLETENESS = "corrected_", "death_registration_completeness"


def estimated_indicators(context: ReleaseContext) -> pd.DataFrame:
    """Rows of `indicator_value` of the indicators that are estimates: corrected ones, and the completeness they use."""
    corrected = corrected_rows(context)
    if corrected.empty:
        return pd.DataFrame(columns=INDICATOR_VALUE_COLUMNS)
    rows = corrected[corrected["cause"] == "all"]
    keys = ["indicator_id", "unit_id", "period_id", "sex"]
    registered = registered_indicators(context)
    beside = registered[registered["indicator_id"].isin(rows["indicator_id"])]
    beside = beside[[*keys, "numerator", "denominator", "population_source"]]
    rows = rows.merge(beside, on=keys, how="left", validate="one_to_one")
    rows = rows.rename(columns={"corrected": "value"}).assign(indicator_id=CORRECTED + rows["indicator_id"])
    known = pd.concat([rows, _completeness_rows(context)], ignore_index=True)
    return _as_indicators(known)


def _completeness_rows(context: ReleaseContext) -> pd.DataFrame:
    rows = completeness_of(context)
    figures = {"value": "completeness", "lower": "lower", "upper": "upper"}
    return rows.assign(
        **{name: 100 * rows[column] for name, column in figures.items()},
        indicator_id=COMPLETENESS,
        period_id=rows["year"].astype("int64").astype("str"),
        numerator=rows["registered"],
        denominator=rows["registered"] / rows["completeness"],
        population_source="completeness_estimate",
    )


def _as_indicators(rows: pd.DataFrame) -> pd.DataFrame:
    """Ids, periods and ages by the catalog's entries; entries that the catalog has not are left out."""
    from tkyt_analysis.catalog.loader import load_entries

    entries = load_entries("indicators")
    rows = rows[rows["indicator_id"].isin(entries)].assign(cause="all")
    ages = {one: "+".join(entries[one].age_groups) or "all" for one in rows["indicator_id"].unique()}
    rows = rows.assign(
        age_group=rows["indicator_id"].map(ages),
        period_start=pd.to_datetime(rows["period_id"] + "-01-01"),
        period_end=pd.to_datetime(rows["period_id"] + "-12-31"),
    )
    names = ["indicator_id", "unit_id", "period_id", "sex", "age_group", "cause"]
    rows["figure_id"] = rows[names[0]].str.cat([rows[name].astype("str") for name in names[1:]], sep="|")
    values = ["value", "lower", "upper"]
    rows[values] = rows[values].astype("float64").mask(rows["status"] == NOT_ASSESSABLE)
    return rows.reindex(columns=INDICATOR_VALUE_COLUMNS)
