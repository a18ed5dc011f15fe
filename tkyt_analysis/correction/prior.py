"""What two files have in common: the staged rows of a new one against those of files received before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.ingest.staging import Staging
    from tkyt_analysis.warehouse.lake import Warehouse

VALUE_COLUMNS = "file_sha256, dataset_id, unit_id, period_id, element_id, category_id, value"
DEATH_COLUMNS = "file_sha256, source, unit_id, person_key, sheet, row_number, death_date_as_written, cause_text"
TABLES = ("new_file", "new_value", "new_death", "prior_file", "prior_value", "prior_death")


@dataclass(frozen=True)
class Covered:
    """How much of an earlier file a new one has.

    values, values_equal : cells of the earlier file, and those with the same value in the new one
    reports, reports_missing : reports (data set, unit, period) of the earlier file, and those that the new one lacks
    deaths, deaths_found : records of the earlier file, and those that stand in the new one too
    """

    values: int
    values_equal: int
    reports: int
    reports_missing: int
    deaths: int
    deaths_found: int

    @property
    def rows(self) -> int:
        """Rows of the earlier file."""
        return self.values + self.deaths

    @property
    def share(self) -> float:
        """Share of its reports and records that the new file has."""
        return (self.reports - self.reports_missing + self.deaths_found) / max(1, self.reports + self.deaths)


@contextmanager
def prior_tables(warehouse: Warehouse, staging: Staging, forms: list[str], answered: list[str]) -> Iterator[None]:
    """Temporary tables: new_* of the staged files, prior_* of everything that still counts, staged files included.

    answered : files that the staged ones say they correct; their rows are there whatever they hold
    Only forms and registers take part: an extract of another system is never the correction of a unit's file.
    """
    con = warehouse.con
    try:
        _new_tables(con, staging, forms)
        _prior_tables(con, forms, answered)
        yield
    finally:
        for table in TABLES:
            con.execute(f"DROP TABLE IF EXISTS temp.{table}")


def _new_tables(con: duckdb.DuckDBPyConnection, staging: Staging, forms: list[str]) -> None:
    con.execute("CREATE OR REPLACE TEMP TABLE new_file (file_sha256 VARCHAR, place BIGINT)")
    con.executemany("INSERT INTO new_file VALUES (?, ?)", [[sha, at] for at, sha in enumerate(staging.files, 1)])
    for name, table, columns in (
        ("new_value", "aggregate_value", VALUE_COLUMNS),
        ("new_death", "death", DEATH_COLUMNS),
    ):
        source = f'staged."{table}"' if table in staging.used else f"lake.{table}"
        where = "WHERE false" if table not in staging.used else _only_forms(table, forms)
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {columns} FROM {source} {where}")


def _only_forms(table: str, forms: list[str]) -> str:
    listed = ", ".join(f"'{form}'" for form in forms)
    return f"WHERE dataset_id IN ({listed})" if table == "aggregate_value" else ""


def _prior_tables(con: duckdb.DuckDBPyConnection, forms: list[str], answered: list[str]) -> None:
    """Of earlier files only the reports and the units that the new ones have: few rows, however large the lake is."""
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE prior_file AS
        SELECT file_sha256, 0 AS place FROM lake.received_file
        WHERE file_sha256 NOT IN (SELECT file_sha256 FROM new_file)
        AND file_sha256 NOT IN (SELECT replaces FROM lake.file_replacement WHERE replaces IS NOT NULL)
        UNION ALL SELECT * FROM new_file
        """
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE prior_value AS
        SELECT {VALUE_COLUMNS} FROM lake.aggregate_value v {_only_forms("aggregate_value", forms)}
        AND file_sha256 IN (
            SELECT file_sha256 FROM lake.aggregate_value SEMI JOIN new_value USING (dataset_id, unit_id, period_id)
            UNION SELECT unnest($1))
        AND file_sha256 NOT IN (SELECT file_sha256 FROM new_file)
        UNION ALL SELECT {VALUE_COLUMNS} FROM new_value
        """,
        [answered],
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE prior_death AS
        SELECT {DEATH_COLUMNS} FROM lake.death
        WHERE file_sha256 IN (
            SELECT file_sha256 FROM lake.death SEMI JOIN new_death USING (source, unit_id) UNION SELECT unnest($1))
        AND file_sha256 NOT IN (SELECT file_sha256 FROM new_file)
        UNION ALL SELECT {DEATH_COLUMNS} FROM new_death
        """,
        [answered],
    )


def covered(con: duckdb.DuckDBPyConnection, new: str, old: str) -> Covered:
    """What the staged file `new` has of the earlier file `old`. A record is found by its person, or by place and words."""
    row = con.execute(
        """
        WITH n AS (SELECT * FROM new_value WHERE file_sha256 = $1), o AS (SELECT * FROM prior_value WHERE file_sha256 = $2),
        same AS (SELECT count(*) AS n FROM o SEMI JOIN n ON o.dataset_id = n.dataset_id AND o.unit_id = n.unit_id
                 AND o.period_id = n.period_id AND o.element_id = n.element_id AND o.category_id = n.category_id
                 AND o.value IS NOT DISTINCT FROM n.value),
        reports AS (SELECT DISTINCT dataset_id, unit_id, period_id FROM o),
        missing AS (SELECT count(*) AS n FROM reports ANTI JOIN n USING (dataset_id, unit_id, period_id)),
        nd AS (SELECT * FROM new_death WHERE file_sha256 = $1), od AS (SELECT * FROM prior_death WHERE file_sha256 = $2),
        found AS (
            SELECT sheet, row_number FROM od SEMI JOIN nd USING (source, person_key) UNION
            SELECT sheet, row_number FROM od SEMI JOIN nd USING (source, unit_id, sheet, row_number, death_date_as_written)
            UNION SELECT sheet, row_number FROM od SEMI JOIN nd USING (source, unit_id, sheet, row_number, cause_text))
        SELECT (SELECT count(*) FROM o), (SELECT n FROM same), (SELECT count(*) FROM reports), (SELECT n FROM missing),
               (SELECT count(*) FROM od), (SELECT count(*) FROM found)
        """,
        [new, old],
    ).fetchone()
    return Covered(*(row or (0,) * 6))
