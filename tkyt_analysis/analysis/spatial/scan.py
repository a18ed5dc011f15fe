"""Kulldorff's scan statistic: where (and when) are there more cases than chance explains?

Windows around each area grow until they hold a share of the population; each is weighed by its likelihood ratio, and the
highest is compared with the highest of maps on which the same number of cases fell by chance.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.spatial.scan_draws import replicates as simulated
from tkyt_analysis.analysis.spatial.scan_input import ScanData, at_risk, counts_type, scan_data
from tkyt_analysis.analysis.spatial.scan_result import (
    cluster_line,
    cluster_table,
    nothing_found,
    p_value,
    with_attributes,
)
from tkyt_analysis.analysis.spatial.scan_score import Best, best_of_replicates, score_of
from tkyt_analysis.analysis.spatial.scan_secondary import RULES, reported
from tkyt_analysis.analysis.spatial.scan_zones import (
    ELLIPSES,
    PENALTY,
    Whole,
    Zones,
    spatialepi_grid,
    sums_over_windows,
    time_windows,
)
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

MODELS = ("poisson", "bernoulli", "space_time_permutation")
DIRECTIONS = ("high", "low", "both")
DISTANCES = ("auto", "euclidean", "great_circle", "spatialepi")
P_METHODS = ("monte_carlo", "gumbel")
DRAWS = {"poisson": "multinomial", "bernoulli": "hypergeometric", "space_time_permutation": "permutation"}
_WORDS = {
    "binomial": "bernoulli", "discrete_poisson": "poisson", "permutation": "space_time_permutation",
    "elliptical": "elliptic", "ellipse": "elliptic", "circle": "circular", "mc": "monte_carlo", "two_sided": "both",
    "no_geographical_overlap": "no_overlap", "no_centers_in_other": "no_centres_in_other", "haversine": "great_circle",
    "latlong2grid": "spatialepi", "no_restrictions": "all_centres", "most_likely_only": "none", "planar": "euclidean",
}  # fmt: skip


def scan_statistic(
    cases: Any,
    population: Any = None,
    coordinates: Any = None,
    *,
    expected: Any = None,
    areas: Any = None,
    model: str = "poisson",
    direction: str = "high",
    max_population_share: float = 0.5,
    max_radius: float | None = None,
    max_areas: int | None = None,
    shape: str = "circular",
    ellipses: dict[float, int] | None = None,
    penalty: str = "medium",
    distance: str = "auto",
    time: str | None = None,
    periods: Any = None,
    max_time_share: float = 0.5,
    max_periods: int | None = None,
    secondary: str = "spatialepi",
    report: str = "significant",
    replicates: int = 999,
    seed: int = 1,
    simulate: str | None = None,
    p_method: str = "monte_carlo",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Clusters of cases in space, or in space and time, with the probability that chance makes one like it.

    Parameters
    ----------
    cases : a table with one row per area (columns area, cases, population and/or expected, x and y or longitude and
        latitude; with `time` one row per area and period), or counts by area (areas × periods with `time`)
    population : people at risk by area; decides how far windows grow, and is the base where `expected` is not given
    expected : expected cases by area, standardised for age and sex (`expected_by_area`); any scale
    coordinates : n × 2, a table, or a GeoDataFrame (a point inside each area)
    areas : names of the areas, or the column that holds them
    model : "poisson" (counts and expected counts or people), "bernoulli" (each person has the event or not; cases and
        population, or cases and controls), "space_time_permutation" (cases alone, with `time`)
    direction : "high", "low", "both"
    max_population_share, max_radius (unit of the coordinates; km for degrees), max_areas : the largest window
    shape : "circular", "elliptic" (`ellipses`: {long side over short: directions}; `penalty` none, medium, strong)
    distance : "auto" (great circle for columns called longitude/latitude, else straight lines), "euclidean",
        "great_circle", "spatialepi" (SpatialEpi::latlong2grid)
    time : None, "retrospective" (every run of periods), "prospective" (runs that reach the last period);
        max_time_share, max_periods : the longest run
    secondary : "spatialepi" (default), or a rule of SaTScan: "no_overlap", "no_centres_in_other",
        "no_centres_in_more_likely", "no_centres_in_less_likely", "no_pairs_of_centres", "all_centres"; "none"
    report : "significant" (most likely, then those with p ≤ `alpha` up to the first that is not, as SpatialEpi), "all"
    replicates, seed : maps by chance (999 gives p down to 0.001); same seed, same answer
    simulate : "multinomial" (default of Poisson; SpatialEpi's way for Bernoulli too), "hypergeometric" (default of
        Bernoulli: nobody is a case twice)
    p_method : "monte_carlo", rank / (replicates + 1), or "gumbel" (distribution fitted to the replicates' maxima by moments)

    Returns
    -------
    One row per cluster: cluster (1 is the most likely), rank ("most_likely", "secondary"), direction, centre, centre_x,
    centre_y, radius, areas (how many), members (tuple of names, nearest first), population, cases, expected, smr (cases /
    expected), relative_risk (smr over that of the rest), llr, monte_carlo_rank, p_value, significant, start, end, ratio,
    angle, method, status, reason. `expected` is scaled so that the whole map has as many as were seen. Without any case,
    or with one area, one row that is not assessable; no row at all where no window stands out on the asked side.
    `attrs`: replicate_maxima, total_cases, options. `cluster_of_areas` gives one row per area for maps.

    References
    ----------
    Kulldorff, Commun Stat Theory Methods 1997;26:1481-96; Kulldorff et al., Stat Med 2006;25:3929-43 (ellipses); PLoS Med
    2005;2:e59 (permutation); Abrams et al., Int J Health Geogr 2010;9:61 (Gumbel). Defaults follow SpatialEpi::kulldorff.
    """
    model, direction = _word("model", model, MODELS), _word("direction", direction, DIRECTIONS)
    rule, p_method = _word("secondary", secondary, RULES), _word("p_method", p_method, P_METHODS)
    simulate = _word("simulate", simulate or DRAWS[model], ("multinomial", "hypergeometric", "permutation"))
    _require_numbers(max_population_share, max_time_share, alpha, replicates)
    if model == "space_time_permutation" and time is None:
        raise UsageError("error.scan_needs_time")
    data = scan_data(
        cases, population, coordinates, expected=expected, areas=areas, time=time is not None, periods=periods
    )
    base, people = at_risk(data, model)
    windows, labels = _windows(data, time, max_time_share, max_periods)
    places, metric = _places(data, _word("distance", distance, DISTANCES))
    shapes = _shapes(_word("shape", shape, ("circular", "elliptic")), ellipses)
    exponent = PENALTY[_word("penalty", penalty, tuple(PENALTY))]
    zones = Zones(places, people, metric, max_population_share, max_radius, max_areas, shapes, exponent)
    method = _method(model, direction, simulate, rule, p_method, replicates, seed, shape, time)
    total = float(data.cases.sum())
    if total == 0 or len(data.areas) < 2:
        reason = "reason.scan_no_cases" if total == 0 else "reason.scan_one_area"
        return nothing_found(method, reason)
    score = score_of(
        model if model == "bernoulli" else "poisson", cases=total, base=float(base.sum()), direction=direction
    )
    maxima = _maxima(
        zones, data.cases, base, windows, kind=simulate, count=replicates, seed=seed, model=model, direction=direction
    )
    counts = data.cases if not counts_type(data.cases) else data.cases.astype(np.int64)
    found = reported(zones, sums_over_windows(counts, windows), sums_over_windows(base, windows), score, rule=rule)
    kept = _kept(found, maxima, alpha=alpha, p_method=p_method, report=report)
    lines = [cluster_line(best, p, rank, data, base, windows, labels) for best, p, rank in kept]
    return cluster_table(lines, method, alpha).pipe(with_attributes, maxima, total, data.areas)


