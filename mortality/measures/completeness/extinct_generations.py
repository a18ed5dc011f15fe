"""Synthetic extinct generations (Bennett–Horiuchi), and the same after the growth balance has made the two counts agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.completeness.age_ranges import (
    HIGHEST_AGE,
    LOWEST_AGE,
    MINIMUM_AGES,
    all_ranges,
    band,
    ends,
    first_best,
    fixed_range,
)
from mortality.measures.completeness.growth_balance import (
    BalanceFit,
    balance_fit,
    birthdays_per_year,
    generalised_growth_balance,
    points_table,
)
from mortality.measures.completeness.line_fits import fit_word
from mortality.measures.completeness.model_west import life_expectancy_of_open_age
from mortality.measures.completeness.results import result_table
from mortality.measures.completeness.series import AgeSeries, Table, read_series
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

Numbers = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
COMPARISONS = ("groups", "birthdays")
ESTIMATES = ("mean", "median", "trimean")


@dataclass(frozen=True)
class ExtinctFit:
    """Completeness by age and of every range of ages. by_age : (series, ages); the rest (series, ranges) or (series,)."""

    series: AgeSeries
    by_age: Numbers
    open_age: Numbers
    masks: Mask
    completeness: Numbers
    rmse: Numbers
    chosen: npt.NDArray[np.intp]
    reason: npt.NDArray[np.str_]


def synthetic_extinct_generations(
    data: Table,
    *,
    by: Sequence[str] | None = None,
    ages: Sequence[float] | None = None,
    lowest_age: float = LOWEST_AGE,
    highest_age: float = HIGHEST_AGE,
    minimum_ages: int = MINIMUM_AGES,
    life_expectancy_open: npt.ArrayLike | None = None,
    compare: str = "groups",
    estimate: str = "mean",
    birthdays: int = 2,
    deaths_are: str = "annual",
    migration_are: str | None = None,
) -> pd.DataFrame:
    """Completeness of deaths between two counts of people: the population that the deaths imply, over the one counted.

    data, by, deaths_are, migration_are : see `read_series`; sex (male, female) is needed unless life_expectancy_open is given
    ages : as in `generalised_growth_balance`; by default the run of ages over which completeness varies least
    life_expectancy_open : years left in the open age group, one number or one per series; by default of the model life
        table West whose age pattern of deaths fits
    compare : "groups" (people in each age group, as R's DDM 1.3.21) or "birthdays" (people reaching each age, the textbook)
    estimate : "mean", "median" or "trimean" of the ages used

    Returns what names a series, completeness, lower and upper (of all ranges of ages: sensitivity, no confidence interval),
    lowest_age, highest_age, mean, median, quartile_1, quartile_3, trimean, rmse, life_expectancy_open, ranges, method,
    status, reason.

    Source: Bennett & Horiuchi, Population Index 47 (1981): 207–221; open group N(A) = D(A+) [exp(r e) − (r e)²/6].
    """
    compare, estimate = option_word(compare, COMPARISONS), option_word(estimate, ESTIMATES)
    method = _method("seg", ages, compare, estimate)
    tables = []
    for series, open_age in _with_open(
        read_series(data, by=by, deaths_are=deaths_are, migration_are=migration_are), life_expectancy_open
    ):
        options: dict[str, Any] = {"ages": ages, "lowest": lowest_age, "highest": highest_age, "minimum": minimum_ages}
        fitted = extinct_fit(
            series, open_age=open_age, compare=compare, estimate=estimate, birthdays=birthdays, **options
        )
        tables.append(_table(fitted, band(fitted.completeness), method))
    return pd.concat(tables, ignore_index=True)


def ggb_seg(
    data: Table,
    *,
    by: Sequence[str] | None = None,
    ages: Sequence[float] | None = None,
    balance_ages: Sequence[float] | None = None,
    lowest_age: float = LOWEST_AGE,
    highest_age: float = HIGHEST_AGE,
    minimum_ages: int = MINIMUM_AGES,
    fit: str = "oldschool",
    choose: str = "r2",
    life_expectancy_open: npt.ArrayLike | None = None,
    compare: str = "groups",
    estimate: str = "mean",
    birthdays: int = 2,
    deaths_are: str = "annual",
    migration_are: str | None = None,
) -> pd.DataFrame:
    """Extinct generations after the growth balance: its delta first makes the first count as complete as the second.

    ages, balance_ages : ages of the extinct generations and of the growth balance; each by itself fixed or searched
    Other options and columns as in `synthetic_extinct_generations`, and delta, balance_lowest_age, balance_highest_age.
    lower, upper : over all ranges of ages of the extinct generations, each with every range of the growth balance.

    Source: Hill, You & Choi, Demographic Research 21 (2009): 235–254.
    """
    compare, estimate = option_word(compare, COMPARISONS), option_word(estimate, ESTIMATES)
    method = _method("ggb_seg", ages, compare, estimate) + f";fit={fit_word(fit)}"
    tables = []
    for series, open_age in _with_open(
        read_series(data, by=by, deaths_are=deaths_are, migration_are=migration_are), life_expectancy_open
    ):
        search: dict[str, Any] = {"lowest": lowest_age, "highest": highest_age, "minimum": minimum_ages}
        balance = balance_fit(series, ages=balance_ages, fit=fit, choose=choose, birthdays=birthdays, **search)
        options: dict[str, Any] = {
            "ages": ages,
            "open_age": open_age,
            "compare": compare,
            "estimate": estimate,
            "birthdays": birthdays,
            **search,
        }
        per_range = [extinct_fit(series, growth_error=error, **options) for error in balance.intercept.T]
        here = np.arange(len(balance.chosen)), balance.chosen
        fitted = extinct_fit(series, growth_error=balance.intercept[here], before=balance.reason, **options)
        whole = band(np.hstack([one.completeness for one in per_range]))
        tables.append(_table(fitted, whole, method, _of_balance(balance)))
    return pd.concat(tables, ignore_index=True)


def death_distribution_methods(data: Table, *, by: Sequence[str] | None = None, **options: Any) -> pd.DataFrame:
    """Growth balance, extinct generations and both together, below each other: the columns that name a series, method_id
    (ggb | seg | ggb_seg), completeness, lower, upper, lowest_age, highest_age, method, status, reason.

    options : those of the three functions; each gets the ones that it knows
    """
    tables = []
    for name, method in _methods().items():
        own = {key: value for key, value in options.items() if key in signature(method).parameters}
        tables.append(method(data, by=by, **own).assign(method_id=name))
    unknown = [key for key in options if all(key not in signature(one).parameters for one in _methods().values())]
    if unknown:
        raise UsageError(
            "error.completeness_option", option="options", found=", ".join(unknown), expected="ages, fit, …"
        )
    whole = pd.concat(tables, ignore_index=True)
    own_columns = ["completeness", "lower", "upper", "lowest_age", "highest_age", "method", "status", "reason"]
    first = list(tables[0].columns)
    return whole[[*first[: first.index("completeness")], "method_id", *own_columns]]


def _methods() -> dict[str, Callable[..., pd.DataFrame]]:
    return {"ggb": generalised_growth_balance, "seg": synthetic_extinct_generations, "ggb_seg": ggb_seg}


def _method(name: str, ages: Sequence[float] | None, compare: str, estimate: str) -> str:
    for option, found, known in (("compare", compare, COMPARISONS), ("estimate", estimate, ESTIMATES)):
        if found not in known:
            raise UsageError("error.completeness_option", option=option, found=found, expected=", ".join(known))
    return f"{name};ages={'least_spread' if ages is None else 'fixed'};compare={compare};estimate={estimate}"


def _with_open(all_series: Iterator[AgeSeries], given: npt.ArrayLike | None) -> Iterator[tuple[AgeSeries, Numbers]]:
    """Each block of series with the life expectancies that were given for it (missing where none was)."""
    blocks = [one.with_oldest() for one in all_series]
    total = sum(len(one.keys) for one in blocks)
    values = np.broadcast_to(np.asarray(np.nan if given is None else given, dtype=float), (total,))
    start = 0
    for one in blocks:
        yield one, values[start : start + len(one.keys)]
        start += len(one.keys)


@np.errstate(all="ignore")  # a series that cannot be assessed is worked through and says so at the end
def extinct_fit(
    series: AgeSeries,
    *,
    open_age: Numbers,
    ages: Sequence[float] | None = None,
    lowest: float = LOWEST_AGE,
    highest: float = HIGHEST_AGE,
    minimum: int = MINIMUM_AGES,
    compare: str = "groups",
    estimate: str = "mean",
    birthdays: int = 2,
    growth_error: Numbers | None = None,
    before: npt.NDArray[np.str_] | None = None,
) -> ExtinctFit:
    """Completeness at each age and over every range; growth_error : (series,) intercept of the growth balance."""
    if growth_error is not None:
        with np.errstate(over="ignore", invalid="ignore"):
            series = _first_count_adjusted(series, growth_error)
    by_age, open_age = _by_age(series, open_age, compare, birthdays)
    usable = (np.arange(len(series.age)) > 0) & (np.arange(len(series.age)) < len(series.age) - (compare == "groups"))
    masks = all_ranges(series.age, usable, lowest=lowest, highest=highest, minimum=minimum)
    if ages is not None:
        masks = np.vstack([fixed_range(series.age, usable, ages), masks])
    enough = len(masks) > 0
    masks = masks if enough else usable[None, :]
    known = np.where(np.isfinite(by_age), by_age, 0.0)
    number = masks.sum(axis=1)
    mean = known @ (masks / number[:, None]).T
    rmse = np.sqrt((((known[:, None, :] - mean[..., None]) * masks) ** 2).sum(axis=-1) / number)
    chosen = first_best(rmse) if ages is None else np.zeros(len(by_age), dtype=np.intp)
    reason = np.select(
        [series.reason != "", not enough, ~np.isfinite(open_age) & (series.sex == ""), ~(open_age > 0)],
        [series.reason, "reason.completeness_ages", "reason.completeness_sex", "reason.completeness_open_age"],
        "" if before is None else before,
    )
    if estimate != "mean":
        mean = np.column_stack([_spread(by_age[:, mask])[estimate] for mask in masks])
    return ExtinctFit(
        series, by_age, open_age, masks, np.where(reason[:, None] == "", mean, np.nan), rmse, chosen, reason
    )


def _first_count_adjusted(series: AgeSeries, growth_error: Numbers) -> AgeSeries:
    from dataclasses import replace

    return replace(series, pop1=series.pop1 / np.exp(growth_error * series.interval)[:, None])


def _by_age(series: AgeSeries, given: Numbers, compare: str, birthdays: int) -> tuple[Numbers, Numbers]:
    """Completeness at each age, and the life expectancy of the open group that was used."""
    with np.errstate(all="ignore"):
        growth = np.log(series.pop2 / series.pop1) / series.interval[:, None]
        growth = np.nan_to_num(growth - series.migration / np.sqrt(series.pop1 * series.pop2), posinf=0, neginf=0)
        model = life_expectancy_of_open_age(_ratio_of_deaths(series, growth), series.sex, float(series.age[-1]))
        open_age = np.where(np.isfinite(given), given, model)
        reaching = _implied(series, growth, open_age)
        if compare == "birthdays":
            counted = birthdays_per_year(series.pop1, series.pop2, series.width, groups=birthdays)
            return reaching / counted, open_age
        inside = series.width[:-1] / 2 * (reaching[:, :-1] + reaching[:, 1:])
        implied = np.column_stack([inside, np.full(len(inside), np.nan)])
        return implied / np.sqrt(series.pop1 * series.pop2), open_age


def _ratio_of_deaths(series: AgeSeries, growth: Numbers) -> Numbers:
    """Deaths at 10–39 over those at 40–59 in the life table that deaths and growth imply."""
    below = np.cumsum(series.width * growth, axis=1) - series.width * growth
    stationary = series.deaths * np.exp(below + series.width / 2 * growth)
    young, middle = (series.age >= 10) & (series.age < 40), (series.age >= 40) & (series.age < 60)
    return np.asarray(stationary[:, young].sum(axis=1) / stationary[:, middle].sum(axis=1), dtype=float)


def _implied(series: AgeSeries, growth: Numbers, open_age: Numbers) -> Numbers:
    """(series, ages): people who reach each age in a year, as far as the deaths tell: those who die later, with growth undone."""
    reaching = np.zeros_like(series.deaths)
    weight = growth[:, -1] * open_age
    reaching[:, -1] = series.deaths[:, -1] * (np.exp(weight) - weight**2 / 6)
    for place in range(len(series.age) - 2, -1, -1):  # an age needs the one above it
        step = np.exp(series.width[place] / 2 * growth[:, place])
        reaching[:, place] = reaching[:, place + 1] * step**2 + series.deaths[:, place] * step
    return reaching


def _spread(values: Numbers) -> dict[str, Numbers]:
    """Quartiles over the ages; trimean = (q1 + 2 median + q3) / 4."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], axis=1)
    return {"median": middle, "quartile_1": low, "quartile_3": high, "trimean": (low + 2 * middle + high) / 4}


def _table(
    fitted: ExtinctFit, whole: tuple[Numbers, Numbers], method: str, more: dict[str, Numbers] | None = None
) -> pd.DataFrame:
    here = np.arange(len(fitted.chosen)), fitted.chosen
    low_age, high_age = ends(fitted.series.age, fitted.masks)
    used = np.where(fitted.masks[fitted.chosen], fitted.by_age, np.nan)
    with np.errstate(all="ignore"):
        low, middle, high = _quartiles(used)
        mean = np.nan_to_num(used).sum(axis=1) / fitted.masks[fitted.chosen].sum(axis=1)
    columns = {
        "completeness": fitted.completeness[here],
        "lower": whole[0],
        "upper": whole[1],
        "lowest_age": low_age[fitted.chosen],
        "highest_age": high_age[fitted.chosen],
        "mean": mean,
        "median": middle,
        "quartile_1": low,
        "quartile_3": high,
        "trimean": (low + 2 * middle + high) / 4,
        "rmse": fitted.rmse[here],
        "life_expectancy_open": fitted.open_age,
        "ranges": np.full(len(mean), float(len(fitted.masks))),
        **(more or {}),
    }
    return result_table(fitted.series.keys, columns, method=method, reason=fitted.reason)


def _quartiles(used: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    filled = np.where(np.isnan(used).all(axis=1, keepdims=True), 0.0, used)
    low, middle, high = np.nanquantile(filled, [0.25, 0.5, 0.75], axis=1)
    return low, middle, high


def _of_balance(balance: BalanceFit) -> dict[str, Numbers]:
    low_age, high_age = ends(balance.series.age, balance.masks)
    here = np.arange(len(balance.chosen)), balance.chosen
    return {
        "delta": np.exp(balance.intercept[here] * balance.series.interval),
        "balance_lowest_age": low_age[balance.chosen],
        "balance_highest_age": high_age[balance.chosen],
    }


def extinct_generation_points(
    data: Table,
    *,
    by: Sequence[str] | None = None,
    life_expectancy_open: npt.ArrayLike | None = None,
    **options: Any,
) -> pd.DataFrame:
    """The points of the picture: what names the series, age, completeness at that age, level (of the ages used), used.

    options as in `extinct_fit` (ages, lowest, highest, minimum, compare)
    """
    tables = []
    for series, open_age in _with_open(read_series(data, by=by), life_expectancy_open):
        fitted = extinct_fit(series, open_age=open_age, **options)
        level = fitted.completeness[np.arange(len(fitted.chosen)), fitted.chosen]
        columns = {
            "completeness": fitted.by_age,
            "level": np.broadcast_to(level[:, None], fitted.by_age.shape),
            "used": fitted.masks[fitted.chosen],
        }
        tables.append(points_table(fitted.series, columns).dropna(subset="completeness"))
    return pd.concat(tables, ignore_index=True)
