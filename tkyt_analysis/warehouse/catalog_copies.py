"""Copies of a home's two catalogs at one moment each, and the data files that a catalog names.

A writer stores identifiers first and the lake after them. The lake's catalog is therefore copied first: whatever it
knows of is in the later copy of the restricted one too. A copy of a catalog on PostgreSQL is an SQLite catalog.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tkyt_analysis.errors import ProcessingError
from tkyt_analysis.warehouse.catalogs import Place, place_of
from tkyt_analysis.warehouse.keyring import ring_file
from tkyt_analysis.warehouse.lake import attach_lake, connect, restricted_lock

if TYPE_CHECKING:
    import duckdb

NAMED_FILES = """
    SELECT DISTINCT s.path || t.path || f.path, f.file_size_bytes, f.path_is_relative FROM {files} f
    JOIN (SELECT DISTINCT table_id, schema_id, path FROM {catalog}ducklake_table) t USING (table_id)
    JOIN (SELECT DISTINCT schema_id, path FROM {catalog}ducklake_schema) s USING (schema_id)
"""


def copy_lake_catalog(home: Path, to: Path) -> None:
    """The lake's catalog as an SQLite file, in the state of one commit, while writers go on.

    From PostgreSQL it is exported while nobody else commits (writers wait for these seconds).
    """
    place = place_of(home)
    if place.kind == "postgres":
        _export(home, place, to)
        return
    source = Path(home) / "warehouse" / "catalog.sqlite"
    reading = sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)
    with contextlib.closing(reading) as live, contextlib.closing(sqlite3.connect(to)) as copy:
        live.backup(copy)


def _export(home: Path, place: Place, to: Path) -> None:
    from tkyt_analysis.warehouse.migrate import copy_catalog
    from tkyt_analysis.warehouse.new_catalog import turn_of

    target = Place("sqlite", to)
    with contextlib.closing(connect()) as connection, turn_of(connection, place, home):
        attach_lake(connection, home, target)  # makes DuckLake's own tables
        connection.execute("DETACH lake")
        copy_catalog(connection, place, target)


def copy_restricted_catalog(home: Path, folder: Path) -> None:
    """The restricted catalog and the key ring of the same moment, into `folder`, while nobody has the catalog open."""
    with restricted_lock(home):
        for path in (*sorted((home / "restricted").glob("catalog.duckdb*")), ring_file(home)):
            shutil.copy2(path, folder / path.name)


def lake_files(catalog: Path) -> dict[str, int]:
    """{path below the data folder: bytes} of every data and delete file that an SQLite catalog names."""
    with contextlib.closing(sqlite3.connect(f"file:{catalog}?mode=ro", uri=True)) as connection:
        rows = [
            row
            for table in ("ducklake_data_file", "ducklake_delete_file")
            for row in connection.execute(NAMED_FILES.format(files=table, catalog="")).fetchall()
        ]
    return _relative(rows)


def restricted_files(catalog: Path, keys: list[bytes]) -> dict[str, int]:
    """The same for a copy of the restricted catalog, which one of the keys opens."""
    import duckdb

    with tempfile.TemporaryDirectory(dir=catalog.parent) as folder:  # looked at as a copy: opening may change a file
        for path in catalog.parent.glob(f"{catalog.name}*"):
            shutil.copyfile(path, Path(folder) / path.name)
        for key in keys:
            with contextlib.closing(connect()) as connection, contextlib.suppress(duckdb.Error):
                copy = _quoted(Path(folder) / catalog.name)
                connection.execute(f"ATTACH '{copy}' AS copy (ENCRYPTION_KEY '{key.hex()}')")
                return named_files(connection, "copy.")
    raise ProcessingError("error.restricted_copy", path=catalog)


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
