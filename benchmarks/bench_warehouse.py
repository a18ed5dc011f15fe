"""A group-by and an "as it was then" query: the encrypted DuckLake beside plain Parquet and CSV in pandas.

Every way starts with nothing open and ends with a DataFrame, as a notebook cell does. Plain files hold no snapshots: who
wants yesterday's figure from them must have kept yesterday's file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import compare, options, present, scratch

from tkyt_analysis.warehouse.lake import Warehouse, create_home

QUERY = "SELECT unit_id, period_id, sum(value) AS value FROM lake.aggregate_value GROUP BY ALL"
KEYS = ["unit_id", "period_id"]


def values(size: int) -> pd.DataFrame:
    """Reported values of 2,000 units × 24 months × as many elements as it takes."""
    row = np.arange(size)
    month = row // 2_000 % 24
    return pd.DataFrame(
        {
            "dataset_id": "BENCH",
            "element_id": np.char.add("E", (row // 48_000).astype(str)),
            "category_id": "",
            "unit_id": np.char.add("VN2025:", np.char.zfill((row % 2_000 + 1).astype(str), 5)),
            "period_id": np.char.add((2024 + month // 12).astype(str), np.char.zfill((month % 12 + 1).astype(str), 2)),
            "value": np.random.default_rng(3).poisson(40, size).astype(float),
            "file_sha256": "0" * 64,
            "row_number": row,
        }
    ).astype({"element_id": "str", "unit_id": "str", "period_id": "str"})


def insert(home: Path, rows: pd.DataFrame) -> int:
    """Add rows in a transaction of their own; the number of the snapshot that has them."""
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        warehouse.con.register("incoming", rows)
        warehouse.con.execute("INSERT INTO lake.aggregate_value BY NAME SELECT * FROM incoming")
    with Warehouse(home) as warehouse:
        return warehouse.snapshot_id()


def ask(home: Path, as_of: int | None = None) -> pd.DataFrame:
    with Warehouse(home, as_of=as_of) as warehouse:
        return warehouse.query(QUERY)


def main() -> None:
    chosen = options(__doc__)
    with scratch() as name:
        folder = Path(name)

        def prepare(size: int) -> dict[str, Callable[[], object]]:
            rows, home = values(size), folder / f"home{size}"
            create_home(home, practice=True)
            then = insert(home, rows.head(size // 2))
            insert(home, rows.iloc[size // 2 :])
            rows.to_parquet(folder / f"{size}.parquet")
            rows.to_csv(folder / f"{size}.csv", index=False)
            ways: dict[str, Callable[[], pd.DataFrame]] = {
                "DuckLake, encrypted": lambda: ask(home),
                "DuckLake, snapshot with half the rows": lambda: ask(home, then),
                "Parquet, pandas": lambda: (
                    pd.read_parquet(folder / f"{size}.parquet").groupby(KEYS, as_index=False)["value"].sum()
                ),
                "CSV, pandas": lambda: (
                    pd.read_csv(folder / f"{size}.csv", dtype={"period_id": str, "unit_id": str})
                    .groupby(KEYS, as_index=False)["value"]
                    .sum()
                ),
            }
            total = rows["value"].sum()
            assert [round(way()["value"].sum()) for label, way in ways.items() if "snapshot" not in label] == [
                total
            ] * 3
            assert ways["DuckLake, snapshot with half the rows"]()["value"].sum() == rows["value"].head(size // 2).sum()
            return ways

        sizes = [100_000, 400_000, 1_600_000, *([10_000_000] if chosen.large else [])]
        found = compare(sizes, prepare, repeats=chosen.repeats)
        notes = [
            "Sum by unit and month; each way opens what it reads and ends with a DataFrame. All give the same sums (checked).",
            "The lake's fixed cost is opening it (three extensions, SQLite catalog, decryption keys). It is encrypted and has "
            "every snapshot; the plain files are neither encrypted nor dated.",
        ]
        question = "Asking the warehouse: encrypted DuckLake beside Parquet and CSV in pandas"
        present("bench_warehouse", question, found, notes, repeats=chosen.repeats, markdown=chosen.markdown)


if __name__ == "__main__":
    main()
