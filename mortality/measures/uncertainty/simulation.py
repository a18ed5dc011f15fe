"""The simulation itself: arrays (places × sexes × ages × causes) → figures with limits and the parts of their doubt.

One place is in hand at a time, and of it at most `draws.BLOCK` draws, so that memory does not grow with places.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mortality.measures.uncertainty import draws as drawn
from mortality.measures.uncertainty.draws import BLOCK, Numbers
from mortality.measures.uncertainty.functionals import Recipe, age_figures, cause_figures, figure_weights
from mortality.measures.uncertainty.packages import PackageOfPlace, Plan, redistributed

Sources = frozenset[str]


@dataclass(frozen=True)
class Problem:
    """What is known, without gaps (0 deaths, 1 person, completeness 1 where something is missing: the caller masks).

    keys : a name for each place (and year); the random streams belong to it
    counts : (places, sexes, ages, causes) registered deaths, fractions allowed; persons : (places, sexes, ages) person-years
    completeness : (places, sexes, ages, 3) value, lower, upper, or None; level : of that interval
    redistribution : packages and how their shares are drawn, or None
    items : (causes,) number of the item under which each cause is shown, or None: each cause is shown as it is
    denominator_error : (places, sexes, ages) relative standard errors, or None
    count_error : False takes the counts as known
    distribution, completeness_shared, denominator_shared : see `draws`
    """

    keys: tuple[str, ...]
    counts: Numbers
    persons: Numbers
    recipe: Recipe
    completeness: Numbers | None = None
    redistribution: Plan | None = None
    items: npt.NDArray[np.intp] | None = None
    denominator_error: Numbers | None = None
    count_error: bool = True
    level: float = 0.95
    distribution: str = "logit_normal"
    completeness_shared: str = "place"
    denominator_shared: str = "place"

    def sources(self) -> tuple[str, ...]:
        """The sources of doubt that are there, in the order of `draws.SOURCES`."""
        there = {
            "counts": self.count_error,
            "completeness": self.completeness is not None,
            "redistribution": self.redistribution is not None,
            "denominator": self.denominator_error is not None,
        }
        return tuple(name for name in drawn.SOURCES if there[name])


@dataclass(frozen=True)
class Simulated:
    """Figures of the places: arrays (places, figures), or (places, sources, figures); see `Figures` for their order.

    observed : from the counts as registered; value : corrected and redistributed, without draws; lower, upper : percentiles
    variance : of the draws; alone, without : variance with one source only, and with all but one
    alone_limits, without_limits : (places, sources, 2, figures) percentiles of the same, empty unless asked for
    """

    sources: tuple[str, ...]
    observed: Numbers
    value: Numbers
    lower: Numbers
    upper: Numbers
    variance: Numbers
    alone: Numbers
    without: Numbers
    alone_limits: Numbers
    without_limits: Numbers


def simulate(
    problem: Problem, *, draws: int = 1000, seed: int = 0, confidence: float = 0.95, limits_of_parts: bool = False
) -> Simulated:
    """All figures of all places with percentile limits; the same seed gives the same figures, whatever the company."""
    places = [
        _Place(problem, number).run(draws, seed, confidence, limits_of_parts) for number in range(len(problem.keys))
    ]
    stacked = {name: np.stack([place[name] for place in places]) for name in places[0]}
    return Simulated(sources=problem.sources(), **stacked)


@dataclass
class Block:
    """Some draws of one place: counts, one death more, shares of each package, completeness, persons."""

    counts: Numbers
    further: Numbers
    shares: list[Numbers]
    completeness: Numbers
    persons: Numbers
    deaths: dict[Sources, Numbers] = field(default_factory=dict)


@dataclass
class _Place:
    """One place: its point figures, and its draws block by block."""

    problem: Problem
    number: int
    fixed: dict[str, Numbers] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problem, at = self.problem, self.number
        shape = problem.persons.shape[1:]
        self.plan = None if problem.redistribution is None else problem.redistribution.of_place(at)
        self.packages = [] if self.plan is None else self.plan.packages
        known = np.ones((1, *shape)) if problem.completeness is None else problem.completeness[None, at, ..., 0]
        self.counts = np.ascontiguousarray(np.moveaxis(problem.counts[at], -1, 0))
        self.shares = [package.shares[:, None] for package in self.packages]
        moved = redistributed(self.counts[:, None], self.packages, self.shares)
        self.fixed = {"deaths": self.shown(moved), "completeness": known, "persons": problem.persons[None, at]}
        self.ax = problem.recipe.ax[at] if problem.recipe.of_ages() else np.zeros((0, 0))

    # ------------------------------------------------------------------------------------------ figures

    def figures(
        self, deaths: Numbers, completeness: Numbers, persons: Numbers, further: Numbers | None = None
    ) -> Numbers:
        """(draws, figures): those of each cause, then those of all causes together."""
        recipe = self.problem.recipe
        parts = []
        if recipe.by_cause():
            weights = figure_weights(recipe, completeness, persons)
            parts.append(cause_figures(recipe, deaths, weights, further, self.open_causes))
        if recipe.of_ages():
            parts.append(age_figures(recipe, deaths, completeness, persons, self.ax))
        return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)

    @cached_property
    def open_causes(self) -> npt.NDArray[np.bool_]:
        """(causes,): may a cause have one death more? Not where redistribution takes all of its deaths away."""
        given = np.zeros((len(self.counts), 1, 1, 1))
        given[_all_sources(self.packages)] = 1
        left = self.shown(np.ones_like(given)) > self.shown(given)
        return np.asarray(left[:, 0, 0, 0] | (self.fixed["deaths"] > 0).any(axis=(1, 2, 3)))

    # -------------------------------------------------------------------------------------------- draws

    def block(self, number: int, size: int, seed: int) -> Block:
        """The draws of one block; where a source is absent, its value stands."""
        problem, at = self.problem, self.number
        shape = self.counts.shape[1:]
        rng = {name: drawn.stream(seed, problem.keys[at], name, number) for name in (*problem.sources(), "event")}
        found = Block(self.counts[:, None], np.zeros(1), self.shares, self.fixed["completeness"], self.fixed["persons"])
        if "counts" in rng:
            found.counts = drawn.true_counts(rng["counts"], self.counts, BLOCK)[:, :size]
            found.further = drawn.further_death(rng["event"], BLOCK)[:size]
        if self.plan is not None:
            found.shares = [shares[:, :size] for shares in self.plan.draw(rng["redistribution"], BLOCK)]
        if problem.completeness is not None:
            scores = drawn.normal_scores(rng["completeness"], BLOCK, shape, problem.completeness_shared)[:size]
            value, lower, upper = np.moveaxis(problem.completeness[at], -1, 0)
            found.completeness = drawn.completeness_at(
                scores, value, lower, upper, level=problem.level, distribution=problem.distribution
            )
        if problem.denominator_error is not None:
            scores = drawn.normal_scores(rng["denominator"], BLOCK, shape, problem.denominator_shared)[:size]
            found.persons = self.fixed["persons"] * drawn.denominators_at(scores, problem.denominator_error[at])
        return found

    def shown(self, deaths: Numbers) -> Numbers:
        """The causes, or the items that they are shown under, and, last, all of them together."""
        items = self.problem.items if self.problem.items is not None else np.arange(len(deaths))
        found = np.zeros((int(items.max()) + 2, *deaths.shape[1:]))
        for item, of_cause in zip(items, deaths, strict=True):
            found[item] += of_cause
        found[-1] = deaths.sum(axis=0)
        return found

    def _deaths(self, block: Block, random: Sources) -> Numbers:
        """Redistributed deaths with the counts, the shares, both or neither drawn; kept for the block's next mixture."""
        key = random & {"counts", "redistribution"}
        if not key:
            return self.fixed["deaths"]
        if key not in block.deaths:
            counts = block.counts if "counts" in key else self.counts[:, None]
            shares = block.shares if "redistribution" in key else self.shares
            block.deaths[key] = self.shown(redistributed(counts, self.packages, shares))
        return block.deaths[key]

    def mixture(self, block: Block, random: Sources, further: Numbers | None = None) -> Numbers:
        """(draws, figures) with the sources `random` drawn; the others stand at their values."""
        completeness = block.completeness if "completeness" in random else self.fixed["completeness"]
        persons = block.persons if "denominator" in random else self.fixed["persons"]
        return self.figures(self._deaths(block, random), completeness, persons, further)

    # ---------------------------------------------------------------------------------------------- run

    def run(self, draws: int, seed: int, confidence: float, limits_of_parts: bool) -> dict[str, Numbers]:
        problem, sources = self.problem, self.problem.sources()
        every = frozenset(sources)
        mixtures = dict.fromkeys([every, *(frozenset([s]) for s in sources), *(every - {s} for s in sources)])
        value = self.figures(**self.fixed)[0]
        kept: dict[Sources, list[Numbers]] = {random: [] for random in mixtures}
        upper: list[Numbers] = []
        sums = {random: np.zeros((2, len(value))) for random in mixtures}
        for number, start in enumerate(range(0, draws, BLOCK)):
            block = self.block(number, min(BLOCK, draws - start), seed)
            for random in mixtures:
                figures = self.mixture(block, random)
                away = figures - value
                sums[random] += np.stack([away.sum(axis=0), (away**2).sum(axis=0)])
                if random == every or limits_of_parts:
                    kept[random].append(figures)
            upper.append(self.mixture(block, every, block.further) if problem.count_error else kept[every][-1])
        return self._summary(value, kept, upper, sums, draws, confidence)

    def _summary(
        self,
        value: Numbers,
        kept: dict[Sources, list[Numbers]],
        upper: list[Numbers],
        sums: dict[Sources, Numbers],
        draws: int,
        confidence: float,
    ) -> dict[str, Numbers]:
        sources = self.problem.sources()
        every = frozenset(sources)
        tail = (1 - confidence) / 2
        variance = {random: _variance(one, draws) for random, one in sums.items()}
        counts = self.shown(self.counts[:, None])
        alone = [frozenset([name]) for name in sources]
        without = [every - {name} for name in sources]
        return {
            "observed": self.figures(counts, np.ones_like(self.fixed["completeness"]), self.fixed["persons"])[0],
            "value": value,
            "lower": percentiles(kept[every], (tail,))[0],
            "upper": percentiles(upper, (1 - tail,))[0],
            "variance": variance[every],
            "alone": np.stack([variance[random] for random in alone]) if sources else np.zeros((0, len(value))),
            "without": np.stack([variance[random] for random in without]) if sources else np.zeros((0, len(value))),
            "alone_limits": _limits([kept[random] for random in alone], tail, len(value)),
            "without_limits": _limits([kept[random] for random in without], tail, len(value)),
        }


