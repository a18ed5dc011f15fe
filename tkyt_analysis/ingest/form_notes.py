"""The notes on a form that landed: cells read otherwise than written, lines and columns that are not as printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tkyt_analysis.catalog.entries import Form, FormVersion
from tkyt_analysis.forms.lines import form_columns
from tkyt_analysis.ingest import form_layout as layout
from tkyt_analysis.ingest.door import NOTE_COLUMNS
from tkyt_analysis.ingest.excel_grid import column_letters
from tkyt_analysis.ingest.excel_tables import Table
from tkyt_analysis.ingest.form_heading import FoundPeriod
from tkyt_analysis.ingest.heading_unit import FoundUnit

COLUMN_BY_NUMBER = "note.form_column_by_number"


@dataclass(frozen=True)
class _Context:
    table: Table
    form: Form
    version: FormVersion
    cells: pd.DataFrame
    rows: pd.DataFrame
    period: FoundPeriod
    unit: FoundUnit
    in_force: bool

    @property
    def landed(self) -> pd.DataFrame:
        return self.cells[self.cells["reason"].eq("")]


def form_notes(
    table: Table, form: Form, version: FormVersion, cells: pd.DataFrame, rows: pd.DataFrame, *,
    period: FoundPeriod, unit: FoundUnit, in_force: bool,
) -> pd.DataFrame:  # fmt: skip
    """Notes of the landed cells, of their lines, and of the form as a whole; columns NOTE_COLUMNS."""
    context = _Context(table, form, version, cells, rows, period, unit, in_force)
    parts = [
        _cell_notes(context),
        _line_notes(context),
        _repair_notes(context),
        pd.DataFrame(_whole_notes(context), columns=NOTE_COLUMNS),
    ]
    used = [part.reindex(columns=NOTE_COLUMNS).astype(object) for part in parts if len(part)]
    return pd.concat(used, ignore_index=True) if used else pd.DataFrame(columns=NOTE_COLUMNS)


def _cell_notes(context: _Context) -> pd.DataFrame:
    cells = context.landed[context.landed["note"].ne("")]
    places = [
        {"cell": f"{column_letters(at)}{row}"} for at, row in zip(cells["column"], cells["row_number"], strict=True)
    ]
    return cells.assign(sheet=context.table.grid.sheet, column_name=cells["header"], value=cells["text"], fields=places)


def _line_notes(context: _Context) -> pd.DataFrame:
    rows = context.rows
    rows = rows[rows["note"].ne("") & rows.index.isin(context.landed["row_number"])]
    at = context.table.column_of(layout.ROW_LABEL) or 1
    return pd.DataFrame(
        {
            "sheet": context.table.grid.sheet,
            "row_number": rows.index,
            "column_name": layout.ROW_LABEL,
            "value": rows["label"].to_numpy(),
            "became": rows["expected"].to_numpy(),
            "note": rows["note"].to_numpy(),
            "fields": [
                {"row": int(row), "expected": expected, "cell": f"{column_letters(at)}{row}"}
                for row, expected in rows["expected"].items()
            ],
        }
    )


def _repair_notes(context: _Context) -> pd.DataFrame:
    """Repaired texts of the lines that landed."""
    table = context.table
    repairs = table.grid.repairs
    repairs = repairs[repairs["row"].isin(context.landed["row_number"]) & repairs["column"].isin(table.fields)]
    places = [{"cell": f"{column_letters(at)}{row}"} for at, row in zip(repairs["column"], repairs["row"], strict=True)]
    return repairs.rename(columns={"row": "row_number"}).assign(
        sheet=table.grid.sheet, column_name=repairs["column"].map(table.headers).fillna(""), fields=places
    )


def _whole_notes(context: _Context) -> list[list[object]]:
    """Rows and columns of the form that are absent, columns it does not have, totals left out, a version not in force,
    what was hidden, what the hidden sheet had to say."""
    notes = [*_absent(context), *_columns(context), *_hidden(context)]
    rows = context.rows
    totals = int((rows["row"].eq("") & rows["reason"].eq("") & rows["label"].ne("")).sum())
    if totals:
        notes.append(("note.form_lines_not_data", str(totals), {"count": totals}))
    if context.period.period and not context.in_force:
        period = context.period.period.period_id
        fields = {"form": context.form.code, "reference": context.version.reference, "period": period}
        notes.append(("note.form_not_in_force", period, fields))
    for found in (context.unit, context.period):
        if found.note:
            notes.append((found.note, "", dict(found.fields)))
    sheet = context.table.grid.sheet
    return [[sheet, None, "", value, "", note, fields] for note, value, fields in notes]


_Whole = tuple[str, str, Mapping[str, Any]]


def _absent(context: _Context) -> list[_Whole]:
    found = set(context.rows["row"])
    wanted = [row.line for row in layout.known_rows(context.version)]
    rows = [line.row for line in wanted if line.row not in found and not line.is_heading]
    named = context.table.fields.values()
    columns = [one.title.vi for one in form_columns(context.version) if one.id not in named]
    notes: list[_Whole] = []
    if rows:
        notes.append(("note.form_rows_missing", ", ".join(rows), {"rows": ", ".join(rows)}))
    if columns:
        notes.append(("note.form_columns_missing", "; ".join(columns), {"columns": "; ".join(columns)}))
    return notes


def _columns(context: _Context) -> list[_Whole]:
    table = context.table
    notes: list[_Whole] = [
        ("note.form_column_unknown", table.headers[at], {"column": table.headers[at]})
        for at in table.headers
        if at not in table.fields
    ]
    titles = {column.id: column.title.vi for column in form_columns(context.version)}
    for at in table.told_by_number:
        fields = {
            "column": table.headers.get(at, ""),
            "expected": titles.get(table.fields[at], ""),
            "letter": column_letters(at),
        }
        notes.append((COLUMN_BY_NUMBER, fields["column"], fields))
    return notes


def _hidden(context: _Context) -> list[_Whole]:
    """Sheet, rows and columns that nobody sees but that were read."""
    grid, notes = context.table.grid, list[_Whole]()
    if grid.hidden:
        notes.append(("note.hidden_sheet", grid.sheet, {}))
    rows = sorted(set(context.landed["row_number"]) & grid.hidden_rows)
    columns = sorted(set(context.landed["column"]) & grid.hidden_columns)
    if rows or columns:
        said = ", ".join([*map(str, rows), *map(column_letters, columns)])
        notes.append(("note.form_hidden_lines", said, {"lines": said}))
    return notes
