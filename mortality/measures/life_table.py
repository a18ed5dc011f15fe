"""Life tables from death rates, many at once: abridged or single ages, any age groups, any first age.

`life_tables` answers in arrays (series, ages), `abridged_life_table` in rows. How deaths lie within an age group (ax), the
infant factor (a0) and the end of the table (closeout) are named options, and the method says which were used.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.life_table_ax import ax_of
from mortality.measures.life_table_inputs import (
    NOT_ASSESSABLE,
    OK,
    Numbers,
    Words,
    age_starts,
    rates_by_series,
    sexes_of_series,
    widths,
)
from tkyt_analysis.errors import InputError, UsageError

COLUMNS = ["age", "n", "mx", "ax", "qx", "lx", "dx", "Lx", "Tx", "ex", "method", "status", "reason"]
RADIX = 100_000
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

    def __len__(self) -> int:
        return len(self.mx)

    def place_of(self, age: float) -> int:
        """Which column begins at `age`; InputError where no group does."""
        found = np.flatnonzero(self.age == age)
        if not len(found):
            raise InputError(
                "error.life_table_no_such_age", age=f"{age:g}", known=", ".join(f"{x:g}" for x in self.age)
            )
        return int(found[0])

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


def life_tables(
    nmx: npt.ArrayLike,
    age: Iterable[object],
    sex: str | Sequence[str] | npt.ArrayLike = "total",
    *,
    ax: str | npt.ArrayLike = "greville",
    a0: str | float = "coale_demeny_west",
    closeout: str = "inverse",
    radix: float = RADIX,
) -> LifeTables:
    """Period life tables from age-specific death rates.

    Parameters
    ----------
    nmx : deaths per person-year (not per 1 000): a vector, a matrix (series, ages) or a DataFrame, one row per series
    age : first year of each group (0, 1, 5, …) or labels ("0", "1-4", …, "85+"); the last is open; any first age
    sex : "male", "female", "total"; one for all series or one per series
    ax : "greville" (UN), "midpoint", "chiang" (0.1 and one half: PHE/ONS), or years as (ages,) or (series, ages)
    a0 : rule of infancy (`life_table_ax.A0_RULES`) or a number
    closeout : "inverse" (open group: L = l / m)
    radix : l0

    Returns
    -------
    LifeTables. A missing, negative or infinite rate leaves its own row and what depends on it `not_assessable`; an open
    group without deaths leaves the life expectancies `not_assessable`: nothing is put in its place silently.

    References
    ----------
    Preston, Heuveline & Guillot, Demography, 2001, ch. 3.
    """
    if closeout != "inverse":
        raise UsageError("error.life_table_closeout_unknown", value=closeout, known="inverse")
    starts = age_starts(age)
    n = widths(starts)
    rates, names = rates_by_series(nmx, len(starts))
    sexes = sexes_of_series(sex, len(rates))
    mx = np.where((rates >= 0) & np.isfinite(rates), rates, np.nan)
    years, words = ax_of(ax, mx, starts, n, sexes, a0=a0)
    with np.errstate(divide="ignore", invalid="ignore"):
        years[:, -1] = np.where(mx[:, -1] > 0, 1 / mx[:, -1], np.nan)
    return complete_table(
        mx, years, starts, n, sexes, method=f"{words}; closeout {closeout}", names=names, radix=radix, given=rates
    )


def abridged_life_table(
    nmx: npt.ArrayLike,
    age: Iterable[object],
    sex: str | Sequence[str] | npt.ArrayLike = "total",
    *,
    closeout: str = "inverse",
    ax: str | npt.ArrayLike = "greville",
    a0: str | float = "coale_demeny_west",
    radix: float = RADIX,
) -> pd.DataFrame:
    """`life_tables` as rows: [series,] age, n, mx, ax, qx, lx, dx, Lx, Tx, ex, method, status, reason."""
    return life_tables(nmx, age, sex, ax=ax, a0=a0, closeout=closeout, radix=radix).to_frame()


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

    A group in which more would die than live (q above 1) ends with q = 1 and a = 1 / m, so that m = d / L still holds.
    """
    qx, ax = probabilities(mx, ax, n)
    lx = radix * np.cumprod(np.concatenate([np.ones((len(qx), 1)), 1 - qx[:, :-1]], axis=1), axis=1)
    dx = lx * qx
    Lx = lx * _years_per_survivor(qx, ax, n)
    ex = _expectancies(qx, ax, n)
    Tx = np.cumsum(Lx[:, ::-1], axis=1)[:, ::-1]
    status, reason = _verdicts(mx if given is None else given, ex)
    return LifeTables(age, n, sex, mx, ax, qx, lx, dx, Lx, Tx, ex, status, reason, method, names, radix)


