"""Years of life lost to premature death (YLL): deaths times the years that a death at that age loses.

Sum, rate per 100 000 and age-standardised rate with limits, for many places, years, sexes and causes in one call; the same for
counts before and after redistribution. No discounting and no age weights unless asked for, as in WHO's estimates since 2012.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.decrement_inputs import text_columns
from mortality.measures.life_expectancy_standards import WHO_GHE, age_bands, years_per_death
from mortality.measures.life_table_inputs import NOT_ASSESSABLE, OK, Numbers, rates_by_series
from mortality.measures.years_of_life_lost_sums import add_rates, discounted, weighted_sum, why_no_sum, years_for_series
from tkyt_analysis.analysis.groups import names_of
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.reference.ages import OUTSIDE, UNKNOWN, parse_bands


def years_of_life_lost(
    deaths: npt.ArrayLike,
    age: Iterable[object],
    *,
    standard: Any = WHO_GHE,
    population: npt.ArrayLike | None = None,
    standard_population: str | npt.ArrayLike | None = None,
    per: float = 100_000,
    confidence: float = 0.95,
    at: str = "printed",
    mean_age: npt.ArrayLike | None = None,
    open_mean_age: float | None = None,
    discount: float = 0.0,
) -> pd.DataFrame:
    """Years of life lost of each series of deaths by age.

    Parameters
    ----------
    deaths : (ages,), (series, ages), or a DataFrame with a row per series; fractions allowed (redistributed counts)
    age : labels of the age groups ("0", "1-4", …, "85+"; gaps allowed), or their first years (the last is then open)
    standard, at, mean_age, open_mean_age : years per death, as in `years_per_death`
    population : person-years of the same ages, for the rate
    standard_population : id (`standard_populations`) or weights (ages,), for the age-standardised rate
    per : rates are per this many person-years
    discount : yearly rate of discounting, e.g. 0.03 (the burden studies before 2010)

    Returns
    -------
    One row per series: [series,] deaths, yll, lower, upper [years], yll_per_death, and with a population rate, rate_lower,
    rate_upper [per `per`]; with a standard population standardised_rate, standardised_lower, standardised_upper; method,
    status, reason. Limits: Dobson's, deaths as Poisson counts (without a death: Fay & Feuer's upper limit). Not assessable
    where a count is missing or negative, or people are missing where a rate was asked for (yll stays).

    References
    ----------
    WHO, Methods and data sources for global burden of disease estimates. Martinez et al., Int J Epidemiol
    2019;48:1367-76. Dobson et al., Stat Med 1991;10:457-62.
    """
    groups = list(age) if isinstance(age, Iterable) else [age]
    counts, names = rates_by_series(deaths, len(groups))
    years, words = years_per_death(groups, standard, at=at, mean_age=mean_age, open_mean_age=open_mean_age)
    years = years_for_series(discounted(years, discount), len(counts))
    reason = why_no_sum(counts, years)
    table: dict[str, Any] = {"deaths": counts.sum(axis=1)}
    table |= weighted_sum(counts, years, reason, confidence, ("yll", "lower", "upper"))
    with np.errstate(divide="ignore", invalid="ignore"):
        table["yll_per_death"] = np.where(table["deaths"] > 0, table["yll"] / table["deaths"], np.nan)
    if population is not None:
        persons = years_for_series(rates_by_series(population, len(groups))[0], len(counts))
        reason = add_rates(table, counts, years, persons, groups, standard_population, per, confidence, reason)
    elif standard_population is not None:
        raise UsageError("error.yll_population_missing")
    frame = pd.DataFrame(table)
    if names is not None:
        frame.insert(0, "series", pd.Index(names, tupleize_cols=False))
    method = f"YLL, {words}" + (f", discounted {discount:g}" if discount else "") + "; Dobson limits"
    status = np.where(reason == "", OK, NOT_ASSESSABLE)
    return text_columns(frame.assign(method=method, status=status, reason=reason))


def years_of_life_lost_by_age(
    deaths: npt.ArrayLike, age: Iterable[object], *, standard: Any = WHO_GHE, discount: float = 0.0, **options: Any
) -> pd.DataFrame:
    """Years of life lost in each age group: [series,] age, age_group, deaths, years_per_death, yll, status, reason."""
    groups = list(age) if isinstance(age, Iterable) else [age]
    bands = age_bands(groups)
    counts, names = rates_by_series(deaths, len(groups))
    years, words = years_per_death(groups, standard, **options)
    years = years_for_series(discounted(years, discount), len(counts))
    usable = (counts >= 0) & np.isfinite(counts)
    frame = pd.DataFrame(
        {
            "age": np.tile(bands.start, len(counts)),
            "age_group": np.tile(np.array(bands.label, dtype=object), len(counts)),
            "deaths": counts.ravel(),
            "years_per_death": years.ravel(),
            "yll": np.where(usable, counts * years, np.nan).ravel(),
        }
    )
    if names is not None:
        frame.insert(0, "series", pd.Index(names, tupleize_cols=False).repeat(len(groups)))
    reason = np.where(usable, "", "reason.events_missing").ravel()
    status = np.where(reason == "", OK, NOT_ASSESSABLE)
    return text_columns(frame.assign(method=f"YLL, {words}", status=status, reason=reason))


def years_of_life_lost_of(
    table: pd.DataFrame,
    by: str | Sequence[str],
    *,
    counts: Sequence[str] = ("deaths",),
    age_group: str = "age_group",
    population: str | None = None,
    population_by: Sequence[str] | None = None,
    share_of: Sequence[str] | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Years of life lost of a table of deaths, e.g. by province, year, sex and cause, before and after redistribution.

    Parameters
    ----------
    table : one row per `by` and age group; age groups absent from a group of `by` have no death there
    counts : columns of deaths, e.g. ["deaths", "deaths_redistributed"]; each gets its own rows, named in `counts`
    population : column of person-years of the age group, or None for no rates
    population_by : the columns of `by` that person-years depend on (["province_code", "year", "sex"], where `by` has the
        cause too): an age at which nobody died of one cause finds its people in the rows of another; None: all of `by`
    share_of : columns that name a whole: adds share, the part of its yll (["province_code", "year"]: each cause's part)
    options : of `years_of_life_lost`

    Returns
    -------
    by, counts, and the columns of `years_of_life_lost`, in the order of `by`. Rows without a known age (`unknown`,
    `outside`) are an error: spread them first (`distribute_unknown_ages`), so that no death is lost silently.
    """
    by = names_of(by)
    names = [*by, age_group, *counts, *([population] if population else [])]
    missing = [name for name in names if name not in table]
    if missing:
        raise InputError("error.yll_columns", missing=", ".join(missing), found=", ".join(map(str, table.columns)))
    without = table[age_group].isin([UNKNOWN, OUTSIDE]) | table[age_group].isna()
    if without.any():
        raise InputError("error.yll_unknown_ages", rows=int(without.sum()))
    ages = list(parse_bands(pd.unique(table[age_group]))["age_group"])
    persons = None if population is None else _people(table, by, list(population_by or by), age_group, population, ages)
    parts = []
    for name in counts:
        wide = _wide(table, by, age_group, name, ages, fill=0.0)
        made = years_of_life_lost(wide.to_numpy(), ages, population=persons, **options).drop(columns="series")
        parts.append(pd.concat([wide.index.to_frame(index=False), made.assign(counts=name)], axis="columns"))
    out = pd.concat(parts, ignore_index=True)
    out.insert(len(by), "counts", out.pop("counts"))
    return out if share_of is None else _with_share(out, [*share_of, "counts"])


