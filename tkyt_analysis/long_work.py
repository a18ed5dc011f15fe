"""Long work in a notebook or a terminal: progress, and a cancel that does no harm.

    release = run(lambda step: publish(home, progress=step), title="Công bố")

The function works in a thread; the cell waits. "Huỷ", the kernel's ■ or Ctrl+C raise an interrupt inside the function at its
next step (and end a running query), as if the user had pressed Ctrl+C in it: transactions roll back, what was half written goes.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from tkyt_analysis.errors import ProcessingError
from tkyt_analysis.labels import format_number, label

Result = TypeVar("Result")
LOOK_SECONDS = 0.1


class Cancelled(ProcessingError):
    """Work that was cancelled before it changed anything. A notebook shows the sentence, and stops."""

    def _render_traceback_(self) -> list[str]:
        return [self.sentence()]


class Stopped(KeyboardInterrupt):
    """What a cancelled function meets at its next step: no `except Exception` on its way takes it for a fault of the data."""


class Step:
    """What the function reports to: `step(done, total, what)`, the signature of every `progress=` here.

    step.interrupts(con.interrupt) : what ends a query that is running when the work is cancelled (of a connection that only reads)
    """

    def __init__(self, total: int = 0) -> None:
        self.done, self.total, self.what = 0, total, ""
        self._stopped = threading.Event()
        self._stops: list[Callable[[], Any]] = []

    def __call__(self, done: int, total: int = 0, what: str = "") -> None:
        self.done, self.total, self.what = int(done), int(total) or self.total, what
        self.require_going()

    def require_going(self) -> None:
        """Raise `Stopped` where the work was cancelled."""
        if self._stopped.is_set():
            raise Stopped

    def interrupts(self, stop: Callable[[], Any]) -> None:
        """Name what ends a running query."""
        self._stops.append(stop)

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to stop."""
        return self._stopped.is_set()

    def cancel(self, *_: Any) -> None:
        """Ask to stop; may be called from any thread."""
        self._stopped.set()
        for stop in self._stops:
            stop()

    @property
    def share(self) -> float | None:
        """Between 0 and 1; None while the total is unknown."""
        return min(1.0, self.done / self.total) if self.total else None


class Display(Protocol):
    """What shows a step to a person."""

    def show(self, step: Step, seconds: float) -> None:
        """Called several times a second."""

    def close(self) -> None:
        """The work has ended."""


def run(
    function: Callable[[Step], Result], *, title: str = "", total: int = 0, display: Display | None = None
) -> Result:
    """Run `function(step)` with progress and a way to cancel; its result, or the error that it raised.

    Raises `Cancelled` once a cancelled function has come to its end; where it had finished all the same, its result is returned.
    """
    step = Step(total)
    outcome = _Outcome()
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(outcome.take, function, step), daemon=True)
    shown = display or default_display(step, title)
    started = time.monotonic()
    thread.start()
    try:
        _wait(outcome, step, shown, started)
    finally:
        shown.close()
    return outcome.give(step, title)


def _wait(outcome: _Outcome, step: Step, shown: Display, started: float) -> None:
    """Until the work has ended; a first interrupt cancels, a second one leaves."""
    while True:
        try:
            if outcome.ended.wait(LOOK_SECONDS):  # not Thread.join: interrupted, it takes a running thread for ended
                return
            if step.cancelled:
                step.cancel()  # again: the query may have begun only now
            shown.show(step, time.monotonic() - started)
        except KeyboardInterrupt:
            if step.cancelled:
                raise
            step.cancel()


class _Outcome:
    """What became of the function in its thread."""

    def __init__(self) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self.ended = threading.Event()

    def take(self, function: Callable[[Step], Any], step: Step) -> None:
        try:
            self.result = function(step)
        except BaseException as error:
            self.error = error
        finally:
            self.ended.set()

    def give(self, step: Step, title: str) -> Any:
        if self.error is None:
            return self.result
        if step.cancelled:
            raise Cancelled("error.work_cancelled", title=title or label("work.untitled")) from None
        raise self.error


def default_display(step: Step, title: str) -> Display:
    """Widgets in a notebook, a bar on a terminal."""
    return NotebookDisplay(step, title) if in_notebook() else TerminalDisplay(title)


def in_notebook() -> bool:
    """Whether a Jupyter kernel runs this process."""
    import sys

    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell is not None and hasattr(shell, "kernel")


class TerminalDisplay:
    """A bar on standard error after two seconds."""

    def __init__(self, title: str) -> None:
        from tkyt_analysis.cli.terminal import ProgressBar

        self.bar = ProgressBar(title or label("work.untitled"))

    def show(self, step: Step, seconds: float) -> None:
        self.bar(step.done, step.total, step.what)

    def close(self) -> None:
        self.bar.close()


class NotebookDisplay:
    """Bar, words and the button "Huỷ"; gone when the work has ended."""

    def __init__(self, step: Step, title: str) -> None:
        import ipywidgets as widgets
        from IPython.display import display

        self.bar = widgets.FloatProgress(0.0, min=0.0, max=1.0, layout={"width": "16rem"})
        self.words = widgets.Label(title)
        self.button = widgets.Button(
            description=label("work.cancel"), button_style="warning", tooltip=label("work.cancel_hint")
        )
        self.button.on_click(step.cancel)
        self.title = title or label("work.untitled")
        self.box = widgets.HBox([self.bar, self.button, self.words])
        display(self.box)
        # ipykernel 7.4 hands the click to the thread that made the button, which waits here; without its mark the click
        # goes where the browser sends it: to a thread of its own (subshell). Without such threads ■ remains.
        vars(self.button.comm).pop("_reply_subshell_id", None)

    def show(self, step: Step, seconds: float) -> None:
        self.bar.value = step.share or 0.0
        self.bar.bar_style = "" if step.share is not None else "info"
        key = "work.stopping" if step.cancelled else "work.going"
        share = "" if step.share is None else f"{format_number(100 * step.share)} %"
        words = label(key, None, title=self.title, share=share, what=step.what, seconds=format_number(int(seconds)))
        self.words.value = " ".join(words.split())
        if step.cancelled:
            self.button.disabled = True

    def close(self) -> None:
        self.box.close()
