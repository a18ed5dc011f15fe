"""All provinces × ten verdicts: a heat table with a sign and a word in every cell."""

from __future__ import annotations

from html import escape

import pandas as pd

from mortality.ten_steps.assess import Assessment
from mortality.ten_steps.limits import REVIEW, STEPS
from mortality.ten_steps.words import SIGNS
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.pages import paragraph, section


def verdict_matrix(found: Assessment, places: list[str], year: int) -> pd.DataFrame:
    """place, deaths, 1 … 10 (verdicts) of the places with a death, those with most steps to look at first."""
    rows = found.verdicts[(found.verdicts["year"] == year) & found.verdicts["place"].isin(places)]
    wide = rows.pivot(index="place", columns="step", values="verdict").reindex(columns=list(STEPS))
    deaths = pd.Series(found.panel.all_deaths, index=pd.MultiIndex.from_frame(found.panel.frame))
    wide.insert(0, "deaths", [deaths.get((place, year), 0.0) for place in wide.index])
    wide = wide[wide["deaths"] > 0].assign(look=lambda table: table.eq(REVIEW).sum(axis=1))
    return wide.sort_values(["look", "place"], ascending=[False, True]).drop(columns="look").reset_index()


def summary_section(found: Assessment, places: list[str], year: int, language: str) -> str:
    """The table and the names of the places without a death."""
    year = year or found.latest
    matrix = verdict_matrix(found, places, year)
    without = [found.data.names[place] for place in places if place not in set(matrix["place"])]
    parts = [paragraph(label("ten_steps.summary.text", language))]
    parts.append(
        _table(found, matrix, language) if len(matrix) else paragraph(label("ten_steps.summary.none", language))
    )
    if without and len(matrix):
        parts.append(
            paragraph(label("ten_steps.summary.without", language, count=len(without), places=", ".join(without)))
        )
    return section(label("ten_steps.summary", language, year=year or "–"), "".join(parts))


def _table(found: Assessment, matrix: pd.DataFrame, language: str) -> str:
    heads = [label("ten_steps.column.place", language), label("ten_steps.column.deaths", language)]
    cells = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    steps = "".join(
        f'<th scope="col" title="{escape(label(f"ten_steps.title.{step}", language), quote=True)}">{step}</th>'
        for step in STEPS
    )
    rows = "".join(_row(found, row, language) for row in matrix.to_dict("records"))
    titles = "; ".join(label(f"ten_steps.title.{step}", language) for step in STEPS)
    return (
        f'<div class="scroll" tabindex="0"><table class="ten-heat"><thead><tr>{cells}{steps}</tr></thead>'
        f'<tbody>{rows}</tbody></table></div><p class="ten-note">{escape(titles)}.</p>'
    )


def _row(found: Assessment, row: dict[object, object], language: str) -> str:
    name, deaths = found.data.names[str(row["place"])], format_number(float(str(row["deaths"])), 0, language)
    cells = "".join(_cell(str(row[step]), language) for step in STEPS)
    return f'<tr><th scope="row">{escape(name)}</th><td class="plain">{deaths}</td>{cells}</tr>'


def _cell(verdict: str, language: str) -> str:
    said = f"{SIGNS[verdict]} {label(f'ten_steps.short.{verdict}', language)}"
    title = escape(label(f"ten_steps.verdict.{verdict}", language), quote=True)
    return f'<td class="{verdict}" title="{title}">{escape(said)}</td>'
