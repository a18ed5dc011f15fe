"""Rates of small areas, drawn towards the rate of all areas or of the neighbourhood where they rest on few people.

Marshall, Applied Statistics 1991;40:283-94. The variance between areas is never below 0, so no rate is: with no variance
beyond chance all areas get the mean. The local version follows R's spdep (EBlocal), whose variance uses each neighbour's
own local mean; esda and GeoDa use the mean of the area in the middle, and differ by up to 9e-4 on rates of 2e-3 (sudden
infant deaths of North Carolina): "spdep_local" and "esda_local" name the two.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.groups import names_of, require_columns
from tkyt_analysis.analysis.rates import why_no_rate
from tkyt_analysis.analysis.spatial.bayes_limits import beta_limits, gamma_limits, total_limits
from tkyt_analysis.analysis.spatial.gamma_poisson import negative_binomial
from tkyt_analysis.analysis.spatial.maps_of_values import Numbers, beside, chosen, maps_of, weights_of
from tkyt_analysis.errors import UsageError

METHODS = ("marshall", "binomial", "clayton_kaldor", "clayton_kaldor_ml", "spdep_local", "esda_local", "spatial_rate")
_LOCAL = ("spdep_local", "esda_local", "spatial_rate")
_OTHER_NAMES = {
    "global": "marshall", "poisson": "marshall", "ebest": "marshall", "martuzzi_elliott": "binomial",
    "local": "spdep_local", "eblocal": "spdep_local", "marshall_local": "spdep_local", "geoda": "esda_local",
    "geoda_local": "esda_local", "spatial_empirical_bayes": "esda_local", "poisson_gamma": "clayton_kaldor",
    "gamma": "clayton_kaldor", "empbaysmooth": "clayton_kaldor", "spatial": "spatial_rate",
    "ebayes": "clayton_kaldor_ml", "gamma_poisson_ml": "clayton_kaldor_ml", "negative_binomial": "clayton_kaldor_ml",
}  # fmt: skip
_EVENTS = ("events", "deaths", "cases", "observed", "count", "counts", "obs", "o", "y")
_PERSONS = ("population", "person_years", "persons", "pop", "expected", "exp", "e", "births", "n")
_ROUNDS = 500


def empirical_bayes_rate(
    events: Any,
    population: Any = None,
    *,
    neighbours: Any = None,
    method: str | None = None,
    per: float = 1.0,
    confidence: float = 0.95,
    limits: str = "posterior",
    islands: str = "own",
    ids: Any = None,
    by: str | list[str] | None = None,
    area: str | None = None,
) -> pd.DataFrame:
    """Empirical Bayes rates of areas, global or local, for one map or many at once.

    Parameters
    ----------
    events : counts >= 0, fractions allowed: list, array or Series (one map); areas × maps as array or DataFrame; or a
        long table with columns events (deaths, cases, observed), population (person_years, expected), the column `area`
        and the columns `by` that name one map (e.g. ["year", "sex"])
    population : persons, person-years or expected events, > 0
    neighbours : anything that `spatial_weights` reads; makes the smoothing local
    method : "marshall" (default without neighbours; spdep EBest, esda Empirical_Bayes with the variance kept >= 0),
        "binomial" (Martuzzi & Elliott 1996; spdep EBest family="binomial"),
        "clayton_kaldor" (Poisson–gamma by moments, Clayton & Kaldor, Biometrics 1987;43:671-81; DCluster empbaysmooth),
        "clayton_kaldor_ml" (the same by maximum likelihood, SpatialEpi eBayes; with covariates: `gamma_poisson_rate`),
        "spdep_local" (default with neighbours), "esda_local" (also GeoDa; spdep geoda=TRUE),
        "spatial_rate" (events over population of the neighbourhood, itself included; no Bayes)
    per : rates per so many
    limits : "posterior" (quantiles of the posterior that takes mean and variance between areas for known, so a little
        too narrow; where areas do not differ beyond chance, the Poisson limits of the common rate) or "none"
    islands : an area without neighbours keeps its "own" rate (spdep), is drawn to the mean of all ("global"), or is
        "not_assessable"; local methods only

    Returns
    -------
    One row per area (index of `events` kept), with many maps one row per map and area (series, area first), with a long
    table its key columns first: events, population, raw_rate, rate, lower, upper [per `per`], prior_mean [per `per`]
    and prior_variance [per `per`²] (b and a of spdep's EBest), weight (share of the area's own rate, 0-1), neighbours (local methods), method, status,
    reason. An area without population or without a
    count is `not_assessable`, and counts for nobody. Events in a place without population are not assessable either.
    """
    if by is not None or (isinstance(events, pd.DataFrame) and population is None):
        options = {"neighbours": neighbours, "method": method, "per": per, "confidence": confidence}
        return _of_table(events, names_of(by or []), area, options | {"limits": limits, "islands": islands, "ids": ids})
    word = _method(method, neighbours)
    islands = chosen(islands, ("own", "global", "not_assessable"), "islands")
    limits = chosen(limits, ("posterior", "none"), "limits", {"gamma": "posterior", "beta": "posterior"})
    if population is None:
        raise UsageError("error.spatial_population_missing")
    maps = maps_of(events, ids)
    counts, persons = maps.values, beside(maps, population, "population")
    reason = why_no_rate(counts, persons)
    if word == "binomial":
        reason = np.where((reason == "") & (counts > persons), "reason.more_events_than_total", reason)
    usable = reason == ""
    e, n = np.where(usable, counts, 0.0), np.where(usable, persons, 0.0)
    p = np.divide(e, n, out=np.zeros_like(n), where=usable)
    extra: dict[str, npt.ArrayLike] = {}
    if word in _LOCAL:
        binary = weights_of(maps, neighbours, None, default="B").with_self().binary
        mean, variance, weight, near, *totals = _local(e, n, p, usable, binary, word)
        extra["neighbours"] = np.where(usable, near, 0)
        reason = _treat_islands(
            islands, usable & (near == 0), (e, n, p, usable), (mean, variance, weight, *totals), reason
        )
    else:
        mean, variance, weight = _GLOBAL[word](e, n, p, usable)
        totals = [np.broadcast_to(part.sum(axis=0), n.shape) for part in (e, n)]
    usable = reason == ""
    rate = np.where(usable, mean + weight * (p - mean), np.nan)
    lower, upper = _limits(word, (e, n, *totals), (mean, variance, weight), usable & (limits != "none"), confidence)
    known = [np.where(usable, part, np.nan) for part in (p, mean, variance, weight)]
    columns: dict[str, npt.ArrayLike] = {
        "events": counts, "population": persons, "raw_rate": per * known[0], "rate": per * rate, "lower": per * lower,
        "upper": per * upper, "prior_mean": per * known[1], "prior_variance": per**2 * known[2], "weight": known[3],
    }  # fmt: skip
    return maps.answers(columns | extra, method=_method_text(word, islands, limits), reason=reason)


def _method(method: str | None, neighbours: Any) -> str:
    word = chosen(method or ("marshall" if neighbours is None else "spdep_local"), METHODS, "method", _OTHER_NAMES)
    if word in _LOCAL and neighbours is None:
        raise UsageError("error.spatial_neighbours_needed", method=word)
    return word


def _method_text(word: str, islands: str, limits: str) -> str:
    parts = [
        {"marshall": "marshall", "spdep_local": "marshall_local;spdep", "esda_local": "marshall_local;esda"}.get(
            word, word
        )
    ]
    if word in _LOCAL:
        parts.append(f"islands={islands}")
    kind = {"binomial": "beta", "spatial_rate": "poisson"}.get(word, "gamma")
    return ";".join([*parts, f"limits={kind if limits == 'posterior' else 'none'}"])


def _share(top: Numbers, bottom: Numbers) -> Numbers:
    return np.divide(top, bottom, out=np.zeros(np.broadcast_shapes(top.shape, bottom.shape)), where=bottom > 0)


def global_parameters(e: Numbers, n: Numbers, p: Numbers, usable: Any) -> tuple[Numbers, Numbers, Numbers]:
    """(mean b, weighted variance s², chance part b/mean population) of each map, by moments (Marshall)."""
    people, areas = n.sum(axis=0), usable.sum(axis=0)
    b = _share(e.sum(axis=0), people)
    s2 = _share((n * (p - b) ** 2).sum(axis=0), people)
    return b, s2, _share(b * areas, people)


def _marshall(e: Numbers, n: Numbers, p: Numbers, usable: Any) -> tuple[Numbers, Numbers, Numbers]:
    b, s2, chance = global_parameters(e, n, p, usable)
    a = np.maximum(s2 - chance, 0.0)
    return _weighed(b, a, n)


def _weighed(mean: Numbers, variance: Numbers, n: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    mean, variance = np.broadcast_to(mean, n.shape), np.broadcast_to(variance, n.shape)
    return mean, variance, _share(variance, variance + _share(mean, n))


def _binomial(e: Numbers, n: Numbers, p: Numbers, usable: Any) -> tuple[Numbers, Numbers, Numbers]:
    b, s2, _ = global_parameters(e, n, p, usable)
    mean_n = _share(n.sum(axis=0), usable.sum(axis=0))
    chance = b * (1 - b)
    top = n * s2 - _share(n, mean_n) * chance
    bottom = (n - 1) * s2 + _share(mean_n - n, mean_n) * chance
    beyond = (s2 > _share(chance, mean_n)) & (bottom > 0)  # else areas differ no more than by chance
    weight = np.clip(np.divide(top, bottom, out=np.zeros_like(n), where=beyond), 0.0, 1.0)
    return np.broadcast_to(b, n.shape), np.broadcast_to(s2, n.shape), weight


def _clayton_kaldor(e: Numbers, n: Numbers, p: Numbers, usable: Any) -> tuple[Numbers, Numbers, Numbers]:
    """Prior gamma(nu, alpha) whose mean and variance agree with those of the smoothed rates; all maps at once."""
    areas = usable.sum(axis=0)
    m, v, _ = global_parameters(e, n, p, usable)
    v = np.where(areas > 1, v, 0.0)
    for _ in range(_ROUNDS):
        weight = _weighed(m, v, n)[2]
        smooth = np.where(usable, m + weight * (p - m), 0.0)
        new_m = _share(smooth.sum(axis=0), np.maximum(areas, 1))
        ratio = _share(m, v)  # alpha = m / v
        spread = np.where(usable, (1 + _share(np.broadcast_to(ratio, n.shape), n)) * (smooth - new_m) ** 2, 0.0)
        new_v = np.where(v > 0, spread.sum(axis=0) / np.maximum(areas - 1, 1), 0.0)
        done = np.allclose(new_m, m, rtol=1e-12, atol=0) and np.allclose(new_v, v, rtol=1e-10, atol=1e-300)
        m, v = new_m, new_v
        if done:
            break
    return _weighed(m, v, n)


def _clayton_kaldor_ml(e: Numbers, n: Numbers, p: Numbers, usable: Any) -> tuple[Numbers, Numbers, Numbers]:
    """Prior gamma of the highest negative binomial likelihood, map by map; no variance where nothing can be fitted."""
    mean, variance, _ = global_parameters(e, n, p, usable)
    variance = np.zeros_like(variance)
    for one in np.flatnonzero((usable.sum(axis=0) > 1) & (e.sum(axis=0) > 0)):
        some = usable[:, one]
        beta, alpha = negative_binomial(e[some, one], n[some, one], np.ones((some.sum(), 1)))
        mean[one] = np.exp(beta[0])
        variance[one] = mean[one] ** 2 / alpha
    return _weighed(mean, variance, n)


_GLOBAL = {
    "marshall": _marshall, "binomial": _binomial, "clayton_kaldor": _clayton_kaldor,
    "clayton_kaldor_ml": _clayton_kaldor_ml,
}  # fmt: skip


def _local(e: Numbers, n: Numbers, p: Numbers, usable: Any, binary: Any, word: str) -> tuple[Numbers, ...]:
    """Mean, variance, weight and number of usable neighbours of each neighbourhood (the area itself included)."""
    events, people, areas = binary @ e, binary @ n, binary @ usable.astype(float)
    mean = _share(events, people)
    if word == "spdep_local":
        squares = binary @ (n * (p - mean) ** 2)
    else:
        squares = binary @ (e * p) - mean * events
    variance = np.maximum(_share(squares, people) - _share(mean * areas, people), 0.0)
    mean, variance, weight = _weighed(mean, variance, n)
    near = (areas - usable).astype(int)
    return mean.copy(), variance.copy(), weight if word != "spatial_rate" else np.zeros_like(n), near, events, people


def _treat_islands(
    islands: str, alone: Any, given: tuple[Any, ...], found: tuple[Numbers, ...], reason: npt.NDArray[np.str_]
) -> npt.NDArray[np.str_]:
    """Islands' parameters are set as chosen (in place for "global"); the reasons with those of islands."""
    if islands == "not_assessable":
        return np.where(alone, "reason.no_neighbours", reason)
    if islands == "global":
        all_areas = (*_marshall(*given), given[0].sum(axis=0), given[1].sum(axis=0))
        for part, whole in zip(found, all_areas, strict=True):
            part[...] = np.where(alone, whole, part)
    return reason


