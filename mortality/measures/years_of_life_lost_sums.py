"""Sums of years lost and their rates on arrays (series, ages), with limits, and why there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.life_expectancy_standards import age_bands
from mortality.measures.life_table_inputs import Numbers, Words, as_floats
from tkyt_analysis.analysis.rates import exact_poisson_limits, poisson_limits
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.reference.ages import nesting
from tkyt_analysis.reference.standard_populations import bands_of_both
from tkyt_analysis.reference.standard_populations import standard_population as standard_population_of


def discounted(years: Numbers, rate: float) -> Numbers:
    """Present value of a stream of years: (1 - exp(-r L)) / r."""
    if rate < 0:
        raise UsageError("error.yll_discount", value=rate)
    return years if rate == 0 else -np.expm1(-rate * years) / rate


def years_for_series(years: Numbers, series: int) -> Numbers:
    rows = np.atleast_2d(years)
    if len(rows) not in (1, series):
        raise InputError("error.yll_series", found=len(rows), series=series)
    return np.broadcast_to(rows, (series, rows.shape[1]))


def why_no_sum(counts: Numbers, years: Numbers) -> Words:
    wrong = ~((counts >= 0) & np.isfinite(counts))
    reasons = [wrong.any(axis=1), np.isnan(years).any(axis=1)]
    return np.select(reasons, ["reason.events_missing", "reason.yll_no_years"], default="").astype(object)


def weighted_sum(
    counts: Numbers, weights: Numbers, reason: Words, confidence: float, names: tuple[str, str, str]
) -> dict[str, Numbers]:
    """Sum of weights times counts with Dobson's limits; missing where there is a reason."""
    usable = reason == ""
    safe = np.where(usable[:, np.newaxis] & np.isfinite(weights), counts, 0.0)
    weights = np.nan_to_num(weights)
    value, variance, events = ((part).sum(axis=1) for part in (weights * safe, weights**2 * safe, safe))
    low, high, _ = poisson_limits(events, confidence=confidence)
    spread = np.sqrt(np.divide(variance, events, out=np.zeros_like(value), where=events > 0))
    none = weights.max(axis=1) * exact_poisson_limits(np.zeros(1), confidence)[1]
    lower, upper = value + spread * (low - events), np.where(events > 0, value + spread * (high - events), none)
    return dict(zip(names, (np.where(usable, part, np.nan) for part in (value, lower, upper)), strict=True))


def add_rates(
    table: dict[str, Any],
    counts: Numbers,
    years: Numbers,
    persons: Numbers,
    groups: list[object],
    standard: str | npt.ArrayLike | None,
    per: float,
    confidence: float,
    reason: Words,
) -> Words:
    """Adds the rates to the table; the reasons, with those of missing people."""
    valid = (persons >= 0) & np.isfinite(persons)
    total = persons.sum(axis=1)
    why = np.where(reason != "", reason, np.where(~valid.all(axis=1) | ~(total > 0), "reason.no_person_years", ""))
    whole = np.where(why == "", total, np.nan)[:, np.newaxis]
    table |= weighted_sum(
        counts, per * years / whole, why.astype(object), confidence, ("rate", "rate_lower", "rate_upper")
    )
    if standard is None:
        return why.astype(object)
    weights, band = _weights(standard, groups)
    people = np.stack([persons[:, band == own].sum(axis=1) for own in band], axis=1)
    empty = ((people <= 0) & (weights > 0)).any(axis=1) & (why == "")
    why = np.where(empty, "reason.no_person_years_in_age_group", why).astype(object)
    share = np.divide(weights * per, people, out=np.zeros(people.shape), where=people > 0)
    names = ("standardised_rate", "standardised_lower", "standardised_upper")
    table |= weighted_sum(counts, years * share, why, confidence, names)
    return why


def _weights(standard: str | npt.ArrayLike, groups: list[object]) -> tuple[Numbers, npt.NDArray[np.object_]]:
    """Share of the standard population in the band of each age group (of the whole: 1), and that band.

    A band may hold several age groups: WHO's standard has 0-4, deaths are counted at 0 and 1-4.
    """
    if not isinstance(standard, str):
        weights = as_floats(standard).ravel()
        if len(weights) != len(groups) or not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
            raise InputError("error.yll_weights", found=len(weights), ages=len(groups))
        return weights / weights.sum(), np.arange(len(groups)).astype(object)
    labels = age_bands(groups).label
    bands = bands_of_both(labels, standard)
    band = pd.Series(labels).map(nesting(labels, bands))
    weights_by_band = standard_population_of(standard, bands).set_index("age_group")["standard_population"]
    return band.map(weights_by_band).to_numpy(dtype=float), band.to_numpy(dtype=object)
