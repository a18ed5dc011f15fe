"""Make the catalogs of a home's lakes, or bring them up to date: tables, columns, what must not stand in them."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from tkyt_analysis.warehouse.bounds import keep_wording_out
from tkyt_analysis.warehouse.catalogs import (
    Place,
    attach_postgres,
    commit_turn,
    has_catalog,
    new_schema_name,
    place_of,
    postgres_call,
    record,
    sqlite_file,
)
from tkyt_analysis.warehouse.keys import home_id
from tkyt_analysis.warehouse.lake import attach_lake, attach_restricted, connect, restricted_lock
from tkyt_analysis.warehouse.schema import create_tables

if TYPE_CHECKING:
    import duckdb


def create_catalog(home: Path, setting: str) -> None:
    """Both lakes with their tables. `setting` says where a new home's catalog goes: "" or a libpq connection.

    Called under the home's writer lock. On PostgreSQL the home says where its catalog is once it is complete.
    """
    new = not has_catalog(home)
    with contextlib.closing(connect()) as connection:
        place = new_place(connection, home, setting) if new else place_of(home)
        with turn_of(connection, place, home):
            _bring_up_to_date(connection, home, place)
        if new and place.kind == "postgres":
            record(home, place)
            finish_schema(connection, place)


def turn_of(connection: duckdb.DuckDBPyConnection, place: Place, home: Path) -> contextlib.AbstractContextManager[None]:
    """Who else writes waits; with SQLite the caller has the writer lock."""
    return commit_turn(connection, place, home) if place.kind == "postgres" else contextlib.nullcontext()


def _bring_up_to_date(connection: duckdb.DuckDBPyConnection, home: Path, place: Place) -> None:
    attach_lake(connection, home, place)
    with restricted_lock(home):
        attach_restricted(connection, home)
        create_tables(connection)
        connection.execute("DETACH restricted")
    connection.execute("DETACH lake")
    keep_wording_out(connection, place)


def new_place(connection: duckdb.DuckDBPyConnection, home: Path, setting: str) -> Place:
    """Where a catalog is to be made: the SQLite file, or a new schema marked as unfinished."""
    if not setting:
        return Place("sqlite", sqlite_file(home))
    identity = home_id(home) or ""
    place = Place("postgres", connection=setting, schema=new_schema_name(identity))
    attach_postgres(connection, place, "turn")
    drop_unfinished(connection, identity)
    postgres_call(
        connection,
        "turn",
        f"CREATE SCHEMA {place.schema}; CREATE TABLE {place.schema}.tkyt_unfinished (since TIMESTAMPTZ)",
    )
    return place


def finish_schema(connection: duckdb.DuckDBPyConnection, place: Place) -> None:
    """The schema is in force: it is not unfinished any more."""
    postgres_call(connection, "turn", f"DROP TABLE IF EXISTS {place.schema}.tkyt_unfinished")


def drop_unfinished(connection: duckdb.DuckDBPyConnection, identity: str, *, keep: str = "") -> None:
    """Remove schemas that a killed run of this home left unfinished; never one that is in force (`keep`)."""
    rows = connection.execute(
        "SELECT * FROM postgres_query('turn', ?)",
        [
            "SELECT table_schema::text FROM information_schema.tables WHERE table_name = 'tkyt_unfinished' "
            f"AND starts_with(table_schema, 'tkyt_{identity}_')"
        ],
    ).fetchall()
    for (schema,) in rows:
        if schema != keep:
            postgres_call(connection, "turn", f"DROP SCHEMA {schema} CASCADE")
