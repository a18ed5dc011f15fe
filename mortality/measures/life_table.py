"""Life tables from death rates, many at once: abridged or single ages, any age groups, any first age.

`life_tables` answers in arrays (series, ages), `abridged_life_table` in rows. How deaths lie within an age group (ax), the
infant factor (a0) and the end of the table (closeout) are named options, and the method says which were used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.death_probabilities import premature_mortality, probability_of_dying
from mortality.measures.life_table_ax import TURNS, ax_of
from mortality.measures.life_table_build import Sexes, build_tables
from mortality.measures.life_table_closeout import smooth_old_ages
from mortality.measures.life_table_core import RADIX, LifeTables, complete_table, regroup_ages
from mortality.measures.life_table_inputs import (
    NOT_ASSESSABLE,
    OK,
    Numbers,
    age_starts,
    rates_by_series,
    sexes_of_series,
    widths,
)
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

__all__ = [
    "LifeTables",
    "abridged_life_table",
    "closeout_difference",
    "complete_table",
    "life_tables",
    "life_tables_from_counts",
    "life_tables_from_probabilities",
    "life_tables_from_survivors",
    "premature_mortality",
    "probability_of_dying",
    "regroup_ages",
    "smooth_old_ages",
]
COLUMNS = ["age", "n", "mx", "ax", "qx", "lx", "dx", "Lx", "Tx", "ex", "method", "status", "reason"]


def life_tables(
    nmx: npt.ArrayLike,
    age: Iterable[object],
    sex: Sexes = "total",
    *,
    ax: str | npt.ArrayLike = "greville",
    a0: str | float = "coale_demeny_west",
    closeout: str = "inverse",
    infant_mortality: npt.ArrayLike | None = None,
    open_age: float | None = None,
    open_ex: npt.ArrayLike | None = None,
    law: str | None = None,
    fit_from: float | None = None,
    radix: float = RADIX,
) -> LifeTables:
    """Period life tables from age-specific death rates.

    Parameters
    ----------
    nmx : deaths per person-year (not per 1 000): a vector, a matrix (series, ages) or a DataFrame, one row per series
    age : first year of each group (0, 1, 5, …) or labels ("0", "1-4", …, "85+"); the last is open; any first age
    sex : "male", "female", "total"; one for all series or one per series
    ax : "greville" (from age 10), "un" (UN 1982, MORTPAK: from 15), "greville_li" (from 5), "keyfitz_flieger", "pas",
        "midpoint", "half", "hmd", "constant_hazard" (from 5), "exponential" (all ages), "chiang" (0.1 and one half: PHE/ONS), or
        years as (ages,) or (series, ages)
    a0 : "coale_demeny_west" (from m0), "coale_demeny_west_q0", "…_north", "…_east", "…_south" (from q0),
        "andreev_kingkade", or a number
    closeout : "inverse" (open group: L = l / m); "extrapolate" (a law fitted to old ages, to 130, then cut at the open
        age); "kannisto" (Kannisto fitted to the old ages; single ages replaced from 80 on, table to 110+); "given" (`open_ex`)
    infant_mortality : probability of dying in the first year (0.012, not 12 per 1 000), in place of the one from m0
    open_age : the first age of the open group of the answer; default that of the input (kannisto of single ages: 110)
    open_ex : life expectancy at the open age, for closeout "given"
    law, fit_from : "kannisto", "gompertz", "makeham", and the first age of the fit; default as the peers do
        (`life_table_closeout.old_ages`)
    radix : l0

    Returns
    -------
    LifeTables. A missing, negative or infinite rate leaves its own row and what depends on it `not_assessable`; an open
    group without deaths leaves the life expectancies `not_assessable` (closeout "inverse"): nothing is put in its place
    silently. Rows whose rate comes from a law are `modelled`.

    References
    ----------
    Preston, Heuveline & Guillot, Demography, 2001, ch. 3. UN, Model Life Tables for Developing Countries, 1982.
    HMD Methods Protocol v6.
    """
    return build_tables(
        nmx,
        age,
        sex,
        ax=ax,
        a0=a0,
        closeout=closeout,
        infant_mortality=infant_mortality,
        open_age=open_age,
        open_ex=open_ex,
        law=law,
        fit_from=fit_from,
        radix=radix,
    )


def abridged_life_table(
    nmx: npt.ArrayLike, age: Iterable[object], sex: Sexes = "total", *, closeout: str = "inverse", **options: Any
) -> pd.DataFrame:
    """`life_tables` as rows: [series,] age, n, mx, ax, qx, lx, dx, Lx, Tx, ex, method, status, reason.

    Same parameters; `series` is there where nmx has several series. Single ages, too.
    """
    return life_tables(nmx, age, sex, closeout=closeout, **options).to_frame()


def life_tables_from_counts(
    deaths: npt.ArrayLike, population: npt.ArrayLike, age: Iterable[object], sex: Sexes = "total", **options: Any
) -> LifeTables:
    """`life_tables` of deaths over person-years, both (ages,) or (series, ages); the counts stay with the tables.

    Deaths may be fractions. An age group without person-years has no rate: `not_assessable`.
    """
    starts = age_starts(age)
    died, names = rates_by_series(deaths, len(starts))
    persons, _ = rates_by_series(population, len(starts))
    died, persons = np.broadcast_arrays(died, persons)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.where(persons > 0, died / persons, np.nan)
    table = life_tables(pd.DataFrame(rates, index=names) if names is not None else rates[0], starts, sex, **options)
    return replace(table, deaths=_as_cut(died, starts, table.age), population=_as_cut(persons, starts, table.age))


def _as_cut(counts: Numbers, age: Numbers, kept: Numbers) -> Numbers | None:
    """Counts over the ages of the table: those from its open age on added up; None where the table has other ages."""
    last = len(kept) - 1
    if last >= len(age) or (age[: last + 1] != kept).any():
        return None
    return np.concatenate([counts[:, :last], counts[:, last:].sum(axis=1, keepdims=True)], axis=1)


def life_tables_from_probabilities(
    nqx: npt.ArrayLike, age: Iterable[object], sex: Sexes = "total", *, closeout: str | None = None, **options: Any
) -> LifeTables:
    """`life_tables` of probabilities of dying; the one of the open group is not looked at.

    closeout : "given" where `open_ex` is given or a given `ax` says how long the open group lives, else "extrapolate"

    Rates and ax are found turn by turn, so that the table gives the probabilities back. An open group needs a law
    (closeout "extrapolate", "kannisto") or its life expectancy (`open_ex`, closeout "given").
    """
    starts = age_starts(age)
    n = widths(starts)
    probabilities, names = rates_by_series(nqx, len(starts))
    sexes = sexes_of_series(sex, len(probabilities))
    closeout = _end_of_probabilities(closeout, options)
    if option_word(closeout, ("inverse",)) == "inverse":
        raise UsageError("error.life_table_open_rate_needed", known="extrapolate, kannisto, given")
    q = np.where((probabilities[:, :-1] >= 0) & (probabilities[:, :-1] <= 1), probabilities[:, :-1], np.nan)
    q0 = q[:, 0] if starts[0] == 0 and n[0] == 1 else None
    years = np.tile(n[:-1] / 2, (len(q), 1))
    for _ in range(TURNS):
        mx = _rates_of(q, years, n)
        method = options.get("ax", "greville")
        years = ax_of(method, mx, starts, n, sexes, a0=options.get("a0", "coale_demeny_west"), q0=q0)[0][:, :-1]
    mx = _rates_of(q, years, n)
    nmx = pd.DataFrame(mx, index=names) if names is not None else mx[0]
    return build_tables(nmx, starts, sex, closeout=closeout, infant_mortality=q0, fixed=years, **options)


def _end_of_probabilities(closeout: str | None, options: dict[str, Any]) -> str:
    """The closeout asked for; without one "given" where the open group's years are known (then `open_ex` is filled in)."""
    ax = options.get("ax")
    if closeout is None and "open_ex" not in options and ax is not None and not isinstance(ax, str):
        last = np.atleast_1d(np.asarray(ax, dtype=float)[..., -1])
        if (np.isfinite(last) & (last > 0)).all():
            options["open_ex"] = last
    return closeout or ("given" if options.get("open_ex") is not None else "extrapolate")


