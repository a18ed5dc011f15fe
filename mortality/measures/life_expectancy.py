"""Life expectancy with limits from deaths and population by age, many series at once.

The limits answer how far chance alone can move the figure: Chiang's variance of the probabilities, with the open age group
after Silcocks, or a simulation of the counts. They do not hold incomplete registration (`mortality.measures.uncertainty`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.death_probabilities import probability_of_dying
from mortality.measures.life_table import LifeTables, life_tables_from_counts
from mortality.measures.life_table_counts import CountsByAge, counts_by_age
from mortality.measures.life_table_inputs import NOT_ASSESSABLE, OK, Numbers, Words
from tkyt_analysis.analysis.limits import tail
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

METHODS = ("silcocks", "chiang", "simulation")
_OTHER_METHODS = {"chiang_ii": "chiang", "chiang2": "chiang", "bootstrap": "simulation", "monte_carlo": "simulation", "simulated": "simulation", "phe": "silcocks"}  # fmt: skip
CONVENTIONS = ("textbook", "phe")
FIGURES = ["age", "value", "lower", "upper", "standard_error", "deaths_from_age", "population_from_age", "method", "status",
           "reason"]  # fmt: skip
SMALLEST_POPULATION = 5_000  # PHE/OHID: no life expectancy for this many persons or fewer
MOST_DEATHS = 1e15  # in one age group; more cannot be drawn
WIDEST_LIMITS = 20.0  # years between the 95 % limits, beyond which PHE/OHID print nothing
_CELLS = 1_000_000  # drawn counts held at a time
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Limits:
    method: str
    confidence: float
    draws: int
    seed: int


def life_expectancy(
    table: pd.DataFrame | LifeTables,
    by: str | Sequence[str] = (),
    *,
    at: float | Sequence[float] | None = None,
    confidence: float = 0.95,
    method: str = "silcocks",
    convention: str = "textbook",
    sex: Any = None,
    open_from: float | None = None,
    draws: int = 1_000,
    seed: int = 0,
    **options: Any,
) -> pd.DataFrame:
    """Life expectancy at each age, with limits.

    Parameters
    ----------
    table : one row per series and age group, any order: deaths (>= 0, may be fractions), person_years (or population),
        age_group ("0", "1-4", …, "85+") or age (0, 1, 5, …), and `by`; or LifeTables with their counts
    by : the columns that name one series, e.g. ["province_code", "year", "sex"]; a column `sex` there chooses a0
    at : the ages asked for (0, 65); default all
    method : of the limits: "silcocks" (Chiang's variance and the open group's), "chiang" (without the open group),
        "simulation" (Poisson draws of the deaths; quantiles)
    convention : "textbook": a figure wherever one can be computed; "phe": Public Health England / OHID: ax 0.1 and one half,
        and no figure where deaths are negative, a population is 0, deaths exceed it, an age group is absent, the whole
        population is 5 000 or fewer, or the 95 % limits are more than 20 years apart
    sex : for a0 where `by` has none; open_from : add up the groups from this age on first
    draws, seed : of the simulation; options : ax, a0, closeout, … as in `life_tables`

    Returns
    -------
    One row per series and age: `by`, age, value, lower, upper, standard_error [years], deaths_from_age,
    population_from_age, method, status, reason. The limits of small places hold the truth about as often as promised, but the
    figure itself leans upward there (`benchmarks/bench_life_expectancy.py`): prefer larger places or several years.

    References
    ----------
    Chiang, The life table and its applications, 1984. Silcocks, Jenner & Reza, J Epidemiol Community Health
    2001;55:38-43. Eayres & Williams, J Epidemiol Community Health 2004;58:243-9 (smallest population).
    """
    method = option_word(method, METHODS, _OTHER_METHODS)
    convention = option_word(convention, CONVENTIONS, {"ohid": "phe", "ons": "phe"})
    _require(method, METHODS, "error.life_expectancy_method")
    _require(convention, CONVENTIONS, "error.life_expectancy_convention")
    tail(confidence)
    if isinstance(table, pd.DataFrame) and table.empty:
        return _nothing(by, FIGURES)
    if convention == "phe":
        options = {"ax": "chiang", **options}
    tables, keys, absent = _tables(table, by, sex=sex, open_from=open_from, options=options)
    limits = _Limits(method, confidence, draws, seed)
    error, lower, upper = _interval(tables, limits, options)
    reason = _reasons(tables, absent, convention)
    if convention == "phe":
        wide = 2 * NormalDist().inv_cdf(0.975) * error > WIDEST_LIMITS
        reason = np.where((reason == "") & wide, "reason.life_expectancy_limits_too_wide", reason)
    places = _places(tables, at)
    words = f"e(x); {tables.method}; limits {method}" + (f" ({draws} draws)" if method == "simulation" else "")
    return _rows(tables, keys, places, error, lower, upper, reason, words if convention != "phe" else f"{words}; PHE")


def _nothing(by: str | Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """No rows in, no rows out, with the columns of an answer."""
    return pd.DataFrame(columns=[*([by] if isinstance(by, str) else by), *columns])


def _require(value: str, known: Sequence[str], key: str) -> None:
    if value not in known:
        raise UsageError(key, value=value, known=", ".join(known))


def life_tables_by(
    table: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    sex: Any = None,
    open_from: float | None = None,
    **options: Any,
) -> tuple[LifeTables, pd.DataFrame]:
    """Life tables of rows of deaths and population, and one row of `by` per table (same order).

    Columns as in `life_expectancy`; options as in `life_tables`.
    """
    tables, keys, _ = _tables(table, by, sex=sex, open_from=open_from, options=options)
    return tables, keys


def probability_of_dying_by(
    table: pd.DataFrame,
    by: str | Sequence[str],
    from_age: float,
    to_age: float,
    *,
    confidence: float = 0.95,
    limits: str = "gamma",
    sex: Any = None,
    open_from: float | None = None,
    **options: Any,
) -> pd.DataFrame:
    """`probability_of_dying` with limits, of rows of deaths and population: 5q0, 45q15, 30q70 per `by`.

    One row per series: `by`, from_age, to_age, value, lower, upper, method, status, reason.
    """
    if table.empty:
        return _nothing(by, ["from_age", "to_age", "value", "lower", "upper", "method", "status", "reason"])
    tables, keys = life_tables_by(table, by, sex=sex, open_from=open_from, **options)
    found = probability_of_dying(tables, from_age, to_age, confidence=confidence, limits=limits)
    return pd.concat([keys, found.drop(columns="series", errors="ignore")], axis=1)


def _tables(
    table: pd.DataFrame | LifeTables,
    by: str | Sequence[str],
    *,
    sex: Any,
    open_from: float | None,
    options: dict[str, Any],
) -> tuple[LifeTables, pd.DataFrame, Flags]:
    if isinstance(table, LifeTables):
        if table.deaths is None or table.population is None:
            raise UsageError("error.life_expectancy_counts")
        keys = pd.DataFrame(index=range(len(table)))
        if table.names is not None:
            keys["series"] = pd.Series(table.names, dtype=object)
        return table, keys, np.zeros(len(table), dtype=bool)
    counts = counts_by_age(table, by)
    counts = counts if open_from is None else counts.opened_at(open_from)
    return _from_counts(counts, sex, options), counts.keys, counts.absent.max(axis=1) > 0


def _from_counts(counts: CountsByAge, sex: Any, options: dict[str, Any]) -> LifeTables:
    """The tables keep the ages of the counts, whatever a law adds beyond them."""
    sexes = counts.sex if sex is None else sex
    options = {"open_age": counts.age[-1], **options} if options.get("closeout") == "kannisto" else options
    return life_tables_from_counts(counts.deaths, counts.population, counts.age, sexes, **options)


# ---- limits


def _interval(tables: LifeTables, limits: _Limits, options: dict[str, Any]) -> tuple[Numbers, Numbers, Numbers]:
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


def _simulated(tables: LifeTables, limits: _Limits, options: dict[str, Any]) -> tuple[Numbers, Numbers, Numbers]:
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


# ---- what is not printed


def _reasons(tables: LifeTables, absent: Flags, convention: str) -> Words:
    """Why a life expectancy is missing (series, ages): label key, "" where it is there."""
    reason = np.where(np.isnan(tables.ex), tables.reason, "").astype(object)
    reason[absent[:, np.newaxis] & (reason != "")] = "reason.age_group_absent"
    if convention != "phe":
        return reason
    assert tables.deaths is not None
    assert tables.population is not None
    died, persons = tables.deaths, tables.population
    tests = {
        "reason.age_group_absent": absent,
        "reason.life_expectancy_negative_deaths": (died < 0).any(axis=1),
        "reason.life_expectancy_no_population": ~(persons > 0).all(axis=1),
        "reason.life_expectancy_more_deaths_than_people": (died > persons).any(axis=1),
        "reason.life_expectancy_small_population": persons.sum(axis=1) <= SMALLEST_POPULATION,
    }
    whole = np.select(list(tests.values()), list(tests), default="")
    return np.where(whole[:, np.newaxis] != "", whole[:, np.newaxis], reason).astype(object)


def _places(tables: LifeTables, at: float | Sequence[float] | None) -> list[int]:
    if at is None:
        return list(range(len(tables.age)))
    return [tables.place_of(float(age)) for age in np.atleast_1d(np.asarray(at, dtype=float))]


def _rows(
    tables: LifeTables,
    keys: pd.DataFrame,
    places: list[int],
    error: Numbers,
    lower: Numbers,
    upper: Numbers,
    reason: Words,
    method: str,
) -> pd.DataFrame:
    assert tables.deaths is not None
    assert tables.population is not None
    shown = reason[:, places] == ""
    rows = keys.loc[keys.index.repeat(len(places))].reset_index(drop=True)
    rows["age"] = np.tile(tables.age[places], len(tables))
    figures = {"value": tables.ex, "lower": lower, "upper": upper, "standard_error": error}
    for name, values in figures.items():
        rows[name] = np.where(shown, values[:, places], np.nan).ravel()
    rows["deaths_from_age"] = _from_age_on(tables.deaths)[:, places].ravel()
    rows["population_from_age"] = _from_age_on(tables.population)[:, places].ravel()
    rows["method"] = method
    rows["status"] = np.where(shown, OK, NOT_ASSESSABLE).ravel()
    rows["reason"] = reason[:, places].ravel()
    return rows.astype({"method": "str", "status": "str", "reason": "str"})


def _from_age_on(values: Numbers) -> Numbers:
    return np.nancumsum(values[:, ::-1], axis=1)[:, ::-1]
