"""The door for lists of deaths from elsewhere: CSV, Parquet or a workbook whose columns were told (`tkyt deaths import
--columns`) or are known from a profile of the catalog (`death_list_profiles`: DATASUS SIM).

A list lands exactly as the mapping says. In an import, a table that no door knows gets a sentence that says what it lacks.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from mortality import register_values as values
from mortality.certificate_csv import normal_codes
from mortality.documents.causes import column
from mortality.records.as_written import WrittenLines, written_of_frame
from mortality.records.batches import record_batches
from mortality.records.mapping import ACTIVE, OF_DEATH, Mapping, harmless_text, mapping_of, plain
from mortality.records.readings import date_reading, joined, read_cells
from mortality.register_records import RegisterRows, records_of_lines
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.door import QUARANTINE_COLUMNS, Batch, IngestContext, Note, Quarantined, ReceivedFile
from tkyt_analysis.ingest.heading_unit import NOT_NAMED, find_units_of_rows
from tkyt_analysis.ingest.safe_open import file_kind
from tkyt_analysis.ingest.tabular_source import Piece, Sheet, find_sheets, peek_headers

TABLES = ("text", "gz", "parquet", "xlsx", "xls", "ods")
DATES = ("birth", "death_date")
AS_TOLD, NO_UNIT = "note.columns_as_told", "note.list_without_unit"
NOT_A_DEATH, OUTCOME_UNKNOWN = "quarantine.not_a_death", "quarantine.outcome_not_given"


class ForeignListDoor:
    """Recognises a table that has all columns of the user's mapping or of a profile."""

    id = "death_list_by_columns"

    def recognise(self, file: ReceivedFile) -> float:
        """0.99 by the user's columns, 0.96 by a profile; in an import 0.31 for a table that nobody knows, to say what it lacks."""
        if file_kind(file.path) not in TABLES:
            return 0.0
        told, own = ACTIVE.get()
        if peek_headers(file, _fits):
            return 0.99 if own else 0.96
        return 0.31 if told else 0.0

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """Every sheet whose header fits. Raises InputError for a table that is no list of deaths, or lacks columns."""
        sheets = find_sheets(file, _fits)
        if not sheets:
            raise _refusal(file)
        today = datetime.date.today()
        for sheet in sheets:
            mapping = mapping_of(sheet.header)
            if mapping is None or not mapping.fields & OF_DEATH:
                raise InputError("error.list_not_of_deaths", file=file.name, headings=_headings(sheet.header))
            yield from _sheet_batches(sheet, mapping, today)


def _fits(header: list[str]) -> float:
    found = mapping_of(header)
    return 1.0 + len(found.needed) if found else 0.0


def _refusal(file: ReceivedFile) -> InputError:
    """What a table lacks: the user's columns, or anything that says when or why somebody died."""
    header = next((sheet.header for sheet in find_sheets(file, lambda cells: float(len(set(filter(None, cells)))))), [])
    own = ACTIVE.get()[1]
    if own:
        missing = ", ".join(own.missing(header))
        return InputError("error.list_lacks_columns", file=file.name, missing=missing, headings=_headings(header))
    return InputError("error.list_not_of_deaths", file=file.name, headings=_headings(header))


def _headings(header: list[str]) -> str:
    return harmless_text("\x1f".join(header))


def _sheet_batches(sheet: Sheet, mapping: Mapping, today: datetime.date) -> Iterator[Batch]:
    said = [] if mapping.profile else [Note(AS_TOLD, sheet.name, fields={"columns": mapping.text()})]
    if not {"unit_code", "commune"} & mapping.fields:
        said.append(Note(NO_UNIT, sheet.name, fields={"code": mapping.source}))
    if said:
        yield Batch("death", pd.DataFrame(), [], said, 0)
    for piece in sheet.pieces():
        if piece.broken:
            lost = [
                Quarantined(one.reason, sheet.name, one.row_number, "", "", {**one.fields, "text": "…"})
                for one in piece.broken
            ]
            yield Batch("death", pd.DataFrame(), lost, received=len(lost))
        if piece.table.num_rows:
            yield from _piece_batches(piece, sheet, mapping, today)


def _piece_batches(piece: Piece, sheet: Sheet, mapping: Mapping, today: datetime.date) -> Iterator[Batch]:
    frame = piece.table.to_pandas().set_index("row_number").sort_index().astype("str").fillna("")
    frame.columns = pd.Index(sheet.header)
    lines, used = lines_of(frame, mapping)
    written = written_of_frame(frame, [used.get(at, "") for at in range(frame.shape[1])])
    headers = {use.field: " + ".join(use.headings) for use in reversed(mapping.uses)}
    kept, refused = _deaths_only(lines, headers.get("died", ""))
    rows = records_of_lines(kept, source=mapping.source, book_year=0, latest_year=today.year, headers=headers)
    yield from _batches(rows, kept, refused, written, sheet.name, headers, today)


