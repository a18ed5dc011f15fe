"""Redistribution of garbage codes over arrays of deaths: places × sexes × ages × causes, many draws at once.

A package divides its deaths among its targets in proportion to the deaths that are already coded to them (the evidence) in
the same place, sex and age. Where the evidence is thinner than `minimum` deaths, the next wider group is asked. Totals of each
place, sex and age are kept; what no group has evidence for stays where it is.

Naghavi M et al., Popul Health Metr 2010;8:9 (packages). Own implementation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mortality.measures.redistribution_levels import BORROW, Level, Numbers, make_levels
from mortality.measures.redistribution_rules import RedistributionRules
from tkyt_analysis.errors import UsageError

__all__ = [
    "BORROW", "MINIMUM", "SPREAD", "Level", "Numbers", "Redistributed", "iterate_redistribution_draws", "make_levels",
    "redistribute_counts", "redistribution_draws", "redistribution_matrix",
]  # fmt: skip

MINIMUM = 30.0  # deaths coded to the targets below which a cell borrows from a wider group
SPREAD = 0.5  # measured on practice deaths (benchmarks/bench_redistribution.py, bench_measures_truth.py); with 0.3 the truth of large causes is missed too often
_LEAST = 1e-300
_DUST = 1e-9


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


# ---- axes


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
