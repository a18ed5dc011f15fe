"""Which ages and causes make the difference between two life expectancies; many pairs of populations in one call.

`arriaga_decomposition` splits each age's part into direct, indirect and interaction effects; `horiuchi_decomposition` follows
the rates along a straight line; `stepwise_decomposition` replaces them one after another. Parts add up to e2 - e1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.decomposition_arriaga import RATES_EQUAL, arriaga_effects, arriaga_shares, filled_by_horiuchi
from mortality.measures.decomposition_general import stepwise
from mortality.measures.decomposition_inputs import (
    Rates,
    cause_rates,
    expectancy_function,
    pair_of_tables,
    rate_slopes,
)
from mortality.measures.decomposition_sensitivity import sensitivity_decomposition
from mortality.measures.decomposition_tables import age_frame, cause_frame, general_frame, no_remarks, plain_frame
from mortality.measures.decrement_inputs import ByCause, status_of
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

ORDERS = ("forward", "backward", "symmetric")
EQUAL_RATES = ("horiuchi", "missing")


def arriaga_decomposition(
    nmx_1: Rates,
    nmx_2: Rates,
    age: Iterable[object] | None = None,
    sex: Any = "total",
    *,
    sex_2: Any = None,
    causes_1: ByCause | None = None,
    causes_2: ByCause | None = None,
    order: str = "forward",
    equal_rates: str = "horiuchi",
    steps: int = 20,
    **options: Any,
) -> pd.DataFrame:
    """Arriaga's decomposition of e2 - e1 by age, or by age and cause.

    Parameters
    ----------
    nmx_1, nmx_2 : all-cause death rates of the two populations as in `life_tables` (one to one by series), or LifeTables
    age, sex, options : as in `life_tables` (ax, a0, closeout, radix); `sex_2` where the second population has another
    causes_1, causes_2 : rates by cause (`by_cause_array`); what they leave of all causes becomes "other_causes"
    order : "forward" (from 1 to 2), "backward" (from 2 to 1, sign turned), "symmetric" (mean of both)
    equal_rates : for ages where the all-cause rates are the same, so that a cause has no share of their difference:
        "horiuchi" takes Horiuchi's parts there (status modelled), "missing" leaves them out (not assessable)
    steps : of Horiuchi's parts

    Returns
    -------
    By age: [series,] age, n, mx_1, mx_2, direct, indirect, interaction, contribution [years], method, status, reason.
    By cause: [series,] cause, age, n, mx_1, mx_2, contribution, method, status, reason. Status ok with the reason
    `reason.decomposition_rates_close` marks shares that are unstable: the causes move much, their sum hardly.
    The contributions of a series add up to e2 - e1 at the first age; those of the causes to their age's.

    References
    ----------
    Arriaga, Demography 1984;21:83-96. Preston, Heuveline & Guillot 2001, ch. 3.10 and 4.
    """
    order = option_word(order, ORDERS, {"sym": "symmetric", "both": "symmetric"})
    if order not in ORDERS:
        raise UsageError("error.decomposition_order", value=order, known=", ".join(ORDERS))
    if equal_rates not in EQUAL_RATES:
        raise UsageError("error.decomposition_equal_rates", value=equal_rates, known=", ".join(EQUAL_RATES))
    first, second = pair_of_tables(nmx_1, nmx_2, age, sex, sex_2, options)
    effects = arriaga_effects(first, second, order)
    method = f"Arriaga, {order}; {first.method}"
    if causes_1 is None and causes_2 is None:
        return age_frame(first, second, effects, method)
    parts = cause_rates(first, second, causes_1, causes_2)
    shares, why = arriaga_shares(first, second, parts, effects.sum(axis=0))
    status = status_of(np.where(why == RATES_EQUAL, why, ""))
    if equal_rates == "horiuchi" and (why == RATES_EQUAL).any():
        slope = rate_slopes(first, second, steps, options)
        shares, status = filled_by_horiuchi(shares, status, why, slope, parts, effects.sum(axis=0))
    return cause_frame(first, second, parts, shares, method, status, why)


def horiuchi_decomposition(
    nmx_1: npt.ArrayLike,
    nmx_2: npt.ArrayLike,
    age: Iterable[object],
    sex: Any = "total",
    *,
    causes_1: ByCause | None = None,
    causes_2: ByCause | None = None,
    steps: int = 20,
    **options: Any,
) -> pd.DataFrame:
    """Horiuchi, Wilmoth & Pletcher's decomposition along the straight line between the two sets of rates.

    steps : pieces of the line; the sum misses e2 - e1 by an error that falls with its square (column `residual`)
    Other arguments and columns as `arriaga_decomposition` (by age without the three effects), and residual [years]: what
    the series' parts leave of e2 - e1. Equal all-cause rates are no trouble.
    """
    first, second = pair_of_tables(nmx_1, nmx_2, age, sex, None, options)
    slope = rate_slopes(first, second, steps, options)
    method = f"Horiuchi, {steps} steps; {first.method}"
    return general_frame(first, second, slope, causes_1, causes_2, method)


def stepwise_decomposition(
    nmx_1: npt.ArrayLike,
    nmx_2: npt.ArrayLike,
    age: Iterable[object],
    sex: Any = "total",
    *,
    causes_1: ByCause | None = None,
    causes_2: ByCause | None = None,
    direction: str = "both",
    symmetric: bool = True,
    **options: Any,
) -> pd.DataFrame:
    """Stepwise replacement of the rates, age by age (and within a cause first, where causes are given).

    direction : "up" (youngest first), "down", "both"; symmetric : mean of replacing 1 by 2 and 2 by 1
    Other arguments and columns as `arriaga_decomposition` (without the three effects). With causes the parts depend on the
    order in which the causes stand; Horiuchi's do not.
    """
    first, second = pair_of_tables(nmx_1, nmx_2, age, sex, None, options)
    method = f"stepwise, direction {direction}{', symmetric' if symmetric else ''}; {first.method}"
    if causes_1 is None and causes_2 is None:
        function = expectancy_function(first, options, 1)
        values = stepwise(function, first.mx, second.mx, direction=direction, symmetric=symmetric)
        return plain_frame(first, second, values, method)
    parts = cause_rates(first, second, causes_1, causes_2)
    series, ages, causes = parts.first.shape
    flat = [np.moveaxis(side, 2, 1).reshape(series, -1) for side in (parts.first, parts.second)]
    function = expectancy_function(first, options, causes)
    values = stepwise(function, flat[0], flat[1], direction=direction, symmetric=symmetric)
    by_cause = np.moveaxis(values.reshape(series, causes, ages), 1, 2)
    return cause_frame(first, second, parts, by_cause, method, *no_remarks(by_cause))


METHODS: dict[str, tuple[Callable[..., pd.DataFrame], dict[str, Any]]] = {
    "arriaga": (arriaga_decomposition, {"order": "forward"}),
    "arriaga_sym": (arriaga_decomposition, {"order": "symmetric"}),
    "andreev": (arriaga_decomposition, {"order": "forward"}),
    "andreev_sym": (arriaga_decomposition, {"order": "symmetric"}),
    "lopez_ruzicka": (arriaga_decomposition, {"order": "forward"}),
    "lopez_ruzicka_sym": (arriaga_decomposition, {"order": "symmetric"}),
    "chandrasekaran_ii": (arriaga_decomposition, {"order": "symmetric"}),
    "chandrasekaran_iii": (arriaga_decomposition, {"order": "symmetric"}),
    "numerical": (sensitivity_decomposition, {"slope": "numerical"}),
    "lifetable": (sensitivity_decomposition, {"slope": "lifetable"}),
    "horiuchi": (horiuchi_decomposition, {}),
    "stepwise": (stepwise_decomposition, {}),
}
_OTHER_METHODS = {
    "arriaga_symmetric": "arriaga_sym", "symmetric": "arriaga_sym", "lopez": "lopez_ruzicka", "sen_num": "numerical",
    "sensitivity": "lifetable", "integral": "horiuchi", "line_integral": "horiuchi", "step_wise": "stepwise",
    "chandrasekaran_2": "chandrasekaran_ii", "chandrasekaran_3": "chandrasekaran_iii",
}  # fmt: skip


def decompose_life_expectancy(
    nmx_1: Any, nmx_2: Any, age: Iterable[object], sex: Any = "total", *, method: str = "arriaga", **options: Any
) -> pd.DataFrame:
    """A decomposition by its name (`METHODS`).

    Andreev's, Lopez & Ruzicka's and Chandrasekaran's are Arriaga's, algebraically; those that weigh with the survivors of
    the second population (demor's decomp) are Arriaga's with order "backward".
    """
    method = option_word(method, METHODS, _OTHER_METHODS)
    if method not in METHODS:
        raise UsageError("error.life_decomposition_method", value=method, known=", ".join(METHODS))
    function, named = METHODS[method]
    table: pd.DataFrame = function(nmx_1, nmx_2, age, sex, **(named | options))
    return table.assign(method=table["method"].map(lambda words: f"{method}: {words}"))
