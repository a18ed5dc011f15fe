"""The visible sheet of a form: its lines and cells, totals, checks, colours, signatures, page."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import Any

from tkyt_analysis.errors import InputError
from tkyt_analysis.forms.arithmetic import Total, Value, a1, blocked, breaches, evaluate, totals
from tkyt_analysis.forms.formats import BREACH_COLOUR, NOT_NUMBER_COLOUR, NUMERIC, Formats, cell_check
from tkyt_analysis.forms.lines import Line
from tkyt_analysis.forms.plan import HEADER_ROW, Cell, SheetPlan
from tkyt_analysis.forms.sheet_head import Titles, across, raise_row, set_widths, write_header, write_titles
from tkyt_analysis.labels import label

VI = "vi"
WORDS_LINES = 3  # least height of an answer in words
WIDE = 125  # characters: wider sheets are printed on a lying page


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
    widths = set_widths(sheet, plan)
    write_titles(sheet, plan, titles, formats, widths)
    write_header(sheet, plan, formats, widths)
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
        raise_row(sheet, row, [*texts, ("", 1)], least=WORDS_LINES if in_words else 1)


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
    across(sheet, row, half + 1, last, label("forms.sign.date", VI), note)
    across(sheet, row + 1, 0, half, label("forms.sign.maker", VI), bold)
    across(sheet, row + 1, half + 1, last, label("forms.sign.head", VI), bold)
    across(sheet, row + 2, 0, half, label("forms.sign.maker_note", VI), note)
    across(sheet, row + 2, half + 1, last, label("forms.sign.head_note", VI), note)
    signed = formats.of(align="center", locked=False)
    across(sheet, row + 6, 0, half, "", signed)
    across(sheet, row + 6, half + 1, last, "", signed)
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