def _all_sources(packages: list[PackageOfPlace]) -> npt.NDArray[np.intp]:
    return np.concatenate([np.zeros(0, np.intp), *(package.sources for package in packages)])


def _variance(sums: Numbers, draws: int) -> Numbers:
    """From the sum of differences to the value and of their squares."""
    if draws < 2:
        return np.zeros(sums.shape[1])
    return np.asarray(np.maximum(sums[1] - sums[0] ** 2 / draws, 0) / (draws - 1), dtype=float)


def percentiles(blocks: list[Numbers], shares: tuple[float, ...]) -> Numbers:
    """(shares, figures): linear between the ordered draws, as numpy's default."""
    figures = np.ascontiguousarray(np.concatenate(blocks).T)
    last = figures.shape[1] - 1
    below = [int(np.floor(share * last)) for share in shares]
    figures.partition(sorted({*below, *(min(place + 1, last) for place in below)}), axis=1)
    found = []
    for share, place in zip(shares, below, strict=True):
        low, high = figures[:, place], figures[:, min(place + 1, last)]
        found.append(low + (high - low) * (share * last - place))
    return np.stack(found)


def _limits(parts: list[list[Numbers]], tail: float, figures: int) -> Numbers:
    if not all(parts) or not parts:
        return np.zeros((0, 2, figures))
    return np.stack([percentiles(blocks, (tail, 1 - tail)) for blocks in parts])
