"""From judged subunits to the answer about a place: score, how many diverge and which, what could not be judged and why.

Every metric makes a table of judged subunits, one row per geography, place, year and subunit:
  score         the subunit's own figure (may be infinite)
  status        ok, or why it could not be judged (label `desk_review.reason.<status>`)
  diverges      true where it goes beyond the threshold
  beyond_noise  true where counting noise cannot explain that; missing where the metric is no ratio of counts
  distance      how far beyond, for the order of names
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

GROUP = ["geography", "place", "year"]
KEY = [*GROUP, "subunit"]
NAMES_SHOWN = 20
RESULT_COLUMNS = [
    *GROUP, "score", "threshold", "subunits", "diverging", "share_diverging", "names", "beyond_noise", "not_assessable", "status",
    "reason", "facts",
]  # fmt: skip


def summarise(
    judged: pd.DataFrame, overall: pd.DataFrame, *, threshold: float, shown: int = NAMES_SHOWN
) -> pd.DataFrame:
    """One row per place and year, in the order of RESULT_COLUMNS.

    Parameters
    ----------
    judged : see above
    overall : GROUP, score (of the place; missing where it has none), reason (why), and any further columns: they
        become `facts` (JSON)

    Returns
    -------
    subunits: how many could be judged; not_assessable: how many could not; share_diverging: missing without subunits;
    names: JSON list of {unit, score, beyond_noise}, the farthest first, at most `shown` (`diverging` is the whole number);
    status: ok | not_assessable (neither the place has a score nor any subunit could be judged), with its reason.
    """
    counted = _counts(judged)
    rows = overall.merge(counted, on=GROUP, how="left", validate="one_to_one")
    rows = rows.merge(_names(judged, shown), on=GROUP, how="left", validate="one_to_one")
    for name in ("subunits", "diverging", "not_assessable"):
        rows[name] = rows[name].fillna(0).astype("int64")
    rows["share_diverging"] = rows["diverging"] / rows["subunits"].where(rows["subunits"] > 0)
    score = rows["score"].astype(float).replace([np.inf, -np.inf], np.nan)
    dead = score.isna() & (rows["subunits"] == 0)
    reason = rows["reason"].replace("ok", "").fillna("")
    reason = reason.mask(dead & (reason == ""), rows["why"])
    rows = rows.assign(
        score=score,
        threshold=float(threshold),
        names=rows["names"].fillna("[]"),
        status=np.where(dead, "not_assessable", "ok"),
        reason=reason.mask(dead & (reason.fillna("") == ""), "no_values").fillna(""),
    )
    further = [name for name in overall.columns if name not in (*GROUP, "score", "reason")]
    rows["facts"] = [_json(one) for one in rows[further].to_dict("records")] if further else "{}"
    return rows[RESULT_COLUMNS].sort_values(GROUP, ignore_index=True)


def _counts(judged: pd.DataFrame) -> pd.DataFrame:
    fine = judged["status"] == "ok"
    noise = judged["beyond_noise"].astype("Float64")
    marks = judged[GROUP].assign(
        subunits=fine.astype("int64"),
        not_assessable=(~fine).astype("int64"),
        diverging=(fine & judged["diverges"].astype(bool)).astype("int64"),
        beyond_noise=noise.where(fine, 0.0) if noise.notna().any() else noise,
        why=judged["status"].where(~fine),
    )
    groups = marks.groupby(GROUP, observed=True, sort=False)
    sums = groups[["subunits", "not_assessable", "diverging"]].sum()
    sums["beyond_noise"] = groups["beyond_noise"].sum(min_count=1)
    why = marks.dropna(subset=["why"]).groupby(GROUP, observed=True, sort=False)["why"]
    sums["why"] = why.agg(lambda reasons: reasons.mode().iloc[0]) if len(marks) and fine.ne(True).any() else None
    return sums.reset_index()


def _names(judged: pd.DataFrame, shown: int) -> pd.DataFrame:
    """names (JSON) of the diverging subunits of each place."""
    rows = judged[(judged["status"] == "ok") & judged["diverges"].astype(bool)]
    if rows.empty:
        return pd.DataFrame(columns=[*GROUP, "names"]).astype(judged[GROUP].dtypes.to_dict())
    rows = rows.sort_values([*GROUP, "distance", "subunit"], ascending=[True, True, True, False, True], kind="stable")
    rows = rows.groupby(GROUP, observed=True, sort=False).head(shown)
    items = [
        {"unit": str(unit), "score": _number(score), "beyond_noise": None if pd.isna(noise) else bool(noise)}
        for unit, score, noise in zip(rows["subunit"], rows["score"], rows["beyond_noise"])
    ]
    listed = rows[GROUP].assign(item=items).groupby(GROUP, observed=True, sort=False)["item"].agg(list)
    return listed.map(lambda one: json.dumps(one, ensure_ascii=False)).rename("names").reset_index()


def _number(value: Any) -> float | None:
    """A score for JSON: six digits, none where it is infinite."""
    return None if pd.isna(value) or np.isinf(value) else float(f"{value:.6g}")


def _json(facts: dict[str, Any]) -> str:
    plain = {
        name: _number(value) if isinstance(value, float) else value.item() if hasattr(value, "item") else value
        for name, value in facts.items()
        if not (isinstance(value, float) and np.isnan(value))
    }
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, default=str)


def band_verdict(ratio: pd.Series, lower: Any, upper: Any, low: float, high: float) -> tuple[pd.Series, pd.Series]:
    """(diverges, beyond_noise) of ratios with their intervals against a band low–high.

    A ratio diverges outside the band; that is beyond counting noise where its whole interval lies outside on that side.
    """
    above, under = ratio > high + 1e-12, ratio < low - 1e-12
    surely = (above & (np.asarray(lower) > high)) | (under & (np.asarray(upper) < low))
    return above | under, surely


def distance_from_one(ratio: pd.Series) -> pd.Series:
    """How far a ratio lies from 1, alike on both sides: |log|; a zero or infinite one is farthest."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return pd.Series(np.abs(np.log(ratio.astype(float))), index=ratio.index)
