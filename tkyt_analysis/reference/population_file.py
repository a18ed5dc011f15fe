"""A population file that the ministry supplies: NSO PX-Web CSV (";" between cells, ".." = missing) or a plain table.

Every cell lands or is set aside with row, column, value and reason. Figures of the residence register (the merger
dossiers of Resolution 202/2025/QH15) are refused as a whole: they are about 11 % too high for a denominator.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.ages import band_label
from tkyt_analysis.reference.places import find_places
from tkyt_analysis.reference.population import COLUMNS
from tkyt_analysis.reference.population_columns import Heading, understand_header
from tkyt_analysis.reference.population_register import refuse_register_figures
from tkyt_analysis.reference.population_series import TOTAL
from tkyt_analysis.reference.vietnamese_text import fold

HEADER_WITHIN = 20  # rows
FIRST_YEAR_2025, PROVINCES_2025 = 2025, 34
SET_ASIDE_COLUMNS = ["sheet", "row_number", "column_name", "value", "reason", "fields"]
_MISSING = {"", ".", "..", "...", "…", "-", "–", "x"}
_NATION = {"ca nuoc", "toan quoc", "tong so", "whole country", "viet nam", "vn"}
_SEX_WORDS = {"nam": "male", "male": "male", "m": "male", "nữ": "female", "female": "female", "f": "female",
              "tổng số": TOTAL, "chung": TOTAL, "cả hai": TOTAL, "total": TOTAL, "both": TOTAL, "": TOTAL}  # fmt: skip
_STATUS_WORDS = {"sơ bộ": "preliminary", "prel": "preliminary", "preliminary": "preliminary", "chính thức": "final",
                 "final": "final", "projection": "projection", "dự báo": "projection", "modelled": "modelled",
                 "ước tính": "modelled"}  # fmt: skip


@dataclass(frozen=True)
class PopulationFile:
    """What a supplied population file holds.

    rows : as `population` returns, and row_number; series is "SUPPLIED", source names the file
    set_aside : one row per cell that did not land: sheet, row_number, column_name, value, reason (label key), fields
    """

    rows: pd.DataFrame
    set_aside: pd.DataFrame


def read_population_file(path: str | Path, *, system: str | None = None, scale: int | None = None) -> PopulationFile:
    """Read a population file.

    Parameters
    ----------
    path : CSV (UTF-8; ";" "," or tab) or Excel. A column of units (names, codes or unit ids) and either one column
        per year ("2023", "Sơ bộ 2024 Nam") or columns year, [sex], [age_group], persons. Titles may stand above.
    system : "VN2024" or "VN2025"; default: the one that knows more of the file's units; if both
        know them all, VN2025 for years from 2025 on and for a list of all 34
    scale : 1 (persons) or 1000 (thousand); default: as the headings say

    Raises InputError where the file is unreadable, has no such header, does not say its scale, gives a unit twice,
    or holds residence-register figures.
    """
    path = Path(path)
    sheet, grid = _grid(path)
    header, headings = _header(path, grid)
    title = " ".join(cell for row in grid[: header + 1] for cell in row)
    everything = " ".join(cell for row in grid for cell in row if len(cell) > 4)
    cells, aside = _cells(grid, header, headings)
    cells, unplaced = _placed(cells, system)
    cells, unread = _numbers(cells)
    cells = cells.assign(persons=cells["persons"] * (scale or _scale(path, headings, title)))
    _refuse_repeated(path, cells)
    refuse_register_figures(path.name, everything, cells)
    rows = cells.assign(series="SUPPLIED", source=path.name, method="population.method.supplied")
    set_aside = pd.concat([aside, unplaced, unread], ignore_index=True).assign(sheet=sheet)
    return PopulationFile(rows[[*COLUMNS, "row_number"]].reset_index(drop=True), set_aside[SET_ASIDE_COLUMNS])


# ---- the grid


def _grid(path: Path) -> tuple[str, list[list[str]]]:
    """Sheet name ("" for CSV) and all cells as text."""
    try:
        if path.suffix.lower() in {".xlsx", ".xlsm", ".xls", ".ods"}:
            return _excel(path)
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError("error.supplied.file_missing", file=str(path)) from None
    except Exception as problem:  # whatever the reader stumbles over, the person needs one sentence
        raise InputError("error.population_file_unreadable", file=path.name, problem=problem) from None
    delimiter = max(";\t,", key=lambda mark: sum(mark in line for line in text.splitlines()))
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return "", [[" ".join(cell.split()) for cell in row] for row in rows]


def _excel(path: Path) -> tuple[str, list[list[str]]]:
    from python_calamine import load_workbook

    book = load_workbook(str(path))
    sheets = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    name = max(sheets, key=lambda key: len(sheets[key]))
    return name, [[_text(cell) for cell in row] for row in sheets[name]]


def _text(cell: Any) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else " ".join(str(cell).split())


def _header(path: Path, grid: list[list[str]]) -> tuple[int, list[Heading]]:
    for number, row in enumerate(grid[:HEADER_WITHIN]):
        headings = understand_header(row)
        if headings:
            return number, headings
    raise InputError("error.population_file_header", file=path.name)


# ---- cells


def _cells(grid: list[list[str]], header: int, headings: list[Heading]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per population cell (place, year, sex, age_group, status, text), and what was set aside."""
    width = len(headings)
    body = [
        (number, [*row, *[""] * width][:width])
        for number, row in enumerate(grid[header + 1 :], header + 2)
        if sum(map(bool, row)) > 1  # a lone cell is a note or a source line
    ]
    table = pd.DataFrame([row for _, row in body], columns=range(width), dtype="str")
    numbers = pd.Series([number for number, _ in body], dtype="int64")
    role = {heading.role: at for at, heading in enumerate(headings)}
    keys = {
        name: table[role[name]] if name in role else pd.Series("", index=table.index, dtype="str")
        for name in ("place", "year", "sex", "age_group", "status")
    }
    parts = [
        pd.DataFrame({"row_number": numbers, **keys, "text": table[at], "column_name": heading.text}).assign(
            **{name: value for name, value in heading.fixed().items() if value}
        )
        for at, heading in enumerate(headings)
        if heading.role == "persons"
    ]
    skipped = [
        {"row_number": header + 1, "column_name": h.text, "value": h.text, "reason": "population.column_not_used",
         "fields": {"column": h.text}}
        for h in headings if h.role == "skipped"
    ]  # fmt: skip
    return _keys_read(pd.concat(parts, ignore_index=True), pd.DataFrame(skipped))


