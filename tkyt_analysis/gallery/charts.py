"""Exhibits of the explorer's pictures, on practice deaths of the provinces."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.catalog.entries import Text
from tkyt_analysis.cube.model import Measure
from tkyt_analysis.explorer.layout import Layout
from tkyt_analysis.gallery.figures import practice_pivot
from tkyt_analysis.gallery.model import Exhibit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GROUP = Text("Tử vong", "Mortality")
DEATHS = Measure(
    "deaths", Text("Số tử vong", "Deaths"), Text("người", "persons"), "mortality", _GROUP, "count", "deaths"
)
RATE = Measure(
    "crude_death_rate",
    Text("Tỷ suất chết thô", "Crude death rate"),
    Text("trên 1.000 dân", "per 1,000"),
    "mortality",
    _GROUP,
    "crude",
    "deaths",
    "population",
    per=1000.0,
    decimals=2,
)


def exhibits() -> list[Exhibit]:
    """One exhibit per picture of the explorer."""
    return [
        Exhibit("chart_bar", "charts", _bars),
        Exhibit("chart_line", "charts", partial(_lines, provinces=5)),
    ]


def _rates(language: str) -> tuple[pd.DataFrame, dict[str, dict[str, str]]]:
    """province, year, numerator, denominator, value, lower, upper of all provinces; names of the provinces."""
    from tkyt_analysis.analysis.rates import crude_rate
    from tkyt_analysis.maps.boundaries import packaged_provinces
    from tkyt_analysis.practice.country_series import deaths_by_province_year

    table = deaths_by_province_year(geography="VN2025").table
    rates = crude_rate(table["events"], table["person_years"], per=1000.0)
    cells = pd.DataFrame(
        {"province": table["unit_id"], "year": table["year"].astype(str), "numerator": table["events"]}
    )
    cells = cells.assign(
        denominator=table["person_years"], value=rates["rate"], lower=rates["lower"], upper=rates["upper"]
    )
    return cells, {"province": packaged_provinces("VN2025").names, "year": {one: one for one in cells["year"].unique()}}


def _bars(width: float, language: str) -> Figure:
    from tkyt_analysis.explorer.charts import draw

    cells, names = _rates(language)
    last = cells[cells["year"] == "2025"].head(12)
    layout = Layout(rows=("province",), columns=("measure",), picture="bar", intervals=True, totals=False)
    pivot = practice_pivot(last, ["province"], layout, measures=[RATE], names=names, language=language, period="2025")
    return draw(pivot, language=language, width=width)


def _lines(width: float, language: str, *, provinces: int) -> Figure:
    from tkyt_analysis.explorer.charts import draw

    cells, names = _rates(language)
    chosen = cells[cells["province"].isin(cells["province"].unique()[:provinces])]
    layout = Layout(rows=("year",), columns=("province",), picture="line", totals=False)
    pivot = practice_pivot(
        chosen, ["year", "province"], layout, measures=[RATE], names=names, language=language, period="2010..2025"
    )
    return draw(pivot, language=language, width=width)
