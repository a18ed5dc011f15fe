"""The hidden sheet `_tkyt` of a template or an error workbook: what the file says of itself, as key and value."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from tkyt_analysis.ingest.excel_grid import Grid, grid_head

SHEET = "_tkyt"
ANSWERS = "answers"  # SHA-256 of the file that an error workbook corrects
LIST_SHEET = "list_sheet"  # name of the sheet with the questions
_KEY = re.compile(r"[a-z_]{1,40}")
_LARGEST_OLD_FORMAT = 50_000_000


def passport_of(grids: Iterable[Grid]) -> dict[str, str]:
    """{key: value} of the hidden sheet among these; {} without one. Of a key that stands twice the first counts."""
    found: dict[str, str] = {}
    for grid in grids:
        if grid.sheet.strip().lower() != SHEET or grid.values.ndim != 2 or grid.values.shape[1] < 2:
            continue
        for row in grid.texts:
            key = row[0].strip()
            if _KEY.fullmatch(key) and row[1].strip():
                found.setdefault(key, row[1].strip())
    return found


def read_passport(path: Path) -> dict[str, str]:
    """The passport of a workbook on disk; {} where it has none or cannot be read. Never raises."""
    import python_calamine as calamine

    try:
        if not _may_have_one(path):
            return {}
        book = calamine.CalamineWorkbook.from_path(path)
        names = [name for name in book.sheet_names if name.strip().lower() == SHEET]
        return passport_of(grid_head(book.get_sheet_by_name(name), 200) for name in names)
    except Exception:  # whatever is wrong with the file, its door says so
        return {}


def _may_have_one(path: Path) -> bool:
    """A cheap look for the sheet's name, so that no other file is opened twice."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = [name for name in ("xl/workbook.xml", "content.xml") if name in archive.namelist()]
            return any(SHEET.encode() in archive.read(name).lower() for name in names)
    with path.open("rb") as file:
        is_xls = file.read(4) == b"\xd0\xcf\x11\xe0"
    return is_xls and path.stat().st_size < _LARGEST_OLD_FORMAT and SHEET.encode() in path.read_bytes().lower()


def sheets_without_data(passport: Mapping[str, str]) -> set[str]:
    """Names of the sheets that the workbench itself added and that hold no data."""
    return {SHEET, passport.get(LIST_SHEET, "")} - {""}
