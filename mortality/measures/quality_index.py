"""What every index of age quality answers with, and the arithmetic that they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.ages import parse_band

Numbers = npt.NDArray[np.float64]
OK, NOT_ASSESSABLE = "ok", "not_assessable"
NO_EVENTS, NO_AGES = "reason.no_events_in_range", "reason.ages_absent"
TOO_FEW = "reason.too_few_events_for_index"
PERIOD = 10


@dataclass(frozen=True)
class QualityIndex:
    """value, status ("ok" | "not_assessable"), reason ("" or a label key), the events that the index rests on, each with the
    shape of the populations, and method (a text that names the index and its options)."""

    value: Numbers
    status: npt.NDArray[np.str_]
    reason: npt.NDArray[np.str_]
    events: Numbers
    method: str = ""


def by_age(counts: npt.ArrayLike, ages: npt.ArrayLike | None) -> tuple[Numbers, Numbers]:
    """Counts as floats and the ages of their last axis; InputError for a wrong axis or counts that are none."""
    table = count_array(counts)
    years = np.arange(table.shape[-1], dtype=float) if ages is None else lower_ends(ages)
    if len(years) != table.shape[-1]:
        raise InputError("error.age_axis", found=len(years), expected=table.shape[-1])
    return table, years


def count_array(counts: npt.ArrayLike) -> Numbers:
    """Counts as floats with an axis of ages; InputError for words, missing, negative or infinite counts, and a single number."""
    try:
        table = np.asarray(counts, dtype=float)
    except (TypeError, ValueError):
        raise InputError("error.age_counts") from None
    if table.ndim == 0:
        raise InputError("error.age_axis", found=0, expected=1)
    if not ((table >= 0) & (table < np.inf)).all():
        raise InputError("error.age_counts")
    return table


def counts_alike(males: npt.ArrayLike, females: npt.ArrayLike) -> tuple[Numbers, Numbers]:
    """Both sexes as arrays over the same age groups; InputError where they differ in length."""
    men, women = count_array(males), count_array(females)
    if men.shape[-1] != women.shape[-1]:
        raise InputError("error.age_axis", found=women.shape[-1], expected=men.shape[-1])
    return men, women


def lower_ends(ages: npt.ArrayLike) -> Numbers:
    """Lower ends of ages or age groups, given as numbers or as labels ("5-9", "80+")."""
    try:
        return np.asarray(ages, dtype=float)
    except (TypeError, ValueError):
        return np.array([parse_band(str(age))[0] for age in np.asarray(ages, dtype=object)], dtype=float)


def ending_in(ages: npt.NDArray[np.int_], digits: Sequence[int]) -> npt.NDArray[np.int_]:
    """Those of the ages that end in one of the digits."""
    return ages[np.isin(ages % PERIOD, digits)]


def has_ages(years: Numbers, wanted: npt.NDArray[np.int_]) -> bool:
    """Whether all wanted ages are there."""
    return bool(np.isin(wanted, years).all())


def places(years: Numbers, wanted: npt.NDArray[np.int_]) -> npt.NDArray[np.int_]:
    """Where the wanted ages stand on the axis."""
    place = {int(age): number for number, age in enumerate(years)}
    return np.array([place[int(age)] for age in wanted], dtype=int)


def age_sum(table: Numbers, years: Numbers, wanted: npt.NDArray[np.int_]) -> Numbers:
    """Sum over the wanted ages."""
    return table[..., places(years, wanted)].sum(axis=-1)


def whole_decades(first_age: int, last_age: int) -> int:
    """The last age of a range cut to whole decades."""
    return last_age - (last_age - first_age + 1) % PERIOD


def ratio(over: Numbers, under: Numbers) -> Numbers:
    """over / under; NaN where under is not above 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(under > 0, over / np.where(under > 0, under, 1.0), np.nan)


def without_ages(table: Numbers, method: str = "") -> QualityIndex:
    """Not assessable: the ages are not there."""
    shape = table.shape[:-1]
    return QualityIndex(
        np.full(shape, np.nan), np.full(shape, NOT_ASSESSABLE), np.full(shape, NO_AGES), np.zeros(shape), method
    )


def index_of(value: Numbers, events: Numbers, minimum: float, method: str = "") -> QualityIndex:
    """An index with its status; not assessable where it is no number or rests on too few events."""
    value, events = np.asarray(value, dtype=float), np.asarray(events, dtype=float)
    reason = np.select([~np.isfinite(value), events < minimum], [NO_EVENTS, TOO_FEW], "")
    status = np.where(reason == "", OK, NOT_ASSESSABLE)
    return QualityIndex(np.where(reason == "", value, np.nan), status, reason, events, method)


def mean_deviation(steps: Numbers, events: Numbers, minimum: float, method: str = "") -> QualityIndex:
    """Mean of the absolute steps along the last axis, as an index."""
    if steps.shape[-1] == 0:
        return without_ages(np.zeros((*steps.shape[:-1], 1)), method)
    return index_of(np.abs(steps).mean(axis=-1), events, minimum, method)


def together(parts: Sequence[QualityIndex], value: Numbers, method: str = "") -> QualityIndex:
    """One index out of several: assessable where all of its parts are; the first reason otherwise."""
    reason = parts[0].reason
    for part in parts[1:]:
        reason = np.where(reason == "", part.reason, reason)
    status = np.where(reason == "", OK, NOT_ASSESSABLE)
    return QualityIndex(
        np.where(reason == "", value, np.nan), status, reason, np.sum([part.events for part in parts], axis=0), method
    )


def index_name(index: str, first_age: int, last_age: int, digits: Sequence[int] = ()) -> str:
    """The index with its ages and digits: "whipple;ages=25-60;digits=0,5"."""
    return f"{index};ages={first_age}-{last_age}" + (f";digits={','.join(map(str, digits))}" if len(digits) else "")
