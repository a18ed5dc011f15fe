"""The truth card: how good every check is, measured on errors that were planted; writes the catalog's `truth_card` and its page.

Three sources: practice warehouses of several seeds, all default rules as `tkyt check` runs them; reference panels with
planted digits (bench_panel_errors.py); drawn forms with planted special defects (bench_special_detectors.py). Some
minutes. Usage: python benchmarks/bench_truth_card.py [--seeds 1 2 3] [--scale commune|province]
"""

from __future__ import annotations

import argparse
import datetime
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from tkyt_analysis.pipeline import check_warehouse, prepare_home, run_steps
from tkyt_analysis.practice import make_practice_data
from tkyt_analysis.practice.met import as_card, score_rules
from tkyt_analysis.practice.score import read_truth
from tkyt_analysis.quality.run import all_rules
from tkyt_analysis.quality.truth_card import COLUMNS
from tkyt_analysis.quality.truth_card_page import page_of_card
from tkyt_analysis.warehouse.lake import Warehouse

REPOSITORY = Path(__file__).resolve().parents[1]
CARD = REPOSITORY / "data_catalog" / "codelists" / "truth_card.csv"
PAGE = REPOSITORY / "docs" / "truth_card.md"
SEEDS = (101, 102, 103)
HEAD = """# How good the checks are, measured on planted errors by benchmarks/bench_truth_card.py (make bench). Not written by hand.
"""


def practice_card(seeds: tuple[int, ...], scale: str) -> pd.DataFrame:
    """Every default rule on practice warehouses of these seeds."""
    scores = [_scores(seed, scale) for seed in seeds]
    return as_card(pd.concat(scores), panel=f"practice_{scale}", seeds=" ".join(map(str, seeds)))


def _scores(seed: int, scale: str) -> pd.DataFrame:
    from tkyt_analysis.ingest.receive import ingest

    with tempfile.TemporaryDirectory(prefix="truth-") as folder:
        home = Path(folder) / "home"
        prepare_home(home, practice=True)
        make_practice_data(scale, home / "practice", seed=seed)
        ingest(home, [home / "practice" / "received"])
        run_steps(home)
        check_warehouse(home)
        with Warehouse(home) as warehouse:
            return score_rules(warehouse.query, read_truth(home / "practice"), all_rules())


def panel_card(script: str) -> pd.DataFrame:
    """What a benchmark of detectors measured, as it writes it with --csv."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "card.csv"
        subprocess.run([sys.executable, str(REPOSITORY / "benchmarks" / script), "--csv", str(path)], check=True)
        return pd.read_csv(path, dtype={"seeds": "str"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--scale", default="commune")
    given = parser.parse_args()
    parts = [practice_card(tuple(given.seeds), given.scale)]
    parts += [panel_card(script) for script in ("bench_panel_errors.py", "bench_special_detectors.py")]
    card = pd.concat(parts, ignore_index=True).assign(measured=datetime.date.today().isoformat())
    card = card.sort_values(["check", "panel", "kind"], ignore_index=True).reindex(columns=COLUMNS).round(4)
    CARD.write_text(HEAD + card.to_csv(index=False, lineterminator="\n"), "utf-8")
    PAGE.write_text(page_of_card(card), "utf-8")
    print(card.drop(columns="measured").to_string(index=False))


if __name__ == "__main__":
    main()
