"""The sheet of questions that goes to a province, and how it is found again when it comes back, whatever became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tkyt_analysis.correction.list_sheet import free_name, write_text
from tkyt_analysis.ingest.passport import SHEET
from tkyt_analysis.labels import all_labels, label
from tkyt_analysis.quality.cases.states import ANSWERS
from tkyt_analysis.reference.vietnamese_text import fold

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    from tkyt_analysis.ingest.excel_grid import Grid

KIND = "case_reply"  # what the hidden sheet says of the workbook
COLUMNS = {
    "rank": 6, "severity": 13, "unit": 20, "period": 13, "dataset": 24, "element": 28, "value": 11, "expected": 16,
    "question": 46, "suggested": 11, "change": 24, "answer": 19, "corrected": 12, "why": 34, "who": 18, "id": 22,
}  # fmt: skip
TO_FILL = ("answer", "corrected", "why", "who")
HEADER_ROW = 6
NUMBERS = ("value", "suggested")
_LEVELS = {"error": "FFC7CE", "warning": "FFEB9C", "note": "DDEBF7"}  # as the error workbooks mark them


def shown_id(finding_id: str) -> str:
    """A case id as it stands in the sheet: in groups, so that no program takes it for a number."""
    return "-".join(finding_id[at : at + 4] for at in range(0, len(finding_id), 4))


def write_reply_book(
    heading: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], passport: Mapping[str, str]
) -> Workbook:
    """The workbook: `rows` have the keys of COLUMNS and "level" (severity), "finding_id"; `heading` has place,
    count, waiting, day, and practice (a sentence) where the data are made up."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet(free_name(book, label("case_reply.sheet")))
    _heading(sheet, heading)
    _headers(sheet)
    for at, row in enumerate(rows, HEADER_ROW + 1):
        _line(sheet, at, row)
    _finish(sheet, HEADER_ROW + max(len(rows), 1))
    _hidden(book, passport, rows)
    return book


def _heading(sheet: Worksheet, heading: Mapping[str, Any]) -> None:
    from tkyt_analysis.correction.list_sheet import _alignment, _font

    lines = [
        (label("case_reply.title"), _font(bold=True, size=15), 24),
        (label("case_reply.of_place", None, **heading), _font(bold=True), 18),
        (label("case_reply.how"), _font(italic=True), 36),
        (label("case_reply.answers"), _font(italic=True), 36),
        (str(heading.get("practice") or ""), _font(bold=True, color="C00000"), 18),
    ]
    for row, (text, font, height) in enumerate(lines, 1):
        cell = sheet.cell(row, 1)
        write_text(cell, text)
        cell.font, cell.alignment = font, _alignment(wrap=row > 2)
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=len(COLUMNS) - 1)
        sheet.row_dimensions[row].height = height


def _headers(sheet: Worksheet) -> None:
    from openpyxl.styles import PatternFill

    from tkyt_analysis.correction.list_sheet import _alignment, _border, _font

    for column, (name, width) in enumerate(COLUMNS.items(), 1):
        cell = sheet.cell(HEADER_ROW, column)
        write_text(cell, label(f"case_reply.column.{name}"))
        cell.font, cell.border = _font(bold=True), _border()
        cell.fill = PatternFill("solid", fgColor="FFF2B3" if name in TO_FILL else "D9E1F2")
        cell.alignment = _alignment(horizontal="center")
        sheet.column_dimensions[cell.column_letter].width = width
    sheet.row_dimensions[HEADER_ROW].height = 50


