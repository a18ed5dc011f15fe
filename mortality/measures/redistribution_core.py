"""Redistribution of garbage codes over arrays of deaths: places × sexes × ages × causes, many draws at once.

A package divides its deaths among its targets in proportion to the deaths that are already coded to them (the evidence) in
the same place, sex and age. Where the evidence is thinner than `minimum` deaths, the next wider group is asked. Totals of each
place, sex and age are kept; what no group has evidence for stays where it is.

Naghavi M et al., Popul Health Metr 2010;8:9 (packages). Own implementation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mortality.measures.redistribution_levels import BORROW, Level, Numbers, make_levels
from mortality.measures.redistribution_rules import RedistributionRules
from mortality.measures.redistribution_stage import (
    LEAST,
    checked_counts,
    chosen_levels,
    inside,
    outside,
    pool_parts,
    pool_weights,
    stage_moves,
)
from tkyt_analysis.errors import UsageError

__all__ = [
    "BORROW", "MINIMUM", "SPREAD", "Level", "Numbers", "Redistributed", "iterate_redistribution_draws", "make_levels",
    "redistribute_counts", "redistribution_draws", "redistribution_matrix",
]  # fmt: skip

MINIMUM = 30.0  # deaths coded to the targets below which a cell borrows from a wider group
SPREAD = 0.5  # measured on practice deaths (benchmarks/bench_redistribution.py, bench_measures_truth.py); with 0.3 the truth of large causes is missed too often
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
    before = checked_counts(counts, rules)
    levels = make_levels(rules.ages, before.shape[0], parents=parents, borrow=borrow)
    shown = before if evidence is None else checked_counts(evidence, rules)
    cells, known = inside(before), inside(shown)
    weights = pool_weights(rules, known)
    chosen: list[npt.NDArray[np.int64]] = []
    after, gained, lost, bits = cells, np.zeros_like(cells), np.zeros_like(cells), np.zeros(cells.shape, np.int64)
    for stage in np.unique(rules.stage):
        chosen.append(chosen_levels(known, rules, stage, levels, minimum))
        into, out, of_levels = stage_moves(after, known, rules, stage, levels, chosen[-1], weights)
        after, known, gained, lost = after - out + into, known + into, gained + into, lost + out
        bits |= of_levels
    return Redistributed(
        before, outside(without_dust(after, lost)), outside(gained), outside(lost), outside(bits),
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
    known, shares = inside(point.before), []
    deaths = known
    for stage, chosen in zip(np.unique(rules.stage), point.chosen, strict=True):
        shares.append(_shares(known, rules, stage, levels, chosen, point.weights))
        into, out, _ = stage_moves(deaths, known, rules, stage, levels, chosen, point.weights)
        deaths, known = deaths - out + into, known + into
    return np.moveaxis(np.sum(shares, axis=0), 2, 0), rules.packages


def _shares(
    evidence: Numbers, rules: RedistributionRules, stage: int, levels: list[Level], chosen: npt.NDArray[np.int64],
    weights: Numbers,
) -> Numbers:  # fmt: skip
    """(S, A, P, K, C) shares of the packages of a stage."""
    usable = np.where(chosen >= 0, weights, 0.0) * (rules.stage[rules.pool_package] == stage)
    parts, _ = pool_parts(usable, rules.pool_package, len(rules.packages))
    result = np.zeros((*evidence.shape[:3], len(rules.packages), evidence.shape[3]))
    for number, level in enumerate(levels):
        pooled = level.pooled(evidence)
        for pool in np.flatnonzero((chosen == number).any(axis=(0, 1, 2))):
            of_pool = pooled * rules.pools[:, :, None, :, pool]
            share = of_pool / np.maximum(of_pool.sum(axis=-1, keepdims=True), LEAST)
            here = (parts[..., pool] * (chosen[..., pool] == number))[..., None]
            result[..., rules.pool_package[pool], :] += here * share
    return result


def without_dust(after: Numbers, lost: Numbers) -> Numbers:
    """What a class keeps after all its deaths left is exactly nothing, not the dust of a subtraction."""
    return np.where((lost > 0) & (np.abs(after) < _DUST), 0.0, after)


def redistribution_draws(counts: npt.ArrayLike, rules: RedistributionRules, **options: Any) -> Numbers:
    """(draws, places, sexes, ages, causes) deaths after redistribution: all pieces of `iterate_redistribution_draws` at once.

    options : draws (1,000), seed, parents, minimum, borrow, spread, allocation, evidence, as there
    """
    return np.concatenate(list(iterate_redistribution_draws(counts, rules, **options)))


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
    """Deaths after redistribution in pieces (n, places, sexes, ages, causes) of at most `cells` numbers; memory stays flat.

    Each draw has the same totals as `counts`. Three sources of doubt. The evidence: deaths coded to the targets are drawn as
    Gamma(count) in every cell, so that the shares of each package are Dirichlet(counts) and agree with each other. The
    package: `spread` is the standard deviation of a factor exp(N(0, spread²)) on each target of each package, the same
    everywhere within a draw: how much the causes hidden behind a code may differ from those that are known (0: not at all).
    The deaths: with `allocation` they go to single causes at random (multinomial), not in fractions; leave it out where the
    number of deaths is drawn as well (Poisson counts).
    """
    _require_draws(draws, spread)
    point = redistribute_counts(counts, rules, parents=parents, minimum=minimum, borrow=borrow, evidence=evidence)
    levels = make_levels(rules.ages, point.before.shape[0], parents=parents, borrow=borrow)
    random = np.random.default_rng(seed)
    shown = inside(point.before if evidence is None else checked_counts(evidence, rules))
    size = max(1, min(draws, cells // max(shown.size, 1)))
    for start in range(0, draws, size):
        drawn = np.maximum(random.standard_gamma(shown, (min(size, draws - start), *shown.shape)), LEAST * (shown > 0))
        after = _with_evidence(inside(point.before), drawn, rules, levels, point, random, spread)
        yield outside(_allocated(after, inside(point.before - point.moved_out), random) if allocation else after)


def _with_evidence(
    counts: Numbers, drawn: Numbers, rules: RedistributionRules, levels: list[Level], point: Redistributed,
    random: np.random.Generator, spread: float,
) -> Numbers:  # fmt: skip
    """(n, S, A, P, C) deaths after redistribution by drawn evidence."""
    factor = _factors(rules, len(drawn), random, spread)
    after: Numbers = np.broadcast_to(counts, drawn.shape)
    lost = np.zeros(1)
    for stage, chosen in zip(np.unique(rules.stage), point.chosen, strict=True):
        into, out, _ = stage_moves(after, drawn, rules, stage, levels, chosen, point.weights, factor)
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
