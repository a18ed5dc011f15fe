"""The overview in HTML: figures and tables → pieces of the page. Every text that came from outside is escaped."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from tkyt_analysis.assets import font_face_css, page_css
from tkyt_analysis.dashboards.overview_data import REFORM, Figure, OverviewData
from tkyt_analysis.dashboards.overview_figures import FEW_DEATHS
from tkyt_analysis.labels import format_date, format_number, label
from tkyt_analysis.pages import FigureCard, figure_cards, notice, table_html
from tkyt_analysis.reference.periods import Period, format_period, make_period, shift
from tkyt_analysis.warehouse.release import NATION, Release

PERCENT = ("completeness", "ill_defined_share")
DECIMALS = {"completeness": 1, "crude_death_rate": 2, "ill_defined_share": 1}
COMPLETENESS_BOUNDS = (0, 50, 75, 90, 100)  # 90: WHO's threshold
MANY = 8  # old units named one by one; more are counted


@cache
def style_html() -> str:
    """Typeface and style; the pages' style sheet applies inside the app only."""
    pages = page_css().replace(":root", "&").replace("html {", "& {", 1)
    own = Path(__file__).with_name("overview.css").read_text("utf-8")
    return f"<style>{font_face_css()}\n.tkyt-app {{ {pages} }}\n{own}</style>"


def head_html(release: Release | None, language: str, *, title: str = "overview.title") -> str:
    """Band of practice data, masthead and title (a label)."""
    band = (
        f'<div class="band" role="note">{label("page.practice", language)}</div>'
        if release and release.practice
        else ""
    )
    return (
        f'<div lang="{language}">{band}<div class="masthead"><div class="inner"><div class="logo" aria-hidden="true">TKYT</div>'
        f"<div><strong>{label('page.ministry', language)}</strong>{label('page.service', language)}</div></div></div>"
        f"<h1>{label(title, language)}</h1></div>"
    )


def foot_html(release: Release, language: str) -> str:
    """Release, date of the data, and once more that they are practice data."""
    lines = [
        label("page.release", language, release_id=release.release_id),
        label("page.data_as_of", language, date=format_date(release.manifest["data_as_of"], language)),
        *([label("page.practice", language)] if release.practice else []),
    ]
    return f'<footer lang="{language}"><div class="inner">{"".join(f"<p>{escape(line)}</p>" for line in lines)}</div></footer>'


def place_name(data: OverviewData, place: str, language: str) -> str:
    """Name of the place in the language."""
    return label("overview.nation", language) if place == NATION else str(data.names[place])


def cards_html(figures: list[Figure], this: Period, language: str) -> str:
    """The six figures as value boxes."""
    cards = [card(figure, this, language) for figure in figures]
    return f'<div lang="{language}">{figure_cards(cards, language=language)}</div>'


def card(figure: Figure, this: Period, language: str) -> FigureCard:
    """One figure with unit, interval, change and the reason of its trust mark in words."""
    decimals = DECIMALS.get(figure.id, 0)
    unit = "%" if figure.id in PERCENT else label(f"overview.unit.{figure.id}", language)
    if figure.lower is not None and figure.upper is not None:
        low, high = (format_number(one, decimals, language) for one in (figure.lower, figure.upper))
        unit = label("overview.interval", language, unit=unit, lower=low, upper=high)
    yearly = figure.id in ("crude_death_rate", "ill_defined_share")
    before = shift(make_period("year", this.year) if yearly else this, -1)
    key = "overview.against_points" if figure.id in PERCENT else "overview.against"
    return FigureCard(
        label(f"overview.figure.{figure.id}", language, year=this.year),
        figure.value,
        unit,
        decimals,
        change=figure.change,
        change_text=label(key, language, period=lower_first(format_period(before, language))),
        trust=figure.trust,
        trust_note=label(figure.reason, language) if figure.reason else "",
        course=figure.course,
    )


