"""CSV, XLSX and Parquet as one thing: sheets with a header and rows of text, each row with its number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

import pyarrow as pa

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.csv_records import BrokenLine, find_layout, read_records
from tkyt_analysis.ingest.door import ReceivedFile
from tkyt_analysis.ingest.numbers import plain_number
from tkyt_analysis.ingest.safe_open import (
    TEXT_KINDS,
    detect_encoding,
    file_kind,
    open_utf8,
    read_head,
    require_safe_workbook,
)

Score = Callable[[list[str]], float]
HEADER_ROWS = 40


@dataclass
class Piece:
    """Rows of text (row_number, c0, c1, …) and lines that are no row."""

    table: pa.Table
    broken: list[BrokenLine] = field(default_factory=list)


@dataclass
class Sheet:
    """One table of a file. `pieces` reads its rows; `notes` are label keys with fields about the whole of it."""

    name: str
    header: list[str]
    pieces: Callable[[], Iterator[Piece]]
    notes: list[tuple[str, dict[str, object]]] = field(default_factory=list)


def find_sheets(file: ReceivedFile, score: Score) -> list[Sheet]:
    """The sheets of a file whose header row scores above 0; the highest-scoring row of each sheet is its header."""
    kind = file_kind(file.path)
    if kind == "parquet":
        return _parquet_sheet(file, score)
    if kind in ("xlsx", "ods", "xls"):
        return _workbook_sheets(file, score, kind)
    if kind in (*TEXT_KINDS, "gz"):
        return _csv_sheet(file, score)
    return []


def peek_headers(file: ReceivedFile, score: Score) -> float:
    """The best score of any header of the file, from a cheap look."""
    kind = file_kind(file.path)
    if kind in ("text", "gz"):
        layout = find_layout(_head(file), score)
        return score(list(layout.header)) if layout else 0.0
    return max((score(sheet.header) for sheet in find_sheets(file, score)), default=0.0)


# ----------------------------------------------------------------------------------------------------------------- CSV


def _head(file: ReceivedFile) -> bytes:
    head = read_head(file)
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return head.decode("cp1258", errors="replace").encode()
    return head


def _csv_sheet(file: ReceivedFile, score: Score) -> list[Sheet]:
    layout = find_layout(_head(file), score)
    if layout is None:
        return []
    encoding = detect_encoding(file)
    notes: list[tuple[str, dict[str, object]]] = []
    if encoding == "cp1258":
        notes.append(("note.file_encoding", {"encoding": "Windows-1258"}))

    def pieces() -> Iterator[Piece]:
        with open_utf8(file, encoding) as stream:
            for records in read_records(stream, layout):
                yield Piece(records.table, records.broken)
            if stream.broken_at is not None:
                position = stream.broken_at
                broken = BrokenLine(0, str(position), "quarantine.gz_cut_off", {"position": position})
                yield Piece(_text_rows([], 0, len(layout.header)), [broken])

    return [Sheet("", list(layout.header), pieces, notes)]


# ----------------------------------------------------------------------------------------------------------- workbooks


def _workbook_sheets(file: ReceivedFile, score: Score, kind: str) -> list[Sheet]:
    from python_calamine import CalamineError, CalamineWorkbook

    if kind != "xls":
        require_safe_workbook(file)
    try:
        workbook = CalamineWorkbook.from_path(str(file.path))
        names = workbook.sheet_names
    except (CalamineError, OSError):
        raise InputError("error.file_damaged_zip", file=file.name) from None
    sheets = []
    for name in names:
        try:
            rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        except CalamineError:
            continue
        heads = [[_cell_text(cell).strip() for cell in row] for row in rows[:HEADER_ROWS]]
        at = max(range(len(heads)), key=lambda number: score(heads[number]), default=None)
        if at is not None and score(heads[at]) > 0:
            sheets.append(_workbook_sheet(name, heads[at], rows[at + 1 :], at + 2))
    return sheets


def _workbook_sheet(name: str, header: list[str], rows: Sequence[Sequence[object]], first_row: int) -> Sheet:
    def pieces() -> Iterator[Piece]:
        for start in range(0, len(rows), 100_000):
            texts = [[_cell_text(cell) for cell in row] for row in rows[start : start + 100_000]]
            yield Piece(_text_rows(texts, first_row + start, len(header)))

    return Sheet(name, header, pieces)


def _cell_text(cell: object) -> str:
    """A cell as text; numbers so that they can only be read as themselves, dates as ISO."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, (int, float)):
        plain = plain_number(float(cell))
        return f"{plain}0" if "." in plain and len(plain.rpartition(".")[2]) == 3 else plain
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d") if cell.time() == time.min else cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, (date, time)) else str(cell)


def _text_rows(texts: list[list[str]], first_row: int, width: int) -> pa.Table:
    """Rows as a table; wholly empty ones are no rows."""
    filled = [(first_row + at, row) for at, row in enumerate(texts) if any(cell.strip() for cell in row)]
    columns = {
        f"c{at}": pa.array([row[at] if at < len(row) else "" for _, row in filled], pa.string()) for at in range(width)
    }
    return pa.table({"row_number": pa.array([number for number, _ in filled], pa.int64()), **columns})


# ------------------------------------------------------------------------------------------------------------- Parquet


def _parquet_sheet(file: ReceivedFile, score: Score) -> list[Sheet]:
    import pyarrow.parquet as pq

    try:
        header = pq.read_schema(file.path).names
    except (pa.ArrowInvalid, OSError):
        raise InputError("error.file_damaged_parquet", file=file.name) from None
    if score(header) <= 0:
        return []

    def pieces() -> Iterator[Piece]:
        first = 1
        for batch in pq.ParquetFile(file.path).iter_batches(100_000):
            columns = {f"c{at}": _as_text(batch.column(at)) for at in range(len(header))}
            numbers = pa.array(range(first, first + len(batch)), pa.int64())
            yield Piece(pa.table({"row_number": numbers, **columns}))
            first += len(batch)

    return [Sheet("", header, pieces)]


def _as_text(column: pa.Array) -> pa.Array:
    """Typed columns as text that can only be read as themselves."""
    if pa.types.is_floating(column.type):
        return pa.array([None if v is None else _cell_text(v) for v in column.to_pylist()], pa.string())
    return column.cast(pa.string())
