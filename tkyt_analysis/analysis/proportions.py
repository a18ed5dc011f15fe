"""Proportions and means with their limits, many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.groups import column, group_sum, groups, names_of, require_columns
from tkyt_analysis.analysis.limits import Numbers, tail, z_value
from tkyt_analysis.analysis.rates import rate_table, same_length
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word


def proportion(
    events: npt.ArrayLike,
    total: npt.ArrayLike,
    *,
    per: float = 1,
    confidence: float = 0.95,
    limits: str = "wilson",
) -> pd.DataFrame:
    """Share of `total` that has the property, with binomial limits.

    Parameters
    ----------
    events, total : counts, 0 <= events <= total, total > 0; fractions allowed
    per : 100 for per cent
    limits : "wilson" (Wilson 1927; PHE/OHID), "exact" (Clopper-Pearson), "agresti_coull", "jeffreys", "normal"

    Returns
    -------
    One row per element, index of `events` kept: events, total, share, lower, upper [per `per`], method, status, reason.
    A share is not assessable without a total, without a usable count, or where there are more events than the total.
    """
    limits = option_word(limits, _LIMITS, _OTHER_NAMES)
    if limits not in _LIMITS:
        raise UsageError("error.limits_unknown", value=limits, known=", ".join(_LIMITS))
    index = events.index if isinstance(events, pd.Series) else None
    counts, totals = (part.ravel() for part in same_length(events=events, total=total))
    reason: npt.NDArray[np.str_] = np.select(
        [~(counts >= 0) | np.isinf(counts), ~(totals > 0) | np.isinf(totals), counts > totals],
        ["reason.events_missing", "reason.no_total", "reason.more_events_than_total"],
        default="",
    )
    usable = reason == ""
    x, n = np.where(usable, counts, 0.0), np.where(usable, totals, 1.0)
    lower, upper = _LIMITS[limits](x, n, confidence)
    columns = {"events": counts, "total": totals}
    for name, values in (("share", x / n), ("lower", lower), ("upper", upper)):
        columns[name] = np.where(usable, per * values, np.nan)
    return rate_table(columns, method=limits, reason=reason, index=index)


def _wilson(x: Numbers, n: Numbers, confidence: float) -> tuple[Numbers, Numbers]:
    z = z_value(confidence)
    middle, half = 2 * x + z**2, z * np.sqrt(z**2 + 4 * x * (1 - x / n))
    # Without events, or with nothing else, the limit on that side is 0 or 1, not a rounding error beside it.
    lower, upper = (middle - half) / 2 / (n + z**2), (middle + half) / 2 / (n + z**2)
    return np.where(x > 0, lower, 0.0), np.where(x < n, upper, 1.0)


def _exact(x: Numbers, n: Numbers, confidence: float) -> tuple[Numbers, Numbers]:
    from scipy.special import betaincinv

    error = tail(confidence)
    lower = np.where(x > 0, betaincinv(np.where(x > 0, x, 1.0), n - x + 1, error), 0.0)
    upper = np.where(x < n, betaincinv(x + 1, np.where(x < n, n - x, 1.0), 1 - error), 1.0)
    return lower, upper


def _jeffreys(x: Numbers, n: Numbers, confidence: float) -> tuple[Numbers, Numbers]:
    from scipy.special import betaincinv

    error = tail(confidence)
    lower, upper = (betaincinv(x + 0.5, n - x + 0.5, p) for p in (error, 1 - error))
    return np.where(x > 0, lower, 0.0), np.where(x < n, upper, 1.0)


def _agresti_coull(x: Numbers, n: Numbers, confidence: float) -> tuple[Numbers, Numbers]:
    z = z_value(confidence)
    centre = (x + z**2 / 2) / (n + z**2)
    half = z * np.sqrt(centre * (1 - centre) / (n + z**2))
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def _normal(x: Numbers, n: Numbers, confidence: float) -> tuple[Numbers, Numbers]:
    share = x / n
    half = z_value(confidence) * np.sqrt(share * (1 - share) / n)
    return np.maximum(share - half, 0.0), np.minimum(share + half, 1.0)


_LIMITS: dict[str, Callable[[Numbers, Numbers, float], tuple[Numbers, Numbers]]] = {
    "wilson": _wilson,
    "exact": _exact,
    "agresti_coull": _agresti_coull,
    "jeffreys": _jeffreys,
    "normal": _normal,
}
_OTHER_NAMES = {
    "score": "wilson", "wilson_score": "wilson", "clopper_pearson": "exact", "binomial_exact": "exact", "wald": "normal",
    "asymptotic": "normal", "approx": "normal", "agresti": "agresti_coull",
}  # fmt: skip


def mean_value(
    values: pd.DataFrame, by: str | Sequence[str] = (), *, value: str = "value", confidence: float = 0.95
) -> pd.DataFrame:
    """Mean of a measured value (age at death, days to registration) with Student's limits.

    values : one row per measurement: `by` and the column `value`; missing values are left out

    Returns
    -------
    One row per `by`, sorted: measurements, standard_deviation, mean, lower, upper, method, status, reason; with one
    measurement there is a mean and no limits (not_assessable).
    """
    from scipy.special import stdtrit

    names = names_of(by)
    require_columns(values, [*names, value])
    group, keys = groups(values, names)
    x = column(values, value)
    known = np.isfinite(x)
    n = group_sum(known, group, len(keys))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = group_sum(np.where(known, x, 0.0), group, len(keys)) / n
        spread = np.where(known, x - mean[group], 0.0) ** 2
        deviation = np.sqrt(group_sum(spread, group, len(keys)) / np.where(n > 1, n - 1, np.nan))
        half = stdtrit(np.maximum(n - 1, 1), 1 - tail(confidence)) * deviation / np.sqrt(n)
    reason = np.select([n == 0, n == 1], ["reason.no_measurements", "reason.one_measurement"], default="")
    columns = {
        "measurements": n,
        "standard_deviation": deviation,
        "mean": mean,
        "lower": mean - half,
        "upper": mean + half,
    }
    return pd.concat([keys, rate_table(columns, method="student_t", reason=reason)], axis="columns")
