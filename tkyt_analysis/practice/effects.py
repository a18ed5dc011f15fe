"""What makes true monthly activity rise and fall: seasons, Tết, the 2021 wave, outbreaks, storms, campaigns.

All of these are real changes, not errors. The dated ones are listed in the truth table (D2, D3, D4) so
that a check that calls them errors can be counted as wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache

import numpy as np
import pandas as pd

from tkyt_analysis.practice.elements import Form

TET_DAYS = (-2, 6)  # days off around the first day of the lunar year
WAVE = {"202107": 0.35, "202108": 1.0, "202109": 0.9, "202110": 0.4}  # share of the full effect
COVID_CASES = {"2020": 0.02, "2021": 4.0, "2022": 12.0, "2023": 1.0}  # level by year; later years 0.3
COVID_START = "202003"


@dataclass(frozen=True)
class Event:
    """A true change: `factor` on `elements` (and all their categories) of some units in some months."""

    kind: str  # D2 shock, D3 campaign
    name: str
    months: tuple[str, ...]
    factors: tuple[float, ...]
    elements: tuple[str, ...]
    districts: tuple[str, ...] | None  # None = the whole province


@cache
def tet_share(month: str) -> float:
    """Share of the days of a month ("YYYYMM") that are Tết holidays."""
    year, number = int(month[:4]), int(month[4:])
    days = pd.Period(f"{year}-{number:02d}", freq="M")
    first = _lunar_new_year(year)
    off = [first + timedelta(days=d) for d in range(TET_DAYS[0], TET_DAYS[1] + 1)]
    return sum(day.year == year and day.month == number for day in off) / days.days_in_month


@cache
def _lunar_new_year(year: int) -> pd.Timestamp:
    from vnlunar import get_solar_date

    solar = get_solar_date(1, 1, year)
    return pd.Timestamp(year=solar["year"], month=solar["month"], day=solar["day"])


def month_factors(form: Form, months: list[str], *, wave_strength: float) -> np.ndarray:
    """Factor on the mean, [months × elements]: season × Tết × the wave of 2021 × year trend."""
    number = np.array([int(month[4:]) for month in months])
    elements = form.elements
    season = 1 + elements["season"].to_numpy() * np.cos(
        2 * np.pi * (number[:, None] - elements["peak"].to_numpy()[None, :]) / 12
    )
    tet = 1 - np.array([tet_share(month) for month in months])[:, None] * elements["tet"].to_numpy()[None, :]
    wave = np.array([WAVE.get(month, 0.0) for month in months])[:, None] * wave_strength
    shocked = 1 - wave * (1 - elements["wave"].to_numpy()[None, :])
    factors = season * tet * shocked
    covid = elements["element_id"].eq("BTN_COVID").to_numpy()
    if covid.any():
        factors[:, covid] *= _covid_level(months)[:, None]
    return factors


def _covid_level(months: list[str]) -> np.ndarray:
    return np.array([COVID_CASES.get(m[:4], 0.3) if m >= COVID_START else 0.0 for m in months])


def province_events(form: Form, months: list[str], districts: list[str], rng: np.random.Generator) -> list[Event]:
    """Three shocks and two campaigns of one province, at dates drawn from `rng` inside `months`."""
    years = sorted({month[:4] for month in months})
    year = [str(y) for y in rng.choice(years, size=4)]
    hit = tuple(sorted(rng.choice(districts, size=max(1, len(districts) // 4), replace=False)))
    storm = tuple(sorted(rng.choice(districts, size=max(1, len(districts) // 3), replace=False)))
    clinic = tuple(e for e in form.elements["element_id"] if e.startswith(("KCB_LUOT", "SKSS_KHAM", "KSK_")))
    planned = [
        Event("D2", "dengue", _span(year[0], 8, 4), (2.5, 6.0, 5.0, 2.5), ("BTN_SXHD",), hit),
        Event("D2", "storm", _span(year[1], int(rng.integers(9, 12)), 1), (0.45,), clinic, storm),
        Event("D2", "influenza", _span(year[2], 12, 1), (4.0,), ("BTN_CUM",), None),
        Event("D3", "measles_campaign", _span(year[3], 5, 1), (5.0,), ("TC_SOI_1", "TC_MR_2"), None),
        Event("D3", "checkup_campaign", _span(year[0], 4, 1), (3.5,), ("KSK_NCT",), None),
    ]
    return [event for event in planned if set(event.months) & set(months)]


def _span(year: str, first: int, length: int) -> tuple[str, ...]:
    return tuple(f"{year}{month:02d}" for month in range(first, first + length))


def event_factors(
    form: Form, months: list[str], unit_districts: np.ndarray, events: list[Event]
) -> list[tuple[np.ndarray, int, slice, float, Event]]:
    """(units hit [bool], month index, cells, factor, event) for every event month inside `months`."""
    found = []
    for event in events:
        units = np.ones(len(unit_districts), bool)
        if event.districts is not None:
            units = np.isin(unit_districts, event.districts)
        for month, factor in zip(event.months, event.factors):
            for element in event.elements:
                if month in months and form.has(element) and units.any():
                    found.append((units, months.index(month), form.columns(element), factor, event))
    return found
