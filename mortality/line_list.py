"""The door for line lists of deaths in CSV or Parquet, with the columns of the A6 register.

A column may bear its heading in the register ("Họ và tên") or its name here (full_name). The same lines become the
same records as from a workbook; units come as a column (unit_id, unit_code, commune).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import pyarrow as pa

from mortality.records.as_written import WrittenLines, written_of_frame
from mortality.records.batches import record_batches
from mortality.register_layout import is_register, match_header
from mortality.register_records import RegisterRows, records_of_lines
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.csv_records import BrokenLine, find_layout, read_records
from tkyt_analysis.ingest.door import QUARANTINE_COLUMNS, Batch, IngestContext, Quarantined, ReceivedFile
from tkyt_analysis.ingest.heading_unit import NOT_NAMED, find_units_of_rows
from tkyt_analysis.ingest.safe_open import file_kind, open_utf8, read_head

SOURCE = "a6"
ROWS_PER_BATCH = 200_000
OWN_NAMES = {
    "record_id": "record_id", "full_name": "full_name", "sex": "sex", "birth_date": "birth", "birth": "birth",
    "birth_year": "birth", "birth_text": "birth", "age": "age", "death_date": "death_date", "death_text": "death_date",
    "ethnic_group": "ethnic_group", "occupation": "occupation", "address": "address", "cause_text": "cause_text",
    "place_of_death": "place_of_death", "icd10": "icd10_as_written", "icd10_as_written": "icd10_as_written",
    "maternal_death": "maternal_death", "care_before_death": "care_before_death", "note": "note",
    "id_number": "id_number", "insurance_number": "insurance_number", "unit_id": "unit_code", "unit_code": "unit_code",
    "commune_code": "unit_code", "place_code": "unit_code", "commune": "commune",
    **{
        name: name
        for name in (
            "death_time", "death_place", "death_place_code", "manner", "maternal_timing", "external_place", "external_activity",
            "source_list", "informant", "informant_id", "informant_relation", "signed_by", "corrects", "correction_reason",
        )
    },
    "năm": "book_year", "year": "book_year", "book_year": "book_year",
}  # fmt: skip


class LineListDoor:
    """Recognises a table by its columns: those of a death register, with a unit per row."""

    id = "death_line_list"

    def recognise(self, file: ReceivedFile) -> float:
        """0.9 where the columns are those of a death register."""
        try:
            return 0.9 if is_register(set(_fields(_header(file)).values())) else 0.0
        except (InputError, pa.ArrowInvalid, OSError, ValueError):
            return 0.0

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """Batches of at most ROWS_PER_BATCH rows or one block of the CSV."""
        fields = _fields(_header(file))
        missing = [name for name in ("cause_text", "death_date") if name not in fields.values()]
        if missing or not {"unit_code", "commune"} & set(fields.values()):
            missing += [] if {"unit_code", "commune"} & set(fields.values()) else ["unit_code"]
            raise InputError("error.line_list_columns", file=file.name, columns=", ".join(missing))
        pieces = parquet_pieces(file) if file_kind(file.path) == "parquet" else _csv_pieces(file)
        for frame, broken in pieces:
            yield from line_list_batches(frame, fields, broken, datetime.date.today())


def _header(file: ReceivedFile) -> list[str]:
    kind = file_kind(file.path)
    if kind == "parquet":
        import pyarrow.parquet as parquet

        return parquet.read_schema(file.path).names
    if kind not in ("text", "gz"):
        return []
    layout = find_layout(read_head(file), _header_score)
    return list(layout.header) if layout else []


def _header_score(cells: list[str]) -> float:
    fields = _fields(cells)
    return float(len(fields)) if is_register(set(fields.values())) else 0.0


def _fields(header: list[str]) -> dict[str, str]:
    """{column: field}; the first column of a field counts. Certificates are another door's."""
    if "line_a" in {name.lower() for name in header}:
        return {}
    found: dict[str, str] = {}
    for name in header:
        field = OWN_NAMES.get(name.strip().lower()) or match_header(name.strip())
        if field and field not in found.values():
            found[name] = field
    return found


def parquet_pieces(file: ReceivedFile) -> Iterator[tuple[pd.DataFrame, list[BrokenLine]]]:
    """The rows of a Parquet file in batches, each with its row number in front; none of them is broken."""
    import pyarrow.parquet as parquet

    first = 1
    with parquet.ParquetFile(file.path) as source:
        for batch in source.iter_batches(batch_size=ROWS_PER_BATCH):
            frame = batch.to_pandas()
            frame.insert(0, "row_number", range(first, first + len(frame)))
            first += len(frame)
            yield frame, []


