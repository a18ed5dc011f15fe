"""Life expectancy at high ages from the Coale–Demeny model life tables, family West, found by the age pattern of deaths."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
LEVELS = np.arange(1, 26, dtype=float)
AGES = np.array([0, 1, *range(5, 100, 5)], dtype=float)
STEP = 0.2  # years, of the survivors from 80 on


def life_expectancy_of_open_age(ratio: Numbers, sex: npt.NDArray[np.str_], age: float) -> Numbers:
    """Years that people of `age` and above have left, for each series.

    ratio : life-table deaths at 10–39 over those at 40–59; sex : "male" or "female" (else missing); age : 0, 1, 5 … 95
    The level is read off the ratio and the expectancy off the level by cubic splines with cubic ends (Forsythe, Malcolm &
    Moler 1977; R's splinefun), beyond both ends too.
    """
    found = np.full(len(ratio), np.nan)
    column = int(np.searchsorted(AGES, age))
    for one in ("male", "female"):
        own = (sex == one) & np.isfinite(ratio)
        if own.any() and AGES[min(column, len(AGES) - 1)] == age:
            level = cubic_spline(*_ratios(one), ratio[own])
            found[own] = cubic_spline(LEVELS, model_life_expectancy(one)[:, column], level)
    return found


@cache
def _levels(sex: str) -> tuple[Numbers, Numbers]:
    """e10 of each level, and the ratio of each level (missing below level 3)."""
    from tkyt_analysis.catalog import read_codelist

    rows = read_codelist("model_west_levels")
    rows = rows[rows["sex"] == sex]
    return rows["e10"].to_numpy(dtype=float), rows["ratio_10_39_to_40_59"].replace("", "nan").to_numpy(dtype=float)


def _ratios(sex: str) -> tuple[Numbers, Numbers]:
    ratio = _levels(sex)[1]
    known = np.isfinite(ratio)
    order = np.argsort(ratio[known])
    return ratio[known][order], LEVELS[known][order]


@cache
def model_life_expectancy(sex: str) -> Numbers:
    """(25 levels, AGES): e(x) of the model life tables West."""
    q = _probabilities(sex, _levels(sex)[0])
    alive = np.column_stack([np.ones(len(q)), 1 - q])
    survivors = np.asarray(np.cumprod(alive, axis=1), dtype=float)  # at 0, 1, 5 … 75, 80
    old, lived_old = _from_80(survivors[:, 16], survivors[:, 17], q[:, 16])
    lived = np.column_stack([_person_years(q, survivors), lived_old])
    above = np.cumsum(lived[:, ::-1], axis=1)[:, ::-1][:, : len(AGES)]
    return np.asarray(above / np.column_stack([survivors[:, :17], old]), dtype=float)


def _probabilities(sex: str, e10: Numbers) -> Numbers:
    """(levels, 17): nqx at 0, 1, 5 … 75: linear, logarithmic or their mean, as the two regressions cross."""
    from tkyt_analysis.catalog import read_codelist

    rows = read_codelist("model_west_regression")
    rows = rows[rows["sex"] == sex]
    a, b, log_a, log_b = (
        rows[name].to_numpy(dtype=float) for name in ("linear_constant", "linear_slope", "log_constant", "log_slope")
    )
    linear = a + b * e10[:, None]
    curved = 10 ** (log_a + log_b * e10[:, None]) / 10_000
    steeper = b / (log_b * np.log(10) * curved) >= 1
    return np.where(linear > curved, (linear + curved) / 2, np.where(steeper, curved, linear))


def _person_years(q: Numbers, survivors: Numbers) -> Numbers:
    """(levels, 17): nLx below 80."""
    low = q[:, :1] < 0.1
    infants = np.where(low, 0.05 + 3 * q[:, :1], 0.35)
    children = np.where(low, 1.524 - 1.625 * q[:, :1], 1.361)
    rest = np.tile([2.25, *[2.6] * 13, 2.5], (len(q), 1))
    lived_by_dead = np.hstack([infants, children, rest])
    width = np.array([1, 4, *[5] * 15])
    died = survivors[:, :17] * q
    return np.asarray(width * (survivors[:, :17] - died) + lived_by_dead * died, dtype=float)


def _from_80(at_75: Numbers, at_80: Numbers, q75: Numbers) -> tuple[Numbers, Numbers]:
    """Survivors at 80, 85, 90, 95 and person-years 80–84 … 95–99, 100–119, of a hazard rising exponentially (Coale & Guo)."""
    hazard_77 = at_75 * q75 / (2.5 * (at_75 + at_80))
    growth = np.log((0.613 + 1.75 * q75) / hazard_77) / 27.5
    hazard_80 = hazard_77 * np.exp(2.5 * growth)
    years = np.arange(201) * STEP
    alive = at_80[:, None] * np.exp(-(hazard_80 / growth)[:, None] * np.expm1(growth[:, None] * years))
    middle = (alive[:, 1:] + alive[:, :-1]) * STEP / 2
    lived = np.add.reduceat(middle, [0, 25, 50, 75, 100], axis=1)
    return alive[:, [0, 25, 50, 75]], lived


def cubic_spline(x: Numbers, y: Numbers, at: Numbers) -> Numbers:
    """The cubic spline through (x, y), x rising, whose ends follow the cubics through the four outer points."""
    h, n = np.diff(x), len(x)
    slopes = np.diff(y) / h
    matrix, right = np.zeros((n, n)), np.zeros(n)
    inner = np.arange(1, n - 1)
    matrix[inner, inner - 1], matrix[inner, inner], matrix[inner, inner + 1] = h[:-1], 2 * (h[:-1] + h[1:]), h[1:]
    right[inner] = 3 * np.diff(slopes)
    matrix[0, :2], right[0] = (-1, 1), 3 * h[0] * _third_difference(x[:4], y[:4])
    matrix[-1, -2:], right[-1] = (-1, 1), 3 * h[-1] * _third_difference(x[-4:], y[-4:])
    c = np.linalg.solve(matrix, right)
    b = slopes - h * (2 * c[:-1] + c[1:]) / 3
    place = np.clip(np.searchsorted(x, at, side="right") - 1, 0, n - 2)
    t = at - x[place]
    return np.asarray(y[place] + t * (b[place] + t * (c[place] + t * (np.diff(c) / (3 * h))[place])), dtype=float)


def _third_difference(x: Numbers, y: Numbers) -> float:
    values = y
    for step in (1, 2, 3):
        values = np.diff(values) / (x[step:] - x[:-step])
    return float(values[0])
