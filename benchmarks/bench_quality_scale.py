"""How long `tkyt check` takes, and how much memory, as the number of cells grows: every default rule, a whole warehouse.

Forms of imagined communes with planted errors (synthetic) are put into a new warehouse; then the command runs as a user
runs it. Sizes: 60 months × 100 elements of 700, 1,400 and 2,800 units; `--large`: 2,750, 5,500 and 11,000 units, which is
every commune of before July 2025 and its facilities: 66 million cells.

Memory is the largest sum over the command's processes, read every half second. Each size runs once: it takes minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from measuring import options, present

from tkyt_analysis.practice.panels import FormDesign, design_form, each_form, rows_of, unit_rows
from tkyt_analysis.practice.panels_defects import plant_defects
from tkyt_analysis.warehouse.lake import Warehouse, create_home

MONTHS, ELEMENTS, PROVINCES, SEED = 60, 100, 50, 20261123
SMALL, LARGE = (700, 1_400, 2_800), (2_750, 5_500, 11_000)


def fill(home: Path, units: int) -> int:
    """A warehouse with the forms of so many units; the number of cells."""
    create_home(home, practice=True)
    design = design_form(SEED, PROVINCES, units // PROVINCES, MONTHS, "202101", ELEMENTS)
    cells = 0
    with Warehouse(home, write=True) as warehouse:
        _describe(warehouse, design)
        for block in each_form(design, cells_at_once=6_000_000):
            planted, _ = plant_defects(block, seed=SEED, elements=design.elements)
            cells += _add(warehouse, rows_of(planted))
    return cells


def _describe(warehouse: Warehouse, design: FormDesign) -> None:
    names = design.elements["element_id"].astype("str")
    tables = {
        "received_file": pd.DataFrame(
            {"file_sha256": ["drawn"], "file_name": ["drawn"], "received_at": ["2026-01-01"]}
        ),
        "organisation_unit": unit_rows(design).replace({"level": {"province": 1, "commune": 3}}),
        "data_set_assignment": pd.DataFrame(
            {"dataset_id": design.dataset_id, "unit_id": design.units, "period_type": "Monthly"}
        ),
        "data_element": pd.DataFrame({"element_id": names, "name": names, "dataset_id": design.dataset_id}),
    }
    for name, rows in tables.items():
        _insert(warehouse, name, rows)


def _add(warehouse: Warehouse, rows: pd.DataFrame) -> int:
    _insert(warehouse, "aggregate_value", rows.assign(file_sha256="drawn", sheet="", row_number=range(len(rows))))
    return len(rows)


def _insert(warehouse: Warehouse, table: str, rows: pd.DataFrame) -> None:
    with warehouse.transaction():
        warehouse.con.register("incoming", rows)
        warehouse.con.execute(f"INSERT INTO lake.{table} BY NAME SELECT * FROM incoming")
        warehouse.con.unregister("incoming")


def timed_check(home: Path) -> tuple[float, int, list[dict]]:
    """(seconds, peak megabytes over all its processes, the command's answer)."""
    command = [sys.executable, "-m", "tkyt_analysis", "check", "--home", str(home), "--json"]
    started, peak = time.perf_counter(), 0
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True)
        while process.poll() is None:
            peak = max(peak, sum(map(_resident, _family(process.pid))))
            time.sleep(0.5)
        seconds = time.perf_counter() - started
        if process.returncode:
            raise SystemExit(process.stderr.read() if process.stderr else "check failed")
        out.seek(0)
        return seconds, peak // 1024, json.loads(out.read())


def _family(pid: int) -> list[int]:
    """The process and all below it."""
    parents: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parent = int(Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            parents.setdefault(parent, []).append(int(entry))
    found, waiting = [], [pid]
    while waiting:
        found.append(one := waiting.pop())
        waiting += parents.get(one, [])
    return found


def _resident(pid: int) -> int:
    """Resident kilobytes of its own (shared pages counted in every process that has them)."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


def main() -> None:
    given = options(__doc__ or "")
    lines, before = [], None
    for units in LARGE if given.large else SMALL:
        with tempfile.TemporaryDirectory(prefix="quality-") as folder:
            home = Path(folder) / "home"
            cells = fill(home, units)
            seconds, megabytes, answer = timed_check(home)
        lines.append(
            {
                "units": f"{units:,}", "cells": f"{cells:,}", "seconds": f"{seconds:.0f}", "MB": f"{megabytes:,}",
                "cells per second": f"{cells / seconds:,.0f}", "findings": f"{sum(one['findings'] for one in answer):,}",
                "growth (cells, seconds)": f"×{cells / before[0]:.2f}, ×{seconds / before[1]:.2f}" if before else "",
            }
        )  # fmt: skip
        before = (cells, seconds)
        print(lines[-1], flush=True)
    notes = ["All rules that run by default; time of a whole `tkyt check`, reading and storing included."]
    question = "How long does checking a nation take, and does memory stay flat?"
    present("bench_quality_scale", question, pd.DataFrame(lines), notes, repeats=1, markdown=given.markdown)


if __name__ == "__main__":
    main()
