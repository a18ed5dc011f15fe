"""How well ages and sexes were written down: indices of digit preference and of age-sex accuracy.

All functions take counts as arrays whose last axis is age, any number of populations before it, and answer for all of
them at once. A population for which an index means nothing (an age range without events, ages that are not there) has
the status "not_assessable" and a reason, never a silent NaN; its value is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tkyt_analysis.errors import InputError

Numbers = npt.NDArray[np.float64]
OK, NOT_ASSESSABLE = "ok", "not_assessable"
NO_EVENTS, NO_AGES, TOO_FEW = "no_events_in_range", "ages_absent", "too_few_events"
PERIOD = 10


@dataclass(frozen=True)
class QualityIndex:
    """value, status ("ok" | "not_assessable"), reason ("" | no_events_in_range | ages_absent | too_few_events) and the
    events that the index rests on, each with the shape of the populations."""

    value: Numbers
    status: npt.NDArray[np.str_]
    reason: npt.NDArray[np.str_]
    events: Numbers


def whipple(
    counts: npt.ArrayLike,
    *,
    ages: npt.ArrayLike | None = None,
    first_age: int = 25,
    last_age: int = 60,
    digits: Sequence[int] = (0, 5),
    minimum: float = 1,
) -> QualityIndex:
    """Whipple's index: 100 without preference for the digits, 500 where only 0 and 5 are written (1000 for one digit).

    100 × (10/k) × Σ P at ages in [first_age, last_age] that end in one of the k digits / Σ P at all ages around them:
    from two years before the first to two after the last for 0 and 5 together (25–60: the classical 23–62), from seven
    before for one digit, so that each digit is in the base equally often.

    counts : (…, ages) by single year of age; ages : the ages of the last axis (default 0, 1, 2 …)
    minimum : events in the base below which the index is not assessable
    Source: Shryock, Siegel & Larmon, Methods and Materials of Demography (1976), ch. 8; one digit: Roger, Waltisperger
    & Corbille-Guitton (GDA 1981), p. 148. Scale of the United Nations: under 105 very accurate, 175 and over very rough.
    """
    table, years = _table(counts, ages)
    wanted = _ending_in(np.arange(first_age, last_age + 1), digits)
    base = np.arange(wanted[0] - (7 if len(digits) == 1 else 2), wanted[-1] + 3)
    if not _has(years, base):
        return _without_ages(table)
    events = _sum(table, years, base)
    share = _ratio(_sum(table, years, wanted), events)
    return _result(100 * PERIOD / len(digits) * share, events, minimum)


def noumbissi(
    counts: npt.ArrayLike,
    *,
    ages: npt.ArrayLike | None = None,
    digit: int = 0,
    first_age: int = 20,
    last_age: int = 65,
    minimum: float = 1,
) -> QualityIndex:
    """Noumbissi's modified Whipple index of one digit: 1 without preference, 0 where it is avoided, up to 5.

    5 × Σ P at ages in [first_age, last_age] ending in the digit / Σ P in the five years centred on each of these ages.
    Source: Noumbissi, Population 47 (1992): 1038–1041.
    """
    table, years = _table(counts, ages)
    centres = _ending_in(np.arange(first_age, last_age + 1), (digit,))
    if not _has(years, np.arange(centres[0] - 2, centres[-1] + 3)):
        return _without_ages(table)
    around = np.sum([_sum(table, years, centres + step) for step in range(-2, 3)], axis=0)
    return _result(5 * _ratio(_sum(table, years, centres), around), around, minimum)


def spoorenberg(
    counts: npt.ArrayLike,
    *,
    ages: npt.ArrayLike | None = None,
    first_age: int = 20,
    last_age: int = 64,
    minimum: float = 1,
) -> QualityIndex:
    """Spoorenberg's total modified Whipple index: 0 without any preference, up to 16.

    Σ over the ten digits of |W − 1|, W as in `noumbissi`. Source: Spoorenberg, Population 62 (2007): 729–742.
    """
    parts = [
        noumbissi(counts, ages=ages, digit=digit, first_age=first_age, last_age=last_age, minimum=minimum)
        for digit in range(PERIOD)
    ]
    return _together(parts, np.sum([np.abs(part.value - 1) for part in parts], axis=0))


def myers(
    counts: npt.ArrayLike,
    *,
    ages: npt.ArrayLike | None = None,
    first_age: int = 10,
    last_age: int = 89,
    minimum: float = 1,
) -> QualityIndex:
    """Myers' blended index: per cent of events that would have to change their last digit, 0 to 90.

    Sums by digit over [first_age, last_age − 10] and over [first_age + 10, last_age], blended with the weights 1…10 and
    9…0 so that mortality from one decade to the next does not look like preference; half the sum of |share − 10 %|.
    The range is cut to whole decades (10–89 uses 10–79 and 20–89).
    Source: Myers, Transactions of the Actuarial Society of America 41 (1940): 395–415; half sum as in the PAS of the US
    Census Bureau (other books give the full sum, twice as much).
    """
    table, years = _table(counts, ages)
    used = np.arange(first_age, _whole_decades(first_age, last_age) + 1)
    if not _has(years, used):
        return _without_ages(table)
    shares = myers_digits(counts, ages=ages, first_age=first_age, last_age=last_age)
    events = _sum(table, years, used)
    return _result(np.abs(shares - 100 / PERIOD).sum(axis=-1) / 2, events, minimum)


def myers_digits(
    counts: npt.ArrayLike, *, ages: npt.ArrayLike | None = None, first_age: int = 10, last_age: int = 89
) -> Numbers:
    """Blended share of each last digit 0…9 in per cent (…, 10); NaN without events or ages."""
    blended = myers_sums(counts, ages=ages, first_age=first_age, last_age=last_age)
    return 100 * _ratio(blended, blended.sum(axis=-1)[..., None])


def myers_sums(
    counts: npt.ArrayLike, *, ages: npt.ArrayLike | None = None, first_age: int = 10, last_age: int = 89
) -> Numbers:
    """Myers' blended sums by last digit 0…9, (…, 10)."""
    table, years = _table(counts, ages)
    last = _whole_decades(first_age, last_age)
    if not _has(years, np.arange(first_age, last + 1)):
        return np.full((*table.shape[:-1], PERIOD), np.nan)
    whole = table[..., _places(years, np.arange(first_age, last + 1))]
    decades = whole.reshape(*whole.shape[:-1], -1, PERIOD)
    weight = np.arange(1, PERIOD + 1)
    blended = weight * decades[..., :-1, :].sum(axis=-2) + (PERIOD - weight) * decades[..., 1:, :].sum(axis=-2)
    return np.roll(blended, first_age % PERIOD, axis=-1)


