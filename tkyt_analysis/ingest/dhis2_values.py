"""DHIS2 data values (JSON or CSV) and report registrations → aggregate_value, reporting_status.

Both formats are first written down as text (`Scratch`), then classified in one SQL statement: every value lands or gets
a reason. Shapes: `GET /api/dataValueSets` of DHIS2 2.40–2.44, `GET /api/completeDataSetRegistrations`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.csv_records import Layout, find_layout, read_records
from tkyt_analysis.ingest.dhis2_metadata import ALIAS_SOURCE, CODE_SOURCE, LEVEL_OF_CODE
from tkyt_analysis.ingest.door import Batch, IngestContext, Note, Quarantined, ReceivedFile
from tkyt_analysis.ingest.json_objects import ObjectList, Objects
from tkyt_analysis.ingest.numbers import parse_numbers
from tkyt_analysis.ingest.safe_open import open_utf8, read_head
from tkyt_analysis.ingest.scratch import Scratch

DEFAULT_COMBO = "HllvX50cXC0"  # the built-in option combo "default" of every DHIS2
FIELDS = ("dataElement", "period", "orgUnit", "categoryOptionCombo", "attributeOptionCombo", "value", "comment",
          "deleted")  # fmt: skip
REGISTRATION_FIELDS = ("dataSet", "period", "organisationUnit", "attributeOptionCombo", "date", "completed")
CSV_NAMES = {
    "dataelement": "dataElement", "period": "period", "orgunit": "orgUnit", "organisationunit": "orgUnit",
    "categoryoptioncombo": "categoryOptionCombo", "catoptcombo": "categoryOptionCombo",
    "attributeoptioncombo": "attributeOptionCombo", "attroptcombo": "attributeOptionCombo",
    "value": "value", "comment": "comment", "deleted": "deleted",
}  # fmt: skip
NUMERIC_TYPES = ("NUMBER", "INTEGER", "INTEGER_POSITIVE", "INTEGER_NEGATIVE", "INTEGER_ZERO_OR_POSITIVE",
                 "PERCENTAGE", "UNIT_INTERVAL", "INTEGER_POSITIVE_OR_ZERO")  # fmt: skip
# Where a value stood and what the sentence calls it, by reason.
COLUMN_OF_REASON = {
    "quarantine.dhis2_deleted": "deleted",
    "quarantine.dhis2_no_element": "dataElement",
    "quarantine.dhis2_period_unknown": "period",
    "quarantine.dhis2_unit_unknown": "orgUnit",
    "places.unit_not_valid_at_date": "orgUnit",
    "quarantine.dhis2_data_set_missing": "dataSet",
}
_MACHINE_NUMBER = r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?"


def read_values_json(file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
    """A dataValueSet in JSON, of one form (set-level dataSet, period, orgUnit) or in bulk."""
    with Scratch(_schema(FIELDS)) as scratch, open_utf8(file, _json_encoding(file)) as stream:
        values = ObjectList(stream, "dataValues")
        for piece in values:
            scratch.add(_text_table(piece, FIELDS))
            if piece.broken:
                yield _broken_objects("aggregate_value", piece, "dataValues")
        scratch.close_input()
        yield from _classified_values(scratch, context, values.attributes, "dataValues")


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
        yield from _classified_values(scratch, context, {}, "")
        if stream.broken_at is not None:
            yield _cut_off("aggregate_value", stream.broken_at)


def read_values_parquet(file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
    """The columns of a dataValueSet as Parquet, the form in which very large exports are handed over."""
    with Scratch(_schema(FIELDS)) as scratch:
        _add_parquet(scratch, file, FIELDS)
        yield from _classified_values(scratch, context, {}, "")


def read_registrations_parquet(file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
    """completeDataSetRegistrations as Parquet."""
    with Scratch(_schema(REGISTRATION_FIELDS)) as scratch:
        _add_parquet(scratch, file, REGISTRATION_FIELDS)
        yield from _classified_registrations(scratch, context)


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
        yield from _classified_registrations(scratch, context)


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


# ------------------------------------------------------------------------------------------------------ classification


def _classified_values(
    scratch: Scratch, context: IngestContext, attributes: dict[str, str], sheet: str
) -> Iterator[Batch]:
    """Look-ups, then one reason or none for each value, then repeated keys, then the rows in pieces."""
    scratch.put("attributes", pd.DataFrame([{name: attributes.get(name) or None for name in
                ("dataSet", "period", "orgUnit", "attributeOptionCombo")}], dtype="object").astype("str"))  # fmt: skip
    scratch.con.execute(_VALUES_WRITTEN)
    _put_periods(scratch, "written")
    _put_units(scratch, context, "written")
    _put_elements(scratch, context)
    _put_odd_values(scratch)
    scratch.con.execute(_VALUES_CLASSIFIED)
    scratch.con.execute(_VALUES_REPEATED)
    scratch.con.execute(_COMMON_COMMENTS)
    yield _undescribed_elements(scratch)
    yield _common_comments(scratch, sheet)
    for piece in scratch.pieces(_VALUES_RESULT):
        yield _value_batch(piece, sheet)


# Every value with the set's own attributes filled in; "default" combos are no category.
_VALUES_WRITTEN = f"""
CREATE OR REPLACE VIEW written AS
SELECT row_number, trim(coalesce(r."dataElement", '')) AS element_id,
       trim(coalesce(nullif(r.period, ''), a.period, '')) AS period,
       trim(coalesce(nullif(r."orgUnit", ''), a."orgUnit", '')) AS unit,
       coalesce(nullif(nullif(r."categoryOptionCombo", '{DEFAULT_COMBO}'), 'default'), '') AS category,
       coalesce(nullif(nullif(coalesce(nullif(r."attributeOptionCombo", ''), a."attributeOptionCombo"),
                '{DEFAULT_COMBO}'), 'default'), '') AS attribute,
       a."dataSet" AS data_set, coalesce(r.value, '') AS value, coalesce(r.comment, '') AS comment,
       lower(coalesce(r.deleted, '')) = 'true' AS deleted
