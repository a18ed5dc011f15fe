"""Redistribution on practice deaths whose true cause is known: accuracy of cause fractions before and after, and coverage.

    python benchmarks/bench_redistribution.py [--year 2022] [--seed 77] [--provinces 02,06,…] [--draws 200]

Deaths in the book (practice: no real person) have the code that the station gave and the true one. Deaths whose true code is
itself one that the packages redistribute (about 3 %) are left out: nobody could say where they belong. Practice data and
packages come from one project, so this shows that the arithmetic and the limits work, not that the packages are true.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mortality.measures.cause_structure import csmf_accuracies
from mortality.measures.redistribution import (
    death_array,
    redistribute_counts,
    redistribution_draws,
    redistribution_rules,
)
from mortality.practice.measures_truth import practice_year
from mortality.tabulation.cause_lists import load_cause_list
from tkyt_analysis.reference.ages import ABRIDGED_85, age_group

LIST, PACKAGES, TOP = "who_mortality_list_1", "vn_2026", 20


def deaths_with_truth(year: int, seed: int, provinces: Sequence[str] | None) -> pd.DataFrame:
    """unit_id, sex, age_group, book_code, true_item of the deaths in the book."""
    parts = [deaths[deaths["in_book"]] for deaths in practice_year(year, seed=seed, provinces=provinces)]
    deaths = pd.concat(parts, ignore_index=True)
    deaths = deaths.assign(age_group=age_group(deaths["age_years"], ABRIDGED_85))
    rules = redistribution_rules(deaths["true_code"].unique(), PACKAGES, ages=["65-69"])
    garbage = {code for code, at in rules.code_class.items() if (rules.source[:, 0, at] >= 0).any()}
    known = deaths[~deaths["true_code"].isin(garbage)]
    return known.assign(true_item=load_cause_list(LIST).item_of(known["true_code"]))


def measure(deaths: pd.DataFrame, *, draws: int = 200, **options: Any) -> dict[str, float]:
    """Accuracy of the fractions of the provinces before and after, and the share of true counts inside 95 % limits."""
    start = time.process_time()
    array = death_array(deaths, PACKAGES, by=["unit_id"], code="book_code", cause_list=LIST)
    items = sorted(set(array.rules.items) | set(deaths["true_item"]))
    into = np.array([[one == item for item in items] for one in array.rules.items], float)
    true = pd.crosstab(deaths["unit_id"], deaths["true_item"]).reindex(index=array.places["unit_id"], columns=items, fill_value=0)  # fmt: skip
    truth = true.to_numpy(float)
    found = redistribute_counts(array.counts, array.rules)
    before, after, gained = (part.sum(axis=(1, 2)) @ into for part in (found.before, found.after, found.moved_in))
    drawn = redistribution_draws(array.counts, array.rules, draws=draws, **options).sum(axis=(2, 3)) @ into
    lower, upper = np.quantile(drawn, [0.025, 0.975], axis=0)
    covered = (truth >= np.floor(lower)) & (truth <= np.ceil(upper))
    moved, many = gained > 0.5, truth >= 20
    top = np.isin(np.arange(len(items)), np.argsort(-truth.sum(axis=0))[:TOP])[None] & moved
    return {
        "provinces": len(truth), "deaths": truth.sum(), "accuracy_before": csmf_accuracies(truth, before).mean(),
        "accuracy_after": csmf_accuracies(truth, after).mean(), "accuracy_after_least": csmf_accuracies(truth, after).min(),
        "coverage": covered[moved].mean(), "coverage_20_deaths": covered[moved & many].mean(), f"coverage_top_{TOP}": covered[top].mean(),
        "width": ((upper - lower) / truth.clip(1))[moved & many].mean(), "cpu_seconds": time.process_time() - start,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--year", type=int, default=2022)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--provinces", default="")
    parser.add_argument("--draws", type=int, default=200)
    given = parser.parse_args()
    provinces = given.provinces.split(",") if given.provinces else None
    for name, value in measure(deaths_with_truth(given.year, given.seed, provinces), draws=given.draws).items():
        print(f"{name:24}{value:12.4g}")


if __name__ == "__main__":
    main()
