"""How complete deaths are by every method, for a notebook: the panel of a province, all provinces, ages, the choice of ages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mortality.notebook_completeness import Comparison, death_schedule, province_of
from tkyt_analysis.labels import current_language, format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.api.workbench import Workbench


def estimates_of(workbench: Workbench, place: str, period: str = "") -> pd.DataFrame:
    """Rows of `completeness_estimate` of the province that a place lies in (of the nation: all provinces of 2025)."""
    release = workbench.release
    if not release.has("completeness_estimate"):
        return pd.DataFrame()
    rows = release.query("SELECT * FROM completeness_estimate ORDER BY unit_id, year, sex, method_id")
    if rows.empty:
        return rows
    rows = rows.astype({"year": "int64"})
    if period[:4].isdigit():
        rows = rows[rows["year"] == int(period[:4])]
    wanted = province_of(workbench, place)
    if wanted == "VN":
        return rows[rows["unit_id"].str.startswith("VN2025:") | (rows["unit_id"] == "VN")]
    return rows[rows["unit_id"] == wanted]


def methods_html(workbench: Workbench, place: str, period: str = "", language: str | None = None) -> Comparison:
    """The panel of methods of a province: picture, then every figure with its interval or its reason."""
    from mortality.completeness_pictures import draw_methods
    from tkyt_analysis.notebook_course import practice_band

    language = language or current_language()
    rows = estimates_of(workbench, place, period)
    rows = rows[rows["sex"] == "total"] if len(rows) else rows
    unit = _one_unit(rows, province_of(workbench, place)) if len(rows) else ""
    own = rows[rows["unit_id"] == unit] if unit else rows.head(0)
    if own.empty:
        return Comparison(own, _nothing_estimated(language))
    name = unit_names(workbench).get(unit, unit)
    body = draw_methods(own, language, place=name) + _methods_table(own, language)
    return Comparison(own, practice_band(workbench.release, language) + body)


def _one_unit(rows: pd.DataFrame, wanted: str) -> str:
    """The unit whose panel is drawn: the one asked for, else the only province there is."""
    units = sorted(rows["unit_id"].unique())
    return wanted if wanted in units else units[0]


def places_html(workbench: Workbench, place: str = "VN", period: str = "", language: str | None = None) -> Comparison:
    """All provinces of one year, the least complete first; a sentence where there is only one."""
    from mortality.completeness_pictures import draw_places

    language = language or current_language()
    rows = estimates_of(workbench, place, period)
    rows = rows[(rows["sex"] == "total") & (rows["unit_id"] != "VN")] if len(rows) else rows
    if rows.empty:
        return Comparison(rows, _nothing_estimated(language))
    year = int(rows["year"].max())
    rows = rows[rows["year"] == year]
    if rows["unit_id"].nunique() < 2:
        from tkyt_analysis.pages import paragraph

        return Comparison(rows, paragraph(label("completeness.one_province", language)))
    return Comparison(rows, draw_places(rows, unit_names(workbench), language, year=year))


def unit_names(workbench: Workbench) -> dict[str, str]:
    """Names of provinces of both systems, and the nation."""
    from tkyt_analysis.reference.places import places

    units = pd.concat([places("VN2024"), places("VN2025")])
    provinces = units[units["unit_id"].str.fullmatch(r"VN20\d\d:\d\d")]
    return {**dict(zip(provinces["unit_id"], provinces["name"], strict=True)), "VN": label("completeness.nation")}


def _nothing_estimated(language: str) -> str:
    from tkyt_analysis.pages import notice

    return notice(label("completeness.nothing", language), language=language)


def _methods_table(rows: pd.DataFrame, language: str) -> str:
    from mortality.completeness_release import METHODS
    from tkyt_analysis.pages import table_html

    order = {name: place for place, name in enumerate(METHODS)}
    order["combined"] = -1  # what is read first
    rows = rows.assign(_order=rows["method_id"].map(order)).sort_values(["year", "_order"], ascending=[False, True])
    shown = pd.DataFrame(
        {
            "method": [label(f"completeness.method.{one}", language) for one in rows["method_id"]],
            "year": rows["year"].astype(str),
            "registered": rows["registered"].astype("int64"),
            "estimated": rows["estimated"].astype(float),
            "ratio": [_estimate(row, language) for row in rows.to_dict("records")],
        }
    )
    headings = {name: label(f"completeness.column.{name}", language) for name in shown.columns}
    caption = label("completeness.table", language)
    return table_html(
        shown, headings=headings, decimals={"estimated": 0}, caption=caption, stacked=True, language=language
    )


def _estimate(row: dict, language: str) -> str:
    """Share with limits, or why there is none."""
    if not np.isfinite(row["completeness"]):
        return label("completeness.not_assessable", language, reason=label(row["reason"], language))
    share, low, high = (format_number(100 * row[name], 0, language) for name in ("completeness", "lower", "upper"))
    key = "completeness.share_modelled" if row["status"] == "modelled" else "completeness.share"
    return label(key, language, share=share, low=low, high=high)


def by_age_html(workbench: Workbench, place: str, period: str = "", language: str | None = None) -> Comparison:
    """Completeness at each age: registered deaths against the age pattern of the published schedule, at the combined level."""
    from mortality.completeness_pictures import draw_by_age

    language = language or current_language()
    estimates = estimates_of(workbench, place, period)
    combined = (
        estimates[(estimates["method_id"] == "combined") & (estimates["sex"] == "total")]
        if len(estimates)
        else estimates
    )
    combined = combined[combined["completeness"].notna()] if len(combined) else combined
    if combined.empty:
        return Comparison(combined, _nothing_estimated(language))
    chosen = combined[combined["unit_id"] == _one_unit(combined, province_of(workbench, place))].iloc[-1]
    unit, year = str(chosen["unit_id"]), int(chosen["year"])
    rows = age_pattern(workbench, unit, year, float(chosen["completeness"]))
    if rows.empty:
        return Comparison(rows, _nothing_estimated(language))
    name = unit_names(workbench).get(unit, unit)
    return Comparison(rows, draw_by_age(rows, language, place=name, year=year))


BROAD_AGES = {"0-4": (0, 4), "5-14": (5, 14), "15-29": (15, 29), "30-44": (30, 44), "45-59": (45, 59), "60-69": (60, 69),
              "70-79": (70, 79), "80+": (80, 200)}  # fmt: skip


def age_pattern(workbench: Workbench, unit: str, year: int, completeness: float) -> pd.DataFrame:
    """age_group (BROAD_AGES), deaths, expected, completeness, lower, upper, share_missing of a province and year."""
    from mortality.measures.completeness import completeness_by_age

    asked = {"place": unit, "period": str(year)}
    deaths = workbench.deaths(by=["age_group"], **asked).to_pandas()
    people = workbench.population(by=["year", "sex", "age_group"], **asked).to_pandas()
    schedule = death_schedule()
    rates = schedule[(schedule["year_from"] <= year) & (schedule["year_to"] >= year)]
    expected = people.merge(rates, on=["sex", "age_group"], how="inner")
    expected = expected.assign(expected=expected["value"] * expected["deaths_per_1000"] / 1000)
    broad = {name: _broad(table["age_group"]) for name, table in (("deaths", deaths), ("expected", expected))}
    sums = pd.DataFrame(
        {
            "deaths": deaths.groupby(broad["deaths"])["value"].sum(),
            "expected": expected.groupby(broad["expected"])["expected"].sum(),
        }
    ).reindex(list(BROAD_AGES))
    if sums["expected"].isna().any():
        return pd.DataFrame()
    sums = sums.fillna(0).rename_axis("age_group").reset_index()
    return completeness_by_age(sums, completeness=completeness)


def _broad(groups: pd.Series) -> pd.Series:
    """The group of BROAD_AGES that each age group lies in; missing where the age is not known."""
    low = pd.to_numeric(groups.astype(str).str.extract(r"^(\d+)", expand=False))
    names = list(BROAD_AGES)
    edges = [BROAD_AGES[name][0] for name in names]
    place = np.searchsorted(edges, low.fillna(-1).to_numpy(), side="right") - 1
    return pd.Series(np.where(low.isna(), None, np.array(names, object)[place]), index=groups.index)


def age_ranges_html(counts_file: str = "", language: str | None = None) -> Comparison:
    """What the choice of ages does to the growth balance: of your own table of two counts, or of an example that says so.

    counts_file : CSV with age, pop1, pop2, deaths (mean per year), date1, date2, sex of one place
    """
    from mortality.completeness_pictures import draw_age_ranges
    from mortality.measures.completeness import age_range_estimates, generalised_growth_balance, growth_balance_points
    from tkyt_analysis.pages import notice

    language = language or current_language()
    data = pd.read_csv(counts_file) if counts_file else example_counts()
    line = generalised_growth_balance(data, by=[]).iloc[0]
    if line["status"] != "ok":
        return Comparison(data, notice(label(line["reason"], language), language=language))
    points, ranges = growth_balance_points(data, by=[]), age_range_estimates(data, by=[])
    return Comparison(ranges, draw_age_ranges(points, ranges, line, language, example=not counts_file))


def example_counts() -> pd.DataFrame:
    """Two counts, ten years apart, and deaths of an invented province: 80 % of deaths registered, 70 % of those from 70 on; the
    first count missed 3 %. No real data: a stable population growing by 1.2 % a year, followed in steps of 0.05 years."""
    age, fine = np.arange(0, 85, 5), np.arange(0, 120, 0.05)
    hazard = np.where(fine < 5, 0.006, 0.0006 * np.exp(0.082 * fine))
    alive = 1_000 * np.exp(-np.cumsum(hazard) * 0.05 - 0.012 * fine)
    group = np.minimum(fine // 5, 16).astype(int)
    people, deaths = np.bincount(group, alive), np.bincount(group, alive * hazard)
    registered = np.where(age >= 70, 0.7, 0.8)
    uneven = 1 + 0.02 * np.sin(age / 4)
    return pd.DataFrame(
        {"sex": "female", "age": age, "pop1": (0.97 * people * uneven * np.exp(-0.06)).round(),
         "pop2": (people * uneven * np.exp(0.06)).round(), "deaths": (deaths * registered).round(), "date1": 2009.25, "date2": 2019.25}
    )  # fmt: skip
