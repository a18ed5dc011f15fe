"""Brass's relational logit on arrays: a standard bent by alpha and beta, and the parameters that meet what is known.

Survivors are (series, ages of the standard), as a share of births.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mortality.measures.life_table_closeout import Flags
from mortality.measures.life_table_core import LifeTables
from mortality.measures.life_table_inputs import Numbers
from tkyt_analysis.errors import InputError

_HALVINGS, _ALPHA, _BETA = 60, (-4.0, 4.0), (0.2, 3.0)


def _logit(survivors: Numbers) -> Numbers:
    inside = np.clip(survivors, 1e-15, 1 - 1e-15)
    return np.log((1 - inside) / inside) / 2


def bent(shape: LifeTables, alpha: Numbers, beta: Numbers) -> Numbers:
    """l(x) of the model as a share of births (series, ages of the standard)."""
    line = alpha[:, np.newaxis] + beta[:, np.newaxis] * _logit(shape.lx / shape.radix)
    survivors = 1 / (1 + np.exp(2 * line))
    survivors[:, 0] = 1.0
    return survivors


def logit_parameters(shape: LifeTables, targets: dict[str, Numbers]) -> tuple[Numbers, Numbers]:
    at = {age: shape.place_of(age) for age in (5, 15, 60)}
    ones = np.ones(len(shape))
    level = _logit(shape.lx / shape.radix)

    def adult(alpha: Numbers, beta: Numbers) -> Numbers:
        survivors = bent(shape, alpha, beta)
        return 1 - survivors[:, at[60]] / survivors[:, at[15]]

    if tuple(targets) == ("q5", "q15_45"):
        child = _logit(1 - targets["q5"])

        def alpha_for(beta: Numbers) -> Numbers:
            return child - beta * level[:, at[5]]

        beta = halved(lambda trial: adult(alpha_for(trial), trial) - targets["q15_45"], _BETA, len(shape))
        return alpha_for(beta), beta
    if "q5" in targets:
        return _logit(1 - targets["q5"]) - level[:, at[5]], ones
    if "q15_45" in targets:
        return halved(lambda trial: adult(trial, ones) - targets["q15_45"], _ALPHA, len(shape)), ones
    return halved(lambda trial: targets["e0"] - e0_of(shape, bent(shape, trial, ones)), _ALPHA, len(shape)), ones


def e0_of(shape: LifeTables, survivors: Numbers) -> Numbers:
    return person_years_of(shape, survivors).sum(axis=1)


def person_years_of(shape: LifeTables, survivors: Numbers) -> Numbers:
    """L of the model with the standard's ax; the open group lives as long as the standard's, scaled by its hazard."""
    died = survivors[:, :-1] - survivors[:, 1:]
    closed = shape.n[:-1] * survivors[:, 1:] + shape.ax[:, :-1] * died
    return np.concatenate([closed, (survivors[:, -1] * _open_ex(shape, survivors))[:, np.newaxis]], axis=1)


def _open_ex(shape: LifeTables, survivors: Numbers) -> Numbers:
    """e of the open group: the standard's, times the ratio of hazards in the last closed group."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ours = -np.log(survivors[:, -1] / survivors[:, -2])
        theirs = -np.log(shape.lx[:, -1] / shape.lx[:, -2])
        return shape.ex[:, -1] * np.where(ours > 0, theirs / ours, 1.0)


def alpha_of_trusted(shape: LifeTables, observed: LifeTables, trusted: Flags) -> Numbers:
    if not trusted.any(axis=1).all():
        raise InputError("error.life_table_all_weak", series=int(np.argmin(trusted.any(axis=1))) + 1)
    hazard = -np.log1p(-np.minimum(np.where(trusted, observed.qx, 0.0), 1 - 1e-9)).sum(axis=1)
    ones = np.ones(len(shape))

    def short(alpha: Numbers) -> Numbers:
        survivors = survivors_at(shape, bent(shape, alpha, ones), observed.age)
        step = -np.diff(np.log(survivors), axis=1)
        return np.where(trusted[:, :-1], step, 0.0).sum(axis=1) - hazard

    return halved(short, _ALPHA, len(shape))


def halved(rises: Callable[[Numbers], Numbers], between: tuple[float, float], series: int) -> Numbers:
    """The root of a rising function in each series, by halving."""
    low, high = np.full(series, between[0]), np.full(series, between[1])
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = rises(middle) > 0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2


def survivors_at(shape: LifeTables, survivors: Numbers, ages: Numbers) -> Numbers:
    """l at other ages: a monotone cubic of ln l through the standard's ages."""
    from scipy.interpolate import PchipInterpolator

    if ages[-1] > shape.age[-1]:
        raise InputError("error.life_table_standard_ages", found=f"{ages[-1]:g}", last=f"{shape.age[-1]:g}")
    logs = np.log(np.maximum(survivors, 1e-300))
    return np.exp(np.asarray(PchipInterpolator(shape.age, logs, axis=1)(ages), dtype=float))
