"""The warehouse: a DuckLake (encrypted Parquet, snapshots) whose catalog is SQLite, or PostgreSQL (`catalogs`).

Two lakes live in a home. `lake` holds analysis tables. `restricted` holds direct identifiers; its own
catalog, which carries the keys of its files, is an encrypted DuckDB file that one process at a time may open.
With SQLite a writer holds the home's lock from start to end; on PostgreSQL many write at once and take turns
to commit. Readers never wait. See docs/adr/0002-warehouse.md.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tkyt_analysis.access.door import require_restricted_store, require_whole_home
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.settings import catalog_setting, memory_megabytes, wait_seconds
from tkyt_analysis.warehouse.catalogs import (
    Place,
    attached,
    commit_turn,
    has_catalog,
    load_postgres,
    parse_setting,
    place_of,
    unreachable,
)
from tkyt_analysis.warehouse.disk import says_disk_trouble
from tkyt_analysis.warehouse.keys import create_key, key_file, read_restricted_keys
from tkyt_analysis.warehouse.moments import as_of_text, local_text
from tkyt_analysis.warehouse.whole_files import file_lock
from tkyt_analysis.warehouse.work_folder import private_folder

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

EXTENSIONS = ("ducklake", "sqlite_scanner", "httpfs")
RESTRICTED_SECONDS = 300.0  # others hold the restricted store for parts of a second; a backup or new key for longer


def connect(*, threads: int = 2) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with the lake's extensions; never asks the network."""
    import duckdb
    import duckdb_extensions

    connection = duckdb.connect()
    connection.execute(
        "SET autoinstall_known_extensions = false; SET autoload_known_extensions = false; SET enable_progress_bar = false;"
        f"SET memory_limit = '{memory_megabytes()}MB'; SET threads = {threads}"
    )
    for extension in EXTENSIONS:
        duckdb_extensions.import_extension(extension, con=connection)
        connection.execute(f"LOAD {extension}")
    connection.execute("SET temp_file_encryption = true")
    return connection


class Warehouse:
    """An open home. Use as a context manager; `write=True` takes the home's writer lock (SQLite catalog only).

    as_of : a snapshot number, or a moment as text: a date is the end of that day in Viet Nam ("2025-07-01"), a time
        without a zone is Viet Nam's (see `moments`); then nothing can be written
    """

    def __init__(self, home: Path, *, write: bool = False, as_of: int | str | None = None) -> None:
        self.home = Path(home)
        self.write = write
        self.as_of = as_of_text(as_of)
        self.asked = as_of
        self.place = place_of(self.home)
        self._open = contextlib.ExitStack()
        self._has_turn = False

    def __enter__(self) -> Warehouse:
        require_whole_home(self.home)
        with contextlib.ExitStack() as opening:
            if self.write and self.place.kind == "sqlite":
                opening.enter_context(writer_lock(self.home))
                self._has_turn = True
            spill = opening.enter_context(_spill_folder(self.home))
            self.con = connect()
            opening.callback(self.con.close)
            self.con.execute(f"SET temp_directory = '{_quoted(spill)}'")
            self._attach_lake()
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _attach_lake(self) -> None:
        """The lake at the moment asked for; before its first snapshot the sentence says when that was."""
        try:
            attach_lake(self.con, self.home, self.place, as_of=self.as_of)
        except InputError as error:
            if error.key != "error.no_snapshot" or isinstance(self.as_of, int):
                raise
            attach_lake(self.con, self.home, self.place)
            first = self.one("SELECT epoch_us(min(snapshot_time)) FROM lake.snapshots()")[0]
            raise InputError("error.before_first_snapshot", asked=self.asked, first=local_text(first)) from None

    def attach_restricted(self) -> None:
        """Attach the restricted store as `restricted` until this warehouse is closed. Others wait for it meanwhile."""
        if not attached(self.con, "restricted"):
            self._open.enter_context(self.restricted())

    @contextlib.contextmanager
    def restricted(self) -> Iterator[None]:
        """The restricted store, attached as `restricted` for the time inside only: one process at a time has it.

        A writer takes its turn to commit first, so that two writers never wait for each other.
        """
        if attached(self.con, "restricted"):
            yield
            return
        require_restricted_store(self.home)
        with self.turn() if self.write else contextlib.nullcontext(), restricted_lock(self.home):
            attach_restricted(self.con, self.home)
            try:
                yield
            finally:
                self.con.execute("DETACH restricted")

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """The right to commit to the lake: nobody else commits inside, in whatever mode and process."""
        if self._has_turn:
            yield
            return
        lock = commit_turn(self.con, self.place, self.home) if self.place.kind == "postgres" else writer_lock(self.home)
        with lock:
            self._has_turn = True
            try:
                yield
            finally:
                self._has_turn = False

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

    def has(self, *tables: str) -> bool:
        """Whether the lake has all of these tables: asked by queries without rows, which is far quicker than the list of all."""
        import duckdb

        try:
            for name in tables:
                self.con.execute(f"SELECT 1 FROM lake.{name} LIMIT 0")
        except duckdb.CatalogException:
            return False
        return True

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
        """All or nothing for what is written inside to `lake` (or to `restricted`; one of them per transaction)."""
        with self.turn():
            self.con.execute("BEGIN")
            try:
                yield
                self.con.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(Exception):
                    self.con.execute("ROLLBACK")
                raise


