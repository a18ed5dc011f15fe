"""Life expectancy with limits from deaths and population by age, many series at once.

The limits answer how far chance alone can move the figure: Chiang's variance of the probabilities, with the open age group
after Silcocks, or a simulation of the counts. They do not hold incomplete registration (`mortality.measures.uncertainty`).
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.death_probabilities import probability_of_dying
from mortality.measures.life_expectancy_limits import Limits, interval_of_ex, variance_of_ex
from mortality.measures.life_table import LifeTables, life_tables_from_counts
from mortality.measures.life_table_counts import CountsByAge, counts_by_age
from mortality.measures.life_table_inputs import NOT_ASSESSABLE, OK, Numbers, Words
from tkyt_analysis.analysis.limits import tail
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

__all__ = ["life_expectancy", "life_tables_by", "probability_of_dying_by", "variance_of_ex"]
METHODS = ("silcocks", "chiang", "simulation")
_OTHER_METHODS = {"chiang_ii": "chiang", "chiang2": "chiang", "bootstrap": "simulation", "monte_carlo": "simulation", "simulated": "simulation", "phe": "silcocks"}  # fmt: skip
CONVENTIONS = ("textbook", "phe")
FIGURES = ["age", "value", "lower", "upper", "standard_error", "deaths_from_age", "population_from_age", "method", "status",
           "reason"]  # fmt: skip
SMALLEST_POPULATION = 5_000  # PHE/OHID: no life expectancy for this many persons or fewer
WIDEST_LIMITS = 20.0  # years between the 95 % limits, beyond which PHE/OHID print nothing
Flags = npt.NDArray[np.bool_]


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
    limits = Limits(method, confidence, draws, seed)
    error, lower, upper = interval_of_ex(tables, limits, options)
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
