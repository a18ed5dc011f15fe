"""A warehouse as checks see it: the rows that count, under the names of `context`, in an encrypted scratch file."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from tkyt_analysis.catalog import load_entries
from tkyt_analysis.quality.cells import make_cells
from tkyt_analysis.quality.context import OWN_NAMES, CheckContext
from tkyt_analysis.reference.periods import period_range, period_windows
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.replaced import counts_sql, replaced_files_sql
from tkyt_analysis.warehouse.work_folder import private_folder

# Later submissions have larger numbers: by the moment of receipt, then the file's name, sheet and row.
RECEIVED_VALUE = """
    CREATE OR REPLACE TEMP VIEW received_value AS
    SELECT v.dataset_id, v.element_id, v.category_id, v.unit_id, v.period_id, v.value, v.file_sha256, v.sheet, v.row_number,
           (s.place_no::BIGINT << 32) + coalesce(v.row_number, 0)::BIGINT AS received_order
    FROM lake.aggregate_value v JOIN sheet_order s ON s.file_sha256 = v.file_sha256 AND s.sheet = coalesce(v.sheet, '')
"""
SHEET_ORDER = """
    CREATE OR REPLACE TABLE sheet_order AS
    SELECT file_sha256, sheet, row_number() OVER (ORDER BY f.received_at, f.file_name, sheet) AS place_no
    FROM (SELECT DISTINCT file_sha256, coalesce(sheet, '') AS sheet FROM lake.aggregate_value) JOIN lake.received_file f USING (file_sha256)
    WHERE file_sha256 NOT IN ({replaced})
"""


@contextlib.contextmanager
def warehouse_context(
    warehouse: Warehouse,
    *,
    scope: frozenset[str] | None = None,
    periods: frozenset[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[CheckContext]:
    """The context of a warehouse; its scratch tables are gone at the end."""
    with private_folder(warehouse.home) as folder, _scratch(warehouse, str(folder / "checks.duckdb")):
        relations = _views(warehouse)
        relations |= _values(warehouse, progress)
        if _due_periods(warehouse):
            relations.add("due_period")
        yield CheckContext(warehouse.con, frozenset(relations), scope=scope, periods=periods, home=warehouse.home)


@contextlib.contextmanager
def _scratch(warehouse: Warehouse, path: str) -> Iterator[None]:
    """An encrypted database beside the lake, in use until the end. Its key is nowhere but in memory."""
    con, quoted = warehouse.con, path.replace("'", "''")
    con.execute(f"ATTACH '{quoted}' AS scratch (ENCRYPTION_KEY '{secrets.token_hex(32)}')")
    con.execute("USE scratch")
    try:
        yield
    finally:
        con.execute("USE memory")
        for name in _temporary_views(warehouse):
            con.execute(f'DROP VIEW IF EXISTS temp."{name}"')
        con.execute("DETACH scratch")


def _temporary_views(warehouse: Warehouse) -> list[str]:
    rows = warehouse.con.execute("SELECT view_name FROM duckdb_views() WHERE temporary AND NOT internal").fetchall()
    return [row[0] for row in rows]


def _views(warehouse: Warehouse) -> set[str]:
    """A view of each lake table that has rows which count; the names of those."""
    found = set()
    personal = {entry.target for entry in load_entries("datasets").values() if entry.access == "personal"}
    for name in warehouse.tables():
        if name in OWN_NAMES or name in personal:
            continue
        columns = {row[0] for row in warehouse.con.execute(f'DESCRIBE lake."{name}"').fetchall()}
        counts = counts_sql(warehouse, name, columns)
        where = f"WHERE {counts}" if counts else ""
        warehouse.con.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT * FROM lake."{name}" {where}')
        if warehouse.con.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone():
            found.add(name)
    return found


def _values(warehouse: Warehouse, progress: Callable[[int, int], None] | None) -> set[str]:
    con = warehouse.con
    con.execute(SHEET_ORDER.format(replaced=replaced_files_sql(warehouse)))
    con.execute(RECEIVED_VALUE)
    if not make_cells(con, progress):
        return set()
    return {"aggregate_value", "received_value", "cell", "series", "unit", "period"}


def _due_periods(warehouse: Warehouse) -> int:
    """Make `due_period`: per assigned data set every period from its first with values to its last."""
    seen = warehouse.query(
        """
        SELECT DISTINCT dataset_id, period_id FROM cell JOIN series USING (series_no) JOIN period USING (period_no)
        WHERE dataset_id IN (SELECT dataset_id FROM lake.data_set_assignment)
        """
    )
    warehouse.con.register("incoming", reporting_periods(seen))
    warehouse.con.execute(
        "CREATE OR REPLACE TABLE due_period AS SELECT dataset_id::VARCHAR AS dataset_id, period_id::VARCHAR AS period_id, "
        "period_start::DATE AS period_start, period_end::DATE AS period_end FROM incoming"
    )
    warehouse.con.unregister("incoming")
    return int(warehouse.one("SELECT count(*) FROM due_period")[0])


def reporting_periods(seen: pd.DataFrame) -> pd.DataFrame:
    """The periods for which reports were due: per data set, from its first period with values to its last.

    seen : dataset_id, period_id of values that arrived. Columns of the answer: dataset_id, period_id, period_start,
    period_end. A month in which nobody reported is among them.
    """
    columns = ["dataset_id", "period_id", "period_start", "period_end"]
    if seen.empty:
        return pd.DataFrame(columns=columns)
    windows = seen.merge(period_windows(seen["period_id"].unique()), on="period_id")
    spans = windows.sort_values("period_start").groupby(["dataset_id", "kind"])["period_id"].agg(["first", "last"])
    due: list[tuple[Any, ...]] = [
        (dataset, one.period_id, one.start, one.end)
        for (dataset, _), first, last in spans.itertuples()
        for one in period_range(first, last)
    ]
    return pd.DataFrame(due, columns=columns)