def lines_of(frame: pd.DataFrame, mapping: Mapping) -> tuple[pd.DataFrame, dict[int, str]]:
    """The lines by field, and {position of a column: field} of what was used. Of several uses of a field the first that
    says something counts, row by row."""
    at = {plain(str(name)): number for number, name in reversed(list(enumerate(frame.columns)))}
    lines: dict[str, pd.Series] = {}
    used: dict[int, str] = {}
    for use in mapping.uses:
        places = [at[plain(name)] for name in use.headings if plain(name) in at]
        if not places:
            continue
        used |= {place: use.field for place in places if place not in used}
        cells = joined([frame.iloc[:, place].str.strip() for place in places])
        text = read_cells(cells, use.reading or (date_reading(cells) if use.field in DATES else ""))
        before = lines.get(use.field)
        lines[use.field] = text if before is None else before.where(before.ne(""), text)
    return pd.DataFrame(lines, index=frame.index), used


def _deaths_only(lines: pd.DataFrame, heading: str) -> tuple[pd.DataFrame, list[Quarantined]]:
    """Where a column says how it ended (`died`), only lines that say of a death; the others are quarantined."""
    if "died" not in lines:
        return lines, []
    code = values.read_words("died", lines["died"])["code"]
    refused = [
        Quarantined(OUTCOME_UNKNOWN if not code[row] else NOT_A_DEATH, "", int(row), heading, "", {"row": int(row)})
        for row in lines.index[code.ne("yes")]
    ]
    return lines[code.eq("yes")].drop(columns="died"), refused


def _batches(
    rows: RegisterRows, lines: pd.DataFrame, refused: list[Quarantined], written: WrittenLines, sheet: str,
    headers: dict[str, str], today: datetime.date,
) -> Iterator[Batch]:  # fmt: skip
    units = _units(rows, today)
    lost = pd.DataFrame(
        {
            "row_number": units.index[units["reason"].ne("")],
            "reason": units.loc[units["reason"].ne(""), "reason"].to_numpy(),
        }
    )
    lost["fields"] = [{**units.loc[row, "fields"], "row": int(row)} for row in lost["row_number"]]
    lost = lost.assign(sheet="", column_name="", value="")[QUARANTINE_COLUMNS]
    other = pd.DataFrame(
        [[getattr(one, name) for name in QUARANTINE_COLUMNS] for one in refused], columns=QUARANTINE_COLUMNS
    )
    parts = [part for part in (rows.quarantined, lost, other) if len(part)]
    quarantined = (pd.concat(parts, ignore_index=True) if parts else other).assign(sheet=sheet)
    given = normal_codes(column(lines, "underlying_icd10")).replace("", pd.NA)
    keys = sheet + "|" + pd.Series(rows.deaths.index.astype(str), index=rows.deaths.index, dtype="str")
    deaths = rows.deaths.assign(
        underlying_cause_as_given=given.reindex(rows.deaths.index), record_key=keys, sheet=sheet
    )
    identities = rows.identities.assign(record_key=keys, sheet=sheet)
    corrections = rows.corrections.assign(sheet=sheet)
    corrections["record_key"] = keys.reindex(corrections.index).where(corrections["record_key"].notna())
    rows = replace(rows, deaths=deaths, identities=identities, corrections=corrections, written=written)
    landed = units.index[units["reason"].eq("")]
    notes = rows.notes[rows.notes["row_number"].isin(landed)].assign(sheet=sheet)
    yield from record_batches(
        rows, units.loc[landed, "unit_id"].replace("", pd.NA), quarantined, notes, headers=headers
    )


def _units(rows: RegisterRows, today: datetime.date) -> pd.DataFrame:
    """unit_id, reason, fields per line: by its commune column; a list without one lands without units."""
    code, name = rows.communes["unit_code"], rows.communes["commune"]
    written = code.where(code.ne(""), name)
    if written.eq("").all():
        empty = pd.DataFrame({"unit_id": "", "reason": ""}, index=rows.deaths.index)
        return empty.assign(fields=[{}] * len(empty))
    days = rows.deaths["death_date"]
    known = days[days.notna() & days.le(pd.Timestamp(today))]
    usual = known.median().date() if len(known) else today
    found = find_units_of_rows(written, days, usual_day=usual, named=name.where(code.ne(""), ""))
    found.loc[written.eq(""), "reason"] = NOT_NAMED
    return found


DOOR = ForeignListDoor()
