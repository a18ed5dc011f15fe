"""The doors for lists of documents on a death, in workbooks, CSV or Parquet: one row per document, columns by heading."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath

import pandas as pd

from mortality.documents.headers import (
    CERTIFICATE,
    CIVIL,
    NOTICE,
    SENT_HOME,
    DocumentKind,
    codes_of_lines,
    kind_of_fields,
    lists_on_sheet,
    match_document_header,
)
from mortality.documents.records import DocumentHeading, document_batches, read_document_heading
from mortality.documents.repair import repaired_lines
from mortality.line_list import parquet_pieces, texts_of_column
from mortality.records.as_written import written_of_frame, written_of_table
from mortality.register_lines import CONTINUATION, DEATH, error_cells, join_run_ons, line_kinds, register_cells
from mortality.register_records import IDENTIFIER_FIELDS
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.csv_records import BrokenLine, find_layout, read_records
from tkyt_analysis.ingest.door import NOTE_COLUMNS, Batch, IngestContext, Note, Quarantined, ReceivedFile
from tkyt_analysis.ingest.excel_grid import iterate_workbook, peek_workbook
from tkyt_analysis.ingest.excel_tables import Table
from tkyt_analysis.ingest.safe_open import file_kind, open_utf8, read_head, require_safe_workbook

WORKBOOKS = ("xlsx", "xls", "ods")
NO_LIST = "error.no_document_list"
SURENESS = 0.97  # above that of the register's doors (0.95, 0.9): these lists have columns that no register has


class DocumentListDoor:
    """Recognises lists of one kind of document; see `headers.kind_of_fields`."""

    def __init__(self, kind: DocumentKind) -> None:
        self.kind = kind
        self.id = f"{kind.id}_list"

    def recognise(self, file: ReceivedFile) -> float:
        """0.97 where the first list of the file is of this kind."""
        return SURENESS if first_kind(file.path, file) == self.kind.id else 0.0

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """The lists of this kind, sheet by sheet or block by block; other tables are left and named in a note."""
        today = datetime.date.today()
        if file_kind(file.path) in WORKBOOKS:
            yield from self._workbook(file, today)
        else:
            yield from self._table(file, today)

    def _workbook(self, file: ReceivedFile, today: datetime.date) -> Iterator[Batch]:
        if file_kind(file.path) != "xls":
            require_safe_workbook(file)
        found = False
        for grid in iterate_workbook(file.path, name=file.name):
            for kind, table in lists_on_sheet(grid):
                found = True
                yield from list_batches(kind, table, file_name=file.name, today=today)
        if not found:
            raise InputError(NO_LIST, file=file.name)

    def _table(self, file: ReceivedFile, today: datetime.date) -> Iterator[Batch]:
        header = _header(file)
        fields = fields_of_header(header)
        heading = read_document_heading([_words_of(file.name)])
        for frame, broken in _pieces(file):
            if broken:
                refused = [
                    Quarantined(one.reason, "", one.row_number, "", "", {**one.fields, "text": "…"}) for one in broken
                ]
                yield Batch(
                    "death" if self.kind.deaths else "sent_home_dying", pd.DataFrame(), refused, [], len(refused)
                )
            if len(frame):
                yield from _piece_batches(self.kind, frame, fields, header, heading, today)


def _words_of(name: str) -> str:
    return re.sub(r"[_+.]+", " ", PurePosixPath(name).stem)


def _piece_batches(
    kind: DocumentKind, frame: pd.DataFrame, fields: dict[int, str], header: list[str], heading: DocumentHeading,
    today: datetime.date,
) -> Iterator[Batch]:  # fmt: skip
    lines = pd.DataFrame({field: texts_of_column(frame.iloc[:, at + 1]) for at, field in fields.items()})
    lines.index = pd.Index(frame["row_number"].to_numpy(), name="row_number")
    headers = {field: header[at] for at, field in reversed(fields.items())}
    cells = frame.iloc[:, 1:].set_axis(lines.index)
    written = written_of_frame(cells, [fields.get(at, "") for at in range(cells.shape[1])])
    lines, notes = repaired_lines(lines, headers)
    yield from document_batches(
        kind, lines, heading=heading, headers=headers, today=today, notes=notes, written=written
    )


# ------------------------------------------------------------------------------------------------ workbooks


def list_batches(kind: DocumentKind, table: Table, *, file_name: str, today: datetime.date) -> Iterator[Batch]:
    """The batches of one list on a sheet."""
    cells = register_cells(table)
    kinds = line_kinds(table, cells)
    lines = join_run_ons(cells, kinds)
    above = [text for _, text in reversed(table.above())]
    heading = read_document_heading([*above, table.grid.sheet, _words_of(file_name)])
    headers = {field: table.headers[column] for column, field in reversed(table.fields.items())}
    places = pd.DataFrame({"sheet": table.grid.sheet, "row_number": lines.index}, index=lines.index)
    notes = _cell_notes(table, headers, lines.index)
    written = written_of_table(table, kinds, death=DEATH, run_on=CONTINUATION)
    first = True
    for batch in document_batches(
        kind, lines, heading=heading, headers=headers, today=today, places=places, notes=notes, written=written
    ):
        if first:
            first = False
            batch = _with_notes(batch, _sheet_notes(table, kinds))
        yield batch


def _with_notes(batch: Batch, more: list[Note]) -> Batch:
    extra = pd.DataFrame([[getattr(note, name) for name in NOTE_COLUMNS] for note in more], columns=NOTE_COLUMNS)
    parts = [part for part in (batch.notes, extra) if len(part)]
    notes = pd.concat(parts, ignore_index=True) if parts else extra
    return Batch(batch.table, batch.rows, batch.quarantined, notes, batch.received, batch.counts)


def _sheet_notes(table: Table, kinds: pd.Series) -> list[Note]:
    """What was left out of the count and why, and a hidden sheet."""
    skipped = kinds[kinds.ne(DEATH)].value_counts().sort_index()
    notes = [
        Note(f"note.register_lines.{kind}", table.grid.sheet, value=str(count), fields={"count": int(count)})
        for kind, count in skipped.items()
    ]
    return [*notes, Note("note.hidden_sheet", table.grid.sheet)] if table.grid.hidden else notes


def _cell_notes(table: Table, headers: dict[str, str], rows: pd.Index) -> pd.DataFrame:
    """Repaired texts and error cells of the recognised columns; what names a person is not repeated."""
    repairs = table.grid.repairs
    repairs = repairs[repairs["row"].isin(rows) & repairs["column"].isin(table.fields)]
    field = repairs["column"].map(table.fields)
    hidden = field.isin(IDENTIFIER_FIELDS)
    repaired = pd.DataFrame(
        {
            "sheet": table.grid.sheet,
            "row_number": repairs["row"],
            "column_name": field.map(headers),
            "value": repairs["value"].astype("str").mask(hidden, ""),
            "became": repairs["became"].astype("str").mask(hidden, ""),
            "note": repairs["note"],
        }
    )
    errors = error_cells(table)
    errors = errors[errors["row_number"].isin(rows)]
    wrong = errors.assign(
        sheet=table.grid.sheet, column_name=errors["field"].map(headers), became="", note="note.cell_error"
    )
    notes = pd.concat([part for part in (repaired, wrong) if len(part)] or [repaired], ignore_index=True)
    return notes.assign(fields=[{}] * len(notes))[NOTE_COLUMNS]


# ------------------------------------------------------------------------------------------ CSV and Parquet


@lru_cache(maxsize=8)
def _first_kind(path: Path, sha256: str, size: int, name: str) -> str:
    file = ReceivedFile(path, name, sha256, size)
    if file_kind(path) in WORKBOOKS:
        found = (kind for grid in peek_workbook(path) for kind, _ in lists_on_sheet(grid))
        return next((kind.id for kind in found), "")
    kind = kind_of_fields(set(fields_of_header(_header(file)).values()))
    return kind.id if kind else ""


def first_kind(path: Path, file: ReceivedFile) -> str:
    """The kind of the first document list of a file, "" where there is none; never raises."""
    try:
        return _first_kind(path, file.sha256, file.size, file.name)
    except Exception:  # whatever is wrong with the file, reading it will say so
        return ""


def _header(file: ReceivedFile) -> list[str]:
    kind = file_kind(file.path)
    if kind == "parquet":
        import pyarrow.parquet as parquet

        return list(parquet.read_schema(file.path).names)
    if kind not in ("text", "gz"):
        return []
    layout = find_layout(read_head(file), _header_score)
    return list(layout.header) if layout else []


def _header_score(cells: list[str]) -> float:
    fields = set(fields_of_header(cells).values())
    return float(len(fields)) if kind_of_fields(fields) else 0.0


def fields_of_header(header: list[str]) -> dict[int, str]:
    """{position: field}; the first column of a field counts."""
    names = [match_document_header(name.strip()) for name in header]
    bare = ["interval" if not field and "thời gian" in name.lower() else field for field, name in zip(names, header)]
    found: dict[int, str] = {}
    for at, field in enumerate(codes_of_lines(bare)):
        if field and field not in found.values():
            found[at] = field
    return found


def _pieces(file: ReceivedFile) -> Iterator[tuple[pd.DataFrame, list[BrokenLine]]]:
    if file_kind(file.path) == "parquet":
        yield from parquet_pieces(file)
        return
    layout = find_layout(read_head(file), _header_score)
    if layout is None:
        raise InputError(NO_LIST, file=file.name)
    with open_utf8(file) as stream:
        for records in read_records(stream, layout):
            frame = records.table.to_pandas()
            frame.columns = ["row_number", *layout.header]
            yield frame.sort_values("row_number", ignore_index=True), records.broken


CERTIFICATE_DOOR = DocumentListDoor(CERTIFICATE)
CIVIL_DOOR = DocumentListDoor(CIVIL)
NOTICE_DOOR = DocumentListDoor(NOTICE)
SENT_HOME_DOOR = DocumentListDoor(SENT_HOME)
