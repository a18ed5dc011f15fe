"""When the disk is full or cannot be written to: one sentence, whoever noticed it (Python, DuckDB, SQLite)."""

from __future__ import annotations

import contextlib
import errno
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from tkyt_analysis.errors import ProcessingError, TkytError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NOT_WRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM}
FULL_WORDS = ("no space left on device", "database or disk is full", "disk quota exceeded", "file too large")
NOT_WRITABLE_WORDS = (
    "read-only file system",
    "readonly database",
    "read-only database",
    "permission denied",
    "unable to open database file",
)

Function = TypeVar("Function", bound=Callable[..., Any])


def trouble(problem: BaseException, home: Path) -> ProcessingError | None:
    """The sentence for a fault of the disk; None for any other fault."""
    if isinstance(problem, TkytError):
        return None
    text = str(problem).lower()
    number = problem.errno if isinstance(problem, OSError) else None
    place = getattr(problem, "filename", None) or home
    if number in FULL or any(words in text for words in FULL_WORDS):
        return ProcessingError("error.disk_full", path=place, home=home)
    if number in NOT_WRITABLE or (number is None and any(words in text for words in NOT_WRITABLE_WORDS)):
        return ProcessingError("error.disk_not_writable", path=place, home=home)
    return None


def raise_disk_trouble(problem: BaseException, home: Path) -> None:
    """Raise the sentence where a fault is one of the disk; else do nothing."""
    said = trouble(problem, home)
    if said:
        raise said from None


@contextlib.contextmanager
def disk_sentences(home: Path) -> Iterator[None]:
    """Faults of the disk inside become their sentence."""
    try:
        yield
    except Exception as problem:
        raise_disk_trouble(problem, Path(home))
        raise


def says_disk_trouble(function: Function) -> Function:
    """The same for a function whose first argument is the home."""

    @functools.wraps(function)
    def inner(home: Path, *arguments: Any, **options: Any) -> Any:
        with disk_sentences(home):
            return function(home, *arguments, **options)

    return inner  # type: ignore[return-value]
