"""How well ages were written down: indices of digit preference (heaping).

All functions take counts as arrays whose last axis is age, any number of populations before it, and answer for all of
them at once. A population for which an index means nothing (an age range without events, ages that are not there) has
the status "not_assessable" and a reason (label key), never a silent NaN; its value is NaN. Indices of age and sex together
(age and sex ratios, accuracy indices) stand in `age_sex_accuracy` and can be imported from here too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mortality.measures.age_quality_old_ages import coale_li, jdanov, kannisto
from mortality.measures.age_sex_accuracy import (
    age_ratio_score,
    age_ratios,
    age_sex_accuracy_index,
    das_gupta_index,
    sex_ratio_score,
    sex_ratios,
)
from mortality.measures.quality_index import (
    NOT_ASSESSABLE,
    OK,
    PERIOD,
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
    together,
    whole_decades,
    without_ages,
)
from tkyt_analysis.errors import UsageError

__all__ = [
    "NOT_ASSESSABLE", "OK", "QualityIndex", "age_ratio_score", "age_ratios", "age_sex_accuracy_index", "bachi", "coale_li",
    "das_gupta_index", "jdanov", "kannisto", "myers", "myers_digits", "myers_sums", "noumbissi", "sawtooth", "sex_ratio_score",
    "sex_ratios", "spoorenberg", "whipple",
]  # fmt: skip


def whipple(
    counts: npt.ArrayLike,
    *,
    ages: npt.ArrayLike | None = None,
    first_age: int = 25,
    last_age: int = 60,
    digits: int | Sequence[int] = (0, 5),
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
    table, years = by_age(counts, ages)
    digits = (digits,) if isinstance(digits, int) else tuple(digits)
    wanted = ending_in(np.arange(first_age, last_age + 1), digits)
    if not len(wanted):
        return without_ages(table, index_name("whipple", first_age, last_age, digits))
    base = np.arange(wanted[0] - (7 if len(digits) == 1 else 2), wanted[-1] + 3)
    if not has_ages(years, base):
        return without_ages(table)
    events = age_sum(table, years, base)
    share = ratio(age_sum(table, years, wanted), events)
    return index_of(
        100 * PERIOD / len(digits) * share, events, minimum, index_name("whipple", first_age, last_age, digits)
    )


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
    table, years = by_age(counts, ages)
    centres = ending_in(np.arange(first_age, last_age + 1), (digit,))
    if not has_ages(years, np.arange(centres[0] - 2, centres[-1] + 3)):
        return without_ages(table)
    around = np.sum([age_sum(table, years, centres + step) for step in range(-2, 3)], axis=0)
    value = 5 * ratio(age_sum(table, years, centres), around)
    return index_of(value, around, minimum, index_name("noumbissi", first_age, last_age, (digit,)))


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
    value = np.sum([np.abs(part.value - 1) for part in parts], axis=0)
    return together(parts, value, index_name("spoorenberg", first_age, last_age))


def myers(
    counts: npt.ArrayLike,
    *,
    ages: npt.ArrayLike | None = None,
    first_age: int = 10,
    last_age: int = 89,
    first_run: str = "staggered",
    minimum: float = 1,
) -> QualityIndex:
    """Myers' blended index: per cent of events that would have to change their last digit, 0 to 90.

    Sums by digit over [first_age, last_age − 10] and over [first_age + 10, last_age], blended with the weights 1…10 and
    9…0 so that mortality from one decade to the next does not look like preference; half the sum of |share − 10 %|.
    The range is cut to whole decades (10–89 uses 10–79 and 20–89).
    first_run : "staggered" (without the last decade: 10–79), "whole" (10–89: the US Census Bureau's sheet SINGAGE)
    Source: Myers, Transactions of the Actuarial Society of America 41 (1940): 395–415; half sum as in the PAS of the US
    Census Bureau (other books give the full sum, twice as much).
    """
    table, years = by_age(counts, ages)
    used = np.arange(first_age, whole_decades(first_age, last_age) + 1)
    if not has_ages(years, used):
        return without_ages(table)
    shares = myers_digits(counts, ages=ages, first_age=first_age, last_age=last_age, first_run=first_run)
    events = age_sum(table, years, used)
    value = np.abs(shares - 100 / PERIOD).sum(axis=-1) / 2
    return index_of(
        value, events, minimum, index_name("myers", first_age, int(used[-1])) + _other(first_run, "staggered")
    )


def myers_digits(
    counts: npt.ArrayLike,
    *,
    ages: npt.ArrayLike | None = None,
    first_age: int = 10,
    last_age: int = 89,
    first_run: str = "staggered",
) -> Numbers:
    """Blended share of each last digit 0…9 in per cent (…, 10); NaN without events or ages."""
    blended = myers_sums(counts, ages=ages, first_age=first_age, last_age=last_age, first_run=first_run)
    return 100 * ratio(blended, blended.sum(axis=-1)[..., None])


def myers_sums(
    counts: npt.ArrayLike,
    *,
    ages: npt.ArrayLike | None = None,
    first_age: int = 10,
    last_age: int = 89,
    first_run: str = "staggered",
) -> Numbers:
    """Myers' blended sums by last digit 0…9, (…, 10)."""
    if first_run not in ("staggered", "whole"):
        raise UsageError("error.myers_first_run", value=first_run, known="staggered, whole")
    table, years = by_age(counts, ages)
    last = whole_decades(first_age, last_age)
    if not has_ages(years, np.arange(first_age, last + 1)):
        return np.full((*table.shape[:-1], PERIOD), np.nan)
    whole = table[..., places(years, np.arange(first_age, last + 1))]
    decades = whole.reshape(*whole.shape[:-1], -1, PERIOD)
    weight = np.arange(1, PERIOD + 1)
    first = decades if first_run == "whole" else decades[..., :-1, :]
    blended = weight * first.sum(axis=-2) + (PERIOD - weight) * decades[..., 1:, :].sum(axis=-2)
    return np.roll(blended, first_age % PERIOD, axis=-1)


def bachi(
    counts: npt.ArrayLike,
    *,
    ages: npt.ArrayLike | None = None,
    first_age: int = 23,
    last_age: int = 77,
    shares_of: str = "mean_share",
    minimum: float = 1,
) -> QualityIndex:
    """Bachi's index: Whipple's idea for each digit, as the sum of positive deviations from 10 per cent, 0 to 90.

    The share of a digit is the mean of its shares in two runs of whole decades, one starting on an age of the same last
    digit modulo five in [first_age, first_age + 4], one a year later (23–77: 50 years each).
    shares_of : "mean_share" (the mean of both shares), "pooled" (both runs added up; the US Census Bureau's PAS)
    Source: Bachi, Bulletin of the International Statistical Institute 33 (1951): 195–222, as described by Shryock & Siegel.
    """
    if shares_of not in ("mean_share", "pooled"):
        raise UsageError("error.bachi_shares", value=shares_of, known="mean_share, pooled")
    table, years = by_age(counts, ages)
    length = last_age - first_age - 4
    length -= length % PERIOD
    if length < PERIOD or not has_ages(years, np.arange(first_age, first_age + 4 + length + 1)):
        return without_ages(table)
    pooled = shares_of == "pooled"
    shares = [_bachi_share(table, years, digit, first_age, length, pooled=pooled) for digit in range(PERIOD)]
    events = age_sum(table, years, np.arange(first_age, first_age + 4 + length + 1))
    value = 100 * np.abs(np.stack(shares, axis=-1) - 1 / PERIOD).sum(axis=-1) / 2
    return index_of(value, events, minimum, index_name("bachi", first_age, last_age) + _other(shares_of, "mean_share"))


def _bachi_share(table: Numbers, years: Numbers, digit: int, first_age: int, length: int, *, pooled: bool) -> Numbers:
    start = next(age for age in range(first_age, first_age + 5) if age % 5 == digit % 5)
    runs = [np.arange(begin, begin + length) for begin in (start, start + 1)]
    over = [age_sum(table, years, ending_in(run, (digit,))) for run in runs]
    under = [age_sum(table, years, run) for run in runs]
    if pooled:
        return ratio(over[0] + over[1], under[0] + under[1])
    return np.mean([ratio(one, other) for one, other in zip(over, under, strict=True)], axis=0)


def sawtooth(
    counts: npt.ArrayLike,
    *,
    ages: npt.ArrayLike | None = None,
    first_age: int = 40,
    last_age: int | None = None,
    minimum: float = 1,
) -> QualityIndex:
    """Whether ages ending in 0 attract more than those ending in 5: five-year groups from 0 stand above their neighbours and
    those from 5 below them. Mean ratio to the neighbours' mean of the groups from 0, over that of the groups from 5; 1
    without the pattern.

    counts : (…, ages) by single year from an age that ends in 0; the range is cut to whole decades; last_age (lower end of the
    last group) is by default two groups before the last. Source: Feeney, Population 34 (1979); as in DemoTools.
    """
    table, years = by_age(counts, ages)
    if not len(years):
        return without_ages(table, "sawtooth")
    whole = len(years) - len(years) % 5
    groups, lower = table[..., :whole].reshape(*table.shape[:-1], -1, 5).sum(axis=-1), years[:whole:5]
    # An incomplete last group still is the neighbour of the one before it.
    if whole < len(years):
        rest = table[..., whole:].sum(axis=-1, keepdims=True)
        groups, lower = np.concatenate([groups, rest], axis=-1), np.append(lower, years[whole])
    first = first_age - first_age % PERIOD
    end = lower[-1] - PERIOD if last_age is None else last_age
    inner = np.flatnonzero((lower >= first) & (lower <= end) & (lower > lower[0]) & (lower < lower[-1]))
    inner = inner[: len(inner) - len(inner) % 2]
    words = index_name("sawtooth", first, int(end))
    if not len(inner) or years[0] % PERIOD or (np.diff(years) != 1).any():
        return without_ages(table, words)
    above = ratio(2 * groups[..., inner], groups[..., inner - 1] + groups[..., inner + 1])
    value = ratio(above[..., ::2].mean(axis=-1), above[..., 1::2].mean(axis=-1))
    return index_of(value, groups[..., inner].sum(axis=-1), minimum, words)


def _other(option: str, usual: str) -> str:
    """Names an option that is not the usual one."""
    return "" if option == usual else f";{option}"
