"""The tables on a sheet: found by their headings, wherever they start and however many rows a heading takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tkyt_analysis.ingest.excel_grid import Grid

MAX_HEADER_ROWS = 4


@dataclass(frozen=True)
class Table:
    """A table on a sheet. Rows and columns are Excel numbers (from 1).

    headers : {column: joined header text}; fields : {column: field} of the columns that were recognised
    told_by_number : columns whose heading says nothing; the row of column numbers does
    first_row, last_row : the data rows, numbering row left out (`numbering_rows` names it)
    """

    grid: Grid
    header_rows: tuple[int, int]
    headers: dict[int, str]
    fields: dict[int, str]
    first_row: int
    last_row: int
    numbering_rows: tuple[int, ...] = ()
    title_row: int = 1
    told_by_number: tuple[int, ...] = ()

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
    titles = [title_row(grid, start, previous) for start, previous in zip(starts, [0, *starts], strict=False)]
    tables: list[Table] = []
    for number, start in enumerate(starts):
        end = titles[number + 1] - 1 if number + 1 < len(starts) else len(grid.values)
        last_header = _header_end(grid, start, match)
        headers = joined_headers(grid, start, last_header)
        for columns in _side_by_side(headers, match, anchor):
            table = _table(grid, start, last_header, columns, match, end)
            tables.append(replace(table, title_row=titles[number]))
    return [table for table in tables if len(set(table.fields.values())) >= minimum_fields]


def title_row(grid: Grid, start: int, previous: int) -> int:
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
    return texts and 5 * int(np.count_nonzero(names != "")) >= 2 * len(filled)


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


def joined_headers(grid: Grid, first: int, last: int) -> dict[int, str]:
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
