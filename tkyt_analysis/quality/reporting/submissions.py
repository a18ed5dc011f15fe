"""Reports that came more than once: sent twice, or revised by a later file. One data set at a time, flat as rows grow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import duckdb

# Cells are counted by a hash of their key first: only those that came more than once are looked at by name.
_AGAIN = """
    WITH own AS (SELECT *, hash(element_id, coalesce(category_id, ''), unit_id, period_id) AS key FROM received_value WHERE dataset_id = ?),
    again AS (SELECT key FROM own GROUP BY key HAVING count(*) > 1),
    cells AS (
        SELECT unit_id, period_id, element_id, coalesce(category_id, '') AS category_id, count(*) AS times,
               {files} AS files, {last_file} AS last_file,
               min(value) IS DISTINCT FROM max(value) OR (count(value) BETWEEN 1 AND count(*) - 1) AS differs,
               arg_min_null(value, received_order) AS first_value, arg_max_null(value, received_order) AS last_value,
               {within} AS within_file
        FROM own SEMI JOIN again USING (key) GROUP BY ALL HAVING count(*) > 1
    )
    SELECT unit_id, period_id, count(*) AS cells, count(*) FILTER (differs) AS differing, max(files) AS files,
           sum(coalesce(first_value, 0)) FILTER (differs) AS first_value, sum(coalesce(last_value, 0)) FILTER (differs) AS last_value,
           coalesce(bool_or(within_file), false) AS within_file, any_value(last_file) AS last_file
    FROM cells GROUP BY ALL ORDER BY unit_id, period_id
"""


def sent_again(con: duckdb.DuckDBPyConnection, dataset_id: str) -> pd.DataFrame:
    """Reports of one data set with cells that arrived more than once.

    unit_id, period_id, cells (that came again), differing, files (most files that one cell came in), first_value, last_value
    (sums of the differing cells as first and last received), within_file (cells came twice in one file), last_file.
    """
    with_files = "file_sha256" in {row[0] for row in con.execute("DESCRIBE received_value").fetchall()}
    sql = _AGAIN.format(
        files="count(DISTINCT file_sha256)" if with_files else "0",
        last_file="arg_max(file_sha256, received_order)" if with_files else "''",
        within="count(*) > count(DISTINCT file_sha256)" if with_files else "true",
    )
    return con.execute(sql, [dataset_id]).df()


def data_sets_sent_again(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Data sets in which more values arrived than there are cells; the others need no second look."""
    rows = con.execute(
        "SELECT dataset_id FROM (SELECT dataset_id, count(*) AS arrived FROM received_value GROUP BY 1) JOIN "
        "(SELECT dataset_id, count(*) AS cells FROM cell JOIN series USING (series_no) GROUP BY 1) USING (dataset_id) "
        "WHERE arrived > cells ORDER BY 1"
    ).fetchall()
    yield from (row[0] for row in rows)


def publications(home: object) -> list[tuple[str, str]]:
    """(when it was published, what the release knew: time of its last file) of a home's releases, oldest first."""
    import json
    from pathlib import Path

    found = []
    for path in Path(str(home)).glob("releases/*/manifest.json"):
        manifest = json.loads(path.read_text("utf-8"))
        found.append((str(manifest.get("made_at", "")), str(manifest.get("release_id", ""))))
    return sorted(found)
