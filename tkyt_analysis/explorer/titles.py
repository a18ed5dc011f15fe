"""How a table or picture of figures is called: what, by what, when; where and which filters; in which unit.

Table, chart, export and code use these words, so that one view has one name everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from tkyt_analysis.cube.model import NATION, PERIODS, PLACES, TOTAL, UNKNOWN
from tkyt_analysis.labels import current_language, label

if TYPE_CHECKING:
    from tkyt_analysis.cube.model import Figures
    from tkyt_analysis.explorer.layout import Layout

_MOST_NAMES = 3  # measures or filter members that are named; the rest is counted


def title(figures: Figures, layout: Layout | None = None, language: str | None = None) -> str:
    """What, by what, when: "Tỷ suất chết thô theo tỉnh và giới, 2024–2025".

    With a layout, dimensions stand in its order (rows, then columns), and a share or a change says so.
    """
    language = language or current_language()
    names = [measure_name(figures, one, language) for one in figures.view.measures]
    what = listing([name if i == 0 else _inside(name) for i, name in enumerate(names)], language)
    if layout is not None and layout.shows != "value":
        what = label("chart.title_shows", language, what=what, shows=label(f"chart.shows.{layout.shows}", language))
    by = dimension_words(figures, layout, language)
    if by:
        what = label("chart.title_by", language, what=what, by=listing(by, language, most=len(by)))
    when = period_words(figures, language)
    return f"{what}, {when}" if when else what


def subtitle(figures: Figures, language: str | None = None) -> str:
    """Where and which filters are in force: "Cả nước (34 tỉnh, thành phố) · Giới: nữ"."""
    language = language or current_language()
    parts = [place_words(figures, language)]
    for dimension, kept in figures.view.where:
        names = [member_name(figures, dimension, code, language) for code in kept]
        head = dimension_name(dimension, language)
        parts.append(f"{head[:1].upper()}{head[1:]}: {listing(names, language)}")
    return " · ".join(part for part in parts if part)


def axis_unit(figures: Figures, language: str | None = None, layout: Layout | None = None) -> str:
    """The unit of the figures; several units are listed, a share or change is in percent."""
    language = language or current_language()
    if layout is not None and layout.shows != "value":
        return "%"
    units = [figures.measures[one].unit[language] for one in figures.view.measures if one in figures.measures]
    return "; ".join(dict.fromkeys(unit for unit in units if unit))


def _inside(name: str) -> str:
    """A name within a sentence: without its capital, unless it begins with an abbreviation."""
    return name[:1].lower() + name[1:] if name[1:2].islower() or name[1:2] == " " else name


def measure_name(figures: Figures, measure_id: str, language: str) -> str:
    """The measure's title; its id where the figures do not know it."""
    found = figures.measures.get(measure_id)
    return found.title[language] if found else measure_id


def dimension_name(dimension: str, language: str | None = None) -> str:
    """A dimension in lower-case words: "tỉnh", "nhóm tuổi"."""
    return label(f"chart.dimension.{dimension}", language)


def dimension_words(figures: Figures, layout: Layout | None, language: str) -> list[str]:
    """The dimensions in words, in the order of the layout."""
    ordered: Sequence[str] = (*layout.rows, *layout.columns) if layout is not None else figures.view.by
    known = [one for one in ordered if one in figures.view.by]
    rest = [one for one in figures.view.by if one not in known]
    return [dimension_name(one, language) for one in (*known, *rest)]


def member_name(figures: Figures, dimension: str, code: str, language: str) -> str:
    """A member in words: as the figures call it, else as a place, period or sex is called, else its code."""
    name = figures.names.get(dimension, {}).get(code)
    if name:
        return str(name)
    if code == UNKNOWN:
        return label("chart.unknown", language)
    if dimension in PERIODS:
        return period_name(code, language)
    if dimension in PLACES:
        return place_name(code, figures.view.geography, language)
    return label(f"sex.{code}", language) if dimension == "sex" and code in ("male", "female") else code


def place_words(figures: Figures, language: str) -> str:
    """The place of the view: "Cả nước (34 tỉnh, thành phố)", "tỉnh Thanh Hóa"."""
    view = figures.view
    if view.place == NATION:
        return label(f"chart.nation_{view.geography}", language)
    return place_name(view.place, view.geography, language)


@lru_cache(maxsize=4096)
def place_name(unit_id: str, geography: str, language: str) -> str:
    """A unit's full name from the code lists; its code where they do not know it."""
    from tkyt_analysis.errors import TkytError
    from tkyt_analysis.reference.places import place

    if unit_id == NATION:
        return label("chart.nation", language)
    try:
        return place(unit_id if ":" in unit_id else f"{geography}:{unit_id}").name
    except TkytError:
        return unit_id


@lru_cache(maxsize=4096)
def period_name(period_id: str, language: str) -> str:
    """A period in words: "2024", "tháng 6/2025"; what is no period of ours stays as it is."""
    from tkyt_analysis.errors import TkytError
    from tkyt_analysis.reference.periods import period

    try:
        found = period(period_id)
    except TkytError:
        return period_id
    if found.kind == "year":
        return str(found.year)
    if found.kind in ("month", "quarter", "half"):
        return label(f"chart.period.{found.kind}", language, number=found.number, year=found.year)
    return found.name(language)


def period_words(figures: Figures, language: str) -> str:
    """The period of the view in words: "2024", "2023–2025", "tháng 1/2024 – tháng 12/2025"; else what the rows span."""
    asked = figures.view.period
    if asked:
        ends = asked.split("..")
    else:
        ends = _spanned(figures)
    names = [period_name(one, language) for one in dict.fromkeys((ends[0], ends[-1]))] if ends else []
    return ("–" if all(name.isdigit() for name in names) else " – ").join(names)


def _spanned(figures: Figures) -> list[str]:
    """First and last period of the rows by date, where a period is a dimension of the view."""
    by = [one for one in PERIODS if one in figures.view.by]
    if not by or by[-1] not in figures.rows:
        return []
    codes = {str(code) for code in figures.rows[by[-1]].unique()} - {TOTAL, UNKNOWN, ""}
    ordered = sorted(codes, key=_starts)
    return [ordered[0], ordered[-1]] if ordered else []


def _starts(period_id: str) -> str:
    """A text that sorts periods by their first day."""
    from tkyt_analysis.errors import TkytError
    from tkyt_analysis.reference.periods import period

    try:
        return period(period_id).start.isoformat()
    except TkytError:
        return period_id


def listing(names: Sequence[str], language: str | None = None, *, most: int = _MOST_NAMES) -> str:
    """ "a", "a và b", "a, b và c", "a, b, c và 4 mục khác"."""
    names = list(names)
    if len(names) > most:
        names = [*names[:most], label("chart.more", language, number=len(names) - most)]
    if len(names) < 2:
        return "".join(names)
    return label("chart.and", language, first=", ".join(names[:-1]), last=names[-1])
