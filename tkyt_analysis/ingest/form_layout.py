"""A catalog form on a sheet: which column is which by heading, which line is which row by label and number."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, lru_cache

import pandas as pd

from tkyt_analysis.catalog.entries import Form, FormVersion
from tkyt_analysis.forms.lines import TOTAL, Line, form_columns, form_lines
from tkyt_analysis.ingest.excel_tables import Table
from tkyt_analysis.labels import all_labels
from tkyt_analysis.reference.vietnamese_text import fold

ROW_LABEL, ROW_NUMBER, TOTAL_ROW = "row_label", "row_number", TOTAL
MEASURE, FILLED_BY = "row_measure", "row_filled_by"
PRINTED = (ROW_NUMBER, ROW_LABEL, FILLED_BY, MEASURE)
AMBIGUOUS = "?"  # first letter of the field of a heading that several columns of the form have
SIMILAR, APART = 0.8, 0.03  # a misspelt label: so like one of the form, and so much less like the next
ROW_DIFFERS, ROW_UNKNOWN, ROW_TWICE = (
    "quarantine.form_row_label_differs", "quarantine.form_row_unknown", "quarantine.form_row_twice",
)  # fmt: skip
NUMBER_DIFFERS, LABEL_SIMILAR, BY_NUMBER = (
    "note.form_row_number_differs", "note.form_row_label_similar", "note.form_row_by_number",
)  # fmt: skip

_LABEL_HEADING = re.compile(r"nguyen nhan|ten benh|ten chi tieu|chi tieu|noi dung|danh muc|nhiem vu")
_NUMBER_HEADING = re.compile(r"(?:tt|stt|so tt|so thu tu|no)\.?")
_MEASURE_HEADING = re.compile(r"don vi tinh|dvt|unit")
_FILLED_BY_HEADING = re.compile(r"don vi (?:thuc hien )?bao cao|reported by|nguon(?: so lieu)?")
_TOTAL_LABEL = re.compile(r"tong so(?: chung)?|total|tong cong")
_END_LABEL = re.compile(r"(?:tong cong|cong)\b.*")
_REMARK_HEADING = re.compile(r"ghi chu|nhan xet|y kien|remark|note")
_LEAD = re.compile(r"^(?:[-+*•–—]\s*)+|^\(?\d{1,2}[.)]\s*")
_OF_WHICH = re.compile(r"^trong do\s*:?\s*|\s*[:.…]*\s*trong do\s*:?$")


@lru_cache(maxsize=50_000)
def label_key(text: str) -> str:
    """A row label or heading without case, accents, blanks, brackets, bullets and numbering: for comparison only."""
    folded = fold(text).replace(">=", "≥").replace("=>", "≥").replace("<=", "≤")
    folded = _OF_WHICH.sub("", _LEAD.sub("", folded))
    return re.sub(r"[\s.,;:()*/…\"“”]+|\btuoi\b", "", folded)


def form_version(form: Form, day: datetime.date) -> tuple[FormVersion, bool]:
    """The version in force on `day` and True; else the last one before it (or the first), and False."""
    starts = sorted(form.versions)
    start = max([one for one in starts if one <= day], default=starts[0])
    version = form.versions[start]
    return version, start <= day and (version.to is None or day <= version.to)


# -------------------------------------------------------------------------------------------------------- headings


def column_matcher(version: FormVersion) -> Callable[[str], str]:
    """Heading → column id of the form, one of PRINTED, "?…" (a heading that several columns share) or "".

    The whole path of a joined heading ("Mắc | Tổng số") counts first, then its last parts.
    """
    paths, singles = _known_headings(version)
    row_heading = label_key(version.row_heading.vi) if version.row_heading else ""

    @cache
    def match(text: str) -> str:
        parts = [part.strip() for part in text.split("|")]
        keys = [label_key(part) for part in parts]
        for first in range(len(keys)):
            if found := paths.get("|".join(keys[first:])):
                return found
        for key, part in zip(reversed(keys), reversed(parts), strict=True):
            if found := singles.get(key) or _printed(part, row_heading):
                return found
        return singles.get(label_key(text), "")

    return match


def _known_headings(version: FormVersion) -> tuple[dict[str, str], dict[str, str]]:
    """{joined keys: column} of whole paths, {key: column} of single headings (one that is not unique: "?key")."""
    paths: dict[str, str] = {}
    owners: dict[str, set[str]] = {}
    for column in form_columns(version):
        groups = [label_key(group.vi) for group in column.groups]
        for text in (column.title.vi, column.title.en, *column.from_):
            own = label_key(text)
            owners.setdefault(own, set()).add(column.id)
            for first in range(len(groups)):
                paths["|".join([*groups[first:], own])] = column.id
    singles = {key: min(ids) if len(ids) == 1 else f"{AMBIGUOUS}{key}" for key, ids in owners.items() if key}
    return paths, singles


def _printed(part: str, row_heading: str) -> str:
    folded = fold(part)
    if row_heading and label_key(part) == row_heading:
        return ROW_LABEL
    if _NUMBER_HEADING.fullmatch(folded) or folded in _texts_of("number"):
        return ROW_NUMBER
    if _MEASURE_HEADING.fullmatch(folded) or folded in _texts_of("unit"):
        return MEASURE
    if _FILLED_BY_HEADING.fullmatch(folded) or folded in _texts_of("filled_by"):
        return FILLED_BY
    return ROW_LABEL if len(folded) < 60 and _LABEL_HEADING.search(folded) else ""


@cache
def _texts_of(name: str) -> frozenset[str]:
    return frozenset(fold(text) for text in all_labels().get(f"forms.heading.{name}", {}).values())


def is_remark(heading: str) -> bool:
    """Is this the heading of a column of remarks?"""
    return bool(_REMARK_HEADING.search(fold(heading)))


def column_texts(table: Table, field: str) -> pd.Series:
    """The texts of a field's column, index = Excel row; "" where the table has no such column."""
    index = pd.RangeIndex(table.first_row, table.last_row + 1)
    column = table.column_of(field)
    if column is None:
        return pd.Series("", index=index, dtype="str")
    return pd.Series(table.grid.texts[table.first_row - 1 : table.last_row, column - 1], index=index, dtype="str")


