"""One call of `life_tables`: its options checked, its rates carried to the end that was asked for."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mortality.measures.life_table_ax import ax_of
from mortality.measures.life_table_closeout import (
    CLOSEOUTS,
    NO_FIT,
    OPEN_MODELLED,
    SMOOTHED,
    Flags,
    closeout_words,
    extended_rates,
    old_ages,
)
from mortality.measures.life_table_core import RADIX, LifeTables, complete_table, cut_at
from mortality.measures.life_table_inputs import (
    MODELLED,
    NOT_ASSESSABLE,
    OK,
    Numbers,
    Words,
    age_starts,
    per_series,
    rates_by_series,
    sexes_of_series,
    widths,
)
from tkyt_analysis.errors import InputError, UsageError

PER_1000 = 3.0  # deaths per person-year that no old age group of a population reaches
Sexes = str | Sequence[str] | npt.ArrayLike


def build_tables(
    nmx: npt.ArrayLike,
    age: Iterable[object],
    sex: Sexes,
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
    fixed: Numbers | None = None,
) -> LifeTables:
    """`life_tables`; fixed : ax of the first groups, whatever the method says (series, some ages)."""
    closeout, law = closeout_words(closeout, law)
    if closeout not in CLOSEOUTS:
        raise UsageError("error.life_table_closeout_unknown", value=closeout, known=", ".join(CLOSEOUTS))
    starts = age_starts(age)
    rates, names = rates_by_series(nmx, len(starts))
    sexes = sexes_of_series(sex, len(rates))
    mx = np.where((rates >= 0) & np.isfinite(rates), rates, np.nan)
    _require_per_person_year(mx, starts)
    q0 = _infant_probability(infant_mortality, starts, len(rates))
    options = _Options(ax, a0, q0, sexes, names, radix, fixed)
    if closeout in ("inverse", "given"):
        end = None if closeout == "inverse" else _given_end(open_ex, len(rates))
        tables = options.table(mx, starts, closeout, given=rates, open_ax=end)
        return cut_at(tables, open_age) if open_age is not None else tables
    return _with_modelled_end(options, mx, rates, starts, closeout, law=law, fit_from=fit_from, open_age=open_age)


def _require_per_person_year(mx: Numbers, age: Numbers) -> None:
    """Rates per 1 000 are refused: three old groups or more, and in every series all of them above 3 deaths per person-year."""
    old = np.where(mx[:, age >= 60] > 0, mx[:, age >= 60], np.nan)
    known = np.isfinite(old)
    if len(old) and (known.sum(axis=1) >= 3).all() and bool((old[known] > PER_1000).all()):
        raise InputError("error.life_table_per_person_year", least=f"{np.nanmin(old):g}")


@dataclass(frozen=True)
class _Options:
    """What all tables of one call share."""

    ax: str | npt.ArrayLike
    a0: str | float
    q0: Numbers | None
    sex: Words
    names: list[Hashable] | None
    radix: float
    fixed: Numbers | None

    def table(
        self, mx: Numbers, age: Numbers, words: str, *, given: Numbers, open_ax: Numbers | None = None
    ) -> LifeTables:
        """The table of rates over some ages; given : the rates before wrong ones were taken out, for the reasons."""
        n, mx, given = widths(age), mx.copy(), given.copy()
        years, how = ax_of(self.ax, mx, age, n, self.sex, a0=self.a0, q0=self.q0)
        if self.fixed is not None:
            years[:, : self.fixed.shape[1]] = self.fixed
        if self.q0 is not None:
            how = f"{how}, q0 given"
            mx[:, 0] = given[:, 0] = self.q0 / (1 - (1 - years[:, 0]) * self.q0)
        if open_ax is not None:
            mx[:, -1] = given[:, -1] = 1 / open_ax
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            end = 1 / mx[:, -1]
        years[:, -1] = np.where(np.isfinite(end), end, np.nan)
        return complete_table(
            mx,
            years,
            age,
            n,
            self.sex,
            method=f"{how}; closeout {words}",
            names=self.names,
            radix=self.radix,
            given=given,
        )


def _with_modelled_end(
    options: _Options,
    mx: Numbers,
    rates: Numbers,
    age: Numbers,
    closeout: str,
    *,
    law: str | None,
    fit_from: float | None,
    open_age: float | None,
) -> LifeTables:
    n = widths(age)
    plan = old_ages(age, n, closeout, law=law, fit_from=fit_from)
    longer, ages, fitted = extended_rates(mx, age, plan)
    given, young = longer.copy(), age < plan.replace_from
    given[:, : len(age)][:, young] = rates[:, young]
    if not isinstance(options.ax, str):
        years, _ = ax_of(options.ax, mx, age, n, options.sex, a0=options.a0)
        options = replace(options, ax="midpoint", fixed=years[:, :-1])
    tables = options.table(longer, ages, f"{closeout} ({plan.words})", given=given)
    end = open_age if open_age is not None else (110.0 if plan.replace_from < age[-1] else age[-1])
    return _marked(cut_at(tables, float(end), reason=OPEN_MODELLED), plan.replace_from, fitted)


def _marked(tables: LifeTables, replace_from: float, fitted: Flags) -> LifeTables:
    """Rows with rates of the law are "modelled"; series that could not be fitted say so."""
    status, reason = tables.status.copy(), tables.reason.copy()
    smooth = (tables.age >= replace_from) & np.isfinite(tables.n) & (status == OK)
    status[smooth], reason[smooth] = MODELLED, SMOOTHED
    none = ~fitted[:, np.newaxis] & np.isnan(tables.ex)
    status[none], reason[none] = NOT_ASSESSABLE, NO_FIT
    return replace(tables, status=status, reason=reason)


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
