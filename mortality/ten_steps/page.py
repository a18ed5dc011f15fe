"""The page of one place and year: the ten steps in one table, then each step, then the years. Assessment → HTML."""

from __future__ import annotations

from html import escape
from pathlib import Path

import pandas as pd

from mortality.ten_steps.assess import Assessment
from mortality.ten_steps.limits import GOOD, NOT_ASSESSABLE, REVIEW, STEPS
from mortality.ten_steps.step_pictures import picture
from mortality.ten_steps.words import (
    MAIN,
    SIGNS,
    deciding_figure,
    figure_name,
    limit_text,
    number,
    value_text,
    verdict_text,
)
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.pages import notice, paragraph, section, table_html

FEW, YEARS = 100, 6


def style() -> str:
    """The page's own rules, beside those of every page."""
    return f"<style>{(Path(__file__).parent / 'page.css').read_text('utf-8')}</style>"


def place_page(found: Assessment, place: str, year: int, language: str, *, before: str = "") -> str:
    """The body of the page; year 0: the latest that has ended; before : HTML of ours that comes first."""
    year = year or found.latest
    at = found.series_of(place, year)
    name = found.data.names[place]
    if at < 0 and found.data.years:
        known = ", ".join(map(str, found.data.years))
        said = label("ten_steps.no_such_year", language, year=year, known=known)
        return style() + before + notice(said, kind="warning", language=language)
    if at < 0 or found.panel.all_deaths[at] == 0:
        shown = str(year) if year else label("ten_steps.no_year", language)
        said = label("ten_steps.nothing", language, place=name, year=shown)
        return (
            style() + before + notice(said, kind="warning", language=language) + _reasons(found, place, year, language)
        )
    parts = [
        style(),
        before,
        _lead(found, place, year, language),
        overview(found, place, year, language),
        *(step_section(found, place, year, step, language) for step in STEPS),
        years_section(found, place, year, language),
        sources_section(found, language),
    ]
    return "\n".join(part for part in parts if part)


def rows_of(found: Assessment, place: str, year: int) -> pd.DataFrame:
    """The judged figures of a place and year."""
    return found.figures[(found.figures["place"] == place) & (found.figures["year"] == year)]


def verdicts_of(found: Assessment, place: str, year: int) -> dict[int, str]:
    """step → verdict."""
    rows = found.verdicts[(found.verdicts["place"] == place) & (found.verdicts["year"] == year)]
    return dict(zip(rows["step"], rows["verdict"]))


def badge(verdict: str, language: str) -> str:
    """A verdict as a sign and words in a box."""
    said = f"{SIGNS[verdict]} {label(f'ten_steps.verdict.{verdict}', language)}"
    return f'<span class="ten-verdict {verdict}">{escape(said)}</span>'


def _lead(found: Assessment, place: str, year: int, language: str) -> str:
    at, verdicts = found.series_of(place, year), list(verdicts_of(found, place, year).values())
    deaths, persons = found.panel.all_deaths[at], found.panel.all_persons[at]
    counts = {verdict: verdicts.count(verdict) for verdict in (GOOD, REVIEW, NOT_ASSESSABLE)}
    parts = [
        paragraph(
            label(
                "ten_steps.lead",
                language,
                place=found.data.names[place],
                year=year,
                deaths=format_number(deaths, 0, language),
                persons=format_number(persons, 0, language),
                **counts,
            )
        ),
        paragraph(label("ten_steps.how", language)),
        paragraph(label("ten_steps.basis", language)),
    ]
    heading = label("ten_steps.place_year", language, place=found.data.names[place], year=year)
    if found.panel.modelled[at]:
        parts.append(notice(label("ten_steps.modelled", language), language=language))
    if deaths < FEW:
        few = label("ten_steps.few", language, deaths=format_number(deaths, 0, language))
        parts.append(notice(few, kind="warning", language=language))
    return f'<div class="ten-overview">{section(heading, "".join(parts))}</div>'


def overview(found: Assessment, place: str, year: int, language: str) -> str:
    """One row per step: the figure that decides it, and the verdict."""
    figures, verdicts = rows_of(found, place, year), verdicts_of(found, place, year)
    rows = []
    for step in STEPS:
        row = deciding_figure(figures, step, verdicts[step])
        said = f"{figure_name(row['figure'], language)}: {value_text(row, language)}"
        rows.append(
            (label(f"ten_steps.title.{step}", language), said, verdict_text({"verdict": verdicts[step]}, language))
        )
    table = pd.DataFrame(rows, columns=["step", "figure", "verdict"])
    headings = {name: label(f"ten_steps.column.{name}", language) for name in table.columns}
    drawn = table_html(table, headings=headings, stacked=True, language=language)
    return f'<div class="ten-overview">{section(label("ten_steps.overview", language), drawn)}</div>'


