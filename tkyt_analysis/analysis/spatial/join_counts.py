"""Join counts: do areas of one kind (for example "outbreak") lie beside each other more often than by chance?

Cliff & Ord, Spatial Processes, 1981, p. 19-20; R's spdep: joincount.test.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.analysis.rates import rate_table
from tkyt_analysis.analysis.spatial.global_moments import moments_of
from tkyt_analysis.analysis.spatial.maps_of_values import alternative_word, chosen, normal_p
from tkyt_analysis.analysis.spatial.weights import Weights, spatial_weights


def join_count(
    kinds: Any,
    neighbours: Any,
    *,
    style: str | None = None,
    sampling: str = "nonfree",
    alternative: str = "greater",
    count: str = "spdep",
    ids: Any = None,
) -> pd.DataFrame:
    """Joins between areas of the same kind, kind by kind.

    Parameters
    ----------
    kinds : kind of each area (text, number or bool; a missing one leaves the area out): list, array or Series
    style : "B" by default (`Weights` keep their own)
    sampling : "nonfree" (the number of areas of each kind is given) or "free" (each area's kind is drawn)
    count : how islands count in n: "spdep" (they do not), "with_neighbours" (the same), "all"

    Returns
    -------
    One row per kind in sorted order: kind, areas, joins (half the sum of weights between areas of the kind), expectation,
    variance, z, p_value, method, status, reason.
    """
    values = kinds if isinstance(kinds, pd.Series) else pd.Series(list(kinds))
    names = values.index if ids is None else pd.Index(list(ids))
    if not isinstance(neighbours, Weights) and style is None:
        style = "B"
    present = values.notna().to_numpy()
    weights = spatial_weights(neighbours, ids=names, style=style).subset(present)
    found = values[present].to_numpy()
    levels = sorted(pd.unique(found), key=str)
    member = (found[:, None] == np.array(levels, dtype=object)[None]).astype(float).reshape(len(found), len(levels))
    joins = 0.5 * (member * (weights.matrix @ member)).sum(axis=0)
    size, rule = member.sum(axis=0), chosen(sampling, ("nonfree", "free"), "sampling")
    m = moments_of(weights, chosen(count, ("spdep", "with_neighbours", "all"), "count"))
    with np.errstate(all="ignore"):
        expectation, variance = (_nonfree if rule == "nonfree" else _free)(size, m, len(found))
        z = (joins - expectation) / np.sqrt(variance)
    word = alternative_word(alternative)
    reason = np.where(
        m.n < 4, "reason.too_few_areas_with_neighbours", np.where(np.isfinite(z), "", "reason.kind_has_no_variance")
    )
    known = reason == ""
    columns = {"areas": size, "joins": joins, "expectation": expectation, "variance": variance, "z": z}
    columns |= {"p_value": normal_p(z, word)}
    kept = {
        name: part if name in ("areas", "joins") else np.where(known, part, np.nan) for name, part in columns.items()
    }
    table = rate_table(kept, method=f"join_count;{rule};style={weights.style};{word}", reason=reason)
    table.insert(0, "kind", levels)
    return table.astype({"areas": int})


def _nonfree(size: Any, m: Any, n: int) -> tuple[Any, Any]:
    s02 = m.s0**2
    pairs = size * (size - 1)
    expectation = m.s0 * pairs / (2 * m.n * m.n1)
    total = m.s1 * pairs / (m.n * m.n1)
    total = total + (m.s2 - 2 * m.s1) * pairs * (size - 2) / (m.n * m.n1 * m.n2)
    total = total + (s02 + m.s1 - m.s2) * pairs * (size - 2) * (size - 3) / (m.n * m.n1 * m.n2 * m.n3)
    return expectation, 0.25 * total - expectation**2


def _free(size: Any, m: Any, n: int) -> tuple[Any, Any]:
    p = size / n
    return m.s0 * p**2 / 2, (m.s1 * p**2 + (m.s2 - 2 * m.s1) * p**3 + (m.s1 - m.s2) * p**4) / 4
