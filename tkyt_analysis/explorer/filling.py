"""From the state to the pickers: what each of them offers and which choice it shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tkyt_analysis.catalog import load_entries
from tkyt_analysis.cube.model import GEOGRAPHIES, NATION, PERIODS, TOTAL, UNKNOWN
from tkyt_analysis.cube.relative import RELATIVE, is_relative
from tkyt_analysis.explorer import page
from tkyt_analysis.explorer.controls import MOST_CRUMBS, MOST_MEASURES, fill, press, show
from tkyt_analysis.explorer.source import plain
from tkyt_analysis.explorer.state import (
    MEASURE,
    SLOTS,
    UNIT_LEVELS,
    chosen,
    inside,
    offered,
    offered_shows,
    period_ends,
)
from tkyt_analysis.explorer.titles import dimension_name, period_name
from tkyt_analysis.labels import LANGUAGE_NAMES, LANGUAGES, label
from tkyt_analysis.reference.vietnamese_text import fold

if TYPE_CHECKING:
    from tkyt_analysis.cube.model import Measure
    from tkyt_analysis.explorer.app import ExplorerApp

TOPS = (0, 5, 10, 20, 50)
CLASSES = (3, 4, 5, 6, 7)
SCHEMES = ("quantile", "equal", "fisher_jenks")
MOST_FOUND = 400
MOST_DETAILS = 400
HEADING = "group:"  # value of a heading in the list of measures


def fill_all(app: ExplorerApp) -> None:
    """Set every picker to the app's state."""
    with app.pick.quiet():
        fill_measures(app)
        _places(app)
        _periods(app)
        _axes(app)
        fill_filter(app)
        _display(app)
        _steps(app)
        fill(app.pick.language_picker, [(LANGUAGE_NAMES[one], one) for one in LANGUAGES], app.language)


# -- measures


def fill_measures(app: ExplorerApp) -> None:
    """The grouped list that the search leaves, and what is chosen."""
    pick, language = app.pick, app.language
    groups = {one.group: one.group_title[language] for one in by_group(app)}
    everything = [(label("explorer.all_groups", language), "")]
    fill(pick.group, [*everything, *((title, group) for group, title in groups.items())])
    options = found_measures(app)
    ids = app.state.view.measures
    fill(pick.found, options or [(label("explorer.nothing_found", language), HEADING)], _first_of(ids, options))
    titles = [_title(app, one) for one in ids]
    press(pick.removes, [f"{title} ✕" for title in titles[:MOST_MEASURES]] if len(ids) > 1 else [])
    pick.about.value = page.about_html(chosen(app.state, app.measures), language)


def _first_of(ids: tuple[str, ...], options: list[tuple[str, str]]) -> str:
    values = {value for _, value in options}
    return next((one for one in ids if one in values), options[0][1] if options else HEADING)


def _title(app: ExplorerApp, measure_id: str) -> str:
    found = app.measures.get(measure_id)
    return found.title[app.language] if found else measure_id


def found_measures(app: ExplorerApp) -> list[tuple[str, str]]:
    """(words, id) of the measures that hold every word of the search, with or without accents, under their groups."""
    words, group = fold(app.pick.search.value).split(), app.pick.group.value or ""
    options: list[tuple[str, str]] = []
    heading = ""
    for one in by_group(app):
        if (group and one.group != group) or not all(word in _searched(app, one.id) for word in words):
            continue
        if one.group != heading:
            heading = one.group
            options.append((f"— {one.group_title[app.language]} —", HEADING + one.group))
        options.append((f"   {one.title[app.language]}", one.id))
        if len(options) >= MOST_FOUND:
            break
    return _distinct(options)


def by_group(app: ExplorerApp) -> list[Measure]:
    """The measures, those of one group together, groups in the order of their first measure."""
    known = app.__dict__.setdefault("_by_group", [])
    if not known:
        order: dict[str, int] = {}
        for one in app.measures.values():
            order.setdefault(one.group, len(order))
        known.extend(sorted(app.measures.values(), key=lambda one: order[one.group]))
    return known