def _rates_of(q: Numbers, years: Numbers, n: Numbers) -> Numbers:
    """Rates of closed groups from q and ax; the open one goes on as the last two rose (only ax of its neighbour asks)."""
    mx = q / (n[:-1] - (n[:-1] - years) * q)
    with np.errstate(divide="ignore", invalid="ignore"):
        onward = mx[:, -1] ** 2 / mx[:, -2] if mx.shape[1] > 1 else mx[:, -1]
    return np.column_stack([mx, np.where(np.isfinite(onward), onward, mx[:, -1])])


def life_tables_from_survivors(
    lx: npt.ArrayLike, age: Iterable[object], sex: Sexes = "total", **options: Any
) -> LifeTables:
    """`life_tables_from_probabilities` of a column of survivors lx (any radix)."""
    starts = age_starts(age)
    survivors, names = rates_by_series(lx, len(starts))
    with np.errstate(divide="ignore", invalid="ignore"):
        q = 1 - survivors[:, 1:] / survivors[:, :-1]
    nqx = np.concatenate([q, np.ones((len(q), 1))], axis=1)
    return life_tables_from_probabilities(
        pd.DataFrame(nqx, index=names) if names is not None else nqx[0], starts, sex, **options
    )


def closeout_difference(
    nmx: npt.ArrayLike, age: Iterable[object], sex: Sexes = "total", *, at: float | None = None, **options: Any
) -> pd.DataFrame:
    """Life expectancy at age `at` (default the first) under each closeout, beside one another.

    One row per series: [series,] age, inverse, extrapolate, kannisto, difference (largest less smallest), method, status,
    reason.
    """
    tables = {
        name: life_tables(nmx, age, sex, closeout=name, **options) for name in ("inverse", "extrapolate", "kannisto")
    }
    first = tables["inverse"]
    place = 0 if at is None else first.place_of(at)
    values = np.column_stack([table.ex[:, place] for table in tables.values()])
    rows = pd.DataFrame(values, columns=list(tables))
    rows.insert(0, "age", first.age[place])
    rows["difference"] = np.fmax.reduce(values, axis=1) - np.fmin.reduce(values, axis=1)
    some = np.isnan(values).any(axis=1)
    rows["method"] = " | ".join(table.method for table in tables.values())
    rows["status"] = np.where(some, NOT_ASSESSABLE, OK)
    rows["reason"] = np.where(some, "reason.life_table_closeout_missing", "")
    if first.names is not None:
        rows.insert(0, "series", pd.Index(first.names, tupleize_cols=False))
    return rows.astype({"method": "str", "status": "str", "reason": "str"})


def __getattr__(name: str) -> Any:
    """The measures built on life tables, by the names of the contract, wherever they live."""
    homes = {
        "life_expectancy": "life_expectancy",
        "life_tables_by": "life_expectancy",
        "probability_of_dying_by": "life_expectancy",
        "cause_deleted_life_table": "cause_deleted",
        "arriaga_decomposition": "decomposition",
    }
    if name not in homes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"mortality.measures.{homes[name]}"), name)
