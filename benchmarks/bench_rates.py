"""Directly standardised rates with limits for many series at once, beside the loop and the SQL that one writes by hand.

The whole country: 63 provinces × 20 years × 2 sexes × 103 causes of 18 age groups (259,560 series, 4.7 million rows), on one
core. statsmodels has no directly standardised rate (0.15), so the alternatives are written here. With PEERS=r (`make bench
PEERS=r`) and Rscript, PHEindicatormethods and epitools are timed on the same table where R has them.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import compare, options, present, scratch
from scipy.stats import chi2

from tkyt_analysis.analysis.standardise import directly_standardised_rate, directly_standardised_rates

PROVINCES, YEARS, SEXES, CAUSES, AGES = 63, 20, 2, 103, 18
COUNTRY = PROVINCES * YEARS * SEXES * CAUSES
KEYS = ["province", "year", "sex", "cause"]
STANDARD = np.linspace(9, 1, AGES)
LOOP_UP_TO = 8_000  # series; the loop of the whole country would take minutes
# Byar's limits of the total, moved to the rate (Dobson), as an analyst would write them.
SQL = f"""
    WITH one AS (
        SELECT {", ".join(KEYS)}, sum(events) AS o, sum(standard_population) AS s,
            sum(standard_population * events / person_years) AS y,
            sum((standard_population / person_years)^2 * events) AS v
        FROM series GROUP BY ALL)
    SELECT {", ".join(KEYS)}, 1e5 * y / s AS rate,
        1e5 * (y + sqrt(v / o) * (o * (1 - 1 / (9 * o) - 1.959964 / (3 * sqrt(o)))^3 - o)) / s AS lower,
        1e5 * (y + sqrt(v / o) * ((o + 1) * (1 - 1 / (9 * (o + 1)) + 1.959964 / (3 * sqrt(o + 1)))^3 - o)) / s AS upper
    FROM one ORDER BY ALL
"""


def series(count: int) -> pd.DataFrame:
    """The first `count` series of the country, 18 age groups each, with Poisson deaths."""
    rng = np.random.default_rng(2)
    number = np.arange(count)
    keys = {
        "province": np.array([f"VN2024:{code:02d}" for code in range(PROVINCES)])[number // (YEARS * SEXES * CAUSES)],
        "year": 2005 + number // (SEXES * CAUSES) % YEARS,
        "sex": np.array(["female", "male"])[number // CAUSES % SEXES],
        "cause": np.array([f"{code:03d}" for code in range(1, CAUSES + 1)])[number % CAUSES],
    }
    table = pd.DataFrame({name: np.repeat(values, AGES) for name, values in keys.items()})
    persons = rng.uniform(500, 5_000, count * AGES)
    rate = 5e-4 * np.exp(0.25 * np.arange(AGES))
    return table.assign(
        age_group=np.tile([f"{5 * age}-{5 * age + 4}" for age in range(AGES - 1)] + ["85+"], count),
        events=rng.poisson(np.tile(rate, count) * persons),
        person_years=persons,
        standard_population=np.tile(STANDARD, count),
    )


def one_rate(group: pd.DataFrame) -> pd.Series:
    """Dobson's rate and limits with exact Poisson limits of the count, for one series (Stat Med 1991;10:457-62)."""
    w = group["standard_population"] / group["standard_population"].sum() / group["person_years"]
    events = group["events"].sum()
    rate, spread = (w * group["events"]).sum(), np.sqrt((w**2 * group["events"]).sum() / events)
    low, high = chi2.ppf(0.025, 2 * events) / 2, chi2.ppf(0.975, 2 * events + 2) / 2
    limits = rate + spread * (low - events), rate + spread * (high - events)
    return pd.Series({"rate": 1e5 * rate, "lower": 1e5 * limits[0], "upper": 1e5 * limits[1]})


def by_sql(series: pd.DataFrame) -> pd.DataFrame:
    """The same in one statement of DuckDB, on one core."""
    import duckdb

    with duckdb.connect() as con:
        con.execute("PRAGMA threads=1")
        con.register("series", series)
        return con.sql(SQL).df()