def _distinct(options: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Two measures of one name are told apart by their ids."""
    seen: dict[str, int] = {}
    for words, _ in options:
        seen[words] = seen.get(words, 0) + 1
    return [(f"{words} ({value})" if seen[words] > 1 else words, value) for words, value in options]


def _searched(app: ExplorerApp, measure_id: str) -> str:
    """What a search looks at, folded once per measure: title in both languages, group, id."""
    known = app.__dict__.setdefault("_folded", {})
    if measure_id not in known:
        one = app.measures[measure_id]
        known[measure_id] = fold(" ".join([one.title.vi, one.title.en, one.group_title.vi, one.group_title.en, one.id]))
    return known[measure_id]


# -- place and period


def _places(app: ExplorerApp) -> None:
    pick, view, language = app.pick, app.state.view, app.language
    fill(pick.geography, [(label(f"explorer.geography.{one}", language), one) for one in GEOGRAPHIES], view.geography)
    pick.reform.value = page.small_html(label(f"explorer.reform.{view.geography}", language), language)
    chain = place_chain(app)
    known = offered(chosen(app.state, app.measures), view.geography)
    for level, above in (("province", NATION), ("district", "province"), ("commune", "district")):
        picker = getattr(pick, level)
        parent = (
            NATION if level == "province" else chain.get(above) or (chain.get("province") if level == "commune" else "")
        )
        seen = bool(parent) and level in known
        show(picker, seen)
        whole = (label(f"explorer.whole.{level}", language), "")
        units = app.source.units(view, parent, level) if seen and parent else {}
        options = [whole, *((name, code) for code, name in units.items() if code != UNKNOWN)]
        held = chain.get(level, "")
        if held and held not in units:
            options.append((held, held))
        fill(picker, options, held)


def place_chain(app: ExplorerApp) -> dict[str, str]:
    """{level: unit id} of the state's place and the units above it."""
    place = app.state.view.place
    return {level: unit for level, unit in app.source.above(place).items() if level in UNIT_LEVELS}


def _periods(app: ExplorerApp) -> None:
    pick, language = app.pick, app.language
    kinds = [one for one in PERIODS if one in offered(chosen(app.state, app.measures), app.state.view.geography)]
    fill(
        pick.granularity, [(label(f"explorer.granularity.{one}", language), one) for one in kinds], granularity_of(app)
    )
    for picker in (pick.granularity, pick.first, pick.last):
        show(picker, bool(kinds))
    everywhere = replace(plain(app.state.view), place=app.source.top_place)  # asked once per measure, not per place
    known = app.source.members(everywhere, granularity_of(app)) if kinds else {}
    codes = [one for one in known if one != UNKNOWN]
    first, last = period_ends(app.state)
    moving = [(label(f"explorer.relative.{one}", language), one) for one in RELATIVE]
    moving += [(first, first)] if is_relative(first) and first not in RELATIVE else []
    listed = [(period_name(one, language), one) for one in _with(codes, "" if is_relative(first) else first)]
    fill(pick.first, [(label("explorer.from_start", language), ""), *moving, *listed], first)
    listed = [(period_name(one, language), one) for one in _with(codes, last)]
    fill(pick.last, [(label("explorer.to_end", language), ""), *listed], last)
    show(pick.last, bool(kinds) and not is_relative(first))


def _with(codes: list[str], chosen_code: str) -> list[str]:
    """The codes and the chosen one, where the release does not list it."""
    return codes if not chosen_code or chosen_code in codes else [*codes, chosen_code]


def granularity_of(app: ExplorerApp) -> str:
    """The kind of period that the pickers list: of the state's period, else the finest of the table, else the first offered."""
    from tkyt_analysis.reference.periods import period

    kinds = [one for one in PERIODS if one in offered(chosen(app.state, app.measures), app.state.view.geography)]
    first = period_ends(app.state)[0]
    if is_relative(first):
        found = "month" if "month" in first else "quarter" if "quarter" in first else "year"
        return found if found in kinds else next(iter(kinds), "")
    if first and period(first).kind in kinds:
        return period(first).kind
    in_table = [one for one in kinds if one in app.state.axes]
    return in_table[-1] if in_table else next(iter(kinds), "")


# -- rows, columns, filters


def _axes(app: ExplorerApp) -> None:
    pick, state, language = app.pick, app.state, app.language
    several = len(state.view.measures) > 1
    known = (*offered(chosen(state, app.measures), state.view.geography), *((MEASURE,) if several else ()))
    known = (*known, *(one for one in state.axes if one not in known))
    options = [("–", ""), *((_capital(dimension_name(one, language)), one) for one in known)]
    for side in ("rows", "columns"):
        held = getattr(state.layout, side)
        for number, slot in enumerate(getattr(pick, side)):
            show(slot, number <= len(held) and number < SLOTS)
            fill(slot, options, held[number] if number < len(held) else "")
    asks_causes = "cause" in state.axes or any(name == "cause" for name, _ in state.view.where)
    show(pick.cause_list, asks_causes)
    if asks_causes:
        lists = load_entries("cause_lists")
        fill(pick.cause_list, [(one.title[language], one.id) for one in lists.values()], state.view.cause_list)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def fill_filter(app: ExplorerApp) -> None:
    """The members of the dimension that is being filtered, and what is filtered already."""
    pick, state, language = app.pick, app.state, app.language
    known = offered(chosen(state, app.measures), state.view.geography)
    options = [
        (label("explorer.no_filter", language), ""),
        *((_capital(dimension_name(one, language)), one) for one in known),
    ]
    fill(pick.filter_by, options)
    dimension = pick.filter_by.value or ""
    kept = dict(state.view.where)
    show(pick.members, bool(dimension))
    if dimension:
        members = app.source.members(plain(state.view, period=dimension not in PERIODS), dimension)
        fill_members(pick, [(name, code) for code, name in members.items()], kept.get(dimension, ()))
    parts = [(dimension_name(name, language), _names(app, name, codes)) for name, codes in state.view.where]
    pick.filtered.value = page.filtered_html(parts, language)
    show(pick.unfilter, bool(kept))


def fill_members(pick: object, options: list[tuple[str, str]], kept: tuple[str, ...]) -> None:
    """The list of members with those that are kept marked."""
    picker = pick.members  # type: ignore[attr-defined]
    if tuple(picker.options) != tuple(options):
        picker.value = ()
        picker.options = options
    values = tuple(value for _, value in options if value in kept)
    if picker.value != values:
        picker.value = values


def _names(app: ExplorerApp, dimension: str, codes: tuple[str, ...]) -> list[str]:
    known = app.source.members(plain(app.state.view), dimension)
    return [known.get(code, code) for code in codes]


# -- how it is shown


def _display(app: ExplorerApp) -> None:
    pick, layout, language = app.pick, app.state.layout, app.language
    shows = offered_shows(app.state, app.measures)
    shows = shows if layout.shows in shows else (*shows, layout.shows)
    fill(pick.shows, [(label(f"explorer.shows.{one}", language), one) for one in shows], layout.shows)
    fill(pick.sort, [(label(f"explorer.sort.{one or 'natural'}", language), one) for one in ("", "value")], layout.sort)
    tops = sorted({*TOPS, layout.top})
    words = {one: label("explorer.top_all" if not one else "explorer.top_some", language, number=one) for one in tops}
    fill(pick.top, [(words[one], one) for one in tops], layout.top)
    schemes = (*SCHEMES, *((layout.scheme,) if layout.scheme not in SCHEMES else ()))
    fill(pick.scheme, [(_scheme_name(one, language), one) for one in schemes], layout.scheme)
    fill(pick.classes, [(str(one), one) for one in sorted({*CLASSES, layout.classes})], layout.classes)
    for picker, value in (
        (pick.totals, layout.totals),
        (pick.intervals, layout.intervals),
        (pick.subtotals, layout.subtotals),
        (pick.shade, layout.shade),
        (pick.picture, layout.picture),
    ):
        if picker.value != value:
            picker.value = value
    show(pick.subtotals, len(layout.rows) > 1)
    for picker in (pick.scheme, pick.classes):
        show(picker, layout.picture == "map")


def _scheme_name(scheme: str, language: str) -> str:
    return label(f"explorer.scheme.{scheme}", language) if scheme in SCHEMES else scheme


# -- looking into a row, and the way back


def _steps(app: ExplorerApp) -> None:
    pick, language = app.pick, app.language
    show(pick.up, bool(app.trail) or app.state.view.place != app.source.top_place)
    show(pick.undo, app.can_undo)
    names = [label("explorer.start", language), *(name for name, _ in app.trail)][-MOST_CRUMBS:] if app.trail else []
    press(pick.crumbs, [f"{name} ›" for name in names[:-1]] + names[-1:])
    if names:
        pick.crumbs[len(names) - 1].disabled = True
        for crumb in pick.crumbs[: len(names) - 1]:
            crumb.disabled = False


def fill_details(app: ExplorerApp) -> None:
    """The rows and columns of the table that can be looked into."""
    options = details_of(app)
    with app.pick.quiet():
        fill(app.pick.detail, options or [("–", "")])
        fill_detail_by(app)
    show(app.pick.looking, bool(options))


def details_of(app: ExplorerApp) -> list[tuple[str, str]]:
    """("tỉnh: Quảng Ngãi", "province=VN2025:51") of every member that stands in the table and has something inside."""
    pivot = app._pivot
    if pivot is None:
        return []
    options: dict[str, str] = {}
    for names, keys, words in (
        (pivot.layout.rows, pivot.row_keys, pivot.row_names),
        (pivot.layout.columns, pivot.column_keys, pivot.column_names),
    ):
        for place, dimension in enumerate(names):
            if dimension == MEASURE or not inside(app.state, app.measures, dimension):
                continue
            for key, name in zip(keys, words):
                if key[place] not in (TOTAL, UNKNOWN, "rest") and len(options) < MOST_DETAILS:
                    options[f"{dimension}={key[place]}"] = f"{dimension_name(dimension, app.language)}: {name[place]}"
    return [(words, value) for value, words in options.items()]


def fill_detail_by(app: ExplorerApp) -> None:
    """By what the chosen row can be broken down, the level below it first."""
    dimension = (app.pick.detail.value or "").partition("=")[0]
    choices = inside(app.state, app.measures, dimension) if dimension else []
    with app.pick.quiet():
        fill(app.pick.detail_by, [(dimension_name(one, app.language), one) for one in choices] or [("–", "")])
        if choices and app.pick.detail_by.value not in choices[:1]:
            app.pick.detail_by.value = choices[0]
