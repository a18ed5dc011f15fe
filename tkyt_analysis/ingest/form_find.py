"""Which catalog form stands where on a sheet: by the hidden sheet, the code in the heading, row labels and headings.

Row labels find the candidates; the headings (or the row of column numbers, where headings were damaged) find the columns.
Of forms with the same rows the code in the heading decides; where it does not, nothing is guessed.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from tkyt_analysis.catalog import load_entries
from tkyt_analysis.catalog.entries import Form, FormVersion
from tkyt_analysis.forms.lines import form_columns
from tkyt_analysis.ingest import form_layout as layout
from tkyt_analysis.ingest.excel_grid import Grid
from tkyt_analysis.ingest.excel_tables import Table, find_tables, is_numbering, joined_headers, title_row
from tkyt_analysis.ingest.passport import sheets_without_data
from tkyt_analysis.labels import all_labels
from tkyt_analysis.reference.vietnamese_text import fold

ENOUGH_COLUMNS, ENOUGH_ROWS = 0.6, 0.4
FITS_WELL = 0.8
BETTER_BY = 0.1  # so much better must the rows and columns of one form fit than those of the next
AMBIGUOUS, CONTRADICTION = "quarantine.form_ambiguous", "quarantine.form_code_contradiction"
CHOICES_SHEET = "_danh_muc"
OWN_SHEETS = ("forms.guide.sheet", "correction.sheet")
_FORMAL_CODE = re.compile(r"(?<![\w/.])(\d{1,2}(?:\.\d)?\s*/\s*[a-z]{3,5})(?![\w/])")


@dataclass(frozen=True)
class Candidate:
    """A form that may stand at a place: a table per version that fits, by its first day; how well it fits (0–1)."""

    form: Form
    tables: Mapping[datetime.date, Table]
    score: float

    @property
    def table(self) -> Table:
        return next(iter(self.tables.values()))

    @cached_property
    def lines(self) -> tuple[int, int]:
        """First and last sheet row of the form's lines, each label where it stands first."""
        known = layout.row_keys(self.form.versions[next(iter(self.tables))])
        texts = layout.column_texts(self.table, layout.ROW_LABEL)
        keys = texts[texts.ne("")].map(layout.label_key)
        rows = keys[keys.isin(known)].drop_duplicates().index
        return (int(rows[0]), int(rows[-1])) if len(rows) else (self.table.first_row, self.table.last_row)


@dataclass(frozen=True)
class FoundForm:
    """A form on a sheet. `reason` says why it cannot be told which one it is ("" where it can); then `candidate` is only
    the first of those that fit."""

    candidate: Candidate
    reason: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


def data_grids(grids: Sequence[Grid], passport: Mapping[str, str]) -> list[Grid]:
    """The sheets that may hold data: not the workbench's own list, guide, choices and hidden sheet."""
    own = sheets_without_data(passport) | {CHOICES_SHEET}
    own |= {text for key in OWN_SHEETS for text in all_labels().get(key, {}).values()}
    return [grid for grid in grids if grid.sheet not in own and not grid.is_empty]


def find_forms(grid: Grid, passport: Mapping[str, str]) -> list[FoundForm]:
    """Every form on a sheet, from the top down."""
    places: list[list[Candidate]] = []
    for candidate in sorted(_candidates(grid, passport), key=lambda one: -one.score):
        place = next((one for one in places if _same_place(one[0], candidate)), None)
        if place is None:
            places.append(place := [])
        place.append(candidate)
    places.sort(key=lambda one: (one[0].table.header_rows[1], min(one[0].table.fields)))
    return [choose(candidates, passport) for candidates in _cut(places)]


def _same_place(one: Candidate, other: Candidate) -> bool:
    """Do two candidates want the same lines of the sheet?"""
    (first, last), (other_first, other_last) = one.lines, other.lines
    return first <= other_last and other_first <= last and bool(set(one.table.fields) & set(other.table.fields))


