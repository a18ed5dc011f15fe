"""Files of death records judged without a warehouse: read by the doors into memory, every death rule that can be judged, one row per finding.

Nothing is kept: the rows live in an in-memory DuckDB connection, keyed by a random key. Findings name file, sheet, row and
column, never a name, a number of identity, a date of birth or an address.
"""

from __future__ import annotations

import datetime
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mortality.validation.one_record import READING, label_of_field, record_sentence, suggestion
from tkyt_analysis.errors import InputError, TkytError
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.ingest.door import Door, ReceivedFile
    from tkyt_analysis.ingest.staging import Staging

FINDING_COLUMNS = ["file", "sheet", "row", "column", "rule", "severity", "sentence", "suggestion", "found", "expected"]
SEVERITIES = ("error", "warning", "note")
Progress = Callable[[int, int, str], None]


@dataclass
class Validation:
    """What was read and what was found.

    files : one dict per file: file, document (which kind of list), received, landed, quarantined, reason ("" where it was read)
    findings : FINDING_COLUMNS, in the order of file, sheet, row; "" where a finding is about a whole commune
    rules : rule_id, title, severity, findings, judged, total of every rule that was asked
    """

    files: list[dict[str, Any]] = field(default_factory=list)
    findings: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=FINDING_COLUMNS))
    rules: pd.DataFrame = field(default_factory=pd.DataFrame)

    def total(self, name: str) -> int:
        return sum(int(one[name]) for one in self.files)


def validate_files(
    paths: Iterable[Path],
    *,
    columns: Mapping[str, Sequence[str]] | None = None,
    restricted: bool = False,
    progress: Progress | None = None,
) -> Validation:
    """Judge files (and folders) of death records.

    columns : {field: headings whose texts are joined} for lists with headings of their own
    restricted : with the findings that only people with the right to HIV records may see
    A file that cannot be read is said so in `files` and costs no other file. Raises InputError for a path that does not exist.
    """
    import duckdb

    from tkyt_analysis.ingest.receive import find_files
    from tkyt_analysis.ingest.staging import Staging

    con = duckdb.connect()
    con.execute("SET enable_progress_bar = false")
    staging = Staging(con, secrets.token_bytes(32))
    result = Validation()
    listed = list(find_files(paths))
    for number, (path, name) in enumerate(listed):
        if progress:
            progress(number, len(listed), name)
        result.files.append(_read(staging, path, name, columns or {}))
    if "death" in staging.used:
        _judge(con, staging, result, restricted=restricted, progress=progress)
    con.close()
    return result


# ------------------------------------------------------------------------------------------------ reading


