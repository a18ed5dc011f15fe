"""The workbook of the form: the empty template for a commune without a network, and the records that the app hands in.

One sheet with the headings of the form, drop-downs, input messages and cell checks; a hidden sheet with the words of the
choices. Every cell is text: what is typed never becomes a formula, a number without its zeros, or a date of another order.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mortality.capture.fields import CORRECTS, REASON, WITH_CHOICES, Field, choices_of, form_fields
from mortality.capture.place import Workplace
from tkyt_analysis.labels import label

VI = "vi"
SHEET, CHOICES = "Tử vong", "_danh_muc"
CREATED = datetime.datetime(2025, 1, 1)  # the same workbook for the same content
FONT = {"font_name": "Times New Roman", "font_size": 11}
COLOURS = {
    "person": "#DCE9F5", "death": "#FBE5D6", "place": "#E4F0DC", "cause": "#FFF2CC", "maternal": "#F6DFEA", "external": "#E6E0EF", "source": "#E7E6E6",
}  # fmt: skip
INPUT = "#FFFBE6"
NUMBER_WIDTH, CORRECTION_WIDTH = 5.0, 16.0
WIDTH_OF = {"text": 18.0, "long": 34.0, "date": 13.0, "time": 9.0, "choice": 16.0, "code": 16.0, "icd": 11.0, "number": 9.0, "age": 9.0, "interval": 12.0, "yes_no": 9.0}  # fmt: skip
LINES = 200
HEADER_ROW, FIRST_ROW = 6, 8
LONGEST = 500
_CORRECTION = ((CORRECTS, "capture.template.corrects"), (REASON, "capture.template.reason"))


def write_workbook(
    path: Path,
    place: Workplace,
    year: int,
    records: Sequence[Mapping[str, str]] = (),
    *,
    practice: bool = False,
    corrections: bool = False,
) -> dict[int, int]:
    """Write the form to `path`: empty lines to fill in, or one line per record. {number of the record: row of the sheet}.

    records : {field: value} as the app keeps them; a choice is written in its Vietnamese words
    practice : the note that the data are synthetic; corrections : the columns that name a corrected record
    """
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    columns = [*form_fields().values()]
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": label("capture.template.title", VI, year=year), "created": CREATED})
        sheet = book.add_worksheet(SHEET)
        _write_titles(book, sheet, place, year, practice)
        _write_header(book, sheet, columns, corrections)
        count = max(LINES, len(records)) if not records else len(records)
        _write_lines(book, sheet, columns, records, count, corrections)
        ranges = _write_choices(book, columns)
        _add_checks(sheet, columns, ranges, FIRST_ROW, FIRST_ROW + count - 1)
        _set_page(sheet, columns, corrections, FIRST_ROW + count - 1)
    return {number: FIRST_ROW + number + 1 for number in range(len(records))}


def _write_titles(book: Any, sheet: Any, place: Workplace, year: int, practice: bool) -> None:
    bold = book.add_format(FONT | {"bold": True, "font_size": 14})
    plain, note = book.add_format(FONT), book.add_format(FONT | {"italic": True, "font_color": "#7A4A00", "bold": True})
    sheet.write_string(0, 0, label("capture.template.title", VI, year=year), bold)
    sheet.write_string(1, 0, f"{place.name}, {place.above}", plain)
    sheet.write_string(2, 0, label("capture.template.code", VI, code=place.code), plain)
    sheet.write_string(3, 0, label("capture.template.how", VI), plain)
    if practice:
        sheet.write_string(4, 0, label("practice.note", VI), note)


def _write_header(book: Any, sheet: Any, columns: Sequence[Field], corrections: bool) -> None:
    """One row of headings and the row of their numbers; what must be filled in is marked by "*" in the number row."""
    look = FONT | {"bold": True, "border": 1, "align": "center", "valign": "vcenter", "text_wrap": True}
    sheet.set_row(HEADER_ROW, 64)
    sheet.set_column(0, 0, NUMBER_WIDTH)
    head = book.add_format(look | {"bg_color": "#FFFFFF"})
    small = book.add_format(look | {"bold": False, "font_size": 9})
    sheet.write_string(HEADER_ROW, 0, label("capture.template.number", VI), head)
    sheet.write_string(HEADER_ROW + 1, 0, "1", small)
    for at, field in enumerate(columns, 1):
        sheet.set_column(at, at, max(WIDTH_OF[field.kind], 22.0 if field.name == "full_name" else 0))
        sheet.write_string(HEADER_ROW, at, field.heading, book.add_format(look | {"bg_color": COLOURS[field.group]}))
        sheet.write_string(HEADER_ROW + 1, at, str(at + 1), small)
    for at, (_, key) in enumerate(_CORRECTION if corrections else (), len(columns) + 1):
        sheet.set_column(at, at, CORRECTION_WIDTH)
        sheet.write_string(HEADER_ROW, at, label(key, VI), head)
        sheet.write_string(HEADER_ROW + 1, at, str(at + 1), small)


def _write_lines(
    book: Any, sheet: Any, columns: Sequence[Field], records: Sequence[Mapping[str, str]], count: int, corrections: bool
) -> None:
    cell = book.add_format(
        FONT | {"border": 1, "valign": "top", "text_wrap": True, "num_format": "@", "bg_color": INPUT, "locked": False}
    )
    names = [field.name for field in columns] + [name for name, _ in _CORRECTION if corrections]
    for line in range(count):
        record = records[line] if line < len(records) else {}
        row = FIRST_ROW + line
        if record:  # an empty line has no number: the door would take it for a line of the book
            sheet.write_string(row, 0, str(line + 1), cell)
        else:
            sheet.write_blank(row, 0, None, cell)
        for at, name in enumerate(names, 1):
            text = _written(form_fields().get(name), record.get(name, ""))
            sheet.write_string(row, at, text, cell) if text else sheet.write_blank(row, at, None, cell)


def _written(field: Field | None, value: str) -> str:
    """A value as it stands in the book: the Vietnamese words of a choice."""
    if field is None or field.kind not in WITH_CHOICES:
        return value
    return choices_of(field.choices).get(value, {}).get(VI, value)


def _write_choices(book: Any, columns: Sequence[Field]) -> dict[str, str]:
    """{list of choices: its range} on the hidden sheet."""
    sheet = book.add_worksheet(CHOICES)
    ranges = {}
    for at, choices in enumerate(dict.fromkeys(field.choices for field in columns if field.choices)):
        words = [texts[VI] for texts in choices_of(choices).values()]
        sheet.write_column(0, at, words)
        letter = chr(ord("A") + at)
        ranges[choices] = f"='{CHOICES}'!${letter}$1:${letter}${len(words)}"
    sheet.hide()
    return ranges


def _add_checks(sheet: Any, columns: Sequence[Field], ranges: Mapping[str, str], first: int, last: int) -> None:
    """Per column the message that appears in a cell, and what may stand there; a wrong text is warned of, not lost."""
    for at, field in enumerate(columns, 1):
        check: dict[str, Any] = {"ignore_blank": True, "error_type": "warning"}
        if field.choices:
            check |= {"validate": "list", "source": ranges[field.choices], "error_type": "stop"}
        elif field.name == "id_number":
            check |= {"validate": "length", "criteria": "==", "value": 12}
        else:
            check |= {"validate": "length", "criteria": "<=", "value": LONGEST}
        title = field.title[VI] + (" *" if field.required else "")
        sheet.data_validation(
            first, at, last, at,
            check | {
                "input_title": title[:32], "input_message": field.help[VI][:255],
                "error_title": label("capture.template.error_title", VI), "error_message": label("capture.template.error", VI, help=field.help[VI])[:255],
            },
        )  # fmt: skip


def _set_page(sheet: Any, columns: Sequence[Field], corrections: bool, last: int) -> None:
    """A3 lying, three pages wide, headings on every page, the name always in sight; locked except the lines."""
    sheet.freeze_panes(FIRST_ROW, 2)
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(3, 0)  # person, certificate, the rest; number and name repeated
    sheet.repeat_columns(0, 1)
    sheet.repeat_rows(HEADER_ROW, HEADER_ROW + 1)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.5)
    sheet.print_area(0, 0, last, len(columns) + (len(_CORRECTION) if corrections else 0))
    sheet.protect("", {"format_columns": True, "format_rows": True, "sort": True, "autofilter": True})


def file_name(place: Workplace, year: int) -> str:
    """The usual name of the template: names nobody."""
    return f"TuVong_{place.code}_{year}.xlsx"
