"""What units explained and somebody accepted, as context for the checks: "not an error, there was a campaign"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.quality.cases.table import TIMELINES, states_of

if TYPE_CHECKING:
    from tkyt_analysis.quality.context import CheckContext

COLUMNS = ["dataset_id", "unit_id", "period_id", "element_id", "category_id", "value", "explanation", "finding_id"]
_SAID = """
    SELECT c.finding_id, c.dataset_id, c.unit_id, c.period_id, c.element_id, c.category_id, e.value, e.explanation
    FROM (SELECT DISTINCT finding_id, dataset_id, unit_id, period_id, element_id, category_id FROM finding_change) c JOIN (
        SELECT finding_id, arg_max_null(value, event_number) AS value,
               coalesce(arg_max(CAST(explanation AS VARCHAR), event_number) FILTER (CAST(explanation AS VARCHAR) <> ''), '') AS explanation
        FROM case_event WHERE event IN ('accepted', 'explained') GROUP BY 1) e USING (finding_id)
"""


def accepted_values(context: CheckContext) -> pd.DataFrame:
    """One row per accepted explanation of one cell: COLUMNS; empty where nothing was accepted.

    It speaks of the cell only while its value is still `value`: a check compares before it believes. `explanation` is a
    key of `explanation.<key>` (campaign, shock …), "" where none was named.
    """
    if not context.has("case_event", "finding_change"):
        return pd.DataFrame(columns=COLUMNS)
    timeline = context.query(TIMELINES.replace("lake.", ""))
    states = states_of(timeline)
    accepted = states.loc[states["state"] == "accepted", "finding_id"]
    said = context.query(_SAID)
    kept = said[said["finding_id"].isin(accepted) & said["element_id"].fillna("").ne("")]
    return kept[COLUMNS].sort_values("finding_id", ignore_index=True)
