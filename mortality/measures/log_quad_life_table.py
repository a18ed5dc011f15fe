"""Model life tables of the log-quadratic family: two numbers about a place, child and adult mortality, give all ages.

ln m(x) = a + b h + c h² + v k with h = ln 5q0; k moves adult mortality up or down at the same 5q0. It is an estimate from
other countries' experience (HMD): every row is `modelled`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mortality.measures.life_table import Sexes, life_tables
from mortality.measures.life_table_ax import infant_factors
from mortality.measures.life_table_core import LifeTables
from mortality.measures.life_table_inputs import Numbers, Words, per_series, sexes_of_series
from mortality.measures.model_life_table import FROM_MODEL, require_possible, without_missed
from mortality.measures.relational_logit import halved
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError, UsageError

_K, _H = (-12.0, 12.0), (float(np.log(5e-4)), float(np.log(0.7)))
_PAIRS = (("q5",), ("q5", "k"), ("q5", "q15_45"), ("q5", "e0"), ("e0",), ("k", "e0"))


def log_quad_life_table(
    sex: Sexes,
    *,
    q5: npt.ArrayLike | None = None,
    q15_45: npt.ArrayLike | None = None,
    e0: npt.ArrayLike | None = None,
    k: npt.ArrayLike | None = None,
) -> LifeTables:
    """Life tables of ages 0, 1, 5, …, 110+ that meet what is known of each series.

    Parameters
    ----------
    sex : "male" or "female" (the model has no table of both); one for all series or one per series
    q5, q15_45, e0, k : probability of dying under five, probability of dying from 15 to 60, life expectancy at birth, the
        model's own k: q5 alone (k = 0), q5 with k, q15_45 or e0, e0 alone (k = 0) or with k

    Returns
    -------
    LifeTables, every row `modelled`; values that the model cannot meet are `not_assessable`.

    References
    ----------
    Wilmoth, Zureick, Canudas-Romo, Inoue & Sawyer, Population Studies 2012;66:1-28.
    """
    given = {name: value for name, value in (("q5", q5), ("q15_45", q15_45), ("k", k), ("e0", e0)) if value is not None}
    if tuple(given) not in _PAIRS:
        raise UsageError("error.log_quad_targets", found=", ".join(given) or "–")
    series = max([np.size(v) for v in given.values()] + [np.atleast_1d(sex).size])
    sexes = sexes_of_series(sex, series)
    if "total" in sexes:
        raise InputError("error.log_quad_sex")
    known = {name: per_series(value, series, name) for name, value in given.items()}
    require_possible({name: values for name, values in known.items() if name != "k"})
    h, strength = _parameters(sexes, known)
    tables = _tables(sexes, h, strength)
    method = f"log-quadratic model (Wilmoth et al. 2012), by {', '.join(given)}"
    status, reason = (
        np.full(tables.mx.shape, "modelled", dtype=object),
        np.full(tables.mx.shape, FROM_MODEL, dtype=object),
    )
    tables = replace(tables, method=method, status=status, reason=reason, names=None)
    return without_missed(tables, _reached(tables, known))


def _parameters(sexes: Words, known: dict[str, Numbers]) -> tuple[Numbers, Numbers]:
    """h and k of each series."""
    strength = known.get("k", np.zeros(len(sexes)))
    if "q5" not in known:
        return halved(lambda h: known["e0"] - _tables(sexes, h, strength).ex[:, 0], _H, len(sexes)), strength
    h = np.log(known["q5"])
    if "q15_45" in known:
        strength = halved(lambda k: _adult(_tables(sexes, h, k)) - known["q15_45"], _K, len(sexes))
    elif "e0" in known:
        strength = halved(lambda k: known["e0"] - _tables(sexes, h, k).ex[:, 0], _K, len(sexes))
    return h, strength


def _adult(tables: LifeTables) -> Numbers:
    return 1 - tables.lx[:, tables.place_of(60)] / tables.lx[:, tables.place_of(15)]


def _reached(tables: LifeTables, known: dict[str, Numbers]) -> npt.NDArray[np.bool_]:
    found = {"q5": 1 - tables.lx[:, 2] / tables.radix, "q15_45": _adult(tables), "e0": tables.ex[:, 0]}
    missed = [~(np.abs(found[name] - known[name]) <= 1e-6 * known[name]) for name in found if name in known]
    return ~np.any(missed, axis=0)


def _tables(sexes: Words, h: Numbers, strength: Numbers) -> LifeTables:
    """All columns for given h and k; ages 1-4 take what is left of 5q0."""
    age, coefficients = _coefficients()
    a, b, c, v = (np.array([coefficients[sex][:, at] for sex in sexes]) for at in range(4))
    h_, k_ = h[:, np.newaxis], strength[:, np.newaxis]
    with np.errstate(over="ignore"):
        printed = np.exp(a + b * h_ + c * h_**2 + v * k_)
    m0 = printed[:, 0]
    a0, a1 = infant_factors("coale_demeny_west", m0, sexes)
    q0 = m0 / (1 + (1 - a0) * m0)
    q1 = np.clip(1 - (1 - np.exp(h)) / (1 - q0), 0, None)
    m1 = q1 / (4 - (4 - a1) * q1)
    mx = np.column_stack([m0, m1, printed[:, 1:]])
    return life_tables(mx, np.insert(age, 1, 1), sexes, ax="pas")


def _coefficients() -> tuple[Numbers, dict[str, Numbers]]:
    printed = read_codelist("log_quad_coefficients")
    age = printed.loc[printed["sex"] == "male", "age"].to_numpy(dtype=float)
    by_sex = printed.groupby("sex")[["a", "b", "c", "v"]]
    return age, {str(sex): rows.to_numpy(dtype=float) for sex, rows in by_sex}
