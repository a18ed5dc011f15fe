"""The review workbook: pairs that wait, two lines each, for a person who works in Excel; and the way back.

It holds identifiers, so it is written only to the path that somebody named, for its owner alone (mode 0600), and only for an
account with the right to them. It comes back through `take_review_workbook`, never through the doors of ingest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import all_labels, format_number, label

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    from tkyt_analysis.ingest.excel_grid import Grid

KIND = "death_link_review"  # what the hidden sheet says of the workbook
COLUMNS = {
    "pair": 6, "answer": 17, "why": 30, "source": 20, "unit_id": 22, "full_name": 24, "birth": 13, "age": 9, "sex": 7, "id_number": 16,
    "address": 30, "day": 12, "cause_text": 28, "probability": 10, "reasons": 50, "record": 24,
}  # fmt: skip
TO_FILL = ("answer", "why")
HEADER_ROW = 4
ANSWERS = {"same": ("co", "cung mot nguoi", "cung nguoi", "same", "yes"), "different": ("khong", "khac nguoi", "hai nguoi", "different", "no")}  # fmt: skip
UNDECIDED = ("", "chua ro", "khong ro", "unclear", "not clear", "-")


def write_review_workbook(home: Path, output: Path, *, limit: int = 200, why: str = "") -> dict[str, Any]:
    """Write the likeliest `limit` pairs that wait; {"path", "pairs", "waiting"}. Raises InputError without the rights to check
    and to identifiers, and where no pair waits. The audit log says what was read."""
    from mortality.linkage.review import review_queue
    from tkyt_analysis.access import require
    from tkyt_analysis.correction.error_workbook import save_private
    from tkyt_analysis.warehouse.lake import is_practice

    require(home, "check")
    require(home, "read_identifiers", table="death_identity")
    queue = review_queue(home, limit=limit)
    if queue.empty:
        raise InputError("error.link_nothing_waits", home=home)
    ids = list(dict.fromkeys([*queue["record_a"], *queue["record_b"]]))
    fields = _fields(home, ids, why or label("persons.why_workbook"))
    save_private(_book(queue, fields, practice=is_practice(home)), output)
    return {"path": str(output), "pairs": len(queue), "waiting": int(queue.attrs["waiting"])}


def _fields(home: Path, ids: Sequence[str], why: str) -> pd.DataFrame:
    """One row per record, a column per field, as text."""
    from mortality.linkage.review import records_in_words

    fields = records_in_words(home, ids, why=why).T
    return fields.assign(
        birth=fields["birth_as_written"].where(fields["birth_as_written"].ne(""), fields["birth_year"])
    )


def _book(queue: pd.DataFrame, fields: pd.DataFrame, *, practice: bool) -> Workbook:
    import openpyxl

    from tkyt_analysis.correction.list_sheet import free_name

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet(free_name(book, label("link_review.sheet")))
    _heading(sheet, len(queue), practice=practice)
    for at, pair in enumerate(queue.to_dict("records")):
        _pair(sheet, HEADER_ROW + 1 + 2 * at, at + 1, pair, fields)
    _finish(sheet, HEADER_ROW + 2 * len(queue))
    _hidden(book, queue)
    return book


def _heading(sheet: Worksheet, pairs: int, *, practice: bool) -> None:
    from openpyxl.styles import PatternFill

    from tkyt_analysis.correction.list_sheet import _alignment, _border, _font, write_text

    practice_note = label("link_review.practice") if practice else ""
    lines = [(label("link_review.title", None, pairs=format_number(pairs)), _font(bold=True, size=15)),
             (label("link_review.how"), _font(italic=True)), (practice_note, _font(bold=True, color="C00000"))]  # fmt: skip
    for row, (text, font) in enumerate(lines, 1):
        cell = sheet.cell(row, 1)
        write_text(cell, text)
        cell.font, cell.alignment = font, _alignment(wrap=row > 1)
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=len(COLUMNS) - 1)
    sheet.row_dimensions[2].height = 36
    for column, (name, width) in enumerate(COLUMNS.items(), 1):
        cell = sheet.cell(HEADER_ROW, column)
        write_text(cell, label(f"link_review.column.{name}"))
        cell.font, cell.border, cell.alignment = _font(bold=True), _border(), _alignment(horizontal="center")
        cell.fill = PatternFill("solid", fgColor="FFF2B3" if name in TO_FILL else "D9E1F2")
        sheet.column_dimensions[cell.column_letter].width = width
    sheet.row_dimensions[HEADER_ROW].height = 36


def _pair(sheet: Worksheet, at: int, number: int, pair: Mapping[str, Any], fields: pd.DataFrame) -> None:
    """Two lines; what differs between them is bold, what is to be filled stands in the first."""
    from openpyxl.styles import PatternFill, Protection

    from tkyt_analysis.correction.list_sheet import _alignment, _border, _font, write_text

    records = (str(pair["record_a"]), str(pair["record_b"]))
    sides = [fields.loc[one].to_dict() for one in records]
    reasons = f"{pair['held_back']} – {pair['reasons']}" if pair["held_back"] else pair["reasons"]
    shown = {
        "probability": f"{format_number(100 * pair['probability'], 1)} %"
        if pair["probability"] == pair["probability"]
        else "–",
        "reasons": reasons,
    }
    for line, (record, own, other) in enumerate(zip(records, sides, reversed(sides), strict=True)):
        for column, name in enumerate(COLUMNS, 1):
            cell = sheet.cell(at + line, column)
            text = {"record": record, **(shown if line == 0 else {})}.get(name, own.get(name, ""))
            if name == "pair":
                cell.value = number
            elif name not in TO_FILL:
                write_text(cell, str(text))
            differs = name in own and name != "source" and own[name] != other[name]
            cell.font, cell.border, cell.alignment = _font(bold=differs, size=11), _border(), _alignment()
            cell.fill = PatternFill("solid", fgColor="FFFFFF" if number % 2 else "F5F7FA")
            if name in TO_FILL and line == 0:
                cell.protection = Protection(locked=False)
                cell.fill = PatternFill("solid", fgColor="FFFDE7")
    lines = max(-(-len(str(reasons)) // int(COLUMNS["reasons"] * 0.9)), 2)
    sheet.row_dimensions[at].height = sheet.row_dimensions[at + 1].height = max(34, 8 * lines)
    sheet.merge_cells(
        start_row=at,
        end_row=at + 1,
        start_column=list(COLUMNS).index("reasons") + 1,
        end_column=list(COLUMNS).index("reasons") + 1,
    )


def _finish(sheet: Worksheet, last: int) -> None:
    """Choices, frozen header, landscape paper one page wide, protection without a password."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    choices = ",".join(label(f"link_review.answer.{name}") for name in ("same", "different", "unclear"))
    choice = DataValidation(type="list", formula1=f'"{choices}"', allow_blank=True, showErrorMessage=True)
    choice.errorTitle, choice.error = label("link_review.column.answer"), label("link_review.choose")
    letter = get_column_letter(list(COLUMNS).index("answer") + 1)
    choice.add(f"{letter}{HEADER_ROW + 1}:{letter}{last}")
    sheet.add_data_validation(choice)
    sheet.freeze_panes = f"D{HEADER_ROW + 1}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize, sheet.page_setup.fitToHeight = "landscape", 8, 0  # A3
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{HEADER_ROW}:{HEADER_ROW}"
    sheet.sheet_view.showGridLines = False
    sheet.protection.sheet = True
    for name in ("formatColumns", "formatRows"):
        setattr(sheet.protection, name, False)


