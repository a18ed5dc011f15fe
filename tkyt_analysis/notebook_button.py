"""The last cell of a notebook: choose a place and a period, press "Tạo báo cáo", follow the cells, open the result."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import ipywidgets as widgets

from tkyt_analysis.errors import TkytError
from tkyt_analysis.labels import label
from tkyt_analysis.notebook_runs import PERIOD, PLACE, YEAR, places_with_data, run_notebook
from tkyt_analysis.notebook_templates import NotebookTemplate, notebook_template, read_template
from tkyt_analysis.reports.kernel_run import Cancellation, RunCancelled
from tkyt_analysis.settings import home_directory
from tkyt_analysis.warehouse.release import NATION, Release

SESSION = "JPY_SESSION_NAME"  # Jupyter's name of the notebook that a kernel belongs to
MOST_MONTHS = 24


class ReportButton(widgets.VBox):
    """Pickers filled from the release, a button, progress by cell, and a link to the page.

    notebook : name of a shipped notebook or a path; in JupyterLab a copy of it that is open is taken instead, as it was saved
    place, period : what the pickers start with
    """

    def __init__(
        self, notebook: str | Path, home: str | Path = "", release: str = "", *, place: str = "", period: str = "",
        language: str | None = None,
    ) -> None:  # fmt: skip
        self.home = Path(home) if home else home_directory()
        self.release = Release(self.home, release or None)
        self.template = notebook_at_hand(notebook, self.home)
        self.language = language
        self.made: Path | None = None
        self._stop: Cancellation | None = None
        self._thread: threading.Thread | None = None
        self.place = _picker("place", place_options(self.release, self.template, language), place, language)
        self.period = _picker("period", period_options(self.release, self.template, language), period, language)
        self.code = widgets.Checkbox(value=False, description=label("notebook.button.code", language), indent=False)
        self.run = widgets.Button(
            description=label("notebook.button.run", language), button_style="primary", icon="file-text-o"
        )
        self.stop = widgets.Button(description=label("notebook.button.stop", language), disabled=True, icon="stop")
        self.bar = widgets.IntProgress(min=0, max=1, layout=widgets.Layout(width="100%", visibility="hidden"))
        self.said = widgets.HTML()
        self.run.on_click(lambda _: self.start())
        self.stop.on_click(lambda _: self.cancel())
        pickers = [one for one in (self.place, self.period) if len(one.options) > 1]
        row = widgets.Layout(flex_flow="row wrap", grid_gap="8px", align_items="center")
        super().__init__(
            [
                widgets.HBox([*pickers, self.code], layout=row),
                widgets.HBox([self.run, self.stop], layout=row),
                self.bar,
                self.said,
            ]
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """What the pickers say, of what the notebook declares."""
        chosen = {PLACE: self.place.value, self._period_name: self.period.value}
        return {name: value for name, value in chosen.items() if name in self.template.parameters and value is not None}

    @property
    def _period_name(self) -> str:
        return YEAR if YEAR in self.template.parameters else PERIOD

    def start(self) -> None:
        """Run in the background, so that the button to stop it can be pressed."""
        self._stop = Cancellation()
        self.run.disabled, self.stop.disabled = True, False
        self.bar.layout.visibility = "visible"
        self._thread = threading.Thread(target=self._work, args=(self._stop,), daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Stop the run; nothing is left of it."""
        if self._stop is not None:
            self._stop.ask()

    def wait(self, seconds: float = 600.0) -> None:
        """Wait until the run has ended (for programs and tests)."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _work(self, stop: Cancellation) -> None:
        try:
            language = {"language": self.language} if self.language and "language" in self.template.parameters else {}
            made = run_notebook(
                self.template.path, home=self.home, release=self.release, progress=self._show_progress, cancellation=stop,
                show_code=self.code.value, **self.parameters, **language,
            )  # fmt: skip
            self.made = made.html
            self._say(self._link(made.html))
        except RunCancelled as error:
            self._say(escape(error.sentence(self.language)))
        except TkytError as error:
            self._say(escape(error.sentence(self.language)), error=True)
        except Exception as error:  # a thread has nobody above it to say what went wrong
            from tkyt_analysis.access.masking import mask_text

            problem = mask_text(f"{type(error).__name__}: {error}".splitlines()[0])
            self._say(escape(label("cli.unexpected", self.language, problem=problem)), error=True)
        finally:
            self.run.disabled, self.stop.disabled = False, True
            self.bar.layout.visibility = "hidden"

    def _show_progress(self, done: int, total: int, part: str) -> None:
        self.bar.max, self.bar.value = total, done
        self._say(escape(label("notebook.button.cell", self.language, done=done + 1, total=total, part=part)))

    def _link(self, page: Path) -> str:
        """The page's name; a link where Lab serves the reports, else the path to open."""
        said = escape(label("notebook.button.done", self.language))
        served = lab_address(page, self.home)
        shown = (
            f'<a href="{escape(served)}" target="_blank">{escape(page.name)}</a>'
            if served
            else f"<code>{escape(str(page))}</code>"
        )
        return f"{said} {shown}"

    def _say(self, html: str, *, error: bool = False) -> None:
        colour = "#8c1d18" if error else "inherit"
        self.said.value = f'<div role="status" style="color:{colour};line-height:1.45">{html}</div>'


