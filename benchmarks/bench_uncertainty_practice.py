"""Time and memory of the simulation with the packages of the catalog, on practice deaths: --provinces 2 8 63.

Four sources of doubt, 1,000 draws, standardised and crude rates and cause fractions of the WHO list. Processor time is what
counts on a busy machine; practice deaths are no real persons.
"""

from __future__ import annotations

import argparse
import resource
import time

import pandas as pd
from measures_truth import CAUSE_LIST, CELL, PACKAGES, Practice, draw_practice
from measuring import machine

from mortality.measures.uncertainty import simulate_rates

COMPLETENESS, DENOMINATOR_ERROR = (0.88, 0.85, 0.91), 0.02


def simulated(practice: Practice, units: list[str], draws: int) -> pd.DataFrame:
    deaths = practice.deaths[practice.deaths["in_book"] & practice.deaths["unit_id"].isin(units)]
    counts = deaths.groupby([*CELL, "book_code"], observed=True).size().rename("deaths").reset_index()
    return simulate_rates(
        counts.rename(columns={"book_code": "cause"}), practice.population[practice.population["unit_id"].isin(units)],
        redistribution=PACKAGES, cause_list=CAUSE_LIST, completeness=COMPLETENESS, denominator_error=DENOMINATOR_ERROR,
        draws=draws,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--provinces", type=int, nargs="+", default=[2, 8])
    parser.add_argument("--draws", type=int, default=1_000)
    chosen = parser.parse_args()
    practice = draw_practice(year=2024, seed=1)
    units = sorted(practice.population["unit_id"].unique())
    simulated(practice, units[:1], 10)  # lists and packages are read once
    for size in chosen.provinces:
        cpu, wall = time.process_time(), time.perf_counter()
        rows = simulated(practice, units[:size], chosen.draws)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{size} provinces: {time.process_time() - cpu:.1f} s of processor, {time.perf_counter() - wall:.1f} s by the clock, "
              f"{memory:.0f} MB at most, {len(rows):,} figures")  # fmt: skip
    print(machine())


if __name__ == "__main__":
    main()
