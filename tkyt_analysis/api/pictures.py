"""A question laid out as a pivot table, a chart or a map: the same as on the explorer's screen, drawn by the same code."""

from __future__ import annotations

from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tkyt_analysis.api.names import find_dimensions, find_name, key
from tkyt_analysis.cube.model import PERIODS, PLACES
from tkyt_analysis.errors import InputError
from tkyt_analysis.explorer.layout import PICTURES, SHOWS, Layout
from tkyt_analysis.labels import current_language

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from tkyt_analysis.api.question import Question
    from tkyt_analysis.explorer.layout import Pivot


class Picture:
    """A question and its layout; laid out and drawn when it is shown. `.pivot` holds the cells, `.save(path)` a file."""

    def __init__(self, question: Question, layout: Layout) -> None:
        self.question = question
        self.layout = layout

    @cached_property
    def pivot(self) -> Pivot:
        """The cells as arrays, small numbers protected as the account's scope asks."""
        return self.question.workbench.source.pivot(self.question.view, self.layout)

    def to_pandas(self) -> pd.DataFrame:
        """What the cells show, with the names of rows and columns."""
        import pandas as pd

        pivot = self.pivot
        index = pd.MultiIndex.from_tuples(pivot.row_names, names=pivot.layout.rows)
        columns = pd.MultiIndex.from_tuples(pivot.column_names, names=pivot.layout.columns)
        return pd.DataFrame(pivot.shown, index=index, columns=columns)

    def figure(self) -> Figure:
        """The chart or map as a matplotlib figure, with heading, remarks and practice band."""
        from tkyt_analysis.explorer.charts import draw

        return draw(self.pivot, language=current_language())

    def save(self, path: str | Path) -> Path:
        """Write the chart or map as .png, .svg or .pdf; its path."""
        if self.layout.picture == "table":
            raise InputError("error.api.table_no_picture")
        if Path(path).suffix.lower() not in (".png", ".svg", ".pdf"):
            raise InputError("error.api.picture_file", found=Path(path).name)
        self.figure().savefig(path, dpi=150)
        return Path(path)

    def _repr_html_(self) -> str:
        from tkyt_analysis.explorer.page import shown_html, style_html

        return f'{style_html()}<div class="tkyt-app">{shown_html(self.pivot, current_language())}</div>'

    def __repr__(self) -> str:
        return self.to_pandas().to_string() if self.layout.picture == "table" else f"Picture({self.layout.picture!r})"


def laid_out(question: Question, **layout: Any) -> Picture:
    """The question in rows and columns: rows, columns, picture, shows, totals, intervals, sort, top, scheme, classes."""
    known = {one.name: [one.name] for one in fields(Layout)}
    given = {find_name(name, known, kind="layout"): value for name, value in layout.items()}
    for side in ("rows", "columns"):
        if side in given:
            given[side] = _side(given[side])
    for name, choices in (("picture", PICTURES), ("shows", SHOWS)):
        if given.get(name):
            given[name] = find_name(given[name], {one: [one] for one in choices}, kind="layout")
    return Picture(question, Layout(**given))


def _side(written: Any) -> tuple[str, ...]:
    names = [written] if isinstance(written, str) else list(written)
    return tuple(one if key(one) == "measure" else find_dimensions([one])[0] for one in names)


def draw(question: Question, kind: str = "", **layout: Any) -> Picture:
    """A chart or map of a question; rows and columns as suits it where they are not given."""
    by = question.written.by
    if not by:
        raise InputError("error.api.nothing_to_draw")
    kind = find_name(kind, {one: [one] for one in PICTURES}, kind="layout") if kind else picture_for(by)
    sides = {} if "rows" in layout or "columns" in layout else _sides(by, kind)
    return laid_out(question, **{"picture": kind, "totals": False, **sides, **layout})


def picture_for(by: tuple[str, ...]) -> str:
    """Lines along time, a pyramid of ages and sexes, else bars."""
    if set(by) == {"age_group", "sex"}:
        return "pyramid"
    return "line" if any(name in PERIODS for name in by) else "bar"


def _sides(by: tuple[str, ...], kind: str) -> dict[str, tuple[str, ...]]:
    """What stands along the axis, and what tells the lines, bars or maps apart."""
    wanted = {"map": PLACES, "line": PERIODS, "pyramid": ("age_group",)}.get(kind, by[:1])
    rows = tuple(name for name in by if name in wanted)[:1] or by[:1]
    return {"rows": rows, "columns": tuple(name for name in by if name not in rows)}


def explore(question: Question | None = None, **layout: Any) -> Any:
    """The explorer, empty or opened on a question."""
    from tkyt_analysis.api.opening import current
    from tkyt_analysis.explorer.app import ExplorerApp
    from tkyt_analysis.explorer.state import State

    workbench = question.workbench if question is not None else current()
    state = None
    if question is not None:
        by = question.view.by
        sides = {} if layout else {"rows": by[:1], "columns": by[1:]}
        state = State(question.view, laid_out(question, **sides, **layout).layout)
    return ExplorerApp(workbench.release.home, release_id=workbench.release.release_id, state=state)
