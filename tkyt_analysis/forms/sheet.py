"""The visible sheet of a form: titles, merged headings, numbering row, lines, totals, checks, signatures."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tkyt_analysis.catalog.entries import FormColumn
from tkyt_analysis.errors import InputError
from tkyt_analysis.forms.arithmetic import Total, Value, a1, blocked, breaches, evaluate, totals
from tkyt_analysis.forms.formats import BREACH_COLOUR, NOT_NUMBER_COLOUR, NUMERIC, Formats, cell_check
from tkyt_analysis.forms.lines import Line
from tkyt_analysis.forms.plan import HEADER_ROW, Cell, SheetPlan
from tkyt_analysis.labels import label

VI = "vi"
FIXED_WIDTHS = {"number": 6.0, "label": 44.0, "filled_by": 24.0, "unit": 11.0}
KIND_WIDTHS = {
    "count": 10.0,
    "number": 10.0,
    "percent": 10.0,
    "money": 16.0,
    "text": 28.0,
    "date": 13.0,
    "choice": 16.0,
}
FILL = 1.12  # letters of Times New Roman are a little narrower than the width's unit, the digit 0
WORDS_LINES = 3  # least height of an answer in words
NARROW = 92  # characters that a standing page holds at full size
WIDE = 125  # characters: wider sheets are printed on a lying page


@dataclass(frozen=True)
class Titles:
    """The lines over the table, and the note that practice files and unverified forms carry."""

    code: str
    legal: str
    reporter: str
    receiver: str
    deadline: str
    title: str
    period: str
    measure: str = ""
    banner: str = ""
    national: bool = False


def write_sheet(
    book: Any,
    plan: SheetPlan,
    titles: Titles,
    formats: Formats,
    *,
    name: str,
    last_day: datetime.date,
    choices: Mapping[str, str],
    values: Mapping[tuple[str, str], Value],
) -> Any:
    """Write the form on a new worksheet `name`; `values` by row id and column id (of a list: line number from 1)."""
    sheet = book.add_worksheet(name)
    widths = _set_widths(sheet, plan)
    _write_titles(sheet, plan, titles, formats, widths)
    _write_header(sheet, plan, formats, widths)
    _write_lines(sheet, plan, formats)
    _raise_lines(sheet, plan, widths, values)
    _write_cells(sheet, plan, formats, values)
    _add_checks(sheet, plan, last_day=last_day, choices=choices)
    _colour_breaches(sheet, plan, book)
    if (
        plan.found.version.layout != "list"
    ):  # a register is signed on its cover, and lines below it would read as entries
        _write_signatures(sheet, plan, formats)
    _set_page(sheet, plan, titles, widths)
    return sheet


# ------------------------------------------------------------------------------------------------ widths, titles


def _set_widths(sheet: Any, plan: SheetPlan) -> list[float]:
    widths = column_widths(plan)
    for at, width in enumerate(widths):
        sheet.set_column(at, at, width)
    return widths


def column_widths(plan: SheetPlan) -> list[float]:
    """Width of every column in characters; a narrow form is stretched, so that its heading has room."""
    longest = {"number": max((len(line.number) for line in plan.lines), default=0) + 2.0}
    fixed = [max(FIXED_WIDTHS[name], longest.get(name, 0)) for name in plan.fixed]
    own = [column.width or KIND_WIDTHS[column.value] for column in plan.columns]
    missing = max(0.0, NARROW - sum(fixed) - sum(own))
    wide = [at for at, width in enumerate(own) if width > 6]
    return [*fixed, *(width + (missing / len(wide) if at in wide else 0) for at, width in enumerate(own))]


def _write_titles(sheet: Any, plan: SheetPlan, titles: Titles, formats: Formats, widths: list[float]) -> None:
    last = plan.last_column
    half = _split(widths)
    left, right = formats.of(bold=True, valign="top"), formats.of(text_wrap=True, valign="top")
    small = formats.of(italic=True, text_wrap=True, valign="top", font_size=11)
    _across(sheet, 0, 0, half, titles.code, left)
    _across(sheet, 1, 0, half, titles.legal, small)
    if titles.national:
        _across(sheet, 0, half + 1, last, label("forms.nation", VI), formats.of(bold=True, align="center"))
        _across(sheet, 1, half + 1, last, label("forms.motto", VI),
                formats.of(bold=True, align="center", valign="top", underline=1))  # fmt: skip
    at = 2 if titles.national else 0
    place = (0, last) if titles.national else (half + 1, last)
    for row, text in enumerate((titles.reporter, titles.receiver, titles.deadline), at):
        _across(sheet, row, *place, text, right)
        _raise_row(sheet, row, [(text, sum(widths[place[0] : place[1] + 1]))])
    _raise_row(sheet, 1, [(titles.legal, sum(widths[: half + 1])), (titles.receiver, sum(widths[half + 1 :]))])
    total = sum(widths)
    _across(sheet, 5, 0, last, titles.title,
            formats.of(bold=True, font_size=14, align="center", valign="vcenter", text_wrap=True))  # fmt: skip
    sheet.set_row(5, 19 * lines_needed(titles.title, total * 0.72) + 10)
    _across(sheet, 6, 0, last, titles.period, formats.of(italic=True, align="center"))
    if titles.banner:
        _across(sheet, 7, 0, last, titles.banner,
                formats.of(italic=True, align="center", font_color="#9C0006", text_wrap=True, font_size=11))  # fmt: skip
        _raise_row(sheet, 7, [(titles.banner, total)])
    if titles.measure:
        _across(sheet, 8, 0, last, titles.measure, formats.of(italic=True, align="right"))


def _split(widths: list[float]) -> int:
    """The last column of the left block: about half of the width, and never the last column."""
    total, sofar = sum(widths), 0.0
    for at, width in enumerate(widths[:-1]):
        sofar += width
        if sofar >= total * 0.38:
            return at
    return max(0, len(widths) - 2)


def _across(sheet: Any, row: int, first: int, last: int, text: str, look: Any) -> None:
    if first == last:
        sheet.write_string(row, first, text, look)
    else:
        sheet.merge_range(row, first, row, last, "", look)
        sheet.write_string(row, first, text, look)


def _raise_row(sheet: Any, row: int, texts: list[tuple[str, float]], *, least: int = 1) -> None:
    """A row high enough for texts in widths of characters (Excel does not do this for merged cells)."""
    lines = max(least, *(lines_needed(text, width * FILL) for text, width in texts))
    if lines > 1:
        sheet.set_row(row, 16.5 * lines + 1)


def lines_needed(text: str, width: float) -> int:
    """Lines that a text takes in a column of `width` characters, broken between words."""
    lines = 0
    for paragraph in text.split("\n"):
        used, lines = float(len(paragraph) - len(paragraph.lstrip())), lines + 1
        for word in paragraph.split():
            if used and used + 1 + len(word) > width:
                used, lines = 0.0, lines + 1
            used += len(word) + bool(used)
            while used > width and width > 1:
                used, lines = used - width, lines + 1
    return lines


# ---------------------------------------------------------------------------------------------- header and lines


def _write_header(sheet: Any, plan: SheetPlan, formats: Formats, widths: list[float]) -> None:
    """Merged heading rows and the row of column numbers (A, B over what is printed, 1…n over the cells)."""
    head, bottom = formats.head(), HEADER_ROW + plan.header_depth - 1
    for at, name in enumerate(plan.fixed):
        _block(sheet, HEADER_ROW, at, bottom, at, _fixed_heading(plan, name), head)
    _write_groups(sheet, plan, head)
    for at, column in enumerate(plan.columns, len(plan.fixed)):
        _block(sheet, HEADER_ROW + len(column.groups), at, bottom, at, column.title.vi, head)
    deepest = [(column.title.vi, width) for column, width in zip(plan.columns, widths[len(plan.fixed) :], strict=True)]
    _raise_row(sheet, bottom, deepest, least=2 if plan.header_depth == 1 else 1)
    number = formats.of(border=1, align="center", italic=True, font_size=10)
    for at in range(plan.last_column + 1):
        sheet.write_number(plan.numbering_row, at, at + 1, number)


def _fixed_heading(plan: SheetPlan, name: str) -> str:
    if name == "label" and plan.found.version.row_heading:
        return plan.found.version.row_heading.vi
    return label(f"forms.heading.{name}", VI)


def _block(sheet: Any, top: int, left: int, bottom: int, right: int, text: str, look: Any) -> None:
    if (top, left) != (bottom, right):
        sheet.merge_range(top, left, bottom, right, "", look)
    sheet.write_string(top, left, text, look)


def _write_groups(sheet: Any, plan: SheetPlan, head: Any) -> None:
    """The headings over headings: neighbours with the same ones share a cell."""
    for depth in range(plan.header_depth - 1):
        start = 0
        for at in range(1, len(plan.columns) + 1):
            before = _group(plan.columns[start], depth)
            if at == len(plan.columns) or _group(plan.columns[at], depth) != before:
                if before:
                    left = len(plan.fixed) + start
                    _block(sheet, HEADER_ROW + depth, left, HEADER_ROW + depth, left + at - start - 1, before[-1], head)
                start = at


def _group(column: FormColumn, depth: int) -> tuple[str, ...]:
    """The headings over a column down to a depth, () where it has none there."""
    return tuple(text.vi for text in column.groups[: depth + 1]) if len(column.groups) > depth else ()


def _write_lines(sheet: Any, plan: SheetPlan, formats: Formats) -> None:
    """The printed part of every line; free lines are for the unit to head."""
    for row, line in enumerate(plan.lines, plan.first_row):
        bold = line.is_heading or line.row == "total"
        for at, name in enumerate(plan.fixed):
            if not line.row:
                sheet.write_blank(row, at, None, formats.cell("text", use="input"))
            elif name == "label":
                look = formats.label(bold=bold, indent=line.indent, italic=line.unverified and not bold)
                sheet.write_string(row, at, line.label, look)
            else:
                sheet.write_string(row, at, _fixed_text(line, name), formats.middle(bold=bold and name == "number"))
        if line.is_heading:
            for at in range(len(plan.fixed), plan.last_column + 1):
                sheet.write_blank(row, at, None, formats.middle())


def _raise_lines(sheet: Any, plan: SheetPlan, widths: list[float], values: Mapping[tuple[str, str], Value]) -> None:
    """Lines high enough for their printed texts, and for answers in words."""
    for row, line in enumerate(plan.lines, plan.first_row):
        texts = [(_printed(line, name), width) for name, width in zip(plan.fixed, widths, strict=False)]
        if not line.is_heading:
            for column, width in zip(plan.columns, widths[len(plan.fixed) :], strict=True):
                given = values.get((line.row or str(row - plan.first_row + 1), column.id))
                texts.append((given, width) if isinstance(given, str) else ("", width))
        in_words = line.value == "text" and plan.found.version.layout == "outline"
        _raise_row(sheet, row, [*texts, ("", 1)], least=WORDS_LINES if in_words else 1)


def _printed(line: Line, name: str) -> str:
    """What stands in a leading column, the label with its indent as blanks."""
    return "  " * line.indent + line.label if name == "label" else _fixed_text(line, name)


def _fixed_text(line: Line, name: str) -> str:
    return {"number": line.number, "filled_by": line.filled_by, "unit": line.unit}[name]


# ---------------------------------------------------------------------------------------------------------- cells


def _write_cells(sheet: Any, plan: SheetPlan, formats: Formats, values: Mapping[tuple[str, str], Value]) -> None:
    given, sums, closed = _by_cell(plan, values), totals(plan), blocked(plan)
    known = evaluate(sums, given)
    for row, column, line, head in plan.cells():
        cell, kind = (row, column), line.kind_in(head)
        if cell in sums:
            _require_same(plan, sums[cell], known[cell], given.get(cell))
            sheet.write_formula(row, column, sums[cell].formula, formats.cell(kind, use="total"), known[cell])
        elif given.get(cell) not in (None, ""):
            _write_value(sheet, row, column, given[cell], formats.cell(kind, use="input"))
        else:
            use = "blocked" if cell in closed else "input"
            sheet.write_blank(row, column, None, formats.cell(kind, use=use))


def _by_cell(plan: SheetPlan, values: Mapping[tuple[str, str], Value]) -> dict[Cell, Value]:
    """The values by sheet cell. Raises InputError at a row or column that the form does not have."""
    rows = plan.row_at
    if plan.found.version.layout == "list":
        rows = {str(number): plan.first_row + number - 1 for number in range(1, len(plan.lines) + 1)}
    given: dict[Cell, Value] = {}
    for (row, column), value in values.items():
        if row not in rows or column not in plan.column_at:
            raise InputError("error.forms.no_cell", code=plan.found.form.code, row=row, column=column)
        given[rows[row], plan.column_at[column]] = value
    return given


def _require_same(plan: SheetPlan, total: Total, computed: Value, given: Value) -> None:
    """A total that is given must be what its parts add up to: the formula would say otherwise in front of the user."""
    if given not in (None, "") and given != computed:
        raise InputError(
            "error.forms.total_differs",
            code=plan.found.form.code, cell=a1(total.cell), value=given, expected=computed, rule=total.rule.id,
        )  # fmt: skip


def _write_value(sheet: Any, row: int, column: int, value: Value, look: Any) -> None:
    """A value as what it is; text never becomes a formula or a link."""
    if isinstance(value, datetime.date):
        sheet.write_datetime(row, column, value, look)
    elif isinstance(value, str):
        sheet.write_string(row, column, value, look)
    elif value is not None and not (isinstance(value, float) and math.isnan(value)):
        sheet.write_number(row, column, value, look)
    else:
        sheet.write_blank(row, column, None, look)


def _add_checks(sheet: Any, plan: SheetPlan, *, last_day: datetime.date, choices: Mapping[str, str]) -> None:
    """A data validation per run of cells of one kind in a column; totals have none."""
    sums = totals(plan)
    runs: dict[tuple[int, str, str], list[list[int]]] = {}
    for row, column, line, head in plan.cells():
        if (row, column) in sums:
            continue
        key = (column, line.kind_in(head), line.codelist or head.codelist or "")
        rows = runs.setdefault(key, [])
        if rows and rows[-1][1] == row - 1:
            rows[-1][1] = row
        else:
            rows.append([row, row])
    for (column, kind, codelist), spans in runs.items():
        check = cell_check(kind, last_day=last_day, choices=choices.get(codelist, ""))
        others = [(first, column, last, column) for first, last in spans[1:]]
        if others:
            check["other_cells"] = others
        sheet.data_validation(spans[0][0], column, spans[0][1], column, check)


def _colour_breaches(sheet: Any, plan: SheetPlan, book: Any) -> None:
    """Orange where a form rule is broken, yellow where text stands in a cell for numbers (pasting escapes the checks)."""
    broken = book.add_format({"bg_color": BREACH_COLOUR, "font_color": "#9C0006", "bold": True})
    for breach in breaches(plan):
        sheet.conditional_format(
            *breach.cell, *breach.cell, {"type": "formula", "criteria": breach.condition, "format": broken}
        )
    worded = book.add_format({"bg_color": NOT_NUMBER_COLOUR})
    for first, last, column in _numeric_runs(plan):
        cell = a1((first, column))
        condition = f'=AND({cell}<>"",NOT(ISNUMBER({cell})))'
        sheet.conditional_format(
            first, column, last, column, {"type": "formula", "criteria": condition, "format": worded}
        )


def _numeric_runs(plan: SheetPlan) -> list[tuple[int, int, int]]:
    """(first row, last row, column) of neighbouring cells that hold numbers."""
    runs: list[tuple[int, int, int]] = []
    for row, column, line, head in sorted(plan.cells(), key=lambda one: (one[1], one[0])):
        if line.kind_in(head) in NUMERIC:
            if runs and runs[-1][2] == column and runs[-1][1] == row - 1:
                runs[-1] = (runs[-1][0], row, column)
            else:
                runs.append((row, row, column))
    return runs


# ------------------------------------------------------------------------------------------------- foot and page


def _write_signatures(sheet: Any, plan: SheetPlan, formats: Formats) -> None:
    """Place and date, who made the report, the head of the unit."""
    row, last = plan.last_row + 2, plan.last_column
    half = max(0, min(last - 1, last // 2))
    centre, note = formats.of(align="center"), formats.of(align="center", italic=True)
    bold = formats.of(align="center", bold=True)
    _across(sheet, row, half + 1, last, label("forms.sign.date", VI), note)
    _across(sheet, row + 1, 0, half, label("forms.sign.maker", VI), bold)
    _across(sheet, row + 1, half + 1, last, label("forms.sign.head", VI), bold)
    _across(sheet, row + 2, 0, half, label("forms.sign.maker_note", VI), note)
    _across(sheet, row + 2, half + 1, last, label("forms.sign.head_note", VI), note)
    signed = formats.of(align="center", locked=False)
    _across(sheet, row + 6, 0, half, "", signed)
    _across(sheet, row + 6, half + 1, last, "", signed)
    sheet.write_blank(row + 7, 0, None, centre)


def _set_page(sheet: Any, plan: SheetPlan, titles: Titles, widths: list[float]) -> None:
    """A4, one page wide, header repeated, page numbers; panes frozen under the numbering row; locked but open to formats."""
    sheet.set_paper(9)
    sheet.set_margins(left=0.6, right=0.4, top=0.6, bottom=0.6)
    if sum(widths) > WIDE:
        sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.center_horizontally()
    sheet.repeat_rows(HEADER_ROW, plan.numbering_row)
    sheet.set_footer(f"&L&9{titles.code}&R&9{label('forms.page', VI)} &P/&N")
    signed = 0 if plan.found.version.layout == "list" else 9
    sheet.print_area(0, 0, plan.last_row + signed, plan.last_column)
    sheet.freeze_panes(plan.first_row, min(2, len(plan.fixed)) or 2)
    may = {"format_columns": True, "format_rows": True, "select_locked_cells": True, "select_unlocked_cells": True}
    if plan.found.version.layout == "list" or plan.found.version.free_rows:
        may |= {"insert_rows": True, "sort": True, "autofilter": True}
    sheet.protect("", may)
