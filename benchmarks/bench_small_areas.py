"""Empirical Bayes rates and local association of every commune and year, beside esda's loop over the years.

The whole country before the merger: 10,035 communes × 20 years. Asked for: empirical Bayes in at most 2 s.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from measuring import compare, options, present

from tkyt_analysis.analysis.spatial import (
    Weights,
    empirical_bayes_rate,
    local_moran,
    moran,
    neighbours_from_points,
)

COMMUNES, YEARS = 10_035, 20
SMALL = 1_000


def country(areas: int) -> tuple[np.ndarray, np.ndarray, Weights]:
    """Deaths and population (communes × years) and six nearest neighbours; drawn, no real place."""
    rng = np.random.default_rng(9)
    people = np.repeat(rng.integers(300, 20_000, (areas, 1)), YEARS, axis=1).astype(float)
    risk = 0.0005 * rng.gamma(6, 1 / 6, (areas, 1))
    x, y = rng.uniform([103, 9], [109, 23], (areas, 2)).T
    return rng.poisson(people * risk).astype(float), people, neighbours_from_points(x, y, k=6)


def as_esda(weights: Weights) -> object:
    """The same neighbours as a libpysal W."""
    import libpysal

    ends = np.split(weights.links.indices, weights.links.indptr[1:-1])
    near = {i: others.tolist() for i, others in enumerate(ends)}
    return libpysal.weights.W(near, id_order=list(near), silence_warnings=True)


def esda_years(kind: str, deaths: np.ndarray, people: np.ndarray, w: object) -> np.ndarray:
    """What one writes with esda: one year after the other."""
    from esda.moran import Moran_Local
    from esda.smoothing import Empirical_Bayes, Spatial_Empirical_Bayes

    out = []
    for year in range(deaths.shape[1]):
        e, b = deaths[:, year], people[:, year]
        if kind == "global":
            out.append(Empirical_Bayes(e, b).r.ravel())
        elif kind == "local":
            out.append(Spatial_Empirical_Bayes(e, b, w).r.ravel())
        else:
            out.append(Moran_Local(e / b, w, permutations=0).Is)
    return np.array(out).T


def check(deaths: np.ndarray, people: np.ndarray, weights: Weights, w: object) -> None:
    """Before the clock starts: the same rates and the same local Moran."""
    d, p = deaths[:, :2], people[:, :2]
    for kind, options_ in (("global", {}), ("local", {"neighbours": weights, "method": "esda_local"})):
        ours = empirical_bayes_rate(d, p, **options_)["rate"].to_numpy().reshape(2, -1).T
        assert np.allclose(ours, esda_years(kind, d, p, w), rtol=1e-9)
    ours = local_moran(d / p, weights, scaling="esda")["local_i"].to_numpy().reshape(2, -1).T
    assert np.allclose(ours, esda_years("moran", d, p, w), rtol=1e-9)


def ways(areas: int) -> dict[str, Callable[[], object]]:
    """{way: call} for so many communes and 20 years."""
    deaths, people, weights = country(areas)
    w = as_esda(weights)
    check(deaths, people, weights, w)
    rate = deaths / people
    return {
        "empirical_bayes_rate (global, limits)": lambda: empirical_bayes_rate(deaths, people),
        "empirical_bayes_rate (local, limits)": lambda: empirical_bayes_rate(deaths, people, neighbours=weights),
        "empirical_bayes_rate (local, no limits)": lambda: empirical_bayes_rate(
            deaths, people, neighbours=weights, limits="none"
        ),
        "esda Empirical_Bayes, year by year": lambda: esda_years("global", deaths, people, w),
        "esda Spatial_Empirical_Bayes, year by year": lambda: esda_years("local", deaths, people, w),
        "local_moran (variance, p-values, clusters)": lambda: local_moran(rate, weights),
        "esda Moran_Local without permutations": lambda: esda_years("moran", deaths, people, w),
    }


def processor_seconds() -> str:
    """Processor time of one call for the country: what one core needs, whatever else runs on the machine."""
    deaths, people, weights = country(COMMUNES)
    rate = deaths[:, 0] / people[:, 0]
    calls = {
        "global": lambda: empirical_bayes_rate(deaths, people),
        "local": lambda: empirical_bayes_rate(deaths, people, neighbours=weights),
        "Clayton–Kaldor": lambda: empirical_bayes_rate(deaths, people, method="clayton_kaldor"),
        "Moran, one year, 999 permutations": lambda: moran(rate, weights, assumption="permutation"),
        "local Moran, one year, 999 permutations": lambda: local_moran(rate, weights, variance="permutation"),
    }
    found = []
    for name, call in calls.items():
        took = []
        for _ in range(3):
            started = time.process_time()
            call()
            took.append(time.process_time() - started)
        found.append(f"{name} {statistics.median(took):.2f} s")
    return "Processor time for the country (median of 3 calls, one core): " + ", ".join(found) + "."


def against_truth() -> str:
    """Root mean squared error and coverage on the practice country, whose true rates are known (nothing is timed)."""
    from tkyt_analysis.analysis.spatial import place_weights
    from tkyt_analysis.practice.country_series import deaths_by_commune_year

    def counted(rate: float) -> pd.DataFrame:
        rows = deaths_by_commune_year(first_year=2024, last_year=2024, geography="VN2025", rate=rate).table
        return rows.groupby("unit_id")[["events", "population"]].sum()

    year, many = counted(30), counted(300_000)  # the truth: 10,000 times as many deaths, so that chance hardly matters
    true = 1e5 * many["events"] / 1e4 / year["population"]
    given = {"per": 1e5, "neighbours": place_weights("VN2025", "commune")}
    overall = empirical_bayes_rate(year["events"], year["population"], per=1e5)
    local = empirical_bayes_rate(year["events"], year["population"], **given)
    rates = {"crude": overall["raw_rate"], "global": overall["rate"], "local": local["rate"]}
    error = ", ".join(f"{name} {np.sqrt(((rate - true) ** 2).mean()):.1f}" for name, rate in rates.items())
    held = ", ".join(
        f"{name} {100 * ((found['lower'] <= true) & (true <= found['upper'])).mean():.1f} %"
        for name, found in (("global", overall), ("local", local))
    )
    return (
        f"Practice country, {len(year):,} communes, {int(year['events'].sum()):,} events: root mean squared error per 100,000 "
        f"{error}; the 95 % limits hold the true rate: {held}."
    )


def main() -> None:
    chosen = options(__doc__)
    warnings.simplefilter("ignore")
    found = compare([SMALL, COMMUNES], ways, repeats=chosen.repeats, what="communes")
    notes = [
        f"20 years each; {COMMUNES:,} communes are all of Viet Nam before the merger. Asked for: empirical Bayes in at most 2 s.",
        "Before the clock starts ours and esda's agree on two years (relative difference below 1e-9). esda gives the rate alone: no "
        "limits, no status, no reason, negative weights where areas do not differ.",
        processor_seconds(),
        against_truth(),
    ]
    question = "Small areas: every commune and year at once beside esda's loop"
    present("bench_small_areas", question, found, notes, repeats=chosen.repeats, markdown=chosen.markdown)


if __name__ == "__main__":
    main()
