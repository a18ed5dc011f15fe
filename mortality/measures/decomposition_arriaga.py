"""Arriaga's formula: effects by age, shares of causes, and what takes their place where the shares are 0/0."""

from __future__ import annotations

import numpy as np

from mortality.measures.decomposition_inputs import CauseRates
from mortality.measures.life_table import LifeTables
from mortality.measures.life_table_inputs import MODELLED, Numbers, Words

EQUAL = 1e-9  # two all-cause rates closer than this share of the larger are the same: Arriaga's shares are 0 / 0
CLOSE = 0.01  # the causes move more than 100 times as much as their sum: the shares are unstable and are marked
RATES_EQUAL, RATES_CLOSE = "reason.decomposition_rates_equal", "reason.decomposition_rates_close"


def arriaga_effects(first: LifeTables, second: LifeTables, order: str) -> Numbers:
    """direct, indirect, interaction (3, series, ages) [years]."""
    if order == "forward":
        return _forward(first, second)
    if order == "backward":
        return -_forward(second, first)
    return (_forward(first, second) - _forward(second, first)) / 2


def _forward(first: LifeTables, second: LifeTables) -> Numbers:
    """Arriaga's effects written with survival within the group, so that nothing is divided by survivors that are 0.

    direct = l1 (L2/l2 - L1/l1); indirect = l1 (p2 - p1) e1(x+n); interaction = l1 (p2 - p1) (e2 - e1)(x+n)
    """
    alive = first.lx / first.radix
    gained = alive * (first.qx - second.qx)
    gained[:, -1] = 0.0
    after_1, after_2 = _next(first.ex), _next(second.ex)
    direct = np.where(alive == 0, 0.0, alive * (_lived(second) - _lived(first)))
    nobody = (gained == 0) | (alive == 0)
    return np.stack(
        [direct, np.where(nobody, 0.0, gained * after_1), np.where(nobody, 0.0, gained * (after_2 - after_1))]
    )


def _lived(table: LifeTables) -> Numbers:
    """Years lived in the group per person alive at its start: L / l."""
    n = np.where(np.isfinite(table.n), table.n, 0.0)
    lived = n * (1 - table.qx) + table.ax * table.qx
    lived[:, -1] = table.ex[:, -1]
    return lived


def _next(ex: Numbers) -> Numbers:
    return np.concatenate([ex[:, 1:], np.zeros((len(ex), 1))], axis=1)


def arriaga_shares(first: LifeTables, second: LifeTables, parts: CauseRates, total: Numbers) -> tuple[Numbers, Words]:
    """Each cause's part of its age: total (m2c - m1c) / (m2 - m1); and a remark (label key) where that is 0/0 or unstable."""
    change, moves = second.mx - first.mx, parts.second - parts.first
    moved = np.abs(moves).sum(axis=2)
    equal = np.abs(change) <= EQUAL * np.maximum(first.mx, second.mx)
    undefined, close = equal & (moved > 0), ~equal & (np.abs(change) < CLOSE * moved)
    share = np.divide(moves, change[:, :, np.newaxis], out=np.zeros(moves.shape), where=~equal[:, :, np.newaxis])
    out = np.where(undefined[:, :, np.newaxis], np.nan, total[:, :, np.newaxis] * share)
    why = np.select([undefined, close], [RATES_EQUAL, RATES_CLOSE], default="")
    spread = equal & ~undefined & (total != 0)
    out = np.where(spread[:, :, np.newaxis], _by_level(parts, total), out)
    out = np.where(((total == 0) & np.isnan(change))[:, :, np.newaxis], 0.0, out)  # ages that nobody reaches
    return out, np.broadcast_to(why.astype(object)[:, :, np.newaxis], moves.shape)


def _by_level(parts: CauseRates, total: Numbers) -> Numbers:
    """Where no rate moved but ax did (it follows the neighbours), the age's part goes by the level of the causes."""
    level = parts.first + parts.second
    whole = level.sum(axis=2, keepdims=True)
    share = np.divide(level, whole, out=np.full(level.shape, 1 / level.shape[2]), where=whole > 0)
    return total[:, :, np.newaxis] * share


def filled_by_horiuchi(
    shares: Numbers, status: Words, why: Words, slope: Numbers, parts: CauseRates, total: Numbers
) -> tuple[Numbers, Words]:
    """Horiuchi's parts where Arriaga's shares are 0/0, moved by one amount so that they add up to the age's part.

    slope : of life expectancy by each age's rate, (series, ages); total : each age's part
    """
    equal = why == RATES_EQUAL
    values = slope[:, :, np.newaxis] * (parts.second - parts.first)
    values = values + ((total - values.sum(axis=2)) / values.shape[2])[:, :, np.newaxis]
    return np.where(equal, values, shares), np.where(equal, MODELLED, status)