def _limits(
    word: str, counts: tuple[Numbers, ...], found: tuple[Numbers, ...], wanted: Any, confidence: float
) -> tuple[Numbers, Numbers]:
    """Posterior limits; those of the common rate where there is no variance between areas, or none is assumed."""
    (e, n, events, people), (mean, variance, weight) = counts, found
    if word == "spatial_rate":
        return total_limits(events, people, wanted, confidence)
    if word == "binomial":
        own = beta_limits(e, n, mean, weight, wanted, confidence)
    else:
        own = gamma_limits(e, n, mean, variance, wanted, confidence)
    common = total_limits(events, people, wanted & (weight <= 0), confidence)
    return np.where(weight > 0, own[0], common[0]), np.where(weight > 0, own[1], common[1])


def _of_table(table: pd.DataFrame, by: list[str], area: str | None, options: dict[str, Any]) -> pd.DataFrame:
    """A long table: each combination of `by` is one map; rows come back in their order."""
    lower = {str(name).casefold(): name for name in reversed(list(table.columns)) if name not in by}
    columns = [next((lower[name] for name in names if name in lower), names[0]) for names in (_EVENTS, _PERSONS)]
    names = [*by, *([area] if area else [])]
    require_columns(table, [*names, *columns])
    if not by:
        plain = table.set_index(area)[columns] if area else table[columns]
        found = empirical_bayes_rate(plain[columns[0]], plain[columns[1]], **options)
        return found.reset_index() if area else found
    if area is None:
        raise UsageError("error.spatial_area_column")
    number = table.groupby(by, sort=True, dropna=False).ngroup()
    wide = table.assign(_map=number.to_numpy())
    if wide.duplicated(["_map", area]).any():
        raise UsageError("error.spatial_area_twice", area=area, columns=", ".join(by))
    events, persons = (wide.pivot(index=area, columns="_map", values=name) for name in columns)
    found = empirical_bayes_rate(events, persons, **options)
    place = events.index.get_indexer(table[area]) + number.to_numpy() * len(events)
    answers = found.iloc[place].drop(columns=["series", "area"]).set_axis(table.index)
    return pd.concat([table[names], answers], axis=1)
