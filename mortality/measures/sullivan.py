"""Years of life in good health (Sullivan): life table years times the share of people who are well, with both variances.

DFLE(x) = sum over y >= x of L(y) (1 - prevalence(y)) / l(x). Complete or abridged tables, many series at once; any condition
whose prevalence is known by age (disability, poor self-rated health, hypertension).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.decrement_inputs import (
    blocking,
    first_reason,
    index_columns,
    marked,
    modelled_from,
    status_of,
    table_of,
    text_columns,
)
from mortality.measures.life_table import LifeTables, life_tables
from mortality.measures.life_table_inputs import NOT_ASSESSABLE, OK, Numbers, Words, age_starts, rates_by_series, widths
from tkyt_analysis.errors import InputError, UsageError

GUIDE_A0 = 0.2  # Jagger, Cox, Le Roy & EHEMU 2007: L0 = 0.2 l0 + 0.8 l1


def sullivan_life_expectancy(
    nmx: LifeTables | npt.ArrayLike,
    prevalence: npt.ArrayLike,
    age: Iterable[object] | None = None,
    sex: Any = "total",
    *,
    sample_size: npt.ArrayLike | None = None,
    prevalence_error: npt.ArrayLike | None = None,
    deaths: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    **options: Any,
) -> pd.DataFrame:
    """Life expectancy without the condition (DFLE, HLE) at every age.

    Parameters
    ----------
    nmx : LifeTables, or death rates with `age`, `sex` and the options of `life_tables`; the tables of the Sullivan guide:
        `sullivan_life_table`
    prevalence : share of people with the condition, 0 to 1, (ages,) or (series, ages)
    sample_size : people asked in each age group: the binomial variance p (1 - p) / N (effective size, if the survey is
        clustered)
    prevalence_error : standard error of the prevalence, in place of `sample_size`
    deaths : deaths behind the rates: adds the variance of mortality, S²(q) = q² (1 - q) / D (Chiang)
    confidence : two-sided level of the normal limits

    Returns
    -------
    One row per series and age: [series,] age, n, prevalence, lx, Lx, ex, healthy_years (L without the condition),
    healthy_life_expectancy, unhealthy_life_expectancy, share_healthy (0 to 1), variance_prevalence, variance_mortality,
    standard_error, lower, upper [years], method, status, reason. Without `sample_size` and `prevalence_error` there are
    no limits and the reason says so. A prevalence that is missing or outside 0 to 1 leaves its age and all younger ones
    `not_assessable`.

    References
    ----------
    Sullivan, HSMHA Health Rep 1971;86:347-54. Jagger, Cox, Le Roy & EHEMU, Health Expectancy Calculation by the Sullivan
    Method, 2007. Mathers, Health Expectancies in Australia, 1991 (both variances).
    """
    table = table_of(nmx, age, sex, **options)
    ill = _matrix(prevalence, table)
    reason = _why_not(ill, sample_size, table)
    ill = np.where((ill >= 0) & (ill <= 1), ill, np.nan)
    healthy = table.Lx * (1 - ill)
    expectancy = _per_survivor(healthy, table)
    squares = _prevalence_variance(ill, sample_size, prevalence_error, table)
    mortality = _mortality_variance(ill, expectancy, deaths, table)
    error = np.sqrt(squares if deaths is None else squares + mortality)
    z = _z(confidence)
    columns = index_columns(table) | {
        "prevalence": ill,
        "lx": table.lx,
        "Lx": table.Lx,
        "ex": table.ex,
        "healthy_years": healthy,
        "healthy_life_expectancy": expectancy,
        "unhealthy_life_expectancy": table.ex - expectancy,
        "share_healthy": np.divide(expectancy, table.ex, out=np.full(ill.shape, np.nan), where=table.ex > 0),
        "variance_prevalence": squares,
        "variance_mortality": mortality,
        "standard_error": error,
        "lower": expectancy - z * error,
        "upper": expectancy + z * error,
    }
    frame = pd.DataFrame({name: np.ravel(values) for name, values in columns.items()})
    reason = np.where((reason == "") & np.isnan(expectancy), "reason.nobody_alive_at_age", reason)
    status, reason = marked(reason, modelled_from(table))
    if sample_size is None and prevalence_error is None:
        reason = np.where(reason == "", "reason.sullivan_no_sample_size", reason)
    return text_columns(frame.assign(method=_method(table, deaths), status=status.ravel(), reason=reason.ravel()))


def sullivan_difference(first: pd.DataFrame, second: pd.DataFrame, *, confidence: float = 0.95) -> pd.DataFrame:
    """Difference of two populations' healthy life expectancies (first - second), row by row, with its test.

    first, second : answers of `sullivan_life_expectancy` over the same series and ages, from independent samples

    Returns
    -------
    [series,] age, first, second, difference, standard_error, lower, upper [years], z, p_value, method, status, reason.
    The standard error is the root of the SUM OF SQUARES: adding the two errors themselves, as an exercise of the guide's
    workbook does, is too wide and hides real differences.
    """
    keys = [name for name in ("series", "age") if name in first]
    if [name for name in ("series", "age") if name in second] != keys or not first[keys].equals(second[keys]):
        raise InputError("error.sullivan_pair", first=len(first), second=len(second))
    values = [frame["healthy_life_expectancy"].to_numpy(dtype=float) for frame in (first, second)]
    errors = [frame["standard_error"].to_numpy(dtype=float) for frame in (first, second)]
    difference, error = values[0] - values[1], np.sqrt(errors[0] ** 2 + errors[1] ** 2)
    z = np.divide(difference, error, out=np.full(error.shape, np.nan), where=error > 0)
    reason = np.where(first["reason"] != "", first["reason"], second["reason"]).astype(object)
    reason = np.where((reason == "") & ~(error > 0), "reason.no_variance", reason)
    frame = first[keys].assign(
        first=values[0],
        second=values[1],
        difference=difference,
        standard_error=error,
        lower=difference - _z(confidence) * error,
        upper=difference + _z(confidence) * error,
        z=z,
        p_value=_two_sided(z),
        method="difference of independent Sullivan expectancies, SE = sqrt(SE1² + SE2²)",
        status=np.where(np.isnan(difference) | ~(error > 0), NOT_ASSESSABLE, OK),
        reason=reason,
    )
    return text_columns(frame)


def sullivan_life_table(
    deaths: npt.ArrayLike,
    population: npt.ArrayLike,
    age: Iterable[object],
    sex: Any = "total",
    *,
    infant_probability: float | None = None,
    a0: float = GUIDE_A0,
) -> LifeTables:
    """The life table of the Sullivan guide: half of every age group, a0 = 0.2, open group L = l / m.

    deaths, population : (ages,) or (series, ages)
    infant_probability : q0 from births, where it is known; None: from the rate under one year
    """
    starts = age_starts(age)
    n = widths(starts)
    died, names = rates_by_series(deaths, len(starts))
    persons, _ = rates_by_series(population, len(starts))
    with np.errstate(divide="ignore", invalid="ignore"):
        mx = died / np.where(persons > 0, persons, np.nan)
    ax = n / 2
    if starts[0] == 0 and n[0] == 1:
        ax[0] = a0
    used = mx.copy()
    if infant_probability is not None:
        used[:, 0] = infant_probability / (n[0] - (n[0] - ax[0]) * infant_probability)
    rates: Any = used if names is not None else used[0]
    table = life_tables(rates, starts, sex, ax=ax)
    words = "Sullivan guide: half of each group, " + f"a0 {a0:g}" + ("" if infant_probability is None else ", q0 given")
    return replace(table, mx=mx, method=f"{words}; closeout inverse", names=names)


def abridged_from_complete(table: LifeTables, age: Iterable[object]) -> LifeTables:
    """The same life tables over coarser ages: l is read off, L is added up; nothing is assumed within the new groups."""
    starts = age_starts(age)
    at = np.array([table.place_of(start) for start in starts])
    lx, Tx, ex = (part[:, at] for part in (table.lx, table.Tx, table.ex))
    Lx = Tx - np.concatenate([Tx[:, 1:], np.zeros((len(Tx), 1))], axis=1)
    after = np.concatenate([lx[:, 1:], np.zeros((len(lx), 1))], axis=1)
    n, dx = widths(starts), lx - after
    width = np.where(np.isfinite(n), n, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ax = np.where(dx > 0, (Lx - width * after) / dx, width / 2)
        qx, mx = np.where(lx > 0, dx / lx, np.nan), np.where(Lx > 0, dx / Lx, np.nan)
    reason = first_reason(table.reason)[:, at]
    return replace(
        table, age=starts, n=n, mx=mx, ax=ax, qx=qx, lx=lx, dx=dx, Lx=Lx, Tx=Tx, ex=ex,
        status=status_of(reason), reason=reason, method=f"{table.method}; abridged from the complete table",
    )  # fmt: skip


# ---- arrays


def _matrix(values: npt.ArrayLike, table: LifeTables) -> Numbers:
    """(series, ages); a vector holds for every series."""
    figures, _ = rates_by_series(values, len(table.age))
    if len(figures) not in (1, len(table)):
        raise InputError("error.decrement_shape", found=" × ".join(map(str, figures.shape)), series=len(table),
                         ages=len(table.age))  # fmt: skip
    return np.broadcast_to(figures, table.mx.shape)


def _per_survivor(years: Numbers, table: LifeTables) -> Numbers:
    """Years from each age on, per person alive at it."""
    total = np.cumsum(years[:, ::-1], axis=1)[:, ::-1]
    return np.divide(total, table.lx, out=np.full(total.shape, np.nan), where=table.lx > 0)


def _prevalence_variance(
    ill: Numbers, sample_size: npt.ArrayLike | None, error: npt.ArrayLike | None, table: LifeTables
) -> Numbers:
    """sum L² S²(prevalence) / l²; missing where neither a sample size nor an error is given."""
    if sample_size is not None and error is not None:
        raise UsageError("error.sullivan_two_errors")
    if sample_size is None and error is None:
        return np.full(ill.shape, np.nan)
    if error is not None:
        square = _matrix(error, table) ** 2
    else:
        people = _matrix(sample_size, table) if sample_size is not None else np.zeros(ill.shape)
        square = np.divide(ill * (1 - ill), people, out=np.full(ill.shape, np.nan), where=people > 0)
    total = np.cumsum((table.Lx**2 * square)[:, ::-1], axis=1)[:, ::-1]
    return np.divide(total, table.lx**2, out=np.full(total.shape, np.nan), where=table.lx > 0)


def _mortality_variance(ill: Numbers, expectancy: Numbers, deaths: npt.ArrayLike | None, table: LifeTables) -> Numbers:
    """sum l² [(n - a) (1 - prevalence) + DFLE(x+n)]² S²(q) / l²; missing without deaths."""
    if deaths is None:
        return np.full(ill.shape, np.nan)
    died = _matrix(deaths, table)
    q = table.qx
    square = np.divide(q**2 * (1 - q), died, out=np.zeros(q.shape), where=died > 0)
    after = np.concatenate([expectancy[:, 1:], np.zeros((len(q), 1))], axis=1)
    lost = (np.where(np.isfinite(table.n), table.n, 0.0) - table.ax) * (1 - ill) + np.nan_to_num(after)
    lost[:, -1] = 0.0  # everybody in the open group dies: no variance
    total = np.cumsum((table.lx**2 * lost**2 * square)[:, ::-1], axis=1)[:, ::-1]
    return np.divide(total, table.lx**2, out=np.full(total.shape, np.nan), where=table.lx > 0)


def _why_not(ill: Numbers, sample_size: npt.ArrayLike | None, table: LifeTables) -> Words:
    """The first reason at each age or an older one: the life table's own, or the prevalence's."""
    nobody = np.zeros(ill.shape, dtype=bool) if sample_size is None else ~(_matrix(sample_size, table) > 0)
    own = np.select(
        [blocking(table) != "", np.isnan(ill), (ill < 0) | (ill > 1), nobody],
        [blocking(table), "reason.prevalence_missing", "reason.prevalence_wrong", "reason.nobody_asked"],
        default="",
    ).astype(object)
    return first_reason(own)


def _method(table: LifeTables, deaths: npt.ArrayLike | None) -> str:
    variance = "prevalence" if deaths is None else "prevalence and mortality"
    return f"Sullivan, variance of {variance}; {table.method}"


def _z(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise UsageError("error.confidence", value=confidence)
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def _two_sided(z: Numbers) -> Numbers:
    from scipy.special import ndtr

    values: Numbers = 2 * ndtr(-np.abs(z))
    return values
