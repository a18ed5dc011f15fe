"""The capture app "Nhập tử vong": enter or correct a death, in JupyterLab and under Voilà.

    app = CaptureApp(home); app.receive([{"do": "set", "field": "full_name", "value": "…"}]); app.state

The widget, the carrying of events and the page's frame are those of every app (`tkyt_analysis.app_shell`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from mortality.capture import page
from mortality.capture.journal import Kept
from mortality.capture.panels import Panels
from mortality.capture.session import Session, open_session, require_year, today
from tkyt_analysis.app_shell.app import Event, PageApp
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label

AWAY, AWAY_HIDDEN = 12.0, 90.0  # seconds without a word of the page (of one in the background), after which it is gone


class CaptureApp(PageApp):
    """session : the work of this window (None until a commune is chosen)."""

    name, markup, broken = "capture", page, "capture.broken"
    quiet = ("set", "leave", "focus", "find", "here", "bye")

    def __init__(self, home: Path | None = None, *, language: str | None = None, query: str = "") -> None:
        self.session: Session | None = None
        self._form_version = 0
        self._timer: asyncio.TimerHandle | None = None
        self._hidden = False
        self.panels = Panels(self)
        super().__init__(home, language)
        self._start(parse_qs(query.lstrip("?")))

    def _start(self, query: Mapping[str, list[str]]) -> None:
        """The commune and year of the address, else the only commune of the account, else the question which."""
        year = query.get("year", [""])[0]
        self.panels.year = int(year) if year.isdigit() and 1990 <= int(year) <= today().year else today().year
        self.state["tab"] = "place"
        self.begin(lambda: self.panels.begin(query.get("unit", [""])[0]))

    # -- whether the page is still there

    def page_lives(self, told: Mapping[str, Any], *, again: bool) -> None:
        """The page is heard: the window is held for as long as this goes on."""
        self._hidden = bool(told.get("hidden"))
        self._watch()
        if again:
            self._come_back()

    def _watch(self) -> None:
        """Look again in a while; outside a running kernel (a script, a test) there is no page to lose."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_later(AWAY_HIDDEN if self._hidden else AWAY, self._let_go)

    def _let_go(self) -> None:
        """The page was closed or loaded again: its kernel may live on, but another window may go on with the draft."""
        if self.session is not None:
            self.session.journal.close()

    def _come_back(self) -> None:
        """The page is heard again: go on, or begin anew where another window has taken the draft over."""
        if self.session is not None and not self.session.journal.hold_again():
            self.session.take(Kept())
            self.refill()
            self.say(label("capture.taken_over", self.language), "warning")

    # -- steps

    def do(self, event: Event) -> None:
        """One step of a person at the form."""
        name = str(event.get("do", ""))
        step = self.panels.steps.get(name)
        if step is None:
            raise InputError("error.capture_no_field", field=name[:40])
        if self.session is None and name not in self.panels.without_session:
            raise InputError("error.capture_choose_place")
        step(event)

    def after(self, events: Sequence[Event]) -> None:
        """What was typed is kept."""
        if self.session is not None and any(event.get("do") in ("set", "leave") for event in events):
            self.session.keep()

    def open_book(self, unit_id: str, year: int) -> None:
        """Work for a commune's book; what was typed for another one stays in its journal."""
        fresh = open_session(self.home, unit_id, require_year(year))
        if self.session is not None:
            self.session.keep()
            self.session.close()
        self.session = fresh
        self.state["tab"] = "enter"
        self.panels.forget()
        self.refill()

    def speak(self, language: str) -> None:
        """Go on in another language."""
        super().speak(language)
        self.panels.forget()
        self.refill()

    # -- showing

    def refill(self) -> None:
        """Let the page set every input from the record."""
        self._form_version += 1

    def point_to(self, field: str) -> None:
        """Let the page put the cursor into a field."""
        self._said_version += 1
        self.state["focus"] = {"v": self._said_version, "field": field}

    def shown(self) -> dict[str, Any]:
        """The form or the panel that is open."""
        return self.panels.state() | {"version": self._form_version}

    def close(self) -> None:
        """Close the app; what was typed stays in the journal."""
        if self.session is not None:
            self.session.close()
        super().close()
