"""The warehouse: a DuckLake (encrypted Parquet, snapshots) whose catalog is SQLite.

Two lakes live in a home. `lake` holds analysis tables. `restricted` holds direct identifiers; its own
catalog, which carries the keys of its files, is an encrypted DuckDB file. A writer holds the home's
lock; readers never wait. See docs/adr/0002-warehouse.md.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.settings import memory_megabytes
from tkyt_analysis.warehouse.keys import create_key, key_file, read_key

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

EXTENSIONS = ("ducklake", "sqlite_scanner", "httpfs")


def connect(*, threads: int = 2) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with the lake's extensions; never asks the network."""
    import duckdb
    import duckdb_extensions

    connection = duckdb.connect()
    connection.execute(
        "SET autoinstall_known_extensions = false; SET autoload_known_extensions = false;"
        f"SET memory_limit = '{memory_megabytes()}MB'; SET threads = {threads}"
    )
    for extension in EXTENSIONS:
        duckdb_extensions.import_extension(extension, con=connection)
        connection.execute(f"LOAD {extension}")
    connection.execute("SET temp_file_encryption = true")
    return connection


class Warehouse:
    """An open home. Use as a context manager; `write=True` takes the home's writer lock.

    as_of : a snapshot number, or a timestamp as text ("2025-07-01 00:00:00"); then nothing can be written
    """

    def __init__(self, home: Path, *, write: bool = False, as_of: int | str | None = None) -> None:
        self.home = Path(home)
        self.write = write
        self.as_of = as_of
        self._lock: Any = None
        if not (self.home / "warehouse" / "catalog.sqlite").exists():
            raise InputError("error.no_warehouse", home=self.home)

    def __enter__(self) -> Warehouse:
        if self.write:
            self._lock = _writer_lock(self.home)
        try:
            self.con = connect()
            self.con.execute(f"SET temp_directory = '{_quoted(self.home / 'work' / 'spill')}'")
            attach_lake(self.con, self.home, as_of=self.as_of)
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.con.close()
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def attach_restricted(self) -> None:
        """Attach the restricted store as `restricted` (once)."""
        attach_restricted(self.con, self.home)

    def query(self, sql: str, parameters: list[Any] | None = None) -> pd.DataFrame:
        """Rows of a query on `lake.<table>`."""
        return self.con.execute(sql, parameters or []).df()

    def one(self, sql: str, parameters: list[Any] | None = None) -> tuple[Any, ...]:
        """The first row of a query that always has one."""
        row = self.con.execute(sql, parameters or []).fetchone()
        if row is None:
            raise ProcessingError("error.query_without_row", sql=sql)
        return row

    def tables(self) -> list[str]:
        """Names of the lake's tables."""
        rows = self.con.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'lake' ORDER BY 1"
        ).fetchall()
        return [row[0] for row in rows]

    def snapshot_id(self) -> int:
        """Number of the snapshot that is read."""
        if isinstance(self.as_of, int):
            return self.as_of
        if self.as_of is not None:
            sql = "SELECT max(snapshot_id) FROM lake.snapshots() WHERE snapshot_time <= CAST(? AS TIMESTAMPTZ)"
            return int(self.one(sql, [self.as_of])[0])
        return int(self.one("SELECT max(snapshot_id) FROM lake.snapshots()")[0])

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing for what is written to `lake` inside."""
        self.con.execute("BEGIN")
        try:
            yield
            self.con.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(Exception):
                self.con.execute("ROLLBACK")
            raise


def create_home(home: Path, *, practice: bool = False) -> bool:
    """Make a home with both lakes and their tables; an existing home only gets what it lacks. True if new."""
    from tkyt_analysis.warehouse.schema import create_tables

    home = Path(home)
    new = not (home / "warehouse" / "catalog.sqlite").exists()
    for part in ("warehouse", "restricted/received", "releases", "reports", "portal", "work/spill"):
        (home / part).mkdir(parents=True, exist_ok=True, mode=0o700)
    create_key(home)
    if practice and new:
        (home / "PRACTICE").write_text(
            "Số liệu mô phỏng – không phải số liệu thật. Practice data: synthetic.\n", "utf-8"
        )
    lock = _writer_lock(home)
    try:
        connection = connect()
        attach_lake(connection, home)
        attach_restricted(connection, home)
        create_tables(connection)
        connection.close()
    finally:
        lock.close()
    return new


def is_practice(home: Path) -> bool:
    """Whether the home holds practice data; every page made from it says so."""
    return (Path(home) / "PRACTICE").exists()


def attach_lake(connection: duckdb.DuckDBPyConnection, home: Path, *, as_of: int | str | None = None) -> None:
    """Attach the home's analysis lake as `lake`. No row is inlined into the catalog: data files are encrypted."""
    options = [
        f"DATA_PATH '{_quoted(home / 'warehouse' / 'data')}'",
        "ENCRYPTED",
        "DATA_INLINING_ROW_LIMIT 0",
        "OVERRIDE_DATA_PATH true",
    ]
    if isinstance(as_of, int):
        options.append(f"SNAPSHOT_VERSION {as_of}")
    elif as_of:
        options.append(f"SNAPSHOT_TIME '{_quoted(as_of)}'")
    catalog = home / "warehouse" / "catalog.sqlite"
    _attach(connection, f"ducklake:sqlite:{_quoted(catalog)}", "lake", options, home)


def attach_restricted(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    """Attach the restricted lake as `restricted`; a wrong or missing key is an InputError."""
    attached = connection.execute(
        "SELECT count(*) FROM duckdb_databases() WHERE database_name = 'restricted'"
    ).fetchone()
    if attached and attached[0]:
        return
    options = [
        f"DATA_PATH '{_quoted(home / 'restricted' / 'data')}'",
        "ENCRYPTED",
        "DATA_INLINING_ROW_LIMIT 0",
        "OVERRIDE_DATA_PATH true",
        f"META_ENCRYPTION_KEY '{read_key(home, 'restricted').hex()}'",
    ]
    catalog = home / "restricted" / "catalog.duckdb"
    _attach(connection, f"ducklake:{_quoted(catalog)}", "restricted", options, home)


def _attach(connection: duckdb.DuckDBPyConnection, target: str, name: str, options: list[str], home: Path) -> None:
    import duckdb

    old_mask = os.umask(0o077)
    try:
        connection.execute(f"ATTACH '{target}' AS {name} ({', '.join(options)})")
    except duckdb.Error as error:
        text = str(error)
        if "encryption key" in text.lower():
            raise InputError("error.key_wrong", home=home, path=key_file(home)) from None
        if "snapshot" in text.lower() or "timestamp" in text.lower():
            raise InputError("error.no_snapshot", home=home, problem=text.splitlines()[0]) from None
        if "lock" in text.lower():
            raise ProcessingError("error.warehouse_busy", home=home) from None
        raise ProcessingError("error.warehouse_unreadable", home=home, problem=text.splitlines()[0]) from error
    finally:
        os.umask(old_mask)


def _writer_lock(home: Path) -> Any:
    """The open lock file of the home's one writer; the system frees it when its process ends."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = open(home / "writer.lock", "a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise ProcessingError("error.warehouse_busy", home=home) from None
    return file


def _quoted(value: object) -> str:
    return str(value).replace("'", "''")
