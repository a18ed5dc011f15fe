"""Average years lived in an age group by those who die in it (ax), by the methods' names.

Under five the separation factors of infancy (a0) and of ages 1-4 (a1) follow the level of infant mortality; from five on
the shape of the curve of rates (Greville) or of deaths (Keyfitz & Flieger), or simply the middle.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mortality.measures.life_table_inputs import Numbers, Words
from tkyt_analysis.errors import UsageError

MALE_BIRTHS = 1.05 / 2.05  # share of boys among births, the weight of "total" (usual sex ratio at birth, 105 : 100)
CHILD_0_4 = 0.13  # ax of a band "0-4" as a share of its width: own choice, after 78 % of deaths under five in infancy
#                   (male life table of Viet Nam 2015-2020, WPP 2019: 1,886 of 2,418), a0 = 0.1 and a1 = 1.6

# Coale & Demeny; Preston, Heuveline & Guillot 2001, Table 3.3 (West, from m0): limit, high (a0, a1), a0 line, a1 line
_WEST_M0 = {
    "male": (0.107, (0.330, 1.352), (0.045, 2.684), (1.651, -2.816)),
    "female": (0.107, (0.350, 1.361), (0.053, 2.800), (1.522, -1.518)),
}
# Andreev & Kingkade 2015, Table 3-2, as the HMD's Methods Protocol v6 uses it: pieces of a0 on m0
_ANDREEV_KINGKADE = {
    "male": ((0.02300, 0.14929, -1.99545), (0.08307, 0.02832, 3.26021), (np.inf, 0.29915, 0.0)),
    "female": ((0.01724, 0.14903, -2.05527), (0.06891, 0.04667, 3.88089), (np.inf, 0.31411, 0.0)),
}


def infant_factors(rule: str | float, m0: Numbers, sex: Words) -> tuple[Numbers, Numbers]:
    """a0 and a1 [years] of each series.

    rule : a name of `A0_RULES`, or the number a0 itself
    m0 : death rate under one year; sex : "male", "female" or "total" (births-weighted mean of the two)
    """
    if not isinstance(rule, str):
        return np.full(m0.shape, float(rule)), _by_sex(_west_from_m0, m0, sex)[1]
    if rule not in A0_RULES:
        raise UsageError("error.life_table_a0_unknown", value=rule, known=", ".join(A0_RULES))
    return _by_sex(A0_RULES[rule], m0, sex)


def _by_sex(
    rule: Callable[[Numbers, str], tuple[Numbers, Numbers]], m0: Numbers, sex: Words
) -> tuple[Numbers, Numbers]:
    male, female = np.array(rule(m0, "male")), np.array(rule(m0, "female"))
    boys = np.select([sex == "male", sex == "female"], [1.0, 0.0], default=MALE_BIRTHS)
    a0, a1 = boys * male + (1 - boys) * female
    return a0, a1


def _west_from_m0(m0: Numbers, sex: str) -> tuple[Numbers, Numbers]:
    limit, high, line0, line1 = _WEST_M0[sex]
    above = m0 >= limit
    a0 = np.where(above, high[0], line0[0] + line0[1] * m0)
    return a0, np.where(above, high[1], line1[0] + line1[1] * m0)


def _andreev_kingkade(m0: Numbers, sex: str) -> tuple[Numbers, Numbers]:
    pieces = _ANDREEV_KINGKADE[sex]
    conditions = [m0 < below for below, _, _ in pieces[:-1]]
    values = [start + slope * m0 for _, start, slope in pieces]
    return np.select(conditions, values[:-1], default=values[-1]), _west_from_m0(m0, sex)[1]


A0_RULES: dict[str, Callable[[Numbers, str], tuple[Numbers, Numbers]]] = {
    "coale_demeny_west": _west_from_m0,
    "andreev_kingkade": _andreev_kingkade,
}


def initial_ax(age: Numbers, n: Numbers, a0: Numbers, a1: Numbers) -> Numbers:
    """ax (series, ages) with infancy and childhood filled in and the middle elsewhere; the open group is missing."""
    ax = np.tile(np.where(np.isfinite(n), n / 2, np.nan), (len(a0), 1))
    for at, (start, width) in enumerate(zip(age, n, strict=True)):
        if start == 0 and width == 1:
            ax[:, at] = a0
        elif start == 0 and np.isfinite(width):
            ax[:, at] = CHILD_0_4 * width
        elif start == 1 and width == 4:
            ax[:, at] = a1
    return ax


def greville(mx: Numbers, age: Numbers, n: Numbers, ax: Numbers) -> Numbers:
    """ax with Greville's formula from age 10 on: n/2 - n²/12 (m - k), k the slope of ln m over the neighbours.

    UN, Model Life Tables for Developing Countries 1982 and MORTPAK. Single ages, ages under 10 and groups beside a rate
    of zero keep what they have; so does a group whose ax would lie outside it.
    """
    middle = age + np.where(np.isfinite(n), n, _before(n)) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        k = np.log(mx[:, 2:] / mx[:, :-2]) / (middle[2:] - middle[:-2])
        width = n[1:-1]
        shaped = width / 2 - width**2 / 12 * (mx[:, 1:-1] - k)
    fits = np.isfinite(shaped) & (shaped > 0) & (shaped < width) & (age[1:-1] >= 10) & (width > 1)
    out = ax.copy()
    out[:, 1:-1] = np.where(fits, shaped, ax[:, 1:-1])
    return out


def _before(n: Numbers) -> Numbers:
    return np.append(n[:1], n[:-1])


def chiang(n: Numbers, series: int) -> Numbers:
    """0.1 of the first year of life and half of every other group (Chiang II as PHE/ONS use it)."""
    fraction = np.full(len(n), 0.5)
    fraction[0] = 0.1
    return np.tile(np.where(np.isfinite(n), fraction * n, np.nan), (series, 1))


def ax_of(
    method: str | npt.ArrayLike, mx: Numbers, age: Numbers, n: Numbers, sex: Words, *, a0: str | float
) -> tuple[Numbers, str]:
    """ax (series, ages) and the words of the method; the open group is left to the closeout."""
    if not isinstance(method, str):
        return np.broadcast_to(np.asarray(method, dtype=float), mx.shape).astype(float), "ax given"
    if method == "chiang":
        return _first_age_only(chiang(n, len(mx)), age, n), "ax Chiang (0.1; 0.5)"
    if method not in AX_METHODS:
        raise UsageError("error.life_table_ax_unknown", value=method, known=", ".join((*AX_METHODS, "chiang")))
    first, second = infant_factors(a0, mx[:, 0], sex)
    start = initial_ax(age, n, first, second)
    words = f"ax {method}" + (f", a0 {a0}" if age[0] == 0 else "")
    return AX_METHODS[method](mx, age, n, start), words


def _first_age_only(ax: Numbers, age: Numbers, n: Numbers) -> Numbers:
    if age[0] != 0 or n[0] != 1:
        ax[:, 0] = n[0] / 2
    return ax


def _midpoint(mx: Numbers, age: Numbers, n: Numbers, ax: Numbers) -> Numbers:
    return ax


AX_METHODS: dict[str, Callable[[Numbers, Numbers, Numbers, Numbers], Numbers]] = {
    "greville": greville,
    "midpoint": _midpoint,
}
