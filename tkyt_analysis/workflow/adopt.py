"""Reports whose values came in before events were kept: each becomes a "received" event of its file, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tkyt_analysis.warehouse.lake import Warehouse, create_home
from tkyt_analysis.workflow.events import append_events
from tkyt_analysis.workflow.states import has_events, utc_now

NEW = """
    SELECT v.dataset_id, v.unit_id, v.period_id, 'received' AS event, v.file_sha256 AS of_file, 'adopted' AS basis,
        min(f.received_at) || '.000000' AS event_at,
        bool_and((v.dataset_id, v.unit_id, v.period_id) NOT IN (
            SELECT (dataset_id, unit_id, period_id) FROM lake.submission_event)) AS changes
    FROM lake.aggregate_value v JOIN lake.received_file f USING (file_sha256)
    WHERE v.dataset_id IS NOT NULL AND v.unit_id IS NOT NULL AND v.period_id IS NOT NULL
        AND v.file_sha256 NOT IN (SELECT of_file FROM lake.submission_event WHERE of_file IS NOT NULL)
    GROUP BY v.dataset_id, v.unit_id, v.period_id, v.file_sha256
"""


def adopt_reports(home: Path, progress: Callable[[int, int, str], None] | None = None) -> dict[str, Any]:
    """Step of `tkyt check`: {adopted: events written}; nothing to do costs a look at the names of the files."""
    with Warehouse(home) as warehouse:
        known = has_events(warehouse.con)
    if not known:
        create_home(home)
    with Warehouse(home) as warehouse:
        new = warehouse.one(
            "SELECT count(*) FROM (SELECT DISTINCT file_sha256 FROM lake.aggregate_value WHERE dataset_id IS NOT NULL "
            "AND unit_id IS NOT NULL AND period_id IS NOT NULL "
            "EXCEPT SELECT DISTINCT of_file FROM lake.submission_event)"
        )[0]
    if not new:
        return {"adopted": 0}
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        return {"adopted": append_events(warehouse.con, NEW, now=utc_now(), account="")}
