"""Which column of a death register is what: by its heading, never by its position."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.ingest.excel_grid import Grid
from tkyt_analysis.ingest.excel_tables import Table, find_tables
from tkyt_analysis.reference.vietnamese_text import fold

HEADER_LIST = "a6_header_synonyms"
CERTIFICATE_HEADERS = "death_document_headers"
# A lone letter over a column of a book is its number; a line of the certificate says what it is of.
_OF_A_LINE = re.compile(
    r"\b(dong|nguyen nhan|chan doan|icd|thoi gian|phan (2|ii)|muc (2|ii)|kem theo|phoi hop|gop phan)"
)
# A table is a death register when it names the dead or the cause, and says something only a death has.
_WHO_OR_WHY = {"full_name", "cause_text"}
_OF_DEATH = {"death_date", "cause_text", "place_of_death", "icd10_as_written"}
MINIMUM_FIELDS = 4
_YEAR_WORD = re.compile(r"\bnăm\b", re.IGNORECASE)


def fold_header(text: str) -> str:
    """A heading for matching: folded, parts joined by blanks, "năm" (year) kept apart from "nam" (male)."""
    return fold(_YEAR_WORD.sub("nawm", text).replace("|", " "))


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    rows = read_codelist(HEADER_LIST)
    return [(field, re.compile(pattern)) for field, pattern in zip(rows["field"], rows["pattern"], strict=True)]


@cache
def _certificate_lines() -> list[tuple[str, re.Pattern[str]]]:
    """Lines a to d and part II of a certificate that a book carries as well."""
    rows = read_codelist(CERTIFICATE_HEADERS)
    rows = rows[rows["field"].str.fullmatch(r"(?:line_[a-d]|part2)(?:_icd10|_interval)?")]
    return [(field, re.compile(pattern)) for field, pattern in zip(rows["field"], rows["pattern"], strict=True)]


@lru_cache(maxsize=20_000)
def match_header(text: str) -> str:
    """The register field of a heading ("full_name", "place_of_death:home", …), "" for none."""
    folded = re.sub(r"^\(?\d{1,2}[.)]\s*", "", fold_header(text))
    if len(text) > 150:
        return ""
    if _OF_A_LINE.search(folded) and (line := next((f for f, one in _certificate_lines() if one.search(folded)), "")):
        return line
    if re.search(r"\d", folded.replace("42 ngay", "")) and "icd" not in folded:
        return ""  # "Tổ dân phố 6", "70 tuổi": what stands in a line, not over a column
    return next((field for field, pattern in _patterns() if pattern.search(folded)), "")


def register_tables(grid: Grid) -> list[Table]:
    """The death registers on a sheet, in the order they stand."""
    found = find_tables(grid, match_header, minimum_fields=MINIMUM_FIELDS, anchor="full_name")
    return [table for table in found if is_register(set(table.fields.values()))]


def is_register(fields: set[str]) -> bool:
    """Do these fields make a death register?"""
    plain = {field.partition(":")[0] for field in fields}
    return bool(plain & _WHO_OR_WHY) and len(plain & _OF_DEATH) >= (1 if "full_name" in plain else 2)