# ------------------------------------------------------------------------------------------------------------ rows


@dataclass(frozen=True)
class KnownRow:
    """A line of the form with its key and its number as printed."""

    line: Line
    key: str
    number: str


_KNOWN: dict[int, tuple[FormVersion, tuple[KnownRow, ...]]] = {}


def known_rows(version: FormVersion) -> tuple[KnownRow, ...]:
    """The lines of a form that have a row id, the total first where it has one."""
    if id(version) not in _KNOWN:
        lines = [line for line in form_lines(version) if line.row]
        rows = tuple(KnownRow(line, label_key(line.label), line.number.strip(" .()")) for line in lines)
        _KNOWN[id(version)] = (version, rows)
    return _KNOWN[id(version)][1]


def row_keys(version: FormVersion) -> frozenset[str]:
    """The keys of the row labels, without the total: by them a form is known on a sheet."""
    return frozenset(row.key for row in known_rows(version) if row.line.row != TOTAL)


@dataclass(frozen=True)
class RowMatch:
    """The form row of one line: `row` ("" = none), or `reason`; `note`, `expected` where it was not quite as printed."""

    row: str = ""
    reason: str = ""
    note: str = ""
    expected: str = ""


def match_rows(table: Table, version: FormVersion) -> pd.DataFrame:
    """row, reason, note, expected, label per line. Lines that are no data (blank, "Tổng cộng") have row and reason ""."""
    labels, numbers = column_texts(table, ROW_LABEL), column_texts(table, ROW_NUMBER)
    matcher = _RowMatcher(known_rows(version))
    found = [matcher.match(label, number) for label, number in zip(labels, numbers, strict=True)]
    columns = ["row", "reason", "note", "expected"]
    return pd.DataFrame([vars(one) for one in found], index=labels.index, columns=columns).assign(label=labels)


