"""The release table `submission`: one row per report, in the scope of its unit's province."""

from __future__ import annotations

import datetime

from tkyt_analysis.warehouse.release import NATION, ReleaseContext
from tkyt_analysis.workflow.listing import submission_rows
from tkyt_analysis.workflow.states import has_events


def submission(context: ReleaseContext) -> str:
    """State and dates of every report; no account and no reason leaves the warehouse.

    `state` is as of the last event or file of the snapshot (`state_at`), so that a snapshot always gives the same
    release: a reader who wants today's state takes an approved report whose `due` is over as locked.
    """
    source = "SELECT max(received_at) AS seen_at FROM lake.received_file"
    if has_events(context.warehouse.con):
        source += " UNION ALL SELECT max(event_at) FROM lake.submission_event"
    row = context.warehouse.con.execute(f"SELECT max(seen_at) FROM ({source})").fetchone()
    at = datetime.datetime.fromisoformat(row[0]) if row and row[0] else datetime.datetime(1970, 1, 1)
    rows = submission_rows(context.warehouse, at)
    context.warehouse.con.register("submission_scope", context.units[["unit_id", "scope"]])
    return (
        f"SELECT r.*, '{at:%Y-%m-%d %H:%M:%S}' AS state_at, coalesce(s.scope, '{NATION}') AS scope "
        f"FROM ({rows}) r LEFT JOIN submission_scope s USING (unit_id)"
    )
