"""Release tables of measures: every indicator, life tables, causes after redistribution, rates corrected for what was missed.

What is corrected stands beside what was registered, never in its place; names of columns and indicators say which is which.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mortality.births import births_of_registers
from mortality.measures.indicator_frame import INDICATOR_VALUE_COLUMNS
from mortality.release_tables import (
    analysed_deaths,
    ancestors,
    at_levels,
    of_hiv,
    population_of_registers,
    summed_population,
)
from tkyt_analysis.warehouse.release import ReleaseContext

LIVE_BIRTHS = "live_births"
_PER_DAY = {"days": 1.0, "weeks": 7.0, "months": 365.25 / 12, "hours": 1 / 24, "minutes": 1 / 1440}


def counted_deaths(context: ReleaseContext) -> pd.DataFrame:
    """Deaths that count, of the years that have a population: unit_id (commune of 2025), year, sex, age_years, age_days,
    underlying_cause, released_cause ("" where the law withholds it)."""
    if "counted_deaths" not in context.made:
        rows = analysed_deaths(context)
        released = rows["underlying_cause"].mask(of_hiv(rows), "")
        rows = rows.assign(released_cause=released, age_days=age_in_days(rows))
        rows = rows[(rows["excluded"] == "") & rows["year"].notna() & rows["unit_2025"].str.startswith("VN")]
        rows = rows[rows["year"].isin(set(population_of_registers(context)["year"]))].astype({"year": "int64"})
        names = ["unit_2025", "year", "sex", "age_years", "age_days", "underlying_cause", "released_cause"]
        context.made["counted_deaths"] = rows[names].rename(columns={"unit_2025": "unit_id"})
    return context.made["counted_deaths"]


def age_in_days(rows: pd.DataFrame) -> pd.Series:
    """Completed days of age of those whose age was written in days, hours, weeks or full months; else missing."""
    value = pd.to_numeric(rows["age_value"], errors="coerce").astype(float)
    days = np.floor(value * rows["age_unit"].map(_PER_DAY).astype(float) + 1e-9)
    vague = rows["age_unit"].isin(["months"]) & (value < 1)
    return days.where(~vague & (days >= 0))


def indicator_values(context: ReleaseContext) -> pd.DataFrame:
    """INDICATOR_VALUE_COLUMNS of every indicator whose method is known, for communes, provinces and the nation."""
    from mortality.measures.indicators import METHODS, measure_indicators
    from tkyt_analysis.catalog.loader import load_entries

    deaths, population = counted_deaths(context), population_of_registers(context)
    if deaths.empty or population.empty:
        return pd.DataFrame(columns=INDICATOR_VALUE_COLUMNS).astype("str")
    above = ancestors(context.units)
    placed, persons = at_levels(deaths, above), summed_population(at_levels(population, above))
    entries = [entry for entry in load_entries("indicators").values() if entry.method in METHODS]
    over_births = [entry for entry in entries if entry.denominator == LIVE_BIRTHS]
    others = [entry for entry in entries if entry.denominator != LIVE_BIRTHS]
    values = measure_indicators(placed, persons, indicators=others)
    births = _over_births(context, over_births, placed, persons, above)
    return pd.concat([values, births], ignore_index=True).sort_values(
        ["indicator_id", "unit_id", "period_id"], kind="stable", ignore_index=True
    )


def _over_births(
    context: ReleaseContext, entries: list[Any], placed: pd.DataFrame, persons: pd.DataFrame, above: pd.DataFrame
) -> pd.DataFrame:
    """Indicators over live births: deaths and births of the communes whose births are known for the whole year."""
    from mortality.measures.indicators import measure_indicators

    births = births_of_registers(context)
    complete = births[births["complete"].astype(bool)]
    deaths = counted_deaths(context).merge(complete[["unit_id", "year"]], on=["unit_id", "year"])
    over = at_levels(complete[["unit_id", "year", LIVE_BIRTHS]], above)
    live_births = over.groupby(["unit_id", "year"], as_index=False)[LIVE_BIRTHS].sum()
    return measure_indicators(
        at_levels(deaths, above), persons, indicators=entries, live_births=live_births, places=placed
    )
