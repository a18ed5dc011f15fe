"""The life table itself: from rates and ax to all columns, for many series at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from mortality.measures.life_table_ax import rates_to_probabilities
from mortality.measures.life_table_inputs import MODELLED, NOT_ASSESSABLE, OK, Numbers, Words, age_starts
from tkyt_analysis.errors import InputError

RADIX = 100_000
MISSING, WRONG = "reason.life_table_rate_missing", "reason.life_table_rate_wrong"
OLDER_MISSING = "reason.life_table_older_rate_missing"
ENDLESS = "reason.life_table_open_group_without_deaths"
_ARRAYS = ("mx", "ax", "qx", "lx", "dx", "Lx", "Tx", "ex")


@dataclass(frozen=True)
class LifeTables:
    """Life tables of many series over the same ages.

    age, n : (ages,) first completed year and width of each group; the last is open (n infinite)
    sex : (series,) "male", "female", "total"
    mx, ax, qx, lx, dx, Lx, Tx, ex : (series, ages); mx per person-year, ax and ex in years, lx and dx of `radix` born
    status, reason : (series, ages): "ok", "not_assessable" or "modelled" for the row, and why (label key)
    method : how ax, a0 and the end were chosen
    names : of the series (None: one series given as a vector)
    deaths, population : (series, ages) the counts behind the rates, where they are known; limits need them
    """

    age: Numbers
    n: Numbers
    sex: Words
    mx: Numbers
    ax: Numbers
    qx: Numbers
    lx: Numbers
    dx: Numbers
    Lx: Numbers
    Tx: Numbers
    ex: Numbers
    status: Words
    reason: Words
    method: str
    names: list[Hashable] | None = None
    radix: float = RADIX
    deaths: Numbers | None = None
    population: Numbers | None = None

    def __len__(self) -> int:
        return len(self.mx)

    def place_of(self, age: float) -> int:
        """Which column begins at `age`; InputError where no group does."""
        return boundary(self.age, age)

    def life_expectancy(self, age: float = 0) -> Numbers:
        """ex at one age, a number per series."""
        return self.ex[:, self.place_of(age)]

    def to_frame(self) -> pd.DataFrame:
        """One row per series and age: [series,] age, n, mx, ax, qx, lx, dx, Lx, Tx, ex, method, status, reason."""
        series, ages = self.mx.shape
        columns: dict[str, object] = {}
        if self.names is not None:
            columns["series"] = pd.Index(self.names, tupleize_cols=False).repeat(ages)
        columns["age"] = np.tile(self.age.astype(int) if (self.age % 1 == 0).all() else self.age, series)
        columns["n"] = np.tile(self.n, series)
        columns |= {name: getattr(self, name).ravel() for name in _ARRAYS}
        columns |= {"method": self.method, "status": self.status.ravel(), "reason": self.reason.ravel()}
        return pd.DataFrame(columns).astype({"method": "str", "status": "str", "reason": "str"})


def age_number(age: object) -> float:
    """An age given as a number or as text ("15"); InputError for words."""
    try:
        number = float(str(age))
        return int(number) if number.is_integer() else number
    except ValueError:
        raise InputError("error.life_table_age_number", found=str(age)) from None


def boundary(age: Numbers, wanted: float) -> int:
    """The place of the age group that begins at `wanted`; InputError where none does."""
    wanted = age_number(wanted)
    found = np.flatnonzero(age == wanted)
    if not len(found):
        raise InputError("error.life_table_no_such_age", age=f"{wanted:g}", known=", ".join(f"{x:g}" for x in age))
    return int(found[0])


def complete_table(
    mx: Numbers,
    ax: Numbers,
    age: Numbers,
    n: Numbers,
    sex: Words,
    *,
    method: str,
    names: list[Hashable] | None = None,
    radix: float = RADIX,
    given: Numbers | None = None,
) -> LifeTables:
    """All columns from rates and ax: q = n m / (1 + (n - a) m), L = n l(x+n) + a d, open group L = a l.

    given : the rates before wrong ones were taken out, for the reasons; default mx
    """
    closed, years = rates_to_probabilities(mx[:, :-1], ax[:, :-1], n[:-1])
    qx = np.concatenate([closed, np.where(np.isnan(mx[:, -1:]), np.nan, 1.0)], axis=1)
    ax = np.concatenate([years, ax[:, -1:]], axis=1)
    lx = radix * np.cumprod(np.concatenate([np.ones((len(qx), 1)), 1 - qx[:, :-1]], axis=1), axis=1)
    lived = np.where(np.isfinite(n), n, 0.0) * (1 - qx) + ax * qx
    Lx, ex = lx * lived, _expectancies(qx, lived)
    Tx = np.cumsum(Lx[:, ::-1], axis=1)[:, ::-1]
    status, reason = _verdicts(mx if given is None else given, ex)
    return LifeTables(age, n, sex, mx, ax, qx, lx, lx * qx, Lx, Tx, ex, status, reason, method, names, radix)


def _expectancies(qx: Numbers, lived: Numbers) -> Numbers:
    """ex backwards from the open group, so that an age that nobody reaches has one too."""
    ex = np.empty_like(qx)
    ex[:, -1] = lived[:, -1]
    for at in range(qx.shape[1] - 2, -1, -1):
        after = np.where(qx[:, at] == 1, 0.0, (1 - qx[:, at]) * ex[:, at + 1])
        ex[:, at] = lived[:, at] + after
    return ex


def _verdicts(rates: Numbers, ex: Numbers) -> tuple[Words, Words]:
    """status and reason of every row: its own rate first, then why its life expectancy is missing."""
    missing, wrong = np.isnan(rates), (rates < 0) | np.isinf(rates)
    bad, none = missing | wrong, np.isnan(ex)
    if not (bad.any() or none.any()):
        return np.full(rates.shape, OK, dtype=object), np.full(rates.shape, "", dtype=object)
    older = none & np.logical_or.accumulate(bad[:, ::-1], axis=1)[:, ::-1]
    younger = none & np.logical_or.accumulate(bad, axis=1)
    code = np.select([missing, wrong, older | younger, none], [0, 1, 2, 3], default=4)
    reason = np.array([MISSING, WRONG, OLDER_MISSING, ENDLESS, ""], dtype=object)[code]
    return np.where(code == 4, OK, NOT_ASSESSABLE).astype(object), reason


def cut_at(tables: LifeTables, open_age: float, *, reason: str = "") -> LifeTables:
    """The same tables with the open group beginning at `open_age`; life expectancies stay as they are.

    The open row gets q = 1, L = T, a = e and the rate that these imply, m = l / T.
    reason : label key that marks the open row "modelled" (its rate is not the observed one)
    """
    last = tables.place_of(open_age)
    keep = slice(0, last + 1)
    columns = {name: getattr(tables, name)[:, keep].copy() for name in (*_ARRAYS, "status", "reason")}
    end = tables.ex[:, last]
    with np.errstate(divide="ignore", invalid="ignore"):
        columns["mx"][:, -1] = 1 / end
    columns["ax"][:, -1], columns["Lx"][:, -1] = end, columns["Tx"][:, -1]
    columns["qx"][:, -1] = np.where(np.isnan(end), np.nan, 1.0)
    columns["dx"][:, -1] = columns["lx"][:, -1] * columns["qx"][:, -1]
    if reason:
        fine = columns["status"][:, -1] == OK
        columns["status"][fine, -1], columns["reason"][fine, -1] = MODELLED, reason
    width = np.append(tables.n[:last], np.inf)
    return replace(tables, age=tables.age[keep], n=width, **columns)


def regroup_ages(tables: LifeTables, ages: Iterable[object]) -> LifeTables:
    """The same tables over wider age groups, nothing lost: complete tables → abridged ones (0, 1, 5, …, 85).

    ages : first years (or labels) of the new groups, each a first age of the old ones; the last is open. Survivors, years
    lived and life expectancies stay; ax and rates are those that they imply. Counts are added up.
    """
    starts = age_starts(ages)
    places = [tables.place_of(float(age)) for age in starts]
    n = np.append(np.diff(starts), np.inf)
    lx, Tx, ex = tables.lx[:, places], tables.Tx[:, places], tables.ex[:, places]
    after = np.concatenate([lx[:, 1:], np.zeros((len(lx), 1))], axis=1)
    dx, Lx = lx - after, Tx - np.concatenate([Tx[:, 1:], np.zeros((len(Tx), 1))], axis=1)
    width = np.where(np.isfinite(n), n, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mx, qx = dx / Lx, np.where(lx > 0, dx / lx, np.nan)
        ax = np.where(dx > 0, (Lx - width * after) / dx, n / 2)
    columns: dict[str, Any] = {"mx": mx, "ax": ax, "qx": qx, "lx": lx, "dx": dx, "Lx": Lx, "Tx": Tx, "ex": ex}
    status, reason = _first_told(tables, places)
    counts: dict[str, Any] = {
        name: None if values is None else np.add.reduceat(values, places, axis=1)
        for name, values in (("deaths", tables.deaths), ("population", tables.population))
    }
    method = f"{tables.method}; regrouped"
    return replace(tables, age=starts, n=n, status=status, reason=reason, method=method, **columns, **counts)


def _first_told(tables: LifeTables, places: list[int]) -> tuple[Words, Words]:
    """Of each new group: the status and reason of its first row that is not "ok"."""
    status = np.empty((len(tables), len(places)), dtype=object)
    reason = np.empty_like(status)
    rows = np.arange(len(tables))
    for at, (first, end) in enumerate(pairwise([*places, len(tables.age)])):
        told = first + np.argmax(tables.status[:, first:end] != OK, axis=1)
        status[:, at], reason[:, at] = tables.status[rows, told], tables.reason[rows, told]
    return status, reason
