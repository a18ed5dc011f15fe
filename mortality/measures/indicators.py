"""Deaths and population → figures, one row each, as the catalog's indicator entries say.

What is counted, over what, per how many, from which level on and by which document stands in
`data_catalog/indicators/`; here is only the arithmetic, for all units, years, sexes and causes at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from mortality.tabulation.cause_lists import GAP, UNKNOWN, load_cause_list
from tkyt_analysis.analysis.rates import crude_rate, wilson_limits
from tkyt_analysis.analysis.standardise import directly_standardised_rate
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.ages import age_group, nesting, parse_bands
from tkyt_analysis.reference.standard_populations import bands_of_both, standard_population

INDICATOR_VALUE_COLUMNS = [
    "figure_id",
    "indicator_id",
    "unit_id",
    "period_id",
    "period_start",
    "period_end",
    "sex",
    "age_group",
    "cause",
    "numerator",
    "denominator",
    "value",
    "lower",
    "upper",
    "method",
    "status",
    "population_source",
]
TOTAL, ALL_AGES, ALL_CAUSES = "total", "all", "all"
OK, NOT_ASSESSABLE, MODELLED = "ok", "not_assessable", "modelled"
LEVELS = ("nation", "province", "district", "commune")
_LEVEL_BY_DIGITS = {2: "province", 3: "district", 5: "commune"}
_FIGURE = ["indicator_id", "unit_id", "period_id", "sex", "age_group", "cause"]
_GROUP = ["unit_id", "year", "sex"]


def unit_level(unit_id: str) -> str:
    """nation, province, district or commune, from the shape of the id; other units count as commune."""
    if unit_id == "VN":
        return "nation"
    match = re.fullmatch(r"VN\d{4}:(\d+)", unit_id)
    return _LEVEL_BY_DIGITS.get(len(match[1]), "commune") if match else "commune"


def deaths_in_all_sexes(deaths: pd.DataFrame) -> pd.DataFrame:
    """The deaths by sex, and all of them once more as "total"; deaths of unknown sex stand in the total only."""
    by_sex = deaths[deaths["sex"].isin(["male", "female"])]
    return pd.concat([by_sex, deaths.assign(sex=TOTAL)], ignore_index=True)


def population_in_all_sexes(population: pd.DataFrame) -> pd.DataFrame:
    """unit_id, year, sex (male, female, total), age_group, persons, status, source: totals added where absent."""
    named = population.rename(columns={"source_id": "source"}).reindex(
        columns=["unit_id", "year", "sex", "age_group", "persons", "status", "series", "source"]
    )
    named["source"] = named["series"].fillna(named["source"])
    if (named["sex"] == TOTAL).any():
        return named
    keys = ["unit_id", "year", "age_group"]
    total = named.groupby(keys, as_index=False, observed=True).agg(
        persons=("persons", "sum"), status=("status", "max"), source=("source", "first")
    )
    return pd.concat([named, total.assign(sex=TOTAL)], ignore_index=True)


def person_years(population: pd.DataFrame) -> pd.DataFrame:
    """Persons of all ages per unit, year and sex, the weakest status and the source."""
    ages = population[population["age_group"] != TOTAL] if (population["age_group"] != TOTAL).any() else population
    return ages.groupby(_GROUP, as_index=False, observed=True).agg(
        person_years=("persons", "sum"),
        population_status=("status", lambda status: MODELLED if (status == MODELLED).any() else status.iloc[0]),
        population_source=("source", "first"),
    )


def in_age_groups(deaths: pd.DataFrame, groups: Iterable[str]) -> pd.DataFrame:
    """The deaths whose completed age lies in one of the groups."""
    bands = parse_bands(groups)
    inside = np.zeros(len(deaths), bool)
    for low, high in zip(bands["low"], bands["high"]):
        inside |= ((deaths["age_years"] >= low) & (deaths["age_years"] < high + 1)).to_numpy()
    return deaths[inside]


def _counts(deaths: pd.DataFrame, frame: pd.DataFrame, by: list[str]) -> pd.Series:
    """Deaths for each row of `frame` (0 where there are none)."""
    number = deaths.groupby(by, observed=True).size()
    return number.reindex(pd.MultiIndex.from_frame(frame[by]), fill_value=0).reset_index(drop=True)


def _crude(entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, **_: Any) -> pd.DataFrame:
    rates = crude_rate(_counts(deaths, frame, _GROUP), frame["person_years"], per=entry.per)
    return frame.assign(
        numerator=rates["events"],
        denominator=frame["person_years"],
        value=rates["rate"],
        lower=rates["lower"],
        upper=rates["upper"],
        method="crude_" + rates["method"],
        status=rates["status"],
    )


def _standardised(
    entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, *, population: pd.DataFrame, **_: Any
) -> pd.DataFrame:
    """Directly standardised; deaths of unknown age are left out, and the method string says which share."""
    bands = [name for name in population["age_group"].unique() if name != TOTAL]
    if not bands:
        return frame.assign(numerator=_counts(deaths, frame, _GROUP), method="direct", status=NOT_ASSESSABLE)
    fine = population[population["age_group"].isin(bands)].merge(frame[_GROUP], on=_GROUP)
    ages = bands_of_both(bands, entry.standard_population)
    fine = fine.assign(age_group=fine["age_group"].map(nesting(bands, ages)))
    table = fine.groupby([*_GROUP, "age_group"], as_index=False, observed=True)["persons"].sum()
    known = deaths.assign(age_group=age_group(deaths["age_years"], ages))
    table["events"] = _counts(known, table, [*_GROUP, "age_group"])
    table = table.rename(columns={"persons": "person_years"})
    table = table.merge(standard_population(entry.standard_population, ages), on="age_group", validate="many_to_one")
    rates = directly_standardised_rate(table, _GROUP, per=entry.per)
    joined = frame.merge(rates.drop(columns="person_years"), on=_GROUP, how="left", validate="one_to_one")
    without_age = 1 - joined["events"] / _counts(deaths, frame, _GROUP).where(lambda n: n > 0)
    note = without_age.fillna(0).map(lambda share: f";unknown_age={share:.1%}" if share > 0 else "")
    return joined.assign(
        numerator=joined["events"],
        denominator=joined["person_years"],
        value=joined["rate"],
        method="direct_" + joined["method"].fillna("dobson") + f";standard={entry.standard_population}" + note,
        status=joined["status"].fillna(NOT_ASSESSABLE),
    )


def _per_live_births(
    entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, *, live_births: pd.DataFrame | None = None, **_: Any
) -> pd.DataFrame:
    """Deaths of the entry's ages per live births of the same year; not assessable where births are unknown."""
    births = live_births if live_births is not None else pd.DataFrame(columns=[*_GROUP, "live_births"])
    if "sex" not in births:
        births = births.assign(sex=TOTAL)
    births = births[[*_GROUP, "live_births"]].astype({"live_births": "float64"})
    joined = frame.merge(births, on=_GROUP, how="left", validate="one_to_one")
    joined["person_years"] = joined["live_births"]
    return _crude(entry, deaths, joined).assign(
        denominator=joined["live_births"], population_source="live_births", population_status=OK
    )


