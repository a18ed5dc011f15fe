"""Population denominators: persons per unit, year, sex and age group, with series, status, method and source.

Shipped are the provinces (63, and the 34 as their exact unions) and the nation; communes come from a file that the
ministry supplies (`tkyt_analysis.reference.population_file`). Figures of the residence register are refused there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.reference.ages import nesting, parse_bands
from tkyt_analysis.reference.periods import Period, as_period
from tkyt_analysis.reference.population_series import (
    SEXES,
    STATUSES,
    TOTAL,
    by_age,
    population_series,
    province_totals,
)

COLUMNS = ["unit_id", "year", "sex", "age_group", "persons", "series", "status", "source", "method"]
_BREAKDOWNS = ("sex", "age_group")


def population(
    units: str | Iterable[str],
    years: int | Iterable[int],
    *,
    by: Sequence[str] = ("sex", "age_group"),
    series: str | None = None,
    age_groups: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Average population of the year.

    Parameters
    ----------
    units : unit ids of the nation or provinces ("VN", "VN2024:51", "VN2025:51"), or a whole system: "VN2024" means
        its 63 provinces, "VN2025" its 34. A province of VN2025 is the exact union of old ones, in any year.
    years : one or several
    by : any of "sex", "age_group"; what is not named is added up and says "total"
    series : None (NSO-A up to 2016; from 2017 NSO-B, then MODEL), "NSO-A", "NSO-B", "PROJECTION" (GSO/UNFPA), "MODEL"
    age_groups : coarser bands to add up to, e.g. ["0-14", "15-59", "60+"]; default 0-4, 5-9, … 75-79, 80+

    Returns
    -------
    unit_id, year, sex, age_group, persons, series, status (final | preliminary | projection | modelled), source,
    method (label key). Published totals and sexes stay as printed (in hundreds of persons), so that male + female may
    miss the total by 0.2 thousand; ages sum exactly to their sex. Ages are always modelled from shares, save in the
    projection itself.

    Raises InputError where years lie on both sides of the break of 2016/2017 and no `series` is named, where a
    series lacks a year, and for units below the province.
    """
    by, wanted = _breakdown(by), [years] if isinstance(years, int) else list(years)
    members = _members([units] if isinstance(units, str) else list(units))
    figures = _figures(province_totals(wanted, series), by, age_groups)
    rows = members.merge(figures, on="province_code", validate="many_to_many")
    return _in_order(_added_up(rows), list(dict.fromkeys(members["unit_id"])))


def _breakdown(by: Sequence[str]) -> list[str]:
    unknown = [name for name in by if name not in _BREAKDOWNS]
    if unknown or isinstance(by, str):
        raise UsageError("error.population_by", value=", ".join(unknown) or by, known=", ".join(_BREAKDOWNS))
    return list(by)


def _figures(totals: pd.DataFrame, by: list[str], age_groups: Sequence[str] | None) -> pd.DataFrame:
    """Figures per old province in the breakdown asked for."""
    if "age_group" not in by:
        kept = totals["sex"].isin(SEXES if "sex" in by else [TOTAL])
        return totals[kept].assign(age_group=TOTAL)
    rows = by_age(totals[totals["sex"].isin(SEXES)])
    if age_groups is not None:
        holds = nesting(rows["age_group"].unique(), age_groups)
        rows = rows[rows["age_group"].isin(holds)].assign(age_group=lambda t: t["age_group"].map(holds))
    return rows if "sex" in by else rows.assign(sex=TOTAL)


def _members(units: list[str]) -> pd.DataFrame:
    """unit_id, province_code: the old provinces that make up each unit."""
    provinces = read_codelist("provinces_2024")
    old, new = "VN2024:" + provinces["code"], "VN2025:" + provinces["code_2025"]
    all_units = pd.concat(
        [
            pd.DataFrame({"unit_id": ids, "province_code": provinces["code"]})
            for ids in (pd.Series("VN", index=provinces.index), old, new)
        ]
    )
    known = set(all_units["unit_id"])
    wanted: list[str] = []
    for unit in units:
        whole = sorted(id for id in known if id.startswith(f"{unit}:")) if unit in ("VN2024", "VN2025") else [unit]
        wanted += whole
    unknown = [unit for unit in wanted if unit not in known]
    if unknown:
        raise InputError("error.population_unit", units=", ".join(unknown[:5]), n=len(unknown))
    place = {unit: i for i, unit in enumerate(dict.fromkeys(wanted))}
    chosen = all_units[all_units["unit_id"].isin(place)]
    return chosen.assign(at=chosen["unit_id"].map(place)).sort_values("at", kind="stable").drop(columns="at")