FROM raw r CROSS JOIN attributes a
"""

_VALUES_CLASSIFIED = f"""
CREATE OR REPLACE VIEW classified AS
SELECT w.row_number, w.element_id, w.unit, w.period, w.value AS written, w.comment,
       concat_ws('.', nullif(w.category, ''), nullif(w.attribute, '')) AS category_id,
       coalesce(w.data_set, e.dataset_id, '') AS dataset_id, e.element_id IS NULL AS undescribed,
       u.unit_id, p.period_id, p.period_start, p.period_end, o.note,
       CASE WHEN e.kind = 'boolean' THEN CASE lower(trim(w.value)) WHEN 'true' THEN 1 WHEN '1' THEN 1
                                         WHEN 'false' THEN 0 WHEN '0' THEN 0 END
            WHEN e.kind = 'text' THEN NULL
            WHEN regexp_full_match(w.value, '{_MACHINE_NUMBER}') THEN TRY_CAST(w.value AS DOUBLE)
            ELSE o.number END AS number,
       CASE WHEN w.deleted THEN 'quarantine.dhis2_deleted'
            WHEN w.element_id = '' THEN 'quarantine.dhis2_no_element'
            WHEN p.period_id IS NULL THEN 'quarantine.dhis2_period_unknown'
            WHEN u.reason <> '' THEN u.reason
            WHEN coalesce(u.unit_id, '') = '' THEN 'quarantine.dhis2_unit_unknown'
            WHEN trim(w.value) = '' THEN 'quarantine.dhis2_empty_value'
            WHEN e.kind = 'boolean' AND lower(trim(w.value)) NOT IN ('true', 'false', '1', '0')
                THEN 'quarantine.dhis2_not_boolean'
            WHEN e.kind = 'number' AND NOT regexp_full_match(w.value, '{_MACHINE_NUMBER}') AND o.number IS NULL
                THEN coalesce(nullif(o.reason, ''), 'quarantine.not_a_number') END AS reason
FROM written w
LEFT JOIN elements e ON e.element_id = w.element_id
LEFT JOIN periods p ON p.period = w.period
LEFT JOIN units u ON u.unit = w.unit AND u.period = w.period
LEFT JOIN odd_values o ON o.value = w.value
"""

# Rows whose key stands more than once in the file: `nth` of the same value, and whether the values differ.
_VALUES_REPEATED = """
CREATE OR REPLACE TEMP TABLE repeated AS
WITH keyed AS (
    SELECT row_number, hash(element_id, category_id, unit_id, period_id) AS key, element_id, category_id, unit_id,
           period_id, coalesce(CAST(number AS VARCHAR), written) AS shown
    FROM classified WHERE reason IS NULL),
