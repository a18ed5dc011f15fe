"""The coder's screen "Mã hoá nguyên nhân": one keystroke per decision, in JupyterLab and under Voilà.

    app = CoderApp(home); app.receive([{"do": "choose", "number": 1, "item": app.coding.item.key}]); app.state

The widget, the carrying of events and the page's frame are those of every app (`tkyt_analysis.app_shell`). Every event names
the matter that it is about, so that a key pressed on a slow line never decides something that the coder did not see.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from mortality.coder import page
from mortality.coder.panels import Panels
from mortality.coder.session import Coding, open_coding
from tkyt_analysis.app_shell.app import Event, PageApp
from tkyt_analysis.errors import InputError

WITHOUT_CODING = ("language", "here", "bye", "resume")  # steps that need no queue


class CoderApp(PageApp):
    """coding : the work of this window (None where the account may not code)."""

    name, markup, broken = "coder", page, "coder.broken"
    quiet = ("here", "bye", "resume")

    def __init__(self, home: Path | None = None, *, language: str | None = None, query: str = "") -> None:
        self.coding: Coding | None = None
        self.panels = Panels(self)
        super().__init__(home, language)
        self.state["tab"] = "code"
        self.begin(lambda: self._open(parse_qs(query.lstrip("?")).get("sample", [""])[0]))

    def _open(self, sample: str) -> None:
        coding = open_coding(self.home)
        coding.load(sample)
        self.coding = coding

    def do(self, event: Event) -> None:
        """One step of the coder."""
        name = str(event.get("do", ""))
        step = self.panels.steps.get(name)
        if step is None:
            raise InputError("error.coder_no_step", step=name[:40])
        if self.coding is None and name not in WITHOUT_CODING:
            self._open("")
        step(event)

    def shown(self) -> dict[str, Any]:
        """The matter in hand and the panel that is open."""
        return self.panels.state()

    def close(self) -> None:
        """Close the app; what waits is stored."""
        if self.coding is not None:
            self.coding.outbox.close()
        super().close()
