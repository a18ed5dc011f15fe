"""Cost curve of the linkage: national lists of 0.1, 0.4, 1.6 and (--full) 6 million records of deaths over ten years.

About a quarter of the persons stand on two lists or more. Each size runs in a process of its own with a memory limit of
12 GiB for DuckDB (of 16 for the process) and two threads; printed are records, candidate pairs, wall seconds (by stage) and
processor seconds, which a busy machine does not lengthen, peak memory, precision and recall of the pairs at 0.5 against the truth. The lists are drawn here, with arrays, because six million are many; what is
written differently is drawn too (marks, capitals, a day, a year, a slip of a letter, the commune after 2025).

    python benchmarks/bench_linkage_scale.py                 0.1 and 0.4 million
    python benchmarks/bench_linkage_scale.py --sizes 1.6     one size, in millions of records
    python benchmarks/bench_linkage_scale.py --full          0.1, 0.4, 1.6 and 6 million
    … --markdown [--measured LINES.json]                     the table into docs/benchmarks.md, of lines that an earlier run printed
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import duckdb

SEED = 20261123
YEARS = (2016, 2025)
LISTS = np.array(["a6", "civil_registration", "death_notice", "certificate"], dtype=object)
MORE_LISTS = 0.25  # persons on two lists or more; of these a third on three
PER_PERSON = 1.0 + MORE_LISTS * (1 + 1 / 3)
BLOCK = 250_000  # persons drawn at a time: memory stays flat
MEMORY_GIB, THREADS = 16, 2
WITH_ID, SLIP, NO_MARKS, CAPITALS, OTHER_DAY, YEAR_ONLY, OTHER_YEAR = 0.4, 0.03, 0.08, 0.3, 0.1, 0.3, 0.03


def write_lists(folder: Path, records: int) -> Path:
    """Parquet files of the list: record_id, list_id, full_name, sex, birth, death_date, address, place_code, id_number, person."""
    persons = int(records / PER_PERSON)
    for number, first in enumerate(range(0, persons, BLOCK)):
        rng = np.random.default_rng([SEED, records, number])
        people = _people(rng, first, min(BLOCK, persons - first))
        _as_written(rng, people).to_parquet(folder / f"part_{number:04d}.parquet", index=False)
    return folder


def _people(rng: np.random.Generator, first: int, count: int) -> pd.DataFrame:
    """Persons with name, sex, days (since 1970), commune, hamlet, number."""
    from mortality.practice.people import draw_names
    from tkyt_analysis.reference.places import places

    communes = places("VN2024")
    codes = communes.loc[communes["level"] == 3, "unit_id"].to_numpy(object)
    weight = np.random.default_rng(SEED).gamma(2.0, size=len(codes))  # communes are of different size
    sex = (rng.random(count) < 0.44).astype(int)
    start, end = (np.datetime64(f"{year}-01-01", "D").astype(int) for year in (YEARS[0], YEARS[1] + 1))
    death = rng.integers(start, end, count)
    age = np.clip(rng.normal(72, 17, count), 0, 104) * 365.25
    birth = (death - age).astype(int)
    return pd.DataFrame(
        {
            "person": np.arange(first, first + count),
            "sex": sex,
            "death": death,
            "birth": birth,
            "name": draw_names(rng, sex),
            "place": codes[rng.choice(len(codes), count, p=weight / weight.sum())],
            "hamlet": np.char.add("Thôn ", rng.integers(1, 15, count).astype(str)).astype(object),
            "id_number": _numbers(rng, sex, birth),
        }
    )


def _numbers(rng: np.random.Generator, sex: np.ndarray, birth: np.ndarray) -> np.ndarray:
    year = birth.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
    head = rng.integers(1, 97, len(sex)) * 1000 + np.maximum(2 * (year // 100 - 19), 0) * 100 + sex * 100 + year % 100
    return pd.Series(head * 1_000_000 + rng.integers(0, 1_000_000, len(sex))).astype(str).str.zfill(12).to_numpy(object)


def _as_written(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    """Each person on one to three lists, each list in its own hand; rows mixed."""
    luck = rng.random(len(people))
    copies = 1 + (luck < MORE_LISTS).astype(int) + (luck < MORE_LISTS / 3).astype(int)
    rows = people.loc[people.index.repeat(copies)].reset_index(drop=True)
    place = rows.groupby("person").cumcount().to_numpy() + np.repeat(rng.integers(0, len(LISTS), len(people)), copies)
    count = len(rows)
    day = rows["death"].to_numpy() + np.where(rng.random(count) < OTHER_DAY, rng.integers(-2, 3, count), 0)
    born = rows["birth"].to_numpy() + np.where(rng.random(count) < OTHER_YEAR, 365 * rng.integers(-1, 2, count), 0)
    birth = np.datetime_as_string(born.astype("datetime64[D]")).astype(object)
    year_only = rng.random(count) < YEAR_ONLY
    birth[year_only] = pd.Series(birth[year_only]).str[:4]
    written = pd.DataFrame(
        {
            "record_id": [f"{p}-{c}" for p, c in zip(rows["person"], rows.groupby("person").cumcount(), strict=True)],
            "list_id": LISTS[place % len(LISTS)],
            "full_name": _names(rng, rows["name"]),
            "sex": np.array(["male", "female"], dtype=object)[rows["sex"]],
            "birth": birth,
            "death_date": np.datetime_as_string(day.astype("datetime64[D]")),
            "address": rows["hamlet"].where(rng.random(count) > 0.2, None),
            "place_code": rows["place"],
            "id_number": rows["id_number"].where(rng.random(count) < WITH_ID, None),
            "person": rows["person"],
        }
    )
    return written.iloc[rng.permutation(count)]


def _names(rng: np.random.Generator, names: pd.Series) -> np.ndarray:
    """Capitals, no marks, one letter slipped (i and y, s and x)."""
    from mortality.practice.register import UNACCENT

    luck = rng.random(len(names))
    shown = names.to_numpy(object).copy()
    upper, bare = luck < CAPITALS, (luck >= CAPITALS) & (luck < CAPITALS + NO_MARKS)
    slip = luck > 1 - SLIP
    shown[upper] = names[upper].str.upper()
    shown[bare] = names[bare].str.translate(UNACCENT)
    shown[slip] = names[slip].str.translate(str.maketrans("iysx", "yixs"))
    return shown


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    import duckdb

    con = duckdb.connect()
    con.execute(
        f"SET memory_limit = '{MEMORY_GIB - 4}GiB'; SET threads = {THREADS}; SET temp_directory = '{folder / 'spill'}'; "
        "SET enable_progress_bar = false; SET preserve_insertion_order = false"
    )
    return con


def run_size(records: int, folder: Path) -> dict[str, Any]:
    """Draw, link, score: one line of the table."""
    from mortality.linkage.link import link_records

    started = time.monotonic()
    write_lists(folder, records)
    drawn = time.monotonic() - started
    con = connect(folder)
    con.execute(f"CREATE TABLE list AS SELECT * FROM read_parquet('{folder}/part_*.parquet')")
    started, spent = time.monotonic(), time.process_time()
    run = link_records(con, "list", minimum=0.5)
    linked, spent = time.monotonic() - started, time.process_time() - spent
    found = _against_truth(con, run.pairs)
    ceiling = None if run.ceiling is None else round(float(run.ceiling), 4)
    return {
        "records": run.records,
        "candidate_pairs": run.candidate_pairs,
        "ceiling_estimated": ceiling,
        **found,
        "draw_seconds": round(drawn, 1),
        "seconds": round(linked, 1),
        "processor_seconds": round(spent, 1),
        "stages": {name: round(value, 1) for name, value in run.seconds.items()},
        "load": round(os.getloadavg()[0], 1),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


def _against_truth(con: duckdb.DuckDBPyConnection, pairs: str) -> dict[str, Any]:
    (true,) = con.execute(
        "SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM list GROUP BY person)"
    ).fetchone() or (0,)
    found, right = con.execute(
        f"SELECT count(*), count(*) FILTER (split_part(id_l, '-', 1) = split_part(id_r, '-', 1)) FROM {pairs}"
    ).fetchone() or (0, 0)
    return {
        "true_pairs": int(true),
        "found": found,
        "recall": round(right / max(true, 1), 4),
        "precision": round(right / max(found, 1), 4),
    }


def table_of(runs: list[dict[str, Any]]) -> pd.DataFrame:
    """One line per size, as docs/benchmarks.md shows it."""
    return pd.DataFrame(
        [
            {
                "records": f"{run['records']:,}",
                "candidate pairs per record": f"{run['candidate_pairs'] / run['records']:.0f}",
                "processor seconds": f"{run['processor_seconds']:,.0f}",
                "microseconds of processor per record": f"{run['processor_seconds'] / run['records'] * 1e6:.0f}",
                "wall seconds": f"{run['seconds']:,.0f}",
                "load": run.get("load", "–"),
                "peak GiB": run["peak_gib"],
                "recall": f"{run['recall']:.4f}",
                "precision": f"{run['precision']:.4f}",
            }
            for run in runs
        ]
    )


def measured(sizes: list[float], folder: Path | None) -> list[dict[str, Any]]:
    """Each size in a process of its own; its line is printed as it comes."""
    more, lines = ["--folder", str(folder)] if folder else [], []
    for size in sizes:
        command = [sys.executable, __file__, "--one", str(int(size * 1_000_000)), *more]
        answer = subprocess.run(
            command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True
        )
        print(answer.stdout, end="", flush=True)
        lines.append(json.loads(answer.stdout))
    return lines


def write_page(runs: list[dict[str, Any]]) -> None:
    from measuring import present

    notes = [
        "Drawn national lists of ten years of deaths; DuckDB with two threads and 12 GiB. Processor seconds count both "
        "threads and are lengthened by other work on the machine too, but much less than wall seconds (load: at the end of the run).",
        "Recall counts every true pair, also those that blocking missed. Drawn lists are tidier than real ones; for "
        "accuracy on harder lists see linkage.md.",
    ]
    present(
        "bench_linkage_scale",
        "Finding one person's records: cost as lists grow",
        table_of(runs),
        notes,
        repeats=1,
        markdown=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--full", action="store_true", help="1.6 and 6 million records too")
    parser.add_argument("--sizes", type=float, nargs="*", help="millions of records")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, default=None, help="where lists and spilled data lie meanwhile")
    parser.add_argument("--markdown", action="store_true", help="write the table into docs/benchmarks.md")
    parser.add_argument("--measured", type=Path, help="JSON lines of earlier runs instead of running")
    chosen = parser.parse_args()
    if chosen.one:
        with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
            print(json.dumps(run_size(chosen.one, Path(folder))))
        return
    sizes = chosen.sizes or ([0.1, 0.4, 1.6, 6] if chosen.full else [0.1, 0.4])
    if chosen.measured:
        runs = [json.loads(line) for line in chosen.measured.read_text("utf-8").splitlines() if line.startswith("{")]
    else:
        runs = measured(sizes, chosen.folder)
    if chosen.markdown:
        write_page(runs)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
