"""A source for the explorer whose figures can be worked out in the head: every cell of deaths is 1 death, or what is drawn."""

from __future__ import annotations

from itertools import chain, combinations
from types import SimpleNamespace

import numpy as np
import pandas as pd

from tkyt_analysis.catalog.entries import Text
from tkyt_analysis.cube.model import FIGURE_COLUMNS, TOTAL, Figures, Measure
from tkyt_analysis.explorer.source import Source

PROVINCES = {"VN2025:01": "Hà Nội", "VN2025:51": "Quảng Ngãi", "VN2025:79": "TP. Hồ Chí Minh"}
COMMUNES = {"VN2025:21115": "Xã Trà Bồng", "VN2025:21127": "Xã Thanh Bồng"}
NAMES = {
    "province": PROVINCES,
    "commune": COMMUNES,
    "year": {"2023": "2023", "2024": "2024", "2025": "2025"},
    "sex": {"male": "nam", "female": "nữ"},
    "age_group": {"0": "0", "1-4": "1–4", "5+": "5+"},
    "cause": {"I": "Bệnh nhiễm trùng", "II": "U tân sinh"},
}
PLACED = frozenset({"province", "commune", "year", "sex", "age_group", "cause"})


def measure(id, vi, en, method="count", dimensions=PLACED, group="mortality", **more):
    titles = {"mortality": Text("Tử vong", "Mortality"), "reports": Text("Báo cáo tháng", "Monthly report")}
    return Measure(
        id=id, title=Text(vi, en), unit=Text("ca", "cases"), group=group, group_title=titles[group], method=method,
        numerator=id, dimensions=dimensions, **more,
    )  # fmt: skip


MEASURES = {
    one.id: one
    for one in (
        measure("deaths", "Số tử vong đã ghi nhận", "Registered deaths"),
        measure(
            "crude_death_rate",
            "Tỷ suất chết thô",
            "Crude death rate",
            "crude",
            PLACED - {"cause"},
            denominator="population",
        ),
        measure(
            "bcg/doses", "Số trẻ tiêm lao", "BCG doses", dimensions=frozenset({"province", "year"}), group="reports"
        ),
        measure("nation/beds", "Giường bệnh", "Beds", dimensions=frozenset({"year"}), group="reports"),
    )
}
# 3 provinces × 3 years × 2 sexes × 3 ages × 2 causes, one death each; the only communes are of Quảng Ngãi.
ROWS = pd.MultiIndex.from_product(
    [list(NAMES[one]) for one in ("province", "year", "sex", "age_group", "cause")],
    names=["province", "year", "sex", "age_group", "cause"],
).to_frame(index=False)
ROWS = pd.concat([ROWS.assign(commune=one) for one in COMMUNES], ignore_index=True)
ROWS = ROWS[(ROWS["province"] == "VN2025:51") | (ROWS["commune"] == "VN2025:21115")].assign(deaths=1.0)
ROWS.loc[ROWS["province"] != "VN2025:51", "commune"] = "unknown"


class DrawnSource(Source):
    """Answers from ROWS; `asked` lists the views that were evaluated."""

    def __init__(self, home, *, account="thu", current=True, release_id="R000007-drawn"):
        manifest = {"practice": True, "data_as_of": "2026-01-15"}
        release = SimpleNamespace(
            home=home, release_id=release_id, practice=True, manifest=manifest,
            account=SimpleNamespace(name=account, unit_id="VN"), reads=SimpleNamespace(nation=True), seen_units=frozenset(),
        )  # fmt: skip
        super().__init__(release)
        self.asked, self.current = [], current

    measures = MEASURES

    @property
    def is_current(self):
        return self.current

    def members(self, view, dimension):
        kept = within(view)
        return {code: name for code, name in NAMES.get(dimension, {}).items() if code in set(kept[dimension])}

    def figures(self, view, layout):
        self.asked.append(view)
        return evaluate(view)

    def pivot(self, view, layout):
        return self.unprotected(view, layout)


def within(view):
    rows = ROWS
    if view.place != "VN":
        rows = rows[(rows["province"] == view.place) | (rows["commune"] == view.place)]
    if view.period:
        first, _, last = view.period.partition("..")
        rows = rows[rows["year"].between(first, last or first)]
    for name, kept in view.where:
        rows = rows[rows[name].isin(kept)]
    return rows


def evaluate(view):
    """Deaths in every grouping; the rate is deaths per 10 persons, of whom each row is one."""
    parts = []
    for one in view.measures:
        for by in chain.from_iterable(combinations(view.by, number) for number in range(len(view.by) + 1)):
            kept = within(view)
            counted = (
                kept.groupby(list(by), as_index=False)["deaths"].sum() if by else kept[["deaths"]].sum().to_frame().T
            )
            counted = counted.assign(measure=one, **{name: TOTAL for name in view.by if name not in by})
            value = counted["deaths"] if MEASURES[one].additive else counted["deaths"] / 10
            parts.append(counted.assign(value=value, numerator=counted["deaths"], status="ok"))
    frame = pd.concat(parts, ignore_index=True)
    for name in FIGURE_COLUMNS:
        frame[name] = frame.get(name, np.nan)
    names = {name: NAMES[name] for name in view.by}
    rows = frame[["measure", *view.by, *FIGURE_COLUMNS]]
    rows = rows[rows["numerator"] > 0].reset_index(drop=True)
    passport = {"release": "R000007-drawn", "practice": True, "data_as_of": "2026-01-15"}
    return Figures(view, rows, names, {one: MEASURES[one] for one in view.measures}, passport)
