"""Life tables without a cause of death, and of one cause alone; many causes and many series in one call.

Chiang's assumption: in each age group the force of mortality from a cause is a fixed share R of the force from all causes,
so that the chance of surviving the group without the others is p to the power R.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.decrement_inputs import (
    ByCause,
    blocking,
    by_cause_array,
    first_reason,
    index_columns,
    marked,
    modelled_from,
    shares_of_causes,
    table_of,
    text_columns,
    younger_gap,
)
from mortality.measures.life_table_core import OLDER_MISSING, LifeTables, complete_table
from mortality.measures.life_table_inputs import Numbers, Words, rates_by_series
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

AX_RULES = ("chiang", "phg", "constant_hazard", "same")
_OTHER_RULES = {"preston": "phg", "textbook": "phg", "constant": "constant_hazard", "exponential": "constant_hazard", "chiang1968": "chiang", "unchanged": "same"}  # fmt: skip


def rule_word(rule: str) -> str:
    """The name of `AX_RULES` that is meant."""
    return str(option_word(rule, AX_RULES, _OTHER_RULES))


_COLUMNS = ("mx", "ax", "qx", "lx", "dx", "Lx", "Tx", "ex")


def cause_deleted_life_table(
    nmx: LifeTables | npt.ArrayLike,
    by_cause: ByCause,
    age: Iterable[object] | None = None,
    sex: Any = "total",
    *,
    total: npt.ArrayLike | None = None,
    ax_deleted: str = "chiang",
    **options: Any,
) -> pd.DataFrame:
    """The life table that would hold if a cause of death did not exist, for each cause and series.

    Parameters
    ----------
    nmx : death rates of all causes as in `life_tables` (then `age`, `sex` and its options), or LifeTables
    by_cause : rates of each cause, or deaths of each cause if `total` is given; shapes as in `by_cause_array`
    total : deaths of all causes, (ages,) or (series, ages); None: `by_cause` are rates, all causes are `nmx`
    ax_deleted : years lived in the group by those who die in it, without the cause
        "chiang"  n + R (q / q*) (a - n) in every closed group: removing a cause can then never shorten life
        "phg"     that under 10 years and in the last closed group, else the parabola through the neighbouring
                  deaths (Preston, Heuveline & Guillot, ch. 4)
        "constant_hazard"  a constant force within each group (for tables of ax "constant_hazard")
        "same"    the ax of all causes
    options : ax, a0, closeout, radix of `life_tables`

    Returns
    -------
    One row per series, cause and age: [series,] cause, age, n, share_left (R), mx, ax, qx, lx, dx, Lx, Tx, ex, ex_all
    (with every cause), gain (ex - ex_all, years), method, status, reason. `not_assessable` where a count is missing, a
    cause exceeds the total, or no death is left in the open group.

    References
    ----------
    Chiang, Introduction to Stochastic Processes in Biostatistics, 1968, ch. 11. Preston et al. 2001, ch. 4, eq. 4.8.
    """
    table, share, reason, causes = _inputs(nmx, by_cause, age, sex, total, options)
    return _decrement_frame(table, 1 - share, reason, causes, ax_deleted, words="cause deleted")


def associated_single_decrement_table(
    nmx: LifeTables | npt.ArrayLike,
    by_cause: ByCause,
    age: Iterable[object] | None = None,
    sex: Any = "total",
    *,
    total: npt.ArrayLike | None = None,
    ax_deleted: str = "chiang",
    **options: Any,
) -> pd.DataFrame:
    """The life table that would hold if each cause were the only one. Arguments and columns: `cause_deleted_life_table`.

    A cause without deaths in the open group leaves the life expectancies `not_assessable`; qx and lx are there.
    """
    table, share, reason, causes = _inputs(nmx, by_cause, age, sex, total, options)
    return _decrement_frame(table, share, reason, causes, ax_deleted, words="associated single decrement")


def gain_by_cause(
    nmx: LifeTables | npt.ArrayLike,
    by_cause: ByCause,
    age: Iterable[object] | None = None,
    sex: Any = "total",
    *,
    from_age: float | None = None,
    total: npt.ArrayLike | None = None,
    ax_deleted: str = "chiang",
    **options: Any,
) -> pd.DataFrame:
    """Years of life expectancy gained if each cause did not exist.

    from_age : at this age; None: the first of the table (usually birth). Else as `cause_deleted_life_table`.

    Returns
    -------
    One row per series and cause: [series,] cause, age, life_expectancy, life_expectancy_deleted, gain [years], method,
    status, reason. Gains of several causes do not add up: who is spared one cause can still die of another.
    """
    deleted = cause_deleted_life_table(nmx, by_cause, age, sex, total=total, ax_deleted=ax_deleted, **options)
    start = deleted["age"].min() if from_age is None else from_age
    table = table_of(nmx, age, sex, **options)
    table.place_of(start)
    rows = deleted[deleted["age"] == start].rename(
        columns={"ex_all": "life_expectancy", "ex": "life_expectancy_deleted"}
    )
    names = ["series"] if "series" in rows else []
    kept = [*names, "cause", "age", "life_expectancy", "life_expectancy_deleted", "gain", "method", "status", "reason"]
    return rows[kept].reset_index(drop=True)


def multiple_decrement_table(
    nmx: LifeTables | npt.ArrayLike,
    by_cause: ByCause,
    age: Iterable[object] | None = None,
    sex: Any = "total",
    *,
    total: npt.ArrayLike | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Deaths of the life table by cause, with every cause at work: q(i) = q D(i) / D.

    Returns
    -------
    One row per series, cause and age: [series,] cause, age, n, qx (probability of dying of the cause in the group),
    dx, lx (survivors who will die of the cause at this age or later), probability_ever (lx of the cause / lx of all),
    method, status, reason. Over causes that cover all deaths dx adds up to the dx of the life table.

    References
    ----------
    Preston, Heuveline & Guillot 2001, ch. 4, Box 4.1.
    """
    table, share, reason, causes = _inputs(nmx, by_cause, age, sex, total, options)
    share = np.moveaxis(share, 2, 1)
    dx = table.dx[:, np.newaxis, :] * share
    later = np.cumsum(dx[:, :, ::-1], axis=2)[:, :, ::-1]
    alive = np.broadcast_to(table.lx[:, np.newaxis, :], later.shape)
    ever = np.divide(later, alive, out=np.full(later.shape, np.nan), where=alive > 0)
    own = np.broadcast_to(blocking(table)[:, np.newaxis, :], later.shape)
    why = first_reason(np.moveaxis(reason, 2, 1))
    why = np.where((why == "") & np.isnan(later), first_reason(own), why)
    why = np.where((why == "") & np.isnan(later), "reason.younger_rate_missing", why)
    why = np.where((why == "") & np.isnan(ever), "reason.nobody_alive_at_age", why)
    status, why = marked(why, np.broadcast_to(modelled_from(table)[:, np.newaxis, :], later.shape))
    frame = pd.DataFrame(
        index_columns(table, causes)
        | {"qx": (table.qx[:, np.newaxis, :] * share).ravel(), "dx": dx.ravel(), "lx": later.ravel()}
        | {"probability_ever": ever.ravel()}
    )
    method = f"multiple decrement q(i) = q D(i)/D; {table.method}"
    return text_columns(frame.assign(method=method, status=status.ravel(), reason=why.ravel()))


