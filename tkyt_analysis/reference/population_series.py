"""The population figures of the catalog: which series holds which year, and what is modelled.

NSO-A (to 2016) was made before the 2019 census, NSO-B (from 2017) after it; between them the nation jumps by
1.7 % because of the census, not because of people. The two are never put into one line. A line across the break
is either MODEL (NSO-A scaled to the revised national totals) or PROJECTION (GSO/UNFPA), and is marked so.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import pandas as pd

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError

SEXES = ("male", "female")
TOTAL = "total"  # both sexes; all ages
STATUSES = ("final", "preliminary", "projection", "modelled")  # from firm to weak
FIRST_YEAR_NSO_B, FIRST_MODELLED_YEAR, LAST_BASE_YEAR = 2017, 2020, 2024
FIRST_PROJECTED_YEAR, LAST_PROJECTED_YEAR = 2014, 2034

# year, province_code, sex ("male", "female", "total"), persons, series, status, method
COLUMNS = ["year", "province_code", "sex", "persons", "series", "status", "method"]


def population_series() -> pd.DataFrame:
    """The series of the catalog: series, first_year, last_year, vintage, source."""
    return read_codelist("population_series").astype({"first_year": int, "last_year": int})


def national_population() -> pd.DataFrame:
    """NSO's national totals as they stand now (series NSO-R): year, status, total, male, female [persons], note."""
    table = read_codelist("population_national").astype({"year": int})
    for column in (TOTAL, *SEXES):
        table[column] = pd.to_numeric(table[column]).mul(1000)
    return table


def province_totals(years: Iterable[int], series: str | None) -> pd.DataFrame:
    """Persons per year, old province and sex: COLUMNS, with `sex` "total" beside "male" and "female".

    series : "NSO-A", "NSO-B", "PROJECTION", "MODEL"; None takes NSO-A up to 2016 or, from 2017 on, NSO-B and then
        MODEL. Raises InputError where the years lie on both sides of the break, or outside the series.
    """
    wanted = sorted(set(years))
    table = _series_table(series or _best_series(wanted))
    missing = [year for year in wanted if year not in set(table["year"])]
    if missing:
        raise InputError(
            "error.population_year",
            series=series or _best_series(wanted),
            years=", ".join(map(str, missing)),
            available=f"{table['year'].min()}–{table['year'].max()}",
        )
    return table[table["year"].isin(wanted)]


def _best_series(years: list[int]) -> str:
    before = [year for year in years if year < FIRST_YEAR_NSO_B]
    if before and len(before) < len(years):
        raise InputError("error.population_series_break", first=min(years), last=max(years))
    return "NSO-A" if before else "MODEL"


@lru_cache(maxsize=8)
def _series_table(series: str) -> pd.DataFrame:
    if series in ("NSO-A", "NSO-B"):
        return _published(series)
    if series == "PROJECTION":
        return _projected_totals()
    if series == "MODEL":
        parts = [_scaled_to_revised(), _published("NSO-B"), _modelled_2020_2024(), _carried_forward()]
        return pd.concat(parts, ignore_index=True)
    raise InputError("error.population_series_unknown", value=series, known="NSO-A, NSO-B, PROJECTION, MODEL")


def _long(wide: pd.DataFrame) -> pd.DataFrame:
    """Thousands in columns total, male, female → persons, one row per sex."""
    keys = [name for name in wide.columns if name not in (TOTAL, *SEXES)]
    long = wide.melt(keys, [*SEXES, TOTAL], var_name="sex", value_name="persons")
    return long.assign(persons=long["persons"].astype(float).mul(1000), year=long["year"].astype(int))


def _published(series: str) -> pd.DataFrame:
    rows = read_codelist("population_province_nso")
    return _long(rows[rows["series"] == series]).assign(method="population.method.published")[COLUMNS]


