"""Move a home's catalog from SQLite to PostgreSQL and back.

What moves is DuckLake's own tables: snapshots, data files with their keys, statistics. The data files stay where they
are, and the history with them. Both catalogs are compared, first their own tables, then every table of the lake read
through each of them; only then is the home's note changed, at one instant. A run killed before leaves the old catalog
in force; the next run clears away what it left.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tkyt_analysis.access import require
from tkyt_analysis.access.audit import record as audit
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.settings import catalog_setting
from tkyt_analysis.warehouse.bounds import keep_wording_out
from tkyt_analysis.warehouse.catalogs import (
    Place,
    attach_postgres,
    has_catalog,
    parse_setting,
    postgres_call,
    record,
    recorded_schema,
    sqlite_file,
)
from tkyt_analysis.warehouse.disk import says_disk_trouble
from tkyt_analysis.warehouse.equality import Digest, digest_of, lake_digest
from tkyt_analysis.warehouse.keys import create_key
from tkyt_analysis.warehouse.lake import attach_lake, connect, writer_lock
from tkyt_analysis.warehouse.new_catalog import drop_unfinished, finish_schema, new_place, turn_of
from tkyt_analysis.warehouse.whole_files import sync_directory

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Moved:
    """What a move did: to ("sqlite" | "postgres"), tables of the lake, their rows, snapshots, seconds."""

    to: str
    tables: int
    rows: int
    snapshots: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@says_disk_trouble
def migrate(home: Path, to: str) -> Moved:
    """Move the catalog of `home` to "sqlite" or "postgres:<libpq connection>".

    A home on PostgreSQL is found through TKYT_CATALOG. InputError where it is there already or the setting does not fit.
    """
    require(home, "administer")
    if not has_catalog(home):
        raise InputError("error.no_warehouse", home=home)
    started = time.monotonic()
    create_key(home)
    with writer_lock(home), contextlib.closing(connect()) as connection:
        source, setting = _source(home), parse_setting("" if to == "sqlite" else to or "?")
        if (source.kind == "postgres") == bool(setting):
            raise InputError("error.catalog_is_there", home=home, place=source.shown)
        with turn_of(connection, source, home):
            target = new_place(connection, home, setting) if setting else _next_file(home)
            counts = _copy_and_compare(connection, home, source, target)
            _switch(connection, home, source, target)
    rows = sum(count for count, _ in counts.values())
    moved = Moved(
        "postgres" if setting else "sqlite", len(counts), rows, _snapshots(home, setting), time.monotonic() - started
    )
    audit(home, "catalog_moved", to=moved.to, rows=moved.rows)
    return moved


def _source(home: Path) -> Place:
    """The catalog in force, whatever TKYT_CATALOG says of the one to come."""
    schema = recorded_schema(home)
    if not schema:
        return Place("sqlite", sqlite_file(home))
    connection = parse_setting(catalog_setting())
    if not connection:
        raise InputError("error.catalog_is_postgres", home=home)
    return Place("postgres", connection=connection, schema=schema)


def _next_file(home: Path) -> Place:
    """Where an SQLite catalog is built; what a killed run left there is removed."""
    path = sqlite_file(home).with_name("catalog.next.sqlite")
    for left in path.parent.glob(path.name + "*"):
        left.unlink()
    return Place("sqlite", path)


def _copy_and_compare(
    connection: duckdb.DuckDBPyConnection, home: Path, source: Place, target: Place
) -> dict[str, Digest]:
    """Fill the target's catalog from the source's; digests of the lake's tables, which are the same through both."""
    before = _lake_digests(connection, home, source)
    attach_lake(connection, home, target)  # makes DuckLake's own tables
    connection.execute("DETACH lake")
    copy_catalog(connection, source, target)
    keep_wording_out(connection, target)
    after = _lake_digests(connection, home, target)
    for table in sorted({*before, *after}):
        if before.get(table) != after.get(table):
            raise ProcessingError("error.copy_differs", table=table, home=home)
    return after


def _lake_digests(connection: duckdb.DuckDBPyConnection, home: Path, place: Place) -> dict[str, Digest]:
    attach_lake(connection, home, place)
    rows = connection.execute("SELECT table_name FROM information_schema.tables WHERE table_catalog = 'lake'")
    digests = lake_digest(connection, "lake", sorted(row[0] for row in rows.fetchall()))
    connection.execute("DETACH lake")
    return digests


