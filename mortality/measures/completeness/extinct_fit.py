"""Completeness at each age, and over every range of ages, from extinct generations: the arithmetic on arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mortality.measures.completeness.age_ranges import (
    HIGHEST_AGE,
    LOWEST_AGE,
    MINIMUM_AGES,
    chosen_range,
    ranges_to_fit,
)
from mortality.measures.completeness.growth_balance import birthdays_per_year
from mortality.measures.completeness.model_west import life_expectancy_of_open_age
from mortality.measures.completeness.series import AgeSeries

Numbers = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


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
    masks, enough = ranges_to_fit(series.age, usable, ages, lowest=lowest, highest=highest, minimum=minimum)
    known = np.where(np.isfinite(by_age), by_age, 0.0)
    number = masks.sum(axis=1)
    mean = known @ (masks / number[:, None]).T
    rmse = np.sqrt((((known[:, None, :] - mean[..., None]) * masks) ** 2).sum(axis=-1) / number)
    chosen = chosen_range(rmse, ages)
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
