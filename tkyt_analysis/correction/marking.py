"""Marks on the cells of a workbook: a colour, a border and a pattern, and a comment; and their removal.

A mark keeps the look that its cell had on the hidden sheet (column C of its row), so that the next error workbook of the
mended file can give it back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from openpyxl.cell import Cell
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

AUTHOR = "TKYT"
STYLE_KEY = "style"
LONGEST_COMMENT = 1200
# severity → (fill, pattern, colour of the border, its line): error and warning differ in border and pattern too
LOOKS = {
    "error": ("FFC7CE", "solid", "C00000", "thick"),
    "warning": ("FFEB9C", "lightUp", "9C5700", "mediumDashed"),
    "note": ("DDEBF7", "lightGray", "2F5597", "dotted"),
}
_OURS = re.compile(rf"\n*— {AUTHOR} —\n.*?\[([0-9a-f]{{12}})[^\]]*\]\s*$", re.DOTALL)


@dataclass(frozen=True)
class Mark:
    """A marked cell: what its comment says, and the questions behind it (ids, the first names the mark)."""

    sheet: str
    cell: str
    severity: str
    lines: tuple[str, ...]
    question_ids: tuple[str, ...]


def mark_cells(book: Workbook, marks: Iterable[Mark]) -> list[tuple[str, Cell]]:
    """Colour the cells and write their comments; (question id, cell with the look it had) for `keep_looks`."""
    looks = {severity: _look(severity) for severity in LOOKS}
    kept = []
    for mark in marks:
        cell = _main_cell(book[mark.sheet], mark.cell)
        before = copy(cell._style)
        fill, border = looks[mark.severity]
        cell.fill, cell.border = fill, border
        if cell.data_type != "f":
            cell.protection = _unlocked()
        cell.comment = _comment(mark, cell.comment.text if cell.comment else "")
        kept.append((mark.question_ids[0], before))
    return kept


def _look(severity: str) -> tuple[Any, Any]:
    from openpyxl.styles import Border, PatternFill, Side

    colour, pattern, line, style = LOOKS[severity]
    side = Side(style=style, color=line)
    ink = line if pattern != "solid" else colour
    return PatternFill(pattern, fgColor=ink, bgColor=colour), Border(left=side, right=side, top=side, bottom=side)


def _unlocked() -> Any:
    from openpyxl.styles import Protection

    return Protection(locked=False)


def _comment(mark: Mark, before: str) -> Any:
    from openpyxl.comments import Comment

    said = "\n".join(mark.lines)[:LONGEST_COMMENT]
    text = f"{before}\n— {AUTHOR} —\n{said}\n[{' '.join(mark.question_ids)}]".lstrip("\n")
    return Comment(text, AUTHOR, width=340, height=min(60 + 18 * (len(text) // 45 + len(mark.lines)), 380))


def _main_cell(sheet: Worksheet, address: str) -> Cell:
    """The cell itself, or the first of the merged range that covers it."""
    cell = sheet[address]
    for merged in sheet.merged_cells.ranges if type(cell).__name__ == "MergedCell" else ():
        if address in merged:
            cell = sheet.cell(merged.min_row, merged.min_col)
    return cell


def remove_marks(book: Workbook, hidden: Worksheet | None) -> None:
    """Take our comments away and give the marked cells the look they had."""
    looks = {} if hidden is None else _kept_looks(hidden)
    for sheet in book.worksheets:
        for row in sheet._cells.values():
            if row.comment is not None and (found := _OURS.search("\n" + row.comment.text)):
                _restore(row, looks.get(found[1]))


def _restore(cell: Cell, look: Any) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Border, PatternFill

    rest = _OURS.sub("", "\n" + cell.comment.text).strip()
    cell.comment = Comment(rest, cell.comment.author) if rest else None
    if look is None:
        cell.fill, cell.border = PatternFill(), Border()
    else:
        cell._style = copy(look)


def _kept_looks(hidden: Worksheet) -> dict[str, Any]:
    return {
        str(row[1].value): row[2]._style
        for row in hidden.iter_rows(max_col=3)
        if len(row) > 2 and row[0].value == STYLE_KEY
    }


def keep_looks(hidden: Worksheet, kept: Iterable[tuple[str, Any]]) -> None:
    """Append the looks that the marked cells had to the hidden sheet, each under its question id."""
    at = hidden.max_row + 1
    for question, look in kept:
        hidden.cell(at, 1, STYLE_KEY)
        hidden.cell(at, 2, question)
        hidden.cell(at, 3)._style = copy(look)
        at += 1


def comment_lines(severity: str, said: str, to_do: str) -> tuple[str, str]:
    """The two lines of a question in a comment."""
    mark = label(f"correction.severity.{severity}")
    return f"{mark}: {said}", label("correction.comment.to_do", None, text=to_do)
