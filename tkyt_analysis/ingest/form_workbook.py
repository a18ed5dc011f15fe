"""The door for reporting forms in Excel: each form as its catalog entry lays it out (first: Biểu 16/BCH).

Every filled cell under a known column and row is one `aggregate_value`; a cell that is no number, a line that is no row
of the form, a unit or period that cannot be told is quarantined, cell by cell, and the rest lands.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from tkyt_analysis.catalog.entries import Form, FormVersion
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest import form_layout as layout
from tkyt_analysis.ingest.door import (
    NOTE_COLUMNS,
    QUARANTINE_COLUMNS,
    Batch,
    IngestContext,
    ReceivedFile,
)  # fmt: skip
from tkyt_analysis.ingest.excel_grid import CellError, Grid, iterate_workbook, peek_workbook
from tkyt_analysis.ingest.excel_tables import Table
from tkyt_analysis.ingest.form_choice import one_form_per_table
from tkyt_analysis.ingest.heading_unit import FoundUnit, find_reporting_unit
from tkyt_analysis.ingest.numbers import parse_numbers
from tkyt_analysis.ingest.report_heading import read_heading_period, read_reporting_unit
from tkyt_analysis.ingest.safe_open import require_kind, require_safe_workbook
from tkyt_analysis.reference.periods import Period
from tkyt_analysis.reference.vietnamese_text import fold

NO_FORM = "error.no_known_form"
PERIOD_MISSING = "quarantine.form_period_missing"
NOT_COMPUTED = "quarantine.formula_not_computed"
_RECEIVER = re.compile(r"don vi nhan|noi nhan|kinh gui|ngay nhan")
_REPORTER = re.compile(r"don vi bao cao|don vi gui|don vi lap")


class FormWorkbookDoor:
    """Recognises a sheet by the headings and row labels of a form in the catalog."""

    id = "form_workbook"

    def recognise(self, file: ReceivedFile) -> float:
        """0.9 where a sheet holds most columns and enough rows of a known form."""
        suffix = PurePosixPath(file.member or file.name).suffix.lower()
        if suffix not in (".xlsx", ".xlsm", ".xls", ".ods", ".xlsb", ""):
            return 0.0
        found = any(True for grid in peek_workbook(file.path) for _ in _forms_on(grid))
        return 0.9 if found else 0.0

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """One batch of `aggregate_value` per form found, on whichever sheet it stands."""
        if require_kind(file, ("xlsx", "xls", "ods")) != "xls":
            require_safe_workbook(file)
        found = False
        for grid in iterate_workbook(file.path, name=file.name):
            for form, table in _forms_on(grid):
                found = True
                yield read_form(table, form, file_name=file.member or file.name)
        if not found:
            raise InputError(NO_FORM, file=file.name)


def _forms_on(grid: Grid) -> Iterator[tuple[Form, Table]]:
    """Every form on a sheet with its table: of forms with the same cells the one that the heading names."""
    yield from one_form_per_table(_matches(grid))


def _matches(grid: Grid) -> Iterator[tuple[Form, Table]]:
    """Every form whose layout fits a table; the newest version that fits counts."""
    for form in layout.forms_with_rows():
        for start in sorted(form.versions, reverse=True):
            tables = layout.form_tables(grid, form.versions[start])
            yield from ((form, table) for table in tables)
            if tables:
                break


def read_form(table: Table, form: Form, *, file_name: str) -> Batch:
    """The values of one form; received counts the filled cells of its data lines."""
    lines = _heading_lines(table, file_name)
    kinds = tuple({kind for version in form.versions.values() for kind in version.period_kinds})
    period = read_heading_period(lines, kinds=kinds)
    day = period.end if period else datetime.date.today()
    version, in_force = layout.form_version(form, day)
    unit = find_reporting_unit(read_reporting_unit(lines), [day])
    rows = layout.match_rows(table, version)
    cells = _cells(table, rows, version)
    values = _values(cells)
    refused = _refusals(values, period, unit)
    landed = values[refused["reason"].eq("")]
    return Batch(
        "aggregate_value",
        _landed_rows(landed, form, period, unit, table),
        _quarantine(refused[refused["reason"].ne("")], table),
        _notes(_Context(table, form, version, in_force, period, unit, rows), landed),
        received=len(cells),
    )


def _heading_lines(table: Table, file_name: str) -> list[str]:
    """The texts over the form, the reporting unit first, then nearest first; then the names of sheet and file."""
    above = [text for _, text in reversed(table.above()) if not _RECEIVER.search(fold(text))]
    above.sort(key=lambda text: not _REPORTER.search(fold(text)))
    return [*above, table.grid.sheet, re.sub(r"[_+.]+", " ", PurePosixPath(file_name).stem)]


# ------------------------------------------------------------------------------------------- cells and values


def _cells(table: Table, rows: pd.DataFrame, version: FormVersion) -> pd.DataFrame:
    """Every filled cell of the data lines: row_number, column, category_id, header, text, error, row, reason, expected."""
    columns = {column.id for column in version.columns}
    used = [(number, name) for number, name in table.fields.items() if name in columns]
    lines = rows[rows["row"].ne("") | rows["reason"].ne("")]
    parts = []
    for number, name in used:
        values = table.grid.values[lines.index - 1, number - 1]
        texts = table.grid.texts[lines.index - 1, number - 1]
        part = lines.assign(
            row_number=lines.index, column=number, category_id=name, header=table.headers[number],
            text=pd.Series(texts, index=lines.index, dtype="str"),
            error=[isinstance(value, CellError) for value in values],
        )  # fmt: skip
        parts.append(part[part["text"].str.strip().ne("")])
    cells = pd.concat(parts) if parts else lines.iloc[:0].assign(text="", error=False, category_id="")
    return cells.sort_values(["row_number", "column"]).reset_index(drop=True)


def _values(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells with value, number_reason, number_note, became."""
    parsed = parse_numbers(cells["text"].mask(cells["error"], ""), decimal_hint="count")
    computed = np.where(cells["text"].eq("="), NOT_COMPUTED, "quarantine.formula_error")
    reasons = pd.Series(np.where(cells["error"], computed, ""), index=cells.index, dtype="str")
    reasons[parsed.failures.index] = parsed.failures["reason"]
    notes = pd.Series("", index=cells.index, dtype="str")
    notes[parsed.notes.index] = parsed.notes["note"]
    became = pd.Series("", index=cells.index, dtype="str")
    became[parsed.notes.index] = parsed.notes["became"]
    return cells.assign(value=parsed.values, number_reason=reasons, number_note=notes, became=became)


