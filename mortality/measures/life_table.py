"""Life tables from death rates, many at once: abridged or single ages, any age groups, any first age.

`life_tables` answers in arrays (series, ages), `abridged_life_table` in rows. How deaths lie within an age group (ax), the
infant factor (a0) and the end of the table (closeout) are named options, and the method says which were used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.death_probabilities import premature_mortality, probability_of_dying
from mortality.measures.life_table_ax import TURNS, ax_of
from mortality.measures.life_table_closeout import (
    CLOSEOUTS,
    NO_FIT,
    OPEN_MODELLED,
    SMOOTHED,
    Flags,
    extended_rates,
    old_ages,
    smooth_old_ages,
)
from mortality.measures.life_table_core import RADIX, LifeTables, complete_table, cut_at
from mortality.measures.life_table_inputs import (
    MODELLED,
    NOT_ASSESSABLE,
    OK,
    Numbers,
    age_starts,
    per_series,
    rates_by_series,
    sexes_of_series,
    widths,
)
from tkyt_analysis.errors import InputError, UsageError

__all__ = [
    "LifeTables",
    "abridged_life_table",
    "closeout_difference",
    "life_tables",
    "life_tables_from_counts",
    "life_tables_from_probabilities",
    "life_tables_from_survivors",
    "premature_mortality",
    "probability_of_dying",
    "smooth_old_ages",
]
COLUMNS = ["age", "n", "mx", "ax", "qx", "lx", "dx", "Lx", "Tx", "ex", "method", "status", "reason"]
Sexes = str | Sequence[str] | npt.ArrayLike


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
        "midpoint", "hmd", "constant_hazard", "chiang" (0.1 and one half: PHE/ONS), or years as (ages,) or (series, ages)
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
    if closeout not in CLOSEOUTS:
        raise UsageError("error.life_table_closeout_unknown", value=closeout, known=", ".join(CLOSEOUTS))
    starts = age_starts(age)
    rates, names = rates_by_series(nmx, len(starts))
    sexes = sexes_of_series(sex, len(rates))
    mx = np.where((rates >= 0) & np.isfinite(rates), rates, np.nan)
    q0 = _infant_probability(infant_mortality, starts, len(rates))
    build = _Build(ax, a0, q0, sexes, names, radix, rates)
    if closeout in ("inverse", "given"):
        end = None if closeout == "inverse" else _given_end(open_ex, len(rates))
        tables = build.table(mx, starts, closeout, open_ax=end)
        return cut_at(tables, open_age) if open_age is not None else tables
    return build.modelled_end(mx, starts, closeout, law=law, fit_from=fit_from, open_age=open_age)


class _Build:
    """The options of one call, and the tables that they give for rates over some ages."""

    def __init__(
        self, ax: Any, a0: Any, q0: Numbers | None, sex: Any, names: Any, radix: float, given: Numbers
    ) -> None:
        self.ax, self.a0, self.q0, self.sex, self.names, self.radix, self.given = ax, a0, q0, sex, names, radix, given

    def table(
        self, mx: Numbers, age: Numbers, words: str, *, open_ax: Numbers | None = None, given: Numbers | None = None
    ) -> LifeTables:
        n = widths(age)
        years, how = ax_of(self.ax, mx, age, n, self.sex, a0=self.a0, q0=self.q0)
        if self.q0 is not None:
            mx, how = mx.copy(), f"{how}, q0 given"
            mx[:, 0] = self.q0 / (1 - (1 - years[:, 0]) * self.q0)
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse = np.where(mx[:, -1] > 0, 1 / mx[:, -1], np.nan)
        years[:, -1] = inverse if open_ax is None else open_ax
        if open_ax is not None:
            mx = np.concatenate([mx[:, :-1], 1 / open_ax[:, np.newaxis]], axis=1)
        reasons = self._reasons_from(mx, given, open_ax is not None)
        method = f"{how}; closeout {words}"
        return complete_table(
            mx, years, age, n, self.sex, method=method, names=self.names, radix=self.radix, given=reasons
        )

    def _reasons_from(self, mx: Numbers, given: Numbers | None, end_given: bool) -> Numbers:
        reasons = (self.given if given is None else given).copy()
        if self.q0 is not None:
            reasons[:, 0] = mx[:, 0]
        if end_given:
            reasons[:, -1] = mx[:, -1]
        return reasons

    def modelled_end(
        self,
        mx: Numbers,
        age: Numbers,
        closeout: str,
        *,
        law: str | None,
        fit_from: float | None,
        open_age: float | None,
    ) -> LifeTables:
        n = widths(age)
        plan = old_ages(age, n, closeout, law=law, fit_from=fit_from)
        rates, ages, fitted = extended_rates(mx, age, plan)
        given = rates.copy()
        young = age < plan.replace_from
        given[:, : len(age)][:, young] = self.given[:, young]
        if not isinstance(self.ax, str):
            beyond = np.full((len(mx), len(ages) - len(age)), np.nan)
            self.ax = np.concatenate([np.broadcast_to(np.asarray(self.ax, dtype=float), mx.shape), beyond], axis=1)
            half = np.append(np.diff(ages) / 2, np.nan)
            at_end = np.arange(len(ages)) >= len(age) - 1
            self.ax = np.where(at_end, half, self.ax)
        tables = self.table(rates, ages, f"{closeout} ({plan.words})", given=given)
        end = open_age if open_age is not None else (110.0 if plan.replace_from < age[-1] else age[-1])
        tables = cut_at(tables, float(end), reason=OPEN_MODELLED)
        return _marked(tables, plan.replace_from, fitted)


def _marked(tables: LifeTables, replace_from: float, fitted: Flags) -> LifeTables:
    """Rows with rates of the law are "modelled"; series that could not be fitted say so."""
    status, reason = tables.status.copy(), tables.reason.copy()
    smooth = (tables.age >= replace_from) & np.isfinite(tables.n) & (status == OK)
    status[smooth], reason[smooth] = MODELLED, SMOOTHED
    none = ~fitted[:, np.newaxis] & np.isnan(tables.ex)
    status[none], reason[none] = NOT_ASSESSABLE, NO_FIT
    return replace(tables, status=status, reason=reason)


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
    same = len(table.age) == len(starts)
    return replace(table, deaths=died if same else None, population=persons if same else None)


def life_tables_from_probabilities(
    nqx: npt.ArrayLike, age: Iterable[object], sex: Sexes = "total", *, closeout: str = "extrapolate", **options: Any
) -> LifeTables:
    """`life_tables` of probabilities of dying; the one of the open group is not looked at.

    Rates and ax are found turn by turn, so that the table gives the probabilities back. An open group needs a law
    (closeout "extrapolate", "kannisto") or its life expectancy (`open_ex`, closeout "given").
    """
    starts = age_starts(age)
    n = widths(starts)
    probabilities, names = rates_by_series(nqx, len(starts))
    sexes = sexes_of_series(sex, len(probabilities))
    if closeout == "inverse":
        raise UsageError("error.life_table_open_rate_needed", known="extrapolate, kannisto, given")
    q = np.where((probabilities[:, :-1] >= 0) & (probabilities[:, :-1] <= 1), probabilities[:, :-1], np.nan)
    q0 = q[:, 0] if starts[0] == 0 and n[0] == 1 else None
    years = np.tile(n[:-1] / 2, (len(q), 1))
    for _ in range(TURNS):
        mx = np.concatenate([q / (n[:-1] - (n[:-1] - years) * q), q[:, -1:]], axis=1)
        method = options.get("ax", "greville")
        years = ax_of(method, mx, starts, n, sexes, a0=options.get("a0", "coale_demeny_west"), q0=q0)[0][:, :-1]
    mx = np.concatenate([q / (n[:-1] - (n[:-1] - years) * q), np.full((len(q), 1), 1.0)], axis=1)
    return life_tables(
        pd.DataFrame(mx, index=names) if names is not None else mx[0],
        starts,
        sex,
        closeout=closeout,
        infant_mortality=q0,
        **options,
    )


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


def _infant_probability(value: npt.ArrayLike | None, age: Numbers, series: int) -> Numbers | None:
    if value is None:
        return None
    q0 = per_series(value, series, "infant_mortality")
    if age[0] != 0 or age[1] != 1:
        raise InputError("error.life_table_infant_age", first=f"{age[0]:g}-{age[1]:g}")
    wrong = q0[(q0 < 0) | (q0 > 1)]
    if len(wrong):
        raise InputError("error.life_table_infant_mortality", found=f"{wrong[0]:g}")
    return q0


def _given_end(value: npt.ArrayLike | None, series: int) -> Numbers:
    if value is None:
        raise UsageError("error.life_table_open_ex_missing")
    years = per_series(value, series, "open_ex")
    if not (years > 0).all():
        raise InputError("error.life_table_open_ex", found=f"{years.min():g}")
    return years
