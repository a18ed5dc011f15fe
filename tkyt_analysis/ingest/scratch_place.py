"""Where doors put temporary files: a private folder of the home while an ingest is at work, else the system's place."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

_place: ContextVar[Path | None] = ContextVar("tkyt_scratch_place", default=None)


def scratch_place() -> Path | None:
    """The folder for temporary files, None for the system's own."""
    return _place.get()


@contextlib.contextmanager
def scratch_in(folder: Path) -> Iterator[None]:
    """Let doors put their temporary files into this folder."""
    token = _place.set(folder)
    try:
        yield
    finally:
        _place.reset(token)
