"""Choices on their way into the warehouse: a keystroke is safe on disk in milliseconds, the warehouse takes them in groups.

Storing takes a turn in the warehouse, which lasts about a second; a coder does not wait for that. A choice is first sealed
into the file of its window (`tkyt_analysis.app_shell.windows`), then a worker hands what is there to `record_choices`. What a
killed process left is handed in by the next window of the account. A process that dies between the two leaves a choice that is
stored twice: the latest word of a coder counts once.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from mortality.coder.choices import Choice, record_choices
from mortality.coding.suggest import Candidate
from tkyt_analysis.app_shell.log import log
from tkyt_analysis.app_shell.windows import WindowFile
from tkyt_analysis.errors import ProcessingError, TkytError
from tkyt_analysis.warehouse.sealed_files import SealBrokenError
from tkyt_analysis.warehouse.whole_files import file_lock

GATHER_SECONDS, AGAIN_SECONDS = 1.5, 5.0


class Outbox:
    """The choices of one window that the warehouse does not have yet. `problem`: why the last attempt failed, or None."""

    def __init__(self, home: Path, account: str, *, store: Callable[..., object] = record_choices) -> None:
        self.home, self.account, self._store = Path(home), account, store
        self.kept = WindowFile(self.home, "coder", account)
        self.problem: TkytError | None = None
        self._pending: list[Choice] = []
        self._change, self._turn = threading.Lock(), threading.Lock()
        self._wake, self._closed = threading.Event(), False
        self._worker: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """Choices that the warehouse does not have yet."""
        return len(self._pending)

    # -- a choice comes in

    def add(self, choice: Choice) -> None:
        """Keep a choice: it is on disk when this returns. Raises ProcessingError where the disk refuses."""
        with self._change:
            self._write([*self._pending, choice])
            self._pending.append(choice)
        self._begin()
        self._wake.set()

    def _write(self, choices: list[Choice]) -> None:
        body = json.dumps([asdict(one) for one in choices], ensure_ascii=False).encode()
        try:
            self.kept.put(body if choices else None)
        except OSError as error:
            raise ProcessingError("error.coder_not_kept", problem=error.strerror or type(error).__name__) from None

    # -- choices go on

    def _begin(self) -> None:
        if self._worker is None or not self._worker.is_alive():
            context = contextvars.copy_context()
            self._worker = threading.Thread(
                target=context.run, args=(self._work,), daemon=True, name="tkyt-coder-outbox"
            )
            self._worker.start()

    def _work(self) -> None:
        """Gather for a moment, then store; after a failure try again later."""
        while not self._closed:
            self._wake.wait()
            self._wake.clear()
            threading.Event().wait(GATHER_SECONDS)
            while not self._closed and self.waiting:
                try:
                    self.flush()
                except Exception as error:  # kept on disk; said on the page; tried again
                    log.error("coder outbox %s", type(error).__name__)
                    threading.Event().wait(AGAIN_SECONDS)

    def flush(self) -> int:
        """Store what waits; how many. Raises what the warehouse said; the choices stay kept."""
        with self._turn:
            with self._change:
                batch = list(self._pending)
            if not batch:
                return 0
            try:
                self._store(self.home, batch)
            except TkytError as error:
                self.problem = error
                raise
            with self._change:
                self._pending = self._pending[len(batch) :]
                self._write(self._pending)
            self.problem = None
            return len(batch)

    def take_left(self) -> int:
        """Store what windows that are gone left; how many. A file that was altered stays where it is (ProcessingError)."""
        stored = 0
        for window in self.kept.windows():
            path, lock = self.kept.path(window), self.kept.lock(window)
            with contextlib.ExitStack() as held:
                try:
                    held.enter_context(file_lock(lock, wait=0))
                except TimeoutError:
                    continue
                choices = self._read(window)
                if choices:
                    self._store(self.home, choices)
                path.unlink(missing_ok=True)
                lock.unlink(missing_ok=True)
                stored += len(choices)
        return stored

    def pending_elsewhere(self) -> list[Choice]:
        """What other windows of the account hold that the warehouse does not have yet (a page that was just loaded again)."""
        found: list[Choice] = []
        for window in self.kept.windows():
            with contextlib.suppress(ProcessingError):
                found += self._read(window)
        return found

    def _read(self, window: str) -> list[Choice]:
        try:
            rows = json.loads(self.kept.content(window))
            return [Choice(**{**row, "suggested": tuple(Candidate(**one) for one in row["suggested"])}) for row in rows]
        except FileNotFoundError:
            return []
        except (SealBrokenError, ValueError, KeyError, TypeError):
            raise ProcessingError("error.coder_outbox_broken", file=self.kept.path(window)) from None

    def close(self) -> None:
        """Store what waits and let go of the window; what cannot be stored stays for the next one."""
        with contextlib.suppress(Exception):
            self.flush()
        self._closed = True
        self._wake.set()
        self.kept.let_go()