def bachi(
    counts: npt.ArrayLike,
    *,
    ages: npt.ArrayLike | None = None,
    first_age: int = 23,
    last_age: int = 77,
    minimum: float = 1,
) -> QualityIndex:
    """Bachi's index: Whipple's idea for each digit, as the sum of positive deviations from 10 per cent, 0 to 90.

    The share of a digit is the mean of its shares in two runs of whole decades, one starting on an age of the same last
    digit modulo five in [first_age, first_age + 4], one a year later (23–77: 50 years each).
    Source: Bachi, Bulletin of the International Statistical Institute 33 (1951): 195–222, as described by Shryock & Siegel.
    """
    table, years = _table(counts, ages)
    length = last_age - first_age - 4
    length -= length % PERIOD
    if length < PERIOD or not _has(years, np.arange(first_age, first_age + 4 + length + 1)):
        return _without_ages(table)
    shares = np.stack([_bachi_share(table, years, digit, first_age, length) for digit in range(PERIOD)], axis=-1)
    events = _sum(table, years, np.arange(first_age, first_age + 4 + length + 1))
    return _result(100 * np.abs(shares - 1 / PERIOD).sum(axis=-1) / 2, events, minimum)


def _bachi_share(table: Numbers, years: Numbers, digit: int, first_age: int, length: int) -> Numbers:
    start = next(age for age in range(first_age, first_age + 5) if age % 5 == digit % 5)
    runs = [np.arange(begin, begin + length) for begin in (start, start + 1)]
    return np.mean(
        [_ratio(_sum(table, years, _ending_in(run, (digit,))), _sum(table, years, run)) for run in runs], axis=0
    )


