"""What every indicator starts from: deaths and population by unit, year and sex, and where deaths are counted in it."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from tkyt_analysis.reference.ages import parse_bands

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
    "reason",
]
TOTAL, ALL_AGES, ALL_CAUSES = "total", "all", "all"
OK, NOT_ASSESSABLE, MODELLED = "ok", "not_assessable", "modelled"
LEVELS = ("nation", "province", "district", "commune")
_LEVEL_BY_DIGITS = {2: "province", 3: "district", 5: "commune"}
GROUP = ["unit_id", "year", "sex"]


def unit_level(unit_id: str) -> str:
    """nation, province, district or commune, from the shape of the id; other units count as commune."""
    if unit_id == "VN":
        return "nation"
    match = re.fullmatch(r"VN\d{4}:(\d+)", unit_id)
    return _LEVEL_BY_DIGITS.get(len(match[1]), "commune") if match else "commune"


def deaths_in_all_sexes(deaths: pd.DataFrame) -> pd.DataFrame:
    """The deaths by sex, and all of them once more as "total"; deaths of unknown sex stand in the total only.

    own_sex : the sex of the person, also in the rows that count for the total.
    """
    deaths = deaths.assign(own_sex=deaths["sex"])
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
    return ages.groupby(GROUP, as_index=False, observed=True).agg(
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


def counts(deaths: pd.DataFrame, frame: pd.DataFrame, by: list[str]) -> pd.Series:
    """Deaths for each row of `frame` (0 where there are none)."""
    number = deaths.groupby(by, observed=True).size()
    return number.reindex(pd.MultiIndex.from_frame(frame[by]), fill_value=0).reset_index(drop=True)
