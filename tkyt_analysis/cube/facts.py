"""Facts: additive relations over the tables of a release that measures count and divide."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """One relation whose `amount` may be summed.

    sql : SELECT over release tables with the columns unit_id, period_id, amount and the fact's own dimensions (sex,
        age_group, place_of_death, category, `cause_code` for the dimension cause); optionally `modelled` (boolean)
    province_sql : the same summed per province (columns province, province_2024, facility_type, level instead of unit_id),
        "" where there is none
    dimensions : own dimensions beside places and periods
    finest : the shortest period it knows: month | quarter | half | year
    levels : kinds of units that report it (a total of the province beside its communes would count twice); () is all
    tables : release tables that it reads
    dataset, element : whose reports and findings stand behind it ("" for none)
    """

    id: str
    sql: str
    dimensions: frozenset[str] = frozenset()
    province_sql: str = ""
    finest: str = "month"
    levels: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    dataset: str = ""
    element: str = ""


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"
