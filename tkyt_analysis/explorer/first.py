"""The first picture of a release or of a measure: something sensible at once, before anybody has picked anything."""

from __future__ import annotations

from dataclasses import replace

from tkyt_analysis.cube.model import PERIODS, PLACES, Measure, View
from tkyt_analysis.errors import InputError
from tkyt_analysis.explorer.layout import Layout
from tkyt_analysis.explorer.source import Source, plain
from tkyt_analysis.explorer.state import MEASURE, UNIT_LEVELS, State, arranged, offered, with_measures

FIRST_MEASURES = ("crude_death_rate", "deaths", "population")
SOME_PERIODS = 3  # years in a first table
LONG_LIST = 40  # rows of a first table that a reader still takes in


def first_state(source: Source) -> State:
    """The first picture of a release. Raises InputError where it holds nothing that can be asked for."""
    measures = source.measures
    if not measures:
        raise InputError("error.overview_empty", release=source.release.release_id)
    first = next((one for one in FIRST_MEASURES if one in measures), next(iter(measures)))
    return state_of(source, State(View((first,), place=source.top_place), Layout()), (first,))


def state_of(source: Source, state: State, ids: tuple[str, ...]) -> State:
    """The state with other measures: rows and columns that they share stay; where none is left, their first picture."""
    changed = with_measures(state, ids, source.measures)
    if not ids or any(one != MEASURE for one in changed.axes):
        return changed
    known = offered([source.measures[one] for one in ids if one in source.measures], changed.view.geography)
    rows, columns = _rows(source, changed, known), [one for one in PERIODS if one in known][:1]
    changed = arranged(changed, rows, columns)
    return _latest(source, changed, columns[0]) if columns and not changed.view.period else changed


def _rows(source: Source, state: State, known: tuple[str, ...]) -> list[str]:
    """Causes for a measure of causes, else the units below the place, else the first dimension that is no period."""
    if "cause" in known and _of_causes(source.measures, state):
        return ["cause"]
    for level in ("province", "district", "commune", "region"):
        if level in known and _level_fits(source, state, level):
            return [level]
    others = [one for one in known if one not in (*PERIODS, *PLACES)]
    return (
        [next((one for one in ("age_group", "cause", "category", "sex") if one in others), others[0])] if others else []
    )


def _of_causes(measures: object, state: State) -> bool:
    return any(one.startswith("cause_specific") for one in state.view.measures)


def _level_fits(source: Source, state: State, level: str) -> bool:
    """Whether the place has more than one unit of a level and not too many to read."""
    if level == "district" and state.view.geography != "VN2024":
        return False
    count = len(source.members(plain(state.view, period=True), level))
    return 1 < count <= LONG_LIST or (level in UNIT_LEVELS[:1] and count > 1)


def _latest(source: Source, state: State, period: str) -> State:
    """The last few periods where there are more."""
    known = list(source.members(plain(state.view), period))
    if len(known) <= SOME_PERIODS:
        return state
    return replace(state, view=replace(state.view, period=f"{known[-SOME_PERIODS]}..{known[-1]}"))


def described(measure: Measure, language: str) -> tuple[str, str]:
    """(definition, source) of a measure in words."""
    return (measure.definition[language] if measure.definition else ""), measure.source
