"""The door for reporting forms in Excel: each form of the catalog as its entry lays it out, grid or outline.

Every filled cell under a known column and row is one `aggregate_value`, or one `form_text` where the form asks for words;
a cell that cannot be read, a line that is no row of the form, a form, unit or period that cannot be told is quarantined,
cell by cell, and the rest lands.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import pandas as pd

from tkyt_analysis.catalog import load_entries
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
from tkyt_analysis.ingest.excel_grid import Grid, column_letters, iterate_workbook, peek_workbook
from tkyt_analysis.ingest.excel_tables import Table
from tkyt_analysis.ingest.form_cells import read_cells
from tkyt_analysis.ingest.form_find import FoundForm, data_grids, find_forms
from tkyt_analysis.ingest.form_heading import FoundPeriod, data_window, find_period, find_unit, heading_lines
from tkyt_analysis.ingest.form_notes import form_notes
from tkyt_analysis.ingest.heading_unit import FoundUnit
from tkyt_analysis.ingest.passport import passport_of
from tkyt_analysis.ingest.safe_open import file_kind, require_kind, require_safe_workbook
from tkyt_analysis.ingest.text_grid import LARGEST, read_text_grid

NO_FORM, LIST_NOT_RECEIVED = "error.no_known_form", "error.form_list_not_received"
CELL_TWICE, CELL_CONFLICT = "quarantine.form_cell_twice", "quarantine.form_cell_conflict"
WORKBOOK_NAMES = (".xlsx", ".xlsm", ".xls", ".ods", ".xlsb", "")
TEXT_NAMES = (".csv", ".tsv", ".txt")
_CELL = ["dataset_id", "unit_id", "period_id", "element_id", "category_id"]


class FormWorkbookDoor:
    """Recognises a sheet by the headings and row labels of a form in the catalog."""

    id = "form_workbook"

    def recognise(self, file: ReceivedFile) -> float:
        """0.92 where the hidden sheet names a form, 0.9 where a sheet holds most columns and enough rows of one."""
        suffix = PurePosixPath(file.member or file.name).suffix.lower()
        if suffix in TEXT_NAMES:
            return 0.85 if file.size <= LARGEST and file_kind(file.path) == "text" and _is_form_text(file) else 0.0
        if suffix not in WORKBOOK_NAMES:
            return 0.0
        grids = peek_workbook(file.path)
        passport = passport_of(grids)
        if passport.get("form") in load_entries("forms") and not _is_death_register(passport):
            return 0.92
        return 0.9 if any(find_forms(grid, passport) for grid in data_grids(grids, passport)) else 0.0

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """Two batches per form found, on whichever sheet it stands: its numbers, and its answers in words."""
        grids = _grids(file)
        passport = passport_of(grids)
        _require_received(file, passport)
        forms = [
            read_form(found, passport, file_name=file.member or file.name)
            for grid in data_grids(grids, passport)
            for found in find_forms(grid, passport)
        ]
        if not forms:
            raise InputError(NO_FORM, file=file.name)
        for form in _without_repeats(forms):
            yield from form.batches()


def _is_form_text(file: ReceivedFile) -> bool:
    try:
        return bool(find_forms(read_text_grid(file), {}))
    except (InputError, ValueError, OSError):
        return False


def _is_death_register(passport: Mapping[str, str]) -> bool:
    """A list of a data set has its own door."""
    form = load_entries("forms")[passport["form"]]
    return any(version.layout == "list" and version.dataset for version in form.versions.values())


def _grids(file: ReceivedFile) -> list[Grid]:
    kind = require_kind(file, ("xlsx", "xls", "ods", "text"))
    if kind == "text":
        return [read_text_grid(file)]
    if kind != "xls":
        require_safe_workbook(file)
    return list(iterate_workbook(file.path, name=file.name))


def _require_received(file: ReceivedFile, passport: Mapping[str, str]) -> None:
    """A register without a data set holds persons and is not received: nothing of it may land or be repeated."""
    form: Form | None = load_entries("forms").get(passport.get("form", ""))
    if form and all(version.layout == "list" for version in form.versions.values()):
        raise InputError(LIST_NOT_RECEIVED, file=file.name, form=form.code)


@dataclass(frozen=True)
class ReadForm:
    """One form with its cells: CELL_COLUMNS, value, answer, note, became, reason ("" = lands), fields, keys of `_CELL`."""

    table: Table
    cells: pd.DataFrame
    notes: pd.DataFrame

    def batches(self) -> Iterator[Batch]:
        """`aggregate_value` with everything that was refused, then `form_text`."""
        lands = self.cells["reason"].eq("")
        words = lands & self.cells["is_text"]
        numbers, refused = self.cells[lands & ~words], self.cells[~lands]
        yield Batch(
            "aggregate_value", self._rows(numbers, "value"), self._quarantine(refused), self.notes,
            received=len(numbers) + len(refused),
        )  # fmt: skip
        if words.any():
            yield Batch("form_text", self._rows(self.cells[words], "answer"), received=int(words.sum()))

    def _rows(self, landed: pd.DataFrame, value: str) -> pd.DataFrame:
        columns = [*_CELL, "period_start", "period_end", value]
        rows = landed[columns].assign(
            column_name=landed["header"], sheet=self.table.grid.sheet, row_number=landed["row_number"]
        )
        return (rows.assign(value_as_written=landed["text"]) if value == "value" else rows).reset_index(drop=True)

    def _quarantine(self, refused: pd.DataFrame) -> pd.DataFrame:
        frame = refused.assign(sheet=self.table.grid.sheet, column_name=refused["header"], value=refused["text"])
        return frame[QUARANTINE_COLUMNS].reset_index(drop=True)


def read_form(found: FoundForm, passport: Mapping[str, str], *, file_name: str) -> ReadForm:
    """The cells of one form; each filled cell of its data lines either lands or has a reason."""
    form = found.candidate.form
    lines = heading_lines(found.candidate.table, file_name)
    period = find_period(lines, form, passport)
    day = period.period.end if period.period else datetime.date.today()
    unit = find_unit(lines, day, passport)
    version, in_force, table = _version(found, day)
    read = read_cells(table, version)
    cells = _refused(_keyed(read.cells, form, period, unit), found, period, unit)
    notes = form_notes(table, form, version, cells, read.rows, period=period, unit=unit, in_force=in_force)
    return ReadForm(table, cells, notes.reindex(columns=NOTE_COLUMNS))


def _version(found: FoundForm, day: datetime.date) -> tuple[FormVersion, bool, Table]:
    """The version in force on the day where its table fits here, else the one that fits best."""
    form, tables = found.candidate.form, found.candidate.tables
    version, in_force = layout.form_version(form, day)
    start = next(start for start, one in form.versions.items() if one is version)
    if start not in tables:
        start, in_force = next(iter(tables)), False
    return form.versions[start], in_force, tables[start]


def _keyed(cells: pd.DataFrame, form: Form, period: FoundPeriod, unit: FoundUnit) -> pd.DataFrame:
    code = form.code.replace("/", "") if form.code.isascii() else form.id
    start, end = data_window(form, period.period) if period.period else (None, None)
    return cells.assign(
        dataset_id=form.id, unit_id=unit.unit_id, period_id=period.period.period_id if period.period else "",
        element_id=f"{code}/" + cells["row"].astype("str"),
        period_start=pd.Timestamp(start) if start else pd.NaT, period_end=pd.Timestamp(end) if end else pd.NaT,
        is_text=cells["answer"].ne(""),
    )  # fmt: skip


def _refused(cells: pd.DataFrame, found: FoundForm, period: FoundPeriod, unit: FoundUnit) -> pd.DataFrame:
    """The cells with `reason` and `fields`: the whole form's (which form, period, unit) before the cell's own."""
    reason = cells["reason"]
    whole: dict[str, object] = {}
    for why, said in ((unit.reason, unit.fields), (period.reason, period.fields), (found.reason, found.fields)):
        if why:
            reason, whole = pd.Series(why, index=cells.index, dtype="str"), dict(said)
    fields = [
        {"row": int(row), "label": label, "expected": expected, "column": header, "cell": f"{column_letters(at)}{row}"}
        | whole
        for row, label, expected, header, at in zip(
            cells["row_number"], cells["label"], cells["expected"], cells["header"], cells["column"], strict=True
        )
    ]
    return cells.assign(reason=reason, fields=fields)


def _without_repeats(forms: list[ReadForm]) -> list[ReadForm]:
    """A cell of one report that stands twice in the file: equal copies are refused but for the first, of different ones
    all are."""
    every = pd.concat([one.cells.assign(form=at) for at, one in enumerate(forms)], ignore_index=True)
    landing = every[every["reason"].eq("")]
    written = landing["value"].astype("str").where(~landing["is_text"], landing["answer"])
    groups = [landing[name] for name in _CELL]
    kinds = written.groupby(groups).transform("nunique")
    again = landing.duplicated(_CELL)
    every.loc[landing.index[again & kinds.eq(1)], "reason"] = CELL_TWICE
    every.loc[landing.index[kinds.gt(1)], "reason"] = CELL_CONFLICT
    return [
        ReadForm(one.table, one.cells.assign(reason=every.loc[every["form"].eq(at), "reason"].to_numpy()), one.notes)
        for at, one in enumerate(forms)
    ]


DOOR = FormWorkbookDoor()