def _candidates(grid: Grid, passport: Mapping[str, str]) -> Iterator[Candidate]:
    keys = {layout.label_key(text) for text in set(grid.texts.ravel()) if text and len(text) < 600}
    named = _codes_named([text for row in grid.texts[:40] for text in row if text] + [grid.sheet])
    for form in load_entries("forms").values():
        found: dict[int, dict[datetime.date, tuple[float, Table]]] = {}
        for start in sorted(form.versions, reverse=True):
            version = form.versions[start]
            if not _may_stand_here(form, version, keys, passport, named):
                continue
            for table in tables_of(grid, version):
                found.setdefault(table.header_rows[1] * 1000 + min(table.headers), {})[start] = (
                    fit(table, version),
                    table,
                )
        for tables in found.values():
            best = dict(sorted(tables.items(), key=lambda one: -one[1][0]))
            yield Candidate(
                form, {start: table for start, (_, table) in best.items()}, max(s for s, _ in best.values())
            )


def _may_stand_here(
    form: Form, version: FormVersion, keys: set[str], passport: Mapping[str, str], named: set[str]
) -> bool:
    """A cheap look: enough row labels; a form of free lines must be named by the hidden sheet or by its code."""
    if version.layout == "list":
        return False
    rows = layout.row_keys(version)
    if rows:
        return len(rows & keys) >= ENOUGH_ROWS * len(rows)
    return passport.get("form") == form.id or bool(code_keys(form) & named)


def fit(table: Table, version: FormVersion) -> float:
    """How well rows and columns of a table are those of a form: 0–1."""
    known = layout.row_keys(version)
    labels = {layout.label_key(text) for text in layout.column_texts(table, layout.ROW_LABEL) if text}
    columns = {column.id for column in form_columns(version)}
    rows = len(labels & known) / len(known) if known else 1.0
    return (rows + len(columns & set(table.fields.values())) / max(1, len(columns))) / 2


# ------------------------------------------------------------------------------------------------------- the tables


def tables_of(grid: Grid, version: FormVersion) -> list[Table]:
    """The tables on a sheet that have the columns and rows of this form; damaged headings are helped by the numbering."""
    wanted = len(form_columns(version))
    needed = max(2, min(3, wanted + 1), int(wanted * ENOUGH_COLUMNS))
    if not layout.row_keys(version):  # a form that is named: three printed headings are enough to find its table
        needed = min(3, needed)
    match = layout.column_matcher(version)
    found = [
        by_numbering(table, version)
        for table in find_tables(grid, match, minimum_fields=needed, anchor=layout.ROW_LABEL)
    ]
    found = [table for table in found if _is_form(table, version)]
    if not found and (table := _by_labels(grid, version)):
        found = [table]
    return found


def _is_form(table: Table, version: FormVersion) -> bool:
    columns = {column.id for column in form_columns(version)}
    return (
        layout.ROW_LABEL in table.fields.values()
        and bool(columns & set(table.fields.values()))
        and _has_rows(table, version)
    )


def _has_rows(table: Table, version: FormVersion) -> bool:
    known = layout.row_keys(version)
    labels = {layout.label_key(text) for text in layout.column_texts(table, layout.ROW_LABEL) if text}
    return len(labels & known) >= ENOUGH_ROWS * len(known)


def by_numbering(table: Table, version: FormVersion) -> Table:
    """The table with columns of unreadable heading told by the row of column numbers, where all readable ones agree
    with it; `told_by_number` of the result names them."""
    ids = [column.id for column in form_columns(version)]
    fields = {at: name for at, name in table.fields.items() if not name.startswith(layout.AMBIGUOUS)}
    numbers = _numbers(table)
    often = Counter(fields.values())
    offsets = {
        numbers[at] - ids.index(name)
        for at, name in fields.items()
        if name in ids and at in numbers and often[name] == 1
    }
    if len(offsets) != 1:
        return replace(table, fields=fields)
    (offset,) = offsets
    fields = {  # of several columns under one heading (merged cells) those count that stand where the numbering says
        at: name for at, name in fields.items()
        if name not in ids or often[name] == 1 or numbers.get(at, 0) - ids.index(name) == offset
    }  # fmt: skip
    told = {}
    for at, number in numbers.items():
        place = number - offset
        if at not in fields and 0 <= place < len(ids) and ids[place] not in fields.values():
            told[at] = ids[place]
    headers = table.headers | {at: table.headers.get(at, f"({numbers[at]})") for at in told}
    return replace(table, fields=dict(sorted((fields | told).items())), headers=headers, told_by_number=tuple(told))


