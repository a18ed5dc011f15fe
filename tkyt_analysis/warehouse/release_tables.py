"""The core's release tables: units, population, reported values, reporting, findings, what was received."""

from __future__ import annotations

import pandas as pd

from tkyt_analysis.warehouse.release import NATION, ReleaseContext
from tkyt_analysis.warehouse.replaced import REPLACED_FILES, replaced_files_sql


def organisation_unit(context: ReleaseContext) -> pd.DataFrame:
    """Every unit; the list itself is public, so it belongs to the nation's scope."""
    return context.units.rename(columns={"scope": "province_scope"}).assign(scope=NATION)


def population(context: ReleaseContext) -> pd.DataFrame:
    """Population figures with their series and status; of a figure sent again, the one received last. Public."""
    rows = context.latest("population", "unit_id", "year", "sex", "age_group", "series")
    return rows.assign(scope=NATION)


def facility(context: ReleaseContext) -> pd.DataFrame:
    """Health facilities and the commune each lies in; the list is public, and tells whose scope a facility belongs to."""
    return context.latest("facility", "facility_id", "valid_from").assign(scope=NATION)


def data_element(context: ReleaseContext) -> pd.DataFrame:
    """What each element means; public."""
    return context.latest("data_element", "element_id", "dataset_id").assign(scope=NATION)


def data_set(context: ReleaseContext) -> pd.DataFrame:
    """Names of the data sets; public."""
    return context.latest("data_set", "dataset_id")[["dataset_id", "name", "period_type"]].assign(scope=NATION)


_CURRENT_VALUE = """
    SELECT v.* EXCLUDE (file_sha256, sheet, row_number, column_name, value_as_written)
    FROM lake.aggregate_value v JOIN lake.received_file f USING (file_sha256)
    WHERE v.file_sha256 NOT IN ({replaced})
    QUALIFY row_number() OVER (
        PARTITION BY dataset_id, element_id, category_id, unit_id, period_id
        ORDER BY f.received_at DESC, f.file_name DESC, v.sheet DESC, v.row_number DESC
    ) = 1
"""
CURRENT_VALUE = _CURRENT_VALUE.format(replaced=REPLACED_FILES)


def aggregate_value(context: ReleaseContext) -> str:
    """One value per element, category, unit and period: of several submissions the one received last; a file
    that was replaced by a mended one has none."""
    current = _CURRENT_VALUE.format(replaced=replaced_files_sql(context.warehouse))
    context.warehouse.con.register("unit_scope", context.units[["unit_id", "scope"]])
    return (
        f"SELECT v.*, coalesce(s.scope, '{NATION}') AS scope FROM ({current}) v LEFT JOIN unit_scope s USING (unit_id)"
    )


def finding(context: ReleaseContext) -> pd.DataFrame:
    """Findings of the last check; places of single records are kept, their contents are not."""
    rows = context.query("SELECT * EXCLUDE (file_sha256, sheet, row_number) FROM lake.finding")
    return context.add_scope(rows)


def received(context: ReleaseContext) -> pd.DataFrame:
    """Received files by door and kind of quarantine: counts only, for the nation."""
    return context.query(
        f"""
        SELECT coalesce(nullif(door, ''), 'none') AS door, count(*) AS files, sum(rows_received) AS rows_received,
               sum(rows_landed) AS rows_landed, sum(rows_quarantined) AS rows_quarantined, sum(notes) AS notes, '{NATION}' AS scope
        FROM lake.received_file GROUP BY ALL
        """
    )


def quarantine_summary(context: ReleaseContext) -> pd.DataFrame:
    """How many rows were quarantined for which reason, and how many cells were repaired and how."""
    return context.query(
        f"""
        SELECT 'quarantine' AS kind, reason AS key, count(*) AS rows, '{NATION}' AS scope FROM lake.quarantine GROUP BY ALL
        UNION ALL
        SELECT 'note', note, count(*), '{NATION}' FROM lake.ingest_note GROUP BY ALL
        """
    )


def rule_coverage(context: ReleaseContext) -> pd.DataFrame:
    """How much of the data each rule could judge; public."""
    return context.query("SELECT * FROM lake.rule_coverage").assign(scope=NATION)


def reporting(context: ReleaseContext) -> str:
    """Every report that was due or arrived: dataset_id, unit_id, period_id, expected, received, marked_complete (missing
    where the data set knows no marks). A report is received where some cell of it has a value."""
    from tkyt_analysis.quality.reporting.completeness import named_reports
    from tkyt_analysis.quality.reporting.sources import release_reports

    con = release_reports(context)
    con.register("unit_scope", context.units[["unit_id", "scope"]])
    return f"SELECT r.*, coalesce(s.scope, '{NATION}') AS scope FROM ({named_reports()}) r LEFT JOIN unit_scope s USING (unit_id)"
