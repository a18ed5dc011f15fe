"""What the doors yield, gathered in temporary tables until it is stored in one statement per table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from tkyt_analysis.errors import ProcessingError
from tkyt_analysis.ingest.door import NOTE_COLUMNS, QUARANTINE_COLUMNS, Batch, Note, Quarantined
from tkyt_analysis.warehouse.schema import column_types, store_of, stored_datasets

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.catalog.entries import Dataset

PSEUDONYM_BYTES = 10


class Staging:
    """Temporary tables of one group of files; `counts` has (received, landed, quarantined, notes) per file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, pseudonym_key: bytes) -> None:
        self.con = connection
        self.key = pseudonym_key
        self.datasets = stored_datasets()
        self.used: set[str] = set()
        self.files: list[str] = []
        self.counts: dict[str, list[int]] = {}
        self.personal: set[str] = (
            set()
        )  # files about single persons: some of their rows bear a pseudonym or identifiers
        self.passports: dict[str, dict[str, str]] = {}  # what a workbook says of itself (`ingest.passport`)
        self.paths: dict[str, Path] = {}  # where the bytes of unpacked members lie during this run

    def start(self, sha256: str) -> None:
        """Begin a file."""
        self.files.append(sha256)
        self.counts[sha256] = [0, 0, 0, 0]

    def forget(self, sha256: str) -> None:
        """Take back everything staged of a file (it turned out to be unreadable further on)."""
        for table in self.used:
            self.con.execute(f'DELETE FROM staged."{table}" WHERE file_sha256 = ?', [sha256])
        self.counts[sha256] = [0, 0, 0, 0]

    def add(self, sha256: str, batch: Batch, door: str) -> None:
        """Stage one batch of a file, after checking that received = landed + quarantined."""
        quarantined = _frame(batch.quarantined, QUARANTINE_COLUMNS)
        notes = _frame(batch.notes, NOTE_COLUMNS)
        if _is_personal(self.datasets.get(batch.table)):
            self.personal.add(sha256)
        landed = len(batch.rows)
        if batch.counts:
            if batch.received != landed + len(quarantined):
                raise ProcessingError(
                    "error.ingest_count",
                    door=door,
                    table=batch.table,
                    received=batch.received,
                    landed=landed,
                    quarantined=len(quarantined),
                )
            counts = self.counts[sha256]
            counts[0] += batch.received
            counts[1] += landed
            counts[2] += len(quarantined)
        self.counts[sha256][3] += len(notes)
        if landed:
            self._insert(self._entry(batch.table, door), sha256, self._pseudonymised(batch, sha256))
        if len(quarantined):
            self._insert(self.datasets["quarantine"], sha256, quarantined)
        if len(notes):
            self._insert(self.datasets["ingest_note"], sha256, notes)

    def _entry(self, table: str, door: str) -> Dataset:
        try:
            return self.datasets[table]
        except KeyError:
            raise ProcessingError("error.ingest_unknown_table", table=table, door=door) from None

    def _pseudonymised(self, batch: Batch, sha256: str) -> pd.DataFrame | pa.Table:
        keyed = {
            name: column.pseudonym_of
            for name, column in self.datasets[batch.table].columns.items()
            if column.pseudonym_of
        }
        if not keyed:
            return batch.rows
        rows = batch.rows.to_pandas() if isinstance(batch.rows, pa.Table) else batch.rows
        return rows.assign(**{name: self._pseudonyms(rows, of, sha256) for name, of in keyed.items()})

    def _pseudonyms(self, rows: pd.DataFrame, of: tuple[str, ...], sha256: str) -> list[str | None]:
        if not set(of) <= {"file_sha256", *rows.columns}:
            return [None] * len(rows)
        parts = [[sha256] * len(rows) if name == "file_sha256" else rows[name].tolist() for name in of]
        return [
            None
            if any(part is None or part != part or part == "" for part in values)
            else hashlib.blake2b(
                "\x1f".join(map(str, values)).encode(), key=self.key, digest_size=PSEUDONYM_BYTES
            ).hexdigest()
            for values in zip(*parts)
        ]

    def prepare(self, table: str) -> None:
        """Make the staged table of a data set where it is missing: a gate may add rows of its own to it."""
        self._make(self.datasets[table])

    def _make(self, entry: Dataset) -> None:
        if entry.id in self.used:
            return
        columns = ", ".join(f'"{name}" {kind}' for name, kind in column_types(entry).items())
        self.con.execute("CREATE SCHEMA IF NOT EXISTS staged")
        self.con.execute(f'CREATE OR REPLACE TABLE staged."{entry.id}" ({columns})')
        self.used.add(entry.id)

    def _insert(self, entry: Dataset, sha256: str, rows: pd.DataFrame | pa.Table) -> None:
        types = column_types(entry)
        self._make(entry)
        given = set(rows.column_names if isinstance(rows, pa.Table) else rows.columns)
        unknown = given - set(types) - {"file_sha256"}
        if unknown:
            raise ProcessingError("error.ingest_unknown_columns", table=entry.id, columns=", ".join(sorted(unknown)))
        select = ", ".join(_column(name, kind, given, sha256) for name, kind in types.items())
        self.con.register("incoming", rows)
        try:
            self.con.execute(f'INSERT INTO staged."{entry.id}" SELECT {select} FROM incoming')
        finally:
            self.con.unregister("incoming")

    def refuse(
        self, table: str, where: str, *, reason: str, column: str = "''", value: str = "''", fields: str = "'{}'"
    ) -> int:
        """Move staged rows of a table to the staged quarantine; how many. `where`, `column`, `value`, `fields` are SQL."""
        if table not in self.used:
            return 0
        source = f'staged."{table}" AS t WHERE {where}'
        moved = self.con.execute(f"SELECT file_sha256, count(*) FROM {source} GROUP BY 1").fetchall()
        if not moved:
            return 0
        self._make(self.datasets["quarantine"])
        self.con.execute(
            "INSERT INTO staged.quarantine BY NAME SELECT file_sha256, sheet, row_number, "
            f"{column} AS column_name, {value} AS value, ? AS reason, {fields} AS fields FROM {source}",
            [reason],
        )
        self.con.execute(f"DELETE FROM {source}")
        for sha256, count in moved:
            self.counts[sha256][1] -= count
            self.counts[sha256][2] += count
        return sum(count for _, count in moved)

    def tables(self, store: str) -> list[str]:
        """Staged tables that belong to one lake ("lake" or "restricted")."""
        return sorted(name for name in self.used if store_of(self.datasets[name]) == store)

    def store(self, store: str, *, replace: bool = True) -> None:
        """Move what is staged into a lake; rows of the same files that are there already are replaced (where `replace`)."""
        files = ", ".join(f"'{sha256}'" for sha256 in self.files)
        for name, entry in sorted(self.datasets.items()) if replace else ():
            if store_of(entry) != store or "file_sha256" not in entry.columns or name == "received_file":
                continue
            self.con.execute(f'DELETE FROM {store}."{name}" WHERE file_sha256 IN ({files})')
        for name in self.tables(store):
            columns = ", ".join(f'"{column}"' for column in column_types(self.datasets[name]))
            self.con.execute(f'INSERT INTO {store}."{name}" ({columns}) SELECT {columns} FROM staged."{name}"')

    def clear(self) -> None:
        """Drop the temporary tables."""
        self.con.execute("DROP SCHEMA IF EXISTS staged CASCADE")
        self.used.clear()
        self.files.clear()
        self.passports.clear()
        self.personal.clear()
        self.paths.clear()


