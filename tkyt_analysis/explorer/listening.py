"""From the pickers to the next state: one short step per widget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tkyt_analysis.cube.model import PERIODS
from tkyt_analysis.cube.relative import is_relative
from tkyt_analysis.explorer.filling import HEADING, fill_all, fill_detail_by, fill_measures, granularity_of
from tkyt_analysis.explorer.first import state_of
from tkyt_analysis.explorer.state import (
    State,
    arranged,
    keeping,
    looked_into,
    moved,
    on_units_of,
    period_ends,
    placed,
    shown_as,
    turned,
    within,
)

if TYPE_CHECKING:
    from tkyt_analysis.explorer.app import ExplorerApp

LAYOUT_PICKERS = ("shows", "totals", "subtotals", "shade", "intervals", "sort", "top", "scheme", "classes", "picture")


def listen(app: ExplorerApp) -> None:
    """Let every widget change the app's state."""
    pick = app.pick

    def on(widget: Any, step: Callable[[Any], None]) -> None:
        widget.observe(lambda change: None if pick.filling else app.guarded(lambda: step(change["new"])), "value")

    on(pick.search, lambda _: _search(app))
    on(pick.group, lambda _: _search(app))
    on(pick.found, lambda value: _choose(app, value))
    on(pick.geography, lambda value: _geography(app, value))
    for level in ("province", "district", "commune"):
        on(getattr(pick, level), partial(_move, app, level))
    on(pick.granularity, lambda value: app.go(timed(app.state, value, granularity_of(app))))
    on(pick.first, lambda value: app.go(_from(app.state, value)))
    on(pick.last, lambda value: app.go(_to(app.state, value)))
    for side in ("rows", "columns"):
        for number, slot in enumerate(getattr(pick, side)):
            on(slot, partial(_put, app, side, number))
    on(pick.cause_list, lambda value: app.go(by_causes_of(app.state, value)))
    on(pick.filter_by, lambda _: fill_all(app))
    on(pick.members, lambda value: app.go(keeping(app.state, pick.filter_by.value, value)))
    for name in LAYOUT_PICKERS:
        on(getattr(pick, name), partial(_show_as, app, name))
    on(pick.detail, lambda _: fill_detail_by(app))
    on(pick.language_picker, app.speak)
    _buttons(app)


def _buttons(app: ExplorerApp) -> None:
    pick = app.pick

    def on(button: Any, step: Callable[[], None]) -> None:
        button.on_click(lambda _: app.guarded(step))

    on(pick.turn, lambda: app.go(turned(app.state)))
    on(pick.unfilter, lambda: app.go(State(replace(app.state.view, where=()), app.state.layout)))
    on(pick.undo, app.undo)
    on(pick.up, lambda: up(app))
    on(pick.look, lambda: look(app))
    for number, button in enumerate(pick.removes):
        on(button, partial(_remove, app, number))
    for number, button in enumerate(pick.fixes):
        on(button, partial(app.mend, number))
    for number, button in enumerate(pick.crumbs):
        on(button, partial(_back_to, app, number))
    app.keep.listen(on)


def _put(app: ExplorerApp, side: str, number: int, dimension: str) -> None:
    app.go(placed(app.state, side, number, dimension))


def _show_as(app: ExplorerApp, name: str, value: Any) -> None:
    app.go(shown_as(app.state, **{name: value}))


# -- measures


def _search(app: ExplorerApp) -> None:
    with app.pick.quiet():
        fill_measures(app)


def _choose(app: ExplorerApp, value: str) -> None:
    """A measure of the list takes the place of the others, or stands beside them; a heading opens its group."""
    if value.startswith(HEADING):
        app.pick.group.value = value.removeprefix(HEADING) or app.pick.group.value
        return
    beside = app.state.view.measures if app.pick.several.value else ()
    app.go(state_of(app.source, app.state, tuple(dict.fromkeys((*beside, value)))))


def _remove(app: ExplorerApp, number: int) -> None:
    ids = app.state.view.measures
    app.go(state_of(app.source, app.state, tuple(one for place, one in enumerate(ids) if place != number)))


# -- place and period


def _geography(app: ExplorerApp, value: str) -> None:
    app.go(on_units_of(app.state, value, app.measures, top=app.source.top_place), trail=[])


def _move(app: ExplorerApp, level: str, unit: str) -> None:
    """To a unit, or, where its level is set to "the whole", to the unit above it."""
    above = app.source.above(app.state.view.place)
    order = ("province", "district", "commune")
    if not unit:
        held = [one for one in order[: order.index(level)] if one in above]
        unit = above[held[-1]] if held else app.source.top_place
    app.go(moved(app.state, unit, app.source.level(unit), app.measures), trail=[])


def _from(state: State, first: str) -> State:
    last = period_ends(state)[1]
    if not first:
        return within(state)
    return within(state, first, last if not last or last >= first else first)


def _to(state: State, last: str) -> State:
    first = period_ends(state)[0]
    first = "" if is_relative(first) else first
    return within(state, first if not last or not first or first <= last else last, last)


def timed(state: State, kind: str, before: str) -> State:
    """The table and its period by another kind of period: months of the same years, years of the same months."""
    from tkyt_analysis.reference.periods import period, period_of

    sides = ([kind if one == before else one for one in side if one not in PERIODS or one == before]
             for side in (state.layout.rows, state.layout.columns))  # fmt: skip
    first, last = period_ends(state)
    if first and not is_relative(first):
        first, last = period_of(period(first).start, kind).period_id, period_of(period(last).end, kind).period_id
    return arranged(within(state, first, last), *sides)


def by_causes_of(state: State, cause_list: str) -> State:
    """Another list of causes; kept causes go, their codes belong to the list."""
    return State(replace(state.view.keeping("cause", ()), cause_list=cause_list), state.layout)


# -- looking into a row, and back


def look(app: ExplorerApp) -> None:
    """Break the chosen row down by what is chosen beside it."""
    dimension, _, code = (app.pick.detail.value or "").partition("=")
    if not dimension or not app.pick.detail_by.value:
        return
    unit = code if ":" in code else f"{app.state.view.geography}:{code}"
    name = {value: words for words, value in app.pick.detail.options}[f"{dimension}={code}"]
    after = looked_into(app.state, dimension, code, app.pick.detail_by.value, unit)
    app.go(after, trail=[*app.trail, (name.partition(": ")[2] or name, app.state)])


def up(app: ExplorerApp) -> None:
    """One level up: out of what was looked into last, else to the unit above the place."""
    if app.trail:
        app.go(app.trail[-1][1], trail=app.trail[:-1])
        return
    place, top = app.state.view.place, app.source.top_place
    above = list(app.source.above(place).values())[:-1]
    unit = above[-1] if above and place != top else top
    app.go(moved(app.state, unit, app.source.level(unit), app.measures), trail=[])


def _back_to(app: ExplorerApp, number: int) -> None:
    """To the table from which a crumb was looked into."""
    from tkyt_analysis.explorer.controls import MOST_CRUMBS

    hidden = max(0, len(app.trail) + 1 - MOST_CRUMBS)
    place = number + hidden
    if place < len(app.trail):
        app.go(app.trail[place][1], trail=app.trail[:place])
