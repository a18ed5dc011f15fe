"""Probability maps: how likely a count as low, or as high, is in each area if all had the rate of the whole.

Choynowski, J Am Stat Assoc 1959;54:385-8; R's spdep: probmap, choynowski.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.analysis.rates import why_no_rate
from tkyt_analysis.analysis.spatial.maps_of_values import Numbers, beside, chosen, maps_of


def probability_map(
    events: Any,
    population: Any,
    *,
    method: str = "probmap",
    alternative: str = "less",
    per: float = 1.0,
    ids: Any = None,
) -> pd.DataFrame:
    """Poisson probability of the count of each area under the rate of all areas together.

    Parameters
    ----------
    events, population : as in `empirical_bayes_rate`
    method : "probmap" (the tail that `alternative` names: "less" P(X <= events), "greater" P(X >= events)) or "choynowski"
        (the tail on whose side the count lies)
    per : rates per so many

    Returns
    -------
    One row per area: events, population, raw_rate [per `per`], expected, relative_risk (100 = as expected), probability,
    direction ("low" where events < expected, else "high"), method, status, reason.
    """
    word = chosen(method, ("probmap", "choynowski"), "method")
    tail = chosen(alternative, ("less", "greater"), "alternative")
    maps = maps_of(events, ids)
    counts, persons = maps.values, beside(maps, population, "population")
    reason = why_no_rate(counts, persons)
    usable = reason == ""
    e, n = np.where(usable, counts, 0.0), np.where(usable, persons, 0.0)
    people = n.sum(axis=0)
    expected = n * np.divide(e.sum(axis=0), people, out=np.zeros_like(people), where=people > 0)
    low = e < expected
    lower_tail = low if word == "choynowski" else np.full(low.shape, tail == "less")
    probability = np.where(lower_tail, at_most(e, expected), 1 - at_most(e - 1, expected))
    ratio = np.divide(100 * e, expected, out=np.full(e.shape, np.nan), where=expected > 0)
    reason = np.where(usable & (expected == 0), "reason.nothing_expected", reason)
    usable = reason == ""
    columns = {
        "events": counts, "population": persons, "raw_rate": per * e / np.where(n > 0, n, np.nan), "expected": expected,
        "relative_risk": ratio, "probability": probability,
    }  # fmt: skip
    known = {
        name: np.where(usable | (name in ("events", "population")), part, np.nan) for name, part in columns.items()
    }
    known["direction"] = np.where(usable, np.where(low, "low", "high"), "")
    return maps.answers(known, method=word if word == "choynowski" else f"{word};{tail}", reason=reason)


def at_most(count: Numbers, mean: Numbers) -> Numbers:
    """P(X <= count) of Poisson variables; counts are cut to whole numbers, below 0 it is 0."""
    from scipy.special import gammaincc

    whole = np.floor(count + 1e-7)
    return np.where(whole < 0, 0.0, gammaincc(np.maximum(whole, 0) + 1, mean))