def _numbers(table: Table) -> dict[int, int]:
    """{column: number} of the row of column numbers; of "A B 1 2 …" the numbers only."""
    if not table.numbering_rows:
        return {}
    row = table.grid.texts[table.numbering_rows[-1] - 1]
    return {at: int(text.strip(" ().")) for at, text in enumerate(row, 1) if text.strip(" ().").isdigit()}


def _by_labels(grid: Grid, version: FormVersion) -> Table | None:
    """A table found by its row labels alone: the headings over it are whatever stands there."""
    known = layout.row_keys(version)
    hits = {
        column: [
            row for row, text in enumerate(grid.texts[:, column - 1], 1) if text and layout.label_key(text) in known
        ]
        for column in range(1, min(grid.texts.shape[1], 30) + 1)
    }
    label = max(hits, key=lambda column: len(hits[column]), default=0)
    if not label or not known or len(set(hits[label])) < ENOUGH_ROWS * len(known):
        return None
    first = hits[label][0]
    above = [row for row in range(max(1, first - 4), first) if is_numbering(grid, row)]
    total = (
        first - 1
        if first > 1 and not above and layout.label_key(grid.texts[first - 2, label - 1]) == "tongso"
        else first
    )
    bottom = above[-1] if above else total
    top = _top_of_header(grid, bottom)
    headers = joined_headers(grid, top, bottom - 1) if top < bottom else {}
    match = layout.column_matcher(version)
    fields = {at: match(text) for at, text in headers.items() if match(text)} | {label: layout.ROW_LABEL}
    numbering = (bottom,) if above else ()
    start = bottom + 1 if above else total
    table = Table(
        grid, (top, max(top, bottom - 1)), headers, dict(sorted(fields.items())), start, len(grid.values), numbering
    )
    table = by_numbering(table, version)
    if not {column.id for column in form_columns(version)} & set(table.fields.values()):
        table = _by_template_order(table, version)
    return table if _is_form(table, version) else None


def _top_of_header(grid: Grid, bottom: int) -> int:
    """The first of the filled rows that stand right above a row, at most four."""
    top = bottom
    while top > 1 and bottom - top < 4 and len([text for text in grid.texts[top - 2] if text]) > 1:
        top -= 1
    return top


def _by_template_order(table: Table, version: FormVersion) -> Table:
    """No heading can be read: the numbering alone says which column is which, as the template numbers them."""
    numbers = _numbers(table)
    printed = [at for at in numbers if at <= (table.column_of(layout.ROW_LABEL) or 0)]
    if not numbers or [numbers[at] for at in printed] != list(range(1, len(printed) + 1)):
        return table
    columns = form_columns(version)
    last = max(numbers.values())
    offset = last - len(columns) + 1  # the form's own columns are the last ones
    told = {at: columns[n - offset].id for at, n in numbers.items() if offset <= n <= last and at not in printed}
    headers = table.headers | {at: f"({numbers[at]})" for at in told}
    return replace(table, fields=table.fields | told, headers=headers, told_by_number=tuple(told))


# ----------------------------------------------------------------------------------------------- which one it is


def _cut(places: list[list[Candidate]]) -> Iterator[list[Candidate]]:
    """Each place with its tables ended where the next one begins below it, and titled from where the last one ended."""
    for number, candidates in enumerate(places):
        grid, own = candidates[0].table.grid, candidates[0].table
        below = [one[0].table for one in places[number + 1 :] if _overlap(own, one[0].table)]
        before = [one[0].table for one in places[:number] if _overlap(own, one[0].table)]
        first_title = title_row(grid, own.header_rows[0], _last_line(before[-1], own) if before else 0)
        end = title_row(grid, below[0].header_rows[0], _last_line(own, below[0])) - 1 if below else None
        yield [
            replace(
                one,
                tables={
                    start: replace(table, title_row=first_title, last_row=min(table.last_row, end or table.last_row))
                    for start, table in one.tables.items()
                },
            )
            for one in candidates
        ]


def _overlap(one: Table, other: Table) -> bool:
    return bool(set(one.fields) & set(other.fields)) and one.header_rows != other.header_rows


