"""The bytes of a received file: kept under its own SHA-256, or inside an archive that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.door import ReceivedFile
from tkyt_analysis.warehouse import custody

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.lake import Warehouse


@contextmanager
def received_bytes(warehouse: Warehouse, sha256: str) -> Iterator[Path]:
    """A readable path with the bytes of a received file; InputError where they are not in custody."""
    with ExitStack() as stack:
        if custody.has(warehouse.home, sha256):
            yield stack.enter_context(custody.opened(warehouse.home, sha256))
            return
        archive = _archive_of(warehouse, sha256)
        if not archive:
            raise InputError("error.correction_no_bytes", file=sha256[:12])
        path = stack.enter_context(custody.opened(warehouse.home, archive[0]))
        yield _member(ReceivedFile(path, archive[1], archive[0], path.stat().st_size), sha256)


def _archive_of(warehouse: Warehouse, sha256: str) -> tuple[str, str] | None:
    """(sha256, name) of the archive that a member came in, by the start of its name."""
    row: tuple[str, str] | None = warehouse.con.execute(
        """
        SELECT a.file_sha256, a.file_name FROM lake.received_file m
        JOIN lake.received_file a ON a.door = 'archive' AND starts_with(m.file_name, a.file_name || '/')
        WHERE m.file_sha256 = ? ORDER BY length(a.file_name) DESC, a.received_at DESC LIMIT 1
        """,
        [sha256],
    ).fetchone()
    return row


def _member(archive: ReceivedFile, sha256: str) -> Path:
    from tkyt_analysis.ingest.safe_open import expand

    for member in expand(archive):
        if member.sha256 == sha256:
            return member.path
    raise InputError("error.correction_no_bytes", file=sha256[:12])
