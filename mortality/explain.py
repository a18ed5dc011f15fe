"""The received rows behind a mortality figure: deaths of its numerator, population of its denominator."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mortality.release_tables import (
    COMMUNE_POPULATION,
    analysed_deaths,
    ancestors,
    communes_of_registers,
    one_population_per_commune,
)
from tkyt_analysis.catalog import load_entry
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.release import ReleaseContext

COLUMNS = ["file_name", "sheet", "row_number", "what"]


def explain_deaths(warehouse: Warehouse, figure: dict[str, Any]) -> pd.DataFrame:
    """Where the deaths that a figure counts stood: file_name, sheet, row_number, what (no identifiers)."""
    context = ReleaseContext(warehouse, practice=False)
    rows = analysed_deaths(context)
    rows = rows[(rows["excluded"] == "") & (rows["year"] == int(figure["period_id"][:4]))]
    rows = rows[rows["unit_2025"].isin(_communes_of(context, figure["unit_id"]))]
    if figure["sex"] != "total":
        rows = rows[rows["sex"] == figure["sex"]]
    rows = _of_cause(_of_ages(rows, figure), figure)
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


def _communes_of(context: ReleaseContext, unit_id: str) -> set[str]:
    above = ancestors(context.units)
    return set(above.loc[above["above"] == unit_id, "unit_id"])


def _of_ages(rows: pd.DataFrame, figure: dict[str, Any]) -> pd.DataFrame:
    if figure["age_group"] == "all":
        return rows
    from mortality.measures.indicators import in_age_groups

    return in_age_groups(rows, figure["age_group"].split("+"))


def _of_cause(rows: pd.DataFrame, figure: dict[str, Any]) -> pd.DataFrame:
    if figure["cause"] == "all":
        return rows
    indicator = load_entry("indicators", figure["indicator_id"])
    if not indicator.cause_list:
        return rows
    from mortality.tabulation.cause_lists import load_cause_list

    return rows[load_cause_list(indicator.cause_list).item_of(rows["underlying_cause"]) == figure["cause"]]


def _text(value: Any) -> str:
    return "–" if pd.isna(value) else str(value)
