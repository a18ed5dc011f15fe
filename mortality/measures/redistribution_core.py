"""Redistribution of garbage codes over arrays of deaths: places × sexes × ages × causes, many draws at once.

A package divides its deaths among its targets in proportion to the deaths that are already coded to them (the evidence) in
the same place, sex and age. Where the evidence is thinner than `minimum` deaths, the next wider group is asked. Totals of each
place, sex and age are kept; what no group has evidence for stays where it is.

Naghavi M et al., Popul Health Metr 2010;8:9 (packages). Own implementation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mortality.measures.redistribution_rules import RedistributionRules, age_span
from tkyt_analysis.errors import UsageError

Numbers = npt.NDArray[np.float64]
MINIMUM = 30.0  # deaths coded to the targets below which a cell borrows from a wider group
BROAD_AGES = (1, 5, 15, 30, 45, 60, 70, 80)  # where a broad age group begins (besides 0)
SPREAD = (
    0.3  # measured on practice deaths (docs/redistribution.md): limits then hold the planted truth in more than 90 %
)
OWN = "own"
BORROW = ("broad_age", "parents", "nation", "nation_broad_age", "nation_all_ages", "everyone")
KNOWN_LEVELS = (OWN, "broad_age", "all_ages", "parents", "nation", "nation_broad_age", "nation_all_ages", "everyone")
_LEAST = 1e-300
_DUST = 1e-9


@dataclass(frozen=True)
class Level:
    """A group from which a cell takes its evidence: places with the same number, ages with the same number; None is all."""

    name: str
    places: npt.NDArray[np.int64] | None
    ages: npt.NDArray[np.int64] | None
    both_sexes: bool = False

    def pooled(self, evidence: Numbers) -> Numbers:
        """(…, S, A, P, C) the evidence of each cell's group."""
        return np.broadcast_to(self.summed(evidence), evidence.shape)

    def summed(self, evidence: Numbers) -> Numbers:
        """`pooled`, with one place where all places (ages, sexes) have the same."""
        found = evidence.sum(axis=-4, keepdims=True) if self.both_sexes else evidence
        places_first = _grouped(found, self.places, -2)  # the longest axis first
        return _grouped(places_first, self.ages, -3)


def _grouped(values: Numbers, groups: npt.NDArray[np.int64] | None, axis: int) -> Numbers:
    """Sums over the groups along an axis, laid out over their members."""
    if groups is None:
        return values.sum(axis=axis, keepdims=True)
    if len(np.unique(groups)) == len(groups):
        return values
    last = np.moveaxis(values, axis, -1) @ np.eye(groups.max() + 1)[groups]
    return np.moveaxis(last[..., groups], -1, axis)


@dataclass(frozen=True)
class Redistributed:
    """Arrays (places, sexes, ages, causes): before, after, moved_in, moved_out; `borrowed` says by bits which levels gave the
    shares of what moved in (bit 0 is the cell itself, then the order of `levels`)."""

    before: Numbers
    after: Numbers
    moved_in: Numbers
    moved_out: Numbers
    borrowed: npt.NDArray[np.int64]
    levels: tuple[str, ...]
    chosen: tuple[npt.NDArray[np.int64], ...] = field(repr=False)  # of each stage (S, A, P, J) level, -1 for none
    weights: Numbers = field(repr=False)  # (S, A, P, J)


