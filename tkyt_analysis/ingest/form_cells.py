"""The filled cells of a form, and what each of them holds: a number, a text answer, a choice, or nothing that can land."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.catalog.entries import FormColumn, FormVersion
from tkyt_analysis.forms.lines import Line, form_columns, form_lines
from tkyt_analysis.ingest import form_layout as layout
from tkyt_analysis.ingest.excel_grid import CellError, column_letters
from tkyt_analysis.ingest.excel_tables import Table
from tkyt_analysis.ingest.numbers import DecimalHint, parse_numbers
from tkyt_analysis.reference.vietnamese_text import fold

NOT_COMPUTED, FORMULA_ERROR = "quarantine.formula_not_computed", "quarantine.formula_error"
MERGED, HEADING_CELL, COLUMN_UNKNOWN, CHOICE_UNKNOWN = (
    "quarantine.form_merged_cell", "quarantine.form_heading_cell", "quarantine.form_column_unknown",
    "quarantine.form_choice_unknown",
)  # fmt: skip
FREE_ROW = "+"  # element ids of lines that the unit headed itself begin so
UNKNOWN_COLUMN = ""
CHOICE_BY_CODE = "note.form_choice_by_code"
HINTS: dict[str, DecimalHint] = {"count": "count", "money": "count", "percent": "unknown", "number": "unknown"}
WORDS = ("text", "date")
CELL_COLUMNS = [
    "row_number", "column", "row", "category_id", "kind", "codelist", "header", "label", "text", "reason", "expected",
]  # fmt: skip


@dataclass(frozen=True)
class FormCells:
    """cells : one row per filled cell, with CELL_COLUMNS and value (number), answer (text), note, became
    rows : the lines of the table as `form_layout.match_rows` gives them"""

    cells: pd.DataFrame
    rows: pd.DataFrame


def read_cells(table: Table, version: FormVersion) -> FormCells:
    """Every filled cell of the data lines of a form, with its value or the reason why it has none."""
    rows = layout.match_rows(table, version)
    rows = _with_free_rows(rows, version)
    cells = _filled_cells(table, rows, version)
    cells = _merged_refused(table, cells)
    return FormCells(_valued(table, cells), rows)


def _with_free_rows(rows: pd.DataFrame, version: FormVersion) -> pd.DataFrame:
    """Lines that the unit headed itself, where the form has room for such: the row id is made of the label."""
    free = any(not line.row for line in form_lines(version))
    own = rows["reason"].eq(layout.ROW_UNKNOWN) & rows["label"].str.strip().ne("")
    if not free or not own.any():
        return rows
    names = FREE_ROW + rows.loc[own, "label"].map(_slug)
    rows.loc[own, "row"], rows.loc[own, "reason"] = names, ""
    again = own & rows.duplicated("row") & rows["row"].ne("")
    rows.loc[again, ["row", "reason"]] = ["", layout.ROW_TWICE]
    return rows


def _slug(label: str) -> str:
    return "-".join(fold(label).replace("/", " ").split())[:60]


def _filled_cells(table: Table, rows: pd.DataFrame, version: FormVersion) -> pd.DataFrame:
    columns = {column.id: column for column in form_columns(version)}
    lines = {line.row: line for line in form_lines(version)}
    parts = [
        _column_cells(table, rows, lines, columns.get(table.fields.get(at, "")), at)
        for at in range(1, table.grid.texts.shape[1] + 1)
        if _holds_data(table, at, columns)
    ]
    parts = [part for part in parts if len(part)]
    cells = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=CELL_COLUMNS)
    return cells.sort_values(["row_number", "column"], kind="stable", ignore_index=True)


def _holds_data(table: Table, at: int, columns: dict[str, FormColumn]) -> bool:
    """A column of the form, or one beside them that nobody knows (but not the printed columns, and not remarks)."""
    field = table.fields.get(at, "")
    if field in columns:
        return True
    if field in layout.PRINTED or layout.is_remark(table.headers.get(at, "")):
        return False
    own = [column for column, name in table.fields.items() if name in columns]
    label = table.column_of(layout.ROW_LABEL) or 0
    return bool(own) and label < at <= max(own) + 3


def _column_cells(
    table: Table, rows: pd.DataFrame, lines: dict[str, Line], column: FormColumn | None, at: int
) -> pd.DataFrame:
    """The filled cells of one sheet column in the lines of the form. Lines that are no data have none, unless a number
    stands in them."""
    texts = pd.Series(table.grid.texts[rows.index - 1, at - 1], index=rows.index, dtype="str").str.strip()
    known = rows["row"].ne("") | rows["reason"].ne("")
    last = rows.index[rows["row"].ne("")].max() if rows["row"].ne("").any() else 0
    inside = pd.Series(rows.index < last, index=rows.index)  # below the last row stand signatures
    stray = ~known & rows["label"].str.strip().eq("") & texts.ne("") & (column is not None)
    stray &= inside | texts.map(_is_number_text)
    chosen = texts.ne("") & (known | stray)
    if column is None:  # lines of nobody's column: only what stands beside the form's own lines
        chosen = texts.ne("") & rows["row"].ne("")
    cells = rows[chosen].assign(
        row_number=rows.index[chosen], column=at, category_id=column.id if column else UNKNOWN_COLUMN,
        header=table.headers.get(at, column_letters(at)), text=texts[chosen],
    )  # fmt: skip
    cells["reason"] = cells["reason"].mask(stray[chosen], layout.ROW_UNKNOWN)
    of = [lines.get(row, Line(row, "")) for row in cells["row"]]
    cells["kind"] = [line.kind_in(column) if column else "" for line in of]
    cells["codelist"] = [(line.codelist or (column.codelist if column else "")) or "" for line in of]
    return cells.reindex(columns=CELL_COLUMNS)


def _is_number_text(text: str) -> bool:
    stripped = text.strip().replace(" ", "").replace(".", "").replace(",", "")
    return stripped.isdigit()


def _merged_refused(table: Table, cells: pd.DataFrame) -> pd.DataFrame:
    """A cell that is merged over several data cells: to which of them it belongs is not known."""
    own = {column for column, name in table.fields.items() if name not in layout.PRINTED}
    for top, left, bottom, right in table.grid.merges:
        lines = [row for row in range(top, bottom + 1) if row >= table.first_row]
        covered = own & set(range(left, right + 1))
        if lines and covered and len(lines) * len(covered) > 1:
            here = cells["row_number"].eq(top) & cells["column"].eq(left) & cells["reason"].eq("")
            place = f"{column_letters(left)}{top}:{column_letters(right)}{bottom}"
            cells.loc[here, ["reason", "expected"]] = [MERGED, place]
    return cells


# ---------------------------------------------------------------------------------------------------------- values


def _valued(table: Table, cells: pd.DataFrame) -> pd.DataFrame:
    cells = cells.assign(value=np.nan, answer="", note="", became="")
    raw = [
        table.grid.values[row - 1, column - 1] for row, column in zip(cells["row_number"], cells["column"], strict=True)
    ]
    raw = pd.Series(raw, index=cells.index, dtype=object)
    error = raw.map(lambda value: isinstance(value, CellError)).astype(bool)
    open_cells = cells["reason"].eq("")
    cells.loc[open_cells & error, "reason"] = np.where(
        cells.loc[open_cells & error, "text"].eq("="), NOT_COMPUTED, FORMULA_ERROR
    )
    cells.loc[open_cells & ~error & cells["category_id"].eq(UNKNOWN_COLUMN), "reason"] = COLUMN_UNKNOWN
    cells.loc[cells["reason"].eq("") & cells["kind"].eq("none"), "reason"] = HEADING_CELL
    for kind, hint in HINTS.items():
        _read_numbers(cells, raw, cells["reason"].eq("") & cells["kind"].eq(kind), hint)
    words = cells["reason"].eq("") & cells["kind"].isin(WORDS)
    cells.loc[words, "answer"] = cells.loc[words, "text"]
    _read_choices(cells, cells["reason"].eq("") & cells["kind"].eq("choice"))
    return cells


def _read_numbers(cells: pd.DataFrame, raw: pd.Series, chosen: pd.Series, hint: DecimalHint) -> None:
    """Counts by their text (1.184 in a column of counts is 1 184); other numbers as the cell has them."""
    if not chosen.any():
        return
    written = cells.loc[chosen, "text"] if hint == "count" else raw[chosen]
    parsed = parse_numbers(written, decimal_hint=hint)
    cells.loc[chosen, "value"] = parsed.values
    cells.loc[parsed.failures.index, "reason"] = parsed.failures["reason"]
    cells.loc[parsed.notes.index, "note"] = parsed.notes["note"]
    cells.loc[parsed.notes.index, "became"] = parsed.notes["became"]


def _read_choices(cells: pd.DataFrame, chosen: pd.Series) -> None:
    """The code of a word of its code list; the bare code is taken with a note."""
    for codelist, part in cells[chosen].groupby("codelist"):
        words = read_codelist(str(codelist)) if codelist else pd.DataFrame({"code": [], "label_vi": []})
        by_word = {fold(word): code for word, code in zip(words["label_vi"], words["code"], strict=True)}
        codes = set(words["code"])
        for index, text in part["text"].items():
            code = by_word.get(fold(text)) or (text.strip() if text.strip() in codes else "")
            if not code:
                cells.loc[index, ["reason", "expected"]] = [CHOICE_UNKNOWN, ", ".join(words["label_vi"])]
            elif code.isdigit():
                cells.loc[index, "value"] = float(code)
            else:
                cells.loc[index, "answer"] = code
            if code and fold(text) not in by_word:
                word = words.loc[words["code"].eq(code), "label_vi"].iloc[0]
                cells.loc[index, ["note", "became"]] = [CHOICE_BY_CODE, word]
