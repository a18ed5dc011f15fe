"""Practice deaths by day, week and month with planted season, Tết, heat and excess waves; and reports that come late.

Synthetic. Days are drawn once and added up to ISO weeks (2015 and 2020 have a week 53) or to months, so that both tell
the same story. Tết moves with the lunar date (package vnlunar): fewer deaths are written down around the holiday.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from tkyt_analysis.practice.country_base import BASE_YEAR, CountrySeries, province_population, provinces_2025
from tkyt_analysis.practice.effects import TET_DAYS, _lunar_new_year
from tkyt_analysis.practice.people import _stream
from tkyt_analysis.practice.world import DEFAULT_SEED
from tkyt_analysis.reference.periods import period_windows

FIRST_DAY, LAST_DAY = "2014-12-29", "2025-12-31"  # Monday of 2015W01; the last week of 2025 ends on 2025-12-28
YEARLY_RATE, YEARLY_CHANGE = 560.0, 0.004  # deaths per 100,000; log change of the rate a year
TET_LOG, HEAT_LOG, HOT = np.log(0.80), 0.02, 35.0  # on each day of Tết; on each day of 35 °C and over
SEASON = {
    "north": (0.10, 20),
    "central": (0.06, 15),
    "south": (0.03, 340),
}  # log amplitude, day of the year of its peak
CLIMATE = {"north": (28.0, 6.5), "central": (30.0, 4.0), "south": (32.0, 1.8)}  # highest of the day: mean, amplitude
WEEK_NOISE = 0.0004  # variance of the gamma factor common to one province and week
DELAY = (0.30, 0.28, 0.17, 0.10, 0.06, 0.04, 0.02, 0.015, 0.010, 0.005)  # share reported 0, 1, 2 … weeks later
# name, where, first day, last day, highest added share
WAVES = (
    ("influenza", "north", "2019-12-16", "2020-02-02", 0.18),
    ("flood", "central", "2020-10-05", "2020-11-08", 0.25),
    ("epidemic", "south", "2021-07-12", "2021-10-17", 0.90),
)
PERIOD_KEYS = ["period_id", "period_start", "period_end", "year"]


@cache
def _days() -> pd.DataFrame:
    """day, year, tet (1 on the days of Tết), week and month ids."""
    day = pd.date_range(FIRST_DAY, LAST_DAY)
    iso = day.isocalendar()
    week = iso["year"].astype("str") + "W" + iso["week"].astype("str").str.zfill(2)
    tet = np.zeros(len(day), bool)
    for year in range(day[0].year, day[-1].year + 1):
        offset = (day - _lunar_new_year(year)).days
        tet |= (offset >= TET_DAYS[0]) & (offset <= TET_DAYS[1])
    return pd.DataFrame(
        {"day": day, "year": day.year, "tet": tet, "week": week.to_numpy(), "month": day.strftime("%Y%m")}
    )


@cache
def _daily(seed: int) -> dict[str, np.ndarray]:
    """Arrays [34 provinces x days]: population, temperature, hot, expected, planted, events, extra."""
    units, days = provinces_2025(), _days()
    day_of_year = days["day"].dt.dayofyear.to_numpy()
    people = _people(units["unit_id"], days["year"].to_numpy(), seed)
    temperature = _temperature(units["part"], day_of_year, seed)
    hot = temperature >= HOT
    amplitude, peak = (units["part"].map({k: v[i] for k, v in SEASON.items()}).to_numpy()[:, None] for i in (0, 1))
    years = (days["day"] - pd.Timestamp(f"{BASE_YEAR}-07-01")).dt.days.to_numpy() / 365.25
    log_rate = YEARLY_CHANGE * years + amplitude * np.cos(2 * np.pi * (day_of_year - peak) / 365.25)
    log_rate = log_rate + TET_LOG * days["tet"].to_numpy() + HEAT_LOG * hot
    expected = YEARLY_RATE / 1e5 / 365.25 * people * np.exp(log_rate)
    planted = expected * _waves(units["part"], days["day"])
    rng = _stream(seed, "country", "deaths_by_day")
    codes = pd.factorize(days["week"])[0]
    noise = rng.gamma(1 / WEEK_NOISE, WEEK_NOISE, size=(len(units), codes.max() + 1))[:, codes]
    extra = rng.poisson(planted)
    return {"population": people, "temperature": temperature, "hot": hot, "expected": expected, "planted": planted,
            "events": rng.poisson(expected * noise) + extra, "extra": extra}  # fmt: skip


def _people(units: pd.Series, years: np.ndarray, seed: int) -> np.ndarray:
    known = province_population(sorted(set(years.tolist())), seed=seed)
    wide = known.pivot_table(index="new_unit_id", columns="year", values="population", aggfunc="sum")
    found: np.ndarray = wide.loc[units, years].to_numpy(float)
    return found


def _temperature(part: pd.Series, day_of_year: np.ndarray, seed: int) -> np.ndarray:
    """Highest temperature of the day, °C: season of the part of the country and weather that lasts some days."""
    rng = _stream(seed, "country", "temperature")
    mean, amplitude = (part.map({k: v[i] for k, v in CLIMATE.items()}).to_numpy()[:, None] for i in (0, 1))
    shock = rng.normal(0, 1.0, size=(len(part), len(day_of_year)))
    weather = np.empty_like(shock)
    weather[:, 0] = shock[:, 0]
    for i in range(1, shock.shape[1]):  # first-order autoregression over the days
        weather[:, i] = 0.8 * weather[:, i - 1] + shock[:, i]
    season: np.ndarray = mean + amplitude * np.cos(2 * np.pi * (day_of_year - 170) / 365.25)
    return np.round(season + weather, 1)


def _waves(part: pd.Series, day: pd.Series) -> np.ndarray:
    """Added share of deaths [provinces x days]: each wave rises and falls as half a sine."""
    added = np.zeros((len(part), len(day)))
    for _, where, first, last, highest in WAVES:
        length = (pd.Timestamp(last) - pd.Timestamp(first)).days + 1
        position = ((day - pd.Timestamp(first)).dt.days.to_numpy() + 0.5) / length
        shape = np.where((position > 0) & (position < 1), np.sin(np.pi * np.clip(position, 0, 1)), 0.0)
        added += (part == where).to_numpy()[:, None] * highest * shape[None, :]
    return added


def deaths_by_week(
    *, first_year: int = 2015, last_year: int = 2025, nation: bool = True, seed: int = DEFAULT_SEED
) -> CountrySeries:
    """Deaths per ISO week: the 34 provinces and, with `nation`, "VN".

    Returns
    -------
    table : unit_id, period_id ("2020W53"), period_start, period_end, year (ISO), week, events, population (average persons),
        temperature (mean of the daily highest, °C), heat_days (days of 35 °C and over; of the nation weighted by persons),
        tet_days (0-7)
    truth : unit_id, period_id, expected (without waves, with Tết and heat), excess_expected, excess_deaths (added by
        the planted wave, as drawn), wave ("" where none)
    """
    series = _per_period("week", seed, nation)
    kept = _between(series, first_year, last_year)
    kept.table.insert(5, "week", kept.table["period_id"].str[-2:].astype(int))
    return kept


def deaths_by_month(
    *, first_year: int = 2015, last_year: int = 2025, nation: bool = True, seed: int = DEFAULT_SEED
) -> CountrySeries:
    """The same deaths per calendar month; columns as `deaths_by_week` without `week`."""
    return _between(_per_period("month", seed, nation), first_year, last_year)


def _between(series: CountrySeries, first_year: int, last_year: int) -> CountrySeries:
    keep = series.table["year"].between(first_year, last_year)
    table, truth = (frame[keep].reset_index(drop=True) for frame in (series.table, series.truth))
    return CountrySeries(table, truth, series.seed)


def _per_period(kind: str, seed: int, nation: bool) -> CountrySeries:
    """Daily arrays added up (counts), or averaged (persons, temperature), over whole periods of a kind."""
    days, daily, units = _days(), _daily(seed), provinces_2025()
    codes, ids = pd.factorize(days[kind])
    windows = period_windows(ids)
    length = np.bincount(codes)
    whole = length == ((windows["period_end"] - windows["period_start"]).dt.days + 1).to_numpy()
    weight = {"hot": "population", "temperature": "population"}
    data = {name: _summed(_national(daily, name, weight, nation), codes)[:, whole] for name in daily}
    names = [*units["unit_id"], "VN"] if nation else list(units["unit_id"])
    windows, length = windows[whole].reset_index(drop=True), length[whole]
    frame = windows.loc[np.tile(windows.index, len(names))].reset_index(drop=True).drop(columns="kind")
    frame.insert(0, "unit_id", np.repeat(names, len(windows)))
    frame["year"] = frame["period_id"].str[:4].astype(int)
    tet = np.bincount(codes, weights=days["tet"])[whole].astype(int)
    table = frame.assign(
        events=data["events"].ravel().astype(np.int64),
        population=np.round(data["population"] / length).ravel().astype(np.int64),
        temperature=np.round(data["temperature"] / length, 2).ravel(),
        heat_days=np.round(data["hot"], 3).ravel(),
        tet_days=np.tile(tet, len(names)),
    )
    excess = data["planted"].ravel()
    truth = frame[["unit_id", "period_id"]].assign(
        expected=data["expected"].ravel(), excess_expected=excess, excess_deaths=data["extra"].ravel().astype(np.int64)
    )
    return CountrySeries(table, truth.assign(wave=_wave_names(frame, excess)), seed)


def _national(daily: dict[str, np.ndarray], name: str, weight: dict[str, str], nation: bool) -> np.ndarray:
    """The array with one more row for the nation: a sum, or a mean weighted by persons."""
    values = daily[name].astype(float)
    if not nation:
        return values
    if name in weight:
        return np.vstack([values, np.average(values, axis=0, weights=daily[weight[name]])])
    return np.vstack([values, values.sum(axis=0)])


def _summed(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    added: np.ndarray = np.add.reduceat(values, starts, axis=1)
    return added


def _wave_names(frame: pd.DataFrame, excess: np.ndarray) -> np.ndarray:
    names = np.full(len(frame), "", dtype=object)
    for name, _, first, last, _ in WAVES:
        touched = (frame["period_end"] >= pd.Timestamp(first)) & (frame["period_start"] <= pd.Timestamp(last))
        names[(touched & (excess > 0)).to_numpy()] = name
    return names


def reporting_triangle(
    *, unit_id: str = "VN", weeks: int = 104, as_of: str = "2025W52", seed: int = DEFAULT_SEED
) -> CountrySeries:
    """Deaths of one unit by ISO week of death and weeks until they were reported, as known at the end of week `as_of`.

    Returns
    -------
    table : unit_id, period_id (week of death), period_start, period_end, delay (0, 1, … weeks), events, population;
        only cells that can have been reported by `as_of` (the lag triangle); never a total
    truth : unit_id, period_id, events (all, in the end), reported (known by as_of), expected_share (planted share that
        is reported by then)
    """
    whole = deaths_by_week(seed=seed).table.query("unit_id == @unit_id and period_id <= @as_of")
    whole = whole.sort_values("period_start").tail(weeks).reset_index(drop=True)
    delays = np.arange(len(DELAY))
    rng = _stream(seed, "country", "reporting_triangle", unit_id, as_of)
    counts = rng.multinomial(whole["events"].to_numpy(), np.array(DELAY) / sum(DELAY))
    known = (len(whole) - 1 - np.arange(len(whole)))[:, None] >= delays[None, :]
    at, delay = np.nonzero(known)
    columns = ["unit_id", "period_id", "period_start", "period_end"]
    table = whole.loc[at, columns].reset_index(drop=True).assign(delay=delay, events=counts[at, delay])
    table["population"] = whole["population"].to_numpy()[at]
    truth = whole[["unit_id", "period_id", "events"]].assign(
        reported=(counts * known).sum(axis=1), expected_share=known @ np.array(DELAY) / sum(DELAY)
    )
    return CountrySeries(table, truth, seed)
