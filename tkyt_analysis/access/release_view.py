"""What an account sees of a release: its own rows as tables and views, and no way to the other files.

* Public tables (units, population, what elements mean) are open to every account.
* Tables with a unit_id show the rows of the units that the account sees.
* Other tables with a scope show the partitions of provinces that it sees as a whole.
* Of the rules of the last check everybody sees that they ran, with the findings on the own units, not how much they judged.
* All else (totals of the nation) is for accounts of the nation.
The partition of a whole province is read where it lies. Rows of other partitions are copied after filtering, so that the
connection can be closed to files: SQL in a notebook or an app cannot read past it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tkyt_analysis.access.decision import Account, Scope
from tkyt_analysis.access.scopes import covered_units, visible_units, whole_provinces
from tkyt_analysis.errors import InputError

if TYPE_CHECKING:
    import duckdb

PUBLIC = frozenset({"organisation_unit", "population", "data_element", "data_set", "category", "facility"})


def open_filtered(con: duckdb.DuckDBPyConnection, files: Mapping[str, list[Path]], scope: Scope) -> frozenset[str]:
    """Make every table of `files` visible to a scope, then close the connection to other files; the units it sees."""
    import pandas as pd

    units = _seen_units(con, files, scope)
    con.execute("CREATE SCHEMA part")
    con.register("incoming", pd.DataFrame({"unit_id": sorted(units)}))
    con.execute("CREATE TABLE part.seen_unit AS SELECT unit_id FROM incoming")
    con.unregister("incoming")
    provinces = {unit.replace(":", "-") for unit in whole_provinces(scope.units)}
    allowed = [path for table, paths in sorted(files.items()) for path in _open_table(con, table, paths, provinces)]
    con.execute(f"SET allowed_paths = [{_listing(allowed)}]")
    con.execute("SET enable_external_access = false; SET lock_configuration = true")
    return units


def narrowed(account: Account, scope: Scope | None) -> Scope:
    """The scope that an account reads, or the narrower one asked for; a wider one is an InputError."""
    reads = account.reads
    if scope is None or (scope.nation and reads.nation):
        return reads
    outside = ["VN"] if scope.nation else sorted(unit for unit in scope.units if not reads.covers(unit))
    if outside:
        raise InputError("error.outside_scope", place=outside[0], account=account.name, unit=account.unit_id)
    return scope


def _seen_units(con: duckdb.DuckDBPyConnection, files: Mapping[str, list[Path]], scope: Scope) -> frozenset[str]:
    import pandas as pd

    parts = [
        con.execute(f"SELECT {columns} FROM {_source(files[table])}").df()
        for table, columns in (
            ("organisation_unit", "unit_id, parent_unit_id, province_id"),
            ("facility", "facility_id AS unit_id, unit_id AS parent_unit_id, NULL::VARCHAR AS province_id"),
        )
        if files.get(table)
    ]
    if not parts:
        return covered_units(scope.units)
    return visible_units(scope.units, pd.concat(parts).astype("str").fillna(""))


def _open_table(con: duckdb.DuckDBPyConnection, table: str, paths: list[Path], provinces: set[str]) -> list[Path]:
    """Make one table; the files that it goes on reading."""
    if not paths:
        return []
    if table in PUBLIC:
        con.execute(f'CREATE VIEW "{table}" AS SELECT * FROM {_source(paths)}')
        return paths
    if table == "rule_coverage":
        con.execute(OWN_COVERAGE.format(source=_source(paths), found=_own_findings(con)))
        return []
    columns = [row[0] for row in con.execute(f"DESCRIBE SELECT * FROM {_source(paths)}").fetchall()]
    own = [path for path in paths if path.parent.name.removeprefix("scope=") in provinces]
    others = [path for path in paths if path not in own]
    where = _where(columns, provinces)
    parts = []
    if own:
        parts.append(f"SELECT * FROM {_source(own)} WHERE {where}")
    if others or not own:
        con.execute(f'CREATE TABLE part."{table}" AS SELECT * FROM {_source(others or paths)} WHERE {where}')
        parts.append(f'SELECT * FROM part."{table}"')
    con.execute(f'CREATE VIEW "{table}" AS {" UNION ALL BY NAME ".join(parts)}')
    return own


OWN_COVERAGE = """
    CREATE TABLE rule_coverage AS
    SELECT * REPLACE (CAST(NULL AS DOUBLE) AS judged, CAST(NULL AS DOUBLE) AS total,
                      (SELECT count(*) FROM ({found}) f WHERE f.rule_id = c.rule_id) AS findings)
    FROM {source} c
"""


def _own_findings(con: duckdb.DuckDBPyConnection) -> str:
    made = con.execute("SELECT count(*) FROM duckdb_views() WHERE view_name = 'finding'").fetchone()
    return "SELECT rule_id FROM finding" if made and made[0] else "SELECT '' AS rule_id WHERE false"


def _where(columns: Iterable[str], provinces: set[str]) -> str:
    if "unit_id" in columns:
        return "unit_id IN (SELECT unit_id FROM part.seen_unit)"
    if "scope" in columns and provinces:
        return f"scope IN ({', '.join(repr(one) for one in sorted(provinces))})"
    return "FALSE"


def _source(paths: Iterable[Path]) -> str:
    return f"read_parquet([{_listing(paths)}], hive_partitioning = false, union_by_name = true)"


def _listing(paths: Iterable[Path]) -> str:
    return ", ".join("'" + path.as_posix().replace("'", "''") + "'" for path in paths)
