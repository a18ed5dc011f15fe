"""The door for answers: a sheet of questions that came back, sorted, cut, renamed or retyped as it may be.

Each filled line is one `case_event` ("explained"), or is quarantined with a sentence. Nothing here changes a reported value:
the number that a unit says is right stays beside the reported one until a mended file or a correction arrives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from tkyt_analysis.access.masking import mask_numbers, mask_text
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.door import Batch, IngestContext, Note, Quarantined, ReceivedFile
from tkyt_analysis.ingest.excel_grid import Grid, iterate_workbook, peek_workbook
from tkyt_analysis.ingest.numbers import parse_numbers
from tkyt_analysis.ingest.passport import SHEET, passport_of
from tkyt_analysis.ingest.safe_open import require_kind, require_safe_workbook
from tkyt_analysis.labels import label
from tkyt_analysis.quality.cases.reply_sheet import KIND, TO_FILL, answer_word, find_header, numbered_cases
from tkyt_analysis.quality.cases.states import ANSWERS
from tkyt_analysis.reference.vietnamese_text import fold

_NAMES = (".xlsx", ".xlsm", ".xls", ".ods", ".xlsb", "")
_ID = re.compile(r"[0-9a-f]{16}")
# How an answer may begin when it was typed rather than chosen (folded), Vietnamese and English.
_BEGINS = {
    "wrong": ("sai", "khong dung", "chua dung", "wrong", "not right"),
    "unclear": ("chua ro", "khong ro", "chua biet", "not clear", "unclear"),
    "right": ("dung", "chinh xac", "right"),
}
_BLANK = {"", "-", "–", "x", "."}


class CaseReplyDoor:
    """See `tkyt_analysis.ingest.door.Door`."""

    id = "case_reply"

    def recognise(self, file: ReceivedFile) -> float:
        """0.97 where the hidden sheet says so, 0.93 where a sheet has our headings."""
        if PurePosixPath(file.member or file.name).suffix.lower() not in _NAMES:
            return 0.0
        grids = peek_workbook(file.path)
        if passport_of(grids).get("kind") == KIND:
            return 0.97
        return 0.93 if any(find_header(grid) for grid in grids) else 0.0

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """One batch: the answers of all sheets with our headings."""
        kind = require_kind(file, ("xlsx", "xls", "ods"))
        if kind != "xls":
            require_safe_workbook(file)
        grids = list(iterate_workbook(file.path, name=file.name))
        found = read_answers(grids)
        if found is None:
            raise InputError("error.case_reply_no_table", file=file.name)
        if not found.filled:
            raise InputError("error.case_reply_empty", file=file.name)
        rows = pd.DataFrame(found.rows)
        if len(rows):
            rows["row_number"] = rows["row_number"].astype("Int64")
            rows["reported_value"] = pd.to_numeric(rows["reported_value"])
        yield Batch("case_event", rows, found.quarantined, found.notes, received=found.filled)


@dataclass
class Answers:
    """What was read: event rows, lines that could not be taken, notes; filled = lines with anything in them."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    blank: int = 0

    @property
    def filled(self) -> int:
        return len(self.rows) + len(self.quarantined)


def read_answers(grids: list[Grid]) -> Answers | None:
    """The answers of every sheet with our headings, whatever it is called; None where there is no such sheet."""
    numbered = numbered_cases(grids)
    found, tables = Answers(), 0
    seen: dict[str, tuple[int, dict[str, Any]]] = {}
    for grid in grids:
        place = None if grid.sheet.strip().lower() == SHEET else find_header(grid)
        if place is None:
            continue
        tables += 1
        header, columns = place
        for row in range(header + 1, len(grid.texts) + 1):
            texts = {name: grid.texts[row - 1, column].strip() for name, column in columns.items()}
            _read_line(found, grid.sheet, row, texts, numbered, seen)
    if tables and found.blank:
        found.notes.append(Note("note.case_unanswered", fields={"count": found.blank}))
    return found if tables else None


