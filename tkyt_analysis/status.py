"""The state of a home in a few sentences: what was received, what waits, which release readers see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tkyt_analysis.access import require
from tkyt_analysis.access.warehouse_view import scoped_warehouse
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.warehouse.keys import has_master, key_file
from tkyt_analysis.warehouse.lake import is_practice
from tkyt_analysis.warehouse.release import current_release


def home_status(home: Path, *, as_of: int | str | None = None) -> dict[str, Any]:
    """Counts of files, rows, quarantine and findings, the release, and the sentences that say them.

    An account below the nation is told of the files whose rows are all of its units, and of the findings on them.
    """
    account = require(home, "read")
    with scoped_warehouse(home, account, as_of=as_of) as view:
        warehouse = view.warehouse
        files, received, landed, quarantined, last = warehouse.one(
            "SELECT count(*), coalesce(sum(rows_received), 0), coalesce(sum(rows_landed), 0), "
            "coalesce(sum(rows_quarantined), 0), max(received_at) FROM lake.received_file "
            f"WHERE {view.files()}"
        )
        findings = warehouse.one(f"SELECT count(*) FROM lake.finding WHERE {view.units()}")[0]
        snapshot = warehouse.snapshot_id()
    try:
        release = current_release(home)
    except InputError:
        release = None
    found = {
        "home": str(home),
        "practice": is_practice(home),
        "files": files,
        "received": int(received),
        "landed": int(landed),
        "quarantined": int(quarantined),
        "last_received_at": last,
        "findings": findings,
        "snapshot": snapshot,
        "release": release,
        "key": has_master(home),
    }
    return {**found, "sentences": _sentences(found)}


def _sentences(found: dict[str, Any]) -> list[str]:
    numbers = {
        name: format_number(found[name])
        for name in ("files", "received", "landed", "quarantined", "findings", "snapshot")
    }
    lines = [label("status.home", None, home=found["home"])]
    if found["practice"]:
        lines.append(label("practice.note"))
    lines.append(label("status.received", None, **numbers, last=found["last_received_at"] or "–"))
    if found["quarantined"]:
        lines.append(label("status.quarantine", None, **numbers))
    lines.append(label("status.findings", None, **numbers))
    if not found["key"]:
        lines.append(label("error.key_missing", None, path=key_file(Path(found["home"])), home=found["home"]))
    lines.append(label("status.release" if found["release"] else "status.no_release", None, release=found["release"]))
    return lines