def by_loop(table: pd.DataFrame) -> pd.DataFrame:
    """groupby.apply: what one writes first."""
    return table.groupby(KEYS)[["events", "person_years", "standard_population"]].apply(one_rate)


def check(table: pd.DataFrame) -> None:
    """All ways give the same rates, and Dobson's with exact limits of the count the same limits as the loop."""
    few = table.head(20 * AGES)
    ours, loop = directly_standardised_rate(few, KEYS, count_limits="exact"), by_loop(few)
    for name in ("rate", "lower", "upper"):
        assert np.allclose(ours[name], loop[name])
    byar, sql = directly_standardised_rate(few, KEYS), by_sql(few)
    for name in ("rate", "lower", "upper"):
        assert np.allclose(byar[name], sql[name], rtol=1e-6)


def ways(size: int) -> dict[str, Callable[[], object]]:
    """{way: call} on a table of so many series."""
    table = series(size)
    check(table)
    events, persons = (table[name].to_numpy(float).reshape(-1, AGES) for name in ("events", "person_years"))
    found: dict[str, Callable[[], object]] = {
        "directly_standardised_rate (Dobson)": lambda: directly_standardised_rate(table, KEYS),
        "directly_standardised_rate (Fay–Feuer)": lambda: directly_standardised_rate(table, KEYS, method="fay_feuer"),
        "directly_standardised_rate (mid-p)": lambda: directly_standardised_rate(table, KEYS, method="gamma_midp"),
        "directly_standardised_rates on arrays (Dobson)": lambda: directly_standardised_rates(
            events, persons, STANDARD
        ),
        "DuckDB, SQL by hand, 1 thread (Dobson)": lambda: by_sql(table),
    }
    if size <= LOOP_UP_TO:
        found["pandas groupby.apply by hand (Dobson)"] = lambda: by_loop(table)
    return found


def processor_seconds() -> str:
    """Processor time of one call for the whole country: what one core needs, whatever else runs on the machine."""
    table = series(COUNTRY)
    found = []
    for method in ("dobson", "fay_feuer", "tiwari", "gamma_midp"):
        took = []
        for _ in range(3):
            started = time.process_time()
            directly_standardised_rate(table, KEYS, method=method)
            took.append(time.process_time() - started)
        found.append(f"{method} {statistics.median(took):.2f} s")
    return "Processor time for the country (median of 3 calls, one core): " + ", ".join(found) + "."


def r_peers(size: int) -> str:
    """What the R packages need for the same table: their own words and seconds, or why they were not timed."""
    if os.environ.get("PEERS", "") != "r":
        return "R peers were not asked for (make bench PEERS=r)."
    if shutil.which("Rscript") is None:
        return "R peers were asked for, but this machine has no Rscript."
    with scratch() as folder:
        path = Path(folder) / "series.csv"
        series(size).to_csv(path, index=False)
        script = Path(__file__).with_name("peers_rates.R")
        done = subprocess.run(["Rscript", str(script), str(path)], capture_output=True, text=True, check=False)
    return f"R peers, {size:,} series: " + (done.stdout or done.stderr).strip().replace("\n", "; ")


def main() -> None:
    chosen = options(__doc__)
    found = compare([2_000, LOOP_UP_TO, COUNTRY], ways, repeats=chosen.repeats, what="series")
    notes = [
        "18 age groups per series; keys are text columns in order of the table. Before the clock starts all ways agree on 20 "
        "series (rates and limits; the loop with exact limits of the count).",
        f"{COUNTRY:,} series = 63 provinces × 20 years × 2 sexes × 103 causes; asked for: at most 2 s on one core.",
        "The loop is left out there: it grows with the number of series. SQL by hand gives no status, no reason, no check of "
        "absent ages, and no gamma limits.",
        processor_seconds(),
        r_peers(2_000),
    ]
    question = "Standardised rates of many series: arrays beside the loop and SQL by hand"
    present("bench_rates", question, found, notes, repeats=chosen.repeats, markdown=chosen.markdown)


if __name__ == "__main__":
    main()
