"""Quantiles: units ranked by a value and cut into equal numbers, within each group."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import numpy as np
import pandas as pd

from tkyt_analysis.analysis.groups import column, group_sum, groups, names_of, require_columns
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK
from tkyt_analysis.errors import UsageError


def assign_quantiles(
    units: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    value: str = "value",
    quantiles: int = 10,
    highest_first: bool | str = True,
) -> pd.DataFrame:
    """The quantile of each unit (commune, district) among the units of its group, by a value such as a poverty rate.

    Ties share the better rank, so equal values never fall apart (PHE/OHID, Assigning deprivation quintiles).

    Parameters
    ----------
    units : one row per unit, with `by` and the column `value`
    by : quantiles are assigned within each of these groups (province); none: among all units
    quantiles : 10 for deciles, 5 for quintiles
    highest_first : whether quantile 1 has the highest values; or the column that says so for each group

    Returns
    -------
    `units` in the given order with quantile (whole numbers from 1; missing where not assessable), quantiles, status, reason:
    units without a value say so. A group with fewer units than quantiles leaves some quantiles empty.
    """
    if not isinstance(quantiles, Integral) or quantiles < 1:
        raise UsageError("error.quantiles_number", value=quantiles)
    by = names_of(by)
    require_columns(units, [*by, value, *([highest_first] if isinstance(highest_first, str) else [])])
    group, keys = groups(units, by)
    x = column(units, value)
    known = np.isfinite(x)
    turn = units[highest_first].to_numpy(bool) if isinstance(highest_first, str) else np.full(len(x), highest_first)
    ordered = pd.Series(np.where(known, np.where(turn, -x, x), np.nan))
    rank = ordered.groupby(group).rank(method="min").to_numpy(dtype=float)
    n = group_sum(known, group, len(keys))[group]
    with np.errstate(divide="ignore", invalid="ignore"):
        # The guide counts from the far end: the last unit closes the last quantile. Rounding keeps k·n/n whole.
        number = np.floor(quantiles + 1 - np.ceil(np.round((n + 1 - rank) / (n / quantiles), 9)))
    reason = np.where(known, "", "reason.no_value")
    found = pd.Series(np.where(known, np.maximum(number, 1), np.nan), units.index).astype("Int64")
    status = np.where(reason == "", OK, NOT_ASSESSABLE)
    return units.assign(
        quantile=found,
        quantiles=quantiles,
        status=pd.Series(status, units.index, dtype="str"),
        reason=pd.Series(reason, units.index, dtype="str"),
    )