class _RowMatcher:
    """Matches the lines of one table, from the top down; a row is taken once."""

    def __init__(self, rows: Sequence[KnownRow]) -> None:
        self.rows = rows
        self.by_key: dict[str, list[int]] = {}
        self.by_number: dict[str, list[int]] = {}
        for place, row in enumerate(rows):
            self.by_key.setdefault(row.key, []).append(place)
            if row.number:
                self.by_number.setdefault(row.number, []).append(place)
        self.taken: set[int] = set()
        self.last = -1

    def match(self, label: str, number: str) -> RowMatch:
        """The row of one line: by its label; a number that says otherwise is noted, a label that does is refused."""
        folded, digits = fold(label).strip(" .:"), number.strip(" .()")
        written = re.match(r"\s*\(?(\d{1,2})[.)]", label)
        digits = digits or (written[1] if written else "")
        if not folded:
            return self._by_number(digits)
        key = label_key(label)
        if places := self.by_key.get(key):
            return self._take_known(places, digits)
        if _TOTAL_LABEL.fullmatch(folded) and self._total_is_free():
            return self._take(0)
        if _END_LABEL.fullmatch(folded) and digits not in self.by_number:
            return RowMatch()
        near = self._near(key)
        if near is not None and digits in ("", self.rows[near].number):
            return self._take(near, LABEL_SIMILAR, self.rows[near].line.label)
        if digits in self.by_number:
            return RowMatch(reason=ROW_DIFFERS, expected=self.rows[self.by_number[digits][0]].line.label)
        return RowMatch(reason=ROW_UNKNOWN)

    def _total_is_free(self) -> bool:
        return bool(self.rows) and self.rows[0].line.row == TOTAL and 0 not in self.taken and self.last < 0

    def _take_known(self, places: list[int], digits: str) -> RowMatch:
        """Of rows with the same label the one with the number, else the next one further down."""
        free = [place for place in places if place not in self.taken]
        if not free:
            total = self.rows[places[0]].line.row == TOTAL
            return RowMatch() if total else RowMatch(reason=ROW_TWICE)
        numbered = [place for place in free if digits and self.rows[place].number == digits]
        below = [place for place in free if place > self.last]
        place = (numbered or below or free)[0]
        printed = self.rows[place].number
        differs = bool(digits) and bool(printed) and digits != printed
        return self._take(place, NUMBER_DIFFERS if differs else "", printed if differs else "")

    def _by_number(self, digits: str) -> RowMatch:
        """A line whose label is gone but whose number is there."""
        places = [place for place in self.by_number.get(digits, []) if place not in self.taken]
        if len(places) != 1:
            return RowMatch()
        return self._take(places[0], BY_NUMBER, self.rows[places[0]].line.label)

    def _take(self, place: int, note: str = "", expected: str = "") -> RowMatch:
        if place in self.taken:
            return RowMatch(reason=ROW_TWICE)
        self.taken.add(place)
        self.last = place
        return RowMatch(self.rows[place].line.row, note=note, expected=expected)

    def _near(self, key: str) -> int | None:
        """The one row whose label is nearly the same, with the same digits in it; None where there is none or two."""
        digits = re.sub(r"\D", "", key)
        scored: list[tuple[float, int]] = []
        for place, row in enumerate(self.rows):
            if re.sub(r"\D", "", row.key) == digits:
                matcher = SequenceMatcher(None, key, row.key)
                if matcher.real_quick_ratio() >= SIMILAR and matcher.quick_ratio() >= SIMILAR:
                    scored.append((matcher.ratio(), place))
        scored = sorted(((score, place) for score, place in scored if score >= SIMILAR), reverse=True)
        if not scored or (len(scored) > 1 and scored[0][0] - scored[1][0] < APART):
            return None
        return scored[0][1]