def _read_line(
    found: Answers,
    sheet: str,
    row: int,
    texts: Mapping[str, str],
    numbered: Mapping[str, str],
    seen: dict[str, tuple[int, dict[str, Any]]],
) -> None:
    filled = {name: texts.get(name, "") for name in TO_FILL}
    if all(fold(text) in _BLANK for text in filled.values()):
        found.blank += bool(texts.get("id") or texts.get("question"))
        return
    case, how = _case(texts, numbered)
    event, problem = _event(case, filled)
    if problem is None and case in seen and seen[case][1] != event:
        problem = ("quarantine.case_twice", "answer", {"first": seen[case][0]})
    if problem is not None:
        reason, name, fields = problem
        heading = label(f"case_reply.column.{name}")
        value = texts.get(name, "") if name in ("id", "answer", "corrected") else ""
        found.quarantined.append(Quarantined(reason, sheet, row, heading, mask_text(value), fields))
        return
    if how:
        found.notes.append(
            Note("note.case_by_number", sheet, row, label("case_reply.column.id"), texts.get("id", ""), case)
        )
    seen.setdefault(case, (row, event))
    found.rows.append({"finding_id": case, "sheet": sheet, "row_number": row, **event})


def _case(texts: Mapping[str, str], numbered: Mapping[str, str]) -> tuple[str, bool]:
    """(case id, whether it was found by its number in the sheet); ("", False) where it cannot be told."""
    written = re.sub(r"[^0-9a-f]", "", texts.get("id", "").lower())
    if _ID.fullmatch(written):
        return written, False
    by_number = numbered.get(texts.get("rank", ""), "")
    return by_number, bool(by_number)


Problem = tuple[str, str, dict[str, Any]]


def _event(case: str, filled: Mapping[str, str]) -> tuple[dict[str, Any], Problem | None]:
    """The event of a line, or what is wrong with it: (reason, the column, fields)."""
    if not case:
        return {}, ("quarantine.case_id", "id", {})
    answer = read_answer(filled["answer"])
    if answer is None:
        words = "; ".join(f"“{answer_word(one)}”" for one in ANSWERS)
        said = filled["answer"] or label("case_reply.nothing")
        return {}, ("quarantine.case_answer", "answer", {"found": mask_text(said), "expected": words})
    value, problem = _corrected(answer, filled["corrected"])
    if problem is None and answer == "right" and fold(filled["why"]) in _BLANK:
        problem = ("quarantine.case_why", "why", {})
    event = {"event": "explained", "answer": answer, "note": mask_text(filled["why"]),
             "reported_value": value, "said_by": mask_numbers(filled["who"])}  # fmt: skip
    return event, problem


def read_answer(text: str) -> str | None:
    """right, wrong or unclear, as chosen or as typed without accents; None where it is none of them."""
    folded = fold(text).strip(" .!,;:-")
    for answer in ANSWERS:
        if folded in {fold(answer_word(answer, language)) for language in ("vi", "en")}:
            return answer
    for answer, begins in _BEGINS.items():  # "khong dung" before "dung"
        if any(folded == word or folded.startswith((word + " ", word + ",", word + "-")) for word in begins):
            return answer
    return None


def _corrected(answer: str, text: str) -> tuple[float | None, Problem | None]:
    """The value that a "wrong" line says is right; a number beside another answer contradicts it."""
    if fold(text) in _BLANK:
        missing: Problem = ("quarantine.case_corrected_missing", "corrected", {})
        return None, missing if answer == "wrong" else None
    if answer != "wrong":
        return None, ("quarantine.case_corrected_contradicts", "corrected", {"value": mask_text(text), "answer": answer_word(answer)})  # fmt: skip
    value = parse_numbers(pd.Series([text]), decimal_hint="count").values.iloc[0]
    if not value >= 0:
        return None, ("quarantine.case_corrected_number", "corrected", {"found": mask_text(text)})
    return float(value), None


DOOR = CaseReplyDoor()
