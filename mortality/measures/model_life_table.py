"""Model life tables, and the indirect fill of weak ages: always an explicit choice, always labelled "modelled".

A standard (a national table of the UN, or the caller's own) is bent to what is known of a place by Brass's relational
logit: logit l(x) = alpha + beta logit l_s(x), logit l = ln((1 - l) / l) / 2. Where child and adult mortality are known (5q0
from a survey, 45q15) they settle both parameters; where some ages of the place's own table can be trusted, these settle
alpha. A modelled rate is a borrowed shape, not an observation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.life_table import Sexes, life_tables, life_tables_from_probabilities
from mortality.measures.life_table_closeout import Flags
from mortality.measures.life_table_core import LifeTables, cut_at
from mortality.measures.life_table_inputs import (
    MODELLED,
    NOT_ASSESSABLE,
    OK,
    Numbers,
    age_starts,
    per_series,
    rates_by_series,
    sexes_of_series,
)
from mortality.measures.relational_logit import (
    alpha_of_trusted,
    bent,
    e0_of,
    logit_parameters,
    person_years_of,
    survivors_at,
)
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError, UsageError

DEFAULT_STANDARD = "wpp_2024_2015_2020"
FROM_MODEL = "reason.life_table_rate_from_model"


def standard_life_tables() -> pd.DataFrame:
    """The standards that the catalog has: standard, title_vi, title_en, source."""
    return read_codelist("model_life_table_titles")


def standard_life_table(standard: str = DEFAULT_STANDARD, *, sex: Sexes = ("male", "female", "total")) -> LifeTables:
    """The catalog's standard as life tables by sex (UN: Greville ax, Coale-Demeny West, open group 1 / m)."""
    printed = read_codelist("model_life_tables")
    rows = printed[printed["standard"] == standard]
    if rows.empty:
        known = ", ".join(printed["standard"].unique())
        raise InputError("error.life_table_standard_unknown", value=standard, known=known)
    wide = rows.assign(age=rows["age"].astype(int), rate=rows["rate"].astype(float))
    wide = wide.pivot(index="sex", columns="age", values="rate")
    sexes = sexes_of_series(sex, np.atleast_1d(np.asarray(sex, dtype=object)).size)
    return life_tables(wide.loc[list(sexes)], wide.columns, sexes)


def model_life_table(
    standard: str | LifeTables = DEFAULT_STANDARD,
    sex: Sexes = "total",
    *,
    q5: npt.ArrayLike | None = None,
    q15_45: npt.ArrayLike | None = None,
    e0: npt.ArrayLike | None = None,
    ages: Iterable[object] | None = None,
) -> LifeTables:
    """Life tables with the standard's shape that meet what is known of each series.

    Parameters
    ----------
    standard : id of the catalog (`standard_life_tables`), or LifeTables of one series per sex
    q5, q15_45, e0 : probability of dying under five, probability of dying from 15 to 60, life expectancy at birth, one per
        series: q5 and q15_45 together (alpha and beta), or one of the three (beta = 1)
    ages : age groups of the answer; default the standard's

    Returns
    -------
    LifeTables, every row `modelled`.

    References
    ----------
    Brass 1971, On the scale of mortality; Moultrie et al., Tools for Demographic Estimation, IUSSP 2013, ch. on relational
    models.
    """
    known = {name: value for name, value in (("q5", q5), ("q15_45", q15_45), ("e0", e0)) if value is not None}
    if tuple(known) not in (("q5",), ("q15_45",), ("e0",), ("q5", "q15_45")):
        raise UsageError("error.life_table_model_targets", found=", ".join(known) or "–")
    series = max([np.size(value) for value in known.values()] + [_count(sex)])
    sexes = sexes_of_series(sex, series)
    targets = {name: per_series(value, series, name) for name, value in known.items()}
    require_possible(targets)
    shape = _shape(standard, sexes)
    alpha, beta = logit_parameters(shape, targets)
    survivors = bent(shape, alpha, beta)
    tables = _as_tables(shape, survivors, sexes, ages, _words(standard, list(known)))
    return without_missed(tables, _reached(shape, survivors, targets))


def _reached(shape: LifeTables, survivors: Numbers, targets: dict[str, Numbers]) -> Flags:
    """Which series meet what was asked for; a target out of the model's reach is not answered with the nearest table."""
    five, fifteen, sixty = (survivors[:, shape.place_of(age)] for age in (5, 15, 60))
    found = {"q5": 1 - five, "q15_45": 1 - sixty / fifteen, "e0": e0_of(shape, survivors)}
    missed = [np.abs(found[name] - values) > 1e-6 * np.maximum(values, 1e-6) for name, values in targets.items()]
    return ~np.any(missed, axis=0)


def without_missed(tables: LifeTables, reached: Flags) -> LifeTables:
    """Series that did not reach their targets keep no figure, and say why."""
    columns: dict[str, Any] = {
        name: np.where(reached[:, np.newaxis], getattr(tables, name), np.nan)
        for name in ("mx", "ax", "qx", "lx", "dx", "Lx", "Tx", "ex")
    }
    status, reason = tables.status.copy(), tables.reason.copy()
    status[~reached], reason[~reached] = NOT_ASSESSABLE, "reason.life_table_model_out_of_reach"
    return replace(tables, status=status, reason=reason, **columns)


