"""What the release holds for estimates of completeness: persons on lists, registered deaths and people, per province, year, sex, age."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.warehouse.release import NATION

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.release import ReleaseContext

KEYS = ["unit_id", "year", "sex"]
HISTORIES = [f"h{place}" for place in range(1, 8)]
# Bits of a history: 1 the book (A6), 2 civil registration, 4 hospital (death notices and certificates).
PERSON_CELLS = """
    WITH person AS (
        SELECT p.year, p.sex, p.age_group, p.counted, u.province, u.province_2024,
               CAST(list_contains(string_split(p.lists, ' '), 'a6') AS INTEGER)
               + 2 * CAST(list_contains(string_split(p.lists, ' '), 'civil_registration') AS INTEGER)
               + 4 * CAST(list_has_any(string_split(p.lists, ' '), ['death_notice', 'certificate']) AS INTEGER) AS history
        FROM ({persons}) p LEFT JOIN place_of_unit u ON u.unit_id = p.unit_id
        WHERE p.excluded = '' AND p.year IS NOT NULL AND p.unit_2025 IN (SELECT unit_id FROM kept_register_communes)
    ), placed AS (
        SELECT unnest(list_distinct([province, province_2024, '{nation}'])) AS unit_id, year, unnest_sex.sex, age_group, counted, history
        FROM person, unnest(CASE WHEN sex IN ('male', 'female') THEN [sex, 'both'] ELSE ['both'] END) AS unnest_sex(sex)
    )
    SELECT unit_id, year, sex, age_group, count(*) FILTER (counted) AS deaths, {histories}
    FROM placed WHERE unit_id IS NOT NULL GROUP BY ALL ORDER BY ALL
"""
PEOPLE_CELLS = """
    SELECT unit_id, year, sex, age_group, sum(persons) AS person_years, bool_and(status = 'final') AS final FROM (
        SELECT unnest(list_distinct([u.province, u.province_2024, '{nation}'])) AS unit_id, p.year, p.sex, p.age_group, p.persons, p.status
        FROM people p LEFT JOIN place_of_unit u USING (unit_id)
    ) WHERE unit_id IS NOT NULL GROUP BY ALL ORDER BY 1, 2, 3, 4
"""


def person_cells(context: ReleaseContext) -> pd.DataFrame:
    """KEYS (sex: male, female, both), age_group, deaths (counted), h1 … h7: persons by the lists that hold them; made once."""
    if "person_cells" not in context.made:
        context.made["person_cells"] = _person_cells(context)
    return context.made["person_cells"]


def _person_cells(context: ReleaseContext) -> pd.DataFrame:
    from mortality.persons_release.deaths import deaths
    from mortality.release_tables import communes_of_registers
    from tkyt_analysis.cube.release_tables import offer_places

    persons = deaths(context)
    offer_places(context)
    communes = pd.DataFrame({"unit_id": sorted(communes_of_registers(context))}, dtype="str")
    context.keep("register_communes", communes)
    histories = ", ".join(f"count(*) FILTER (history = {place}) AS h{place}" for place in range(1, 8))
    sql = PERSON_CELLS.format(persons=persons, nation=NATION, histories=histories)
    rows = context.query(sql)
    return _without_lone_nation(rows)


def people_cells(context: ReleaseContext) -> pd.DataFrame:
    """KEYS (sex: male, female), age_group, person_years, final (no figure of it is an estimate)."""
    from mortality.release_tables import population_of_registers
    from tkyt_analysis.cube.release_tables import offer_places

    people = population_of_registers(context)
    if people.empty:
        return pd.DataFrame(columns=[*KEYS, "age_group", "person_years", "final"])
    offer_places(context)
    context.warehouse.con.register("people", people)
    rows = context.query(PEOPLE_CELLS.format(nation=NATION))
    context.warehouse.con.unregister("people")
    return _without_lone_nation(rows.astype({"person_years": float}))


def _without_lone_nation(rows: pd.DataFrame) -> pd.DataFrame:
    """The nation only where several provinces have rows."""
    provinces = rows["unit_id"][rows["unit_id"].str.startswith("VN2025:")].nunique()
    return rows if provinces > 1 else rows[rows["unit_id"] != NATION].reset_index(drop=True)


def with_both_sexes(people: pd.DataFrame) -> pd.DataFrame:
    """The rows and, for each place, year and age, men and women together."""
    both = people.groupby(["unit_id", "year", "age_group"], as_index=False, sort=True).agg(
        person_years=("person_years", "sum"), final=("final", "all")
    )
    return pd.concat([people, both.assign(sex="both")], ignore_index=True)
