"""Direct age standardisation: one standard population for everybody, many rates at once.

`directly_standardised_rate` takes a table, `directly_standardised_rates` arrays; the indirect method stands in
`tkyt_analysis.analysis.indirect` and can be imported from here too. Limits by name: `direct_limits`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.direct_limits import METHODS as _LIMIT_METHODS
from tkyt_analysis.analysis.direct_limits import WeightedSums, direct_limits, direct_method
from tkyt_analysis.analysis.groups import as_table, column, groups, names_of, require_columns, text_with
from tkyt_analysis.analysis.indirect import (
    expected_events,
    indirectly_standardised_rate,
    indirectly_standardised_ratio,
)
from tkyt_analysis.analysis.limits import LIMITS, Numbers, limits_word
from tkyt_analysis.analysis.rates import rate_table, same_length
from tkyt_analysis.errors import InputError, UsageError

__all__ = [
    "METHODS", "directly_standardised_rate", "directly_standardised_rates", "expected_events",
    "indirectly_standardised_rate", "indirectly_standardised_ratio",
]  # fmt: skip
METHODS = tuple(_LIMIT_METHODS)
REFUSE, DROP = "not_assessable", "drop"


def directly_standardised_rate(
    events_by_age: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    method: str = "dobson",
    per: float = 100_000,
    confidence: float = 0.95,
    minimum_events: float = 0,
    count_limits: str = "byar",
    event_frequency: str | None = None,
    empty_age_groups: str = REFUSE,
    absent_age_groups: str = REFUSE,
) -> pd.DataFrame:
    """Directly age-standardised rate with confidence limits.

    Each area's own age-specific rates are re-weighted to one standard population, so that an older and a
    younger province can be compared.

    Parameters
    ----------
    events_by_age : one row per `by` and age_group (and `event_frequency`), with columns
        events                count, >= 0 (deaths, cases, admissions); fractions allowed
        person_years          > 0: mid-year population x years observed
        standard_population   weight of the age group, any scale; joined by age_group
    by : the columns that name one rate, e.g. ["province_code", "year", "sex"]
    method : "dobson" (limits of the total count), "fay_feuer" (gamma), "tiwari" (modified gamma, SEER*Stat's),
        "gamma_midp" (Fay & Kim), "gamma_mean", "gamma_midrange", "normal", "lognormal", "logit", "beta", "beta_tiwari",
        "bootstrap" (Swift's approximation)
    per : rates are per this many person-years
    confidence : two-sided level of the limits, between 0 and 1
    minimum_events : with fewer events the rate is not assessable (PHE/OHID use 10)
    count_limits : Dobson's limits of the total count: "byar" (PHE/OHID), "exact" (the paper), "midp", "byar_exact"
    event_frequency : the column that says how many events each of the counted persons had; `events` then counts
        persons, and events of one person are not taken for independent (Stukel et al., Stat Med 1994;13:1781-91)
    empty_age_groups : "not_assessable", or "drop": age groups without person-years are left out with their weight
        and their events, and `method` says how many
    absent_age_groups : "not_assessable" where an age group that another area has is absent; "drop": each area is
        standardised over the age groups that it has (rates of all ages and of those under 75 in one call)

    Returns
    -------
    One row per `by`, sorted: events, person_years, rate, lower, upper [events per `per`], method, status, reason.
    `not_assessable` where an age group that another area has is absent, has no person-years or no usable count, or
    where there are too few events. Without any event most methods have no limits: rate 0, status not_assessable; the
    gamma methods have. Small counts are suppressed where results leave the system, not here.

    References
    ----------
    Dobson et al., Stat Med 1991;10:457-62. Fay & Feuer, Stat Med 1997;16:791-801. Tiwari, Clegg & Zou,
    Stat Methods Med Res 2006;15:547-69. Fay & Kim, Biometrical J 2017;59:863-84. Swift, Stat Med 1995;14:1875-88.
    """
    method, count_limits = direct_method(method), limits_word(count_limits)
    _require_options(method, count_limits, empty_age_groups, absent_age_groups)
    events_by_age, names = as_table(events_by_age), names_of(by)
    require_columns(events_by_age, [*names, "age_group", "events", "person_years", "standard_population"])
    keys, cells = _cells_of(events_by_age, names, event_frequency)
    results = _standardise(
        cells, method=method, per=per, confidence=confidence, minimum_events=minimum_events,
        count_limits=count_limits, empty=empty_age_groups, absent=absent_age_groups,
        note="non_independent_events" if event_frequency else "",
    )  # fmt: skip
    return pd.concat([keys, results], axis="columns")


def directly_standardised_rates(
    events: npt.ArrayLike,
    person_years: npt.ArrayLike,
    standard_population: npt.ArrayLike,
    *,
    method: str = "dobson",
    per: float = 100_000,
    confidence: float = 0.95,
    minimum_events: float = 0,
    count_limits: str = "byar",
    empty_age_groups: str = REFUSE,
) -> pd.DataFrame:
    """`directly_standardised_rate` on arrays: the last axis is age, any number of axes before it name the rates.

    events, person_years : (…, ages), broadcast against each other; standard_population : (ages,) or (…, ages)

    Returns
    -------
    One row per rate in the order of the flattened axes; columns as `directly_standardised_rate` without `by`.
    """
    method, count_limits = direct_method(method), limits_word(count_limits)
    _require_options(method, count_limits, empty_age_groups, REFUSE)
    parts = same_length(events=events, person_years=person_years, standard_population=standard_population)
    count, persons, weight = (part.reshape(-1, part.shape[-1]) if part.size else part.reshape(0, 0) for part in parts)
    _require_weights(weight)
    cells = _Cells(count, persons, weight, np.ones(count.shape, bool), count)
    return _standardise(
        cells, method=method, per=per, confidence=confidence, minimum_events=minimum_events,
        count_limits=count_limits, empty=empty_age_groups, absent=REFUSE,
    )  # fmt: skip


@dataclass(frozen=True)
class _Cells:
    """Rates × age groups; `there` is False where the table has no row, `squares` is Σ frequency² · persons."""

    events: Numbers
    person_years: Numbers
    weight: Numbers
    there: npt.NDArray[np.bool_]
    squares: Numbers


def _require_options(method: str, count_limits: str, *handling: str) -> None:
    if method not in METHODS:
        raise UsageError("error.standardisation_method_unknown", value=method, known=", ".join(METHODS))
    if count_limits not in LIMITS:
        raise UsageError("error.limits_unknown", value=count_limits, known=", ".join(LIMITS))
    for value in handling:
        if value not in (REFUSE, DROP):
            raise UsageError("error.age_group_handling_unknown", value=value, known=f"{REFUSE}, {DROP}")


def _require_weights(weight: Numbers) -> None:
    wrong = ~(weight >= 0) | np.isinf(weight)
    if wrong.any():
        raise InputError("error.standard_weight_missing", rows=int(wrong.sum()))


def _cells_of(table: pd.DataFrame, by: list[str], event_frequency: str | None) -> tuple[pd.DataFrame, _Cells]:
    """The table as rates × age groups, and the sorted keys of the rates."""
    if event_frequency is not None:
        table = _by_age(table, by, event_frequency)
    group, keys = groups(table, by)
    age, ages = pd.factorize(table["age_group"])
    shape = (len(keys), len(ages))
    if (age < 0).any():
        raise InputError("error.age_group_repeated", columns="age_group")
    place = group * shape[1] + age
    rows = np.bincount(place, minlength=shape[0] * shape[1])
    if rows.max(initial=0) > 1:
        raise InputError("error.age_group_repeated", columns="age_group")
    in_order = len(table) == len(rows) and bool((place == np.arange(len(place))).all())

    def spread(name: str) -> Numbers:
        values = column(table, name)
        if in_order:
            return values.reshape(shape)
        cells = np.zeros(shape[0] * shape[1])
        cells[place] = values
        return cells.reshape(shape)

    weight = spread("standard_population")
    _require_weights(weight)
    events = spread("events")
    squares = spread("square_events") if event_frequency is not None else events
    return keys, _Cells(events, spread("person_years"), weight, rows.reshape(shape) > 0, squares)


def _by_age(table: pd.DataFrame, by: list[str], event_frequency: str) -> pd.DataFrame:
    """Persons by how many events they had → events and Σ frequency² · persons by age group."""
    require_columns(table, [event_frequency])
    frequency = table[event_frequency].astype(float)
    if not (frequency > 0).all():
        raise InputError("error.event_frequency", column=event_frequency, rows=int((~(frequency > 0)).sum()))
    keys = [*by, "age_group"]
    same = ["person_years", "standard_population"]
    counted = table.assign(events=table["events"] * frequency, square_events=table["events"] * frequency**2)
    grouped = counted.groupby(keys, observed=True, sort=False, dropna=False)
    if not grouped[same].min().equals(grouped[same].max()):
        raise InputError("error.event_frequency_persons", columns=", ".join(same))
    sums = grouped[["events", "square_events"]].sum(min_count=1)
    return sums.join(grouped[same].first()).reset_index()


def _standardise(
    cells: _Cells,
    *,
    method: str,
    per: float,
    confidence: float,
    minimum_events: float,
    count_limits: str,
    empty: str,
    absent: str,
    note: str = "",
) -> pd.DataFrame:
    dropped: npt.NDArray[np.bool_] | None = None
    if _all_usable(cells):
        reason: npt.NDArray[np.str_] = np.where(cells.weight.sum(axis=1) == 0, "reason.no_weights", "")
        sums = _sums_of_usable(cells)
    else:
        counted = (cells.person_years > 0) & np.isfinite(cells.person_years)
        dropped = cells.there & (cells.person_years <= 0) & (empty == DROP)
        reason = _reasons(cells, counted | dropped, refuse_absent=absent == REFUSE)
        sums = _weighted_sums(cells, counted, dropped)
    reason = np.where(reason != "", reason, np.where(sums.events < minimum_events, "reason.too_few_events", ""))
    usable = reason == ""
    lower, upper = direct_limits(sums, method, confidence=confidence, count_limits=count_limits)
    reason = np.where(usable & np.isnan(lower + upper), "reason.no_events_no_limits", reason)
    columns = {"events": sums.events, "person_years": sums.person_years}
    for name, values in (("rate", sums.rate), ("lower", lower), ("upper", upper)):
        columns[name] = np.where(usable, per * values, np.nan)
    words = text_with(method, [f"limits={count_limits}" if method == "dobson" and count_limits != "byar" else "", note])
    return rate_table(columns, method=_with_dropped(words, dropped), reason=reason)


def _with_dropped(words: str, dropped: npt.NDArray[np.bool_] | None) -> npt.ArrayLike:
    """The method of each rate, with the number of age groups that were left out of it."""
    if dropped is None or not dropped.any():
        return words
    number = dropped.sum(axis=1)
    return np.where(number > 0, [text_with(words, [f"empty_age_groups={n}"]) for n in number], words)


def _all_usable(cells: _Cells) -> bool:
    """Whether every cell has events and person-years: the usual case, for which nothing need be sorted out."""
    return bool(
        cells.there.all()
        and (cells.person_years > 0).all()
        and (cells.events >= 0).all()
        and np.isfinite(cells.person_years.sum())
        and np.isfinite(cells.events.sum())
    )


def _sums_of_usable(cells: _Cells) -> WeightedSums:
    total = cells.weight.sum(axis=1, keepdims=True)
    w = cells.weight / np.where(total > 0, total, 1.0)
    w /= cells.person_years
    return WeightedSums(
        w, cells.events, cells.squares, person_years=cells.person_years.sum(axis=1), events=cells.events.sum(axis=1)
    )


def _weighted_sums(cells: _Cells, counted: npt.NDArray[np.bool_], dropped: npt.NDArray[np.bool_]) -> WeightedSums:
    kept = cells.there & ~dropped
    weight = np.where(kept, cells.weight, 0.0)
    total = weight.sum(axis=1, keepdims=True)
    share = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    use = counted & kept & (cells.events >= 0) & np.isfinite(cells.events)
    w = np.divide(share, cells.person_years, out=np.zeros_like(share), where=use)
    x, squares = (np.where(use, values, 0.0) for values in (cells.events, cells.squares))
    return WeightedSums(
        w,
        x,
        squares,
        person_years=np.where(kept, cells.person_years, 0.0).sum(axis=1),
        events=np.where(np.isinf(cells.events), np.nan, np.where(kept, cells.events, 0.0)).sum(axis=1),
        kept=kept,
    )


def _reasons(cells: _Cells, with_persons: npt.NDArray[np.bool_], *, refuse_absent: bool) -> npt.NDArray[np.str_]:
    """Why a rate cannot be told: the first that applies of weights, counts, person-years, absent age groups."""
    there = cells.there
    countable = (cells.events >= 0) & np.isfinite(cells.events)
    nobody = there & ~with_persons & ((cells.weight > 0) | (cells.events > 0))
    return np.select(
        [
            np.where(there, cells.weight, 0.0).sum(axis=1) == 0,
            (there & ~countable).any(axis=1),
            nobody.any(axis=1),
            ~there.all(axis=1) & refuse_absent,
        ],
        ["reason.no_weights", "reason.events_missing", "reason.no_person_years_in_age_group",
         "reason.age_group_absent"],
        default="",
    )  # fmt: skip
