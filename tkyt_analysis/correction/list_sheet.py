"""The first sheet of an error workbook: the list of what to mend, with room for the unit's answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tkyt_analysis.labels import all_labels, label

if TYPE_CHECKING:
    from openpyxl.cell import Cell
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

COLUMNS = {
    "number": 6, "severity": 15, "sheet": 18, "cell": 10, "value": 20, "said": 52, "to_do": 44, "answer": 34, "fixed": 14,
    "id": 15,
}  # fmt: skip
HEADER_ROW = 7
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")


def write_text(cell: Cell, text: str) -> None:
    """Put a text into a cell as a text: never as a formula, whatever it begins with."""
    cell.value = _NOT_IN_XML.sub("", text)[:32_000]
    cell.data_type = "s"
    if text.startswith(_FORMULA_START):
        cell.quotePrefix = True


def write_list_sheet(book: Workbook, heading: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Worksheet:
    """The list as the first sheet. `rows` have the keys of COLUMNS (without number) and "rest": how many more such
    cells are only coloured; `heading` has file, unit, period, errors, warnings, notes."""
    sheet: Worksheet = book.create_sheet(free_name(book, label("correction.sheet")), 0)
    _heading(sheet, heading)
    _headers(sheet)
    for at, row in enumerate(rows, HEADER_ROW + 1):
        _line(sheet, at, at - HEADER_ROW, row)
    _finish(sheet, HEADER_ROW + max(len(rows), 1))
    book.active = 0
    for other in book.worksheets[1:]:
        other.sheet_view.tabSelected = False
    return sheet


def free_name(book: Workbook, wanted: str) -> str:
    """The wanted sheet name, numbered where the workbook has it already."""
    taken = {name.lower() for name in book.sheetnames}
    names = [wanted, *(f"{wanted[:27]} ({number})" for number in range(2, 100))]
    return next(name for name in names if name.lower() not in taken)


def _font(**settings: Any) -> Any:
    from openpyxl.styles import Font

    return Font(name="Times New Roman", size=settings.pop("size", 12), **settings)


def _heading(sheet: Worksheet, heading: Mapping[str, Any]) -> None:
    lines = [
        (label("correction.title"), _font(bold=True, size=15)),
        (label("correction.of_file", None, **heading), _font(bold=True)),
        (label("correction.counts", None, **heading), _font()),
        (label("correction.how"), _font(italic=True)),
        (label("correction.legend"), _font(italic=True)),
    ]
    for row, (text, font) in enumerate(lines, 1):
        cell = sheet.cell(row, 1)
        write_text(cell, text)
        cell.font = font
        cell.alignment = _alignment(wrap=row > 3)
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=len(COLUMNS) - 1)
    sheet.row_dimensions[4].height = 34
    sheet.row_dimensions[5].height = 34


def _alignment(*, wrap: bool = True, horizontal: str | None = None) -> Any:
    from openpyxl.styles import Alignment

    return Alignment(wrap_text=wrap, vertical="center" if horizontal else "top", horizontal=horizontal)


def _border() -> Any:
    from openpyxl.styles import Border, Side

    side = Side(style="thin", color="808080")
    return Border(left=side, right=side, top=side, bottom=side)


def _headers(sheet: Worksheet) -> None:
    from openpyxl.styles import PatternFill

    border, fill = _border(), PatternFill("solid", fgColor="D9E1F2")
    for column, (name, width) in enumerate(COLUMNS.items(), 1):
        cell = sheet.cell(HEADER_ROW, column)
        write_text(cell, label(f"correction.column.{name}"))
        cell.font, cell.fill, cell.border = _font(bold=True), fill, border
        cell.alignment = _alignment(horizontal="center")
        sheet.column_dimensions[cell.column_letter].width = width
    sheet.row_dimensions[HEADER_ROW].height = 34


def _line(sheet: Worksheet, at: int, number: int, row: Mapping[str, Any]) -> None:
    from openpyxl.styles import PatternFill, Protection

    from tkyt_analysis.correction.marking import LOOKS

    border, font = _border(), _font()
    for column, name in enumerate(COLUMNS, 1):
        cell = sheet.cell(at, column)
        if name == "number":
            cell.value = number
        else:
            write_text(cell, _text(row, name))
        cell.font, cell.border, cell.alignment = font, border, _alignment()
        if name in ("answer", "fixed"):
            cell.protection = Protection(locked=False)
            cell.fill = PatternFill("solid", fgColor="FFFDE7")
    mark = sheet.cell(at, 2)
    mark.fill = PatternFill("solid", fgColor=LOOKS[row["level"]][0])
    mark.font = _font(bold=row["level"] == "error")
    if row.get("cell"):
        _link(sheet.cell(at, 4), str(row["sheet"]), str(row["cell"]))
    sheet.cell(at, len(COLUMNS)).font = _font(color="808080", size=9)
    sheet.row_dimensions[at].height = 16 * max(
        1,
        *(
            -(-len(str(row.get(name) or "")) // int(COLUMNS[name] * 1.05))
            for name in ("said", "to_do", "answer", "value")
        ),
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    text = str(row.get(name) or "")
    return f"{text}:{row['last']}" if name == "cell" and row.get("last") else text


def _link(cell: Cell, sheet: str, address: str) -> None:
    from openpyxl.worksheet.hyperlink import Hyperlink

    quoted = sheet.replace("'", "''")
    cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"'{quoted}'!{address}")
    cell.font = _font(color="0563C1", underline="single")


def _finish(sheet: Worksheet, last: int) -> None:
    """Frozen header, filter, a choice in the column "mended?", paper, protection without a password."""
    from openpyxl.worksheet.datavalidation import DataValidation

    choice = ",".join(label(f"correction.fixed.{name}") for name in ("mended", "right"))
    validation = DataValidation(type="list", formula1=f'"{choice}"', allow_blank=True)
    column = "ABCDEFGHIJKLMN"[list(COLUMNS).index("fixed")]
    validation.add(f"{column}{HEADER_ROW + 1}:{column}{last}")
    sheet.add_data_validation(validation)
    sheet.freeze_panes = f"A{HEADER_ROW + 1}"
    sheet.auto_filter.ref = f"A{HEADER_ROW}:{'ABCDEFGHIJKLMN'[len(COLUMNS) - 1]}{last}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{HEADER_ROW}:{HEADER_ROW}"
    sheet.sheet_view.showGridLines = False
    sheet.protection.sheet = True
    sheet.protection.formatColumns = sheet.protection.formatRows = sheet.protection.autoFilter = False


def heading_texts(name: str) -> set[str]:
    """The heading of a column of the list, in every language: to find it again in a file that comes back."""
    return set(all_labels()[f"correction.column.{name}"].values())
