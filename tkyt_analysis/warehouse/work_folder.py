"""Private folders in a home's `work`: for plain bytes that must not outlive their use, not even after a crash.

A folder belongs to its process through a lock that the system frees when the process ends; whoever opens the next one
first removes those that nobody holds any more.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from tkyt_analysis.warehouse.whole_files import file_lock

WAIT_SECONDS = 30.0


@contextlib.contextmanager
def private_folder(home: Path) -> Iterator[Path]:
    """A new folder (0700) below `home/work/private`, removed at the end; folders of ended processes are swept first."""
    base = Path(home) / "work" / "private"
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = base / secrets.token_hex(8)
    with file_lock(base / "lock", wait=WAIT_SECONDS):
        sweep(base)
        held = open(folder.with_suffix(".held"), "w")
        fcntl.flock(held, fcntl.LOCK_EX)
        folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_suffix(".held").unlink(missing_ok=True)
        held.close()


def sweep(base: Path) -> None:
    """Remove folders whose process has ended. Called under the lock of `base`."""
    for mark in base.glob("*.held"):
        with contextlib.suppress(OSError), open(mark) as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(mark.with_suffix(""), ignore_errors=True)
            mark.unlink(missing_ok=True)
    for left in base.iterdir():
        if left.is_dir() and not left.with_suffix(".held").exists():
            shutil.rmtree(left, ignore_errors=True)


def open_private(path: Path) -> int:
    """A descriptor of a new file that only its owner can read (0600)."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
