"""The DHIS2 door: metadata, data values (JSON, CSV, either packed with gz), report registrations.

DXF2 XML and ADX: `tkyt_analysis.exchange.door`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import ijson

from tkyt_analysis.errors import InputError, TkytError
from tkyt_analysis.ingest.dhis2_metadata import SECTIONS, read_metadata
from tkyt_analysis.ingest.dhis2_values import (
    csv_layout,
    parquet_content,
    read_registrations,
    read_registrations_parquet,
    read_values_csv,
    read_values_json,
    read_values_parquet,
)
from tkyt_analysis.ingest.door import Batch, IngestContext, ReceivedFile
from tkyt_analysis.ingest.safe_open import ByteStream, file_kind, read_head

_LOOK_AHEAD = 32 << 20
_READERS: dict[str, Callable[[ReceivedFile, IngestContext], Iterator[Batch]]] = {
    "units": read_metadata,
    "metadata": read_metadata,
    "values_json": read_values_json,
    "values_csv": read_values_csv,
    "values_parquet": read_values_parquet,
    "registrations": read_registrations,
    "registrations_parquet": read_registrations_parquet,
}
# Units first, then what names them, then values: each needs the one before.
_RANKS = {"units": 0, "metadata": 1}


class Dhis2Door:
    """Reads what a DHIS2 server exports. See `tkyt_analysis.ingest.door.Door`."""

    id = "dhis2"

    def recognise(self, file: ReceivedFile) -> float:
        """1 where the file's own words say DHIS2, else 0."""
        return 1.0 if content(file) else 0.0

    def rank(self, file: ReceivedFile) -> int:
        """Order of reading among files received together: 0 units, 1 other metadata, 2 values."""
        return _RANKS.get(content(file), 2)

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """Batches for unit_alias, organisation_unit, data_element, data_set, data_set_assignment, category,
        aggregate_value and reporting_status."""
        what = content(file)
        if not what:
            raise InputError("error.file_not_recognised", file=file.name)
        yield from _READERS[what](file, context)


def content(file: ReceivedFile) -> str:
    """ "units", "metadata", "values_json", "values_csv", "registrations", or "" for a file that is not DHIS2's."""
    try:
        kind = file_kind(file.path)
        if kind == "parquet":
            return parquet_content(file)
        if kind not in ("json", "text", "gz"):
            return ""
        head = read_head(file)
        start = head.lstrip()[:1]
        if start in (b"{", b"["):
            return _json_content(file, head)
        return "values_csv" if csv_layout(head) else ""
    except (TkytError, OSError, ValueError):
        return ""


def _json_content(file: ReceivedFile, head: bytes) -> str:
    if re.search(rb'"dataValues"\s*:\s*\[', head):
        return "values_json"
    if re.search(rb'"completeDataSetRegistrations"\s*:\s*\[', head):
        return "registrations"
    if re.match(rb"\s*\[\s*\{", head):
        return "units" if b'"path"' in head and re.search(rb'"(openingDate|level|shortName)"', head) else ""
    keys = _top_level_keys(file)
    if "organisationUnits" in keys:
        return "units"
    return "metadata" if keys & set(SECTIONS) else ""


def _top_level_keys(file: ReceivedFile) -> set[str]:
    """Keys of the outermost object, as far as the first LOOK_AHEAD bytes show; every section's name is enough."""
    keys: set[str] = set()
    with ByteStream(file) as stream:
        try:
            for prefix, event, value in ijson.parse(stream):
                if event == "map_key" and prefix == "":
                    keys.add(value)
                if stream.position > _LOOK_AHEAD or "organisationUnits" in keys:
                    break
        except ijson.JSONError:
            pass
    return keys


DOOR = Dhis2Door()
