"""Which earlier file a received one corrects: the gate of replacement.

A file that says so itself (`_tkyt`: answers) or that has mostly the same rows replaces the earlier one, and every file
that replaced that one before. It must cover what the earlier file had; where it does not, nothing is replaced and a note
says so. The rows of a replaced file stay in the warehouse, but no longer count (`replaced_files_sql`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.catalog import load_entries
from tkyt_analysis.correction.answers import stage_answers
from tkyt_analysis.correction.prior import Covered, covered, prior_tables
from tkyt_analysis.ingest.door import Batch, Note
from tkyt_analysis.ingest.passport import ANSWERS

if TYPE_CHECKING:
    from tkyt_analysis.ingest.staging import Staging
    from tkyt_analysis.warehouse.lake import Warehouse

SAME_ENOUGH = 0.8  # share of the earlier file's rows that must be in the new one
WRONG_FILE = 0.2  # with less in common, a file that says it corrects another is an answer to the wrong file
BY_PASSPORT, BY_CELLS, BY_ROWS, BY_CHAIN = "passport", "cells", "rows", "chain"


@dataclass(frozen=True)
class Replacement:
    """A file and the one that it replaces."""

    file_sha256: str
    replaces: str
    matched_by: str


def replacement_gate(warehouse: Warehouse, staging: Staging) -> None:
    """Recognise corrections among the staged files; stage `file_replacement` and the answers to questions."""
    known = _known(warehouse, staging)
    fresh = [sha256 for sha256 in staging.files if sha256 not in known]
    _keep_earlier(warehouse, staging, [sha256 for sha256 in staging.files if sha256 in known])
    if not fresh:
        return
    forms = sorted(load_entries("forms"))
    named = [one for sha in fresh if (one := staging.passports.get(sha, {}).get(ANSWERS))]
    answered = sorted({file for one in named for file in _chain(warehouse, one)})
    with prior_tables(warehouse, staging, forms, answered):
        found = [one for sha256 in fresh for one in _replacements(warehouse, staging, sha256)]
    _stage(staging, found)
    for sha256 in dict.fromkeys(one.file_sha256 for one in found):
        stage_answers(warehouse, staging, sha256, [one.replaces for one in found if one.file_sha256 == sha256])


def _known(warehouse: Warehouse, staging: Staging) -> set[str]:
    """Files that are on record already: read again, they stay what they were."""
    rows = warehouse.con.execute(
        "SELECT file_sha256 FROM lake.received_file WHERE file_sha256 IN (SELECT unnest(?))", [staging.files]
    ).fetchall()
    return {row[0] for row in rows}


def _keep_earlier(warehouse: Warehouse, staging: Staging, files: list[str]) -> None:
    for table in ("file_replacement", "question_answer"):
        if not files:
            return
        rows = warehouse.query(f"SELECT * FROM lake.{table} WHERE file_sha256 IN (SELECT unnest(?))", [files])
        for sha256, part in rows.groupby("file_sha256"):
            staging.add(str(sha256), Batch(table, part.drop(columns="file_sha256"), counts=False), "correction")


def _replacements(warehouse: Warehouse, staging: Staging, sha256: str) -> Iterator[Replacement]:
    answers = staging.passports.get(sha256, {}).get(ANSWERS, "")
    if answers:
        yield from _by_passport(warehouse, staging, sha256, answers)
        return
    for old, matched_by in _alike(warehouse, sha256):
        yield Replacement(sha256, old, matched_by)


def _by_passport(warehouse: Warehouse, staging: Staging, sha256: str, answers: str) -> Iterator[Replacement]:
    """The file that it answers, and what replaced that one meanwhile; nothing where it is not that file's."""
    name = _name_of(warehouse, staging, answers)
    if not name or answers == sha256:
        _note(staging, sha256, "note.correction_unknown_file", answers[:12])
        return
    chain = _chain(warehouse, answers)
    common = [covered(warehouse.con, sha256, old) for old in chain]
    if any(one.rows and one.share < WRONG_FILE for one in common) and _has_rows(warehouse, sha256):
        _note(staging, sha256, "note.correction_wrong_file", name)
        return
    lacking = [one for one in common if not _covers(one)]
    if lacking:
        share = round(100 * min(one.share for one in lacking))
        _note(staging, sha256, "note.correction_incomplete", name, share=share)
        return
    for old in chain:
        yield Replacement(sha256, old, BY_PASSPORT if old == answers else BY_CHAIN)


