"""The explorer: pivot table, chart and map by picking, in JupyterLab and under Voilà.

    app = ExplorerApp(home); app.pick.province.value = "VN2025:51"; app.pivot; app.code

What is shown is one value (`app.state`); every picker leads from one state to the next (state.py), and the figures, the
code, the saved view and the file all come from it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import ipywidgets as widgets

from tkyt_analysis.app_shell.log import log
from tkyt_analysis.dashboards.overview import SAID_TO_VIEWERS
from tkyt_analysis.errors import InputError, TkytError
from tkyt_analysis.explorer import page
from tkyt_analysis.explorer.code import code_of
from tkyt_analysis.explorer.controls import Controls, press, show, with_parts
from tkyt_analysis.explorer.filling import fill_all, fill_details
from tkyt_analysis.explorer.first import first_state
from tkyt_analysis.explorer.keeping import Keeping
from tkyt_analysis.explorer.listening import listen
from tkyt_analysis.explorer.problems import Fix, Problem, nothing_found, problem_of, too_large
from tkyt_analysis.explorer.source import Source
from tkyt_analysis.explorer.state import State, shown_as
from tkyt_analysis.labels import current_language, label, speaking
from tkyt_analysis.settings import home_directory
from tkyt_analysis.warehouse.release import Release

if TYPE_CHECKING:
    from tkyt_analysis.cube.model import Measure
    from tkyt_analysis.explorer.layout import Pivot

SETTLE_SECONDS = 0.06  # how long the app waits for further changes before it asks the release
ASIDE_SECONDS = 1.5  # after which the view in work is put aside
MOST_STEPS_BACK = 50
MOST_MARKUP = 3_000_000  # characters of a table or picture that a page carries


class ExplorerApp(widgets.VBox):
    """Pickers, a table or picture, and what can be done with it.

    pick : every widget by its name (controls.py); state : what is asked and how it is laid out
    pivot : the table shown (None where nothing can be); code : the cell that gives the same; error : the sentence shown
    instead, or ""; problem : the same with its buttons
    """

    def __init__(
        self,
        home: Path | None = None,
        *,
        language: str | None = None,
        release_id: str | None = None,
        state: State | None = None,
        query: str = "",
        source: Source | None = None,
    ) -> None:
        self.language = language or current_language()
        self.pick = Controls()
        self.trail: list[tuple[str, State]] = []
        self.error, self.code = "", ""
        self.problem: Problem | None = None
        self._pivot: Pivot | None = None
        self._back: deque[tuple[State, list[tuple[str, State]]]] = deque(maxlen=MOST_STEPS_BACK)
        self._due: asyncio.TimerHandle | None = None
        self._aside: asyncio.TimerHandle | None = None
        self._style = widgets.HTML(page.style_html())
        super().__init__([self._style, self.pick.head])
        self.add_class("tkyt-app")
        try:
            self.source = source or Source(Release(home or home_directory(), release_id))
            self.state = state or first_state(self.source)
            self.keep = Keeping(self)
        except TkytError as error:
            self._say_closed(error)
            return
        self.children = [self._style, *self.pick.page()]
        self._start(state, query)

    def _start(self, state: State | None, query: str) -> None:
        """The first picture: the state given, the view that the address names, or the default with an offer to go on."""
        self.say_words()
        listen(self)
        wanted = parse_qs(query.lstrip("?")).get("view", [""])[0]
        if wanted:
            self.keep.open_named(wanted)
        elif state is None:
            self.keep.offer_last()
        self.refresh()

    def __repr__(self) -> str:
        """Short: a page carries this text too."""
        return "ExplorerApp"

    @property
    def measures(self) -> Mapping[str, Measure]:
        """What the release can be asked for."""
        return self.source.measures

    @property
    def pivot(self) -> Pivot | None:
        """The table shown; what still waits to be computed is computed first."""
        if self._due is not None:
            self.refresh()
        return self._pivot

    # -- going from state to state

    def go(self, state: State, *, trail: list[tuple[str, State]] | None = None, back: bool = True) -> None:
        """Show another state. A new `trail` of what was looked into replaces the old one."""
        if state == self.state and trail is None:
            return
        if back:
            self._back.append((self.state, self.trail))
        self.state, self.trail = state, self.trail if trail is None else trail
        self.later()

    def undo(self) -> None:
        """Back to what was shown before the last step."""
        if self._back:
            state, trail = self._back.pop()
            self.go(state, trail=trail, back=False)

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._back)

    def later(self) -> None:
        """Say that it is being computed, and compute when no further change has come for a moment."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a script or a test: at once
            self.refresh()
            return
        if self._due is not None:
            self._due.cancel()
        self.pick.status.value = page.status_html(label("explorer.computing", self.language), self.language, busy=True)
        self._due = loop.call_later(SETTLE_SECONDS, self.refresh)

    def refresh(self) -> None:
        """Set every picker to the state, and show it."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        self.guarded(self._show)
        self._later_aside()

    def _show(self) -> None:
        fill_all(self)
        self.error, self._pivot, self.code = "", None, ""
        self.problem = problem_of(self.state, self.measures, self.language) or self._too_large()
        if self.problem is None:
            try:
                self._paint()
            except InputError as error:
                self.problem = self._problem_of(error)
        if self.problem is not None:
            self.error = self.problem.sentence
        self._show_advice()

    def _too_large(self) -> Problem | None:
        return too_large(self.state, self.measures, partial(self.source.count, self.state.view), self.language)

    def _paint(self) -> None:
        view, layout = self.state.view, self.state.layout
        pivot = self.source.pivot(view, layout)
        if not (pivot.status != "").any():
            self.problem = nothing_found(self.state, self.source.top_place, self.language, self.measures)
            return
        markup = page.shown_html(pivot, self.language)
        if len(markup) > MOST_MARKUP:
            raise InputError("error.explorer_too_large", rows=len(pivot.row_keys), columns=len(pivot.column_keys))
        self._pivot = pivot
        self.pick.result.value = markup
        release_id = "" if self.source.is_current else self.source.release.release_id
        self.code = code_of(view, layout, language=self.language, release_id=release_id)
        self.keep.show_code()
        fill_details(self)
        self.pick.status.value = page.status_html(page.size_words(pivot, self.language), self.language)

    def _problem_of(self, error: InputError) -> Problem:
        """A refusal of cube, pivot or picture with the way back to a table and to the step before."""
        fixes = []
        if self.state.layout.picture != "table":
            fixes.append(Fix(label("explorer.fix.table", self.language), shown_as(self.state, picture="table")))
        if self._back:
            fixes.append(Fix(label("explorer.fix.back", self.language), self._back[-1][0]))
        return Problem(error.sentence(self.language), tuple(fixes))

    def _show_advice(self) -> None:
        found = self.problem
        show(self.pick.advising, found is not None)
        press(self.pick.fixes, [fix.text for fix in found.fixes] if found else [])
        if found:
            self.pick.advice.value = page.advice_html(found.sentence, self.language)
            self.pick.result.value = ""
            self.pick.status.value = page.status_html("", self.language)
            self.keep.show_code()
        for widget in (self.pick.result, self.pick.looking):
            show(widget, found is None)

    def mend(self, number: int) -> None:
        """Take the step of a button beside a sentence."""
        if self.problem is None or number >= len(self.problem.fixes):
            return
        state = self.problem.fixes[number].state
        if self._back and state is self._back[-1][0]:
            self.undo()
        else:
            self.go(state)

    # -- the view in work, put aside

    def _later_aside(self) -> None:
        """Put the view aside a moment after the picture is painted, so that nobody waits for the disk."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.keep.put_aside()
            return
        if self._aside is not None:
            self._aside.cancel()
        self._aside = loop.call_later(ASIDE_SECONDS, self.keep.put_aside)

    # -- words and errors

    def say_words(self) -> None:
        """Everything that stands still, in the language."""
        with self.pick.quiet():
            self.pick.words(self.language)
        self.pick.head.value = page.head_html(self.source.release, self.language)
        self.pick.foot.value = page.foot_html(self.source.release, self.language)

    def speak(self, language: str) -> None:
        """Go on in another language."""
        self.language = language
        self.say_words()
        self.refresh()

    def guarded(self, step: Callable[[], None]) -> None:
        """Run a step; what goes wrong becomes a sentence on the page, the traceback goes to the log file."""
        with speaking(self.language):
            try:
                step()
            except TkytError as error:
                self._refuse(error.sentence(self.language))
            except Exception as error:
                self._refuse(self.broken(error))

    def broken(self, error: Exception) -> str:
        """The sentence for what should not have happened; the traceback goes to the log file under its code."""
        code = hashlib.sha256(repr(error).encode()).hexdigest()[:6]
        log.exception("explorer %s", code)
        return label("overview.broken", self.language, release=self.source.release.release_id, code=code)

    def _refuse(self, sentence: str) -> None:
        fixes = (Fix(label("explorer.fix.back", self.language), self._back[-1][0]),) if self._back else ()
        self.problem, self.error, self._pivot, self.code = Problem(sentence, fixes), sentence, None, ""
        self._show_advice()

    def _say_closed(self, error: TkytError) -> None:
        log.warning("%s", error)
        known = error.key in SAID_TO_VIEWERS or error.key.startswith("error.cube_")
        self.error = error.sentence(self.language) if known else label("overview.no_release", self.language)
        self.pick.head.value = page.head_html(None, self.language)
        self.pick.advice.value = page.advice_html(self.error, self.language)
        self.children = [self._style, self.pick.head, self.pick.advice]

    def close(self) -> None:
        """Close the app with all its widgets."""
        for timer in (self._due, self._aside):
            if timer is not None:
                timer.cancel()
        parts = [one for one in with_parts(self) if one is not self]
        super().close()
        for one in parts:
            one.close()
