"""One window's work: the records of its journal, the one in the form, and every step a person takes. No widgets, no HTML."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field, replace
from pathlib import Path

from mortality.capture.checking import Remark, about, may_be_finished, remarks_on
from mortality.capture.fields import CORRECTS, REASON, form_fields
from mortality.capture.handin import HandedIn, hand_in, settle
from mortality.capture.journal import Journal, Kept, Other
from mortality.capture.place import Workplace, require_writing, workplace
from mortality.capture.records import FINISHED, UNFINISHED, Draft, copied, new_draft, now
from mortality.capture.typed import clean, read_typed
from tkyt_analysis.errors import InputError

FIRST_YEAR = 1990


@dataclass
class Session:
    """drafts : by key, in the order of entry; current : key of the record in the form; `asked` of it what is missing too."""

    home: Path
    place: Workplace
    book_year: int
    journal: Journal
    drafts: dict[str, Draft] = field(default_factory=dict)
    current: str = ""
    asked: bool = False
    saved_at: str = ""

    @property
    def draft(self) -> Draft:
        return self.drafts[self.current]

    def kept(self) -> Kept:
        """What the journal is to hold: every record that has anything in it."""
        drafts = tuple(one for one in self.drafts.values() if not one.is_empty)
        current = self.current if any(one.key == self.current for one in drafts) else ""
        return Kept(drafts, current, changed_at=now())

    def keep(self) -> None:
        """Write the journal. Raises ProcessingError where the disk refuses."""
        self.journal.write(self.kept())
        self.saved_at = now()

    def take(self, kept: Kept) -> None:
        """The records of a journal in place of those of this window."""
        self.drafts = {one.key: one for one in kept.drafts}
        self.current = kept.current if kept.current in self.drafts else ""
        if not self.current:
            self.begin()
        self.asked = bool(self.draft.errors)

    # -- the record in the form

    def begin(self, values: dict[str, str] | None = None) -> None:
        """An empty record in the form, or one that begins with values; an empty one before it goes."""
        self.drafts = {key: one for key, one in self.drafts.items() if not one.is_empty}
        draft = new_draft(values)
        self.drafts[draft.key], self.current, self.asked = draft, draft.key, False

    def set(self, name: str, text: str) -> None:
        """What stands in a field now, as typed. Unknown fields are refused."""
        if name not in form_fields() and name != REASON:
            raise InputError("error.capture_no_field", field=clean(name))
        if clean(text) != self.draft.values.get(name, ""):
            self._put(self.draft.with_value(name, clean(text)))

    def leave(self, name: str, text: str) -> None:
        """The field is left: what was typed is read, and stands as it is kept."""
        field = form_fields().get(name)
        typed = read_typed(field, text, book_year=self.book_year, today=today()).value if field else text
        self.set(name, typed)

    def copy_before(self) -> None:
        """Empty fields from the record before."""
        keys = list(self.drafts)
        before = keys[: keys.index(self.current)]
        self._put(copied(self.draft, self.drafts[before[-1]] if before else None))

    def confirm(self, remark: Remark, *, yes: bool) -> None:
        """A warning is answered "as written", or the answer is taken back."""
        draft = self.draft
        self._put(
            draft.with_confirmed(remark.rule_id, about(draft, remark.field))
            if yes
            else draft.without_confirmed(remark.rule_id)
        )

    def remarks(self, *, restricted: bool = False) -> list[Remark]:
        """What is to be said about the record in the form."""
        return remarks_on(
            self.draft, place=self.place, book_year=self.book_year, today=today(), complete=self.asked, restricted=restricted
        )  # fmt: skip

    def finish(self, remarks: list[Remark], *, anyway: bool) -> bool:
        """Keep the record as finished, or `anyway` as unfinished; False where something is still open and nothing was kept."""
        done = may_be_finished(remarks)
        if not done and not anyway:
            return False
        errors = any(one.severity == "error" for one in remarks)
        self._put(replace(self.draft, state=FINISHED if done else UNFINISHED, errors=errors, changed_at=now()))
        return True

    def open(self, key: str) -> None:
        """Another record of the journal in the form."""
        if key not in self.drafts:
            raise InputError("error.capture_no_draft")
        self.drafts = {one: draft for one, draft in self.drafts.items() if one == key or not draft.is_empty}
        self.current, self.asked = key, True

    def remove(self, key: str) -> None:
        """Take a record out of the journal."""
        self.drafts.pop(key, None)
        if key == self.current or not self.drafts:
            self.begin()

    def correct(self, values: dict[str, str]) -> None:
        """A stored record in the form, to be corrected; one that is being corrected already is opened again."""
        for key, one in self.drafts.items():
            if one.values.get(CORRECTS) and one.values[CORRECTS] == values.get(CORRECTS):
                return self.open(key)
        return self.begin(values)

    def _put(self, draft: Draft) -> None:
        self.drafts[draft.key] = draft

    # -- drafts that were left, and hand-in

    def others(self) -> list[Other]:
        return self.journal.others()

    def resume(self) -> HandedIn:
        """Go on with what closed windows left; a hand-in that was cut short is settled first."""
        own = self.kept()
        windows = [one.window for one in self.others() if not one.open]
        joined = self.journal.take_over(windows, own)
        settled = settle(self.home, joined)
        self.take(settled.kept)
        self.keep()
        return settled

    def hand_in(self) -> HandedIn:
        """Hand in what is finished; the records that landed leave the journal."""
        handed = hand_in(self.journal, self.kept(), self.place, self.book_year)
        self.take(handed.kept)
        self.begin()
        return handed

    def close(self) -> None:
        self.journal.close()


def open_session(home: Path, unit_id: str, book_year: int) -> Session:
    """A session of the account at work for a commune's book. Raises InputError where it may not write there."""
    require_year(book_year)
    account = require_writing(home, unit_id)
    session = Session(home, workplace(unit_id), book_year, Journal(home, account.name, unit_id))
    session.begin()
    return session


def require_year(year: int) -> int:
    """A year that a book can be for."""
    if not FIRST_YEAR <= year <= today().year:
        raise InputError("error.capture_year", found=year, first=FIRST_YEAR, last=today().year)
    return year


def today() -> datetime.date:
    """The day on this machine."""
    return datetime.date.today()
