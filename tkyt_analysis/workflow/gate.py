"""The gate at ingest: no value of a locked report is changed; every report that came in is an event.

A cell that came again as it is, in whatever file, is no change and no alarm. A cell that would change a locked report
is quarantined by itself, with the day of the lock and whom to ask; the rest of its file lands. Reports that were
approved but are not yet locked go back to "received" when a value changes: the approval lapses.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from tkyt_analysis.workflow.events import append_events
from tkyt_analysis.workflow.states import make_states, utc_now
from tkyt_analysis.workflow.values import current_values

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.ingest.staging import Staging
    from tkyt_analysis.warehouse.lake import Warehouse

VALUES = "aggregate_value"
REASON = "quarantine.report_locked"
IN_STAGED = "(dataset_id, unit_id, period_id) IN (SELECT (dataset_id, unit_id, period_id) FROM staged_report)"
SAME_REPORT = "(k.dataset_id, k.unit_id, k.period_id) = (t.dataset_id, t.unit_id, t.period_id)"
SAME_CELL = (
    f"{SAME_REPORT} AND k.element_id = coalesce(t.element_id, '') AND k.category_id = coalesce(t.category_id, '')"
)


def guard_locked_reports(warehouse: Warehouse, staging: Staging) -> None:
    """Refuse changes of locked reports among the staged values, and stage an event per report and file."""
    if VALUES not in staging.used:
        return
    con, now = warehouse.con, utc_now()
    con.execute(
        "CREATE OR REPLACE TEMP TABLE staged_report AS SELECT DISTINCT dataset_id, unit_id, period_id "
        "FROM staged.aggregate_value "
        "WHERE dataset_id IS NOT NULL AND unit_id IS NOT NULL AND period_id IS NOT NULL"
    )
    make_states(con, _staged_reports(con), now=now, table="staged_state")
    decided = _decided(con)
    if decided:
        _make_changes(con)
        _refuse_changes(con, staging)
        _keep_what_counts(con, staging)
    _stage_events(warehouse, staging, now, decided=decided)


def _staged_reports(con: duckdb.DuckDBPyConnection) -> str:
    """The condition on events of staged reports; the span of periods lets whole files be passed over."""
    bounds = con.execute("SELECT min(period_id), max(period_id) FROM staged_report").fetchone()
    if not bounds or bounds[0] is None:
        return "false"
    return f"period_id BETWEEN '{bounds[0]}' AND '{bounds[1]}' AND {IN_STAGED}"


def _decided(con: duckdb.DuckDBPyConnection) -> bool:
    """Table decided_report: staged reports that somebody has checked or approved. Whether there are any."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE decided_report AS SELECT * FROM staged_state "
        "WHERE state IN ('checked', 'approved', 'locked')"
    )
    return con.execute("SELECT 1 FROM decided_report LIMIT 1").fetchone() is not None


def _make_changes(con: duckdb.DuckDBPyConnection) -> None:
    """Table changed_cell: cells of decided reports that are staged with another value than the one that counts now."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE counting_cell AS {current_values('decided_report')}")
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE changed_cell AS
        SELECT DISTINCT r.dataset_id, r.unit_id, r.period_id, r.state, r.due, t.value, k.value AS was,
            coalesce(t.element_id, '') AS element_id, coalesce(t.category_id, '') AS category_id
        FROM staged.aggregate_value t JOIN decided_report r USING (dataset_id, unit_id, period_id)
        LEFT JOIN counting_cell k ON {SAME_CELL}
        WHERE k.value IS DISTINCT FROM t.value
        """
    )


def _refuse_changes(con: duckdb.DuckDBPyConnection, staging: Staging) -> None:
    """Quarantine the staged cells that would change a locked report."""
    match = f"FROM changed_cell k WHERE k.state = 'locked' AND {SAME_CELL} AND k.value IS NOT DISTINCT FROM t.value"
    fields = (
        "json_object('dataset', k.dataset_id, 'unit', k.unit_id, 'period', k.period_id, 'element', k.element_id, "
        "'locked', strftime(k.due + 1, '%d/%m/%Y'), 'was', coalesce(k.was::VARCHAR, '–'), 'sent', coalesce(k.value::VARCHAR, '–'))"
    )
    staging.refuse(
        VALUES,
        f"EXISTS (SELECT 1 {match})",
        reason=REASON,
        column="coalesce(t.column_name, '')",
        value="coalesce(t.value_as_written, t.value::VARCHAR, '')",
        fields=f"(SELECT any_value({fields})::VARCHAR {match})",
    )


def _keep_what_counts(con: duckdb.DuckDBPyConnection, staging: Staging) -> None:
    """A file that is read again replaces its rows: cells of decided reports that it no longer has stay."""
    files = ", ".join(f"'{sha256}'" for sha256 in staging.files)
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE kept_value AS SELECT t.* FROM lake.aggregate_value t
        JOIN decided_report r USING (dataset_id, unit_id, period_id)
        JOIN counting_cell k ON {SAME_CELL} AND k.value IS NOT DISTINCT FROM t.value
        WHERE t.file_sha256 IN ({files}) AND NOT EXISTS (
            SELECT 1 FROM staged.aggregate_value s WHERE s.file_sha256 = t.file_sha256
            AND (s.dataset_id, s.unit_id, s.period_id) = (t.dataset_id, t.unit_id, t.period_id)
            AND s.element_id IS NOT DISTINCT FROM t.element_id AND s.category_id IS NOT DISTINCT FROM t.category_id
        )
        """
    )
    for sha256, count in con.execute("SELECT file_sha256, count(*) FROM kept_value GROUP BY 1").fetchall():
        staging.counts[sha256][0] += count
        staging.counts[sha256][1] += count
    con.execute("INSERT INTO staged.aggregate_value BY NAME SELECT * FROM kept_value")


def _stage_events(warehouse: Warehouse, staging: Staging, now: datetime.datetime, *, decided: bool) -> None:
    """A "received" event per report and file; it changes the state unless nothing new came for a decided report."""
    from tkyt_analysis.access import current_account

    staging.prepare("submission_event")
    changes = "r.state IS NULL OR k.state IS NOT NULL" if decided else "true"
    joins = (
        "LEFT JOIN decided_report r USING (dataset_id, unit_id, period_id) "
        f"LEFT JOIN changed_cell k ON {SAME_CELL} AND k.value IS NOT DISTINCT FROM t.value"
    )
    source = f"""
        SELECT t.dataset_id, t.unit_id, t.period_id, 'received' AS event, t.file_sha256 AS of_file, 'file' AS basis,
            bool_or({changes}) AS changes
        FROM staged.aggregate_value t JOIN staged_report USING (dataset_id, unit_id, period_id) {joins if decided else ""}
        GROUP BY t.dataset_id, t.unit_id, t.period_id, t.file_sha256
    """
    account = current_account(warehouse.home).name
    append_events(warehouse.con, source, now=now, account=account, into="staged.submission_event")
