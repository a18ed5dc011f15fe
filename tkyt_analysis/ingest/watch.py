"""A drop folder: other software leaves files, `watch` receives them under the rules of ingest, pass by pass.

A file is taken once it is complete: size and time unchanged between two looks, or a marker `<name>.ok` beside it; names
of half-written files (.part, .tmp, .crdownload, ~$…, hidden) are left alone. What was read moves to
`done/<date>/`. Nothing is remembered between passes but the warehouse itself, which knows every file by its bytes: a
watcher that dies between receiving and moving finds its file known on the next start and only moves it.
"""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import IO, Any

from tkyt_analysis.errors import InputError, ProcessingError, TkytError
from tkyt_analysis.labels import LANGUAGES, label

UNFINISHED = (".part", ".tmp", ".crdownload", ".partial", ".ok")
OWN_FOLDERS = ("done", "out")
LOCK = ".tkyt-watch.lock"

Look = dict[Path, tuple[int, int]]


@dataclass
class Pass:
    """What one pass did: files as ingest tells them, those that could not be read or moved, and a failure of the whole."""

    files: list[dict[str, Any]] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    not_moved: list[str] = field(default_factory=list)
    problem: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {name: getattr(self, name) for name in ("files", "unreadable", "not_moved", "problem")}


def watch(
    home: Path,
    directory: Path,
    *,
    every: float = 10.0,
    done: Path | None = None,
    once: bool = False,
    language: str = "vi",
    say: Callable[[Pass], None] | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Receive what is dropped into `directory` until told to stop (SIGINT, SIGTERM, or `stop`); how many files were read.

    every : seconds between two looks; done : where read files go (default: `done` in the folder)
    once : one pass after two looks, then return
    A pass that fails as a whole (disk full, warehouse busy) is said and tried again at the next look; with `once` its
    error is raised. Raises InputError where the folder is missing, ProcessingError where another watcher has it.
    """
    directory = Path(directory).expanduser().absolute()
    if not directory.is_dir():
        raise InputError("error.path_missing", path=directory)
    stop = stop or threading.Event()
    total = 0
    with _one_watcher(directory), _stopping_on_signals(stop):
        before: Look = look(directory)
        said: list[str] = []
        while not stop.wait(min(every, 1.0) if once else every):
            now = look(directory)
            ready = {path: now[path] for path in complete(now, before)}
            outcome = one_pass(home, directory, ready, done=done or directory / "done", language=language)
            total += sum(row["status"] == "read" for row in outcome.files)
            if say and (outcome.files or outcome.problem or outcome.unreadable != said):
                say(outcome)
            said = outcome.unreadable
            if once:
                return _finished(outcome, total)
            before = look(directory)
    return total


def _finished(outcome: Pass, total: int) -> int:
    if outcome.problem:
        raise ProcessingError("error.watch_pass_failed", problem=outcome.problem)
    return total


def look(directory: Path) -> Look:
    """{file: (size, time of change)} of the files that may be data; own folders, hidden and half-written ones left out."""
    found: Look = {}
    for folder, folders, names in os.walk(directory):
        here = Path(folder)
        own = OWN_FOLDERS if here == directory else ()
        folders[:] = sorted(name for name in folders if name not in own and not name.startswith("."))
        for name in sorted(names):
            if name.startswith((".", "~$")) or name.lower().endswith(UNFINISHED) or name.endswith(".result.txt"):
                continue
            try:
                status = (here / name).stat()
            except OSError:  # taken away between the listing and the look
                continue
            found[here / name] = (status.st_size, status.st_mtime_ns)
    return found


def complete(now: Look, before: Look) -> list[Path]:
    """The files that did not change between two looks, or whose sender left `<name>.ok`. An empty file waits for its marker."""
    return [path for path, seen in now.items() if _marker(path).exists() or (seen[0] > 0 and before.get(path) == seen)]


def _marker(path: Path) -> Path:
    return path.with_name(path.name + ".ok")


def one_pass(home: Path, directory: Path, ready: Look, *, done: Path, language: str = "vi") -> Pass:
    """Receive the given files in one ingest, write what became of them, move them away. Never raises: see `Pass.problem`."""
    from tkyt_analysis.ingest.receive import ingest
    from tkyt_analysis.warehouse.custody import file_sha256

    outcome = Pass()
    files: dict[Path, str] = {}
    for path in ready:
        try:
            files[path] = file_sha256(path)
        except OSError:  # no right to read it, or taken away: it stays where it is and is looked at again
            outcome.unreadable.append(path.name)
    if not files:
        return outcome
    try:
        outcome.files = ingest(home, list(files), language=language).files
    except TkytError as error:
        outcome.problem = error.sentence()
    except Exception as error:  # whatever it is, the files lie where they lay, and the next pass tries again
        outcome.problem = type(error).__name__ if not isinstance(error, OSError) else str(error.strerror)
    if not outcome.problem:
        _put_all_away(home, outcome, files, ready, directory, done)
    return outcome


def _put_all_away(home: Path, outcome: Pass, files: dict[Path, str], ready: Look, directory: Path, done: Path) -> None:
    for path, sha256 in files.items():
        rows = [row for row in outcome.files if row["sha256"] == sha256 or row["name"].startswith(f"{path.name}/")]
        try:
            if _as_seen(path, ready[path]):
                _put_away(home, path, directory, done, rows)
        except OSError as error:
            outcome.not_moved.append(f"{path.name}: {error.strerror}")


def _as_seen(path: Path, seen: tuple[int, int]) -> bool:
    """Whether a file is still the one that was received: one written over meanwhile waits for the next pass."""
    status = path.stat()
    return (status.st_size, status.st_mtime_ns) == seen


def _put_away(home: Path, path: Path, directory: Path, done: Path, rows: list[dict[str, Any]]) -> None:
    """The result beside, if rows were refused; then the file to done/<date>/, under a free name; then its marker is gone."""
    if any(row.get("quarantined") for row in rows):
        _write_result(home, directory / "out" / f"{path.name}.result.txt", path.name, rows)
    folder = done / datetime.now().strftime("%Y-%m-%d")
    folder.mkdir(parents=True, exist_ok=True)
    target, number = folder / path.name, 1
    while target.exists():
        number += 1
        target = folder / f"{path.stem} ({number}){path.suffix}"
    _move(path, target)
    _marker(path).unlink(missing_ok=True)


def _move(path: Path, target: Path) -> None:
    """Move a file, also to another disk: there it is copied whole before the original goes."""
    try:
        os.replace(path, target)
    except OSError as error:
        import errno
        import shutil

        if error.errno != errno.EXDEV:
            raise
        part = target.with_name(f".{target.name}.part")
        shutil.copy2(path, part)
        os.replace(part, target)
        path.unlink()


def _write_result(home: Path, target: Path, name: str, rows: list[dict[str, Any]]) -> None:
    """What became of a file, in Vietnamese and English, whole or not at all."""
    from tkyt_analysis.ingest.summary import quarantine_examples

    examples = quarantine_examples(home, [row["sha256"] for row in rows if row.get("quarantined")])
    totals = {count: sum(row.get(count) or 0 for row in rows) for count in ("received", "landed", "quarantined")}
    text = [label("watch.result", one, file=name, **totals) for one in LANGUAGES]
    text += [f"  {count} × {sentence}" for count, sentence in examples]
    text += [label("watch.result_workbook", one, sha256=rows[0]["sha256"]) for one in LANGUAGES]
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.write_text("\n".join(text) + "\n", "utf-8")
    os.replace(part, target)


@contextmanager
def _one_watcher(directory: Path) -> Iterator[IO[str]]:
    """The folder's lock; the system frees it when its process ends."""
    with open(directory / LOCK, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProcessingError("error.watch_taken", directory=directory) from None
        yield file


@contextmanager
def _stopping_on_signals(stop: threading.Event) -> Iterator[None]:
    """SIGINT and SIGTERM end the watch after the pass at hand; only the main thread may listen to them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number: int, frame: FrameType | None) -> None:
        stop.set()

    earlier = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