def _refusals(values: pd.DataFrame, period: Period | None, unit: FoundUnit) -> pd.DataFrame:
    """The cells with the reason why they cannot land ("" = they land): period, unit, row, number, in this order."""
    reason = values["reason"].where(values["reason"].ne(""), values["number_reason"])
    if not unit.unit_id:
        reason = pd.Series(unit.reason, index=values.index, dtype="str")
    if period is None:
        reason = pd.Series(PERIOD_MISSING, index=values.index, dtype="str")
    fields = [
        {"row": int(row), "label": label, "expected": expected, "column": header} | dict(unit.fields)
        for row, label, expected, header in zip(
            values["row_number"], values["label"], values["expected"], values["header"], strict=True
        )
    ]
    return values.assign(reason=reason.fillna(""), fields=fields)


def _landed_rows(
    landed: pd.DataFrame, form: Form, period: Period | None, unit: FoundUnit, table: Table
) -> pd.DataFrame:
    code = form.code.replace("/", "")
    return pd.DataFrame(
        {
            "dataset_id": form.id,
            "element_id": f"{code}/" + landed["row"].astype("str"),
            "category_id": landed["category_id"].astype("str"),
            "unit_id": unit.unit_id,
            "period_id": period.period_id if period else "",
            "period_start": pd.Timestamp(period.start) if period else pd.NaT,
            "period_end": pd.Timestamp(period.end) if period else pd.NaT,
            "value": landed["value"],
            "value_as_written": landed["text"],
            "column_name": landed["header"],
            "sheet": table.grid.sheet,
            "row_number": landed["row_number"],
        }
    ).reset_index(drop=True)


