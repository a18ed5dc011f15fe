"""Data frames as tables of a DuckDB connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import duckdb


def keep_frame(con: duckdb.DuckDBPyConnection, name: str, rows: pd.DataFrame, *, temporary: bool = True) -> None:
    """Make a table of a data frame, in place of one of that name.

    A frame without a row tells DuckDB nothing of its untyped columns, which would become numbers: they are text.
    """
    if rows.empty:
        rows = rows.astype({column: "str" for column in rows.columns if rows[column].dtype == object})
    con.register("incoming", rows)
    con.execute(f'CREATE OR REPLACE {"TEMP " if temporary else ""}TABLE "{name}" AS SELECT * FROM incoming')
    con.unregister("incoming")
