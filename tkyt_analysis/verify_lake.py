"""Data files of the lakes: there, of the right length, and readable to the last page with the catalog's keys."""

from __future__ import annotations

from pathlib import Path

from tkyt_analysis.access import working_within
from tkyt_analysis.labels import label
from tkyt_analysis.warehouse.lake import Warehouse

Outcome = tuple[int, list[str]]  # files looked at, what is wrong
ENDS = (b"PAR1", b"PARE")
FILES = """
    SELECT DISTINCT s.path || t.path || f.path AS path, f.file_size_bytes, f.encryption_key FROM {catalog}.{files} f
    JOIN (SELECT DISTINCT table_id, schema_id, path FROM {catalog}.ducklake_table) t USING (table_id)
    JOIN (SELECT DISTINCT schema_id, path FROM {catalog}.ducklake_schema) s USING (schema_id) ORDER BY 1
"""


def check_lake_files(warehouse: Warehouse) -> Outcome:
    """Every data and delete file that the lake's catalog names, of all its snapshots."""
    return _check(warehouse, "lake", warehouse.home / "warehouse" / "data")


def check_restricted_files(warehouse: Warehouse) -> Outcome:
    """The same for the restricted store."""
    with working_within(), warehouse.restricted():  # counts and hashes of files; no row is read
        return _check(warehouse, "restricted", warehouse.home / "restricted" / "data")


def _check(warehouse: Warehouse, lake: str, folder: Path) -> Outcome:
    catalog = f"__ducklake_metadata_{lake}"
    if lake == "lake" and warehouse.place.schema:
        catalog = f"{catalog}.{warehouse.place.schema}"
    rows = [
        row
        for files in ("ducklake_data_file", "ducklake_delete_file")
        for row in warehouse.con.execute(FILES.format(catalog=catalog, files=files)).fetchall()
    ]
    found = [(folder / path, _problem(warehouse, folder / path, size, key)) for path, size, key in rows]
    return len(rows), [label(problem, None, path=path) for path, problem in found if problem]


def _problem(warehouse: Warehouse, path: Path, size: int, key: str | None) -> str:
    """Label key of what is wrong with a file, "" where nothing is."""
    import duckdb

    if not path.is_file():
        return "verify.data_missing"
    if path.stat().st_size != size or not _framed(path):
        return "verify.data_altered"
    config = f", encryption_config = {{footer_key_value: from_base64('{key}')}}" if key else ""
    quoted = str(path).replace("'", "''")
    try:
        warehouse.con.execute(f"SELECT bit_xor(hash(COLUMNS(*))) FROM read_parquet('{quoted}'{config})").fetchall()
    except duckdb.Error:
        return "verify.data_altered"
    return ""


def _framed(path: Path) -> bool:
    """Whether the marks at both ends of a Parquet file are there."""
    with open(path, "rb") as file:
        start = file.read(4)
        file.seek(-4, 2)
        return start in ENDS and file.read(4) in ENDS
