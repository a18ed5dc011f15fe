"""Probabilities of dying between two ages, with limits: 5q0, 45q15, 30q70 of the SDG.

Limits come from the counts behind the rates. The cumulative hazard between the ages is a weighted sum of Poisson counts, so
its limits are those of a directly standardised rate (gamma, Fay & Feuer 1997): they work with few deaths and with none.
"""

from __future__ import annotations

from collections.abc import Hashable
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.life_table_core import LifeTables, age_number, boundary
from mortality.measures.life_table_inputs import NOT_ASSESSABLE, OK, Numbers, Words
from tkyt_analysis.analysis.groups import as_table
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.option_words import option_word

LIMITS = ("gamma", "chiang")
NO_COUNTS = "reason.life_table_limits_need_counts"
_MISSING = "reason.life_table_rate_missing"


def probability_of_dying(
    table: LifeTables | pd.DataFrame, from_age: float, to_age: float, *, confidence: float = 0.95, limits: str = "gamma"
) -> pd.DataFrame:
    """Probability that a person alive at `from_age` dies before `to_age`: 1 - l(to) / l(from); 5q0 (0, 5), 45q15 (15, 60).

    table : LifeTables (with limits if they were made from counts: `life_tables_from_counts`), or rows as
        `abridged_life_table` gives them (age, qx, optional series; no limits)
    limits : "gamma" (Fay & Feuer on the cumulative hazard) or "chiang" (normal, Var(q) = q² (1 - q) / D)

    Returns
    -------
    One row per series: [series,] from_age, to_age, value, lower, upper, method, status, reason. Without counts the limits
    are missing and the reason says so. Raises InputError where an age is no boundary of the table.
    """
    from_age, to_age = age_number(from_age), age_number(to_age)
    limits = option_word(limits, LIMITS, {"fay_feuer": "gamma", "poisson": "gamma", "normal": "chiang"})
    if from_age >= to_age:
        raise InputError("error.life_table_age_order", from_age=f"{from_age:g}", to_age=f"{to_age:g}")
    if limits not in LIMITS:
        raise UsageError("error.limits_unknown", value=limits, known=", ".join(LIMITS))
    qx, age, names, words = _probabilities_of(table)
    span = slice(boundary(age, from_age), boundary(age, to_age))
    value = 1 - np.prod(1 - qx[:, span], axis=1)
    lower, upper = np.full((2, len(value)), np.nan)
    if isinstance(table, LifeTables) and table.deaths is not None and table.population is not None:
        lower, upper = _limits_of(table, span, value, confidence=confidence, limits=limits)
        words = f"{words}; limits {limits}"
    method = f"{to_age - from_age:g}q{from_age:g} = 1 - l({to_age:g})/l({from_age:g}); {words}"
    return _rows(value, lower, upper, from_age, to_age, method, names)


