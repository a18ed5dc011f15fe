"""Every kind of map for a notebook: what the release can fill, the rest on the practice country.

The tables that the kinds of `maps.registry` need are made from one rate: by province and year, its change, how sure it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tkyt_analysis.cube.model import NATION
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language, label
from tkyt_analysis.notebook_area_clusters import exceedance_html, moran_html
from tkyt_analysis.notebook_areas import Areas, small_areas
from tkyt_analysis.notebook_country import Answer, Source, kept_years, map_of, uses_country
from tkyt_analysis.notebook_parts import reporting_data_sets

if TYPE_CHECKING:
    from tkyt_analysis.api.workbench import Workbench

KEY = "unit_id"
LEAST_PROVINCES, LEAST_COMMUNES, MOST_YEARS = 3, 20, 4
Z = 1.959964
COUNTRY_PANELS = (2010, 2015, 2020, 2025)
CUTOFFS = (75.0, 90.0)  # completeness of reports in %, as maps.reliability
WIDTHS = (2.0, 5.0)  # half the width of the interval in % of the rate: low, middle, high


@dataclass(frozen=True)
class MapFigures(Source):
    """One rate for all maps.

    provinces : unit_id, year, value, lower, upper, events, population of the provinces of 2025
    before : the same of the 63 provinces before July 2025; completeness : unit_id, reliability (% of reports due)
    """

    workbench: Workbench
    measure: str
    period: str
    provinces: pd.DataFrame
    before: pd.DataFrame
    completeness: pd.DataFrame
    title: str
    unit: str

    @property
    def last(self) -> pd.DataFrame:
        """The provinces in the last year."""
        return self.provinces[self.provinces["year"] == self.provinces["year"].max()]

    @property
    def years(self) -> list[int]:
        """Years with figures."""
        return sorted(int(one) for one in self.provinces["year"].unique())

    def _repr_html_(self) -> str:
        found = label(
            "map_notebook.found", self.language, measure=self.title, unit=self.unit,
            provinces=self.provinces[KEY].nunique(), years=", ".join(map(str, self.years)) or "–",
        )  # fmt: skip
        return self.said(found)


def map_figures(
    workbench: Workbench, rate: str, period: str = "", *, practice_country: str | bool = "auto"
) -> MapFigures:
    """The rate of all provinces by year on both geographies, and the completeness of reports; or the practice country.

    Always of the nation (of what the account sees of it): one province is no map of provinces.
    """
    language = current_language()
    place = NATION if workbench.release.reads.nation else ""
    now = workbench.indicator(rate, by=["province", "year"], place=place, period=period)
    old = workbench.indicator(rate, by=["province", "year"], place=place, period=period, geography="VN2024")
    about = workbench.measures[now.view.measures[0]]
    if about.method == "count":
        raise InputError("error.map_notebook.rate", measure=about.title[language])
    provinces, before = (_table(kept_years(one.to_pandas(), workbench.release, period)) for one in (now, old))
    lacks = _lacks(provinces, language)
    shown = Source(now, NATION, workbench.place_name(NATION), False, lacks, language)
    if uses_country(workbench.release, practice_country, lacks):
        return _of_country(workbench, shown, rate, period)
    return MapFigures(
        now, NATION, shown.name, False, lacks, language, workbench, rate, period, provinces, before,
        _completeness(workbench, place, period), about.title[language], about.unit[language],
    )  # fmt: skip


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    named = rows.rename(columns={"province": KEY, "numerator": "events", "denominator": "population"})
    columns = ["value", "lower", "upper", "events", "population"]
    named = named[named[KEY].str.fullmatch(r"VN20\d\d:\d{2}") & named["value"].notna()]
    return named[[KEY, "year", *columns]].astype(dict.fromkeys(columns, float))


def _lacks(rows: pd.DataFrame, language: str) -> tuple[str, ...]:
    said = []
    if rows[KEY].nunique() < LEAST_PROVINCES:
        said.append(label("map_notebook.few_provinces", language, found=rows[KEY].nunique(), least=LEAST_PROVINCES))
    if rows["year"].nunique() < 2:
        said.append(label("map_notebook.few_years", language, found=rows["year"].nunique()))
    return tuple(said)


def _completeness(workbench: Workbench, place: str, period: str) -> pd.DataFrame:
    """unit_id, reliability: received of due reports of the data set with most reports, %; empty where none is due."""
    for dataset in reporting_data_sets(workbench, most=1):
        rows = workbench.indicator(f"{dataset}:reporting_rate", by="province", place=place, period=period).to_pandas()
        rows = rows[rows["value"].notna()]
        return pd.DataFrame({KEY: rows["province"], "reliability": rows["value"].astype(float)})
    return pd.DataFrame({KEY: pd.Series(dtype="str"), "reliability": pd.Series(dtype=float)})


def _of_country(workbench: Workbench, shown: Source, rate: str, period: str) -> MapFigures:
    """The crude death rate of the practice country on 34 and 63 provinces."""
    now, before = (_country_rates(one) for one in ("VN2025", "VN2024"))
    language = shown.language
    nothing = pd.DataFrame({KEY: pd.Series(dtype="str"), "reliability": pd.Series(dtype=float)})
    return MapFigures(
        shown.question, NATION, shown.name, True, shown.missing, language, workbench, rate, period, now, before, nothing,
        label("notebook_country.rate", language), label("notebook_country.rate_unit", language),
    )  # fmt: skip


def _country_rates(vintage: Any) -> pd.DataFrame:
    from tkyt_analysis.analysis.rates import crude_rate
    from tkyt_analysis.practice.country_series import deaths_by_province_year

    table = deaths_by_province_year(geography=vintage).table
    rows = table.groupby([KEY, "year"], as_index=False)[["events", "population"]].sum()
    rows = rows[rows["population"] > 0].reset_index(drop=True)
    found = crude_rate(rows["events"], rows["population"], per=1000.0)
    return rows.assign(value=found["rate"], lower=found["lower"], upper=found["upper"])


# ---- what the cells show


def kind_html(figures: MapFigures, kind: str) -> Answer:
    """The map of a kind of `maps.registry`, "tiles" or "before" (63 provinces), with a sentence on what it is for.

    Where the release cannot fill it: a sentence that says what is missing. UsageError for an unknown kind.
    """
    from tkyt_analysis.maps.registry import map_kind
    from tkyt_analysis.pages import paragraph

    base = "choropleth" if kind in ("tiles", "before") else kind
    use = paragraph(map_kind(base).use(figures.language))
    drawn = _MAPS.get(kind, _choropleth)(figures)
    return Answer(drawn.rows, use + drawn.html)


def _drawn(figures: MapFigures, kind: str, table: pd.DataFrame, key: str = "", **options: Any) -> Answer:
    years = figures.years
    title = label(
        f"map_notebook.title.{key or kind}", figures.language, measure=figures.title, first=years[0] if years else "–",
        year=years[-1] if years else "–",
    )  # fmt: skip
    return Answer(table, map_of(kind, table, figures, title=title, **options))


def _lacking(figures: MapFigures, key: str, **fields: object) -> Answer:
    return figures.nothing(f"map_notebook.lacks.{key}", **fields)


def _choropleth(figures: MapFigures) -> Answer:
    if figures.last.empty:
        return _lacking(figures, "provinces", found=0, least=1)
    return _drawn(figures, "choropleth", figures.last[[KEY, "value"]], unit=figures.unit)


def _tiles(figures: MapFigures) -> Answer:
    if figures.last.empty:
        return _lacking(figures, "provinces", found=0, least=1)
    return _drawn(figures, "choropleth", figures.last[[KEY, "value"]], "tiles", unit=figures.unit, tiles=True)


def _before(figures: MapFigures) -> Answer:
    rows = figures.before[figures.before["year"] == figures.before["year"].max()]
    if rows.empty:
        return _lacking(figures, "provinces", found=0, least=1)
    return _drawn(figures, "choropleth", rows[[KEY, "value"]], "before", unit=figures.unit, vintage="VN2024")


def _bivariate(figures: MapFigures) -> Answer:
    """Value by completeness of reports; in the practice country by the width of the interval, as it has no reports."""
    last = figures.last
    if len(last) < LEAST_PROVINCES:
        return _lacking(figures, "provinces", found=len(last), least=LEAST_PROVINCES)
    if figures.completeness.empty:
        width = 100 * (last["upper"] - last["lower"]) / (2 * last["value"].where(last["value"] > 0))
        table = last[[KEY, "value"]].assign(reliability=width)
        named = label("map_notebook.width", figures.language)
        return _drawn(
            figures, "bivariate", table[table["reliability"].notna()], "width", unit=figures.unit, measure=named,
            cutoffs=WIDTHS, high_is_reliable=False,
        )  # fmt: skip
    table = last[[KEY, "value"]].merge(figures.completeness, on=KEY, how="left")
    named = label("map_notebook.completeness", figures.language)
    return _drawn(figures, "bivariate", table, unit=figures.unit, measure=named, cutoffs=CUTOFFS)


def _change(figures: MapFigures) -> Answer:
    """Percent change from the first to the last year, with limits of the logarithm of the ratio."""
    years = figures.years
    if len(years) < 2 or len(figures.last) < LEAST_PROVINCES:
        return _lacking(figures, "change", years=len(years), found=len(figures.last), least=LEAST_PROVINCES)
    ends = [figures.provinces[figures.provinces["year"] == one].set_index(KEY) for one in (years[0], years[-1])]
    both = ends[0].join(ends[1], lsuffix="_first", how="inner").query("value_first > 0 and value > 0")
    ratio = np.log(both["value"] / both["value_first"])
    error = np.sqrt(_log_error(both, "") ** 2 + _log_error(both, "_first") ** 2)
    parts = {"value": ratio, "lower": ratio - Z * error, "upper": ratio + Z * error}
    table = pd.DataFrame({name: 100 * (np.exp(one) - 1) for name, one in parts.items()}).reset_index()
    return _drawn(figures, "change", table, unit="%")


def _log_error(rows: pd.DataFrame, which: str) -> pd.Series:
    """Standard error of the logarithm of a rate from its limits."""
    ends = (rows[f"upper{which}"] - rows[f"lower{which}"]) / (2 * Z)
    return ends / rows[f"value{which}"]


def _multiples(figures: MapFigures) -> Answer:
    if len(figures.years) < 2 or len(figures.last) < LEAST_PROVINCES:
        return _lacking(figures, "change", years=len(figures.years), found=len(figures.last), least=LEAST_PROVINCES)
    chosen = COUNTRY_PANELS if figures.country else figures.years[-MOST_YEARS:]
    rows = figures.provinces[figures.provinces["year"].isin(chosen)]
    table = rows[[KEY, "value"]].assign(year=rows["year"].astype("str"))
    return _drawn(figures, "multiples", table, unit=figures.unit)


def _areas(figures: MapFigures, level: str) -> Areas:
    wish = "true" if figures.country else "false"
    return small_areas(
        figures.workbench, figures.measure, NATION if figures.release.reads.nation else "", figures.period, level=level,
        practice_country=wish,
    )  # fmt: skip


def _counted(figures: MapFigures) -> bool:
    """Whether the rate is a count over persons."""
    about = figures.workbench.measures[figures.question.view.measures[0]]
    return figures.country or bool(about.numerator and about.denominator and about.method not in ("direct", "count"))


def _clusters(figures: MapFigures) -> Answer:
    return moran_html(_areas(figures, "province")) if _counted(figures) else _lacking(figures, "counts")


def _exceedance(figures: MapFigures) -> Answer:
    return exceedance_html(_areas(figures, "province")) if _counted(figures) else _lacking(figures, "counts")


def _points(figures: MapFigures) -> Answer:
    """Communes as circles: events by size, rate by colour."""
    if not _counted(figures):
        return _lacking(figures, "counts")
    areas = _areas(figures, "commune")
    if len(areas.rows) < LEAST_COMMUNES:
        return _lacking(figures, "communes", found=len(areas.rows), least=LEAST_COMMUNES)
    table = areas.rows[[KEY]].assign(value=areas.rows["events"], rate=areas.rows["value"])
    events = label("area_notebook.events", figures.language)
    return _drawn(figures, "commune_points", table, unit=events, rate_unit=areas.unit)


def _merger(figures: MapFigures) -> Answer:
    """The persons (of the rate) that each old province takes into the new one; thin arrows where the release knows none."""
    rows = figures.before[figures.before["year"] == figures.before["year"].max()]
    rows = rows[rows["population"].notna()]
    persons = label("map_notebook.persons", figures.language)
    if len(rows) < LEAST_PROVINCES:
        title = label("map_notebook.title.merger_bare", figures.language)
        return Answer(rows, map_of("merger", None, figures, title=title))
    return _drawn(figures, "merger", rows[[KEY]].assign(value=rows["population"]), unit=persons)


_MAPS: dict[str, Callable[[MapFigures], Answer]] = {
    "choropleth": _choropleth,
    "tiles": _tiles,
    "before": _before,
    "bivariate": _bivariate,
    "change": _change,
    "multiples": _multiples,
    "clusters": _clusters,
    "exceedance": _exceedance,
    "commune_points": _points,
    "merger": _merger,
}
