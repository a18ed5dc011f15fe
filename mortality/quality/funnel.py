"""Shares of units against what all units show, so that a small commune is not shamed by chance (funnel limits and FDR)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Funnel:
    """Per unit: share, expected (of the others), lower and upper limits that 95 % of units should lie in, p (one-sided, high),
    flagged (within the false discovery rate), assessable. spread : how much more than chance units differ (1: chance alone)."""

    share: Numbers
    expected: Numbers
    lower: Numbers
    upper: Numbers
    p: Numbers
    flagged: npt.NDArray[np.bool_]
    assessable: npt.NDArray[np.bool_]
    spread: float


def funnel(
    events: npt.ArrayLike, records: npt.ArrayLike, *, minimum: int = 20, false_discovery: float = 0.05
) -> Funnel:
    """Which units have a share above what the others' shares and chance explain.

    events of records per unit; a unit with fewer than `minimum` records, or alone, is not assessable.
    The share of the others is the expectation; z scores by the arcsine transformation, divided by the spread of all units
    where they differ more than chance (their z winsorised at 10 %); Benjamini–Hochberg over the assessable units.
    Source: Spiegelhalter, Stat Med 24 (2005): 1185–1202; Benjamini & Hochberg, J R Stat Soc B 57 (1995): 289–300.
    """
    from scipy.stats import norm

    k, n = np.asarray(events, dtype=float), np.asarray(records, dtype=float)
    others = n.sum() - n
    assessable = (n >= minimum) & (others >= minimum)
    share = np.divide(k, n, out=np.full(len(n), np.nan), where=n > 0)
    expected = np.divide(k.sum() - k, others, out=np.full(len(n), np.nan), where=others > 0)
    angle = np.arcsin(np.sqrt((k + 0.375) / (n + 0.75))) - np.arcsin(np.sqrt(np.clip(expected, 0, 1)))
    z = np.where(assessable, 2 * np.sqrt(n + 0.5) * angle, np.nan)
    spread = _spread(z[assessable])
    p = np.where(assessable, norm.sf(z / spread), np.nan)
    half = 1.959964 * spread / (2 * np.sqrt(n + 0.5))
    middle = np.arcsin(np.sqrt(np.clip(expected, 0, 1)))
    lower, upper = (np.sin(np.clip(middle + sign * half, 0, np.pi / 2)) ** 2 for sign in (-1, 1))
    return Funnel(share, expected, lower, upper, p, flagged_at(p, false_discovery), assessable, spread)


def _spread(z: Numbers) -> float:
    """Square root of the mean squared z after winsorising 10 % at either end; 1 for few units or where chance explains all."""
    if len(z) < 5:
        return 1.0
    low, high = np.quantile(z, [0.1, 0.9])
    return float(max(1.0, np.sqrt(np.mean(np.clip(z, low, high) ** 2))))


def flagged_at(p: npt.ArrayLike, false_discovery: float) -> npt.NDArray[np.bool_]:
    """Benjamini–Hochberg: the smallest p values such that at most this share of them is expected to be chance. NaN never."""
    values = np.asarray(p, dtype=float)
    known = np.isfinite(values)
    order = np.argsort(np.where(known, values, np.inf), kind="stable")
    count = int(known.sum())
    passes = np.flatnonzero(values[order][:count] <= false_discovery * np.arange(1, count + 1) / max(count, 1))
    flagged = np.zeros(len(values), dtype=bool)
    if len(passes):
        flagged[order[: passes[-1] + 1]] = True
    return flagged
