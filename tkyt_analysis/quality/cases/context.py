"""What units explained and somebody accepted, as context for the checks: "not an error, there was a campaign"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.quality.cases.states import Event, case_state

if TYPE_CHECKING:
    from tkyt_analysis.quality.context import CheckContext

COLUMNS = ["dataset_id", "unit_id", "period_id", "element_id", "category_id", "value", "explanation", "finding_id"]
_TIMELINE = """
    SELECT finding_id, event_at AS moment, 1 AS half, event_number AS number, event, value, coalesce(answer, '') AS answer
    FROM case_event
    UNION ALL BY NAME
    SELECT finding_id, run_at, 0, run_number, change AS event, value, '' AS answer
    FROM finding_change WHERE finding_id IN (SELECT finding_id FROM case_event) ORDER BY finding_id, moment, half, number
"""
_SAID = """
    SELECT c.finding_id, c.dataset_id, c.unit_id, c.period_id, c.element_id, c.category_id, e.value, e.explanation
    FROM (SELECT DISTINCT finding_id, dataset_id, unit_id, period_id, element_id, category_id FROM finding_change) c JOIN (
        SELECT finding_id, arg_max_null(value, event_number) AS value,
               coalesce(arg_max(explanation, event_number) FILTER (explanation <> ''), '') AS explanation
        FROM case_event WHERE event IN ('accepted', 'explained') GROUP BY 1) e USING (finding_id)
"""


def accepted_values(context: CheckContext) -> pd.DataFrame:
    """One row per accepted explanation of one cell: COLUMNS; empty where nothing was accepted.

    It speaks of the cell only while its value is still `value`: a check compares before it believes. `explanation` is a
    key of `explanation.<key>` (campaign, shock …), "" where none was named.
    """
    if not context.has("case_event", "finding_change"):
        return pd.DataFrame(columns=COLUMNS)
    timeline = context.query(_TIMELINE)
    accepted = [
        finding
        for finding, part in timeline.groupby("finding_id")
        if case_state(Event(one.event, one.value, one.answer) for one in part.itertuples()) == "accepted"
    ]
    said = context.query(_SAID)
    kept = said[said["finding_id"].isin(accepted) & said["element_id"].fillna("").ne("")]
    return kept[COLUMNS].sort_values("finding_id", ignore_index=True)
