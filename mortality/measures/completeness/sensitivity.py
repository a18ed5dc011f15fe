"""What each range of ages gives: the data of the age-range picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mortality.measures.completeness.age_ranges import HIGHEST_AGE, LOWEST_AGE, MINIMUM_AGES, ends
from mortality.measures.completeness.extinct_fit import extinct_fit
from mortality.measures.completeness.growth_balance import balance_fit
from mortality.measures.completeness.series import AgeSeries, Table, read_series
from tkyt_analysis.errors import UsageError

METHODS = ("ggb", "seg", "ggb_seg")


def age_range_estimates(
    data: Table,
    *,
    method: str = "ggb",
    by: str | Sequence[str] | None = None,
    lowest_age: float = LOWEST_AGE,
    highest_age: float = HIGHEST_AGE,
    minimum_ages: int = MINIMUM_AGES,
    **options: Any,
) -> pd.DataFrame:
    """Completeness from every range of ages: what names the series, lowest_age, highest_age, ages, completeness, misfit, chosen.

    method : "ggb", "seg" or "ggb_seg" (its growth balance with the ages that fit best); options : see `balance_fit` (fit,
        choose) and `extinct_fit` (compare, estimate)
    misfit : 1 − r² for ggb, the spread over ages for the others
    """
    if method not in METHODS:
        raise UsageError("error.completeness_option", option="method", found=method, expected=", ".join(METHODS))
    search = {"lowest": lowest_age, "highest": highest_age, "minimum": minimum_ages}
    tables = [_estimates(series, method, search, options) for series in read_series(data, by=by)]
    return pd.concat(tables, ignore_index=True)


def _estimates(series: AgeSeries, method: str, search: dict, options: dict) -> pd.DataFrame:
    of_balance = {name: options[name] for name in ("fit", "choose", "birthdays") if name in options}
    of_extinct = {name: options[name] for name in ("compare", "estimate") if name in options}
    if method == "ggb":
        line = balance_fit(series, **search, **of_balance)
        masks, values, worse, reason, best = line.masks, line.completeness, 1 - line.r2, line.reason, line.chosen
    else:
        series = series.with_oldest()
        error = None
        if method == "ggb_seg":
            balance = balance_fit(series, **search, **of_balance)
            error = balance.intercept[np.arange(len(balance.chosen)), balance.chosen]
        found = extinct_fit(
            series, open_age=np.full(len(series.keys), np.nan), growth_error=error, **search, **of_extinct
        )
        masks, values, worse, reason, best = found.masks, found.completeness, found.rmse, found.reason, found.chosen
    low_age, high_age = ends(series.age, masks)
    number, ranges = len(series.keys), len(masks)
    rows = series.keys.loc[series.keys.index.repeat(ranges)].reset_index(drop=True)
    chosen = np.arange(ranges)[None, :] == best[:, None]
    rows = rows.assign(
        lowest_age=np.tile(low_age, number),
        highest_age=np.tile(high_age, number),
        ages=np.tile(masks.sum(axis=1), number),
        completeness=values.ravel(),
        misfit=worse.ravel(),
        chosen=chosen.ravel(),
    )
    return rows[np.repeat(reason == "", ranges)].reset_index(drop=True)
