"""Findings as rows for people: file, sheet, row, column, question, suggestion; written as CSV or as a workbook.

A row names no person and no number: it says where to look.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mortality.validation.one_record import READING, label_of_field, record_sentence, suggestion
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.ingest.staging import Staging

FINDING_COLUMNS = ["file", "sheet", "row", "column", "rule", "severity", "sentence", "suggestion", "found", "expected"]
SEVERITIES = ("error", "warning", "note")
# The columns of the workbook: width in characters. `title` stands for the name of the rule.
WIDTHS = {
    "severity": 10, "file": 20, "sheet": 10, "row": 7, "column": 14, "sentence": 62, "suggestion": 38, "found": 9, "expected": 10,
    "title": 34, "rule": 32,
}  # fmt: skip
LINE_HEIGHT = 15  # points
PRINTED = len(WIDTHS) - 2  # columns on paper: without the names of the rules
COLOURS = {"error": ("#F8CBAD", "#7F0000"), "warning": ("#FFE699", "#5C4400"), "note": ("#DDEBF7", "#1F3864")}


def sorted_rows(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """The rows in the order of file, sheet and row; those about a whole commune come last."""
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    order = table.assign(_whole=table["file"].eq(""), _row=pd.to_numeric(table["row"], errors="coerce"))
    return order.sort_values(["_whole", "file", "sheet", "_row", "rule"], kind="stable", ignore_index=True)[
        FINDING_COLUMNS
    ]


def rows_of(
    findings: pd.DataFrame, rules: Mapping[str, Rule], places: pd.DataFrame, names: Mapping[str, str]
) -> pd.DataFrame:
    """Findings with the place where the record stands, in words.

    places : death_id, file_sha256, sheet, row_number; names : {file_sha256: name of the file}
    """
    at = {row[0]: row[1:] for row in places[["death_id", "file_sha256", "sheet", "row_number"]].itertuples(index=False)}
    units = _unit_names(findings["unit_id"])
    return pd.DataFrame(
        [_row(one, rules[one["rule_id"]], at, names, units) for one in findings.to_dict("records")],
        columns=FINDING_COLUMNS,
    )


def _row(
    finding: dict[str, Any], rule: Rule, places: Mapping[str, tuple[Any, ...]], names: Mapping[str, str], units: Mapping[str, str]
) -> dict[str, Any]:  # fmt: skip
    """One finding as a row of the output; a finding on a whole commune names the commune in its sentence."""
    from tkyt_analysis.quality.findings import finding_question

    words = finding | json.loads(finding["fields"] or "{}")
    at = places.get(str(words.get("death_id") or ""))
    sentence = (
        record_sentence(rule, words)
        if at is not None
        else finding_question(rule, finding, unit=units.get(str(finding["unit_id"]), "–"))
    )
    lower, upper = _number(finding["lower"]), _number(finding["upper"])
    return {
        "file": "" if at is None else names.get(str(at[0]), ""),
        "sheet": "" if at is None else _text(at[1]),
        "row": "" if at is None else int(at[2]),
        "column": _column(rule, words),
        "rule": rule.id,
        "severity": rule.severity,
        "sentence": sentence,
        "suggestion": suggestion(words),
        "found": _number(finding["value"]),
        "expected": _number(finding["expected"])
        or ("–".join(part for part in (lower, upper) if part) if lower or upper else ""),
    }


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value)


def _column(rule: Rule, words: Mapping[str, Any]) -> str:
    if words.get("field"):
        return label_of_field(str(words["field"]))
    if rule.function != "check_death_record":
        return ""
    from mortality.quality.record_checks import test_of

    return label_of_field(test_of(rule).field)


def _number(value: Any) -> str:
    from tkyt_analysis.labels import format_number

    return "" if value is None or value != value else format_number(float(value), 0 if float(value).is_integer() else 1)


def _unit_names(units: pd.Series) -> dict[str, str]:
    from tkyt_analysis.reference.places import places

    known = pd.concat([places("VN2024"), places("VN2025")]).drop_duplicates("unit_id").set_index("unit_id")["full_name"]
    return {unit: known.get(unit, unit) for unit in units.unique() if unit}


def reading_rows(con: duckdb.DuckDBPyConnection, staging: Staging, names: Mapping[str, str]) -> pd.DataFrame:
    """Cells that could not be read, or not as they stand: from the notes of the reading, which name nobody."""
    if "ingest_note" not in staging.used:
        return pd.DataFrame(columns=FINDING_COLUMNS)
    rows = con.execute(
        "SELECT * FROM staged.ingest_note WHERE row_number IS NOT NULL AND note IN (SELECT unnest(?))", [list(READING)]
    ).df()
    sentences = [
        label(note, **{**json.loads(fields or "{}"), "column_name": column or "", "value": value or ""})
        for note, column, value, fields in rows[["note", "column_name", "value", "fields"]].itertuples(index=False)
    ]
    rows = rows.assign(
        rule=rows["note"], severity=rows["note"].map(READING), sentence=sentences, column=rows["column_name"]
    )
    return _placed(rows, names)


def quarantine_rows(con: duckdb.DuckDBPyConnection, staging: Staging, names: Mapping[str, str]) -> pd.DataFrame:
    """Rows that did not land, with the reason."""
    if "quarantine" not in staging.used:
        return pd.DataFrame(columns=FINDING_COLUMNS)
    rows = con.execute("SELECT * FROM staged.quarantine").df()
    sentences = [
        label(reason, **json.loads(fields or "{}"))
        for reason, fields in rows[["reason", "fields"]].itertuples(index=False)
    ]
    return _placed(
        rows.assign(rule=rows["reason"], severity="error", sentence=sentences, column=rows["column_name"]), names
    )


def _placed(rows: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    rows = rows.assign(
        file=rows["file_sha256"].map(names).fillna(""), row=rows["row_number"], suggestion="", found="", expected=""
    )
    rows[["sheet", "column"]] = rows[["sheet", "column"]].fillna("")
    return rows[FINDING_COLUMNS]


def write_findings(findings: pd.DataFrame, target: Path) -> None:
    """The findings as CSV (UTF-8 with a mark, so that Excel shows the accents) or as a workbook, by the ending of the name."""
    if target.suffix.lower() == ".csv":
        findings.to_csv(target, index=False, encoding="utf-8-sig", lineterminator="\n")
    elif target.suffix.lower() == ".xlsx":
        _workbook(findings, target)
    else:
        raise InputError("error.validate_output", found=target.name)


def _workbook(findings: pd.DataFrame, target: Path) -> None:
    """For people: severity as a coloured word, the name of the rule beside its id, a filter, printed landscape."""
    import xlsxwriter

    table = findings.assign(
        severity=findings["severity"].map({one: label(f"severity.{one}") for one in SEVERITIES}),
        title=findings["rule"].map(_titles(findings["rule"])),
    )[list(WIDTHS)]
    with xlsxwriter.Workbook(target, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet(label("validate.sheet"))
        heading = book.add_format(
            {"bold": True, "bottom": 1, "bg_color": "#E7E6E6", "text_wrap": True, "valign": "vcenter"}
        )
        wrapped = {"text_wrap": True, "valign": "top"}
        plain = book.add_format(wrapped)
        shown = {
            one: book.add_format({**wrapped, "bg_color": back, "font_color": ink})
            for one, (back, ink) in COLOURS.items()
        }
        for at, (name, width) in enumerate(WIDTHS.items()):
            sheet.set_column(at, at, width, plain)
            sheet.write(0, at, label(f"validate.column.{name}"), heading)
        for row, (kind, values) in enumerate(zip(findings["severity"], table.itertuples(index=False), strict=True), 1):
            sheet.set_row(row, LINE_HEIGHT * _lines(values))
            sheet.write(row, 0, values[0], shown[kind])
            sheet.write_row(row, 1, ["" if value is None or value != value else value for value in values[1:]], plain)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(findings), 1), len(WIDTHS) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        sheet.print_area(0, 0, len(findings), PRINTED - 1)


def _lines(values: tuple[Any, ...]) -> int:
    """Lines of text that the fullest cell of a row needs at its width."""
    return max(-(-len(str(value)) * 10 // (width * 9)) for value, width in zip(values, WIDTHS.values(), strict=True))


def _titles(rules: pd.Series) -> dict[str, str]:
    """{rule: its name in the current language}; notes of the reading have none of their own."""
    from tkyt_analysis.catalog import load_entries
    from tkyt_analysis.labels import current_language

    known, language = load_entries("rules"), current_language()
    return {
        one: str(known[one].title[language]) if one in known else label("validate.reading") for one in rules.unique()
    }
