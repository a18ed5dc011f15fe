"""Where like lies beside like: local Moran (LISA) and Getis and Ord's Gi and Gi*, area by area.

Anselin, Geographical Analysis 1995;27:93-115; Sokal, Oden & Thomson, Geographical Analysis 1998;30:331-54; Ord & Getis,
Geographical Analysis 1995;27:286-306. Defaults follow R's spdep 1.2 and later (localmoran, localG). esda's local Moran is
spdep's × (n − 1)/n, and its Gi uses the variance of binary weights whatever the weights are: `scaling="esda"` and
`variance="binary"` give those.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import z_value
from tkyt_analysis.analysis.spatial.local_figures import local_g_figures, local_moran_figures
from tkyt_analysis.analysis.spatial.maps_of_values import (
    Maps,
    alternative_word,
    beside,
    chosen,
    maps_of,
    normal_p,
    weights_of,
)
from tkyt_analysis.analysis.spatial.multiple_tests import ADJUSTMENTS, adjusted
from tkyt_analysis.analysis.spatial.standardised_rates import standardised_rate
from tkyt_analysis.analysis.spatial.weights import Weights
from tkyt_analysis.errors import UsageError
from tkyt_analysis.labels import label

_KINDS = ("conditional", "total", "permutation")
_VARIANCES = {"conditional_randomisation": "conditional", "randomisation": "total", "permutations": "permutation"}
_QUADRANTS = ("pysal", "mean", "median")
CLUSTERS = ("high_high", "low_low", "high_low", "low_high", "hot", "cold", "not_significant")


def local_moran(
    values: Any,
    neighbours: Any,
    *,
    population: Any = None,
    style: str | None = None,
    variance: str = "conditional",
    scaling: str = "spdep",
    alternative: str = "two_sided",
    adjust: str = "none",
    alpha: float = 0.05,
    quadrant: str = "pysal",
    permutations: int = 999,
    seed: int = 1,
    confidence: float = 0.95,
    ids: Any = None,
) -> pd.DataFrame:
    """Local Moran's I of each area, with the kind of cluster it lies in.

    Parameters
    ----------
    values : list, array or Series; areas × maps as array or DataFrame. Areas with a missing value are left out, and the
        weights of the others are set anew.
    neighbours : anything that `spatial_weights` reads; an area is not its own neighbour
    population : with it, `values` are events, and Assunção and Reis's standardised rates are mapped (local EBI)
    style : "W" (default; `Weights` keep their own), "B", "C", "U", "S", "minmax"
    variance : "conditional" (the area's own value is held; spdep's default from 1.2), "total" (spdep conditional=FALSE, the
        default before), or "permutation" (neighbours drawn from the other areas, seeded)
    scaling : "spdep" (divisor Σz²/n), "esda" (also GeoDa, spdep mlvar=FALSE: Σz²/(n − 1)) of I
    alternative : "two_sided" (spdep from 1.2), "greater" (before), "less"
    adjust : "none", "fdr" (Benjamini–Hochberg), "bonferroni", "holm", "by" (Benjamini–Yekutieli) over all areas, or
        "bonferroni_neighbours" (times neighbours + 1: spdep's p.adjustSP)
    quadrant : high and low of an area and of its neighbours: "pysal" (z and its lag against 0), "mean", "median" (each
        against the mean or median of its kind; spdep's attribute quadr)

    Returns
    -------
    One row per area (many maps: series, area first): value, lag (of the neighbours), local_i, expectation, variance, z,
    p_value, p_adjusted, lower, upper (where I would lie without association), quadrant, cluster ("high_high", "low_low",
    "high_low", "low_high" where p_adjusted < alpha, else "not_significant"; "" where not assessable; words:
    `cluster_word`), neighbours, method, status, reason. An island has local_i 0 and no p-value.
    """
    maps = maps_of(values, ids)
    if population is not None:
        rates = standardised_rate(maps.values, beside(maps, population, "population"))
        maps = Maps(rates, maps.areas, maps.series, maps.index)
    words: dict[str, Any] = {
        "variance": chosen(variance, _KINDS, "variance", _VARIANCES),
        "scaling": chosen(scaling, ("spdep", "esda"), "scaling", {"geoda": "esda", "pysal": "esda"}),
        "quadrant": chosen(quadrant, _QUADRANTS, "quadrant"), "alternative": alternative_word(alternative),
        "adjust": chosen(adjust, tuple(ADJUSTMENTS), "adjust", {"bh": "fdr", "benjamini_hochberg": "fdr"}),
        "permutations": permutations, "seed": seed,
    }  # fmt: skip
    weights = weights_of(maps, neighbours, style)
    if weights.self_included:
        raise UsageError("error.spatial_self_included")
    found = _over_maps(maps, weights, lambda x, w: local_moran_figures(x, w, words))
    method = ["local_moran" + (";standardised_rate" if population is not None else ""), words["variance"]]
    return _finished(maps, found, words, method, weights, alpha=alpha, confidence=confidence)


def local_g(
    values: Any,
    neighbours: Any,
    *,
    star: bool | None = None,
    style: str | None = None,
    variance: str = "general",
    alternative: str = "two_sided",
    adjust: str = "none",
    alpha: float = 0.05,
    permutations: int = 999,
    seed: int = 1,
    confidence: float = 0.95,
    ids: Any = None,
) -> pd.DataFrame:
    """Getis and Ord's Gi (or Gi*) of each area: z-scores of hot and cold spots.

    Parameters
    ----------
    star : True for Gi* (the area counts among its neighbours), False for Gi; default: Gi*, if the neighbours say so
    style : "B" by default (`Weights` keep their own)
    variance : "general" (Ord & Getis 1995, any weights; spdep's localG), "binary" (esda's G_Local: right for 0/1 weights
        only) or "permutation"
    Other arguments as in `local_moran`.

    Returns
    -------
    One row per area: value, lag (weighted sum over the neighbourhood), g (its share of the sum of all), expectation,
    variance (of g), z (what localG returns), p_value, p_adjusted, lower, upper (where g would lie without association),
    cluster ("hot", "cold", "not_significant", "" where not assessable), neighbours, method, status, reason.
    """
    maps = maps_of(values, ids)
    weights = weights_of(maps, neighbours, style, default="B")
    star = weights.self_included if star is None else star
    if star and not weights.self_included:
        weights = weights.with_self()
    elif weights.self_included and not star:
        raise UsageError("error.spatial_self_included")
    words: dict[str, Any] = {
        "variance": chosen(variance, ("general", "binary", "permutation"), "variance", {"spdep": "general", "esda": "binary"}),
        "alternative": alternative_word(alternative), "star": star,
        "adjust": chosen(adjust, tuple(ADJUSTMENTS), "adjust", {"bh": "fdr", "benjamini_hochberg": "fdr"}),
        "permutations": permutations, "seed": seed,
    }  # fmt: skip
    found = _over_maps(maps, weights, lambda x, w: local_g_figures(x, w, words))
    method = ["local_g_star" if star else "local_g", words["variance"]]
    return _finished(maps, found, words, method, weights, alpha=alpha, confidence=confidence)


def cluster_word(cluster: str, language: str | None = None) -> str:
    """How a kind of cluster is called in tables and on maps."""
    return label(f"lisa.{cluster}", language)


def _over_maps(maps: Maps, weights: Weights, one: Any) -> dict[str, npt.NDArray[Any]]:
    """Columns (areas × maps) of all maps; those that lack the same areas are computed together."""
    if not maps.values.shape[1]:
        raise UsageError("error.spatial_no_maps")
    present = np.isfinite(maps.values)
    patterns, which = np.unique(present.T, axis=0, return_inverse=True)
    out: dict[str, npt.NDArray[Any]] = {}
    for number, kept in enumerate(patterns):
        columns = np.flatnonzero(which.ravel() == number)
        for name, part in one(maps.values[kept][:, columns], weights.subset(kept)).items():
            if name not in out:
                blank = "reason.value_missing" if name == "reason" else ("" if part.dtype.kind in "UO" else np.nan)
                out[name] = np.full(maps.values.shape, blank, dtype=object if part.dtype.kind in "UO" else float)
            out[name][np.ix_(kept, columns)] = part
    return out


def _finished(
    maps: Maps, found: dict[str, Any], words: dict[str, Any], method: list[str], weights: Weights, *,
    alpha: float, confidence: float,
) -> pd.DataFrame:  # fmt: skip
    """z, p-values, limits and clusters of the statistic; figures of areas that cannot be assessed are emptied."""
    name = "local_i" if "local_i" in found else "g"
    with np.errstate(all="ignore"):
        error = np.sqrt(found["variance"])
        z = found.get("z", (found[name] - found["expectation"]) / error)
    fixed = (found["reason"] == "") & ~np.isfinite(z)
    found["reason"] = np.where(fixed, "reason.no_test_variance", found["reason"])
    usable = found["reason"] == ""
    z = np.where(usable, z, np.nan)
    p = np.where(usable, found.get("p_value", normal_p(z, words["alternative"])), np.nan)
    p_adjusted = adjusted(p, words["adjust"], found["neighbours"])
    half = z_value(confidence) * error
    columns: dict[str, Any] = {key: found[key] for key in ("value", "lag", name, "expectation", "variance")}
    columns |= {"z": z, "p_value": p, "p_adjusted": p_adjusted}
    columns |= {"lower": found["expectation"] - half, "upper": found["expectation"] + half}
    if "quadrant" in found:
        columns["quadrant"] = np.where(usable, found["quadrant"], "")
    kind = found["quadrant"] if "quadrant" in found else np.where(z > 0, "hot", "cold")
    columns["cluster"] = np.where(usable, np.where(p_adjusted < alpha, kind, "not_significant"), "")
    assessable = ~np.isin(found["reason"].astype(str), ["reason.values_alike", "reason.too_few_areas"])
    for key in (name, "expectation", "variance", "lower", "upper"):
        columns[key] = np.where(assessable, columns[key], np.nan)
    alone = found["reason"] == "reason.no_neighbours"
    for key in ("lag", "lower", "upper"):
        columns[key] = np.where(alone, np.nan, columns[key])
    columns["neighbours"] = np.nan_to_num(found["neighbours"]).astype(int)
    parts = [
        *method,
        *([f"scaling={words['scaling']}"] if "scaling" in words else []),
        f"style={weights.style}",
        words["alternative"],
    ]
    parts += (
        [f"permutations={words['permutations']};seed={words['seed']}"] if words["variance"] == "permutation" else []
    )
    parts += [f"adjust={words['adjust']}"] if words["adjust"] != "none" else []
    return maps.answers(columns, method=";".join(parts), reason=found["reason"])
