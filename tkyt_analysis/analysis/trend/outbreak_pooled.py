"""What was to be expected where counts are small: season, trend and Tết of all places of an event, level of the place shrunken.

A province with three drownings a month has too few events for a regression of its own. The course of the year is taken from
all places together (log-linear: two harmonics, trend, Tết), the level of the place from its own past, drawn towards the
others by empirical Bayes (gamma–Poisson), and the count is judged by the predictive negative binomial distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.trend.outbreak_options import OutbreakOptions
from tkyt_analysis.analysis.trend.quasipoisson_batch import fit_quasipoisson

Mask = npt.NDArray[np.bool_]
_SEASON_FROM, _TREND_FROM = 30, 100  # events of all places from which a season, a trend is fitted
_HARMONICS = 2
_TRIM = 0.01  # share of the largest residuals left out of the dispersion: past outbreaks
_CAP = 3.0  # standard deviations at which past counts are cut for the level
_LEAST_VARIANCE = 1e-3


@dataclass(frozen=True)
class Reference:
    """(series, judged periods): expected count, variance over mean, and whether there was enough past to say so."""

    mean: Numbers
    dispersion: Numbers
    enough: Mask


@dataclass(frozen=True)
class PooledInput:
    """counts, exposure (series, periods), NaN missing; group (series,) of one event; share of Tết (periods,); periods per year."""

    counts: Numbers
    exposure: Numbers
    group: npt.NDArray[np.intp]
    tet: Numbers
    frequency: int

    @property
    def present(self) -> Mask:
        return np.asarray(np.isfinite(self.counts) & (self.exposure > 0))

    def totals(self) -> tuple[Numbers, Numbers]:
        """Events and exposure of each group (groups, periods), of what is present."""
        groups = int(self.group.max()) + 1
        kept = (np.where(self.present, part, 0.0) for part in (self.counts, self.exposure))
        events, exposure = (_sums(part, self.group, groups) for part in kept)
        return events, exposure


def pooled_reference(given: PooledInput, places: npt.NDArray[np.intp], options: OutbreakOptions) -> Reference:
    """The reference of each series in each judged period, from periods before it only."""
    totals = given.totals()
    parts = [_period(given, totals, int(place), options) for place in places]
    mean, dispersion, enough = zip(*parts, strict=True)
    return Reference(np.stack(mean, axis=1), np.stack(dispersion, axis=1), np.stack(enough, axis=1))


def tet_effect(given: PooledInput, before: int, options: OutbreakOptions) -> Numbers:
    """Log ratio (groups,) of a period that is all Tết, from the periods before `before`; 0 where too little is known."""
    events, exposure = given.totals()
    rows = np.arange(max(before - options.years * given.frequency, 0), max(before, 0))
    found = np.zeros(len(events))
    design = _design(rows, before, given, trend=True, tet=True)
    known = (exposure[:, rows] > 0).sum(axis=1) >= options.least_years * given.frequency
    rich = np.flatnonzero(known & (events[:, rows].sum(axis=1) >= _TREND_FROM))
    if len(rich) and np.ptp(given.tet[rows]) > 0:
        fit = _fit(design, events[rich][:, rows], exposure[rich][:, rows])
        found[rich] = np.clip(fit[:, -1], -3.0, 3.0)
    return found


def _period(
    given: PooledInput, totals: tuple[Numbers, Numbers], place: int, options: OutbreakOptions
) -> tuple[Numbers, Numbers, Mask]:
    """Mean, dispersion, enough of all series in one period."""
    left_out = given.frequency // 4 if options.left_out is None else options.left_out
    end = max(place - left_out, 0)
    rows = np.arange(max(end - options.years * given.frequency, 0), end)
    if not len(rows):
        nothing = np.full(len(given.counts), np.nan)
        return nothing, nothing, np.zeros(len(nothing), dtype=bool)
    events, exposure = totals[0][:, rows], totals[1][:, rows]
    present = given.present[:, rows]
    observed, people = (np.where(present, part[:, rows], 0.0) for part in (given.counts, given.exposure))
    for again in (True, False):  # once as counted, once with the peaks of past outbreaks cut off
        rate, now = _course(given, events, exposure, rows, place, options)
        expected = people * rate[given.group]
        level, shape, phi, capped = _levels(observed, expected, given.group)
        if again:
            events = _sums(capped, given.group, len(events))
            events = np.minimum(events, _cap(rate * exposure, _spread(events, rate * exposure)))
    mean = given.exposure[:, place] * now[given.group] * level
    return mean, phi + mean / shape, _enough(given, present, exposure > 0, options)


def _sums(values: Numbers, group: npt.NDArray[np.intp], groups: int) -> Numbers:
    found = np.zeros((groups, values.shape[1]))
    np.add.at(found, group, values)
    return found


def _cap(mean: Numbers, dispersion: Numbers) -> Numbers:
    """Counts above this are cut: what lies beyond is an outbreak of the past, not the usual course."""
    return np.asarray(mean + _CAP * np.sqrt(dispersion * mean) + 2)


def _spread(events: Numbers, mean: Numbers) -> Numbers:
    """Variance over mean of each group's totals (groups, 1): robust, from the median of the squared residuals, at least 1."""
    squared = np.where(mean > 0, (events - mean) ** 2 / np.where(mean > 0, mean, 1.0), 0.0)
    return np.maximum(np.median(squared, axis=1, keepdims=True) / 0.4549, 1.0)  # median of chi-square with one degree


