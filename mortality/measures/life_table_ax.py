"""Average years lived in an age group by those who die in it (ax), by the methods' names.

Under five the separation factors of infancy (a0) and of ages 1-4 (a1) follow the level of infant mortality; from five on
the shape of the curve of rates (Greville) or of deaths (Keyfitz & Flieger), a constant hazard, or simply the middle.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mortality.measures.life_table_inputs import Numbers, Words, as_floats, per_series
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.option_words import option_word

MALE_BIRTHS = 1.05 / 2.05  # share of boys among births, the weight of "total" (usual sex ratio at birth, 105 : 100)
CHILD_0_4 = 0.13  # ax of a band "0-4" as a share of its width: own choice, after 78 % of deaths under five in infancy
#                   (male life table of Viet Nam 2015-2020, WPP 2019: 1,886 of 2,418), a0 = 0.1 and a1 = 1.6
TURNS = 12  # of the iterations that make ax agree with deaths or with probabilities

Factors = tuple[Numbers, Numbers]
Rule = Callable[[Numbers, Numbers | None, str], Factors]

# Preston, Heuveline & Guillot 2001, Table 3.3, after Coale & Demeny West: limit of m0, (a0, a1) above, a0 line, a1 line
_WEST_M0 = {
    "male": (0.107, (0.330, 1.352), (0.045, 2.684), (1.651, -2.816)),
    "female": (0.107, (0.350, 1.361), (0.053, 2.800), (1.522, -1.518)),
}
# Coale & Demeny from q0 (UN Manual X, Table 164; US Census Bureau PAS, LTPOPDTH): above q0 = 0.1 (a0, a1); below a0 and a1
# as intercepts with the slopes of the sex
_Q0_SLOPES = {"male": (2.875, -3.013), "female": (3.000, -1.627)}
_Q0_LIMIT = 0.1
_Q0 = {
    "west": {"male": (0.33, 1.352, 0.0425, 1.653), "female": (0.35, 1.361, 0.05, 1.524)},
    "north": {"male": (0.33, 1.558, 0.0425, 1.859), "female": (0.35, 1.570, 0.05, 1.733)},
    "east": {"male": (0.29, 1.313, 0.0025, 1.614), "female": (0.31, 1.324, 0.01, 1.487)},
    "south": {"male": (0.33, 1.240, 0.0425, 1.541), "female": (0.35, 1.239, 0.05, 1.402)},
}
# Andreev & Kingkade 2015, as the HMD's Methods Protocol v6 uses it: pieces of a0 on m0 (below, start, slope)
_ANDREEV_KINGKADE = {
    "male": ((0.02300, 0.14929, -1.99545), (0.08307, 0.02832, 3.26021), (np.inf, 0.29915, 0.0)),
    "female": ((0.01724, 0.14903, -2.05527), (0.06891, 0.04667, 3.88089), (np.inf, 0.31411, 0.0)),
}


# ---- infancy


def _coale_demeny(region: str) -> Rule:
    def rule(m0: Numbers, q0: Numbers | None, sex: str) -> Factors:
        high0, high1, start0, start1 = _Q0[region][sex]
        slope0, slope1 = _Q0_SLOPES[sex]
        q = _q0_of_line(m0, start0, slope0) if q0 is None else q0
        above = q > _Q0_LIMIT
        return np.where(above, high0, start0 + slope0 * q), np.where(above, high1, start1 + slope1 * q)

    return rule


def _q0_of_line(m0: Numbers, start: float, slope: float) -> Numbers:
    """The q0 that agrees with m0 when a0 = start + slope q0: the root of slope m q² - (1 + m (1 - start)) q + m = 0."""
    a, b = m0 * slope, 1 + m0 * (1 - start)
    under = b**2 - 4 * a * m0
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        root = (b - np.sqrt(np.where(under > 0, under, np.nan))) / (2 * a)
    return np.select([m0 == 0, under <= 0], [0.0, 1.0], default=root)


def _west(m0: Numbers, q0: Numbers | None, sex: str) -> Factors:
    if q0 is not None:
        return _coale_demeny("west")(m0, q0, sex)
    limit, high, line0, line1 = _WEST_M0[sex]
    above = m0 >= limit
    a0 = np.where(above, high[0], line0[0] + line0[1] * m0)
    return a0, np.where(above, high[1], line1[0] + line1[1] * m0)


def _andreev_kingkade(m0: Numbers, q0: Numbers | None, sex: str) -> Factors:
    pieces = _ANDREEV_KINGKADE[sex]

    def a0_of(m: Numbers) -> Numbers:
        values = [start + slope * m for _, start, slope in pieces]
        return np.select([m < below for below, _, _ in pieces[:-1]], values[:-1], default=values[-1])

    if q0 is None:
        return a0_of(m0), _west(m0, None, sex)[1]
    m = q0.copy()
    for _ in range(TURNS):
        m = q0 / (1 - (1 - a0_of(m)) * q0)
    return a0_of(m), _west(m, q0, sex)[1]


A0_RULES: dict[str, Rule] = {
    "coale_demeny_west": _west,
    "coale_demeny_west_q0": _coale_demeny("west"),
    "coale_demeny_north": _coale_demeny("north"),
    "coale_demeny_east": _coale_demeny("east"),
    "coale_demeny_south": _coale_demeny("south"),
    "andreev_kingkade": _andreev_kingkade,
}
_OTHER_A0 = {
    "ak": "andreev_kingkade", "andreev": "andreev_kingkade", "hmd": "andreev_kingkade", "cd": "coale_demeny_west",
    "coale_demeny": "coale_demeny_west", "w": "coale_demeny_west", "west": "coale_demeny_west",
    "n": "coale_demeny_north", "north": "coale_demeny_north", "e": "coale_demeny_east", "east": "coale_demeny_east",
    "s": "coale_demeny_south", "south": "coale_demeny_south",
}  # fmt: skip


def infant_factors(rule: str | float, m0: Numbers, sex: Words, *, q0: Numbers | None = None) -> Factors:
    """a0 and a1 [years] of each series.

    rule : a name of `A0_RULES`, or a0 itself, one number or one per series (a1 is then Coale-Demeny West)
    m0 : death rate under one year; q0 : probability of dying in the first year, where known (it then decides)
    sex : "male", "female" or "total" (births-weighted mean of the two)
    """
    if not isinstance(rule, str):
        return per_series(rule, len(m0), "a0"), _by_sex(_west, m0, q0, sex)[1]
    rule = option_word(rule, A0_RULES, _OTHER_A0)
    if rule not in A0_RULES:
        raise UsageError("error.life_table_a0_unknown", value=rule, known=", ".join(A0_RULES))
    return _by_sex(A0_RULES[rule], m0, q0, sex)


def _by_sex(rule: Rule, m0: Numbers, q0: Numbers | None, sex: Words) -> Factors:
    male, female = np.array(rule(m0, q0, "male")), np.array(rule(m0, q0, "female"))
    boys = np.select([sex == "male", sex == "female"], [1.0, 0.0], default=MALE_BIRTHS)
    a0, a1 = boys * male + (1 - boys) * female
    return a0, a1


# ---- all ages


def ax_of(
    method: str | npt.ArrayLike,
    mx: Numbers,
    age: Numbers,
    n: Numbers,
    sex: Words,
    *,
    a0: str | float,
    q0: Numbers | None = None,
) -> tuple[Numbers, str]:
    """ax (series, ages) and the words of the method; the open group is left to the closeout."""
    if not isinstance(method, str):
        return _given(method, mx.shape), "ax given"
    method, a0 = option_word(method, AX_METHODS, _OTHER_AX), option_word(a0, A0_RULES, _OTHER_A0)
    if method not in AX_METHODS:
        raise UsageError("error.life_table_ax_unknown", value=method, known=", ".join(AX_METHODS))
    if method == "chiang":
        return _chiang(age, n, len(mx)), "ax chiang (0.1 n; 0.5 n)"
    first, second = infant_factors(a0, mx[:, 0], sex, q0=q0)
    start = _initial(age, n, first, second)
    words = f"ax {method}" + (f", a0 {a0}" if age[0] == 0 else "")
    return AX_METHODS[method](mx, age, n, start), words


def _given(ax: npt.ArrayLike, shape: tuple[int, ...]) -> Numbers:
    values = as_floats(ax)
    if values.shape not in (shape, shape[1:]):
        raise InputError("error.life_table_shape", found=" × ".join(map(str, values.shape)), ages=shape[1])
    return np.broadcast_to(values, shape).copy()


def _initial(age: Numbers, n: Numbers, a0: Numbers, a1: Numbers) -> Numbers:
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


def _chiang(age: Numbers, n: Numbers, series: int) -> Numbers:
    """0.1 of the first year of life, half of every other group (Chiang II as PHE and ONS use it)."""
    fraction = np.where((age == 0) & (n == 1), 0.1, 0.5)
    return np.tile(np.where(np.isfinite(n), fraction * n, np.nan), (series, 1))


def _midpoint(mx: Numbers, age: Numbers, n: Numbers, ax: Numbers) -> Numbers:
    return ax


def _half(mx: Numbers, age: Numbers, n: Numbers, ax: Numbers) -> Numbers:
    """Half of every closed group from one year on, ages 1-4 too (2.0: LEdecomp, demor); infancy by its rule."""
    return np.where((age >= 1) & np.isfinite(n), n / 2, ax)


def _greville_from(first: float) -> Callable[[Numbers, Numbers, Numbers, Numbers], Numbers]:
    """n/2 - n²/12 (m - k), k the slope of ln m between the neighbours' middles, from age `first` on.

    Groups beside a rate of zero and groups whose ax would lie outside 0.4-0.6 n get the ax of a constant hazard (small
    numbers); single ages keep the middle, and the group after infancy what it has.
    """

    def rule(mx: Numbers, age: Numbers, n: Numbers, ax: Numbers) -> Numbers:
        inner, width = slice(1, -1), n[1:-1]
        middle = age + np.where(np.isfinite(n), n, n[-2]) / 2
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            k = np.log(mx[:, 2:] / mx[:, :-2]) / (middle[2:] - middle[:-2])
            shaped = width / 2 - width**2 / 12 * (mx[:, inner] - k)
        usual = (shaped >= 0.4 * width) & (shaped <= 0.6 * width)
        shaped = np.where(usual, shaped, _constant_hazard(mx[:, inner], width))
        out = ax.copy()
        out[:, inner] = np.where((age[inner] >= first) & (width > 1), shaped, ax[:, inner])
        return out

    return rule


def _constant_hazard(m: Numbers, width: Numbers) -> Numbers:
    """ax where the hazard is the same all through the group: n + 1/m - n / (1 - exp(-n m))."""
    hazard = m * width
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        exact = width + width / hazard - width / -np.expm1(-hazard)
    return np.where(hazard > 1e-4, exact, width / 2 - width * hazard / 12)


def _constant(mx: Numbers, age: Numbers, n: Numbers, ax: Numbers) -> Numbers:
    out = ax.copy()
    out[:, :-1] = np.where(age[:-1] >= 5, _constant_hazard(mx[:, :-1], n[:-1]), ax[:, :-1])
    return out


def _exponential(mx: Numbers, age: Numbers, n: Numbers, ax: Numbers) -> Numbers:
    """A constant hazard in every group, infancy too: q = 1 - exp(-n m)."""
    return np.concatenate([_constant_hazard(mx[:, :-1], n[:-1]), ax[:, -1:]], axis=1)


def _keyfitz_flieger(mx: Numbers, age: Numbers, n: Numbers, ax: Numbers) -> Numbers:
    """From the curve of deaths: (-n/24 d[x-n] + n/2 d[x] + n/24 d[x+n]) / d[x], turn by turn until d and ax agree.

    Preston, Heuveline & Guillot 2001, sec. 3.2.2 (after Keyfitz 1966). Needs neighbours of the same width; others keep
    what they have.
    """
    inner, width = slice(1, -1), n[1:-1]
    alike = (n[:-2] == width) & ((n[2:] == width) | np.isinf(n[2:])) & (width > 1) & (age[inner] >= 5)
    alike[-1] = False  # the deaths of the open group are no neighbour's
    out = ax.copy()
    for _ in range(TURNS):
        q = rates_to_probabilities(mx[:, :-1], out[:, :-1], n[:-1])[0]
        q = np.concatenate([q, np.ones((len(q), 1))], axis=1)
        d = q * np.cumprod(np.concatenate([np.ones((len(q), 1)), 1 - q[:, :-1]], axis=1), axis=1)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            shaped = width * (0.5 + (d[:, 2:] - d[:, :-2]) / (24 * d[:, inner]))
        fits = alike & (shaped > 0) & (shaped < width)
        out[:, inner] = np.where(fits, shaped, ax[:, inner])
    return out


def rates_to_probabilities(m: Numbers, a: Numbers, width: Numbers) -> tuple[Numbers, Numbers]:
    """q and a of closed groups: q = n m / (1 + (n - a) m).

    Where q would exceed 1, everybody dies: q = 1 and a = 1 / m, so that m = d / L still holds.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        q = width * m / (1 + (width - a) * m)
        over = (q > 1) | (1 + (width - a) * m <= 0)
        return np.where(over, 1.0, q), np.where(over, 1 / m, a)


AX_METHODS: dict[str, Callable[[Numbers, Numbers, Numbers, Numbers], Numbers]] = {
    "greville": _greville_from(10),  # as the UN's WPP tables are reproduced
    "un": _greville_from(15),  # UN 1982 and MORTPAK: 2.5 at ages 5-14
    "greville_li": _greville_from(5),  # with Nan Li's extension to ages 5-9
    "keyfitz_flieger": _keyfitz_flieger,
    "pas": _midpoint,  # US Census Bureau: Coale-Demeny under five, 2.5 from then on
    "midpoint": _midpoint,
    "half": _half,
    "hmd": _midpoint,  # single ages: 0.5, and a0 by its rule
    "constant_hazard": _constant,
    "exponential": _exponential,
    "chiang": _midpoint,
}
_OTHER_AX = {
    "kf": "keyfitz_flieger", "keyfitz": "keyfitz_flieger", "mortpak": "un", "wpp": "greville", "census_bureau": "pas",
    "mid": "midpoint", "coale_demeny": "midpoint", "cd": "midpoint", "chiang_ii": "chiang", "phe": "chiang", "ons": "chiang",
    "ledecomp": "half", "demor": "half",
}  # fmt: skip
