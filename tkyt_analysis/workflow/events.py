"""Writing events: only ever appended, numbered in their order."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from tkyt_analysis.workflow.states import event_time

if TYPE_CHECKING:
    import duckdb

COLUMNS = (
    "dataset_id", "unit_id", "period_id", "event", "changes", "event_at", "account", "reason", "of_file",
    "values_digest", "basis",
)  # fmt: skip


def append_events(
    con: duckdb.DuckDBPyConnection,
    source: str,
    *,
    now: datetime.datetime,
    account: str,
    into: str = "lake.submission_event",
) -> int:
    """Append the rows of a table or query in their order; how many.

    source : columns of COLUMNS (event_at and account are given here where it has none). An id is made from the key, the
        event, the file and how many such events there were: the same file received again after a crash is the same event.
    """
    given = {row[0] for row in con.execute(f"DESCRIBE SELECT * FROM ({source})").fetchall()}
    defaults = {"event_at": f"'{event_time(now)}'", "account": "?", "changes": "true"}
    parts = [
        f"CAST({name if name in given else defaults.get(name, 'NULL')} AS {_kind(name)}) AS {name}" for name in COLUMNS
    ]
    sql = f"""
        WITH incoming AS (SELECT {", ".join(parts)} FROM ({source})),
        last AS (SELECT coalesce(max(event_number), 0) AS n FROM lake.submission_event),
        before AS (
            SELECT dataset_id, unit_id, period_id, event, of_file, count(*) AS n FROM lake.submission_event
            WHERE period_id IN (SELECT period_id FROM incoming) GROUP BY ALL
        )
        INSERT INTO {into} BY NAME
        SELECT left(sha256(concat_ws('|', i.dataset_id, i.unit_id, i.period_id, i.event, coalesce(i.of_file, ''),
                    coalesce(b.n, 0))), 32) AS event_id,
            last.n + row_number() OVER (ORDER BY i.event_at, i.dataset_id, i.period_id, i.unit_id, i.of_file) AS event_number,
            i.*
        FROM incoming i CROSS JOIN last LEFT JOIN before b
            ON (b.dataset_id, b.unit_id, b.period_id, b.event) = (i.dataset_id, i.unit_id, i.period_id, i.event)
            AND b.of_file IS NOT DISTINCT FROM i.of_file
    """
    parameters = [] if "account" in given else [account]
    row = con.execute(sql, parameters).fetchone()
    return int(row[0]) if row else 0


def _kind(name: str) -> str:
    return "BOOLEAN" if name == "changes" else "VARCHAR"
