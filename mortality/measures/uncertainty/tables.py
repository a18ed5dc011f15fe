"""`simulate_rates`: corrected, redistributed figures of every place with one interval and its components, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mortality.measures.redistribution_core import SPREAD
from mortality.measures.uncertainty.catalog_plan import Causes, causes_of
from mortality.measures.uncertainty.draws import COMPLETENESS_DISTRIBUTIONS
from mortality.measures.uncertainty.figure_rows import figure_table
from mortality.measures.uncertainty.frame import Frame, Words, frame_of, interval_on, relative_error_on
from mortality.measures.uncertainty.functionals import Recipe
from mortality.measures.uncertainty.packages import SharePackage
from mortality.measures.uncertainty.recipe import point_ax, recipe_of
from mortality.measures.uncertainty.simulation import Problem, simulate
from tkyt_analysis.errors import UsageError


def simulate_rates(
    counts: pd.DataFrame,
    population: pd.DataFrame,
    *,
    completeness: object = None,
    redistribution: str | Sequence[SharePackage] | None = None,
    cause_list: str | None = None,
    redistribution_spread: float = SPREAD,
    denominator_error: object = None,
    draws: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
    functionals: Sequence[str] = ("asdr", "crude_rate", "cause_fraction"),
    standard: str = "who_2000_2025",
    per: float = 100_000,
    years_lost: Mapping[str, float] | None = None,
    ncd_causes: Sequence[str] | None = None,
    count_error: bool = True,
    completeness_level: float = 0.95,
    completeness_distribution: str = "logit_normal",
    completeness_shared: str = "place",
    denominator_shared: str = "place",
    components: bool = False,
) -> pd.DataFrame:
    """Figures corrected for completeness and garbage codes, with one interval that carries all that is uncertain.

    Parameters
    ----------
    counts : unit_id[, year], sex, age_group, cause, deaths: registered deaths; fractions are allowed, absent rows are 0
    population : unit_id[, year], sex, age_group, persons (person-years)
    completeness : None (not corrected), three numbers (value, lower, upper; shares in 0–1), or a table of them by any of unit_id,
        year, sex, age_group
    redistribution : None; the id of a set of packages in data_catalog/redistribution (causes are then ICD-10 codes, shown by the
        items of `cause_list`; redistribution_spread: see `evidence`); or packages of `SharePackage` on the sorted axes
    denominator_error : None, a relative standard error, or a table relative_standard_error by any of the same columns
    draws, seed : of the simulation; the same seed gives the same figures, and a place alone the same as among others
    functionals : of "asdr", "crude_rate", "cause_fraction", "deaths", "yll", "yll_rate", "e0", "30q70" (SDG 3.4.1)
    standard, per : of the rates; years_lost : {age_group: years} for YLL; ncd_causes : causes counted in 30q70
    count_error : False takes the counts as known
    completeness_level : of the interval given; completeness_distribution : "logit_normal" (two-sided, meets value and limits) or
        "beta"; completeness_shared, denominator_shared : "place" (one error for all sexes and ages), "sex", "age" or "cell"
    components : adds the limits with each source alone and with all but it

    Returns
    -------
    One row per unit_id[, year], sex (and total), cause (and all) and quantity: observed (as registered), value (corrected,
    without draws), lower, upper (percentiles), share_counts, share_completeness, share_redistribution, share_denominator (of the
    variance, together 1; 0 for a source that is absent), method, status ("ok"; "modelled" where something was corrected;
    "not_assessable"), reason. e0 has the cause "all", 30q70 the cause "ncd".

    Counts are drawn as Gamma(deaths); the upper limit adds Gamma(1) of one death more where it weighs most among the ages in
    which the cause occurs, so that counts alone give the limits of Garwood (crude) and Fay & Feuer (standardised).

    Source: Fay & Feuer, Stat Med 1997;16:791–801; Saltelli et al., Global Sensitivity Analysis (2008), ch. 1 (variance shares:
    mean of first-order and total index, scaled to 1).
    """
    _require(draws, confidence, completeness_distribution)
    causes = causes_of(
        frame_of(counts, population), redistribution, cause_list=cause_list, spread=redistribution_spread
    )
    frame = causes.frame
    recipe = recipe_of(
        frame,
        functionals,
        shown=causes.items,
        per=per,
        standard=standard,
        years_lost=years_lost,
        ncd_causes=ncd_causes,
    )
    made = _problem(causes, recipe, completeness, denominator_error)
    problem = replace(
        made.problem, count_error=count_error, level=completeness_level, distribution=completeness_distribution,
        completeness_shared=completeness_shared, denominator_shared=denominator_shared,
    )  # fmt: skip
    found = simulate(problem, draws=draws, seed=seed, confidence=confidence, limits_of_parts=components)
    method = _method(problem, made.life_table, draws, seed, confidence, standard)
    return figure_table(frame, problem, found, causes.items, made.reason, method, components=components)


@dataclass(frozen=True)
class _Made:
    """The problem without gaps; reason : (places, groups) why nothing can be said; life_table : how ax was chosen."""

    problem: Problem
    reason: Words
    life_table: str


def _require(draws: int, confidence: float, distribution: str) -> None:
    if draws < 1:
        raise UsageError("error.uncertainty_draws", found=draws)
    if not 0 < confidence < 1:
        raise UsageError("error.confidence", value=confidence)
    if distribution not in COMPLETENESS_DISTRIBUTIONS:
        known = ", ".join(COMPLETENESS_DISTRIBUTIONS)
        raise UsageError("error.uncertainty_distribution", found=distribution, known=known)


def _problem(causes: Causes, recipe: Recipe, completeness: object, error: object) -> _Made:
    frame = causes.frame
    usable = np.isfinite(frame.counts) & (frame.counts >= 0)
    whole = np.asarray(usable.all(axis=(2, 3)))
    bad = np.stack([~whole[:, list(group)].all(axis=1) for group in recipe.groups], axis=1)
    reason: Words = np.where(bad, "reason.events_missing", "").astype(object)
    interval, relative = None, None
    if completeness is not None:
        interval, why = interval_on(frame, completeness)
        reason = _first_reason(reason, why)
    if error is not None:
        relative, why = relative_error_on(frame, error)
        reason = _first_reason(reason, why)
    problem = Problem(
        frame.keys(),
        np.where(usable, frame.counts, 0.0),
        np.where(frame.persons > 0, frame.persons, 1.0),
        recipe,
        completeness=interval,
        redistribution=causes.plan,
        items=causes.item,
        denominator_error=relative,
    )
    return _Made(*_with_ax(frame, problem, reason))


def _first_reason(reason: Words, why: Words) -> Words:
    return np.asarray(np.where((reason == "") & (why != "")[:, None], why[:, None], reason))


def _with_ax(frame: Frame, problem: Problem, reason: Words) -> tuple[Problem, Words, str]:
    recipe = problem.recipe
    if "e0" not in recipe.functionals:
        shape = (len(frame.places), len(recipe.groups), len(frame.ages))
        return replace(problem, recipe=replace(recipe, ax=np.zeros(shape))), reason, ""
    known = 1.0 if problem.completeness is None else problem.completeness[..., 0]
    ax, words = point_ax(recipe, frame, problem.counts.sum(axis=3) / known, problem.persons)
    return replace(problem, recipe=replace(recipe, ax=ax)), reason, f"life table {words}, ax held"


def _method(problem: Problem, life_table: str, draws: int, seed: int, confidence: float, standard: str) -> str:
    """One line that names every choice."""
    there, plan = problem.sources(), problem.redistribution
    known, shared = "completeness " + problem.distribution, problem.completeness_shared
    parts = [
        f"simulation {draws} draws, seed {seed}, {100 * confidence:g}% percentiles",
        "counts gamma + one death (Fay-Feuer)" if "counts" in there else "counts known",
        f"{known} shared by {shared}" if "completeness" in there else "completeness none",
        f"redistribution {plan.method if plan is not None else 'none'}",
        f"denominator lognormal shared by {problem.denominator_shared}"
        if "denominator" in there
        else "denominator known",
        f"standard {standard}" if "asdr" in problem.recipe.functionals else "",
        life_table,
    ]
    return "; ".join(part for part in parts if part)
