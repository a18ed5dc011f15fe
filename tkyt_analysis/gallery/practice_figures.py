"""The practice figures that the explorer's exhibits draw: rows of cells with limits, and the names of their members."""

from __future__ import annotations

from functools import cache
from typing import Literal

import pandas as pd

from tkyt_analysis.catalog.entries import Text
from tkyt_analysis.cube.model import Measure
from tkyt_analysis.labels import label

Vintage = Literal["VN2024", "VN2025"]
_GROUP = Text("Tử vong", "Mortality")
DEATHS = Measure(
    "deaths", Text("Số tử vong", "Deaths"), Text("người", "persons"), "mortality", _GROUP, "count", "deaths"
)
RATE = Measure(
    "crude_death_rate",
    Text("Tỷ suất chết thô", "Crude death rate"),
    Text("trên 1.000 dân", "per 1,000 persons"),
    "mortality",
    _GROUP,
    "crude",
    "deaths",
    "population",
    per=1000.0,
    decimals=2,
)
DROWNING = Measure(
    "drowning_rate",
    Text("Tỷ suất mắc đuối nước", "Drowning rate"),
    Text("trên 100.000 dân", "per 100,000 persons"),
    "mortality",
    _GROUP,
    "crude",
    "drowning",
    "population",
    per=100000.0,
    decimals=1,
)
_WATCHED = Text("Sự kiện theo dõi", "Watched events")
EVENTS = Measure("events", Text("Số ca", "Cases"), Text("ca", "cases"), "watched", _WATCHED, "count", "events")
DROWNED = Measure(
    "drowning", Text("Số ca đuối nước", "Drownings"), Text("ca", "cases"), "watched", _WATCHED, "count", "drowning"
)


@cache
def province_names(vintage: str = "VN2025") -> dict[str, str]:
    """unit_id → name."""
    from tkyt_analysis.maps.boundaries import packaged_provinces

    return packaged_provinces(vintage).names


def rates(events: pd.Series, person_years: pd.Series, per: float) -> pd.DataFrame:
    """numerator, denominator, value, lower, upper of a crude rate."""
    from tkyt_analysis.analysis.rates import crude_rate

    found = crude_rate(events, person_years, per=per)
    return pd.DataFrame({"numerator": events, "denominator": person_years, "value": found["rate"],
                         "lower": found["lower"], "upper": found["upper"]})  # fmt: skip


@cache
def yearly_rates(vintage: Vintage = "VN2025") -> pd.DataFrame:
    """Crude death rate: province, year (text) and the figures, 2010–2025 on the 34 or the 63 provinces."""
    from tkyt_analysis.practice.country_series import deaths_by_province_year

    table = deaths_by_province_year(geography=vintage).table
    return table[["unit_id", "year"]].astype(str).set_axis(["province", "year"], axis=1).join(
        rates(table["events"], table["person_years"], 1000.0)
    )  # fmt: skip


@cache
def monthly_events() -> pd.DataFrame:
    """Watched events: province, element, month, year, value."""
    from tkyt_analysis.practice.country_series import events_by_month

    table = events_by_month().table
    named = {"unit_id": "province", "element_id": "cause", "period_id": "month", "events": "value"}
    return table.rename(columns=named).assign(value=table["events"].astype(float), year=table["year"].astype(str))


@cache
def drowning_rates() -> pd.DataFrame:
    """Drowning rate of the last year: province and the figures."""
    chosen = monthly_events().query("cause == 'drowning' and year == '2025'")
    sums = chosen.groupby("province", as_index=False)[["value", "person_years"]].sum()
    return sums[["province"]].join(rates(sums["value"], sums["person_years"], 100000.0))


@cache
def deaths_by_age() -> pd.DataFrame:
    """Expected practice deaths of the nation in 2024: sex, age_group, value (the catalog's population × practice rates;
    ages under 5 by the rate of 1–4, from 80 by that of 80–84: for looking only)."""
    from tkyt_analysis.catalog import read_codelist
    from tkyt_analysis.reference.population import population

    persons = population("VN", 2024, by=("sex", "age_group"))
    known = read_codelist("practice_death_rates").query("year_from <= '2024' <= year_to")
    known = known.assign(age_group=known["age_group"].replace({"1-4": "0-4", "80-84": "80+"}))
    both = persons.merge(known, on=["sex", "age_group"], validate="one_to_one")
    value = (both["persons"] * both["deaths_per_1000"].astype(float) / 1000).round()
    return both[["sex", "age_group"]].assign(value=value, numerator=value)


@cache
def wave_of_2021() -> pd.Series:
    """Deaths of July to September 2021 over the mean of the same months of 2017–2019 [%], by province."""
    from tkyt_analysis.practice.country_series import deaths_by_month

    table = deaths_by_month().table
    table = table[table["period_id"].str[4:].isin(["07", "08", "09"]) & (table["unit_id"] != "VN")]
    sums = table.groupby(["unit_id", "year"])["events"].sum().unstack()
    return 100 * sums[2021] / sums[[2017, 2018, 2019]].mean(axis=1)


@cache
def communes() -> pd.DataFrame:
    """The communes of 2025: unit_id, events (deaths), person_years."""
    from tkyt_analysis.practice.country_series import deaths_by_commune_year

    table = deaths_by_commune_year(first_year=2025, last_year=2025, geography="VN2025").table
    return table[["unit_id", "events", "person_years"]]


@cache
def commune_names() -> dict[str, str]:
    """unit_id → name of the communes of 2025."""
    from tkyt_analysis.reference.places import places

    table = places("VN2025")
    return dict(zip(table["unit_id"], table["name"], strict=True))


def month_names(months: list[str], language: str) -> dict[str, str]:
    """Names of months as the explorer writes them."""
    from tkyt_analysis.reference.periods import format_period

    return {one: format_period(one, language) for one in months}


def element_names(language: str) -> dict[str, str]:
    """Names of the watched events."""
    return {one: label(f"gallery.event.{one}", language) for one in monthly_events()["cause"].unique()}
