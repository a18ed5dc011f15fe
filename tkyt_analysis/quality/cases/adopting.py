"""Answers that came back in error workbooks: the same cases, so the same timeline (nobody is asked twice)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tkyt_analysis.quality.cases.carrying import append_case_events

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.lake import Warehouse

# Questions of error workbooks on findings, and what units wrote beside them, that are no events yet. A cell that was left
# as it is with words beside it is "right, because"; a finding of several cells is one case.
_ASKED = """
    SELECT finding_id, 'asked' AS event, min(asked_at) || '.000000' AS event_at, 'tkyt' AS account,
           any_value(unit_id) AS unit_id
    FROM lake.question WHERE source = 'finding' AND finding_id NOT IN (
        SELECT finding_id FROM lake.case_event WHERE event = 'asked') GROUP BY finding_id
"""
_ANSWERED = """
    SELECT q.finding_id, 'explained' AS event, max(a.answered_at) || '.000000' AS event_at, 'tkyt' AS account,
           any_value(q.unit_id) AS unit_id, 'right' AS answer, string_agg(DISTINCT a.answer, '; ' ORDER BY a.answer) AS note,
           a.file_sha256 AS evidence
    FROM lake.question_answer a JOIN lake.question q USING (question_id)
    WHERE q.source = 'finding' AND a.answer <> '' AND (q.finding_id, a.file_sha256) NOT IN (
        SELECT (finding_id, evidence) FROM lake.case_event WHERE evidence IS NOT NULL)
    GROUP BY q.finding_id, a.file_sha256
"""


def adopt_error_workbooks(warehouse: Warehouse) -> int:
    """Append what error workbooks asked and what came back in them as events of their cases; how many. Call it inside a
    transaction. Cases that no run has on record yet wait for the next one."""
    rows = warehouse.query(
        f"""
        WITH events AS (FROM ({_ASKED}) UNION ALL BY NAME FROM ({_ANSWERED})),
        last AS (SELECT finding_id, arg_max_null(value, run_number) AS value FROM lake.finding_change GROUP BY 1)
        SELECT e.*, l.value FROM events e JOIN last l USING (finding_id) ORDER BY e.event_at, e.finding_id, e.event
        """
    )
    if len(rows):
        from tkyt_analysis.access.masking import mask_text

        notes = [mask_text(text) if isinstance(text, str) else None for text in rows["note"]]
        append_case_events(warehouse.con, rows.assign(note=notes))
    return len(rows)
