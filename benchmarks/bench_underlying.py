"""Underlying cause: agreement with real coded certificates, what each rule is worth, certificates per second.

Truth: 5,050 certificates of Brazil's SIM 2019 (reference data, `TKYT_REFERENCE`), coded by the rules before 2016; 4 and 3 characters.
Speed: certificates drawn line by line from those records, so that most are distinct; cold is the whole command in a new process.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from mortality.underlying_cause import Certificate
from mortality.underlying_cause.batch import causal_table, select_underlying_causes
from mortality.underlying_cause.engine import rules_of, select
from mortality.underlying_cause.profile import ABLATIONS, DEFAULT, PROFILES, RuleProfile

REFERENCE = Path(os.environ.get("TKYT_REFERENCE") or Path(__file__).resolve().parents[2] / "shared" / "reference")
LINES = ["line_a", "line_b", "line_c", "line_d"]
CODES = [*LINES, "part2"]
SEED = 7


def certificates() -> pd.DataFrame:
    """The open half of the coded records, all text."""
    return pd.read_csv(REFERENCE / "icd" / "ucod_open.csv", dtype=str, keep_default_na=False)


def decision_table() -> Path:
    """The decision table of NCHS among the reference data."""
    return REFERENCE / "icd" / "lists" / "acme_table_d_2015.csv"


def agreement(found: pd.Series, truth: pd.Series) -> tuple[float, float]:
    """Per cent of records that agree at four and at three characters; codes with or without dot."""
    bare = found.str.replace(".", "", regex=False).str[:4].to_numpy()
    four = float(np.mean(bare == truth.to_numpy()) * 100)
    three = float(np.mean(pd.Series(bare).str[:3].to_numpy() == truth.str[:3].to_numpy()) * 100)
    return round(four, 2), round(three, 2)


def naive(frame: pd.DataFrame) -> pd.Series:
    """The naive rule: the first code on the lowest used line of Part 1, else the first of Part 2."""
    lowest = pd.Series("", index=frame.index)
    for name in ["part2", *LINES]:
        first = frame[name].str.split().str[0].fillna("")
        lowest = first.where(first.ne(""), lowest) if name in LINES else first
    return lowest


def accuracy(frame: pd.DataFrame) -> pd.DataFrame:
    """One line per profile, without and with the decision table, and the naive rule first."""
    truth = frame["ucod"]
    lines = [("naive: lowest used line, first code", *agreement(naive(frame), truth))]
    for name, profile in PROFILES.items():
        for words, table in (("WHO 4.2.3", None), ("decision table", decision_table())):
            found = select_underlying_causes(frame, profile=profile, decision_table=table, workers=1)
            lines.append((f"{name}, {words}", *agreement(found["underlying_cause"], truth)))
    return pd.DataFrame(lines, columns=["rules", "4 characters %", "3 characters %"])


def ablation(frame: pd.DataFrame, profile: RuleProfile) -> pd.DataFrame:
    """What is lost without each rule, with the decision table of NCHS."""
    truth, table = frame["ucod"], decision_table()
    whole = _agreed(frame, profile, table, truth)
    lines = [(f"{profile.name}, all rules", *whole, 0.0, 0.0)]
    for switch in ABLATIONS:
        part = _agreed(frame, profile.without(switch), table, truth)
        lines.append((f"without {switch}", *part, round(part[0] - whole[0], 2), round(part[1] - whole[1], 2)))
    return pd.DataFrame(lines, columns=["rules", "4 characters %", "3 characters %", "change 4", "change 3"])


def _agreed(frame: pd.DataFrame, profile: RuleProfile, table: Path | None, truth: pd.Series) -> tuple[float, float]:
    found = select_underlying_causes(frame, profile=profile, decision_table=table, workers=1)
    return agreement(found["underlying_cause"], truth)


def drawn(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Certificates whose lines come from different records: real codes, nearly all certificates distinct."""
    draw = np.random.default_rng(SEED)
    columns = {name: frame[name].to_numpy()[draw.integers(0, len(frame), rows)] for name in CODES}
    person = frame.iloc[draw.integers(0, len(frame), rows)][["sex", "age_value", "age_unit"]].reset_index(drop=True)
    return pd.concat([person, pd.DataFrame(columns)], axis=1).assign(id=np.arange(rows).astype(str))


def speed(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Certificates per second one at a time and in a batch, without and with the decision table; tables filled beforehand."""
    many = drawn(frame, rows)
    few = many.head(20_000)
    lines = []
    for words, table in (("WHO 4.2.3", None), ("decision table", decision_table())):
        select_underlying_causes(frame, decision_table=table, workers=1)
        lines.append((f"one at a time, {words}", *_rate(len(few), partial(_plain, few, table))))
        work = partial(select_underlying_causes, many, decision_table=table, workers=1)
        lines.append((f"batch, one process, {words}", *_rate(rows, work)))
        work = partial(select_underlying_causes, many, decision_table=table, workers=2)
        lines.append(
            (f"batch, two processes, {words}", "", _rate(rows, work)[1])
        )  # the pool's CPU time is not counted here
    result = pd.DataFrame(lines, columns=["way", "per CPU second", "per second"])
    result.attrs["about"] = f"{rows:,} certificates, {len(many.drop_duplicates(CODES)):,} with distinct codes"
    return result


def _plain(frame: pd.DataFrame, table: Path | None) -> None:
    rules = rules_of(DEFAULT, causal_table(table, DEFAULT))
    for row in frame.to_dict("records"):
        select(Certificate.from_row(row), rules)


def cpu_seconds() -> float:
    """CPU time so far of this process and of the processes that it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _rate(rows: int, work: Callable[[], object]) -> tuple[int, int]:
    """Certificates per second of CPU time of one core, and per second on the clock of a machine that is never alone."""
    started, clock = cpu_seconds(), time.perf_counter()
    work()
    return round(rows / (cpu_seconds() - started)), round(rows / (time.perf_counter() - clock))


def cold(frame: pd.DataFrame, rows: int, folder: Path) -> tuple[int, int]:
    """The whole command on a file, from a new process to the written result: rates as in `_rate`."""
    source, target = folder / "bench_in.csv", folder / "bench_out.csv"
    drawn(frame, rows).to_csv(source, index=False)
    command = [sys.executable, "-m", "tkyt_analysis", "deaths", "underlying", str(source), "-o", str(target)]
    return _rate(rows, lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=200_000, help="certificates for the speed")
    parser.add_argument("--profile", default=None, help="profile of the ablation (default: each that agrees best)")
    parser.add_argument("--skip-ablation", action="store_true")
    chosen = parser.parse_args()
    frame = certificates()
    print("Agreement with 5,050 coded certificates")
    print(accuracy(frame).to_string(index=False))
    if not chosen.skip_ablation:
        profile = PROFILES[chosen.profile] if chosen.profile else DEFAULT
        print("\nAblation, decision table")
        print(ablation(frame, profile).to_string(index=False))
    rates = speed(frame, chosen.rows)
    print(f"\nSpeed: {rates.attrs['about']}")
    print(rates.to_string(index=False))
    with tempfile.TemporaryDirectory() as folder:
        cpu, clock = cold(frame, chosen.rows, Path(folder))
    print(f"whole command, cold, {chosen.rows:,} certificates: {cpu:,} per CPU second, {clock:,} per second")


if __name__ == "__main__":
    main()
