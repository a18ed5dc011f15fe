"""Which files were replaced by a mended one, and which single records by a corrected one: they no longer count.

Both stay in the warehouse as they were received; releases, checks and matching leave them out.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from tkyt_analysis.catalog import load_entries

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.lake import Warehouse

TABLE = "file_replacement"
RECORDS = "record_replacement"
KEY_OF_RECORD = ("file_sha256", "record_key")
REPLACED_FILES = f"SELECT DISTINCT replaces FROM lake.{TABLE} WHERE replaces IS NOT NULL"


def replaced_files_sql(warehouse: Warehouse) -> str:
    """A query of one column, `replaces`: the files whose rows no longer count.

    A snapshot older than the table has none.
    """
    if not warehouse.has(TABLE):
        return "SELECT CAST(NULL AS VARCHAR) AS replaces WHERE false"
    return REPLACED_FILES


def replaced_records_sql(warehouse: Warehouse) -> str:
    """A query of one column, `record_id`: the records that were corrected or withdrawn and no longer count.

    A correction that stood in a file which was itself replaced does not hold; a snapshot older than the table has none.
    """
    if not warehouse.has(RECORDS):
        return "SELECT CAST(NULL AS VARCHAR) AS record_id WHERE false"
    return f"""
        SELECT DISTINCT record_id FROM lake.{RECORDS} WHERE record_id IS NOT NULL
        AND (file_sha256 IS NULL OR file_sha256 NOT IN ({replaced_files_sql(warehouse)}))
    """


def counts_sql(warehouse: Warehouse, table: str, columns: Collection[str]) -> str:
    """The condition under which a row of a lake table counts: "" where every row does.

    columns : those that the table has in this snapshot
    """
    conditions = []
    if "file_sha256" in columns and table not in ("received_file", TABLE, RECORDS):
        conditions.append(f"(file_sha256 IS NULL OR file_sha256 NOT IN ({replaced_files_sql(warehouse)}))")
    if (record := record_column(table)) and record in columns:
        conditions.append(f"({record} IS NULL OR {record} NOT IN ({replaced_records_sql(warehouse)}))")
    return " AND ".join(conditions)


def record_column(table: str) -> str:
    """The column that names the single record of a row: a pseudonym of its place in the file; "" without one."""
    entry = load_entries("datasets").get(table)
    if entry is None or table == RECORDS:
        return ""
    return next((name for name, one in entry.columns.items() if one.pseudonym_of == KEY_OF_RECORD), "")
