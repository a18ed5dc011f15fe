"""Kulldorff's scan on the country's 713 districts with 999 replicates, beside the loop that one writes by hand.

The loop (one replicate after the other, one cumulative sum per centre) is timed on 9 replicates and its time per replicate is
compared; both give the same highest likelihood ratio of the observed map.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from measuring import options, present

from tkyt_analysis.analysis.spatial import scan_statistic

REPLICATES, BY_LOOP = 999, 9


def country(areas: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cases, people, x and y in km of drawn districts: about 45 events each."""
    rng = np.random.default_rng(1)
    places = rng.random((areas, 2)) * [500, 1500]
    people = rng.lognormal(11, 0.6, areas).round()
    return rng.poisson(people * 6e-4), people, places


def by_loop(cases: np.ndarray, people: np.ndarray, places: np.ndarray, replicates: int) -> list[float]:
    """Highest Poisson likelihood ratio of the observed map and of each replicate, centre by centre."""
    rng, total = np.random.default_rng(1), cases.sum()
    share = people / people.sum()
    orders = []
    for centre in range(len(cases)):
        order = np.argsort(np.hypot(*(places - places[centre]).T), kind="stable")
        orders.append(order[np.cumsum(share[order]) <= 0.5])
    highest = []
    for number in range(replicates + 1):
        counts, best = (cases if number == 0 else rng.multinomial(total, share)), 0.0
        for order in orders:
            c, e = np.cumsum(counts[order]), total * np.cumsum(share[order])
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = c * np.log(c / e) + (total - c) * np.log((total - c) / (total - e))
            best = max(best, float(np.nanmax(np.where(c > e, ratio, 0.0))))
        highest.append(best)
    return highest


def timed(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """(answer, seconds, processor seconds)."""
    started, worked = time.perf_counter(), time.process_time()
    answer = call()
    return answer, time.perf_counter() - started, time.process_time() - worked


def main() -> None:
    chosen = options(__doc__)
    lines = []
    for areas in (63, 713, *((3_321,) if chosen.large else ())):
        cases, people, places = country(areas)
        for model in ("poisson", "bernoulli"):
            found, seconds, processor = timed(
                lambda c=cases, n=people, xy=places, m=model: scan_statistic(c, n, xy, model=m, replicates=REPLICATES)
            )
            lines.append((areas, f"scan_statistic ({model}), {REPLICATES} replicates", seconds, processor, REPLICATES))
            if model == "poisson":
                observed = found["llr"].iloc[0]
        if areas < 1_000:
            loop, seconds, processor = timed(lambda c=cases, n=people, xy=places: by_loop(c, n, xy, BY_LOOP))
            assert np.isclose(loop[0], observed)
            lines.append((areas, f"loop by hand (poisson), {BY_LOOP} replicates", seconds, processor, BY_LOOP + 1))
    table = pd.DataFrame(lines, columns=["areas", "way", "seconds", "processor seconds", "maps"])
    table["processor ms per map"] = (1000 * table["processor seconds"] / table["maps"]).map("{:.2f}".format)
    table = table.drop(columns="maps").round({"seconds": 2, "processor seconds": 2})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    notes = [
        "Asked for: 713 areas with 999 replicates in at most 20 s.",
        f"Highest memory of the whole run: {peak:.0f} MiB. Both ways find the same likelihood ratio of the observed map.",
        "SaTScan and SpatialEpi are not installed on the machine that measured, so they were not timed.",
    ]
    question = "Scan statistic: all replicates at once beside the loop by hand"
    present("bench_scan", question, table, notes, repeats=1, markdown=chosen.markdown)


if __name__ == "__main__":
    main()
