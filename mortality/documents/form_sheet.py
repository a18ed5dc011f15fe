"""Printed forms on sheets of a workbook: each label with what stands behind it, and the table of the chain of causes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache

from mortality.records.as_written import raw_texts
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.ingest.excel_grid import Grid
from tkyt_analysis.reference.vietnamese_text import fold

LABEL_LIST = "death_form_labels"
TITLES = {
    "certificate": re.compile(r"^phieu (chan doan )?nguyen nhan tu vong\b"),
    "death_notice": re.compile(r"^giay bao tu\b(?!.*[:.]{2})(?! (da|so))"),
}
HEADING_LINES = 8
LEAST_FIELDS = 3  # a title over fewer items of the form is a title of something else
_ITEM = re.compile(r"^[\s\W]*(?:\(?\d{1,2}[.)]\s*)?(?:[-+*•]\s*)?")
_LEADER = re.compile(r"[.…_]{3,}|…+")
_CHAIN_HEAD = re.compile(r"khoang thoi gian|thoi gian tu khi")
_LINE = re.compile(r"^\(?(?:1|i)?[. ]?([abcd])(?:[).:]|\s*$)\s*")
_PART_2 = re.compile(r"^(?:(?:muc|phan) (?:2|ii)\b|2[.)]\s|ii[.)]?\s)[.:)\s]*")
_END_OF_CHAIN = re.compile(r"^phan b\b|thong tin (?:y te )?khac")
_STOCK_WORDS = re.compile(
    r"^(?:nguyen nhan truc tiep[^:]*|do\b(?: \(?(?:hoac |la )*hau qua cua\)?)?|hau qua cua)\s*:?\s*"
)
_PART_2_WORDS = re.compile(
    r"^[\W\d]*(?:(?:muc|phan) (?:2|ii)\W*)?(?:cac )?(?:(?:benh|tinh trang|nguyen nhan)[^:]*(?:gop phan|khac|phoi hop)[^:]*)?:?\s*"
)


@dataclass
class Form:
    """One filled form: where its title stands, and {field: text}; `cells` says in which cell each field was found, `raw` what
    stood there."""

    sheet: str
    row: int
    values: dict[str, str] = field(default_factory=dict)
    cells: dict[str, tuple[int, int]] = field(default_factory=dict)
    above: list[str] = field(default_factory=list)
    raw: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, text: str, cell: tuple[int, int]) -> None:
        """Keep the first value of a field that is not empty."""
        clean = _LEADER.sub(" ", text).strip(" :;-")
        if clean and not self.values.get(name):
            self.values[name], self.cells[name] = " ".join(clean.split()), cell


@cache
def _labels(form: str) -> list[tuple[str, re.Pattern[str]]]:
    rows = read_codelist(LABEL_LIST)
    rows = rows[rows["form"].isin(["", form])].sort_values("form", ascending=False, kind="stable")  # its own first
    return [(name, re.compile(pattern)) for name, pattern in zip(rows["field"], rows["pattern"], strict=True)]


def forms_on_sheet(grid: Grid, form: str) -> Iterator[Form]:
    """The forms of one kind on a sheet: a title begins each, with the lines right above it."""
    titles, raw = title_rows(grid, form), raw_texts(grid)
    tops = [_top(grid, title, previous) for title, previous in zip(titles, [0, *titles], strict=False)]
    for number, (title, top) in enumerate(zip(titles, tops, strict=True)):
        end = tops[number + 1] - 1 if number + 1 < len(tops) else len(grid.texts)
        found = Form(grid.sheet, title, above=[text for row in range(top, title) for text in grid.row_texts(row)])
        _read_rows(found, grid, form, title + 1, end)
        for row in range(top, title):
            _read_labels(found, form, row, _cells(grid, row))
        found.raw = {name: str(raw[row - 1, column - 1]) for name, (row, column) in found.cells.items()}
        yield found


def _top(grid: Grid, title: int, previous: int) -> int:
    """The first of the lines that stand over a title: up to HEADING_LINES rows, of a second form up to a blank row."""
    row = title
    while row - 1 > previous and title - row < HEADING_LINES and (not previous or grid.row_texts(row - 1)):
        row -= 1
    return row


def _cells(grid: Grid, row: int) -> list[tuple[int, str]]:
    """(column, text) of the filled cells of a row, blanks squeezed."""
    return [
        (column, " ".join(text.split())) for column, text in enumerate(grid.texts[row - 1], start=1) if text.strip()
    ]


def title_rows(grid: Grid, form: str) -> list[int]:
    """Rows (from 1) in which a cell is the form's title."""
    return [
        row
        for row, cells in enumerate(grid.texts, start=1)
        if any(text and len(text) < 120 and TITLES[form].search(fold(text)) for text in cells)
    ]


def is_form(grid: Grid, form: str) -> bool:
    """Does a sheet hold the form: its title over some of its items?"""
    rows = title_rows(grid, form)
    if not rows:
        return False
    found = {
        name
        for row in range(rows[0], len(grid.texts))
        for text in grid.row_texts(row + 1)
        for name in labels_of(form, text)
    }
    return len(found) >= LEAST_FIELDS


