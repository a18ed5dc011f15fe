"""What the gateway has done: runs from the ledgers of all servers, extractions from the warehouse."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from tkyt_analysis.access import require
from tkyt_analysis.access.door import working_within

_RUNS = """
SELECT r.run_id, r.who, r.started, r.ended, r.state,
       count(*) FILTER (WHERE a.state IN ('done', 'received', 'repeated')) AS answers,
       coalesce(sum(a.rows) FILTER (WHERE a.state IN ('done', 'received', 'repeated')), 0) AS rows,
       coalesce(sum(a.stamped), 0) AS stamped,
       count(*) FILTER (WHERE a.state = 'failed') AS failed, count(*) FILTER (WHERE a.state = 'planned') AS waiting
FROM run r LEFT JOIN ask a USING (run_id) GROUP BY r.run_id ORDER BY r.run_id DESC LIMIT ?
"""


def runs(home: Path, *, last: int = 20) -> list[dict[str, Any]]:
    """The latest pulls: server (folder), run, who, times, state (open | closed | closed_with_failures), counts."""
    require(home, "read")
    found: list[dict[str, Any]] = []
    for path in sorted((Path(home) / "work" / "gateway").glob("*/ledger.sqlite")):
        with sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True) as con:
            con.row_factory = sqlite3.Row
            found += [{"server": path.parent.name, **dict(row)} for row in con.execute(_RUNS, [last])]
    return sorted(found, key=lambda row: row["run_id"], reverse=True)[:last]


def extractions(home: Path, *, last: int = 20) -> list[dict[str, Any]]:
    """The latest stamps of the warehouse: who, when, server, end point, parameters, approval state, hash, rows."""
    from tkyt_analysis.warehouse.lake import Warehouse

    require(home, "read")
    columns = "extraction_id, who, asked_at, server, end_point, parameters, units, what, period, approval, sha256, rows, deleted"
    with working_within(), Warehouse(home) as warehouse:
        sql = f"SELECT {columns} FROM lake.extraction ORDER BY asked_at DESC, extraction_id DESC LIMIT {int(last)}"
        return warehouse.query(sql).to_dict("records")
