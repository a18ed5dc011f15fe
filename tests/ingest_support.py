"""Helpers of the ingest tests: received files from bytes, a context of drawn tables, a door's answer as tables."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from tkyt_analysis.ingest.door import NOTE_COLUMNS, QUARANTINE_COLUMNS, ReceivedFile
from tkyt_analysis.labels import label


def received(path: Path, content: bytes | str | None = None, name: str | None = None) -> ReceivedFile:
    """A received file; `content` is written to `path` first."""
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    data = path.read_bytes() if path.stat().st_size < 1 << 28 else b""
    return ReceivedFile(path, name or path.name, hashlib.sha256(data).hexdigest(), path.stat().st_size)


@dataclass
class Known:
    """What has landed so far, drawn by the test."""

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    language: str = "vi"
    catalog: object = None

    def _table(self, name: str, columns: list[str]) -> pd.DataFrame:
        return self.tables.get(name, pd.DataFrame(columns=columns, dtype="str"))

    def units(self) -> pd.DataFrame:
        return self._table("organisation_unit", ["unit_id"])

    def unit_aliases(self) -> pd.DataFrame:
        return self._table("unit_alias", ["source", "alias", "unit_id"])

    def data_elements(self) -> pd.DataFrame:
        return self._table("data_element", ["element_id", "value_type", "dataset_id", "status"])


@dataclass
class Answer:
    """Everything a door gave for one file."""

    received: int
    tables: dict[str, pd.DataFrame]
    quarantined: pd.DataFrame
    notes: pd.DataFrame
    landed: int

    @property
    def values(self) -> pd.DataFrame:
        return self.tables.get("aggregate_value", pd.DataFrame(columns=["value"]))

    @property
    def reasons(self) -> list[str]:
        return sorted(self.quarantined["reason"])


def _frame(items: object, columns: list[str]) -> pd.DataFrame:
    if isinstance(items, pd.DataFrame):
        return items.reindex(columns=columns).astype("object")
    return pd.DataFrame([[getattr(i, c) for c in columns] for i in items], columns=columns, dtype="object")  # type: ignore[attr-defined]


def read_all(door: object, file: ReceivedFile, known: Known | None = None) -> Answer:
    """Run a door to the end; every batch must balance, every reason and note must have its sentence."""
    known = known or Known()
    tables: dict[str, list[pd.DataFrame]] = {}
    quarantined, notes, count, landed = [], [], 0, 0
    for batch in door.read(file, known):  # type: ignore[attr-defined]
        rows = batch.rows if isinstance(batch.rows, pd.DataFrame) else batch.rows.to_pandas()
        refused = _frame(batch.quarantined, QUARANTINE_COLUMNS)
        if batch.counts:
            assert batch.received == len(rows) + len(refused)
            count, landed = count + batch.received, landed + len(rows)
        if len(rows):
            tables.setdefault(batch.table, []).append(rows)
        quarantined.append(refused)
        notes.append(_frame(batch.notes, NOTE_COLUMNS))
    all_refused = pd.concat(quarantined, ignore_index=True)
    all_notes = pd.concat(notes, ignore_index=True)
    for key, frame in (("reason", all_refused), ("note", all_notes)):
        for row in frame.to_dict("records"):
            for language in ("vi", "en"):
                assert label(row[key], language, **row["fields"])
    joined = {name: pd.concat(frames, ignore_index=True) for name, frames in tables.items()}
    return Answer(count, joined, all_refused, all_notes, landed)
