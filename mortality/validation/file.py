"""Files of death records judged without a warehouse: read by the doors into memory, every death rule that can be judged, one row per finding.

Nothing is kept: the rows live in an in-memory DuckDB connection, keyed by a random key. Findings name file, sheet, row and
column, never a name, a number of identity, a date of birth or an address.
"""

from __future__ import annotations

import datetime
import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mortality.validation.finding_rows import FINDING_COLUMNS, quarantine_rows, reading_rows, rows_of, sorted_rows
from tkyt_analysis.errors import InputError, TkytError
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.ingest.door import Door, ReceivedFile
    from tkyt_analysis.ingest.staging import Staging

Progress = Callable[[int, int, str], None]
OF_LISTS = ("note.columns_as_told", "note.list_without_unit")


@dataclass
class Validation:
    """What was read and what was found.

    files : one dict per file: file, document (which kind of list), received, landed, quarantined, reason ("" where it was read)
    findings : FINDING_COLUMNS, in the order of file, sheet, row; those about a whole commune last, without a row
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
    columns: Iterable[str] = (),
    restricted: bool = False,
    progress: Progress | None = None,
) -> Validation:
    """Judge files (and folders) of death records.

    columns : "field=heading[+heading]…" for lists with headings of their own, as `tkyt deaths import` takes them
    restricted : with the findings that only people with the right to HIV records may see
    A file that cannot be read is said so in `files` and costs no other file. Raises InputError for a path that does not exist
    and for a wrong mapping.
    """
    import duckdb

    from mortality.records.mapping import importing, parse_columns
    from tkyt_analysis.ingest.receive import find_files
    from tkyt_analysis.ingest.staging import Staging

    mapping = parse_columns(columns)

    con = duckdb.connect()
    con.execute("SET enable_progress_bar = false")
    staging = Staging(con, secrets.token_bytes(32))
    result = Validation()
    listed = list(find_files(paths))
    for number, (path, name) in enumerate(listed):
        if progress:
            progress(number, len(listed), name)
        with importing(mapping):
            result.files.append(_read(staging, path, name))
    if "death" in staging.used:
        _judge(con, staging, result, restricted=restricted, progress=progress)
    con.close()
    return result


# ------------------------------------------------------------------------------------------------ reading


def _read(staging: Staging, path: Path, name: str) -> dict[str, Any]:
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
        door = best_door(file, death_doors())
        if door is None:
            raise InputError("error.file_not_recognised", file=name)
        for batch in door.read(file, _NothingKnown()):
            staging.add(file.sha256, batch, door.id)
        said["document"] = door.id
        said["reason"] = _how_read(staging, file.sha256)
    except TkytError as error:
        staging.forget(file.sha256)
        return said | {"reason": str(error), "unread": True}
    received, landed, quarantined, _ = staging.counts[file.sha256]
    if not received:
        said["reason"] = label("validate.no_rows")
    return said | {"received": received, "landed": landed, "quarantined": quarantined}


def _how_read(staging: Staging, sha256: str) -> str:
    """Which columns were read as what, where the user told them or a profile knew them."""
    if "ingest_note" not in staging.used:
        return ""
    rows = staging.con.execute(
        "SELECT note, any_value(fields) FROM staged.ingest_note WHERE file_sha256 = ? AND note IN (SELECT unnest(?)) GROUP BY 1 ORDER BY 1",
        [sha256, list(OF_LISTS)],
    ).fetchall()
    return " ".join(label(note, **json.loads(fields or "{}")) for note, fields in rows)


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
    said = {rule.id: rule for rule in rules}
    places = con.execute("SELECT death_id, file_sha256, sheet, row_number FROM death").df()
    parts = [reading_rows(con, staging, names), quarantine_rows(con, staging, names)]
    if found:
        parts.insert(0, rows_of(pd.concat(found, ignore_index=True), said, places, names))
    result.findings = sorted_rows(parts)
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


def _text(text: Any) -> str:
    from tkyt_analysis.labels import current_language

    return str(text[current_language()])


# ------------------------------------------------------------------------------------------- a warehouse


def warehouse_findings(home: Path, rules: Iterable[Rule]) -> pd.DataFrame:
    """The findings of these rules that a warehouse keeps, as FINDING_COLUMNS."""
    from tkyt_analysis.warehouse.lake import Warehouse

    said = {rule.id: rule for rule in rules}
    with Warehouse(home) as warehouse:
        found = warehouse.con.execute(
            "SELECT * FROM lake.finding WHERE rule_id IN (SELECT unnest(?))", [list(said)]
        ).df()  # fmt: skip
        places = warehouse.query("SELECT death_id, file_sha256, sheet, row_number FROM lake.death")
        files = warehouse.query("SELECT file_sha256, file_name FROM lake.received_file")
    names = dict(files[["file_sha256", "file_name"]].itertuples(index=False, name=None))
    return sorted_rows([rows_of(found, said, places, names)])
