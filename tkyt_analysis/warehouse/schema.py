"""The tables of the warehouse, made from the catalog's dataset entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tkyt_analysis.catalog import load_entries

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.catalog.entries import Dataset

SQL_TYPES = {
    "text": "VARCHAR",
    "code": "VARCHAR",
    "period": "VARCHAR",
    "unit": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "date": "DATE",
    "boolean": "BOOLEAN",
}


def stored_datasets() -> dict[str, Dataset]:
    """{table: entry} of the datasets that have a table of their own."""
    return {name: entry for name, entry in load_entries("datasets").items() if entry.store and not entry.table}


def store_of(entry: Dataset) -> str:
    """The lake that holds an entry's rows: "restricted" for personal data, else "lake"."""
    return "restricted" if entry.access == "personal" else "lake"


def column_types(entry: Dataset) -> dict[str, str]:
    """{column: SQL type} of what is stored; identifiers of a line list go to the restricted store instead."""
    return {name: SQL_TYPES[column.type] for name, column in entry.columns.items() if name not in entry.identifiers}


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create missing tables and add missing columns, in one snapshot per lake; nothing is ever dropped."""
    existing: dict[tuple[str, str], set[str]] = {}
    rows = connection.execute(
        "SELECT table_catalog, table_name, column_name FROM information_schema.columns "
        "WHERE table_catalog IN ('lake', 'restricted')"
    ).fetchall()
    for store, table, column in rows:
        existing.setdefault((store, table), set()).add(column)
    for store in ("lake", "restricted"):
        statements = [
            statement
            for table, entry in stored_datasets().items()
            if store_of(entry) == store
            for statement in _statements(store, table, column_types(entry), existing.get((store, table)))
        ]
        if statements:
            connection.execute("BEGIN; " + "; ".join(statements) + "; COMMIT")


def _statements(store: str, table: str, types: dict[str, str], known: set[str] | None) -> list[str]:
    """What brings one table to its entry's columns."""
    if known is None:
        columns = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
        return [f'CREATE TABLE {store}."{table}" ({columns})']
    return [
        f'ALTER TABLE {store}."{table}" ADD COLUMN "{name}" {kind}' for name, kind in types.items() if name not in known
    ]
