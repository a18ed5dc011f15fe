"""A figure in a notebook: `tk.indicator` beside pandas over the release's Parquet, and a search; also in a fresh kernel.

The alternative is what one writes by hand for a crude death rate by province and year: read the deaths and the population of
the release, move old communes to their provinces, count, divide. It has no limits, no marks, no vintage.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from measuring import present, scratch

import tkyt_analysis as tk

FRESH = """
import time; begun = time.perf_counter()
import tkyt_analysis as tk
imported = time.perf_counter(); tk.open()
opened = time.perf_counter(); {cell}
print(imported - begun, opened - imported, time.perf_counter() - opened)
"""
NOTEBOOK = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
begun = time.perf_counter(); shell.run_cell("import tkyt_analysis as tk"); imported = time.perf_counter()
shell.run_cell("tk.open();"); opened = time.perf_counter()
time.sleep(1.0); again = time.perf_counter()
shell.run_cell("shown = {cell}")
print(imported - begun, opened - imported, time.perf_counter() - again)
"""
FIGURE = 'tk.indicator("crude_death_rate", by=["province", "year"])._repr_html_()'


def by_hand(release: Path) -> pd.DataFrame:
    """Crude death rate per 1,000 by province of 2025 and year, with pandas over the release's Parquet."""
    tables = release / "tables"
    place = pd.read_parquet(tables / "place", partitioning=None, columns=["unit_id", "province"]).set_index("unit_id")[
        "province"
    ]
    deaths = pd.read_parquet(tables / "death", partitioning=None, columns=["unit_id", "year", "month", "excluded"])
    deaths = deaths[(deaths["excluded"].fillna("") == "") & deaths["year"].notna() & deaths["month"].notna()]
    counted = deaths.assign(province=deaths["unit_id"].map(place)).groupby(["province", "year"]).size()
    persons = pd.read_parquet(
        tables / "registered_population", partitioning=None, columns=["unit_id", "year", "persons"]
    )
    persons = persons.assign(province=persons["unit_id"].map(place)).groupby(["province", "year"])["persons"].sum()
    return (1000 * counted / persons).dropna().rename("rate").reset_index()


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def fresh(script: str, home: Path, repeats: int) -> list[float]:
    """Medians of (import, open, cell) [s] over fresh processes."""
    found = []
    for _ in range(repeats):
        done = subprocess.run(
            [sys.executable, "-c", script.replace("{cell}", FIGURE if script is FRESH else FIGURE.replace('"', "'"))], env={**os.environ, "TKYT_HOME": str(home)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        found.append([float(one) for one in done.stdout.strip().splitlines()[-1].split()])
    return [statistics.median(column) for column in zip(*found)]


def measured(home: Path, repeats: int) -> tuple[pd.DataFrame, list[str]]:
    bench = tk.open(home)
    ask: Callable[[], object] = lambda: tk.indicator("crude_death_rate", by=["province", "year"])._repr_html_()  # noqa: E731
    ask()
    folder = bench.release.directory
    ours = (
        tk.indicator("crude_death_rate", by=["province", "year"]).to_pandas().set_index(["province", "year"])["value"]
    )
    hand = (
        by_hand(folder)
        .assign(year=lambda rows: rows["year"].astype(int).astype(str))
        .set_index(["province", "year"])["rate"]
    )
    both = pd.concat([ours, hand], axis=1, keys=["ours", "hand"]).dropna()
    assert len(both), "nothing to compare"
    assert (both["ours"] - both["hand"]).abs().max() < 1e-9
    imported, opened, first = fresh(FRESH, home, repeats)
    in_notebook = fresh(NOTEBOOK, home, repeats)[2]
    tk.catalog.search("tử vong mẹ")
    ways = {
        "import tkyt_analysis (fresh process)": imported,
        "tk.open() (fresh process: pandas, DuckDB, labels)": opened,
        "first indicator, asked and shown (fresh process)": first,
        "first indicator in a notebook, one second after tk.open()": in_notebook,
        "indicator by province and year, asked and shown": median_seconds(ask, 5 * repeats),
        "the same rate by hand with pandas over the Parquet (no limits, marks, vintage)": median_seconds(
            lambda: by_hand(folder), 5 * repeats
        ),
        "by commune and month": median_seconds(lambda: tk.deaths(by=["commune", "month"])._repr_html_(), repeats),
        'tk.catalog.search("tử vong mẹ")': median_seconds(lambda: tk.catalog.search("tử vong mẹ"), 5 * repeats),
        "tk.sql: deaths by year": median_seconds(lambda: tk.sql("SELECT year, count(*) FROM death GROUP BY 1"), repeats),
    }  # fmt: skip
    table = pd.DataFrame({"way": list(ways), "milliseconds (median)": [f"{1000 * one:.0f}" for one in ways.values()]})
    rows = bench.release.query("SELECT count(*) AS n FROM death")["n"][0]
    values = bench.release.query("SELECT count(*) AS n FROM aggregate_value")["n"][0]
    notes = [
        f"Home: {rows:,} deaths, {values:,} reported values, {len(both)} provinces × years; the rates of both ways agree to 1e-9 (checked).",
        "In a notebook tk.open() reads ahead what the first figure needs while the next cell is written; the fresh process "
        "above has no such pause.",
    ]
    return table, notes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--home",
        type=Path,
        default=None,
        help="a home with a release; default: one of the whole nation, made here (minutes; see national_release.py)",
    )
    parser.add_argument("--markdown", action="store_true", help="write the table into benchmarks.md")
    chosen = parser.parse_args()
    with scratch() as folder:
        home = chosen.home
        if home is None:
            from national_release import make

            home = Path(folder) / "home"
            make(home)
        else:
            os.environ.pop("TKYT_KEY_FILE", None)
        table, notes = measured(home, chosen.repeats)
        question = "A figure in a notebook: tk beside pandas over the release's Parquet"
        present("bench_tk", question, table, notes, repeats=chosen.repeats, markdown=chosen.markdown)


if __name__ == "__main__":
    main()
