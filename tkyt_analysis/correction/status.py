"""What became of the questions: open, mended, still wrong, explained."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tkyt_analysis.access import require, working_within
from tkyt_analysis.access.warehouse_view import scoped_warehouse
from tkyt_analysis.errors import InputError
from tkyt_analysis.warehouse.lake import Warehouse

STATUSES = ("open", "mended", "unchanged", "explained")

# A finding is mended once the check no longer finds it; a complaint of ingest once the mended file no longer has it.
QUESTIONS = """
    WITH answered AS (
        SELECT question_id, arg_max(outcome, answered_at) AS outcome, arg_max(file_sha256, answered_at) AS answered_by,
               max(answered_at) AS answered_at, coalesce(arg_max(answer, answered_at) FILTER (answer <> ''), '') AS answer
        FROM lake.question_answer GROUP BY 1)
    SELECT q.*, a.answered_by, a.answered_at, coalesce(a.answer, '') AS answer,
        CASE WHEN a.question_id IS NULL THEN 'open'
             WHEN a.outcome = 'mended' OR (a.outcome = 'check' AND f.finding_id IS NULL) THEN 'mended'
             WHEN a.answer <> '' THEN 'explained' ELSE 'unchanged' END AS status
    FROM lake.question q LEFT JOIN answered a USING (question_id)
    LEFT JOIN (SELECT DISTINCT finding_id FROM lake.finding) f ON f.finding_id = q.finding_id
    ORDER BY q.asked_at, q.question_id
"""


def question_status(home: Path, *, place: str | None = None, period: str | None = None) -> pd.DataFrame:
    """Every question with its status (one of STATUSES), answered_by, answered_at, answer; of a place and a period."""
    account = require(home, "read", table="question", place=place)
    with scoped_warehouse(home, account) as view:
        rows = view.warehouse.query(f"SELECT * FROM ({QUESTIONS}) WHERE {view.units()}")
        if place:
            rows = rows[rows["unit_id"].isin(_below(view.warehouse, place))]
    return rows[rows["period_id"].eq(period)] if period else rows


def _below(warehouse: Warehouse, place: str) -> set[str]:
    units = warehouse.query(
        """
        WITH RECURSIVE below AS (
            SELECT unit_id FROM lake.organisation_unit WHERE unit_id = $1 UNION
            SELECT u.unit_id FROM lake.organisation_unit u JOIN below b ON u.parent_unit_id = b.unit_id)
        SELECT unit_id FROM below
        """,
        [place],
    )
    if units.empty:
        raise InputError("error.unknown_place", unit_id=place, date="–")
    return set(units["unit_id"])


def question_counts(home: Path, *, place: str | None = None, period: str | None = None) -> pd.DataFrame:
    """Per unit: unit_id, name, asked, and a column for each of STATUSES."""
    rows = question_status(home, place=place, period=period)
    with working_within(), Warehouse(home) as warehouse:
        names = warehouse.query("SELECT unit_id, any_value(name) AS name FROM lake.organisation_unit GROUP BY 1")
    counts = (
        rows.groupby(["unit_id", "status"]).size().unstack(fill_value=0).reindex(columns=list(STATUSES), fill_value=0)
    )
    counts = counts.assign(asked=counts.sum(axis=1)).reset_index().merge(names, on="unit_id", how="left")
    counts["name"] = counts["name"].fillna(counts["unit_id"])
    return counts[["unit_id", "name", "asked", *STATUSES]].sort_values("unit_id", ignore_index=True)
