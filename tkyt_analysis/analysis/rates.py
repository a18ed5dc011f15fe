"""Rates with their confidence limits: events over person-years, many at once.

Every function takes arrays of equal length and answers for all rows in one go. A row that cannot be assessed
(no person-years, missing count) says so in `status` and `reason` (a label key); it is never a zero.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import (
    EXACT_BELOW,
    Numbers,
    byar_limits,
    byar_or_exact_limits,
    exact_poisson_limits,
    poisson_limits,
    z_value,
)
from tkyt_analysis.errors import InputError

__all__ = [
    "EXACT_BELOW", "NOT_ASSESSABLE", "OK", "Numbers", "age_specific_rate", "byar_limits", "byar_or_exact_limits",
    "crude_rate", "exact_poisson_limits", "poisson_limits", "rate_table", "wilson_limits",
]  # fmt: skip
OK, NOT_ASSESSABLE = "ok", "not_assessable"


def crude_rate(
    events: npt.ArrayLike,
    person_years: npt.ArrayLike,
    *,
    per: float = 1_000,
    confidence: float = 0.95,
    limits: str = "byar_exact",
) -> pd.DataFrame:
    """Events per `per` person-years with Poisson limits.

    Parameters
    ----------
    events : counts, >= 0 (deaths, cases); may be fractions after redistribution
    person_years : mid-year population x years observed, > 0
    per : 1 000 for crude death rates, 100 000 for causes
    limits : as in `poisson_limits`

    Returns
    -------
    One row per element, index of `events` kept: events, person_years, rate, lower, upper [per `per`], method, status,
    reason. Rows without a usable count or without person-years are `not_assessable` and have no rate; rows without
    events whose limits the method does not know ("lognormal", "normal") have the rate 0 and no limits.
    """
    index = events.index if isinstance(events, pd.Series) else None
    counts, persons = (part.ravel() for part in same_length(events=events, person_years=person_years))
    reason = why_no_rate(counts, persons)
    usable = reason == ""
    safe_counts, safe_persons = np.where(usable, counts, 0.0), np.where(usable, persons, 1.0)
    lower, upper, method = poisson_limits(safe_counts, confidence=confidence, limits=limits)
    reason = np.where(usable & np.isnan(lower + upper), "reason.no_events_no_limits", reason)
    scaled = [np.where(usable, per * part / safe_persons, np.nan) for part in (safe_counts, lower, upper)]
    return rate_table(
        {"events": counts, "person_years": persons, **dict(zip(("rate", "lower", "upper"), scaled, strict=True))},
        method=method,
        reason=reason,
        index=index,
    )


def age_specific_rate(
    events: npt.ArrayLike,
    person_years: npt.ArrayLike,
    *,
    per: float = 100_000,
    confidence: float = 0.95,
    limits: str = "byar_exact",
) -> pd.DataFrame:
    """Events per 100 000 person-years in each age group: `crude_rate` of every row, same columns."""
    return crude_rate(events, person_years, per=per, confidence=confidence, limits=limits)


def wilson_limits(events: pd.Series, total: pd.Series, confidence: float = 0.95) -> pd.DataFrame:
    """Share, lower, upper of a proportion (Wilson 1927); missing where the total is 0."""
    z = z_value(confidence)
    n = total.where(total > 0)
    share = events / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return pd.DataFrame(
        {"share": share, "lower": (centre - half).clip(lower=0), "upper": (centre + half).clip(upper=1)}
    )


def rate_table(
    columns: dict[str, Numbers],
    *,
    method: npt.ArrayLike,
    reason: npt.NDArray[np.str_],
    index: pd.Index | None = None,
) -> pd.DataFrame:
    """A table of results: `columns`, then method, status (from `reason`: "" means ok), reason (label key)."""
    table = pd.DataFrame(columns, index=index)
    return table.assign(
        method=pd.Series(np.broadcast_to(np.asarray(method, dtype=object), len(table)), table.index, dtype="str"),
        status=pd.Series(np.where(reason == "", OK, NOT_ASSESSABLE), table.index, dtype="str"),
        reason=pd.Series(reason, table.index, dtype="str"),
    )


def as_numbers(values: npt.ArrayLike) -> Numbers:
    """Any list, array or Series as floats, at least one-dimensional; what is missing is NaN. InputError for words."""
    try:
        if isinstance(values, pd.Series):
            return values.to_numpy(dtype=float, na_value=np.nan)
        return np.atleast_1d(np.asarray(values, dtype=float))
    except (TypeError, ValueError) as problem:
        raise InputError("error.not_numbers", problem=str(problem)) from None


def same_length(**named: npt.ArrayLike) -> tuple[Numbers, ...]:
    """Arrays by name as floats of one shape (one number holds for all); InputError where they do not fit together."""
    arrays = {name: as_numbers(values) for name, values in named.items()}
    try:
        return tuple(np.broadcast_arrays(*arrays.values()))
    except ValueError:
        found = ", ".join(f"{name} {' × '.join(map(str, values.shape))}" for name, values in arrays.items())
        raise InputError("error.lengths_differ", found=found) from None


def why_no_rate(counts: Numbers, persons: Numbers) -> npt.NDArray[np.str_]:
    """Label key of the reason why a row has no rate; "" where it has one."""
    nobody = ~(persons > 0)
    return np.select(
        [~(counts >= 0) | np.isinf(counts), np.isinf(persons) | (persons < 0), nobody & (counts > 0), nobody],
        ["reason.events_missing", "reason.person_years_wrong", "reason.events_without_person_years",
         "reason.no_person_years"],
        default="",
    )  # fmt: skip
