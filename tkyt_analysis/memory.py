"""How much a database connection may hold: so much in memory, so much more on disk in a private folder, then a sentence.

Settings: TKYT_MEMORY_MB (settings.memory_megabytes) and TKYT_SPILL_MB, per connection.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tkyt_analysis.errors import ProcessingError
from tkyt_analysis.labels import format_number
from tkyt_analysis.settings import memory_megabytes
from tkyt_analysis.warehouse.work_folder import private_folder

if TYPE_CHECKING:
    import duckdb

SPILL_MEGABYTES = 10_240
_folders: dict[tuple[int, Path], str] = {}


def spill_megabytes() -> int:
    """What one connection may put on disk when memory is full (TKYT_SPILL_MB)."""
    given = os.environ.get("TKYT_SPILL_MB", "")
    return int(given) if given.isdigit() else SPILL_MEGABYTES


def limit_memory(
    con: duckdb.DuckDBPyConnection, home: Path, *, megabytes: int | None = None, on_disk: int | None = None
) -> None:
    """Bound what a connection holds [MB]; beyond `megabytes` it spills into the home's private work folder.

    To be called before the connection's configuration is locked. Where the home cannot be written to nothing spills.
    """
    folder = spill_folder(home)
    if folder:  # one for each connection: a connection closed to files may still read its own
        folder = f"{folder}/{secrets.token_hex(4)}"
    con.execute(f"SET memory_limit = '{megabytes or memory_megabytes()}MB'")
    con.execute(f"SET temp_directory = '{folder.replace(chr(39), chr(39) * 2)}'")
    if folder:
        con.execute(f"SET max_temp_directory_size = '{spill_megabytes() if on_disk is None else on_disk}MB'")


def spill_folder(home: Path) -> str:
    """This process's folder (0700) for what does not fit into memory, gone at its end; "" where none can be made."""
    key = (os.getpid(), Path(home).absolute())
    if key not in _folders:
        held = contextlib.ExitStack()
        try:
            _folders[key] = str(held.enter_context(private_folder(key[1])))
        except OSError:
            _folders[key] = ""
        atexit.register(_close, key[0], held)
    return _folders[key]


def _close(process: int, held: contextlib.ExitStack) -> None:
    if os.getpid() == process:  # not in a child that was forked
        held.close()


@contextlib.contextmanager
def guarded(con: duckdb.DuckDBPyConnection | None = None) -> Iterator[None]:
    """Turn "out of memory" into a sentence that says what to narrow (ProcessingError); the connection goes on working."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise ProcessingError("error.memory", memory=_limit(con), disk=format_number(spill_megabytes())) from None
    except MemoryError:
        raise ProcessingError("error.memory_python") from None


def _limit(con: duckdb.DuckDBPyConnection | None) -> str:
    if con is None:
        return f"{format_number(memory_megabytes())} MB"
    row = con.execute("SELECT current_setting('memory_limit')").fetchone()
    return str(row[0]) if row else "–"
