"""The doors for printed forms filled in a workbook, one or several on a sheet: certificate of cause of death, death notice."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pandas as pd

from mortality.documents.form_sheet import Form, forms_on_sheet, is_form
from mortality.documents.headers import CERTIFICATE, NOTICE, DocumentKind
from mortality.documents.records import document_batches, read_document_heading
from mortality.documents.words import ticked_option
from mortality.records.as_written import WrittenLines
from mortality.register_records import IDENTIFIER_FIELDS
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.door import NOTE_COLUMNS, Batch, IngestContext, Quarantined, ReceivedFile
from tkyt_analysis.ingest.excel_grid import Grid, column_letters, iterate_workbook, peek_workbook
from tkyt_analysis.ingest.safe_open import file_kind, require_kind, require_safe_workbook

FORMS_PER_BATCH = 500
SURENESS = 0.96
EMPTY_FORM = "quarantine.document_form_empty"
_TICKED_FIELDS = {"sex", "place_of_death", "age"}
_SAYS_SOMETHING = {"full_name", "death_date", "cause_text", "line_a", "line_b", "line_c", "line_d", "line_a_icd10"}


class DocumentFormDoor:
    """Recognises a sheet by the form's title over the form's items."""

    def __init__(self, kind: DocumentKind) -> None:
        self.kind = kind
        self.id = f"{kind.id}_form"

    def recognise(self, file: ReceivedFile) -> float:
        """0.96 where a sheet has the title of the form over at least three of its items."""
        return SURENESS if _holds_form(file.path, file.sha256, file.size, self.kind.id) else 0.0

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """The forms of all sheets, FORMS_PER_BATCH at a time; a form left blank is quarantined with its place."""
        if require_kind(file, ("xlsx", "xls", "ods")) != "xls":
            require_safe_workbook(file)
        found, waiting, repairs = False, [], []
        for grid in iterate_workbook(file.path, name=file.name):
            forms = list(forms_on_sheet(grid, self.kind.id))
            found |= bool(forms)
            waiting += forms
            repairs += [_form_repairs(grid, form) for form in forms if len(grid.repairs)]
            if len(waiting) >= FORMS_PER_BATCH:
                yield from form_batches(self.kind, waiting, repairs, datetime.date.today())
                waiting, repairs = [], []
        yield from form_batches(self.kind, waiting, repairs, datetime.date.today())
        if not found:
            raise InputError("error.no_document_form", file=file.name)


@lru_cache(maxsize=16)
def _holds_form(path: Path, sha256: str, size: int, kind: str) -> bool:
    if file_kind(path) not in ("xlsx", "xls", "ods"):
        return False
    return any(is_form(grid, kind) for grid in peek_workbook(path))


def form_batches(
    kind: DocumentKind, forms: list[Form], repairs: list[pd.DataFrame], today: datetime.date
) -> Iterator[Batch]:
    """The batches of filled forms. A form's row is that of its title."""
    blank = [form for form in forms if not _SAYS_SOMETHING & set(form.values)]
    if blank:
        refused = [Quarantined(EMPTY_FORM, form.sheet, form.row, "", "", {"row": form.row}) for form in blank]
        yield Batch("death", pd.DataFrame(), refused, received=len(refused))
    filled = [form for form in forms if _SAYS_SOMETHING & set(form.values)]
    if not filled:
        return
    lines = pd.DataFrame([form.values for form in filled]).fillna("").astype("str")
    places = pd.DataFrame({"sheet": [f.sheet for f in filled], "row_number": [f.row for f in filled]}, dtype=object)
    for name in _TICKED_FIELDS & set(lines.columns):
        lines[name] = lines[name].map(ticked_option)
    heading = read_document_heading(filled[0].above)
    lines = _with_own_heading(lines, filled)
    notes = _all_repairs(filled, repairs)
    for batch in document_batches(
        kind,
        lines,
        heading=replace(heading, year=0),
        headers={},
        today=today,
        places=places,
        notes=notes,
        written=_written(filled),
    ):
        yield _with_cells(batch, filled)


