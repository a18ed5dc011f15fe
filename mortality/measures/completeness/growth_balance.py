"""Brass's growth balance (one count of people) and the generalised growth balance (two counts), with all ranges of ages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.completeness.age_ranges import (
    HIGHEST_AGE,
    LOWEST_AGE,
    MINIMUM_AGES,
    band,
    chosen_columns,
    chosen_range,
    ranges_to_fit,
)
from mortality.measures.completeness.line_fits import (
    choose_word,
    fit_lines,
    fit_word,
    misfit,
    r_squared,
    residuals,
    rising,
)
from mortality.measures.completeness.results import result_table
from mortality.measures.completeness.series import AgeSeries, Table, read_series
from tkyt_analysis.errors import UsageError

Numbers = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class BalanceFit:
    """Lines of some series through every range of ages. (series, ranges) unless said otherwise.

    masks : (ranges, ages); chosen : (series,) the range that is used; x, y : (series, ages), death rate and entry rate minus
    growth at each age and above; reason : (series,)
    """

    series: AgeSeries
    x: Numbers
    y: Numbers
    masks: Mask
    intercept: Numbers
    slope: Numbers
    completeness: Numbers
    r2: Numbers
    rmse: Numbers
    chosen: npt.NDArray[np.intp]
    reason: npt.NDArray[np.str_]


def generalised_growth_balance(
    data: Table,
    *,
    by: str | Sequence[str] | None = None,
    ages: Sequence[float] | None = None,
    lowest_age: float = LOWEST_AGE,
    highest_age: float = HIGHEST_AGE,
    minimum_ages: int = MINIMUM_AGES,
    fit: str = "oldschool",
    choose: str = "r2",
    birthdays: int = 2,
    deaths_are: str = "annual",
    migration_are: str | None = None,
) -> pd.DataFrame:
    """Completeness of deaths between two counts of people, from how entries, growth and deaths balance at each age and above.

    data, by, deaths_are, migration_are : see `read_series` (age, pop1, pop2, deaths, date1, date2; migration; any series)
    ages : the first and the last age of the fit, or all its ages; by default the run of at least `minimum_ages` between
        `lowest_age` and `highest_age` that fits best
    fit : "oldschool", "ols", "deming", "tukey"; choose : "r2", "rmse", "mae", "mape", "orss"
    birthdays : people who reach each age, from 2 or 4 neighbouring groups

    Returns the columns that name a series, then completeness (of deaths against the mean of the two counts; may pass 1),
    lower and upper (smallest and largest of all ranges of ages: sensitivity, no confidence interval), lowest_age,
    highest_age, intercept, slope, delta (first count's completeness over the second's), census_1, census_2, r2, rmse,
    ranges, method, status, reason.

    Source: Hill, Asian and Pacific Population Forum 1 (1987): 1–13; Dorrington in Moultrie et al., Tools for Demographic
    Estimation, IUSSP 2013. Fits and choice of ages by name as in R's DDM.
    """
    options = _options(ages, (lowest_age, highest_age, minimum_ages), fit, choose)
    tables = [
        _table(balance_fit(series, birthdays=birthdays, **options), f"ggb;{_named(options)};birthdays={birthdays}")
        for series in read_series(data, by=by, deaths_are=deaths_are, migration_are=migration_are)
    ]
    return pd.concat(tables, ignore_index=True)


def brass_growth_balance(
    data: Table,
    *,
    by: str | Sequence[str] | None = None,
    ages: Sequence[float] | None = None,
    lowest_age: float = 5,
    highest_age: float = HIGHEST_AGE,
    minimum_ages: int = MINIMUM_AGES,
    fit: str = "oldschool",
    choose: str = "r2",
) -> pd.DataFrame:
    """Completeness of deaths in a stable population, from one count of people: N(a)/N(a+) = r + 1/C · D(a+)/N(a+).

    data : one row per series and age: age, population, deaths (of one year). Options as in `generalised_growth_balance`.
    Returns the same columns; `intercept` is the growth rate of the stable population, census_1 and census_2 are 1.

    Source: Brass, Methods for Estimating Fertility and Mortality from Limited and Defective Data, Chapel Hill 1975.
    """
    options = _options(ages, (lowest_age, highest_age, minimum_ages), fit, choose)
    tables = [
        _table(balance_fit(series, stable=True, **options), f"brass_growth_balance;{_named(options)}")
        for series in read_series(data, by=by, two_counts=False)
    ]
    return pd.concat(tables, ignore_index=True)


def _options(ages: Sequence[float] | None, search: tuple[float, float, int], fit: str, choose: str) -> dict[str, Any]:
    """The options of `balance_fit`; search : lowest and highest age, and the least number of ages."""
    names = {"ages": ages, "fit": fit_word(fit), "choose": choose_word(choose)}
    return names | dict(zip(("lowest", "highest", "minimum"), search, strict=True))


def _named(options: dict[str, Any]) -> str:
    ages = options["ages"]
    of_ages = (
        f"ages=fixed;fit={options['fit']}"
        if ages is not None
        else f"ages=best_{options['choose']};fit={options['fit']}"
    )
    return f"{of_ages};searched={options['lowest']:g}-{options['highest']:g},at_least_{options['minimum']}"


def birthdays_per_year(pop1: Numbers, pop2: Numbers, width: Numbers, *, groups: int = 2) -> Numbers:
    """People who reach each age in a year: geometric mean of the neighbouring groups, over the width; 0 at the first age."""
    if groups not in (2, 4):
        raise UsageError("error.completeness_option", option="birthdays", found=groups, expected="2, 4")
    with np.errstate(divide="ignore"):
        first, second = np.log(pop1), np.log(pop2)
    mean = (first[:, :-1] + second[:, 1:]) / 2
    if groups == 4:
        mean = (first[:, :-1] + first[:, 1:] + second[:, :-1] + second[:, 1:]) / 4
    return np.column_stack([np.zeros(len(pop1)), np.exp(mean)]) / width


def at_and_above(counts: Numbers) -> Numbers:
    """Sums over each age and all above it."""
    return np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]


def balance_points(series: AgeSeries, *, birthdays: int = 2, stable: bool = False) -> tuple[Numbers, Numbers]:
    """x: death rate at each age and above; y: rate of entry minus rate of growth (plus net migration); (series, ages)."""
    interval = series.interval[:, None]
    first, second = at_and_above(series.pop1), at_and_above(series.pop2)
    with np.errstate(divide="ignore", invalid="ignore"):
        lived = interval * np.sqrt(first * second)
        entries = birthdays_per_year(series.pop1, series.pop2, series.width, groups=birthdays) * interval
        if stable:
            middle = (series.pop1[:, :-1] + series.pop1[:, 1:]) / (series.width[:-1] + series.width[1:])
            entries = np.column_stack([np.zeros(len(middle)), middle])
        growth = second - first - at_and_above(series.migration) * interval
        return at_and_above(series.deaths) * interval / lived, (entries - growth) / lived


@np.errstate(all="ignore")  # a series that cannot be assessed is worked through and says so at the end
def balance_fit(
    series: AgeSeries,
    *,
    ages: Sequence[float] | None = None,
    lowest: float = LOWEST_AGE,
    highest: float = HIGHEST_AGE,
    minimum: int = MINIMUM_AGES,
    fit: str = "oldschool",
    choose: str = "r2",
    birthdays: int = 2,
    stable: bool = False,
) -> BalanceFit:
    """Lines through every range of ages, the fixed one first where there is one, and which of them is used."""
    x, y = balance_points(series, birthdays=birthdays, stable=stable)
    usable = np.arange(len(series.age)) > 0
    masks, enough = ranges_to_fit(series.age, usable, ages, lowest=lowest, highest=highest, minimum=minimum)
    line = fit_lines(x, y, masks, fit=fit)
    chosen = chosen_range(misfit(x, y, masks, line, choose=choose), ages)
    upward = rising(x, y, masks)
    here = np.arange(len(x))
    reason = np.select(
        [series.reason != "", not enough, ~upward[here, chosen]],
        [series.reason, "reason.completeness_ages", "reason.completeness_no_line"],
        "",
    )
    with np.errstate(all="ignore"):
        apart = np.abs(line[0] * series.interval[:, None]) / 2
        completeness = np.where(upward & (line[1] > 0), np.exp(-(0 if stable else apart)) / line[1], np.nan)
    rmse = np.sqrt((residuals(x, y, line) ** 2 * masks).sum(axis=-1) / masks.sum(axis=1))
    return BalanceFit(series, x, y, masks, *line, completeness, r_squared(x, y, masks), rmse, chosen, reason)


@np.errstate(all="ignore")
def _table(fitted: BalanceFit, method: str) -> pd.DataFrame:
    here = np.arange(len(fitted.chosen)), fitted.chosen
    stable = method.startswith("brass")
    delta = np.ones(len(fitted.chosen)) if stable else np.exp(fitted.intercept[here] * fitted.series.interval)
    limits = band(fitted.completeness)
    columns = {
        **chosen_columns(fitted.series.age, fitted.masks, fitted.completeness, fitted.chosen, limits),
        "intercept": fitted.intercept[here],
        "slope": fitted.slope[here],
        "delta": delta,
        "census_1": np.minimum(delta, 1.0),
        "census_2": np.minimum(1 / delta, 1.0),
        "r2": fitted.r2[here],
        "rmse": fitted.rmse[here],
        "ranges": np.full(len(delta), float(len(fitted.masks))),
    }
    return result_table(fitted.series.keys, columns, method=method, reason=fitted.reason)


def growth_balance_points(
    data: Table, *, by: str | Sequence[str] | None = None, stable: bool = False, **options: Any
) -> pd.DataFrame:
    """The points of the picture: what names the series, age, death_rate (x), entry_minus_growth (y), fitted, used (in the fit).

    stable : True for Brass's growth balance; options as in `balance_fit` (ages, lowest, highest, minimum, fit, choose)
    """
    tables = []
    for series in read_series(data, by=by, two_counts=not stable):
        fitted = balance_fit(series, stable=stable, **options)
        here = np.arange(len(fitted.chosen)), fitted.chosen
        line = fitted.intercept[here][:, None] + fitted.slope[here][:, None] * fitted.x
        used = fitted.masks[fitted.chosen]
        columns = {"death_rate": fitted.x, "entry_minus_growth": fitted.y, "fitted": line, "used": used}
        tables.append(points_table(series, columns))
    return pd.concat(tables, ignore_index=True)


def points_table(series: AgeSeries, columns: dict[str, npt.NDArray]) -> pd.DataFrame:
    """One row per series and age, without the first age (nobody has a birthday there) and without what cannot be assessed."""
    number, ages = len(series.keys), len(series.age)
    rows = series.keys.loc[series.keys.index.repeat(ages)].reset_index(drop=True)
    rows = rows.assign(age=np.tile(series.age, number), **{name: part.ravel() for name, part in columns.items()})
    keep = np.tile(np.arange(ages) > 0, number) & np.repeat(series.reason == "", ages)
    return rows[keep].reset_index(drop=True)
