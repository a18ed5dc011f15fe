"""The lines of a death register: which are deaths, and which are blank, totals, headings, signatures or run-ons."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from tkyt_analysis.ingest.excel_grid import CellError
from tkyt_analysis.ingest.excel_tables import Table, is_numbering, is_total_text
from tkyt_analysis.reference.vietnamese_text import fold_series

DEATH, BLANK, TOTAL, NUMBERING, HEADING, SIGNATURE, CONTINUATION = (
    "death", "blank", "total", "numbering", "heading", "signature", "continuation",
)  # fmt: skip
RUN_ON_FIELDS = ["cause_text", "address", "note", "occupation"]
EVENT_FIELDS = ["death_date", "cause_text", "icd10_as_written", "line_a", "discharge_date"]
_PERSON_FIELDS = ["full_name", "death_date", "birth", "age", "male", "female", "sex"]
_HEADING = re.compile(r"^(?:thang|quy|nam|thon|ap|ban|to|khu pho|xom|khom|buon)\b")
_SIGNATURE = re.compile(
    r"nguoi (?:lap|ghi|tong hop)|truong tram|thu truong|phu trach tram|xac nhan|ky,? ?(?:ten|ghi)"
    r"|\bngay\b.*\bthang\b.*\bnam\b|^ghi chu|so lieu mo phong"
)


def register_cells(table: Table) -> pd.DataFrame:
    """The table's texts: one row per sheet row (index = Excel row), one column per recognised field.

    Columns that say the same thing are joined by ", "; an error cell ("#REF!") is empty.
    """
    rows = slice(table.first_row - 1, table.last_row)
    columns: dict[str, list[np.ndarray]] = {}
    for column, field in table.fields.items():
        texts = table.grid.texts[rows, column - 1]
        errors = np.array([isinstance(value, CellError) for value in table.grid.values[rows, column - 1]], dtype=bool)
        columns.setdefault(field, []).append(np.where(errors, "", texts))
    index = pd.RangeIndex(table.first_row, table.last_row + 1, name="row_number")
    return pd.DataFrame({field: _joined(parts, index) for field, parts in columns.items()}, index=index)


def _joined(parts: list[np.ndarray], index: pd.Index) -> pd.Series:
    joined = pd.Series(parts[0], index=index, dtype="str").str.strip()
    for part in parts[1:]:
        joined = joined.str.cat(pd.Series(part, index=index, dtype="str").str.strip(), sep=", ")
    return joined.str.strip(", ") if len(parts) > 1 else joined


def error_cells(table: Table) -> pd.DataFrame:
    """The error cells among the recognised columns: row_number, field, value."""
    found = [
        (row + 1, table.fields[column + 1], str(table.grid.values[row, column]))
        for row, column in _error_positions(table)
    ]
    return pd.DataFrame(found, columns=["row_number", "field", "value"])


def _error_positions(table: Table) -> list[tuple[int, int]]:
    block = table.grid.values[table.first_row - 1 : table.last_row]
    is_error = np.frompyfunc(lambda value: isinstance(value, CellError), 1, 1)(block).astype(bool)
    return [
        (int(row) + table.first_row - 1, int(column))
        for row, column in np.argwhere(is_error)
        if column + 1 in table.fields
    ]


def line_kinds(table: Table, cells: pd.DataFrame) -> pd.Series:
    """DEATH, BLANK, TOTAL, … of every line, by the first rule that holds."""
    columns = [column - 1 for column in table.headers]
    block = pd.DataFrame(table.grid.texts[table.first_row - 1 : table.last_row][:, columns], index=cells.index)
    filled = block.ne("")
    count = filled.sum(axis=1)
    ordinal = cells.get("line_number", pd.Series("", index=cells.index, dtype="str"))
    number = ordinal.ne("") & ~fold_series(ordinal).str.match(_HEADING)  # "Tháng 3" may stand in the column of numbers
    first = fold_series(_first_text(block, filled))
    event = _any_filled(cells, EVENT_FIELDS)
    person = _any_filled(cells, _PERSON_FIELDS)
    only_number = count.eq(number.astype(int) + _any_filled(cells, ["record_id"]).astype(int))
    run_on = ~number & ~person & _any_filled(cells, RUN_ON_FIELDS) & count.le(2) & ("line_number" in cells)
    kinds = pd.Series(DEATH, index=cells.index, dtype=object)
    kinds[run_on & ~_first_line(cells)] = CONTINUATION
    kinds[_signatures(block, filled, number, event, count)] = SIGNATURE
    kinds[count.le(2) & ~event & ~number & first.str.match(_HEADING)] = HEADING
    kinds[~event & first.map(is_total_text)] = TOTAL
    kinds[only_number] = BLANK
    kinds[count.eq(0)] = BLANK
    for row in cells.index[(count >= 3) & first.str.fullmatch(r"\(?[1-9a]\)?\.?")]:
        if is_numbering(table.grid, row):
            kinds[row] = NUMBERING
    return kinds


def _first_text(block: pd.DataFrame, filled: pd.DataFrame) -> pd.Series:
    if block.empty:
        return pd.Series("", index=block.index, dtype="str")
    place = filled.to_numpy().argmax(axis=1)
    return pd.Series(block.to_numpy()[np.arange(len(block)), place], index=block.index, dtype="str")


def _any_filled(cells: pd.DataFrame, fields: list[str]) -> pd.Series:
    present = [field for field in fields if field in cells]
    return cells[present].ne("").any(axis=1) if present else pd.Series(False, index=cells.index)


def _first_line(cells: pd.DataFrame) -> pd.Series:
    return pd.Series(cells.index == (cells.index[0] if len(cells) else 0), index=cells.index)


def _signatures(
    block: pd.DataFrame, filled: pd.DataFrame, number: pd.Series, event: pd.Series, count: pd.Series
) -> pd.Series:
    """Lines of signing under the table, and whatever stands below the first of them without an event."""
    few = ~number & count.between(1, 3)
    texts = block[few].stack()
    folded = fold_series(texts[texts.ne("")].astype("str"))
    found = folded[folded.str.contains(_SIGNATURE)].index.get_level_values(0)
    signed = pd.Series(block.index.isin(found), index=block.index)
    # Signing ends a book: a line like it in the middle (a month heading with a date) is followed by deaths.
    last_event = event[event & number].index.max() if (event & number).any() else -1
    signed &= (~event) | (signed.index > last_event)
    after = signed[signed & (signed.index > last_event)].index
    if len(after):
        signed |= (block.index >= after[0]) & ~number & count.gt(0)
    return signed


def join_run_ons(cells: pd.DataFrame, kinds: pd.Series) -> pd.DataFrame:
    """The death lines, with the text of the lines that run on from them joined."""
    owner = pd.Series(cells.index, index=cells.index).where(kinds.eq(DEATH)).ffill()
    whole = kinds.eq(DEATH) | (kinds.eq(CONTINUATION) & owner.notna())
    lines = cells[kinds.eq(DEATH)].copy()
    longer = owner[kinds.eq(CONTINUATION)].dropna().unique()
    for field in [name for name in RUN_ON_FIELDS if name in cells] if len(longer) else []:
        parts = cells.loc[whole & owner.isin(longer), field]
        joined = parts[parts.ne("")].groupby(owner).agg(" ".join)
        lines.loc[joined.index.astype(int), field] = joined.to_numpy()
    return lines
