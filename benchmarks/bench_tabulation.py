"""How long a million deaths take by cause list: drawn codes in a CSV (synthetic), from the file and from a table in memory.

python benchmarks/bench_tabulation.py [--deaths 1000000]
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from mortality.icd import code_universe
from mortality.tabulation.cause_lists import DEFAULT_LIST, load_cause_list
from mortality.tabulation.tables import tabulate_deaths
from mortality.tabulation.tabulate import tabulate

ASKED = (
    (DEFAULT_LIST, ["sex"]),
    (DEFAULT_LIST, ["sex", "age_group"]),
    ("nchs_113", ["sex"]),
    ("avoidable_deaths_2022", ["sex"]),
    ("injury_matrix", ["sex"]),
)


def drawn_deaths(number: int, seed: int = 1) -> pd.DataFrame:
    """Synthetic deaths: every code of the universe, some with a place digit, of an earlier edition, wrong or missing."""
    rng = np.random.default_rng(seed)
    pool = np.array([*code_universe(), "X709", "A90", "zz", ""])
    return pd.DataFrame(
        {
            "id": np.arange(number).astype(str),
            "sex": rng.choice(["Nam", "Nữ"], number),
            "age_value": rng.integers(0, 100, number).astype(str),
            "age_unit": "years",
            "underlying_cause": rng.choice(pool, number),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deaths", type=int, default=1_000_000)
    number = parser.parse_args().deaths
    deaths = drawn_deaths(number)
    load_cause_list(DEFAULT_LIST)
    started = time.perf_counter()
    table = tabulate_deaths(deaths, load_cause_list(DEFAULT_LIST), ["sex"])
    print(
        f"in memory  {DEFAULT_LIST:24} sex            {time.perf_counter() - started:6.2f} s  {table['deaths'].sum():,}"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deaths.csv"
        deaths.to_csv(path, index=False)
        for list_id, by in ASKED:
            started = time.perf_counter()
            result = tabulate(path, list_id=list_id, by=by)
            assert result.tabulated + result.gap + result.unknown == result.deaths == number
            print(
                f"from a CSV {list_id:24} {','.join(by):14} {time.perf_counter() - started:6.2f} s  {result.deaths:,}"
            )
    print(f"most memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
