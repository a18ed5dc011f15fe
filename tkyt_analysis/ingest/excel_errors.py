"""What only the XML of an .xlsx sheet says: error cells, uncomputed formulas (the fast reader gives both as empty), hidden
rows and columns."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

LARGEST_SHEET_XML = 1 << 30

_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_ADDRESS = re.compile(rb'\br="([A-Z]+)(\d+)"')
_VALUE = re.compile(rb"<(?:\w+:)?v[^>]*>([^<]*)</")
_FORMULA = re.compile(rb"<(?:\w+:)?f\b[^>]*>([^<]+)</")
_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*>")
_COLUMN = re.compile(rb"<(?:\w+:)?col\b[^>]*>")
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_NUMBER = re.compile(rb'\br="(\d+)"')
_FIRST, _LAST = re.compile(rb'\bmin="(\d+)"'), re.compile(rb'\bmax="(\d+)"')
_SUSPECT = re.compile(rb't="e"|<(?:\w+:)?f[ >/]')


@dataclass(frozen=True)
class SheetDetails:
    """errors : {(row, column): code}, "=" for a formula without a value; formulas : {(row, column): text} of those;
    hidden_rows, hidden_columns : numbers from 1"""

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    formulas: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()


def sheet_details(path: Path, sheet: str) -> SheetDetails:
    """What the XML of a sheet says beside its values; nothing for formats other than .xlsx."""
    if not zipfile.is_zipfile(path):
        return SheetDetails()
    with zipfile.ZipFile(path) as archive:
        member = _sheet_member(archive, sheet)
        if not member or archive.getinfo(member).file_size > LARGEST_SHEET_XML:
            return SheetDetails()
        xml = archive.read(member)
    rows = frozenset(
        int(match[1]) for tag in _ROW.findall(xml) if _HIDDEN.search(tag) and (match := _NUMBER.search(tag))
    )
    columns = frozenset(number for tag in _COLUMN.findall(xml) if _HIDDEN.search(tag) for number in _span(tag))
    found = list(_error_cells(xml)) if _SUSPECT.search(xml) else []
    formulas = {place: formula for place, _, formula in found if formula}
    return SheetDetails({place: code for place, code, _ in found}, formulas, rows, columns)


def _span(tag: bytes) -> range:
    """The numbers of the columns that a <col> describes; one that reaches over a whole sheet hides no data."""
    first, last = _FIRST.search(tag), _LAST.search(tag)
    if not first or not last:
        return range(0)
    return range(int(first[1]), min(int(last[1]), int(first[1]) + 500) + 1)


def _error_cells(xml: bytes) -> Iterator[tuple[tuple[int, int], str, str]]:
    """(place, code, formula) of the error cells and the formulas without a value."""
    for cell in _CELL.finditer(xml):
        attributes, content = cell[1], cell[2] or b""
        is_error = b't="e"' in attributes
        value = _VALUE.search(content)
        uncomputed = not value and re.search(rb"<(?:\w+:)?f[ >/]", content)
        address = _ADDRESS.search(attributes)
        if address and (is_error or uncomputed):
            code = value[1].decode("utf-8", "replace") if is_error and value else "="
            formula = _FORMULA.search(content) if uncomputed else None
            text = html.unescape(formula[1].decode("utf-8", "replace")) if formula else ""
            yield (int(address[2]), _column_number(address[1].decode())), code, text


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _sheet_member(archive: zipfile.ZipFile, sheet: str) -> str:
    """The archive member of a sheet, by the workbook's relations; "" where this is no .xlsx."""
    names = set(archive.namelist())
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        return ""
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {one.get("Id"): one.get("Target", "") for one in relations}
    for element in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():
        if element.tag.endswith("}sheet") and element.get("name") == sheet:
            relation = next((value for key, value in element.attrib.items() if key.endswith("}id")), "")
            target = targets.get(relation, "")
            member = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return member if member in names else ""
    return ""
