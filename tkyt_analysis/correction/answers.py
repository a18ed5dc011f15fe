"""What a mended file answers: each question that was asked of the earlier file, and what became of its cell."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.correction.alignment import moved_rows
from tkyt_analysis.correction.bytes_of import received_bytes
from tkyt_analysis.correction.list_sheet import heading_texts
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.ingest.door import Batch
from tkyt_analysis.ingest.excel_grid import Grid, iterate_workbook
from tkyt_analysis.warehouse import custody

if TYPE_CHECKING:
    from tkyt_analysis.ingest.staging import Staging
    from tkyt_analysis.warehouse.lake import Warehouse

MENDED, STILL_WRONG, CHECK_AGAIN = "mended", "unchanged", "check"
Rows = dict[tuple[str, int], tuple[str, int]]
Complaints = dict[tuple[str, int, str], set[str]]


def stage_answers(warehouse: Warehouse, staging: Staging, sha256: str, replaced: list[str]) -> None:
    """Stage `question_answer`: one row per question on the replaced files.

    outcome : mended (the same complaint is gone), unchanged (it is still there), check (a quality rule will say)
    """
    questions = warehouse.query(
        "SELECT question_id, source, about_file, place_sheet, place_row, column_name, cell, reason FROM lake.question "
        "WHERE about_file IN (SELECT unnest(?))",
        [replaced],
    )
    if questions.empty:
        return
    new = _grids(warehouse, staging, sha256)
    written = read_answers(new)
    still = _complaints(warehouse, staging, sha256)
    moved = {old: _moved(warehouse, staging, old, new) for old in questions["about_file"].unique()}
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    asked = questions.to_dict("records")
    of_group = {_group(row): written[row["question_id"]] for row in asked if row["question_id"] in written}
    none = {"answer": "", "sheet": "", "row_number": None}
    rows = [
        {
            "question_id": row["question_id"], "outcome": _outcome(row, moved[row["about_file"]], still),
            "answered_at": now, **(written.get(row["question_id"]) or of_group.get(_group(row), none)),
        }
        for row in asked
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    frame["row_number"] = frame["row_number"].astype("Int64")
    staging.add(sha256, Batch("question_answer", frame, counts=False), "correction")


def _group(question: dict[str, Any]) -> tuple[Any, ...]:
    """Cells of one line with one complaint share a line of the list, and its answer."""
    return tuple(str(question[name]) for name in ("about_file", "place_sheet", "place_row", "reason", "source"))


def _outcome(question: dict[str, Any], moved: Rows, still: Complaints) -> str:
    if question["source"] == "finding":
        return CHECK_AGAIN
    row = question["place_row"]
    own = _columns(question["column_name"], question["cell"])
    if row is None or row is pd.NA or row != row:
        return STILL_WRONG if own & still.get(("", 0, question["reason"]), set()) else MENDED
    place = (question["place_sheet"], int(row))
    sheet, now_at = moved.get(place, place)
    return STILL_WRONG if own & still.get((sheet, now_at, question["reason"]), set()) else MENDED


def _columns(column_name: str, cell: str) -> set[str]:
    """What may name a column: its heading, the last part of it, its letters. Headings change when rows are inserted."""
    letters = cell.rstrip("0123456789")
    return {column_name, column_name.rpartition(" | ")[2], f"[{letters}]" if letters else column_name}


def _complaints(warehouse: Warehouse, staging: Staging, sha256: str) -> Complaints:
    """{(sheet, row, reason): columns} of what is quarantined or noted in the new file; ("", 0, reason): the whole file."""
    found: Complaints = {}
    for table, reason in (("quarantine", "reason"), ("ingest_note", "note")):
        if table in staging.used:
            rows = warehouse.con.execute(
                f"SELECT coalesce(sheet, ''), coalesce(row_number, 0), coalesce(column_name, ''), {reason}, "
                f"coalesce(json_extract_string(fields, '$.cell'), '') FROM staged.{table} WHERE file_sha256 = ?",
                [sha256],
            ).fetchall()
            for sheet, row, column, key, cell in rows:
                place = (sheet, int(row), key) if row else ("", 0, key)
                found.setdefault(place, set()).update(_columns(column, cell))
    return found


def _moved(warehouse: Warehouse, staging: Staging, old: str, new: dict[str, Grid]) -> Rows:
    earlier = _grids(warehouse, staging, old)
    return moved_rows(earlier, new) if earlier and new else {}


def _grids(warehouse: Warehouse, staging: Staging, sha256: str) -> dict[str, Grid]:
    """The sheets of a received file; {} for one that cannot be opened (then places are compared as they are)."""
    try:
        with ExitStack() as stack:
            path = _path(warehouse, staging, sha256, stack)
            return {grid.sheet: grid for grid in iterate_workbook(path)}
    except (InputError, ProcessingError):
        return {}


def _path(warehouse: Warehouse, staging: Staging, sha256: str, stack: ExitStack) -> Path:
    unpacked = staging.paths.get(sha256)
    if not custody.has(warehouse.home, sha256) and unpacked is not None and unpacked.exists():
        return unpacked
    return stack.enter_context(received_bytes(warehouse, sha256))


def read_answers(grids: dict[str, Grid]) -> dict[str, dict[str, Any]]:
    """{question id: answer, sheet, row_number} of the list sheet that came back, whatever it is called now."""
    found: dict[str, dict[str, Any]] = {}
    for grid in grids.values():
        place = _list_header(grid)
        if place is None:
            continue
        header, columns = place
        for row in range(header + 1, len(grid.texts) + 1):
            texts = {name: grid.texts[row - 1, column] for name, column in columns.items()}
            if texts.get("id"):
                said = texts.get("answer", "")
                found[texts["id"]] = {"answer": said, "sheet": grid.sheet, "row_number": row}
    return found


def _list_header(grid: Grid) -> tuple[int, dict[str, int]] | None:
    """The header row of a list sheet and the places of its columns."""
    if not grid.values.size:
        return None
    wanted = {name: heading_texts(name) for name in ("id", "answer", "said", "fixed")}
    for row in range(1, min(len(grid.texts), 30) + 1):
        columns = {
            name: at for name, texts in wanted.items() for at, text in enumerate(grid.texts[row - 1]) if text in texts
        }
        if len(columns) == len(wanted):
            return row, columns
    return None
