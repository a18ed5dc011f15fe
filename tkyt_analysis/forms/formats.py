"""Cell formats and cell checks of a form's workbook (Times New Roman 12, as ministries write)."""

from __future__ import annotations

import datetime
from typing import Any

from tkyt_analysis.labels import label

FONT = {"font_name": "Times New Roman", "font_size": 12}
INPUT_COLOUR, TOTAL_COLOUR, BLOCKED_COLOUR, HEAD_COLOUR = "#FFFBE6", "#EDEDED", "#D9D9D9", "#E8EEF4"
BREACH_COLOUR, NOT_NUMBER_COLOUR = "#F8CBAD", "#FFD966"
NUMBER_FORMATS = {
    "count": "#,##0",
    "money": "#,##0",
    "number": "#,##0.##",
    "percent": "0.0",
    "date": "dd/mm/yyyy",
    "text": "@",
    "choice": "@",
}
NUMERIC = ("count", "number", "percent", "money")
LONGEST_TEXT = 4000
FIRST_DAY = datetime.date(1900, 1, 1)


class Formats:
    """The formats of one workbook, made when first asked for."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, object], ...], Any] = {}

    def of(self, **properties: object) -> Any:
        """A format with our font and these properties."""
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(FONT | properties)
        return self._made[key]

    def head(self) -> Any:
        return self.of(bold=True, border=1, align="center", valign="vcenter", text_wrap=True, bg_color=HEAD_COLOUR)

    def label(self, *, bold: bool = False, indent: int = 0, italic: bool = False) -> Any:
        return self.of(border=1, valign="vcenter", text_wrap=True, bold=bold, indent=indent, italic=italic)

    def middle(self, *, bold: bool = False) -> Any:
        return self.of(border=1, align="center", valign="vcenter", text_wrap=True, bold=bold)

    def cell(self, kind: str, *, use: str) -> Any:
        """A data cell; use: input (unlocked) | total | blocked."""
        colour = {"input": INPUT_COLOUR, "total": TOTAL_COLOUR, "blocked": BLOCKED_COLOUR}[use]
        look: dict[str, object] = {"border": 1, "valign": "vcenter", "bg_color": colour, "locked": use != "input"}
        look["num_format"] = NUMBER_FORMATS[kind]
        if kind in NUMERIC:
            look |= {"align": "right", "indent": 1}
        elif kind in ("date", "choice"):
            look |= {"align": "center", "text_wrap": True}
        else:
            look["text_wrap"] = True
        return self.of(**look, bold=use == "total")


def cell_check(kind: str, *, last_day: datetime.date, choices: str = "") -> dict[str, Any]:
    """The data validation of a cell of a kind, with its Vietnamese input and error messages.

    choices : the range with the words of a choice; last_day : no date lies after it
    """
    check: dict[str, Any] = {"ignore_blank": True}
    if kind in ("count", "money"):
        check |= {"validate": "integer", "criteria": ">=", "value": 0}
    elif kind == "number":
        check |= {"validate": "decimal", "criteria": ">=", "value": 0}
    elif kind == "percent":
        check |= {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 100}
    elif kind == "date":
        check |= {"validate": "date", "criteria": "between", "minimum": FIRST_DAY, "maximum": last_day}
        check["error_type"] = "warning"
    elif kind == "choice":
        check |= {"validate": "list", "source": choices}
    else:
        check |= {"validate": "length", "criteria": "<=", "value": LONGEST_TEXT}
    words = {"last": f"{last_day:%d/%m/%Y}", "longest": LONGEST_TEXT}
    said = {
        "input_title": label(f"forms.check.{kind}.title", "vi"),
        "input_message": label(f"forms.check.{kind}.input", "vi").format(**words),
        "error_title": label("forms.check.error_title", "vi"),
        "error_message": label(f"forms.check.{kind}.error", "vi").format(**words),
    }
    if kind == "text":  # a bubble over every text cell only stands in the way
        said = {name: text for name, text in said.items() if not name.startswith("input")}
    return check | said
