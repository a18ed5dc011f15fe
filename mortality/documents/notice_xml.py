"""The door for death notices in XML: one or many in a file, names of elements from the catalog, read as a stream.

The official schema is not known to us: `death_notice_xml.csv` lists the names, found and unverified, and a new one is a
line there. Nothing outside the file is ever fetched; a document type declaration, and with it every entity, is refused.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pandas as pd

from mortality.documents.headers import NOTICE
from mortality.documents.records import DocumentHeading, document_batches
from mortality.documents.repair import repaired_lines
from mortality.records.as_written import written_of_frame
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.byte_streams import ByteStream
from tkyt_analysis.ingest.door import Batch, IngestContext, Note, Quarantined, ReceivedFile
from tkyt_analysis.ingest.safe_open import file_kind, read_head
from tkyt_analysis.reference.vietnamese_text import fold

NAME_LIST = "death_notice_xml"
NOTICES_PER_BATCH = 2_000
MOST_BYTES_PER_NOTICE = 16 << 20
DEEPEST = 60
BREAKS_OFF = "quarantine.notice_xml_breaks_off"
_NAMED_BY = ("name", "ten", "ma", "id", "key")  # <field name="HoTen">…</field>
_VALUE_IN = ("value", "giatri", "noidung")
_CARRIERS = {"field", "truong", "thuoctinh", "chitieu", "item"}
_YES = {"1", "x", "co", "true", "yes"}


class DeathNoticeXmlDoor:
    """Recognises an XML file by the names of its elements."""

    id = "death_notice_xml"

    def recognise(self, file: ReceivedFile) -> float:
        """0.95 where the start of the file has an element that is a notice."""
        if file_kind(file.path) not in ("xml", "gz"):
            return 0.0
        head = read_head(file).decode("utf-8", errors="replace")
        if not head.lstrip("\ufeff \t\r\n").startswith("<"):
            return 0.0
        names = {plain(name) for name in re.findall(r"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)", head)}
        held = {plain(name) for name in re.findall(r">\s*([A-Za-z_]{4,30})\s*</", head)}
        return 0.95 if (names | held) & _names("record") else 0.0

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """NOTICES_PER_BATCH notices at a time. A file that breaks off keeps what stood before; the rest is quarantined."""
        today = datetime.date.today()
        reading = NoticeReader(file)
        waiting: list[tuple[int, dict[str, str]]] = []
        with ByteStream(file) as stream:
            for number, notice in enumerate(reading.notices(stream), start=1):
                waiting.append((number, notice))
                if len(waiting) >= NOTICES_PER_BATCH:
                    yield from _notice_batches(waiting, reading, today)
                    waiting = []
        if waiting:
            yield from _notice_batches(waiting, reading, today)
        yield from _end_batch(reading)


def plain(name: str) -> str:
    """A name for comparison: "{ns}SO_BaoTu" → "sobaotu"."""
    return re.sub(r"[^a-z0-9]", "", fold(name.rpartition("}")[2].rpartition(":")[2]))


@cache
def _names(role: str) -> frozenset[str]:
    rows = read_codelist(NAME_LIST)
    return frozenset(plain(name) for name in rows.loc[rows["role"] == role, "name"])


@cache
def _fields(role: str = "field") -> dict[tuple[str, str], str]:
    rows = read_codelist(NAME_LIST)
    rows = rows[rows["role"] == role]
    return {(plain(p), plain(n)): f for p, n, f in zip(rows["parent"], rows["name"], rows["field"], strict=True)}


def field_of(name: str, parents: list[str]) -> str:
    """The field of an element or attribute inside these elements, innermost last; "" where the catalog has none."""
    known = _fields()
    inside = (known.get((parent, name)) for parent in reversed(parents))
    return next((found for found in inside if found), known.get(("", name), ""))


# ------------------------------------------------------------------------------------------------- reading


class _Counted:
    """A stream that refuses to go on when no notice has ended for MOST_BYTES_PER_NOTICE bytes."""

    def __init__(self, stream: Any, file: ReceivedFile) -> None:
        self.stream, self.file, self.since = stream, file, 0

    def read(self, size: int = -1) -> bytes:
        block = self.stream.read(size)
        self.since += len(block)
        if self.since > MOST_BYTES_PER_NOTICE:
            raise InputError("error.notice_xml_too_large", file=self.file.name, limit=MOST_BYTES_PER_NOTICE >> 20)
        return block


@dataclass
class NoticeReader:
    """Reads the notices of a file one after another; says afterwards what it met on the way."""

    file: ReceivedFile
    count: int = 0
    heading: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, None] = field(default_factory=dict)  # names of elements in the order in which they came
    broken: dict[str, int] | None = None
    unreadable: int = 0  # wrappers whose content is no XML

    def notices(self, stream: Any) -> Iterator[dict[str, str]]:
        """{field: text} of each notice. Raises InputError for a declaration of a document type and for no XML at all."""
        from xml.etree.ElementTree import ParseError

        from defusedxml import DefusedXmlException

        counted = _Counted(stream, self.file)
        try:
            for found in self._walk(counted):
                counted.since = 0
                self.count += 1
                yield found
        except DefusedXmlException:
            raise InputError("error.notice_xml_document_type", file=self.file.name) from None
        except ParseError as error:
            line, column = error.position
            if not self.count:
                raise InputError("error.notice_xml_unreadable", file=self.file.name, line=line, column=column) from None
            self.broken = {"line": line, "column": column}

    def _walk(self, stream: Any) -> Iterator[dict[str, str]]:
        from defusedxml.ElementTree import iterparse

        open_elements: list[Any] = []
        inside = 0  # depth at which the notice began, 0 outside
        kind = ""
        for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=True):
            name = plain(element.tag)
            if event == "start":
                open_elements.append(element)
                if len(open_elements) > DEEPEST:
                    raise InputError("error.notice_xml_too_deep", file=self.file.name, limit=DEEPEST)
                if not inside and name in _names("record"):
                    inside = len(open_elements)
                continue
            open_elements.pop()
            if inside and len(open_elements) >= inside:
                continue  # part of a notice that goes on
            if inside:
                inside = 0
                yield self._notice(element)
            elif name in _names("type"):
                kind = plain(element.text or "")
            elif name in _names("wrapper"):
                if kind in _names("record"):
                    yield from self._wrapped(element.text or "")
            else:
                self._say_once(name, element.text)
            if open_elements:
                open_elements[-1].remove(element)

    def _say_once(self, name: str, text: str | None) -> None:
        said = _fields("heading").get(("", name))
        if said and text and text.strip():
            self.heading[said] = text.strip()

    def _wrapped(self, text: str) -> Iterator[dict[str, str]]:
        """The notices in a base64 text; one that cannot be read is counted."""
        from xml.etree.ElementTree import ParseError

        try:
            yield from self._walk(io.BytesIO(base64.b64decode(text, validate=False)))
        except (binascii.Error, ParseError, ValueError):
            self.unreadable += 1

    def _notice(self, element: Any) -> dict[str, str]:
        found: dict[str, str] = {}
        self._collect(element, [], found)
        return found

    def _collect(self, element: Any, parents: list[str], found: dict[str, str]) -> None:
        attributes = {plain(name): str(value).strip() for name, value in element.attrib.items()}
        name, text = plain(element.tag), (element.text or "").strip()
        if name in _CARRIERS:
            name = next((plain(attributes[by]) for by in _NAMED_BY if attributes.get(by)), name)
        text = text or next((attributes[by] for by in _VALUE_IN if attributes.get(by)), "")
        if parents and text:
            self._keep(name, parents, text, found)
        for attribute, value in attributes.items():
            if field_of(attribute, [*parents, name]) and value:
                self._keep(attribute, [*parents, name], value, found)
        for child in element:
            self._collect(child, [*parents, name], found)

    def _keep(self, name: str, parents: list[str], text: str, found: dict[str, str]) -> None:
        known = field_of(name, parents)
        if known:
            found.setdefault(known, text)
        else:
            self.unknown.setdefault(name)


# ------------------------------------------------------------------------------------------------- batches


def _notice_batches(
    waiting: list[tuple[int, dict[str, str]]], reading: NoticeReader, today: datetime.date
) -> Iterator[Batch]:
    lines = pd.DataFrame([{**reading.heading, **notice} for _, notice in waiting]).fillna("").astype("str")
    lines.index = pd.Index([number for number, _ in waiting], name="row_number")
    written = written_of_frame(lines, list(lines.columns))  # under the names of the fields that the elements stand for
    lines, notes = repaired_lines(with_place_of_death(lines), {})
    yield from document_batches(
        NOTICE, lines, heading=DocumentHeading(), headers={}, today=today, notes=notes, written=written
    )


def with_place_of_death(lines: pd.DataFrame) -> pd.DataFrame:
    """place_of_death where the notice does not name it: on the way if it says so, else the facility that issued it."""
    empty = pd.Series("", index=lines.index, dtype="str")
    way = lines.get("on_the_way", empty).map(fold).isin(_YES)
    own, code = lines.get("place_of_death", empty), lines.get("facility_code", empty)
    place = own.mask(own.eq("") & way, "on_the_way")
    return lines.assign(place_of_death=place.mask(place.eq("") & code.ne(""), "health_facility"))


def _end_batch(reading: NoticeReader) -> Iterator[Batch]:
    """What could not be read, and the names that the catalog does not know."""
    refused = []
    if reading.broken:
        fields = {**reading.broken, "row": reading.count + 1}
        refused.append(Quarantined(BREAKS_OFF, "", reading.count + 1, "", "", fields))
    for number in range(reading.unreadable):
        row = reading.count + 2 + number
        refused.append(Quarantined("quarantine.notice_xml_wrapped_unreadable", "", row, "", "", {"row": row}))
    notes = []
    if reading.unknown:
        names = ", ".join(list(reading.unknown)[:20])
        notes.append(Note("note.notice_xml_elements_unknown", fields={"names": names, "count": len(reading.unknown)}))
    if refused or notes:
        yield Batch("death", pd.DataFrame(), refused, notes, received=len(refused))


DOOR = DeathNoticeXmlDoor()
