"""A release → plain tables for some places: no verdict, no text, no picture. Many places in one reading."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from tkyt_analysis.analysis.rates import wilson_limits
from tkyt_analysis.errors import InputError
from tkyt_analysis.warehouse.release import NATION, Release

PROVINCE, OLD_PROVINCE = re.compile(r"VN2025:\d{2}"), re.compile(r"VN2024:\d{2}")
LISTS = ["place", "year", "a6", "persons", "estimate", "lower", "upper", "status", "reason"]
AGES = ["place", "whipple", "lower", "upper", "events", "status", "reason"]
WHIPPLE = 500  # the index of two digits where every age ends in one of them


@dataclass(frozen=True)
class TenStepsData:
    """What the ten steps are made of.

    names : place → its name, in the order asked for
    deaths : place, year, sex, age_group, code ("" none), deaths – registered deaths that count
    persons : place, year, sex, age_group, persons, modelled (bool) – the population of the communes that keep a register
    lists : place, year, a6, persons, estimate, lower, upper, status, reason – lists of deaths side by side
    ages : place, whipple, lower, upper, events, status, reason – digits of the ages, all years together
    last_year : the last year that had ended when the data came; a later one is not judged
    """

    names: dict[str, str]
    deaths: pd.DataFrame
    persons: pd.DataFrame
    lists: pd.DataFrame
    ages: pd.DataFrame
    last_year: int

    @property
    def years(self) -> list[int]:
        """The years that have ended and that have deaths or persons of any of the places, oldest first."""
        found = {*self.deaths["year"], *self.persons["year"]}
        return sorted(int(year) for year in found if year <= self.last_year)


def read_ten_steps(release: Release, places: Sequence[str]) -> TenStepsData:
    """The tables of these places: the nation, provinces of 2025, of 2024, communes or any unit of the release.

    Raises InputError for a place that the release does not know and for one outside the reader's scope, and where the
    release has no deaths at all.
    """
    if not release.has("province_death_cause") and not release.has("death"):
        raise InputError("error.no_deaths", release=release.release_id)
    names = place_names(release, places)
    below = {place: _units_below(release, place) for place in places if not _is_summed(place)}
    deaths = [_province_deaths(release, places), *(_unit_deaths(release, *one) for one in below.items())]
    persons = [_province_persons(release, places), *(_unit_persons(release, *one) for one in below.items())]
    return TenStepsData(
        names,
        pd.concat(deaths, ignore_index=True).astype({"year": "int64", "deaths": "float64"}),
        pd.concat(persons, ignore_index=True).astype({"year": "int64", "persons": "float64", "modelled": bool}),
        _lists(release, places),
        _ages(release, places),
        int(str(release.manifest["data_as_of"])[:4] or 0) - 1,
    )


def provinces_of(release: Release) -> list[str]:
    """The provinces of 2025 that the reader sees, in the order of their codes."""
    rows = release.query(
        "SELECT DISTINCT unit_id FROM organisation_unit WHERE regexp_full_match(unit_id, 'VN2025:[0-9]{2}') ORDER BY 1"
    )
    seen = None if release.reads.nation else release.seen_units
    return [unit for unit in rows["unit_id"] if seen is None or unit in seen]


def place_names(release: Release, places: Sequence[str]) -> dict[str, str]:
    """place → name; InputError for an unknown place or one outside the scope."""
    rows = release.query("SELECT unit_id, any_value(name) AS name FROM organisation_unit GROUP BY 1 ORDER BY 1")
    known = dict(rows.itertuples(index=False))
    for place in places:
        release.require_place(place)
        if place not in known and place != NATION:
            raise InputError("error.unknown_place_in_release", place=place, release=release.release_id)
    return {place: str(known.get(place, place)) for place in places}


def _is_summed(place: str) -> bool:
    """Whether the release holds sums of the place: the nation, a province of today or of before."""
    return place == NATION or bool(PROVINCE.fullmatch(place) or OLD_PROVINCE.fullmatch(place))


def _province_deaths(release: Release, places: Iterable[str]) -> pd.DataFrame:
    columns = "CAST(period_id AS BIGINT) AS year, sex, age_group, coalesce(cause_code, '') AS code"
    return _of_provinces(release, "province_death_cause", columns, "sum(deaths) AS deaths", places)


def _province_persons(release: Release, places: Iterable[str]) -> pd.DataFrame:
    columns = "CAST(period_id AS BIGINT) AS year, sex, age_group"
    sums = "sum(persons) AS persons, bool_or(status = 'modelled') AS modelled"
    return _of_provinces(release, "province_person", columns, sums, places)


def _of_provinces(release: Release, table: str, columns: str, sums: str, places: Iterable[str]) -> pd.DataFrame:
    """Sums per place of a table of provinces; a nation, a province of 2025 and one of 2024 are three ways to add it up."""
    wanted = [place for place in places if _is_summed(place)]
    if not release.has(table):
        names = [part.split(" AS ")[-1].strip() for part in f"{columns}, {sums}".split(", ")]
        names = ["code" if "coalesce" in name else name for name in names if name != "'')"]
        return pd.DataFrame(columns=["place", *dict.fromkeys(names)])
    parts = [f"SELECT '{NATION}' AS place, {columns}, {sums} FROM {table} GROUP BY ALL"] if NATION in wanted else []
    parts += [
        f"SELECT {name} AS place, {columns}, {sums} FROM {table} WHERE {name} IN ({_listed(some)}) GROUP BY ALL"
        for name, some in (
            ("province", _matching(PROVINCE, wanted)),
            ("province_2024", _matching(OLD_PROVINCE, wanted)),
        )
        if some
    ]
    text = (
        " UNION ALL ".join(parts)
        or f"SELECT province AS place, {columns}, {sums} FROM {table} WHERE false GROUP BY ALL"
    )
    return release.query(f"SELECT * FROM ({text}) ORDER BY ALL")


def _matching(pattern: re.Pattern[str], places: Iterable[str]) -> list[str]:
    return [place for place in places if pattern.fullmatch(place)]


def _listed(places: Iterable[str]) -> str:
    return ", ".join("'" + place.replace("'", "''") + "'" for place in places)


def _units_below(release: Release, place: str) -> list[str]:
    """The unit and all below it."""
    rows = release.query(
        """
        WITH RECURSIVE below AS (
            SELECT unit_id FROM organisation_unit WHERE unit_id = ?
            UNION SELECT u.unit_id FROM organisation_unit u JOIN below b ON u.parent_unit_id = b.unit_id)
        SELECT DISTINCT unit_id FROM below ORDER BY 1
        """,
        [place],
    )
    return list(rows["unit_id"])


def _unit_deaths(release: Release, place: str, units: list[str]) -> pd.DataFrame:
    if not release.has("death"):
        return pd.DataFrame(columns=["place", "year", "sex", "age_group", "code", "deaths"])
    return release.query(
        f"""
        SELECT ? AS place, CAST(year AS BIGINT) AS year, sex, age_group, coalesce(underlying_cause, '') AS code, count(*) AS deaths
        FROM death WHERE coalesce(excluded, '') = '' AND year IS NOT NULL
            AND (unit_id IN ({_listed(units)}) OR unit_2025 IN ({_listed(units)}))
        GROUP BY ALL ORDER BY ALL
        """,
        [place],
    )


def _unit_persons(release: Release, place: str, units: list[str]) -> pd.DataFrame:
    if not release.has("registered_population"):
        return pd.DataFrame(columns=["place", "year", "sex", "age_group", "persons", "modelled"])
    return release.query(
        f"""
        SELECT ? AS place, CAST(year AS BIGINT) AS year, sex, age_group, sum(persons) AS persons, bool_or(status = 'modelled') AS modelled
        FROM registered_population WHERE unit_id IN ({_listed(units)}) GROUP BY ALL ORDER BY ALL
        """,
        [place],
    )


def _lists(release: Release, places: Iterable[str]) -> pd.DataFrame:
    """The lists side by side per place and year. The nation: the sums of its provinces that have an estimate, their errors
    taken as independent."""
    if not release.has("death_reconciliation"):
        return pd.DataFrame(columns=LISTS)
    columns = set(release.query("SELECT * FROM death_reconciliation LIMIT 0").columns)
    if not {"a6", "persons", "estimate"} <= columns:
        return pd.DataFrame(columns=LISTS)
    rows = """
        SELECT unit_id AS place, CAST(period_id AS BIGINT) AS year, a6, persons, estimate, lower, upper, status, reason, kind
        FROM death_reconciliation WHERE kind <> 'form16bch' AND regexp_full_match(period_id, '[0-9]{4}')
    """
    return release.query(
        f"""
        WITH listed AS ({rows}), nation AS (
            SELECT '{NATION}' AS place, year, sum(a6) AS a6, sum(persons) AS persons, sum(estimate) AS estimate,
                   sum(estimate) - sqrt(sum((estimate - lower) ** 2)) AS lower,
                   sum(estimate) + sqrt(sum((upper - estimate) ** 2)) AS upper, 'ok' AS status, '' AS reason
            FROM listed WHERE kind = 'province' AND status = 'ok' GROUP BY year)
        SELECT * EXCLUDE (kind) FROM listed WHERE place IN ({_listed(places)}) AND place <> '{NATION}'
        UNION ALL BY NAME SELECT * FROM nation WHERE place IN ({_listed(places)})
        ORDER BY place, year
        """
    )[LISTS]


def _ages(release: Release, places: Iterable[str]) -> pd.DataFrame:
    """Whipple's index per place; the nation's is that of the deaths of its provinces that have one."""
    if not release.has("death_age_quality"):
        return pd.DataFrame(columns=AGES)
    rows = release.query(
        "SELECT unit_id AS place, whipple, lower, upper, events, status, reason FROM death_age_quality ORDER BY place"
    )
    wanted = list(places)
    own = rows[rows["place"].isin(wanted) & (rows["place"] != NATION)]
    provinces = rows[rows["place"].str.fullmatch(PROVINCE.pattern) & rows["status"].eq("ok")]
    if NATION not in wanted or provinces.empty:
        return own
    return pd.concat([own, _pooled_ages(provinces)], ignore_index=True)


def _pooled_ages(rows: pd.DataFrame) -> pd.DataFrame:
    """One row for the nation: the index is 500 times a share of events, so that shares are pooled over the events."""
    events = rows["events"].astype(float)
    heaped = (rows["whipple"].astype(float) / WHIPPLE * events).sum()
    limits = WHIPPLE * wilson_limits(pd.Series([heaped]), pd.Series([events.sum()]))
    named = limits.rename(columns={"share": "whipple"})
    return named.assign(place=NATION, events=events.sum(), status="ok", reason="")[AGES]
