"""Tables that integrity checks share: units with their use and folded names, with every column there may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.quality.context import CheckContext

REFORM = "DATE '2025-07-01'"
_UNIT_COLUMNS = {
    "code": "VARCHAR", "name": "VARCHAR", "level": "BIGINT", "parent_unit_id": "VARCHAR", "province_id": "VARCHAR", "valid_from": "DATE",
    "valid_to": "DATE", "latitude": "DOUBLE", "longitude": "DOUBLE",
}  # fmt: skip
_UNITS = """
    CREATE OR REPLACE TABLE integrity_unit AS
    SELECT u.*, unit_id IN (SELECT unit_id FROM integrity_used) AS used, unit_id = 'VN' OR regexp_matches(unit_id, '^VN20[0-9][0-9]:') AS official,
           split_part(unit_id, ':', 1) AS system, folded_name(name) AS folded
    FROM (SELECT {columns} FROM organisation_unit QUALIFY row_number() OVER (PARTITION BY unit_id ORDER BY name) = 1) u
"""
# The same word but for accents, case, đ and surplus blanks (`vietnamese_text.fold` for SQL).
_MACROS = """
    CREATE OR REPLACE MACRO folded_name(t) AS
        replace(strip_accents(lower(trim(regexp_replace(coalesce(t, ''), '[\\s\u00a0\u200b\ufeff]+', ' ', 'g')))), 'đ', 'd');
    CREATE OR REPLACE MACRO plain_name(t) AS lower(nfc_normalize(trim(regexp_replace(coalesce(t, ''), '[\\s\u00a0\u200b\ufeff]+', ' ', 'g'))));
    CREATE OR REPLACE MACRO has_odd_blanks(t) AS t <> trim(t) OR regexp_matches(t, '  |[\\t\\r\\n\u00a0\u200b\ufeff]');
    CREATE OR REPLACE MACRO as_day(t) AS try_cast(nullif(CAST(t AS VARCHAR), '') AS DATE);
"""


def prepare(context: CheckContext) -> None:
    """Make the macros, integrity_used (units that are assigned, report or are marked) and integrity_unit, once."""
    con = context.con
    sql = "SELECT 1 FROM duckdb_tables() WHERE table_name = 'integrity_unit' AND database_name = current_database()"
    if con.execute(sql).fetchone():
        return
    con.execute(_MACROS)
    sources = [name for name in ("unit", "data_set_assignment", "reporting_status") if context.has(name)]
    used = " UNION ".join(f"SELECT unit_id FROM {name}" for name in sources) or "SELECT '' AS unit_id LIMIT 0"
    con.execute(f"CREATE OR REPLACE TABLE integrity_used AS {used}")
    _make_units(con)
    _make_links(con)
    if context.has("cell", "series", "unit", "period"):
        _make_reported(con)


def _make_units(con: duckdb.DuckDBPyConnection) -> None:
    present = {row[0] for row in con.execute("DESCRIBE organisation_unit").fetchall()}
    columns = ["unit_id"]
    for name, kind in _UNIT_COLUMNS.items():
        text = f"CAST({name} AS VARCHAR)" if name in present else "NULL"
        columns.append(f"try_cast(nullif({text}, '') AS {kind}) AS {name}")
    con.execute(_UNITS.format(columns=", ".join(columns)))


def _make_links(con: duckdb.DuckDBPyConnection) -> None:
    """integrity_link: old_unit_id, new_unit_id, relation (whole | split) of the reform of July 2025."""
    from tkyt_analysis.reference.geography import crosswalk

    con.register("incoming", crosswalk()[["old_unit_id", "new_unit_id", "relation"]].astype("str"))
    con.execute("CREATE OR REPLACE TABLE integrity_link AS SELECT * FROM incoming")
    con.unregister("incoming")


def _make_reported(con: duckdb.DuckDBPyConnection) -> None:
    """integrity_series_period (series_no, period_no, cells) and integrity_reported (dataset_id, unit_no, period_no): what
    there is, small enough to ask often; one data set at a time."""
    con.execute(
        "CREATE OR REPLACE TABLE integrity_series_period AS SELECT series_no, period_no, count(*) AS cells FROM cell "
        "WHERE value IS NOT NULL GROUP BY ALL"
    )
    con.execute("CREATE OR REPLACE TABLE integrity_reported (dataset_id VARCHAR, unit_no INTEGER, period_no INTEGER)")
    sets = "SELECT dataset_id, min(series_no), max(series_no) FROM series GROUP BY 1 ORDER BY 1"
    for dataset, first, last in con.execute(sets).fetchall():
        con.execute(
            "INSERT INTO integrity_reported SELECT ?, unit_no, period_no FROM cell "
            "WHERE series_no BETWEEN ? AND ? AND value IS NOT NULL GROUP BY ALL",
            [dataset, first, last],
        )
