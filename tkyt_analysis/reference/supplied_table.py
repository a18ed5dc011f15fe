"""Small tables that an office supplies (facilities, unit changes): CSV or Excel, Vietnamese or English headers."""

from __future__ import annotations

import csv
import datetime
import io
from pathlib import Path
from typing import Any

import pandas as pd

from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.vietnamese_text import fold

PROBLEM_COLUMNS = ["sheet", "row_number", "column_name", "value", "reason", "fields"]
_HEADER_ROWS = 15
_EXCEL = {".xlsx", ".xlsm", ".xls", ".ods"}


def read_supplied_table(path: str | Path, *, headers: str, required: list[str]) -> pd.DataFrame:
    """Rows of a supplied CSV (UTF-8; "," ";" or tab) or Excel file, all text, under our column names.

    Parameters
    ----------
    headers : code list with columns `column`, `header`: how each column may be headed (any accents, case)
    required : columns without which the file cannot be read

    Returns
    -------
    One row per row that is not empty: sheet, row_number (as in the file, from 1) and every column of
    `headers`, "" where the file has none. The header may stand in any of the first 15 rows of any sheet.
    Raises InputError where the file is missing, unreadable, or has no such header.
    """
    path = Path(path)
    known = read_codelist(headers)
    places = {fold(header): column for header, column in zip(known["header"], known["column"])}
    best: tuple[dict[str, int], str, int, list[list[str]]] = ({}, "", 0, [])
    for sheet, rows in _sheets(path):
        for number, cells in enumerate(rows[:_HEADER_ROWS]):
            found = {places[fold(cell)]: i for i, cell in reversed(list(enumerate(cells))) if fold(cell) in places}
            if len(found) > len(best[0]):
                best = (found, sheet, number, rows)
    missing = [column for column in required if column not in best[0]]
    if missing:
        first = known.groupby("column", sort=False)["header"].first()
        raise InputError("error.supplied.columns_missing", file=path.name, columns=", ".join(first[missing]))
    return _rows_below(*best, columns=list(known["column"].unique()))


def _rows_below(
    found: dict[str, int], sheet: str, header: int, rows: list[list[str]], *, columns: list[str]
) -> pd.DataFrame:
    body = [(number, cells) for number, cells in enumerate(rows[header + 1 :], header + 2) if any(cells)]
    width = max((len(cells) for _, cells in body), default=0)
    table = pd.DataFrame([cells + [""] * (width - len(cells)) for _, cells in body], dtype="str")
    empty = pd.Series("", index=table.index, dtype="str")
    result = {name: table[found[name]] if found.get(name, width) < width else empty for name in columns}
    numbers = [number for number, _ in body]
    return pd.DataFrame({"sheet": sheet, "row_number": numbers, **result}, index=table.index)


def _sheets(path: Path) -> list[tuple[str, list[list[str]]]]:
    if not path.is_file():
        raise InputError("error.supplied.file_missing", file=str(path))
    try:
        return _excel_sheets(path) if path.suffix.lower() in _EXCEL else [("", _csv_rows(path))]
    except (UnicodeDecodeError, csv.Error):
        raise InputError("error.supplied.not_utf8", file=path.name) from None
    except Exception as problem:  # whatever the Excel reader stumbles over, the person needs one sentence
        raise InputError("error.supplied.unreadable", file=path.name, problem=str(problem)) from None


def _excel_sheets(path: Path) -> list[tuple[str, list[list[str]]]]:
    from python_calamine import load_workbook

    book = load_workbook(str(path))
    sheets = []
    for name in book.sheet_names:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        sheets.append((name, [[_text(cell) for cell in row] for row in rows]))
    return sheets


def _csv_rows(path: Path) -> list[list[str]]:
    text = path.read_bytes().decode("utf-8-sig")
    start = "".join(text.splitlines(keepends=True)[: 2 * _HEADER_ROWS])
    delimiter = max(";\t,", key=start.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return [[] if row and row[0].startswith("#") else [_text(cell) for cell in row] for row in rows]


def _text(cell: Any) -> str:
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(str(cell).split())


def read_dates(texts: pd.Series) -> pd.Series:
    """Dates written 2025-07-01 or 01/07/2025 (also 1.7.2025, 1-7-2025); NaT for anything else and for ""."""
    iso = texts.str.extract(r"^(\d{4})-(\d{1,2})-(\d{1,2})$")
    local = texts.str.extract(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$")[[2, 1, 0]].set_axis([0, 1, 2], axis=1)
    parts = iso.fillna(local).set_axis(["year", "month", "day"], axis=1)
    written = parts["year"] + "-" + parts["month"].str.zfill(2) + "-" + parts["day"].str.zfill(2)
    return pd.to_datetime(written, format="%Y-%m-%d", errors="coerce").astype("datetime64[s]")


def problem_rows(rows: pd.DataFrame, bad: pd.Series, column: str, reason: str, **fields: Any) -> pd.DataFrame:
    """The rows marked in `bad` as problems: PROBLEM_COLUMNS, `fields` filling the sentence of label `reason`.

    A field given as a Series is taken per row; `value` and `row` are always there.
    """
    chosen = rows[bad.to_numpy(dtype=bool)]
    per_row = {
        name: field.loc[chosen.index] if isinstance(field, pd.Series) else [field] * len(chosen)
        for name, field in fields.items()
    }
    per_row = {"row": chosen["row_number"], "value": chosen[column], **per_row}
    filled = [dict(zip(per_row, values)) for values in zip(*per_row.values())]
    problems = chosen[["sheet", "row_number"]].assign(column_name=column, value=chosen[column], reason=reason)
    return problems.assign(fields=pd.Series(filled, index=chosen.index, dtype=object))[PROBLEM_COLUMNS]
