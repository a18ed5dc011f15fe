"""The door for lists that an office supplies: health facilities with their dates, and population figures.

What they may look like and what is refused (figures of the residence register) is known to `reference.facilities` and
`reference.population_file`; this door finds such files, hands them over and says where each row went.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError, TkytError
from tkyt_analysis.ingest.csv_records import DELIMITERS
from tkyt_analysis.ingest.door import Batch, IngestContext, ReceivedFile
from tkyt_analysis.ingest.safe_open import file_kind, read_head, require_safe_workbook
from tkyt_analysis.reference.vietnamese_text import fold

HEADER_ROWS = 20
FACILITY_COLUMNS_NEEDED = {"code", "name", "unit"}
_SUFFIXES = {"text": ".csv", "xlsx": ".xlsx", "xls": ".xls", "ods": ".ods"}
UNUSED_COLUMN = "population.column_not_used"  # a column, not a row: noted
SMALL_ENOUGH = 64 << 20  # these lists are read into memory


class SuppliedDoor:
    """Reads facility lists and population tables. See `tkyt_analysis.ingest.door.Door`."""

    id = "supplied"

    def recognise(self, file: ReceivedFile) -> float:
        """0.8 for a facility list, 0.5 for a population table (many tables have years and sexes), else 0."""
        return {"facility": 0.8, "population": 0.5}.get(content(file), 0.0)

    def rank(self, file: ReceivedFile) -> int:
        """Before the values that are divided by them or placed in them."""
        return 1

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """One batch for facility or population."""
        what = content(file)
        if not what:
            raise InputError("error.file_not_recognised", file=file.name)
        with _named(file) as path:
            yield _facility_batch(path) if what == "facility" else _population_batch(path)


def content(file: ReceivedFile) -> str:
    """ "facility", "population", or "" for any other file."""
    from python_calamine import CalamineError

    try:
        if file.size > SMALL_ENOUGH:
            return ""
        heads = _head_rows(file)
    except (TkytError, OSError, ValueError, csv.Error, CalamineError):
        return ""
    if any(_is_facility_header(row) for row in heads):
        return "facility"
    return "population" if any(_is_population_header(row) for row in heads) else ""


def _head_rows(file: ReceivedFile) -> list[list[str]]:
    """The first rows of every sheet as text; of a CSV, split by each delimiter that may be meant."""
    kind = file_kind(file.path)
    if kind == "text":
        lines = read_head(file).decode("utf-8", errors="replace").splitlines()[:HEADER_ROWS]
        return [row for mark in DELIMITERS for row in csv.reader(lines, delimiter=mark) if len(row) > 1]
    if kind not in _SUFFIXES:
        return []
    from python_calamine import CalamineWorkbook

    if kind != "xls":
        require_safe_workbook(file)
    book = CalamineWorkbook.from_path(str(file.path))
    sheets = [
        book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=HEADER_ROWS) for name in book.sheet_names
    ]
    return [[" ".join(str(cell).split()) for cell in row] for rows in sheets for row in rows]


def _is_facility_header(row: list[str]) -> bool:
    known = read_codelist("facility_columns")
    columns = dict(zip((fold(header) for header in known["header"]), known["column"], strict=True))
    return {columns.get(fold(cell)) for cell in row} >= FACILITY_COLUMNS_NEEDED


def _is_population_header(row: list[str]) -> bool:
    from tkyt_analysis.reference.population_columns import understand_header

    return bool(understand_header([" ".join(cell.split()) for cell in row]))


@contextmanager
def _named(file: ReceivedFile) -> Iterator[Path]:
    """The file under the name by which it was received, so that sentences name it; its ending says its true kind."""
    with tempfile.TemporaryDirectory(prefix="tkyt-supplied-") as folder:
        name = Path(file.name.rsplit("/", 1)[-1])
        suffix = _SUFFIXES[file_kind(file.path)]
        path = Path(folder) / (name.name if name.suffix.lower() == suffix else f"{name.name}{suffix}")
        path.symlink_to(file.path.absolute())
        yield path


def _facility_batch(path: Path) -> Batch:
    from tkyt_analysis.reference.facilities import read_facilities

    facilities, problems = read_facilities(path)
    return Batch("facility", facilities, problems, received=len(facilities) + len(problems))


def _population_batch(path: Path) -> Batch:
    from tkyt_analysis.reference.population_file import read_population_file

    found = read_population_file(path)
    rows = found.rows.rename(columns={"source": "source_id"}).drop(columns="method")
    unused = found.set_aside["reason"] == UNUSED_COLUMN
    notes = found.set_aside[unused].rename(columns={"reason": "note"})
    cells = found.set_aside[~unused]
    return Batch("population", rows, cells, notes, received=len(rows) + len(cells))


DOOR = SuppliedDoor()
