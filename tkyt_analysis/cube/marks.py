"""Quality marks of figures: reports due and received behind them, open questions about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tkyt_analysis.cube.facts import Fact, Sums, quoted
from tkyt_analysis.cube.model import PERIODS, PLACES, Measure, View
from tkyt_analysis.cube.plan import Grouping, grouped_sql, source_of

if TYPE_CHECKING:
    from tkyt_analysis.cube.session import Cube


def add_marks(cube: Cube, measure: Measure, view: View, groupings: list[Grouping], rows: pd.DataFrame) -> pd.DataFrame:
    """expected, received and findings of every row, by the places and periods that it stands for."""
    rows = rows.assign(expected=np.nan, received=np.nan, findings=0.0)
    if not measure.dataset:
        return rows
    for column in ("expected", "received"):
        fact_id = f"report:{measure.dataset}:{column}"
        if f"{measure.dataset}:reporting_rate" in cube.measures:
            rows = _marked(cube, cube.fact(fact_id), view, groupings, rows, column)
    if cube.release.has("finding"):
        rows = _marked(cube, _finding_fact(cube, measure), view, groupings, rows, "findings")
        rows["findings"] = rows["findings"].fillna(0.0)
    return rows


def _finding_fact(cube: Cube, measure: Measure) -> Fact:
    where = f"dataset_id = {quoted(measure.dataset)}"
    element = cube.fact(measure.numerator).element
    if element:
        where += f" AND (element_id = {quoted(element)} OR coalesce(element_id, '') = '')"
    sums = f"SELECT province, province_2024, facility_type, period_id, scope, findings AS amount FROM province_finding WHERE {where}"
    fact = Fact(
        id=f"finding:{measure.id}",
        sql=f"SELECT unit_id, period_id, scope, 1 AS amount FROM finding WHERE {where}",
        sums=(Sums("province_finding", sums),),
    )
    return cube.offered(fact)


def _marked(
    cube: Cube, fact: Fact, view: View, groupings: list[Grouping], rows: pd.DataFrame, column: str
) -> pd.DataFrame:
    own = View(view.measures, view.by, view.place, view.geography, view.period, _of_places(view), view.cause_list)
    shared = [name for name in view.by if name in PLACES or name in PERIODS]
    source = source_of(cube, fact, own, shared)
    shared = [name for name in shared if name in source.expressions]
    sets = list(dict.fromkeys(tuple(name for name in one if name in shared) for one in groupings))
    counted = cube.query(grouped_sql(source, shared, sets))[[*shared, "amount"]]
    if not shared:
        return rows.assign(**{column: counted["amount"].iloc[0] if len(counted) else np.nan})
    merged = rows.drop(columns=column).merge(counted, on=shared, how="left", validate="many_to_one")
    return merged.rename(columns={"amount": column})


def _of_places(view: View) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((name, members) for name, members in view.where if name in PLACES or name in PERIODS)
