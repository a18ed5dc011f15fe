"""The door for death registers (Sổ A6/YTCS, A6/CSYT): workbooks whose headings say that they are one."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import pandas as pd

from mortality.records.batches import record_batches
from mortality.register_layout import register_tables
from mortality.register_records import RegisterRows, read_register
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.door import Batch, IngestContext, Note, ReceivedFile
from tkyt_analysis.ingest.excel_grid import Grid, iterate_workbook, peek_workbook
from tkyt_analysis.ingest.excel_tables import Table
from tkyt_analysis.ingest.heading_unit import FoundUnit, days_of_data, find_reporting_unit, find_units_of_rows
from tkyt_analysis.ingest.report_heading import ReportingUnit, read_reporting_unit, read_year
from tkyt_analysis.ingest.safe_open import require_kind, require_safe_workbook
from tkyt_analysis.reference.places import FIRST_DAY_2025

SOURCE = "a6"
NO_REGISTER = "error.no_death_register"


class DeathRegisterDoor:
    """Recognises a sheet by its column headings; reads every register on every sheet."""

    id = "death_register"

    def recognise(self, file: ReceivedFile) -> float:
        """0.95 where a sheet has the headings of a death register within its first rows."""
        if not _has_workbook_name(file):
            return 0.0
        return 0.95 if any(register_tables(grid) for grid in peek_workbook(file.path)) else 0.0

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """The batches of every register on every sheet; see `register_batches`."""
        if require_kind(file, ("xlsx", "xls", "ods")) != "xls":
            require_safe_workbook(file)
        found = False
        for grid in iterate_workbook(file.path, name=file.name):
            for table in register_tables(grid):
                found = True
                yield from register_batches(table, file_name=file.name, today=datetime.date.today())
        if not found:
            raise InputError(NO_REGISTER, file=file.name)


def _has_workbook_name(file: ReceivedFile) -> bool:
    name = file.member or file.name
    return PurePosixPath(name).suffix.lower() in (".xlsx", ".xlsm", ".xls", ".ods", ".xlsb", "")


def register_batches(table: Table, *, file_name: str, today: datetime.date) -> Iterator[Batch]:
    """The batches of one register: `death`, and beside it identifiers, causes, corrections and the lines as written. `today` only bounds what a year of two digits can mean."""
    lines = _heading_lines(table, file_name)
    book_year = read_year(text for text in lines[:-1]) or read_year(lines[-1:])
    latest = book_year + 1 if book_year else today.year
    rows = read_register(table, source=SOURCE, book_year=book_year, latest_year=latest)
    units = unit_of_rows(rows, read_reporting_unit(lines), book_year, today)
    headers = {name: table.headers[column] for column, name in reversed(table.fields.items())}
    yield from _batches(table.grid, rows, units, headers)


def _heading_lines(table: Table, file_name: str) -> list[str]:
    """The texts over the table, then the names of sheet and file: what is nearer the data comes first."""
    stem = PurePosixPath(file_name).stem
    words = re.sub(r"[_+.]+", " ", stem)
    return [text for _, text in reversed(table.above())] + [table.grid.sheet, words]


def unit_of_rows(rows: RegisterRows, heading: ReportingUnit, book_year: int, today: datetime.date) -> pd.DataFrame:
    """unit_id, reason, note, fields per landed line: by its commune column, else by the heading of the book."""
    first, last = _span(rows.deaths["death_date"], book_year, today)
    days = days_of_data(first, last, has_district=bool(heading.district))
    communes = rows.communes["unit_code"].where(rows.communes["unit_code"].ne(""), rows.communes["commune"])
    whole = find_reporting_unit(heading, days)
    units = _repeated(whole, rows.deaths.index)
    own = communes.ne("")
    if own.any():
        above = ReportingUnit(heading.province, heading.district, "", heading.city, "")
        parent = find_reporting_unit(above, days).unit_id if above else ""
        units.loc[own] = find_units_of_rows(
            communes[own], rows.deaths.loc[own, "death_date"], usual_day=days[0], parent=parent
        )
    return units


def _span(written: pd.Series, book_year: int, today: datetime.date) -> tuple[datetime.date, datetime.date]:
    """First and last day of the data: of the book's year, else of the deaths themselves."""
    if book_year and book_year != FIRST_DAY_2025.year:
        return datetime.date(book_year, 1, 1), datetime.date(book_year, 12, 31)
    days = written.dropna()
    days = days[days.dt.year.eq(book_year)] if book_year else days
    return (days.min().date(), days.max().date()) if len(days) else (datetime.date(2025, 1, 1), today)


def _repeated(unit: FoundUnit, index: pd.Index) -> pd.DataFrame:
    frame = pd.DataFrame({"unit_id": unit.unit_id, "reason": unit.reason, "note": unit.note}, index=index)
    return frame.assign(fields=[unit.fields] * len(index))


def _batches(grid: Grid, rows: RegisterRows, units: pd.DataFrame, headers: dict[str, str]) -> Iterator[Batch]:
    known = units["unit_id"].ne("")
    lost = pd.DataFrame({"row_number": units.index[~known]}).assign(
        sheet=grid.sheet, column_name="", value="", reason=units.loc[~known, "reason"].to_numpy(),
        fields=[{**fields, "row": int(row)} for row, fields in units.loc[~known, "fields"].items()],
    )  # fmt: skip
    quarantined = pd.concat([rows.quarantined, lost[rows.quarantined.columns]], ignore_index=True)
    notes = rows.notes[rows.notes["row_number"].isin(units.index[known])]
    notes = pd.concat([notes, _sheet_notes(grid, rows, units[known], notes.columns)], ignore_index=True)
    yield from record_batches(rows, units.loc[known, "unit_id"], quarantined, notes, headers=headers)


def _sheet_notes(grid: Grid, rows: RegisterRows, units: pd.DataFrame, columns: pd.Index) -> pd.DataFrame:
    """What was left out of the count and why, a hidden sheet, and unit names that were not quite right."""
    notes = [
        Note(f"note.register_lines.{kind}", grid.sheet, value=str(count), fields={"count": int(count)})
        for kind, count in sorted(rows.skipped.items())
    ]
    if grid.hidden:
        notes.append(Note("note.hidden_sheet", grid.sheet))
    for note, part in units[units["note"].ne("")].groupby("note"):
        notes.append(Note(str(note), grid.sheet, int(part.index[0]), fields=part["fields"].iloc[0]))
    return pd.DataFrame([[getattr(note, name) for name in columns] for note in notes], columns=columns)


DOOR = DeathRegisterDoor()