def _hidden(book: Workbook, queue: pd.DataFrame) -> None:
    from tkyt_analysis.correction.list_sheet import write_text
    from tkyt_analysis.ingest.passport import SHEET

    sheet = book.create_sheet(SHEET)
    sheet.cell(1, 1, "kind")
    sheet.cell(1, 2, KIND)
    for at, pair in enumerate(queue.itertuples(), 1):
        for column, text in enumerate(("pair", str(at), pair.record_a, pair.record_b), 1):
            write_text(sheet.cell(at + 1, column), text)
    sheet.sheet_state = "veryHidden"


# --------------------------------------------------------------------------------------------------------- the way back


def take_review_workbook(home: Path, path: Path) -> dict[str, Any]:
    """The answers of a workbook that came back, as decisions: {"decided", "blank", "problems" (a sentence per line that could
    not be taken)}. Raises InputError for a file that is no such workbook. Taken twice, it says nothing new and decides nothing."""
    from mortality.linkage.decisions import current_decisions, decide_pairs
    from mortality.linkage.persons import reading
    from tkyt_analysis.ingest.excel_grid import iterate_workbook
    from tkyt_analysis.ingest.passport import passport_of

    if not path.is_file():
        raise InputError("error.path_missing", path=path)
    grids = list(iterate_workbook(path))
    if passport_of(grids).get("kind") != KIND:
        raise InputError("error.link_workbook", file=path.name)
    rows, blank, problems = read_answers(grids, file=path.name)
    with reading(home) as warehouse:
        known = {(one.record_a, one.record_b): one.decision for one in current_decisions(warehouse).itertuples()}
    new = rows[[known.get(tuple(sorted((one.record_a, one.record_b)))) != one.decision for one in rows.itertuples()]]
    if len(new):
        decide_pairs(home, new.reset_index(drop=True))
    return {"decided": len(new), "blank": blank, "problems": problems}