def _by_cause(frame: pd.DataFrame, deaths: pd.DataFrame, items: list[str]) -> pd.DataFrame:
    """The frame once per item, with the number of deaths."""
    each = frame.merge(pd.DataFrame({"cause": items}), how="cross")
    each["numerator"] = _counts(deaths, each, [*_GROUP, "cause"]).to_numpy()
    return each


def _with_items(entry: Any, deaths: pd.DataFrame, code: str) -> tuple[pd.DataFrame, list[str]]:
    cause_list = load_cause_list(entry.cause_list)
    items = cause_list.items.loc[~cause_list.items["heading"], "item"].tolist()
    return deaths.assign(cause=cause_list.item_of(deaths[code])), [*items, GAP, UNKNOWN]


def _cause_specific(entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, *, code: str, **_: Any) -> pd.DataFrame:
    named, items = _with_items(entry, deaths, code)
    each = _by_cause(frame, named, items)
    rates = crude_rate(each["numerator"], each["person_years"], per=entry.per)
    return each.assign(
        denominator=each["person_years"],
        value=rates["rate"],
        lower=rates["lower"],
        upper=rates["upper"],
        method="crude_" + rates["method"],
        status=rates["status"],
    )


def _proportion(entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, *, code: str, **_: Any) -> pd.DataFrame:
    named, items = _with_items(entry, deaths, code)
    each = _by_cause(frame, named, items)
    total = _counts(deaths, each, _GROUP)
    limits = wilson_limits(each["numerator"], total)
    return each.assign(
        denominator=total,
        value=entry.per * limits["share"],
        lower=entry.per * limits["lower"],
        upper=entry.per * limits["upper"],
        method="proportion_wilson",
        status=np.where(total > 0, OK, NOT_ASSESSABLE),
        population_source="deaths",
        population_status=OK,
    )


