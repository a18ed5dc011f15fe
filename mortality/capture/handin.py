"""Hand in: the finished records as the workbook of the form, through the same door as every received file.

Before the door is asked, the journal says under which SHA-256 the workbook goes and which record stands on which row. So a
process that dies on the way is settled by the next one: what landed leaves the journal, and nothing is handed in twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mortality.capture.fields import CORRECTS, REASON, form_fields
from mortality.capture.place import Workplace, require_writing
from mortality.capture.records import FINISHED, UNFINISHED, Draft, now
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from mortality.capture.journal import Journal, Kept

LANDED, QUARANTINED, UNKNOWN = "landed", "quarantined", "unknown"


@dataclass(frozen=True)
class Answer:
    """What became of one record: landed under a record id, or why the door did not take it."""

    key: str
    status: str
    death_id: str = ""
    reason: str = ""


@dataclass(frozen=True)
class HandedIn:
    """The journal afterwards, and the answer for every record that was handed in."""

    kept: Kept
    answers: tuple[Answer, ...] = ()

    def count(self, status: str) -> int:
        return sum(one.status == status for one in self.answers)


def hand_in(journal: Journal, kept: Kept, place: Workplace, book_year: int) -> HandedIn:
    """Hand in the finished records of a journal. Those that landed leave it; refused ones stay, with the reason.

    Raises InputError where nothing is finished or the account may not write for the commune, and what the door raises; the
    journal is then as it was.
    """
    from mortality.capture.workbook import write_workbook
    from tkyt_analysis.ingest.receive import ingest
    from tkyt_analysis.warehouse.custody import file_sha256
    from tkyt_analysis.warehouse.lake import is_practice
    from tkyt_analysis.warehouse.work_folder import private_folder

    finished = [one for one in kept.drafts if one.state == FINISHED]
    if not finished:
        raise InputError("error.capture_nothing_finished", unfinished=len(kept.drafts))
    require_writing(journal.home, place.unit_id)
    with private_folder(journal.home) as folder:
        path = folder / _file_name(place, book_year)
        corrections = any(one.is_correction for one in finished)
        records = [_for_workbook(one) for one in finished]
        rows = write_workbook(
            path, place, book_year, records, practice=is_practice(journal.home), corrections=corrections
        )
        handed = {one.key: rows[number] for number, one in enumerate(finished)}
        underway = replace(kept, handing=file_sha256(path), handed=handed, changed_at=now())
        journal.write(underway)
        try:
            ingest(journal.home, [path])
        except BaseException:
            settled = settle(journal.home, underway)
            journal.write(settled.kept)
            raise
    done = settle(journal.home, underway)
    journal.write(done.kept)
    return done


def _file_name(place: Workplace, book_year: int) -> str:
    """A name of its own for every hand-in, so that two of them are not taken for a file and its replacement."""
    moment = now().replace("-", "").replace(":", "").replace(" ", "_")
    return f"nhap_{place.code}_{book_year}_{moment}.xlsx"


def _for_workbook(draft: Draft) -> dict[str, str]:
    return {name: draft.values.get(name, "") for name in (*form_fields(), CORRECTS, REASON)}


def settle(home: Path, kept: Kept) -> HandedIn:
    """What became of a workbook on its way: records that landed leave the journal, the others stay and say why."""
    if not kept.handing:
        return HandedIn(kept)
    found = _answers(home, kept)
    answers = {one.key: one for one in found}
    drafts = tuple(
        _after(one, answers.get(one.key)) for one in kept.drafts if answers.get(one.key, _NOT_HANDED).status != LANDED
    )
    current = kept.current if kept.current in {one.key for one in drafts} else ""
    return HandedIn(
        replace(kept, drafts=drafts, current=current, handing="", handed={}, changed_at=now()), tuple(found)
    )


_NOT_HANDED = Answer("", UNKNOWN)


def _after(draft: Draft, answer: Answer | None) -> Draft:
    if answer is None or answer.status != QUARANTINED:
        return draft
    return replace(draft, state=UNFINISHED, refused=answer.reason, changed_at=now())


def _answers(home: Path, kept: Kept) -> list[Answer]:
    """Per record that was handed in, by the row where it stood."""
    from tkyt_analysis.access import working_within
    from tkyt_analysis.warehouse.lake import Warehouse

    with working_within(), Warehouse(home) as warehouse:
        con = warehouse.con
        known = con.execute("SELECT 1 FROM lake.received_file WHERE file_sha256 = ?", [kept.handing]).fetchone()
        asked = "SELECT row_number, {} FROM lake.{} WHERE file_sha256 = ? AND row_number IS NOT NULL"
        landed = dict(con.execute(asked.format("death_id", "death"), [kept.handing]).fetchall())
        refused = {
            row: (reason, fields)
            for row, reason, fields in con.execute(
                asked.format("reason, fields", "quarantine"), [kept.handing]
            ).fetchall()
        }
    if not known:
        return [Answer(key, UNKNOWN) for key in kept.handed]
    return [_answer(key, row, landed, refused) for key, row in kept.handed.items()]


def _answer(key: str, row: int, landed: dict[int, str], refused: dict[int, tuple[str, str]]) -> Answer:
    if row in landed:
        return Answer(key, LANDED, str(landed[row]))
    reason, fields = refused.get(row, ("capture.not_taken", "{}"))
    return Answer(key, QUARANTINED, reason=_sentence(reason, fields))


def _sentence(reason: str, fields: str) -> str:
    """The door's reason in words."""
    import json

    try:
        given = json.loads(fields or "{}")
    except ValueError:
        given = {}
    try:
        return label(reason, **given)
    except (KeyError, IndexError):
        return label("capture.not_taken")


def finished_of(drafts: Sequence[Draft]) -> int:
    """How many records can be handed in."""
    return sum(one.state == FINISHED for one in drafts)
