"""BYM2 for the 713 districts: seconds until the chains agree, R-hat and effective sample sizes, on maps with few and many events.

The districts are drawn (points, Delaunay neighbours, 5 islands); the truth is known, so the table also says how often the
95 % limits hold the true relative risk.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
from measuring import options, present
from scipy.spatial import Delaunay

from tkyt_analysis.analysis.spatial import bym2_rate

AREAS, ISLANDS, RHO, SIGMA = 713, 5, 0.7, 0.4


def district_map(rng: np.random.Generator) -> pd.DataFrame:
    """Pairs of neighbours among drawn points; the first few are islands."""
    corners = Delaunay(rng.random((AREAS, 2)) * [500, 1500]).simplices
    pairs = np.unique(np.sort(np.vstack([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]]), axis=1), axis=0)
    pairs = pairs[(pairs >= ISLANDS).all(axis=1)]
    return pd.DataFrame(np.vstack([pairs, pairs[:, ::-1]]), columns=["i", "j"])


def true_log_risk(neighbours: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """A map drawn from the model: σ·(√ρ·ICAR + √(1 − ρ)·independent)."""
    laplacian = np.zeros((AREAS, AREAS))
    np.subtract.at(laplacian, (neighbours["i"], neighbours["j"]), 1)
    np.fill_diagonal(laplacian, -laplacian.sum(axis=1))
    values, vectors = np.linalg.eigh(laplacian)
    spread = np.where(values > 1e-8, 1 / np.sqrt(np.where(values > 1e-8, values, 1)), 0)
    smooth = vectors @ (rng.normal(size=AREAS) * spread)
    return SIGMA * (np.sqrt(RHO) * smooth / smooth.std() + np.sqrt(1 - RHO) * rng.normal(size=AREAS))


def one_run(events_per_area: float) -> dict[str, str]:
    """Time and diagnostics of one map."""
    rng = np.random.default_rng(1)
    neighbours = district_map(rng)
    truth = np.exp(true_log_risk(neighbours, rng))
    expected = rng.lognormal(0, 0.7, AREAS) * events_per_area
    events = rng.poisson(expected * truth)
    started, worked = time.perf_counter(), time.process_time()
    table = bym2_rate(events, expected, neighbours, areas=list(range(AREAS)))
    seconds, processor = time.perf_counter() - started, time.process_time() - worked
    inside = ((table["lower"] <= truth) & (truth <= table["upper"])).mean()
    d = table.attrs["sampling"]
    return {
        "expected events (median)": f"{np.median(expected):.0f}",
        "districts": str(AREAS),
        "seconds": f"{seconds:.0f}",
        "processor seconds": f"{processor:.0f}",
        "chains × draws": f"{d['chains']} × {d['draws']}",
        "largest R-hat": f"{d['r_hat']:.4f}",
        "smallest bulk ESS": f"{d['ess_bulk']:.0f}",
        "divergences": str(d["divergences"]),
        "truth inside 95 % limits": f"{100 * inside:.1f} %",
    }


def main() -> None:
    chosen = options(__doc__)
    found = pd.DataFrame([one_run(size) for size in (2, 20, 200)])
    notes = [
        "Asked for: at most 5 minutes and R-hat below 1.01 for 713 areas. Times include compilation.",
        "The peers (CARBayes, INLA, Stan) are not installed on the machine that measured, so they were not timed.",
    ]
    question = "BYM2 on 713 districts: time until the chains agree, and whether the limits hold the truth"
    present("bench_bym2", question, found, notes, repeats=1, markdown=chosen.markdown)


if __name__ == "__main__":
    main()
