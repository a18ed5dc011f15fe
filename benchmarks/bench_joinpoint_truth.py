"""Joinpoint regression against planted truth: how often the number of joinpoints is found and limits hold (nothing is timed)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from measuring import options, present

from tkyt_analysis.analysis.trend import joinpoint

YEARS = np.arange(2005, 2025)
BEND = 2014
BEFORE = 2.0  # per cent a year
SELECTORS = ("wbic", "bic", "bic3", "permutation")


def drawn(series: int, after: float, deaths: int) -> pd.DataFrame:
    """`series` drawn series of 20 years: +2 % a year until 2014, `after` per cent from then on, about `deaths` a year."""
    trend = np.log1p(BEFORE / 100) * (np.minimum(YEARS, BEND) - BEND)
    trend = trend + np.log1p(after / 100) * np.maximum(YEARS - BEND, 0)
    counts = np.random.default_rng(11).poisson(deaths * np.exp(trend), (series, len(YEARS)))
    columns = {"series": np.repeat(np.arange(series), len(YEARS)), "year": np.tile(YEARS, series)}
    return pd.DataFrame(columns).assign(deaths=counts.ravel(), population=1_000_000)


def one_line(after: float, deaths: int, series: int) -> dict[str, str]:
    """Shares of `series` series: right number by each selector, and limits that hold the truth of the right model."""
    table = drawn(series, after, deaths)
    right = int(after != BEFORE)
    line = {"per cent a year": f"{BEFORE:+g}, {after:+g}", "deaths a year": f"{deaths:,}"}
    for select in SELECTORS:
        tested = table[table["series"] < 200] if select == "permutation" else table
        found = joinpoint(tested, by="series", select=select, permutations=999, early_stopping=True).series
        line[f"right number, {select}"] = f"{(found['n_joinpoints'] == right).mean():.0%}"
    for errors in ("lerman", "conditional", "empirical"):
        few = table[table["series"] < 300] if errors == "empirical" else table
        choice = {"limits": "empirical", "draws": 500} if errors == "empirical" else {"standard_errors": errors}
        known = joinpoint(few, by="series", min_joinpoints=right, max_joinpoints=right, **choice).segments
        truth = np.where(known["segment"] == 1, BEFORE, after)
        line[f"limits hold, {errors}"] = f"{known['lower'].le(truth).mul(known['upper'].ge(truth)).mean():.1%}"
    return line


def main() -> None:
    chosen = options(__doc__ or "")
    lines = [one_line(after, deaths, 1_000) for after in (2.0, 0.0, -2.0) for deaths in (100, 1_000)]
    notes = [
        "1 000 drawn series of 20 years (Poisson), up to 3 joinpoints, Poisson weights; 200 series for the permutation test (999, "
        "stopped once decided), 300 for empirical limits (500 draws).",
        "Limits are those of the APC of both segments, 95 %, when the right number of joinpoints is given.",
    ]
    question = "Joinpoint regression: is the planted bend found, and do the limits hold the truth?"
    present("bench_joinpoint_truth", question, pd.DataFrame(lines), notes, repeats=1, markdown=chosen.markdown)


if __name__ == "__main__":
    main()
