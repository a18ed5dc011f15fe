"""Causes of death and life expectancy for a notebook: what makes a difference between two years or places, what each cause costs.

Causes are those of the release as coded, not redistributed. Every figure carries the range that chance in the counts allows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mortality.life_causes import (
    GROUPS,
    AgeCauses,
    Split,
    broad_ages,
    cause_shares,
    contribution_rows,
    gains,
    group_of_code,
    split,
)
from mortality.measure_pictures import Dot, contributions, interval_dots, signed
from mortality.notebook_completeness import Comparison
from mortality.notebook_life_tables import table_rows
from mortality.notebook_measures import NATION, SEXES, not_assessable, nothing, one_unit, rows_of, sex_words, shown
from tkyt_analysis.labels import current_language, format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.api.workbench import Workbench


def age_causes(workbench: Workbench, place: str, year: int) -> AgeCauses | None:
    """Deaths of the life table by age and group of causes; None where the release has no life table of that unit and year."""
    rows = table_rows(workbench, place, str(year))
    if rows.empty or rows["mx"].isna().any():
        return None
    unit = str(rows["unit_id"].iloc[0])
    sexes = tuple(sex for sex in SEXES if (rows["sex"] == sex).any())
    one = rows[rows["sex"] == sexes[0]]
    ages = tuple(one["age_group"])
    deaths, persons = (
        np.stack([rows.loc[rows["sex"] == sex, name].to_numpy(float) for sex in sexes])
        for name in ("deaths", "person_years")
    )
    share = cause_shares(coded_deaths(workbench, unit, year), sexes, ages)
    return AgeCauses(unit, year, sexes, ages, one["age"].to_numpy(float), deaths[:, :, np.newaxis] * share, persons)


def coded_deaths(workbench: Workbench, unit: str, year: int) -> pd.DataFrame:
    """sex, age_group, group, deaths of a province (or the nation) and year; a cause that is withheld has no code."""
    where, given = ("true", []) if unit == NATION else ("province = ?", [unit])
    rows = workbench.release.query(
        f"SELECT sex, age_group, coalesce(cause_code, '') AS code, sum(deaths) AS deaths FROM province_death_cause "
        f"WHERE period_id = ? AND {where} GROUP BY ALL ORDER BY ALL",
        [str(year), *given],
    )
    return rows.assign(group=group_of_code(rows["code"]), deaths=rows["deaths"].astype(float))


# ------------------------------------------------------------------------------------------------ a difference


def difference_html(
    workbench: Workbench, place: str, period: str = "", against: str = "", language: str | None = None
) -> Comparison:
    """What explains that life expectancy differs from the year before (or from `against`: a year, or another province).

    Arriaga's decomposition by age and group of causes, with limits; a sentence says whether chance alone can make it.
    """
    language = language or current_language()
    year = _year_shown(workbench, place, period)
    second = age_causes(workbench, place, year) if year else None
    other = _other(workbench, place, year, against)
    first = age_causes(workbench, *other) if other else None
    if second is None:
        return nothing("life_notebook.nothing", language)
    if first is None or first.age_groups != second.age_groups or first.sexes != second.sexes:
        return nothing("life_notebook.no_pair", language, place=workbench.place_name(second.unit), year=year)
    found = split(first, second)
    if not np.isfinite(found.expectancy[:, 0]).all():
        return nothing("life_notebook.nothing", language)
    parts = [
        _difference_words(workbench, found, language),
        _difference_picture(workbench, found, language),
        _difference_table(found, language),
        _completeness_words(workbench, found, language),
    ]
    return shown(workbench, contribution_rows(found), place, "".join(parts), language)


def _year_shown(workbench: Workbench, place: str, period: str) -> int:
    rows = rows_of(workbench, "life_table", place, period)
    own = rows[rows["unit_id"] == one_unit(rows, workbench, place)] if len(rows) else rows
    return int(own["year"].max()) if len(own) else 0


def _other(workbench: Workbench, place: str, year: int, against: str) -> tuple[str, int] | None:
    """(place, year) to compare with: the year given, the latest year before, or another place in the same year."""
    if against and not (against.isdigit() and len(against) == 4):
        return workbench.place(against), year
    rows = rows_of(workbench, "life_table", place)
    years = sorted(set(rows.loc[rows["unit_id"] == one_unit(rows, workbench, place), "year"])) if len(rows) else []
    wanted = (
        [int(against)]
        if against
        else [one for one in years if one < year][-1:] or [one for one in years if one > year][:1]
    )
    return (place, int(wanted[0])) if wanted else None


def _named(workbench: Workbench, one: AgeCauses, language: str) -> str:
    return label("life_notebook.place_year", language, place=workbench.place_name(one.unit), year=one.year)


def _difference_words(workbench: Workbench, found: Split, language: str) -> str:
    """One sentence per sex: from, to, the difference with limits, and whether chance alone can make it."""
    from tkyt_analysis.pages import paragraph

    rows = contribution_rows(found)
    sexes, said = sex_words(language), []
    for number, row in enumerate(rows[rows["group"] == "all"].to_dict("records")):
        low, high = row["lower"], row["upper"]
        verdict = "chance" if low <= 0 <= high else "beyond_chance"
        fields = {
            "sex": sexes[str(row["sex"])],
            "first": format_number(found.expectancy[0, 0, number], 1, language),
            "second": format_number(found.expectancy[1, 0, number], 1, language),
            "value": signed(row["value"], 1, language),
            "low": signed(low, 1, language),
            "high": signed(high, 1, language),
        }
        said.append(
            paragraph(
                f"{label('life_notebook.difference', language, **fields)} {label(f'life_notebook.{verdict}', language)}"
            )
        )
    names = {"first": _named(workbench, found.first, language), "second": _named(workbench, found.second, language)}
    return paragraph(label("life_notebook.compared", language, **names)) + "".join(said)


def _difference_picture(workbench: Workbench, found: Split, language: str) -> str:
    """Both sexes (the last series): contributions by broad age, cut by group."""
    names, sums = broad_ages(found.first.first, found.parts[0, -1])
    caption = label("life_notebook.picture.difference", language, first=_named(workbench, found.first, language), second=_named(workbench, found.second, language),
                    sex=sex_words(language)[found.first.sexes[-1]].lower())  # fmt: skip
    key = [label(f"life_notebook.group.{one}", language) for one in GROUPS]
    return contributions(
        names, sums, key, language=language, caption=caption, unit=label("life_notebook.years_added", language)
    )


def _difference_table(found: Split, language: str) -> str:
    rows = contribution_rows(found)
    caption = label("life_notebook.table.difference", language)
    return _group_table(rows, caption, language, sign=True)


def _group_table(rows: pd.DataFrame, caption: str, language: str, *, sign: bool) -> str:
    """Groups down, sexes across, each figure with its limits."""
    from tkyt_analysis.pages import table_html

    sexes = sex_words(language)

    def words(row: dict) -> str:
        if not np.isfinite(row["value"]):
            return not_assessable(str(row.get("reason", "")), language)
        figures = [
            signed(row[name], 2, language) if sign else format_number(row[name], 2, language)
            for name in ("value", "lower", "upper")
        ]
        return label("measure_notebook.limits_to", language, value=figures[0], low=figures[1], high=figures[2])

    texts = rows.assign(text=[words(row) for row in rows.to_dict("records")], sex=rows["sex"].map(sexes))
    order = list(dict.fromkeys(rows["group"]))
    table = texts.pivot(index="group", columns="sex", values="text").reindex(order)
    table.insert(0, "name", [label(f"life_notebook.group.{one}", language) for one in order])
    shown_sexes = [name for name in sexes.values() if name in table]
    headings = {"name": label("life_notebook.column.group", language)} | {name: name for name in shown_sexes}
    totals = [order.index("all")] if "all" in order else []
    return table_html(table, headings=headings, caption=caption, total_rows=totals, stacked=True, language=language)


def _completeness_words(workbench: Workbench, found: Split, language: str) -> str:
    """How complete registration was on both sides: a change there looks like a change of life expectancy."""
    from tkyt_analysis.pages import notice

    sides = [_completeness(workbench, one, language) for one in (found.first, found.second)]
    if None in sides:
        return notice(label("life_notebook.completeness_unknown", language), kind="warning", language=language)
    return notice(label("life_notebook.completeness", language, first=sides[0], second=sides[1]), language=language)


def _completeness(workbench: Workbench, one: AgeCauses, language: str) -> str | None:
    if not workbench.release.has("completeness_estimate"):
        return None
    rows = workbench.release.query(
        "SELECT completeness AS value, lower, upper FROM completeness_estimate "
        "WHERE unit_id = ? AND year = ? AND sex = 'total' AND method_id = 'combined'",
        [one.unit, one.year],
    )
    if rows.empty or pd.isna(rows["value"].iloc[0]):
        return None
    value, low, high = (
        format_number(100 * float(rows[name].iloc[0]), 0, language) for name in ("value", "lower", "upper")
    )
    return f"{one.year}: {label('measure_notebook.limits', language, value=f'{value} %', low=low, high=high)}"


# ------------------------------------------------------------------------------------------------ a cause less


def gain_html(workbench: Workbench, place: str, period: str = "", language: str | None = None) -> Comparison:
    """Years of life expectancy that each group of causes costs: what would be gained if it did not exist."""
    language = language or current_language()
    year = _year_shown(workbench, place, period)
    counts = age_causes(workbench, place, year) if year else None
    if counts is None:
        return nothing("life_notebook.nothing", language)
    rows = gains(counts)
    own = rows[(rows["sex"] == counts.sexes[-1]) & rows["value"].notna()].sort_values("value", ascending=False)
    caption = label("life_notebook.picture.gain", language, place=workbench.place_name(counts.unit), year=year)
    html = ""
    if len(own):
        lines = [
            (label(f"life_notebook.group.{row.group}", language), [Dot(row.value, row.lower, row.upper)])
            for row in own.itertuples()
        ]
        html = interval_dots(lines, key=None, decimals=1, language=language, caption=caption)
    html += _group_table(rows, label("life_notebook.table.gain", language), language, sign=False)
    return shown(workbench, rows, place, html, language)