def before_and_after(
    table: pd.DataFrame,
    by: str | Sequence[str],
    *,
    before: str = "deaths",
    after: str = "deaths_redistributed",
    **options: Any,
) -> pd.DataFrame:
    """Years of life lost from the counts as registered beside those after redistribution.

    Returns by, deaths_before, deaths_after, yll_before, yll_after, difference, relative_difference, method, status, reason.
    """
    by = names_of(by)
    rows = years_of_life_lost_of(table, by, counts=[before, after], **options)
    first, second = (rows[rows["counts"] == name].reset_index(drop=True) for name in (before, after))
    out = first[list(by)].assign(
        deaths_before=first["deaths"],
        deaths_after=second["deaths"],
        yll_before=first["yll"],
        yll_after=second["yll"],
        difference=second["yll"] - first["yll"],
    )
    out["relative_difference"] = out["difference"] / out["yll_before"].where(out["yll_before"] > 0)
    reason = first["reason"].where(first["reason"] != "", second["reason"])
    status = np.where(reason == "", OK, NOT_ASSESSABLE)
    return text_columns(out.assign(method=first["method"], status=status, reason=reason))


# ---- tables


def _wide(
    table: pd.DataFrame, by: Sequence[str], age_group: str, column: str, ages: list[Hashable], *, fill: float
) -> pd.DataFrame:
    """One row per `by`, one column per age group; what no row says is `fill`, what a row leaves missing stays missing."""
    keys = [*by, age_group]
    grouped = table.groupby(keys, observed=True, sort=True, dropna=False)[column]
    sums = grouped.agg(lambda values: values.sum(skipna=False)) if table[column].isna().any() else grouped.sum()
    return sums.unstack(age_group, fill_value=fill)[ages]


def _people(
    table: pd.DataFrame, by: Sequence[str], of: list[str], age_group: str, column: str, ages: list[Hashable]
) -> Numbers:
    """Person-years of every row of `_wide`: (rows, ages); InputError where two rows of one group disagree."""
    grouped = table.groupby([*of, age_group], observed=True, sort=True, dropna=False)[column]
    differ = grouped.min() != grouped.max()
    if (differ & grouped.min().notna()).any():
        raise InputError(
            "error.yll_population_differs", column=column, groups=int((differ & grouped.min().notna()).sum())
        )
    wide = grouped.first().unstack(age_group)[ages].reset_index()
    rows = table[list(by)].drop_duplicates().sort_values(list(by))
    merged = rows.merge(wide, on=of, how="left", validate="many_to_one")
    people: Numbers = merged[ages].to_numpy(dtype=float)
    return people


def _with_share(table: pd.DataFrame, whole: list[str]) -> pd.DataFrame:
    total = table.groupby(whole, observed=True, dropna=False)["yll"].transform("sum", min_count=1)
    place = list(table.columns).index("yll") + 1
    out = table.copy()
    out.insert(place, "share", table["yll"] / total.where(total > 0))
    return out