def read_answers(grids: Sequence[Grid], *, file: str) -> tuple[pd.DataFrame, int, list[str]]:
    """(record_a, record_b, decision, reason of the answered pairs; pairs without an answer; problems in words)."""
    from tkyt_analysis.ingest.passport import SHEET
    from tkyt_analysis.reference.vietnamese_text import fold

    pairs = {row[1].strip(): (row[2].strip(), row[3].strip()) for grid in grids if grid.sheet.lower() == SHEET and grid.texts.shape[1] > 3
             for row in grid.texts if row[0].strip() == "pair"}  # fmt: skip
    found: dict[str, tuple[str, str]] = {}
    problems: list[str] = []
    for grid in (one for one in grids if one.sheet.lower() != SHEET):
        header, place = _header(grid)
        for row in range(header, len(grid.texts)) if place else ():
            number, said, why = (grid.texts[row, place[name]].strip() for name in ("pair", "answer", "why"))
            number = number.removesuffix(".0")
            answer = next((name for name, words in ANSWERS.items() if fold(said).strip(" .") in words), "")
            if number in pairs and answer:
                if found.setdefault(number, (answer, why))[0] != answer:
                    problems.append(
                        label(
                            "link_review.problem.two_answers",
                            None,
                            file=file,
                            sheet=grid.sheet,
                            row=row + 1,
                            pair=number,
                        )
                    )
            elif fold(said).strip(" .") not in UNDECIDED:
                problems.append(label("link_review.problem.answer", None, file=file, sheet=grid.sheet, row=row + 1,
                                      expected="; ".join(label(f"link_review.answer.{name}") for name in ("same", "different", "unclear"))))  # fmt: skip
    rows = [
        (*pairs[number], answer, why or label("persons.reason_workbook", None, file=file))
        for number, (answer, why) in found.items()
    ]
    return pd.DataFrame(rows, columns=["record_a", "record_b", "decision", "reason"]), len(pairs) - len(found), problems


def _header(grid: Grid) -> tuple[int, dict[str, int]]:
    """(first row below the headings counted from 0, {name: column}); {} where the sheet has none."""
    from tkyt_analysis.reference.vietnamese_text import fold

    wanted = {
        name: {fold(text) for text in all_labels()[f"link_review.column.{name}"].values()}
        for name in ("pair", "answer", "why")
    }
    for row in range(min(len(grid.texts), 30)):
        folded = [fold(text) for text in grid.texts[row]]
        place = {name: folded.index(text) for name, texts in wanted.items() for text in texts if text in folded}
        if len(place) == len(wanted):
            return row + 1, place
    return 0, {}