def _last_line(table: Table, below: Table) -> int:
    """The last row above the next table that is filled in more than three cells."""
    grid = table.grid
    for row in range(below.header_rows[0] - 1, table.first_row - 1, -1):
        if len(grid.row_texts(row)) > 3:
            return row
    return table.first_row


def choose(candidates: Sequence[Candidate], passport: Mapping[str, str]) -> FoundForm:
    """The form that stands at a place: as the hidden sheet says, as the code or title in the heading says, or as only
    one fits well. A contradiction and a tie are told, not resolved."""
    by_id = {one.form.id: one for one in sorted(candidates, key=lambda one: -one.score)}
    first = next(iter(by_id.values()))
    texts = [text for _, text in first.table.above(30)] + [first.table.grid.sheet]
    codes = _codes_named(texts)
    named = [one for one in by_id.values() if code_keys(one.form) & codes]
    own = {key for one in by_id.values() for key in code_keys(one.form)}
    foreign = sorted(codes - own) if not named else []
    hidden = passport.get("form", "")
    if hidden in load_entries("forms") and (hidden not in by_id or foreign or (named and by_id[hidden] not in named)):
        seen = ", ".join([*(one.form.code for one in named or by_id.values()), *foreign])
        fields = {"visible": seen, "hidden": load_entries("forms")[hidden].code}
        return FoundForm(by_id.get(hidden, first), CONTRADICTION, fields)
    if hidden in by_id:
        return FoundForm(by_id[hidden])
    printed = [one for one in by_id.values() if _has_printed_rows(one) and one.score >= FITS_WELL]
    if named and printed and not any(_has_printed_rows(one) for one in named):
        # the heading names a form of free lines, but the lines are those of another form
        fields = {
            "visible": ", ".join(one.form.code for one in named),
            "hidden": ", ".join(one.form.code for one in printed),
        }
        return FoundForm(printed[0], CONTRADICTION, fields)
    if len(named) == 1:
        return FoundForm(named[0])
    if foreign:
        fields = {"visible": ", ".join(foreign), "hidden": ", ".join(one.form.code for one in by_id.values())}
        return FoundForm(first, CONTRADICTION, fields)
    return _by_title_or_fit(named or list(by_id.values()), texts)


def _has_printed_rows(candidate: Candidate) -> bool:
    return bool(layout.row_keys(candidate.form.versions[next(iter(candidate.tables))]))


def _by_title_or_fit(candidates: Sequence[Candidate], texts: Sequence[str]) -> FoundForm:
    keys = {layout.label_key(text) for text in texts}
    titled = [one for one in candidates if layout.label_key(one.form.title.vi) in keys]
    if len(titled) == 1:
        return FoundForm(titled[0])
    best, *others = titled or candidates
    if not others or best.score - others[0].score >= BETTER_BY:
        return FoundForm(best)
    near = [best, *(one for one in others if best.score - one.score < BETTER_BY)]
    return FoundForm(best, AMBIGUOUS, {"candidates": ", ".join(one.form.code for one in near)})


@cache
def _known_codes() -> frozenset[str]:
    return frozenset(key for form in load_entries("forms").values() for key in code_keys(form))


def code_keys(form: Form) -> frozenset[str]:
    """The code of a form and those printed on its versions, for comparison."""
    codes = (form.code, *(version.code for version in form.versions.values()))
    return frozenset(code_key(code) for code in codes if code)


def code_key(code: str) -> str:
    """ "16/BCH" → "16/bch"; "Phụ lục 1" → "phuluc1"."""
    return re.sub(r"\s", "", fold(code))


def _codes_named(texts: Sequence[str]) -> set[str]:
    """The codes of the catalog that the texts name; "16/BCH" and the like wherever, others ("Phụ lục 1") at the start of
    a text."""
    found: set[str] = set()
    for text in texts:
        folded = fold(text)
        found |= {re.sub(r"\s", "", code) for code in _FORMAL_CODE.findall(folded)} & _known_codes()
        start = re.sub(r"\s", "", folded)
        start = re.sub(r"^(?:bieu|mau|so)(?:so)?[:.]?", "", start)
        found |= {key for key in _known_codes() if not key[0].isdigit() and re.match(rf"{re.escape(key)}(?!\d)", start)}
    return found
