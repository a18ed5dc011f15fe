"""Lists of deaths brought in: a thin door over `ingest` that says per file what landed where, what did not, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mortality.records.mapping import importing, parse_columns
from tkyt_analysis.ingest.receive import Progress
from tkyt_analysis.warehouse.lake import Warehouse


@dataclass
class ImportResult:
    """`files`: per file name, sha256, door, status, received, landed, quarantined, notes, tables {table: rows},
    reasons [[count, sentence]], remarks [[count, sentence]]."""

    files: list[dict[str, Any]] = field(default_factory=list)

    def total(self, name: str) -> int:
        return sum(row.get(name) or 0 for row in self.files)


def import_deaths(
    home: Path,
    paths: Iterable[Path],
    *,
    columns: Iterable[str] = (),
    source: str = "",
    progress: Progress | None = None,
    retry: bool = False,
) -> ImportResult:
    """Receive files of deaths: books, certificates, notices, registrations, and foreign lists with their columns told.

    columns : "field=heading[+heading]…", or the path of a YAML file; source : what the records of such a list bear
    Raises InputError for a wrong mapping or a path that does not exist; what is wrong in a file is said in its reasons.
    """
    from tkyt_analysis.ingest.receive import ingest
    from tkyt_analysis.labels import current_language
    from tkyt_analysis.pipeline import prepare_home

    mapping = parse_columns(columns, source=source)
    prepare_home(home)
    with importing(mapping):
        done = ingest(home, paths, language=current_language(), progress=progress, retry=retry)
    return ImportResult([{**row, **_details(home, row)} for row in done.files])


def _details(home: Path, row: dict[str, Any]) -> dict[str, Any]:
    if row["status"] != "read":
        return {"tables": {}, "reasons": [], "remarks": []}
    from tkyt_analysis.ingest.summary import quarantine_examples

    with Warehouse(home) as warehouse:
        tables = _tables(warehouse, row["sha256"])
        remarks = _remarks(warehouse, row["sha256"])
    reasons = [[count, said] for count, said in quarantine_examples(home, [row["sha256"]])]
    return {"tables": tables, "reasons": reasons, "remarks": remarks}


def _tables(warehouse: Warehouse, sha256: str) -> dict[str, int]:
    """{table: rows} of what a file put into the open lake."""
    from tkyt_analysis.warehouse.schema import store_of, stored_datasets

    names = [
        name
        for name, entry in stored_datasets().items()
        if store_of(entry) == "lake"
        and "file_sha256" in entry.columns
        and name not in ("received_file", "quarantine", "ingest_note")
    ]
    parts = [f"SELECT '{name}' AS name, count(*) AS n FROM lake.\"{name}\" WHERE file_sha256 = $1" for name in names]
    rows = warehouse.con.execute(f"SELECT name, n FROM ({' UNION ALL '.join(parts)}) WHERE n > 0 ORDER BY 1", [sha256])
    return dict(rows.fetchall())


def _remarks(warehouse: Warehouse, sha256: str) -> list[list[Any]]:
    """[count, sentence of one example] of each kind of note."""
    from tkyt_analysis.ingest.summary import sentence

    rows = warehouse.con.execute(
        """
        SELECT note, count(*), arg_min(struct_pack(sheet := sheet, row_number := row_number, column_name := column_name,
               value := value, became := became, fields := fields), coalesce(row_number, 0))
        FROM lake.ingest_note WHERE file_sha256 = ? GROUP BY 1 ORDER BY 2 DESC, 1
        """,
        [sha256],
    ).fetchall()
    return [[count, sentence(note, example)] for note, count, example in rows]
