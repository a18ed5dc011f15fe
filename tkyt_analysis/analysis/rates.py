"""Rates with their confidence limits: events over person-years, many at once.

Every function takes arrays of equal length and answers for all rows in one go. A row that cannot be assessed
(no person-years, missing count) says so in `status` and `reason` (a label key); it is never a zero.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.errors import UsageError

Numbers = npt.NDArray[np.float64]
EXACT_BELOW = 10  # events; PHE/OHID: exact limits below, Byar's approximation from here on

OK, NOT_ASSESSABLE = "ok", "not_assessable"


def byar_limits(events: npt.ArrayLike, confidence: float = 0.95) -> tuple[Numbers, Numbers]:
    """Byar's approximation to the Poisson limits of counts; the lower limit of 0 events is 0.

    Breslow & Day, Statistical Methods in Cancer Research, vol. II, IARC 1987. Good from 10 events.
    """
    counts = np.asarray(events, dtype=float)
    z = NormalDist().inv_cdf(1 - _tail(confidence))
    safe = np.where(counts > 0, counts, 1.0)
    lower = safe * (1 - 1 / (9 * safe) - z / (3 * np.sqrt(safe))) ** 3
    above = counts + 1
    upper = above * (1 - 1 / (9 * above) + z / (3 * np.sqrt(above))) ** 3
    return np.where(counts > 0, lower, 0.0 * counts), upper


def exact_poisson_limits(events: npt.ArrayLike, confidence: float = 0.95) -> tuple[Numbers, Numbers]:
    """Exact (Garwood) Poisson limits of counts, from the chi-square distribution."""
    from scipy.special import gammaincinv

    counts = np.asarray(events, dtype=float)
    tail = _tail(confidence)
    safe = np.where(counts > 0, counts, 1.0)
    lower = np.where(counts > 0, gammaincinv(safe, tail), 0.0 * counts)
    return lower, gammaincinv(counts + 1, 1 - tail)


def byar_or_exact_limits(events: npt.ArrayLike, confidence: float = 0.95) -> tuple[Numbers, Numbers]:
    """Exact limits below 10 events, Byar's from 10 on (the convention of PHE/OHID)."""
    counts = np.asarray(events, dtype=float)
    few = counts < EXACT_BELOW
    byar, exact = byar_limits(counts, confidence), exact_poisson_limits(np.where(few, counts, 0.0), confidence)
    return np.where(few, exact[0], byar[0]), np.where(few, exact[1], byar[1])


_LIMITS: dict[str, Callable[[npt.ArrayLike, float], tuple[Numbers, Numbers]]] = {
    "byar_exact": byar_or_exact_limits,
    "byar": byar_limits,
    "exact": exact_poisson_limits,
}


def poisson_limits(
    events: npt.ArrayLike, *, confidence: float = 0.95, limits: str = "byar_exact"
) -> tuple[Numbers, Numbers, npt.NDArray[np.str_]]:
    """Lower and upper limits of counts, and the method that each row got ("byar" or "exact").

    limits : "byar_exact" (exact below 10 events, else Byar), "byar", "exact"
    """
    if limits not in _LIMITS:
        raise UsageError("error.limits_unknown", value=limits, known=", ".join(_LIMITS))
    counts = np.asarray(events, dtype=float)
    lower, upper = _LIMITS[limits](counts, confidence)
    if limits == "byar_exact":
        return lower, upper, np.where(counts < EXACT_BELOW, "exact", "byar")
    return lower, upper, np.full(counts.shape, limits)


def _tail(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise UsageError("error.confidence", value=confidence)
    return (1 - confidence) / 2


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
    reason. Rows without a usable count or without person-years are `not_assessable` and have no rate.
    """
    index = events.index if isinstance(events, pd.Series) else None
    counts, persons = np.broadcast_arrays(_numbers(events), _numbers(person_years))
    reason = _why_not(counts, persons)
    usable = reason == ""
    safe_counts, safe_persons = np.where(usable, counts, 0.0), np.where(usable, persons, 1.0)
    lower, upper, method = poisson_limits(safe_counts, confidence=confidence, limits=limits)
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
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
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


def _numbers(values: npt.ArrayLike) -> Numbers:
    if isinstance(values, pd.Series):
        return values.to_numpy(dtype=float, na_value=np.nan)
    return np.atleast_1d(np.asarray(values, dtype=float))


def _why_not(counts: Numbers, persons: Numbers) -> npt.NDArray[np.str_]:
    """Label key of the reason why a row has no rate; "" where it has one."""
    nobody = ~(persons > 0)
    return np.select(
        [~(counts >= 0) | np.isinf(counts), np.isinf(persons) | (persons < 0), nobody & (counts > 0), nobody],
        ["reason.events_missing", "reason.person_years_wrong", "reason.events_without_person_years",
         "reason.no_person_years"],
        default="",
    )  # fmt: skip
