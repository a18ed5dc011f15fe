"""Indirect age standardisation: one set of reference rates; what would be expected, and how many were observed.

Breslow & Day, Statistical Methods in Cancer Research, vol. II, IARC 1987.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.groups import as_table, column, group_sum, groups, names_of, require_columns
from tkyt_analysis.analysis.limits import Numbers, poisson_limits
from tkyt_analysis.analysis.rates import rate_table
from tkyt_analysis.errors import InputError

_REFERENCE = ["reference_events", "reference_person_years"]


def expected_events(events_by_age: pd.DataFrame, reference: pd.DataFrame | None = None) -> pd.DataFrame:
    """Events expected in each row if the reference rates held: adds `observed` (where there are events) and `expected`.

    Parameters
    ----------
    events_by_age : person_years, perhaps events, per row; without `reference` also reference_events and
        reference_person_years (joined by age_group)
    reference : one row per age_group: events, person_years of the reference population

    Person-years of 0 expect 0 events; a reference group without person-years has no rate, so `expected` is missing.
    Raises InputError for age groups that the reference does not have.
    """
    table = events_by_age if reference is None else with_reference(events_by_age, reference)
    require_columns(table, ["person_years", *_REFERENCE])
    of_reference = table["reference_person_years"].astype(float)
    rate = table["reference_events"] / of_reference.where(of_reference > 0)
    expected = (table["person_years"] * rate).mask(table["person_years"] == 0, 0.0)
    observed = {"observed": table["events"]} if "events" in table else {}
    return table.assign(**observed, expected=expected)


def with_reference(events_by_age: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """The table with reference_events and reference_person_years, joined by age_group."""
    require_columns(events_by_age, ["age_group"])
    require_columns(reference, ["age_group", "events", "person_years"])
    if reference["age_group"].duplicated().any():
        raise InputError("error.age_group_repeated", columns="age_group")
    absent = ~events_by_age["age_group"].isin(reference["age_group"])
    if absent.any():
        wanted = ", ".join(map(str, events_by_age.loc[absent, "age_group"].unique()))
        raise InputError("error.reference_ages", wanted=wanted, found=", ".join(map(str, reference["age_group"])))
    named = reference.set_index("age_group")[["events", "person_years"]].astype(float)
    return events_by_age.assign(
        reference_events=events_by_age["age_group"].map(named["events"]),
        reference_person_years=events_by_age["age_group"].map(named["person_years"]),
    )


def indirectly_standardised_ratio(
    observed_expected: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    per: float = 1,
    confidence: float = 0.95,
    limits: str = "byar_exact",
    observed_totals: pd.DataFrame | None = None,
    reference: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Observed over expected events (SMR) with Poisson limits of the observed count.

    Parameters
    ----------
    observed_expected : one row per `by` (and any age group), with columns observed, expected; or, as in `expected_events`,
        events, person_years and the reference (its two columns, or the table `reference`), from which they are worked out
    by : the columns that name one ratio
    per : 1 for a ratio, 100 for the usual SMR; the reference's crude rate gives the indirectly standardised rate
    limits : "byar_exact" (exact below 10 observed), "byar", "exact", "midp", "lognormal" (epitools), "normal"
    observed_totals : `by`, observed: where ages of the events are unknown, one total per ratio; `observed` of the
        first table is then not needed

    Returns
    -------
    One row per `by`, sorted: observed, expected, ratio, lower, upper, method, status, reason. Not assessable where
    nothing is expected or a count is missing.
    """
    observed_expected = as_table(observed_expected)
    if "expected" not in observed_expected and "person_years" in observed_expected:
        observed_expected = expected_events(observed_expected, reference)
    columns = ["expected"] if observed_totals is not None else ["observed", "expected"]
    names = names_of(by)
    require_columns(observed_expected, [*names, *columns])
    group, keys = groups(observed_expected, names)
    expected = group_sum(column(observed_expected, "expected"), group, len(keys))
    if observed_totals is None:
        observed = group_sum(column(observed_expected, "observed"), group, len(keys))
    else:
        observed = _totals(keys, observed_totals, names)
    return pd.concat([keys, _ratio(observed, expected, per, confidence, limits)], axis="columns")


def indirectly_standardised_rate(
    events_by_age: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    reference: pd.DataFrame | None = None,
    per: float = 100_000,
    confidence: float = 0.95,
    limits: str = "byar_exact",
    observed_totals: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The reference's crude rate × observed / expected: the crude rate of the reference with the area's mortality.

    Parameters
    ----------
    events_by_age : one row per `by` and age_group: person_years, events (not needed with `observed_totals`); without
        `reference` also reference_events and reference_person_years. Age groups without person-years expect nothing.
    reference : age_group, events, person_years of the reference population
    by, per, confidence, limits, observed_totals : as in `indirectly_standardised_ratio`

    Returns
    -------
    One row per `by`, sorted: observed, expected, reference_rate, rate, lower, upper [per `per`], method, status, reason.
    """
    cells = expected_events(as_table(events_by_age), reference)
    ratio = indirectly_standardised_ratio(
        cells, by, confidence=confidence, limits=limits, observed_totals=observed_totals
    )
    crude = per * _reference_rate(cells, names_of(by), reference)
    found = ratio.rename(columns={"ratio": "rate"})
    found.insert(found.columns.get_loc("rate"), "reference_rate", crude)
    return found.assign(**{name: found[name] * crude for name in ("rate", "lower", "upper")})


def _reference_rate(cells: pd.DataFrame, by: list[str], reference: pd.DataFrame | None) -> Numbers:
    """Crude rate of the reference, per person-year, for each group."""
    group, keys = groups(cells, by)
    if reference is not None:
        return np.full(len(keys), reference["events"].sum() / reference["person_years"].sum())
    events, persons = (group_sum(column(cells, name), group, len(keys)) for name in _REFERENCE)
    return np.divide(events, persons, out=np.full(len(keys), np.nan), where=persons > 0)


def _totals(keys: pd.DataFrame, observed_totals: pd.DataFrame, by: list[str]) -> Numbers:
    require_columns(observed_totals, [*by, "observed"])
    if observed_totals.duplicated(by).any():
        raise InputError("error.observed_totals_repeated", columns=", ".join(by))
    joined = keys.merge(observed_totals[[*by, "observed"]], on=by, how="left", validate="one_to_one")
    return joined["observed"].to_numpy(dtype=float, na_value=np.nan)


def _ratio(observed: Numbers, expected: Numbers, per: float, confidence: float, limits: str) -> pd.DataFrame:
    reason: npt.NDArray[np.str_] = np.select(
        [~(observed >= 0) | np.isinf(observed), np.isnan(expected) | (expected < 0), expected == 0],
        ["reason.events_missing", "reason.expected_missing", "reason.nothing_expected"],
        default="",
    )
    usable = reason == ""
    counts, divisor = np.where(usable, observed, 0.0), np.where(usable, expected, 1.0)
    low, high, method = poisson_limits(counts, confidence=confidence, limits=limits)
    reason = np.where(usable & np.isnan(low + high), "reason.no_events_no_limits", reason)
    columns = {"observed": observed, "expected": expected}
    for name, values in (("ratio", counts), ("lower", low), ("upper", high)):
        columns[name] = np.where(usable, per * values / divisor, np.nan)
    return rate_table(columns, method=method, reason=reason)