def redistribute_counts(
    counts: npt.ArrayLike,
    rules: RedistributionRules,
    *,
    parents: Sequence[npt.ArrayLike] = (),
    minimum: float = MINIMUM,
    borrow: Sequence[str] = BORROW,
    evidence: npt.ArrayLike | None = None,
) -> Redistributed:
    """Divide the deaths of garbage codes among their targets; totals of each place, sex and age are kept.

    Parameters
    ----------
    counts : (places, sexes, ages, causes) deaths >= 0, fractions allowed; axes as in `rules`
    parents : wider groups of the places, the nearest first: each one label per place (province of each commune, …)
    minimum : deaths coded to the targets of a package, below which a cell borrows its shares
    borrow : the wider groups in their order, of broad_age, all_ages, parents, nation, nation_broad_age, nation_all_ages, everyone
    evidence : deaths that the shares are taken from, by default `counts` (deaths of several years, of neighbours, …)
    """
    before = _counts(counts, rules)
    levels = make_levels(rules.ages, before.shape[0], parents=parents, borrow=borrow)
    shown = before if evidence is None else _counts(evidence, rules)
    cells, known = _inside(before), _inside(shown)
    weights = _pool_weights(rules, known)
    chosen: list[npt.NDArray[np.int64]] = []
    after, gained, lost, bits = cells, np.zeros_like(cells), np.zeros_like(cells), np.zeros(cells.shape, np.int64)
    for stage in np.unique(rules.stage):
        chosen.append(_choose(known, rules, stage, levels, minimum))
        into, out, of_levels = _stage(after, known, rules, stage, levels, chosen[-1], weights)
        after, known, gained, lost = after - out + into, known + into, gained + into, lost + out
        bits |= of_levels
    return Redistributed(
        before, _outside(without_dust(after, lost)), _outside(gained), _outside(lost), _outside(bits),
        tuple(level.name for level in levels), tuple(chosen), weights,
    )  # fmt: skip


def redistribution_matrix(
    counts: npt.ArrayLike,
    rules: RedistributionRules,
    *,
    parents: Sequence[npt.ArrayLike] = (),
    minimum: float = MINIMUM,
    borrow: Sequence[str] = BORROW,
) -> tuple[Numbers, tuple[str, ...]]:
    """(places, sexes, ages, packages, causes) share of each package's deaths that each cause receives, and the packages.

    Shares of a package sum to one, or to zero where nothing could be found (its deaths stay). One death of every package is
    divided in every cell, so the array is as large as the product of its axes: meant to be looked at, not to be multiplied.
    """
    point = redistribute_counts(counts, rules, parents=parents, minimum=minimum, borrow=borrow)
    levels = make_levels(rules.ages, point.before.shape[0], parents=parents, borrow=borrow)
    known, shares = _inside(point.before), []
    deaths = known
    for stage, chosen in zip(np.unique(rules.stage), point.chosen, strict=True):
        shares.append(_shares(known, rules, stage, levels, chosen, point.weights))
        into, out, _ = _stage(deaths, known, rules, stage, levels, chosen, point.weights)
        deaths, known = deaths - out + into, known + into
    return np.moveaxis(np.sum(shares, axis=0), 2, 0), rules.packages


def _shares(
    evidence: Numbers, rules: RedistributionRules, stage: int, levels: list[Level], chosen: npt.NDArray[np.int64],
    weights: Numbers,
) -> Numbers:  # fmt: skip
    """(S, A, P, K, C) shares of the packages of a stage."""
    usable = np.where(chosen >= 0, weights, 0.0) * (rules.stage[rules.pool_package] == stage)
    parts, _ = _parts(usable, rules.pool_package, len(rules.packages))
    result = np.zeros((*evidence.shape[:3], len(rules.packages), evidence.shape[3]))
    for number, level in enumerate(levels):
        pooled = level.pooled(evidence)
        for pool in np.flatnonzero((chosen == number).any(axis=(0, 1, 2))):
            inside = pooled * rules.pools[:, :, None, :, pool]
            share = inside / np.maximum(inside.sum(axis=-1, keepdims=True), _LEAST)
            here = (parts[..., pool] * (chosen[..., pool] == number))[..., None]
            result[..., rules.pool_package[pool], :] += here * share
    return result


def without_dust(after: Numbers, lost: Numbers) -> Numbers:
    """What a class keeps after all its deaths left is exactly nothing, not the dust of a subtraction."""
    return np.where((lost > 0) & (np.abs(after) < _DUST), 0.0, after)


