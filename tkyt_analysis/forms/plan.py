"""Where everything of a form stands on its sheet. Rows and columns count from 0, as xlsxwriter does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tkyt_analysis.catalog.entries import FormColumn
from tkyt_analysis.forms.find import FormAt
from tkyt_analysis.forms.lines import Line, form_columns, form_lines

HEADER_ROW = 9  # the first header row; titles stand above
LIST_LINES = 300  # empty lines of a register

Cell = tuple[int, int]


@dataclass(frozen=True)
class SheetPlan:
    """One form on one sheet: its lines and columns, and the cell of each row id and column id.

    fixed : the leading columns that nobody fills in ("number", "label", "filled_by", "unit"); none in a list
    """

    found: FormAt
    lines: tuple[Line, ...]
    columns: tuple[FormColumn, ...]
    fixed: tuple[str, ...]

    @cached_property
    def header_depth(self) -> int:
        """Header rows, without the numbering row."""
        return 1 + max((len(column.groups) for column in self.columns), default=0)

    @property
    def numbering_row(self) -> int:
        return HEADER_ROW + self.header_depth

    @property
    def first_row(self) -> int:
        return self.numbering_row + 1

    @property
    def last_row(self) -> int:
        return self.first_row + len(self.lines) - 1

    @property
    def last_column(self) -> int:
        return len(self.fixed) + len(self.columns) - 1

    @cached_property
    def row_at(self) -> dict[str, int]:
        """Sheet row of each row id."""
        return {line.row: self.first_row + at for at, line in enumerate(self.lines) if line.row}

    @cached_property
    def column_at(self) -> dict[str, int]:
        """Sheet column of each column id."""
        return {column.id: len(self.fixed) + at for at, column in enumerate(self.columns)}

    def cells(self) -> Iterator[tuple[int, int, Line, FormColumn]]:
        """Sheet row, sheet column, line and column of every cell to be filled in or added up."""
        for row, line in enumerate(self.lines, self.first_row):
            if not line.is_heading:
                for at, column in enumerate(self.columns, len(self.fixed)):
                    yield row, at, line, column


def plan_sheet(found: FormAt, *, list_lines: int = LIST_LINES) -> SheetPlan:
    """The plan of a form's sheet; a list gets `list_lines` empty lines."""
    version = found.version
    if version.layout == "list":
        return SheetPlan(found, (Line("", ""),) * list_lines, form_columns(version), ())
    lines = tuple(form_lines(version))
    fixed = ["number", "label"]
    fixed += ["filled_by"] * any(line.filled_by for line in lines)
    fixed += ["unit"] * any(line.unit for line in lines)
    return SheetPlan(found, lines, form_columns(version), tuple(fixed))
