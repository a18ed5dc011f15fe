"""Where the bounds of classes lie, by the schemes of `mapclassify` (Rey & others), each by its own name.

Quantiles and equal intervals are one formula each and are worked out here, so that a page of such maps does not load
mapclassify (2 s: it brings scipy, scikit-learn and matplotlib); tests hold both equal to mapclassify's. `NaturalBreaks`
(k-means from random starts) and the random sample of `FisherJenksSampled` are not offered: the same table must give
the same map. `JenksCaspall` is not either: mapclassify 2.10.0 never ends on some tables with few distinct values.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

# Schemes that take a number of classes, then those that find it themselves.
COUNTED = ("quantile", "equal", "fisher_jenks", "maximum_breaks", "pretty")
SELF_COUNTED = ("head_tail", "std_mean", "box_plot", "percentiles")
SCHEMES = (*COUNTED, *SELF_COUNTED, "given")
_CLASSIFIERS = {
    "fisher_jenks": "FisherJenks",
    "maximum_breaks": "MaximumBreaks",
    "pretty": "PrettyBreaks",
    "head_tail": "HeadTailBreaks",
    "std_mean": "StdMean",
    "box_plot": "BoxPlot",
    "percentiles": "Percentiles",
}
# Fisher–Jenks in mapclassify takes time with the square of the number of values (400: about half a second).
SAMPLE = 400


def raw_bounds(values: np.ndarray, scheme: str, number: int, most: int) -> list[float]:
    """Lower bound, inner bounds, upper bound of the classes of sorted `values`, before rounding.

    A class of mapclassify holds its upper bound, one of ours its lower bound; where a value lies on an inner bound,
    the bound is moved half way to the next value, so that the members of each class stay mapclassify's.

    number : of classes, for the schemes in COUNTED; fewer where there are fewer distinct values
    most : classes beyond this are joined with the one before (head_tail: the recursion ends there)
    """
    distinct = np.unique(values)
    if len(distinct) < 2 or scheme == "quantile":
        return list(np.quantile(values, np.linspace(0, 1, number + 1)))
    if scheme == "equal":
        return list(np.linspace(values[0], values[-1], number + 1))
    upper = _upper_bounds(values, scheme, min(number, len(distinct)))
    upper = [bound for bound in upper if values[0] <= bound < values[-1]]
    last = values[-1]
    return [float(values[0]), *(_between_values(distinct, bound) for bound in upper[: most - 1]), float(last)]


def _upper_bounds(values: np.ndarray, scheme: str, number: int) -> list[float]:
    """The bins of mapclassify."""
    import mapclassify

    classifier: Any = getattr(mapclassify, _CLASSIFIERS[scheme])
    centre, spread = float(values.mean()), float(values.std())
    standard = (sample(values) if scheme == "fisher_jenks" else values) - centre
    standard = standard / spread  # mapclassify sums squares in single precision: 100 001 and 100 002 would be one
    options = {"k": number} if scheme in COUNTED else {}
    if scheme == "pretty":  # round numbers are of the values as they are
        centre, spread, standard = 0.0, 1.0, values
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numba, which we do not ship, would be faster
        bins = classifier(standard, **options).bins
    return sorted({float(one) for one in centre + spread * np.asarray(bins, dtype=float)})


def sample(values: np.ndarray) -> np.ndarray:
    """At most SAMPLE of the sorted values at equal steps of rank, with the lowest and the highest."""
    if len(values) <= SAMPLE:
        return values
    return values[np.linspace(0, len(values) - 1, SAMPLE).round().astype(int)]


def _between_values(distinct: np.ndarray, bound: float) -> float:
    """`bound`, or half way to the next value where a value lies on it (up to rounding)."""
    scale = float(np.ptp(distinct))
    below = distinct[distinct <= bound + 1e-9 * scale]
    if not len(below) or below[-1] < bound - 1e-9 * scale or len(below) == len(distinct):
        return bound
    return float((below[-1] + distinct[len(below)]) / 2)
