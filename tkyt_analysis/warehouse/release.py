"""Releases: immutable directories of de-identified Parquet that `publish` makes from one warehouse snapshot.

`releases/<release id>/manifest.json` and `tables/<table>/scope=<scope>/…parquet`; `releases/CURRENT` names the
latest. The scope (a province, or VN for what all may see) is a folder, so that access is a path, not a WHERE.
A release is written beside its place and moved there whole; the pointer moves last.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tkyt_analysis.access import Scope, require
from tkyt_analysis.access.audit import record
from tkyt_analysis.access.release_view import narrowed, open_filtered
from tkyt_analysis.catalog import catalog_version, load_entries
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.memory import guarded, limit_memory
from tkyt_analysis.modules import load_object, parts
from tkyt_analysis.settings import wait_seconds
from tkyt_analysis.version import code_version
from tkyt_analysis.warehouse.custody import file_sha256
from tkyt_analysis.warehouse.disk import says_disk_trouble
from tkyt_analysis.warehouse.lake import Warehouse, is_practice
from tkyt_analysis.warehouse.whole_files import file_lock, sync_directory, write_whole

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

NATION = "VN"
PARQUET = "FORMAT parquet, COMPRESSION zstd"  # how every file of a release is written


@dataclass
class ReleaseContext:
    """What a maker of a release table may use: one warehouse snapshot, and the tables made before it.

    `made` holds tables that later makers read again (e.g. findings for their summary).
    """

    warehouse: Warehouse
    practice: bool
    made: dict[str, pd.DataFrame] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)

    def keep(self, name: str, rows: pd.DataFrame | str) -> str:
        """Keep rows (or what a query gives) as a temporary table that may spill, for later makers; the table's name."""
        table = f"kept_{name}"
        if not isinstance(rows, str):
            self.warehouse.con.register("keep_rows", rows)
        source = f"({rows})" if isinstance(rows, str) else "keep_rows"
        self.warehouse.con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM {source}")
        if not isinstance(rows, str):
            self.warehouse.con.unregister("keep_rows")
        self.kept.add(name)
        return table

    def query(self, sql: str, parameters: list[Any] | None = None) -> pd.DataFrame:
        return self.warehouse.query(sql, parameters)

    def latest(self, table: str, *key: str) -> pd.DataFrame:
        """A reference table with one row per key: what several files describe, as the last received of them does."""
        keys = ", ".join(f't."{name}"' for name in key)
        return self.query(
            f'SELECT t.* EXCLUDE (file_sha256, sheet, row_number) FROM lake."{table}" t '
            f"LEFT JOIN lake.received_file f USING (file_sha256) QUALIFY row_number() OVER (PARTITION BY {keys} "
            "ORDER BY f.received_at DESC NULLS LAST, f.file_name DESC, t.row_number DESC) = 1"
        )

    @cached_property
    def units(self) -> pd.DataFrame:
        """organisation_unit with a `scope` column."""
        units = self.latest("organisation_unit", "unit_id")
        return units.assign(scope=unit_scopes(units))

    def add_scope(self, table: pd.DataFrame, unit: str = "unit_id") -> pd.DataFrame:
        """The table with the scope of its unit; rows of unknown units belong to the nation only."""
        scope = table[unit].map(self.units.set_index("unit_id")["scope"])
        return table.assign(scope=scope.fillna(NATION))


def unit_scopes(units: pd.DataFrame) -> pd.Series:
    """Scope of each unit: its present-day province ("VN2025-51"), or VN above provinces."""
    from tkyt_analysis.reference.geography import province_merge

    merge = province_merge()
    successor = dict(zip(merge["old_unit_id"], merge["new_unit_id"]))
    province = units["province_id"].map(lambda unit: successor.get(unit, unit))
    return province.fillna(NATION).replace("", NATION).str.replace(":", "-", regex=False)


Maker = Callable[[ReleaseContext], "pd.DataFrame | pa.Table | str"]