def coale_li(
    counts: npt.ArrayLike,
    *,
    ages: npt.ArrayLike | None = None,
    first_age: int = 60,
    last_age: int = 99,
    digit: int = 0,
    minimum: float = 1,
) -> QualityIndex:
    """Coale and Li's index at high ages: mean ratio of the ages ending in the digit to a twice-smoothed course; 1 without
    preference. Smoothing: a centred moving average of five years, taken twice; ages beyond its reach are left out.

    Source: Coale & Li, Demography 28 (1991): 293–301 (the verbal description).
    """
    table, years = _table(counts, ages)
    smooth = _moving_average(_moving_average(table))
    wanted = _ending_in(np.arange(first_age, last_age + 1), (digit,))
    wanted = wanted[np.isin(wanted, years)]
    inside = wanted[np.isfinite(smooth[..., _places(years, wanted)]).reshape(-1, len(wanted)).any(axis=0)]
    if not len(inside):
        return _without_ages(table)
    at = _places(years, inside)
    events = table[..., (years >= first_age) & (years <= last_age)].sum(axis=-1)
    return _result(_ratio(table[..., at], smooth[..., at]).mean(axis=-1), events, minimum)


def _moving_average(table: Numbers) -> Numbers:
    """Centred mean of five along the last axis, NaN within two of either end."""
    result = np.full(table.shape, np.nan)
    if table.shape[-1] >= 5:
        result[..., 2:-2] = np.lib.stride_tricks.sliding_window_view(table, 5, axis=-1).mean(axis=-1)
    return result


def kannisto(
    counts: npt.ArrayLike, *, ages: npt.ArrayLike | None = None, age: int = 90, minimum: float = 1
) -> QualityIndex:
    """Kannisto's index of heaping at one old age: its count over the geometric mean of the five years around it.

    Not assessable where one of the five is 0. Source: Kannisto, Monographs on Population Aging 5 (1999).
    """
    table, years = _table(counts, ages)
    around = np.arange(age - 2, age + 3)
    if not _has(years, around):
        return _without_ages(table)
    five = table[..., _places(years, around)]
    with np.errstate(divide="ignore"):
        middle = np.exp(np.log(five).mean(axis=-1))
    return _result(_ratio(table[..., _places(years, np.array([age]))[0]], middle), five.sum(axis=-1), minimum)


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
    table, years = _table(counts, ages)
    there = np.array([age for age in centres if age in years])
    if not len(there):
        return _without_ages(table)
    around = [age for centre in there for age in range(centre - 2, centre + 3) if age in years]
    events = table[..., [int(np.flatnonzero(years == age)[0]) for age in around]].sum(axis=-1)
    return _result(500 * _ratio(_sum(table, years, there), events), events, minimum)


# ------------------------------------------------------------------------------------------- age and sex


def sex_ratios(males: npt.ArrayLike, females: npt.ArrayLike) -> Numbers:
    """Males per 100 females, NaN where there is no female (say so where it is shown)."""
    return 100 * _ratio(np.asarray(males, dtype=float), np.asarray(females, dtype=float))


def age_ratios(counts: npt.ArrayLike) -> Numbers:
    """Each age group per 100 of the mean of its two neighbours; NaN for the first, the last, and over 0.

    counts : (…, groups) of equal width, without the open group. Source: United Nations, Population Bulletin 2 (1952).
    """
    table = np.asarray(counts, dtype=float)
    ratios = np.full(table.shape, np.nan)
    ratios[..., 1:-1] = 100 * _ratio(table[..., 1:-1], (table[..., :-2] + table[..., 2:]) / 2)
    return ratios


def age_ratio_score(counts: npt.ArrayLike, *, minimum: float = 1) -> QualityIndex:
    """Mean deviation of the age ratios from 100, over all groups with two neighbours; see `age_ratios`."""
    table = np.asarray(counts, dtype=float)
    return _mean_deviation(age_ratios(table)[..., 1:-1] - 100, table.sum(axis=-1), minimum)


