"""The draft on disk: the records that a window has not handed in, in the sealed file of the window (`tkyt_analysis.app_shell.windows`).

A file that nobody holds was left by a crash, a closed page or a restarted server, and the next window offers it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mortality.capture.records import Draft, from_plain, to_plain
from tkyt_analysis.app_shell.windows import LOCK, VERSION, WindowFile
from tkyt_analysis.errors import ProcessingError
from tkyt_analysis.warehouse.sealed_files import SealBrokenError
from tkyt_analysis.warehouse.whole_files import file_lock

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


class Journal(WindowFile):
    """The journal of one window."""

    def __init__(self, home: Path, account: str, place: str) -> None:
        super().__init__(home, "capture", f"{account}\n{place}")
        self._had_file = False

    def write(self, kept: Kept) -> None:
        """Seal and put in place, at one instant. A journal without records is no file. Raises ProcessingError."""
        try:
            self.put(_plain(kept) if kept.drafts or kept.handing else None)
        except OSError as error:
            raise ProcessingError("error.capture_not_kept", problem=error.strerror or type(error).__name__) from None

    def read(self, window: str) -> Kept:
        """What a window left. Raises ProcessingError where the file was altered or is another home's."""
        try:
            return _kept(json.loads(self.content(window)))
        except FileNotFoundError:
            return Kept()
        except (SealBrokenError, ValueError, KeyError, TypeError):
            raise ProcessingError("error.capture_journal_broken", file=self.path(window)) from None

    def others(self) -> list[Other]:
        """The other journals of this account and place, the latest first."""
        found = [Other(one, self.held_elsewhere(one), self._readable(one)) for one in self.windows()]
        return sorted(found, key=lambda other: other.kept.changed_at if other.kept else "", reverse=True)

    def _readable(self, window: str) -> Kept | None:
        try:
            return self.read(window)
        except ProcessingError:
            return None

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
                self.path(window).unlink(missing_ok=True)
        self._sweep()
        return joined

    def _sweep(self) -> None:
        """Locks and unfinished pieces of windows that are gone."""
        for lock in self.folder.glob(f"*{LOCK}"):
            if lock.stem != self.window and not self.held_elsewhere(lock.stem):
                lock.with_suffix(".part").unlink(missing_ok=True)
                if not self.path(lock.stem).exists():
                    lock.unlink(missing_ok=True)

    def hold_again(self) -> bool:
        """Hold the window again after it was let go; False where another window has taken its records over meanwhile."""
        if self.is_held:
            return True
        taken = self._had_file and not self.file.exists()
        self.hold()
        return not taken

    def close(self) -> None:
        """Let go of the window; its records stay for the next one."""
        self._had_file = self.file.exists()
        self.let_go()


def _plain(kept: Kept) -> bytes:
    body = {
        "version": VERSION, "current": kept.current, "handing": kept.handing, "handed": kept.handed,
        "changed_at": kept.changed_at, "drafts": [to_plain(one) for one in kept.drafts],
    }  # fmt: skip
    return json.dumps(body, ensure_ascii=False).encode()


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
