"""A workbook's sheets as grids of cells with their true Excel addresses, and the tables found on them.

python-calamine reads .xlsx, .xlsm, .xlsb, .xls and .ods. It gives an empty text for a cell that holds an error
("#REF!") and for a formula that was never computed; in .xlsx both are looked up in the sheet's XML, so that they
are never taken for an empty cell. (In .xls and .ods they cannot be told from an empty cell.)
"""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.text_repair import repair_texts

WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
MAX_HEADER_ROWS = 4
LARGEST_SHEET_XML = 1 << 30


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
    repairs : row, column, value, became, note of the cells whose text was repaired
    """

    sheet: str
    values: np.ndarray
    hidden: bool = False
    merges: tuple[tuple[int, int, int, int], ...] = ()
    repairs: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=REPAIR_COLUMNS))

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


REPAIR_COLUMNS = ["row", "column", "value", "became", "note"]


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


@lru_cache(maxsize=4)
def peek_workbook(path: Path, rows: int = 45) -> tuple[Grid, ...]:
    """The first rows of every sheet, for a cheap look; () where the file is no workbook. Never raises."""
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_path(path)
        sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
        return tuple(_repaired(_grid_head(sheet, rows)) for sheet in sheets)
    except Exception:  # noqa: BLE001 - whatever is wrong with the file, reading it will say so
        return ()


def _grid_head(sheet: Any, rows: int) -> Grid:
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
    errors = _xlsx_errors(path, metadata.name)
    width = max([len(rows[0]) if rows else 0, *(column for _, column in errors)])
    height = max([len(rows), *(row for row, _ in errors)])
    values = np.full((height, width), "", dtype=object)
    if rows:
        values[: len(rows), : len(rows[0])] = _object_array(rows)
    for (row, column), code in errors.items():
        if values[row - 1, column - 1] == "":
            values[row - 1, column - 1] = CellError(code)
    ranges = sheet.merged_cell_ranges or []
    merges = tuple((a + 1, b + 1, c + 1, d + 1) for (a, b), (c, d) in ranges)
    return Grid(metadata.name, values, metadata.visible != calamine.SheetVisibleEnum.Visible, merges)


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
    return replace(grid, values=work["repaired"].to_numpy().reshape(grid.values.shape), repairs=repairs)


# --------------------------------------------------------------------------------- errors and uncomputed formulas (.xlsx)

_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_ADDRESS = re.compile(rb'\br="([A-Z]+)(\d+)"')
_VALUE = re.compile(rb"<(?:\w+:)?v[^>]*>([^<]*)</")
_SUSPECT = re.compile(rb't="e"|<(?:\w+:)?f[ >/]')


def _xlsx_errors(path: Path, sheet: str) -> dict[tuple[int, int], str]:
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


# ------------------------------------------------------------------------------------------------------------- tables


@dataclass(frozen=True)
class Table:
    """A table on a sheet. Rows and columns are Excel numbers (from 1).

    headers : {column: joined header text}; fields : {column: field} of the columns that were recognised
    first_row, last_row : the data rows, numbering row left out (`skipped` names it)
    """

    grid: Grid
    header_rows: tuple[int, int]
    headers: dict[int, str]
    fields: dict[int, str]
    first_row: int
    last_row: int
    numbering_rows: tuple[int, ...] = ()
    title_row: int = 1

    def column_of(self, field_name: str) -> int | None:
        """The first column of a field."""
        return next((column for column, name in self.fields.items() if name == field_name), None)

    def above(self, rows: int = 15) -> list[tuple[int, str]]:
        """(row, text) of the cells over the header (titles, reporting unit, period), from the top down."""
        first = max(self.title_row, self.header_rows[0] - rows)
        return [(row, text) for row in range(first, self.header_rows[0]) for text in self.grid.row_texts(row)]


Matcher = Callable[[str], str]  # header text → field, "" for none


def find_tables(grid: Grid, match: Matcher, *, minimum_fields: int = 3, anchor: str = "") -> list[Table]:
    """The tables whose headers `match` recognises, wherever they start; two on a sheet are two tables.

    match : joined header text → field name or ""
    minimum_fields : so many different fields make a header
    anchor : a field that occurs once per table; where it occurs again in one header, a second table begins there
    """
    if grid.is_empty:
        return []
    starts = _header_starts(grid, match, minimum_fields)
    titles = [_title_row(grid, start, previous) for start, previous in zip(starts, [0, *starts], strict=False)]
    tables: list[Table] = []
    for number, start in enumerate(starts):
        end = titles[number + 1] - 1 if number + 1 < len(starts) else len(grid.values)
        last_header = _header_end(grid, start, match)
        headers = _joined_headers(grid, start, last_header)
        for columns in _side_by_side(headers, match, anchor):
            table = _table(grid, start, last_header, columns, match, end)
            tables.append(replace(table, title_row=titles[number]))
    return [table for table in tables if len(set(table.fields.values())) >= minimum_fields]


def _title_row(grid: Grid, start: int, previous: int) -> int:
    """The first row of the lines that stand over a header: rows of few texts, as far up as the table before."""
    if not previous:
        return 1
    row = start
    while row - 1 > previous:
        filled = [value for value in grid.values[row - 2] if value != ""]
        if len(filled) > 3 or (filled and not isinstance(filled[0], str)):
            break
        row -= 1
    return row


def _table(grid: Grid, start: int, last_header: int, headers: dict[int, str], match: Matcher, end: int) -> Table:
    fields = {column: match(text) for column, text in headers.items() if match(text)}
    numbering = [row for row in (last_header + 1, last_header + 2) if row <= end and is_numbering(grid, row)]
    first = (numbering[-1] if numbering else last_header) + 1
    return Table(grid, (start, last_header), headers, fields, first, end, tuple(numbering))


def _header_starts(grid: Grid, match: Matcher, minimum: int) -> list[int]:
    """Rows where a header begins: enough different fields in the row itself, or together with the next one."""
    texts = grid.texts
    codes, distinct = pd.factorize(texts.ravel())
    found = np.array([match(text) if text and len(text) < 160 else "" for text in distinct], dtype=object)
    fields = found[codes].reshape(texts.shape)
    counts = [
        len(set(names) - {""}) if _could_be_header(cells, names) else 0
        for cells, names in zip(grid.values, fields, strict=True)
    ]
    starts: list[int] = []
    row = 1
    while row <= len(counts):
        if counts[row - 1] >= minimum:
            start = _merge_top(grid, row)
            starts.append(max(start, starts[-1] + 1 if starts else 1))
            row = _header_end(grid, row, match)
        row += 1
    return starts


def _could_be_header(cells: np.ndarray, names: np.ndarray) -> bool:
    """Texts only, and four in ten of them known headings: a data line may hold "Nữ" or "nghề" as well."""
    filled = [value for value in cells if value != ""]
    texts = all(isinstance(value, str) for value in filled)
    return texts and 5 * np.count_nonzero(names != "") >= 2 * len(filled)


def _merge_top(grid: Grid, row: int) -> int:
    """The first row of a cell that is merged downwards into the row (a header of several rows)."""
    tops = [first for first, _, last, _ in grid.merges if first <= row <= last and last - first < MAX_HEADER_ROWS]
    return min([row, *tops])


def _header_end(grid: Grid, start: int, match: Matcher) -> int:
    """The last row of the header that begins at `start`: as far as merges reach, or texts under a wide cell."""
    end = start
    for _ in range(MAX_HEADER_ROWS):
        merged = [last for first, _, last, _ in grid.merges if start <= first <= end < last <= start + MAX_HEADER_ROWS]
        if merged:
            end = max(merged)
        elif _is_sub_header(grid, end + 1, end, match):
            end += 1
        else:
            break
    return end


def _is_sub_header(grid: Grid, row: int, above: int, match: Matcher) -> bool:
    """Only short texts that stand under a merged cell or an unfinished header: "Nam | Nữ" under "Ngày sinh"."""
    if row > len(grid.values) or is_numbering(grid, row):
        return False
    filled = [column for column, value in enumerate(grid.values[row - 1], 1) if value != ""]
    if not filled or not all(isinstance(grid.values[row - 1, column - 1], str) for column in filled):
        return False
    spans = [(first, last) for top, first, bottom, last in grid.merges if top <= above <= bottom and last > first]
    under_span = all(any(first <= column <= last for first, last in spans) for column in filled)
    named = [match(grid.texts[row - 1, column - 1]) for column in filled]
    return (bool(spans) and under_span) or (len(filled) >= 2 and all(named))


def _joined_headers(grid: Grid, first: int, last: int) -> dict[int, str]:
    """{column: header}, the parts of several rows joined, merged cells spread over their columns."""
    block = grid.texts[first - 1 : last].copy()
    for top, left, bottom, right in grid.merges:
        if first <= top <= last:
            block[top - first : bottom - first + 1, left - 1 : right] = grid.texts[top - 1, left - 1]
    headers: dict[int, str] = {}
    for index in range(block.shape[1]):
        parts = [text for text in dict.fromkeys(block[:, index]) if text]
        if parts:
            headers[index + 1] = " | ".join(parts)
    return headers


def _side_by_side(headers: dict[int, str], match: Matcher, anchor: str) -> list[dict[int, str]]:
    """One header per table: a second anchor column starts the second table."""
    anchors = [column for column, text in headers.items() if anchor and match(text) == anchor]
    if len(anchors) < 2:
        return [headers]
    # The columns between two anchors that repeat the start of the first table belong to the second one.
    lead = len([column for column in headers if column < anchors[0]])
    columns = sorted(headers)
    cuts = [0, *(max(columns.index(column) - lead, 1) for column in anchors[1:]), len(columns)]
    return [{c: headers[c] for c in columns[a:b]} for a, b in zip(cuts, cuts[1:], strict=False)]


_NUMBERING = re.compile(r"\(?(\d{1,2}|[A-Za-z])\)?\.?")


def is_numbering(grid: Grid, row: int) -> bool:
    """Is this the row of column numbers ("1 2 3 …", "(1) (2) …", "A B 1 2")?"""
    cells = [text.strip() for text in grid.texts[row - 1] if text.strip()]
    if len(cells) < 3 or not all(_NUMBERING.fullmatch(cell) for cell in cells):
        return False
    numbers = [int(_NUMBERING.fullmatch(cell)[1]) for cell in cells if cell.strip("().").isdigit()]  # type: ignore[index]
    steps = [b - a for a, b in zip(numbers, numbers[1:], strict=False)]
    return len(numbers) >= 3 and all(step in (1, 2) for step in steps) and numbers[0] <= 2


TOTAL_WORDS = re.compile(r"^(?:tong (?:cong|so)|cong|total)\b")


def is_total_text(folded: str) -> bool:
    """Does a folded text begin like a total ("tong cong", "tong so", "cong", "total")?"""
    return bool(TOTAL_WORDS.match(folded))
