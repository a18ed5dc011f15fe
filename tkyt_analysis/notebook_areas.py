"""Small areas for a notebook: raw against smoothed rates of communes; clusters, scan and exceedance of provinces.

Rates of the release are those that the cube answers (`tk.indicator`), of one year; communes are smoothed within their province,
as in the release table `small_area_rate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tkyt_analysis.cube.model import NATION
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language, format_number, label
from tkyt_analysis.notebook_country import (
    Answer,
    Source,
    kept_years,
    map_of,
    own_province,
    province_names,
    range_text,
    two_sizes,
    uses_country,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tkyt_analysis.api.question import Question
    from tkyt_analysis.api.workbench import Workbench

KEY = "unit_id"
PER = 1000.0
COUNTRY_YEAR = 2025
WAVE_YEAR, WAVE_MONTHS, WAVE_BASE = 2021, ("07", "08", "09"), (2017, 2018, 2019)
MAPPED = 20  # fewer communes are no map
LEAST = {"commune": 3, "province": 10}  # areas: to smooth at all; for a map of neighbours to say something
SHOWN = 10


@dataclass(frozen=True)
class Areas(Source):
    """Events and persons of the communes or of the provinces of one year.

    rows : unit_id, name, province_id, events, population, value; level : "commune" or "province"
    """

    rows: pd.DataFrame
    level: str
    year: int
    title: str
    unit: str
    per: float

    @property
    def enough(self) -> bool:
        """Whether there are areas enough of this level."""
        return len(self.rows) >= LEAST[self.level]

    def _repr_html_(self) -> str:
        level = label(f"area_notebook.level.{self.level}", self.language)
        return self.said(
            label(
                "area_notebook.found",
                self.language,
                measure=self.title,
                place=self.name,
                year=self.year or "–",
                areas=format_number(len(self.rows), 0, self.language),
                level=level,
                events=format_number(self.rows["events"].sum(), 0, self.language),
            )  # fmt: skip
        )


def small_areas(
    workbench: Workbench,
    measure: str,
    place: str,
    period: str = "",
    *,
    level: str,
    practice_country: str | bool = "auto",
) -> Areas:
    """The communes (of a place) or the provinces (of the nation) of the last year, of the release or of the practice country.

    InputError for a measure that is no count over persons.
    """
    language = current_language()
    scope = place if level == "commune" else (NATION if workbench.release.reads.nation else place)
    asked = workbench.indicator(measure, by=[level, "year"], place=scope, period=period)
    about = workbench.measures[asked.view.measures[0]]
    if not about.numerator or not about.denominator or about.method in ("direct", "count"):
        raise InputError("error.area_notebook.rate", measure=about.title[language])
    found = kept_years(asked.to_pandas(), workbench.release, period)
    year = int(found["year"].max()) if len(found) else 0
    rows = _of_release(found[found["year"] == year], level)
    lacks = _lacks(rows, level, year, language)
    if uses_country(workbench.release, practice_country, lacks):
        return _of_country(workbench, asked, scope, level, lacks)
    unit = workbench.place(scope)
    return Areas(
        asked, unit, workbench.place_name(unit), False, lacks, language, rows, level, year, about.title[language],
        about.unit[language], float(about.per),
    )  # fmt: skip


def _of_release(found: pd.DataFrame, level: str) -> pd.DataFrame:
    """Areas.rows: areas with persons."""
    from tkyt_analysis.reference.places import places

    known = places("VN2025").set_index(KEY)["province_id"]
    rows = found.rename(
        columns={level: KEY, f"{level}_name": "name", "numerator": "events", "denominator": "population"}
    )
    rows = rows[rows["population"].astype(float).gt(0) & rows["events"].notna() & rows[KEY].str.startswith("VN2025:")]
    rows = rows.astype({"events": float, "population": float, "value": float}).reset_index(drop=True)
    rows["province_id"] = rows[KEY].map(known).fillna("")
    return rows[[KEY, "name", "province_id", "events", "population", "value"]]


def _lacks(rows: pd.DataFrame, level: str, year: int, language: str) -> tuple[str, ...]:
    if len(rows) >= LEAST[level]:
        return ()
    words = label(f"area_notebook.level.{level}", language)
    return (label("area_notebook.few", language, found=len(rows), level=words, year=year or "–", least=LEAST[level]),)


def _of_country(workbench: Workbench, asked: Question, place: str, level: str, lacks: tuple[str, ...]) -> Areas:
    """The practice country: crude death rates of its communes in its last year, or the wave of 2021 in its provinces."""
    from tkyt_analysis.practice.country_series import deaths_by_commune_year

    if level == "province":
        return _country_provinces(workbench, asked, lacks)
    unit, language = own_province(workbench, place), current_language()
    table = deaths_by_commune_year(first_year=COUNTRY_YEAR, last_year=COUNTRY_YEAR, geography="VN2025").table
    table = table[table["population"] > 0].astype({"events": float, "population": float})
    table = table if unit == NATION else table[table["province_id"] == unit]
    rows = table.assign(name=table[KEY].map(_commune_names()), value=PER * table["events"] / table["population"])
    return Areas(
        asked, unit, workbench.place_name(unit), True, lacks, language,
        rows[[KEY, "name", "province_id", "events", "population", "value"]].reset_index(drop=True), level, COUNTRY_YEAR,
        label("notebook_country.rate", language), label("notebook_country.rate_unit", language), PER,
    )  # fmt: skip


def _country_provinces(workbench: Workbench, asked: Question, lacks: tuple[str, ...]) -> Areas:
    """Deaths of July to September 2021 over the mean of the same months of 2017–2019: a wave is planted there.

    (The yearly rates of its provinces stand on thousands of deaths and have no neighbourhoods: every one would be a cluster.)
    """
    from tkyt_analysis.practice.country_series import deaths_by_month

    language, names = current_language(), province_names()
    table = deaths_by_month().table
    table = table[table["period_id"].str[4:].isin(WAVE_MONTHS) & (table[KEY] != NATION)]
    sums = table.groupby([KEY, "year"])["events"].sum().unstack().astype(float)
    rows = pd.DataFrame({"events": sums[WAVE_YEAR], "population": sums[list(WAVE_BASE)].mean(axis=1)}).reset_index()
    rows = rows.assign(
        name=rows[KEY].map(names), province_id=rows[KEY], value=100 * rows["events"] / rows["population"]
    )
    return Areas(
        asked, NATION, workbench.place_name(NATION), True, lacks, language,
        rows[[KEY, "name", "province_id", "events", "population", "value"]], "province", WAVE_YEAR,
        label("area_notebook.wave", language), label("area_notebook.wave_unit", language), 100.0,
    )  # fmt: skip


def _commune_names() -> dict[str, str]:
    from tkyt_analysis.reference.places import places

    table = places("VN2025")
    provinces = province_names()
    table = table[table["level"] == 3]
    return {
        unit: f"{name}, {provinces.get(province, '')}"
        for unit, name, province in table[[KEY, "full_name", "province_id"]].itertuples(index=False)
    }


# ---- communes: raw against smoothed


def smoothed(areas: Areas) -> pd.DataFrame:
    """Areas.rows with the smoothed rate, its limits and the weight of the area's own figure; each commune within its province."""
    from tkyt_analysis.analysis.spatial import empirical_bayes_rate

    pool = "province_id" if areas.level == "commune" else None
    counts = areas.rows[[*([pool] if pool else []), KEY, "events", "population"]]
    found = empirical_bayes_rate(counts, by=pool or [], area=KEY, per=areas.per)
    kept = found[[KEY, "rate", "lower", "upper", "prior_mean", "weight", "method", "status", "reason"]]
    rows = areas.rows.merge(kept, on=KEY, how="left", validate="one_to_one")
    few = rows.groupby("province_id")[KEY].transform("size") < LEAST["commune"] if pool else False
    return rows.assign(rate=rows["rate"].mask(few), lower=rows["lower"].mask(few), upper=rows["upper"].mask(few))


