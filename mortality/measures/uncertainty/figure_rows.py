"""Simulated arrays → rows: names, reasons, shares of the variance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.uncertainty.draws import SOURCES, Numbers
from mortality.measures.uncertainty.frame import ALL, Frame, Words
from mortality.measures.uncertainty.functionals import NEED_POPULATION, Recipe
from mortality.measures.uncertainty.simulation import Problem, Simulated

ROUNDING = 1e-9  # of the variance; less is what differences of sums leave
OK, NOT_ASSESSABLE, MODELLED = "ok", "not_assessable", "modelled"
SHARES = tuple(f"share_{name}" for name in SOURCES)
COLUMNS = ["unit_id", "year", "sex", "cause", "quantity", "observed", "value", "lower", "upper", *SHARES, "method", "status",
           "reason"]  # fmt: skip


def reasons_of(frame: Frame, problem: Problem, found: Simulated, base: Words) -> dict[str, Words]:
    """{functional: (places, groups) why it cannot be given, or ""}; base : what holds for all of them."""
    reasons = {}
    for name in problem.recipe.functionals:
        reason = base
        for why, where in _obstacles(frame, problem, name):
            reason = np.where((reason == "") & where, why, reason)
        reasons[name] = reason
    if "30q70" in reasons:
        nobody = _of_ages(problem.recipe, found.value, "30q70") == 0
        reasons["30q70"] = np.where((reasons["30q70"] == "") & nobody, "reason.uncertainty_no_deaths", reasons["30q70"])
    return reasons


def _of_ages(recipe: Recipe, figures: Numbers, name: str) -> Numbers:
    """(places, groups) of a figure that only all causes have: these stand last."""
    groups = len(recipe.groups)
    back = len(recipe.of_ages()) - recipe.of_ages().index(name)
    at = figures.shape[1] - back * groups
    return figures[:, at : at + groups]


def _obstacles(frame: Frame, problem: Problem, name: str) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    groups = [list(group) for group in problem.recipe.groups]
    persons = np.stack([frame.persons[:, group].sum(axis=1) for group in groups], axis=1)  # places, groups, ages
    deaths = np.stack([problem.counts[:, group].sum(axis=(1, 3)) for group in groups], axis=1)
    found: list[tuple[str, npt.NDArray[np.bool_]]] = []
    if name in NEED_POPULATION:
        used = problem.recipe.premature if name == "30q70" else np.ones(persons.shape[-1], bool)
        found.append(("reason.no_person_years_in_age_group", np.asarray((~(persons > 0))[..., used].any(axis=2))))
    if name in ("cause_fraction", "e0"):
        found.append(("reason.uncertainty_no_deaths", np.asarray(deaths.sum(axis=2) == 0)))
    if name == "e0":
        found.append(("reason.uncertainty_open_age", np.asarray(deaths[..., -1] == 0)))
    return found


def figure_table(
    frame: Frame,
    problem: Problem,
    found: Simulated,
    items: Sequence[str],
    reason_of_place: Words,
    method: str,
    *,
    components: bool,
) -> pd.DataFrame:
    """The rows of `simulate_rates`, in the order place, sex, cause, quantity."""
    recipe = problem.recipe
    named = {"observed": found.observed, "value": found.value, "lower": found.lower, "upper": found.upper}
    named |= _shares(found)
    if components:
        named |= _part_limits(found)
    reasons = reasons_of(frame, problem, found, reason_of_place)
    keys, reason = _labels(frame, recipe, items, reasons)
    places = frame.places.loc[frame.places.index.repeat(len(keys))].reset_index(drop=True)
    table = pd.concat([places, pd.concat([keys] * len(frame.places), ignore_index=True)], axis=1)
    if "year" not in table:
        table["year"] = ""
    corrected = problem.completeness is not None or problem.redistribution is not None
    why = reason.reshape(-1)
    table = table.assign(**{name: np.where(why == "", values.reshape(-1), np.nan) for name, values in named.items()})
    table = table.assign(
        method=method, status=np.where(why != "", NOT_ASSESSABLE, MODELLED if corrected else OK), reason=why
    )
    extra = [name for name in named if name not in COLUMNS]
    order = np.lexsort((table.pop("number"), np.repeat(np.arange(len(frame.places)), len(keys))))
    text = dict.fromkeys(("unit_id", "year", "sex", "cause", "quantity", "method", "status", "reason"), "str")
    return table[[*COLUMNS[:-3], *extra, *COLUMNS[-3:]]].iloc[order].reset_index(drop=True).astype(text)


def _labels(
    frame: Frame, recipe: Recipe, items: Sequence[str], reasons: dict[str, Words]
) -> tuple[pd.DataFrame, Words]:
    """Sex, cause, quantity of each figure of a place (and `number`, their order as rows), and (places, figures) reasons."""
    names, causes, groups = recipe.by_cause(), (*items, ALL), frame.group_names()
    parts = [pd.MultiIndex.from_product([names, groups, causes]).to_frame(index=False)]
    why = (
        [np.repeat(np.stack([reasons[name] for name in names], axis=1)[..., None], len(causes), axis=3)]
        if names
        else []
    )
    if recipe.of_ages():
        ages = pd.MultiIndex.from_product([recipe.of_ages(), groups]).to_frame(index=False)
        parts.append(ages.assign(cause=np.where(ages[0] == "30q70", "ncd", ALL)).rename(columns={"cause": 2}))
        why.append(np.stack([reasons[name] for name in recipe.of_ages()], axis=1))
    keys = pd.concat(parts if names else parts[1:], ignore_index=True)
    keys.columns = ["quantity", "sex", "cause"]
    rank = [keys[column].map({value: at for at, value in enumerate(values)}).to_numpy()
            for column, values in (("quantity", recipe.functionals), ("cause", (*causes, "ncd")), ("sex", groups))]  # fmt: skip
    number = np.empty(len(keys), int)
    number[np.lexsort(rank)] = np.arange(len(keys))
    reason = np.concatenate([one.reshape(len(frame.places), -1) for one in why], axis=1)
    return keys[["sex", "cause", "quantity"]].assign(number=number), reason


def _shares(found: Simulated) -> dict[str, Numbers]:
    """Each source's part of the variance: mean of the share that it has alone and of the share that goes without it."""
    shares = {name: np.zeros_like(found.value) for name in SHARES}
    if not found.sources:
        return shares
    total = found.variance[:, None]
    varies = total > 1e-18 * found.value[:, None] ** 2
    safe = np.where(varies, total, 1.0)
    part = np.where(varies, (found.alone / safe + np.clip(1 - found.without / safe, 0, None)) / 2, 0.0)
    part = np.where(part > ROUNDING, part, 0.0)
    every = part.sum(axis=1, keepdims=True)
    part = np.divide(part, every, out=np.zeros_like(part), where=every > 0)
    if found.sources[0] == "counts":  # without a death all doubt is the one that might have been
        part[:, 0] = np.where(~varies[:, 0] & (found.upper > found.lower), 1.0, part[:, 0])
    return shares | {f"share_{name}": part[:, number] for number, name in enumerate(found.sources)}


def _part_limits(found: Simulated) -> dict[str, Numbers]:
    named = {}
    for number, name in enumerate(found.sources):
        for kind, limits in (("alone", found.alone_limits), ("without", found.without_limits)):
            for side, column in enumerate(("lower", "upper")):
                named[f"{column}_{kind}_{name}"] = limits[:, number, side]
    return named
