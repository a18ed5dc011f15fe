"""Joinpoint regression of many series, beside the loop over configurations that one writes with numpy."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
from measuring import compare, options, present

from tkyt_analysis.analysis.trend import joinpoint

YEARS, MOST, TESTED = 25, 3, 100


def drawn_series(count: int) -> pd.DataFrame:
    """`count` series of 25 years with 0 to 3 planted joinpoints, counts of about 2 000 deaths with their standard errors."""
    random = np.random.default_rng(9)
    year = np.arange(2000, 2000 + YEARS)
    slope = np.repeat(random.normal(0, 0.03, (count, 5)), 5, axis=1)
    deaths = random.poisson(2_000 * np.exp(np.cumsum(slope, axis=1)))
    rate = deaths / 20
    columns = {"series": np.repeat(np.arange(count), YEARS), "year": np.tile(year, count), "rate": rate.ravel()}
    return pd.DataFrame(columns).assign(se=(rate / np.sqrt(deaths)).ravel())


def by_hand(table: pd.DataFrame) -> list[int]:
    """Number of joinpoints by BIC: every configuration of every series with `numpy.linalg.lstsq`."""
    found = []
    for _, rows in table.groupby("series"):
        x, y = rows["year"].to_numpy(float), np.log(rows["rate"].to_numpy())
        root = (rows["rate"] / rows["se"]).to_numpy()
        scores = []
        for k in range(MOST + 1):
            sse = min(_squares(x, y, root, tau) for tau in itertools.combinations(x[2:-2], k) if _apart(tau))
            scores.append(np.log(sse / len(x)) + (2 * k + 2) * np.log(len(x)) / len(x))
        found.append(int(np.argmin(scores)))
    return found


def _apart(tau: tuple[float, ...]) -> bool:
    return all(after - before >= 3 for before, after in itertools.pairwise(tau))


def _squares(x: np.ndarray, y: np.ndarray, root: np.ndarray, tau: tuple[float, ...]) -> float:
    columns = [np.ones_like(x), x - x.mean(), *(np.clip(x - one, 0, None) for one in tau)]
    design = np.stack(columns, axis=1) * root[:, None]
    beta = np.linalg.lstsq(design, y * root, rcond=None)[0]
    return float(np.square(y * root - design @ beta).sum())


def main() -> None:
    chosen = options(__doc__ or "")
    sizes = [10, 100, 10_000]
    tables = {size: drawn_series(size) for size in sizes}
    ours = joinpoint(tables[10], by="series", max_joinpoints=MOST, select="bic").series["n_joinpoints"]
    assert ours.tolist() == by_hand(tables[10])  # the same answers

    def prepare(size: int) -> dict[str, Callable[[], object]]:
        table = tables[size]
        ways: dict[str, Callable[[], object]] = {
            "tkyt, weighted BIC": lambda: joinpoint(table, by="series", max_joinpoints=MOST)
        }
        if size <= TESTED:
            ways["tkyt, permutation test (4499)"] = lambda: joinpoint(
                table, by="series", max_joinpoints=MOST, select="permutation"
            )
        if size == sizes[0]:
            ways["loop with numpy, BIC"] = lambda: by_hand(table)
        return ways

    result = compare(sizes, prepare, repeats=chosen.repeats, what="series")
    notes = [
        "25 years, up to 3 joinpoints, weights from standard errors (each series its own); our times hold everything that "
        "`joinpoint` returns: APC, AAPC and joinpoints with limits, criteria, fitted values.",
        "The loop finds the number of joinpoints only, and the same numbers (checked before the measurement).",
        "Issue 9 asks for 10,000 series within 60 s, and the permutation test of 100 series within 120 s.",
    ]
    question = "Joinpoint regression of many series"
    present("bench_joinpoint", question, result, notes, repeats=chosen.repeats, markdown=chosen.markdown)


if __name__ == "__main__":
    main()
