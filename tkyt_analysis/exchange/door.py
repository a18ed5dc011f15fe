"""The door for ADX and DXF2 XML: the same classification as DHIS2's JSON and CSV, so the same values land."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa

from tkyt_analysis.errors import InputError, TkytError
from tkyt_analysis.exchange.xml_values import Piece, ValueElement, ValueElements, xml_root
from tkyt_analysis.ingest.dhis2_classify import NUMERIC_TYPES, classified_registrations, classified_values
from tkyt_analysis.ingest.dhis2_values import FIELDS, REGISTRATION_FIELDS
from tkyt_analysis.ingest.door import Batch, IngestContext, Note, Quarantined, ReceivedFile
from tkyt_analysis.ingest.safe_open import file_kind, open_utf8, read_head
from tkyt_analysis.ingest.scratch import Scratch

# What an ADX group or value says besides its dimensions (IHE QRPH ADX 2015; names as DHIS2 writes them).
_GROUP_WORDS = {"orgUnit", "period", "dataSet", "completeDate", "attributeOptionCombo", "comment", "exported",
                "schemaLocation", "dataElementIdScheme", "orgUnitIdScheme", "idScheme", "categoryOptionComboIdScheme",
                "dataSetIdScheme", "publisher"}  # fmt: skip
_VALUE_WORDS = {"dataElement", "value", "categoryOptionCombo", "attributeOptionCombo", "comment", "deleted", "period",
                "orgUnit", "storedBy", "created", "lastUpdated", "timestamp", "followup", "followUp"}  # fmt: skip
_VALUES, _REPORTS = "dataValues", "completeDataSetRegistrations"


class ExchangeDoor:
    """Reads ADX and DXF2 XML data value sets. See `tkyt_analysis.ingest.door.Door`."""

    id = "exchange"

    def recognise(self, file: ReceivedFile) -> float:
        """1 where the first element is `adx` or `dataValueSet`, else 0."""
        return 1.0 if content(file) else 0.0

    def rank(self, file: ReceivedFile) -> int:
        """Values come after units and metadata."""
        return 2

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """Batches for aggregate_value, data_element (undescribed ones) and reporting_status (completeDate)."""
        kind = content(file)
        if not kind:
            raise InputError("error.file_not_recognised", file=file.name)
        reader = _RowsOfXml(kind, context)
        with (
            Scratch(_schema((*FIELDS, "dataSet"))) as values,
            Scratch(_schema(REGISTRATION_FIELDS)) as reports,
            open_utf8(file) as stream,
        ):
            elements = ValueElements(stream, file=file.name)
            for piece in elements:
                values.add(reader.values(piece.values))
                reports.add(reader.reports(piece.groups))
                if piece.unread:
                    yield _unread(piece, elements)
            if elements.broken_at is not None:
                yield _broken(elements)
            for scratch in (values, reports):
                scratch.close_input()
            yield from classified_values(values, context, {}, _VALUES)
            if reports.rows:
                yield from classified_registrations(reports, context)


def content(file: ReceivedFile) -> str:
    """ "adx", "dxf2" or "" for a file that is neither."""
    try:
        if file_kind(file.path) not in ("xml", "text", "gz"):
            return ""
        return xml_root(read_head(file))
    except (TkytError, OSError, ValueError):
        return ""


class _RowsOfXml:
    """Value elements → rows of text in the fields of DHIS2; numbers of reports go on from piece to piece."""

    def __init__(self, kind: str, context: IngestContext) -> None:
        self.kind = kind
        known = context.data_elements()
        codes = known[known["code"].fillna("").ne("")] if "code" in known else known.iloc[:0].assign(code="")
        codes = codes[~codes["code"].duplicated(keep=False)]
        self.ids = set(known["element_id"])
        self.id_of_code = dict(zip(codes["code"], codes["element_id"], strict=True))
        types = known["value_type"].fillna("").astype("str")
        numeric = types.isin([*NUMERIC_TYPES, "BOOLEAN", "TRUE_ONLY", ""])
        self.texts = set(known.loc[~numeric, "element_id"])
        self.reports_seen = 0

    def values(self, elements: list[ValueElement]) -> pa.Table:
        """row_number and FIELDS of some values."""
        rows = [self._row(one) for one in elements]
        columns = {name: pa.array([row[name] for row in rows], pa.string()) for name in (*FIELDS, "dataSet")}
        return pa.table({"row_number": pa.array([one.number for one in elements], pa.int64()), **columns})

    def _row(self, one: ValueElement) -> dict[str, str | None]:
        said = {**one.group, **one.attributes}
        element = self._element(one.attributes.get("dataElement", ""))
        value, comment = one.attributes.get("value", ""), one.attributes.get("comment") or one.annotation
        if self.kind == "adx" and one.annotation and element in self.texts:
            value, comment = one.annotation, ""  # ADX carries a text as the annotation of a 0
        row = {
            "dataElement": element, "period": said.get("period"), "orgUnit": said.get("orgUnit"),
            "dataSet": one.group.get("dataSet"),
            "categoryOptionCombo": one.attributes.get("categoryOptionCombo") or self._dimensions(one.attributes, _VALUE_WORDS),
            "attributeOptionCombo": said.get("attributeOptionCombo") or self._dimensions(one.group, _GROUP_WORDS),
            "value": value, "comment": comment, "deleted": one.attributes.get("deleted"),
        }  # fmt: skip
        return {name: text or None for name, text in row.items()}

    def _element(self, written: str) -> str:
        return written if written in self.ids else self.id_of_code.get(written.strip(), written)

    def _dimensions(self, attributes: dict[str, str], own_words: set[str]) -> str:
        """ADX's other attributes are dimensions: `age=under5;sex=F`, in the order of their names."""
        if self.kind != "adx":
            return ""
        return ";".join(f"{name}={text}" for name, text in sorted(attributes.items()) if name not in own_words)

    def reports(self, groups: list[dict[str, str]]) -> pa.Table:
        """row_number and REGISTRATION_FIELDS of the groups that say when they were complete."""
        complete = [group for group in groups if group.get("completeDate") and group.get("orgUnit")]
        first = self.reports_seen + 1
        self.reports_seen += len(complete)
        names = {"dataSet": "dataSet", "period": "period", "organisationUnit": "orgUnit", "date": "completeDate",
                 "attributeOptionCombo": "attributeOptionCombo", "completed": "completed"}  # fmt: skip
        columns = {
            name: pa.array([group.get(names[name]) for group in complete], pa.string()) for name in REGISTRATION_FIELDS
        }
        return pa.table({"row_number": pa.array(range(first, first + len(complete)), pa.int64()), **columns})


def _schema(fields: tuple[str, ...]) -> pa.Schema:
    return pa.schema([("row_number", pa.int64()), *((name, pa.string()) for name in fields)])


def _unread(piece: Piece, elements: ValueElements) -> Batch:
    """Values behind the break of the file: none is guessed at, each is accounted for."""
    fields = {"position": elements.broken_at, "problem": elements.problem}
    rows = [
        Quarantined("quarantine.xml_after_break", _VALUES, one.number, "", one.text, fields | {"text": one.text})
        for one in piece.unread
    ]
    return Batch("aggregate_value", pd.DataFrame(), rows, received=len(rows))


def _broken(elements: ValueElements) -> Batch:
    fields = {"position": elements.broken_at, "problem": elements.problem}
    note = Note("note.xml_broken", _VALUES, None, "", str(elements.broken_at), "", fields)
    return Batch("aggregate_value", pd.DataFrame(), notes=[note])


DOOR = ExchangeDoor()