def step_section(found: Assessment, place: str, year: int, step: int, language: str) -> str:
    """Question, figures with limits and verdicts, how to read them, what to do, picture, course over the years."""
    verdict = verdicts_of(found, place, year)[step]
    sentences = [("question", True), ("read", True), ("todo", verdict == REVIEW)]
    said = "".join(_sentence(kind, step, language) for kind, wanted in sentences if wanted)
    drawn = picture(found, place, year, step, language)
    top = f'<div class="ten-sides"><div>{said}{_course(found, place, step, language)}</div><div>{drawn}</div></div>'
    body = (top if drawn else said) + _figures_table(found, place, year, step, language)
    title = escape(label(f"ten_steps.title.{step}", language))
    return f'<section class="ten-step"><h2>{title} {badge(verdict, language)}</h2>{body}</section>'


def _sentence(kind: str, step: int, language: str) -> str:
    """A sentence with its heading; the keys are ten_steps.question.1, ten_steps.read.1, ten_steps.todo.1 and so on."""
    heading = escape(label(f"ten_steps.{kind}", language))
    return f"<p><strong>{heading}.</strong> {escape(label(f'ten_steps.{kind}.{step}', language))}</p>"


def _figures_table(found: Assessment, place: str, year: int, step: int, language: str) -> str:
    figures = rows_of(found, place, year)
    rows = figures[figures["step"] == step].to_dict("records")
    table = pd.DataFrame(
        {
            "name": [figure_name(row["figure"], language) for row in rows],
            "value": [value_text(row, language, limit=found.limits.get(row["figure"])) for row in rows],
            "limit": [limit_text(found.limits.get(row["figure"]), language) for row in rows],
            "verdict": [verdict_text(row, language) for row in rows],
        }
    )
    headings = {name: label(f"ten_steps.column.{name}", language) for name in table.columns}
    return table_html(table, headings=headings, stacked=True, language=language)


def _course(found: Assessment, place: str, step: int, language: str) -> str:
    """The main figure of the last years in a line, where there are two or more."""
    main = main_figure(found, place, step)
    rows = found.figures[(found.figures["place"] == place) & (found.figures["figure"] == main)]
    rows = rows[rows["status"].eq("ok")].tail(YEARS)
    if len(rows) < 2:
        return ""
    course = " → ".join(f"{row.year}: {number(main, row.value, language)}" for row in rows.itertuples())
    said = label("ten_steps.trend.line", language, figure=figure_name(main, language), course=course)
    return f'<p class="ten-note">{escape(said)}</p>'


def main_figure(found: Assessment, place: str, step: int) -> str:
    """The figure whose course is shown: the first of the step's main ones that the place has in any year."""
    rows = found.figures[(found.figures["place"] == place) & found.figures["status"].eq("ok")]
    known = set(rows["figure"])
    return next((name for name in MAIN[step] if name in known), MAIN[step][0])


def years_section(found: Assessment, place: str, year: int, language: str) -> str:
    """Steps by years: main figure and verdict; "" for a single year."""
    years = [one for one in found.data.years if one <= year][-YEARS:]
    if len(years) < 2:
        return ""
    head = "".join(f'<th scope="col">{one}</th>' for one in years)
    body = "".join(_step_row(found, place, years, step, language) for step in STEPS)
    table = (
        f'<div class="scroll" tabindex="0"><table class="ten-heat"><thead><tr><th scope="col">'
        f"{escape(label('ten_steps.column.step', language))}</th>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    return section(label("ten_steps.trend", language), paragraph(label("ten_steps.trend.text", language)) + table)


def _step_row(found: Assessment, place: str, years: list[int], step: int, language: str) -> str:
    cells, main = [], main_figure(found, place, step)
    for year in years:
        figures, verdict = rows_of(found, place, year), verdicts_of(found, place, year)[step]
        row = figures[figures["figure"] == main].iloc[0]
        value = number(main, row["value"], language)
        said = f"{SIGNS[verdict]} {label(f'ten_steps.short.{verdict}', language)}"
        cells.append(f'<td class="{verdict}">{escape(value)} {escape(said)}</td>')
    name = f"{label(f'ten_steps.title.{step}', language)} – {figure_name(main, language)}"
    return f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>'


def sources_section(found: Assessment, language: str) -> str:
    """Which limit comes from where."""
    sources: dict[str, list[str]] = {}
    for name, limit in found.limits.items():
        if (found.figures["figure"] == name).any():
            words = limit.source or label("ten_steps.own", language)
            note = f" ({label('ten_steps.unverified', language)})" if limit.unverified else ""
            sources.setdefault(words + note, []).append(figure_name(name, language))
    lines = [
        label("ten_steps.source_line", language, figures="; ".join(names), source=words)
        for words, names in sources.items()
    ]
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    text = f'<p class="ten-note">{escape(label("ten_steps.limits_of", language))}</p><ul class="ten-note">{items}</ul>'
    return section(label("ten_steps.sources", language), text)


def _reasons(found: Assessment, place: str, year: int, language: str) -> str:
    """The ten steps of a place without deaths: each with the reason."""
    return overview(found, place, year, language) if found.series_of(place, year) >= 0 else ""