def _read(staging: Staging, path: Path, name: str, columns: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """One file into the staged tables; what came of it."""
    from tkyt_analysis.ingest.receive import best_door

    file = _received(path, name)
    said: dict[str, Any] = {
        "file": name,
        "sha256": file.sha256,
        "document": "",
        "received": 0,
        "landed": 0,
        "quarantined": 0,
        "reason": "",
    }
    if file.sha256 in staging.counts:
        return said | {"reason": label("validate.same_bytes")}
    staging.start(file.sha256)
    try:
        door = None if columns else best_door(file, death_doors())
        if door is None:
            from mortality.validation.foreign import ForeignDoor

            door = ForeignDoor(columns)
        for batch in door.read(file, _NothingKnown()):
            staging.add(file.sha256, batch, door.id)
        said["document"] = door.id
        said["reason"] = str(getattr(door, "said", ""))
    except TkytError as error:
        staging.forget(file.sha256)
        return said | {"reason": str(error), "unread": True}
    received, landed, quarantined, _ = staging.counts[file.sha256]
    if not received:
        said["reason"] = label("validate.no_rows")
    return said | {"received": received, "landed": landed, "quarantined": quarantined}


def _received(path: Path, name: str) -> ReceivedFile:
    import hashlib

    from tkyt_analysis.ingest.door import ReceivedFile

    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return ReceivedFile(path, name, digest, path.stat().st_size)


def death_doors() -> list[Door]:
    """The doors of this module: registers, lists and forms on deaths."""
    from mortality.plugin import MODULE
    from tkyt_analysis.modules import load_object

    return [load_object(reference) for reference in MODULE.doors.values()]


class _NothingKnown:
    """What a door may ask of a warehouse, where there is none."""

    language = "vi"

    def units(self) -> pd.DataFrame:
        return pd.DataFrame()

    unit_aliases = data_elements = units

    def table(self, name: str) -> pd.DataFrame:
        return pd.DataFrame()


# ------------------------------------------------------------------------------------------------ judging


def _judge(
    con: duckdb.DuckDBPyConnection, staging: Staging, result: Validation, *, restricted: bool, progress: Progress | None
) -> None:
    """Findings and rules of what was staged."""
    from tkyt_analysis.quality.context import CheckContext
    from tkyt_analysis.quality.run import run_rules

    relations = _relations(con, staging, [one["sha256"] for one in result.files])
    context = CheckContext(con, frozenset(relations))
    rules = death_rules(restricted=restricted)
    found: list[pd.DataFrame] = []
    coverage = run_rules(context, rules, found.append, progress=progress)
    names = {one["sha256"]: one["file"] for one in result.files}
    rows = _rows_of(
        con, pd.concat(found, ignore_index=True) if found else None, {rule.id: rule for rule in rules}, names
    )
    parts = [rows, _reading_rows(con, staging, names), _quarantine_rows(con, staging, names)]
    table = pd.concat([part for part in parts if len(part)] or [rows], ignore_index=True)
    order = table.assign(_row=pd.to_numeric(table["row"], errors="coerce"))
    result.findings = order.sort_values(["file", "sheet", "_row", "rule"], kind="stable", ignore_index=True)[
        FINDING_COLUMNS
    ]
    said = {rule.id: rule for rule in rules}
    coverage["title"] = [_text(said[one].title) for one in coverage["rule_id"]]
    coverage["severity"] = [said[one].severity for one in coverage["rule_id"]]
    result.rules = coverage


def death_rules(*, restricted: bool = False) -> list[Rule]:
    """The rules on deaths of a whole run, and with the right those that speak of HIV."""
    from mortality.quality.record_checks import test_of
    from tkyt_analysis.catalog import load_entries

    rules = [rule for rule in load_entries("rules").values() if "death" in rule.applies_to]
    own = [r for r in rules if r.function == "check_death_record" and test_of(r).restricted]
    return [r for r in rules if r.default and r not in own] + (own if restricted else [])


def _relations(con: duckdb.DuckDBPyConnection, staging: Staging, files: list[str]) -> list[str]:
    """The staged tables under the names that rules ask for, the day of receipt, and the codes of the causes."""
    from mortality.pipeline import coding_decisions

    made = []
    for name in sorted(staging.used):
        if con.execute(f'SELECT 1 FROM staged."{name}" LIMIT 1').fetchone() and name != "received_file":
            con.execute(f'CREATE OR REPLACE VIEW "{name}" AS SELECT * FROM staged."{name}"')
            made.append(name)
    today = datetime.date.today()
    _keep(con, "received_file", pd.DataFrame({"file_sha256": files, "received_at": f"{today} 00:00:00"}))
    deaths = con.execute(
        "SELECT death_id, coalesce(cause_text, '') AS cause_text, coalesce(icd10_as_written, '') AS icd10_as_written, "
        "coalesce(underlying_cause_as_given, '') AS underlying_cause_as_given, sex, age_years FROM death ORDER BY death_id"
    ).df()
    _keep(con, "death_code", coding_decisions(deaths))
    return [*made, "received_file", "death_code"]


def _keep(con: duckdb.DuckDBPyConnection, name: str, rows: pd.DataFrame) -> None:
    from tkyt_analysis.quality.frames import keep_frame

    keep_frame(con, name, rows, temporary=False)


# ------------------------------------------------------------------------------------------------ rows for people


def _rows_of(
    con: duckdb.DuckDBPyConnection, findings: pd.DataFrame | None, rules: Mapping[str, Rule], names: Mapping[str, str]
) -> pd.DataFrame:
    """Findings with the place where the record stands, in words."""
    if findings is None:
        return pd.DataFrame(columns=FINDING_COLUMNS)
    places = con.execute("SELECT death_id, file_sha256, sheet, row_number FROM death").df().set_index("death_id")
    units = _unit_names(findings["unit_id"])
    return pd.DataFrame(
        [_row(one, rules[one["rule_id"]], places, names, units) for one in findings.to_dict("records")],
        columns=FINDING_COLUMNS,
    )


def _row(
    finding: dict[str, Any], rule: Rule, places: pd.DataFrame, names: Mapping[str, str], units: Mapping[str, str]
) -> dict[str, Any]:
    """One finding as a row of the output; a finding on a whole commune names the commune in its sentence."""
    from tkyt_analysis.quality.findings import finding_question

    words = finding | json.loads(finding["fields"] or "{}")
    death = str(words.get("death_id") or "")
    at = places.loc[death] if death in places.index else None
    sentence = (
        record_sentence(rule, words)
        if at is not None
        else finding_question(rule, finding, unit=units.get(str(finding["unit_id"]), "–"))
    )
    lower, upper = _number(finding["lower"]), _number(finding["upper"])
    return {
        "file": "" if at is None else names.get(str(at["file_sha256"]), ""),
        "sheet": "" if at is None else str(at["sheet"] or ""),
        "row": "" if at is None else int(at["row_number"]),
        "column": _column(rule, words),
        "rule": rule.id,
        "severity": rule.severity,
        "sentence": sentence,
        "suggestion": suggestion(words),
        "found": _number(finding["value"]),
        "expected": _number(finding["expected"])
        or ("–".join(part for part in (lower, upper) if part) if lower or upper else ""),
    }


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


def _reading_rows(con: duckdb.DuckDBPyConnection, staging: Staging, names: Mapping[str, str]) -> pd.DataFrame:
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


def _quarantine_rows(con: duckdb.DuckDBPyConnection, staging: Staging, names: Mapping[str, str]) -> pd.DataFrame:
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


def _text(text: Any) -> str:
    from tkyt_analysis.labels import current_language

    return str(text[current_language()])


def write_findings(findings: pd.DataFrame, target: Path) -> None:
    """The findings as CSV (UTF-8 with a mark, so that Excel shows the accents) or as a workbook, by the ending of the name."""
    if target.suffix.lower() == ".csv":
        findings.to_csv(target, index=False, encoding="utf-8-sig", lineterminator="\n")
    elif target.suffix.lower() == ".xlsx":
        _workbook(findings, target)
    else:
        raise InputError("error.validate_output", found=target.name)


def _workbook(findings: pd.DataFrame, target: Path) -> None:
    import xlsxwriter

    widths = {
        "file": 24,
        "sheet": 14,
        "row": 7,
        "column": 18,
        "rule": 30,
        "severity": 12,
        "sentence": 80,
        "suggestion": 60,
        "found": 10,
        "expected": 10,
    }
    with xlsxwriter.Workbook(target, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet(label("validate.sheet"))
        bold, wrap = book.add_format({"bold": True, "bottom": 1}), book.add_format({"text_wrap": True, "valign": "top"})
        for at, name in enumerate(FINDING_COLUMNS):
            sheet.set_column(at, at, widths[name], wrap)
            sheet.write(0, at, label(f"validate.column.{name}"), bold)
        for row, values in enumerate(findings.itertuples(index=False), 1):
            sheet.write_row(row, 0, ["" if value is None or value != value else value for value in values])
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(findings), 1), len(FINDING_COLUMNS) - 1)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
