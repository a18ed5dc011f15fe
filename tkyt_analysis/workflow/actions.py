"""Check, approve, return and reopen reports: one report, or all of a place, form and period at once.

Each action asks `access.require` for the place, looks at the state of every wanted report, appends an event to those
where it may happen, and says of the others why not. All events of one call are written in one transaction.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tkyt_analysis.access import NATION, require, working_within
from tkyt_analysis.catalog import load_entries
from tkyt_analysis.errors import InputError
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.workflow.events import append_events
from tkyt_analysis.workflow.machine import ALLOWED
from tkyt_analysis.workflow.states import make_states, utc_now
from tkyt_analysis.workflow.values import make_digests

if TYPE_CHECKING:
    import pandas as pd

ACTION_OF = {"checked": "check", "approved": "approve", "returned": "return", "reopened": "reopen"}
REFUSED = ("wrong_state", "check_not_run", "not_checked", "open_errors")


@dataclass(frozen=True)
class Outcome:
    """What one call did. refused : dataset_id, unit_id, period_id, state, errors, why (a name of REFUSED)."""

    event: str
    done: int
    refused: pd.DataFrame = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {"event": self.event, "done": self.done, "refused": self.refused.to_dict("records")}


def check_reports(home: Path, *, place: str, form: str | None = None, period: str | None = None) -> Outcome:
    """Mark received reports as checked: the rules ran after their last values came in. Their findings do not matter here."""
    return _decide(home, "checked", place=place, form=form, period=period)


def approve_reports(
    home: Path, *, place: str, form: str | None = None, period: str | None = None, despite: str = ""
) -> Outcome:
    """Approve checked reports without open findings of level error; `despite` = the reason to approve the others too."""
    return _decide(home, "approved", place=place, form=form, period=period, reason=despite)


def return_reports(
    home: Path, *, place: str, reason: str, form: str | None = None, period: str | None = None
) -> Outcome:
    """Give reports back to their units: each waits for a new file. A locked report has to be reopened instead."""
    return _decide(home, "returned", place=place, form=form, period=period, reason=_required(reason, "returned"))


def reopen_reports(
    home: Path, *, place: str, reason: str, form: str | None = None, period: str | None = None
) -> Outcome:
    """Make locked reports editable until they are approved again."""
    return _decide(home, "reopened", place=place, form=form, period=period, reason=_required(reason, "reopened"))


def _required(reason: str, event: str) -> str:
    if not reason.strip():
        raise InputError("error.submission_reason", action=ACTION_OF[event])
    return reason.strip()


def _decide(home: Path, event: str, *, place: str, form: str | None, period: str | None, reason: str = "") -> Outcome:
    from tkyt_analysis.access.audit import record

    account = require(home, ACTION_OF[event], place=place)
    now = utc_now()
    with (
        working_within(),
        Warehouse(home, write=True) as warehouse,
        warehouse.turn(),
    ):  # nobody writes between the look and the event
        make_wanted(warehouse, place=place, form=form, period=period, now=now)
        _judge(warehouse, event, despite=bool(reason))
        refused = warehouse.query(
            "SELECT dataset_id, unit_id, period_id, state, errors, why FROM judged WHERE why <> '' ORDER BY ALL"
        )
        with warehouse.transaction():
            done = _write(warehouse, event, reason=reason, account=account.name, now=now)
    if done:
        record(home, f"submission_{event}", why=reason, rows=done, place=place, form=form or "", period=period or "")
    return Outcome(event, done, refused)


def make_wanted(
    warehouse: Warehouse, *, place: str | None, form: str | None, period: str | None, now: datetime.datetime
) -> None:
    """Temporary table submission_state of the wanted reports, with `errors`: open findings of level error, and `checked_in_time`."""
    import pandas as pd

    from tkyt_analysis.workflow.places import units_of

    units = units_of(warehouse, place or NATION)
    parts = ["true"]
    parts += [f"dataset_id = {_text(form)}"] if form else []
    parts += [f"period_id = {_text(_period_id(period))}"] if period else []
    if units is not None:
        warehouse.con.register("wanted_unit", pd.DataFrame({"unit_id": pd.Series(units, dtype="str")}))
        parts.append("unit_id IN (SELECT unit_id FROM wanted_unit)")
    make_states(warehouse.con, " AND ".join(parts), now=now, table="wanted_state")
    if units is not None:
        warehouse.con.unregister("wanted_unit")
    _add_findings(warehouse)


def _period_id(value: str) -> str:
    from tkyt_analysis.reference.periods import period

    return period(value).period_id


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _add_findings(warehouse: Warehouse) -> None:
    rules = ", ".join(_text(rule) for rule in load_entries("rules"))
    row = warehouse.con.execute(f"SELECT min(checked_at) FROM lake.rule_coverage WHERE rule_id IN ({rules})").fetchone()
    checked_at = row[0] if row and row[0] else ""
    warehouse.con.execute(
        """
        CREATE OR REPLACE TEMP TABLE submission_state AS
        SELECT s.*, coalesce(f.errors, 0) AS errors, left(s.values_since, 19) <= ? AS checked_in_time
        FROM wanted_state s LEFT JOIN (
            SELECT dataset_id, unit_id, period_id, count(*) AS errors FROM lake.finding
            WHERE severity = 'error' AND dataset_id IS NOT NULL GROUP BY ALL
        ) f USING (dataset_id, unit_id, period_id)
        """,
        [checked_at],
    )


def _judge(warehouse: Warehouse, event: str, *, despite: bool) -> None:
    """Temporary table judged: the wanted reports, and `why` an event may not happen to them ("" = it may)."""
    states = ", ".join(_text(state) for state in ALLOWED[event])
    checks = {
        "checked": "WHEN NOT checked_in_time THEN 'check_not_run'",
        "approved": "WHEN state <> 'checked' THEN 'not_checked' WHEN errors > 0 THEN 'open_errors'",
    }
    more = "" if event == "approved" and despite else checks.get(event, "")
    warehouse.con.execute(
        f"CREATE OR REPLACE TEMP TABLE judged AS SELECT *, "
        f"CASE WHEN state NOT IN ({states}) THEN 'wrong_state' {more} ELSE '' END AS why FROM submission_state"
    )


def _write(warehouse: Warehouse, event: str, *, reason: str, account: str, now: datetime.datetime) -> int:
    con = warehouse.con
    con.execute("CREATE OR REPLACE TEMP TABLE picked AS SELECT * FROM judged WHERE why = ''")
    if not con.execute("SELECT count(*) FROM picked").fetchone()[0]:  # type: ignore[index]
        return 0
    digest = "NULL"
    if event == "approved":
        make_digests(con, "picked")
        digest = "d.digest"
    join = "LEFT JOIN values_digest d USING (dataset_id, unit_id, period_id)" if event == "approved" else ""
    basis = (
        "CASE WHEN errors > 0 OR state <> 'checked' THEN 'despite' ELSE 'checks' END"
        if event == "approved"
        else "'checks'"
    )
    source = (
        f"SELECT dataset_id, unit_id, period_id, '{event}' AS event, {_text(reason)} AS reason, "
        f"{digest} AS values_digest, {basis} AS basis FROM picked {join}"
    )
    return append_events(con, source, now=now, account=account)