def labels_of(form: str, text: str) -> list[str]:
    """The fields whose labels stand in a cell."""
    return [name for name, _, _ in find_labels(form, " ".join(text.split()))]


@lru_cache(maxsize=50_000)
def find_labels(form: str, text: str) -> tuple[tuple[str, int, int], ...]:
    """(field, start, end of the label) in the order in which they stand; a label is at the start, or before a colon."""
    folded = fold(text)
    if len(folded) != len(text):
        return ()
    start = _ITEM.match(folded).end()  # type: ignore[union-attr]
    found: list[tuple[str, int, int]] = []
    for name, pattern in _labels(form):
        match = _first_match(pattern, folded, start)
        if match and not any(a < match[1] and match[0] < b for _, a, b in found):
            found.append((name, *match))
    return tuple(sorted(found, key=lambda one: one[1]))


def _first_match(pattern: re.Pattern[str], text: str, start: int) -> tuple[int, int] | None:
    """Where a label stands: at `start` up to a colon, the end or what is ticked; or further on, right before a colon."""
    if match := pattern.match(text, start):
        rest = text[match.end() :].lstrip()
        if not rest or rest[0] in ":.…☐☒☑[(" or match.end() == len(text) or rest[0].isdigit():
            return match.start(), match.end()
    for match in pattern.finditer(text, start):
        before = text[match.start() - 1 : match.start()]
        if text[match.end() :].lstrip().startswith(":") and not before.isalnum() and match.start() > start:
            return match.start(), match.end()
    return None


def _read_rows(found: Form, grid: Grid, form: str, first: int, last: int) -> None:
    """Every row of a form: a line of the chain, or labels with what stands behind them."""
    chain: _Chain | None = None
    for row in range(first, last + 1):
        cells = _cells(grid, row)
        if not cells:
            continue
        folded = [fold(text) for _, text in cells]
        if form == "certificate" and any(_CHAIN_HEAD.search(text) for text in folded):
            chain = _Chain(cells)
        elif chain and any(_END_OF_CHAIN.search(text) for text in folded):
            chain = None
        elif chain and chain.read(found, row, cells):
            continue
        else:
            _read_labels(found, form, row, cells)


def _read_labels(found: Form, form: str, row: int, cells: list[tuple[int, str]]) -> None:
    """Each label's value: the rest of its cell up to the next label, else the cells to its right up to the next label."""
    open_field, place = "", (0, 0)
    parts: list[str] = []
    for column, text in cells:
        labels = find_labels(form, text)
        if not labels:
            if open_field:
                place = place if parts else (row, column)
                parts.append(text)
            continue
        head = text[: labels[0][1]]
        if open_field and head.strip(" .,;-0123456789()"):
            parts.append(head)
        _close(found, open_field, parts, place)
        for number, (name, _, end) in enumerate(labels):
            stop = labels[number + 1][1] if number + 1 < len(labels) else len(text)
            open_field, parts, place = name, [text[end:stop]], (row, column)
            if number + 1 < len(labels):
                _close(found, open_field, parts, place)
        parts = [part for part in parts if part.strip(" :.…_")]
    _close(found, open_field, parts, place)


def _close(found: Form, name: str, parts: list[str], place: tuple[int, int]) -> None:
    if name:
        found.put(name, " ".join(parts), place)


class _Chain:
    """The table of causes: columns for the interval and the code as its heading has them; the line that was last begun."""

    def __init__(self, cells: list[tuple[int, str]]) -> None:
        self.interval = next((c for c, text in cells if _CHAIN_HEAD.search(fold(text))), 0)
        self.code = next((c for c, text in cells if "icd" in fold(text)), 0)
        self.line = ""

    def read(self, found: Form, row: int, cells: list[tuple[int, str]]) -> bool:
        """Take a row of the table; False where the row is none."""
        column, text = cells[0]
        folded = fold(text)
        rest: list[tuple[int, str]] = list(cells)
        if match := _LINE.match(folded):
            said = text[match.end() :]
            words = _STOCK_WORDS.match(fold(said))
            self.line, rest[0] = f"line_{match[1]}", (column, said[words.end() :] if words else said)
        elif match := _PART_2.match(folded):
            words = _PART_2_WORDS.match(folded)
            self.line, rest[0] = "part2", (column, text[(words or match).end() :])
        elif not self.line or find_labels("certificate", text):
            return False
        self._put(found, row, rest)
        return True

    def _put(self, found: Form, row: int, cells: list[tuple[int, str]]) -> None:
        for column, text in cells:
            if self.interval and column == self.interval:
                name = f"{self.line}_interval"
            elif self.code and column >= self.code:
                name = f"{self.line}_icd10"
            elif self.interval and column > self.interval:
                name = f"{self.line}_interval"
            else:
                name = self.line
            if name in found.values and text.strip(" .…_"):  # a line that runs over several rows
                found.values[name] += " " + " ".join(_LEADER.sub(" ", text).split())
            else:
                found.put(name, text, (row, column))
