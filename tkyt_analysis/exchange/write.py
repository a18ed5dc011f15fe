"""Values of a release as files that other systems read: ADX, DXF2 XML, DXF2 JSON, DHIS2 CSV. Written as a stream.

What is written and read back by our own doors is the same set of values (property test).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from xml.sax.saxutils import quoteattr

import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.numbers import plain_number
from tkyt_analysis.reference.period_words import to_adx, to_dhis2

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.release import Release

COLUMNS = ["dataset_id", "element_id", "category_id", "unit_id", "period_id", "value"]
CSV_HEADER = ["dataelement", "period", "orgunit", "catoptcombo", "attroptcombo", "value", "strby", "lstupd", "cmt"]
_PAGE = 50_000


def release_values(
    release: Release, *, datasets: tuple[str, ...] = (), periods: tuple[str, ...] = (), units: tuple[str, ...] = ()
) -> Iterator[pd.DataFrame]:
    """The numeric values of a release (as far as its scope goes) in pages of COLUMNS; empty selections mean all."""
    chosen = {"dataset_id": datasets, "period_id": periods, "unit_id": units}
    where = ["value IS NOT NULL"] + [f"list_contains(?, {name})" for name, given in chosen.items() if given]
    sql = f"SELECT {', '.join(COLUMNS)} FROM aggregate_value WHERE {' AND '.join(where)} ORDER BY {', '.join(COLUMNS[:5])}"
    cursor = release.con.execute(sql, [list(given) for given in chosen.values() if given])
    while len(page := cursor.fetch_df_chunk(_PAGE // 2048)):
        yield page


def write_values(pages: Iterator[pd.DataFrame], path: Path, kind: str) -> int:
    """Write pages of COLUMNS to a new file; how many values. `kind`: a key of WRITERS. Whole or not at all.

    Raises InputError for a period that the format cannot say (DHIS2's codes know no cumulative or administrative month).
    """
    if kind not in WRITERS:
        raise InputError("error.exchange_format", found=kind, choices=", ".join(WRITERS))
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="") as sink:
            count = WRITERS[kind](pages, sink)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count


def org_unit(unit_id: str) -> str:
    """A unit as the other side knows it: the uid of a DHIS2 unit, else our own id, which names its code list."""
    return unit_id.removeprefix("DHIS2:")


def combos(category_id: str) -> tuple[str, str]:
    """(category option combo, attribute option combo); one that stands for no combination is empty."""
    category, _, attribute = category_id.partition(".")
    return category, attribute


def _plain_rows(pages: Iterator[pd.DataFrame]) -> Iterator[dict[str, str]]:
    """Each value in the words of DHIS2."""
    for page in pages:
        for row in page[COLUMNS].itertuples(index=False):
            category, attribute = combos(row.category_id or "")
            yield {
                "dataSet": row.dataset_id or "", "dataElement": row.element_id, "period": row.period_id,
                "orgUnit": org_unit(row.unit_id), "categoryOptionCombo": category,
                "attributeOptionCombo": attribute, "value": plain_number(row.value),
            }  # fmt: skip


def _csv(pages: Iterator[pd.DataFrame], sink: TextIO) -> int:
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(CSV_HEADER)
    count = 0
    for row in _plain_rows(pages):
        names = ("orgUnit", "categoryOptionCombo", "attributeOptionCombo", "value")
        writer.writerow([row["dataElement"], to_dhis2(row["period"]), *(row[name] for name in names), "", "", ""])
        count += 1
    return count


def _given(row: dict[str, str], *names: str) -> dict[str, str]:
    return {name: row[name] for name in names if row[name]}


_DXF2 = ("dataElement", "period", "orgUnit", "categoryOptionCombo", "attributeOptionCombo", "value")


def _json(pages: Iterator[pd.DataFrame], sink: TextIO) -> int:
    sink.write('{"dataValues": [')
    count = 0
    for row in _plain_rows(pages):
        value = _given(row | {"period": to_dhis2(row["period"])}, *_DXF2)
        sink.write(("\n" if count == 0 else ",\n") + json.dumps(value, ensure_ascii=False))
        count += 1
    sink.write("\n]}\n")
    return count


def _attributes(given: dict[str, str]) -> str:
    return "".join(f" {name}={quoteattr(text)}" for name, text in given.items())


def _xml(pages: Iterator[pd.DataFrame], sink: TextIO) -> int:
    sink.write('<?xml version="1.0" encoding="UTF-8"?>\n<dataValueSet xmlns="http://dhis2.org/schema/dxf/2.0">\n')
    count = 0
    for row in _plain_rows(pages):
        sink.write(f"<dataValue{_attributes(_given(row | {'period': to_dhis2(row['period'])}, *_DXF2))}/>\n")
        count += 1
    sink.write("</dataValueSet>\n")
    return count


def _adx(pages: Iterator[pd.DataFrame], sink: TextIO) -> int:
    """One group per data set, unit, period and attribute combination, in the order of the pages."""
    said = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    sink.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<adx xmlns="urn:ihe:qrph:adx:2015" exported="{said}">\n')
    count, opened = 0, None
    for row in _plain_rows(pages):
        group = _given(row | {"period": to_adx(row["period"])}, "dataSet", "orgUnit", "period")
        group |= _dimensions(row["attributeOptionCombo"], "attributeOptionCombo")
        if group != opened:
            sink.write(("</group>\n" if opened else "") + f"<group{_attributes(group)}>\n")
            opened = group
        value = _given(row, "dataElement") | _dimensions(row["categoryOptionCombo"], "categoryOptionCombo")
        sink.write(f"<dataValue{_attributes(value | {'value': row['value']})}/>\n")
        count += 1
    sink.write(("</group>\n" if opened else "") + "</adx>\n")
    return count


def _dimensions(combo: str, name: str) -> dict[str, str]:
    """ADX says `age=under5;sex=F` as two attributes; any other combination by its identifier."""
    parts = [part.partition("=") for part in combo.split(";")] if "=" in combo else []
    if parts and all(key.isidentifier() and sign for key, sign, _ in parts):
        return {key: text for key, _, text in parts}
    return {name: combo} if combo else {}


WRITERS: dict[str, Callable[[Iterator[pd.DataFrame], TextIO], int]] = {
    "adx": _adx,
    "dxf2-xml": _xml,
    "dxf2-json": _json,
    "csv": _csv,
}


def export_values(home: Path, path: Path, kind: str, *, release_id: str | None = None, **chosen: Any) -> dict[str, Any]:
    """Write values of a release within the caller's scope; what was written, from which release."""
    from tkyt_analysis.access import require
    from tkyt_analysis.access.audit import record
    from tkyt_analysis.warehouse.release import Release

    require(home, "read")
    release = Release(home, release_id)
    count = write_values(release_values(release, **chosen), path, kind)
    record(home, "export", rows=count, format=kind, release=release.release_id)
    return {
        "file": str(path),
        "format": kind,
        "release": release.release_id,
        "values": count,
        "practice": release.practice,
    }
