"""Release table `deaths_flow`: where every received row went on its way to the deaths that the figures count.

Each row received in a list of deaths is in one class only, so that the parts add up to the whole:
quarantined (never landed) · replaced (its file was mended, or the record corrected or withdrawn) · not_a_death (taken home dying,
on no list of deaths) · duplicate (again in its own list) · merged (the person stands on another list, which counts) · and of what
is left, one row per person: stillbirth · no_date · future_date · other_list (only on lists that are not counted) · analysed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mortality.persons_release.records import TAKEN_HOME, person_records
from mortality.release_tables import SOURCES

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.release import Release, ReleaseContext

COLUMNS = ["unit_id", "unit_2025", "year", "source", "step", "reason", "records", "scope"]
RECEIVED, LANDED, PERSONS, ANALYSED = "received", "records", "persons", "analysed"
QUARANTINED, REPLACED, NOT_A_DEATH, DUPLICATE, MERGED = "quarantined", "replaced", "not_a_death", "duplicate", "merged"
OTHER_LIST, OUTSIDE = "other_list", "outside"
OF_PERSONS = ("stillbirth", "no_date", "future_date", OTHER_LIST, ANALYSED)
BEFORE_PERSONS = (QUARANTINED, REPLACED, NOT_A_DEATH, DUPLICATE, MERGED)
LIST_OF_DOOR = {
    "death_register": "a6", "certificate": "certificate", "certificate_list": "certificate", "certificate_form": "certificate",
    "civil_registration_list": "civil_registration", "death_notice_list": "death_notice", "death_notice_form": "death_notice",
    "death_line_list": "a6", "death_list_by_columns": "line_list", "death_notice_xml": "death_notice", "verbal_autopsy": "verbal_autopsy", "sent_home_list": TAKEN_HOME,
}  # fmt: skip
# Of a person's records the one that counts stands for the person, else the one of the list that would count first.
CLASSES = """
    WITH ranked AS (
        SELECT *, coalesce(list_position({order}, source), 99) AS list_place,
               bool_or(NOT replaced AND source <> '{taken_home}') OVER (PARTITION BY person_id) AS died
        FROM {relation}
    ), first AS (
        SELECT person_id, arg_min(record_id, k) AS first_id, arg_min(unit_id, k) AS unit_id, arg_min(unit_2025, k) AS unit_2025, arg_min(year(day), k) AS year
        FROM (SELECT *, ((excluded <> '')::BIGINT * 100 + list_place) * 1000000000 + place AS k FROM ranked
              WHERE NOT replaced AND NOT again AND source <> '{taken_home}') GROUP BY person_id
    )
    SELECT coalesce(f.unit_id, r.unit_id, '') AS unit_id, coalesce(f.unit_2025, r.unit_2025, '') AS unit_2025,
           CASE WHEN r.replaced OR NOT r.died THEN year(r.day) ELSE f.year END AS year, r.source,
           CASE WHEN r.replaced THEN '{replaced}'
                WHEN r.source = '{taken_home}' AND (r.excluded <> '' OR NOT r.died) THEN '{not_a_death}'
                WHEN r.record_id = f.first_id THEN CASE r.excluded WHEN '' THEN '{analysed}' WHEN 'reference_source' THEN '{other_list}' ELSE r.excluded END
                WHEN r.again THEN '{duplicate}' ELSE '{merged}' END AS step,
           CASE WHEN r.replaced THEN CASE WHEN x.replaces IS NULL THEN 'record' ELSE 'file' END
                WHEN r.source = '{taken_home}' AND r.excluded <> '' THEN r.excluded
                WHEN r.source = '{taken_home}' AND NOT r.died THEN 'taken_home' ELSE '' END AS reason, count(*) AS records
    FROM ranked r LEFT JOIN first f ON f.person_id = r.person_id AND NOT r.replaced AND r.died
    LEFT JOIN ({files}) x ON x.replaces = r.file_sha256 GROUP BY ALL
"""
QUARANTINE = """
    SELECT file_sha256, f.door, f.rows_quarantined, coalesce(q.reason, '') AS reason, count(q.file_sha256) AS named
    FROM lake.received_file f LEFT JOIN lake.quarantine q USING (file_sha256)
    WHERE (f.door IN {doors} OR file_sha256 IN (SELECT file_sha256 FROM {relation})) AND f.rows_quarantined > 0 GROUP BY ALL ORDER BY ALL
"""
UNITS_OF_FILES = """
    SELECT r.file_sha256, min(r.source) AS landed_as,
           CASE WHEN count(DISTINCT r.unit_id) = 1 THEN min(r.unit_id) WHEN count(DISTINCT u.province_2025) = 1 THEN min(u.province_2025) END AS unit_id,
           CASE WHEN count(DISTINCT r.unit_2025) = 1 THEN min(r.unit_2025) WHEN count(DISTINCT u.province_2025) = 1 THEN min(u.province_2025) END AS unit_2025
    FROM {relation} r LEFT JOIN unit_place u ON u.unit_id = r.unit_id GROUP BY 1
