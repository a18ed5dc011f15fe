"""Answers against what was asked: cases that nobody knows and "wrong" with the same number do not land; the rest is numbered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tkyt_analysis.quality.cases.carrying import event_id
from tkyt_analysis.workflow.states import event_time, utc_now

if TYPE_CHECKING:
    from tkyt_analysis.ingest.staging import Staging
    from tkyt_analysis.warehouse.lake import Warehouse

# The unit asked, and the value that the question was about (what it was when it was asked, else when it was last seen).
KNOWN = """
    CREATE OR REPLACE TEMP TABLE known_case AS
    SELECT c.finding_id, any_value(c.unit_id) AS unit_id,
           CASE WHEN any_value(a.finding_id) IS NULL THEN arg_max_null(c.value, c.run_number) ELSE any_value(a.value) END AS value
    FROM lake.finding_change c LEFT JOIN (
        SELECT finding_id, arg_max_null(value, event_number) AS value FROM lake.case_event WHERE event = 'asked' GROUP BY 1
    ) a USING (finding_id)
    WHERE c.finding_id IN (SELECT finding_id FROM staged.case_event) GROUP BY c.finding_id
"""


def case_reply_gate(warehouse: Warehouse, staging: Staging) -> None:
    """Complete the staged answers: unit, value, moment, account, number. Runs before the gate of scope, which needs the unit."""
    if "case_event" not in staging.used:
        return
    con = warehouse.con
    con.execute(KNOWN)
    where = "t.event = 'explained'"
    staging.refuse(
        "case_event",
        f"{where} AND t.finding_id NOT IN (SELECT finding_id FROM known_case)",
        reason="quarantine.case_unknown",
        value="t.finding_id",
    )
    staging.refuse(
        "case_event",
        f"{where} AND t.reported_value = (SELECT k.value FROM known_case k WHERE k.finding_id = t.finding_id)",
        reason="quarantine.case_same_value",
        value="CAST(t.reported_value AS VARCHAR)",
    )
    _complete(warehouse, staging)
    con.execute("DROP TABLE temp.known_case")


def _complete(warehouse: Warehouse, staging: Staging) -> None:
    from tkyt_analysis.access.door import current_account

    rows = warehouse.query(
        """
        SELECT s.file_sha256, s.sheet, s.row_number, s.finding_id, s.event, k.unit_id, k.value,
               coalesce(e.event_at, f.received_at || '.999999') AS event_at
        FROM staged.case_event s JOIN known_case k USING (finding_id)
        LEFT JOIN lake.received_file f ON f.file_sha256 = s.file_sha256
        LEFT JOIN (SELECT file_sha256, min(event_at) AS event_at FROM lake.case_event GROUP BY 1) e
             ON e.file_sha256 = s.file_sha256
        ORDER BY s.file_sha256, s.sheet, s.row_number
        """
    )
    if rows.empty:
        return
    first = int(warehouse.one("SELECT coalesce(max(event_number), 0) FROM lake.case_event")[0]) + 1
    numbers = range(first, first + len(rows))
    ids = [event_id(one.finding_id, one.event, number) for one, number in zip(rows.itertuples(), numbers, strict=True)]
    account = current_account(warehouse.home).name
    filled = rows.assign(
        event_number=list(numbers),
        event_id=ids,
        account=account,
        event_at=rows["event_at"].fillna(event_time(utc_now())),
    )
    warehouse.con.register("incoming", filled.astype({"row_number": "Int64"}))
    names = ("event_id", "event_number", "event_at", "account", "unit_id", "value")
    settings = ", ".join(f"{name} = i.{name}" for name in names)
    warehouse.con.execute(
        f"""
        UPDATE staged.case_event SET {settings} FROM incoming i
        WHERE staged.case_event.file_sha256 = i.file_sha256 AND staged.case_event.sheet = i.sheet
              AND staged.case_event.row_number = i.row_number
        """
    )
    warehouse.con.unregister("incoming")
