"""Underlying cause: agreement with real coded certificates, what each rule is worth, certificates per second.

Truth: 5,050 certificates of Brazil's SIM 2019 (reference data, `TKYT_REFERENCE`), coded by the rules before 2016; 4 and 3 characters.
Speed: certificates drawn line by line from those records, so that nearly all are distinct; cold is the first call of a process.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
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
    """Certificates per second: one at a time, in one process, on two, and with the decision table; and what was distinct."""
    many = drawn(frame, rows)
    distinct = len(many.drop_duplicates(CODES))
    lines = []
    for words, table in (("WHO 4.2.3", None), ("decision table", decision_table())):
        few = many.head(min(rows, 20_000))
        lines.append((f"one at a time, {words}", _rate(len(few), lambda few=few, table=table: _plain(few, table))))
        for workers in (1, 2):
            rate = _rate(
                rows,
                lambda workers=workers, table=table: select_underlying_causes(
                    many, decision_table=table, workers=workers
                ),
            )
            lines.append((f"batch, {workers} process{'es' if workers > 1 else ''}, {words}", rate))
    result = pd.DataFrame(lines, columns=["way", "certificates/s"])
    result.attrs["about"] = f"{rows:,} certificates, {distinct:,} with distinct codes"
    return result


def _plain(frame: pd.DataFrame, table: Path | None) -> None:
    rules = rules_of(DEFAULT, causal_table(table, DEFAULT))
    for row in frame.to_dict("records"):
        select(Certificate.from_row(row), rules)


def _rate(rows: int, work) -> int:  # type: ignore[no-untyped-def]
    started = time.perf_counter()
    work()
    return round(rows / (time.perf_counter() - started))


def cold(frame: pd.DataFrame, rows: int, folder: Path) -> float:
    """Seconds of the whole command on a file, from a new process to the written result."""
    source, target = folder / "bench_in.csv", folder / "bench_out.csv"
    drawn(frame, rows).to_csv(source, index=False)
    command = [sys.executable, "-m", "tkyt_analysis", "deaths", "underlying", str(source), "-o", str(target)]
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


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
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        seconds = cold(frame, chosen.rows, Path(folder))
    print(f"whole command, {chosen.rows:,} certificates: {seconds:.1f} s = {chosen.rows / seconds:,.0f} certificates/s")


if __name__ == "__main__":
    main()
