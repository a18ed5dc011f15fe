"""The received rows behind a mortality figure: deaths of its numerator, population or live births of its denominator.

A figure that was corrected or comes from a life table has behind it the deaths and the population that it was made of.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from mortality.births import births_of_registers, reported_births
from mortality.measure_release import age_in_days
from mortality.measures.indicators_births import EARLY_NEONATAL_DAYS, NEONATAL_DAYS
from mortality.release_tables import (
    COMMUNE_POPULATION,
    analysed_deaths,
    ancestors,
    communes_of_registers,
    one_population_per_commune,
)
from tkyt_analysis.catalog import load_entries
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.reference.ages import parse_band
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.release import ReleaseContext

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Indicator

NEWBORN_DAYS = {"neonatal": NEONATAL_DAYS, "perinatal": EARLY_NEONATAL_DAYS}
COLUMNS = ["file_name", "sheet", "row_number", "what"]


def explain_deaths(warehouse: Warehouse, figure: dict[str, Any]) -> pd.DataFrame:
    """Where the deaths that a figure counts stood: file_name, sheet, row_number, what (no identifiers)."""
    context = ReleaseContext(warehouse, practice=False)
    rows = analysed_deaths(context)
    rows = rows[(rows["excluded"] == "") & (rows["year"] == int(figure["period_id"][:4]))]
    rows = rows[rows["unit_2025"].isin(_communes_of(context, figure["unit_id"]))]
    if figure["sex"] != "total":
        rows = rows[rows["sex"] == figure["sex"]]
    rows = _of_indicator(context, _of_ages(rows, figure), figure)
    what = [
        label(
            "explain.death",
            None,
            month=_text(row.month),
            year=row.year,
            sex=label(f"sex.{row.sex}"),
            age=row.age_group,
            code=row.underlying_cause or "–",
            rule=row.rule or "–",
        )
        for row in rows.itertuples()
    ]
    return rows.assign(what=what)[COLUMNS].sort_values(COLUMNS[:3], ignore_index=True)


def explain_population(warehouse: Warehouse, figure: dict[str, Any]) -> pd.DataFrame:
    """Where the population that a figure divides by stood."""
    context = ReleaseContext(warehouse, practice=False)
    rows = warehouse.query(COMMUNE_POPULATION)
    rows = rows[rows["year"] == int(figure["period_id"][:4])]
    registers = communes_of_registers(context)
    moved = one_population_per_commune(rows)
    rows = rows.loc[moved.index[moved["unit_id"].isin(_communes_of(context, figure["unit_id"]) & registers)]]
    starts = {name: parse_band(name)[0] for name in rows["age_group"].unique()}
    rows = _of_ages(rows.assign(age_years=rows["age_group"].map(starts)), figure)
    if figure["sex"] != "total":
        rows = rows[rows["sex"] == figure["sex"]]
    what = [
        label(
            "explain.population",
            None,
            unit=row.unit_id,
            sex=label(f"sex.{row.sex}"),
            age=row.age_group,
            persons=format_number(row.persons),
            status=label(f"population.status.{row.status}") if row.status else "–",
        )
        for row in rows.itertuples()
    ]
    return rows.assign(what=what)[COLUMNS].sort_values(COLUMNS[:3], ignore_index=True)


def explain_births(warehouse: Warehouse, figure: dict[str, Any]) -> pd.DataFrame:
    """Where the live births that a figure divides by stood: monthly reports of the communes whose whole year is known."""
    context = ReleaseContext(warehouse, practice=False)
    rows = reported_births(context, with_files=True)
    rows = rows[(rows["month"] // 100 == int(figure["period_id"][:4])) & rows["births"].notna()]
    rows = rows[rows["commune"].isin(_communes_of(context, figure["unit_id"]) & _with_births(context, figure))]
    what = [
        label(
            "explain.births",
            None,
            unit=row.unit_id,
            month=f"{row.month % 100:02d}/{row.month // 100}",
            births=format_number(row.births),
        )
        for row in rows.itertuples()
    ]
    return rows.assign(what=what)[COLUMNS].sort_values(COLUMNS[:3], ignore_index=True)


def _communes_of(context: ReleaseContext, unit_id: str) -> set[str]:
    above = ancestors(context.units)
    return set(above.loc[above["above"] == unit_id, "unit_id"])


def _with_births(context: ReleaseContext, figure: dict[str, Any]) -> set[str]:
    births = births_of_registers(context)
    year = births["year"] == int(figure["period_id"][:4])
    return set(births.loc[year & births["complete"].astype(bool), "unit_id"])


def _of_ages(rows: pd.DataFrame, figure: dict[str, Any]) -> pd.DataFrame:
    if figure["age_group"] == "all":
        return rows
    from mortality.measures.indicators import in_age_groups

    return in_age_groups(rows, re.split(r"\+(?=\d)", figure["age_group"]))  # "0+1-4" are two groups, "65+" is one


def _of_indicator(context: ReleaseContext, rows: pd.DataFrame, figure: dict[str, Any]) -> pd.DataFrame:
    """The deaths that the indicator counts: of its causes, of newborns, of the communes whose births are known."""
    indicator = load_entries("indicators").get(figure["indicator_id"])
    if indicator is None or figure.get("part") == "denominator":  # a plain count; a share: all deaths
        return rows
    if indicator.denominator == "live_births":
        rows = rows[rows["unit_2025"].isin(_with_births(context, figure))]
    if indicator.method in NEWBORN_DAYS:
        days = age_in_days(rows)
        rows = rows[(rows["age_years"] < 1) & ((days < NEWBORN_DAYS[indicator.method]) | days.isna())]
    return _of_cause(rows, figure, indicator)


def _of_cause(rows: pd.DataFrame, figure: dict[str, Any], indicator: Indicator) -> pd.DataFrame:
    if indicator.cause_definition:
        from mortality.tabulation.definitions import counted_in, load_definition

        return rows[counted_in(rows, load_definition(indicator.cause_definition), str(indicator.cause_measure))]
    if not indicator.cause_list or (figure["cause"] == "all" and indicator.method != "garbage_share"):
        return rows
    from mortality.tabulation.cause_lists import GAP, UNKNOWN, load_cause_list

    items = load_cause_list(indicator.cause_list).item_of(rows["underlying_cause"])
    if indicator.method == "garbage_share":
        return rows[~items.isin(["USABLE", GAP, UNKNOWN])]
    return rows[items == figure["cause"]]


def _text(value: Any) -> str:
    return "–" if pd.isna(value) else str(value)
