"""A review workbook among received files: it looks like a list of deaths, and must not become one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mortality.linkage.workbook import KIND
from tkyt_analysis.errors import InputError

if TYPE_CHECKING:
    from tkyt_analysis.ingest.door import Batch, IngestContext, ReceivedFile


class ReviewWorkbookDoor:
    """See `tkyt_analysis.ingest.door.Door`. It takes nothing: the file is refused with a sentence that says where it belongs."""

    id = "death_link_review"

    def recognise(self, file: ReceivedFile) -> float:
        """0.99 where the hidden sheet says so."""
        from tkyt_analysis.ingest.passport import read_passport

        return 0.99 if read_passport(file.path).get("kind") == KIND else 0.0

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """Always an InputError."""
        raise InputError("error.link_workbook_is_no_list", file=file.name)


DOOR = ReviewWorkbookDoor()
