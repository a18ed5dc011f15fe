"""A catalog form on a sheet: which column is which by heading, which line is which row by label and number."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

import pandas as pd

from tkyt_analysis.catalog import load_entries, read_codelist
from tkyt_analysis.catalog.entries import Form, FormVersion
from tkyt_analysis.ingest.excel_grid import Grid
from tkyt_analysis.ingest.excel_tables import Table, find_tables
from tkyt_analysis.reference.vietnamese_text import fold

ROW_LABEL, ROW_NUMBER, TOTAL_ROW = "row_label", "row_number", "total"
ENOUGH_COLUMNS, ENOUGH_ROWS = 0.6, 0.4
ROW_DIFFERS, ROW_UNKNOWN, ROW_TWICE = (
    "quarantine.form_row_label_differs", "quarantine.form_row_unknown", "quarantine.form_row_twice",
)  # fmt: skip
NUMBER_DIFFERS, LABEL_SIMILAR = "note.form_row_number_differs", "note.form_row_label_similar"

_LABEL_HEADING = re.compile(r"nguyen nhan|ten benh|ten chi tieu|chi tieu|noi dung|danh muc")
_NUMBER_HEADING = re.compile(r"(?:tt|stt|so tt|so thu tu)\.?")
_TOTAL_LABEL = re.compile(r"tong so(?: chung)?|total")
_END_LABEL = re.compile(r"(?:tong cong|cong)\b.*")


def label_key(text: str) -> str:
    """A row label or heading without case, accents, blanks, brackets and numbering: for comparison only."""
    folded = fold(text).replace(">=", "≥").replace("=>", "≥").replace("<=", "≤")
    folded = re.sub(r"^\(?\d{1,2}[.)]\s*", "", folded)
    return re.sub(r"[\s.,;:()*/]+|\btuoi\b", "", folded)


def form_version(form: Form, day: datetime.date) -> tuple[FormVersion, bool]:
    """The version in force on `day` and True; else the last one before it (or the first), and False."""
    starts = sorted(form.versions)
    start = max([one for one in starts if one <= day], default=starts[0])
    version = form.versions[start]
    return version, start <= day and (version.to is None or day <= version.to)


def column_matcher(version: FormVersion) -> Callable[[str], str]:
    """Heading → column id of the form, "row_label", "row_number" or ""; the last part of a joined heading counts first."""
    known: dict[str, str] = {}
    for column in version.columns:
        for text in (column.title.vi, column.title.en, *column.from_):
            known[label_key(text)] = column.id

    @cache
    def match(text: str) -> str:
        parts = [part.strip() for part in text.split("|")]
        for part in [*reversed(parts), text]:
            folded = fold(part)
            if label_key(part) in known:
                return known[label_key(part)]
            if _NUMBER_HEADING.fullmatch(folded):
                return ROW_NUMBER
            if len(folded) < 60 and _LABEL_HEADING.search(folded):
                return ROW_LABEL
        return ""

    return match


def form_tables(grid: Grid, version: FormVersion) -> list[Table]:
    """The tables on a sheet that have the columns and rows of this form."""
    needed = max(3, int(len(version.columns) * ENOUGH_COLUMNS))
    found = find_tables(grid, column_matcher(version), minimum_fields=needed, anchor=ROW_LABEL)
    return [table for table in found if ROW_LABEL in table.fields.values() and _has_rows(table, version)]


def _has_rows(table: Table, version: FormVersion) -> bool:
    known = set(form_rows(version)["key"])
    labels = {label_key(text) for text in column_texts(table, ROW_LABEL) if text}
    return len(labels & known) >= ENOUGH_ROWS * len(known)


def column_texts(table: Table, field: str) -> pd.Series:
    """The texts of a field's column, index = Excel row; "" where the table has no such column."""
    index = pd.RangeIndex(table.first_row, table.last_row + 1)
    column = table.column_of(field)
    if column is None:
        return pd.Series("", index=index, dtype="str")
    return pd.Series(table.grid.texts[table.first_row - 1 : table.last_row, column - 1], index=index, dtype="str")


@cache
def _rows(codelist: str) -> pd.DataFrame:
    rows = read_codelist(codelist)[["row", "label_vi"]]
    return rows.assign(key=rows["label_vi"].map(label_key))


def form_rows(version: FormVersion) -> pd.DataFrame:
    """row, label_vi, key of the form's rows (without the total)."""
    return _rows(version.rows).copy()


@dataclass(frozen=True)
class RowMatch:
    """The form row of one line: `row` ("" = none), or `reason`; `note`, `expected` where it was not quite as printed."""

    row: str = ""
    reason: str = ""
    note: str = ""
    expected: str = ""


def match_rows(table: Table, version: FormVersion) -> pd.DataFrame:
    """row, reason, note, expected, label per line. Lines that are no data (blank, "Tổng cộng") have row and reason ""."""
    rows = form_rows(version)
    by_key = dict(zip(rows["key"], rows["row"], strict=True))
    by_number = dict(zip(rows["row"], rows["label_vi"], strict=True))
    labels, numbers = column_texts(table, ROW_LABEL), column_texts(table, ROW_NUMBER)
    found = [match_row(label, number, by_key, by_number) for label, number in zip(labels, numbers, strict=True)]
    frame = pd.DataFrame([vars(one) for one in found], index=labels.index).assign(label=labels)
    again = frame["row"].ne("") & frame.duplicated("row")
    frame.loc[again, ["row", "reason"]] = ["", ROW_TWICE]
    return frame


def match_row(label: str, number: str, by_key: dict[str, str], by_number: dict[str, str]) -> RowMatch:
    """The row of one line: by its label; a number that says otherwise is noted, a label that does is refused."""
    folded, digits = fold(label).strip(" .:"), number.strip(" .()")
    written = re.match(r"\s*\(?(\d{1,2})[.)]", label)
    digits = digits or (written[1] if written else "")
    if _TOTAL_LABEL.fullmatch(folded):
        return RowMatch(TOTAL_ROW)
    if not folded or (_END_LABEL.fullmatch(folded) and digits not in by_number):
        return RowMatch()
    if row := by_key.get(label_key(label)):
        differs = bool(digits) and digits != row
        return RowMatch(row, note=NUMBER_DIFFERS if differs else "", expected=row if differs else "")
    near = get_close_matches(label_key(label), list(by_key), n=1, cutoff=0.8)
    if near and digits in ("", by_key[near[0]]):
        return RowMatch(by_key[near[0]], note=LABEL_SIMILAR, expected=by_number[by_key[near[0]]])
    if digits in by_number:
        return RowMatch(reason=ROW_DIFFERS, expected=by_number[digits])
    return RowMatch(reason=ROW_UNKNOWN)


def forms_with_rows() -> list[Form]:
    """The catalog's forms that say how they are laid out."""
    return [form for form in load_entries("forms").values() if any(one.rows for one in form.versions.values())]
