"""Synthetic extinct generations (Bennett–Horiuchi), and the same after the growth balance has made the two counts agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from inspect import signature
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
    ends,
)
from mortality.measures.completeness.extinct_fit import ExtinctFit, Numbers, extinct_fit
from mortality.measures.completeness.growth_balance import (
    BalanceFit,
    balance_fit,
    generalised_growth_balance,
    points_table,
)
from mortality.measures.completeness.line_fits import fit_word
from mortality.measures.completeness.results import result_table
from mortality.measures.completeness.series import AgeSeries, Table, read_series
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

COMPARISONS = ("groups", "birthdays")
ESTIMATES = ("mean", "median", "trimean")


def synthetic_extinct_generations(
    data: Table,
    *,
    by: str | Sequence[str] | None = None,
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
    by: str | Sequence[str] | None = None,
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


def death_distribution_methods(data: Table, *, by: str | Sequence[str] | None = None, **options: Any) -> pd.DataFrame:
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


def _table(
    fitted: ExtinctFit, whole: tuple[Numbers, Numbers], method: str, more: dict[str, Numbers] | None = None
) -> pd.DataFrame:
    used = np.where(fitted.masks[fitted.chosen], fitted.by_age, np.nan)
    with np.errstate(all="ignore"):
        low, middle, high = _quartiles(used)
        mean = np.nan_to_num(used).sum(axis=1) / fitted.masks[fitted.chosen].sum(axis=1)
    columns = {
        **chosen_columns(fitted.series.age, fitted.masks, fitted.completeness, fitted.chosen, whole),
        "mean": mean,
        "median": middle,
        "quartile_1": low,
        "quartile_3": high,
        "trimean": (low + 2 * middle + high) / 4,
        "rmse": fitted.rmse[np.arange(len(mean)), fitted.chosen],
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
    by: str | Sequence[str] | None = None,
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
