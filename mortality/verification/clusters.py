"""Scan statistics and hierarchical models beside SpatialEpi and CARBayes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mortality.verification.cases import compare, reference_case
from tkyt_analysis.analysis.spatial import expected_by_area, gamma_poisson_rate, scan_statistic

LLR = 1e-6
STRATA = ["race", "gender", "age"]
MONTE_CARLO = (
    0.02  # p of two runs of 999 replicates each: 2.4 standard errors √(2·0.035·0.965 / 999) of their difference
)


@reference_case("pa_lung_kulldorff_scan", topic="spatial")
def lung_cancer_in_pennsylvania(folder: Path) -> Iterator[pd.DataFrame]:
    """SpatialEpi: expected cases by strata, Poisson and Bernoulli clusters, empirical Bayes by maximum likelihood."""
    counties = expected_by_area(pd.read_csv(folder / "input_strata.csv"), "county", STRATA)
    areas = counties.merge(
        pd.read_csv(folder / "expected_area.csv"), on="county", suffixes=("", "_theirs"), validate="1:1"
    )
    for name in ("population", "cases", "expected"):
        yield compare(f"{name} of a county", areas[name], areas[f"{name}_theirs"], tolerance=LLR)
    yield from _smoothed(folder, areas)
    table = counties.merge(pd.read_csv(folder / "input_geo.csv"), on="county", validate="1:1")
    theirs = pd.read_csv(folder / "expected_clusters.csv")
    yield from _clusters(scan_statistic(table, distance="spatialepi"), theirs[theirs["model"] == "poisson_16strata"])
    bernoulli = scan_statistic(
        table, expected=None, model="bernoulli", simulate="multinomial", distance="spatialepi", seed=2
    )
    yield from _clusters(bernoulli, theirs[theirs["model"] == "binomial"])


def _smoothed(folder: Path, areas: pd.DataFrame) -> Iterator[pd.DataFrame]:
    ours = gamma_poisson_rate(areas["cases"], areas["expected"])
    parameters = pd.read_csv(folder / "expected_ebayes_params.csv").iloc[0]
    yield compare("beta", ours.attrs["beta"], parameters["beta"], tolerance=LLR)
    yield compare("alpha", ours.attrs["alpha"], parameters["alpha"], tolerance=LLR)
    yield compare("posterior mean", ours["relative_risk"], areas["ebayes_RR"], tolerance=LLR)
    yield compare("posterior median", ours["median"], areas["ebayes_RRmed"], tolerance=LLR)


def _clusters(ours: pd.DataFrame, theirs: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The same clusters in the same order, the same counties nearest first, and p as near as simulation allows."""
    yield compare("number of clusters", len(ours), len(theirs), tolerance=0)
    names = theirs["model"] + " " + theirs["which"]
    mine, other = (table.reset_index(drop=True).reindex(range(len(theirs))) for table in (ours, theirs))
    same = mine["members"].str.join(";") == other["counties"]
    yield compare(names + ": counties", same, 1, tolerance=0)
    for figure in ("population", "cases", "expected", "smr", "llr"):
        yield compare(names + f": {figure}", mine[figure], other[figure], tolerance=LLR)
    yield compare(names + ": p (simulated)", mine["p_value"], other["p"], tolerance=MONTE_CARLO)
