"""What the rules share: statistics of each row of a units × periods matrix, and the answer that a rule gives.

Rows are series (one element and category in one unit), columns are periods, NaN is a missing value. Statistics have
shape (units, 1), so that they meet the values row by row. A row without values has NaN and makes no warning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

MAD_TO_SD = 1.4826  # of a normal distribution; the constant of R's mad()
MEAN_DEVIATION_TO_SD = 0.7979  # sqrt(2 / pi), to four places as the published formula has it


@dataclass(frozen=True)
class AnchorFlags:
    """What a rule says of every cell; arrays of shape (units, periods).

    flags : the rule calls the value an outlier
    expected : the centre it compares with; lower, upper : limits inside which nothing is flagged (NaN: no such limit)
    score : the statistic that it compares with its threshold (NaN where there is none)
    reason : "" where the value was judged, else why it was not: a word of `anchor_reason.<word>`
    outbreak : flagged, but part of a run that the rule takes for an outbreak, not an error
    """

    flags: np.ndarray
    expected: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    score: np.ndarray
    reason: np.ndarray
    outbreak: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))

    def __post_init__(self) -> None:
        if self.outbreak.size == 0:
            object.__setattr__(self, "outbreak", np.zeros(self.flags.shape, dtype=bool))

    @property
    def not_assessable(self) -> np.ndarray:
        """(units, periods) bool: a value stands there that the rule could not judge."""
        return self.reason != ""


def answer(
    values: np.ndarray,
    flags: np.ndarray,
    *,
    reason: np.ndarray,
    expected: np.ndarray | float = np.nan,
    lower: np.ndarray | float = np.nan,
    upper: np.ndarray | float = np.nan,
    score: np.ndarray | float = np.nan,
    outbreak: np.ndarray | None = None,
) -> AnchorFlags:
    """`AnchorFlags` of full shape; only values that stand there and were judged are flagged."""
    present = np.isfinite(values)
    words = np.where(present, np.broadcast_to(reason, values.shape), "").astype("<U24")
    judged = present & (words == "")
    flagged = judged & np.broadcast_to(flags, values.shape)
    guard = np.zeros(values.shape, dtype=bool) if outbreak is None else flagged & outbreak

    def shown(one: np.ndarray | float) -> np.ndarray:
        return np.where(present, np.broadcast_to(np.asarray(one, dtype=float), values.shape), np.nan)

    return AnchorFlags(flagged, shown(expected), shown(lower), shown(upper), shown(score), words, guard)


def why_not(*cases: tuple[np.ndarray, str]) -> np.ndarray:
    """The word of the first case that holds, "" where none does; the cases broadcast together."""
    return np.select([case for case, _ in cases], [word for _, word in cases], default="")


def row_count(values: np.ndarray) -> np.ndarray:
    """Values that each row has."""
    return np.isfinite(values).sum(axis=1, keepdims=True)


def row_sum(values: np.ndarray) -> np.ndarray:
    """Sum of each row's values; NaN where it has none."""
    return np.where(row_count(values) > 0, np.nansum(values, axis=1, keepdims=True), np.nan)


def row_mean(values: np.ndarray) -> np.ndarray:
    """Mean of each row's values."""
    return row_sum(values) / np.maximum(row_count(values), 1)


def row_median(values: np.ndarray) -> np.ndarray:
    """Median of each row's values."""
    return row_quantile(values, 0.5)


def row_quantile(values: np.ndarray, share: float) -> np.ndarray:
    """Quantile of each row's values, interpolated linearly (type 7 of Hyndman and Fan: R, numpy, percentile_cont)."""
    if not values.shape[1]:
        return np.full((len(values), 1), np.nan)
    ordered, last = np.sort(values, axis=1), np.maximum(row_count(values) - 1, 0)
    place = share * last
    low = np.floor(place).astype(int)
    below, above = (np.take_along_axis(ordered, at, axis=1) for at in (low, np.minimum(low + 1, last)))
    return below + (above - below) * (place - low)


def row_mad(values: np.ndarray, centre: np.ndarray | None = None) -> np.ndarray:
    """Median absolute deviation from `centre` (default: the row's median), not scaled."""
    return row_median(np.abs(values - (row_median(values) if centre is None else centre)))


def row_sd(values: np.ndarray, *, sample: bool) -> np.ndarray:
    """Standard deviation of each row: of a sample (n − 1; NaN for one value) or of the population (n)."""
    divisor = row_count(values) - (1 if sample else 0)
    squares = np.nansum((values - row_mean(values)) ** 2, axis=1, keepdims=True)
    return np.sqrt(np.where(divisor > 0, squares / np.maximum(divisor, 1), np.nan))


def divided(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Quotient where the divisor is greater than 0, else NaN."""
    return above / np.where(below > 0, below, np.nan)


def each_year(rule: Callable[[np.ndarray], AnchorFlags], values: np.ndarray, years: np.ndarray | None) -> AnchorFlags:
    """The rule on the columns of each calendar year for itself; without `years` on all columns together."""
    if years is None or not values.shape[1]:
        return rule(values)
    parts = {year: rule(values[:, years == year]) for year in np.unique(years)}
    joined = {}
    for name in ("flags", "expected", "lower", "upper", "score", "reason", "outbreak"):
        whole = np.empty(values.shape, dtype=getattr(next(iter(parts.values())), name).dtype)
        for year, part in parts.items():
            whole[:, years == year] = getattr(part, name)
        joined[name] = whole
    return AnchorFlags(**joined)