"""


def deaths_flow(context: ReleaseContext) -> pd.DataFrame:
    """Rows received by place, year, list, step and reason: COLUMNS. A row's place and year are those of its person."""
    from tkyt_analysis.warehouse.replaced import replaced_files_sql

    relation = person_records(context)
    rows = context.query(
        CLASSES.format(
            order=str(list(SOURCES)), relation=relation, taken_home=TAKEN_HOME, replaced=REPLACED, not_a_death=NOT_A_DEATH,
            analysed=ANALYSED, other_list=OTHER_LIST, duplicate=DUPLICATE, merged=MERGED, files=replaced_files_sql(context.warehouse),
        )
    )  # fmt: skip
    whole = pd.concat([rows, _quarantined(context, relation)], ignore_index=True)
    whole = whole.astype({"year": "Int64", "records": "int64"})
    return context.add_scope(whole)[COLUMNS]


def _quarantined(context: ReleaseContext, relation: str) -> pd.DataFrame:
    """Rows that never landed, at the commune, else the province, that all other rows of their file are of."""
    rows = context.query(QUARANTINE.format(doors=tuple(LIST_OF_DOOR), relation=relation))
    units = context.query(UNITS_OF_FILES.format(relation=relation))
    rows = rows.merge(units, on="file_sha256", how="left", validate="many_to_one")
    unnamed = rows.drop_duplicates("file_sha256").assign(
        records=lambda one: (
            one["rows_quarantined"] - rows.groupby("file_sha256")["named"].sum().reindex(one["file_sha256"]).to_numpy()
        ),
        reason="",
    )
    named = rows.assign(records=rows["named"])
    whole = pd.concat([named, unnamed], ignore_index=True).query("records > 0")
    return whole.assign(
        source=whole["landed_as"].fillna(whole["door"].map(LIST_OF_DOOR)), step=QUARANTINED, year=pd.NA,
        unit_id=whole["unit_id"].fillna(""), unit_2025=whole["unit_2025"].fillna(""),
    )[COLUMNS[:-1]]  # fmt: skip


# ---------------------------------------------------------------------------------------------- reading


def flow_of(
    release: Release, *, units: set[str] | None = None, scope: str | None = None, year: int = 0
) -> pd.DataFrame:
    """The flow to the deaths of a place and year: step, reason, source, records, in the order of the way.

    units : ids of the place's units (None: every one that the account sees); scope : read this partition only ("VN2025-51", of a
    place in a province: rows of other provinces are then no part of the flow); year : 0 all
    step : BEFORE_PERSONS, OF_PERSONS, and "outside" (reason "place" or "year"): analysed elsewhere or in another year.
    Raises InputError where the release has no such table.
    """
    from tkyt_analysis.errors import InputError

    if not release.has("deaths_flow"):
        raise InputError("error.no_deaths_flow", release=release.release_id)
    where, values = ("WHERE scope = ?", [scope]) if scope else ("", [])
    rows = release.query(f"SELECT * FROM deaths_flow {where}", values)
    return counted_flow(rows, units=units, year=year)


def counted_flow(rows: pd.DataFrame, *, units: set[str] | None = None, year: int = 0) -> pd.DataFrame:
    """`flow_of` over rows of the table."""
    analysed = rows["step"] == ANALYSED
    elsewhere = (
        analysed & ~(rows["unit_id"].isin(units) | rows["unit_2025"].isin(units))
        if units is not None
        else analysed & False
    )
    other_year = analysed & ~elsewhere & (rows["year"] != year).fillna(True) if year else analysed & False
    step = rows["step"].mask(elsewhere | other_year, OUTSIDE)
    reason = rows["reason"].mask(elsewhere, "place").mask(other_year, "year")
    order = [*BEFORE_PERSONS, *OF_PERSONS[:-1], OUTSIDE, ANALYSED]
    counts = (
        rows.assign(step=step, reason=reason).groupby(["step", "reason", "source"], as_index=False)["records"].sum()
    )
    return counts.sort_values(
        ["step", "reason", "source"],
        key=lambda column: column.map(order.index) if column.name == "step" else column,
        ignore_index=True,
    )


def flow_totals(flow: pd.DataFrame) -> dict[str, int]:
    """The whole numbers of the boxes: received, records (landed), persons, analysed, and each step's own."""
    steps = {
        name: int(flow.loc[flow["step"] == name, "records"].sum()) for name in (*BEFORE_PERSONS, *OF_PERSONS, OUTSIDE)
    }
    received = sum(steps.values())
    landed = received - steps[QUARANTINED]
    persons = landed - sum(steps[name] for name in BEFORE_PERSONS[1:])
    return {RECEIVED: received, LANDED: landed, PERSONS: persons, **steps}
