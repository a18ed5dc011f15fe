"""One notebook through papermill, watched: progress by cell, a way to stop it, and no failed run taken for a success.

papermill alone reports success after a killed kernel or `sys.exit(0)`. Here a run has succeeded only if papermill
returned, every code cell is `completed`, and the notebook's last cell wrote its result file.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tkyt_analysis.access.masking import mask_text
from tkyt_analysis.errors import ProcessingError

RESULT_FILE = "TKYT_RESULT_FILE"
PATIENCE_SECONDS = 5.0  # how long an interrupted cell may take to stop before its kernel is ended

Progress = Callable[[int, int, str], None]


class RunCancelled(ProcessingError):
    """Somebody stopped the run: nothing was made, nothing is left."""


class Cancellation:
    """A way to stop a run from another thread: `ask()` interrupts the cell that is running."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._kernel: int | None = None

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    def ask(self) -> None:
        """Stop the run; a kernel that does not stop within a few seconds is ended."""
        self._asked.set()
        self._signal(signal.SIGINT)
        timer = threading.Timer(PATIENCE_SECONDS, self._signal, [signal.SIGKILL])
        timer.daemon = True
        timer.start()

    def kernel_started(self, process: int) -> None:
        """The process to interrupt."""
        self._kernel = process

    def kernel_ended(self) -> None:
        """There is nothing to interrupt any more."""
        self._kernel = None

    def require_wanted(self, name: str) -> None:
        """Raise RunCancelled where somebody asked to stop."""
        if self.asked:
            raise RunCancelled("error.report_cancelled", report=name)

    def _signal(self, number: signal.Signals) -> None:
        if self._kernel is not None:
            with suppress(ProcessLookupError):
                os.kill(self._kernel, number)


class _Watch:
    """What nbclient calls before each cell: stop if somebody asked, else say which part of the notebook runs."""

    def __init__(self, name: str, progress: Progress | None, cancellation: Cancellation) -> None:
        self.name, self.progress, self.cancellation = name, progress, cancellation
        self.cells, self.part = 0, ""

    def notebook_start(self, notebook: Any) -> None:
        self.cells = len(notebook.cells)

    def cell_start(self, cell: Any, cell_index: int) -> None:
        self.cancellation.require_wanted(self.name)
        self.part = heading_of(cell) or self.part
        if self.progress:
            self.progress(cell_index, self.cells, self.part)


def heading_of(cell: Any) -> str:
    """The first heading of a markdown cell, without its marks; "" where there is none."""
    found = re.search(r"^#{1,4} +(.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
    return found[1].strip() if found else ""


def execute_notebook(
    notebook: Any,
    output: Path,
    *,
    name: str,
    parameters: Mapping[str, Any],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    cancellation: Cancellation | None = None,
) -> Any:
    """The executed notebook, written to `output` too.

    notebook : path, or a notebook in memory; its last cell must call `finish_report`
    name : what messages call it; folder : where its kernel works
    progress : called before each cell with (cells done, cells, heading of the part that runs)
    Raises ProcessingError where any of the three signs of success is missing, RunCancelled for a stopped run.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # 2 s of import that nothing here uses
    import papermill
    from papermill.exceptions import PapermillExecutionError

    from tkyt_analysis.reports.kernel import kernel_manager

    cancellation = cancellation or Cancellation()
    result = output.with_name("result.json")
    watch = _Watch(name, progress, cancellation)
    surroundings = {RESULT_FILE: str(result), **(environment or {})}
    try:
        executed = papermill.execute_notebook(
            notebook,
            output,
            parameters=dict(parameters),
            kernel_name="python3",
            kernel_manager_class=kernel_manager(surroundings, folder, cancellation.kernel_started),
            progress_bar=False,
            on_notebook_start=watch.notebook_start,
            on_cell_start=watch.cell_start,
        )
    except PapermillExecutionError as error:
        cancellation.require_wanted(name)
        cell = (error.exec_count or 1) - 1  # the injected parameters are not a cell of the template
        problem = mask_text(f"{error.ename}: {error.evalue}")
        raise ProcessingError("error.report_cell", report=name, cell=cell, problem=problem) from None
    except RuntimeError as error:
        cancellation.require_wanted(name)
        raise ProcessingError("error.report_kernel", report=name, problem=str(error).splitlines()[0]) from None
    finally:
        cancellation.kernel_ended()
    cancellation.require_wanted(name)
    _require_complete(name, executed, result)
    return executed


def _require_complete(name: str, notebook: Any, result: Path) -> None:
    for number, cell in enumerate(notebook.cells, start=1):
        status = cell.get("metadata", {}).get("papermill", {}).get("status")
        if cell.cell_type == "code" and status != "completed":
            raise ProcessingError("error.report_unfinished", report=name, cell=number, status=status)
    if not result.exists():
        raise ProcessingError("error.report_no_result", report=name)


def finish_report(summary: Mapping[str, Any]) -> None:
    """The last cell of every run: write what it found, the sign that it ran to its end."""
    target = os.environ.get(RESULT_FILE)
    if target:
        part = Path(target).with_suffix(".part")
        part.write_text(json.dumps(dict(summary), ensure_ascii=False, default=str), "utf-8")
        os.replace(part, target)