def _keys_read(cells: pd.DataFrame, skipped: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Year, sex, age group and status in our words; cells whose keys cannot be read are set aside."""
    read = {
        "year": cells["year"].str.extract(r"\b((?:19|20|21)\d\d)\b")[0].fillna(""),
        "sex": cells["sex"].str.strip().str.casefold().map(_SEX_WORDS).fillna(""),
        "age_group": cells["age_group"].map({text: _age(text) for text in cells["age_group"].unique()}),
    }
    aside, bad = [skipped], pd.Series(False, index=cells.index)
    for column, values in read.items():
        wrong = (values == "") & ~bad
        aside.append(_aside(cells[wrong], column, cells.loc[wrong, column], "population.bad_key"))
        bad |= wrong
    said = (cells["status"] + " " + cells["year"]).str.casefold()
    status = pd.Series("final", index=cells.index, dtype="str")
    for words, name in _STATUS_WORDS.items():
        status = status.mask(said.str.contains(words, regex=False), name)
    good = cells.assign(**read, status=status)[~bad]
    return good.assign(year=good["year"].astype(int)), pd.concat(aside, ignore_index=True)


def _age(text: str) -> str:
    if fold(text) in ("", "tong so", "total", "chung", "all", "all ages", "moi lua tuoi"):
        return TOTAL
    try:
        return band_label(text)
    except InputError:
        return ""


def _aside(cells: pd.DataFrame, column: str | pd.Series, values: pd.Series, reason: str) -> pd.DataFrame:
    table = pd.DataFrame({"row_number": cells["row_number"], "column_name": column, "value": values, "reason": reason})
    fields = [
        {"row": row, "column": name, "value": value}
        for row, name, value in table[["row_number", "column_name", "value"]].itertuples(index=False)
    ]
    return table.assign(fields=pd.Series(fields, index=table.index, dtype=object))


# ---- places


def _placed(cells: pd.DataFrame, system: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cells with their unit_id; region rows and unknown units are set aside, one line per row of the file."""
    names = pd.Series(cells["place"].unique(), dtype="str")
    folded = names.map(fold)
    regions = read_codelist("regions")
    region_names = set(pd.concat([regions["name_vi"], regions["name_en"]]).map(fold))
    found = {one: _find(names, one) for one in ([system] if system else ["VN2024", "VN2025"])}
    unit = found[system or _system_of_file(found, cells["year"].max())].mask(folded.isin(_NATION), "VN")
    reason = pd.Series("population.unknown_unit", index=names.index)
    reason = reason.mask(folded.isin(region_names), "population.region_row").mask(unit != "", "")
    unit_of, reason_of = dict(zip(names, unit)), dict(zip(names, reason))
    why = cells["place"].map(reason_of)
    refused = cells[why != ""].drop_duplicates("row_number")
    aside = _aside(refused, "place", refused["place"], "").assign(reason=why.loc[refused.index])
    placed = cells[why == ""]
    return placed.assign(unit_id=placed["place"].map(unit_of).astype("str")), aside


def _system_of_file(found: dict[str, pd.Series], last_year: int) -> str:
    """The system that knows more of the units; all 34 names are old names too, so that a tie goes by list and year."""
    known = {system: int((units != "").sum()) for system, units in found.items()}
    if known["VN2024"] != known["VN2025"]:
        return max(known, key=lambda system: known[system])
    looks_new = last_year >= FIRST_YEAR_2025 or known["VN2025"] == PROVINCES_2025
    return "VN2025" if looks_new else "VN2024"


def _find(names: pd.Series, system: str) -> pd.Series:
    """Unit ids: five-digit codes are communes, everything else provinces; "" where not found."""
    communes = names.str.fullmatch(r"(?:VN20\d\d:)?\d{5}")
    units = pd.Series("", index=names.index, dtype="str")
    for level, chosen in ((3, communes), (1, ~communes)):
        if chosen.any():
            answers = find_places(names[chosen].str.replace(r"^VN20\d\d:", "", regex=True), level=level, system=system)
            units = units.mask(chosen, answers["unit_id"].reindex(names.index))
    named = names.str.extract(r"^(VN20\d\d):")[0]
    return units.mask(named.notna() & (named != system), "")


# ---- numbers


def _numbers(cells: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cells with `persons` as written (not yet scaled); missing and unreadable ones are set aside."""
    text = cells["text"].str.replace(r"[\s\u00a0]", "", regex=True)
    missing = text.isin(_MISSING)
    plain = _plain_numbers(text)
    persons = pd.to_numeric(plain.where(plain.str.fullmatch(r"\d+(\.\d+)?")), errors="coerce").astype(float)
    unread = persons.isna() & ~missing
    aside = [
        _aside(cells[rows], cells.loc[rows, "column_name"], cells.loc[rows, "text"], reason)
        for rows, reason in ((missing, "population.missing_in_source"), (unread, "population.not_a_number"))
    ]
    return cells.assign(persons=persons)[persons.notna()], pd.concat(aside)


def _plain_numbers(text: pd.Series) -> pd.Series:
    """Numbers with a decimal point only. The mark that is ever followed by other than three digits is the decimal."""
    joined = "\n".join(text)
    marks = {mark for mark in ".," if re.search(rf"\d\{mark}(?:\d{{1,2}}|\d{{4,}})(?!\d)", joined)}
    if len(marks) == 1:
        decimal = marks.pop()
        other = "," if decimal == "." else "."
        return text.str.replace(other, "", regex=False).str.replace(decimal, ".", regex=False)
    return text.str.replace(r"(?<=\d)[.,](?=\d{3}(?!\d))", "", regex=True)


def _scale(path: Path, headings: list[Heading], title: str) -> int:
    words = fold(title)
    if any(h.column_in_persons for h in headings):
        return 1
    if re.search(r"nghin|thousand|1000 (?:nguoi|persons)", words):
        return 1000
    if re.search(r"\(?(?:don vi(?: tinh)?|unit) ?:? ?(?:nguoi|persons?)|\((?:nguoi|persons?)\)", words):
        return 1
    raise InputError("error.population_file_scale", file=path.name)


def _refuse_repeated(path: Path, cells: pd.DataFrame) -> None:
    keys = ["unit_id", "year", "sex", "age_group"]
    twice = cells[cells.duplicated(keys, keep=False)]
    if len(twice):
        first = twice.iloc[0]
        rows = twice[(twice[keys] == first[keys]).all(axis=1)]["row_number"]
        raise InputError(
            "error.population_file_repeated", file=path.name, unit=first["place"], year=first["year"],
            sex=first["sex"], age_group=first["age_group"], rows=", ".join(map(str, rows)),
        )  # fmt: skip
