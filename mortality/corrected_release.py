"""Release tables of estimates: causes after redistribution of garbage codes, rates corrected for deaths never registered.

They stand beside what was registered, never in its place: every row has both figures, and the names say which is which.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mortality.measure_release import deaths_at_levels, large_units
from mortality.release_tables import AGE_BANDS
from tkyt_analysis.reference.ages import age_group
from tkyt_analysis.warehouse.release import NATION, ReleaseContext

if TYPE_CHECKING:
    from mortality.measures.redistribution import DeathArray, Redistributed
    from mortality.measures.redistribution_table import Rows

CAUSE_LIST = "who_mortality_list_1"
DRAWS, SEED = 200, 20260101
REDISTRIBUTED_COLUMNS = [
    "unit_id", "period_id", "sex", "cause_list", "cause", "deaths_registered", "deaths_redistributed", "lower", "upper",
    "moved_in", "moved_out", "left", "method", "status", "reason",
]  # fmt: skip
_FIGURES = ["deaths_registered", "deaths_redistributed", "lower", "upper", "moved_in", "moved_out", "left"]


def cause_redistributed(context: ReleaseContext) -> pd.DataFrame:
    """Deaths by cause as registered and after redistribution of garbage codes, per province (and nation), year and sex.

    Causes withheld by law count as deaths without a code, as everywhere in the release. lower and upper hold what is not known of
    the shares, not chance in the number of deaths.
    """
    deaths = province_deaths(context)
    if deaths.empty:
        return pd.DataFrame(columns=[*REDISTRIBUTED_COLUMNS, "scope"]).astype("str")
    rows = redistributed_causes(deaths)
    return context.add_scope(rows[REDISTRIBUTED_COLUMNS])


def province_deaths(context: ReleaseContext) -> pd.DataFrame:
    """The counted deaths of provinces: unit_id, year, sex, age_group, released_cause."""
    rows = large_units(deaths_at_levels(context))
    rows = rows[rows["unit_id"] != NATION]
    return rows.assign(age_group=age_group(rows["age_years"], AGE_BANDS))


def redistributed_causes(deaths: pd.DataFrame, *, draws: int = DRAWS, seed: int = SEED) -> pd.DataFrame:
    """REDISTRIBUTED_COLUMNS from deaths (unit_id of provinces, year, sex, age_group, released_cause)."""
    from mortality.measures.redistribution import DEFAULT_PACKAGES, death_array, redistribute_counts

    array = death_array(deaths, DEFAULT_PACKAGES, by=["unit_id", "year"], code="released_cause", cause_list=CAUSE_LIST)
    array = replace(array, places=array.places.assign(nation=NATION))
    found = redistribute_counts(array.counts, array.rules)
    units = ["unit_id"] if len(set(array.places["unit_id"])) == 1 else ["unit_id", "nation"]
    wanted = [[unit, "year", *sex] for unit in units for sex in (["sex"], [])]
    tables = _tables(found, array, wanted, draws=draws, seed=seed)
    rows = pd.concat([_named(table) for table in tables], ignore_index=True)
    rows = rows[rows["sex"].isin(["male", "female", "total"])]
    return rows.assign(cause_list=CAUSE_LIST, **{name: rows[name].round(6) for name in _FIGURES}).sort_values(
        ["unit_id", "period_id", "sex", "cause"], ignore_index=True
    )


def _tables(
    found: Redistributed, array: DeathArray, wanted: list[list[str]], *, draws: int, seed: int
) -> list[pd.DataFrame]:
    """A table of results for every grouping, all from the same draws."""
    from mortality.measures.redistribution import iterate_redistribution_draws
    from mortality.measures.redistribution_table import result_rows

    rows = [result_rows(found, array, by=by, sex="sex", age="age_group") for by in wanted]
    drawn: list[list[np.ndarray]] = [[] for _ in rows]
    for piece in iterate_redistribution_draws(array.counts, array.rules, draws=draws, seed=seed):
        for number, one in enumerate(rows):
            drawn[number].append(one.draws(piece))
    return [_with_limits(found, array, one, np.concatenate(values)) for one, values in zip(rows, drawn, strict=True)]


def _with_limits(found: Redistributed, array: DeathArray, rows: Rows, drawn: np.ndarray) -> pd.DataFrame:
    from mortality.measures.redistribution_table import result_table

    lower, upper = np.quantile(drawn, [0.025, 0.975], axis=0)
    return result_table(found, array, rows).assign(lower=lower, upper=upper)


def _named(table: pd.DataFrame) -> pd.DataFrame:
    named = table.rename(columns={"nation": "unit_id", "before": "deaths_registered", "after": "deaths_redistributed"})
    year = named["year"].astype(int).astype("str")
    return named.assign(period_id=year, sex=named.get("sex", "total"))
