"""Which form a table is, where several forms of the catalog have the same cells (10/BCX, 16/BCH and 18/BCT).

The code printed over the table decides, then the title, then the level of the unit that the heading names, then how
much of the form was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tkyt_analysis.catalog.entries import Form
from tkyt_analysis.ingest.excel_tables import Table
from tkyt_analysis.ingest.report_heading import read_reporting_unit
from tkyt_analysis.reference.vietnamese_text import fold

_RECEIVER = re.compile(r"don vi nhan|noi nhan|kinh gui")


def one_form_per_table(matches: Iterable[tuple[Form, Table]]) -> list[tuple[Form, Table]]:
    """The best form of each stretch of rows, in the order in which the tables stand on the sheet."""
    chosen: list[tuple[Form, Table]] = []
    for form, table in sorted(matches, key=lambda one: _fit(*one), reverse=True):
        if not any(_overlap(table, other) for _, other in chosen):
            chosen.append((form, table))
    return sorted(chosen, key=lambda one: (one[1].first_row, min(one[1].fields)))


def _overlap(one: Table, other: Table) -> bool:
    rows = one.first_row <= other.last_row and other.first_row <= one.last_row
    return rows and bool(set(one.fields) & set(other.fields))


def _fit(form: Form, table: Table) -> tuple[bool, bool, bool, int]:
    """(code named, title named, level named, columns found): more is better."""
    lines = [*(text for _, text in table.above()), table.grid.sheet]
    folded = [fold(line) for line in lines]
    codes = [fold(code) for code in (form.code, *(one.code for one in form.versions.values())) if code]
    named = any(_names(line, code) for line in folded for code in codes)
    titled = any(fold(form.title.vi) in line for line in folded)
    return named, titled, _level_named(lines) == form.level, len(set(table.fields.values()))


def _names(line: str, code: str) -> bool:
    """Whether a line has this very code: "6/bch" is not named by "16/bch"; sheet names write "16-bch"."""
    pattern = re.escape(code).replace("/", r"\s*[/_-]\s*")
    return re.search(rf"(?<![\w/]){pattern}(?![\w/])", line) is not None


def _level_named(lines: list[str]) -> str:
    """The level of the lowest unit that the heading names as the reporter."""
    unit = read_reporting_unit(line for line in lines if not _RECEIVER.search(fold(line)))
    if unit.commune:
        return "commune"
    if unit.district:
        return "district"
    return "province" if unit.province or unit.city else ""
