"""Exhibits of the explorer's pictures, on practice deaths and watched events of the provinces."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tkyt_analysis.explorer.layout import Layout
from tkyt_analysis.gallery import practice_figures as made
from tkyt_analysis.gallery.figures import practice_pivot
from tkyt_analysis.gallery.model import Exhibit
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.figure import Figure

    from tkyt_analysis.explorer.layout import Pivot

_NORTH = ("VN2025:01", "VN2025:04", "VN2025:08", "VN2025:22", "VN2025:31")


def exhibits() -> list[Exhibit]:
    """One exhibit per picture of the explorer."""
    pictures: dict[str, Callable[[str], Pivot]] = {
        "chart_bar": _bars,
        "chart_bar_lying": _lying_bars,
        "chart_stacked": partial(_stacked, picture="stacked"),
        "chart_stacked_share": partial(_stacked, picture="stacked_share"),
        "chart_line": _lines,
        "chart_year_over_year": _year_over_year,
        "chart_small_multiples": _small_multiples,
        "chart_pyramid": _pyramid,
        "chart_scatter": _scatter,
        "chart_card": _card,
        "chart_map": _rate_map,
        "chart_map_counts": _count_map,
    }
    return [Exhibit(name, "charts", partial(_drawn, question)) for name, question in pictures.items()]


def _drawn(question: Callable[[str], Pivot], width: float, language: str) -> Figure:
    from tkyt_analysis.explorer.charts import draw

    return draw(question(language), language=language, width=width)


def _bars(language: str) -> Pivot:
    rows = made.yearly_rates().query("year == '2025' and province in @_NORTH")
    layout = Layout(rows=("province",), columns=("measure",), picture="bar", intervals=True, totals=False)
    names = {"province": made.province_names()}
    return practice_pivot(
        rows, ["province"], layout, measures=[made.RATE], names=names, language=language, period="2025"
    )


def _lying_bars(language: str) -> Pivot:
    rows = made.yearly_rates().query("year == '2025'")
    layout = Layout(rows=("province",), columns=("measure",), picture="bar", intervals=True, totals=False, sort="value")
    names = {"province": made.province_names()}
    return practice_pivot(
        rows, ["province"], layout, measures=[made.RATE], names=names, language=language, period="2025"
    )


def _stacked(language: str, *, picture: str) -> Pivot:
    rows = made.monthly_events().query("province in @_NORTH and year == '2025'")
    rows = rows.groupby(["province", "cause"], as_index=False)["value"].sum()
    layout = Layout(rows=("province",), columns=("cause",), picture=picture, totals=False)
    names = {"province": made.province_names(), "cause": made.element_names(language)}
    rows = rows.assign(numerator=rows["value"])
    return practice_pivot(
        rows, ["province", "cause"], layout, measures=[made.EVENTS], names=names, language=language, period="2025"
    )


def _lines(language: str) -> Pivot:
    rows = made.yearly_rates().query("province in @_NORTH")
    layout = Layout(rows=("year",), columns=("province",), picture="line", totals=False)
    return _by_year(rows, layout, language)


def _small_multiples(language: str) -> Pivot:
    rows = made.yearly_rates()
    rows = rows[rows["province"].isin(sorted(rows["province"].unique())[:12])]
    layout = Layout(rows=("year",), columns=("province",), picture="small_multiples", totals=False)
    return _by_year(rows, layout, language)


def _by_year(rows: pd.DataFrame, layout: Layout, language: str) -> Pivot:
    names = {"province": made.province_names(), "year": {one: one for one in sorted(rows["year"].unique())}}
    return practice_pivot(
        rows, ["year", "province"], layout, measures=[made.RATE], names=names, language=language, period="2010..2025"
    )


def _year_over_year(language: str) -> Pivot:
    rows = made.monthly_events().query("cause == 'drowning' and year >= '2023'")
    rows = rows.groupby("month", as_index=False)["value"].sum()
    rows = rows.assign(numerator=rows["value"])
    layout = Layout(rows=("month",), columns=("measure",), picture="year_over_year", totals=False)
    names = {"month": made.month_names(rows["month"].tolist(), language)}
    return practice_pivot(
        rows, ["month"], layout, measures=[made.DROWNED], names=names, language=language, period="202301..202512"
    )


def _pyramid(language: str) -> Pivot:
    rows = made.deaths_by_age()
    layout = Layout(rows=("age_group",), columns=("sex",), picture="pyramid", totals=False)
    ages = list(dict.fromkeys(rows["age_group"]))
    names = {
        "age_group": {one: one.replace("-", "–") for one in ages},
        "sex": {one: label(f"gallery.sex.{one}", language) for one in ("male", "female")},
    }
    return practice_pivot(
        rows, ["age_group", "sex"], layout, measures=[made.DEATHS], names=names, language=language, period="2024"
    )


def _scatter(language: str) -> Pivot:
    import pandas as pd

    deaths = made.yearly_rates().query("year == '2025'").assign(measure=made.RATE.id)
    rows = pd.concat([deaths, made.drowning_rates().assign(measure=made.DROWNING.id)], ignore_index=True)
    layout = Layout(rows=("province",), columns=("measure",), picture="scatter", totals=False)
    names = {"province": made.province_names()}
    both = [made.RATE, made.DROWNING]
    return practice_pivot(rows, ["province"], layout, measures=both, names=names, language=language, period="2025")


def _card(language: str) -> Pivot:
    rows = made.yearly_rates().query("year == '2025'")
    whole = rows[["numerator", "denominator"]].sum().to_frame().T
    one = made.rates(whole["numerator"], whole["denominator"], 1000.0)
    layout = Layout(rows=(), columns=("measure",), picture="card", totals=False)
    return practice_pivot(one, [], layout, measures=[made.RATE], names={}, language=language, period="2025")


def _rate_map(language: str) -> Pivot:
    rows = made.yearly_rates().query("year == '2025'")
    layout = Layout(rows=("province",), columns=("measure",), picture="map", totals=False)
    names = {"province": made.province_names()}
    return practice_pivot(
        rows, ["province"], layout, measures=[made.RATE], names=names, language=language, period="2025"
    )


def _count_map(language: str) -> Pivot:
    rows = made.monthly_events().query("year == '2025'")
    rows = rows.groupby(["province", "cause"], as_index=False)["value"].sum()
    rows = rows.assign(numerator=rows["value"])
    layout = Layout(rows=("province",), columns=("cause",), picture="map", totals=False)
    names = {"province": made.province_names(), "cause": made.element_names(language)}
    return practice_pivot(
        rows, ["province", "cause"], layout, measures=[made.EVENTS], names=names, language=language, period="2025"
    )
