"""Which person each record is of, and which records no longer count, as SQL over the tables of a home."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tkyt_analysis.warehouse.replaced import replaced_records_sql

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.lake import Warehouse

MATCH, DECISION = "death_match", "death_link_decision"
NO_MATCH = "SELECT CAST(NULL AS VARCHAR) AS record_id, CAST(NULL AS VARCHAR) AS person_id, CAST(NULL AS DOUBLE) AS probability WHERE false"
# Of the decisions on a pair the last holds; a record that a person set apart is no duplicate by its key.
SET_APART = f"""
    SELECT unnest([record_a, record_b]) AS record_id FROM (
        SELECT record_a, record_b, decision FROM lake.{DECISION}
        QUALIFY row_number() OVER (PARTITION BY least(record_a, record_b), greatest(record_a, record_b) ORDER BY decided_at DESC) = 1
    ) WHERE decision = 'different'
"""
# One person are the records that were linked, and in one list those with one name, birth, sex and date of death (`person_key`; a
# person set apart by hand keeps apart). Of one person's records in one list the first received stays.
DEATHS = """
    WITH known AS (
        SELECT d.*, f.file_name, f.received_at, m.person_id AS linked, d.file_sha256 IN ({files}) OR d.death_id IN ({records}) AS replaced,
               CASE WHEN d.death_id NOT IN ({apart}) THEN d.person_key || '|' || CAST(d.death_date AS VARCHAR) END AS own_key
        FROM lake.death d JOIN lake.received_file f USING (file_sha256) LEFT JOIN ({match}) m ON m.record_id = d.death_id
    ), person AS (
        SELECT k.*, coalesce(min(k.linked) OVER same, first_value(k.death_id) OVER (same ORDER BY {first})) AS person_id
        FROM known k WINDOW same AS (PARTITION BY k.replaced, k.source, coalesce(k.own_key, k.death_id))
    )
    SELECT k.death_id, k.person_id, k.source, k.unit_id, k.death_date, k.age_value, k.age_unit, k.age_years, coalesce(k.sex, 'unknown') AS sex, k.place_of_death,
           coalesce(c.code, '') AS underlying_cause, coalesce(c.decision, 'uncodable') AS decision, c.rule,
           k.file_name, k.sheet, k.row_number, k.received_at, k.replaced,
           row_number() OVER (PARTITION BY k.replaced, k.source, k.person_id ORDER BY {first}) > 1 AS again
    FROM person k LEFT JOIN lake.death_code c USING (death_id)
"""
FIRST = "k.received_at, k.file_name, k.sheet, k.row_number, k.death_id"


def match_sql(warehouse: Warehouse) -> str:
    """A query of record_id, person_id, probability: the records that share a person (none where nothing was linked yet)."""
    if not warehouse.has(MATCH):
        return NO_MATCH
    columns = {row[0] for row in warehouse.con.execute(f"DESCRIBE lake.{MATCH}").fetchall()}
    probability = "probability" if "probability" in columns else "CAST(NULL AS DOUBLE)"
    return f"SELECT record_id, person_id, {probability} AS probability FROM lake.{MATCH}"


def deaths_sql(warehouse: Warehouse, replaced_files: str) -> str:
    """The query behind `analysed_deaths`: one row per record of a death, with its person and whether it is one again."""
    apart = SET_APART if warehouse.has(DECISION) else "SELECT CAST(NULL AS VARCHAR) AS record_id WHERE false"
    return DEATHS.format(
        files=replaced_files,
        records=replaced_records_sql(warehouse),
        apart=apart,
        match=match_sql(warehouse),
        first=FIRST,
    )
