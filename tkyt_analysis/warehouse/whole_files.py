"""Small files that are written whole or not at all, and locks that the system frees when their holder ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

WAIT_STEP = 0.05


def write_whole(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Put a text in place of a file at one instant: a reader (or a kill) meets the old text or the new one."""
    with _beside(path, text, mode) as part:
        os.replace(part, path)
    sync_directory(path.parent)
    _sweep(path)


def write_new(path: Path, text: str, *, mode: int = 0o600) -> bool:
    """The same for a file that must not be there yet; False where it is (it stays as it was)."""
    with _beside(path, text, mode) as part:
        try:
            os.link(part, path)
        except FileExistsError:
            return False
    sync_directory(path.parent)
    return True


@contextlib.contextmanager
def _beside(path: Path, text: str, mode: int) -> Iterator[Path]:
    """The text in a file beside its place, gone at the end unless it was moved."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield part
    finally:
        part.unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Take away what processes that were killed while writing this file left beside it."""
    for left in path.parent.glob(f".{path.name}.*.part"):
        process = left.name.split(".")[-2]
        if process.isdigit() and not _alive(int(process)):
            left.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it lives, and is another user's
        return True
    return True


def sync_directory(directory: Path) -> None:
    """Make renames in a directory last through a loss of power, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def file_lock(path: Path, *, wait: float) -> Iterator[None]:
    """Hold a lock file; TimeoutError where another process still holds it after `wait` seconds."""
    with open(path, "a") as file:
        take_lock(file.fileno(), wait=wait)
        yield


def take_lock(descriptor: int, *, wait: float) -> None:
    """Lock an open file for this process alone, asking again until `wait` seconds are over (then TimeoutError)."""
    until = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                raise TimeoutError from None
            time.sleep(WAIT_STEP)