many AS (SELECT key FROM keyed GROUP BY key HAVING count(*) > 1),
rows AS (SELECT keyed.* FROM keyed SEMI JOIN many USING (key)),
counted AS (
    SELECT row_number,
           row_number() OVER (PARTITION BY element_id, category_id, unit_id, period_id, shown ORDER BY row_number) AS nth,
           min(row_number) OVER (PARTITION BY element_id, category_id, unit_id, period_id, shown) AS same_as,
           min(row_number) OVER (PARTITION BY element_id, category_id, unit_id, period_id) AS first_row,
           max(row_number) OVER (PARTITION BY element_id, category_id, unit_id, period_id) AS last_row,
           min(shown) OVER (PARTITION BY element_id, category_id, unit_id, period_id)
             <> max(shown) OVER (PARTITION BY element_id, category_id, unit_id, period_id) AS differs
    FROM rows)
SELECT * FROM counted WHERE nth > 1 OR differs
"""

# A comment on more rows than this says something of the file, not of a value: it is noted once.
_COMMON_COMMENTS = """
CREATE OR REPLACE TEMP TABLE common_comments AS
SELECT comment, count(*) AS rows, min(row_number) AS row_number FROM written WHERE comment <> ''
GROUP BY comment HAVING count(*) > 20
"""

_VALUES_RESULT = """
SELECT c.* EXCLUDE (comment), CASE WHEN c.comment IN (SELECT comment FROM common_comments) THEN '' ELSE c.comment END
       AS comment, coalesce(c.reason, CASE WHEN d.nth > 1 THEN 'quarantine.dhis2_repeated_value' END) AS final_reason,
       d.same_as, CASE WHEN d.differs AND d.nth = 1
                       THEN CASE WHEN c.row_number = d.first_row THEN d.last_row ELSE d.first_row END END AS other_row
