"""Splink's DuckDB door, with temporary tables only: nothing of a person is written into the database of the connection."""

from __future__ import annotations

from splink import DuckDBAPI


class TemporaryDuckDB(DuckDBAPI):
    """Every table that Splink makes is TEMP and is dropped by name."""

    def _setup_for_execute_sql(self, sql: str, physical_name: str) -> str:
        self.delete_table_from_database(physical_name)
        if physical_name.startswith("__splink__df_predict"):  # no copies of names and dates beside the scores
            sql = f"SELECT rec_l, rec_r, match_weight, match_probability, COLUMNS('^gamma_') FROM (\n{sql}\n)"
        return f"CREATE TEMP TABLE {physical_name} AS\n{sql}"