def _enough(given: PooledInput, present: Mask, group_present: Mask, options: OutbreakOptions) -> Mask:
    """A long past of the event; a new place needs at least `least_places` others to borrow from."""
    needed = options.least_years * given.frequency
    places = np.bincount(given.group)[given.group]
    own = present.sum(axis=1) >= needed
    return np.asarray((group_present.sum(axis=1) >= needed)[given.group] & (own | (places > options.least_places)))


def _course(
    given: PooledInput,
    events: Numbers,
    exposure: Numbers,
    rows: npt.NDArray[np.intp],
    place: int,
    options: OutbreakOptions,
) -> tuple[Numbers, Numbers]:
    """Events per exposure of each group in the past periods (groups, rows) and now (groups,)."""
    number, people = events.sum(axis=1), exposure.sum(axis=1)
    flat = (number + 0.5) / np.where(people > 0, people, np.nan)
    rate, now = np.repeat(flat[:, None], len(rows), axis=1), flat.copy()
    years = (exposure > 0).sum(axis=1) / given.frequency
    trended = (number >= _TREND_FROM) & (years >= options.least_years)
    for trend in (True, False):
        chosen = np.flatnonzero((number >= _SEASON_FROM) & (years >= 2) & (trended == trend))
        if len(chosen):
            tet = options.tet and trend and bool(np.ptp(given.tet[rows]) > 0)
            design = _design(np.append(rows, place), place, given, trend=trend, tet=tet)
            course = np.exp(_fit(design[:-1], events[chosen], exposure[chosen]) @ design.T)
            rate[chosen], now[chosen] = course[:, :-1], course[:, -1]
    return rate, now


def _design(rows: npt.NDArray[np.intp], now: int, given: PooledInput, *, trend: bool, tet: bool) -> Numbers:
    """Intercept, harmonics of the year, years before now, share of Tết."""
    year = (rows - now) / given.frequency
    harmonics = min(_HARMONICS, (given.frequency - 1) // 2)
    waves = 2 * np.pi * np.outer(year, np.arange(1, harmonics + 1))
    columns = [np.ones((len(rows), 1)), np.cos(waves), np.sin(waves)]
    columns += [year[:, None]] if trend else []
    columns += [given.tet[rows][:, None]] if tet else []
    return np.concatenate(columns, axis=1)


def _fit(design: Numbers, events: Numbers, exposure: Numbers) -> Numbers:
    known = exposure > 0
    offset = np.log(np.where(known, exposure, 1.0))
    return fit_quasipoisson(design, events, weights=known.astype(float), offset=offset).coefficients


def _levels(
    observed: Numbers, expected: Numbers, group: npt.NDArray[np.intp]
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """(level of each series against its group, events that stand behind it, dispersion of its group, counts without peaks)."""
    phi = np.ones(len(observed))
    level = _shrunken(observed, expected, phi, group)[0]
    phi = _dispersion(observed, level[:, None] * expected, group)
    capped = np.minimum(observed, _cap(level[:, None] * expected, phi[:, None]))
    return *_shrunken(capped, expected, phi, group), phi, capped


def _shrunken(
    observed: Numbers, expected: Numbers, phi: Numbers, group: npt.NDArray[np.intp]
) -> tuple[Numbers, Numbers]:
    """Posterior mean of observed / expected and its shape: gamma prior around 1 with the variance between the places."""
    events, base = observed.sum(axis=1), expected.sum(axis=1)
    squares = np.bincount(group, base**2)
    between = np.bincount(group, (events - base) ** 2 - phi * base) / np.where(squares > 0, squares, 1.0)
    between = np.where(np.bincount(group) > 1, np.maximum(between, _LEAST_VARIANCE), 1.0)
    prior = (1 / between)[group]
    shape = events / phi + prior
    return shape / (base / phi + prior), shape


def _dispersion(observed: Numbers, mean: Numbers, group: npt.NDArray[np.intp]) -> Numbers:
    """Variance over mean of each series' group, without the largest residuals, at least 1."""
    squared = np.where(mean > 0, (observed - mean) ** 2 / np.where(mean > 0, mean, 1.0), np.nan)
    found = np.ones(int(group.max()) + 1)
    for one in np.unique(group):  # a group is an event: a handful
        here = squared[group == one]
        here = np.sort(here[np.isfinite(here)])
        kept = here[: max(int(len(here) * (1 - _TRIM)), 1)] if len(here) else np.ones(1)
        found[one] = max(float(kept.mean()), 1.0)
    return found[group]
