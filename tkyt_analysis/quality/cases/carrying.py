"""Accepted explanations: they quieten the question on their cell, and outlive a new version of the rule."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.quality.cases.table import FOUND, decided_cases

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.warehouse.lake import Warehouse

CELL = ("dataset_id", "unit_id", "period_id", "element_id", "category_id")
# Findings that newer events than these did not reopen, with the value that was decided about.
DECIDED = """
    SELECT f.* EXCLUDE (value), e.value, e.explanation
    FROM ({found}) f JOIN settled_case USING (finding_id) JOIN (
        SELECT finding_id, arg_max_null(value, event_number) AS value, arg_max(explanation, event_number) AS explanation
        FROM lake.case_event WHERE event IN ('accepted', 'withdrawn') GROUP BY 1) e USING (finding_id)
"""


def mark_explained(warehouse: Warehouse) -> None:
    """Findings whose explanation is accepted (or whose question was withdrawn) become notes with verdict `explained`;
    those for which that no longer holds get back what the check said. Call it inside a transaction."""
    con = warehouse.con
    _offer_settled(warehouse)
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE explained AS
        SELECT finding_id, explanation FROM ({DECIDED.format(found=FOUND)})
        WHERE finding_id IN (SELECT finding_id FROM lake.finding)
        """
    )
    con.execute(
        """
        UPDATE lake.finding SET verdict = 'explained', severity = 'note',
            explanation = coalesce(nullif((SELECT e.explanation FROM explained e WHERE e.finding_id = lake.finding.finding_id), ''), explanation)
        WHERE finding_id IN (SELECT finding_id FROM explained) AND verdict <> 'explained'
        """
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE unexplained AS
        SELECT finding_id, f.severity, f.verdict FROM ({FOUND}) f JOIN lake.finding n USING (finding_id)
        WHERE n.verdict = 'explained' AND finding_id NOT IN (SELECT finding_id FROM explained)
        """
    )
    con.execute(
        """
        UPDATE lake.finding SET
            severity = (SELECT u.severity FROM unexplained u WHERE u.finding_id = lake.finding.finding_id),
            verdict = (SELECT u.verdict FROM unexplained u WHERE u.finding_id = lake.finding.finding_id)
        WHERE finding_id IN (SELECT finding_id FROM unexplained)
        """
    )
    for name in ("explained", "unexplained", "settled_case"):
        con.execute(f"DROP TABLE IF EXISTS temp.{name}")


def carry_decisions(warehouse: Warehouse, run_id: str, now: str) -> int:
    """Accept the findings that a new version of a rule makes on a cell and value whose explanation was accepted before;
    how many. Only findings on one cell: elsewhere rule and place do not say what the explanation was about."""
    con = warehouse.con
    _offer_settled(warehouse)
    rows = con.execute(
        f"""
        SELECT n.finding_id, any_value(n.unit_id) AS unit_id, any_value(n.value) AS value,
               max(d.finding_id) AS carried_from, max(d.explanation) AS explanation
        FROM lake.finding_change n JOIN ({DECIDED.format(found=FOUND)}) d
             ON n.rule_id = d.rule_id AND n.rule_version > d.rule_version AND n.value IS NOT DISTINCT FROM d.value
             AND {" AND ".join(f"n.{name} = d.{name}" for name in CELL)}
        WHERE n.run_id = ? AND n.change = 'new' AND n.element_id <> '' GROUP BY n.finding_id
        """,
        [run_id],
    ).df()
    con.execute("DROP TABLE IF EXISTS temp.settled_case")
    if len(rows):
        events = rows.assign(event="accepted", event_at=now, account="tkyt", run_id=run_id)
        append_case_events(con, events)
    return len(rows)


def _offer_settled(warehouse: Warehouse) -> None:
    states = decided_cases(warehouse)
    settled = states.loc[states["state"].isin(["accepted", "withdrawn"]), ["finding_id"]]
    warehouse.con.register("incoming", settled.astype("str"))
    warehouse.con.execute("CREATE OR REPLACE TEMP TABLE settled_case AS SELECT finding_id FROM incoming")
    warehouse.con.unregister("incoming")


def append_case_events(con: duckdb.DuckDBPyConnection, events: pd.DataFrame) -> None:
    """Append events in their order, numbered behind those that are there. Columns of `case_event` that are absent stay empty."""
    row = con.execute("SELECT coalesce(max(event_number), 0) FROM lake.case_event").fetchone()
    first = int(row[0]) + 1 if row else 1
    numbered = events.reset_index(drop=True).assign(event_number=range(first, first + len(events)))
    keys = zip(numbered["finding_id"], numbered["event"], numbered["event_number"], strict=True)
    numbered["event_id"] = [event_id(*key) for key in keys]
    con.register("incoming", numbered)
    con.execute("INSERT INTO lake.case_event BY NAME SELECT * FROM incoming")
    con.unregister("incoming")


def event_id(finding_id: str, event: str, number: int) -> str:
    """Sixteen hexadecimal digits of case, event and number."""
    return hashlib.sha256(f"{finding_id}|{event}|{number}".encode()).hexdigest()[:16]
