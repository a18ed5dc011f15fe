"""Do approved reports still hold the values that were approved? A safeguard beside the gate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.workflow.states import make_states, utc_now
from tkyt_analysis.workflow.values import make_digests

if TYPE_CHECKING:
    import pandas as pd


def check_approved_values(home: Path) -> pd.DataFrame:
    """Approved and locked reports whose values are not those that were approved: dataset_id, unit_id, period_id, state."""
    with Warehouse(home) as warehouse:
        return changed_after_approval(warehouse)


def changed_after_approval(warehouse: Warehouse) -> pd.DataFrame:
    """The same on an open warehouse."""
    con = warehouse.con
    make_states(con, now=utc_now())
    con.execute(
        "CREATE OR REPLACE TEMP TABLE approved_report AS SELECT * FROM submission_state WHERE state IN ('approved', 'locked')"
    )
    make_digests(con, "approved_report")
    return warehouse.query(
        "SELECT dataset_id, unit_id, period_id, state FROM approved_report "
        "LEFT JOIN values_digest USING (dataset_id, unit_id, period_id) "
        "WHERE digest IS DISTINCT FROM approved_digest ORDER BY ALL"
    )
