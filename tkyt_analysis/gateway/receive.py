"""Answers of a pull as received files: through the ingest door like any other file, then stamped. Safe to repeat."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tkyt_analysis.gateway.fetch import approval_summary
from tkyt_analysis.gateway.ledger import DONE, RECEIVED, Ledger
from tkyt_analysis.gateway.server import Server
from tkyt_analysis.labels import current_language

STAMP = "tkyt_extractions"  # the first key of a file of stamps
Progress = Callable[[int, int, str], None]


@dataclass
class Received:
    """What the ingest door made of the answers: its own rows per file, and how many extractions were stamped."""

    files: list[dict[str, Any]] = field(default_factory=list)
    stamped: int = 0


def receive_answers(
    home: Path, ledger: Ledger, run_id: str, server: Server, *, progress: Progress | None = None
) -> Received:
    """All answers of a run into the warehouse, units first; then one stamp for each that the warehouse did not know."""
    from tkyt_analysis.ingest.receive import ingest
    from tkyt_analysis.pipeline import prepare_home

    prepare_home(home)
    received = Received()
    for group in _groups(ledger.asks(run_id, DONE)):
        paths = [ledger.folder / row["file"] for row in group if row["rows"]]
        if paths:
            received.files += ingest(home, paths, language=current_language(), progress=progress).files
        for row in group:
            ledger.update(run_id, row["number"], state=RECEIVED)
    received.stamped = _stamp(home, ledger, run_id, server)
    shutil.rmtree(ledger.answers / run_id, ignore_errors=True)
    return received


def _groups(rows: list[sqlite3.Row]) -> Iterator[list[sqlite3.Row]]:
    """Each page of units by itself (a page needs the units of the pages before it), then everything else together."""
    units = [row for row in rows if row["what"] == "organisationUnits"]
    for row in sorted(units, key=lambda row: row["number"]):
        yield [row]
    others = [row for row in rows if row["what"] != "organisationUnits"]
    if others:
        yield others


def _stamp(home: Path, ledger: Ledger, run_id: str, server: Server) -> int:
    """A file of stamps for what is new, received like the answers themselves."""
    from tkyt_analysis.ingest.receive import ingest

    rows = [row for row in ledger.asks(run_id, RECEIVED) if not row["stamped"] and row["rows"]]
    before = _stamped_before(home) if rows else set()
    new = [row for row in rows if row["sha256"] not in before]
    if new:
        path = ledger.answers / run_id / f"extractions_{run_id}.json"
        path.parent.mkdir(exist_ok=True, mode=0o700)
        text = json.dumps({STAMP: 1, "extractions": list(_stamps(ledger, new, server))}, ensure_ascii=False, indent=1)
        path.write_text(text, "utf-8")
        ingest(home, [path], language=current_language())
    for row in rows:
        ledger.update(run_id, row["number"], stamped=1)
    return len(new)


def _stamped_before(home: Path) -> set[str]:
    from tkyt_analysis.access.door import working_within
    from tkyt_analysis.warehouse.lake import Warehouse

    with working_within(), Warehouse(home) as warehouse:
        return {row[0] for row in warehouse.con.execute("SELECT DISTINCT sha256 FROM lake.extraction").fetchall()}


def _stamps(ledger: Ledger, rows: Iterable[sqlite3.Row], server: Server) -> Iterator[dict[str, Any]]:
    """Who asked which server what, when; what came, and how far it was approved then. No secrets: they are no parameters."""
    for row in rows:
        units = json.loads(row["units"])
        yield {
            "extraction_id": f"{row['run_id']}-{row['number']}",
            "who": row["who"],
            "asked_at": row["asked_at"],
            "server": server.url,
            "end_point": f"/api/{row['path']}",
            "parameters": json.dumps(json.loads(row["params"])[1:], ensure_ascii=False),
            "units": json.dumps(units),
            "what": row["what"],
            "period": row["period"],
            "approval": approval_summary(ledger.approvals(row["run_id"], row["period"], units)),
            "sha256": row["sha256"],
            "rows": row["rows"],
            "deleted": row["deleted"] or 0,
            "received_name": Path(row["file"]).name,
        }