def _line(sheet: Worksheet, at: int, row: Mapping[str, Any]) -> None:
    from openpyxl.styles import PatternFill, Protection

    from tkyt_analysis.correction.list_sheet import _alignment, _border, _font

    for column, name in enumerate(COLUMNS, 1):
        cell = sheet.cell(at, column)
        value = row.get(name)
        if name == "rank" or (name in NUMBERS and isinstance(value, (int, float))):
            cell.value = value
            cell.number_format = "#,##0.##" if isinstance(value, float) and not value.is_integer() else "#,##0"
        elif name not in TO_FILL:
            write_text(cell, str(value or ""))
        cell.font, cell.border = _font(), _border()
        cell.alignment = _alignment(horizontal="center") if name in ("rank", "expected") else _alignment()
        if name in TO_FILL:
            cell.protection = Protection(locked=False)
            cell.fill = PatternFill("solid", fgColor="FFFDE7")
    mark = sheet.cell(at, list(COLUMNS).index("severity") + 1)
    mark.fill = PatternFill("solid", fgColor=_LEVELS[str(row["level"])])
    mark.font = _font(bold=row["level"] == "error")
    sheet.cell(at, len(COLUMNS)).font = _font(color="808080", size=9)
    lines = (-(-len(str(row.get(name) or "")) // int(COLUMNS[name] * 0.95)) for name in COLUMNS if name not in TO_FILL)
    sheet.row_dimensions[at].height = 16 * max(2, *lines)


def _finish(sheet: Worksheet, last: int) -> None:
    """Choices, frozen header, filter, landscape paper one page wide, protection without a password (sorting allowed)."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    names = list(COLUMNS)
    letter = {name: get_column_letter(names.index(name) + 1) for name in names}
    choices = ",".join(answer_word(answer) for answer in ANSWERS)
    choice = DataValidation(type="list", formula1=f'"{choices}"', allow_blank=True, showErrorMessage=True)
    choice.errorTitle, choice.error = label("case_reply.column.answer"), label("case_reply.choose")
    choice.add(f"{letter['answer']}{HEADER_ROW + 1}:{letter['answer']}{last}")
    number = DataValidation(
        type="decimal", operator="greaterThanOrEqual", formula1="0", allow_blank=True, showErrorMessage=True
    )
    number.errorTitle, number.error = label("case_reply.column.corrected"), label("case_reply.number")
    number.add(f"{letter['corrected']}{HEADER_ROW + 1}:{letter['corrected']}{last}")
    for one in (choice, number):
        sheet.add_data_validation(one)
    sheet.freeze_panes = f"C{HEADER_ROW + 1}"
    sheet.auto_filter.ref = f"A{HEADER_ROW}:{get_column_letter(len(names))}{last}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize, sheet.page_setup.fitToHeight = "landscape", 8, 0  # A3
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{HEADER_ROW}:{HEADER_ROW}"
    sheet.sheet_view.showGridLines = False
    sheet.protection.sheet = True
    for name in ("formatColumns", "formatRows", "autoFilter", "sort"):
        setattr(sheet.protection, name, False)


def _hidden(book: Workbook, passport: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
    """The hidden sheet: what the workbook is, and which number stood for which case (found again if ids are lost)."""
    sheet = book.create_sheet(SHEET)
    for at, (key, value) in enumerate({"kind": KIND, **passport}.items(), 1):
        sheet.cell(at, 1, key)
        write_text(sheet.cell(at, 2), value)
    for at, row in enumerate(rows, sheet.max_row + 1):
        for column, value in enumerate(("case", str(row["finding_id"]), str(row["rank"])), 1):
            write_text(sheet.cell(at, column), value)
    sheet.sheet_state = "veryHidden"


def answer_word(answer: str, language: str | None = None) -> str:
    """The words of an answer in the choice."""
    return label(f"case_reply.answer.{answer}", language)


def numbered_cases(grids: Sequence[Grid]) -> dict[str, str]:
    """{number in the sheet: case id} as the hidden sheet kept it; {} without one."""
    return {
        row[2].strip(): row[1].strip()
        for grid in grids
        if grid.sheet.strip().lower() == SHEET and grid.values.ndim == 2 and grid.values.shape[1] > 2
        for row in grid.texts
        if row[0].strip() == "case"
    }


def find_header(grid: Grid) -> tuple[int, dict[str, int]] | None:
    """(row counted from 1, {name: column from 0}) of the line with our headings, wherever it is now; None without one.

    The answer's column and either the case id's or the number's are enough; headings are compared without accents.
    """
    if grid.values.ndim != 2 or not grid.values.size:
        return None
    wanted = {name: {fold(text) for text in all_labels()[f"case_reply.column.{name}"].values()} for name in COLUMNS}
    for row in range(1, min(len(grid.texts), 60) + 1):
        folded = [fold(text) for text in grid.texts[row - 1]]
        found = {name: folded.index(text) for name, texts in wanted.items() for text in texts if text in folded}
        if "answer" in found and ({"id", "rank"} & found.keys()) and ({"corrected", "why", "question"} & found.keys()):
            return row, found
    return None