def fill_weak_ages(
    nmx: npt.ArrayLike,
    age: Iterable[object],
    sex: Sexes = "total",
    *,
    weak: npt.ArrayLike,
    standard: str | LifeTables = DEFAULT_STANDARD,
    q5: npt.ArrayLike | None = None,
    q15_45: npt.ArrayLike | None = None,
    **options: Any,
) -> LifeTables:
    """Life tables in which the rates of weak ages are a model's; the others stay as observed.

    Parameters
    ----------
    nmx, age, sex, options : as in `life_tables`
    weak : true where the rate is not to be trusted: (ages,) or (series, ages)
    standard : as in `model_life_table`
    q5, q15_45 : settle the model where they are known from elsewhere (a survey); otherwise alpha is chosen so that the
        model has the same sum of hazards over the trusted closed ages (beta = 1)

    Returns
    -------
    LifeTables; filled rows are `modelled` with the reason, the method names the standard. Raises InputError where every
    age of a series is weak and neither q5 nor q15_45 is given.
    """
    starts = age_starts(age)
    rates, names = rates_by_series(nmx, len(starts))
    sexes = sexes_of_series(sex, len(rates))
    flags = np.broadcast_to(np.asarray(weak, dtype=bool), rates.shape)
    shape = _shape(standard, sexes)
    if q5 is not None or q15_45 is not None:
        model = model_life_table(standard, sexes, q5=q5, q15_45=q15_45, ages=starts)
    else:
        observed = life_tables(np.where(flags, np.nan, rates), starts, sexes, ax="midpoint")
        alpha = alpha_of_trusted(shape, observed, ~flags & np.isfinite(observed.n))
        model = _as_tables(
            shape, bent(shape, alpha, np.ones(len(alpha))), sexes, starts, _words(standard, ["trusted ages"])
        )
    filled = np.where(flags, model.mx, rates)
    tables = life_tables(
        pd.DataFrame(filled, index=names) if names is not None else filled[0], starts, sexes, **options
    )
    return _labelled(tables, flags, model.method)


def _labelled(tables: LifeTables, flags: Flags, words: str) -> LifeTables:
    status, reason = tables.status.copy(), tables.reason.copy()
    marked = flags[:, : status.shape[1]] & (status == OK)
    status[marked], reason[marked] = MODELLED, FROM_MODEL
    return replace(tables, status=status, reason=reason, method=f"{tables.method}; weak ages from {words}")


def require_possible(targets: dict[str, Numbers]) -> None:
    """Probabilities lie between 0 and 1 and life expectancies between 0 and 120; InputError otherwise."""
    for name, values in targets.items():
        top = 120.0 if name == "e0" else 1.0
        wrong = values[~((values > 0) & (values < top))]
        if len(wrong):
            raise InputError(
                "error.life_table_model_impossible", name=name, found=f"{wrong[0]:g}", expected=f"0-{top:g}"
            )


def _count(sex: Sexes) -> int:
    return int(np.atleast_1d(np.asarray(sex, dtype=object)).size)


def _words(standard: str | LifeTables, targets: list[str]) -> str:
    name = standard if isinstance(standard, str) else "given table"
    return f"relational logit, standard {name}, by {', '.join(targets)}"


def _shape(standard: str | LifeTables, sexes: npt.NDArray[np.object_]) -> LifeTables:
    """The standard's table for each series (series, ages), chosen by its sex."""
    tables = standard if isinstance(standard, LifeTables) else standard_life_table(str(standard))
    place = {sex: at for at, sex in enumerate(tables.sex)}
    absent = sorted({str(sex) for sex in sexes if sex not in place} if len(tables) > 1 else set())
    if absent:
        raise InputError("error.life_table_standard_sex", absent=", ".join(absent), known=", ".join(map(str, place)))
    rows = [place.get(sex, 0) for sex in sexes]
    names = ("mx", "ax", "qx", "lx", "dx", "Lx", "Tx", "ex", "status", "reason")
    return replace(tables, sex=sexes, names=None, **{name: getattr(tables, name)[rows] for name in names})


def _as_tables(
    shape: LifeTables, survivors: Numbers, sexes: npt.NDArray[np.object_], ages: Iterable[object] | None, words: str
) -> LifeTables:
    """Life tables of modelled survivors; at the standard's ages they keep its ax."""
    Lx = person_years_of(shape, survivors)
    died = np.concatenate([survivors[:, :-1] - survivors[:, 1:], survivors[:, -1:]], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mx = died / Lx
    tables = life_tables(mx, shape.age, sexes, ax=shape.ax)
    if ages is not None:
        tables = _regrouped(tables, shape, survivors, age_starts(ages))
    status = np.full(tables.mx.shape, MODELLED, dtype=object)
    reason = np.full(tables.mx.shape, FROM_MODEL, dtype=object)
    return replace(tables, status=status, reason=reason, method=words, names=None)


def _regrouped(tables: LifeTables, shape: LifeTables, survivors: Numbers, ages: Numbers) -> LifeTables:
    if np.isin(ages, tables.age).all() and (ages == tables.age[: len(ages)]).all():
        return cut_at(tables, float(ages[-1]))
    at_ages = survivors_at(shape, survivors, ages)
    nqx = np.concatenate([1 - at_ages[:, 1:] / at_ages[:, :-1], np.ones((len(at_ages), 1))], axis=1)
    end = np.array([np.interp(ages[-1], tables.age, row) for row in tables.ex])
    return life_tables_from_probabilities(nqx, ages, tables.sex, closeout="given", open_ex=end)
