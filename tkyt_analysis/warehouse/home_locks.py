"""Locks of a home beside the writer's: backup and compaction exclude each other; two backups do not overlap."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from tkyt_analysis.errors import ProcessingError


@contextlib.contextmanager
def files_stay(home: Path) -> Iterator[None]:
    """While held (by any number of processes), compaction deletes no data file of the home."""
    with _held(home, "files.lock", fcntl.LOCK_SH, "error.compact_running"):
        yield


@contextlib.contextmanager
def files_may_go(home: Path) -> Iterator[None]:
    """Held by the one process that deletes data files; ProcessingError while a backup copies them."""
    with _held(home, "files.lock", fcntl.LOCK_EX, "error.backup_running"):
        yield


@contextlib.contextmanager
def one_backup(home: Path) -> Iterator[None]:
    """Held by the one backup of a home; ProcessingError while another one runs."""
    with _held(home, "backup.lock", fcntl.LOCK_EX, "error.backup_running"):
        yield


@contextlib.contextmanager
def _held(home: Path, name: str, kind: int, busy: str) -> Iterator[None]:
    folder = Path(home) / "work"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(folder / name, "a") as file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProcessingError(busy, home=home) from None
        yield