FROM classified c LEFT JOIN repeated d USING (row_number)
"""


def _put_periods(scratch: Scratch, view: str) -> None:
    """periods: period (as written), period_id, period_start, period_end of every distinct code that is one."""
    from tkyt_analysis.reference.period_words import from_dhis2

    rows = []
    for written in scratch.frame(f"SELECT DISTINCT period FROM {view}")["period"]:
        try:
            period = from_dhis2(written)
        except InputError:
            continue
        rows.append((written, period.period_id, period.start, period.end))
    columns = ["period", "period_id", "period_start", "period_end"]
    scratch.put("periods", pa.Table.from_pylist([dict(zip(columns, row)) for row in rows], _PERIOD_SCHEMA))


_PERIOD_SCHEMA = pa.schema(
    [("period", pa.string()), ("period_id", pa.string()), ("period_start", pa.date32()), ("period_end", pa.date32())]
)


def _put_units(scratch: Scratch, context: IngestContext, view: str) -> None:
    """units: unit and period (as written), unit_id or "", reason; one row per distinct pair in the file.

    A unit is looked up by its DHIS2 identifier, its DHIS2 code, our own unit_id, or a Vietnamese place code
    at the day of the period. A Vietnamese unit must have existed in the period.
    """
    pairs = scratch.frame(
        f"SELECT DISTINCT v.unit, v.period, p.period_start, p.period_end FROM {view} v JOIN periods p USING (period)"
    )
    pairs["unit_id"] = pairs["unit"].map(_known_units(context)).fillna("").astype("str")
    pairs["reason"] = ""
    _find_place_codes(pairs)
    system = pairs["unit_id"].str.split(":").str[0]
    too_early = (system == "VN2025") & (pairs["period_end"] < pd.Timestamp("2025-07-01"))
    too_late = (system == "VN2024") & (pairs["period_start"] > pd.Timestamp("2025-06-30"))
    pairs.loc[too_early | too_late, "reason"] = "places.unit_not_valid_at_date"
    scratch.put("units", pairs[["unit", "period", "unit_id", "reason"]])


def _known_units(context: IngestContext) -> dict[str, str]:
    aliases, own = context.unit_aliases(), context.units()["unit_id"]
    known = dict(zip(own, own, strict=True))
    for source in (CODE_SOURCE, ALIAS_SOURCE):
        chosen = aliases[aliases["source"] == source]
        known |= dict(zip(chosen["alias"], chosen["unit_id"], strict=True))
    return known


def _find_place_codes(pairs: pd.DataFrame) -> None:
    """Fill unit_id and reason of units written as bare Vietnamese place codes."""
    from tkyt_analysis.reference.places import find_places

    for length, level in LEVEL_OF_CODE.items():
        chosen = (pairs["unit_id"] == "") & pairs["unit"].str.fullmatch(rf"\d{{{length}}}")
        if chosen.any():
            found = find_places(pairs.loc[chosen, "unit"], level=level, at=pairs.loc[chosen, "period_start"])
            wrong_time = found["reason"].where(found["reason"] == "places.unit_not_valid_at_date", "")
            pairs.loc[chosen, "unit_id"], pairs.loc[chosen, "reason"] = found["unit_id"], wrong_time


def _put_elements(scratch: Scratch, context: IngestContext) -> None:
    """elements: element_id, dataset_id, kind (number | boolean | text | unknown) of the described elements."""
    known = context.data_elements()
    known = known.sort_values("status", key=lambda status: status == "undescribed", kind="stable")
    known = known.drop_duplicates("element_id")
    types = known["value_type"].fillna("").astype("str")
    kind = pd.Series("text", index=known.index)
    kind[types.isin(NUMERIC_TYPES)] = "number"
    kind[types.isin(["BOOLEAN", "TRUE_ONLY"])] = "boolean"
    kind[types == ""] = "unknown"
    rows = pd.DataFrame({"element_id": known["element_id"], "dataset_id": known["dataset_id"], "kind": kind})
    scratch.put("elements", rows.astype("str"))


def _put_odd_values(scratch: Scratch) -> None:
    """odd_values: value, number, note, reason of every distinct value of a numeric element that is no plain number."""
    odd = scratch.frame(
        "SELECT DISTINCT w.value FROM written w LEFT JOIN elements e USING (element_id) "
        f"WHERE coalesce(e.kind, 'unknown') IN ('number', 'unknown') AND length(w.value) BETWEEN 1 AND 40 "
        f"AND NOT regexp_full_match(w.value, '{_MACHINE_NUMBER}')"
    )
    parsed = parse_numbers(odd["value"], decimal_hint="point")
    odd["number"] = parsed.values
    odd["note"] = parsed.notes["note"].reindex(odd.index).fillna("")
    odd["reason"] = parsed.failures["reason"].reindex(odd.index).fillna("")
    scratch.put("odd_values", odd.astype({"value": "str", "note": "str", "reason": "str"}))


def _undescribed_elements(scratch: Scratch) -> Batch:
    """Elements with values but without metadata: they land under their identifier and say that nobody described them."""
    found = scratch.frame(
        "SELECT element_id, any_value(dataset_id) AS dataset_id, min(row_number) AS row_number FROM classified "
        "WHERE undescribed AND reason IS NULL GROUP BY element_id ORDER BY element_id"
    )
    rows = found.assign(name=found["element_id"], short_name=found["element_id"], value_type="", status="undescribed")
    return Batch("data_element", rows, counts=False)


def _common_comments(scratch: Scratch, sheet: str) -> Batch:
    notes = [
        Note("note.dhis2_common_comment", sheet, int(row), "comment", text, "", {"comment": text, "rows": int(rows)})
        for text, rows, row in scratch.con.execute("FROM common_comments ORDER BY row_number").fetchall()
    ]
    return Batch("aggregate_value", pd.DataFrame(), notes=notes)


def _value_batch(piece: pa.Table, sheet: str) -> Batch:
    landed = piece.filter(pc.is_null(piece["final_reason"]))
    refused = piece.filter(pc.is_valid(piece["final_reason"])).to_pandas()
    rows = pa.table(
        {name: landed[name] for name in ("dataset_id", "element_id", "category_id", "unit_id", "period_id",
                                         "period_start", "period_end")}
        | {"value": landed["number"], "value_as_written": landed["written"], "row_number": landed["row_number"]}
        | {name: pa.array([text] * landed.num_rows, pa.string()) for name, text in
           (("column_name", "value"), ("sheet", sheet))}
    )  # fmt: skip
    return Batch("aggregate_value", rows, _refused(refused, sheet), _notes(landed, sheet), piece.num_rows)


def _refused(rows: pd.DataFrame, sheet: str) -> pd.DataFrame:
    column = rows["final_reason"].map(COLUMN_OF_REASON).fillna("value")
    written = {"period": "period", "orgUnit": "unit", "dataElement": "element_id", "value": "written",
               "dataSet": "data_set"}  # fmt: skip
    value = [
        row.get(written.get(name, "written"), "") for name, row in zip(column, rows.to_dict("records"), strict=True)
    ]
    fields = [
        {
            "value": shown,
            "unit": row["unit_id"] or row["unit"],
            "period": row["period"],
            "row": None if pd.isna(same) else int(same),
        }
        for shown, row, same in zip(value, rows.to_dict("records"), rows["same_as"], strict=True)
    ]
    return pd.DataFrame(
        {
            "sheet": sheet,
            "row_number": rows["row_number"],
            "column_name": column,
            "value": value,
            "reason": rows["final_reason"],
            "fields": fields,
        }
    )


def _notes(landed: pa.Table, sheet: str) -> pd.DataFrame:
    """Values read as something else than written, contradicting rows, and comments of whoever entered the value."""
    keep = pc.or_(
        pc.or_(pc.is_valid(landed["other_row"]), pc.greater(pc.fill_null(pc.utf8_length(landed["note"]), 0), 0)),
        pc.greater(pc.utf8_length(landed["comment"]), 0),
    )
    rows = landed.filter(keep).to_pandas()
    base = pd.DataFrame(
        {"sheet": sheet, "row_number": rows["row_number"], "column_name": "value", "value": rows["written"]}
    )
    read = base.assign(became=rows["number"].map(lambda n: f"{n:g}"), note=rows["note"])
    read["fields"] = [{"value": value} for value in rows["written"]]
    contradicted = base.assign(became="", note="note.dhis2_contradicting_rows")
    contradicted["fields"] = [{"row": None if pd.isna(row) else int(row)} for row in rows["other_row"]]
    commented = base.assign(became="", note="note.dhis2_comment", column_name="comment", value=rows["comment"])
    commented["fields"] = [{"comment": text} for text in rows["comment"]]
    parts = [
        read[rows["note"].fillna("") != ""],
        contradicted[rows["other_row"].notna()],
        commented[rows["comment"] != ""],
    ]
    return pd.concat(parts, ignore_index=True)


# ------------------------------------------------------------------------------------------------------- registrations

_REGISTRATIONS = """
CREATE OR REPLACE VIEW registered AS
SELECT row_number, trim(coalesce("dataSet", '')) AS data_set, trim(coalesce(period, '')) AS period,
       trim(coalesce("organisationUnit", '')) AS unit, coalesce(date, '') AS completed_at,
       lower(coalesce(completed, 'true')) <> 'false' AS completed