def _written(forms: list[Form]) -> WrittenLines:
    """What stood in the cells of each form, under the names of its items; a cell that holds two items stands under both."""
    texts = pd.DataFrame([form.raw for form in forms]).fillna("").astype("str")
    names = [str(name) for name in texts.columns]
    return WrittenLines(texts.set_axis(range(len(names)), axis=1), names, names, range(1, len(names) + 1))


def _with_own_heading(lines: pd.DataFrame, forms: list[Form]) -> pd.DataFrame:
    """Each form names its own facility in the lines over its title."""
    own = [read_document_heading(form.above) if form.above else None for form in forms]
    name = pd.Series([one.facility_name if one else "" for one in own], dtype="str")
    code = pd.Series([one.facility_id.removeprefix("KCB:") if one else "" for one in own], dtype="str")
    facility = lines.get("facility", pd.Series("", index=lines.index, dtype="str"))
    facility_code = lines.get("facility_code", pd.Series("", index=lines.index, dtype="str"))
    return lines.assign(
        facility=facility.where(facility.ne(""), name), facility_code=facility_code.where(facility_code.ne(""), code)
    )


def _form_repairs(grid: Grid, form: Form) -> pd.DataFrame:
    """The repaired cells in which this form's fields stand: sheet, row, field, value, became, note."""
    at = {cell: name for name, cell in form.cells.items()}
    rows = [
        (
            form.sheet,
            form.row,
            at[int(r.row), int(r.column)],
            str(r.value),
            str(r.became),
            r.note,
            int(r.row),
            int(r.column),
        )
        for r in grid.repairs.itertuples()
        if (int(r.row), int(r.column)) in at
    ]
    return pd.DataFrame(rows, columns=["sheet", "form_row", "field", "value", "became", "note", "row", "column"])


def _all_repairs(forms: list[Form], repairs: list[pd.DataFrame]) -> pd.DataFrame:
    rows = pd.concat(repairs, ignore_index=True) if repairs else pd.DataFrame()
    if rows.empty:
        return pd.DataFrame(columns=NOTE_COLUMNS)
    number = {(form.sheet, form.row): index for index, form in enumerate(forms)}
    hidden = rows["field"].isin(IDENTIFIER_FIELDS)
    notes = pd.DataFrame(
        {
            "sheet": rows["sheet"],
            "row_number": [number.get(pair, -1) for pair in zip(rows["sheet"], rows["form_row"], strict=True)],
            "column_name": rows["field"],  # `_with_cells` puts the cell
            "value": rows["value"].mask(hidden, ""),
            "became": rows["became"].mask(hidden, ""),
            "note": rows["note"],
            "fields": [{}] * len(rows),
        }
    )
    return notes[notes["row_number"] >= 0][NOTE_COLUMNS]


def _with_cells(batch: Batch, forms: list[Form]) -> Batch:
    """The notes with the cell of their field ("C12") in place of the field's name, and that cell's row."""
    notes = batch.notes
    if not isinstance(notes, pd.DataFrame) or notes.empty:
        return batch
    cells = {(form.sheet, form.row, name): cell for form in forms for name, cell in form.cells.items()}
    keys = zip(notes["sheet"], notes["row_number"], notes["column_name"], strict=True)
    at = [cells.get(key) for key in keys]
    notes = notes.assign(
        column_name=[
            f"{column_letters(cell[1])}{cell[0]}" if cell else name
            for cell, name in zip(at, notes["column_name"], strict=True)
        ],
        row_number=[cell[0] if cell else row for cell, row in zip(at, notes["row_number"], strict=True)],
    )
    return replace(batch, notes=notes)


CERTIFICATE_FORM_DOOR = DocumentFormDoor(CERTIFICATE)
NOTICE_FORM_DOOR = DocumentFormDoor(NOTICE)
