"""Copies of a home's two catalogs at one moment each, and the data files that a catalog names.

A writer stores identifiers first and the lake after them. The lake's catalog is therefore copied first: whatever it
knows of is in the later copy of the restricted one too. A copy of a catalog on PostgreSQL is an SQLite catalog.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tkyt_analysis.errors import ProcessingError
from tkyt_analysis.warehouse.keys import read_key
from tkyt_analysis.warehouse.lake import attach_restricted, connect

if TYPE_CHECKING:
    import duckdb

RESTRICTED_WAIT = 120.0
NAMED_FILES = """
    SELECT DISTINCT s.path || t.path || f.path, f.file_size_bytes, f.path_is_relative FROM {files} f
    JOIN (SELECT DISTINCT table_id, schema_id, path FROM {catalog}ducklake_table) t USING (table_id)
    JOIN (SELECT DISTINCT schema_id, path FROM {catalog}ducklake_schema) s USING (schema_id)
"""


def copy_lake_catalog(home: Path, to: Path) -> None:
    """The lake's catalog as an SQLite file, in the state of one commit, while writers go on."""
    source = Path(home) / "warehouse" / "catalog.sqlite"
    reading = sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)
    with contextlib.closing(reading) as live, contextlib.closing(sqlite3.connect(to)) as copy:
        live.backup(copy)


def copy_restricted_catalog(home: Path, to: Path) -> None:
    """The restricted catalog as an encrypted DuckDB file of the same key; waits while a writer has it open."""
    until = time.monotonic() + RESTRICTED_WAIT
    while True:
        connection = connect()
        try:
            attach_restricted(connection, home)
            key = read_key(home, "restricted").hex()
            connection.execute(f"ATTACH '{_quoted(to)}' AS copy (ENCRYPTION_KEY '{key}')")
            connection.execute("COPY FROM DATABASE __ducklake_metadata_restricted TO copy")
            connection.execute("DETACH copy")
            return
        except ProcessingError as error:
            if error.key != "error.warehouse_busy" or time.monotonic() > until:
                raise
        finally:
            connection.close()
        time.sleep(0.2)


def lake_files(catalog: Path) -> dict[str, int]:
    """{path below the data folder: bytes} of every data and delete file that an SQLite catalog names."""
    with contextlib.closing(sqlite3.connect(f"file:{catalog}?mode=ro", uri=True)) as connection:
        rows = [
            row
            for table in ("ducklake_data_file", "ducklake_delete_file")
            for row in connection.execute(NAMED_FILES.format(files=table, catalog="")).fetchall()
        ]
    return _relative(rows)


def restricted_files(catalog: Path, key: bytes) -> dict[str, int]:
    """The same for a copy of the restricted catalog."""
    connection = connect()
    try:
        connection.execute(f"ATTACH '{_quoted(catalog)}' AS copy (ENCRYPTION_KEY '{key.hex()}', READ_ONLY)")
        return named_files(connection, "copy.")
    finally:
        connection.close()


def named_files(connection: duckdb.DuckDBPyConnection, catalog: str) -> dict[str, int]:
    """The same for a catalog that is attached to DuckDB (`catalog` ends with a dot)."""
    rows = [
        row
        for table in ("ducklake_data_file", "ducklake_delete_file")
        for row in connection.execute(NAMED_FILES.format(files=f"{catalog}{table}", catalog=catalog)).fetchall()
    ]
    return _relative(rows)


def _relative(rows: list[tuple[str, int, object]]) -> dict[str, int]:
    outside = [path for path, _, relative in rows if not relative]
    if outside:
        raise ProcessingError("error.data_outside_home", path=outside[0])
    return {path: size for path, size, _ in rows}


def _quoted(value: object) -> str:
    return str(value).replace("'", "''")
