"""Heaping at high ages, where few digits are left to compare: Coale and Li, Kannisto, Jdanov."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mortality.measures.quality_index import (
    Numbers,
    QualityIndex,
    age_sum,
    by_age,
    ending_in,
    has_ages,
    index_name,
    index_of,
    places,
    ratio,
    without_ages,
)
from tkyt_analysis.errors import UsageError


def coale_li(
    counts: npt.ArrayLike,
    *,
    ages: npt.ArrayLike | None = None,
    first_age: int = 60,
    last_age: int = 99,
    digit: int | Sequence[int] = 0,
    terms: int = 5,
    minimum: float = 1,
) -> QualityIndex:
    """Coale and Li's index at high ages: mean ratio of the ages ending in the digit to a twice-smoothed course; 1 without
    preference. Smoothing: a centred moving average of `terms` years, taken twice; ages beyond its reach are left out.

    digit : one last digit, or several (the mean of their ratios)
    Source: Coale & Li, Demography 28 (1991): 293–301 (the verbal description).
    """
    table, years = by_age(counts, ages)
    digits = (digit,) if isinstance(digit, int) else tuple(digit)
    words = index_name("coale_li", first_age, last_age, digits) + (f";terms={terms}" if terms != 5 else "")
    smooth = _moving_average(_moving_average(table, terms), terms)
    means = []
    for one in digits:
        wanted = ending_in(np.arange(first_age, last_age + 1), (one,))
        wanted = wanted[np.isin(wanted, years)]
        if not len(wanted):
            return without_ages(table, words)
        inside = wanted[np.isfinite(smooth[..., places(years, wanted)]).reshape(-1, len(wanted)).any(axis=0)]
        if not len(inside):
            return without_ages(table, words)
        at = places(years, inside)
        means.append(ratio(table[..., at], smooth[..., at]).mean(axis=-1))
    events = table[..., (years >= first_age) & (years <= last_age)].sum(axis=-1)
    return index_of(np.mean(means, axis=0), events, minimum, words)


def _moving_average(table: Numbers, terms: int) -> Numbers:
    """Centred mean of an odd number of terms along the last axis, NaN near either end."""
    if terms < 1 or terms % 2 == 0:
        raise UsageError("error.moving_average_terms", value=terms)
    result, reach = np.full(table.shape, np.nan), terms // 2
    if table.shape[-1] >= terms:
        middle = np.lib.stride_tricks.sliding_window_view(table, terms, axis=-1).mean(axis=-1)
        result[..., reach : table.shape[-1] - reach] = middle
    return result


def kannisto(
    counts: npt.ArrayLike,
    *,
    ages: npt.ArrayLike | None = None,
    age: int = 90,
    power: float | None = None,
    minimum: float = 1,
) -> QualityIndex:
    """Kannisto's index of heaping at one old age: its count over the geometric mean of the five years around it.

    Not assessable where one of the five is 0, unless a `power` is given: then the mean of their `power`-th roots, raised to
    it, takes the place of the geometric mean (1: the arithmetic mean; 1000: nearly the geometric one). Source: Kannisto, Monographs on Population Aging 5 (1999).
    """
    table, years = by_age(counts, ages)
    around = np.arange(age - 2, age + 3)
    words = f"kannisto;age={age}" + (f";power={power:g}" if power is not None else "")
    if not has_ages(years, around):
        return without_ages(table, words)
    five = table[..., places(years, around)]
    with np.errstate(divide="ignore"):
        middle = np.exp(np.log(five).mean(axis=-1)) if power is None else (five ** (1 / power)).mean(axis=-1) ** power
    return index_of(ratio(table[..., places(years, np.array([age]))[0]], middle), five.sum(axis=-1), minimum, words)


def jdanov(
    counts: npt.ArrayLike,
    *,
    ages: npt.ArrayLike | None = None,
    centres: Sequence[int] = (95, 100, 105),
    minimum: float = 1,
) -> QualityIndex:
    """Jdanov's index at the oldest ages: 500 × Σ P at 95, 100, 105 / Σ P of the five years around each; 100 without heaping.

    Ages that the data do not reach are left out. Source: Jdanov, Scholz & Shkolnikov, MPIDR Working Paper 2008.
    """
    table, years = by_age(counts, ages)
    there = np.array([age for age in centres if age in years])
    if not len(there):
        return without_ages(table)
    around = [age for centre in there for age in range(centre - 2, centre + 3) if age in years]
    events = table[..., [int(np.flatnonzero(years == age)[0]) for age in around]].sum(axis=-1)
    value = 500 * ratio(age_sum(table, years, there), events)
    return index_of(value, events, minimum, "jdanov;ages=" + ",".join(map(str, there)))
