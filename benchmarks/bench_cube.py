"""Figures for people: `cube.evaluate` on a national release, kind of question by kind, beside pandas on the same Parquet.

    python benchmarks/bench_cube.py [--home /tmp/national] [--sizes 1,6] [--repeats 5] [--markdown]

--home : a home made by national_release.py (the largest size; made here where there is none, in 5-10 minutes); --sizes : provinces of smaller homes, made here. Every question
is asked first in a process of its own (opening the release, first figure), then `repeats` times with nothing kept (warm),
then 200 in turn for memory. pandas reads only the columns and row groups that it needs, joins and groups.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import present, scratch

PLACE = "VN2025:01"


def questions(measures: dict) -> dict[str, tuple]:
    """{kind of question: (view, groupings or None)} for what the explorer asks."""
    from tkyt_analysis.cube.model import View

    counts = [one for one in measures.values() if one.numerator.startswith("element:")]
    plain = next(one.id for one in counts if "category" not in one.dimensions)
    split = next(one.id for one in counts if "category" in one.dimensions)
    rate, deaths = "crude_death_rate", "deaths"
    by = ("province", "year")
    return {
        "rate, province × year": (View((rate,), by), None),
        "the same with all totals": (View((rate,), by), [by, ("province",), ("year",), ()]),
        "standardised rate, province × year": (View(("age_standardised_death_rate",), by), None),
        "deaths, month": (View((deaths,), ("month",)), None),
        "deaths, sex × age": (View((deaths,), ("sex", "age_group")), None),
        "deaths, cause × year": (View((deaths,), ("cause", "year")), None),
        "deaths, cause × month": (View((deaths,), ("cause", "month")), None),
        "rate of men, province × year": (View((rate,), by, where=(("sex", ("male",)),)), None),
        "reported element, province × year": (View((plain,), by), None),
        "element by 8 categories, region × quarter": (View((split,), ("region", "quarter", "category")), None),
        "reporting rate, old province × year": (View((f"{plain.split('/')[0]}:reporting_rate",), by, geography="VN2024"), None),
        "one province: element, commune × month": (View((plain,), ("commune", "month"), PLACE), None),
        "one province: rate, commune × year": (View((rate,), ("commune", "year"), PLACE), None),
        "one commune: element, month × category": (View((split,), ("month", "category"), "VN2025:00004"), None),
        "map: element, all communes of a year": (View((plain,), ("commune",), period="2024"), None),
        "map: rate, all communes of a year": (View((rate,), ("commune",), period="2024"), None),
    }  # fmt: skip


def measure(home: Path, *, repeats: int, first: str = "") -> dict:
    """Milliseconds of every question (warm: nothing of its answer kept), or of one as the first of this process."""
    started = time.perf_counter()
    from tkyt_analysis import cube
    from tkyt_analysis.cube.session import cube_of
    from tkyt_analysis.warehouse.release import Release

    release = Release(home)
    asked = questions(cube.measures(release))
    opened = time.perf_counter() - started
    if first:
        cube.evaluate(release, asked[first][0], groupings=asked[first][1])
        return {"opened": opened * 1000, "first": (time.perf_counter() - started) * 1000}
    found: dict[str, list[float]] = {name: [] for name in asked}
    busy: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(repeats + 1):
        for name, (view, groupings) in asked.items():
            cube_of(release)._answers.clear()
            before = time.process_time()
            found[name].append(_timed(lambda v=view, g=groupings: cube.evaluate(release, v, groupings=g)))
            busy[name].append((time.process_time() - before) * 1000)
    again = [
        _timed(lambda v=v, g=g: cube.evaluate(release, v, groupings=g)) for v, g in asked.values() for _ in (1, 2)
    ][1::2]
    memory = [_rss()]
    for number in range(200):
        view, groupings = list(asked.values())[number % len(asked)]
        cube.evaluate(release, view, groupings=groupings)
        memory.append(_rss())
    return {"warm": {name: times[1:] for name, times in found.items()}, "busy": {name: times[1:] for name, times in busy.items()}, "again": dict(zip(asked, again)), "memory": memory,
            "rows": _rows(release)}  # fmt: skip


def pandas_ways(home: Path) -> dict[str, float]:
    """Milliseconds of the alternative: pandas on the files of the release, columns and row groups chosen as well as it can."""
    from tkyt_analysis.warehouse.release import current_release

    tables = home / "releases" / current_release(home) / "tables"
    place = pd.read_parquet(tables / "place", partitioning=None, columns=["unit_id", "commune", "province"])
    element = (
        pd.read_parquet(tables / "data_element", partitioning=None, columns=["dataset_id", "element_id"])
        .sort_values("dataset_id")
        .iloc[0]
    )

    def deaths() -> object:
        columns = ["unit_id", "year", "excluded"]
        rows = pd.read_parquet(tables / "death", partitioning=None, columns=columns).query("excluded == ''")
        counts = rows.groupby(["unit_id", "year"]).size().rename("deaths").reset_index().merge(place, on="unit_id")
        persons = pd.read_parquet(
            tables / "registered_population", partitioning=None, columns=["unit_id", "year", "persons"]
        ).merge(place, on="unit_id")
        by = ["province", "year"]
        return counts.groupby(by)["deaths"].sum() / persons.groupby(by)["persons"].sum()

    def values() -> object:
        chosen = [("dataset_id", "==", element["dataset_id"]), ("element_id", "==", element["element_id"])]
        rows = pd.read_parquet(
            tables / "aggregate_value", partitioning=None, columns=["unit_id", "period_id", "value"], filters=chosen
        )
        rows = rows.assign(year=rows["period_id"].str[:4]).merge(place, on="unit_id")
        return rows.groupby(["province", "year"])["value"].sum()

    return {"rate, province × year": _timed(deaths), "reported element, province × year": _timed(values)}


def _timed(work) -> float:  # noqa: ANN001
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _rss() -> float:
    with open("/proc/self/statm") as status:
        return int(status.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _rows(release) -> int:  # noqa: ANN001
    return int(release.query("SELECT count(*) AS rows FROM aggregate_value")["rows"].iloc[0])


def _in_process(home: Path, *options: str) -> dict:
    command = [sys.executable, __file__, "--one", str(home), *options]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def table_of(homes: list[Path], repeats: int) -> tuple[pd.DataFrame, list[str]]:
    """One line per question: first in a process, p50 and p95 warm, kept, at the largest home; p50 at the smaller ones."""
    results = [_in_process(home, "--repeats", str(repeats)) for home in homes]
    largest = results[-1]
    lines = []
    for name, times in largest["warm"].items():
        first = _in_process(homes[-1], "--first", name)
        smaller = {f"p50 at {r['rows'] / 1e6:.0f} M values": f"{np.median(r['warm'][name]):.0f}" for r in results[:-1]}
        lines.append(
            {"question": name, **smaller, f"p50 at {largest['rows'] / 1e6:.0f} M values": f"{np.median(times):.0f}",
             "p95": f"{np.percentile(times, 95):.0f}", "processor": f"{np.median(largest['busy'][name]):.0f}", "asked again": f"{largest['again'][name]:.0f}",
             "first of a process": f"{first['first']:.0f}"}
        )  # fmt: skip
    every = np.concatenate(list(largest["warm"].values()))
    spent = np.concatenate(list(largest["busy"].values()))
    other = _in_process(homes[-1], "--pandas")
    memory = largest["memory"]
    notes = [
        f"Milliseconds. All questions together, warm: p50 {np.median(every):.0f}, p95 {np.percentile(every, 95):.0f} ms; "
        f"processor p50 {np.median(spent):.0f}, p95 {np.percentile(spent, 95):.0f} ms. "
        "Processor: time of both threads, which the load of the machine hardly changes. Warm: the release is open, nothing of the answer is kept; asked again: from the kept answers of its queries.",
        f"First of a process: import, opening and all measures ({first['opened']:.0f} ms of it) and the figure.",
        "pandas on the same files, first question: "
        + "; ".join(f"{name} {ms:,.0f} ms" for name, ms in other.items())
        + ".",
        f"Resident memory over 200 questions in turn: {memory[0]:.0f} MB before, {memory[50]:.0f} after 50, {memory[-1]:.0f} after 200.",
    ]
    return pd.DataFrame(lines), notes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--home", type=Path, default=Path("/tmp/national"))
    parser.add_argument("--sizes", default="1,6")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--first", default="", help=argparse.SUPPRESS)
    parser.add_argument("--pandas", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(
            json.dumps(
                pandas_ways(chosen.one)
                if chosen.pandas
                else measure(chosen.one, repeats=chosen.repeats, first=chosen.first)
            )
        )
        return
    with scratch() as folder:
        homes = [_made(Path(folder) / f"home{size}", size) for size in chosen.sizes.split(",") if size]
        largest = (
            chosen.home if (chosen.home / "releases" / "CURRENT").exists() else _made(Path(folder) / "national", "34")
        )
        table, notes = table_of([*homes, largest], chosen.repeats)
    present(
        "bench_cube",
        "How long does a figure take on a national release?",
        table,
        notes,
        repeats=chosen.repeats,
        markdown=chosen.markdown,
    )


def _made(home: Path, provinces: str) -> Path:
    script = Path(__file__).with_name("national_release.py")
    subprocess.run([sys.executable, script, "--home", home, "--provinces", provinces], check=True, capture_output=True)
    return home


if __name__ == "__main__":
    main()
