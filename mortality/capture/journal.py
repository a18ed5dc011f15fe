"""The draft on disk: sealed, whole, one file per open window, in the home's restricted folder.

`restricted/capture/<account and place, keyed>/<window>.sealed` holds the records that a window has not handed in. A window
holds a lock on its file for as long as its process lives; a file that nobody holds was left by a crash, a closed page or a
restarted server, and the next window offers it. Nothing is ever written in the clear: records are sealed in memory with a
key of their own (derived from the home's `custody` key) and put in place by one rename.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from mortality.capture.records import Draft, from_plain, to_plain
from tkyt_analysis.errors import ProcessingError
from tkyt_analysis.warehouse.keys import read_key
from tkyt_analysis.warehouse.sealed_files import SealBrokenError, seal, unseal
from tkyt_analysis.warehouse.whole_files import file_lock, sync_directory

VERSION = 1
SUFFIX, LOCK = ".sealed", ".lock"
WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class Kept:
    """What a journal holds. `handing` is the SHA-256 of a workbook on its way through the door, and whose records it has."""

    drafts: tuple[Draft, ...] = ()
    current: str = ""
    handing: str = ""
    handed: dict[str, int] = field(default_factory=dict)  # {key of the record: row in the workbook}
    changed_at: str = ""


@dataclass(frozen=True)
class Other:
    """A journal of the same account and place besides one's own; `open` while another window holds it."""

    window: str
    open: bool
    kept: Kept | None  # None: it cannot be read

    @property
    def count(self) -> int:
        return len(self.kept.drafts) if self.kept else 0


class Journal:
    """The journal of one window."""

    def __init__(self, home: Path, account: str, place: str) -> None:
        self.home, self.account, self.place = Path(home), account, place
        self._key = _key(self.home)
        name = hashlib.blake2b(f"{account}\n{place}".encode(), key=self._key, digest_size=10).hexdigest()
        self.folder = self.home / "restricted" / "capture" / name
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.window = secrets.token_hex(8)
        self._had_file = False
        self._held: IO[str] | None = _hold(self.folder / f"{self.window}{LOCK}")

    @property
    def file(self) -> Path:
        return self.folder / f"{self.window}{SUFFIX}"

    def write(self, kept: Kept) -> None:
        """Seal and put in place, at one instant. A journal without records is no file. Raises ProcessingError."""
        try:
            if not kept.drafts and not kept.handing:
                self.file.unlink(missing_ok=True)
            else:
                self._put(_sealed(kept, self._key, self._context(self.window)))
        except OSError as error:
            raise ProcessingError("error.capture_not_kept", problem=error.strerror or type(error).__name__) from None

    def _put(self, sealed: bytes) -> None:
        part = self.file.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as sink:
            sink.write(sealed)
            sink.flush()
            os.fsync(sink.fileno())
        os.replace(part, self.file)
        sync_directory(self.folder)

    def read(self, window: str) -> Kept:
        """What a window left. Raises ProcessingError where the file was altered or is another home's."""
        path = self.folder / f"{window}{SUFFIX}"
        plain = io.BytesIO()
        try:
            unseal(io.BytesIO(path.read_bytes()), plain, self._key, self._context(window))
            return _kept(json.loads(plain.getvalue()))
        except FileNotFoundError:
            return Kept()
        except (SealBrokenError, ValueError, KeyError, TypeError):
            raise ProcessingError("error.capture_journal_broken", file=path) from None

    def others(self) -> list[Other]:
        """The other journals of this account and place, the latest first."""
        found = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            if path.stem != self.window:
                try:
                    kept = self.read(path.stem)
                except ProcessingError:
                    kept = None
                found.append(Other(path.stem, _is_held(self.folder / f"{path.stem}{LOCK}"), kept))
        return sorted(found, key=lambda other: other.kept.changed_at if other.kept else "", reverse=True)

    def take_over(self, windows: Sequence[str], own: Kept) -> Kept:
        """Own records with those that closed windows left; written here before their files go."""
        with file_lock(self.folder / "lock", wait=WAIT_SECONDS):
            left = [one for one in self.others() if one.window in windows and not one.open and one.kept]
            joined, taken = own, []
            for other in left:
                if other.kept and not (other.kept.handing and joined.handing):  # one hand-in at a time is settled
                    joined = _joined(joined, other.kept)
                    taken.append(other.window)
            self.write(joined)
            for window in taken:
                (self.folder / f"{window}{SUFFIX}").unlink(missing_ok=True)
        self._sweep()
        return joined

    def _sweep(self) -> None:
        """Locks and unfinished pieces of windows that are gone."""
        for lock in self.folder.glob(f"*{LOCK}"):
            if lock.stem != self.window and not _is_held(lock):
                (self.folder / f"{lock.stem}.part").unlink(missing_ok=True)
                if not (self.folder / f"{lock.stem}{SUFFIX}").exists():
                    lock.unlink(missing_ok=True)

    def _context(self, window: str) -> bytes:
        """What a sealed journal is bound to: it cannot take the place of another account's, place's or window's."""
        return f"tkyt capture {VERSION}\n{self.account}\n{self.place}\n{window}".encode()

    def hold_again(self) -> bool:
        """Hold the window again after it was let go; False where another window has taken its records over meanwhile."""
        if self._held is not None:
            return True
        taken = self._had_file and not self.file.exists()
        self._held = _hold(self.folder / f"{self.window}{LOCK}")
        return not taken

    def close(self) -> None:
        """Let go of the window; its records stay for the next one."""
        self._had_file = self.file.exists()
        if self._held is not None:
            if not self.file.exists():
                (self.folder / f"{self.window}{LOCK}").unlink(missing_ok=True)
            self._held.close()
            self._held = None


def _key(home: Path) -> bytes:
    custody = read_key(home, "custody")
    return hashlib.blake2b(b"", key=custody, digest_size=32, person=b"tkyt capture").digest()


def _sealed(kept: Kept, key: bytes, context: bytes) -> bytes:
    body = {
        "version": VERSION, "current": kept.current, "handing": kept.handing, "handed": kept.handed,
        "changed_at": kept.changed_at, "drafts": [to_plain(one) for one in kept.drafts],
    }  # fmt: skip
    sink = io.BytesIO()
    seal(io.BytesIO(json.dumps(body, ensure_ascii=False).encode()), sink, key, context)
    return sink.getvalue()


def _kept(body: dict[str, Any]) -> Kept:
    drafts = tuple(from_plain(one) for one in body["drafts"])
    handed = {str(key): int(row) for key, row in dict(body["handed"]).items()}
    return Kept(drafts, str(body["current"]), str(body["handing"]), handed, str(body["changed_at"]))


def _joined(own: Kept, other: Kept) -> Kept:
    """Both sets of records; of a record in both the one that changed last."""
    drafts = {one.key: one for one in other.drafts}
    for one in own.drafts:
        if one.key not in drafts or drafts[one.key].changed_at <= one.changed_at:
            drafts[one.key] = one
    latest = max(own.changed_at, other.changed_at)
    handing, handed = (own.handing, own.handed) if own.handing else (other.handing, other.handed)
    return Kept(tuple(drafts.values()), own.current or other.current, handing, handed, latest)


def _hold(path: Path) -> IO[str]:
    held = open(path, "w")
    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return held


def _is_held(path: Path) -> bool:
    """Whether a living process holds the lock."""
    with contextlib.suppress(FileNotFoundError), open(path) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
