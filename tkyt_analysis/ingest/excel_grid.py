"""A workbook's sheets as grids of cells with their true Excel addresses.

python-calamine reads .xlsx, .xlsm, .xlsb, .xls and .ods. It gives an empty text for a cell that holds an error
("#REF!") and for a formula that was never computed; in .xlsx both are looked up in the sheet's XML, so that they
are never taken for an empty cell. (In .xls and .ods they cannot be told from an empty cell.)
"""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.excel_errors import sheet_details
from tkyt_analysis.ingest.simple_formulas import compute_sums
from tkyt_analysis.ingest.text_repair import repair_texts

WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
NOTE_COMPUTED = "note.formula_computed"
REPAIR_COLUMNS = ["row", "column", "value", "became", "note"]


@dataclass(frozen=True)
class CellError:
    """A cell that holds an error ("#REF!") or, with code "=", a formula without a computed value."""

    code: str

    def __str__(self) -> str:
        return self.code


@dataclass(frozen=True)
class Grid:
    """One sheet. Row 1 and column 1 are the first of `values`: index + 1 is the Excel number.

    values : object array of str ("" = empty), float, bool, datetime, date, time, timedelta or CellError
    merges : (first row, first column, last row, last column), counted from 1
    repairs : row, column, value, became, note of the cells whose text was repaired or whose sum was computed
    hidden_rows, hidden_columns : numbers from 1
    """

    sheet: str
    values: np.ndarray
    hidden: bool = False
    merges: tuple[tuple[int, int, int, int], ...] = ()
    repairs: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=REPAIR_COLUMNS))
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()

    @cached_property
    def texts(self) -> np.ndarray:
        """Every cell as the text a reader sees (object array of str)."""
        return texts_of(self.values)

    @property
    def is_empty(self) -> bool:
        return not (self.texts != "").any()

    def row_texts(self, row: int) -> list[str]:
        """The non-empty texts of one row (counted from 1)."""
        return [text for text in self.texts[row - 1] if text]


def cell_text(value: Any) -> str:
    """A cell as written: 45000.0 → "45000", a date → "03/05/2024", an error → "#REF!"."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.strftime("%d/%m/%Y" if midnight else "%d/%m/%Y %H:%M")
    if isinstance(value, datetime.date):
        return value.strftime("%d/%m/%Y")
    return "" if value is None else str(value)


def texts_of(values: np.ndarray) -> np.ndarray:
    """`cell_text` of every cell of an object array; distinct values are written once."""
    flat = values.ravel()
    kinds = np.fromiter((type(value) is not str for value in flat), dtype=bool, count=len(flat))
    texts = flat.copy()
    texts[kinds] = [cell_text(value) for value in flat[kinds]]
    return texts.reshape(values.shape)


def column_letters(column: int) -> str:
    """The letters of a column counted from 1: 1 → "A", 28 → "AB"."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


# ------------------------------------------------------------------------------------------------------------ reading


def read_workbook(path: Path, *, name: str = "") -> list[Grid]:
    """All sheets of a workbook, in their order, hidden and empty ones too; texts are repaired.

    Raises InputError where the file is no workbook, is encrypted, or has no sheet.
    """
    return list(iterate_workbook(path, name=name))


def iterate_workbook(path: Path, *, name: str = "") -> Iterator[Grid]:
    """The sheets of a workbook one after another, so that only one is held at a time."""
    import python_calamine as calamine

    shown = name or path.name
    try:
        book = calamine.CalamineWorkbook.from_path(path)
        sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet]
        for sheet in sheets:
            yield _repaired(_read_sheet(book, sheet, path))
    except calamine.PasswordError:
        raise InputError("error.excel_encrypted", file=shown) from None
    except (calamine.CalamineError, zipfile.BadZipFile, ElementTree.ParseError, OSError, ValueError) as error:
        raise InputError("error.excel_unreadable", file=shown, detail=_first_line(error)) from None
    if not sheets:
        raise InputError("error.excel_no_sheet", file=shown)


