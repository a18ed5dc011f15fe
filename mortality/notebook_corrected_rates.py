"""The corrected standardised rate for a notebook: what was registered, what is estimated, ONE interval, and what makes it wide.

Figures are those of the release table `corrected_rate`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mortality.measure_pictures import Dot, interval_dots, shares
from mortality.notebook_completeness import Comparison
from mortality.notebook_measures import SEXES, last_year, nothing, one_unit, rows_of, sex_words, shown, with_limits
from tkyt_analysis.labels import current_language, format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.api.workbench import Workbench

STANDARDISED = "age_standardised_death_rate"
SOURCES = ("counts", "completeness", "redistribution", "denominator")
MOST_PROVINCES = 40


def corrected_rows(workbench: Workbench, place: str, period: str = "") -> pd.DataFrame:
    """Rows of `corrected_rate` of the unit that is shown, oldest year first."""
    rows = rows_of(workbench, "corrected_rate", place, period)
    if rows.empty:
        return rows
    order = {sex: number for number, sex in enumerate(SEXES)}
    rows = rows[rows["unit_id"] == one_unit(rows, workbench, place)]
    return rows.sort_values(
        ["year", "sex"], key=lambda one: one.map(order) if one.name == "sex" else one, kind="stable", ignore_index=True
    )


def corrected_html(workbench: Workbench, place: str, period: str = "", language: str | None = None) -> Comparison:
    """The standardised rate of all causes by year and sex, and of the four groups in the last year: registered beside corrected."""
    language = language or current_language()
    every = corrected_rows(workbench, place, period)
    rows = every[every["indicator_id"] == STANDARDISED] if len(every) else every
    if rows.empty:
        return nothing("cause_notebook.nothing", language)
    sexes = sex_words(language)
    known = rows[(rows["cause"] == "all") & rows["corrected"].notna()]
    lines = [
        (f"{row.year} · {sexes[row.sex]}", [Dot(row.registered, hollow=True), Dot(row.corrected, row.lower, row.upper)])
        for row in known.itertuples()
    ]
    name = workbench.place_name(str(rows["unit_id"].iloc[0]))
    html = ""
    if lines:
        key = (label("cause_notebook.key.corrected", language), label("cause_notebook.key.registered", language))
        caption = label("cause_notebook.picture.corrected", language, place=name)
        html = interval_dots(lines, key=key, decimals=0, language=language, caption=caption)
    return shown(workbench, rows, place, html + _rate_table(rows, language), language)


def _rate_table(rows: pd.DataFrame, language: str) -> str:
    """All causes of every year, the groups of the last one."""
    from tkyt_analysis.pages import table_html

    rows = pd.concat([rows[rows["cause"] == "all"], rows[(rows["cause"] != "all") & (rows["year"] == last_year(rows))]])
    causes, sexes = cause_words(language), sex_words(language)
    table = pd.DataFrame(
        {
            "cause": rows["cause"].map(causes),
            "year": rows["year"].astype("str"),
            "sex": rows["sex"].map(sexes),
            "registered": [format_number(value, 1, language) for value in rows["registered"]],
            "corrected": [with_limits(row, 1, language, value="corrected") for row in rows.to_dict("records")],
            "completeness": [_percent(value, language) for value in rows["completeness"]],
        }
    )
    headings = {name: label(f"cause_notebook.column.{name}", language) for name in table.columns}
    caption = label("cause_notebook.table.corrected", language)
    return table_html(table, headings=headings, caption=caption, stacked=True, language=language)


def _percent(share: float, language: str) -> str:
    return "–" if pd.isna(share) else f"{format_number(100 * share, 0, language)} %"


def cause_words(language: str) -> dict[str, str]:
    """cause of `corrected_rate` → its name."""
    from mortality.tabulation.cause_lists import load_cause_list

    items = load_cause_list("sdg_3_4_1").items
    names = dict(zip(items["item"], items[f"label_{language}"], strict=True))
    return {**names, "all": label("cause_notebook.all_causes", language)}


def components_html(workbench: Workbench, place: str, period: str = "", language: str | None = None) -> Comparison:
    """Where the width of the interval comes from: shares of the variance of each figure of the last year, both sexes."""
    from tkyt_analysis.pages import paragraph

    language = language or current_language()
    rows = corrected_rows(workbench, place, period)
    rows = component_rows(rows) if len(rows) else rows
    if rows.empty:
        return nothing("cause_notebook.no_components", language)
    causes = cause_words(language)
    names = [
        causes[row.cause]
        if row.indicator_id == STANDARDISED
        else label(f"cause_notebook.figure.{row.indicator_id}", language)
        for row in rows.itertuples()
    ]
    parts = rows[[f"share_{one}" for one in SOURCES]].fillna(0.0).clip(lower=0).to_numpy(float)
    key = [label(f"cause_notebook.source.{one}", language) for one in SOURCES]
    unit = workbench.place_name(str(rows["unit_id"].iloc[0]))
    caption = label("cause_notebook.picture.components", language, place=unit, year=last_year(rows))
    html = shares(list(zip(names, parts.tolist(), strict=True)), key, language=language, caption=caption)
    html += paragraph(_most_words(parts[0], key, language))
    return shown(workbench, rows, place, html, language)


def component_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """The figures of the last year, both sexes, that have an interval: the standardised rate of all causes first."""
    rows = rows[
        (rows["year"] == last_year(rows))
        & (rows["sex"] == "total")
        & rows["lower"].notna()
        & rows["share_counts"].notna()
    ]
    first = (rows["indicator_id"] != STANDARDISED).astype(int) * 2 + (rows["cause"] != "all").astype(int)
    return (
        rows.assign(_first=first)
        .sort_values(["_first", "indicator_id", "cause"], ignore_index=True)
        .drop(columns="_first")
    )


def _most_words(parts: list[float], key: list[str], language: str) -> str:
    """Which source makes the interval of the standardised rate widest, and what would narrow it."""
    most = int(pd.Series(parts).to_numpy().argmax())
    share = format_number(100 * parts[most] / (sum(parts) or 1.0), 0, language)
    return label(
        "cause_notebook.most",
        language,
        source=key[most].lower(),
        share=share,
        remedy=label(f"cause_notebook.remedy.{SOURCES[most]}", language),
    )


def provinces_html(workbench: Workbench, place: str, period: str = "", language: str | None = None) -> Comparison:
    """The corrected standardised rate of all provinces of the last year, both sexes, highest first."""
    from tkyt_analysis.pages import paragraph

    language = language or current_language()
    top = "VN" if workbench.release.reads.nation else place
    rows = rows_of(workbench, "corrected_rate", top, period)
    if len(rows):
        kept = (rows["indicator_id"] == STANDARDISED) & (rows["cause"] == "all") & (rows["sex"] == "total")
        rows = rows[
            kept
            & rows["unit_id"].str.fullmatch(r"VN2025:\d{2}")
            & (rows["year"] == last_year(rows))
            & rows["corrected"].notna()
        ]
    if len(rows) < 2:
        return Comparison(rows, paragraph(label("measure_notebook.one_province", language)))
    rows = rows.sort_values(["corrected", "unit_id"], ascending=[False, True]).head(MOST_PROVINCES)
    lines = [
        (workbench.place_name(row.unit_id), [Dot(row.corrected, row.lower, row.upper)]) for row in rows.itertuples()
    ]
    caption = label("cause_notebook.picture.provinces", language, year=last_year(rows))
    html = interval_dots(lines, key=None, decimals=0, language=language, caption=caption)
    return shown(workbench, rows, top, html, language)
