"""The values that count of some reports, and their digest: what an approval saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tkyt_analysis.warehouse.release_tables import CURRENT_VALUE

if TYPE_CHECKING:
    import duckdb


def current_values(keys: str) -> str:
    """SQL of the values that count (of a cell sent several times, the one received last) of the reports in a table `keys`."""
    bounds = " AND ".join(
        f"{name} BETWEEN (SELECT min({name}) FROM {keys}) AND (SELECT max({name}) FROM {keys})"
        for name in ("period_id", "dataset_id")
    )
    return (
        f"SELECT dataset_id, unit_id, period_id, coalesce(element_id, '') AS element_id, "
        f"coalesce(category_id, '') AS category_id, value FROM ({CURRENT_VALUE}) c "
        f"WHERE {bounds} AND (dataset_id, unit_id, period_id) IN (SELECT (dataset_id, unit_id, period_id) FROM {keys})"
    )


def make_digests(con: duckdb.DuckDBPyConnection, keys: str, table: str = "values_digest") -> None:
    """The temporary table of (dataset_id, unit_id, period_id, digest) of the reports in a table `keys`."""
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {table} AS
        SELECT dataset_id, unit_id, period_id, sha256(string_agg(
            concat_ws('|', element_id, category_id, coalesce(value::VARCHAR, '')), chr(10) ORDER BY element_id, category_id
        )) AS digest
        FROM ({current_values(keys)}) GROUP BY ALL
        """
    )
