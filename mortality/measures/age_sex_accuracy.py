"""How well ages and sexes fit together in five-year groups: age ratios, sex ratios and the indices made of them.

Counts are arrays whose last axis is the age group (equal widths), any number of populations before it. `open_group=True`
leaves the last group out; `ages` (lower ends), `first_age` and `last_age` choose a range.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mortality.measures.quality_index import (
    Numbers,
    QualityIndex,
    count_array,
    counts_alike,
    index_of,
    lower_ends,
    mean_deviation,
    ratio,
    together,
)
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.option_words import option_word

# How often the group counts in numerator and denominator: United Nations 1952, Zelnik 1962 as in DemoTools, Ramachandran 1967
_AGE_RATIOS = {"un": (2, 0), "zelnick": (3, 1), "ramachandran": (4, 2)}
METHODS = (*_AGE_RATIOS, "das_gupta")
_OTHER_NAMES = {"zelnik": "zelnick", "united_nations": "un", "dasgupta": "das_gupta"}


def method_word(method: str) -> str:
    """The name of `METHODS` that is meant ("Zelnik", "UN", "Das Gupta")."""
    return str(option_word(method, METHODS, _OTHER_NAMES))


def sex_ratios(males: npt.ArrayLike, females: npt.ArrayLike) -> Numbers:
    """Males per 100 females, NaN where there is no female (say so where it is shown)."""
    return 100 * ratio(np.asarray(males, dtype=float), np.asarray(females, dtype=float))


def age_ratios(counts: npt.ArrayLike, *, method: str = "un") -> Numbers:
    """Each age group per 100 of what its two neighbours let expect; NaN for the first, the last, and over 0.

    counts : (…, groups) of equal width, without the open group
    method : "un" (over the mean of the neighbours), "zelnick" (over the mean of the three), "ramachandran" (over the mean of
        the neighbours and twice itself). Source: United Nations, Population Bulletin 2 (1952).
    """
    method = method_word(method)
    if method not in _AGE_RATIOS:
        raise UsageError("error.age_ratio_method", value=method, known=", ".join(_AGE_RATIOS))
    times, itself = _AGE_RATIOS[method]
    table = count_array(counts)
    ratios = np.full(table.shape, np.nan)
    middle = table[..., 1:-1]
    ratios[..., 1:-1] = 100 * ratio(times * middle, table[..., :-2] + table[..., 2:] + itself * middle)
    return ratios


def age_ratio_score(
    counts: npt.ArrayLike,
    *,
    method: str = "un",
    ages: npt.ArrayLike | None = None,
    first_age: float | None = None,
    last_age: float | None = None,
    open_group: bool = False,
    minimum: float = 1,
) -> QualityIndex:
    """Mean deviation of the age ratios from 100, over all groups with two neighbours; see `age_ratios`."""
    table, method = _chosen(counts, ages, first_age, last_age, open_group), method_word(method)
    steps = age_ratios(table, method=method)[..., 1:-1] - 100
    return mean_deviation(steps, table.sum(axis=-1), minimum, f"age_ratio_score;{method}")


def sex_ratio_score(
    males: npt.ArrayLike,
    females: npt.ArrayLike,
    *,
    ages: npt.ArrayLike | None = None,
    first_age: float | None = None,
    last_age: float | None = None,
    open_group: bool = False,
    minimum: float = 1,
) -> QualityIndex:
    """Mean absolute step of the sex ratio from one age group to the next. Source: United Nations (1952)."""
    men, women = (_chosen(part, ages, first_age, last_age, open_group) for part in counts_alike(males, females))
    events = men.sum(axis=-1) + women.sum(axis=-1)
    return mean_deviation(np.diff(sex_ratios(men, women), axis=-1), events, minimum, "sex_ratio_score")


def age_sex_accuracy_index(
    males: npt.ArrayLike,
    females: npt.ArrayLike,
    *,
    method: str = "un",
    small_population: bool = False,
    ages: npt.ArrayLike | None = None,
    first_age: float | None = None,
    last_age: float | None = None,
    open_group: bool = False,
    minimum: float = 1,
) -> QualityIndex:
    """United Nations age-sex accuracy index: 3 × sex ratio score + age ratio scores of both sexes.

    males, females : (…, five-year groups) of equal width. Under 20 accurate, 20–40 inaccurate, over 40 highly inaccurate.
    method : age ratios as in `age_ratios`, or "das_gupta" (another index: see `das_gupta_index`)
    small_population : below a million persons (all groups given) take off what chance adds: 3500/√persons − 3.5
    Source: United Nations, Population Bulletin 2 (1952): 59–79.
    """
    method = method_word(method)
    if method == "das_gupta":
        return das_gupta_index(
            males, females, ages=ages, first_age=first_age, last_age=last_age, open_group=open_group, minimum=minimum
        )
    men, women = (_chosen(part, ages, first_age, last_age, open_group) for part in counts_alike(males, females))
    parts = [
        sex_ratio_score(men, women, minimum=minimum),
        age_ratio_score(men, method=method, minimum=minimum),
        age_ratio_score(women, method=method, minimum=minimum),
    ]
    value = 3 * parts[0].value + parts[1].value + parts[2].value
    if small_population:
        persons = np.asarray(males, dtype=float).sum(axis=-1) + np.asarray(females, dtype=float).sum(axis=-1)
        by_chance = 3500 * ratio(np.ones_like(persons), np.sqrt(persons)) - 3.5
        value = np.where(persons < 1e6, value - by_chance, value)
    words = f"age_sex_accuracy;{method}" + (";small_population" if small_population else "")
    return together(parts, value, words)


def das_gupta_index(
    males: npt.ArrayLike,
    females: npt.ArrayLike,
    *,
    ages: npt.ArrayLike | None = None,
    first_age: float | None = None,
    last_age: float | None = None,
    open_group: bool = False,
    minimum: float = 1,
) -> QualityIndex:
    """Das Gupta's index: sex ratio index × age ratio indices of both sexes; 0 is best, not on the United Nations' scale.

    Sex: the steps of the sex ratio less the step between the ratios of the first and last two groups together, per step.
    Age: deviations of each group's share of itself and the group before from one half, over what the way from the first
    groups up to the largest and down to the last would give. Source: Das Gupta (1955), as
    the manual of DemoTools describes it (the paper itself was not seen: unverified beyond that description).
    """
    men, women = (_chosen(part, ages, first_age, last_age, open_group) for part in counts_alike(males, females))
    if men.shape[-1] < 3:
        return mean_deviation(np.zeros((*men.shape[:-1], 0)), men.sum(axis=-1), minimum, "das_gupta")
    ratios = sex_ratios(men, women)
    pairs_m, pairs_f = men[..., 1:] + men[..., :-1], women[..., 1:] + women[..., :-1]
    ends = sex_ratios(pairs_m, pairs_f)
    steps = np.abs(np.diff(ratios, axis=-1))
    by_sex = (steps.sum(axis=-1) - np.abs(ends[..., 0] - ends[..., -1])) / steps.shape[-1]
    value = by_sex * _das_gupta_ages(men, pairs_m) * _das_gupta_ages(women, pairs_f)
    return index_of(value, men.sum(axis=-1) + women.sum(axis=-1), minimum, "das_gupta")


def _das_gupta_ages(counts: Numbers, pairs: Numbers) -> Numbers:
    deviation = np.abs(200 * ratio(counts[..., 1:], pairs) - 100).sum(axis=-1)
    first = pairs[..., 0]
    highest, last = 200 * ratio(counts.max(axis=-1), first), 200 * ratio(counts[..., -1], first)
    return ratio(deviation, 2 * highest - 100 - last)


def _chosen(
    counts: npt.ArrayLike,
    ages: npt.ArrayLike | None,
    first_age: float | None,
    last_age: float | None,
    open_group: bool,
) -> Numbers:
    """The groups asked for."""
    table = count_array(counts)
    if ages is None and (first_age is not None or last_age is not None):
        raise UsageError("error.age_range_without_ages")
    lower = np.arange(table.shape[-1], dtype=float) if ages is None else lower_ends(ages)
    if len(lower) != table.shape[-1]:
        raise InputError("error.age_axis", found=len(lower), expected=table.shape[-1])
    keep = np.ones(len(lower), bool)
    if open_group:
        keep[-1:] = False
    if first_age is not None:
        keep &= lower >= first_age
    if last_age is not None:
        keep &= lower <= last_age
    return table[..., keep]
