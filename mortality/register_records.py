"""From the lines of a death register to death records and, apart from them, the identifiers of the dead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from mortality import register_dates as dates
from mortality import register_values as values
from mortality.documents.causes import CAUSE_COLUMNS, with_recorded_cause
from mortality.records.as_written import WrittenLines, written_of_table
from mortality.records.corrections import corrections_of, withdrawals
from mortality.records.fields import FURTHER, further_fields
from mortality.records.places import PLACE_TEXTS
from mortality.register_lines import (
    CONTINUATION,
    DEATH,
    error_cells,
    join_run_ons,
    line_kinds,
    register_cells,
)  # fmt: skip
from tkyt_analysis.ingest.door import NOTE_COLUMNS, QUARANTINE_COLUMNS
from tkyt_analysis.ingest.excel_grid import column_letters
from tkyt_analysis.ingest.excel_tables import Table
from tkyt_analysis.reference.vietnamese_text import fold_series

DEATH_COLUMNS = [
    "record_key", "person_key", "source", "unit_id", "death_date", "death_date_as_written", "birth_year",
    "age_value", "age_unit", "age_years", "sex", "ethnic_group", "occupation", "residence_unit_id", "place_of_death",
    "death_place_unit_id", "cause_text", "icd10_as_written", "underlying_cause_as_given", "care_before_death",
    "maternal_death", *FURTHER, "sheet", "row_number",
]  # fmt: skip
IDENTITY_COLUMNS = [
    "record_key", "full_name", "birth_date", "birth_as_written", "address", "id_number", "insurance_number", "note",
    "informant", "informant_id", "signed_by", "sheet", "row_number",
]  # fmt: skip
AS_WRITTEN = (
    "full_name", "ethnic_group", "occupation", "address", "cause_text", "icd10_as_written", "note", "id_number",
    "insurance_number", "informant", "informant_id", "signed_by",
)  # fmt: skip
# Columns whose text can name a person, or a cause that the law keeps secret (HIV): what stood in them never goes into a note or the quarantine.
IDENTIFIER_FIELDS = {
    "full_name", "birth", "male", "female", "address", "id_number", "insurance_number", "note", "record_id",
    "cause_text",
    # of other documents on a death (mortality.documents)
    "document_number", "patient_number", "informant", "informant_id", "signed_by", "facility_address",
    "registration_place", "line_a", "line_b", "line_c", "line_d", "part2", "surgery_reason", "injury_description",
    "mother_condition", "residence", "informant_relation", "source_list", "death_place", "death_place_code", "corrects",
    "correction_reason", "manner", "maternal_timing", "external_place", "external_activity",
}  # fmt: skip
NOTHING_READ = "quarantine.death_line_unreadable"


@dataclass(frozen=True)
class RegisterRows:
    """What one table of a register holds.

    deaths : DEATH_COLUMNS without unit_id; identities : IDENTITY_COLUMNS; both one row per landed line
    communes : the text of a commune column, by row_number ("" without such a column); places : PLACE_TEXTS likewise
    written : the lines as they stood; corrections : CORRECTION_COLUMNS of the lines that correct an earlier record
    quarantined, notes : frames with QUARANTINE_COLUMNS, NOTE_COLUMNS; skipped : {kind of line: count}
    """

    deaths: pd.DataFrame
    identities: pd.DataFrame
    communes: pd.DataFrame
    quarantined: pd.DataFrame
    notes: pd.DataFrame
    skipped: dict[str, int] = field(default_factory=dict)
    places: pd.DataFrame = field(default_factory=pd.DataFrame)
    written: WrittenLines | None = None
    causes: pd.DataFrame = field(default_factory=pd.DataFrame)
    corrections: pd.DataFrame = field(default_factory=pd.DataFrame)


class LineNotes:
    """Notes of one table as they come up; identifiers are withheld."""

    def __init__(self, sheet: str, headers: dict[str, str]) -> None:
        self.sheet, self.headers = sheet, headers
        self.parts: list[pd.DataFrame] = []

    def add(
        self,
        name: str,
        notes: pd.Series,
        written: pd.Series,
        became: pd.Series | None = None,
        *,
        harmless: bool = False,
    ) -> None:
        """One note per row where `notes` has a label key; `harmless`: what was written names nobody ("#REF!")."""
        rows = notes.index[notes.ne("") & notes.notna()]
        if not len(rows):
            return
        part = pd.DataFrame({"row_number": rows, "note": notes[rows].to_numpy()})
        open_text = harmless or name not in IDENTIFIER_FIELDS
        part["value"] = written[rows].astype("str").to_numpy() if open_text else ""
        part["became"] = became[rows].astype("str").to_numpy() if open_text and became is not None else ""
        part["column_name"] = self.headers.get(name, name)
        self.parts.append(part)

    def frame(self) -> pd.DataFrame:
        if not self.parts:
            return pd.DataFrame(columns=NOTE_COLUMNS)
        notes = pd.concat(self.parts, ignore_index=True).assign(sheet=self.sheet)
        notes["fields"] = [{} for _ in range(len(notes))]
        return notes[NOTE_COLUMNS].sort_values(["row_number", "column_name"], kind="stable", ignore_index=True)


def read_register(table: Table, *, source: str, book_year: int, latest_year: int) -> RegisterRows:
    """The death records of one table.

    source : goes into every record ("a6")
    book_year : year that the book is for (0: unknown); fills dates written without a year
    latest_year : no death or birth can be later; decides what a year of two digits means
    """
    cells = register_cells(table)
    kinds = line_kinds(table, cells)
    lines = join_run_ons(cells, kinds)
    headers = {name: table.headers[column] for column, name in reversed(table.fields.items())}
    notes = LineNotes(table.grid.sheet, headers)
    records = _records(lines, notes, book_year or common_year(lines.get("death_date")), latest_year)
    readable = _is_readable(records)
    landed = records[readable]
    _note_repairs(table, notes, landed.index)
    _note_errors(table, notes, landed.index)
    keys = record_keys(table, landed.index)
    found = _rows_of(lines, records, notes, keys, source=source, sheet=table.grid.sheet)
    skipped = kinds[~kinds.isin([DEATH])].value_counts().to_dict()
    written = written_of_table(table, kinds, death=DEATH, run_on=CONTINUATION)
    return replace(found, skipped=skipped, written=written)


def records_of_lines(
    lines: pd.DataFrame, *, source: str, book_year: int, latest_year: int, headers: dict[str, str] | None = None
) -> RegisterRows:
    """The same records from a table of texts (a line list): one column per register field, index = row number.

    headers : {field: heading as written}, for the notes
    """
    notes = LineNotes("", headers or {})
    records = _records(lines, notes, book_year, latest_year)
    readable = _is_readable(records)
    landed = records[readable]
    keys = "|" + pd.Series(landed.index.astype(str), index=landed.index, dtype="str")
    return _rows_of(lines, records, notes, keys, source=source, sheet="")


def _rows_of(
    lines: pd.DataFrame, records: pd.DataFrame, notes: LineNotes, keys: pd.Series, *, source: str, sheet: str
) -> RegisterRows:
    """The rows of lines whose records are read; `keys`: record_key of those that can land."""
    landed = records.loc[keys.index]
    deaths = landed.assign(record_key=keys, source=source, sheet=sheet, row_number=landed.index)
    deaths["person_key"] = person_keys(landed)
    corrections = corrections_of(lines, keys, sheet)
    unread = records.index.difference(landed.index.union(withdrawals(corrections).index), sort=False)
    all_notes = notes.frame()
    return RegisterRows(
        with_columns(deaths, DEATH_COLUMNS),
        with_columns(deaths, IDENTITY_COLUMNS),
        _texts(lines, ["commune", "unit_code"]).loc[landed.index],
        _unreadable(sheet, unread),
        all_notes[all_notes["row_number"].isin(landed.index)].reset_index(drop=True),
        places=_texts(lines, PLACE_TEXTS).loc[landed.index],
        causes=_texts(lines, CAUSE_COLUMNS).loc[landed.index] if set(CAUSE_COLUMNS) & set(lines) else pd.DataFrame(),
        corrections=corrections,
    )


def _texts(lines: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return lines.reindex(columns=columns).astype("str").fillna("")


def _is_readable(records: pd.DataFrame) -> pd.Series:
    """A line lands with a name, a cause or a date of death (at least its year)."""
    return records["full_name"].ne("") | records["cause_text"].ne("") | records["death_year"].notna()


def with_columns(records: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Just these columns; absent ones and empty texts are missing (text) values."""
    absent = pd.Series(pd.NA, index=records.index, dtype="str")
    chosen = {name: _without_empty(records[name]) if name in records else absent for name in columns}
    return pd.DataFrame(chosen, index=records.index)