@says_disk_trouble
def create_home(home: Path, *, practice: bool = False) -> bool:
    """Make a home with both lakes and their tables; an existing home only gets what it lacks. True if new."""
    from tkyt_analysis.warehouse.new_catalog import create_catalog

    home = Path(home)
    for part in ("warehouse", "restricted/received", "releases", "reports", "portal", "work/spill"):
        (home / part).mkdir(parents=True, exist_ok=True, mode=0o700)
    with writer_lock(home):
        new = not has_catalog(home)
        create_key(home)
        if practice and new:
            (home / "PRACTICE").write_text(
                "Số liệu mô phỏng – không phải số liệu thật. Practice data: synthetic.\n", "utf-8"
            )
        create_catalog(home, parse_setting(catalog_setting()))
    return new


def is_practice(home: Path) -> bool:
    """Whether the home holds practice data; every page made from it says so."""
    return (Path(home) / "PRACTICE").exists()


def attach_lake(
    connection: duckdb.DuckDBPyConnection, home: Path, place: Place, *, as_of: int | str | None = None
) -> None:
    """Attach the home's analysis lake as `lake`. No row is inlined into the catalog: data files are encrypted."""
    options = [
        f"DATA_PATH '{_quoted(home / 'warehouse' / 'data')}'",
        "ENCRYPTED",
        "DATA_INLINING_ROW_LIMIT 0",
        "OVERRIDE_DATA_PATH true",
        *place.options,
    ]
    if isinstance(as_of, int):
        options.append(f"SNAPSHOT_VERSION {as_of}")
    elif as_of:
        options.append(f"SNAPSHOT_TIME '{_quoted(as_of)}'")
    if place.kind == "postgres":
        load_postgres(connection)
    attach_place(connection, place, "lake", options, home)


def attach_restricted(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    """Attach the restricted lake as `restricted`; a wrong or missing key is an InputError.

    Call it under `restricted_lock`, or use `Warehouse.restricted`. A rotation that was killed leaves two keys, one of
    which fits.
    """
    catalog = Place("restricted", home / "restricted" / "catalog.duckdb")
    keys = read_restricted_keys(home)
    for number, key in enumerate(keys):
        try:
            attach_place(connection, catalog, "restricted", restricted_options(home, key), home)
            return
        except InputError as error:
            if error.key != "error.key_wrong" or number == len(keys) - 1:
                raise


def restricted_options(home: Path, key: bytes) -> list[str]:
    """DuckLake's options for the restricted store under a key."""
    return [
        f"DATA_PATH '{_quoted(home / 'restricted' / 'data')}'",
        "ENCRYPTED",
        "DATA_INLINING_ROW_LIMIT 0",
        "OVERRIDE_DATA_PATH true",
        f"META_ENCRYPTION_KEY '{key.hex()}'",
    ]


def attach_place(
    connection: duckdb.DuckDBPyConnection, place: Place, name: str, options: list[str], home: Path
) -> None:
    """Attach a lake under a name; what goes wrong is a sentence."""
    import duckdb

    old_mask = os.umask(0o077)
    try:
        connection.execute(f"ATTACH '{_quoted(place.target)}' AS {name} ({', '.join(options)})")
    except duckdb.Error as error:
        text = str(error)
        if "encryption key" in text.lower():
            raise InputError("error.key_wrong", home=home, path=key_file(home)) from None
        if "snapshot" in text.lower() or "timestamp" in text.lower():
            raise InputError("error.no_snapshot", home=home, problem=_first_line(text)) from None
        if place.kind == "postgres":
            raise unreachable(place, error) from None
        if "lock" in text.lower():
            raise ProcessingError("error.warehouse_busy", home=home) from None
        raise ProcessingError("error.warehouse_unreadable", home=home, problem=_first_line(text)) from error
    finally:
        os.umask(old_mask)


@contextlib.contextmanager
def writer_lock(home: Path) -> Iterator[None]:
    """The lock of the home's one writer (SQLite catalog); the system frees it when its process ends."""
    Path(home).mkdir(parents=True, exist_ok=True, mode=0o700)
    with _lock(home, "writer.lock", wait_seconds()):
        yield


@contextlib.contextmanager
def restricted_lock(home: Path) -> Iterator[None]:
    """The lock under which a process may open the restricted store, in either mode."""
    with _lock(home, "restricted.lock", wait_seconds(RESTRICTED_SECONDS)):
        yield


@contextlib.contextmanager
def _lock(home: Path, name: str, wait: float) -> Iterator[None]:
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(file_lock(Path(home) / name, wait=wait))
        except TimeoutError:
            raise ProcessingError("error.warehouse_busy", home=home) from None
        yield


@contextlib.contextmanager
def _spill_folder(home: Path) -> Iterator[str]:
    """Where this process spills what does not fit into memory; "" (nowhere) where the home cannot be written to."""
    with contextlib.ExitStack() as held:
        try:
            folder = str(held.enter_context(private_folder(home)) / "spill")
        except OSError:
            folder = ""
        yield folder


def _first_line(text: str) -> str:
    return text.splitlines()[0]


def _quoted(value: object) -> str:
    return str(value).replace("'", "''")
