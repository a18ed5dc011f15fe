"""What stands over the lines of a form: widths of its columns, titles, merged headings, the numbering row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tkyt_analysis.catalog.entries import FormColumn
from tkyt_analysis.forms.formats import Formats
from tkyt_analysis.forms.plan import HEADER_ROW, SheetPlan
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
NARROW = 92  # characters that a standing page holds at full size


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


def set_widths(sheet: Any, plan: SheetPlan) -> list[float]:
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


def write_titles(sheet: Any, plan: SheetPlan, titles: Titles, formats: Formats, widths: list[float]) -> None:
    last = plan.last_column
    half = _split(widths)
    left, right = formats.of(bold=True, valign="top"), formats.of(text_wrap=True, valign="top")
    small = formats.of(italic=True, text_wrap=True, valign="top", font_size=11)
    across(sheet, 0, 0, half, titles.code, left)
    across(sheet, 1, 0, half, titles.legal, small)
    if titles.national:
        across(sheet, 0, half + 1, last, label("forms.nation", VI), formats.of(bold=True, align="center"))
        across(sheet, 1, half + 1, last, label("forms.motto", VI),
                formats.of(bold=True, align="center", valign="top", underline=1))  # fmt: skip
    at = 2 if titles.national else 0
    place = (0, last) if titles.national else (half + 1, last)
    for row, text in enumerate((titles.reporter, titles.receiver, titles.deadline), at):
        across(sheet, row, *place, text, right)
        raise_row(sheet, row, [(text, sum(widths[place[0] : place[1] + 1]))])
    raise_row(sheet, 1, [(titles.legal, sum(widths[: half + 1])), (titles.receiver, sum(widths[half + 1 :]))])
    total = sum(widths)
    across(sheet, 5, 0, last, titles.title,
            formats.of(bold=True, font_size=14, align="center", valign="vcenter", text_wrap=True))  # fmt: skip
    sheet.set_row(5, 19 * lines_needed(titles.title, total * 0.72) + 10)
    across(sheet, 6, 0, last, titles.period, formats.of(italic=True, align="center"))
    if titles.banner:
        across(sheet, 7, 0, last, titles.banner,
                formats.of(italic=True, align="center", font_color="#9C0006", text_wrap=True, font_size=11))  # fmt: skip
        raise_row(sheet, 7, [(titles.banner, total)])
    if titles.measure:
        across(sheet, 8, 0, last, titles.measure, formats.of(italic=True, align="right"))


def _split(widths: list[float]) -> int:
    """The last column of the left block: about half of the width, and never the last column."""
    total, sofar = sum(widths), 0.0
    for at, width in enumerate(widths[:-1]):
        sofar += width
        if sofar >= total * 0.38:
            return at
    return max(0, len(widths) - 2)


def across(sheet: Any, row: int, first: int, last: int, text: str, look: Any) -> None:
    if first == last:
        sheet.write_string(row, first, text, look)
    else:
        sheet.merge_range(row, first, row, last, "", look)
        sheet.write_string(row, first, text, look)


def raise_row(sheet: Any, row: int, texts: list[tuple[str, float]], *, least: int = 1) -> None:
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


def write_header(sheet: Any, plan: SheetPlan, formats: Formats, widths: list[float]) -> None:
    """Merged heading rows and the row of column numbers (A, B over what is printed, 1…n over the cells)."""
    head, bottom = formats.head(), HEADER_ROW + plan.header_depth - 1
    for at, name in enumerate(plan.fixed):
        _block(sheet, HEADER_ROW, at, bottom, at, _fixed_heading(plan, name), head)
    _write_groups(sheet, plan, head)
    for at, column in enumerate(plan.columns, len(plan.fixed)):
        _block(sheet, HEADER_ROW + len(column.groups), at, bottom, at, column.title.vi, head)
    deepest = [(column.title.vi, width) for column, width in zip(plan.columns, widths[len(plan.fixed) :], strict=True)]
    raise_row(sheet, bottom, deepest, least=2 if plan.header_depth == 1 else 1)
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
