"""What the explorer shows, as one plain value, and every step that a user takes as a function from a value to the next.

No widgets, no release, no text: a step is `state → state`, so that a test, a button and a saved view do the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tkyt_analysis.cube.model import DIMENSIONS, NATION, PERIODS, PLACES, Measure, View, view_from
from tkyt_analysis.cube.relative import is_relative
from tkyt_analysis.explorer.layout import SHOWS, Layout, layout_from

MEASURE = "measure"
SLOTS = 3  # dimensions that pickers offer on each side of a table
UNIT_LEVELS = ("province", "district", "commune")
SHARES = tuple(one for one in SHOWS if one.startswith("share"))
CHANGES = tuple(one for one in SHOWS if one.startswith("change"))
# Where "look inside" leads to first; the others follow in the order of DIMENSIONS.
INSIDE = {
    "region": ("province",),
    "province": ("district", "commune"),
    "district": ("commune",),
    "commune": ("facility", "facility_type"),
    "facility_type": ("facility",),
    "year": ("month", "quarter", "half"),
    "half": ("month", "quarter"),
    "quarter": ("month",),
    "cause": ("age_group", "sex"),
    "age_group": ("cause", "sex"),
    "sex": ("age_group", "cause"),
}


@dataclass(frozen=True)
class State:
    """A question and how its answer is laid out."""

    view: View
    layout: Layout

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `state_from` reads them back."""
        return {"view": self.view.as_dict(), "layout": self.layout.as_dict()}

    @property
    def axes(self) -> tuple[str, ...]:
        """Everything that stands on rows and columns, "measure" included."""
        return (*self.layout.rows, *self.layout.columns)


def state_from(values: Mapping[str, Any]) -> State:
    """A state from what `State.as_dict` wrote."""
    return State(view_from(values["view"]), layout_from(values["layout"]))


# -- what is on offer


def offered(measures: Iterable[Measure], geography: str = "VN2025") -> tuple[str, ...]:
    """The dimensions that all of these measures have, in the order of DIMENSIONS; districts ended with VN2024."""
    sets = [measure.dimensions for measure in measures]
    common = frozenset.intersection(*sets) if sets else frozenset()
    return tuple(one for one in DIMENSIONS if one in common and (one != "district" or geography == "VN2024"))


def chosen(state: State, measures: Mapping[str, Measure]) -> list[Measure]:
    """The measures of a state that the release has."""
    return [measures[one] for one in state.view.measures if one in measures]


def offered_shows(state: State, measures: Mapping[str, Measure]) -> tuple[str, ...]:
    """What cells can show: shares and running sums of what adds up, changes over a period that stands in the table."""
    additive = all(one.additive for one in chosen(state, measures))
    timed = any(one in PERIODS for one in state.axes)
    cumulative = ("cumulative",) if additive and timed else ()
    return ("value", *(SHARES if additive else ()), *cumulative, *(CHANGES if timed else ()))


def inside(state: State, measures: Mapping[str, Measure], dimension: str) -> list[str]:
    """The dimensions that can take the place of `dimension` when one of its members is looked into, best first."""
    free = [one for one in offered(chosen(state, measures), state.view.geography) if one not in state.axes]
    coarser = _coarser(dimension)
    first = [one for one in INSIDE.get(dimension, ()) if one in free]
    rest = [one for one in free if one not in first and one not in coarser]
    return [*first, *sorted(rest, key=lambda one: one in PERIODS or one in PLACES)]


def _coarser(dimension: str) -> tuple[str, ...]:
    """Levels at or above a dimension: nothing is found in a commune by province."""
    if dimension in UNIT_LEVELS:
        return ("region", *UNIT_LEVELS[: UNIT_LEVELS.index(dimension) + 1])
    if dimension in PERIODS:
        return PERIODS[: PERIODS.index(dimension) + 1]
    return (dimension,)


# -- steps


def arranged(state: State, rows: Sequence[str], columns: Sequence[str]) -> State:
    """The state with these rows and columns: nothing twice, several measures always beside or below each other."""
    several = len(state.view.measures) > 1
    rows = tuple(one for one in dict.fromkeys(rows) if one and (one != MEASURE or several))
    columns = tuple(one for one in dict.fromkeys(columns) if one and one not in rows and (one != MEASURE or several))
    if several and MEASURE not in (*rows, *columns):
        columns = (*columns, MEASURE)
    by = tuple(one for one in (*rows, *columns) if one != MEASURE)
    return State(replace(state.view, by=by), replace(state.layout, rows=rows, columns=columns))


