"""Where the catalog of a home's lake lives: SQLite in the home (default) or PostgreSQL (TKYT_CATALOG).

A home is in one place only, and says which: without `warehouse/catalog.json` it is SQLite. On PostgreSQL every home has
a schema of its own, so that many homes share one database. The connection is never stored in the home and its password
never shown.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tkyt_analysis.errors import InputError, ProcessingError, TkytError
from tkyt_analysis.settings import catalog_setting, wait_seconds
from tkyt_analysis.warehouse.whole_files import write_whole

if TYPE_CHECKING:
    import duckdb

TURN_SECONDS = 600.0  # a commit takes parts of a second; this is for many writers of big files
COMMIT_RETRIES = 30


@dataclass(frozen=True)
class Place:
    """Where a catalog lives. `path` of the file, or `connection` (libpq) and `schema` of PostgreSQL.

    kind : "sqlite" or "postgres" (the lake), "restricted" (an encrypted DuckDB file)
    """

    kind: str
    path: Path | None = None
    connection: str = field(default="", repr=False)
    schema: str = ""

    @property
    def target(self) -> str:
        """What DuckLake attaches."""
        if self.kind == "postgres":
            return f"ducklake:postgres:{self.connection}"
        return f"ducklake:sqlite:{self.path}" if self.kind == "sqlite" else f"ducklake:{self.path}"

    @property
    def options(self) -> list[str]:
        return [f"META_SCHEMA '{self.schema}'"] if self.kind == "postgres" else []

    @property
    def shown(self) -> str:
        """For people: without a password."""
        return f"PostgreSQL ({self.connection})" if self.kind == "postgres" else "SQLite"


PASSWORD = re.compile(r"(?i)(^|[\s?&:\"])password\s*=\s*('(?:[^'\\]|\\.)*'|[^\s&]+)&?")
URL_PASSWORD = re.compile(r"(://[^/@\s:]*):([^@\s]*)@")


def without_password(text: str) -> str:
    """A libpq connection, or a message that holds one, without its passwords."""
    return PASSWORD.sub(r"\1", URL_PASSWORD.sub(r"\1@", text)).strip()


def password_of(connection: str) -> str | None:
    """The password in a libpq connection (URL or words)."""
    from urllib.parse import unquote

    url = "://" in connection
    found = URL_PASSWORD.search(connection) if url else None
    if found:
        return unquote(found[2])
    found = PASSWORD.search(connection)
    if not found:
        return None
    word = found[2]
    if url:
        return unquote(word)
    return re.sub(r"\\(.)", r"\1", word[1:-1] if word.startswith("'") else word)


def parse_setting(text: str) -> str:
    """The libpq connection that a setting names ("" for SQLite): `postgres:host=… dbname=…`, or a postgres:// URL.

    A password in it goes to libpq through the process's environment (PGPASSWORD) and nowhere else, so that it can stand
    in no message.
    """
    given = text.strip()
    if given in ("", "sqlite"):
        return ""
    bare = given if given.startswith(("postgres://", "postgresql://")) else given.removeprefix("postgres:").strip()
    if not bare or not given.startswith(("postgres:", "postgresql:")):
        raise InputError("error.catalog_setting", found=without_password(given))
    password = password_of(bare)
    if password is not None:
        os.environ["PGPASSWORD"] = password
    return without_password(bare)


def record_file(home: Path) -> Path:
    """The home's note of a catalog that does not lie in it."""
    return Path(home) / "warehouse" / "catalog.json"


def sqlite_file(home: Path) -> Path:
    """The SQLite catalog of a home."""
    return Path(home) / "warehouse" / "catalog.sqlite"


def has_catalog(home: Path) -> bool:
    """Whether the home has been made."""
    return record_file(home).exists() or sqlite_file(home).exists()


def place_of(home: Path) -> Place:
    """Where the home's catalog is. InputError where the setting says something else: never silently two catalogs."""
    connection = parse_setting(catalog_setting())
    schema = recorded_schema(home)
    if schema:
        if not connection:
            raise InputError("error.catalog_is_postgres", home=home)
        return Place("postgres", connection=connection, schema=schema)
    if not sqlite_file(home).exists():
        raise InputError("error.no_warehouse", home=home)
    if connection:
        raise InputError("error.catalog_is_sqlite", home=home)
    return Place("sqlite", sqlite_file(home))


