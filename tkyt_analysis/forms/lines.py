"""The lines of a form: its rows as the code list has them, the total row first, free lines last."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.catalog.entries import CellKind, FormColumn, FormVersion, Text
from tkyt_analysis.labels import label

TOTAL = "total"
HEADING = "none"


@dataclass(frozen=True)
class Line:
    """One line of a form.

    row : row id, "" on a free line; number : as printed in the first column; indent : steps to the right
    value : cell kind, "" = as its column says, "none" = a heading without cells
    """

    row: str
    label: str
    label_en: str = ""
    number: str = ""
    indent: int = 0
    value: str = ""
    unit: str = ""
    codelist: str = ""
    filled_by: str = ""
    unverified: bool = False

    @property
    def is_heading(self) -> bool:
        """Whether the line has no cells of its own."""
        return self.value == HEADING

    def kind_in(self, column: FormColumn) -> str:
        """What the cell of this line in a column holds. A note column stays text whatever the line counts."""
        return self.value if self.value and column.value != "text" else column.value


FREE_LINES = 30


def form_columns(version: FormVersion) -> tuple[FormColumn, ...]:
    """The columns of the form; where its cells are not known, those of free lines (quantity and note)."""
    if version.cells_known or version.columns:
        return version.columns
    if version.layout == "list":
        ids: dict[str, tuple[CellKind, float]] = {
            "line_number": ("count", 6),
            "content": ("text", 60),
            "note": ("text", 24),
        }
    else:
        ids = {"quantity": ("number", 12), "note": ("text", 28)}
    return tuple(
        FormColumn(name, _text(f"forms.free.{name}"), value=kind, width=width) for name, (kind, width) in ids.items()
    )


def _text(key: str) -> Text:
    return Text(label(key, "vi"), label(key, "en"))


def form_lines(version: FormVersion) -> list[Line]:
    """Every line in printed order: total row, rows of the code list, free lines (row id "")."""
    total = version.total_row
    first = [Line(TOTAL, total.vi.upper(), total.en)] if total else []
    listed = [_line(row) for row in read_codelist(version.rows).to_dict("records")] if version.rows else []
    free = version.free_rows or (0 if version.cells_known or version.layout == "list" else FREE_LINES)
    return [*first, *listed, *[Line("", "")] * free]


def _line(row: dict[str, str]) -> Line:
    return Line(
        row=row["row"],
        label=row["label_vi"],
        label_en=row.get("label_en", ""),
        number=row.get("number", row["row"]),
        indent=int(row.get("indent") or 0),
        value=row.get("value", ""),
        unit=row.get("unit_vi", ""),
        codelist=row.get("codelist", ""),
        filled_by=row.get("filled_by", ""),
        unverified=row.get("status", "") == "unverified",
    )


def form_cells(version: FormVersion) -> pd.DataFrame:
    """row, column, kind of every cell that somebody fills in or the form adds up (not the free lines, not headings).

    kind : a cell kind of the catalog (count, percent, text …)
    """
    cells = [
        (line.row, column.id, line.kind_in(column))
        for line in form_lines(version)
        if line.row and not line.is_heading
        for column in form_columns(version)
    ]
    return pd.DataFrame(cells, columns=["row", "column", "kind"], dtype="str")
