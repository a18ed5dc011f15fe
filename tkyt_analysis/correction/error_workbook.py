"""Write error workbooks: the unit's own file with its bad cells marked, and a first sheet that lists them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.access import require, working_within
from tkyt_analysis.access.audit import record
from tkyt_analysis.access.warehouse_view import ScopedWarehouse
from tkyt_analysis.correction.bytes_of import received_bytes
from tkyt_analysis.correction.cells import CellFinder
from tkyt_analysis.correction.list_sheet import free_name, write_list_sheet, write_text
from tkyt_analysis.correction.marking import Mark, comment_lines, keep_looks, mark_cells, remove_marks
from tkyt_analysis.correction.questions import QUARANTINE, QUESTION_COLUMNS, SEVERITIES, file_subject, questions_of_file
from tkyt_analysis.correction.wording import said_and_to_do, severity_word
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.door import ReceivedFile
from tkyt_analysis.ingest.excel_grid import CellError, Grid, iterate_workbook
from tkyt_analysis.ingest.passport import ANSWERS, LIST_SHEET, SHEET, passport_of
from tkyt_analysis.labels import label
from tkyt_analysis.warehouse.lake import Warehouse

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

LISTED_PER_NOTE = 200  # of one kind of note; the others are coloured and counted
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class ErrorWorkbook:
    """What was written: questions by severity, and how many have a cell of their own."""

    path: str
    file: str
    file_sha256: str
    unit_id: str
    errors: int
    warnings: int
    notes: int
    marked_cells: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def write_error_workbook(home: Path, file_sha256: str, output: Path) -> ErrorWorkbook:
    """The error workbook of one received file, and its questions on record (table `question`).

    The file goes back to its unit or its province, so it may hold the names that the unit itself wrote: it needs the
    right to read at that place, is an audit line, and only its owner can open it (mode 0600).
    Raises InputError where the file is no workbook or table, or is not in custody.
    """
    account = require(home, "read", table="question")
    with working_within(), Warehouse(home, write=True) as warehouse:
        ScopedWarehouse(warehouse, account.reads).require_file(file_sha256, account)
        subject = file_subject(warehouse, file_sha256)
        name = file_name(warehouse, file_sha256)
        with received_bytes(warehouse, file_sha256) as path:
            grids = {grid.sheet: grid for grid in read_grids(path, name)}
            questions = questions_of_file(warehouse, file_sha256, CellFinder(_data_sheets(grids)))
            book = open_book(path, grids)
        title = unit_title(warehouse, subject["unit_id"])
        texts = [said_and_to_do(row, unit=title) for row in questions.to_dict("records")]
        heading = {"file": name, "unit": title, "period": period_title(subject["period_id"])}
        made = _fill_book(book, questions, texts, heading, file_sha256, subject, passport_of(grids.values()))
        save_private(book, output)
        ask(warehouse, questions)
    record(home, "error_workbook", rows=len(questions), file=file_sha256, unit=subject["unit_id"])
    return ErrorWorkbook(str(output), name, file_sha256, subject["unit_id"], **made)


def write_for_place(home: Path, place: str, folder: Path, *, progress: Progress | None = None) -> list[ErrorWorkbook]:
    """An error workbook for every file of the place with something to mend; files that were replaced are left out."""
    require(home, "read", table="question", place=place)
    with working_within(), Warehouse(home) as warehouse:
        files = files_of_place(warehouse, place)
        asked = [row for row in files.to_dict("records") if _has_questions(warehouse, row["file_sha256"])]
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, row in enumerate(asked):
        if progress:
            progress(number, len(asked), row["file_name"])
        stem = Path(row["file_name"]).stem
        target = folder / f"{row['unit_id'].replace(':', '-')}_{stem[:60]}_{row['file_sha256'][:8]}.xlsx"
        written.append(write_error_workbook(home, row["file_sha256"], target))
    return written


def _has_questions(warehouse: Warehouse, file_sha256: str) -> bool:
    return len(questions_of_file(warehouse, file_sha256, CellFinder({}))) > 0


# -------------------------------------------------------------------------------------------------- finding files


def find_file(
    home: Path, *, file: str | None = None, unit: str | None = None, period: str | None = None, form: str | None = None
) -> str:
    """SHA-256 of one received file: by its name or SHA-256 (eight digits are enough), or by unit, period and form.

    Of several the one received last. Raises InputError where there is none.
    """
    require(home, "read", table="question")
    with working_within(), Warehouse(home) as warehouse:
        if file:
            rows = warehouse.query(
                """
                SELECT file_sha256 FROM lake.received_file
                WHERE (length($1) >= 8 AND starts_with(file_sha256, lower($1))) OR file_name = $1 OR ends_with(file_name, '/' || $1)
                ORDER BY received_at DESC, file_name LIMIT 1
                """,
                [file],
            )
        else:
            rows = warehouse.query(
                f"""
                SELECT file_sha256 FROM ({_CURRENT_FILES}) WHERE unit_id = $1 AND ($2 IS NULL OR period_id = $2)
                AND ($3 IS NULL OR dataset_id = $3) ORDER BY received_at DESC, file_name LIMIT 1
                """,
                [unit, period, form],
            )
    if rows.empty:
        raise InputError("error.correction_no_file", wanted=file or f"{unit} {period or ''} {form or ''}".strip())
    return str(rows["file_sha256"].iloc[0])


_CURRENT_FILES = """
    SELECT DISTINCT f.file_sha256, f.file_name, f.received_at, r.unit_id, r.period_id, r.dataset_id
    FROM lake.received_file f JOIN (
        SELECT file_sha256, unit_id, period_id, dataset_id FROM lake.aggregate_value
        UNION ALL SELECT file_sha256, unit_id, strftime(death_date, '%Y'), 'death' FROM lake.death) r USING (file_sha256)
    WHERE f.file_sha256 NOT IN (SELECT replaces FROM lake.file_replacement WHERE replaces IS NOT NULL)