@says_disk_trouble
def publish(
    home: Path, *, as_of: int | str | None = None, progress: Callable[[int, int, str], None] | None = None
) -> Release:
    """Make a release of the warehouse (its latest snapshot, or `as_of`) and point readers to it.

    A release of the same snapshot, catalog and code is made once: asked for again, it is returned as it is. Publishing is
    the ministry's (Article 11.1).
    """
    require(home, "publish")
    home = Path(home)
    with _one_publish(home), Warehouse(home, as_of=_snapshot(home, as_of)) as warehouse:
        snapshot = warehouse.snapshot_id()
        passport = {
            "snapshot": snapshot,
            "catalog_version": catalog_version(),
            "code_version": code_version(),
            "practice": is_practice(home),
            "data_as_of": _data_as_of(warehouse),
        }
        identity = hashlib.sha256(json.dumps(passport, sort_keys=True).encode()).hexdigest()[:8]
        release_id = f"R{snapshot:06d}-{identity}"
        target = home / "releases" / release_id
        _remove_unfinished(target.parent)
        if not target.exists():
            _write_release(warehouse, target, release_id, passport, progress)
        if as_of is None:
            _point_to(home, release_id)
    record(home, "publish", release=release_id, snapshot=snapshot, current=as_of is None)
    return Release(home, release_id)


def _snapshot(home: Path, as_of: int | str | None) -> int:
    """The snapshot that a release is made of: everything is read from it, whatever is written meanwhile."""
    with Warehouse(home, as_of=as_of) as warehouse:
        return warehouse.snapshot_id()


