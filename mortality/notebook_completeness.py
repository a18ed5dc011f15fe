"""How complete registered deaths look: against deaths expected from a published age schedule, and months without any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tkyt_analysis.labels import current_language, format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.api.question import Question
    from tkyt_analysis.api.workbench import Workbench

SCHEDULE = "practice_death_rates"  # UN World Population Prospects 2024, Viet Nam; the codelist names its source


class Comparison:
    """Registered and expected deaths, as a table with notes; `.rows` holds the figures."""

    def __init__(self, rows: pd.DataFrame, html: str) -> None:
        self.rows = rows
        self._html = html

    def _repr_html_(self) -> str:
        return self._html


def registered_and_expected(
    workbench: Workbench, part: str, *, place: str = "VN", period: str = "", language: str | None = None
) -> Comparison:
    """Deaths registered, as a share of those that Viet Nam's age-specific rates would give in the same population.

    part : "province" or "commune". The share is no completeness: a place may really have more or fewer deaths than
    the nation at each age. It is not assessable where the population has no ages or the schedule no such year.
    """
    from tkyt_analysis.notebook_course import practice_band

    language = language or current_language()
    asked = {"place": place, "period": period}
    deaths = workbench.deaths(by=[part, "year"], **asked).to_pandas()
    people = workbench.population(by=[part, "year", "sex", "age_group"], **asked).to_pandas()
    rows = compared(deaths, people, part, death_schedule())
    band = practice_band(workbench.release, language)
    return Comparison(rows, band + _html(rows, part, workbench.release.practice, language))


def death_schedule() -> pd.DataFrame:
    """year_from, year_to, sex, age_group, deaths per 1 000 person-years."""
    from tkyt_analysis.catalog import read_codelist

    rates = read_codelist(SCHEDULE)
    return rates.astype({"year_from": int, "year_to": int, "deaths_per_1000": float})


def compared(deaths: pd.DataFrame, people: pd.DataFrame, part: str, schedule: pd.DataFrame) -> pd.DataFrame:
    """part, name, year, registered, expected, ratio [%] with Byar's 95 % limits; missing where nothing can be expected.

    deaths : part, its name, year, value; people : also sex and age_group, value = persons
    """
    from tkyt_analysis.analysis.rates import byar_limits

    expected = expected_deaths(people, part, schedule)
    name = f"{part}_name"
    counted = deaths[[part, name, "year", "value"]].rename(columns={"value": "registered"})
    rows = counted.merge(expected, on=[part, "year"], how="left", validate="one_to_one")
    base = rows["expected"].where(rows["expected"] > 0)
    lower, upper = byar_limits(rows["registered"])
    return rows.assign(
        ratio=100 * rows["registered"] / base, lower=100 * lower / base, upper=100 * upper / base
    ).rename(columns={name: "name"})


def expected_deaths(people: pd.DataFrame, part: str, schedule: pd.DataFrame) -> pd.DataFrame:
    """part, year, expected: persons × the schedule's rate; missing where an age group or a year has no rate."""
    years = people["year"].astype(int)
    rated = people.assign(year_number=years).merge(schedule, on=["sex", "age_group"], how="left")
    fits = (rated["year_number"] >= rated["year_from"]) & (rated["year_number"] <= rated["year_to"])
    cells = people[[part, "year"]].drop_duplicates()
    known = rated[fits].assign(expected=rated["value"] * rated["deaths_per_1000"] / 1000)
    sums = known.groupby([part, "year"], as_index=False, observed=True).agg(
        expected=("expected", "sum"), groups=("expected", "size")
    )
    asked = people.groupby([part, "year"], as_index=False, observed=True).agg(wanted=("value", "size"))
    found = cells.merge(sums, on=[part, "year"], how="left").merge(asked, on=[part, "year"], how="left")
    whole = found["groups"] == found["wanted"]
    return found.assign(expected=found["expected"].where(whole))[[part, "year", "expected"]]