def recorded_schema(home: Path) -> str:
    """The schema of a home on PostgreSQL; "" for SQLite."""
    path = record_file(home)
    try:
        schema = json.loads(path.read_text("utf-8"))["schema"]
    except FileNotFoundError:
        return ""
    except (ValueError, KeyError, TypeError):
        schema = ""
    if not re.fullmatch("tkyt_[0-9a-f_]+", str(schema)):
        raise InputError("error.catalog_record", path=path)
    return str(schema)


def record(home: Path, place: Place) -> None:
    """Put a place in force, at one instant."""
    if place.kind == "postgres":
        write_whole(record_file(home), json.dumps({"catalog": "postgres", "schema": place.schema}) + "\n")
    else:
        record_file(home).unlink(missing_ok=True)


def new_schema_name(identity: str) -> str:
    """A schema name for the home with this id; never one that was used before."""
    return f"tkyt_{identity}_{secrets.token_hex(4)}"


def load_postgres(connection: duckdb.DuckDBPyConnection) -> None:
    """Load DuckDB's PostgreSQL extension (only where it is needed)."""
    import duckdb_extensions

    duckdb_extensions.import_extension("postgres_scanner", con=connection)
    connection.execute(f"LOAD postgres_scanner; SET ducklake_max_retry_count = {COMMIT_RETRIES}")


def attach_postgres(connection: duckdb.DuckDBPyConnection, place: Place, name: str) -> None:
    """Attach the PostgreSQL database itself (not the lake) under a name, once."""
    import duckdb

    if attached(connection, name):
        return
    load_postgres(connection)
    try:
        connection.execute(f"ATTACH '{_quoted(place.connection)}' AS {name} (TYPE postgres)")
    except duckdb.Error as error:
        raise unreachable(place, error) from None


def attached(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a database of this name is attached."""
    sql = "SELECT count(*) FROM duckdb_databases() WHERE database_name = ?"
    found = connection.execute(sql, [name]).fetchone()
    return bool(found and found[0])


def unreachable(place: Place, error: Exception) -> TkytError:
    """The sentence for a PostgreSQL that does not answer as it should, with what the server itself said."""
    text = str(error).replace(f'"{place.connection}": ', "\0").rpartition("\0")[2]
    lines = [line.strip() for line in without_password(text).splitlines() if line.strip()]
    return ProcessingError("error.catalog_unreachable", place=place.shown, problem=" ".join(lines[:2])[-300:])


def postgres_call(connection: duckdb.DuckDBPyConnection, name: str, sql: str) -> None:
    """Run a statement in an attached PostgreSQL, in the transaction that is open there."""
    connection.execute(f"CALL postgres_execute('{name}', ?)", [sql])


@contextlib.contextmanager
def commit_turn(connection: duckdb.DuckDBPyConnection, place: Place, home: Path) -> Iterator[None]:
    """The right to commit to a lake on PostgreSQL: one process at a time has it, the others wait.

    An advisory lock of a transaction: PostgreSQL frees it when the process ends in whatever way.
    """
    import duckdb

    attach_postgres(connection, place, "turn")
    cursor = connection.cursor()
    milliseconds = int(1000 * wait_seconds(TURN_SECONDS))
    try:
        cursor.execute("BEGIN")
        postgres_call(cursor, "turn", f"SET LOCAL lock_timeout = {max(milliseconds, 1)}")
        postgres_call(cursor, "turn", "SET LOCAL idle_in_transaction_session_timeout = 0")
        postgres_call(cursor, "turn", f"SELECT pg_advisory_xact_lock(hashtextextended('{place.schema}', 0))")
    except duckdb.Error as error:
        cursor.close()
        if "lock timeout" in str(error):
            raise ProcessingError("error.warehouse_busy", home=home) from None
        raise unreachable(place, error) from None
    try:
        yield
    finally:
        with contextlib.suppress(duckdb.Error):
            cursor.execute("ROLLBACK")
        cursor.close()


def _quoted(value: object) -> str:
    return str(value).replace("'", "''")