FROM raw
"""

_REGISTRATIONS_RESULT = """
SELECT r.*, u.unit_id, p.period_id,
       CASE WHEN r.data_set = '' THEN 'quarantine.dhis2_data_set_missing'
            WHEN p.period_id IS NULL THEN 'quarantine.dhis2_period_unknown'
            WHEN u.reason <> '' THEN u.reason
            WHEN coalesce(u.unit_id, '') = '' THEN 'quarantine.dhis2_unit_unknown'
            WHEN row_number() OVER (PARTITION BY data_set, u.unit_id, p.period_id
                                    ORDER BY completed DESC, completed_at, row_number) > 1
            THEN 'quarantine.dhis2_repeated_registration' END AS final_reason,
       first_value(row_number) OVER (PARTITION BY data_set, u.unit_id, p.period_id
                                     ORDER BY completed DESC, completed_at, row_number) AS same_as
FROM registered r LEFT JOIN periods p USING (period)
LEFT JOIN units u ON u.unit = r.unit AND u.period = r.period
"""


def _classified_registrations(scratch: Scratch, context: IngestContext) -> Iterator[Batch]:
    scratch.con.execute(_REGISTRATIONS)
    _put_periods(scratch, "registered")
    _put_units(scratch, context, "registered")
    for piece in scratch.pieces(_REGISTRATIONS_RESULT):
        rows = piece.to_pandas()
        sheet = "completeDataSetRegistrations"
        good = rows[rows["final_reason"].isna()]
        landed = good[["unit_id", "period_id", "completed_at", "completed", "row_number"]].assign(
            dataset_id=good["data_set"], sheet=sheet
        )
        refused = rows[rows["final_reason"].notna()].assign(element_id="", written=lambda frame: frame["completed_at"])
        yield Batch("reporting_status", landed, _refused(refused, sheet), received=len(rows))
