"""Limits of life expectancy by chance alone: variances from the counts, or drawn deaths."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from mortality.measures.life_table import LifeTables, life_tables_from_counts
from mortality.measures.life_table_inputs import Numbers
from tkyt_analysis.errors import UsageError

MOST_DEATHS = 1e15  # in one age group; more cannot be drawn
_CELLS = 1_000_000  # drawn counts held at a time


@dataclass(frozen=True)
class Limits:
    """How the limits are made: method (silcocks | chiang | simulation), two-sided confidence, draws and seed of a simulation."""

    method: str
    confidence: float
    draws: int
    seed: int


def interval_of_ex(tables: LifeTables, limits: Limits, options: dict[str, Any]) -> tuple[Numbers, Numbers, Numbers]:
    """Standard error, lower, upper (series, ages)."""
    if limits.method == "simulation":
        return _simulated(tables, limits, options)
    error = np.sqrt(variance_of_ex(tables, open_group=limits.method == "silcocks"))
    half = NormalDist().inv_cdf(0.5 + limits.confidence / 2) * error
    return error, tables.ex - half, tables.ex + half


def variance_of_ex(tables: LifeTables, *, open_group: bool = True) -> Numbers:
    """Variance of ex (series, ages) from the counts, backwards over the ages.

    Var(q) = q² (1 - q) / D; V(x) = p² V(x+n) + (n - a + e(x+n))² Var(q). The open group (Silcocks): 1 / (D m²), 0 where its
    life expectancy was given. Where a law closes the table this stands in for the law's own error; simulation has that.
    """
    if tables.deaths is None:
        raise UsageError("error.life_expectancy_counts")
    died, q, n, ex = tables.deaths, tables.qx, tables.n, tables.ex
    with np.errstate(divide="ignore", invalid="ignore"):
        of_q = np.where(died > 0, q**2 * (1 - q) / died, 0.0 * q)
        end = np.where(died[:, -1] > 0, 1 / (died[:, -1] * tables.mx[:, -1] ** 2), np.nan)
    variance = np.zeros_like(q)
    chance = open_group and "closeout given" not in tables.method
    variance[:, -1] = end if chance else 0.0 * ex[:, -1]
    for at in range(q.shape[1] - 2, -1, -1):
        ahead = np.where(q[:, at] == 1, 0.0, ex[:, at + 1])
        carried = np.where(q[:, at] == 1, 0.0, (1 - q[:, at]) ** 2 * variance[:, at + 1])
        variance[:, at] = carried + (n[at] - tables.ax[:, at] + ahead) ** 2 * of_q[:, at]
    return variance


def _simulated(tables: LifeTables, limits: Limits, options: dict[str, Any]) -> tuple[Numbers, Numbers, Numbers]:
    """Poisson draws of the deaths, a chunk of series at a time; an open group drawn empty counts one death."""
    assert tables.deaths is not None
    assert tables.population is not None
    series, ages = tables.deaths.shape
    tail = (1 - limits.confidence) / 2
    found = np.full((3, series, ages), np.nan)
    chunk = max(1, _CELLS // (limits.draws * ages))
    for number, first in enumerate(range(0, series, chunk)):
        part = slice(first, min(first + chunk, series))
        rng = np.random.default_rng([limits.seed, number])
        ex = _drawn_expectancies(tables, part, limits.draws, rng, options)
        found[0, part] = ex.std(axis=0, ddof=1)
        found[1:, part] = np.quantile(ex, [tail, 1 - tail], axis=0)
    return found[0], found[1], found[2]


def _drawn_expectancies(
    tables: LifeTables, part: slice, draws: int, rng: np.random.Generator, options: dict[str, Any]
) -> Numbers:
    """ex of drawn counts (draws, series of the part, ages)."""
    assert tables.deaths is not None
    assert tables.population is not None
    died, persons = tables.deaths[part], tables.population[part]
    known = np.where((died >= 0) & (died < MOST_DEATHS), died, 0.0)
    drawn = rng.poisson(known, size=(draws, *known.shape)).astype(float)
    drawn[..., -1] = np.where(known[:, -1] > 0, np.maximum(drawn[..., -1], 1), 0)
    drawn = np.where(died >= 0, drawn, np.nan).reshape(-1, died.shape[1])
    sex = np.tile(tables.sex[part], draws)
    again = {**options, "open_age": tables.age[-1]} if options.get("closeout") == "kannisto" else options
    simulated = life_tables_from_counts(drawn, np.tile(persons, (draws, 1)), tables.age, sex, **again)
    return simulated.ex.reshape(draws, *died.shape)