def _scaled_to_revised() -> pd.DataFrame:
    """2011-2016: NSO-A of each province and sex x revised national total / national total of NSO-A."""
    old = _published("NSO-A")
    nation = old[old["sex"] == TOTAL].groupby("year")["persons"].sum()
    factor = national_population().set_index("year")[TOTAL] / nation
    rows = old[old["year"].isin(factor.dropna().index)]
    return rows.assign(
        persons=rows["persons"] * rows["year"].map(factor),
        series="MODEL",
        status="modelled",
        method="population.method.scaled_to_revised",
    )


def _modelled_2020_2024() -> pd.DataFrame:
    rows = _long(read_codelist("population_province_modelled"))
    return rows.assign(series="MODEL", status="modelled", method="population.method.modelled_2020_2024")[COLUMNS]


def _carried_forward() -> pd.DataFrame:
    """After 2024: the modelled 2024 x projected growth of each province and sex, the nation of 2025 set to NSO's."""
    keys = ["province_code", "sex"]
    projected = _projected_totals().query("sex != @TOTAL")
    base = _modelled_2020_2024().query("year == @LAST_BASE_YEAR").set_index(keys)["persons"]
    start = projected.query("year == @LAST_BASE_YEAR").set_index(keys)["persons"]
    rows = projected[projected["year"] > LAST_BASE_YEAR].set_index(keys)
    rows = rows.assign(persons=rows["persons"] * (base / start).reindex(rows.index)).reset_index()
    nation = national_population().set_index("year").loc[LAST_BASE_YEAR + 1, TOTAL]
    rows["persons"] *= nation / rows.loc[rows["year"] == LAST_BASE_YEAR + 1, "persons"].sum()
    marked = _with_totals(rows).assign(series="MODEL", status="modelled", method="population.method.carried_forward")
    return marked[COLUMNS]


def _with_totals(rows: pd.DataFrame) -> pd.DataFrame:
    both = rows.groupby(["year", "province_code"], as_index=False)["persons"].sum().assign(sex=TOTAL)
    return pd.concat([rows[["year", "province_code", "sex", "persons"]], both], ignore_index=True)


@lru_cache(maxsize=1)
def projection_by_age() -> pd.DataFrame:
    """GSO/UNFPA projection, medium variant: year, province_code, sex, age_group (0-4 … 80+), persons; 44 982 rows."""
    wide = read_codelist("population_projection_2014_2034")
    keys = ["province_code", "sex", "age_group"]
    long = wide.melt(keys, var_name="year", value_name="persons")
    return long.astype({"year": int, "persons": float})


@lru_cache(maxsize=1)
def _projected_totals() -> pd.DataFrame:
    sums = projection_by_age().groupby(["year", "province_code", "sex"], as_index=False)["persons"].sum()
    marked = _with_totals(sums).assign(series="PROJECTION", status="projection", method="population.method.published")
    return marked[COLUMNS]


def by_age(totals: pd.DataFrame) -> pd.DataFrame:
    """The totals split by age: male and female only, with age_group.

    The projection's age shares of the same province, sex and year, raked to the series' total of each sex: the
    parts sum to it exactly. The result is marked `modelled`; the projection itself stays as published.
    Raises InputError for years before 2014, for which no age structure by province is held.
    """
    without = sorted(set(totals["year"]) - set(range(FIRST_PROJECTED_YEAR, LAST_PROJECTED_YEAR + 1)))
    if without:
        raise InputError("error.population_no_ages", years=", ".join(map(str, without)))
    keys = ["year", "province_code", "sex"]
    ages = projection_by_age()
    ages = ages[ages["year"].isin(totals["year"].unique())]
    share = ages["persons"] / ages.groupby(keys)["persons"].transform("sum")
    rows = totals.merge(ages.assign(share=share)[[*keys, "age_group", "share"]], on=keys, validate="one_to_many")
    raked = rows["series"] != "PROJECTION"
    return rows.assign(
        persons=rows["persons"] * rows["share"],
        status=rows["status"].mask(raked, "modelled"),
        method=rows["method"].mask(raked, "population.method.age_shares_raked"),
    ).drop(columns="share")
