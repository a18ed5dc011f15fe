"""What cannot be shown, why, and the steps that mend it: each problem is a sentence with the states that its buttons lead to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from tkyt_analysis.cube.model import NATION, PERIODS, Measure
from tkyt_analysis.explorer.state import (
    CHANGES,
    MEASURE,
    SHARES,
    UNIT_LEVELS,
    State,
    arranged,
    chosen,
    offered,
    shown_as,
    with_measures,
)
from tkyt_analysis.explorer.titles import dimension_name, listing
from tkyt_analysis.labels import format_number, label

MOST_CELLS = 40_000  # of a table on a page


@dataclass(frozen=True)
class Fix:
    """A button: its words and the state after it."""

    text: str
    state: State


@dataclass(frozen=True)
class Problem:
    """A sentence that says what to change, and buttons that do it."""

    sentence: str
    fixes: tuple[Fix, ...] = field(default=())


def problem_of(state: State, measures: Mapping[str, Measure], language: str) -> Problem | None:
    """The first thing that keeps this state from being shown; None where nothing does."""
    for check in (_measures, _dimensions, _something, _shows, _picture):
        found = check(state, measures, language)
        if found:
            return found
    return None


def _fix(key: str, state: State, language: str, **fields: Any) -> Fix:
    return Fix(label(f"explorer.fix.{key}", language, **fields), state)


def _as_table(state: State, language: str) -> Fix:
    return _fix("table", shown_as(state, picture="table"), language)


def _measures(state: State, measures: Mapping[str, Measure], language: str) -> Problem | None:
    """A measure that this release has not, or none at all."""
    missing = [one for one in state.view.measures if one not in measures]
    if missing:
        left = [one for one in state.view.measures if one in measures]
        fixes = (_fix("without_missing", with_measures(state, left, measures), language),) if left else ()
        return Problem(label("explorer.problem.missing_measure", language, measures=", ".join(missing)), fixes)
    return None if state.view.measures else Problem(label("explorer.problem.no_measure", language))


def _dimensions(state: State, measures: Mapping[str, Measure], language: str) -> Problem | None:
    """A dimension that some chosen measure cannot be broken down by."""
    known = offered(chosen(state, measures), state.view.geography)
    filtered = [name for name, _ in state.view.where]
    wrong = [one for one in dict.fromkeys((*state.axes, *filtered)) if one not in (*known, MEASURE)]
    if not wrong:
        return None
    names = listing([dimension_name(one, language) for one in wrong], language, most=len(wrong))
    lacking = [m.title[language] for m in chosen(state, measures) if not set(wrong) <= m.dimensions]
    if not lacking:  # only the units of another geography are missing
        sentence = label("explorer.problem.geography", language, dimensions=names)
    else:
        sentence = label("explorer.problem.dimension", language, dimensions=names, measures=listing(lacking, language))
    kept = with_measures(state, state.view.measures, measures)
    return Problem(sentence, (_fix("without_dimension", kept, language, dimensions=names),))


def _something(state: State, measures: Mapping[str, Measure], language: str) -> Problem | None:
    """A picture needs something along which to draw; a table of one figure is fine."""
    if state.view.by or state.layout.picture == "table" or MEASURE in state.axes:
        return None
    return Problem(label("explorer.problem.one_figure", language), (_as_table(state, language),))


def _shows(state: State, measures: Mapping[str, Measure], language: str) -> Problem | None:
    """Shares of what does not add up, changes without a period."""
    shows = state.layout.shows
    value = _fix("values", shown_as(state, shows="value"), language)
    if shows in (*SHARES, "cumulative"):
        rates = [m.title[language] for m in chosen(state, measures) if not m.additive]
        if rates:
            return Problem(label("explorer.problem.share", language, measures=listing(rates, language)), (value,))
    if shows in (*CHANGES, "cumulative") and not any(one in PERIODS for one in state.axes):
        sentence = label("explorer.problem.change", language)
        return Problem(sentence, (*_adding(state, measures, PERIODS, "columns", language), value))
    return None


def _adding(
    state: State, measures: Mapping[str, Measure], dimensions: tuple[str, ...], side: str, language: str
) -> tuple[Fix, ...]:
    """A fix that puts the first offered of some dimensions on rows or columns; none where none is offered."""
    known = [one for one in dimensions if one in offered(chosen(state, measures), state.view.geography)]
    if not known:
        return ()
    rows, columns = state.layout.rows, state.layout.columns
    changed = (
        arranged(state, rows, (*columns, known[0]))
        if side == "columns"
        else arranged(state, (*rows, known[0]), columns)
    )
    return (_fix(f"put_on_{side}", changed, language, dimension=dimension_name(known[0], language)),)


def _picture(state: State, measures: Mapping[str, Measure], language: str) -> Problem | None:
    """What map, line and pyramid need of rows and columns."""
    needs = {"map": _map, "line": _line, "pyramid": _pyramid, "small_multiples": _small_multiples}
    check = needs.get(state.layout.picture)
    return check(state, measures, language) if check else None


def _map(state: State, measures: Mapping[str, Measure], language: str) -> Problem | None:
    if len(state.layout.rows) == 1 and state.layout.rows[0] in UNIT_LEVELS:
        return _communes_of_the_nation(state, measures, language)
    placed = next((one for one in state.axes if one in UNIT_LEVELS), "")
    known = [one for one in UNIT_LEVELS if one in offered(chosen(state, measures), state.view.geography)]
    level = placed or next(iter(known), "")
    table = _as_table(state, language)
    if not level:
        return Problem(label("explorer.problem.map_without_units", language), (table,))
    others = [one for one in state.axes if one in (*PERIODS, MEASURE)][:1]
    fix = _fix("map", arranged(state, [level], others), language, dimension=dimension_name(level, language))
    return Problem(label("explorer.problem.map", language), (fix, table))


def _communes_of_the_nation(state: State, measures: Mapping[str, Measure], language: str) -> Problem | None:
    """Communes are drawn within one province."""
    if state.layout.rows != ("commune",) or state.view.place != NATION:
        return None
    fixes = [_as_table(state, language)]
    if "province" in offered(chosen(state, measures), state.view.geography):
        after = arranged(state, ["province"], [one for one in state.layout.columns if one != "province"])
        fixes.insert(0, _fix("by_province", after, language))
    return Problem(label("explorer.problem.map_communes", language), tuple(fixes))


def _line(state: State, measures: Mapping[str, Measure], language: str) -> Problem | None:
    if any(one in PERIODS for one in state.axes):
        return None
    known = [one for one in ("month", "year", "quarter", "half") if one in offered(chosen(state, measures))]
    fixes = _adding(state, measures, tuple(known), "columns", language)
    return Problem(label("explorer.problem.line", language), (*fixes, _as_table(state, language)))


def _pyramid(state: State, measures: Mapping[str, Measure], language: str) -> Problem | None:
    if state.layout.rows == ("age_group",) and state.layout.columns == ("sex",):
        return None
    lacking = [m.title[language] for m in chosen(state, measures) if not {"age_group", "sex"} <= m.dimensions]
    table = _as_table(state, language)
    if lacking:
        sentence = label("explorer.problem.pyramid_measure", language, measures=listing(lacking, language))
        return Problem(sentence, (table,))
    one = replace(state, view=replace(state.view, measures=state.view.measures[:1]))
    fix = _fix("pyramid", arranged(one, ["age_group"], ["sex"]), language)
    return Problem(label("explorer.problem.pyramid", language), (fix, table))


def _small_multiples(state: State, measures: Mapping[str, Measure], language: str) -> Problem | None:
    if len(state.axes) >= 2:
        return None
    fixes = _adding(
        state,
        measures,
        tuple(one for one in (*PERIODS, "sex", "province") if one not in state.axes),
        "columns",
        language,
    )
    return Problem(label("explorer.problem.small_multiples", language), (*fixes, _as_table(state, language)))


def nothing_found(state: State, top: str, language: str, measures: Mapping[str, Measure] | None = None) -> Problem:
    """The answer to a question that has no figure at all: what can be widened."""
    fixes = []
    if state.view.where:
        fixes.append(_fix("no_filters", State(replace(state.view, where=()), state.layout), language))
    if state.view.period:
        fixes.append(_fix("all_periods", State(replace(state.view, period=""), state.layout), language))
    if state.view.place != top:
        fixes.append(_fix("whole", State(replace(state.view, place=top), state.layout), language))
    text = label("explorer.problem.nothing", language)
    if any((measures or {})[one].method == "published" for one in state.view.measures if one in (measures or {})):
        text = f"{text} {label('cube.remark.of_one_year', language)}"
    return Problem(text, tuple(fixes))


def too_large(
    state: State, measures: Mapping[str, Measure], count: Callable[[str], int], language: str
) -> Problem | None:
    """A table that nobody could read on a page, told before anything is computed; `count` gives members of a dimension."""
    cells = estimated_cells(state, count)
    if cells <= MOST_CELLS:
        return None
    fixes = []
    known = offered(chosen(state, measures), state.view.geography)
    if "commune" in state.axes and "province" in known and "province" not in state.axes:
        sides = (
            ["province" if one == "commune" else one for one in side]
            for side in (state.layout.rows, state.layout.columns)
        )
        fixes.append(_fix("by_province", arranged(state, *sides), language))
    for one in reversed(state.view.by):
        less = arranged(
            state, *([kept for kept in side if kept != one] for side in (state.layout.rows, state.layout.columns))
        )
        if estimated_cells(less, count) <= MOST_CELLS:
            fixes.append(_fix("without_dimension", less, language, dimensions=dimension_name(one, language)))
    fixes = [fix for fix in fixes if estimated_cells(fix.state, count) <= MOST_CELLS]
    sentence = label("explorer.problem.too_large", language, cells=format_number(cells, 0, language))
    return Problem(sentence, tuple(fixes))


def estimated_cells(state: State, count: Callable[[str], int]) -> int:
    """About how many cells a table has: levels of one kind lie in each other, so the finest of them counts."""
    axes = list(state.view.by)
    for levels in (("region", *UNIT_LEVELS, "facility"), PERIODS):
        inside_it = [one for one in levels if one in axes]
        axes = [one for one in axes if one not in inside_it[:-1]]
    return prod(max(count(one), 1) for one in axes) * max(len(state.view.measures), 1)