def _csv_pieces(file: ReceivedFile) -> Iterator[tuple[pd.DataFrame, list[BrokenLine]]]:
    layout = find_layout(read_head(file), _header_score)
    if layout is None:
        return
    with open_utf8(file) as stream:
        for records in read_records(stream, layout):
            frame = records.table.to_pandas()
            frame.columns = ["row_number", *layout.header]
            yield frame, records.broken


def line_list_batches(
    frame: pd.DataFrame, fields: dict[str, str], broken: list[BrokenLine], today: datetime.date
) -> Iterator[Batch]:
    """The batches of one piece, year by year of its book (see `record_batches`); a row whose unit cannot be told is
    quarantined.

    fields : {column of `frame`: field}
    """
    headers = {field: name for name, field in reversed(fields.items())}
    cells = frame.drop(columns="row_number").set_axis(pd.Index(frame["row_number"], name="row_number"))
    written = written_of_frame(cells, [fields.get(name, "") for name in cells.columns])
    lines = pd.DataFrame({field: texts_of_column(frame[name]) for name, field in fields.items()})
    lines.index = pd.Index(frame["row_number"], name="row_number")
    if broken:
        refused = [Quarantined(one.reason, "", one.row_number, "", "", _without_text(one)) for one in broken]
        yield Batch("death", pd.DataFrame(), refused, received=len(refused))
    years = lines.pop("book_year") if "book_year" in lines else pd.Series("", index=lines.index)
    for year, part in lines.groupby(years, sort=True):
        book_year = int(year) if str(year).isdigit() else 0
        yield from _year_batches(part, book_year, today, headers, written)


def _year_batches(
    lines: pd.DataFrame, book_year: int, today: datetime.date, headers: dict[str, str], written: WrittenLines
) -> Iterator[Batch]:
    latest = book_year + 1 if book_year else today.year
    rows = records_of_lines(lines, source=SOURCE, book_year=book_year, latest_year=latest, headers=headers)
    rows = replace(rows, written=written)
    units = _units(rows, book_year, today)
    known = units["unit_id"].ne("")
    lost = pd.DataFrame({"row_number": units.index[~known], "reason": units.loc[~known, "reason"].to_numpy()})
    lost["fields"] = [{**said, "row": int(row)} for row, said in units.loc[~known, "fields"].items()]
    lost["value"] = [str(said.get("value", "")) for said in lost["fields"]]
    lost = lost.assign(sheet="", column_name="")[QUARANTINE_COLUMNS]
    parts = [part for part in (rows.quarantined, lost) if len(part)]
    quarantined = pd.concat(parts, ignore_index=True) if parts else lost
    notes = rows.notes[rows.notes["row_number"].isin(units.index[known])]
    yield from record_batches(rows, units.loc[known, "unit_id"], quarantined, notes, headers=headers)


def _without_text(line: BrokenLine) -> dict[str, object]:
    """A broken line may name a person: its text is not kept."""
    return {name: value for name, value in line.fields.items() if name != "text"} | {"text": "…"}


def texts_of_column(column: pd.Series) -> pd.Series:
    """A column of any type as the texts a register would hold."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.strftime("%d/%m/%Y").astype("str").fillna("")
    if pd.api.types.is_bool_dtype(column):
        return column.map({True: "1", False: "0"}).astype("str").fillna("")
    if pd.api.types.is_float_dtype(column):
        column = column.astype("Int64") if (column.dropna() % 1 == 0).all() else column
    return column.astype("str").fillna("").str.strip()


def _units(rows: RegisterRows, book_year: int, today: datetime.date) -> pd.DataFrame:
    """The unit of every row: by its code, checked against the name beside it, else by its name."""
    code, name = rows.communes["unit_code"], rows.communes["commune"]
    written = code.where(code.ne(""), name)
    days = rows.deaths["death_date"]
    sensible = days[days.dt.year.eq(book_year)] if book_year else days[days.le(pd.Timestamp(today))]
    usual = sensible.median().date() if sensible.notna().any() else datetime.date(book_year or today.year, 6, 30)
    days = days.where(days.index.isin(sensible.index))
    found = find_units_of_rows(written, days, usual_day=usual, named=name.where(code.ne(""), ""))
    found.loc[written.eq(""), "reason"] = NOT_NAMED
    return found


DOOR = LineListDoor()