def smoothed_html(areas: Areas, found: pd.DataFrame) -> Answer:
    """Raw and smoothed rates by population: the smaller the commune, the further its rate is drawn to the mean."""
    from tkyt_analysis.pages import paragraph

    told = found[found["rate"].notna()]
    if told.empty or not areas.enough:
        return too_few(areas)
    language = areas.language
    ends = [told["value"].min(), told["value"].max(), told["rate"].min(), told["rate"].max()]
    low, high, low_smooth, high_smooth = (format_number(one, 1, language) for one in ends)
    said = label(
        "area_notebook.smoothed", language, unit=areas.unit, low=low, high=high, low_smooth=low_smooth,
        high_smooth=high_smooth, weight=format_number(100 * told["weight"].median(), 0, language),
    )  # fmt: skip
    caption = label("area_notebook.picture", language, measure=areas.title, year=areas.year, note=areas.note)
    html = two_sizes(lambda size: _scatter(areas, told, size), caption=caption)
    return areas.answer(told, html + paragraph(said))


def too_few(areas: Areas) -> Answer:
    """The sentence that there are too few areas."""
    words = label(f"area_notebook.level.{areas.level}", areas.language)
    return areas.nothing(
        "area_notebook.few", found=len(areas.rows), level=words, year=areas.year or "–", least=LEAST[areas.level]
    )


