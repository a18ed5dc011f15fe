"""Exhibits of trends: joinpoints, expected and excess deaths, alarms, late reports."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.gallery.model import SIZES, Exhibit
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

PROVINCE = "VN2025:79"
BENT = "VN2025:08"  # a province with two planted joinpoints


def exhibits() -> list[Exhibit]:
    """One exhibit per picture of `analysis.trend`."""
    pictures: dict[str, Callable[..., Figure]] = {
        "trend_joinpoint": _joinpoint,
        "trend_excess": partial(_excess, months=False),
        "trend_excess_months": partial(_excess, months=True),
        "trend_alarms": _alarms,
        "trend_z_scores": _z_scores,
        "trend_nowcast": _nowcast,
    }
    return [Exhibit(name, "trends", partial(_drawn, name, picture)) for name, picture in pictures.items()]


def _drawn(name: str, picture: Callable[..., Figure], width: float, language: str) -> Figure:
    options = {
        "title": label(f"gallery.{name}.title", language),
        "note": label("page.practice", language),
        "size": "print" if width == SIZES["print"] else "phone",
        "language": language,
    }
    return picture(**options)


def _joinpoint(**options: Any) -> Figure:
    from tkyt_analysis.analysis.trend import joinpoint, joinpoint_picture
    from tkyt_analysis.practice.country_series import deaths_by_province_year

    table = deaths_by_province_year(geography="VN2025").table.query("unit_id == @BENT")
    rates = table.assign(rate=1000 * table["events"] / table["person_years"], se=table["events"] ** -0.5)
    found = joinpoint(rates.assign(se=rates["rate"] * rates["se"])[["year", "rate", "se"]], max_joinpoints=3)
    return joinpoint_picture(found, unit=label("gallery.map.unit", options["language"]), **options)


@cache
def _weeks(months: bool = False) -> pd.DataFrame:
    from tkyt_analysis.practice.country_series import deaths_by_month, deaths_by_week

    table = (deaths_by_month() if months else deaths_by_week()).table
    return table.query("unit_id == @PROVINCE")[["period_id", "events", "population"]].reset_index(drop=True)


def _excess(*, months: bool, **options: Any) -> Figure:
    from tkyt_analysis.analysis.trend import excess_deaths, excess_picture

    table = excess_deaths(_weeks(months), baseline=(2015, 2019), start="2020-01-01", tet=True, outcome="events")
    return excess_picture(table, since="2020-01-01", until="2022-12-31", **options)


def _alarms(**options: Any) -> Figure:
    from tkyt_analysis.analysis.trend import farrington_flexible, surveillance_picture

    counts = _weeks().set_index("period_id")["events"]
    return surveillance_picture(farrington_flexible(counts.loc[:"2022W52"]).tail(156), **options)


def _z_scores(**options: Any) -> Figure:
    from tkyt_analysis.analysis.trend import euromomo, surveillance_picture

    counts = _weeks().set_index("period_id")["events"]
    return surveillance_picture(euromomo(counts.loc[:"2022W52"]).tail(156), **options)


def _nowcast(**options: Any) -> Figure:
    from tkyt_analysis.analysis.trend import nowcast, nowcast_picture
    from tkyt_analysis.practice.country_series import reporting_triangle

    table = reporting_triangle(unit_id=PROVINCE).table
    return nowcast_picture(nowcast(table, time="period_id", value="events", delay="delay"), **options)
