"""No wording in the lake's catalog: DuckLake notes the smallest and largest value of every column of every data file there.

For columns of free text those notes would stand unencrypted beside the keys of the data files, and no query is faster for
them. DuckLake 1.0 has no option to leave them out, so triggers in the catalog itself store them as unknown (NULL, which
DuckLake takes as "no bounds known"). See docs/adr/0002-warehouse.md.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tkyt_analysis.warehouse.catalogs import Place, attach_postgres, postgres_call
from tkyt_analysis.warehouse.schema import store_of, stored_datasets

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.catalog.entries import Dataset

AS_RECEIVED = ("_as_written", "_as_given")  # codes as somebody wrote them may be any wording
FILE_STATS = "data_file_id, table_id, column_id, column_size_bytes, value_count, null_count, min_value, max_value, contains_nan, extra_stats"
TABLE_STATS = "table_id, column_id, contains_null, contains_nan, min_value, max_value, extra_stats"
LISTED = "(SELECT 1 FROM tkyt_no_bounds b WHERE b.table_id = new.table_id AND b.column_id = new.column_id)"


def text_columns(entry: Dataset) -> list[str]:
    """Columns of a dataset that hold wording."""
    return [name for name, column in entry.columns.items() if column.type == "text" or name.endswith(AS_RECEIVED)]


def keep_wording_out(connection: duckdb.DuckDBPyConnection, place: Place) -> None:
    """Make the catalog forget the bounds of every text column, now and in future. The lake must not be attached."""
    wanted = [
        (table, column)
        for table, entry in stored_datasets().items()
        if store_of(entry) == "lake"
        for column in text_columns(entry)
    ]
    if place.kind == "postgres":
        _on_postgres(connection, place, wanted)
    else:
        _on_sqlite(place, wanted)


def _list_columns(wanted: list[tuple[str, str]], prefix: str = "") -> str:
    pairs = ", ".join(f"('{table}', '{column}')" for table, column in wanted)
    return (
        f"INSERT INTO {prefix}tkyt_no_bounds SELECT DISTINCT c.table_id, c.column_id FROM {prefix}ducklake_column c "
        f"JOIN {prefix}ducklake_table t USING (table_id) WHERE (t.table_name, c.column_name) IN (VALUES {pairs}) "
        f"AND NOT EXISTS (SELECT 1 FROM {prefix}tkyt_no_bounds b WHERE b.table_id = c.table_id AND b.column_id = c.column_id)"
    )


def _forget(table: str, prefix: str = "") -> str:
    return (
        f"UPDATE {prefix}{table} SET min_value = NULL, max_value = NULL "
        f"WHERE (min_value IS NOT NULL OR max_value IS NOT NULL) AND EXISTS (SELECT 1 FROM {prefix}tkyt_no_bounds b "
        f"WHERE b.table_id = {prefix}{table}.table_id AND b.column_id = {prefix}{table}.column_id)"
    )


def _on_sqlite(place: Place, wanted: list[tuple[str, str]]) -> None:
    import sqlite3

    with contextlib.closing(sqlite3.connect(str(place.path), timeout=30, isolation_level=None)) as catalog:
        catalog.execute("PRAGMA secure_delete = ON")
        catalog.execute("BEGIN IMMEDIATE")
        try:
            catalog.execute(
                "CREATE TABLE IF NOT EXISTS tkyt_no_bounds (table_id BIGINT, column_id BIGINT, PRIMARY KEY (table_id, column_id))"
            )
            for statement in SQLITE_TRIGGERS:
                catalog.execute(statement)
            added = catalog.execute(_list_columns(wanted)).rowcount
            if added > 0:
                changed = [catalog.execute(_forget(table)).rowcount for table in STATS_TABLES]
            catalog.execute("COMMIT")
        except BaseException:
            catalog.execute("ROLLBACK")
            raise
        if added > 0 and any(count > 0 for count in changed):
            catalog.execute("VACUUM")  # nothing of the old bounds stays in free pages


STATS_TABLES = ("ducklake_file_column_stats", "ducklake_table_column_stats")


def _sqlite_insert(table: str, columns: str) -> str:
    values = ", ".join("NULL" if name in ("min_value", "max_value") else f"new.{name}" for name in columns.split(", "))
    return (
        f"CREATE TRIGGER IF NOT EXISTS tkyt_new_{table} BEFORE INSERT ON {table} "
        f"WHEN coalesce(new.min_value, new.max_value) IS NOT NULL AND EXISTS {LISTED} "
        f"BEGIN INSERT INTO {table} ({columns}) VALUES ({values}); SELECT raise(IGNORE); END"
    )


SQLITE_TRIGGERS = (
    _sqlite_insert("ducklake_file_column_stats", FILE_STATS),
    _sqlite_insert("ducklake_table_column_stats", TABLE_STATS),
    "CREATE TRIGGER IF NOT EXISTS tkyt_changed_ducklake_table_column_stats BEFORE UPDATE ON ducklake_table_column_stats "
    f"WHEN coalesce(new.min_value, new.max_value) IS NOT NULL AND EXISTS {LISTED} "
    "BEGIN UPDATE ducklake_table_column_stats SET contains_null = new.contains_null, contains_nan = new.contains_nan, "
    "min_value = NULL, max_value = NULL, extra_stats = new.extra_stats WHERE rowid = new.rowid; SELECT raise(IGNORE); END",
)


def _on_postgres(connection: duckdb.DuckDBPyConnection, place: Place, wanted: list[tuple[str, str]]) -> None:
    schema = place.schema
    attach_postgres(connection, place, "turn")
    statements = [
        f"CREATE TABLE IF NOT EXISTS {schema}.tkyt_no_bounds (table_id BIGINT, column_id BIGINT, PRIMARY KEY (table_id, column_id))",
        f"CREATE OR REPLACE FUNCTION {schema}.tkyt_forget_bounds() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN "
        f"IF EXISTS {LISTED.replace('tkyt_no_bounds', f'{schema}.tkyt_no_bounds')} "
        "THEN new.min_value := NULL; new.max_value := NULL; END IF; RETURN new; END $body$",
        *(
            f"CREATE OR REPLACE TRIGGER tkyt_bounds BEFORE INSERT OR UPDATE ON {schema}.{table} "
            f"FOR EACH ROW EXECUTE FUNCTION {schema}.tkyt_forget_bounds()"
            for table in STATS_TABLES
        ),
        _list_columns(wanted, f"{schema}."),
        *(_forget(table, f"{schema}.") for table in STATS_TABLES),
    ]
    for statement in statements:
        postgres_call(connection, "turn", statement)
