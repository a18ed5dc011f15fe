"""The trend of a measure by year for a notebook: joinpoints of a place and of the provinces below it, and one line beside them.

Series of the release are those that the cube answers (`tk.indicator`), the years that have ended; counts over persons where the
measure has them, else the value with its standard error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tkyt_analysis.cube.model import NATION
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language, label
from tkyt_analysis.notebook_country import (
    Source,
    kept_years,
    own_province,
    part_of,
    province_names,
    uses_country,
)
from tkyt_analysis.notebook_course import MINIMUM_YEARS

if TYPE_CHECKING:
    from tkyt_analysis.analysis.trend.joinpoint_regression import JoinpointResult
    from tkyt_analysis.api.question import Question
    from tkyt_analysis.api.workbench import Workbench

PER = 1000.0
Z = 1.959964
KEY = "unit_id"


@dataclass(frozen=True)
class YearlySeries(Source):
    """Yearly figures of a place and of the units below it.

    rows : unit_id, name, year, value, events and population (or NaN), se (or NaN)
    title, unit : of the measure; per : one rate is per so many; counted : events over persons, or events alone
    truth : of the practice country: unit_id, segment, start, end, apc
    """

    rows: pd.DataFrame
    title: str
    unit: str
    per: float
    counted: bool
    truth: pd.DataFrame

    @property
    def own(self) -> pd.DataFrame:
        """Rows of the place itself."""
        return self.rows[self.rows[KEY] == self.place]

    def _repr_html_(self) -> str:
        years = self.own["year"]
        below = self.rows[KEY].nunique() - 1
        span = f"{years.min()}–{years.max()}" if len(years) else "–"
        found = label(
            "trend_notebook.found", self.language, measure=self.title, unit=self.unit, place=self.name, span=span,
            years=len(years), below=below,
        )  # fmt: skip
        return self.said(found)


def yearly_series(
    workbench: Workbench, measure: str, place: str, period: str = "", *, practice_country: str | bool = "auto"
) -> YearlySeries:
    """The yearly series of a measure in a place and the units below it, of the release or of the practice country."""
    language = current_language()
    whole = workbench.indicator(measure, by="year", place=place, period=period)
    parts = workbench.indicator(measure, by=[part_of(workbench, place), "year"], place=place, period=period)
    found = _of_release(workbench, place, period, whole, parts)
    lacks = _lacks(found, language)
    if uses_country(workbench.release, practice_country, lacks):
        return _of_country(workbench, whole, place, lacks, language)
    about = workbench.measures[whole.view.measures[0]]
    return YearlySeries(
        whole, workbench.place(place), workbench.place_name(workbench.place(place)), False, lacks, language,
        found.drop(columns="whole"), about.title[language], about.unit[language],
        float(about.per), bool(found["events"].notna().all()), pd.DataFrame(),
    )  # fmt: skip


def _of_release(workbench: Workbench, place: str, period: str, whole: Question, parts: Question) -> pd.DataFrame:
    """YearlySeries.rows of the place and its parts."""
    unit, part = workbench.place(place), parts.view.by[0]
    own = whole.to_pandas().assign(**{KEY: unit, "name": workbench.place_name(unit)})
    below = parts.to_pandas().rename(columns={part: KEY, f"{part}_name": "name"})
    rows = pd.concat([own, below[below[KEY] != unit]], ignore_index=True)
    rows = kept_years(rows[rows["value"].notna()], workbench.release, period)
    measure = workbench.measures[whole.view.measures[0]]
    alone = measure.method == "count"
    rate = rows["numerator"].astype(float) / rows["denominator"].astype(float) * measure.per
    counted = alone or np.allclose(rows["value"].astype(float), rate, equal_nan=True)
    missing = pd.Series(np.nan, index=rows.index)
    events = rows["value" if alone else "numerator"].astype(float)
    persons = pd.Series(1.0, index=rows.index) if alone else rows["denominator"].astype(float)
    return pd.DataFrame({
        KEY: rows[KEY], "name": rows["name"], "year": rows["year"], "value": rows["value"].astype(float),
        "events": events if counted else missing, "population": persons if counted else missing,
        "se": (rows["upper"] - rows["lower"]).astype(float) / (2 * Z), "whole": rows[KEY] == unit,
    })  # fmt: skip


def _lacks(rows: pd.DataFrame, language: str) -> tuple[str, ...]:
    """Sentences: too few years, nothing to compare."""
    years = sorted(rows.loc[rows["whole"], "year"].unique())
    said = []
    if len(years) < MINIMUM_YEARS:
        text = ", ".join(map(str, years)) or "–"
        said.append(label("trend_notebook.few_years", language, found=len(years), years=text, least=MINIMUM_YEARS))
    below = rows.loc[~rows["whole"], KEY].nunique()
    if below < 2:
        said.append(label("trend_notebook.few_places", language, found=below))
    return tuple(said)


def _of_country(
    workbench: Workbench, question: Question, place: str, lacks: tuple[str, ...], language: str
) -> YearlySeries:
    """The crude death rate of the practice country: the nation and its provinces, or one province."""
    from tkyt_analysis.practice.country_series import deaths_by_province_year

    made = deaths_by_province_year(geography="VN2025")
    names, unit = province_names(), own_province(workbench, place)
    rows = made.table.groupby([KEY, "year"], as_index=False)[["events", "population"]].sum()
    rows["name"] = rows[KEY].map(names)
    if unit == NATION:
        nation = rows.groupby("year", as_index=False)[["events", "population"]].sum()
        rows = pd.concat([nation.assign(**{KEY: NATION, "name": workbench.place_name(NATION)}), rows])
    else:
        rows = rows[rows[KEY] == unit]
    rows = rows.astype({"events": float, "population": float}).reset_index(drop=True)
    value = PER * rows["events"] / rows["population"]
    return YearlySeries(
        question, unit, workbench.place_name(unit), True, lacks, language, rows.assign(value=value, se=np.nan),
        label("notebook_country.rate", language), label("notebook_country.rate_unit", language), PER, True, made.truth,
    )  # fmt: skip


def joinpoints(series: YearlySeries, *, select: str = "wbic", max_joinpoints: int | None = None) -> JoinpointResult:
    """Joinpoints of all series at once, as NCI's program finds them; years in which the yardstick changes are marked."""
    from tkyt_analysis.analysis.trend import joinpoint

    columns = {"count": "events", "population": "population"} if series.counted else {"rate": "value", "se": "se"}
    with_limits = series.counted or bool(series.rows["se"].gt(0).all())
    if not with_limits:
        columns = {"rate": "value"}
    if series.rows.empty:
        raise InputError("error.trend_notebook.empty", measure=series.title, place=series.name)
    return joinpoint(
        series.rows[[KEY, "year", *columns.values()]], by=KEY, year="year", select=select, per=series.per,
        max_joinpoints=max_joinpoints, breaks=marks_of(series)[[KEY, "at"]].rename(columns={"at": "year"}), **columns,
    )  # fmt: skip


def marks_of(series: YearlySeries) -> pd.DataFrame:
    """`series_breaks` of every series.

    Of the release: the source of its population and the form of the register. Of the practice country: what the catalog
    knows of these years, as a real series would have it (its own figures have no break).
    """
    from tkyt_analysis.analysis.trend import series_breaks

    if series.country:
        kinds = ("population", "icd_edition", "death_register")
        return series_breaks(series.rows, kinds=kinds, by=KEY, time="year")
    rows = series.rows.merge(_population_sources(series), on="year", how="left").fillna({"source": ""})
    return series_breaks(rows, kinds=("icd_edition", "death_register"), columns=["source"], by=KEY, time="year")


def _population_sources(series: YearlySeries) -> pd.DataFrame:
    """year → the population series that the release used."""
    if not series.release.has("population"):
        return pd.DataFrame({"year": pd.Series(dtype="int64"), "source": pd.Series(dtype="str")})
    found = series.release.query(
        "SELECT year, string_agg(DISTINCT series, ' + ' ORDER BY series) AS source FROM population GROUP BY 1"
    )
    return found.astype({"year": "int64"})