# ---- arrays


def _inputs(
    nmx: LifeTables | npt.ArrayLike,
    by_cause: ByCause,
    age: Iterable[object] | None,
    sex: Any,
    total: npt.ArrayLike | None,
    options: dict[str, Any],
) -> tuple[LifeTables, Numbers, Words, list[Hashable]]:
    """Life tables, share of each cause (series, ages, causes), why it has none, names of the causes."""
    table = table_of(nmx, age, sex, **options)
    series, ages = table.mx.shape
    part, causes = by_cause_array(by_cause, series=series, ages=ages)
    whole = (
        _given_rates(nmx, table) if total is None else by_cause_array({"": total}, series=series, ages=ages)[0][:, :, 0]
    )
    share, reason = shares_of_causes(part, whole)
    return table, share, reason, causes


def _given_rates(nmx: LifeTables | npt.ArrayLike, table: LifeTables) -> Numbers:
    """The rates of all causes as given, also where the end of the life table is modelled."""
    if isinstance(nmx, LifeTables) or np.shape(nmx)[-1] != len(table.age):
        return table.mx
    return rates_by_series(nmx, len(table.age))[0]


def _decrement_frame(
    table: LifeTables, left: Numbers, reason: Words, causes: list[Hashable], rule: str, *, words: str
) -> pd.DataFrame:
    """Rows of the tables in which the share `left` (series, ages, causes) of the force of mortality is at work."""
    by_cause, rule = np.moveaxis(left, 2, 1), rule_word(rule)
    deleted = tables_with_share(table, by_cause, rule=rule)
    ex_all = np.repeat(table.ex, len(causes), axis=0)
    why = first_reason(np.moveaxis(reason, 2, 1)).reshape(deleted.mx.shape)
    why = np.where((why == "") & np.isnan(deleted.ex), _why_no_expectancy(table, deleted, len(causes)), why)
    status, why = marked(why, np.repeat(modelled_from(table), len(causes), axis=0))
    why = np.where(why == "", younger_gap(deleted), why)
    frame = pd.DataFrame(
        index_columns(table, causes)
        | {"share_left": by_cause.ravel()}
        | {name: getattr(deleted, name).ravel() for name in _COLUMNS}
        | {"ex_all": ex_all.ravel(), "gain": (deleted.ex - ex_all).ravel()}
    )
    method = f"{words}, Chiang p* = p^R, ax {rule}; {table.method}"
    return text_columns(frame.assign(method=method, status=status.ravel(), reason=why.ravel()))


