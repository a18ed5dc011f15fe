"""What a door is: it recognises a received file and reads it into bounded batches of rows.

A door never writes. `tkyt_analysis.ingest.receive` keeps the bytes, checks that received = landed +
quarantined, and stores everything of one file in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa


@dataclass(frozen=True)
class ReceivedFile:
    """One file as it came in, kept byte for byte under its SHA-256.

    `name` is the name under which it was received (with its folder, "/"-separated); `path` is where
    its bytes can be read now; `member` names the file inside an archive, "" otherwise.
    """

    path: Path
    name: str
    sha256: str
    size: int
    member: str = ""


@dataclass(frozen=True)
class Quarantined:
    """A row that did not land. `reason` is a label key; `fields` fill its sentence."""

    reason: str
    sheet: str = ""
    row_number: int | None = None
    column_name: str = ""
    value: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """A cell that landed, but not as written (repaired, or left empty). `note` is a label key."""

    note: str
    sheet: str = ""
    row_number: int | None = None
    column_name: str = ""
    value: str = ""
    became: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


QUARANTINE_COLUMNS = ["sheet", "row_number", "column_name", "value", "reason", "fields"]
NOTE_COLUMNS = ["sheet", "row_number", "column_name", "value", "became", "note", "fields"]


@dataclass(frozen=True)
class Batch:
    """One bounded piece of a file for one table.

    rows : columns of the catalog's dataset entry (missing ones become empty); `sheet` and `row_number`
        say where a row stood. `file_sha256` is added by ingest.
    quarantined, notes : lists, or DataFrames with QUARANTINE_COLUMNS / NOTE_COLUMNS where there are many
    received : how many rows of the file this batch accounts for; must equal rows + quarantined.
        A batch of a side table (e.g. identifiers beside their deaths) accounts for no further rows: it
        says `counts=False`, and its rows are then not part of received, landed or quarantined.
    """

    table: str
    rows: pa.Table | pd.DataFrame
    quarantined: list[Quarantined] | pd.DataFrame = field(default_factory=list)
    notes: list[Note] | pd.DataFrame = field(default_factory=list)
    received: int = 0
    counts: bool = True


class IngestContext(Protocol):
    """What a door may ask of what is already known. All look-ups are whole tables, joined by the door."""

    @property
    def language(self) -> str:
        """Language of the run ("vi" or "en")."""
        ...

    def units(self) -> pd.DataFrame:
        """organisation_unit as known now (VN2024, VN2025 and whatever has landed)."""
        ...

    def unit_aliases(self) -> pd.DataFrame:
        """unit_alias: source, alias, unit_id."""
        ...

    def data_elements(self) -> pd.DataFrame:
        """data_element as known now."""
        ...


class Door(Protocol):
    """A reader of one kind of received file."""

    id: str

    def recognise(self, file: ReceivedFile) -> float:
        """0 (not mine) … 1 (surely mine), from a cheap look at the file; never raises."""
        ...

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """The file's rows in bounded batches; a file that cannot be read at all raises InputError."""
        ...
