"""Error cells and uncomputed formulas of an .xlsx sheet, from its XML: the fast reader gives both as empty."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

LARGEST_SHEET_XML = 1 << 30

_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_ADDRESS = re.compile(rb'\br="([A-Z]+)(\d+)"')
_VALUE = re.compile(rb"<(?:\w+:)?v[^>]*>([^<]*)</")
_SUSPECT = re.compile(rb't="e"|<(?:\w+:)?f[ >/]')


def xlsx_errors(path: Path, sheet: str) -> dict[tuple[int, int], str]:
    """{(row, column): code} of the error cells and uncomputed formulas of an .xlsx sheet; {} for other formats."""
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as archive:
        member = _sheet_member(archive, sheet)
        if not member or archive.getinfo(member).file_size > LARGEST_SHEET_XML:
            return {}
        xml = archive.read(member)
    return dict(_error_cells(xml)) if _SUSPECT.search(xml) else {}


def _error_cells(xml: bytes) -> Iterator[tuple[tuple[int, int], str]]:
    for cell in _CELL.finditer(xml):
        attributes, content = cell[1], cell[2] or b""
        is_error = b't="e"' in attributes
        value = _VALUE.search(content)
        uncomputed = not value and re.search(rb"<(?:\w+:)?f[ >/]", content)
        address = _ADDRESS.search(attributes)
        if address and (is_error or uncomputed):
            code = value[1].decode("utf-8", "replace") if is_error and value else "="
            yield (int(address[2]), _column_number(address[1].decode())), code


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