def _html(rows: pd.DataFrame, part: str, practice: bool, language: str) -> str:
    from tkyt_analysis.pages import notice, paragraph, table_html

    table = pd.DataFrame(
        {
            "name": rows["name"],
            "year": rows["year"].astype(str),
            "registered": rows["registered"].astype("int64"),
            "expected": rows["expected"],
            "ratio": [_ratio(row, language) for row in rows.to_dict("records")],
        }
    )
    headings = {
        name: label(f"notebook.expected.{name}", language) for name in ("year", "registered", "expected", "ratio")
    }
    headings = {"name": label(f"chart.dimension.{part}", language).capitalize(), **headings}
    body = table_html(
        table,
        headings=headings,
        decimals={"expected": 0},
        caption=label("notebook.expected.caption", language),
        stacked=True,
        language=language,
    )
    notes = paragraph(label("notebook.expected.note", language))
    if practice:
        notes += notice(label("notebook.expected.practice", language), language=language)
    return body + notes


def _ratio(row: dict, language: str) -> str:
    if not np.isfinite(row["ratio"]):
        return label("verdict.not_assessable", language)
    low, high = (format_number(row[name], 0, language) for name in ("lower", "upper"))
    return label(
        "notebook.expected.share", language, share=format_number(row["ratio"], 0, language), low=low, high=high
    )


def silent_months(question: Question) -> pd.DataFrame:
    """Places with months in which no death was registered: name, months (of all), list of the months.

    question : deaths by a place and month
    """
    from tkyt_analysis.reference.periods import month_range

    part = question.view.by[0]
    rows = question.to_pandas().astype({"month": str})
    known = rows["month"][rows["month"].str.fullmatch(r"\d{6}")]
    months = [str(one) for one in month_range(known.min(), known.max())] if len(known) else []
    index = [part, f"{part}_name"]
    counts = rows.pivot_table(index=index, columns="month", values="value", aggfunc="sum").reindex(columns=months)
    silent = ~(counts > 0)
    found = silent[silent.any(axis=1)]
    written = np.array([f"{one[4:].lstrip('0')}/{one[:4]}" for one in months], dtype=object)
    return pd.DataFrame(
        {
            "name": [name for _, name in found.index],
            "months": found.sum(axis=1).to_numpy(),
            "of": len(months),
            "which": [", ".join(written[row]) for row in found.to_numpy()],
        }
    ).sort_values(["months", "name"], ascending=[False, True], ignore_index=True)


def silent_months_html(question: Question, language: str | None = None) -> Comparison:
    """The same as a table; a sentence where every place registered deaths in every month."""
    from tkyt_analysis.pages import paragraph, table_html

    language = language or current_language()
    rows = silent_months(question)
    if rows.empty:
        return Comparison(rows, paragraph(label("notebook.silent.none", language)))
    headings = {name: label(f"notebook.silent.{name}", language) for name in ("name", "months", "of", "which")}
    body = table_html(rows, headings=headings, caption=label("notebook.silent.caption", language), language=language)
    return Comparison(rows, body + paragraph(label("notebook.silent.note", language)))


def sources_html(workbench: Workbench, language: str | None = None) -> Comparison:
    """Records of deaths by source: counted, or set aside and why."""
    from tkyt_analysis.pages import notice, paragraph, table_html

    language = language or current_language()
    if not workbench.release.has("death_flow"):
        return Comparison(pd.DataFrame(), notice(label("notebook.sources.none", language), language=language))
    rows = workbench.release.query(
        "SELECT source, excluded, sum(deaths) AS deaths FROM death_flow GROUP BY 1, 2 ORDER BY 1, 2"
    )
    shown = pd.DataFrame(
        {
            "source": [label(f"notebook.source.{one}", language) for one in rows["source"]],
            "excluded": [label(f"deaths.step.{one or 'analysed'}", language) for one in rows["excluded"]],
            "deaths": rows["deaths"].astype("int64"),
        }
    )
    headings = {name: label(f"notebook.sources.{name}", language) for name in ("source", "excluded", "deaths")}
    body = table_html(shown, headings=headings, caption=label("notebook.sources.caption", language), language=language)
    return Comparison(rows, body + paragraph(label("notebook.sources.note", language)))


def province_of(workbench: Workbench, place: str) -> str:
    """The province that a place lies in; "VN" for the nation. A province of before July 2025 stays itself."""
    unit = workbench.place(place)
    if unit == "VN" or (unit.startswith(("VN2024:", "VN2025:")) and len(unit) == 9):
        return unit
    found = workbench.release.query("SELECT province FROM place WHERE unit_id = ?", [unit])
    return str(found["province"].iloc[0]) if len(found) else unit
