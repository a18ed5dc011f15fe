"""Reports with their states, for people and dashboards: who reported, late, returned, approved, locked."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tkyt_analysis.access import NATION, require, working_within
from tkyt_analysis.errors import InputError
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.workflow.actions import make_wanted
from tkyt_analysis.workflow.machine import STATES
from tkyt_analysis.workflow.states import utc_now

if TYPE_CHECKING:
    import pandas as pd

# A report that came out of a DHIS2 extract was submitted when its unit marked it complete, not when we pulled it.
EXTRACTS = ("dhis2", "exchange")
SUBMITTED = f"""
    SELECT s.*, coalesce(c.completed_on,
        CASE WHEN coalesce(f.door, '') NOT IN {EXTRACTS}
            THEN CAST(CAST(s.first_received_at AS TIMESTAMP) + INTERVAL 7 HOUR AS DATE) END) AS submitted_on
    FROM {{source}} s
    LEFT JOIN (SELECT file_sha256, any_value(door) AS door FROM lake.received_file GROUP BY 1) f ON f.file_sha256 = s.first_file
    LEFT JOIN (
        SELECT dataset_id, unit_id, period_id, min(try_cast(left(completed_at, 10) AS DATE)) AS completed_on
        FROM lake.reporting_status WHERE completed IS NOT false GROUP BY ALL
    ) c USING (dataset_id, unit_id, period_id)
"""
LISTED = """
    SELECT dataset_id, unit_id, period_id, state, due, submitted_on,
        CASE WHEN due IS NULL OR submitted_on IS NULL THEN NULL ELSE greatest(0, date_diff('day', due, submitted_on)) END AS days_late,
        first_received_at, last_received_at, since, times_received, times_returned, times_reopened,
        approved_at, approval_lapsed, {more} due_basis, due_unverified
    FROM ({submitted})
"""


def list_submissions(
    home: Path,
    *,
    state: str | None = None,
    form: str | None = None,
    period: str | None = None,
    place: str | None = None,
    limit: int | None = None,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """(reports, {state: how many}) of the wanted reports; `limit` bounds the rows, never the counts.

    Columns: dataset_id, unit_id, period_id, state, due, submitted_on, days_late (missing where the due date or the day of
    submission is unknown), first_received_at, last_received_at, since, times_received, times_returned, times_reopened,
    approved_at, approval_lapsed, reason, account, errors (open findings of level error), due_basis, due_unverified.
    """
    if state and state not in STATES:
        raise InputError("error.submission_state", state=state, known=", ".join(STATES))
    require(home, "read", table="submission_event", place=place or NATION)
    with working_within(), Warehouse(home) as warehouse:
        make_wanted(warehouse, place=place, form=form, period=period, now=utc_now())
        counts = warehouse.con.execute("SELECT state, count(*) FROM submission_state GROUP BY 1").fetchall()
        where = f"WHERE state = '{state}'" if state else ""
        source = (
            f"(SELECT * FROM submission_state {where} ORDER BY dataset_id, period_id, unit_id LIMIT {limit or 'ALL'})"
        )
        sql = LISTED.format(submitted=SUBMITTED.format(source=source), more="reason, account, errors,")
        rows = warehouse.query(f"{sql} ORDER BY dataset_id, period_id, unit_id".replace("LIMIT ALL", ""))
    found = dict(counts)
    return rows, {name: found[name] for name in STATES if name in found}


def submission_rows(warehouse: Warehouse, now: datetime.datetime) -> Any:
    """SQL of all reports for the release table: no accounts, no reasons."""
    from tkyt_analysis.workflow.states import make_states

    make_states(warehouse.con, now=now)
    return LISTED.format(submitted=SUBMITTED.format(source="submission_state"), more="")
