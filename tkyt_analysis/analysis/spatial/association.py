"""Do high values lie beside high ones? Moran's I, Geary's C, Getis and Ord's G, and Assunção and Reis's index.

Cliff & Ord, Spatial Processes, 1981; Getis & Ord, Geographical Analysis 1992;24:189-206; Assunção & Reis, Stat Med
1999;18:2147-62. Figures follow R's spdep (moran.test, geary.test, globalG.test, EBImoran.mc); esda gives the same I.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import tail, z_value
from tkyt_analysis.analysis.spatial.global_moments import (
    Moments,
    geary_statistic,
    geary_variance,
    getis_statistic,
    getis_variance,
    moments_of,
    moran_statistic,
    moran_variance,
)
from tkyt_analysis.analysis.spatial.maps_of_values import (
    Maps,
    Numbers,
    alternative_word,
    beside,
    chosen,
    maps_of,
    normal_p,
    weights_of,
)
from tkyt_analysis.analysis.spatial.permutations import permuted, rank_p
from tkyt_analysis.analysis.spatial.standardised_rates import standardised_rate
from tkyt_analysis.analysis.spatial.weights import Weights
from tkyt_analysis.errors import UsageError

ASSUMPTIONS = ("randomisation", "normality", "permutation")
COUNTS = ("spdep", "with_neighbours", "all")
_FIGURES = ("statistic", "expectation", "variance", "z", "p_value", "lower", "upper")
_SPELLINGS = {
    "randomization": "randomisation",
    "normal": "normality",
    "permutations": "permutation",
    "mc": "permutation",
}


def moran(
    values: Any,
    neighbours: Any,
    *,
    population: Any = None,
    style: str | None = None,
    assumption: str = "randomisation",
    alternative: str = "greater",
    permutations: int = 999,
    seed: int = 1,
    count: str = "spdep",
    ranks: bool = False,
    confidence: float = 0.95,
    ids: Any = None,
) -> pd.DataFrame:
    """Moran's I of one map or many.

    Parameters
    ----------
    values : list, array or Series; areas × maps as array or DataFrame. Areas whose value is missing are left out, and the
        weights of the others are set anew.
    neighbours : anything that `spatial_weights` reads
    population : with it, `values` are events, and Assunção and Reis's standardised rates are tested (`empirical_bayes_index`)
    style : "W" (default; `Weights` keep their own), "B", "C", "U", "S", "minmax"
    assumption : "randomisation", "normality" (variance of I), or "permutation" (seeded, `permutations` draws)
    alternative : "greater" (like beside like), "less", "two_sided"
    count : how islands count in n. "spdep": they do not (adjust.n=TRUE); "with_neighbours": the same; "all"
    ranks : the kurtosis of ranks is put into the variance (spdep's rank=TRUE)

    Returns
    -------
    One row per map: statistic, expectation, variance, z, p_value, lower, upper (where I would lie without association),
    areas, islands, method, status, reason. Not assessable: fewer than 4 areas with neighbours, all values alike.
    """
    maps = maps_of(values, ids)
    if population is not None:
        maps = _standardised(maps, population)
    options: dict[str, Any] = {
        "style": style,
        "assumption": assumption,
        "alternative": alternative,
        "permutations": permutations,
    }
    return _test(
        "moran", maps, neighbours, options | {"seed": seed, "count": count, "ranks": ranks, "confidence": confidence}
    )


def geary(
    values: Any,
    neighbours: Any,
    *,
    style: str | None = None,
    assumption: str = "randomisation",
    alternative: str = "greater",
    permutations: int = 999,
    seed: int = 1,
    count: str = "spdep",
    confidence: float = 0.95,
    ids: Any = None,
) -> pd.DataFrame:
    """Geary's C of one map or many: below 1 where like lies beside like.

    Arguments and columns as in `moran`. z is (expectation − C)/√variance, so that "greater" asks for like beside like
    (spdep). count="spdep" mixes both numbers of areas where there are islands, as spdep does.
    """
    options: dict[str, Any] = {
        "style": style,
        "assumption": assumption,
        "alternative": alternative,
        "permutations": permutations,
    }
    return _test(
        "geary", maps_of(values, ids), neighbours, options | {"seed": seed, "count": count, "confidence": confidence}
    )


def global_g(
    values: Any,
    neighbours: Any,
    *,
    style: str | None = None,
    assumption: str = "randomisation",
    alternative: str = "greater",
    permutations: int = 999,
    seed: int = 1,
    count: str = "spdep",
    b1_correct: bool = True,
    confidence: float = 0.95,
    ids: Any = None,
) -> pd.DataFrame:
    """Getis and Ord's G of one map or many: large where high values lie beside high ones; values >= 0.

    Arguments and columns as in `moran`; style "B" by default. b1_correct=False takes 3 in place of 6 in the variance, as
    the article of 1992 printed and CrimeStat computes (spdep's B1correct=FALSE).
    """
    options: dict[str, Any] = {
        "style": style,
        "assumption": assumption,
        "alternative": alternative,
        "permutations": permutations,
    }
    options |= {"seed": seed, "count": count, "b1_correct": b1_correct, "confidence": confidence}
    return _test("global_g", maps_of(values, ids), neighbours, options)


def empirical_bayes_index(
    events: Any,
    population: Any,
    neighbours: Any,
    *,
    style: str | None = None,
    variance: str = "spdep",
    subtract_mean: bool = True,
    assumption: str = "permutation",
    alternative: str = "greater",
    permutations: int = 999,
    seed: int = 1,
    confidence: float = 0.95,
    ids: Any = None,
) -> pd.DataFrame:
    """Assunção and Reis's empirical Bayes index: Moran's I of rates standardised by their own uncertainty.

    variance : "spdep" (variance between areas kept >= 0) or "paper" (may be negative; where an area's variance then is, its
        chance part stands in; esda's assuncao_rate)
    subtract_mean : False leaves the mean of the standardised rates in the numerator (spdep's old default)
    Other arguments and columns as in `moran`; n counts all areas, as in spdep.
    """
    maps = _standardised(maps_of(events, ids), population, variance)
    options: dict[str, Any] = {
        "style": style,
        "assumption": assumption,
        "alternative": alternative,
        "permutations": permutations,
    }
    options |= {
        "seed": seed,
        "count": "all",
        "subtract_mean": subtract_mean,
        "confidence": confidence,
        "name": variance,
    }
    return _test("ebi", maps, neighbours, options)


def _standardised(maps: Maps, population: Any, variance: str = "spdep") -> Maps:
    values = standardised_rate(maps.values, beside(maps, population, "population"), variance=variance)
    return Maps(values, maps.areas, maps.series, maps.index)


def _test(name: str, maps: Maps, neighbours: Any, options: dict[str, Any]) -> pd.DataFrame:
    """The same test of every map; maps that lack the same areas are tested together."""
    assumption = chosen(options["assumption"], ASSUMPTIONS, "assumption", _SPELLINGS)
    words = {"assumption": assumption, "alternative": alternative_word(options["alternative"])}
    words["count"] = chosen(options["count"], COUNTS, "count")
    weights = weights_of(maps, neighbours, options["style"], default="B" if name == "global_g" else "W")
    if not maps.values.shape[1]:
        raise UsageError("error.spatial_no_maps")
    present = np.isfinite(maps.values)
    patterns, which = np.unique(present.T, axis=0, return_inverse=True)
    columns: dict[str, Any] = {}
    for number, kept in enumerate(patterns):
        chosen_maps = which.ravel() == number
        part = _of_areas(name, maps.values[kept][:, chosen_maps], weights.subset(kept), options | words)
        for column, found in part.items():
            blank = np.full(maps.values.shape[1], "" if column == "reason" else np.nan, dtype=object)
            columns.setdefault(column, blank)[chosen_maps] = found
    reason = columns.pop("reason")
    numbers = {column: np.asarray(found, dtype=float) for column, found in columns.items()}
    whole = {"areas": "int64", "islands": "int64"}
    return maps.one_each(numbers, method=_method_text(name, weights, options | words), reason=reason).astype(whole)


def _method_text(name: str, weights: Weights, options: dict[str, Any]) -> str:
    parts = [name, options["assumption"], f"style={weights.style}", options["alternative"]]
    if options["assumption"] == "permutation":
        parts.append(f"permutations={options['permutations']};seed={options['seed']}")
    if weights.islands.any():
        parts.append(f"count={options['count']}")
    parts += [f"variance={options['name']}"] if name == "ebi" else []
    return ";".join(parts)


def _of_areas(name: str, x: Numbers, weights: Weights, options: dict[str, Any]) -> dict[str, npt.ArrayLike]:
    """statistic … of maps without gaps."""
    m = moments_of(weights, options["count"])
    reason = _why_not(name, x, m, weights)
    usable = reason == ""
    if not usable.any():
        return _blank(x.shape[1], weights, reason)
    safe = np.where(usable, x, np.arange(len(x))[:, None])
    with np.errstate(all="ignore"):
        named = _with_draws(name, safe, weights, m, options)
        usable &= np.isfinite(named["z"])
    reason = np.where((reason == "") & ~usable, "reason.no_test_variance", reason)
    known: dict[str, npt.ArrayLike] = {key: np.where(usable, part, np.nan) for key, part in named.items()}
    return known | _counted(weights, reason)


def _with_draws(name: str, x: Numbers, weights: Weights, m: Moments, options: dict[str, Any]) -> dict[str, Numbers]:
    """statistic, expectation, variance, z, p_value, lower, upper: by moments, or from permutations."""
    sign = -1 if name == "geary" else 1
    statistic = _STATISTICS[name](x, weights.matrix, m, options)
    expectation, variance = _moments(name, x, m, options)
    if options["assumption"] == "permutation":
        drawn = permuted(
            lambda shuffled: _STATISTICS[name](shuffled, weights.matrix, m, options),
            x, options["permutations"], options["seed"],
        )  # fmt: skip
        expectation, variance = drawn.mean(axis=0), drawn.var(axis=0, ddof=1)
        side = tail(options["confidence"])
        lower, upper = np.quantile(drawn, [side, 1 - side], axis=0)
        p = rank_p(sign * statistic, sign * drawn, options["alternative"])
    z = sign * (statistic - expectation) / np.sqrt(variance)
    if options["assumption"] != "permutation":
        half = z_value(options["confidence"]) * np.sqrt(variance)
        lower, upper, p = expectation - half, expectation + half, normal_p(z, options["alternative"])
    found = {"statistic": statistic, "expectation": expectation, "variance": variance, "z": z, "p_value": p}
    return found | {"lower": lower, "upper": upper}


def _counted(weights: Weights, reason: npt.NDArray[np.str_]) -> dict[str, npt.ArrayLike]:
    return {"areas": weights.n, "islands": int(weights.islands.sum()), "reason": reason}


def _blank(maps: int, weights: Weights, reason: npt.NDArray[np.str_]) -> dict[str, npt.ArrayLike]:
    """Answers about maps of which none can be tested."""
    empty: dict[str, npt.ArrayLike] = {name: np.full(maps, np.nan) for name in _FIGURES}
    return empty | _counted(weights, reason)


def _why_not(name: str, x: Numbers, m: Moments, weights: Weights) -> npt.NDArray[np.str_]:
    few = np.full(x.shape[1], int((~weights.islands).sum()) < 4)
    alike = (x.max(axis=0) == x.min(axis=0)) if len(x) else np.ones(x.shape[1], dtype=bool)
    negative = ((x < 0).any(axis=0)) & (name == "global_g")
    return np.select(
        [few, alike, negative],
        ["reason.too_few_areas_with_neighbours", "reason.values_alike", "reason.negative_value"],
        default="",
    )


def _moments(name: str, x: Numbers, m: Moments, options: dict[str, Any]) -> tuple[Numbers, Numbers]:
    normality = options["assumption"] == "normality"
    if name == "geary":
        return np.ones(x.shape[1]), geary_variance(x, m, normality=normality)
    if name == "global_g":
        return np.full(x.shape[1], m.s0 / (m.size * m.n1)), getis_variance(x, m, b1_correct=options["b1_correct"])
    return np.full(x.shape[1], -1 / m.n1), moran_variance(x, m, normality=normality, ranks=options.get("ranks", False))


_STATISTICS = {"moran": moran_statistic, "ebi": moran_statistic, "geary": geary_statistic, "global_g": getis_statistic}