def _scatter(areas: Areas, rows: pd.DataFrame, size: str) -> Figure:
    from matplotlib.figure import Figure

    from tkyt_analysis.assets import chart_style
    from tkyt_analysis.explorer.palette import SERIES

    language = areas.language
    with chart_style():
        drawn = Figure(figsize=(7.2, 3.6) if size == "print" else (4.2, 4.0), layout="constrained")
        axes = drawn.subplots()
        many = len(rows) > 200
        for column, colour, marker in (("value", SERIES[1], "o"), ("rate", SERIES[0], "s")):
            axes.plot(
                rows["population"], rows[column], linestyle="", marker=marker, markersize=1.8 if many else 6, color=colour,
                markerfacecolor="none" if column == "value" else colour, alpha=0.5 if many else 1, rasterized=many,
                label=label(f"area_notebook.column.{column}", language),
            )  # fmt: skip
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xscale("log")
        marks = log_marks(rows["population"].min(), rows["population"].max())
        axes.set_xticks(marks, [format_number(one, 0, language) for one in marks])
        axes.set_xticks([], minor=True)
        axes.yaxis.set_major_formatter(lambda value, _: format_number(value, 0 if value == int(value) else 1, language))
        axes.set_xlabel(label("area_notebook.persons", language))
        axes.set_ylabel(areas.unit)
        axes.set_ylim(bottom=0)
        axes.legend(loc="lower right", ncols=1, markerscale=3 if many else 1, frameon=False)
        drawn.supxlabel(areas.note, x=0.01, ha="left", fontsize=7.5)
        drawn.draw_without_rendering()
    return drawn


def log_marks(low: float, high: float, *, most: int = 6) -> list[float]:
    """Round numbers (1, 2, 5 times powers of ten) for a logarithmic axis; fewer kinds of them where they would crowd."""
    ends = np.floor(np.log10(low)), np.ceil(np.log10(high))
    for steps in ((1, 2, 5), (1, 3), (1,)):
        every = [step * 10.0**power for power in np.arange(ends[0], ends[1] + 1) for step in steps]
        found = [one for one in every if 0.8 * low <= one <= 1.25 * high]
        if len(found) <= most:
            break
    return found


def communes_html(areas: Areas, found: pd.DataFrame) -> Answer:
    """The communes with the highest smoothed rates: raw, smoothed with limits, how much of it is their own."""
    from tkyt_analysis.pages import table_html

    told = found[found["rate"].notna()].nlargest(SHOWN, "rate")
    if told.empty or not areas.enough:
        return too_few(areas)
    language = areas.language
    rank = found["value"].rank(ascending=False, method="min")
    table = pd.DataFrame({
        "place": told["name"].to_list(),
        "events": [format_number(one, 0, language) for one in told["events"]],
        "population": [format_number(one, 0, language) for one in told["population"]],
        "value": [f"{format_number(told['value'][i], 1, language)} ({rank[i]:.0f})" for i in told.index],
        "rate": [range_text(one.rate, one.lower, one.upper, 1, language) for one in told.itertuples()],
        "weight": [f"{format_number(100 * one, 0, language)} %" for one in told["weight"]],
    })  # fmt: skip
    headings = {name: label(f"area_notebook.table.{name}", language) for name in table}
    caption = label("area_notebook.highest", language, unit=areas.unit, number=len(table))
    return areas.answer(told, table_html(table, headings=headings, caption=caption, stacked=True))


def points_html(areas: Areas, found: pd.DataFrame) -> Answer:
    """Communes as circles: size the number of deaths, colour the smoothed rate."""
    if len(areas.rows) < MAPPED:
        return areas.nothing("area_notebook.no_points", found=len(areas.rows), least=MAPPED)
    table = found.rename(columns={"value": "raw"})
    # All are modelled, which the title says; stripes on each would hide the colours.
    table = table.assign(value=table["events"], status=np.where(table["rate"].isna(), "not_assessable", "ok"))
    html = map_of(
        "commune_points", table[[KEY, "value", "rate", "status"]], areas, unit=label("area_notebook.events", areas.language),
        rate_unit=areas.unit, title=label("area_notebook.points", areas.language, measure=areas.title, year=areas.year),
    )  # fmt: skip
    return Answer(table, html)
