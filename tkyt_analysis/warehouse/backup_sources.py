"""What a backup copies, in the order that keeps it consistent while a writer works.

Releases are listed first (each belongs to a snapshot that the catalog copied next has), then the lake's catalog, then
the restricted one, then the data files that these copies name, then everything else of the home. Received bytes are
kept before their rows land, so listing custody last misses none.
"""

from __future__ import annotations

import os
import shutil
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
from tkyt_analysis.warehouse.keys import read_restricted_keys

LAKE, RESTRICTED, RING = "warehouse/catalog.sqlite", "restricted/catalog.duckdb", "restricted/keyring.json"
POINTER = "releases/CURRENT"
OWN_WAY = ("work/", "warehouse/data/", "restricted/data/", LAKE, RESTRICTED, RING, "warehouse/catalog.json")
IMMUTABLE = ("warehouse/data/", "restricted/data/", "restricted/received/", "releases/R")


@dataclass(frozen=True)
class Source:
    """A file to back up.

    path : its place in the home; read_from : where its bytes are read now; needed : whether it must be there
    """

    path: str
    read_from: Path
    needed: bool

    def same_as(self, size: int, mtime_ns: int, now: os.stat_result) -> bool:
        """Whether it is known without reading that this is what an earlier backup has of it."""
        return self.path.startswith(IMMUTABLE) and (now.st_size, now.st_mtime_ns) == (size, mtime_ns)


def sources(home: Path, folder: Path) -> list[Source]:
    """Every file of one backup. `folder` takes the copies of the catalogs; it is private and goes afterwards."""
    pointer = _pointer(home, folder)
    releases = [_found(home, path) for path in _walk(home, "releases") if path != POINTER]
    copy_lake_catalog(home, folder / "catalog.sqlite")
    copy_restricted_catalog(home, folder)
    named = [f"warehouse/data/{path}" for path in lake_files(folder / "catalog.sqlite")]
    keys = read_restricted_keys(home)
    named += [f"restricted/data/{path}" for path in restricted_files(folder / "catalog.duckdb", keys)]
    copies = [Source(LAKE, folder / "catalog.sqlite", True)]
    copies += [Source(f"restricted/{path.name}", path, True) for path in sorted(folder.glob("catalog.duckdb*"))]
    copies += [Source(RING, folder / "keyring.json", True)]
    data = [_data_file(home, path) for path in named]
    rest = [_found(home, path) for path in _walk(home, "") if not path.startswith("releases/")]
    return [*pointer, *releases, *copies, *data, *rest, *_user_catalogs()]


def _pointer(home: Path, folder: Path) -> list[Source]:
    """Which release readers see, read before the releases are listed: it names one of them."""
    if not (home / POINTER).exists():
        return []
    shutil.copy2(home / POINTER, folder / "CURRENT")
    return [Source(POINTER, folder / "CURRENT", True)]


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