def _added_up(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per unit, year, sex and age group; the weakest status of the parts is that of the sum."""
    strength = {status: i for i, status in enumerate(STATUSES)}
    keys = ["unit_id", "year", "sex", "age_group"]
    sums = rows.assign(weakness=rows["status"].map(strength)).groupby(keys, sort=False, as_index=False)
    table = sums.agg(persons=("persons", "sum"), series=("series", "first"), weakness=("weakness", "max"),
                     method=("method", "first"))  # fmt: skip
    sources = population_series().set_index("series")["source"]
    return table.assign(
        status=table["weakness"].map(dict(enumerate(STATUSES))).astype("str"),
        source=table["series"].map(sources).astype("str"),
    )[COLUMNS]


def _in_order(table: pd.DataFrame, units: list[str]) -> pd.DataFrame:
    bands = [name for name in table["age_group"].unique() if name != TOTAL]
    ages = {name: i for i, name in enumerate(parse_bands(bands)["age_group"])} | {TOTAL: -1}
    order = {name: i for i, name in enumerate(units)}
    sexes = {name: i for i, name in enumerate((*SEXES, TOTAL))}
    sort_keys = pd.DataFrame(
        {
            "unit": table["unit_id"].map(order),
            "year": table["year"],
            "sex": table["sex"].map(sexes),
            "age": table["age_group"].map(ages),
        }
    )
    return table.loc[sort_keys.sort_values(["unit", "year", "sex", "age"]).index].reset_index(drop=True)


# ---- person-years


def year_fractions(periods: Iterable[Period | str]) -> pd.DataFrame:
    """How much of each calendar year a window covers: period_id, year, fraction (days in it / days of the year).

    A window across New Year (administrative January, a week) has one row per year.
    """
    rows = []
    for this in dict.fromkeys(map(as_period, periods)):
        for year in range(this.start.year, this.end.year + 1):
            whole = as_period(f"{year}")
            days = (min(this.end, whole.end) - max(this.start, whole.start)).days + 1
            rows.append((this.period_id, year, days / whole.days))
    return pd.DataFrame(rows, columns=["period_id", "year", "fraction"])


def person_years(persons: pd.DataFrame, periods: Iterable[Period | str]) -> pd.DataFrame:
    """Person-years lived in each window: average population of the year x fraction of the year.

    Parameters
    ----------
    persons : as `population` returns (any further columns such as unit_id, sex, age_group are kept)
    periods : Period objects or ids; the population of every year that they touch must be there

    Returns
    -------
    One row per unit, sex, age group and period: period_id, person_years beside the other columns; `year` is gone.
    Of series, status, source and method a window across two years shows the weaker year's.
    """
    windows = year_fractions(periods)
    missing = sorted(set(windows["year"]) - set(persons["year"]))
    if missing:
        raise InputError("error.population_years_missing", years=", ".join(map(str, missing)))
    marks = [name for name in ("series", "status", "source", "method") if name in persons.columns]
    keys = [name for name in persons.columns if name not in (*marks, "year", "persons")]
    rows = persons.merge(windows, on="year", validate="many_to_many")
    rows = rows.assign(person_years=rows["persons"] * rows["fraction"])
    rows["weakness"] = 0
    if "status" in marks:
        rows["weakness"] = rows["status"].map({status: i for i, status in enumerate(STATUSES)})
    grouped = rows.groupby([*keys, "period_id"], sort=False, observed=True, dropna=False)
    sums = grouped["person_years"].sum().reset_index()
    weakest = rows.loc[grouped["weakness"].idxmax(), marks].reset_index(drop=True)
    return pd.concat([sums, weakest], axis="columns")
