"""What a backup copies, in the order that keeps it consistent while a writer works.

Releases are listed first (each belongs to a snapshot that the catalog copied next has), then the lake's catalog, then
the restricted one, then the data files that these copies name, then everything else of the home. Received bytes are
kept before their rows land, so listing custody last misses none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tkyt_analysis.errors import ProcessingError
from tkyt_analysis.settings import catalog_directories
from tkyt_analysis.warehouse.catalog_copies import (
    copy_lake_catalog,
    copy_restricted_catalog,
    lake_files,
    restricted_files,
)
from tkyt_analysis.warehouse.keys import read_key

LAKE, RESTRICTED = "warehouse/catalog.sqlite", "restricted/catalog.duckdb"
OWN_WAY = ("work/", "warehouse/data/", "restricted/data/", LAKE, RESTRICTED, "warehouse/catalog.json")
IMMUTABLE = ("warehouse/data/", "restricted/data/", "restricted/received/", "releases/R")


@dataclass(frozen=True)
class Source:
    """A file to back up.

    path : its place in the home; read_from : where its bytes are read now; needed : whether it must be there
    stamp : time of the catalog of which `read_from` is a copy, 0 where it is the file itself
    """

    path: str
    read_from: Path
    needed: bool
    stamp: int = 0

    def same_as(self, size: int, mtime_ns: int, now: os.stat_result) -> bool:
        """Whether it is known without reading that this is what an earlier backup has of it."""
        if self.stamp:
            return self.stamp == mtime_ns
        return self.path.startswith(IMMUTABLE) and (now.st_size, now.st_mtime_ns) == (size, mtime_ns)


def sources(home: Path, folder: Path) -> list[Source]:
    """Every file of one backup. `folder` takes the copies of the catalogs; it is private and goes afterwards."""
    releases = [_found(home, path) for path in _walk(home, "releases")]
    lake, restricted = folder / "catalog.sqlite", folder / "catalog.duckdb"
    copy_lake_catalog(home, lake)
    stamp = _stamp(home / RESTRICTED)
    copy_restricted_catalog(home, restricted)
    named = [f"warehouse/data/{path}" for path in lake_files(lake)]
    named += [f"restricted/data/{path}" for path in restricted_files(restricted, read_key(home, "restricted"))]
    catalogs = [Source(LAKE, lake, True), Source(RESTRICTED, restricted, True, stamp)]
    data = [_data_file(home, path) for path in named]
    rest = [_found(home, path) for path in _walk(home, "") if not path.startswith("releases/")]
    return [*releases, *catalogs, *data, *rest, *_user_catalogs()]


def _stamp(catalog: Path) -> int:
    """When the restricted catalog last changed; 0 where changes still wait beside it."""
    return 0 if catalog.with_name(catalog.name + ".wal").exists() else catalog.stat().st_mtime_ns


def _data_file(home: Path, path: str) -> Source:
    if not (home / path).is_file():
        raise ProcessingError("error.backup_data_missing", path=home / path)
    return Source(path, home / path, True)


def _found(home: Path, path: str) -> Source:
    return Source(path, home / path, path.startswith(IMMUTABLE))


def _walk(home: Path, part: str) -> Iterator[str]:
    """Files below a part of the home, in order; without locks, unfinished files and what is copied in its own way."""
    for folder, folders, names in os.walk(home / part):
        folders[:] = sorted(name for name in folders if not name.endswith(".part") and _wanted(home, folder, name, "/"))
        for name in sorted(names):
            if _wanted(home, folder, name) and not (Path(folder) / name).is_symlink():
                yield (Path(folder) / name).relative_to(home).as_posix()


def _wanted(home: Path, folder: str, name: str, end: str = "") -> bool:
    relative = (Path(folder) / name).relative_to(home).as_posix() + end
    return not relative.startswith(OWN_WAY) and not name.endswith((".lock", ".part", ".held"))


def _user_catalogs() -> Iterator[Source]:
    """The user's own catalog folders (TKYT_CATALOG_PATH), kept as `user_catalog/<number>/…`."""
    for number, folder in enumerate(catalog_directories()[1:], start=1):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
                yield Source(f"user_catalog/{number}/{path.relative_to(folder).as_posix()}", path, False)