def probabilities(mx: Numbers, ax: Numbers, n: Numbers) -> tuple[Numbers, Numbers]:
    """qx and ax (series, ages) from rates; the open group has q = 1."""
    closed = slice(0, -1)
    m, a, width = mx[:, closed], ax[:, closed], n[closed]
    with np.errstate(divide="ignore", invalid="ignore"):
        q = width * m / (1 + (width - a) * m)
        over = (q > 1) | (1 + (width - a) * m <= 0)
        q, a = np.where(over, 1.0, q), np.where(over, 1 / m, a)
    ones = np.where(np.isnan(mx[:, -1:]), np.nan, 1.0)
    return np.concatenate([q, ones], axis=1), np.concatenate([a, ax[:, -1:]], axis=1)


def _years_per_survivor(qx: Numbers, ax: Numbers, n: Numbers) -> Numbers:
    """Years lived in the group per person alive at its start."""
    width = np.where(np.isfinite(n), n, 0.0)
    return width * (1 - qx) + ax * qx


def _expectancies(qx: Numbers, ax: Numbers, n: Numbers) -> Numbers:
    """ex backwards from the open group, so that an age that nobody reaches has one too."""
    lived = _years_per_survivor(qx, ax, n)
    ex = np.empty_like(qx)
    ex[:, -1] = lived[:, -1]
    for at in range(qx.shape[1] - 2, -1, -1):
        after = np.where(qx[:, at] == 1, 0.0, (1 - qx[:, at]) * ex[:, at + 1])
        ex[:, at] = lived[:, at] + after
    return ex


def _verdicts(rates: Numbers, ex: Numbers) -> tuple[Words, Words]:
    """status and reason of every row: its own rate first, then why its life expectancy is missing."""
    own = np.select([np.isnan(rates), (rates < 0) | np.isinf(rates)], ["missing", "wrong"], default="")
    older = np.logical_or.accumulate((own != "")[:, ::-1], axis=1)[:, ::-1]
    endless = np.broadcast_to(rates[:, -1:] == 0, rates.shape)
    keys = ["reason.life_table_rate_missing", "reason.life_table_rate_wrong", "reason.life_table_older_rate_missing",
            "reason.life_table_open_group_without_deaths", ""]  # fmt: skip
    code = np.select([own == "missing", own == "wrong", np.isnan(ex) & older, np.isnan(ex) & endless], [0, 1, 2, 3], 4)
    status = np.where(code == 4, OK, NOT_ASSESSABLE).astype(object)
    return status, np.array(keys, dtype=object)[code]


def probability_of_dying(table: LifeTables | pd.DataFrame, from_age: float, to_age: float) -> pd.DataFrame:
    """Probability that a person alive at `from_age` dies before `to_age`: 1 - l(to) / l(from); 5q0, 45q15 (15, 60).

    table : LifeTables, or rows as `abridged_life_table` gives them (age, qx, optional series)

    Returns
    -------
    One row per series: [series,] from_age, to_age, value, method, status, reason.
    Raises InputError where an age is no boundary of the table.
    """
    if from_age >= to_age:
        raise InputError("error.life_table_age_order", from_age=f"{from_age:g}", to_age=f"{to_age:g}")
    qx, age, names, method = _probabilities_of(table)
    first, last = _boundary(age, from_age), _boundary(age, to_age)
    value = 1 - np.prod(1 - qx[:, first:last], axis=1)
    missing = np.isnan(value)
    rows = pd.DataFrame({"from_age": from_age, "to_age": to_age, "value": value})
    rows["method"] = f"{to_age - from_age:g}q{from_age:g} = 1 - l({to_age:g})/l({from_age:g}); {method}"
    rows["status"] = np.where(missing, NOT_ASSESSABLE, OK)
    rows["reason"] = np.where(missing, "reason.life_table_rate_missing", "")
    if names is not None:
        rows.insert(0, "series", pd.Index(names, tupleize_cols=False))
    return rows.astype({"method": "str", "status": "str", "reason": "str"})


def _probabilities_of(table: LifeTables | pd.DataFrame) -> tuple[Numbers, Numbers, list[Hashable] | None, str]:
    if isinstance(table, LifeTables):
        return table.qx, table.age, table.names, table.method
    method = str(table["method"].iloc[0]) if "method" in table and len(table) else ""
    if "series" not in table:
        return table["qx"].to_numpy(dtype=float)[np.newaxis, :], table["age"].to_numpy(dtype=float), None, method
    wide = table.pivot(index="series", columns="age", values="qx").loc[lambda rows: table["series"].unique()]
    return wide.to_numpy(dtype=float), wide.columns.to_numpy(dtype=float), list(wide.index), method


def _boundary(age: Numbers, wanted: float) -> int:
    found = np.flatnonzero(age == wanted)
    if not len(found):
        raise InputError("error.life_table_no_such_age", age=f"{wanted:g}", known=", ".join(f"{x:g}" for x in age))
    return int(found[0])