def lab_address(page: Path, home: Path) -> str:
    """Where JupyterLab serves a page of the home's reports, from the notebook that is open; "" outside Lab."""
    from tkyt_analysis.lab_folders import folder_name, lab_directory

    session = os.environ.get(SESSION, "")
    root = lab_directory(home)
    if page.parent != home / "reports" or not session or not Path(session).absolute().is_relative_to(root):
        return ""
    depth = len(Path(session).absolute().relative_to(root).parts) - 1
    return "../" * depth + f"{quote(folder_name('reports'))}/{quote(page.name)}"


def notebook_at_hand(notebook: str | Path, home: Path) -> NotebookTemplate:
    """The open notebook where it is a copy of the named one, as it was saved last; else the named one."""
    session = Path(os.environ.get(SESSION, ""))
    if session.suffix == ".ipynb" and session.is_file() and session.name.startswith(Path(notebook).stem):
        try:
            return read_template(session.absolute())
        except TkytError:
            pass
    return notebook_template(notebook, home=home)


def place_options(release: Release, template: NotebookTemplate, language: str | None = None) -> list[tuple[str, str]]:
    """(name, unit_id): the nation, the provinces with data, and where there is one of these its communes."""
    if PLACE not in template.parameters:
        return []
    nation = [(label("notebook.nation", language), NATION)] if release.reads.nation else []
    provinces = places_with_data(release, "provinces")
    communes = places_with_data(release, "communes") if len(provinces) == 1 else []
    return [*nation, *((name, unit) for unit, name in [*provinces, *communes])]


def period_options(release: Release, template: NotebookTemplate, language: str | None = None) -> list[tuple[str, Any]]:
    """(words, value): all there is, the years with data, and the last months, newest first."""
    from tkyt_analysis.cube.session import cube_of

    if PERIOD not in template.parameters and YEAR not in template.parameters:
        return []
    ids = release.query(f"SELECT DISTINCT year, month FROM {cube_of(release).period_table}")
    years = sorted(ids["year"].dropna().unique(), reverse=True)
    if YEAR in template.parameters:
        whole = isinstance(template.parameters[YEAR], int)
        return [(one, int(one) if whole else one) for one in years]
    months = sorted(ids["month"].dropna().unique(), reverse=True)[:MOST_MONTHS]
    everything = [(label("notebook.button.all", language), "")]
    return [*everything, *((_words(one, language), one) for one in [*years, *months])]


def _words(period: str, language: str | None) -> str:
    from tkyt_analysis.reference.periods import format_period

    return format_period(period, language)


def _picker(name: str, options: Sequence[tuple[str, Any]], value: Any, language: str | None) -> widgets.Dropdown:
    known = [one for _, one in options]
    return widgets.Dropdown(
        options=list(options) or [("–", None)],
        value=value if value in known else known[0] if known else None,
        description=label(f"notebook.button.{name}", language),
        layout=widgets.Layout(width="min(100%, 340px)"),
    )
