"""Every record that counts, with its person and what it says of each field: the relation that persons are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mortality.persons_release.of_records import match_sql
from tkyt_analysis.warehouse.replaced import replaced_files_sql, replaced_records_sql

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.release import ReleaseContext

TABLE = "person_record"
TAKEN_HOME = "sent_home_dying"
OWN_COLUMNS = (
    "death_id",
    "person_id",
    "excluded",
    "replaced",
    "again",
    "underlying_cause",
    "decision",
    "received_at",
    "unit_2025",
)
COMMUNE = "LIKE 'VN20__:_____'"
LATER_COLUMNS = {"death_calendar": "VARCHAR", "birth_known": "VARCHAR"}
# What is known of the birth: age in days or a full date of birth (which alone gives one year less than the years' difference)
BIRTH = """CASE WHEN d.age_unit IN ('days', 'hours', 'months') THEN 'days' WHEN d.birth_known = 'date' THEN 'date'
    WHEN d.birth_year IS NOT NULL AND d.age_years = year(d.death_date) - d.birth_year - 1 THEN 'date'
    WHEN d.birth_year IS NOT NULL THEN 'year' WHEN d.age_years IS NOT NULL THEN 'age' END"""
RECORDS = """
    SELECT d.death_id AS record_id, a.person_id, d.source, a.excluded, a.replaced, a.again,
           d.unit_id, a.unit_2025, coalesce(CASE WHEN d.residence_unit_id {commune} THEN d.residence_unit_id END,
               CASE WHEN d.unit_id {commune} THEN d.unit_id END) AS home,
           CAST(d.death_date AS DATE) AS day, CAST(d.death_date AS DATE) > CAST(left(a.received_at, 10) AS DATE) AS in_future,
           d.death_calendar = 'lunar' AS lunar, CASE WHEN d.sex IN ('male', 'female') THEN d.sex END AS sex, d.age_years, {birth} AS birth,
           d.place_of_death, nullif(a.underlying_cause, '') AS cause, a.decision, p.probability, d.file_sha256,
           a.received_at, d.sheet, d.row_number
    FROM ({death}) d JOIN {analysed} a USING (death_id) LEFT JOIN ({match}) p ON p.record_id = d.death_id
"""
SENT_HOME = """
    SELECT h.event_id, coalesce(p.person_id, h.event_id), '{list}', CASE WHEN coalesce(h.discharge_state, '{list}') = '{list}' THEN '' ELSE 'other_state' END,
           h.file_sha256 IN ({files}) OR h.event_id IN ({records}), false, h.unit_id, coalesce(u.home_2025, h.unit_id),
           coalesce(CASE WHEN h.residence_unit_id {commune} THEN h.residence_unit_id END, CASE WHEN h.unit_id {commune} THEN h.unit_id END),
           CAST(NULL AS DATE), false, false, CASE WHEN h.sex IN ('male', 'female') THEN h.sex END, h.age_years,
           CASE WHEN h.birth_year IS NOT NULL THEN 'year' WHEN h.age_years IS NOT NULL THEN 'age' END, NULL, NULL, 'uncodable', p.probability,
           h.file_sha256, f.received_at, h.sheet, h.row_number
    FROM lake.sent_home_dying h JOIN lake.received_file f USING (file_sha256) LEFT JOIN ({match}) p ON p.record_id = h.event_id
    LEFT JOIN unit_place u ON u.unit_id = h.unit_id
"""


def person_records(context: ReleaseContext) -> str:
    """Keep the relation of all records for later makers; its name.

    Columns: record_id, person_id, source, excluded (see `analysed_deaths`), replaced, again (a second record in its list), unit_id,
    unit_2025, home (commune of residence), home_2025, day, in_future, lunar, sex, age_years [completed years], birth (days | date | year | age), place_of_death,
    cause, decision, probability, place (order of receipt), file_sha256.
    """
    if TABLE not in context.kept:
        from mortality.quality.places import offer_units
        from mortality.release_tables import analysed_deaths

        offer_units(context.warehouse.con)
        rows = analysed_deaths(context)
        kinds = {name: "bool" if name in ("replaced", "again") else "str" for name in OWN_COLUMNS}
        texts = rows[list(OWN_COLUMNS)].astype(kinds)  # an empty table keeps the kinds of its columns
        analysed = context.keep("analysed_death", texts)
        context.keep(TABLE, _all_records(context, analysed))
    return f"kept_{TABLE}"


def _all_records(context: ReleaseContext, analysed: str) -> str:
    match = match_sql(context.warehouse)
    parts = [RECORDS.format(death=_deaths(context), analysed=analysed, match=match, birth=BIRTH, commune=COMMUNE)]
    if context.warehouse.has("sent_home_dying"):
        files, records = replaced_files_sql(context.warehouse), replaced_records_sql(context.warehouse)
        parts.append(SENT_HOME.format(list=TAKEN_HOME, files=files, records=records, match=match, commune=COMMUNE))
    return f"""
        SELECT r.* EXCLUDE (received_at, sheet, row_number), coalesce(u.home_2025, r.home) AS home_2025,
               row_number() OVER (ORDER BY r.received_at, r.file_sha256, r.sheet, r.row_number, r.record_id) AS place
        FROM ({" UNION ALL ".join(parts)}) r LEFT JOIN unit_place u ON u.unit_id = r.home
    """


def _deaths(context: ReleaseContext) -> str:
    """lake.death with the columns that snapshots of earlier versions lack as NULL."""
    there = {row[0] for row in context.warehouse.con.execute("DESCRIBE lake.death").fetchall()}
    more = [f"CAST(NULL AS {kind}) AS {name}" for name, kind in LATER_COLUMNS.items() if name not in there]
    return f"SELECT {', '.join(['*', *more])} FROM lake.death"


def precedence() -> pd.DataFrame:
    """field, source, place: which list is believed for a field, 1 first (code list `death_field_precedence`)."""
    from tkyt_analysis.catalog import read_codelist

    return read_codelist("death_field_precedence").astype({"place": "int64"})