METHODS: dict[str, Callable[..., pd.DataFrame]] = {
    "crude": _crude,
    "direct": _standardised,
    "per_live_births": _per_live_births,
    "cause_specific": _cause_specific,
    "proportion": _proportion,
}


def measure_indicators(
    deaths: pd.DataFrame,
    population: pd.DataFrame,
    *,
    indicators: Iterable[Any] | None = None,
    live_births: pd.DataFrame | None = None,
    code: str = "underlying_cause",
) -> pd.DataFrame:
    """The mortality indicators of the catalog, for every unit, year and sex that has deaths.

    Parameters
    ----------
    deaths : one row per death: unit_id (of the level to measure), year, sex (male | female | other words count in
        the total only), age_years [years], and the ICD-10 `code`
    population : unit_id, year, sex, age_group, persons, status, series (as `reference.population` returns)
    indicators : catalog entries; default: every entry whose method is known here
    live_births : unit_id, year, live_births and optionally sex; without it rates per live birth are not assessable

    Returns
    -------
    Rows of `indicator_value` (docs/architecture.md). status: ok; modelled (the denominator is a model's);
    not_assessable: no denominator, below the entry's minimum level or denominator; then value and limits are empty.
    Entries by cause give rows only at or above their minimum level.
    """
    missing = [name for name in ("unit_id", "year", "sex", "age_years", code) if name not in deaths.columns]
    if missing:
        raise InputError("error.measure_columns", missing=", ".join(missing))
    if indicators is None:
        from tkyt_analysis.catalog.loader import load_entries

        indicators = [entry for entry in load_entries("indicators").values() if entry.method in METHODS]
    persons = population_in_all_sexes(population)
    both = deaths_in_all_sexes(deaths)
    frame = both[["unit_id", "year"]].drop_duplicates().sort_values(["unit_id", "year"])
    frame = frame.merge(pd.DataFrame({"sex": [TOTAL, "male", "female"]}), how="cross")
    frame = frame.merge(person_years(persons), on=_GROUP, how="left", validate="one_to_one")
    parts = [
        _measure_one(entry, both, frame, population=persons, live_births=live_births, code=code) for entry in indicators
    ]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=INDICATOR_VALUE_COLUMNS)
    return rows[INDICATOR_VALUE_COLUMNS]


def _measure_one(entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, **tables: Any) -> pd.DataFrame:
    level = frame["unit_id"].map({unit: unit_level(unit) for unit in frame["unit_id"].unique()})
    high_enough = level.map(LEVELS.index).astype(int) <= LEVELS.index(entry.minimum_level)
    if entry.cause_list:
        frame = frame[high_enough].reset_index(drop=True)
        high_enough = pd.Series(True, index=frame.index)
    counted = deaths
    if entry.age_groups:
        counted = in_age_groups(deaths, entry.age_groups)
    rows = METHODS[entry.method](entry, counted, frame, **tables).reset_index(drop=True)
    if "cause" not in rows:
        rows["cause"] = ALL_CAUSES
        rows.loc[~high_enough.to_numpy(), "status"] = NOT_ASSESSABLE
    return _finish(entry, rows)


def _finish(entry: Any, rows: pd.DataFrame) -> pd.DataFrame:
    """Names, periods and statuses; a figure that is not assessable has no value."""
    rows.loc[~(rows["denominator"] >= max(entry.minimum_denominator, 1e-9)), "status"] = NOT_ASSESSABLE
    modelled = (rows["status"] == OK) & (rows["population_status"] == MODELLED)
    rows["status"] = rows["status"].mask(modelled, MODELLED)
    figures = ["value", "lower", "upper"]
    rows[figures] = rows[figures].astype("float64").mask(rows["status"] == NOT_ASSESSABLE)
    year = rows["year"].astype(int).astype("str")
    ages = ALL_AGES if not entry.age_groups else "+".join(entry.age_groups)
    rows = rows.assign(
        indicator_id=entry.id,
        period_id=year,
        period_start=pd.to_datetime(year + "-01-01"),
        period_end=pd.to_datetime(year + "-12-31"),
        age_group=ages,
        population_source=rows["population_source"].fillna(""),
    )
    rows["figure_id"] = rows[_FIGURE[0]].str.cat([rows[name].astype("str") for name in _FIGURE[1:]], sep="|")
    return rows.reindex(columns=INDICATOR_VALUE_COLUMNS)
