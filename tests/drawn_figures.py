"""Figures for tests, drawn as small tables: what `tkyt_analysis.cube.evaluate` would answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
from support import table

from tkyt_analysis.catalog.entries import Text
from tkyt_analysis.cube.model import FIGURE_COLUMNS, Figures, Measure, View

DEATHS = Measure(
    id="deaths",
    title=Text("Số tử vong", "Deaths"),
    unit=Text("người", "persons"),
    group="mortality",
    group_title=Text("Tử vong", "Mortality"),
    method="count",
    numerator="deaths",
)
CRUDE = Measure(
    id="crude_death_rate",
    title=Text("Tỷ suất chết thô", "Crude death rate"),
    unit=Text("trên 1.000 dân", "per 1,000"),
    group="mortality",
    group_title=Text("Tử vong", "Mortality"),
    method="crude",
    numerator="deaths",
    denominator="population",
    per=1000.0,
    decimals=1,
)
PROVINCES = {"VN2025:01": "Hà Nội", "VN2025:04": "Cao Bằng", "VN2025:79": "TP. Hồ Chí Minh"}
NAMES = {
    "province": PROVINCES,
    "commune": {f"VN2025:{code:05}": f"Xã {code}" for code in range(1, 60)},
    "sex": {"male": "nam", "female": "nữ"},
    "age_group": {"0": "dưới 1 tuổi", "1-4": "1–4 tuổi", "5-14": "5–14 tuổi", "15+": "từ 15 tuổi"},
    "cause": {"I": "Chương I", "II": "Chương II", "IX": "Chương IX"},
}
PASSPORT = {
    "release": "r-0123456789ab",
    "snapshot": 12,
    "catalog_version": "0a1b2c3d4e5f",
    "code_version": "0.1.0+abcdef01",
    "data_as_of": "2025-12-31",
    "practice": True,
}


def figures(rows, by, *, measures=(DEATHS,), names=None, remarks=(), practice=True, **view) -> Figures:
    """Figures of a drawn table (text) or frame: the dimensions, `measure` where there are several, and any columns of
    figures; a count needs `value` only, "." is missing."""
    frame = table(rows) if isinstance(rows, str) else rows.copy()
    frame = frame.replace(".", np.nan)
    if "measure" not in frame:
        frame["measure"] = measures[0].id
    for name in by:
        frame[name] = frame[name].astype(str)
    for name in FIGURE_COLUMNS:
        if name == "status":
            frame["status"] = frame.get("status", pd.Series("ok", index=frame.index)).fillna("ok")
        elif name == "numerator" and "numerator" not in frame:
            frame["numerator"] = frame["value"].astype(float)
        else:
            frame[name] = frame.get(name, pd.Series(np.nan, index=frame.index)).astype(float)
    return Figures(
        view=View(measures=tuple(one.id for one in measures), by=tuple(by), **view),
        rows=frame[["measure", *by, *FIGURE_COLUMNS]],
        names={name: (names or NAMES)[name] for name in by if name in (names or NAMES)},
        measures={one.id: one for one in measures},
        passport=PASSPORT | {"practice": practice},
        remarks=tuple(remarks),
    )


def with_totals(parts: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The rows of counts (dimensions and `value`) and their sums over every subset of the dimensions."""
    from itertools import combinations

    frames = []
    for number in range(len(by) + 1):
        for kept in combinations(by, number):
            if kept:
                summed = parts.groupby(list(kept), as_index=False)["value"].sum()
            else:
                summed = pd.DataFrame({"value": [parts["value"].sum()]})
            frames.append(summed.assign(**{name: "total" for name in by if name not in kept}))
    return pd.concat(frames, ignore_index=True)[[*by, "value"]]
