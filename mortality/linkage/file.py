"""A list in a CSV file linked into a CSV file of pairs, and the exact blocking ceiling where the true pairs are given."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tkyt_analysis.errors import InputError

if TYPE_CHECKING:
    import duckdb

    from mortality.linkage.link import LinkRun

Progress = Callable[[int, int], None]
# column of the file → column that `link_records` reads
COLUMNS = {
    "full_name": "full_name",
    "sex": "sex",
    "birth_date": "birth",
    "death_date": "death_date",
    "address": "address",
    "place_code": "place_code",
    "id_number": "id_number",
}
LISTS = ("list_id", "list", "source")
MEMORY_SHARE = 0.5  # of the machine


def link_file(
    source: Path,
    target: Path,
    *,
    minimum: float = 0.5,
    truth: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Link a CSV file; write id_l, id_r, match_probability of every pair at or above `minimum`.

    source : UTF-8 CSV with id and any of the columns COLUMNS; further columns are not read. Without a column id the
        records are numbered from 1.
    truth : CSV with the true pairs in its first two columns (or id_l, id_r), to print the exact ceiling, precision, recall

    Returns counts for people and machines. Raises InputError for a file that cannot be linked.
    """
    from mortality.linkage.link import link_records

    _require_share(minimum)
    with tempfile.TemporaryDirectory(prefix="tkyt-link-", dir=target.absolute().parent) as folder:
        con = _connection(Path(folder))
        try:
            numbered = _read(con, source)
            known = _true_pairs(con, truth) if truth else 0
            run = link_records(
                con, "link_list", minimum=minimum, progress=progress, truth="link_truth" if truth else None
            )
            _write(con, target)
            scores = _against_truth(con, known, run) if truth else {}
        finally:
            con.close()
    return {**_summary(run, target), "numbered": numbered, **scores}


def _require_share(minimum: float) -> None:
    if not 0 < minimum <= 1:
        raise InputError("error.link_minimum", found=minimum)


def _connection(folder: Path) -> duckdb.DuckDBPyConnection:
    """An own database in memory; what does not fit is spilled into the private folder, which is removed."""
    import duckdb

    folder.chmod(0o700)
    con = duckdb.connect()
    con.execute(f"SET temp_directory = '{str(folder).replace(chr(39), chr(39) * 2)}'")
    con.execute(f"SET threads = {min(4, os.cpu_count() or 1)}")
    con.execute("SET preserve_insertion_order = true")
    return con


def _read(con: duckdb.DuckDBPyConnection, source: Path) -> bool:
    """Table `link_list`; True where the records had to be numbered."""
    columns = _header(con, source)
    known = {name.strip().lower().lstrip("\ufeff"): name for name in columns}
    used = [name for name in COLUMNS if name in known]
    if not used:
        raise InputError(
            "error.link_columns", file=source.name, found=", ".join(columns) or "–", expected=", ".join(COLUMNS)
        )
    record = _quoted(known["id"]) if "id" in known else "CAST(row_number() OVER () AS VARCHAR)"
    chosen = [f"{record} AS record_id", *(f"{_quoted(known[name])} AS {COLUMNS[name]}" for name in used)]
    list_name = next((known[name] for name in LISTS if name in known), None)
    if list_name:
        chosen.append(f"{_quoted(list_name)} AS list_id")
    try:
        con.execute(f"CREATE TEMP TABLE link_list AS SELECT {', '.join(chosen)} FROM ({_scan(source)})")
    except Exception as error:
        raise InputError("error.link_file", file=source.name) from error
    _require_ids(con, source)
    return "id" not in known


def _scan(source: Path) -> str:
    name = str(source).replace("'", "''")
    with source.open(encoding="utf-8-sig") as file:
        first = file.readline()
    mark = max(",;\t|", key=first.count)
    return f"SELECT * FROM read_csv('{name}', all_varchar = true, header = true, delim = '{mark}', quote = '\"', strict_mode = false, null_padding = true)"


def _header(con: duckdb.DuckDBPyConnection, source: Path) -> list[str]:
    try:
        if not source.stat().st_size:
            raise InputError("error.link_empty_file", file=source.name)
        return list(con.sql(f"{_scan(source)} LIMIT 0").columns)
    except InputError:
        raise
    except Exception as error:
        raise InputError("error.link_file", file=source.name) from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _require_ids(con: duckdb.DuckDBPyConnection, source: Path) -> None:
    empty, twice, example = con.execute(
        """SELECT coalesce(sum(times) FILTER (id = ''), 0), count(*) FILTER (times > 1 AND id <> ''), min(id) FILTER (times > 1 AND id <> '')
        FROM (SELECT coalesce(trim(record_id), '') AS id, count(*) AS times FROM link_list GROUP BY 1)"""
    ).fetchone() or (0, 0, None)
    if twice:
        raise InputError("error.link_ids_twice", file=source.name, count=twice, example=example)
    if empty:
        raise InputError("error.link_ids_empty", file=source.name, count=empty)


def _true_pairs(con: duckdb.DuckDBPyConnection, truth: Path) -> int:
    columns = _header(con, truth)
    if len(columns) < 2:
        raise InputError("error.link_truth", file=truth.name, found=", ".join(columns))
    left, right = ("id_l", "id_r") if {"id_l", "id_r"} <= set(columns) else columns[:2]
    con.execute(
        f"CREATE TEMP TABLE link_truth AS SELECT DISTINCT {_quoted(left)} AS id_l, {_quoted(right)} AS id_r FROM ({_scan(truth)})"
    )
    (pairs,) = con.execute("SELECT count(*) FROM link_truth").fetchone() or (0,)
    return int(pairs)


def _write(con: duckdb.DuckDBPyConnection, target: Path) -> None:
    """The target appears only when it is complete."""
    unfinished = target.with_name(target.name + ".unfinished")
    try:
        name = str(unfinished).replace("'", "''")
        con.execute(
            f"COPY (SELECT id_l, id_r, round(match_probability, 6) AS match_probability FROM linked_pair) TO '{name}' (FORMAT csv, HEADER)"
        )
        unfinished.replace(target)
    except OSError as error:
        raise InputError("error.link_target", file=target.name) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _against_truth(con: duckdb.DuckDBPyConnection, known: int, run: LinkRun) -> dict[str, Any]:
    (right,) = con.execute(
        """SELECT count(*) FROM linked_pair p JOIN link_truth t
        ON (p.id_l = t.id_l AND p.id_r = t.id_r) OR (p.id_l = t.id_r AND p.id_r = t.id_l)"""
    ).fetchone() or (0,)
    return {
        "true_pairs": known,
        "exact_ceiling": run.true_candidates / known if known and run.true_candidates is not None else None,
        "precision": right / run.linked_pairs if run.linked_pairs else None,
        "recall": right / known if known else None,
    }


def _summary(run: LinkRun, target: Path) -> dict[str, Any]:
    return {
        "file": str(target),
        "records": run.records,
        "candidate_pairs": run.candidate_pairs,
        "linked_pairs": run.linked_pairs,
        "ceiling": run.ceiling,
        "rules": [vars(rule) for rule in run.rules],
        "left_out": [rule.name for rule in run.rules if rule.blocks_left_out],
        "seconds": {stage: round(value, 2) for stage, value in run.seconds.items()},
    }
