"""All cases as a table: what was found, its state, and what was last said about it."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.quality.cases.states import Event, case_state

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.lake import Warehouse

# What the checks alone say of each finding ever seen.
FOUND = """
    SELECT c.finding_id, any_value(c.rule_id) AS rule_id, any_value(c.rule_version) AS rule_version,
        arg_max(c.severity, c.run_number) AS severity, arg_max(c.verdict, c.run_number) AS verdict,
        any_value(c.dataset_id) AS dataset_id,
        any_value(c.unit_id) AS unit_id, any_value(c.period_id) AS period_id,
        any_value(c.element_id) AS element_id, any_value(c.category_id) AS category_id,
        arg_max_null(c.value, c.run_number) AS value, min(c.run_at) AS first_seen_at, max(c.run_at) AS changed_at,
        arg_max(c.change, c.run_number) AS last_change,
        CASE WHEN arg_max(c.change, c.run_number) = 'gone' THEN 'mended'
             WHEN arg_max(c.change, c.run_number) = 'superseded' THEN 'superseded'
             WHEN bool_or(c.change = 'back') THEN 'reopened' ELSE 'open' END AS found_state
    FROM lake.finding_change c GROUP BY c.finding_id
"""
# Both halves of the timelines of the cases that somebody did something about.
TIMELINES = """
    SELECT finding_id, event_at AS moment, 1 AS half, event_number AS number, event, value,
           coalesce(CAST(answer AS VARCHAR), '') AS answer FROM lake.case_event
    UNION ALL BY NAME
    SELECT finding_id, run_at AS moment, 0 AS half, run_number AS number, change AS event, value, '' AS answer
    FROM lake.finding_change WHERE finding_id IN (SELECT finding_id FROM lake.case_event)
    ORDER BY finding_id, moment, half, number
"""
# What was last said about each; words stay in the warehouse.
SAID = """
    SELECT finding_id,
        arg_max(answer, moment) FILTER (event = 'explained') AS answer,
        arg_max(reported_value, moment) FILTER (event = 'explained' AND answer = 'wrong') AS reported_value,
        arg_max(explanation, moment) FILTER (explanation <> '') AS said_explanation,
        arg_max(note, moment) FILTER (note <> '') AS note,
        arg_max(assigned_to, moment) FILTER (event = 'assigned') AS assigned_to,
        max(event_at) FILTER (event = 'asked') AS asked_at, count(*) FILTER (event = 'asked') AS times_asked,
        max(event_at) FILTER (event = 'explained') AS answered_at,
        max(event_at) FILTER (event IN ('accepted', 'rejected', 'closed', 'withdrawn')) AS decided_at
    FROM (SELECT *, event_at || printf('%012d', event_number) AS moment FROM lake.case_event) GROUP BY finding_id
"""


def decided_cases(warehouse: Warehouse) -> pd.DataFrame:
    """finding_id and state of the cases that have events of people (the others follow from the checks alone)."""
    return states_of(warehouse.query(TIMELINES))


def states_of(timelines: pd.DataFrame) -> pd.DataFrame:
    """finding_id and state of each timeline (rows of TIMELINES, in their order)."""
    rows = zip(*(timelines[name].tolist() for name in ("finding_id", "event", "value", "answer")), strict=True)
    found = [
        (finding, case_state(Event(event, _value(value), answer) for _, event, value, answer in part))
        for finding, part in groupby(rows, key=itemgetter(0))
    ]
    return pd.DataFrame(found, columns=["finding_id", "state"]).astype("str")


def _value(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def case_table(warehouse: Warehouse, where: str = "true") -> pd.DataFrame:
    """One row per case with its state: what was found (with the figures of the last check), and what was said.

    where : an SQL condition over finding_id, rule_id, severity, dataset_id, unit_id, period_id, element_id, category_id
    Columns beside these: value, expected, lower, upper, verdict, explanation, probability, suggested, at_stake, fields
    (missing where the finding is gone), state, answer, reported_value, said_explanation, note, assigned_to, asked_at,
    times_asked, answered_at, decided_at, first_seen_at, changed_at.
    """
    warehouse.con.register("decided_case", decided_cases(warehouse))
    try:
        return warehouse.query(
            f"""
            SELECT c.* EXCLUDE (found_state, value, verdict), coalesce(f.value, c.value) AS value, f.expected, f.lower, f.upper,
                   coalesce(f.verdict, c.verdict, '') AS verdict, coalesce(f.explanation, '') AS explanation, f.probability,
                   f.suggested, f.at_stake, coalesce(f.fields, '{{}}') AS fields,
                   coalesce(nullif(d.state, ''), c.found_state) AS state, s.* EXCLUDE (finding_id)
            FROM (SELECT * FROM ({FOUND}) WHERE {where}) c
            LEFT JOIN lake.finding f USING (finding_id) LEFT JOIN decided_case d USING (finding_id)
            LEFT JOIN ({SAID}) s USING (finding_id)
            ORDER BY c.finding_id
            """
        )
    finally:
        warehouse.con.unregister("decided_case")
