"""Deaths and population of a release at every level, and the indicators and life tables that are made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mortality.births import births_of_registers
from mortality.measures.indicator_frame import (
    GROUP,
    INDICATOR_VALUE_COLUMNS,
    MODELLED,
    OK,
    deaths_in_all_sexes,
    person_years,
    population_in_all_sexes,
)
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


def deaths_at_levels(context: ReleaseContext) -> pd.DataFrame:
    """`counted_deaths` once for each unit that they count in: commune, province, nation."""
    if "deaths_at_levels" not in context.made:
        context.made["deaths_at_levels"] = at_levels(counted_deaths(context), ancestors(context.units))
    return context.made["deaths_at_levels"]


def population_at_levels(context: ReleaseContext) -> pd.DataFrame:
    """`population_of_registers` summed for each commune, province and the nation."""
    if "population_at_levels" not in context.made:
        rows = population_of_registers(context)
        placed = at_levels(rows, ancestors(context.units)) if len(rows) else rows
        context.made["population_at_levels"] = summed_population(placed)
    return context.made["population_at_levels"]


def large_units(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of provinces and of the nation."""
    return rows[~rows["unit_id"].str.fullmatch(r"VN20\d{2}:\d{3,5}")]


def indicator_values(context: ReleaseContext) -> pd.DataFrame:
    """INDICATOR_VALUE_COLUMNS of every indicator: of what was registered, and beside it what was corrected."""
    from mortality.estimated_indicators import estimated_indicators

    registered = registered_indicators(context)
    rows = pd.concat([registered, estimated_indicators(context)], ignore_index=True) if len(registered) else registered
    return rows.sort_values(["indicator_id", "unit_id", "period_id"], kind="stable", ignore_index=True)


def registered_indicators(context: ReleaseContext) -> pd.DataFrame:
    """The indicators of registered deaths, for communes, provinces and the nation."""
    if "registered_indicators" not in context.made:
        context.made["registered_indicators"] = _registered(context)
    return context.made["registered_indicators"]


def _registered(context: ReleaseContext) -> pd.DataFrame:
    from mortality.measures.indicators import METHODS, measure_indicators
    from tkyt_analysis.catalog.loader import load_entries

    placed, persons = deaths_at_levels(context), population_at_levels(context)
    if placed.empty or persons.empty:
        return pd.DataFrame(columns=INDICATOR_VALUE_COLUMNS).astype("str")
    entries = [entry for entry in load_entries("indicators").values() if entry.method in METHODS]
    over_births = [entry for entry in entries if entry.denominator == LIVE_BIRTHS]
    others = [entry for entry in entries if entry.denominator != LIVE_BIRTHS]
    values = measure_indicators(placed, persons, indicators=others)
    births = _over_births(context, over_births, placed, persons)
    return pd.concat([values, births], ignore_index=True)


def _over_births(
    context: ReleaseContext, entries: list[Any], placed: pd.DataFrame, persons: pd.DataFrame
) -> pd.DataFrame:
    """Indicators over live births: deaths and births of the communes whose births are known for the whole year."""
    from mortality.measures.indicators import measure_indicators

    births, above = births_of_registers(context), ancestors(context.units)
    complete = births[births["complete"].astype(bool)]
    deaths = counted_deaths(context).merge(complete[["unit_id", "year"]], on=["unit_id", "year"])
    over = at_levels(complete[["unit_id", "year", LIVE_BIRTHS]], above)
    live_births = over.groupby(["unit_id", "year"], as_index=False)[LIVE_BIRTHS].sum()
    return measure_indicators(
        at_levels(deaths, above), persons, indicators=entries, live_births=live_births, places=placed
    )


LIFE_TABLE_COLUMNS = [
    "unit_id", "period_id", "sex", "age_group", "deaths", "person_years", "mx", "ax", "qx", "lx", "dx", "years_lived", "Tx", "ex",
    "ex_lower", "ex_upper", "method", "status", "reason",
]  # fmt: skip


def life_table(context: ReleaseContext) -> pd.DataFrame:
    """Abridged life tables of registered deaths: one row per province (and the nation), year, sex and age group.

    Not corrected for deaths that were never registered. status: modelled where the population is.
    """
    deaths, population = large_units(deaths_at_levels(context)), large_units(population_at_levels(context))
    if deaths.empty or population.empty:
        return pd.DataFrame(columns=[*LIFE_TABLE_COLUMNS, "scope"]).astype("str")
    return context.add_scope(life_tables_of(deaths, population)[LIFE_TABLE_COLUMNS])


def life_tables_of(deaths: pd.DataFrame, population: pd.DataFrame) -> pd.DataFrame:
    """LIFE_TABLE_COLUMNS from deaths (unit_id, year, sex, age_years) and population (unit_id, year, sex, age_group, persons)."""
    from mortality.measures.indicators_life import by_series, deaths_and_persons_by_age, unknown_ages
    from mortality.measures.life_expectancy import life_expectancy
    from mortality.measures.life_table import life_tables_from_counts

    persons, both = population_in_all_sexes(population), deaths_in_all_sexes(deaths)
    frame = both[GROUP].drop_duplicates().merge(person_years(persons), on=GROUP)
    names, bands, events, years = by_series(deaths_and_persons_by_age(both, frame, persons), GROUP)
    tables = life_tables_from_counts(events, years, bands, names["sex"].tolist())
    limits = life_expectancy(tables)
    rows = names.loc[names.index.repeat(len(bands))].reset_index(drop=True).merge(frame, on=GROUP, how="left")
    found = tables.to_frame().drop(columns="series", errors="ignore")
    modelled = (found["status"] == OK) & (rows["population_status"] == MODELLED)
    return rows.assign(
        age_group=bands * len(names),
        deaths=events.ravel(),
        person_years=years.ravel(),
        **{name: found[name].to_numpy() for name in ("mx", "ax", "qx", "lx", "dx", "Tx", "ex", "reason")},
        years_lived=found["Lx"].to_numpy(),  # SQL cannot tell Lx from lx
        ex_lower=limits["lower"].to_numpy(),
        ex_upper=limits["upper"].to_numpy(),
        method=limits["method"] + unknown_ages(both, rows),
        status=found["status"].mask(modelled, MODELLED).to_numpy(),
        period_id=rows["year"].astype(int).astype("str"),
    )