def _why_no_expectancy(table: LifeTables, deleted: LifeTables, causes: int) -> Words:
    """The life table's own reason, or that no death is left in the open group."""
    own = first_reason(np.repeat(blocking(table), causes, axis=0))
    none_left = (deleted.mx[:, -1:] == 0) & (np.repeat(table.mx, causes, axis=0)[:, -1:] > 0)
    other = np.where(deleted.reason != "", deleted.reason, OLDER_MISSING)
    return np.where(own != "", own, np.where(none_left, "reason.no_death_left_in_open_group", other))


def tables_with_share(table: LifeTables, left: Numbers, *, rule: str = "chiang") -> LifeTables:
    """Life tables of (series x causes) in which the share `left` (series, causes, ages) of each force remains."""
    rule = rule_word(rule)
    if rule not in AX_RULES:
        raise UsageError("error.ax_deleted_unknown", value=rule, known=", ".join(AX_RULES))
    causes, ages = left.shape[1], left.shape[2]
    R = left.reshape(-1, ages)
    q, a, m = (np.repeat(part, causes, axis=0) for part in (table.qx, table.ax, table.mx))
    q_left = 1 - np.power(np.clip(1 - q, 0, 1), R)
    q_left[:, -1] = q[:, -1]
    a_left = _ax_left(q, q_left, a, R, table, rule)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        m_left = q_left / (table.n - (table.n - a_left) * q_left)
        m_left[:, -1] = m[:, -1] * R[:, -1]
        a_left[:, -1] = np.where(R[:, -1] > 0, a[:, -1] / R[:, -1], np.nan)
    sex = np.repeat(table.sex, causes)
    made = complete_table(m_left, a_left, table.age, table.n, sex, method=table.method, radix=table.radix)
    return replace(made, names=None)


def _ax_left(q: Numbers, q_left: Numbers, a: Numbers, R: Numbers, table: LifeTables, rule: str) -> Numbers:
    """Years lived in each closed group by those who die in it when the share R of the force remains."""
    if rule == "same":
        return a.copy()
    if rule == "constant_hazard":
        return _constant_hazard(q_left, table.n)
    n = np.where(np.isfinite(table.n), table.n, 0.0)
    some = q_left > 0
    ratio = np.divide(q, q_left, out=np.ones_like(q), where=some)
    chiang = np.where(some, n + R * ratio * (a - n), a)
    return chiang if rule == "chiang" else _parabola(q_left, table.age, table.n, chiang)


def _constant_hazard(q: Numbers, n: Numbers) -> Numbers:
    """a = 1/m - n p / q with m = -ln(p) / n; half the group where nobody dies, 0 where all do."""
    with np.errstate(divide="ignore", invalid="ignore"):
        m = -np.log1p(-q) / n
        a = np.where(q < 1, 1 / m - n * (1 - q) / q, 0.0)
    return np.where(q > 1e-12, a, n / 2)


def _parabola(q: Numbers, age: Numbers, n: Numbers, otherwise: Numbers) -> Numbers:
    """a = n/2 + n/24 (d[x+n] - d[x-n]) / d[x] from 10 years on, between groups of the same width, the last closed excepted."""
    lx = np.cumprod(np.concatenate([np.ones((len(q), 1)), 1 - q[:, :-1]], axis=1), axis=1)
    d = lx * q
    width = n[1:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        shaped = width / 2 + width / 24 * (d[:, 2:] - d[:, :-2]) / d[:, 1:-1]
    same = (n[:-2] == width) & (n[2:] == width) & (age[1:-1] >= 10) & (width > 1)
    fits = same & np.isfinite(shaped) & (shaped > 0) & (shaped < width)
    out = otherwise.copy()
    out[:, 1:-1] = np.where(fits, shaped, otherwise[:, 1:-1])
    return out