def copy_catalog(connection: duckdb.DuckDBPyConnection, source: Place, target: Place) -> None:
    """Replace the rows of DuckLake's own tables in `target` by those of `source`, and compare each table afterwards."""
    connection.execute("SET TimeZone = 'UTC'")
    old, new = _attach_tables(connection, source, "old"), _attach_tables(connection, target, "new")
    columns = {name: _columns(connection, name) for name in ("old_catalog", "new_catalog")}
    found, wanted = (_of_schema(columns[f"{name}_catalog"], schema) for name, schema in (("old", old), ("new", new)))
    if set(found) - set(wanted):
        raise ProcessingError("error.catalog_tables", tables=", ".join(sorted(set(found) - set(wanted))))
    for table, types in wanted.items():
        connection.execute(f"DELETE FROM {new}.{table}")
        if table not in found:
            continue
        names = [name for name in types if name in found[table]]
        cast = ", ".join(f'CAST("{name}" AS {types[name]}) AS "{name}"' for name in names)
        listed = ", ".join(f'"{name}"' for name in names)
        connection.execute(f"INSERT INTO {new}.{table} ({listed}) SELECT {cast} FROM {old}.{table}")
        text = [f'CAST(CAST("{name}" AS {types[name]}) AS VARCHAR)' for name in names]
        if digest_of(connection, f"{old}.{table}", text) != digest_of(connection, f"{new}.{table}", text):
            raise ProcessingError("error.catalog_differs", table=table)
    connection.execute("DETACH old_catalog; DETACH new_catalog")


def _attach_tables(connection: duckdb.DuckDBPyConnection, place: Place, name: str) -> str:
    """Attach a catalog as plain tables; the prefix of its tables."""
    if place.kind == "postgres":
        attach_postgres(connection, place, f"{name}_catalog")
        return f"{name}_catalog.{place.schema}"
    path = str(place.path).replace("'", "''")
    connection.execute(f"ATTACH '{path}' AS {name}_catalog (TYPE sqlite)")
    return f"{name}_catalog.main"


Columns = list[tuple[str, str, str, str]]


def _columns(connection: duckdb.DuckDBPyConnection, name: str) -> Columns:
    sql = (
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = ? AND starts_with(table_name, 'ducklake_') ORDER BY column_index"
    )
    return connection.execute(sql, [name]).fetchall()


def _of_schema(columns: Columns, prefix: str) -> dict[str, dict[str, str]]:
    """{table: {column: type}} of DuckLake's tables in one schema."""
    tables: dict[str, dict[str, str]] = {}
    for schema, table, column, kind in columns:
        if schema == prefix.partition(".")[2]:
            tables.setdefault(table, {})[column] = kind
    return tables


def _switch(connection: duckdb.DuckDBPyConnection, home: Path, source: Place, target: Place) -> None:
    """Put the target in force, then remove the old catalog."""
    if target.kind == "postgres":
        record(home, target)  # from here on the target is in force
        finish_schema(connection, target)
        for left in (path for path in sqlite_file(home).parent.glob("catalog.sqlite*")):
            left.unlink()
        return
    attach_postgres(connection, source, "turn")
    postgres_call(connection, "turn", f"CREATE TABLE IF NOT EXISTS {source.schema}.tkyt_unfinished (since TIMESTAMPTZ)")
    assert target.path is not None
    os.replace(target.path, sqlite_file(home))
    sync_directory(sqlite_file(home).parent)
    record(home, Place("sqlite", sqlite_file(home)))  # from here on the file is in force
    drop_unfinished(connection, source.schema.split("_")[1])


def _snapshots(home: Path, setting: str) -> int:
    with contextlib.closing(connect()) as connection:
        schema = recorded_schema(home)
        place = Place("postgres", connection=setting, schema=schema) if schema else Place("sqlite", sqlite_file(home))
        attach_lake(connection, home, place)
        found = connection.execute("SELECT count(*) FROM lake.snapshots()").fetchone()
    return int(found[0]) if found else 0