def with_measures(state: State, ids: Iterable[str], measures: Mapping[str, Measure]) -> State:
    """Other measures; dimensions, filters and shares that they do not have go."""
    ids = tuple(dict.fromkeys(one for one in ids if one in measures))
    known = offered([measures[one] for one in ids], state.view.geography)
    where = tuple((name, kept) for name, kept in state.view.where if name in known)
    kept = State(replace(state.view, measures=ids, where=where), state.layout)
    rows, columns = (
        [one for one in side if one in (*known, MEASURE)] for side in (kept.layout.rows, kept.layout.columns)
    )
    return sound(arranged(kept, rows, columns), measures)


def sound(state: State, measures: Mapping[str, Measure]) -> State:
    """The state showing values where its share or change no longer means anything."""
    if state.layout.shows in offered_shows(state, measures):
        return state
    return State(state.view, replace(state.layout, shows="value"))


def placed(state: State, side: str, slot: int, dimension: str) -> State:
    """A dimension ("" for none) in a slot of "rows" or "columns"; it leaves the place where it stood, what stood here
    goes there."""
    sides = {one: list(getattr(state.layout, one)) for one in ("rows", "columns")}
    before = sides[side][slot] if slot < len(sides[side]) else ""
    for one in sides:
        sides[one] = [before if held == dimension and dimension else held for held in sides[one]]
    sides[side][slot : slot + 1] = [dimension]
    return arranged(state, sides["rows"], sides["columns"])


def turned(state: State) -> State:
    """Rows become columns and columns rows."""
    return arranged(state, state.layout.columns, state.layout.rows)


def moved(state: State, place: str, level: str, measures: Mapping[str, Measure]) -> State:
    """Another place. A table of units lists the units below it; `level` is the place's own ("nation", "province", …)."""
    below = units_below(level, offered(chosen(state, measures), state.view.geography))
    view = replace(state.view, place=place, where=tuple(one for one in state.view.where if one[0] not in PLACES[:4]))

    def lowered(side: Sequence[str]) -> list[str]:
        return [below[0] if one in ("region", *UNIT_LEVELS) and one not in below and below else one for one in side]

    return arranged(State(view, state.layout), lowered(state.layout.rows), lowered(state.layout.columns))


def units_below(level: str, dimensions: Sequence[str]) -> list[str]:
    """The offered unit levels inside a place of a level, largest first."""
    if level == "nation":
        return [one for one in ("region", *UNIT_LEVELS) if one in dimensions]
    start = UNIT_LEVELS.index(level) + 1 if level in UNIT_LEVELS else 0
    return [one for one in UNIT_LEVELS[start:] if one in dimensions]


def on_units_of(state: State, geography: str, measures: Mapping[str, Measure], *, top: str = NATION) -> State:
    """Figures on the units of VN2025 or VN2024: filters of units go, the place is the largest again, for a code names
    another unit there."""
    view = replace(state.view, geography=geography, place=top)
    view = replace(view, where=tuple(one for one in view.where if one[0] not in PLACES[:4]))
    known = (*offered(chosen(state, measures), geography), MEASURE)
    rows, columns = ([one for one in side if one in known] for side in (state.layout.rows, state.layout.columns))
    return sound(arranged(State(view, state.layout), rows, columns), measures)


def within(state: State, first: str = "", last: str = "") -> State:
    """The periods from `first` to `last`; neither: all."""
    period = first if first == last or not last or is_relative(first) else last if not first else f"{first}..{last}"
    return State(replace(state.view, period=period), state.layout)


def period_ends(state: State) -> tuple[str, str]:
    """First and last period of the state ("" for all); of one that counts back from the latest data its word, and ""."""
    if is_relative(state.view.period):
        return state.view.period, ""
    first, _, last = state.view.period.partition("..")
    return first, last or first


def keeping(state: State, dimension: str, members: Iterable[str]) -> State:
    """Only these members of a dimension; none given: all of them."""
    return State(state.view.keeping(dimension, members), state.layout)


def shown_as(state: State, **options: Any) -> State:
    """Other options of the layout (picture, shows, totals, …)."""
    return State(state.view, replace(state.layout, **options))


def looked_into(state: State, dimension: str, code: str, by: str, unit_id: str = "") -> State:
    """One member of a dimension, broken down by another one in its place.

    A province, district or commune becomes the place (`unit_id`), a period the period, anything else a filter.
    """
    if dimension in UNIT_LEVELS:
        view = replace(state.view, place=unit_id or code)
    elif dimension in PERIODS:
        view = replace(state.view, period=code)
    else:
        view = state.view.keeping(dimension, [code])
    sides = ([by if one == dimension else one for one in side] for side in (state.layout.rows, state.layout.columns))
    return arranged(State(view, replace(state.layout, top=0)), *sides)
