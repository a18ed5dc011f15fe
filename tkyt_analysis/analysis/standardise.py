"""Age standardisation: direct (one standard population) and indirect (one set of reference rates).

Array-based over many groups at once. Formulae: Dobson et al. 1991; Fay & Feuer 1997; Tiwari, Clegg & Zou 2006;
Breslow & Day 1987.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.rates import Numbers, byar_limits, poisson_limits, rate_table
from tkyt_analysis.errors import InputError, UsageError

METHODS = ("dobson", "fay_feuer", "tiwari")


def directly_standardised_rate(
    events_by_age: pd.DataFrame,
    by: Sequence[str],
    *,
    method: str = "dobson",
    per: float = 100_000,
    confidence: float = 0.95,
    minimum_events: float = 0,
) -> pd.DataFrame:
    """Directly age-standardised rate with confidence limits.

    Each area's own age-specific rates are re-weighted to one standard population, so that an older and a
    younger province can be compared.

    Parameters
    ----------
    events_by_age : one row per `by` and age_group, with columns
        events                count, >= 0 (deaths, cases, admissions)
        person_years          > 0: mid-year population x years observed
        standard_population   weight of the age group, any scale; joined by age_group
    by : the columns that name one rate, e.g. ["province_code", "year", "sex"]
    method : "dobson" (Byar's limits of the total count), "fay_feuer" (gamma), "tiwari" (modified gamma)
    per : rates are per this many person-years
    confidence : two-sided level of the limits, between 0 and 1
    minimum_events : with fewer events the rate is not assessable (PHE/OHID use 10)

    Returns
    -------
    One row per `by`, sorted: events, person_years, rate, lower, upper [events per `per`], method, status, reason.
    `not_assessable` where an age group that another area has is absent, has no person-years or no usable count, or
    where there are too few events. Without any event Dobson has no limits: rate 0, status not_assessable; the
    gamma methods have. Small counts are suppressed where results leave the system, not here.

    References
    ----------
    Dobson et al., Stat Med 1991;10:457-62. Fay & Feuer, Stat Med 1997;16:791-801. Tiwari, Clegg & Zou,
    Stat Methods Med Res 2006;15:547-69.
    """
    if method not in METHODS:
        raise UsageError("error.standardisation_method_unknown", value=method, known=", ".join(METHODS))
    keys, parts = _sum_by_group(events_by_age, list(by))
    reason = np.where(
        parts.reason != "", parts.reason, np.where(parts.events < minimum_events, "reason.too_few_events", "")
    )
    lower, upper = _dobson(parts, confidence) if method == "dobson" else _gamma(parts, method, confidence)
    usable = reason == ""
    if method == "dobson":
        reason = np.where(usable & (parts.events == 0), "reason.no_events_no_limits", reason)
    scaled = [np.where(usable, per * values, np.nan) for values in (parts.rate, lower, upper)]
    columns = {"events": parts.events, "person_years": parts.person_years}
    columns |= dict(zip(("rate", "lower", "upper"), scaled, strict=True))
    return pd.concat([keys, rate_table(columns, method=method, reason=reason)], axis="columns")


@dataclass(frozen=True)
class _Sums:
    """Sums over age groups, one element per group. w = weight / person_years / sum of weights."""

    events: Numbers
    person_years: Numbers
    rate: Numbers  # sum of w * events
    variance: Numbers  # sum of w² * events
    largest: Numbers  # max of w
    mean: Numbers  # mean of w
    mean_square: Numbers  # mean of w²
    reason: npt.NDArray[np.str_]


def _sum_by_group(table: pd.DataFrame, by: list[str]) -> tuple[pd.DataFrame, _Sums]:
    _require_columns(table, [*by, "age_group", "events", "person_years", "standard_population"])
    group, keys = _groups(table, by)
    events, persons, standard = (
        table[name].to_numpy(dtype=float, na_value=np.nan) for name in ("events", "person_years", "standard_population")
    )
    if not (standard >= 0).all() or np.isinf(standard).any():
        raise InputError("error.standard_weight_missing", rows=int((~(standard >= 0)).sum()))
    n = len(keys)
    reason = _reasons(table, group, n, events, persons, standard)
    weights = _total(standard, group, n)
    counted = (persons > 0) & (events >= 0) & np.isfinite(persons) & np.isfinite(events)
    share = np.divide(standard, weights[group], out=np.zeros_like(standard), where=weights[group] > 0)
    w = np.divide(share, persons, out=np.zeros_like(standard), where=counted)
    x = np.where(counted, events, 0.0)
    largest = np.zeros(n)
    np.maximum.at(largest, group, w)
    bands = _total(np.ones_like(w), group, n)
    return keys, _Sums(
        events=_total(events, group, n),
        person_years=_total(persons, group, n),
        rate=_total(w * x, group, n),
        variance=_total(w**2 * x, group, n),
        largest=largest,
        mean=_total(w, group, n) / bands,
        mean_square=_total(w**2, group, n) / bands,
        reason=reason,
    )


def _total(values: Numbers, group: npt.NDArray[np.intp], n: int) -> Numbers:
    """The sum of the values in each of `n` groups."""
    return np.bincount(group, values, n).astype(float)


def _groups(table: pd.DataFrame, by: list[str]) -> tuple[npt.NDArray[np.intp], pd.DataFrame]:
    """Number of each row's group, and the sorted keys of the groups."""
    if not by:
        return np.zeros(len(table), dtype=np.intp), pd.DataFrame(index=range(min(len(table), 1)))
    grouped = table.groupby(by, observed=True, sort=True, dropna=False)
    group = grouped.ngroup().to_numpy()
    _, first = np.unique(group, return_index=True)
    return group, table[by].iloc[first].reset_index(drop=True)


def _reasons(
    table: pd.DataFrame, group: npt.NDArray[np.intp], n: int, events: Numbers, persons: Numbers, standard: Numbers
) -> npt.NDArray[np.str_]:
    """Why a group has no rate: the first that applies of weights, counts, person-years, absent age groups."""
    age, ages = pd.factorize(table["age_group"])
    if len(np.unique(group * len(ages) + age)) < len(table) or (age < 0).any():
        raise InputError("error.age_group_repeated", columns="age_group")
    weighted = standard > 0

    def any_in_group(rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        return np.bincount(group, rows, n) > 0

    return np.select(
        [
            _total(standard, group, n) == 0,
            any_in_group(~((events >= 0) & np.isfinite(events))),
            any_in_group((~(persons > 0) | np.isinf(persons)) & (weighted | (events > 0))),
            np.bincount(group, minlength=n) < len(ages),
        ],
        ["reason.no_weights", "reason.events_missing", "reason.no_person_years_in_age_group",
         "reason.age_group_absent"],
        default="",
    )  # fmt: skip


def _dobson(parts: _Sums, confidence: float) -> tuple[Numbers, Numbers]:
    low, high = byar_limits(parts.events, confidence)
    some = parts.events > 0
    spread = np.sqrt(np.divide(parts.variance, parts.events, out=np.full_like(parts.rate, np.nan), where=some))
    return parts.rate + spread * (low - parts.events), parts.rate + spread * (high - parts.events)


def _gamma(parts: _Sums, method: str, confidence: float) -> tuple[Numbers, Numbers]:
    """Gamma limits: the upper one adds one event of the largest (Fay-Feuer) or mean (Tiwari) weight."""
    y, v = parts.rate, parts.variance
    add, add_square = (parts.largest, parts.largest**2) if method == "fay_feuer" else (parts.mean, parts.mean_square)
    tail = (1 - confidence) / 2
    return np.where(y > 0, _gamma_quantile(tail, y, v), 0.0), _gamma_quantile(1 - tail, y + add, v + add_square)


def _gamma_quantile(p: float, mean: Numbers, variance: Numbers) -> Numbers:
    from scipy.special import gammaincinv

    known = (mean > 0) & (variance > 0)
    m, v = np.where(known, mean, 1.0), np.where(known, variance, 1.0)
    return np.where(known, gammaincinv(m**2 / v, p) * v / m, np.nan)


# ---- indirect


def expected_events(events_by_age: pd.DataFrame) -> pd.DataFrame:
    """Events expected in each row if the reference rates held: adds `observed` and `expected`.

    events_by_age : events, person_years, reference_events, reference_person_years per row (joined by age_group).
    Person-years of 0 expect 0 events; a reference group without person-years has no rate, so `expected` is missing.
    """
    _require_columns(events_by_age, ["events", "person_years", "reference_events", "reference_person_years"])
    reference = events_by_age["reference_person_years"].astype(float)
    rate = events_by_age["reference_events"] / reference.where(reference > 0)
    expected = (events_by_age["person_years"] * rate).mask(events_by_age["person_years"] == 0, 0.0)
    return events_by_age.assign(observed=events_by_age["events"], expected=expected)


def indirectly_standardised_ratio(
    observed_expected: pd.DataFrame,
    by: Sequence[str],
    *,
    per: float = 1,
    confidence: float = 0.95,
    limits: str = "byar_exact",
) -> pd.DataFrame:
    """Observed over expected events (SMR) with Poisson limits of the observed count.

    Parameters
    ----------
    observed_expected : one row per `by` (and any age group), with columns observed, expected: see `expected_events`.
        Where only the area's total is known, `observed` may stand on one of its rows and be 0 on the others.
    by : the columns that name one ratio
    per : 1 for a ratio, 100 for the usual SMR; the reference's crude rate gives the indirectly standardised rate
    limits : "byar_exact" (exact below 10 observed), "byar", "exact"

    Returns
    -------
    One row per `by`, sorted: observed, expected, ratio, lower, upper, method, status, reason. Not assessable where
    nothing is expected or a count is missing.
    """
    _require_columns(observed_expected, [*by, "observed", "expected"])
    group, keys = _groups(observed_expected, list(by))
    observed, expected = (
        _total(observed_expected[name].to_numpy(dtype=float, na_value=np.nan), group, len(keys))
        for name in ("observed", "expected")
    )
    reason = np.select(
        [~(observed >= 0), np.isnan(expected) | (expected < 0), expected == 0],
        ["reason.events_missing", "reason.expected_missing", "reason.nothing_expected"],
        default="",
    )
    usable = reason == ""
    counts, divisor = np.where(usable, observed, 0.0), np.where(usable, expected, 1.0)
    low, high, method = poisson_limits(counts, confidence=confidence, limits=limits)
    scaled = [np.where(usable, per * part / divisor, np.nan) for part in (counts, low, high)]
    columns = {"observed": observed, "expected": expected}
    columns |= dict(zip(("ratio", "lower", "upper"), scaled, strict=True))
    return pd.concat([keys, rate_table(columns, method=method, reason=reason)], axis="columns")


def _require_columns(table: pd.DataFrame, names: Sequence[str]) -> None:
    missing = [name for name in names if name not in table.columns]
    if missing:
        found = ", ".join(map(str, table.columns))
        raise InputError("error.rate_columns_missing", missing=", ".join(missing), found=found)
