"""Life tables for a notebook: life expectancy with limits by province and sex, survival, what the end of the table changes.

Figures are those of the release (`indicator_value`, `life_table`); nothing is computed twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mortality.measure_pictures import Dot, courses, interval_dots
from mortality.measures.measures_home import side_by_side
from mortality.notebook_completeness import Comparison
from mortality.notebook_measures import (
    NATION,
    SEXES,
    last_year,
    not_assessable,
    nothing,
    one_unit,
    rows_of,
    sex_words,
    shown,
    wide,
    with_limits,
)
from tkyt_analysis.labels import current_language, format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.api.workbench import Workbench

E0 = "life_expectancy_at_birth"
INDICATORS = (
    E0,
    "life_expectancy_at_65",
    "under_five_probability_of_dying",
    "adult_mortality_45q15",
    "premature_ncd_mortality",
)
SURVIVORS = (5, 15, 60, 70, 80)
FEW_DEATHS = 100  # per life table: below, its figures move by years through chance
RADIX = 100_000
MOST_PROVINCES = 40


def expectancy_html(workbench: Workbench, place: str, period: str = "", language: str | None = None) -> Comparison:
    """Life expectancy and probabilities of dying of a province by year and sex, registered and corrected, with limits."""
    from tkyt_analysis.pages import notice

    language = language or current_language()
    rows = indicators_of(workbench, place, period)
    if rows.empty:
        return nothing("life_notebook.nothing", language)
    unit = str(rows["unit_id"].iloc[0])
    few = rows[(rows["indicator_id"] == E0) & (rows["numerator"] < FEW_DEATHS)]
    html = _expectancy_picture(rows, workbench.place_name(unit), language) + _indicator_table(rows, language)
    if len(few):
        said = label(
            "life_notebook.few", language, least=FEW_DEATHS, found=format_number(few["numerator"].min(), 0, language)
        )
        html += notice(said, kind="warning", language=language)
    return shown(workbench, rows, place, html, language)


def indicators_of(workbench: Workbench, place: str, period: str) -> pd.DataFrame:
    """INDICATORS of one unit as the columns of `side_by_side`, with unit_id, year, sex and the number of deaths (numerator)."""
    rows = rows_of(workbench, "indicator_value", place, period)
    if rows.empty:
        return rows
    wanted = [*INDICATORS, *(f"corrected_{one}" for one in INDICATORS)]
    rows = rows[rows["indicator_id"].isin(wanted) & (rows["cause"] == "all") & rows["sex"].isin(SEXES)]
    rows = rows[rows["unit_id"] == one_unit(rows, workbench, place)].reset_index(drop=True)
    if rows.empty:
        return rows
    deaths = rows[["indicator_id", "year", "sex", "numerator"]]
    years = [side_by_side(part.reset_index(drop=True)) for _, part in rows.groupby("year")]
    both = pd.concat(years, ignore_index=True).merge(deaths, on=["indicator_id", "year", "sex"], how="left")
    order = {name: number for number, name in enumerate((*INDICATORS, *SEXES))}
    return both.sort_values(
        ["indicator_id", "year", "sex"],
        key=lambda column: column.map(lambda one: order.get(one, one)),
        ignore_index=True,
    )


def _expectancy_picture(rows: pd.DataFrame, place: str, language: str) -> str:
    own = rows[(rows["indicator_id"] == E0) & rows["registered"].notna()]
    if own.empty:
        return ""
    sexes = sex_words(language)
    lines = [
        (
            f"{row.year} · {sexes[row.sex]}",
            [Dot(row.registered, row.registered_lower, row.registered_upper, hollow=True)]
            + ([Dot(row.corrected, row.corrected_lower, row.corrected_upper)] if pd.notna(row.corrected) else []),
        )
        for row in own.itertuples()
    ]
    key = (label("measures.column.corrected", language), label("measures.column.registered", language))
    caption = label("life_notebook.picture.expectancy", language, place=place)
    return interval_dots(lines, key=key, decimals=1, language=language, caption=caption)


def _indicator_table(rows: pd.DataFrame, language: str) -> str:
    """One line per indicator and year, registered and corrected apart; the sexes side by side."""
    from tkyt_analysis.catalog.loader import load_entries
    from tkyt_analysis.pages import table_html

    entries, sexes = load_entries("indicators"), sex_words(language)
    parts = []
    for kind in ("registered", "corrected"):
        own = rows if kind == "registered" else rows[rows["corrected"].notna()]
        named = own.rename(columns={f"{kind}_lower": "lower", f"{kind}_upper": "upper"})
        parts.append(
            pd.DataFrame(
                {
                    "indicator": [_short_title(one, entries, language) for one in own["indicator_id"]],
                    "kind": label(f"life_notebook.kind.{kind}", language),
                    "year": own["year"].astype("str"),
                    "place": own.index,
                    "sex": own["sex"].map(sexes),
                    "text": [
                        with_limits(row, entries[row["indicator_id"]].decimals, language, value=kind)
                        for row in named.to_dict("records")
                    ],
                }
            )
        )
    both = pd.concat(parts, ignore_index=True).sort_values("place", kind="stable")
    table = wide(both, ["indicator", "kind", "year"], "sex", list(sexes.values()))
    headings = {name: label(f"life_notebook.column.{name}", language) for name in ("indicator", "kind", "year")}
    headings |= {name: name for name in sexes.values()}
    caption = label("life_notebook.table.indicators", language)
    return table_html(table, headings=headings, caption=caption, stacked=True, language=language)


def _short_title(indicator: str, entries: Any, language: str) -> str:
    """The name and unit of an indicator; whether it is registered or corrected stands in its own column."""
    return f"{label(f'life_notebook.indicator.{indicator}', language)} ({entries[indicator].unit[language]})"


def provinces_html(
    workbench: Workbench, place: str = NATION, period: str = "", language: str | None = None
) -> Comparison:
    """Life expectancy at birth of all provinces of the last year, lowest first; a sentence where there is only one."""
    from tkyt_analysis.pages import paragraph

    language = language or current_language()
    rows = rows_of(workbench, "indicator_value", NATION if workbench.release.reads.nation else place, period)
    rows = (
        rows[(rows["indicator_id"] == E0) & (rows["sex"] == "total") & rows["unit_id"].str.fullmatch(r"VN2025:\d{2}")]
        if len(rows)
        else rows
    )
    rows = rows[(rows["year"] == last_year(rows)) & rows["value"].notna()] if len(rows) else rows
    if rows["unit_id"].nunique() < 2 if len(rows) else True:
        return Comparison(rows, paragraph(label("measure_notebook.one_province", language)))
    rows = rows.sort_values(["value", "unit_id"]).head(MOST_PROVINCES)
    lines = [(workbench.place_name(row.unit_id), [Dot(row.value, row.lower, row.upper)]) for row in rows.itertuples()]
    caption = label("life_notebook.picture.provinces", language, year=last_year(rows))
    html = interval_dots(lines, key=None, decimals=1, language=language, caption=caption)
    return shown(workbench, rows, NATION if workbench.release.reads.nation else place, html, language)


# ------------------------------------------------------------------------------------------------ tables


def table_rows(workbench: Workbench, place: str, period: str = "") -> pd.DataFrame:
    """Rows of `life_table` of the unit that is shown, of the last year, ages in order."""
    from tkyt_analysis.reference.ages import parse_bands

    rows = rows_of(workbench, "life_table", place, period)
    if rows.empty:
        return rows
    rows = rows[rows["unit_id"] == one_unit(rows, workbench, place)]
    rows = rows[rows["year"] == last_year(rows)]
    if rows.empty:
        return rows
    first = parse_bands(rows["age_group"].unique()).set_index("age_group")["low"].astype(float)
    return rows.assign(age=rows["age_group"].map(first)).sort_values(["sex", "age"], ignore_index=True)


def survival_html(workbench: Workbench, place: str, period: str = "", language: str | None = None) -> Comparison:
    """How many of 100,000 newborns would reach each age: a picture by sex, and the ages that people ask for."""
    from tkyt_analysis.pages import table_html

    language = language or current_language()
    rows = table_rows(workbench, place, period)
    alive = rows[rows["lx"].notna()] if len(rows) else rows
    if alive.empty:
        return nothing("life_notebook.nothing", language)
    by_sex = alive.pivot_table(index="age", columns="sex", values="lx", sort=True)
    sexes = {sex: name for sex, name in sex_words(language).items() if sex in by_sex}
    unit, year = str(rows["unit_id"].iloc[0]), last_year(rows)
    caption = label("life_notebook.picture.survival", language, place=workbench.place_name(unit), year=year)
    lines = [(name, by_sex[sex]) for sex, name in sexes.items()]
    html = courses(
        by_sex.index,
        lines,
        most=RADIX,
        language=language,
        caption=caption,
        unit=label("life_notebook.survivors", language),
    )
    found = by_sex.reindex([age for age in SURVIVORS if age in by_sex.index])
    table = found.rename(columns=sexes)[list(sexes.values())].reset_index()
    headings = {"age": label("life_notebook.column.age", language)} | {name: name for name in sexes.values()}
    html += table_html(
        table, headings=headings, caption=label("life_notebook.table.survivors", language), language=language
    )
    return shown(workbench, rows, place, html, language)


def closeout_html(workbench: Workbench, place: str, period: str = "", language: str | None = None) -> Comparison:
    """Life expectancy at birth and at 65 under each way of closing the table, and how far they lie apart."""
    from tkyt_analysis.pages import table_html

    language = language or current_language()
    rows = table_rows(workbench, place, period)
    if rows.empty:
        return nothing("life_notebook.nothing", language)
    found = closeouts(rows)
    sexes = sex_words(language)
    text = pd.DataFrame(
        {
            "sex": found["sex"].map(sexes),
            "expectancy": [label("life_notebook.at_age", language, age=f"{age:g}") for age in found["age"]],
            **{
                name: [_years(row[name], row["reason"], language) for row in found.to_dict("records")]
                for name in ("inverse", "extrapolate", "kannisto", "difference")
            },
        }
    )
    headings = {name: label(f"life_notebook.column.{name}", language) for name in text.columns}
    caption = label(
        "life_notebook.table.closeout", language, open=str(rows["age_group"].iloc[-1]), year=last_year(rows)
    )
    html = table_html(text, headings=headings, caption=caption, stacked=True, language=language)
    return shown(workbench, found, place, html, language)


def closeouts(rows: pd.DataFrame) -> pd.DataFrame:
    """sex, age (0, 65), inverse, extrapolate, kannisto, difference [years], status, reason from `table_rows`."""
    from mortality.measures.life_table import closeout_difference

    names = [sex for sex in SEXES if (rows["sex"] == sex).any()]
    groups = rows.loc[rows["sex"] == names[0], "age_group"]
    mx = pd.DataFrame(np.stack([rows.loc[rows["sex"] == sex, "mx"].to_numpy(float) for sex in names]), index=names)
    ages = [at for at in (0.0, 65.0) if at in set(rows["age"])]
    parts = [closeout_difference(mx, groups, names, at=at).rename(columns={"series": "sex"}) for at in ages]
    return pd.concat(parts, ignore_index=True).sort_values(
        ["sex", "age"],
        key=lambda one: one.map({s: n for n, s in enumerate(names)}) if one.name == "sex" else one,
        ignore_index=True,
    )


def _years(value: float, reason: str, language: str) -> str:
    return format_number(value, 2, language) if np.isfinite(value) else not_assessable(reason, language)
