"""Joinpoint regression beside NCI's program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mortality.verification.cases import compare, reference_case
from tkyt_analysis.analysis.trend import JoinpointResult, joinpoint

APC, FITTED = 0.005, 0.02  # tolerances of the collection's index


@reference_case("nci_joinpoint_sample_both", topic="trends")
def nci_joinpoint_sample_both(folder: Path) -> Iterator[pd.DataFrame]:
    """Incidence of colorectal cancer, both sexes: up to 3 joinpoints by the permutation test, weights from standard errors.

    The number of joinpoints must be the same by the weighted BIC, with up to 3 and up to 5 joinpoints.
    """
    series, theirs = pd.read_csv(folder / "input.csv"), pd.read_csv(folder / "expected.csv")
    ours = joinpoint(series, max_joinpoints=3, select="permutation")
    yield from _segments(ours, theirs.rename(columns={"apc": "apc_percent"}), "permutation")
    for most in (3, None):
        found = joinpoint(series, max_joinpoints=most, select="wbic")
        yield compare("joinpoints, wbic", found.series["n_joinpoints"], len(theirs) - 1, tolerance=0)


@reference_case("nci_joinpoint_uk_cancer_mortality_1", topic="trends")
def nci_joinpoint_uk_cancer_mortality_1(folder: Path) -> Iterator[pd.DataFrame]:
    """Eight series of cancer mortality in the UK: weighted BIC, constant variance, as many joinpoints as the points allow."""
    series, expected = pd.read_csv(folder / "input_fitted.csv"), pd.read_csv(folder / "expected_segments.csv")
    by = ["country", "site", "sex"]
    ours = joinpoint(series, rate="asr_3yr_rolling", by=by, limits="empirical", draws=2000)
    keyed = {name: dict(list(getattr(ours, name).groupby(by))) for name in ("segments", "series", "fitted")}
    for key, theirs in expected.groupby(by):
        name = ", ".join(map(str, key))
        found = keyed["series"][key]["n_joinpoints"]
        yield compare(f"joinpoints, {name}", found, theirs["n_joinpoints"].iloc[0], tolerance=0)
        yield from _same_segments(keyed["segments"][key], theirs, name)
    both = series.merge(ours.fitted, on=[*by, "year"], validate="one_to_one")
    yield compare("fitted", both["fitted"], both["joinpoint_fitted"], tolerance=FITTED)


def _segments(ours: JoinpointResult, theirs: pd.DataFrame, name: str) -> Iterator[pd.DataFrame]:
    yield compare(f"joinpoints, {name}", ours.series["n_joinpoints"], len(theirs) - 1, tolerance=0)
    yield from _same_segments(ours.segments, theirs, name)


def _same_segments(ours: pd.DataFrame, theirs: pd.DataFrame, name: str) -> Iterator[pd.DataFrame]:
    """Years exactly, APC and its significance; segments are matched by their number."""
    both = theirs.merge(ours, on="segment", how="left", suffixes=("_theirs", ""), validate="one_to_one")
    for end in ("start", "end"):
        yield compare(f"{end}, {name}", both[end].astype(float), both[f"{end}_theirs"], tolerance=0)
    yield compare(f"apc, {name}", both["apc"], both["apc_percent"], tolerance=APC)
    yield compare(f"significant, {name}", both["significant"].astype(float), both["significant_0.05"], tolerance=0)
