"""P-values of many areas, adjusted for their number. What is missing stays missing and does not count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


def adjusted(p: Numbers, how: str, neighbours: Numbers) -> Numbers:
    """Adjusted p-values of areas (rows) on maps (columns); `how` is a name in ADJUSTMENTS, each map by itself."""
    if how == "bonferroni_neighbours":
        return np.minimum(p * (neighbours + 1), 1.0)
    return ADJUSTMENTS[how](p)


def _bonferroni(p: Numbers) -> Numbers:
    return np.minimum(p * (~np.isnan(p)).sum(axis=0), 1.0)


def _stepped(p: Numbers, factor: Callable[[Any, Any], Any], *, upwards: bool) -> Numbers:
    """p times a factor of its rank, made monotone from the largest down (upwards=False: from the smallest up)."""
    order = np.argsort(p, axis=0)  # missing ones last
    ranked = np.take_along_axis(p, order, axis=0)
    tests = (~np.isnan(p)).sum(axis=0)
    rank = np.arange(1, len(p) + 1)[:, None]
    scaled = ranked * factor(rank, tests)
    if upwards:
        filled = np.where(np.isnan(scaled), np.inf, scaled)[::-1]
        scaled = np.minimum.accumulate(filled, axis=0)[::-1]
    else:
        scaled = np.maximum.accumulate(scaled, axis=0)
    out = np.empty_like(p)
    np.put_along_axis(out, order, np.where(np.isnan(ranked), np.nan, np.minimum(scaled, 1.0)), axis=0)
    return out


def _fdr(p: Numbers) -> Numbers:
    """Benjamini & Hochberg 1995."""
    return _stepped(p, lambda rank, tests: tests / rank, upwards=True)


def _by(p: Numbers) -> Numbers:
    """Benjamini & Yekutieli 2001: also where tests depend on each other."""
    harmonic = np.array([np.sum(1 / np.arange(1, count + 1)) for count in (~np.isnan(p)).sum(axis=0)])
    return _stepped(p, lambda rank, tests: harmonic * tests / rank, upwards=True)


def _holm(p: Numbers) -> Numbers:
    """Holm 1979."""
    return _stepped(p, lambda rank, tests: np.maximum(tests - rank + 1, 0), upwards=False)


ADJUSTMENTS: dict[str, Callable[[Numbers], Numbers]] = {
    "none": lambda p: p.copy(), "fdr": _fdr, "bonferroni": _bonferroni, "holm": _holm, "by": _by,
    "bonferroni_neighbours": _bonferroni,
}  # fmt: skip
