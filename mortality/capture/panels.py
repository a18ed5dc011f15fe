"""What each event of the page does, and what the page is to show: the form, the queue, the pairs, the records kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mortality.capture import page
from mortality.capture.checking import Remark
from mortality.capture.fields import CORRECTS, REASON, form_fields
from mortality.capture.icd import CODE_OF, Proposal, proposals
from mortality.capture.place import Workplace
from mortality.capture.records import FINISHED
from mortality.capture.session import today
from tkyt_analysis.app_shell.log import log, where_it_broke
from tkyt_analysis.labels import format_number, label

if TYPE_CHECKING:
    from mortality.capture.app import CaptureApp
    from mortality.capture.handin import HandedIn
    from mortality.capture.queue import Waiting
    from mortality.capture.same import Likely, Pair
    from mortality.capture.session import Session

Event = Mapping[str, Any]


class Panels:
    """The steps by the name of their event (`steps`), and the state of the page (`state()`)."""

    without_session = frozenset(
        {"tab", "place", "find", "year", "language", "here", "bye", "queue", "same", "different", "skip", "undo"}
    )

    def __init__(self, app: CaptureApp) -> None:
        self.app = app
        self.year = today().year
        self.found: list[Workplace] = []
        self.field = "cause_text"
        self.remarks: list[Remark] = []
        self.proposals: list[Proposal] = []
        self.likely: list[Likely] = []
        self.waiting: list[Waiting] | None = None
        self.pair: Pair | None = None
        self.skipped: set[tuple[str, str]] = set()
        self.judged: tuple[str, str, str] | None = None
        self.same_said = ""
        self.same_known = False
        self.handed: HandedIn | None = None
        self.asked_twice = False
        self._looked = ""
        self.steps: dict[str, Callable[[Event], None]] = {
            "set": self._set, "leave": self._leave, "focus": self._focus, "code": self._code, "save": self._save,
            "copy": self._copy, "leave_form": self._leave_form, "confirm": self._confirm, "open": self._open,
            "remove": self._remove, "resume": self._resume, "tab": self._tab, "correct": self._correct, "same": self._judge,
            "different": self._judge, "skip": self._skip, "undo": self._undo, "handin": self._hand_in, "place": self._place,
            "here": lambda event: None, "bye": lambda event: self.session.journal.close() if self.app.session else None,
            "find": self._find, "year": self._year, "language": self._language, "new": self._new,
        }  # fmt: skip

    @property
    def session(self) -> Session:
        assert self.app.session is not None
        return self.app.session

    def forget(self) -> None:
        """What belongs to one commune and language."""
        self.waiting, self.pair, self.same_known, self.handed = None, None, False, None
        self.likely, self.proposals, self._looked, self.asked_twice = [], [], "", False
        self._again()

    # -- place, year, language

    def begin(self, unit_id: str) -> None:
        """Open the commune of the address or the account's only one; else offer those that have books."""
        from mortality.capture.place import only_workplace, workplaces_with_books
        from tkyt_analysis.access import current_account

        account = current_account(self.app.home)
        unit = unit_id or only_workplace(account)
        if unit:
            self.app.open_book(unit, self.year)
        else:
            self.found = workplaces_with_books(self.app.home, account)

    def _place(self, event: Event) -> None:
        self.app.open_book(str(event["unit"]), self.year)

    def _find(self, event: Event) -> None:
        from mortality.capture.place import find_workplaces
        from tkyt_analysis.access import current_account

        self.found = find_workplaces(current_account(self.app.home), str(event.get("value", ""))[:80])

    def _year(self, event: Event) -> None:
        from mortality.capture.session import require_year

        text = str(event.get("value", "")).strip()
        self.year = require_year(int(text) if text.isdigit() and len(text) == 4 else 0)
        if self.app.session is not None:
            self.session.book_year = self.year
            self._again()

    def _language(self, event: Event) -> None:
        self.app.speak(str(event.get("value", "")))

    def _tab(self, event: Event) -> None:
        tab = str(event.get("value", ""))
        if tab not in (*page.TABS, "place") or (self.app.session is None and tab in ("enter", "kept")):
            tab = "place"
        self.app.state["tab"] = tab
        if tab == "queue":
            self._fill_queue()
        if tab == "same":
            self._fill_same()

    # -- the form

    def _set(self, event: Event) -> None:
        before = self.session.draft
        self.session.set(str(event["field"]), str(event.get("value", "")))
        if self.session.draft is not before:
            self._changed(str(event["field"]))

    def _leave(self, event: Event) -> None:
        name, text = str(event["field"]), str(event.get("value", ""))
        before = self.session.draft
        self.session.leave(name, text)
        if self.session.draft.values.get(name, "") != text:
            self.app.refill()
        if self.session.draft is not before:
            self._changed(name)
        self._look_for_person()

    def _changed(self, name: str) -> None:
        self.asked_twice = False
        self._again()
        if name in CODE_OF:
            self.field = name
        if name in CODE_OF or name in ("sex", "age", "birth", "death_date"):
            self._propose()

    def _again(self) -> None:
        """Judge the record in the form anew."""
        self.remarks = self.session.remarks(restricted=self._may_know_hiv()) if self.app.session is not None else []

    def _may_know_hiv(self) -> bool:
        from tkyt_analysis.access import current_account, decide

        return decide(current_account(self.app.home), "read_hiv").allowed

    def _focus(self, event: Event) -> None:
        name = str(event.get("field", ""))
        of_code = {code: words for words, code in CODE_OF.items()}
        if name in CODE_OF or name in of_code:
            self.field = name if name in CODE_OF else of_code[name]
            self._propose()

    def _propose(self) -> None:
        self.proposals = proposals(self.session.draft.values, self.field, today=today())

    def _code(self, event: Event) -> None:
        """The chosen code goes into the code field; the words stay as written."""
        number = int(event.get("number", 0))
        chosen = next((one for one in self.proposals if one.number == number), None)
        if chosen is not None:
            self.session.set(CODE_OF[self.field], chosen.code)
            self.session.keep()
            self.app.refill()
            self._again()

    def _look_for_person(self) -> None:
        """Stored records of the same person, once name and date of death are there and whenever they change."""
        from mortality.capture.same import LOOKED_AT, likely_same, may_look

        values = self.session.draft.values
        looked = "\n".join(values.get(name, "") for name in LOOKED_AT)
        if looked == self._looked:
            return
        self._looked, self.likely = looked, []
        if not may_look(values):
            return
        try:
            place = self.session.place.unit_id
            self.likely = likely_same(self.app.home, values, unit_id=place, corrects=values.get(CORRECTS, ""))
        except Exception as error:  # comparing is a help: writing a death down goes on without it
            log.error("capture: records of the same person: %s", where_it_broke(error))

    def _confirm(self, event: Event) -> None:
        rule, field = str(event.get("rule", "")), str(event.get("field", ""))
        for one in self.remarks:
            if one.severity == "warning" and (one.rule_id == rule if rule else one.field == field):
                self.session.confirm(one, yes=not one.confirmed if rule else True)
        self.session.keep()
        self._again()

    def _copy(self, event: Event) -> None:
        self.session.copy_before()
        self.session.keep()
        self.app.refill()
        self._again()

    def _save(self, event: Event) -> None:
        """Keep the record and begin the next; where something is open the first press says so, the second keeps it as unfinished."""
        session = self.session
        if session.draft.is_empty:
            self.app.say(label("capture.nothing_typed"), "warning")
            return
        session.asked = True
        self._again()
        if not session.finish(self.remarks, anyway=self.asked_twice):
            self.asked_twice = True
            open_ones = [one for one in self.remarks if one.severity != "note" and not one.confirmed]
            errors = sum(one.severity == "error" for one in open_ones)
            self.app.say(label("capture.still_open", None, errors=errors, warnings=len(open_ones) - errors), "warning")
            self.app.point_to(open_ones[0].field)
            session.keep()
            return
        done = session.draft.state == FINISHED
        name = session.draft.values.get("full_name", "")
        self._next()
        key = "capture.kept_finished" if done else "capture.kept_unfinished"
        self.app.say(label(key, None, name=name), "ok" if done else "warning")

    def _next(self) -> None:
        self.session.begin()
        self.session.keep()
        self._fresh()

    def _fresh(self) -> None:
        """Another record is in the form."""
        self.asked_twice, self.likely, self._looked, self.field, self.proposals = False, [], "", "cause_text", []
        self.app.state["tab"] = "enter"
        self.app.refill()
        self.app.point_to("full_name")
        self._again()

    def _new(self, event: Event) -> None:
        self._next()

    def _leave_form(self, event: Event) -> None:
        """Esc: the record stays as it is in the list of records that are not handed in."""
        self.session.keep()
        self.app.state["tab"] = "kept"

    def _open(self, event: Event) -> None:
        self.session.open(str(event["key"]))
        self._fresh()

    def _remove(self, event: Event) -> None:
        self.session.remove(str(event["key"]))
        self.session.keep()
        self.app.refill()
        self._again()

    def _resume(self, event: Event) -> None:
        handed = self.session.resume()
        self.handed = handed if handed.answers else None
        self._fresh()
        self._propose()
        self.app.say(
            label("capture.resumed", None, count=sum(not one.is_empty for one in self.session.drafts.values())), "ok"
        )

    def _hand_in(self, event: Event) -> None:
        self.session.keep()
        self.handed = self.session.hand_in()
        self._fresh()
        self.waiting, self.app.state["tab"] = None, "kept"

    # -- the queue, and records of the same person

    def _fill_queue(self) -> None:
        from mortality.capture.queue import waiting_records

        if self.waiting is None:
            self.waiting = waiting_records(self.app.home)

    def _correct(self, event: Event) -> None:
        """Open a stored record for its correction, for the commune where it stands."""
        from mortality.capture.place import require_writing
        from mortality.capture.queue import open_record

        opened = open_record(self.app.home, str(event["record"]), why=label("capture.why_opened"))
        require_writing(self.app.home, opened.unit_id)
        if self.app.session is None or self.session.place.unit_id != opened.unit_id:
            waiting = self.waiting
            self.app.open_book(opened.unit_id, self.year)
            self.waiting = waiting
        self.session.correct(opened.values)
        self.session.asked = True
        self.session.keep()
        self._fresh()
        self._propose()
        key = "capture.correcting" if opened.named else "capture.correcting_unnamed"
        self.app.say(label(key, None, record=opened.death_id[:8]), "info")

    def _fill_same(self) -> None:
        from mortality.capture.same import next_pair

        self.pair, self.same_known = next_pair(self.app.home, skipped=frozenset(self.skipped)), True

    def _judge(self, event: Event) -> None:
        from mortality.capture.same import judge

        if self.pair is None or event.get("a") not in (None, self.pair.record_a):
            return
        decision = str(event["do"])
        reason = str(event.get("reason") or "").strip()[:200] or label(f"capture.same.default_reason.{decision}")
        judge(self.app.home, self.pair.record_a, self.pair.record_b, decision, reason)
        self.judged = (self.pair.record_a, self.pair.record_b, decision)
        self.same_said = label(f"capture.same.said.{decision}")
        self._fill_same()

    def _skip(self, event: Event) -> None:
        if self.pair is not None:
            self.skipped.add((self.pair.record_a, self.pair.record_b))
            self._fill_same()

    def _undo(self, event: Event) -> None:
        """Take back the decision made last."""
        from mortality.capture.same import judge

        if self.judged is not None:
            judge(self.app.home, self.judged[0], self.judged[1], "open", label("capture.same.undone"))
            self.judged, self.same_said = None, ""
            self._fill_same()

    # -- the state of the page

    def state(self) -> dict[str, Any]:
        """What the page shows, as plain values; HTML pieces are made here, values of inputs are set by the script."""
        language, tab = self.app.language, self.app.state["tab"]
        found: dict[str, Any] = {"place": self._place_words(), "html": {}, "counts": {}}
        if tab == "place":
            chosen = self.app.session.place if self.app.session else None
            found["html"]["place"] = page.place_html(self.found, chosen, self.year, language, only=self._only())
        if tab == "queue":
            names = self._names()
            found["html"]["queue"] = page.queue_html(self.waiting or [], names, language)
        if tab == "same":
            found["html"]["same"] = page.pair_html(self.pair, language, last=self.same_said)
        if self.waiting is not None:
            found["counts"]["queue"] = format_number(len(self.waiting), 0, language)
        if self.same_known:
            found["counts"]["same"] = format_number(self.pair.left if self.pair else 0, 0, language)
        return found | (self._form_state(tab) if self.app.session is not None else {"form": None})

    def _only(self) -> bool:
        from mortality.capture.place import only_workplace
        from tkyt_analysis.access import current_account

        return bool(only_workplace(current_account(self.app.home)))

    def _names(self) -> dict[str, str]:
        from mortality.capture.place import names_of

        return names_of(one.unit_id for one in self.waiting or [])

    def _place_words(self) -> str:
        if self.app.session is None:
            return label("capture.choose_place_short")
        return label("capture.place_short", None, place=self.session.place.name, year=str(self.session.book_year))

    def _form_state(self, tab: str) -> dict[str, Any]:
        session, language = self.session, self.app.language
        draft = session.draft
        kept = [one for one in session.drafts.values() if not one.is_empty]
        found: dict[str, Any] = {
            "form": {"key": draft.key, "values": {name: draft.values.get(name, "") for name in (*form_fields(), REASON)}},
            "correction": label("capture.correction", None, record=draft.values[CORRECTS][:8]) if draft.is_correction else "",
            "remarks": [self._remark(one) for one in self.remarks],
            "record": self._record_words(),
            "icd": self._icd(),
            "likely": page.likely_html(self.likely, language),
            "left": page.left_html(session.others(), language),
            "saved": label("capture.saved", None, moment=page.moment(session.saved_at)) if session.saved_at else "",
        }  # fmt: skip
        found["counts"] = {**self.state_counts(), "kept": format_number(len(kept), 0, language) if kept else ""}
        if tab == "kept":
            found["html"] = {"kept": page.kept_html(kept, session.current, self.handed, language)}
        return found

    def state_counts(self) -> dict[str, str]:
        """Numbers beside the names of the panels, where they are known."""
        counts = {}
        if self.waiting is not None:
            counts["queue"] = format_number(len(self.waiting), 0, self.app.language)
        if self.same_known:
            counts["same"] = format_number(self.pair.left if self.pair else 0, 0, self.app.language)
        return counts

    def _remark(self, one: Remark) -> dict[str, Any]:
        mark = "ok" if one.confirmed else one.severity
        key = "capture.severity.confirmed" if one.confirmed else f"capture.severity.{one.severity}"
        answer = "capture.button.unconfirm" if one.confirmed else "capture.button.confirm"
        fields = form_fields()
        return asdict(one) | {
            "title": fields[one.field].title[self.app.language] if one.field in fields else "", "icon": page.ICONS[mark], "mark": mark, "word": label(key),
            "answer": label(answer) if one.severity == "warning" else "",
        }  # fmt: skip

    def _record_words(self) -> str:
        """How far the record in the form is."""
        if self.session.draft.is_empty:
            return label("capture.record.empty")
        open_ones = [one for one in self.remarks if not one.confirmed]
        counts = {name: sum(one.severity == name for one in open_ones) for name in ("error", "warning", "note")}
        if counts["error"] or counts["warning"]:
            return label("capture.record.open", None, errors=counts["error"], warnings=counts["warning"])
        return label("capture.record.clean")

    def _icd(self) -> dict[str, Any]:
        from mortality.capture.icd import heading

        items = [asdict(one) for one in self.proposals]
        words = self.session.draft.values.get(self.field, "")
        nothing = label("capture.icd.nothing") if words and not items else ""
        return {"heading": heading(self.field) if words else "", "items": items, "nothing": nothing}
