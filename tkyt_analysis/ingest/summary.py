"""What an ingest run did, in sentences: totals by door, and the reasons of quarantine with an example each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tkyt_analysis.labels import all_labels, current_language, label
from tkyt_analysis.warehouse.lake import Warehouse

WHERE = ("sheet", "row_number", "column_name")
COUNTS = ("received", "landed", "quarantined", "notes")


def totals_by_door(files: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """{door: {files, received, landed, quarantined, notes}}, the busiest door first."""
    totals: dict[str, dict[str, int]] = {}
    for row in files:
        counts = totals.setdefault(row["door"] or "–", dict.fromkeys(("files", *COUNTS), 0))
        counts["files"] += 1
        for name in COUNTS:
            counts[name] += row[name]
    return dict(sorted(totals.items(), key=lambda item: -item[1]["received"]))


def door_name(door: str, language: str | None = None) -> str:
    """What a door receives, in words; its id where nobody has named it."""
    known = all_labels().get(f"door.{door}")
    return known[language or current_language()] if known else door


def quarantine_examples(home: Path, files: list[str], *, most: int = 12) -> list[tuple[int, str]]:
    """(count, sentence of one example) for each reason among the given files, the most frequent first."""
    if not files:
        return []
    with Warehouse(home) as warehouse:
        warehouse.con.execute("CREATE TEMP TABLE wanted AS SELECT unnest(?) AS file_sha256", [files])
        rows = warehouse.con.execute(
            """
            SELECT reason, count(*), arg_min(struct_pack(file := f.file_name, sheet := q.sheet, row_number := q.row_number,
                   column_name := q.column_name, value := q.value, fields := q.fields), coalesce(q.row_number, 0))
            FROM lake.quarantine q JOIN wanted USING (file_sha256) JOIN lake.received_file f USING (file_sha256)
            GROUP BY 1 ORDER BY 2 DESC LIMIT ?
            """,
            [most],
        ).fetchall()
    return [(count, sentence(reason, example)) for reason, count, example in rows]


def sentence(key: str, place: dict[str, Any]) -> str:
    """The sentence of one quarantined row or note: where it stood, then what is said of it."""
    fields = json.loads(place.get("fields") or "{}")
    known = {name: place.get(name) or "" for name in ("file", "sheet", "row_number", "column_name", "value", "became")}
    try:
        text = label(key, None, **{**known, "row": known["row_number"], "column": known["column_name"], **fields})
    except (KeyError, IndexError):
        text = f"{key} {fields or ''}".strip()
    said = ", ".join(part for part in place_parts(place) if part.lower() not in text.lower())
    return f"{said}: {text}" if said else text


def place_parts(place: dict[str, Any]) -> list[str]:
    """The parts of a place in words: file, sheet, row, column."""
    parts = [str(place.get("file") or "")]
    parts += [label(f"where.{name}", None, value=place[name]) for name in WHERE if place.get(name)]
    return [part for part in parts if part]