def _without_empty(column: pd.Series) -> pd.Series:
    """A column of texts with missing values for empty ones; others as they are."""
    if column.dtype != "str" and column.dtype != object:
        return column
    if len(column) == 1 and column.dtype == "str" and column.iloc[0] != "":  # a record that is typed
        return column
    texts = column.astype("str")
    return texts.mask(texts.eq(""))


def record_keys(table: Table, rows: pd.Index) -> pd.Series:
    """ "sheet|row", with the first column of the table where two tables stand side by side."""
    first = min(table.headers)
    beside = any(column < first for column in _other_columns(table))
    suffix = f"|{column_letters(first)}" if beside else ""
    return table.grid.sheet + "|" + pd.Series(rows.astype(str), index=rows, dtype="str") + suffix


def _other_columns(table: Table) -> list[int]:
    header = table.grid.texts[table.header_rows[0] - 1]
    return [column for column, text in enumerate(header, 1) if text and column not in table.headers]


def person_keys(records: pd.DataFrame) -> pd.Series:
    """Folded name|birth|sex|death date, "" without a name or a date of death: the key of an exact duplicate."""
    birth = records["birth_date"].dt.strftime("%Y-%m-%d").fillna(records["birth_year"].astype("str"))
    death = records["death_date"].dt.strftime("%Y-%m-%d")
    key = fold_series(records["full_name"]) + "|" + birth.fillna("") + "|" + records["sex"] + "|" + death
    return key.where(records["full_name"].ne("") & death.notna(), "").fillna("").astype("str")


