"""The ministry's list of ICD-10 codes (annex of TT 06/2026, list of QĐ 4469) read from its Excel file.

The file is read in a stream, row by row. Headings may span several rows, carry merged cells or stand in another order:
columns are recognised by their words (code list `icd_list_headers`); a flag column that has lost its words is taken by
its place in the row of six only where its cells repeat the code of the row.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import pandas as pd

from mortality.icd.editions import FLAGS
from mortality.icd.who import has_code_shape, normalise_code
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError

HEADING_ROWS = 60
_SLASH = re.compile(r"^([A-Z]\d[0-9A-Z])/(\w{1,2})$")
Cells = tuple[object, ...]


class ListRow(TypedDict):
    """One code of the list."""

    code: str
    mark: str
    title_vi: str
    title_en: str
    flags: list[str]
    row_number: int


@dataclass
class MinistryList:
    """What was read: rows (code, mark, title_vi, title_en, flags, row_number) and everything that was odd.

    problems : (row_number, label key of the kind, value); columns : field → number of its column, from 1
    """

    rows: pd.DataFrame
    columns: dict[str, int]
    problems: list[tuple[int, str, str]] = field(default_factory=list)
    rows_received: int = 0
    rows_without_code: int = 0

    def counts(self) -> dict[str, int]:
        """Figures to compare with the published ones: codes by length, marks, flags."""
        length = self.rows["code"].str.replace(".", "", regex=False).str.len()
        flags = Counter(flag for flags in self.rows["flags"] for flag in flags.split())
        marks = Counter(self.rows["mark"])
        return {
            "rows": len(self.rows),
            "three_characters": int((length == 3).sum()),
            "four_characters": int((length == 4).sum()),
            "five_characters": int((length == 5).sum()),
            "dagger": marks["†"],
            "asterisk": marks["*"],
        } | {flag: flags[flag] for flag in FLAGS}


def read_ministry_list(path: Path) -> MinistryList:
    """The list in an .xlsx file. Raises InputError where the file, its sheet of codes or its headings cannot be read."""
    for sheet in _sheets(Path(path)):
        head, rows = _split_heading(sheet)
        columns = _columns(head)
        if "code" in columns and ("title_vi" in columns or "title_en" in columns):
            return _collect(rows, columns, len(head))
    raise InputError("error.icd_list_headings", file=Path(path).name, rows=HEADING_ROWS)


def _sheets(path: Path) -> Iterator[Iterator[Cells]]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises many kinds for a file that is no workbook
        raise InputError("error.icd_list_file", file=path.name) from error
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # a wrong size written in the file must not cut columns off
            yield sheet.iter_rows(values_only=True)
    finally:
        book.close()


def _split_heading(sheet: Iterator[Cells]) -> tuple[list[Cells], Iterator[Cells]]:
    """The rows above the first row that holds a code, and the rest (that row included)."""
    head: list[Cells] = []
    for row in sheet:
        if _looks_like_data(row):
            return head, _chain(row, sheet)
        head.append(row)
        if len(head) == HEADING_ROWS:
            break
    return head, iter(())


def _chain(first: Cells, rest: Iterator[Cells]) -> Iterator[Cells]:
    yield first
    yield from rest


def _looks_like_data(row: Cells) -> bool:
    """A row with a code and without the words of a heading."""
    text = " ".join(_fold(cell) for cell in row)
    return any(has_code_shape(_clean(cell)[0]) for cell in row) and "ma benh" not in text


def _fold(value: object) -> str:
    from tkyt_analysis.reference.vietnamese_text import fold

    return re.sub(r"\W+", " ", fold(str(value or ""))).strip()


def _columns(head: list[Cells]) -> dict[str, int]:
    """Field → column number (from 1), by the words that stand in the column's heading rows.

    Rows with one filled cell are titles of the whole list. Where several columns fit, the shortest words win.
    """
    rows = [row for row in head if sum(cell not in (None, "") for cell in row) > 1]
    width = max((len(row) for row in rows), default=0)
    words = {
        place + 1: " ".join(_fold(row[place]) for row in rows if place < len(row)).strip() for place in range(width)
    }
    found: dict[str, int] = {}
    for rule in read_codelist("icd_list_headers").to_dict("records"):
        fitting = [place for place, text in words.items() if place not in found.values() and _matches(text, rule)]
        if rule["field"] not in found and fitting:
            found[rule["field"]] = min(fitting, key=lambda place: (len(words[place]), place))
    return found


def _matches(text: str, rule: dict[str, str]) -> bool:
    without = [word for word in rule["without"].split("|") if word]
    return all(word in text for word in rule["words"].split("|")) and not any(word in text for word in without)


def _clean(cell: object) -> tuple[str, str, bool]:
    """(code, mark, repaired): " A17.0†" → ("A17.0", "†", False); "U13/9" → ("U13.9", "", True)."""
    text = str(cell if cell is not None else "").upper().strip()
    mark = "†" if re.search(r"[†‡+]$", text) else "*" if text.endswith("*") else ""
    if "-" in text.strip("- "):
        return text, mark, False  # a block such as A00-A09 is no code
    slash = _SLASH.match(text.rstrip("†‡+* "))
    code = normalise_code(f"{slash[1]}.{slash[2]}" if slash else text)
    return code, mark, bool(slash)


def _collect(rows: Iterator[Cells], columns: dict[str, int], heading_rows: int) -> MinistryList:
    """Every row with a code once; repaired, doubled and unreadable ones are named."""
    result = MinistryList(pd.DataFrame(), columns)
    unnamed = _unnamed_flags(columns)
    flag_cells: dict[str, list[bool]] = {flag: [] for flag in unnamed}
    kept: dict[str, ListRow] = {}
    for number, row in enumerate(rows, heading_rows + 1):
        code, mark, repaired = _clean(_cell(row, columns["code"]))
        if not code:
            result.rows_without_code += any(cell not in (None, "") for cell in row)
            continue
        result.rows_received += 1
        if not has_code_shape(code):
            result.problems.append((number, "icd.problem.unreadable", str(_cell(row, columns["code"]))))
            continue
        if code in kept:
            result.problems.append((number, "icd.problem.doubled", code))
            continue
        if repaired:
            result.problems.append((number, "icd.problem.repaired", f"{_cell(row, columns['code'])} → {code}"))
        _compare_codes(row, columns, code, number, result)
        kept[code] = _one_row(row, columns | unnamed, code, mark, number, flag_cells)
    if not kept:
        raise InputError("error.icd_list_empty", rows=result.rows_received)
    _drop_false_flags(kept, flag_cells, unnamed, result)
    read = pd.DataFrame(list(kept.values()))
    result.rows = read.assign(flags=read["flags"].str.join(" "))
    return result


def _cell(row: Cells, column: int | None) -> object:
    return row[column - 1] if column and column <= len(row) else None


def _text(cell: object) -> str:
    return re.sub(r"\s+", " ", str(cell if cell is not None else "")).strip()


def _compare_codes(row: Cells, columns: dict[str, int], code: str, number: int, result: MinistryList) -> None:
    """The code without dot must be the same code; a difference is named, the code with dot counts."""
    bare = _cell(row, columns.get("code_without_dot"))
    if bare not in (None, "") and _clean(bare)[0] != code:
        result.problems.append((number, "icd.problem.two_codes", f"{code} / {bare}"))


def _one_row(
    row: Cells, columns: dict[str, int], code: str, mark: str, number: int, flag_cells: dict[str, list[bool]]
) -> ListRow:
    flags = []
    for flag in FLAGS:
        cell = _cell(row, columns.get(flag))
        if cell not in (None, ""):
            flags.append(flag)
            if flag in flag_cells:
                flag_cells[flag].append(_clean(cell)[0] == code)
    return {
        "code": code,
        "mark": mark,
        "title_vi": _text(_cell(row, columns.get("title_vi"))),
        "title_en": _text(_cell(row, columns.get("title_en"))),
        "flags": flags,
        "row_number": number,
    }


def _unnamed_flags(columns: dict[str, int]) -> dict[str, int]:
    """Places of flags whose heading was not recognised, counted from those that were: the six stand side by side."""
    starts = {columns[flag] - place for place, flag in enumerate(FLAGS) if flag in columns}
    if len(starts) != 1:
        return {}
    start = starts.pop()
    return {
        flag: start + place
        for place, flag in enumerate(FLAGS)
        if flag not in columns and start + place not in columns.values()
    }


def _drop_false_flags(
    kept: dict[str, ListRow], cells: dict[str, list[bool]], unnamed: dict[str, int], result: MinistryList
) -> None:
    """A flag taken by its place stays only where its cells repeat the code of their row."""
    for flag, agree in cells.items():
        if agree and all(agree):
            result.columns[flag] = unnamed[flag]
            result.problems.append((0, "icd.problem.flag_by_place", flag))
        else:
            for row in kept.values():
                row["flags"] = [name for name in row["flags"] if name != flag]