def lower_first(text: str) -> str:
    """A period's name inside a sentence."""
    return text[:1].lower() + text[1:] if text[:1] in "TQN" else text


def remarks_html(data: OverviewData, place: str, this: Period, figures: list[Figure], language: str) -> str:
    """What a reader must know before the figures: nothing here, very few deaths, units before the reform."""
    name, when = place_name(data, place, language), lower_first(format_period(this, language))
    found = {figure.id: figure for figure in figures}
    deaths = found["deaths"].value
    remarks = []
    if all(found[one].value is None for one in ("completeness", "deaths")) and not found["questions"].value:
        remarks.append(("warning", label("overview.nothing_here", language, place=name, period=when)))
    elif deaths is not None and 0 < deaths < FEW_DEATHS and this.kind == "year":
        text = label("overview.one_death", language, place=name, period=when, deaths=format_number(deaths, 0, language))
        remarks.append(("warning", text))
    if place != NATION and pd.Timestamp(this.start) < REFORM:
        remarks.append(("info", reform_text(data, place, this, language)))
    return "".join(notice(text, kind=kind, language=language) for kind, text in remarks)


def reform_text(data: OverviewData, place: str, this: Period, language: str) -> str:
    """Which old units stand behind a place of 2025 in a period before 1 July 2025."""
    old = data.old_units(place)
    named = ", ".join(old) if len(old) <= MANY else label("overview.reform_many", language, count=len(old))
    text = label("overview.reform", language, old=named)
    before = pd.Timestamp(this.end) < REFORM and len(place) == len("VN2025:51")
    return f"{text} {label('overview.reform_unit', language)}" if before else text


def table_of_units(data: OverviewData, table: pd.DataFrame, place: str, this: Period, language: str) -> str:
    """The table below the figures; "" where there is nothing to list."""
    if table.empty:
        return ""
    level = "nation" if place == NATION else "province" if len(place) == len("VN2025:51") else "commune"
    columns = [one for one in ("expected", "received", "missing", "share", "questions", "deaths") if one in table]
    first = "dataset" if level == "commune" else "unit"
    headings = {"name": label(f"overview.column.{first}", language)}
    headings |= {one: label(f"overview.column.{one}", language) for one in columns}
    name = place_name(data, place, language)
    when = lower_first(format_period(this, language))
    caption = label(f"overview.table.{level}", language, place=name, period=when)
    shown = table.assign(share=100 * table["share"])
    if "row_unit" in table:
        shown["name"] = shown["name"].mask(table["row_unit"] == NATION, label("overview.not_in_list", language))
    body = table_html(shown, headings=headings, caption=caption, decimals={"share": 1}, language=language)
    return f'<div lang="{language}">{body}</div>'


def map_html(data: OverviewData, measure: str, this: Period, language: str) -> str:
    """The province map of one measure, with both archipelagos; the page itself bears the band of practice data."""
    from tkyt_analysis.catalog import load_entries
    from tkyt_analysis.maps.interactive import interactive_map_html

    values = data.map_values(measure, this)
    when = lower_first(format_period(this, language))
    title = label(f"overview.map_title.{measure}", language, period=when, year=this.year)
    options: dict[str, Any] = {"unit": "%", "scheme": "given", "bounds": completeness_bounds(values)}
    if measure == "crude_death_rate":
        entry = load_entries("indicators")[measure]
        options = {"unit": entry.unit[language], "decimals": entry.decimals, "value_decimals": entry.decimals}
    return interactive_map_html(values, title=title, practice=False, table=False, language=language, **options)


def completeness_bounds(values: pd.DataFrame) -> tuple[float, ...]:
    """The fixed classes, and one more above 100 % where a province sent more than it had to."""
    most = values["value"].max() if len(values) else 0
    return (*COMPLETENESS_BOUNDS, float(-(-most // 10) * 10)) if most > 100 else COMPLETENESS_BOUNDS
