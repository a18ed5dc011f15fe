"""One commune's book of deaths (A6) as a workbook, the way a station sends it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mortality.practice.book_layout import BIRTH_BY_SEX, BookLayout
from tkyt_analysis.practice.world import NOTE, NOTE_EN

CREATED = datetime.datetime(2026, 1, 5)
EPOCH = datetime.date(1970, 1, 1)
WIDTHS = {
    "full_name": 24,
    "cause_text": 34,
    "note": 26,
    "care_before_death": 18,
    "id_number": 16,
    "insurance_number": 18,
    "source_list": 16,
    "signed_by": 18,
}
TEXT_COLUMNS = (
    "full_name", "ethnic_group", "occupation", "address", "place_of_death", "cause_text", "icd10",
    "maternal_death", "care_before_death", "note", "id_number", "insurance_number", "death_time", "source_list", "signed_by", "unit_code",
)  # fmt: skip


def write_book(path: Path, layout: BookLayout, lines: pd.DataFrame) -> pd.DataFrame:
    """Write the workbook; `lines` as register.register_lines with line_number.

    Returns where each line stands: line_id, sheet, row_number (1-based), and `columns`, the letter of each
    element, is `column_letters(layout)`.
    """
    import xlsxwriter

    with xlsxwriter.Workbook(path, {"strings_to_numbers": False}) as book:
        book.set_properties({"title": "A6", "comments": f"{NOTE} / {NOTE_EN}", "created": CREATED})
        formats = _formats(book)
        if layout.guide_sheet:
            book.add_worksheet(layout.guide_sheet).write_column(0, 0, [layout.guide_sheet, NOTE])
        sheet = book.add_worksheet(layout.sheet)
        first = _write_head(sheet, layout, formats)
        _write_lines(sheet, layout, lines, first, formats)
        _write_tail(sheet, layout, len(lines), first + len(lines), formats)
    rows = np.arange(first + 1, first + 1 + len(lines))
    return pd.DataFrame({"line_id": lines["line_id"].to_numpy(), "sheet": layout.sheet, "row_number": rows})


def column_letters(layout: BookLayout) -> dict[str, str]:
    """Element -> column letter; "birth" and "sex" of books with a column per sex are left to the line."""
    letters = {name: chr(ord("A") + place) for place, name in enumerate(layout.columns)}
    return letters | {"line": letters["full_name"]}


def cell_of(layout: BookLayout, element: str, shown_sex: str) -> str:
    """Column letter where an element of a line with this shown sex stands."""
    letters = column_letters(layout)
    if element in letters:
        return letters[element]
    return letters["birth_female" if shown_sex == "female" else "birth_male"]


def _formats(book: Any) -> dict[str, Any]:
    border = {"border": 1, "valign": "top", "text_wrap": True, "font_name": "Times New Roman", "font_size": 11}
    return {
        "title": book.add_format({"bold": True, "font_name": "Times New Roman", "font_size": 12}),
        "head": book.add_format(border | {"bold": True, "align": "center", "valign": "vcenter"}),
        "cell": book.add_format(border),
        "date": book.add_format(border | {"num_format": "dd/mm/yyyy"}),
    }


def _write_head(sheet: Any, layout: BookLayout, formats: dict[str, Any]) -> int:
    """Title lines, two header rows (merged cells) and the row of column numbers; returns the next row."""
    for row, line in enumerate(layout.titles):
        sheet.write_string(row, 0, line, formats["title"])
    top = len(layout.titles) + 1
    by_sex = BIRTH_BY_SEX[0] in layout.columns
    for place, name in enumerate(layout.columns):
        sheet.set_column(place, place, WIDTHS.get(name, 12))
        if name in BIRTH_BY_SEX:
            sheet.write_string(top + 1, place, layout.headers[name], formats["head"])
        elif by_sex:
            sheet.merge_range(top, place, top + 1, place, layout.headers[name], formats["head"])
        else:
            sheet.write_string(top, place, layout.headers[name], formats["head"])
    if by_sex:
        male = layout.columns.index(BIRTH_BY_SEX[0])
        sheet.merge_range(top, male, top, male + 1, layout.headers["birth_group"], formats["head"])
    numbers = top + (2 if by_sex else 1)
    for place in range(len(layout.columns)):
        if layout.number_style == "{}":
            sheet.write_number(numbers, place, place + 1, formats["head"])
        else:
            sheet.write_string(numbers, place, layout.number_style.format(place + 1), formats["head"])
    return numbers + 1


def _write_lines(sheet: Any, layout: BookLayout, lines: pd.DataFrame, first: int, formats: dict[str, Any]) -> None:
    columns = book_columns(layout, lines)
    is_date = (lines["death_style"] == "excel").to_numpy()
    days = lines["death_day"].to_numpy()
    for place, name in enumerate(layout.columns):
        for row, value in enumerate(columns[name], start=first):
            if name == "order":
                sheet.write_number(row, place, value, formats["cell"])
            elif name == "death_date" and is_date[row - first]:
                day = EPOCH + datetime.timedelta(days=int(days[row - first]))
                sheet.write_datetime(row, place, day, formats["date"])
            elif name.startswith("birth") and value.isdigit() and row % 2:
                sheet.write_number(row, place, int(value), formats["cell"])
            elif value:
                sheet.write_string(row, place, value, formats["cell"])
            else:
                sheet.write_blank(row, place, None, formats["cell"])


def book_columns(layout: BookLayout, lines: pd.DataFrame) -> dict[str, list[Any]]:
    """What stands in each column of the book, as text in the book's encoding ("order": numbers)."""
    sex, birth = lines["sex"].tolist(), _encoded(lines["birth_text"], layout)
    columns: dict[str, list[Any]] = {name: _encoded(lines[name], layout) for name in TEXT_COLUMNS if name in lines}
    columns["order"] = lines["line_number"].tolist()
    columns["death_date"] = _encoded(lines["death_text"], layout)
    columns["birth"] = birth
    columns["sex"] = [layout.encode(layout.sex_words.get(s, "")) for s in sex]
    for name, which in zip(BIRTH_BY_SEX, ("male", "female")):
        columns[name] = [text if s == which else "" for s, text in zip(sex, birth)]
    return columns


def _encoded(texts: pd.Series, layout: BookLayout) -> list[str]:
    plain = texts.tolist()
    return [layout.encode(text) for text in plain] if layout.encoding else plain


def _write_tail(sheet: Any, layout: BookLayout, count: int, row: int, formats: dict[str, Any]) -> None:
    if layout.total_line:
        sheet.write_string(row, 1, layout.encode(layout.total_line.format(count=count)), formats["title"])
    if layout.sign_line:
        sheet.write_string(row + 2, len(layout.columns) - 3, layout.encode(layout.sign_line), formats["title"])
