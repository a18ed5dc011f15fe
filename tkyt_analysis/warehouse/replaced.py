"""Which files were replaced by a mended one: their rows no longer count in releases and checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.lake import Warehouse

TABLE = "file_replacement"
REPLACED_FILES = f"SELECT DISTINCT replaces FROM lake.{TABLE} WHERE replaces IS NOT NULL"


def replaced_files_sql(warehouse: Warehouse) -> str:
    """A query of one column, `replaces`: the files whose rows no longer count.

    A snapshot older than the table has none.
    """
    if TABLE not in warehouse.tables():
        return "SELECT CAST(NULL AS VARCHAR) AS replaces WHERE false"
    return REPLACED_FILES
