"""The coder's screen "Mã hoá nguyên nhân": one keystroke per decision, in JupyterLab and under Voilà.

    app = CoderApp(home); app.receive([{"do": "choose", "number": 1, "item": app.coding.item.key}]); app.state

Built like the capture app: one piece of HTML, a script (coder.js) and two hidden widgets. What the coder does comes in as events
that are repeated until they are acknowledged; what is shown goes out as one state. Every event names the matter that
it is about, so that a key pressed on a slow line never decides something that the coder did not see.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from functools import partial
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import ipywidgets as widgets

from mortality.coder import page
from mortality.coder.panels import Panels
from mortality.coder.session import Coding, open_coding
from tkyt_analysis.errors import InputError, TkytError
from tkyt_analysis.labels import LANGUAGES, current_language, label, set_language
from tkyt_analysis.settings import home_directory

QUIET = ("here", "bye", "resume")  # steps that leave the sentence over the page as it stands
LARGEST = 200_000  # characters of one message of the page
log = logging.getLogger("mortality.capture")  # the log file of the apps


class CoderApp(widgets.VBox):
    """coding : the work of this window (None where the account may not code); state : what the page shows, as plain values.

    error : the sentence shown last, or ""
    """

    def __init__(self, home: Path | None = None, *, language: str | None = None, query: str = "") -> None:
        self.home = Path(home or home_directory())
        self.language = language or current_language()
        self.coding: Coding | None = None
        self.state: dict[str, Any] = {"ack": 0, "tab": "code"}
        self.error = ""
        self._acknowledged = self._said_version = 0
        self.panels = Panels(self)
        self._skeleton = widgets.HTML()
        self._shown = widgets.HTML(layout={"display": "none"})
        self._told = widgets.Textarea(continuous_update=True)
        self._shown.add_class("cap-in")
        self._told.add_class("cap-out")
        super().__init__([widgets.HTML(page.style_html()), self._skeleton, self._shown, self._told])
        self.add_class("tkyt-app")
        self.add_class("tkyt-coder")
        self._told.observe(self._heard, "value")
        self._lay_out()
        with self._speaking():
            self._guarded(lambda: self._begin(parse_qs(query.lstrip("?")).get("sample", [""])[0]))
        self.show()

    def __repr__(self) -> str:
        """Short: a page carries this text too."""
        return "CoderApp"

    def _ipython_display_(self) -> None:
        """The script, then the widget."""
        from IPython.display import HTML, display

        display(HTML(page.script_html()))
        display(self._repr_mimebundle_(), raw=True)

    def _lay_out(self) -> None:
        from tkyt_analysis.warehouse.lake import is_practice

        self._skeleton.value = page.skeleton_html(self.language, practice=is_practice(self.home))

    def _begin(self, sample: str) -> None:
        coding = open_coding(self.home)
        coding.load(sample)
        self.coding = coding

    # -- hearing

    def _heard(self, change: Any) -> None:
        """A message of the page: events that are not acknowledged yet, oldest first."""
        text = str(change["new"])
        if not text or len(text) > LARGEST:
            return
        try:
            events = [one for one in json.loads(text)["events"] if int(one["s"]) > self._acknowledged]
        except (ValueError, KeyError, TypeError):
            return
        if events:
            self._acknowledged = max(int(one["s"]) for one in events)
            self.receive(events)

    def receive(self, events: list[dict[str, Any]]) -> None:
        """Do what a person did, in order, and show what came of it."""
        with self._speaking():
            for event in events:
                if event.get("do") not in QUIET:
                    self.say("")
                self._guarded(partial(self._do, event))
        self.show()

    def _do(self, event: Mapping[str, Any]) -> None:
        step: Callable[[Mapping[str, Any]], None] | None = self.panels.steps.get(str(event.get("do", "")))
        if step is None:
            raise InputError("error.coder_no_step", step=str(event.get("do", ""))[:40])
        if self.coding is None and event.get("do") not in ("language", "here", "bye", "resume"):
            self._begin("")
        step(event)

    def speak(self, language: str) -> None:
        """Go on in another language."""
        if language in LANGUAGES:
            self.language = language
            set_language(language)
            self._lay_out()

    # -- showing

    def say(self, sentence: str, kind: str = "info") -> None:
        """A sentence over the page."""
        self._said_version += 1
        self.state["said"] = {"v": self._said_version, "text": sentence, "kind": kind}

    def show(self) -> None:
        """Send the state to the page."""
        with self._speaking():
            self._guarded(lambda: self.state.update(self.panels.state()))
        self.state["ack"] = self._acknowledged
        data = escape(json.dumps(self.state, ensure_ascii=False), quote=True)
        self._shown.value = f'<div class="cap-data" data-state="{data}"></div>'

    # -- errors

    @contextmanager
    def _speaking(self) -> Any:
        """Sentences come in the page's language, whatever the session's is."""
        before = current_language()
        set_language(self.language)
        try:
            yield
        finally:
            set_language(before)

    def _guarded(self, step: Callable[[], Any]) -> None:
        """Run a step; what goes wrong becomes a sentence on the page, the type of the error goes to the log file."""
        try:
            step()
        except TkytError as error:
            self.error = error.sentence(self.language)
            self.say(self.error, "error")
        except Exception as error:
            from mortality.capture.checking import where_it_broke

            code = hashlib.sha256(type(error).__name__.encode()).hexdigest()[:6]
            log.error("coder %s %s", code, where_it_broke(error))
            self.error = label("coder.broken", self.language, code=code)
            self.say(self.error, "error")

    def close(self) -> None:
        """Close the app; what waits is stored."""
        if self.coding is not None:
            self.coding.outbox.close()
        super().close()
