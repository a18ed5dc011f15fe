"""Redistribution by the packages of the catalog inside the simulation: shares from drawn evidence.

The deaths already coded to the targets are the evidence. In every draw they are Gamma(count) in each cell of the group from
which a cell takes its shares (its own age, a broad age, the nation …), so that all packages see the same evidence, and ages
that borrow from one group see the same too. `spread` lets the causes hidden behind a code differ from those known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mortality.measures.redistribution_core import (
    BORROW,
    MINIMUM,
    Level,
    Redistributed,
    make_levels,
    redistribute_counts,
)
from mortality.measures.redistribution_rules import RedistributionRules
from mortality.measures.uncertainty.draws import Numbers
from mortality.measures.uncertainty.packages import SharePackage, scaled

Places = tuple[int, ...]


@dataclass(frozen=True)
class EvidencePlan:
    """Redistribution of counts (places, sexes, ages, causes) by `rules`, as `redistribute_counts` does it.

    spread : standard deviation of the logarithm of each target's part in a package relative to proportion, one for all sexes
        and ages of a place
    """

    counts: Numbers
    rules: RedistributionRules
    minimum: float = MINIMUM
    borrow: Sequence[str] = BORROW
    spread: float = 0.0
    parents: Sequence[npt.ArrayLike] = ()

    @cached_property
    def point(self) -> Redistributed:
        """The redistribution without draws."""
        return redistribute_counts(
            self.counts, self.rules, minimum=self.minimum, parents=self.parents, borrow=self.borrow
        )

    @cached_property
    def levels(self) -> list[Level]:
        """The groups that evidence may come from."""
        return make_levels(self.rules.ages, len(self.counts), parents=self.parents, borrow=self.borrow)

    @cached_property
    def second_evidence(self) -> Numbers:
        """What the second stage sees: deaths as coded and those that the first stage gave."""
        first = rules_of_stage(self.rules, int(np.unique(self.rules.stage)[0]))
        given = redistribute_counts(self.counts, first, minimum=self.minimum, parents=self.parents, borrow=self.borrow)
        return self.counts + given.moved_in

    @property
    def method(self) -> str:
        """Which packages, and how their shares were drawn."""
        return f"{self.rules.id}, Dirichlet shares from evidence >= {self.minimum:g}, spread {self.spread:g}"

    def of_place(self, place: int) -> EvidenceOfPlace:
        """The packages of a place, one per pool of targets, and what their shares are drawn from."""
        pools: list[_Pool] = []
        for order, stage in enumerate(np.unique(self.rules.stage)):
            known = self.second_evidence if order else self.counts
            own = [self._pool(place, int(pool), order, known) for pool in self._pools_of(int(stage))]
            pools += [one for one in own if one is not None]
        return EvidenceOfPlace([pool.package for pool in pools], pools, self.spread)

    def _pools_of(self, stage: int) -> npt.NDArray[np.intp]:
        return np.flatnonzero(self.rules.stage[self.rules.pool_package] == stage)

    def _pool(self, place: int, pool: int, order: int, evidence: Numbers) -> _Pool | None:
        rules, point = self.rules, self.point
        package = int(rules.pool_package[pool])
        chosen = point.chosen[order][:, :, place, pool]
        members = rules.pools[..., pool] & (chosen >= 0)[..., None]
        sources = np.flatnonzero((rules.source == package).any(axis=(0, 1)))
        targets = np.flatnonzero(members.any(axis=(0, 1)))
        if not len(sources) or not len(targets):
            return None
        weights = np.where(point.chosen[order][:, :, place] >= 0, point.weights[:, :, place], 0.0)
        whole = weights[..., rules.pool_package == package].sum(axis=-1)
        part = np.divide(weights[..., pool], whole, out=np.zeros_like(whole), where=whole > 0)
        leave = (rules.source[..., sources] == package) * part[..., None]
        groups = _groups(self.levels, chosen, place, evidence, targets)
        shown = sum(group.pooled(group.evidence[None])[0] * group.here[..., None] for group in groups)
        shares = scaled(shown * members[..., targets], np.zeros(1))
        rows = np.full(shares.shape[:-1], np.inf)
        own = SharePackage(sources, targets, shares, rows, order + 1, leave)
        return _Pool(own, members[..., targets], groups)


def rules_of_stage(rules: RedistributionRules, stage: int) -> RedistributionRules:
    """The rules of one stage alone."""
    mine = np.append(rules.stage == stage, False)
    pools = mine[rules.pool_package]
    return replace(
        rules,
        source=np.where(mine[rules.source], rules.source, -1),
        pools=rules.pools[..., pools],
        pool_package=rules.pool_package[pools],
        pool_weight=rules.pool_weight[pools],
    )


@dataclass(frozen=True)
class _Group:
    """Where some cells of a pool take their evidence: the same places' deaths, summed over ages (and sexes).

    here : (sexes, ages) the cells; evidence : (sexes, ages, targets) deaths of those places; name : of the draw
    """

    level: Level
    here: npt.NDArray[np.bool_]
    evidence: Numbers
    name: Places

    def pooled(self, evidence: Numbers) -> Numbers:
        """(draws, sexes, ages, targets) summed over the ages, and sexes, of the group."""
        alone = Level(self.level.name, None, self.level.ages, self.level.both_sexes)
        return np.asarray(alone.pooled(evidence[:, :, :, None]))[:, :, :, 0]


@dataclass(frozen=True)
class _Pool:
    package: SharePackage
    members: npt.NDArray[np.bool_]
    groups: list[_Group]


def _groups(
    levels: list[Level], chosen: npt.NDArray[np.int64], place: int, evidence: Numbers, targets: npt.NDArray[np.intp]
) -> list[_Group]:
    found = []
    for number in np.unique(chosen[chosen >= 0]):
        level = levels[number]
        same = np.ones(len(evidence), bool) if level.places is None else level.places == level.places[place]
        shown = evidence[same][..., targets].sum(axis=0)
        found.append(_Group(level, chosen == number, shown, tuple(map(int, np.flatnonzero(same)))))
    return found


@dataclass(frozen=True)
class EvidenceOfPlace:
    """The packages of one place; every draw sees one field of evidence for each set of places that is asked."""

    packages: list[SharePackage]
    pools: list[_Pool]
    spread: float

    def draw(self, rng: np.random.Generator, draws: int) -> list[Numbers]:
        """Shares of each package, (draws, sexes, ages, targets)."""
        fields = self._fields(rng, draws)
        return [self._shares(pool, fields, rng, draws) for pool in self.pools]

    def _fields(self, rng: np.random.Generator, draws: int) -> dict[Places, Numbers]:
        """{places: (draws, sexes, ages, causes)} relative noise of the evidence: Gamma(count) / count."""
        known: dict[Places, Numbers] = {}
        size = 1 + max([int(pool.package.targets.max()) for pool in self.pools], default=0)
        for pool in self.pools:
            for group in pool.groups:
                whole = known.setdefault(group.name, np.zeros((*group.evidence.shape[:2], size)))
                at = whole[..., pool.package.targets]
                whole[..., pool.package.targets] = np.where(at > 0, at, group.evidence)
        return {name: _relative_noise(rng, whole, draws) for name, whole in known.items()}

    def _shares(self, pool: _Pool, fields: dict[Places, Numbers], rng: np.random.Generator, draws: int) -> Numbers:
        targets = pool.package.targets
        weights = np.zeros((draws, *pool.members.shape))
        for group in pool.groups:
            drawn = group.pooled(group.evidence * fields[group.name][..., targets])
            weights += drawn * (pool.members & group.here[..., None])
        if self.spread:
            weights *= np.exp(self.spread * rng.standard_normal((draws, 1, 1, len(targets))))
        return scaled(weights, pool.package.shares)


def _relative_noise(rng: np.random.Generator, counts: Numbers, draws: int) -> Numbers:
    noise = np.ones((draws, *counts.shape))
    some = counts > 0
    noise[:, some] = rng.standard_gamma(counts[some], size=(draws, int(some.sum()))) / counts[some]
    return noise
