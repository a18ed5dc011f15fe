"""Outbreak detection on the practice country with planted outbreaks: sensitivity, false alarms, rank within the budget.

Beside it stands what a user would pick: the mean of the same month of the five years before plus two standard deviations.
Practice data are synthetic. Months judged: the last 60; series: 34 provinces × 3 events. `--seeds` draws other countries.

Printed per way: planted outbreaks found (of all, and of those that could be found: at least 5 events and at least twice the
expected number), false alarms per 100 series-months, how many of those found are in the budget of 5 alarms per month (whole
country) and their median rank among the alarms of their month, seconds.
Also two trials that the practice country does not plant: a nation-wide shock (all provinces × 1.6 in one month) and a calm
country whose events are three times as many on the days of Tết.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from tkyt_analysis.analysis.trend import detect_outbreaks
from tkyt_analysis.practice.country_series import events_by_month

KEYS, CELL = ["unit_id", "element_id"], ["unit_id", "element_id", "period_id"]
LAST, BUDGET, SHOCK_MONTH, SHOCK = 60, 5, "202506", 1.6


def ours(table: pd.DataFrame, **options: object) -> pd.DataFrame:
    """CELL, alarm, rank, extent of our detector."""
    found = detect_outbreaks(
        table, by=KEYS, period="period_id", population="person_years", last=LAST, budget=BUDGET, **options
    )
    return found.rename(columns={"period": "period_id"})


def mean_and_two_sd(table: pd.DataFrame, **_: object) -> pd.DataFrame:
    """CELL, alarm, rank: above mean + 2 SD of the same month of the five years before; ranked by how far above the mean."""
    rows = table.sort_values([*KEYS, "period_id"], ignore_index=True)
    same = rows.groupby([*KEYS, rows["period_id"].str[4:]])["events"]
    mean = same.transform(lambda one: one.shift().rolling(5).mean())
    spread = same.transform(lambda one: one.shift().rolling(5).std())
    rows = rows.assign(alarm=rows["events"] > mean + 2 * spread, over=rows["events"] - mean, extent="local")
    rows = rows[rows["period_id"].isin(sorted(rows["period_id"].unique())[-LAST:])]
    rank = rows["over"].where(rows["alarm"]).groupby(rows["period_id"]).rank(ascending=False, method="first")
    return rows.assign(rank=rank, within_budget=rank <= BUDGET)


WAYS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "noufaily": lambda table: ours(table),
    "farrington": lambda table: ours(table, method="farrington"),
    "pooled": lambda table: ours(table, method="pooled"),
    "noufaily, fdr=None": lambda table: ours(table, fdr=None),
    "mean + 2 SD": mean_and_two_sd,
}


def scored(way: str, seeds: list[int]) -> dict[str, object]:
    """The line of one way over all countries."""
    lines, seconds = [], 0.0
    for seed in seeds:
        country = events_by_month(seed=seed)
        start = time.perf_counter()
        found = WAYS[way](country.table)
        seconds += time.perf_counter() - start
        lines.append(
            found.merge(
                country.truth[[*CELL, "factor", "expected", "extra"]], on=CELL, how="left", suffixes=("", "_true")
            )
        )
    rows = pd.concat(lines, ignore_index=True)
    planted = rows[rows["factor"].notna()]
    true = planted["expected_true"] if "expected_true" in planted else planted["expected"]
    seen = planted["extra"] + true
    possible = planted[(seen >= 5) & (seen >= 2 * true)]
    hits = planted[planted["alarm"]]
    calm = rows[rows["factor"].isna()]
    return {
        "way": way, "found": f"{len(hits)}/{len(planted)}", "found_possible": f"{int(possible['alarm'].sum())}/{len(possible)}",
        "false_per_100": round(100 * float(calm["alarm"].mean()), 2), "alarms_per_month": round(len(rows[rows["alarm"]]) / LAST / len(seeds), 2),
        "in_budget": f"{int(hits['within_budget'].sum())}/{len(hits)}", "median_rank": float(hits["rank"].median()),
        "seconds": round(seconds / len(seeds), 2),
    }  # fmt: skip


def shared_trial(seed: int) -> pd.DataFrame:
    """A nation-wide shock: what becomes of the 34 provinces' alarms in that month."""
    country = events_by_month(seed=seed, outbreaks=0)
    rng = np.random.default_rng(seed)
    table = country.table.copy()
    hit = (table["element_id"] == "food_poisoning") & (table["period_id"] == SHOCK_MONTH)
    table.loc[hit, "events"] += rng.poisson(table.loc[hit, "events"] * (SHOCK - 1))
    lines = []
    for name in ("noufaily", "pooled", "mean + 2 SD"):
        month = WAYS[name](table).query("period_id == @SHOCK_MONTH and element_id == 'food_poisoning'")
        alarms = month[month["alarm"]]
        lines.append(
            (
                name,
                len(alarms),
                int((alarms["extent"] == "shared").sum()),
                int((alarms["extent"] != "shared").sum()),
                int(alarms["rank"].nunique()),
            )
        )
    return pd.DataFrame(lines, columns=["way", "alarms", "told_as_shared", "told_as_local", "cases_in_the_list"])


def tet_trial(seed: int) -> pd.DataFrame:
    """No outbreak, but three times the events on the days of Tết: false alarms per 100 series-months of January and February."""
    from tkyt_analysis.analysis.trend import tet_regressors

    table = events_by_month(seed=seed, outbreaks=0).table
    share = tet_regressors(table["period_id"].tolist(), windows={"tet": (-1, 5)})["tet"].to_numpy()
    table = table.assign(events=table["events"] + np.random.default_rng(seed).poisson(2 * table["events"] * share))
    lines = []
    for name, way in {"noufaily": {}, "noufaily, tet=False": {"tet": False}, "pooled": {"method": "pooled"}}.items():
        found = ours(table, **way)
        months = found[found["period_id"].str[4:].isin(["01", "02"])]
        lines.append(
            (
                name,
                len(months),
                round(100 * float(months["alarm"].mean()), 2),
                round(float((months["pvalue"] < 0.01).mean()), 4),
            )
        )
    return pd.DataFrame(lines, columns=["way", "months", "false_per_100", "share_p_below_0.01"])


def calibration(seeds: list[int]) -> pd.DataFrame:
    """Does `probability` mean what it says: of the counts with this probability, how many were planted (noufaily)."""
    parts = []
    for seed in seeds:
        country = events_by_month(seed=seed)
        parts.append(ours(country.table).merge(country.truth[[*CELL, "factor"]], on=CELL, how="left"))
    rows = pd.concat(parts)
    band = pd.cut(rows["probability"], [-0.01, 0.05, 0.3, 0.7, 0.95, 1.0])
    table = rows.assign(band=band, planted=rows["factor"].notna()).groupby("band", observed=True)
    return table.agg(
        counts=("planted", "size"), mean_probability=("probability", "mean"), planted=("planted", "sum")
    ).reset_index()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[20260101, 1, 2, 3, 4])
    seeds = parser.parse_args().seeds
    print(pd.DataFrame([scored(way, seeds) for way in WAYS]).to_string(index=False))
    print("\nnation-wide shock x", SHOCK)
    print(shared_trial(seeds[0]).to_string(index=False))
    print("\nthree times the events on the days of Tet")
    print(tet_trial(seeds[0]).to_string(index=False))
    print("\nprobability")
    print(calibration(seeds).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