def common_year(written: pd.Series | None) -> int:
    """The year that most dates with four digits name; 0 where there is none."""
    if written is None:
        return 0
    years = written.str.extract(r"((?:19|20)\d{2})\s*$", expand=False).dropna()
    return int(years.mode().iloc[0]) if len(years) else 0


# ------------------------------------------------------------------------------------------- columns


def _records(lines: pd.DataFrame, notes: LineNotes, book_year: int, latest_year: int) -> pd.DataFrame:
    """Every death line as one record, still with its identifiers and with death_year."""

    def text(name: str) -> pd.Series:
        return lines.get(name, pd.Series("", index=lines.index, dtype="str"))

    if set(CAUSE_COLUMNS) & set(lines):
        lines = with_recorded_cause(lines)
    records = pd.DataFrame(index=lines.index)
    for name in AS_WRITTEN:
        records[name] = text(name)
    records = records.join(_deaths(text("death_date"), notes, book_year, latest_year))
    records = records.join(_births(lines, text, notes, latest_year))
    records["sex"] = _sex(lines, text, notes)
    records["place_of_death"] = _coded(lines, text, "place_of_death", notes)
    records["care_before_death"] = _coded(lines, text, "care_before_death", notes)
    maternal = _coded(lines, text, "maternal_death", notes)
    records["maternal_death"] = maternal.map({"yes": True, "no": False}).astype("boolean")
    records = records.join(further_fields(text, notes, records))
    records["age_years"] = values.age_in_years(records)
    return records.assign(**values.age_of_infants(records))


