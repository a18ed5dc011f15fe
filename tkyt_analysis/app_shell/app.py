"""The widget under an app whose page is one piece of HTML, a script and two hidden widgets.

    class MyApp(PageApp):
        name, markup, quiet, broken = "my", page, ("here", "bye"), "my.broken"
        def do(self, event): ...            # one thing that a person did
        def shown(self) -> dict: ...        # what the page is to show, as plain values

What people do comes in as a list of events that the page repeats until it is acknowledged; what is shown goes out as one
state. Python decides everything; the page's values are typed by people and are checked like a file that came in.
"""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, Protocol

import ipywidgets as widgets

from tkyt_analysis.app_shell.log import log, where_it_broke
from tkyt_analysis.errors import TkytError
from tkyt_analysis.labels import LANGUAGES, current_language, label, set_language, speaking
from tkyt_analysis.settings import home_directory

LARGEST = 200_000  # characters of one message of the page
Event = Mapping[str, Any]


class Markup(Protocol):
    """The parts of an app's page (a module of three functions)."""

    def style_html(self) -> str: ...

    def script_html(self) -> str: ...

    def skeleton_html(self, language: str, *, practice: bool) -> str: ...


class PageApp(widgets.VBox):
    """state : what the page shows, as plain values; error : the sentence shown last, or "".

    name : class `tkyt-<name>` of the page, and the app's name in the log; quiet : steps that leave the sentence over the
    page as it stands; broken : label of the sentence for what should not have happened (field `code`)
    """

    name: str
    markup: Markup
    quiet: tuple[str, ...]
    broken: str

    def __init__(self, home: Path | None, language: str | None) -> None:
        self.home = Path(home or home_directory())
        self.language = language or current_language()
        self.state: dict[str, Any] = {"ack": 0}
        self.error = ""
        self._acknowledged = self._said_version = 0
        self._skeleton = widgets.HTML()
        self._shown = widgets.HTML(layout={"display": "none"})
        self._told = widgets.Textarea(continuous_update=True)
        self._shown.add_class("cap-in")
        self._told.add_class("cap-out")
        super().__init__([widgets.HTML(self.markup.style_html()), self._skeleton, self._shown, self._told])
        self.add_class("tkyt-app")
        self.add_class(f"tkyt-{self.name}")
        self._told.observe(self._heard, "value")
        self._lay_out()

    def __repr__(self) -> str:
        """Short: a page carries this text too."""
        return type(self).__name__

    def _ipython_display_(self) -> None:
        """The script, then the widget."""
        from IPython.display import HTML, display

        display(HTML(self.markup.script_html()))
        display(self._repr_mimebundle_(), raw=True)

    def _lay_out(self) -> None:
        from tkyt_analysis.warehouse.lake import is_practice

        self._skeleton.value = self.markup.skeleton_html(self.language, practice=is_practice(self.home))

    # -- what each app does

    @abstractmethod
    def do(self, event: Event) -> None:
        """One thing that a person did."""

    @abstractmethod
    def shown(self) -> dict[str, Any]:
        """What the page is to show."""

    def after(self, events: Sequence[Event]) -> None:
        """What follows a group of events."""

    def page_lives(self, told: Mapping[str, Any], *, again: bool) -> None:
        """A message of the page came; `again`: it holds events that are new."""

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
        self.page_lives(told, again=bool(events))
        if events:
            self._acknowledged = max(int(one["s"]) for one in events)
            self.receive(events)

    def receive(self, events: Sequence[Event]) -> None:
        """Do what a person did, in order, and show what came of it."""
        with speaking(self.language):
            for event in events:
                if event.get("do") not in self.quiet:
                    self.say("")
                self._guarded(partial(self.do, event))
            self._guarded(partial(self.after, events))
        self.show()

    def begin(self, step: Callable[[], None]) -> None:
        """The first step of an app, and what came of it."""
        with speaking(self.language):
            self._guarded(step)
        self.show()

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
        with speaking(self.language):
            self._guarded(lambda: self.state.update(self.shown()))
        self.state["ack"] = self._acknowledged
        data = escape(json.dumps(self.state, ensure_ascii=False), quote=True)
        self._shown.value = f'<div class="cap-data" data-state="{data}"></div>'

    def _guarded(self, step: Callable[[], None]) -> None:
        """Run a step; what goes wrong becomes a sentence on the page, kind and place of the error go to the log file."""
        try:
            step()
        except TkytError as error:
            self.error = error.sentence(self.language)
            self.say(self.error, "error")
        except Exception as error:
            code = hashlib.sha256(type(error).__name__.encode()).hexdigest()[:6]
            log.error("%s %s %s", self.name, code, where_it_broke(error))
            self.error = label(self.broken, self.language, code=code)
            self.say(self.error, "error")