def redistribution_draws(
    counts: npt.ArrayLike,
    rules: RedistributionRules,
    *,
    draws: int = 1000,
    seed: int | np.random.Generator = 20260101,
    parents: Sequence[npt.ArrayLike] = (),
    minimum: float = MINIMUM,
    borrow: Sequence[str] = BORROW,
    spread: float = SPREAD,
    allocation: bool = True,
    evidence: npt.ArrayLike | None = None,
) -> Numbers:
    """(draws, places, sexes, ages, causes) deaths after redistribution, each draw with the same totals as `counts`.

    Three sources of doubt. The evidence: deaths coded to the targets are drawn as Gamma(count) in every cell, so that the
    shares of each package are Dirichlet(counts) and agree with each other. The package: `spread` is the standard deviation of
    a factor exp(N(0, spread²)) on each target of each package, the same everywhere within a draw: how much the causes hidden
    behind a code may differ from those that are known (0: not at all). The deaths: with `allocation` they go to single causes
    at random (multinomial), not in fractions; leave it out where the number of deaths is drawn as well (Poisson counts).
    For more draws than fit into memory use `iterate_redistribution_draws`.
    """
    pieces = iterate_redistribution_draws(
        counts, rules, draws=draws, seed=seed, parents=parents, minimum=minimum, borrow=borrow, spread=spread, allocation=allocation, evidence=evidence
    )  # fmt: skip
    return np.concatenate(list(pieces))


