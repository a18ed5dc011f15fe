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
    SPREAD,
    Level,
    Redistributed,
    make_levels,
    redistribute_counts,
)
from mortality.measures.redistribution_rules import RedistributionRules
from mortality.measures.uncertainty.draws import Numbers
from mortality.measures.uncertainty.evidence_table import EvidenceTable, Pairs, evidence_table
from mortality.measures.uncertainty.packages import PackageOfPlace, scaled

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
    spread: float = SPREAD
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
        pools: list[Pool] = []
        for order, stage in enumerate(np.unique(self.rules.stage)):
            known = self.second_evidence if order else self.counts
            own = [self._pool(place, int(pool), order, known) for pool in self._pools_of(int(stage))]
            pools += [one for one in own if one is not None]
        return EvidenceOfPlace([pool.package for pool in pools], pools, self.spread)

    def _pools_of(self, stage: int) -> npt.NDArray[np.intp]:
        return np.flatnonzero(self.rules.stage[self.rules.pool_package] == stage)

    def _pool(self, place: int, pool: int, order: int, evidence: Numbers) -> Pool | None:
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
        leave = np.moveaxis((rules.source[..., sources] == package) * part[..., None], -1, 0)
        divided = (np.moveaxis(evidence[place][..., sources], -1, 0) * leave).any(axis=0)
        groups = _groups(self.levels, chosen, place, evidence, targets)
        inside = np.moveaxis(members[..., targets], -1, 0)
        shown = np.sum([group.pooled(group.evidence) * group.here for group in groups], axis=0) * inside
        given = (shown * divided > 0).any(axis=(1, 2))  # targets that no death of this place can reach are left out
        shares = scaled(shown[given, None], np.zeros_like(shown[given]))[:, 0]
        groups = [replace(group, evidence=group.evidence[given]) for group in groups]
        rows = np.full(shares.shape[1:], np.inf)
        own = PackageOfPlace(sources, targets[given], shares, rows, order + 1, leave)
        return Pool(own, inside[given], groups, divided)


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
class Group:
    """Where some cells of a pool take their evidence: the same places' deaths, summed over ages (and sexes).

    here : (sexes, ages) the cells; evidence : (targets, sexes, ages) deaths of those places; name : of the draw
    """

    level: Level
    here: npt.NDArray[np.bool_]
    evidence: Numbers
    name: Places

    @cached_property
    def together(self) -> Numbers | None:
        """(ages, ages) 1 where two ages are one group; None where each age is its own."""
        ages = self.level.ages
        same = np.ones((self.here.shape[1],) * 2) if ages is None else (ages[:, None] == ages[None]) * 1.0
        return None if len(np.unique(same.argmax(axis=0))) == len(same) else same

    @cached_property
    def cells_together(self) -> Numbers:
        """(cells, cells), sexes × ages counted through: 1 where two cells are one group."""
        sexes, ages = self.here.shape
        of_sexes = np.ones((sexes, sexes)) if self.level.both_sexes else np.eye(sexes)
        return np.asarray(np.kron(of_sexes, np.eye(ages) if self.together is None else self.together), dtype=float)

    @cached_property
    def used(self) -> npt.NDArray[np.bool_]:
        """(sexes, ages): the cells whose deaths are evidence here."""
        rows = np.broadcast_to(self.here.any(axis=0), self.here.shape) if self.level.both_sexes else self.here
        return rows if self.together is None else rows @ self.together > 0

    def pooled(self, evidence: Numbers) -> Numbers:
        """(…, sexes, ages) summed over the ages, and sexes, of the group."""
        found = evidence if self.together is None else evidence @ self.together
        return np.asarray(found.sum(axis=-2, keepdims=True) if self.level.both_sexes else found)


@dataclass(frozen=True)
class Pool:
    """One package of a place (with one weight of its targets), and the groups from which its cells take their evidence."""

    package: PackageOfPlace
    members: npt.NDArray[np.bool_]
    groups: list[Group]
    busy: npt.NDArray[np.bool_]  # (sexes, ages): where the place has deaths to divide


def _groups(
    levels: list[Level], chosen: npt.NDArray[np.int64], place: int, evidence: Numbers, targets: npt.NDArray[np.intp]
) -> list[Group]:
    found = []
    for number in np.unique(chosen[chosen >= 0]):
        level = levels[number]
        same = np.ones(len(evidence), bool) if level.places is None else level.places == level.places[place]
        shown = np.moveaxis(evidence[same][..., targets].sum(axis=0), -1, 0)
        found.append(Group(level, chosen == number, shown, tuple(map(int, np.flatnonzero(same)))))
    return found


@dataclass(frozen=True)
class EvidenceOfPlace:
    """The packages of one place; every draw sees one field of evidence for each set of places that is asked."""

    packages: list[PackageOfPlace]
    pools: list[Pool]
    spread: float

    def draw(self, rng: np.random.Generator, draws: int) -> list[Numbers]:
        """Shares of each package, (targets, draws, sexes, ages)."""
        evidence = self.table.drawn(rng, draws)
        return [
            self._shares(pool, self.table.pairs[number], evidence, rng)
            if len(pool.package.targets)
            else pool.package.shares[:, None]
            for number, pool in enumerate(self.pools)
        ]

    @cached_property
    def table(self) -> EvidenceTable:
        """Where each target of each package finds its evidence."""
        return evidence_table(self.pools)

    def _shares(self, pool: Pool, pairs: Pairs, evidence: Numbers, rng: np.random.Generator) -> Numbers:
        """Only targets with something to give, and cells with something to divide, are looked at; elsewhere shares are 0."""
        draws = evidence.shape[1]
        point = pool.package.shares.reshape(len(pool.package.targets), 1, -1)
        found = np.zeros((len(point), draws, point.shape[2]))
        factor = np.exp(self.spread * rng.standard_normal((len(point), draws))) if self.spread else None
        if len(pairs.row):
            weights = evidence[pairs.row]
            if factor is not None:
                weights *= factor[pairs.target]
            total = np.add.reduceat(weights, pairs.start, axis=0)[pairs.cell_number]
            held = point[pairs.target, :, pairs.cell]
            found[pairs.target, :, pairs.cell] = np.where(total > 0, weights / np.where(total > 0, total, 1.0), held)
        return found.reshape(len(point), draws, *pool.package.shares.shape[1:])