def _limits_of(
    table: LifeTables, span: slice, value: Numbers, *, confidence: float, limits: str
) -> tuple[Numbers, Numbers]:
    assert table.deaths is not None
    assert table.population is not None
    m, a, n, q = table.mx[:, span], table.ax[:, span], table.n[span], table.qx[:, span]
    died, persons = table.deaths[:, span], table.population[:, span]
    if limits == "chiang":
        return _chiang(q, died, value, confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (n - a) / (1 + (n - a) * m) + a / (1 - a * m)
    return hazard_limits(value, slope / persons, died, confidence=confidence)


def hazard_limits(value: Numbers, weight: Numbers, deaths: Numbers, *, confidence: float) -> tuple[Numbers, Numbers]:
    """Limits of q = 1 - exp(-H), with H near the sum of weight x deaths over the ages (last axis).

    The gamma limits of Fay & Feuer: the lower one of no deaths is 0, the upper one is that of one more death at the age of
    the greatest weight.
    """
    from scipy.special import gammaincinv

    tail = (1 - confidence) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = -np.log1p(-np.minimum(value, 1 - 1e-12))
        spread = (weight**2 * deaths).sum(axis=-1)
        most = weight.max(axis=-1)
        seen = (spread > 0) & (hazard > 1e-100)
        shape = np.where(seen, hazard**2 / np.where(seen, spread, 1), 1.0)
        low = np.where(seen, gammaincinv(shape, tail) * spread / np.where(seen, hazard, 1), 0.0)
        above, wide = hazard + most, spread + most**2
        high = gammaincinv(above**2 / wide, 1 - tail) * wide / above
    return np.minimum(-np.expm1(-low), value), np.maximum(-np.expm1(-high), value)


def _chiang(q: Numbers, died: Numbers, value: Numbers, confidence: float) -> tuple[Numbers, Numbers]:
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(died > 0, q**2 * (1 - q) / died, 0.0)
        share = np.where(q < 1, variance / (1 - q) ** 2, 0.0)
    half = z * (1 - value) * np.sqrt(share.sum(axis=1))
    return np.clip(value - half, 0, 1), np.clip(value + half, 0, 1)


def _rows(
    value: Numbers,
    lower: Numbers,
    upper: Numbers,
    from_age: float,
    to_age: float,
    method: str,
    names: list[Hashable] | None,
) -> pd.DataFrame:
    none, bare = np.isnan(value), np.isnan(lower)
    rows = pd.DataFrame({"from_age": from_age, "to_age": to_age, "value": value, "lower": lower, "upper": upper})
    rows["method"] = method
    rows["status"] = np.where(none, NOT_ASSESSABLE, OK)
    rows["reason"] = np.select([none, bare], [_MISSING, NO_COUNTS], default="")
    if names is not None:
        rows.insert(0, "series", pd.Index(names, tupleize_cols=False))
    return rows.astype({"method": "str", "status": "str", "reason": "str"})


def _probabilities_of(table: LifeTables | pd.DataFrame) -> tuple[Numbers, Numbers, list[Hashable] | None, str]:
    if isinstance(table, LifeTables):
        return table.qx, table.age, table.names, table.method
    table = as_table(table)
    missing = [name for name in ("age", "qx") if name not in table]
    if missing:
        found = ", ".join(map(str, table.columns))
        raise InputError("error.rate_columns_missing", missing=", ".join(missing), found=found)
    words = str(table["method"].iloc[0]) if "method" in table and len(table) else ""
    if "series" not in table:
        return table["qx"].to_numpy(dtype=float)[np.newaxis, :], table["age"].to_numpy(dtype=float), None, words
    wide = table.pivot(index="series", columns="age", values="qx").loc[table["series"].unique()]
    return wide.to_numpy(dtype=float), wide.columns.to_numpy(dtype=float), list(wide.index), words


def premature_mortality(
    deaths: npt.ArrayLike,
    population: npt.ArrayLike,
    age: npt.ArrayLike,
    *,
    from_age: float = 30,
    to_age: float = 70,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """SDG 3.4.1: unconditional probability of dying between exact ages 30 and 70 from the four groups of diseases.

    5q = 5 M / (1 + 2.5 M) for each five-year group, M the rate of the four groups only (cardiovascular, cancer, diabetes,
    chronic respiratory: the caller counts them), and 1 - the product of (1 - 5q).

    deaths, population : of those causes, and person-years; (ages,) or (series, ages), also a DataFrame with a row per series
    age : first years or labels of the groups (30, 35, … or "30-34", …); others than 30-69 are left out; the last may be closed

    Returns
    -------
    One row per series: [series,] from_age, to_age, value, lower, upper (gamma), method, status, reason.

    References
    ----------
    WHO, SDG indicator 3.4.1 metadata (life table method with ax in the middle of the group).
    """
    starts, ends = _closed_groups(age)
    died, names = _matrix(deaths, len(starts))
    persons, _ = _matrix(population, len(starts))
    use = (starts >= from_age) & (ends <= to_age)
    chosen, until = starts[use], ends[use]
    if not use.any() or chosen[0] != from_age or until[-1] != to_age or (chosen[1:] != until[:-1]).any():
        raise InputError("error.life_table_ages_not_filled", from_age=f"{from_age:g}", to_age=f"{to_age:g}",
                         found=", ".join(f"{x:g}" for x in starts))  # fmt: skip
    died, persons = np.broadcast_arrays(died[:, use], persons[:, use])
    n = until - chosen
    with np.errstate(divide="ignore", invalid="ignore"):
        m = np.where((persons > 0) & (died >= 0), died / persons, np.nan)
        q = np.minimum(n * m / (1 + n / 2 * m), 1.0)
        slope = (n / 2) / (1 + n / 2 * m) + (n / 2) / np.maximum(1 - n / 2 * m, 1e-9)
    value = 1 - np.prod(1 - q, axis=1)
    lower, upper = hazard_limits(value, slope / persons, died, confidence=confidence)
    method = (
        f"unconditional {to_age - from_age:g}q{from_age:g} of the causes counted: nq = n M / (1 + n/2 M); limits gamma"
    )
    return _rows(value, lower, upper, from_age, to_age, method, names)


def _closed_groups(age: npt.ArrayLike) -> tuple[Numbers, Numbers]:
    from tkyt_analysis.reference.ages import parse_band

    words: Words = np.atleast_1d(np.asarray(age, dtype=object))
    if not len(words):
        raise InputError("error.life_table_ages", found="")
    if all(str(word).replace(".", "", 1).isdigit() for word in words):
        starts = np.array([float(word) for word in words])
        step = np.diff(starts)
        return starts, np.append(starts[1:], starts[-1] + (step[-1] if len(step) else 5))
    bands = [parse_band(str(word)) for word in words]
    return np.array([float(low) for low, _ in bands]), np.array([high + 1.0 for _, high in bands])


def _matrix(values: npt.ArrayLike, ages: int) -> tuple[Numbers, list[Hashable] | None]:
    from mortality.measures.life_table_inputs import rates_by_series

    return rates_by_series(values, ages)
