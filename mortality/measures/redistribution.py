"""Redistribution of garbage codes: before and after, by place, sex, age and cause.

`redistribute` works on a table of deaths, `redistribute_counts` and `redistribution_draws` on arrays. What is divided among
what stands in the catalog (`data_catalog/redistribution/`), dated, with its literature. Nothing is recoded: the deaths keep
their codes, the counts after redistribution are an estimate beside them.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mortality.measures.redistribution_core import (
    BORROW,
    MINIMUM,
    SPREAD,
    Redistributed,
    iterate_redistribution_draws,
    redistribute_counts,
    redistribution_draws,
    redistribution_matrix,
)
from mortality.measures.redistribution_rules import (
    DEFAULT_GARBAGE,
    DEFAULT_PACKAGES,
    RedistributionRules,
    load_packages,
    redistribution_rules,
)
from mortality.measures.redistribution_table import DeathArray, death_array, limits, result_rows, result_table
from tkyt_analysis.analysis.groups import names_of
from tkyt_analysis.catalog.redistribution import Redistribution

__all__ = [
    "BORROW", "DEFAULT_PACKAGES", "MINIMUM", "SPREAD", "DeathArray", "Redistributed", "RedistributionRules", "death_array",
    "iterate_redistribution_draws", "load_packages", "redistribute", "redistribute_counts", "redistribution_draws",
    "redistribution_matrix", "redistribution_rules",
]  # fmt: skip

SEED = 20260101


def redistribute(
    deaths: pd.DataFrame,
    packages: str | Redistribution = DEFAULT_PACKAGES,
    *,
    by: str | Sequence[str] = (),
    code: str = "underlying_cause",
    sex: str = "sex",
    age: str = "age_group",
    deaths_column: str | None = None,
    cause_list: str | None = None,
    within: Sequence[str] = (),
    parents: Sequence[str] = (),
    method: str | None = None,
    minimum: float = MINIMUM,
    borrow: Sequence[str] = BORROW,
    garbage: str | None = DEFAULT_GARBAGE,
    draws: int = 0,
    spread: float = SPREAD,
    seed: int = SEED,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Deaths by cause before and after redistribution of garbage codes.

    Parameters
    ----------
    deaths : one row per death, or per group of deaths with their number in `deaths_column`; ICD-10 `code` ("" or missing: none)
    by : the columns that name a row of the result; may hold `sex` and `age`. The work is always done within every
        combination of `by`, `within`, `sex` and `age` (a column that the table lacks counts as both sexes, all ages)
    cause_list : the list whose items the result is told by (such as "who_mortality_list_1"); None: single codes
    within : further columns to work within, which the result is summed over (the province, for a national table)
    parents : columns of wider groups of places from which thin cells borrow, the nearest first (province of each commune)
    method : proportional | regression for every package without fixed weights; None: as each package says
    minimum, borrow, draws, spread, seed : see `redistribute_counts` and `redistribution_draws`

    Returns
    -------
    `by`, cause, before, after, moved_in, moved_out, left (garbage that stays), [lower, upper with draws,] method, status,
    reason; one row per `by` and cause with deaths before or after. Sums over causes are the same before and after. status:
    ok (nothing moved) | modelled | not_assessable (only garbage that stays; `reason` says why). lower and upper hold the
    uncertainty of the redistribution, not that of the number of deaths.
    """
    by = names_of(by)
    own = list(by)
    places = [name for name in dict.fromkeys([*own, *within, *parents]) if name not in (sex, age)]
    array = death_array(
        deaths, packages, by=places, code=code, sex=sex, age=age, deaths_column=deaths_column,
        cause_list=cause_list, method=method, garbage=garbage,
    )  # fmt: skip
    wider = [array.places[name].to_numpy() for name in parents]
    found = redistribute_counts(array.counts, array.rules, parents=wider, minimum=minimum, borrow=borrow)
    rows = result_rows(found, array, by=own, sex=sex, age=age)
    table = result_table(found, array, rows)
    if draws and len(table):
        pieces = iterate_redistribution_draws(
            array.counts,
            array.rules,
            draws=draws,
            seed=seed,
            parents=wider,
            minimum=minimum,
            borrow=borrow,
            spread=spread,
        )
        drawn = limits(pieces, rows, confidence)
        for place, (name, values) in enumerate(drawn.items()):
            table.insert(table.columns.get_loc("left") + 1 + place, name, values)
    return table
