"""New keys for a home: a new master (the ring is wrapped again), a new key for the restricted store (it is rewritten).

Both may be killed at any instant and run again: what is stored stays readable throughout. Pseudonyms never change.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tkyt_analysis.access import require
from tkyt_analysis.access.audit import record
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.warehouse.catalogs import Place, has_catalog
from tkyt_analysis.warehouse.disk import says_disk_trouble
from tkyt_analysis.warehouse.equality import lake_digest
from tkyt_analysis.warehouse.keyring import NEXT_RESTRICTED, PURPOSES, KeyRing, fingerprint, ring_file, save_ring
from tkyt_analysis.warehouse.keys import (
    LOCK_SECONDS,
    create_key,
    has_master,
    key_file,
    open_ring,
    retired_key,
    ring_lock,
    waiting_key,
)
from tkyt_analysis.warehouse.lake import attach_place, connect, restricted_lock, restricted_options
from tkyt_analysis.warehouse.whole_files import file_lock, sync_directory, write_new, write_whole

if TYPE_CHECKING:
    import duckdb


@says_disk_trouble
def rotate_master(home: Path, *, new_key: Path | None = None) -> Path:
    """Wrap the home's ring with a new random master; the file that holds it.

    new_key : where to write the new master when it comes from TKYT_KEY (this command cannot change the environment)
    The old master stays beside the new one under another name: backups made before need it.
    """
    require(home, "administer")
    _require_home(home)
    create_key(home)
    from_environment = bool(os.environ.get("TKYT_KEY"))
    if from_environment and new_key is None:
        raise InputError("error.rotate_needs_file")
    path = new_key if from_environment and new_key else key_file(home)
    with ring_lock(home), file_lock(path.with_name(path.name + ".lock"), wait=LOCK_SECONDS):
        if from_environment:
            _wrap_into_new_file(home, path)
        else:
            _replace_master(home, path)
    record(home, "key_rotated", key="master", master=fingerprint(open_master(path)))
    return path


def open_master(path: Path) -> bytes:
    """The master that a key file holds."""
    return bytes.fromhex(path.read_text("ascii").strip())


def _wrap_into_new_file(home: Path, path: Path) -> None:
    master = secrets.token_bytes(32)
    if not write_new(path, master.hex() + "\n"):
        raise InputError("error.rotate_file_exists", path=path)
    ring, _ = open_ring(home)
    save_ring(home, ring, master)
    os.environ["TKYT_KEY"] = master.hex()  # for the rest of this process


def _replace_master(home: Path, path: Path) -> None:
    """New master beside the old one, ring wrapped by it, then the files change places: one of them always fits."""
    _finish_earlier(path, home)
    ring, _ = open_ring(home)
    master = secrets.token_bytes(32)
    write_whole(waiting_key(path), master.hex() + "\n")
    save_ring(home, ring, master)
    _put_in_place(path)


def _finish_earlier(path: Path, home: Path) -> None:
    """A master that a killed rotation left waiting: put in place where the ring is wrapped by it, else kept aside."""
    waiting = waiting_key(path)
    if not waiting.exists():
        return
    _, master = open_ring(home)
    if open_master(waiting) == master:
        _put_in_place(path)
    else:
        os.replace(waiting, retired_key(path, fingerprint(open_master(waiting))))


def _put_in_place(path: Path) -> None:
    """The waiting master takes its place; the one that was there (perhaps of another home too) is kept."""
    if path.exists():
        old = open_master(path)
        write_new(retired_key(path, fingerprint(old)), old.hex() + "\n")
    os.replace(waiting_key(path), path)
    sync_directory(path.parent)


@says_disk_trouble
def rotate_restricted(home: Path) -> int:
    """Rewrite the restricted store (its catalog and its data files) under new keys; the number of rows.

    Its present rows are kept, its history is not. The new store is built beside the old one, compared with it table by
    table, and put in force by one rename.
    """
    require(home, "administer")
    _require_home(home)
    create_key(home)
    with restricted_lock(home):
        with ring_lock(home):
            ring = _settled(home)
            _, master = open_ring(home)
            save_ring(home, ring.with_key(NEXT_RESTRICTED), master)
            ring, _ = open_ring(home)
        rows, files = _build_beside(home, ring)
        _switch(home)
        with ring_lock(home):
            _settled(home)
        remove_other_files(home / "restricted" / "data", files)
    record(home, "key_rotated", key="restricted", rows=rows)
    return rows


def _settled(home: Path) -> KeyRing:
    """The ring with one key for the restricted store: the one that fits (a killed rotation leaves two)."""
    ring, master = open_ring(home)
    for left in (home / "restricted").glob("catalog.next.duckdb*"):
        left.unlink()
    if NEXT_RESTRICTED not in ring.keys:
        return ring
    if not _fits(home, ring.keys["restricted"]):
        ring = ring.with_key("restricted", ring.keys[NEXT_RESTRICTED])
    ring = ring.without_key(NEXT_RESTRICTED)
    save_ring(home, ring, master)
    return ring


def _fits(home: Path, key: bytes) -> bool:
    with contextlib.closing(connect()) as connection:
        try:
            attach_place(connection, _store(home), "restricted", restricted_options(home, key), home)
        except InputError:
            return False
        connection.execute("DETACH restricted")
        return True


def _store(home: Path, name: str = "catalog.duckdb") -> Place:
    return Place("restricted", home / "restricted" / name)


def _build_beside(home: Path, ring: KeyRing) -> tuple[int, set[str]]:
    """Copy every table into a new store; (rows, data files of the new store)."""
    with contextlib.closing(connect()) as connection:
        old = restricted_options(home, ring.keys["restricted"])
        new = restricted_options(home, ring.keys[NEXT_RESTRICTED])
        attach_place(connection, _store(home), "restricted", old, home)
        attach_place(connection, _store(home, "catalog.next.duckdb"), "fresh", new, home)
        tables = _tables(connection)
        for table in tables:
            connection.execute(f'CREATE TABLE fresh."{table}" AS SELECT * FROM restricted."{table}"')
        before, after = (lake_digest(connection, store, tables) for store in ("restricted", "fresh"))
        for table in tables:
            if before[table] != after[table]:
                raise ProcessingError("error.copy_differs", table=table, home=home)
        files = data_files(connection, "fresh", tables)
        connection.execute("DETACH fresh; DETACH restricted")
    return sum(rows for rows, _ in after.values()), files


def _tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    sql = "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'restricted' ORDER BY 1"
    return [row[0] for row in connection.execute(sql).fetchall()]


def data_files(connection: duckdb.DuckDBPyConnection, store: str, tables: list[str]) -> set[str]:
    """Names of the files that the present rows of a store lie in."""
    files = set()
    for table in tables:
        rows = connection.execute("SELECT data_file, delete_file FROM ducklake_list_files(?, ?)", [store, table])
        files |= {Path(name).name for row in rows.fetchall() for name in row if name}
    return files


def _switch(home: Path) -> None:
    """Put the new catalog in the place of the old one; both are closed and have no log that waits to be replayed."""
    folder = home / "restricted"
    waiting = [path for path in folder.glob("catalog*.duckdb.wal") if path.stat().st_size]
    if waiting:
        raise ProcessingError("error.copy_unfinished", path=waiting[0])
    os.replace(folder / "catalog.next.duckdb", folder / "catalog.duckdb")
    sync_directory(folder)


def remove_other_files(folder: Path, files: set[str]) -> int:
    """Delete the data files of a store that it does not name any more; how many."""
    other = [path for path in folder.rglob("*.parquet") if path.name not in files]
    for path in other:
        path.unlink()
    return len(other)


def _require_home(home: Path) -> None:
    if not has_catalog(home):
        raise InputError("error.no_warehouse", home=home)


def key_status(home: Path) -> dict[str, Any]:
    """Where the keys of a home are and whether they fit: key_file, from_environment, present, ring, master (mark), made."""
    require(home, "administer")
    _require_home(home)
    path = key_file(home)
    found: dict[str, Any] = {
        "home": str(home),
        "key_file": str(path),
        "from_environment": bool(os.environ.get("TKYT_KEY")),
        "present": has_master(home),
        "ring": str(ring_file(home)) if ring_file(home).exists() else None,
        "retired": sorted(str(other) for other in path.parent.glob(path.name + ".retired-*")),
    }
    if found["ring"]:
        ring, master = open_ring(home)
        found["master"] = fingerprint(master)
        found["made"] = {purpose: ring.made[purpose] for purpose in PURPOSES if purpose in ring.made}
    return found
