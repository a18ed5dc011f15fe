"""Practice series of a whole country with planted truth: trends by province, watched events, small areas.

Synthetic: "Số liệu mô phỏng – không phải số liệu thật". Pure functions, deterministic in `seed`, seconds at most. Each
returns a `CountrySeries` (table, truth, note). Weekly and monthly deaths, Tết, heat, excess waves and reporting delay:
`tkyt_analysis.practice.country_weeks`, re-exported here.

`geography` of the yearly and monthly series: "reported" (what was received: units of VN2024 to 2025-06-30, units of
VN2025 from 2025-07-01; the year 2025 as two halves), "VN2024" or "VN2025" (the same people and events on one
geography throughout: the truth that a back-cast must reproduce).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from tkyt_analysis.errors import UsageError
from tkyt_analysis.practice.country_base import (
    CountrySeries,
    pieces,
    province_population,
    provinces_2025,
    trend_factors,
    trends,
)
from tkyt_analysis.practice.country_weeks import deaths_by_month, deaths_by_week, reporting_triangle
from tkyt_analysis.practice.people import _stream
from tkyt_analysis.practice.world import DEFAULT_SEED
from tkyt_analysis.reference.periods import period_windows

__all__ = ["CountrySeries", "deaths_by_commune_year", "deaths_by_month", "deaths_by_province_year", "deaths_by_week",
           "events_by_month", "reporting_triangle"]  # fmt: skip

Geography = Literal["reported", "VN2024", "VN2025"]
GEOGRAPHIES = ("reported", "VN2024", "VN2025")
DEATHS_PER_100000 = 560.0
CLUSTERS = ((12, 1.6), (8, 2.0), (20, 1.4), (6, 2.5), (15, 0.6))  # new communes in it, relative risk
# Watched events: cases per 100,000 a year, size of the season, month of its peak (invented).
WATCHED = {"drowning": (4.0, 0.6, 6), "food_poisoning": (6.0, 0.4, 5), "drug_poisoning": (2.5, 0.1, 1)}
OUTBREAKS, OUTBREAK_FACTORS = 12, (3.0, 8.0)


def deaths_by_province_year(
    *,
    first_year: int = 2010,
    last_year: int = 2025,
    geography: Geography = "reported",
    rate: float = DEATHS_PER_100000,
    overdispersion: float = 0.0,
    seed: int = DEFAULT_SEED,
) -> CountrySeries:
    """Deaths per province and year with planted joinpoints.

    Parameters
    ----------
    rate : deaths per 100,000 in the first year (before the level of the province); choose 5 for a rare cause
    overdispersion : variance of the gamma factor on each province-year; 0 is Poisson

    Returns
    -------
    table : unit_id, period_id ("2024"; for "reported" 2025S1 of the 63 and 2025S2 of the 34), period_start, period_end,
        year, events, population (average persons of the year), person_years (population x days / days of the year)
    truth : unit_id (VN2025), segment, start, end, apc (percent a year), joinpoints; exact for the 34 and their parts
    """
    _require_geography(geography)
    years = list(range(first_year, last_year + 1))
    rows = province_population(years, seed=seed)
    factors = trend_factors(first_year, last_year, seed).set_index(["unit_id", "year"])["factor"]
    factor = factors.loc[pd.MultiIndex.from_frame(rows[["new_unit_id", "year"]])].to_numpy()
    rows["expected"] = rate / 1e5 * rows["population"] * rows["level"] * factor
    rng = _stream(seed, "country", "deaths_by_province_year", first_year, last_year, rate)
    rows["expected"] *= _noise(rng, len(rows), overdispersion)
    rows = _halves_of_2025(rows)
    rows["events"] = rng.poisson(rows["expected"])
    table = _on_geography(rows, geography)
    return CountrySeries(table, trends(first_year, last_year, seed).copy(), seed)


def events_by_month(
    *,
    first_year: int = 2015,
    last_year: int = 2025,
    geography: Geography = "VN2025",
    outbreaks: int = OUTBREAKS,
    seed: int = DEFAULT_SEED,
) -> CountrySeries:
    """Watched events (drowning, food poisoning, drug poisoning) per province and month, with planted outbreaks.

    Returns
    -------
    table : unit_id, element_id, period_id (month), period_start, period_end, year, events, population, person_years
    truth : unit_id (VN2025), element_id, period_id, factor (on the expected number), expected (without the outbreak),
        extra (cases that the outbreak added); one row per planted outbreak, in the last five years
    """
    _require_geography(geography)
    months = [f"{year}{month:02d}" for year in range(first_year, last_year + 1) for month in range(1, 13)]
    people = province_population(list(range(first_year, last_year + 1)), seed=seed)
    rows = pd.DataFrame({"period_id": months, "year": [int(m[:4]) for m in months]}).merge(people, on="year")
    rows = rows.merge(_watched(), how="cross")
    days = period_windows(rows["period_id"])
    rows["person_years"] = rows["population"] * _share_of_year(days)
    angle = 2 * np.pi * (days["period_start"].dt.month - rows["peak"]) / 12
    rows["expected"] = rows["rate"] / 1e5 * rows["level"] * rows["person_years"] * (1 + rows["season"] * np.cos(angle))
    rng = _stream(seed, "country", "events_by_month", first_year, last_year)
    planted = _outbreaks(rng, months[-60:], outbreaks)
    keys = ["new_unit_id", "element_id", "period_id"]
    rows = rows.merge(planted, on=keys, how="left", validate="many_to_one")
    rows["extra"] = rng.poisson(rows["expected"] * (rows["factor"].fillna(1.0) - 1))
    rows["events"] = rng.poisson(rows["expected"]) + rows["extra"]
    truth = rows[rows["factor"].notna()].groupby(keys, as_index=False).agg(
        factor=("factor", "first"), expected=("expected", "sum"), extra=("extra", "sum")
    )  # fmt: skip
    table = _on_geography(rows, geography, ["element_id"])
    return CountrySeries(table, truth.rename(columns={"new_unit_id": "unit_id"}), seed)


def deaths_by_commune_year(
    *,
    first_year: int = 2021,
    last_year: int = 2025,
    geography: Geography = "reported",
    rate: float = DEATHS_PER_100000,
    seed: int = DEFAULT_SEED,
) -> CountrySeries:
    """Deaths per commune and year with planted clusters of high (and one of low) risk.

    Old units: 10 035 communes and the five island districts that had none (their people must not be lost); new units:
    3 321 communes. Choose rate=3 for counts that are mostly zero.

    Returns
    -------
    table : unit_id, province_id, period_id ("2024", 2025S1, 2025S2 as in `deaths_by_province_year`), period_start,
        period_end, year, events, population, person_years
    truth : old_unit_id, new_unit_id, weight (true share of the old commune that went there; sums to 1), cluster
        (0: none), relative_risk; one row per edge of the crosswalk
    """
    _require_geography(geography)
    years = list(range(first_year, last_year + 1))
    people = province_population(years, seed=seed).rename(columns={"unit_id": "province_id"})
    planted = _clusters(pieces(seed), seed)
    rows = planted.merge(people.drop(columns="new_unit_id"), on="province_id")
    rows["population"] = _whole_persons(rows)
    rows["expected"] = rate / 1e5 * rows["population"] * rows["level"] * rows["relative_risk"]
    rows = _halves_of_2025(rows)
    rng = _stream(seed, "country", "deaths_by_commune_year", first_year, last_year, rate)
    rows["events"] = rng.poisson(rows["expected"])
    rows = rows.rename(columns={"old_unit_id": "unit_id"})
    table = _on_geography(rows, geography)
    truth = planted[["old_unit_id", "new_unit_id", "weight", "cluster", "relative_risk"]]
    return CountrySeries(_with_province(table), truth.reset_index(drop=True), seed)


def _require_geography(geography: str) -> None:
    if geography not in GEOGRAPHIES:
        raise UsageError("error.series.argument", argument="geography", value=geography, choices=", ".join(GEOGRAPHIES))


def _noise(rng: np.random.Generator, n: int, variance: float) -> np.ndarray:
    return rng.gamma(1 / variance, variance, size=n) if variance > 0 else np.ones(n)


def _halves_of_2025(rows: pd.DataFrame) -> pd.DataFrame:
    """Years as periods, 2025 as its two halves; person_years and what is expected follow the days."""
    whole, cut = rows[rows["year"] != 2025], rows[rows["year"] == 2025]
    parts = [whole.assign(period_id=whole["year"].astype("str"))]
    parts += [cut.assign(period_id=half) for half in ("2025S1", "2025S2")]
    table = pd.concat(parts, ignore_index=True)
    share = _share_of_year(period_windows(table["period_id"]))
    return table.assign(person_years=table["population"] * share, expected=table["expected"] * share)


def _share_of_year(windows: pd.DataFrame) -> pd.Series:
    days = (windows["period_end"] - windows["period_start"]).dt.days + 1
    return days / np.where(windows["period_start"].dt.is_leap_year, 366, 365)


def _on_geography(rows: pd.DataFrame, geography: str, keys: list[str] | None = None) -> pd.DataFrame:
    """Sums on one geography, or on that in force when each period was reported."""
    windows = period_windows(rows["period_id"])
    rows = rows.assign(period_start=windows["period_start"], period_end=windows["period_end"])
    new = windows["period_start"] >= pd.Timestamp("2025-07-01") if geography == "reported" else geography == "VN2025"
    rows["unit_id"] = rows["unit_id"].where(~pd.Series(new, index=rows.index), rows["new_unit_id"])
    if geography != "reported":
        halves = rows["period_id"].str.fullmatch(r"\d{4}S[12]")
        rows.loc[rows["period_id"].str.endswith("S2"), "population"] = 0  # average persons of a year count once
        rows.loc[halves, "period_start"] = pd.Timestamp("2025-01-01")
        rows.loc[halves, "period_end"] = pd.Timestamp("2025-12-31")
        rows.loc[halves, "period_id"] = "2025"
    by = ["unit_id", *(keys or []), "period_id", "period_start", "period_end", "year"]
    return rows.groupby(by, as_index=False)[["events", "population", "person_years"]].sum()


def _watched() -> pd.DataFrame:
    table = pd.DataFrame.from_dict(WATCHED, orient="index", columns=["rate", "season", "peak"])
    return table.rename_axis("element_id").reset_index()


def _outbreaks(rng: np.random.Generator, months: list[str], count: int) -> pd.DataFrame:
    """`count` different cells province x element x month with the factor of their outbreak."""
    units = provinces_2025()["unit_id"].tolist()
    cells = pd.MultiIndex.from_product([units, list(WATCHED), months], names=["new_unit_id", "element_id", "period_id"])
    chosen = cells[np.sort(rng.choice(len(cells), size=count, replace=False))].to_frame(index=False)
    return chosen.assign(factor=rng.uniform(*OUTBREAK_FACTORS, size=count).round(2))


def _clusters(parts: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The pieces with cluster and relative_risk: each cluster is a new commune and its nearest ones."""
    from tkyt_analysis.reference.places import places

    points = places("VN2025", at="2025-07-01").query("level == 3")[["unit_id", "latitude", "longitude"]].dropna()
    points = points.sort_values("unit_id", ignore_index=True)
    rng = _stream(seed, "country", "clusters")
    cluster = pd.Series(0, index=points["unit_id"])
    risk = pd.Series(1.0, index=points["unit_id"])
    for number, (size, relative_risk) in enumerate(CLUSTERS, start=1):
        at = points.iloc[int(rng.integers(len(points)))]
        east = (points["longitude"] - at["longitude"]) * np.cos(np.radians(at["latitude"]))
        distance = np.hypot(points["latitude"] - at["latitude"], east).where(cluster.to_numpy() == 0, np.inf)
        chosen = points["unit_id"].iloc[np.argsort(distance, kind="stable")[:size]]
        cluster[chosen], risk[chosen] = number, relative_risk
    found = parts["new_unit_id"]
    return parts.assign(
        cluster=found.map(cluster).fillna(0).astype(int), relative_risk=found.map(risk).fillna(1.0).astype(float)
    )


def _whole_persons(rows: pd.DataFrame) -> pd.Series:
    """Whole persons per piece that add up to those of the province: cumulated shares, rounded, differenced."""
    group = [rows["province_id"], rows["year"]]
    share = rows["share"].groupby(group).cumsum()
    upto = (share * rows["population"]).round()
    return upto.groupby(group).diff().fillna(upto).astype(np.int64)


def _with_province(table: pd.DataFrame) -> pd.DataFrame:
    from tkyt_analysis.reference.places import places

    units = pd.concat([places("VN2024"), places("VN2025")]).drop_duplicates("unit_id").set_index("unit_id")
    table.insert(1, "province_id", table["unit_id"].map(units["province_id"]))
    return table
