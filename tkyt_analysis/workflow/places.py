"""Which units a place stands for: itself and everything below it, in the divisions before and after 2025-07-01."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tkyt_analysis.access import NATION
from tkyt_analysis.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from tkyt_analysis.warehouse.lake import Warehouse

UNITS = """
    SELECT unit_id, any_value(parent_unit_id) AS parent_unit_id, any_value(province_id) AS province_id
    FROM lake.organisation_unit GROUP BY unit_id
"""
FACILITIES = "SELECT facility_id AS unit_id, any_value(unit_id) AS parent_unit_id FROM lake.facility GROUP BY 1"


def units_of(warehouse: Warehouse, place: str) -> list[str] | None:
    """unit ids of a place with all below it (facilities too); None for the nation. An unknown place is an InputError.

    A province of today includes the units of the old provinces that it was made of.
    """
    if place == NATION:
        return None
    units, facilities = warehouse.query(UNITS), warehouse.query(FACILITIES)
    if place not in set(units["unit_id"]) | set(facilities["unit_id"]):
        raise InputError("error.submission_place", place=place)
    chosen = {place} | _of_province(units, place)
    children = [table[["unit_id", "parent_unit_id"]] for table in (units, facilities)]
    while True:
        below = {unit for table in children for unit in table.loc[table["parent_unit_id"].isin(chosen), "unit_id"]}
        if below <= chosen:
            return sorted(chosen)
        chosen |= below


def _of_province(units: pd.DataFrame, place: str) -> set[str]:
    """Units whose province is the place, then or now."""
    from tkyt_analysis.warehouse.release import unit_scopes

    now = unit_scopes(units).eq(place.replace(":", "-", 1))
    return set(units.loc[now | units["province_id"].eq(place), "unit_id"])