def sex_ratio_score(males: npt.ArrayLike, females: npt.ArrayLike, *, minimum: float = 1) -> QualityIndex:
    """Mean absolute step of the sex ratio from one age group to the next. Source: United Nations (1952)."""
    events = np.asarray(males, dtype=float).sum(axis=-1) + np.asarray(females, dtype=float).sum(axis=-1)
    return _mean_deviation(np.diff(sex_ratios(males, females), axis=-1), events, minimum)


def age_sex_accuracy_index(males: npt.ArrayLike, females: npt.ArrayLike, *, minimum: float = 1) -> QualityIndex:
    """United Nations age-sex accuracy index: 3 × sex ratio score + age ratio scores of both sexes.

    males, females : (…, five-year groups) of equal width, without the open group. Under 20 accurate, 20–40 inaccurate,
    over 40 highly inaccurate. Source: United Nations, Population Bulletin 2 (1952): 59–79.
    """
    parts = [
        sex_ratio_score(males, females, minimum=minimum),
        age_ratio_score(males, minimum=minimum),
        age_ratio_score(females, minimum=minimum),
    ]
    return _together(parts, 3 * parts[0].value + parts[1].value + parts[2].value)


# ----------------------------------------------------------------------------------------------- helpers


def _table(counts: npt.ArrayLike, ages: npt.ArrayLike | None) -> tuple[Numbers, Numbers]:
    table = np.asarray(counts, dtype=float)
    years = np.arange(table.shape[-1], dtype=float) if ages is None else np.asarray(ages, dtype=float)
    if len(years) != table.shape[-1]:
        raise InputError("error.age_axis", found=len(years), expected=table.shape[-1])
    if (table < 0).any() or np.isnan(table).any():
        raise InputError("error.age_counts")
    return table, years


def _ending_in(ages: npt.NDArray[np.int_], digits: Sequence[int]) -> npt.NDArray[np.int_]:
    return ages[np.isin(ages % PERIOD, digits)]


def _has(years: Numbers, wanted: npt.NDArray[np.int_]) -> bool:
    return bool(np.isin(wanted, years).all())


def _places(years: Numbers, wanted: npt.NDArray[np.int_]) -> npt.NDArray[np.int_]:
    place = {int(age): number for number, age in enumerate(years)}
    return np.array([place[int(age)] for age in wanted], dtype=int)


def _sum(table: Numbers, years: Numbers, wanted: npt.NDArray[np.int_]) -> Numbers:
    return table[..., _places(years, wanted)].sum(axis=-1)


def _whole_decades(first_age: int, last_age: int) -> int:
    return last_age - (last_age - first_age + 1) % PERIOD


def _ratio(over: Numbers, under: Numbers) -> Numbers:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(under > 0, over / np.where(under > 0, under, 1.0), np.nan)


def _without_ages(table: Numbers) -> QualityIndex:
    shape = table.shape[:-1]
    return QualityIndex(
        np.full(shape, np.nan), np.full(shape, NOT_ASSESSABLE), np.full(shape, NO_AGES), np.zeros(shape)
    )


def _result(value: Numbers, events: Numbers, minimum: float) -> QualityIndex:
    value, events = np.asarray(value, dtype=float), np.asarray(events, dtype=float)
    reason = np.select([~np.isfinite(value), events < minimum], [NO_EVENTS, TOO_FEW], "")
    status = np.where(reason == "", OK, NOT_ASSESSABLE)
    return QualityIndex(np.where(reason == "", value, np.nan), status, reason, events)


def _mean_deviation(steps: Numbers, events: Numbers, minimum: float) -> QualityIndex:
    if steps.shape[-1] == 0:
        return _without_ages(np.zeros((*steps.shape[:-1], 1)))
    return _result(np.abs(steps).mean(axis=-1), events, minimum)


def _together(parts: Sequence[QualityIndex], value: Numbers) -> QualityIndex:
    """One index out of several: assessable where all of its parts are; the first reason otherwise."""
    reason = parts[0].reason
    for part in parts[1:]:
        reason = np.where(reason == "", part.reason, reason)
    status = np.where(reason == "", OK, NOT_ASSESSABLE)
    return QualityIndex(
        np.where(reason == "", value, np.nan), status, reason, np.sum([part.events for part in parts], axis=0)
    )
