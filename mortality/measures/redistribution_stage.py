"""One stage of redistribution: which level gives each pool its shares, and what moves in and out.

Arrays here are (…, sexes, ages, places, causes), so that a matrix product runs over causes; `inside` and `outside` turn them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mortality.measures.redistribution_levels import Level, Numbers
from mortality.measures.redistribution_rules import RedistributionRules
from tkyt_analysis.errors import UsageError

LEAST = 1e-300


def stage_moves(
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
    parts, found = pool_parts(usable, rules.pool_package[pools], len(rules.packages))
    amount = taken[..., rules.pool_package[pools]] * parts
    into, bits = np.zeros(deaths.shape), np.zeros(deaths.shape[-4:], np.int64)
    for number, level in enumerate(levels):
        here = chosen[..., pools] == number
        use = np.flatnonzero(here.any(axis=(0, 1, 2)))  # the pools that take their shares from this level somewhere
        if len(use):
            piece = _from_level(level.summed(evidence), members[..., use], amount[..., use], here[..., use])
            into = into + piece
            if factor is None and piece.ndim == 4:
                bits |= (piece > 0).astype(np.int64) << number
    goes = found @ np.swapaxes(leaving, -1, -2)
    return into, deaths * goes, bits


def _from_level(pooled: Numbers, members: Numbers, amount: Numbers, here: npt.NDArray[np.bool_]) -> Numbers:
    """What each cause receives of the pools' amounts, in proportion to the pooled evidence, in the cells that ask this level."""
    total = pooled @ members
    share = np.zeros(np.broadcast_shapes(amount.shape, total.shape))
    np.divide(amount, total, out=share, where=here & (total > 0))
    return pooled * (share @ np.swapaxes(members, -1, -2))


def pool_parts(usable: Numbers, package: npt.NDArray[np.int64], packages: int) -> tuple[Numbers, Numbers]:
    """(…, J) share of each pool in its package, and (…, K) whether the package has any."""
    whole = usable @ np.eye(packages)[package]
    over = whole[..., package]
    return np.divide(usable, over, out=np.zeros_like(usable), where=over > 0), (whole > 0).astype(float)


def _one_hot(source: npt.NDArray[np.int64], packages: int) -> Numbers:
    """(S, A, C, K) does package k take the class's deaths away?"""
    return (source[..., None] == np.arange(packages)).astype(float)


def chosen_levels(
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
        settled |= found >= max(minimum, LEAST)
    return chosen


def pool_weights(rules: RedistributionRules, evidence: Numbers) -> Numbers:
    """(S, A, P, J) weights of the pools; those of regression packages from the data."""
    from mortality.measures.redistribution_regression import regression_weights

    weights = np.broadcast_to(rules.pool_weight, (*evidence.shape[:3], len(rules.pool_weight))).copy()
    if "regression" in rules.weights:
        weights = regression_weights(evidence, rules, weights)
    return weights


# ---- axes


def checked_counts(counts: npt.ArrayLike, rules: RedistributionRules) -> Numbers:
    values = np.asarray(counts, dtype=float)
    expected = (len(rules.sexes), len(rules.ages), len(rules.causes))
    if values.ndim != 4 or values.shape[1:] != expected:
        raise UsageError("error.redistribution_shape", found=str(values.shape), expected=f"(places, {', '.join(map(str, expected))})")  # fmt: skip
    if not (np.isfinite(values) & (values >= 0)).all():
        raise UsageError("error.redistribution_counts")
    return values


def inside(values: npt.NDArray) -> npt.NDArray:
    """(…, P, S, A, C) → (…, S, A, P, C)"""
    return np.ascontiguousarray(np.moveaxis(values, -4, -2))


def outside(values: npt.NDArray) -> npt.NDArray:
    """(…, S, A, P, C) → (…, P, S, A, C)"""
    return np.moveaxis(values, -2, -4)
