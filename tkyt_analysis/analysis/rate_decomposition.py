"""Kitagawa's decomposition: how much of the difference of two crude rates is mortality, how much is age structure.

Kitagawa, J Am Stat Assoc 1955;50:1168-94; Preston, Heuveline & Guillot, Demography, 2001, box 2.3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.groups import column, groups, names_of, require_columns
from tkyt_analysis.analysis.limits import Numbers, z_value
from tkyt_analysis.analysis.rates import rate_table
from tkyt_analysis.errors import InputError, UsageError

METHODS = ("kitagawa", "interaction")


def kitagawa_decomposition(
    events_by_age: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    population: str = "population",
    between: tuple[str, str] | None = None,
    method: str = "kitagawa",
    per: float = 1_000,
    confidence: float = 0.95,
    by_age: bool = False,
) -> pd.DataFrame:
    """The difference of the crude rates of two populations (first less second) and its parts, for many pairs at once.

    Parameters
    ----------
    events_by_age : one row per `by`, `population` and age_group: events >= 0, person_years > 0
    population : the column that names the two populations (two provinces, two years, two sexes)
    between : (first, second); None: the two values of the column, in the order in which they first stand
    method : "kitagawa": rate effect at the mean composition and composition effect at the mean rates; "interaction": both
        at the second population's, and their interaction (three parts)
    by_age : one row per age_group as well (each age group's share in each part)

    Returns
    -------
    One row per `by` (and age_group) and component: first_rate, second_rate (crude), "component" (difference, rate_effect,
    composition_effect, interaction), value, lower, upper [per `per`], method, status, reason. The parts sum to the
    difference. Limits: Poisson counts, delta method, the compositions taken as known. A pair is not assessable where an
    age group is absent or empty in one of the two, or a count is missing.
    """
    if method not in METHODS:
        raise UsageError("error.kitagawa_method", value=method, known=", ".join(METHODS))
    by = names_of(by)
    require_columns(events_by_age, [*by, population, "age_group", "events", "person_years"])
    first, second = _pair(events_by_age[population], between)
    rows = events_by_age[events_by_age[population].isin([first, second])]
    keys, ages, events, persons = _cells_of(rows, by, rows[population] == second)
    reason = _reasons(events, persons)
    usable = (reason == "")[:, None, None]
    x, n = np.where(usable, events, 0.0), np.where(usable, persons, 1.0)
    parts = _parts(x, n, method)
    return _long(
        keys, ages if by_age else None, parts, per * x.sum(axis=2) / n.sum(axis=2), reason, per, confidence, method
    )


def _pair(names: pd.Series, between: tuple[str, str] | None) -> tuple[object, object]:
    there = list(names.dropna().unique())
    wanted = list(between) if between is not None else there
    if len(wanted) != 2 or any(name not in there for name in wanted):
        found, needed = ", ".join(map(str, there)), ", ".join(map(str, wanted)) if between else "2"
        raise InputError("error.kitagawa_pair", found=found, needed=needed)
    return wanted[0], wanted[1]


def _cells_of(
    rows: pd.DataFrame, by: list[str], is_second: pd.Series
) -> tuple[pd.DataFrame, pd.Index, Numbers, Numbers]:
    """Groups × two populations × ages of events and person-years; NaN where absent."""
    group, keys = groups(rows, by)
    age, ages = pd.factorize(rows["age_group"])
    place = (group * 2 + is_second.to_numpy(int)) * len(ages) + age
    if len(np.unique(place)) < len(place) or (age < 0).any():
        raise InputError("error.age_group_repeated", columns="age_group")
    cells = np.full((2, len(keys) * 2 * len(ages)), np.nan)
    cells[:, place] = column(rows, "events"), column(rows, "person_years")
    events, persons = cells.reshape(2, len(keys), 2, len(ages))
    return keys, pd.Index(ages), events, persons


def _reasons(events: Numbers, persons: Numbers) -> npt.NDArray[np.str_]:
    absent = np.isnan(events) & np.isnan(persons)
    reason: npt.NDArray[np.str_] = np.select(
        [
            absent.any(axis=(1, 2)),
            (~(events >= 0) | np.isinf(events)).any(axis=(1, 2)),
            (~(persons > 0) | np.isinf(persons)).any(axis=(1, 2)),
        ],
        ["reason.age_group_absent", "reason.events_missing", "reason.no_person_years_in_age_group"],
        default="",
    )
    return reason


def _parts(events: Numbers, persons: Numbers, method: str) -> dict[str, tuple[Numbers, Numbers]]:
    """{component: (value, variance)} by group and age; per person-year."""
    rate, share = events / persons, persons / persons.sum(axis=2, keepdims=True)
    noise = events / persons**2
    (m1, m2), (c1, c2), (v1, v2) = (np.moveaxis(part, 1, 0) for part in (rate, share, noise))
    parts = {"difference": (c1 * m1 - c2 * m2, c1**2 * v1 + c2**2 * v2)}
    if method == "kitagawa":
        mean_c, half_c = (c1 + c2) / 2, (c1 - c2) / 2
        parts["rate_effect"] = mean_c * (m1 - m2), mean_c**2 * (v1 + v2)
        parts["composition_effect"] = 2 * half_c * (m1 + m2) / 2, half_c**2 * (v1 + v2)
    else:
        parts["rate_effect"] = c2 * (m1 - m2), c2**2 * (v1 + v2)
        parts["composition_effect"] = (c1 - c2) * m2, (c1 - c2) ** 2 * v2
        parts["interaction"] = (c1 - c2) * (m1 - m2), (c1 - c2) ** 2 * (v1 + v2)
    return parts


def _long(
    keys: pd.DataFrame,
    ages: pd.Index | None,
    parts: dict[str, tuple[Numbers, Numbers]],
    rates: Numbers,
    reason: npt.NDArray[np.str_],
    per: float,
    confidence: float,
    method: str,
) -> pd.DataFrame:
    """One row per group, age group (if asked for) and component."""
    stacked = np.stack([np.stack(pair) for pair in parts.values()], axis=-1)  # value|variance, groups, ages, components
    summed = stacked if ages is not None else stacked.sum(axis=2, keepdims=True)
    n_groups, n_ages, n_parts = summed.shape[1:]
    value, deviation = per * summed[0].ravel(), per * np.sqrt(summed[1].ravel())
    each = np.repeat(np.arange(n_groups), n_ages * n_parts)
    why = reason[each]
    usable, half = why == "", z_value(confidence) * deviation
    head = keys.iloc[each].reset_index(drop=True)
    if ages is not None:
        head = head.assign(age_group=np.tile(np.repeat(ages.to_numpy(), n_parts), n_groups))
    columns = {
        name: np.where(usable, part, np.nan)
        for name, part in (
            ("first_rate", rates[each, 0]), ("second_rate", rates[each, 1]), ("value", value), ("lower", value - half),
            ("upper", value + half),
        )
    }  # fmt: skip
    table = rate_table(columns, method=method, reason=why)
    table.insert(2, "component", np.tile(np.array(list(parts)), n_groups * n_ages))
    return pd.concat([head, table], axis="columns")