def _word(option: str, value: str, known: tuple[str, ...]) -> str:
    found = option_word(value, known, _WORDS)
    if found not in known:
        raise UsageError("error.scan_option", option=option, found=value, known=", ".join(known))
    return str(found)


def _require_numbers(population_share: float, time_share: float, alpha: float, replicates: int) -> None:
    for option, value, usable in (
        ("max_population_share", population_share, 0 < population_share <= 1),
        ("max_time_share", time_share, 0 < time_share <= 1),
        ("alpha", alpha, 0 < alpha <= 1),
        ("replicates", replicates, replicates >= 0 and int(replicates) == replicates),
    ):
        if not usable:
            known = "0, 1, 2, …" if option == "replicates" else "0 < … ≤ 1"
            raise UsageError("error.scan_option", option=option, found=value, known=known)


def _windows(data: ScanData, time: str | None, share: float, longest: int | None) -> tuple[Whole, tuple[Any, ...]]:
    """Runs of periods, and the names of the periods; without time one run of all."""
    count = data.cases.shape[1]
    if time is None:
        return np.array([[0, count]], dtype=np.intp), ("",) * count
    return time_windows(count, kind=time, max_share=share, max_periods=longest), data.periods


def _places(data: ScanData, distance: str) -> tuple[Numbers, str]:
    if distance == "spatialepi":
        return spatialepi_grid(*data.places.T), "euclidean"
    great_circle = data.degrees if distance == "auto" else distance == "great_circle"
    return data.places, "great_circle" if great_circle else "euclidean"


def _shapes(shape: str, ellipses: dict[float, int] | None) -> dict[float, int]:
    return {1.0: 1} if shape == "circular" else dict(ellipses or ELLIPSES)


def _method(
    model: str, direction: str, simulate: str, rule: str, p_method: str, count: int, seed: int, shape: str,
    time: str | None,
) -> str:  # fmt: skip
    parts = [f"kulldorff_{model}", f"direction={direction}", f"shape={shape}", f"secondary={rule}"]
    parts += [f"simulate={simulate}", f"p={p_method}", f"replicates={count}", f"seed={seed}"]
    return ";".join([*parts, *([f"time={time}"] if time else [])])


def _maxima(
    zones: Zones, cases: Numbers, base: Numbers, windows: Whole, *, kind: str, count: int, seed: int, model: str,
    direction: str,
) -> Numbers:  # fmt: skip
    """The highest score of each replicate."""
    over_time = sums_over_windows(base, windows)
    drawn = float(np.round(cases.sum()))
    score = score_of(
        model if model == "bernoulli" else "poisson", cases=drawn, base=float(base.sum()), direction=direction
    )
    blocks = simulated(kind, cases, base, count=count, seed=seed, cells=over_time.size)
    found = [best_of_replicates(zones, sums_over_windows(block, windows), over_time, score) for block in blocks]
    return np.concatenate(found) if found else np.empty(0)


def _kept(found: Any, maxima: Numbers, *, alpha: float, p_method: str, report: str) -> list[tuple[Best, float, int]]:
    kept: list[tuple[Best, float, int]] = []
    for best in islice(found, 1000):
        p, rank = p_value(best.score, maxima, p_method)
        if kept and report != "all" and not p <= alpha:
            break
        kept.append((best, p, rank))
    return kept
