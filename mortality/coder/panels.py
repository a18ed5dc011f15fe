"""What each step of the page does, and what each panel shows. The page's values are typed by people: all are checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mortality.coder import page, tables
from mortality.coder.agreement import Agreement, agreement
from mortality.coder.session import Coding
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label

if TYPE_CHECKING:
    from mortality.coder.app import CoderApp

Event = Mapping[str, Any]
MOST_SKIPPED, MOST_LISTED = 500, 300


class Panels:
    """steps : what the page may ask for, by name."""

    def __init__(self, app: CoderApp) -> None:
        self.app = app
        self.found: Agreement | None = None
        self._entries: tuple[list[dict[str, Any]], str] | None = None
        self._samples: list[dict[str, Any]] | None = None
        self.steps: dict[str, Callable[[Event], None]] = {
            "choose": self._choose, "uncodable": self._uncodable, "ask": self._ask, "next": self._next, "undo": self._undo,
            "search": self._search, "sex": self._sex, "open": self._open, "reload": self._reload, "tab": self._tab,
            "review": self._review, "sample": self._sample, "kappa": self._kappa, "language": self._language, "here": self._here,
            "bye": self._bye, "resume": self._resume,
        }  # fmt: skip

    @property
    def coding(self) -> Coding:
        if self.app.coding is None:
            raise InputError("error.coder_item_gone")
        return self.app.coding

    # -- steps on the matter in hand

    def _choose(self, event: Event) -> None:
        choice = self.coding.choose(int(event.get("number", 0)), item=str(event["item"]), note=_note(event))
        self._said("coder.said.code", code=choice.code, text=choice.text, deaths=format_number(choice.deaths))

    def _uncodable(self, event: Event) -> None:
        choice = self.coding.refuse("uncodable", item=str(event["item"]), note=_note(event))
        self._said("coder.said.uncodable", text=choice.text)

    def _ask(self, event: Event) -> None:
        choice = self.coding.refuse("ask", item=str(event["item"]), note=_note(event))
        self._said("coder.said.ask", text=choice.text)

    def _said(self, key: str, **fields: str) -> None:
        self.app.say(label(key, None, **fields), "ok")
        self._entries = self._samples = None

    def _next(self, event: Event) -> None:
        self.coding.put_off(item=str(event["item"]))

    def _undo(self, event: Event) -> None:
        self.coding.take_back()
        self._said("coder.said.undone")

    def _search(self, event: Event) -> None:
        self.coding.search(str(event.get("value", ""))[:200])

    def _sex(self, event: Event) -> None:
        sex = str(event.get("value", ""))
        if sex in ("", "male", "female"):
            self.coding.limit_to(sex)

    # -- the other panels

    def _open(self, event: Event) -> None:
        self.coding.open(str(event["item"]))
        self.app.state["tab"] = "code"

    def _reload(self, event: Event) -> None:
        self.coding.load(self.coding.sample)
        self._entries = self._samples = None

    def _tab(self, event: Event) -> None:
        tab = str(event.get("value", ""))
        self.app.state["tab"] = tab if tab in page.TABS else "code"
        if tab in ("learnt", "double"):
            self.coding.outbox.flush()

    def _review(self, event: Event) -> None:
        from mortality.coder.entries import review_entry

        verdict = str(event["value"])
        done = review_entry(self.app.home, str(event["item"]), verdict, str(event.get("reason", ""))[:200])
        self._said(
            "coder.said.reviewed",
            expression=done["expression"],
            code=done["code"],
            state=label(f"coder.verdict.{verdict}"),
        )

    def _sample(self, event: Event) -> None:
        self.coding.load(str(event.get("value", ""))[:40])
        self.coding.skipped = []
        self.app.state["tab"] = "code"

    def _kappa(self, event: Event) -> None:
        self.found = agreement(self.app.home, str(event["value"])[:40])

    def _language(self, event: Event) -> None:
        self.app.speak(str(event.get("value", "")))

    # -- whether the page is there

    def _here(self, event: Event) -> None:
        """The page lives: nothing to do; what waits to be stored shows on the next state."""

    def _bye(self, event: Event) -> None:
        """The page goes away: store at once what waits."""
        if self.app.coding is not None:
            self.app.coding.outbox.flush()

    def _resume(self, event: Event) -> None:
        """After a reload: what had been put off, the sample and the panel as the browser remembers them."""
        if self.app.coding is None:
            return
        sample = str(event.get("sample", ""))[:40]
        if sample and not self.coding.sample:
            self.coding.load(sample)
        skipped = event.get("skipped")
        self.coding.skipped = [str(one)[:16] for one in skipped[:MOST_SKIPPED]] if isinstance(skipped, list) else []
        self.coding.next_item()
        self._tab({"value": event.get("tab", "code")})

    # -- the state of the page

    def state(self) -> dict[str, Any]:
        """What the page shows, as plain values; HTML pieces are made here."""
        coding, language, tab = self.app.coding, self.app.language, self.app.state["tab"]
        if coding is None:
            return {"html": {}, "counts": {}, "item": "", "shown": False}
        found: dict[str, Any] = {
            "item": coding.item.key if coding.item else "", "shown": True, "sample": coding.sample, "skipped": coding.skipped[-MOST_SKIPPED:],
            "counts": {"code": format_number(coding.left, 0, language)}, "html": self._code(coding, language),
        }  # fmt: skip
        if coding.outbox.problem is not None:
            found["problem"] = label("coder.not_stored", language, problem=coding.outbox.problem.sentence(language))
        if tab == "list":
            found["html"]["list"] = tables.list_html(coding, language)
        if tab == "learnt":
            found["html"]["learnt"] = self._learnt(language)
        if tab == "double":
            found["html"]["double"] = self._double(coding, language)
        return found

    def _code(self, coding: Coding, language: str) -> dict[str, str]:
        return {
            "progress": page.progress_html(coding, language),
            "item": page.item_html(coding, language),
            "similar": page.similar_html(coding.similar(), language) if coding.item and not coding.sample else "",
        }

    def _learnt(self, language: str) -> str:
        from mortality.coder.choices import is_reviewer
        from mortality.coder.entries import entries
        from tkyt_analysis.access import current_account

        if self._entries is None:
            rows = entries(self.app.home)
            version = rows.attrs["version"]
            order = rows["state"].map({"disputed": 0, "imported": 1, "waiting": 2}).fillna(3)
            rows = rows.assign(order=order).sort_values(["order", "deaths"], ascending=[True, False]).head(MOST_LISTED)
            self._entries = (
                [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")],
                version,
            )
        reviewer = is_reviewer(current_account(self.app.home))
        return tables.learnt_html(self._entries[0], language, version=self._entries[1], reviewer=reviewer)

    def _double(self, coding: Coding, language: str) -> str:
        from mortality.coder.sample import samples

        if self._samples is None:
            rows = samples(self.app.home).to_dict("records")
            self._samples = [{str(name): value for name, value in row.items()} for row in rows]
        return tables.double_html(self._samples, self.found, language, current=coding.sample, me=coding.account)


def _note(event: Event) -> str:
    return str(event.get("note", ""))[:200]