def require_filled_workbook(path: Path, *, name: str) -> None:
    """Raises InputError where a file is no workbook that can be opened, or where all its sheets are empty."""
    if all(grid.is_empty for grid in iterate_workbook(path, name=name)):
        raise InputError("error.excel_all_empty", file=name)


@lru_cache(maxsize=4)
def peek_workbook(path: Path, rows: int = 45) -> tuple[Grid, ...]:
    """The first rows of every sheet, for a cheap look; () where the file is no workbook. Never raises."""
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_path(path)
        sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
        return tuple(_repaired(grid_head(sheet, rows)) for sheet in sheets)
    except Exception:  # whatever is wrong with the file, reading it will say so
        return ()


def grid_head(sheet: Any, rows: int) -> Grid:
    """The first rows of a sheet of an open calamine workbook, texts as they are."""
    cells = sheet.to_python(skip_empty_area=False, nrows=rows)
    ranges = [one for one in sheet.merged_cell_ranges or [] if one[1][0] < rows]
    merges = tuple((a + 1, b + 1, c + 1, d + 1) for (a, b), (c, d) in ranges)
    values = _object_array(cells) if cells else np.full((0, 0), "", dtype=object)
    return Grid(sheet.name, values, False, merges)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _read_sheet(book: Any, metadata: Any, path: Path) -> Grid:
    import python_calamine as calamine

    sheet = book.get_sheet_by_name(metadata.name)
    rows = sheet.to_python(skip_empty_area=False)
    details = sheet_details(path, metadata.name)
    errors = details.errors
    width = max([len(rows[0]) if rows else 0, *(column for _, column in errors)])
    height = max([len(rows), *(row for row, _ in errors)])
    values = np.full((height, width), "", dtype=object)
    if rows:
        values[: len(rows), : len(rows[0])] = _object_array(rows)
    for (row, column), code in errors.items():
        if values[row - 1, column - 1] == "":
            values[row - 1, column - 1] = CellError(code)
    computed = _fill_sums(values, details.formulas)
    ranges = sheet.merged_cell_ranges or []
    merges = tuple((a + 1, b + 1, c + 1, d + 1) for (a, b), (c, d) in ranges)
    hidden = metadata.visible != calamine.SheetVisibleEnum.Visible
    return Grid(metadata.name, values, hidden, merges, computed, details.hidden_rows, details.hidden_columns)


def _fill_sums(values: np.ndarray, formulas: dict[tuple[int, int], str]) -> pd.DataFrame:
    """Put the values of plain sums that nobody computed into their cells; what was filled in, as repairs."""
    sums = compute_sums(values, formulas)
    rows = []
    for (row, column), value in sums.items():
        values[row - 1, column - 1] = value
        if value != "":
            rows.append([row, column, f"={formulas[row, column]}", cell_text(value), NOTE_COMPUTED])
    return pd.DataFrame(rows, columns=REPAIR_COLUMNS)


def _object_array(rows: list[list[Any]]) -> np.ndarray:
    array = np.empty((len(rows), len(rows[0])), dtype=object)
    array[:] = rows
    return array


def _repaired(grid: Grid) -> Grid:
    if not grid.values.size:
        return grid
    work = repair_texts(grid.values)
    changed = np.flatnonzero(work["note"].to_numpy() != "")
    if not len(changed):
        return grid
    row, column = np.unravel_index(changed, grid.values.shape)
    repairs = pd.DataFrame(
        {
            "row": row + 1,
            "column": column + 1,
            "value": work["text"].to_numpy()[changed],
            "became": work["repaired"].to_numpy()[changed],
            "note": work["note"].to_numpy()[changed],
        }
    )
    parts = [part for part in (grid.repairs, repairs) if len(part)]
    return replace(
        grid,
        values=work["repaired"].to_numpy().reshape(grid.values.shape),
        repairs=pd.concat(parts, ignore_index=True) if parts else grid.repairs,
    )
