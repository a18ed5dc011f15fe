"""Is every part of a series there once? Overlaps in time and between levels, and gaps, each as a sentence.

Windows are cut at every day on which any window starts or ends; within such a cell a unit may stand once, and a target
may be told by units of one level only (its old provinces, or their communes, or the new province itself).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tkyt_analysis.errors import InputError


def cells_of(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per row of `rows` and cell of time it covers: row (position), cell (number).

    rows : period_start, period_end (both inside)
    """
    start = rows["period_start"].to_numpy("datetime64[D]")
    after = rows["period_end"].to_numpy("datetime64[D]") + np.timedelta64(1, "D")
    bounds = np.unique(np.concatenate([start, after]))
    first, last = np.searchsorted(bounds, start), np.searchsorted(bounds, after)
    length = last - first
    row = np.repeat(np.arange(len(rows)), length)
    step = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)
    return pd.DataFrame({"row": row, "cell": first[row] + step})


def require_once(rows: pd.DataFrame, located: pd.DataFrame) -> None:
    """Raise InputError where people or events would be counted twice.

    rows : unit_id, key, period_id, period_start, period_end
    located : rows at their targets: row (position in `rows`), target_id, level_id
    """
    cells = cells_of(rows)
    known = cells.assign(unit_id=rows["unit_id"].to_numpy()[cells["row"]], key=rows["key"].to_numpy()[cells["row"]])
    again = known.duplicated(["unit_id", "key", "cell"])
    if again.any():
        _refuse_same_unit(rows, known, int(np.flatnonzero(again)[0]))
    levels = located[["target_id", "level_id", "row"]].merge(cells, on="row")
    levels["key"] = rows["key"].to_numpy()[levels["row"]]
    levels = levels.drop_duplicates(["target_id", "key", "cell", "level_id"])
    again = levels.duplicated(["target_id", "key", "cell"])
    if again.any():
        _refuse_levels(rows, levels, int(np.flatnonzero(again)[0]))


def _refuse_same_unit(rows: pd.DataFrame, known: pd.DataFrame, at: int) -> None:
    one = known.iloc[at]
    same = (known["unit_id"] == one["unit_id"]) & (known["key"] == one["key"]) & (known["cell"] == one["cell"])
    first, second = rows.iloc[known.loc[same, "row"].iloc[:2]]["period_id"]
    raise InputError("error.series.unit_twice", unit=one["unit_id"], first=first, second=second)


def _refuse_levels(rows: pd.DataFrame, levels: pd.DataFrame, at: int) -> None:
    one = levels.iloc[at]
    same = (levels["target_id"] == one["target_id"]) & (levels["key"] == one["key"]) & (levels["cell"] == one["cell"])
    first, second = (rows.iloc[i] for i in levels.loc[same, "row"].iloc[:2])
    fields = {"first": f"{first.unit_id} ({first.period_id})", "second": f"{second.unit_id} ({second.period_id})"}
    raise InputError("error.series.levels_twice", target=one["target_id"], **fields)


def covered(located: pd.DataFrame, by: list[str]) -> pd.Series:
    """Days of each group of `by` that its members cover, each in the share that it is of its level.

    located : rows at their targets with days, members, island
    """
    share = located["days"] / located["members"].where(located["members"] > 0, 1)
    return share.where(~located["island"] | (located["members"] == 0), 0.0).groupby([located[k] for k in by]).sum()


def refuse_gaps(gaps: pd.DataFrame) -> None:
    """Raise InputError with the first gap (target_id, period_id, covered, due) and how many there are."""
    one = gaps.iloc[0]
    raise InputError(
        "error.series.gap", count=len(gaps), unit=one["target_id"], period=one["period_id"],
        covered=round(float(one["covered"]), 1), due=int(one["due"]),
    )  # fmt: skip
