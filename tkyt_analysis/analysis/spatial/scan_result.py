"""Results of a scan: the lines of its table, p values, one row per area for maps; and expected cases by strata."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK
from tkyt_analysis.analysis.spatial.scan_input import ScanData
from tkyt_analysis.analysis.spatial.scan_score import Best
from tkyt_analysis.analysis.spatial.scan_secondary import members
from tkyt_analysis.analysis.spatial.scan_zones import Whole

EULER = 0.5772156649015329
COLUMNS = [
    "cluster", "rank", "direction", "centre", "centre_x", "centre_y", "radius", "areas", "members", "population", "cases",
    "expected", "smr", "relative_risk", "llr", "monte_carlo_rank", "p_value", "significant", "start", "end", "ratio",
    "angle", "method", "status", "reason",
]  # fmt: skip


def p_value(score: float, maxima: Numbers, p_method: str = "monte_carlo") -> tuple[float, int]:
    """(p, rank among the replicates and the observed map); p is missing without replicates."""
    rank = 1 + int(np.count_nonzero(maxima >= score * (1 - 1e-12) - 1e-12))
    if not len(maxima):
        return np.nan, rank
    if p_method == "monte_carlo":
        return rank / (len(maxima) + 1), rank
    scale = maxima.std(ddof=1) * np.sqrt(6) / np.pi if len(maxima) > 1 else np.nan
    return float(-np.expm1(-np.exp(-(score - (maxima.mean() - EULER * scale)) / scale))), rank


def cluster_line(
    best: Best, p: float, rank: int, data: ScanData, base: Numbers, windows: Whole, labels: tuple[Any, ...]
) -> dict[str, Any]:
    inside = members(best)
    start, end = windows[best.window]
    total = data.cases.sum()
    seen = data.cases[inside, start:end].sum()
    expected = base[inside, start:end].sum() * total / base.sum()
    people = data.population if data.population is not None else np.full((len(base), 1), np.nan)
    x, y = data.places[best.row.centre]
    rest = (total - seen) / (total - expected)
    return {
        "direction": "high" if seen > expected else "low",
        "centre": data.areas[best.row.centre], "centre_x": x, "centre_y": y,
        "radius": best.row.distance[best.areas - 1], "areas": len(inside),
        "members": tuple(data.areas[place] for place in inside),
        "population": people[inside].mean(axis=1).sum(), "cases": seen, "expected": expected,
        "smr": seen / expected, "relative_risk": seen / expected / rest if rest > 0 else np.inf,
        "llr": best.score, "monte_carlo_rank": rank, "p_value": p,
        "start": labels[start], "end": labels[end - 1], "ratio": best.row.ratio, "angle": best.row.angle,
    }  # fmt: skip


def cluster_table(lines: list[dict[str, Any]], method: str, alpha: float) -> pd.DataFrame:
    table = pd.DataFrame(lines, columns=COLUMNS)
    number = np.arange(1, len(lines) + 1)
    return table.assign(
        cluster=number,
        rank=np.where(number == 1, "most_likely", "secondary"),
        significant=table["p_value"].astype(float) <= alpha,
        method=method,
        status=OK,
        reason=np.where(table["p_value"].astype(float).isna(), "reason.scan_no_replicates", ""),
    )


def nothing_found(method: str, reason: str) -> pd.DataFrame:
    """One row that says why there is no answer."""
    row = dict.fromkeys(COLUMNS, np.nan) | {"cluster": 1, "rank": "most_likely", "members": (), "significant": False}
    row |= {"method": method, "status": NOT_ASSESSABLE, "reason": reason, "direction": "", "start": "", "end": ""}
    return pd.DataFrame([row], columns=COLUMNS).pipe(with_attributes, np.empty(0), 0.0, ())


def with_attributes(table: pd.DataFrame, maxima: Numbers, total: float, areas: tuple[Any, ...]) -> pd.DataFrame:
    table.attrs |= {"replicate_maxima": maxima.tolist(), "total_cases": total, "areas": list(areas)}
    return table


def cluster_of_areas(clusters: pd.DataFrame, areas: Any = None) -> pd.DataFrame:
    """One row per area, for maps: area, cluster (0: in none), rank, direction, relative_risk, p_value, significant, status.

    clusters : an answer of `scan_statistic`; areas : names in the wished order (default: as they were scanned). An area
    that several clusters hold belongs to the most likely of them.
    """
    names = list(clusters.attrs.get("areas", [])) if areas is None else list(areas)
    wanted = ["cluster", "rank", "direction", "relative_risk", "p_value", "significant", "members"]
    inside = clusters[wanted].explode("members").dropna(subset=["members"]).drop_duplicates("members")
    table = inside.set_index("members").reindex(names).rename_axis("area").reset_index()
    table["cluster"] = table["cluster"].fillna(0).astype(int)
    table["significant"] = table["significant"].eq(True)
    status = clusters["status"].iloc[0] if len(clusters) else OK
    reason = clusters["reason"].iloc[0] if status != OK else ""
    return table.fillna({"rank": "", "direction": ""}).assign(status=status, reason=reason)


def expected_by_area(
    table: pd.DataFrame, area: str, strata: str | list[str], *, cases: str = "cases", population: str = "population"
) -> pd.DataFrame:
    """Expected cases of each area if everybody had the map's own rate of their stratum (internal indirect standardisation).

    table : one row per area and stratum; the same as SpatialEpi::expected, but joined by the names of the strata, so that
        neither the order of the rows nor absent empty strata matter
    Returns area, population, cases, expected, in the order in which the areas first appear.
    """
    from tkyt_analysis.analysis.groups import column, names_of, require_columns

    require_columns(table, [area, *names_of(strata), cases, population])
    numbers = table.assign(cases=column(table, cases), population=column(table, population))
    by = numbers.groupby(names_of(strata), observed=True, dropna=False)[["cases", "population"]].transform("sum")
    rate = (by["cases"] / by["population"].where(by["population"] > 0)).fillna(0)
    numbers["expected"] = numbers["population"] * rate
    return numbers.groupby(area, sort=False, observed=True)[["population", "cases", "expected"]].sum().reset_index()
