"""Where a cell stands: from a row number and a column heading, as quarantine and notes name them, to an address."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tkyt_analysis.ingest.excel_grid import Grid, column_letters

SEPARATOR = " | "


@dataclass
class CellFinder:
    """Finds cells on the sheets of one workbook; every heading is looked up once."""

    grids: Mapping[str, Grid]
    _columns: dict[tuple[str, str], list[tuple[int, int]]] = field(default_factory=dict)

    def address(self, sheet: str, row: int | None, column_name: str, fields: Mapping[str, Any]) -> str:
        """ "E12", or "" where the place is no single cell of a sheet that is there."""
        grid = self.grids.get(sheet)
        if grid is None or not row:
            return ""
        if given := str(fields.get("cell", "")):
            return given
        column = self.column(grid, row, column_name) or self._first_filled(grid, row)
        return f"{column_letters(column)}{row}" if column else ""

    def text(self, sheet: str, cell: str) -> str:
        """What stands in a cell, as the unit wrote it; "" where there is no such cell."""
        match = re.fullmatch(r"([A-Z]{1,3})(\d+)", cell)
        grid = self.grids.get(sheet)
        if grid is None or match is None:
            return ""
        column = 0
        for letter in match[1]:
            column = 26 * column + ord(letter) - 64
        row = int(match[2])
        inside = row <= grid.texts.shape[0] and column <= grid.texts.shape[1]
        return str(grid.texts[row - 1, column - 1]) if inside else ""

    def column(self, grid: Grid, row: int, column_name: str) -> int:
        """The column of the nearest heading above a row; 0 where no such heading stands there."""
        key = (grid.sheet, column_name)
        if key not in self._columns:
            self._columns[key] = _headings(grid, column_name)
        above = [place for place in self._columns[key] if place[0] < row]
        return max(above)[1] if above else 0

    def _first_filled(self, grid: Grid, row: int) -> int:
        """The second filled cell of a line (the first is its number), else the first; 0 for an empty line."""
        if row > len(grid.texts):
            return 0
        filled = np.flatnonzero(grid.texts[row - 1] != "")
        return int(filled[min(1, len(filled) - 1)]) + 1 if len(filled) else 0


def _headings(grid: Grid, column_name: str) -> list[tuple[int, int]]:
    """(row, -column order) places where the last part of a joined heading stands with its other parts above it."""
    parts = [part for part in column_name.split(SEPARATOR) if part]
    if not parts or not grid.values.size:
        return []
    places = [(int(row) + 1, int(column) + 1) for row, column in np.argwhere(grid.texts == parts[-1])]
    whole = [place for place in places if all(_stands_above(grid, part, place) for part in parts[:-1])]
    best: dict[int, int] = {}
    for row, column in whole or places:
        best[row] = min(column, best.get(row, column))
    return list(best.items())


def _stands_above(grid: Grid, text: str, place: tuple[int, int]) -> bool:
    """Does a heading stand within four rows above a cell, in its column or in a merged cell over it?"""
    row, column = place
    for above in range(max(1, row - 4), row):
        for candidate in np.flatnonzero(grid.texts[above - 1] == text):
            spans = [(left, right) for top, left, bottom, right in grid.merges if top <= above <= bottom]
            reach = next((right for left, right in spans if left == candidate + 1), int(candidate) + 1)
            if candidate + 1 <= column <= reach:
                return True
    return False


def parse_fields(text: object) -> dict[str, Any]:
    """The JSON of a `fields` column; {} where it holds none."""
    try:
        found = json.loads(text) if isinstance(text, str) and text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