def iterate_redistribution_draws(
    counts: npt.ArrayLike,
    rules: RedistributionRules,
    *,
    draws: int = 1000,
    seed: int | np.random.Generator = 20260101,
    parents: Sequence[npt.ArrayLike] = (),
    minimum: float = MINIMUM,
    borrow: Sequence[str] = BORROW,
    spread: float = SPREAD,
    allocation: bool = True,
    evidence: npt.ArrayLike | None = None,
    cells: int = 4_000_000,
) -> Iterator[Numbers]:
    """`redistribution_draws` in pieces (n, places, sexes, ages, causes) of at most `cells` numbers; memory stays flat."""
    _require_draws(draws, spread)
    point = redistribute_counts(counts, rules, parents=parents, minimum=minimum, borrow=borrow, evidence=evidence)
    levels = make_levels(rules.ages, point.before.shape[0], parents=parents, borrow=borrow)
    random = np.random.default_rng(seed)
    shown = _inside(point.before if evidence is None else _counts(evidence, rules))
    size = max(1, min(draws, cells // max(shown.size, 1)))
    for start in range(0, draws, size):
        drawn = np.maximum(random.standard_gamma(shown, (min(size, draws - start), *shown.shape)), _LEAST * (shown > 0))
        after = _with_evidence(_inside(point.before), drawn, rules, levels, point, random, spread)
        yield _outside(_allocated(after, _inside(point.before - point.moved_out), random) if allocation else after)


def _with_evidence(
    counts: Numbers, drawn: Numbers, rules: RedistributionRules, levels: list[Level], point: Redistributed,
    random: np.random.Generator, spread: float,
) -> Numbers:  # fmt: skip
    """(n, S, A, P, C) deaths after redistribution by drawn evidence."""
    factor = _factors(rules, len(drawn), random, spread)
    after: Numbers = np.broadcast_to(counts, drawn.shape)
    lost = np.zeros(1)
    for stage, chosen in zip(np.unique(rules.stage), point.chosen, strict=True):
        into, out, _ = _stage(after, drawn, rules, stage, levels, chosen, point.weights, factor)
        after, drawn, lost = after - out + into, drawn + into, lost + out
    return without_dust(after, lost)


def _allocated(after: Numbers, kept: Numbers, random: np.random.Generator) -> Numbers:
    """`after` with what moved in drawn as whole deaths (multinomial in each cell); a fraction of a death stays in shares.

    kept : (S, A, P, C) deaths that did not move
    """
    expected = np.maximum(after - kept, 0.0)
    total = expected.sum(axis=-1, keepdims=True)
    shares = np.divide(expected, total, out=np.zeros_like(expected), where=total > 0)
    whole = np.floor(total + _DUST)
    drawn = random.multinomial(whole[..., 0].astype(np.int64), shares)
    astray = np.where(shares[..., -1] > 0, 0, drawn[..., -1])  # numpy gives the dust of a sum to the last class
    drawn[..., -1] -= astray
    np.put_along_axis(drawn, _largest(shares), np.take_along_axis(drawn, _largest(shares), -1) + astray[..., None], -1)
    return kept + drawn + np.maximum(total - whole, 0.0) * shares


def _largest(shares: Numbers) -> npt.NDArray[np.intp]:
    return shares.argmax(axis=-1)[..., None]


def _factors(rules: RedistributionRules, draws: int, random: np.random.Generator, spread: float) -> Numbers | None:
    """(n, 1, 1, C, J) factors on the targets, mean one; None without spread."""
    if not spread:
        return None
    shape = (draws, 1, 1, len(rules.causes), len(rules.pool_package))
    return np.exp(spread * random.standard_normal(shape) - spread**2 / 2)


def _require_draws(draws: int, spread: float) -> None:
    if draws < 1 or not np.isfinite(spread) or spread < 0:
        raise UsageError("error.redistribution_draws", draws=draws, spread=spread)


# ---- one stage; arrays here are (…, sexes, ages, places, causes)


def _stage(
    deaths: Numbers, evidence: Numbers, rules: RedistributionRules, stage: int, levels: list[Level],
    chosen: npt.NDArray[np.int64], weights: Numbers, factor: Numbers | None = None,
) -> tuple[Numbers, Numbers, npt.NDArray[np.int64]]:  # fmt: skip
    """Moved in, moved out, and the levels that gave the shares (bits)."""
    leaving = _one_hot(rules.source, len(rules.packages))
    taken = deaths @ leaving
    wanted = (rules.stage == stage) & taken.reshape(-1, len(rules.packages)).any(axis=0)
    pools = np.flatnonzero(wanted[rules.pool_package])
    members: Numbers = rules.pools[..., pools].astype(float)
    if factor is not None:
        members = members * factor[..., pools]
    usable = np.where(chosen[..., pools] >= 0, weights[..., pools], 0.0)
    parts, found = _parts(usable, rules.pool_package[pools], len(rules.packages))
    amount = taken[..., rules.pool_package[pools]] * parts
    into, bits = np.zeros(deaths.shape), np.zeros(deaths.shape[-4:], np.int64)
    for number, level in enumerate(levels):
        here = chosen[..., pools] == number
        use = np.flatnonzero(here.any(axis=(0, 1, 2)))  # the pools that take their shares from this level somewhere
        if len(use):
            pooled, inside = level.summed(evidence), members[..., use]
            total, wanted_of = pooled @ inside, amount[..., use]
            share = np.divide(
                wanted_of, total, out=np.zeros(np.broadcast_shapes(wanted_of.shape, total.shape)),
                where=here[..., use] & (total > 0),
            )  # fmt: skip
            piece = pooled * (share @ np.swapaxes(inside, -1, -2))
            into = into + piece
            if factor is None and piece.ndim == 4:
                bits |= (piece > 0).astype(np.int64) << number
    goes = found @ np.swapaxes(leaving, -1, -2)
    return into, deaths * goes, bits


def _parts(usable: Numbers, package: npt.NDArray[np.int64], packages: int) -> tuple[Numbers, Numbers]:
    """(…, J) share of each pool in its package, and (…, K) whether the package has any."""
    whole = usable @ np.eye(packages)[package]
    over = whole[..., package]
    return np.divide(usable, over, out=np.zeros_like(usable), where=over > 0), (whole > 0).astype(float)


def _one_hot(source: npt.NDArray[np.int64], packages: int) -> Numbers:
    """(S, A, C, K) does package k take the class's deaths away?"""
    return (source[..., None] == np.arange(packages)).astype(float)


def _choose(
    evidence: Numbers, rules: RedistributionRules, stage: int, levels: list[Level], minimum: float
) -> npt.NDArray[np.int64]:
    """(S, A, P, J) the first level with enough evidence, else the widest with any, else -1; -1 for pools of other stages."""
    mine = rules.stage[rules.pool_package] == stage
    members = (rules.pools & mine).astype(float)
    chosen = np.full((*evidence.shape[:3], len(rules.pool_package)), -1, dtype=np.int64)
    settled = np.zeros(chosen.shape, bool)
    for number, level in enumerate(levels):
        found = level.summed(evidence) @ members
        chosen = np.where(~settled & (found > 0), number, chosen)
        settled |= found >= max(minimum, _LEAST)
    return chosen


def _pool_weights(rules: RedistributionRules, evidence: Numbers) -> Numbers:
    """(S, A, P, J) weights of the pools; those of regression packages from the data."""
    from mortality.measures.redistribution_regression import regression_weights

    weights = np.broadcast_to(rules.pool_weight, (*evidence.shape[:3], len(rules.pool_weight))).copy()
    if "regression" in rules.weights:
        weights = regression_weights(evidence, rules, weights)
    return weights


# ---- levels and axes


def make_levels(
    ages: Sequence[str], places: int, *, parents: Sequence[npt.ArrayLike] = (), borrow: Sequence[str] = BORROW
) -> list[Level]:
    """The cell itself, then the wider groups in the order of `borrow`. Raises UsageError for an unknown one."""
    unknown = [name for name in borrow if name not in KNOWN_LEVELS]
    if unknown:
        raise UsageError("error.redistribution_borrow", found=", ".join(unknown), known=", ".join(KNOWN_LEVELS[1:]))
    own_places, own_ages, broad = np.arange(places), np.arange(len(ages)), broad_age_groups(ages)
    kinds: Mapping[str, list[Level]] = {
        "broad_age": [Level("broad_age", own_places, broad)],
        "all_ages": [Level("all_ages", own_places, None)],
        "parents": [Level(f"parent_{n + 1}", _numbers(one, places), own_ages) for n, one in enumerate(parents)],
        "nation": [Level("nation", None, own_ages)],
        "nation_broad_age": [Level("nation_broad_age", None, broad)],
        "nation_all_ages": [Level("nation_all_ages", None, None)],
        "everyone": [Level("everyone", None, None, both_sexes=True)],
    }
    return [Level(OWN, own_places, own_ages), *(level for name in borrow for level in kinds.get(name, []))]


def broad_age_groups(ages: Sequence[str]) -> npt.NDArray[np.int64]:
    """The broad group of each age group, by its first year; unknown ages are a group of their own."""
    low = np.array([age_span(age)[0] for age in ages], dtype=float)
    group = np.searchsorted(BROAD_AGES, np.where(np.isnan(low), -1, low), side="right")
    return np.unique(np.where(np.isnan(low), 99, group), return_inverse=True)[1]


def _numbers(labels: npt.ArrayLike, places: int) -> npt.NDArray[np.int64]:
    values = np.asarray(labels)
    if values.shape != (places,):
        raise UsageError("error.redistribution_parents", found=str(values.shape), expected=f"({places},)")
    return np.unique(values, return_inverse=True)[1]


def _counts(counts: npt.ArrayLike, rules: RedistributionRules) -> Numbers:
    values = np.asarray(counts, dtype=float)
    expected = (len(rules.sexes), len(rules.ages), len(rules.causes))
    if values.ndim != 4 or values.shape[1:] != expected:
        raise UsageError("error.redistribution_shape", found=str(values.shape), expected=f"(places, {', '.join(map(str, expected))})")  # fmt: skip
    if not (np.isfinite(values) & (values >= 0)).all():
        raise UsageError("error.redistribution_counts")
    return values


def _inside(values: npt.NDArray) -> npt.NDArray:
    """(…, P, S, A, C) → (…, S, A, P, C)"""
    return np.ascontiguousarray(np.moveaxis(values, -4, -2))


def _outside(values: npt.NDArray) -> npt.NDArray:
    """(…, S, A, P, C) → (…, P, S, A, C)"""
    return np.moveaxis(values, -2, -4)
