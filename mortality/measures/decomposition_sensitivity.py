"""Decomposition by the slope of life expectancy at rates between the two: one slope, times each difference of rates."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.decomposition_general import slopes_at
from mortality.measures.decomposition_inputs import expectancy_function, pair_of_tables
from mortality.measures.decomposition_tables import general_frame
from mortality.measures.decrement_inputs import ByCause
from mortality.measures.life_table import LifeTables, life_tables
from mortality.measures.life_table_inputs import Numbers
from tkyt_analysis.errors import UsageError

SLOPES = ("numerical", "lifetable")
WEIGHTS = (0.4, 0.6)  # LEdecomp looks for the weight of the first rates between these
TURNS = 8


def sensitivity_decomposition(
    nmx_1: npt.ArrayLike,
    nmx_2: npt.ArrayLike,
    age: Iterable[object],
    sex: Any = "total",
    *,
    causes_1: ByCause | None = None,
    causes_2: ByCause | None = None,
    slope: str = "numerical",
    optimise: bool = True,
    **options: Any,
) -> pd.DataFrame:
    """Slope of life expectancy at rates between the two, times the difference of the rates.

    slope : "numerical" (central differences), "lifetable" (-L times e in the middle of the group)
    optimise : the rates between are w m1 + (1 - w) m2 with the w near one half that leaves no residual; else w = 0.5
    Other arguments and columns as `horiuchi_decomposition`.
    """
    if slope not in SLOPES:
        raise UsageError("error.decomposition_slope", value=slope, known=", ".join(SLOPES))
    first, second = pair_of_tables(nmx_1, nmx_2, age, sex, None, options)
    change, gap = second.mx - first.mx, second.ex[:, 0] - first.ex[:, 0]

    def slopes(weight: Numbers) -> Numbers:
        between = weight[:, np.newaxis] * first.mx + (1 - weight[:, np.newaxis]) * second.mx
        if slope == "lifetable":
            return _life_table_slopes(life_tables(between, first.age, first.sex, **options))
        return slopes_at(expectancy_function(first, options, 1), between)

    def left(weight: Numbers) -> Numbers:
        return gap - (slopes(weight) * change).sum(axis=1)

    weight = _weight_without_residual(left, len(gap)) if optimise else np.full(len(gap), 0.5)
    method = f"{slope} slope at {'optimised' if optimise else 'mean'} rates; {first.method}"
    return general_frame(first, second, slopes(weight), causes_1, causes_2, method)


def _life_table_slopes(table: LifeTables) -> Numbers:
    """-L(x) times life expectancy where those who die in the group die: e(x) (1 - a/n) + e(x+n) a/n."""
    share = table.ax / np.where(np.isfinite(table.n), table.n, np.nan)
    after = np.concatenate([table.ex[:, 1:], table.ex[:, -1:]], axis=1)
    within = table.ex * (1 - share) + after * share
    within[:, -1] = table.ex[:, -1]
    return -table.Lx / table.radix * within


def _weight_without_residual(left: Callable[[Numbers], Numbers], series: int) -> Numbers:
    """The weight of each series at which nothing is left (secant); the nearer end where there is none between them."""
    before, now = np.full(series, 0.5), np.full(series, 0.51)
    rest_before, rest = left(before), left(now)
    for _ in range(TURNS):
        flat = ~(np.abs(rest - rest_before) > 0) | ~np.isfinite(rest)
        with np.errstate(divide="ignore", invalid="ignore"):
            new = np.where(flat, now, now - rest * (now - before) / (rest - rest_before))
        before, rest_before, now = now, rest, np.clip(new, *WEIGHTS)
        rest = left(now)
    return now
