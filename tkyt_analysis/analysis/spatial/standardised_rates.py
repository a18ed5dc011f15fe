"""Rates on one scale of uncertainty (Assunção & Reis 1999): (rate − mean)/√(variance between areas + mean/population)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.rates import why_no_rate
from tkyt_analysis.analysis.spatial.empirical_bayes import global_parameters
from tkyt_analysis.analysis.spatial.maps_of_values import chosen

Numbers = npt.NDArray[np.float64]


def standardised_rate(events: Numbers, population: Numbers, *, variance: str = "spdep") -> Numbers:
    """Standardised rates of areas (rows) on maps (columns); NaN where an area has no rate or the map no event.

    variance : "spdep" keeps the variance between areas >= 0; "paper" (esda) lets it be negative, and where an area's whole
        variance then is negative its chance part mean/population stands in.
    """
    word = chosen(variance, ("spdep", "paper"), "variance", {"esda": "paper", "assuncao_reis": "paper"})
    usable = why_no_rate(events, population) == ""
    e, n = np.where(usable, events, 0.0), np.where(usable, population, 0.0)
    p = np.divide(e, n, out=np.zeros_like(n), where=usable)
    b, s2, chance = global_parameters(e, n, p, usable)
    between = s2 - chance
    part = np.divide(np.broadcast_to(b, n.shape), n, out=np.zeros_like(n), where=usable)
    total = (np.maximum(between, 0.0) if word == "spdep" else between) + part
    total = np.where(total < 0, part, total)
    known = usable & (total > 0)
    return np.divide(
        p - b, np.sqrt(total, where=known, out=np.ones_like(total)), out=np.full(n.shape, np.nan), where=known
    )