def _quarantine(refused: pd.DataFrame, table: Table) -> pd.DataFrame:
    frame = refused.assign(sheet=table.grid.sheet, column_name=refused["header"], value=refused["text"])
    return frame[QUARANTINE_COLUMNS].reset_index(drop=True)


# ------------------------------------------------------------------------------------------------------ notes


@dataclass(frozen=True)
class _Context:
    table: Table
    form: Form
    version: FormVersion
    in_force: bool
    period: Period | None
    unit: FoundUnit
    rows: pd.DataFrame


def _notes(context: _Context, landed: pd.DataFrame) -> pd.DataFrame:
    """Notes of the landed cells, of their lines, and of the form as a whole."""
    sheet = context.table.grid.sheet
    cells = landed[landed["number_note"].ne("")]
    parts = [
        cells.assign(sheet=sheet, column_name=cells["header"], value=cells["text"], note=cells["number_note"],
                     fields=[{} for _ in range(len(cells))]),
        _line_notes(context, landed),
        _repair_notes(context.table, landed),
        pd.DataFrame(_whole_notes(context), columns=NOTE_COLUMNS),
    ]  # fmt: skip
    used = [part.reindex(columns=NOTE_COLUMNS).astype(object) for part in parts if len(part)]
    return pd.concat(used, ignore_index=True) if used else pd.DataFrame(columns=NOTE_COLUMNS)


def _line_notes(context: _Context, landed: pd.DataFrame) -> pd.DataFrame:
    rows = context.rows[context.rows["note"].ne("") & context.rows.index.isin(landed["row_number"])]
    return pd.DataFrame(
        {
            "sheet": context.table.grid.sheet,
            "row_number": rows.index,
            "column_name": layout.ROW_LABEL,
            "value": rows["label"].to_numpy(),
            "became": rows["expected"].to_numpy(),
            "note": rows["note"].to_numpy(),
            "fields": [{"row": int(row), "expected": expected} for row, expected in rows["expected"].items()],
        }
    )


def _repair_notes(table: Table, landed: pd.DataFrame) -> pd.DataFrame:
    """Repaired texts of the lines that landed."""
    repairs = table.grid.repairs
    repairs = repairs[repairs["row"].isin(landed["row_number"]) & repairs["column"].isin(table.fields)]
    return repairs.rename(columns={"row": "row_number"}).assign(
        sheet=table.grid.sheet,
        column_name=repairs["column"].map(table.headers),
        fields=[{} for _ in range(len(repairs))],
    )


def _whole_notes(context: _Context) -> list[list[object]]:
    """Rows and columns of the form that are absent, columns it does not have, totals left out, a version not in force."""
    table, version, sheet = context.table, context.version, context.table.grid.sheet
    found = set(context.rows["row"])
    wanted = [*layout.form_rows(version)["row"], layout.TOTAL_ROW]
    absent_rows = [row for row in wanted if row not in found]
    absent_columns = [one.title.vi for one in version.columns if one.id not in table.fields.values()]
    extra = [table.headers[column] for column in table.headers if column not in table.fields]
    totals = int((context.rows["row"].eq("") & context.rows["reason"].eq("") & context.rows["label"].ne("")).sum())
    notes: list[tuple[str, str, dict[str, object]]] = []
    if absent_rows:
        notes.append(("note.form_rows_missing", ", ".join(absent_rows), {"rows": ", ".join(absent_rows)}))
    if absent_columns:
        notes.append(("note.form_columns_missing", "; ".join(absent_columns), {"columns": "; ".join(absent_columns)}))
    notes += [("note.form_column_unknown", header, {"column": header}) for header in extra]
    if totals:
        notes.append(("note.form_lines_not_data", str(totals), {"count": totals}))
    if context.period and not context.in_force:
        fields: dict[str, object] = {
            "form": context.form.code,
            "reference": version.reference,
            "period": context.period.period_id,
        }
        notes.append(("note.form_not_in_force", context.period.period_id, fields))
    if context.unit.note:
        notes.append((context.unit.note, "", dict(context.unit.fields)))
    if table.grid.hidden:
        notes.append(("note.hidden_sheet", sheet, {}))
    return [[sheet, None, "", value, "", note, fields] for note, value, fields in notes]


DOOR = FormWorkbookDoor()
