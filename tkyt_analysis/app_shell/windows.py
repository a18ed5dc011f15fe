"""What a window of an app has not handed on yet: sealed, whole, one file per open window, in the home's restricted folder.

`restricted/<room>/<owner, keyed>/<window>.sealed`. A window holds a lock on its file for as long as its process lives; a file
that nobody holds was left by a crash, a closed page or a restarted server. Nothing is ever written in the clear: content is
sealed in memory with a key of its own (derived from the home's `custody` key) and put in place by one rename.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import os
import secrets
from pathlib import Path
from typing import IO

from tkyt_analysis.warehouse.keys import read_key
from tkyt_analysis.warehouse.sealed_files import seal, unseal
from tkyt_analysis.warehouse.whole_files import sync_directory

VERSION = 1
SUFFIX, LOCK = ".sealed", ".lock"


class WindowFile:
    """The sealed file of one window.

    room : folder under `restricted/` ("capture"); owner : whose it is, e.g. account and place (lines of a text)
    """

    def __init__(self, home: Path, room: str, owner: str) -> None:
        self.home, self._room, self._owner = Path(home), room, owner
        self._key = window_key(self.home, room)
        name = hashlib.blake2b(owner.encode(), key=self._key, digest_size=10).hexdigest()
        self.folder = self.home / "restricted" / room / name
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.window = secrets.token_hex(8)
        self._held: IO[str] | None = None
        self.hold()

    @property
    def file(self) -> Path:
        return self.path(self.window)

    def path(self, window: str) -> Path:
        return self.folder / f"{window}{SUFFIX}"

    def lock(self, window: str) -> Path:
        return self.folder / f"{window}{LOCK}"

    def windows(self) -> list[str]:
        """The other windows of the same owner that left a file."""
        return sorted(path.stem for path in self.folder.glob(f"*{SUFFIX}") if path.stem != self.window)

    # -- content

    def put(self, content: bytes | None) -> None:
        """Seal and put in place, at one instant; None: no file. Raises OSError where the disk refuses."""
        if content is None:
            self.file.unlink(missing_ok=True)
            return
        sink, part = io.BytesIO(), self.file.with_suffix(".part")
        seal(io.BytesIO(content), sink, self._key, self._context(self.window))
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            target.write(sink.getvalue())
            target.flush()
            os.fsync(target.fileno())
        os.replace(part, self.file)
        sync_directory(self.folder)

    def content(self, window: str) -> bytes:
        """What a window kept. Raises FileNotFoundError, and SealBrokenError where it was altered or is another home's."""
        plain = io.BytesIO()
        unseal(io.BytesIO(self.path(window).read_bytes()), plain, self._key, self._context(window))
        return plain.getvalue()

    def _context(self, window: str) -> bytes:
        """What a sealed file is bound to: it cannot take the place of another owner's or window's."""
        return f"tkyt {self._room} {VERSION}\n{self._owner}\n{window}".encode()

    # -- who holds a window

    @property
    def is_held(self) -> bool:
        return self._held is not None

    def hold(self) -> None:
        """Hold the window for as long as this process lives."""
        self._held = open(self.lock(self.window), "w")
        fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def let_go(self) -> None:
        """Let go of the window; what it kept stays for the next one."""
        if self._held is not None:
            if not self.file.exists():
                self.lock(self.window).unlink(missing_ok=True)
            self._held.close()
            self._held = None

    def held_elsewhere(self, window: str) -> bool:
        """Whether a living process holds a window."""
        with contextlib.suppress(FileNotFoundError), open(self.lock(window)) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False


def window_key(home: Path, room: str) -> bytes:
    """The key of a room's windows: derived from the home's `custody` key, and no other key of the home."""
    custody = read_key(home, "custody")
    return hashlib.blake2b(b"", key=custody, digest_size=32, person=f"tkyt {room}".encode()).digest()
