"""What is computed from corrected deaths: rates, fractions, years of life lost, life expectancy, 30q70.

Everything that is linear in deaths is one product: weights (draws, sexes, ages) × deaths (causes, draws, sexes, ages).
A figure stands for each sex and for all of them together; the last cause is all causes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mortality.measures.uncertainty.draws import Numbers

LINEAR = ("asdr", "crude_rate", "deaths", "yll", "yll_rate")
OF_DEATHS = ("cause_fraction",)
OF_AGES = ("e0", "30q70")
FUNCTIONALS = (*LINEAR, *OF_DEATHS, *OF_AGES)
NEED_POPULATION = ("asdr", "crude_rate", "yll_rate", "e0", "30q70")


@dataclass(frozen=True)
class Recipe:
    """What the figures need besides deaths, completeness and persons.

    functionals : of FUNCTIONALS; groups : sexes of each figure, as numbers, e.g. ((0,), (1,), (0, 1))
    bands, weights : number of the standard's age band of each age group, and the standard's share of each band
    years_lost : (sexes, ages) years of life lost by a death; ncd : numbers of the causes of 30q70
    premature : ages inside 30–69; ages : (low, width) of the age groups, width 0 for the open one; ax : (places, groups, ages)
    per : rates are per so many person-years
    """

    functionals: tuple[str, ...]
    groups: tuple[tuple[int, ...], ...]
    per: float = 100_000.0
    bands: npt.NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    weights: Numbers = field(default_factory=lambda: np.zeros(0))
    years_lost: Numbers = field(default_factory=lambda: np.zeros((0, 0)))
    ncd: npt.NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    premature: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    width: Numbers = field(default_factory=lambda: np.zeros(0))
    ax: Numbers = field(default_factory=lambda: np.zeros((0, 0)))

    def by_cause(self) -> tuple[str, ...]:
        """The functionals that each cause has, in the order of the figures."""
        return tuple(name for name in self.functionals if name not in OF_AGES)

    def of_ages(self) -> tuple[str, ...]:
        """The functionals that only all causes together have."""
        return tuple(name for name in self.functionals if name in OF_AGES)


def cause_figures(
    recipe: Recipe,
    deaths: Numbers,
    weights: Numbers,
    further: Numbers | None = None,
    open_causes: npt.NDArray[np.bool_] | bool = True,
) -> Numbers:
    """(draws, functionals, groups, causes): the figures of each cause.

    deaths : (causes, draws or 1, sexes, ages), not yet corrected; weights : of `figure_weights`
    further : (draws,) further deaths of each of the `open_causes`, in the sex and age where one weighs most, or None
    """
    rows = weights.reshape(len(weights), -1, weights.shape[-2] * weights.shape[-1])
    flat = deaths.reshape(*deaths.shape[:2], -1).transpose(1, 2, 0)
    figures = (rows @ (flat[0] if len(flat) == 1 else flat)).reshape(-1, *weights.shape[1:3], len(deaths))
    with_it = figures if further is None else figures + _of_further(weights, further) * open_causes
    if "cause_fraction" in recipe.by_cause():
        _as_fractions(with_it[:, recipe.by_cause().index("cause_fraction")])
    return with_it


def _of_further(weights: Numbers, further: Numbers) -> Numbers:
    return further[:, None, None, None] * weights.max(axis=(3, 4))[..., None]


def _as_fractions(deaths: Numbers) -> None:
    """Each cause's part of all, in place; deaths (draws, groups, causes), the last cause is all. A death more of a cause is one
    more of all too, so a cause that has more than all is all of it."""
    every = deaths[..., -1:].copy()
    deaths[:] = np.where(deaths > 0, np.minimum(deaths / np.where(every > 0, every, 1.0), 1.0), 0.0)


def figure_weights(recipe: Recipe, completeness: Numbers, persons: Numbers) -> Numbers:
    """(draws, functionals, groups, sexes, ages): what one registered death of a sex and age adds to each figure."""
    draws = max(len(completeness), len(persons))
    _, sexes, ages = np.broadcast_shapes(completeness.shape, persons.shape)
    names = recipe.by_cause()
    weights = np.zeros((draws, len(names), len(recipe.groups), sexes, ages))
    for place, group in enumerate(recipe.groups):
        rows = list(group)
        per_death = 1 / completeness[:, rows]
        people = persons[:, rows].sum(axis=1)
        for number, name in enumerate(names):
            weights[:, number, place, rows] = per_death * _per_person(recipe, name, people, rows)
    return weights


def _per_person(recipe: Recipe, name: str, people: Numbers, rows: Sequence[int]) -> Numbers:
    """(draws or 1, sexes of the group or 1, ages or 1); people : (draws or 1, ages) of the group."""
    if name == "asdr":
        bands = np.zeros((len(recipe.weights), len(recipe.bands)))
        bands[recipe.bands, np.arange(len(recipe.bands))] = 1
        share = recipe.weights / recipe.weights.sum() / (people @ bands.T)
        return recipe.per * share[:, recipe.bands][:, None, :]
    if name == "crude_rate":
        return (recipe.per / people.sum(axis=1))[:, None, None]
    if name == "yll":
        return recipe.years_lost[None, rows]
    if name == "yll_rate":
        return (recipe.per / people.sum(axis=1))[:, None, None] * recipe.years_lost[None, rows]
    return np.ones((1, 1, 1))


def age_figures(recipe: Recipe, deaths: Numbers, completeness: Numbers, persons: Numbers, ax: Numbers) -> Numbers:
    """(draws, functionals, groups): life expectancy at birth, and the probability of dying at 30–69 of the NCD causes.

    deaths, completeness, persons as in `cause_figures`; ax : (groups, ages), years lived by those who die in an age group,
    held at its value in the point estimate
    """
    draws = max(deaths.shape[1], len(completeness), len(persons))
    figures = np.zeros((draws, len(recipe.of_ages()), len(recipe.groups)))
    for number, name in enumerate(recipe.of_ages()):
        counted = deaths[-1] if name == "e0" else deaths[recipe.ncd].sum(axis=0)
        for place, group in enumerate(recipe.groups):
            rows = list(group)
            rate = (counted[:, rows] / completeness[:, rows]).sum(axis=1) / persons[:, rows].sum(axis=1)
            figures[:, number, place] = (
                life_expectancy_at_birth(rate, recipe.width, ax[place])
                if name == "e0"
                else premature_probability(rate[:, recipe.premature])
            )
    return figures


def life_expectancy_at_birth(nmx: Numbers, width: Numbers, nax: Numbers) -> Numbers:
    """(draws,): years; nmx (draws, ages), the last age open (width 0), nax (ages,). The open group closes as 1 / m.

    0 deaths in the open group leave no end of life: NaN, which the caller says.
    """
    n, m, a = width[:-1], nmx[:, :-1], nax[:-1]
    q = np.clip(n * m / (1 + (n - a) * m), 0, 1)
    survivors = np.cumprod(np.column_stack([np.ones(len(nmx)), 1 - q]), axis=1)
    lived = n * survivors[:, 1:] + a * (survivors[:, :-1] - survivors[:, 1:])
    last = np.divide(survivors[:, -1], nmx[:, -1], out=np.full(len(nmx), np.nan), where=nmx[:, -1] > 0)
    return np.asarray(lived.sum(axis=1) + last, dtype=float)


def premature_probability(rate: Numbers) -> Numbers:
    """(draws,): 1 − ∏(1 − 5m / (1 + 2.5m)) over the five-year ages 30–34 … 65–69 (SDG 3.4.1, WHO)."""
    return np.asarray(1 - np.prod(1 - 5 * rate / (1 + 2.5 * rate), axis=1), dtype=float)
