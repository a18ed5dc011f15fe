"""Expected and excess deaths beside excessmort."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mortality.verification.cases import compare, reference_case
from tkyt_analysis.analysis.trend.excess import excess_deaths
from tkyt_analysis.analysis.trend.excess_curve import excess_cumulative, excess_model
from tkyt_analysis.analysis.trend.expected import compute_expected

EXPECTED, SUMS, SPREAD = 0.005, 0.01, 0.05
EXCLUDED = ["2017-12-16..2018-01-16", "2020-01-01.."]
CURVE = ("2020-02-01", "2021-02-27")
SUMMED = ("2020-03-07", "2021-02-27")


@reference_case("excessmort_massachusetts", topic="trends")
def massachusetts(folder: Path) -> Iterator[pd.DataFrame]:
    """Baseline without the influenza of 2017/18 and everything from 2020; the curve of the first epidemic year; sums."""
    counts = pd.read_csv(folder / "input.csv")
    expected = compute_expected(counts, exclude=EXCLUDED, frequency=52)
    curve = excess_model(expected, start=CURVE[0], end=CURVE[1], knots_per_year=12)
    assert not isinstance(curve, pd.DataFrame)
    yield from _compared(
        expected.table, folder / "expected_baseline.csv", {"expected": EXPECTED, "log_expected_se": SPREAD}
    )
    yield from _compared(curve.table, folder / "expected_curve.csv", {"expected": EXPECTED, "se": SPREAD, "sd": SPREAD})
    theirs = pd.read_csv(folder / "expected_curve.csv")["fitted"]
    yield compare("1 + fitted", 1 + curve.table["fitted"], 1 + theirs, tolerance=EXPECTED, relative=True)
    sums = {"observed": SUMS, "fitted": SUMS, "sd": SPREAD, "se": SPREAD}
    yield from _compared(excess_cumulative(curve, *SUMMED), folder / "expected_cumulative.csv", sums)
    yield from _front(counts, folder)


def _front(counts: pd.DataFrame, folder: Path) -> Iterator[pd.DataFrame]:
    """The same by the one function: baseline, and what adds up from the first summed week."""
    ours = excess_deaths(counts, method="quasipoisson", exclude=EXCLUDED, start=SUMMED[0], end=SUMMED[1], trend=True)
    theirs = pd.read_csv(folder / "expected_baseline.csv")
    yield compare("excess_deaths expected", ours["expected"], theirs["expected"], tolerance=EXPECTED, relative=True)
    summed = ours.loc[ours["cumulative_excess"].notna(), "cumulative_excess"]
    theirs = pd.read_csv(folder / "expected_cumulative.csv")
    yield compare("excess_deaths summed", summed, theirs["observed"], tolerance=SUMS, relative=True)


def _compared(ours: pd.DataFrame, file: Path, tolerances: dict[str, float]) -> Iterator[pd.DataFrame]:
    theirs = pd.read_csv(file)
    for column, tolerance in tolerances.items():
        name = file.stem + " " + column + " " + theirs["date"].astype(str)
        yield compare(name, ours[column], theirs[column], tolerance=tolerance, relative=True)
