"""The states of many reports at once, in SQL, over the table of events and a table of due dates."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from tkyt_analysis.catalog import load_entries
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.deadlines import DueDate, due_date
from tkyt_analysis.reference.periods import period
from tkyt_analysis.warehouse.schema import column_types
from tkyt_analysis.workflow.machine import local_day

if TYPE_CHECKING:
    import duckdb

DUE_COLUMNS = ["dataset_id", "period_id", "due", "due_basis", "due_unverified"]

# One row per report. The event that counts last gives the state; an approved report whose due date is over is locked.
STATES = """
    WITH folded AS (
        SELECT dataset_id, unit_id, period_id,
            arg_max(event, event_number) FILTER (changes) AS last_event,
            max(event_at) FILTER (changes) AS since,
            arg_max(reason, event_number) FILTER (changes) AS reason,
            arg_max(account, event_number) FILTER (changes) AS account,
            min(event_at) FILTER (event = 'received') AS first_received_at,
            max(event_at) FILTER (event = 'received') AS last_received_at,
            max(event_at) FILTER (event = 'received' AND changes) AS values_since,
            arg_min(of_file, event_number) FILTER (event = 'received') AS first_file,
            arg_max(values_digest, event_number) FILTER (event = 'approved') AS approved_digest,
            max(event_at) FILTER (event = 'approved') AS approved_at,
            max(event_number) FILTER (event = 'approved')
                > coalesce(max(event_number) FILTER (event IN ('returned', 'reopened')), 0) AS approved_since_return,
            count(*) FILTER (event = 'received') AS times_received,
            count(*) FILTER (event = 'returned') AS times_returned,
            count(*) FILTER (event = 'reopened') AS times_reopened
        FROM {events}
        GROUP BY dataset_id, unit_id, period_id
    )
    SELECT f.* EXCLUDE (last_event, approved_since_return), d.due, d.due_basis, d.due_unverified,
        CASE WHEN last_event = 'approved' AND d.due < CAST('{today}' AS DATE) THEN 'locked' ELSE last_event END AS state,
        coalesce(last_event = 'received' AND approved_since_return, false) AS approval_lapsed
    FROM folded f LEFT JOIN submission_due d USING (dataset_id, period_id)
"""


def utc_now() -> datetime.datetime:
    """Now, in UTC, without its zone: the one clock of the workflow."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def event_time(now: datetime.datetime) -> str:
    """A time as it is stored: UTC, to the microsecond, so that text sorts like time."""
    return now.strftime("%Y-%m-%d %H:%M:%S.%f")


def make_states(
    con: duckdb.DuckDBPyConnection, where: str = "true", *, now: datetime.datetime, table: str = "submission_state"
) -> None:
    """Make the temporary table of states of reports on a connection that has `lake`; `where` limits the events (by key)."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE wanted_event AS SELECT * FROM {_events(con)} WHERE {where}")
    make_due(con, "wanted_event")
    sql = STATES.format(events="wanted_event", today=local_day(now).isoformat())
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {sql}")
    con.execute("DROP TABLE wanted_event")


def _events(con: duckdb.DuckDBPyConnection) -> str:
    """The table of events, or an empty one where a snapshot is older than the table."""
    if has_events(con):
        return "lake.submission_event"
    types = column_types(load_entries("datasets")["submission_event"])
    columns = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in types.items())
    return f"(SELECT {columns} LIMIT 0)"


def has_events(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the lake has the table of events (a home made before it gets it with its next ingest)."""
    import duckdb

    try:
        con.execute("SELECT 1 FROM lake.submission_event LIMIT 0")
    except duckdb.CatalogException:
        return False
    return True


def make_due(con: duckdb.DuckDBPyConnection, source: str) -> None:
    """The temporary table submission_due: the due date of every data set and period in `source`."""
    import pandas as pd

    pairs = con.execute(f"SELECT DISTINCT dataset_id, period_id FROM {source}").fetchall()
    found = [(dataset, name, *_due_row(due)) for (dataset, name), due in due_dates(con, pairs).items()]
    rows = pd.DataFrame(found, columns=DUE_COLUMNS)
    con.register("incoming_due", rows.astype({"due_basis": "str", "due_unverified": "bool"}))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE submission_due AS "
        "SELECT dataset_id::VARCHAR dataset_id, period_id::VARCHAR period_id, CAST(due AS DATE) due, due_basis, due_unverified FROM incoming_due"
    )
    con.unregister("incoming_due")


def _due_row(due: DueDate) -> tuple[object, str, bool]:
    return (due.day.isoformat() if due.day else None), due.basis, due.unverified


def due_dates(con: duckdb.DuckDBPyConnection, pairs: list[tuple[str, str]]) -> dict[tuple[str, str], DueDate]:
    """The due date of each (data set, period): by the form, else by what DHIS2 says of its data set, else none."""
    days = _timely_days(con) if any(dataset not in load_entries("forms") for dataset, _ in pairs) else {}
    return {pair: due_of(pair[0], pair[1], days) for pair in pairs}


def due_of(dataset: str, period_id: str, timely_days: dict[str, float]) -> DueDate:
    """The due date of one data set and period; timely_days: {data set: days after the period}, as DHIS2 says."""
    from tkyt_analysis.labels import label

    try:
        if dataset in load_entries("forms"):
            return due_date(dataset, period_id)
        if timely_days.get(dataset):
            days = int(timely_days[dataset])
            last = period(period_id).end + datetime.timedelta(days=days)
            return DueDate(last, label("submission.due_dhis2", days=days), False)
    except InputError as error:  # the catalog has no deadline for it: the report never locks, and the list says why
        return DueDate(None, error.sentence(), True)
    return DueDate(None, label("submission.due_unknown", dataset=dataset), True)


def _timely_days(con: duckdb.DuckDBPyConnection) -> dict[str, float]:
    rows = con.execute(
        "SELECT dataset_id, max(timely_days) FROM lake.data_set WHERE timely_days > 0 GROUP BY 1"
    ).fetchall()
    return dict(rows)
