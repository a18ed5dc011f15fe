"""Biểu 16/BCH as a district sends it: a workbook in the ministry's look."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mortality.practice.a6_workbook import CREATED
from mortality.practice.form16 import CAUSE_ROWS, COUNT_COLUMNS, form_rows
from tkyt_analysis.labels import label
from tkyt_analysis.practice.world import NOTE, NOTE_EN

SHEET = "Biểu 16"
FIRST_ROW = 12  # worksheet row (1-based) of TỔNG SỐ; cause row r stands in FIRST_ROW + r
LAST_COLUMN = 9  # J
HEADS = ("total", "female", "by_age", "age_0", "age_1_4", "age_5_14", "age_15_59", "age_60_plus", "maternal")


@dataclass(frozen=True)
class FormHead:
    """What stands above the table: reporting unit, receiving unit, months covered and year."""

    unit: str
    receiver: str
    months: int
    year: int


def form_cell(row: int, column: int) -> str:
    """Cell of a cause row (0 = TỔNG SỐ) and count column, e.g. form_cell(10, 0) = "C22"."""
    return f"{chr(ord('C') + column)}{FIRST_ROW + row}"


def write_form(path: Path, head: FormHead, shown: np.ndarray) -> None:
    """Write one form; `shown` holds text by cause row (0-25) and COUNT_COLUMNS: digits become numbers."""
    import xlsxwriter

    with xlsxwriter.Workbook(path, {"strings_to_numbers": False}) as book:
        book.set_properties({"title": "16/BCH", "comments": f"{NOTE} / {NOTE_EN}", "created": CREATED})
        sheet = book.add_worksheet(SHEET)
        formats = _formats(book)
        sheet.set_column(0, 0, 6)
        sheet.set_column(1, 1, 44)
        sheet.set_column(2, LAST_COLUMN, 9)
        sheet.set_landscape()
        _write_titles(sheet, head, formats)
        _write_table_head(sheet, formats)
        _write_counts(sheet, shown, formats)


def _formats(book: Any) -> dict[str, Any]:
    font = {"font_name": "Times New Roman", "font_size": 12}
    boxed = font | {"border": 1}
    return {
        "plain": book.add_format(font),
        "italic": book.add_format(font | {"italic": True, "align": "center"}),
        "title": book.add_format(font | {"bold": True, "align": "center", "font_size": 14}),
        "head": book.add_format(boxed | {"bold": True, "align": "center", "valign": "vcenter", "text_wrap": True}),
        "text": book.add_format(boxed | {"text_wrap": True}),
        "bold": book.add_format(boxed | {"bold": True}),
        "number": book.add_format(boxed | {"align": "right"}),
    }


def _text(key: str, **values: object) -> str:
    return label(f"practice.form16.{key}", "vi", **values)


def _write_titles(sheet: Any, head: FormHead, formats: dict[str, Any]) -> None:
    sheet.write_string(0, 0, _text("number"), formats["plain"])
    sheet.write_string(1, 0, _text("legal"), formats["plain"])
    sheet.write_string(0, 5, _text("unit", unit=head.unit), formats["plain"])
    sheet.write_string(1, 5, _text("receiver", unit=head.receiver), formats["plain"])
    sheet.merge_range(3, 0, 3, LAST_COLUMN, _text("title"), formats["title"])
    period = _text(f"period_{head.months}", year=head.year)
    sheet.merge_range(4, 0, 4, LAST_COLUMN, period, formats["italic"])
    sheet.merge_range(5, 0, 5, LAST_COLUMN, NOTE, formats["italic"])


def _write_table_head(sheet: Any, formats: dict[str, Any]) -> None:
    """Two merged header rows (ages under one heading) and the row of column numbers."""
    top, form = 7, formats["head"]
    sheet.merge_range(top, 0, top + 2, 0, _text("order"), form)
    sheet.merge_range(top, 1, top + 2, 1, _text("cause"), form)
    sheet.merge_range(top, 2, top + 2, 2, _text("total"), form)
    sheet.merge_range(top, 3, top, LAST_COLUMN, _text("of_these"), form)
    sheet.merge_range(top + 1, 3, top + 2, 3, _text("female"), form)
    sheet.merge_range(top + 1, 4, top + 1, 8, _text("by_age"), form)
    for place, name in enumerate(COUNT_COLUMNS[2:7], start=4):
        sheet.write_string(top + 2, place, _text(name), form)
    sheet.merge_range(top + 1, 9, top + 2, 9, _text("maternal"), form)
    sheet.write_blank(top + 3, 0, None, form)
    for place in range(1, LAST_COLUMN + 1):
        sheet.write_number(top + 3, place, place, form)


def _write_counts(sheet: Any, shown: np.ndarray, formats: dict[str, Any]) -> None:
    """TỔNG SỐ, the 25 causes, and the "Tổng cộng" row that exports add below."""
    causes = form_rows()["label_vi"].tolist()
    names = [_text("all"), *causes]
    for row in range(CAUSE_ROWS + 1):
        line = FIRST_ROW - 1 + row
        look = formats["bold"] if row == 0 else formats["text"]
        sheet.write_string(line, 0, str(row) if row else "", look)
        sheet.write_string(line, 1, names[row], look)
        _write_cells(sheet, line, shown[row], formats["number"])
    last = FIRST_ROW + CAUSE_ROWS
    sheet.write_blank(last, 0, None, formats["bold"])
    sheet.write_string(last, 1, _text("sum"), formats["bold"])
    _write_cells(sheet, last, shown[0], formats["number"])


def _write_cells(sheet: Any, line: int, cells: np.ndarray, look: Any) -> None:
    for column, text in enumerate(cells, start=2):
        if text.isdigit():
            sheet.write_number(line, column, int(text), look)
        elif text:
            sheet.write_string(line, column, text, look)
        else:
            sheet.write_blank(line, column, None, look)