def _deaths(written: pd.Series, notes: LineNotes, book_year: int, latest_year: int) -> pd.DataFrame:
    found = dates.read_dates(written, year_hint=book_year, latest_year=latest_year)
    notes.add("death_date", found["note"], written, found["day"].dt.strftime("%Y-%m-%d").fillna(""))
    return pd.DataFrame({"death_date": found["day"], "death_year": found["year"], "death_date_as_written": written})


def _births(lines: pd.DataFrame, text: Callable[[str], pd.Series], notes: LineNotes, latest_year: int) -> pd.DataFrame:
    """Birth and age from whichever columns the book has: birth, age, or one column for men and one for women."""
    born = values.read_births(text("birth"), latest_year)
    notes.add("birth", born["note"], text("birth"))
    for name in ("male", "female"):
        if name in lines:
            other = values.read_births(lines[name], latest_year, ticks=True)
            notes.add(name, other["note"], lines[name])
            born = _filled_up(born, other)
    if text("age").ne("").any():
        ages = values.read_births(text("age"), latest_year)
        notes.add("age", ages["note"], text("age"))
        born = _filled_up(born, ages)
    written = text("birth").where(text("birth").ne(""), text("male")).where(lambda s: s.ne(""), text("female"))
    return born.drop(columns="note").assign(birth_as_written=written)


def _filled_up(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    filled = first.copy()
    for name in ("birth_date", "birth_year", "age_value"):
        filled[name] = first[name].fillna(second[name])
    filled["age_unit"] = first["age_unit"].where(first["age_unit"].ne(""), second["age_unit"])
    return filled


def _sex(lines: pd.DataFrame, text: Callable[[str], pd.Series], notes: LineNotes) -> pd.Series:
    """ "male", "female" or "": by the column's word, else by which of the two columns is filled."""
    found = values.read_words("sex", text("sex"))
    notes.add("sex", found["note"], text("sex"))
    male, female = (values.is_ticked(text(name)) for name in ("male", "female"))
    notes.add("sex", pd.Series(np.where(male & female, values.BOTH_SEXES, ""), index=lines.index), text("sex"))
    by_column = pd.Series(np.select([male & ~female, female & ~male], ["male", "female"], ""), index=lines.index)
    return found["code"].where(found["code"].ne(""), by_column).astype("str")


def _coded(lines: pd.DataFrame, text: Callable[[str], pd.Series], name: str, notes: LineNotes) -> pd.Series:
    """The code of a column of words, or of the first ticked one of its tick columns ("place_of_death:home")."""
    found = values.read_words(name, text(name))
    notes.add(name, found["note"], text(name))
    code = found["code"]
    for column in [column for column in lines if column.startswith(f"{name}:")]:
        ticked = values.is_ticked(lines[column])
        code = code.mask(code.eq("") & ticked, column.partition(":")[2])
    return code.astype("str")


# ---------------------------------------------------------------------------------- notes, quarantine


def _note_repairs(table: Table, notes: LineNotes, rows: pd.Index) -> None:
    """Texts that were repaired (legacy font, NFD, invisible characters) in lines that landed."""
    repairs = table.grid.repairs
    repairs = repairs[repairs["row"].isin(rows) & repairs["column"].isin(table.fields)]
    for column, part in repairs.groupby("column"):
        by_row = part.set_index("row")
        notes.add(table.fields[column], by_row["note"], by_row["value"], by_row["became"])


def _note_errors(table: Table, notes: LineNotes, rows: pd.Index) -> None:
    errors = error_cells(table)
    for name, part in errors[errors["row_number"].isin(rows)].groupby("field"):
        by_row = part.drop_duplicates("row_number").set_index("row_number")
        notes.add(name, pd.Series("note.cell_error", index=by_row.index), by_row["value"], harmless=True)


def _unreadable(sheet: str, rows: pd.Index) -> pd.DataFrame:
    """Lines with neither a name nor a date nor a cause. What they hold is not repeated: it may name a person."""
    frame = pd.DataFrame({"row_number": rows}).reindex(columns=QUARANTINE_COLUMNS)
    return frame.assign(
        sheet=sheet,
        column_name="",
        value="",
        reason=NOTHING_READ,
        fields=[{"row": int(row)} for row in rows],
    )