"""


def files_of_place(warehouse: Warehouse, place: str) -> pd.DataFrame:
    """file_sha256, file_name, unit_id of the workbooks of a place and of everything below it."""
    known = warehouse.query("SELECT 1 FROM lake.organisation_unit WHERE unit_id = ? LIMIT 1", [place])
    if known.empty:
        raise InputError("error.unknown_place", unit_id=place, date="–")
    return warehouse.query(
        f"""
        WITH RECURSIVE below AS (
            SELECT $1 AS unit_id UNION
            SELECT u.unit_id FROM lake.organisation_unit u JOIN below b ON u.parent_unit_id = b.unit_id)
        SELECT file_sha256, file_name, min(unit_id) AS unit_id FROM ({_CURRENT_FILES}) JOIN below USING (unit_id)
        JOIN lake.received_file USING (file_sha256, file_name)
        WHERE door IN ('form_workbook', 'death_register') GROUP BY 1, 2 ORDER BY 2, 1
        """,
        [place],
    )


def file_name(warehouse: Warehouse, file_sha256: str) -> str:
    """The name under which a file was received; InputError for an unknown one."""
    rows = warehouse.query("SELECT file_name FROM lake.received_file WHERE file_sha256 = ?", [file_sha256])
    if rows.empty:
        raise InputError("error.correction_no_file", wanted=file_sha256[:12])
    return str(rows["file_name"].iloc[0])


def unit_title(warehouse: Warehouse, unit_id: str) -> str:
    """The name of a unit, its id where it has none."""
    rows = warehouse.query("SELECT name FROM lake.organisation_unit WHERE unit_id = ? LIMIT 1", [unit_id])
    return str(rows["name"].iloc[0]) if len(rows) else unit_id


def period_title(period_id: str) -> str:
    """A period in words; "–" where the file has none of its own (a register)."""
    from tkyt_analysis.reference.periods import format_period

    try:
        return format_period(period_id) if period_id else "–"
    except InputError:
        return period_id


# ------------------------------------------------------------------------------------------------------ the workbook


def read_grids(path: Path, name: str) -> list[Grid]:
    """All sheets of a received workbook or table of text."""
    from tkyt_analysis.ingest.safe_open import require_kind, require_safe_workbook
    from tkyt_analysis.ingest.text_grid import read_text_grid

    file = ReceivedFile(path, name, "", path.stat().st_size)
    kind = require_kind(file, ("xlsx", "xls", "ods", "text"))
    if kind == "text":
        return [read_text_grid(file)]
    if kind != "xls":
        require_safe_workbook(file)
    return list(iterate_workbook(path, name=name))


def _data_sheets(grids: Mapping[str, Grid]) -> dict[str, Grid]:
    return {name: grid for name, grid in grids.items() if name != SHEET}


def open_book(path: Path, grids: Mapping[str, Grid]) -> Workbook:
    """The received workbook with its formulas and formats; of another kind of file a new one with the same cells."""
    import zipfile

    import openpyxl

    if zipfile.is_zipfile(path):
        with path.open("rb") as file:
            try:
                return openpyxl.load_workbook(file)
            except Exception:  # an .ods or .xlsb, or an .xlsx that only a tolerant reader opens
                pass
    return _copied(grids)


def _copied(grids: Mapping[str, Grid]) -> Workbook:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for grid in grids.values():
        sheet = book.create_sheet(free_name(book, grid.sheet[:31] or "1"))
        for row, cells in enumerate(grid.values, 1):
            for column, value in enumerate(cells, 1):
                if value != "":
                    _put(sheet.cell(row, column), value)
        for first, left, last, right in grid.merges:
            sheet.merge_cells(start_row=first, start_column=left, end_row=last, end_column=right)
    return book


def _put(cell: Any, value: Any) -> None:
    if isinstance(value, (str, CellError)):
        write_text(cell, str(value))
    else:
        cell.value = value


def _fill_book(
    book: Workbook, questions: pd.DataFrame, texts: list[tuple[str, str]], heading: dict[str, str], file_sha256: str,
    subject: dict[str, str], passport: dict[str, str],
) -> dict[str, int]:  # fmt: skip
    """Marks, list and hidden sheet; how many questions of each severity, and how many marked cells."""
    hidden = book[SHEET] if SHEET in book.sheetnames else None
    remove_marks(book, hidden)
    for old in {SHEET, passport.get(LIST_SHEET, "")} & set(book.sheetnames):
        book.remove(book[old])
    marks = list(_marks(book, questions, texts))
    kept = mark_cells(book, marks)
    counts = {severity: int(questions["severity"].eq(severity).sum()) for severity in SEVERITIES}
    numbers = {"errors": counts["error"], "warnings": counts["warning"], "notes": counts["note"]}
    sheet = write_list_sheet(book, heading | numbers, _list_rows(questions, texts))
    _write_passport(book, passport | _own_passport(subject, passport, file_sha256, sheet.title), kept)
    return numbers | {"marked_cells": len(marks)}


def _own_passport(
    subject: dict[str, str], passport: dict[str, str], file_sha256: str, list_sheet: str
) -> dict[str, str]:
    kind = "register" if subject["dataset_id"] == "death" else "form"
    known = {"kind": kind} | ({"form": subject["dataset_id"]} if kind == "form" and subject["dataset_id"] else {})
    own = {name: value for name, value in known.items() if name not in passport}
    return own | {ANSWERS: file_sha256, LIST_SHEET: list_sheet}


def _write_passport(book: Workbook, passport: dict[str, str], kept: list[tuple[str, Any]]) -> None:
    sheet = book.create_sheet(SHEET)
    for row, (key, value) in enumerate(passport.items(), 1):
        sheet.cell(row, 1, key)
        write_text(sheet.cell(row, 2), value)
    keep_looks(sheet, kept)
    sheet.sheet_state = "veryHidden"


def _marks(book: Workbook, questions: pd.DataFrame, texts: list[tuple[str, str]]) -> Iterator[Mark]:
    """One mark per cell, as severe as its worst question."""
    placed = questions.assign(text=texts)
    placed = placed[placed["cell"].ne("") & placed["place_sheet"].isin(book.sheetnames)]
    for (sheet, cell), group in placed.groupby(["place_sheet", "cell"], sort=False):
        severity = min(group["severity"], key=SEVERITIES.index)
        lines = tuple(
            line
            for one, text in zip(group["severity"], group["text"], strict=True)
            for line in comment_lines(one, *text)
        )
        yield Mark(str(sheet), str(cell), severity, lines, tuple(group["question_id"]))


def _list_rows(questions: pd.DataFrame, texts: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """A line per question; of a frequent kind of note the first LISTED_PER_NOTE and one that counts the others."""
    rows: list[dict[str, Any]] = []
    is_note = questions["severity"].eq("note")
    place = questions.groupby("reason").cumcount()
    listed = ~is_note | (place < LISTED_PER_NOTE)
    for row, text, shown in zip(questions.to_dict("records"), texts, listed, strict=True):
        if not shown:
            continue
        line = {
            "level": row["severity"], "severity": severity_word(row["severity"]), "sheet": row["place_sheet"],
            "cell": row["cell"], "value": row["value"], "said": text[0], "to_do": text[1], "id": row["question_id"],
            "group": (row["place_sheet"], row["place_row"], row["reason"]),
        }  # fmt: skip
        if rows and row["source"] == QUARANTINE and row["cell"] and _same_complaint(rows[-1], line):
            rows[-1] |= {"last": row["cell"], "value": f"{rows[-1]['value']}; {row['value']}"}
        else:
            rows.append(line)
    for reason, count in questions.loc[~listed, "reason"].value_counts(sort=False).items():
        example = next(text for name, text in zip(questions["reason"], texts, strict=True) if name == reason)
        said = label("correction.more", None, count=int(count), example=example[0])
        rows.append({"level": "note", "severity": severity_word("note"), "said": said})
    return rows


def _same_complaint(line: dict[str, Any], other: dict[str, Any]) -> bool:
    """Two cells of one line that say the same: one line of the list, answered together."""
    return bool(line.get("group") == other["group"] and line["said"] == other["said"])


def save_private(book: Workbook, output: Path) -> None:
    """Write the workbook whole or not at all, for its owner only."""
    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            book.save(file)
        os.replace(part, output)
    except OSError as error:
        raise InputError("error.correction_not_written", path=output, problem=error.strerror) from None
    finally:
        part.unlink(missing_ok=True)


def ask(warehouse: Warehouse, questions: pd.DataFrame) -> None:
    """Put the questions on record; one that was asked before keeps its date."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    rows = questions[[name for name in QUESTION_COLUMNS if name not in ("value", "fields")]].assign(asked_at=now)
    rows["place_row"] = rows["place_row"].astype("Int64")
    warehouse.con.register("incoming", rows)
    try:
        with warehouse.transaction():
            warehouse.con.execute(
                "INSERT INTO lake.question BY NAME SELECT * FROM incoming ANTI JOIN lake.question USING (question_id)"
            )
    finally:
        warehouse.con.unregister("incoming")