def _is_personal(entry: Dataset | None) -> bool:
    """Whether a table is about single persons."""
    return entry is not None and (
        entry.access == "personal" or any(column.pseudonym_of for column in entry.columns.values())
    )


def _column(name: str, kind: str, given: set[str], sha256: str) -> str:
    if name == "file_sha256":
        return f"'{sha256}' AS file_sha256"
    if name not in given:
        return f'CAST(NULL AS {kind}) AS "{name}"'
    return f'CAST("{name}" AS {kind}) AS "{name}"'


def _frame(items: Iterable[Quarantined | Note] | pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Quarantine rows or notes as a table; their fields as JSON text."""
    if isinstance(items, pd.DataFrame):
        frame = items.reindex(columns=columns)
    else:
        frame = pd.DataFrame([[getattr(item, name) for name in columns] for item in items], columns=columns)
    if len(frame):
        frame["fields"] = [_json(value) for value in frame["fields"]]
        frame["value"] = frame["value"].astype("str")
        frame["row_number"] = frame["row_number"].astype("Int64")
    return frame


def _json(value: Any) -> str:
    if isinstance(value, str):
        return value
    return (
        json.dumps(dict(value), ensure_ascii=False, default=str, sort_keys=True)
        if isinstance(value, dict) or value
        else "{}"
    )