@contextlib.contextmanager
def _one_publish(home: Path) -> Iterator[None]:
    """One process at a time makes releases of a home."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(file_lock(home / "publish.lock", wait=wait_seconds()))
        except TimeoutError:
            raise ProcessingError("error.publish_busy", home=home) from None
        yield


def _remove_unfinished(directory: Path) -> None:
    """Take away what a killed or failed publish left beside the releases."""
    for left in directory.glob(".*.part"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _write_release(
    warehouse: Warehouse,
    target: Path,
    release_id: str,
    passport: dict[str, Any],
    progress: Callable[[int, int, str], None] | None,
) -> None:
    part = target.with_name(f".{release_id}.{os.getpid()}.part")
    try:
        _fill_release(warehouse, part, release_id, passport, progress)
        os.replace(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    sync_directory(target.parent)


def _fill_release(
    warehouse: Warehouse,
    part: Path,
    release_id: str,
    passport: dict[str, Any],
    progress: Callable[[int, int, str], None] | None,
) -> None:
    context = ReleaseContext(warehouse, passport["practice"])
    makers = parts("release_tables")
    warehouse.con.execute("SET threads = 1")  # the same rows in the same files, whatever the machine
    for number, (table, reference) in enumerate(makers.items()):
        if progress:
            progress(number, len(makers), table)
        rows = load_object(reference)(context)
        write_table(warehouse.con, rows, part / "tables" / table, table)
    write_manifest(part, release_id, passport)


def write_manifest(part: Path, release_id: str, passport: dict[str, Any]) -> None:
    """The manifest of all tables under `part`: what they were made of, and the hash of every file."""
    files = {
        path.relative_to(part).as_posix(): {"sha256": file_sha256(path), "bytes": path.stat().st_size}
        for path in sorted(part.rglob("*.parquet"))
    }
    manifest = {
        "release_id": release_id,
        "made_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        **passport,
        "files": files,
    }
    (part / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1), "utf-8")


def write_table(con: duckdb.DuckDBPyConnection, rows: Any, directory: Path, table: str) -> None:
    """Partitioned Parquet of one table; a column that the catalog calls an identifier stops the release."""
    directory.mkdir(parents=True)
    source = f"({rows})"
    if not isinstance(rows, str):
        con.register("release_rows", rows)
        source = "release_rows"
    try:
        columns = [row[0] for row in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
        require_no_identifier(table, columns)
        if "scope" not in columns:
            raise ProcessingError("error.release_without_scope", table=table)
        order = ", ".join(f'"{name}"' for name in columns)
        con.execute(
            f"COPY (SELECT * FROM {source} ORDER BY {order}) TO '{directory}' "
            f"({PARQUET}, PARTITION_BY (scope), WRITE_PARTITION_COLUMNS true)"
        )
    finally:
        if source == "release_rows":
            con.unregister("release_rows")


def require_no_identifier(table: str, columns: list[str]) -> None:
    """Refuse a release table with a column that its own dataset entry marks as an identifier, or that some entry does and
    no entry has as a harmless one ("value" and "note" name many things, "full_name" only one)."""
    entries = load_entries("datasets")
    marked: dict[bool, set[str]] = {True: set(), False: set()}
    for entry in entries.values():
        for name, column in entry.columns.items():
            marked[column.identifier].add(name)
    own = {name for name, column in entries[table].columns.items() if column.identifier} if table in entries else set()
    found = sorted((own | (marked[True] - marked[False])) & set(columns))
    if found:
        raise ProcessingError("error.release_identifier", table=table, columns=", ".join(found))


def _data_as_of(warehouse: Warehouse) -> str:
    row = warehouse.con.execute("SELECT max(received_at) FROM lake.received_file").fetchone()
    return (row[0] if row and row[0] else "")[:10]


def _point_to(home: Path, release_id: str) -> None:
    write_whole(Path(home) / "releases" / "CURRENT", release_id + "\n", mode=0o644)


class Release:
    """A published release, open for reading. Data come from its files only, through an in-memory DuckDB.

    What it shows is what the current account sees (tkyt_analysis.access.release_view); `scope` can only narrow that.
    account : who reads; reads : the scope that is shown
    """

    def __init__(self, home: Path, release_id: str | None = None, *, scope: Scope | None = None) -> None:
        self.home = Path(home)
        self.account = require(self.home, "read")
        self.reads = narrowed(self.account, scope)
        self.release_id = release_id or current_release(self.home)
        self.directory = self.home / "releases" / self.release_id
        if not (self.directory / "manifest.json").exists():
            raise InputError("error.no_such_release", release=self.release_id, home=self.home)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.directory / "manifest.json").read_text("utf-8"))

    @property
    def practice(self) -> bool:
        return bool(self.manifest["practice"])

    @cached_property
    def con(self) -> duckdb.DuckDBPyConnection:
        return self._opened[0]

    @property
    def seen_units(self) -> frozenset[str]:
        """The units that a scope below the nation sees, also by the release's own unit list."""
        return self._opened[1]

    @cached_property
    def _opened(self) -> tuple[duckdb.DuckDBPyConnection, frozenset[str]]:
        import duckdb

        connection = duckdb.connect(config={"threads": 2, "autoinstall_known_extensions": False})
        connection.execute("SET enable_progress_bar = false")  # of its own, it writes one into notebooks and --json
        connection.execute("SET parquet_metadata_cache = true")  # files of a release never change
        limit_memory(connection, self.home)
        files = {table: self._files(table) for table in self.tables()}
        if not self.reads.nation:
            return connection, open_filtered(connection, files, self.reads)
        for table, paths in files.items():
            if paths:
                listing = ", ".join("'" + path.as_posix().replace("'", "''") + "'" for path in paths)
                connection.execute(
                    f'CREATE VIEW "{table}" AS SELECT * FROM read_parquet([{listing}], '
                    "hive_partitioning = true, hive_types = {'scope': VARCHAR})"  # one scope asked for: one file opened
                )
        return connection, frozenset()

    def tables(self) -> list[str]:
        """Names of the release's tables."""
        return sorted({name.split("/")[1] for name in self.manifest["files"]})

    def _files(self, table: str) -> list[Path]:
        return [self.directory / name for name in self.manifest["files"] if name.split("/")[1] == table]

    def require_place(self, place: str) -> None:
        """Refuse a place outside the scope with a sentence; accounts of the nation may name any."""
        if not self.reads.nation and place not in self.seen_units:
            raise InputError("error.outside_scope", place=place, account=self.account.name, unit=self.account.unit_id)

    def query(self, sql: str, parameters: list[Any] | None = None) -> pd.DataFrame:
        """Rows of a query on the release's tables by name; ProcessingError where it needs more memory and disk than it may."""
        with guarded(self.con):
            return self.con.execute(sql, parameters or []).df()

    def has(self, table: str) -> bool:
        """Whether the release has rows of a table for this scope."""
        if not self._files(table) or self.reads.nation:
            return bool(self._files(table))
        return bool(self.con.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone())

    def verify(self) -> list[str]:
        """Files that are missing or whose bytes differ from the manifest's hashes."""
        return [
            name
            for name, about in self.manifest["files"].items()
            if not (self.directory / name).is_file() or file_sha256(self.directory / name) != about["sha256"]
        ]


def current_release(home: Path) -> str:
    """The id that the pointer names."""
    try:
        return (Path(home) / "releases" / "CURRENT").read_text("ascii").strip()
    except FileNotFoundError:
        raise InputError("error.no_release", home=home) from None
