"""The explorer's widgets: made once, never again. Which of them are seen and what they offer is set by the app."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ipywidgets as widgets

from tkyt_analysis.explorer.layout import PICTURES
from tkyt_analysis.explorer.state import SLOTS
from tkyt_analysis.labels import label

MOST_MEASURES = 6
MOST_FIXES = 3
MOST_CRUMBS = 6
FORMATS = ("xlsx", "csv", "png", "pdf")
SECTIONS = ("measures", "where", "axes", "filters", "display", "save", "export", "code")
OPEN_AT_FIRST = ("measures", "where", "axes")
DROPDOWNS = (
    "group", "geography", "province", "district", "commune", "granularity", "first", "last", "cause_list",
    "filter_by", "shows", "sort", "top", "scheme", "classes", "detail", "detail_by", "saved", "language_picker",
)  # fmt: skip
BUTTONS = (
    "turn", "unfilter", "undo", "up", "look", "save", "open", "rename", "delete", "share", "resume", "fresh",
)  # fmt: skip
TEXTS = (
    "head",
    "about",
    "reform",
    "filtered",
    "status",
    "advice",
    "result",
    "foot",
    "said",
    "download",
    "code",
    "resume_text",
)


class Controls:
    """Every widget by its name. `words(language)` puts their labels in a language."""

    def __init__(self) -> None:
        self._filling = False
        for name in DROPDOWNS:
            setattr(self, name, widgets.Dropdown(style={"description_width": "8.5rem"}, layout={"width": "auto"}))
        for name in BUTTONS:
            setattr(self, name, widgets.Button(layout={"width": "auto"}))
        for name in TEXTS:
            setattr(self, name, widgets.HTML())
        self.search = widgets.Text(style={"description_width": "initial"}, layout={"width": "auto"})
        self.found = widgets.Select(rows=9, layout={"width": "auto"})
        self.members = widgets.SelectMultiple(rows=7, layout={"width": "auto"})
        self.several, self.totals, self.subtotals, self.shade, self.intervals, self.internal = (
            widgets.Checkbox(indent=False, layout={"width": "auto"}) for _ in range(6)
        )
        self.rows = [_slot() for _ in range(SLOTS)]
        self.columns = [_slot() for _ in range(SLOTS)]
        self.picture = widgets.ToggleButtons(style={"button_width": "auto"})
        self.name = widgets.Text(style={"description_width": "8.5rem"}, layout={"width": "auto"})
        self.note = widgets.Textarea(rows=2, style={"description_width": "8.5rem"}, layout={"width": "auto"})
        self.take = widgets.FileUpload(accept=".json", multiple=False, layout={"width": "auto"})
        self.removes = _pool(MOST_MEASURES)
        self.fixes = _pool(MOST_FIXES)
        self.crumbs = _pool(MOST_CRUMBS)
        self.exports = dict(zip(FORMATS, _pool(len(FORMATS))))
        self._make_sections()

    def __getattr__(self, name: str) -> Any:  # for type checkers: names set in a loop
        raise AttributeError(name)

    def _make_sections(self) -> None:
        parts = {
            "measures": [self.search, self.group, self.found, self.several, row(self.removes), self.about],
            "where": [self.geography, self.reform, self.province, self.district, self.commune,
                      self.granularity, self.first, self.last],
            "axes": [*self.rows, *self.columns, self.cause_list, self.turn],
            "filters": [self.filter_by, self.members, self.filtered, self.unfilter],
            "display": [self.shows, self.totals, self.subtotals, self.shade, self.intervals, self.sort, self.top, self.scheme, self.classes],
            "save": [self.name, self.note, row([self.save]), self.saved,
                     row([self.open, self.rename, self.delete, self.share, self.take]), self.said],
            "export": [row(list(self.exports.values())), self.internal, self.download],
            "code": [self.code],
        }  # fmt: skip
        self.bodies = {name: widgets.VBox(children) for name, children in parts.items()}
        self.headings = {name: widgets.ToggleButton(name in OPEN_AT_FIRST, layout={"width": "auto"}) for name in parts}
        for name, heading in self.headings.items():
            heading.add_class("tkyt-section")
            self.bodies[name].add_class("tkyt-body")
            heading.observe(lambda change, name=name: self._open_section(name), "value")
            show(self.bodies[name], heading.value)
        self.groups = {name: widgets.VBox([self.headings[name], self.bodies[name]]) for name in parts}

    def _open_section(self, name: str) -> None:
        heading = self.headings[name]
        show(self.bodies[name], heading.value)
        heading.description = heading.description.translate(str.maketrans("▸▾", "▾▾" if heading.value else "▸▸"))

    def page(self) -> list[widgets.Widget]:
        """The whole page: pickers at the left, the picture and what can be done with it at the right."""
        panel = widgets.VBox([self.groups[one] for one in ("measures", "where", "axes", "filters", "display")])
        self.steps = row([self.up, *self.crumbs, self.undo])
        self.advising = widgets.VBox([self.advice, row(self.fixes)])
        self.looking = row([self.detail, self.detail_by, self.look])
        self.resuming = row([self.resume_text, self.resume, self.fresh])
        below = [self.groups[one] for one in ("save", "export", "code")]
        stage = widgets.VBox(
            [self.resuming, self.picture, self.steps, self.status, self.advising, self.result, self.looking, *below]
        )
        body = widgets.Box([panel, stage])
        for widget, name in ((panel, "panel"), (stage, "stage"), (body, "explorer"), (self.steps, "steps"),
                             (self.advising, "advising"), (self.result, "result"), (self.looking, "looking"),
                             (self.resuming, "resuming"), (self.picture, "pictures")):  # fmt: skip
            widget.add_class(f"tkyt-{name}")
        language = row([self.language_picker])
        language.add_class("tkyt-language")
        return [self.head, language, body, self.foot]

    def words(self, language: str) -> None:
        """Labels of everything whose words do not depend on what is shown."""
        for name in (
            *DROPDOWNS,
            *BUTTONS,
            "search",
            "found",
            "members",
            "several",
            "totals",
            "intervals",
            "subtotals",
            "shade",
            "internal",
            "name",
            "note",
            "take",
        ):
            getattr(self, name).description = label(f"explorer.pick.{name}", language)
        for side in ("rows", "columns"):
            for number, slot in enumerate(getattr(self, side), 1):
                slot.description = label(f"explorer.slot.{side}", language, number=number)
        for name, heading in self.headings.items():
            heading.description = f"{'▾' if heading.value else '▸'} {label(f'explorer.section.{name}', language)}"
        for name, button in self.exports.items():
            button.description = label(f"explorer.export.{name}", language)
            show(button, True)
        self.search.placeholder = label("explorer.search_placeholder", language)
        fill(self.picture, [(label(f"explorer.picture.{one}", language), one) for one in PICTURES])

    @contextmanager
    def quiet(self) -> Any:
        """Changes made by the app itself call nothing."""
        before, self._filling = self._filling, True
        try:
            yield
        finally:
            self._filling = before

    @property
    def filling(self) -> bool:
        """Whether the app is setting widgets."""
        return self._filling


def _slot() -> widgets.Dropdown:
    return widgets.Dropdown(style={"description_width": "4.5rem"}, layout={"width": "auto"})


def _pool(count: int) -> list[widgets.Button]:
    return [widgets.Button(layout={"width": "auto", "display": "none"}) for _ in range(count)]


def row(children: Iterable[widgets.Widget]) -> widgets.Box:
    """Widgets beside each other, wrapped where there is no room."""
    box = widgets.Box(list(children))
    box.add_class("tkyt-row")
    return box


def show(widget: widgets.Widget, seen: bool) -> None:
    """Let a widget be seen or not."""
    wanted = None if seen else "none"
    if widget.layout.display != wanted:
        widget.layout.display = wanted


def fill(picker: Any, options: Sequence[tuple[str, Any]], value: Any = None) -> None:
    """New options and value; nothing is sent where nothing changed."""
    if tuple(picker.options) != tuple(options):
        picker.options = options
    values = [one for _, one in options]
    if value is None:
        value = picker.value
    if values and value not in values:
        value = values[0]
    if values and picker.value != value:
        picker.value = value


def press(buttons: Sequence[widgets.Button], texts: Sequence[str]) -> None:
    """As many buttons of a pool as there are texts; the others are not seen."""
    for button, text in zip(buttons, [*texts, *[""] * len(buttons)]):
        if text and button.description != text:
            button.description = text
        show(button, bool(text))


def with_parts(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    """A widget with everything in it: children, layouts, styles."""
    for child in getattr(widget, "children", ()):
        yield from with_parts(child)
    yield from (
        part for part in (widget, getattr(widget, "layout", None), getattr(widget, "style", None)) if part is not None
    )
