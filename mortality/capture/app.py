"""The capture app "Nhập tử vong": enter or correct a death, in JupyterLab and under Voilà.

    app = CaptureApp(home); app.receive([{"do": "set", "field": "full_name", "value": "…"}]); app.state

The page is one piece of HTML, a script (capture.js) and two hidden widgets: what people do comes in as a list of events
that is repeated until it is acknowledged; what is shown goes out as one state. Python decides everything; the page's values
are typed by people and are checked like a file that came in.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from functools import partial
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import ipywidgets as widgets

from mortality.capture import page
from mortality.capture.checking import where_it_broke
from mortality.capture.journal import Kept
from mortality.capture.panels import Panels
from mortality.capture.session import Session, open_session, require_year, today
from tkyt_analysis.errors import InputError, TkytError
from tkyt_analysis.labels import LANGUAGES, current_language, label, set_language
from tkyt_analysis.settings import home_directory

LOG_FILE = "TKYT_DASHBOARD_LOG"
AWAY, AWAY_HIDDEN = 12.0, 90.0  # seconds without a word of the page (of one in the background), after which it is gone
QUIET = ("set", "leave", "focus", "find", "here", "bye")  # steps that leave the sentence over the form as it stands
LARGEST = 200_000  # characters of one message of the page
log = logging.getLogger("mortality.capture")
log.propagate = False
log.addHandler(logging.FileHandler(os.environ[LOG_FILE], delay=True) if LOG_FILE in os.environ else logging.NullHandler())  # fmt: skip


class CaptureApp(widgets.VBox):
    """session : the work of this window (None until a commune is chosen); state : what the page shows, as plain values.

    error : the sentence shown last, or ""
    """

    def __init__(self, home: Path | None = None, *, language: str | None = None, query: str = "") -> None:
        self.home = Path(home or home_directory())
        self.language = language or current_language()
        self.session: Session | None = None
        self.state: dict[str, Any] = {"ack": 0}
        self.error = ""
        self._acknowledged = self._form_version = self._said_version = 0
        self._timer: asyncio.TimerHandle | None = None
        self._hidden = False
        self.panels = Panels(self)
        self._skeleton = widgets.HTML()
        self._shown = widgets.HTML(layout={"display": "none"})
        self._told = widgets.Textarea(continuous_update=True)
        self._shown.add_class("cap-in")
        self._told.add_class("cap-out")
        super().__init__([widgets.HTML(page.style_html()), self._skeleton, self._shown, self._told])
        self.add_class("tkyt-app")
        self.add_class("tkyt-capture")
        self._told.observe(self._heard, "value")
        self._lay_out()
        self._start(parse_qs(query.lstrip("?")))

    def __repr__(self) -> str:
        """Short: a page carries this text too."""
        return "CaptureApp"

    def _ipython_display_(self) -> None:
        """The script, then the widget."""
        from IPython.display import HTML, display

        display(HTML(page.script_html()))
        display(self._repr_mimebundle_(), raw=True)

    def _lay_out(self) -> None:
        from tkyt_analysis.warehouse.lake import is_practice

        self._skeleton.value = page.skeleton_html(self.language, practice=is_practice(self.home))

    def _start(self, query: Mapping[str, list[str]]) -> None:
        """The commune and year of the address, else the only commune of the account, else the question which."""
        year = query.get("year", [""])[0]
        self.panels.year = int(year) if year.isdigit() and 1990 <= int(year) <= today().year else today().year
        self.state["tab"] = "place"
        with self._speaking():
            self._guarded(lambda: self.panels.begin(query.get("unit", [""])[0]))
        self.show()

    # -- hearing

    def _heard(self, change: Any) -> None:
        """A message of the page: events that are not acknowledged yet, oldest first."""
        text = str(change["new"])
        if not text or len(text) > LARGEST:
            return
        try:
            told = json.loads(text)
            events = [one for one in told["events"] if int(one["s"]) > self._acknowledged]
        except (ValueError, KeyError, TypeError):
            return
        self._hidden = bool(told.get("hidden"))
        self._watch()
        if events:
            self._come_back()
            self._acknowledged = max(int(one["s"]) for one in events)
            self.receive(events)

    # -- whether the page is still there

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

    def receive(self, events: list[dict[str, Any]]) -> None:
        """Do what a person did, in order, and show what came of it."""
        with self._speaking():
            typed = False
            for event in events:
                if event.get("do") not in QUIET:
                    self.say("")
                self._guarded(partial(self._do, event))
                typed = typed or event.get("do") in ("set", "leave")
            if typed and self.session is not None:
                self._guarded(self.session.keep)
        self.show()

    def _do(self, event: Mapping[str, Any]) -> None:
        name = str(event.get("do", ""))
        step: Callable[[Mapping[str, Any]], None] | None = self.panels.steps.get(name)
        if step is None:
            raise InputError("error.capture_no_field", field=name[:40])
        if self.session is None and name not in self.panels.without_session:
            raise InputError("error.capture_choose_place")
        step(event)

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
        if language not in LANGUAGES:
            return
        self.language = language
        set_language(language)
        self.panels.forget()
        self._lay_out()
        self.refill()

    # -- showing

    def say(self, sentence: str, kind: str = "info") -> None:
        """A sentence over the form."""
        self._said_version += 1
        self.state["said"] = {"v": self._said_version, "text": sentence, "kind": kind}

    def refill(self) -> None:
        """Let the page set every input from the record."""
        self._form_version += 1

    def point_to(self, field: str) -> None:
        """Let the page put the cursor into a field."""
        self._said_version += 1
        self.state["focus"] = {"v": self._said_version, "field": field}

    def show(self) -> None:
        """Send the state to the page."""
        with self._speaking():
            self._guarded(self._fill_state)
        self.state["ack"] = self._acknowledged
        data = escape(json.dumps(self.state, ensure_ascii=False), quote=True)
        self._shown.value = f'<div class="cap-data" data-state="{data}"></div>'

    def _fill_state(self) -> None:
        self.state |= self.panels.state()
        self.state["version"] = self._form_version

    # -- errors

    @contextmanager
    def _speaking(self) -> Any:
        """Sentences come in the page's language, whatever the session's is."""
        before = current_language()
        set_language(self.language)
        try:
            yield
            set_language(before)
        except BaseException:
            set_language(before)
            raise

    def _guarded(self, step: Callable[[], Any]) -> None:
        """Run a step; what goes wrong becomes a sentence on the page, the traceback goes to the log file."""
        try:
            step()
        except TkytError as error:
            self.error = error.sentence(self.language)
            self.say(self.error, "error")
        except Exception as error:
            code = hashlib.sha256(type(error).__name__.encode()).hexdigest()[:6]
            log.error("capture %s %s", code, where_it_broke(error))
            self.error = label("capture.broken", self.language, code=code)
            self.say(self.error, "error")

    def close(self) -> None:
        """Close the app; what was typed stays in the journal."""
        if self.session is not None:
            self.session.close()
        super().close()
