"""Are two tables the same, whatever the order of their rows: the number of rows and two order-free sums over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

Digest = tuple[int, str]


def digest_of(connection: duckdb.DuckDBPyConnection, relation: str, columns: list[str]) -> Digest:
    """(rows, digest) of SQL expressions over a relation; rows that stand twice count twice."""
    row = f"row({', '.join(columns)})"
    sql = (
        f"SELECT count(*), coalesce(bit_xor(md5_number(CAST({row} AS VARCHAR))), 0), "
        f"coalesce(sum(hash({row}) % 1000003), 0) FROM {relation}"
    )
    found = connection.execute(sql).fetchone()
    count, mixed, summed = found or (0, 0, 0)
    return int(count), f"{mixed}-{summed}"


def lake_digest(connection: duckdb.DuckDBPyConnection, store: str, tables: list[str]) -> dict[str, Digest]:
    """{table: (rows, digest)} over all columns of tables of an attached lake."""
    return {table: digest_of(connection, f'{store}."{table}"', _columns(connection, store, table)) for table in tables}


def _columns(connection: duckdb.DuckDBPyConnection, store: str, table: str) -> list[str]:
    rows = connection.execute(f'DESCRIBE {store}."{table}"').fetchall()
    return [f'"{row[0]}"' for row in rows]
