"""The imagined country behind the practice series: who lives where, and how the risk of dying moves over the years.

Everything is drawn from (seed, name of the stream), as in `world.World`. People live in **pieces**: the part of one old
commune that went to one new commune. Old communes, new communes, the 63 and the 34 are sums of pieces, so that every
series is exactly additive across the merger of 2025-07-01 and the true share of each divided commune is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from tkyt_analysis.practice.people import _stream, all_communes
from tkyt_analysis.practice.world import DEFAULT_SEED, NOTE

BASE_YEAR = 2019
ISLAND_PERSONS = (300, 6000)  # invented: people of a district without communes
GROWTH = (0.008, 0.006)  # mean and standard deviation of yearly growth of a province
MIN_SEGMENT, SMALLEST_TURN = 4, 3.0  # years; change of the annual percentage at a joinpoint


@dataclass(frozen=True)
class CountrySeries:
    """Practice series and what was planted in it.

    table : what a reader would receive: unit_id, period_id, period_start, period_end, year, events, population, …
    truth : what only the maker knows; its columns are told by each function
    note : every user of the figures shows it: they are synthetic
    """

    table: pd.DataFrame
    truth: pd.DataFrame
    seed: int = DEFAULT_SEED
    note: str = NOTE


def provinces_2025() -> pd.DataFrame:
    """The 34 provinces: unit_id, latitude, part ("north" | "central" | "south"; by latitude, for practice only)."""
    from tkyt_analysis.reference.places import places

    units = places("VN2025", at="2025-07-01").query("level == 1")[["unit_id", "latitude"]]
    part = np.select([units["latitude"] > 18.5, units["latitude"] > 12.0], ["north", "central"], "south")
    return units.assign(part=part).sort_values("unit_id", ignore_index=True)


def province_of_2025(old_province: pd.Series) -> pd.Series:
    """The province of VN2025 that each province of VN2024 joined."""
    from tkyt_analysis.reference.geography import province_merge

    return old_province.map(province_merge().set_index("old_unit_id")["new_unit_id"])


@cache
def _provinces(seed: int) -> pd.DataFrame:
    from tkyt_analysis.reference.population import population

    base = population("VN2024", BASE_YEAR, by=(), series="NSO-B")[["unit_id", "persons"]]
    base = base.sort_values("unit_id", ignore_index=True)
    rng = _stream(seed, "country", "provinces")
    new = province_of_2025(base["unit_id"])
    growth = pd.Series(rng.normal(*GROWTH, size=34), index=sorted(new.unique()))
    level = pd.Series(np.exp(rng.normal(0, 0.10, size=63)), index=base.index)
    return base.assign(new_unit_id=new, growth=new.map(growth), level=level)


def province_population(years: list[int], *, seed: int = DEFAULT_SEED) -> pd.DataFrame:
    """Average persons of the 63 provinces: unit_id, new_unit_id, level (relative risk), year, population (whole).

    The start (2019) is the order of magnitude of the real provinces, the growth is invented and one per new province.
    """
    known = _provinces(seed)
    rows = known.loc[known.index.repeat(len(years))].reset_index(drop=True)
    rows["year"] = np.tile(years, len(known))
    grown = rows["persons"] * np.exp(rows["growth"] * (rows["year"] - BASE_YEAR))
    rows["population"] = grown.round().astype(np.int64)
    return rows[["unit_id", "new_unit_id", "level", "year", "population"]]


@cache
def trends(first_year: int, last_year: int, seed: int) -> pd.DataFrame:
    """Planted trend of each of the 34: unit_id, segment, start, end, apc, joinpoints; one row per segment.

    Segments meet in their joinpoint (the end of one is the start of the next), as in joinpoint regression: rates are
    log-linear between them. The old provinces that joined one new province share its trend, so that 63 and 34 turn
    in the same years. Zero, one or two joinpoints; the annual change turns by at least SMALLEST_TURN points.
    """
    rng = _stream(seed, "country", "trends", first_year, last_year)
    room = (last_year - first_year) // MIN_SEGMENT - 1
    rows = []
    for unit in provinces_2025()["unit_id"]:
        wanted = min(int(rng.integers(0, 3)), max(room, 0))
        inner = np.arange(first_year + MIN_SEGMENT, last_year - MIN_SEGMENT + 1)
        points = _apart(rng, inner, wanted)
        edges = [first_year, *points, last_year]
        apc = rng.uniform(-3, 3)
        for number, (start, end) in enumerate(zip(edges, edges[1:]), start=1):
            rows.append((unit, number, start, end, round(apc, 2), len(points)))
            apc -= np.sign(apc or 1) * rng.uniform(SMALLEST_TURN, SMALLEST_TURN + 2)
    return pd.DataFrame(rows, columns=["unit_id", "segment", "start", "end", "apc", "joinpoints"])


def _apart(rng: np.random.Generator, years: np.ndarray, wanted: int) -> list[int]:
    """`wanted` of the years, drawn, at least MIN_SEGMENT apart (fewer where there is no room)."""
    found: list[int] = []
    for year in rng.permutation(years):
        if len(found) < wanted and all(abs(int(year) - other) >= MIN_SEGMENT for other in found):
            found.append(int(year))
    return sorted(found)


def trend_factors(first_year: int, last_year: int, seed: int) -> pd.DataFrame:
    """Rate of each of the 34 relative to its first year: unit_id, year, factor."""
    planted = trends(first_year, last_year, seed)
    years = np.arange(first_year, last_year + 1)
    inside = np.clip(years[None, :], planted["start"].to_numpy()[:, None], planted["end"].to_numpy()[:, None])
    steps = np.log1p(planted["apc"].to_numpy() / 100)[:, None] * (inside - planted["start"].to_numpy()[:, None])
    log_rate = pd.DataFrame(steps, columns=years).groupby(planted["unit_id"].to_numpy()).sum()
    return np.exp(log_rate).rename_axis("unit_id").reset_index().melt("unit_id", var_name="year", value_name="factor")


@cache
def pieces(seed: int) -> pd.DataFrame:
    """What people live in: one row per edge of the crosswalk of communes (10 571).

    old_unit_id, new_unit_id, province_id (VN2024), new_province_id, weight (true share of the old commune that went
    to the new one), share (of the people of the old province). The weights are invented: no official ones exist.
    """
    from tkyt_analysis.reference.geography import crosswalk

    edges = crosswalk()
    rng = _stream(seed, "country", "pieces")
    parts = rng.gamma(3.0, size=len(edges)) * np.where(edges["is_default"], 3.0, 1.0)
    weight = parts / edges.assign(parts=parts).groupby("old_unit_id")["parts"].transform("sum")
    communes = all_communes(seed).set_index("unit_id")
    province = edges["old_unit_id"].map(communes["province_id"]).fillna(_province_of_islands(edges))
    share = edges["old_unit_id"].map(communes["share"])
    persons = province.map(_provinces(seed).set_index("unit_id")["persons"])
    islands = rng.uniform(*ISLAND_PERSONS, size=len(edges)) / persons
    share = weight * share.fillna(islands)
    share = share / share.groupby(province).transform("sum")
    return edges[["old_unit_id", "new_unit_id"]].assign(
        province_id=province, new_province_id=province_of_2025(province), weight=weight, share=share
    )


def _province_of_islands(edges: pd.DataFrame) -> pd.Series:
    """The old province of the five island districts, which have no communes."""
    from tkyt_analysis.reference.places import places

    return edges["old_unit_id"].map(places("VN2024").set_index("unit_id")["province_id"])
