"""DHIS2 data values (JSON or CSV) and report registrations → aggregate_value, reporting_status.

Both formats are first written down as text (`Scratch`), then classified in one SQL statement: every value lands or gets
a reason. Shapes: `GET /api/dataValueSets` of DHIS2 2.40–2.44, `GET /api/completeDataSetRegistrations`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.csv_records import Layout, find_layout, read_records
from tkyt_analysis.ingest.dhis2_classify import classified_registrations, classified_values
from tkyt_analysis.ingest.door import Batch, IngestContext, Quarantined, ReceivedFile
from tkyt_analysis.ingest.json_objects import ObjectList, Objects
from tkyt_analysis.ingest.safe_open import open_utf8, read_head
from tkyt_analysis.ingest.scratch import Scratch

FIELDS = ("dataElement", "period", "orgUnit", "categoryOptionCombo", "attributeOptionCombo", "value", "comment",
          "deleted")  # fmt: skip
REGISTRATION_FIELDS = ("dataSet", "period", "organisationUnit", "attributeOptionCombo", "date", "completed")
CSV_NAMES = {
    "dataelement": "dataElement", "period": "period", "orgunit": "orgUnit", "organisationunit": "orgUnit",
    "categoryoptioncombo": "categoryOptionCombo", "catoptcombo": "categoryOptionCombo",
    "attributeoptioncombo": "attributeOptionCombo", "attroptcombo": "attributeOptionCombo",
    "value": "value", "comment": "comment", "deleted": "deleted",
}  # fmt: skip


def read_values_json(file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
    """A dataValueSet in JSON, of one form (set-level dataSet, period, orgUnit) or in bulk."""
    with Scratch(_schema(FIELDS)) as scratch, open_utf8(file, _json_encoding(file)) as stream:
        values = ObjectList(stream, "dataValues")
        for piece in values:
            scratch.add(_text_table(piece, FIELDS))
            if piece.broken:
                yield _broken_objects("aggregate_value", piece, "dataValues")
        scratch.close_input()
        yield from classified_values(scratch, context, values.attributes, "dataValues")


def csv_layout(head: bytes) -> Layout | None:
    """The layout of a dataValueSet CSV, None for any other text. The first four columns of DHIS2 must be there."""

    def score(cells: list[str]) -> float:
        names = {CSV_NAMES.get(_folded_header(cell)) for cell in cells} - {None}
        return len(names) if {"dataElement", "period", "orgUnit", "value"} <= names else 0.0

    return find_layout(head, score)


def _folded_header(cell: str) -> str:
    return "".join(letter for letter in cell.lower() if letter.isalnum())


def read_values_csv(file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
    """A dataValueSet in CSV; lines that are no record are quarantined with their number."""
    layout = csv_layout(read_head(file))
    if layout is None:
        raise InputError("error.file_not_recognised", file=file.name)
    place = {CSV_NAMES.get(_folded_header(cell)): f"c{at}" for at, cell in enumerate(layout.header)}
    with Scratch(_schema(FIELDS)) as scratch, open_utf8(file) as stream:
        for records in read_records(stream, layout):
            empty = pa.nulls(records.table.num_rows, pa.string())
            columns = {name: records.table[place[name]] if name in place else empty for name in FIELDS}
            scratch.add(pa.table({"row_number": records.table["row_number"], **columns}))
            if records.broken:
                rows = [Quarantined(one.reason, "", one.row_number, "", one.text, one.fields) for one in records.broken]
                yield Batch("aggregate_value", pd.DataFrame(), rows, received=len(rows))
        scratch.close_input()
        yield from classified_values(scratch, context, {}, "")
        if stream.broken_at is not None:
            yield _cut_off("aggregate_value", stream.broken_at)


def read_values_parquet(file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
    """The columns of a dataValueSet as Parquet, the form in which very large exports are handed over."""
    with Scratch(_schema(FIELDS)) as scratch:
        _add_parquet(scratch, file, FIELDS)
        yield from classified_values(scratch, context, {}, "")


def read_registrations_parquet(file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
    """completeDataSetRegistrations as Parquet."""
    with Scratch(_schema(REGISTRATION_FIELDS)) as scratch:
        _add_parquet(scratch, file, REGISTRATION_FIELDS)
        yield from classified_registrations(scratch, context)


def _add_parquet(scratch: Scratch, file: ReceivedFile, fields: tuple[str, ...]) -> None:
    import pyarrow.parquet as pq

    source = pq.ParquetFile(file.path)
    first = 1
    for batch in source.iter_batches(100_000, columns=[n for n in fields if n in source.schema_arrow.names]):
        columns = {
            name: batch[name].cast(pa.string()) if name in batch.schema.names else pa.nulls(len(batch), pa.string())
            for name in fields
        }
        numbers = pa.array(range(first, first + len(batch)), pa.int64())
        scratch.add(pa.table({"row_number": numbers, **columns}))
        first += len(batch)
    scratch.close_input()


def parquet_content(file: ReceivedFile) -> str:
    """ "values_parquet", "registrations_parquet" or "" by the columns of a Parquet file."""
    import pyarrow.parquet as pq

    names = set(pq.read_schema(file.path).names)
    if {"dataElement", "period", "orgUnit", "value"} <= names:
        return "values_parquet"
    return "registrations_parquet" if {"dataSet", "period", "organisationUnit"} <= names else ""


def read_registrations(file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
    """completeDataSetRegistrations → reporting_status: who pressed "complete", and when.

    Complete means that somebody said so, not that data exist. One row per data set, unit and period: further
    registrations (of other attribute options) are quarantined as repeated.
    """
    with Scratch(_schema(REGISTRATION_FIELDS)) as scratch, open_utf8(file, _json_encoding(file)) as stream:
        registrations = ObjectList(stream, "completeDataSetRegistrations")
        for piece in registrations:
            scratch.add(_text_table(piece, REGISTRATION_FIELDS))
            if piece.broken:
                yield _broken_objects("reporting_status", piece, "completeDataSetRegistrations")
        scratch.close_input()
        yield from classified_registrations(scratch, context)


# --------------------------------------------------------------------------------------------------------------- input


def _schema(fields: tuple[str, ...]) -> pa.Schema:
    return pa.schema([("row_number", pa.int64()), *((name, pa.string()) for name in fields)])


def _json_encoding(file: ReceivedFile) -> str:
    """JSON is UTF-8 (RFC 8259); only a UTF-16 file says otherwise. Bad bytes break one object, not the file."""
    with file.path.open("rb") as raw:
        return "utf-16" if raw.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8"


def _text_table(piece: Objects, fields: tuple[str, ...]) -> pa.Table:
    columns = {name: pa.array([_as_text(item.get(name)) for item in piece.objects], pa.string()) for name in fields}
    return pa.table({"row_number": pa.array(piece.numbers, pa.int64()), **columns})


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _broken_objects(table: str, piece: Objects, sheet: str) -> Batch:
    rows = [
        Quarantined(one.reason, sheet, one.row_number, "", one.text, {"position": one.position, "text": one.text[:80]})
        for one in piece.broken
    ]
    return Batch(table, pd.DataFrame(), rows, received=len(rows))


def _cut_off(table: str, position: int) -> Batch:
    row = Quarantined("quarantine.gz_cut_off", value=str(position), fields={"position": position})
    return Batch(table, pd.DataFrame(), [row], received=1)
