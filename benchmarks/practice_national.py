"""Rows, bytes, seconds and peak memory of the practice data at 1, 4 and 16 provinces and for the whole nation.

    python benchmarks/practice_national.py [--sizes 1,4,16,63] [--directory DIR] [--keep]

Each size runs in its own process, so that peak memory is its own; what was written is removed afterwards.
Only the core's sources run (activity, population, facilities), not those of other modules, unless --all.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROVINCES = ["51", "01", "38", "79"]  # Quảng Ngãi, then the three with most communes or people


def run_size(size: int, directory: Path, every_source: bool) -> dict:
    """Make the national scale for `size` provinces and measure it (called in a process of its own)."""
    import time

    import duckdb

    from tkyt_analysis.catalog.codelists import read_codelist
    from tkyt_analysis.practice import generate

    codes = list(dict.fromkeys([*PROVINCES, *read_codelist("provinces_2024")["code"]]))[:size]
    if not every_source:
        core = [s for s in generate.practice_sources() if type(s).__module__.startswith("tkyt_analysis.")]
        generate.practice_sources = lambda: core
    started = time.perf_counter()
    summary = generate.make_practice_data("national", directory, provinces=None if size >= 63 else tuple(codes))
    seconds = time.perf_counter() - started
    values = directory / "received" / "dhis2" / "dataValueSets" / "**" / "*.parquet"
    with duckdb.connect() as connection:
        rows = connection.execute("select count(*) from read_parquet(?)", [str(values)]).fetchone()[0]
    sizes = {
        part: sum(f.stat().st_size for f in (directory / part).rglob("*") if f.is_file())
        for part in ("received", "truth")
    }
    return {
        "provinces": size,
        "communes": summary.communes,
        "values": rows,
        "truth_rows": sum(summary.planted.values()),
        "received_mb": round(sizes["received"] / 1e6, 1),
        "truth_mb": round(sizes["truth"] / 1e6, 1),
        "seconds": round(seconds, 1),
        "peak_memory_mb": summary.peak_memory_mb,
        "by_source": summary.seconds,
    }


def main() -> None:
    """Run the sizes asked for, one process each, and print one JSON line per size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1,4,16,63")
    parser.add_argument("--directory", type=Path, default=None)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--all", action="store_true", help="sources of all modules, not only the core's")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run_size(options.one, options.directory, options.all)))
        return
    for size in map(int, options.sizes.split(",")):
        directory = Path(tempfile.mkdtemp(prefix=f"practice-{size}-", dir=options.directory))
        command = [sys.executable, __file__, "--one", str(size), "--directory", str(directory)]
        subprocess.run(command + ["--all"] * options.all, check=True)
        if not options.keep:
            shutil.rmtree(directory)


if __name__ == "__main__":
    main()