def _covers(one: Covered) -> bool:
    """Every report of the earlier file is there, and of a register most of its rows."""
    return one.reports_missing == 0 and (one.deaths == 0 or one.deaths_found >= SAME_ENOUGH * one.deaths)


def _has_rows(warehouse: Warehouse, sha256: str) -> bool:
    sql = "SELECT (SELECT count(*) FROM new_value WHERE file_sha256 = $1) + (SELECT count(*) FROM new_death WHERE file_sha256 = $1)"
    return bool(warehouse.one(sql, [sha256])[0])


def _chain(warehouse: Warehouse, sha256: str) -> list[str]:
    """A file and all that replaced it, one after another."""
    rows = warehouse.con.execute(
        """
        WITH RECURSIVE chain AS (
            SELECT $1 AS file UNION
            SELECT r.file_sha256 FROM lake.file_replacement r JOIN chain ON r.replaces = chain.file)
        SELECT file FROM chain ORDER BY file <> $1, file
        """,
        [sha256],
    ).fetchall()
    return [row[0] for row in rows]


def _name_of(warehouse: Warehouse, staging: Staging, sha256: str) -> str:
    row = warehouse.con.execute("SELECT file_name FROM lake.received_file WHERE file_sha256 = ?", [sha256]).fetchone()
    return str(row[0]) if row else (sha256[:12] if sha256 in staging.files else "")


def _alike(warehouse: Warehouse, sha256: str) -> list[tuple[str, str]]:
    """(earlier file, how) of the files that have mostly the same cells or rows as this one and nothing else."""
    rows = warehouse.con.execute("SELECT file_sha256 FROM prior_file WHERE place < (SELECT place FROM new_file WHERE file_sha256 = ?)", [sha256])  # fmt: skip
    priors = _sharing(warehouse, sha256, {row[0] for row in rows.fetchall()})
    found = []
    for old in priors:
        one = covered(warehouse.con, sha256, old)
        if not one.rows or not _covers(one):
            continue
        if one.values and one.values_equal >= SAME_ENOUGH * one.values:
            found.append((old, BY_CELLS))
        elif not one.values:
            found.append((old, BY_ROWS))
    return found


def _sharing(warehouse: Warehouse, sha256: str, files: set[str]) -> list[str]:
    """Of some earlier files those that have a report or a person in common with a new one."""
    rows = warehouse.con.execute(
        """
        SELECT DISTINCT p.file_sha256 FROM prior_value p JOIN (
            SELECT DISTINCT dataset_id, unit_id, period_id FROM new_value WHERE file_sha256 = $1)
            USING (dataset_id, unit_id, period_id) WHERE p.file_sha256 <> $1
        UNION
        SELECT DISTINCT p.file_sha256 FROM prior_death p JOIN new_death n USING (source, unit_id, person_key)
        WHERE n.file_sha256 = $1 AND p.file_sha256 <> $1
        ORDER BY 1
        """,
        [sha256],
    ).fetchall()
    return [row[0] for row in rows if row[0] in files]


def _note(staging: Staging, sha256: str, key: str, file: str, **fields: object) -> None:
    note = Note(key, value=file, fields={"file": file, **fields})
    staging.add(sha256, Batch("file_replacement", pd.DataFrame(), notes=[note], counts=False), "correction")


def _stage(staging: Staging, found: list[Replacement]) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    rows = pd.DataFrame([(one.file_sha256, one.replaces, one.matched_by, now) for one in found])
    if rows.empty:
        return
    rows.columns = pd.Index(["file_sha256", "replaces", "matched_by", "received_at"])
    for sha256, part in rows.groupby("file_sha256", sort=False):
        staging.add(
            str(sha256), Batch("file_replacement", part.drop(columns="file_sha256"), counts=False), "correction"
        )
