"""Two sets of life tables and of rates by cause, one to one; life expectancy as a function of rates."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mortality.measures.decomposition_general import Function, line_slopes
from mortality.measures.decrement_inputs import TOLERANCE, ByCause, by_cause_array, table_of
from mortality.measures.life_table import LifeTables, life_tables
from mortality.measures.life_table_inputs import Numbers, rates_by_series
from tkyt_analysis.errors import InputError

OTHER = "other_causes"  # what the given causes leave of all causes
Rates = LifeTables | npt.ArrayLike


@dataclass(frozen=True)
class CauseRates:
    """Rates by cause of both populations (series, ages, causes), and the causes' names."""

    first: Numbers
    second: Numbers
    names: list[Hashable]


def pair_of_tables(
    nmx_1: Rates, nmx_2: Rates, age: Iterable[object] | None, sex: Any, sex_2: Any, options: dict[str, Any]
) -> tuple[LifeTables, LifeTables]:
    """The life tables of both populations; mx are the rates as given, also where the end of the table is modelled."""
    groups = None if age is None else list(age)
    first = _with_given_rates(table_of(nmx_1, groups, sex, **options), nmx_1)
    second = _with_given_rates(table_of(nmx_2, groups, sex if sex_2 is None else sex_2, **options), nmx_2)
    if first.mx.shape != second.mx.shape or not (first.age == second.age).all():
        found = " / ".join(f"{len(table)} × {len(table.age)}" for table in (first, second))
        raise InputError("error.life_decomposition_pair", found=found)
    return first, second


def _with_given_rates(table: LifeTables, nmx: Rates) -> LifeTables:
    if isinstance(nmx, LifeTables) or rates_shape(nmx) != len(table.age):
        return table
    rates, _ = rates_by_series(nmx, len(table.age))
    return replace(table, mx=np.where((rates >= 0) & np.isfinite(rates), rates, table.mx))


def rates_shape(nmx: npt.ArrayLike) -> int:
    """How many ages the rates have."""
    return int(np.shape(nmx)[-1])


def cause_rates(
    first: LifeTables, second: LifeTables, causes_1: ByCause | None, causes_2: ByCause | None
) -> CauseRates:
    """The rates by cause of both, with what the given causes leave of all causes as one more."""
    if causes_1 is None or causes_2 is None:
        raise InputError("error.decomposition_causes_of_both")
    series, ages = first.mx.shape
    one, names = by_cause_array(causes_1, series=series, ages=ages)
    two, others = by_cause_array(causes_2, series=series, ages=ages)
    if names != others:
        words = [", ".join(map(str, found)) for found in (names, others)]
        raise InputError("error.decomposition_causes_differ", first=words[0], second=words[1])
    one, two = (np.where(part >= 0, part, np.nan) for part in (one, two))
    rest_1, rest_2 = _rest(first, one), _rest(second, two)
    if not (np.any(rest_1) or np.any(rest_2)):
        return CauseRates(one, two, names)
    one, two = (np.concatenate(pair, axis=2) for pair in ((one, rest_1), (two, rest_2)))
    return CauseRates(one, two, [*names, OTHER])


def _rest(table: LifeTables, parts: Numbers) -> Numbers:
    """All causes less the given ones (series, ages, 1): 0 within rounding; InputError where they exceed all causes."""
    left = table.mx - parts.sum(axis=2)
    rounding = TOLERANCE * np.nan_to_num(table.mx) + 1e-15
    over = left < -rounding
    if over.any():
        at = float(np.broadcast_to(table.age, over.shape)[over][0])
        raise InputError("error.decomposition_causes_exceed", age=f"{at:g}", groups=int(over.sum()))
    return np.where(np.abs(left) <= rounding, 0.0, left)[:, :, np.newaxis]


def rate_slopes(first: LifeTables, second: LifeTables, steps: int, options: dict[str, Any]) -> Numbers:
    """Slope of life expectancy by each age's all-cause rate along the line; the same for every cause of death."""
    return line_slopes(expectancy_function(first, options, 1), first.mx, second.mx, steps=steps)


def expectancy_function(table: LifeTables, options: dict[str, Any], causes: int) -> Function:
    """Life expectancy at the first age as a function of rates (k, causes x ages), with the table's sexes and options."""
    given = options.get("ax")
    if given is not None and not isinstance(given, str) and np.ndim(given) > 1:
        raise InputError("error.decomposition_ax_by_series")

    def value(rates: Numbers, number: npt.NDArray[np.intp]) -> Numbers:
        nmx = rates.reshape(len(rates), causes, -1).sum(axis=1)
        return life_tables(nmx, table.age, table.sex[number], **options).ex[:, 0]

    return value
