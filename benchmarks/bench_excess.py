"""Excess deaths on practice data with planted waves: do the limits hold, and how long does it take.

    python benchmarks/bench_excess.py            about a minute; --seeds N, --series N

The waves, the season, Tết and heat are planted in `tkyt_analysis.practice.country_weeks`; 34 provinces and the nation,
2015–2025. Each method is told the same baseline. Coverage: share of weeks whose planted excess lies within the limits.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.analysis.trend import excess_deaths
from tkyt_analysis.practice.country_weeks import deaths_by_week

WAVES = ["2019-12-16..2020-02-09", "2020-10-05..2020-11-15", "2021-07-05..2021-10-24"]
SUMMED = ("2021W27", "2021W42", "south")
BEFORE: dict[str, Any] = {"baseline": (2015, 2019), "start": "2020-01-01", "end": "2022-12-31"}
WAYS: dict[str, dict[str, Any]] = {
    "quasipoisson": {},
    "quasipoisson, Tết": {"tet": True},
    "quasipoisson, Tết and heat": {"tet": True, "regressors": ["heat_days"]},
    "negative binomial, Tết and heat": {"tet": True, "regressors": ["heat_days"], "family": "negative_binomial"},
    "simulated, Tết and heat": {"tet": True, "regressors": ["heat_days"], "interval": "simulation", "draws": 1000},
    "five_year_average": {"method": "five_year_average"},
    "linear_trend": {"method": "linear_trend"},
    "euromomo": {"method": "euromomo"},
    "noufaily": {"method": "noufaily"},
}


def coverage(seed: int, options: dict[str, Any]) -> dict[str, float]:
    """Share of weeks within the limits (with and without a wave), of sums of the last wave, and the bias of Tết."""
    country = deaths_by_week(seed=seed)
    rows = country.table[country.table["unit_id"] != "VN"]
    given = BEFORE | options
    if given.get("method") == "euromomo":
        rows = rows[rows["year"] < 2023]
    began = time.perf_counter()
    found = excess_deaths(rows, by="unit_id", **given)
    took = time.perf_counter() - began
    truth = country.truth[["unit_id", "period_id", "expected", "excess_deaths"]]
    both = found.merge(truth, on=["unit_id", "period_id"], suffixes=("", "_true"))
    both = both.merge(rows[["unit_id", "period_id", "tet_days", "year"]], on=["unit_id", "period_id"])
    both = both[both["year"].between(2020, 2022) & both["excess"].notna()]
    within = both["excess_deaths"].between(both["lower"], both["upper"])
    wave, tet = both["excess_deaths"] > 0, both["tet_days"] >= 5
    bias = both["expected"] / both["expected_true"] - 1
    sums = _sums(found, truth)
    return {
        "waves": within[wave].mean(), "quiet": within[~wave & ~tet].mean(), "tet": within[~wave & tet].mean(),
        "bias_tet": bias[tet].mean(), "bias": bias[~tet].mean(), "sum_2020_2022": sums, "seconds": took,
    }  # fmt: skip


def _sums(found: pd.DataFrame, truth: pd.DataFrame) -> float:
    """Share of provinces whose planted sum of 2020–2022 lies within the limits of the sum."""
    last = found[found["cumulative_excess"].notna()].groupby("unit_id").last()
    years = truth[truth["period_id"].str[:4].isin(["2020", "2021", "2022"])]
    if last["cumulative_lower"].isna().all():
        return float("nan")
    planted = years.groupby("unit_id")["excess_deaths"].sum().reindex(last.index)
    return float(planted.between(last["cumulative_lower"], last["cumulative_upper"]).mean())


def speed(series: int) -> float:
    """Seconds for so many weekly series of eleven years."""
    rng = np.random.default_rng(1)
    dates = pd.date_range("2015-01-05", periods=570, freq="7D")
    rows = pd.DataFrame({
        "unit": np.repeat(np.arange(series), len(dates)), "date": np.tile(dates, series),
        "deaths": rng.poisson(40, series * len(dates)),
    })  # fmt: skip
    began = time.perf_counter()
    excess_deaths(rows, by="unit", start="2025-01-01", tet=True)
    return time.perf_counter() - began


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--series", type=int, default=1000)
    given = parser.parse_args()
    names = list(WAYS)
    found = [pd.DataFrame([coverage(seed, WAYS[name]) for seed in range(1, given.seeds + 1)]).mean() for name in names]
    print(pd.DataFrame(found, index=names).round(3).to_string())
    print(f"{given.series} series x 570 weeks: {speed(given.series):.1f} s")


if __name__ == "__main__":
    main()
