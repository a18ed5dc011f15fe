"""The unmatched lists of one commune as a workbook that its staff can answer in: a sheet for each direction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mortality.persons_release.unmatched import BOOK_ONLY, NAMES, OTHER_ONLY, unmatched_deaths
from tkyt_analysis.labels import format_number, label

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

HEADER_ROW = 5
WIDTHS = {
    "number": 5, "full_name": 24, "birth_as_written": 12, "address": 26, "unit": 16, "month": 10, "sex": 6, "age": 6, "place_of_death": 12,
    "sources": 18, "answer": 24, "why": 28, "file_name": 34, "sheet": 14, "row_number": 8, "record_id": 24,
}  # fmt: skip
ANSWERS = {
    BOOK_ONLY: ("registered_elsewhere", "not_registered", "written_differently", "no_death"),
    OTHER_ONLY: ("in_other_book", "missed", "written_differently", "no_death"),
}
TO_FILL = ("answer", "why")


def write_unmatched_workbook(
    home: Path, scope: str, output: Path, *, year: int = 0, names: bool = False
) -> dict[str, Any]:
    """Write `unmatched_deaths` of a place to the file that was named, for its owner alone; counts come back.

    {"file", "not_registered", "not_in_book", "left_out"}; an empty list gives a sheet that says so.
    """
    import openpyxl

    from tkyt_analysis.correction.error_workbook import save_private
    from tkyt_analysis.warehouse.lake import is_practice

    rows = unmatched_deaths(home, scope, year=year, names=names)
    shown = _in_words(rows)
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name in (BOOK_ONLY, OTHER_ONLY):
        sheet = book.create_sheet(label(f"unmatched.sheet.{name}"))
        _fill(sheet, shown[rows["list"].to_numpy() == name], name, scope, practice=is_practice(home), names=names)
    save_private(book, output)
    counts = {name: int((rows["list"] == name).sum()) for name in (BOOK_ONLY, OTHER_ONLY)}
    return {"file": str(output), **counts, "left_out": int(rows.attrs.get("left_out", 0))}


def _in_words(rows: pd.DataFrame) -> pd.DataFrame:
    """What people read: names of communes and lists, words for codes."""
    sources = rows["sources"].fillna("").str.split()
    place = rows["place_of_death"].fillna("unknown")
    shown = pd.DataFrame(
        {
            "unit": _unit_names(rows["unit_id"]),
            "month": rows["month"],
            "sex": [label(f"sex.{one}") if one in ("male", "female") else "" for one in rows["sex"]],
            "age": rows["age"],
            "place_of_death": [label(f"unmatched.place.{one}") for one in place],
            "sources": [", ".join(label(f"flow.source.{one}") for one in some) for some in sources],
            **{name: rows[name] for name in ("file_name", "sheet", "row_number", "record_id")},
        },
        index=rows.index,
    )
    return shown.join(rows[[name for name in NAMES if name in rows]])


def _unit_names(units: pd.Series) -> pd.Series:
    from tkyt_analysis.reference.places import places

    known = pd.concat([places("VN2024"), places("VN2025")]).drop_duplicates("unit_id").set_index("unit_id")["name"]
    return units.map(known).fillna(units)


def _fill(sheet: Worksheet, rows: pd.DataFrame, name: str, scope: str, *, practice: bool, names: bool) -> None:
    from openpyxl.styles import Font

    place = _unit_names(pd.Series([scope])).iloc[0]
    title = label(f"unmatched.title.{name}", None, place=place, count=format_number(len(rows)))
    sheet["A1"], sheet["A2"] = title, label(f"unmatched.how.{name}")
    sheet["A3"] = label("unmatched.names_inside") if names else label("unmatched.no_names")
    sheet["A1"].font, sheet["A2"].font, sheet["A3"].font = (
        Font(bold=True, size=14),
        Font(italic=True),
        Font(italic=True),
    )
    if practice:
        sheet["A4"] = label("unmatched.practice")
        sheet["A4"].font = Font(bold=True, color="C00000")
    columns = [column for column in WIDTHS if column in rows or column in ("number", *TO_FILL)]
    _header(sheet, columns, len(rows))
    if rows.empty:
        sheet.cell(HEADER_ROW + 1, 1, label("unmatched.none"))
    for at, row in enumerate(rows.to_dict("records"), 1):
        for place_of, column in enumerate(columns, 1):
            value = at if column == "number" else row.get(column, "")
            _write(sheet, HEADER_ROW + at, place_of, value)
    _answers(sheet, name, columns, len(rows))
    sheet.freeze_panes = f"C{HEADER_ROW + 1}"


def _write(sheet: Worksheet, row: int, column: int, value: Any) -> None:
    from openpyxl.styles import Alignment, Border, Side

    cell = sheet.cell(row, column)
    cell.value = None if value is None or value is pd.NA or value != value else value
    if isinstance(value, str):
        cell.data_type = "s"  # a text that begins with "=" is no formula
    line = Side(style="thin", color="BFC7CF")
    cell.border = Border(left=line, right=line, top=line, bottom=line)
    cell.alignment = Alignment(wrap_text=True, vertical="top")


def _header(sheet: Worksheet, columns: list[str], rows: int) -> None:
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    for place, column in enumerate(columns, 1):
        _write(sheet, HEADER_ROW, place, label(f"unmatched.column.{column}"))
        cell = sheet.cell(HEADER_ROW, place)
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="FFF2CC" if column in TO_FILL else "DCE8F4")
        sheet.column_dimensions[get_column_letter(place)].width = WIDTHS[column]
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{HEADER_ROW}:{HEADER_ROW}"
    if NAMES[0] in columns:  # on paper the person is found by the name, not by the place in a file
        sheet.print_area = f"A1:{get_column_letter(columns.index('why') + 1)}{HEADER_ROW + max(rows, 1)}"


def _answers(sheet: Worksheet, name: str, columns: list[str], rows: int) -> None:
    """A list of answers to choose from in the column that the commune fills in."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    if rows:
        words = ",".join(label(f"unmatched.answer.{one}") for one in ANSWERS[name])
        letter = get_column_letter(columns.index("answer") + 1)
        choice = DataValidation(type="list", formula1=f'"{words}"', allow_blank=True)
        sheet.add_data_validation(choice)
        choice.add(f"{letter}{HEADER_ROW + 1}:{letter}{HEADER_ROW + rows}")
