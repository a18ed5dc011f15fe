"""Which column of a list of documents on a death is what, and which kind of list it is: by headings, never by position."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from mortality.register_layout import fold_header, match_header
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.ingest.excel_grid import Grid
from tkyt_analysis.ingest.excel_tables import Table, find_tables
from tkyt_analysis.reference.vietnamese_text import fold

HEADER_LIST = "death_document_headers"
LINES = ("line_a", "line_b", "line_c", "line_d", "part2")
MINIMUM_FIELDS = 4
LONGEST_HEADING = 150


@dataclass(frozen=True)
class DocumentKind:
    """One kind of document on a death. `source` is what its records bear; `deaths` is false where it reports no death."""

    id: str
    source: str
    deaths: bool = True


CERTIFICATE = DocumentKind("certificate", "certificate")
NOTICE = DocumentKind("death_notice", "death_notice")
CIVIL = DocumentKind("civil_registration", "civil_registration")
SENT_HOME = DocumentKind("sent_home", "sent_home", deaths=False)
KINDS = (CERTIFICATE, CIVIL, NOTICE, SENT_HOME)

# What the title of a list says of it; a book of deaths is never taken for another document.
_TITLES = {
    CERTIFICATE.id: re.compile(r"nguyen nhan tu vong.*\bphieu|phieu (chan doan|cdnntv).*tu vong"),
    CIVIL.id: re.compile(r"khai tu\b|ho tich"),
    NOTICE.id: re.compile(r"giay bao tu|\bbao tu\b"),
    SENT_HOME.id: re.compile(r"xin ve\b"),
}
_BOOK = re.compile(r"\ba6\b|so theo doi.*tu vong|so ghi.*tu vong")


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    rows = read_codelist(HEADER_LIST)
    return [(field, re.compile(pattern)) for field, pattern in zip(rows["field"], rows["pattern"], strict=True)]


@lru_cache(maxsize=20_000)
def match_document_header(text: str) -> str:
    """The field of a heading ("line_a_icd10", "discharge_date", …, or one of the death register), "" for none."""
    if len(text) > LONGEST_HEADING:
        return ""
    folded = fold_header(text)
    own = next((field for field, pattern in _patterns() if pattern.search(folded)), "")
    return own or match_header(text)


def kind_of_fields(fields: set[str], titles: tuple[str, ...] = ()) -> DocumentKind | None:
    """The kind of document whose list has these fields under these titles, None where it is none of them."""
    folded = [fold(title) for title in titles]
    if any(_BOOK.search(title) for title in folded):
        return None
    return next((kind for kind in KINDS if _is_kind(kind.id, fields, folded)), None)


def _is_kind(kind: str, fields: set[str], titles: list[str]) -> bool:
    """Columns that only this kind has; or a title that names it over columns that it must have."""
    titled = any(_TITLES[kind].search(title) for title in titles)
    died = "death_date" in fields
    named = "full_name" in fields
    if kind == CERTIFICATE.id:
        return (named or died) and len({"line_a", "line_b", "line_a_icd10", "line_b_icd10"} & fields) >= 2
    if kind == CIVIL.id:
        return named and died and (len({"registration_number", "registration_date"} & fields) >= (1 if titled else 2))
    if kind == NOTICE.id:
        return named and died and ("notice_number" in fields or (titled and "document_date" in fields))
    leaves = "discharge_date" in fields and not died
    return named and leaves and bool("discharge_state" in fields or "expected_outcome" in fields or titled)


def lists_on_sheet(grid: Grid) -> list[tuple[DocumentKind, Table]]:
    """The lists of documents on a sheet, in the order they stand."""
    tables = [named_codes(table) for table in find_tables(grid, match_document_header, minimum_fields=MINIMUM_FIELDS)]
    found = [(kind_of_fields(set(table.fields.values()), _titles_of(table)), table) for table in tables]
    return [(kind, table) for kind, table in found if kind]


def _titles_of(table: Table) -> tuple[str, ...]:
    return (*(text for _, text in table.above()), table.grid.sheet)


def named_codes(table: Table) -> Table:
    """The table with its repeated bare headings "Mã ICD-10" and "Khoảng thời gian" given to the line they follow."""
    columns = list(table.headers)
    names = [table.fields.get(column, "") or _bare(table.headers[column]) for column in columns]
    return replace(table, fields={c: f for c, f in zip(columns, codes_of_lines(names), strict=True) if f})


def _bare(heading: str) -> str:
    return "interval" if re.search(r"thoi gian|interval", fold(heading)) else ""


def codes_of_lines(names: list[str]) -> list[str]:
    """Fields in the order of the columns; several bare "icd10_as_written" or "interval" belong to the line before them."""
    several = {field for field in ("icd10_as_written", "interval") if names.count(field) >= 2}
    result, line = [], ""
    for name in names:
        line = name if name in LINES else line
        bare = name in several and bool(line)
        result.append(f"{line}_{'icd10' if name == 'icd10_as_written' else 'interval'}" if bare else name)
    return ["" if name == "interval" else name for name in result]
