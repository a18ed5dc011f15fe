"""Small pivots made by hand for tests of pictures and tables: no release behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from tkyt_analysis.catalog.entries import Text
from tkyt_analysis.cube.model import Figures, Measure, View
from tkyt_analysis.explorer.layout import Layout, Pivot

RATE = Measure(
    "crude_death_rate",
    Text("Tỷ suất chết thô", "Crude death rate"),
    Text("trên 1.000 dân", "per 1,000 persons"),
    "g",
    Text("Tử vong", "Deaths"),
    "crude",
    "deaths",
    "population",
    decimals=2,
)
COUNT = Measure(
    "deaths", Text("Số tử vong", "Deaths"), Text("người", "persons"), "g", Text("Tử vong", "Deaths"), "count", "deaths"
)
NAMES: dict[str, dict[str, str]] = {"sex": {"male": "Nam", "female": "Nữ"}}


def provinces(number: int = 34) -> dict[str, str]:
    """unit_id → name of the first provinces of the code list (34, or 63 of VN2024)."""
    from tkyt_analysis.maps.boundaries import packaged_provinces

    units = packaged_provinces("VN2025" if number <= 34 else "VN2024").units.head(number)
    return dict(zip(units["unit_id"], units["name"]))


def months(number: int, first: int = 2023) -> list[str]:
    """So many month ids from January of a year on."""
    return [f"{first + i // 12}{i % 12 + 1:02d}" for i in range(number)]


def a_pivot(
    layout: Layout,
    members: dict[str, Sequence[str]],
    value: Callable[..., float] = lambda *key: float(sum(map(len, key))),
    *,
    measures: Sequence[Measure] = (RATE,),
    names: dict[str, dict[str, str]] | None = None,
    status: dict[tuple[str, ...], str] | None = None,
    spread: float = 0.0,
    received: dict[tuple[str, ...], float] | None = None,
    totals: float | None = None,
    view: View | None = None,
    passport: dict[str, object] | None = None,
    remarks: tuple[str, ...] = (),
) -> Pivot:
    """A pivot of every combination of `members` along `layout.rows` and `layout.columns`.

    value(*row_key, *column_key) is the figure, limits lie `spread` (share) around it; `status`, `received` (of 100
    reports due) by the same key; `totals`: a total row with this figure in every column.
    """
    ids = {one.id: one for one in measures}
    members = {**members, "measure": list(ids)}
    rows, columns = (_keys(members, dimensions) for dimensions in (layout.rows, layout.columns))
    words = {**NAMES, **(names or {}), "measure": {one: ids[one].title.vi for one in ids}}
    if totals is not None:
        rows = [*rows, tuple("total" for _ in layout.rows)]
    shape = (len(rows), len(columns))
    shown, states, arrived = np.full(shape, np.nan), np.full(shape, "ok", dtype=object), np.full(shape, np.nan)
    measure = np.full(shape, next(iter(ids)), dtype=object)
    dimensions = (*layout.rows, *layout.columns)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            key = (*row, *column)
            measure[i, j] = key[dimensions.index("measure")] if "measure" in dimensions else measure[i, j]
            if "total" in key:
                shown[i, j] = float(totals or 0)
                continue
            states[i, j] = (status or {}).get(key, "ok")
            arrived[i, j] = (received or {}).get(key, np.nan)
            if states[i, j] in ("ok", "modelled"):
                shown[i, j] = value(*key)
    empty = np.full(shape, np.nan)
    by = tuple(one for one in dimensions if one != "measure")
    table = pd.DataFrame({one: list(members[one]) for one in by[:1]})
    view = view or View(tuple(ids), by)
    figures = Figures(view, table, words, ids, passport or {"practice": True, "release": "R000010"}, remarks)
    return Pivot(
        layout=layout,
        figures=figures,
        row_keys=rows,
        column_keys=columns,
        row_names=[_words(words, layout.rows, key) for key in rows],
        column_names=[_words(words, layout.columns, key) for key in columns],
        value=shown.copy(),
        lower=shown * (1 - spread) if spread else empty,
        upper=shown * (1 + spread) if spread else empty,
        numerator=empty,
        denominator=empty,
        shown=shown,
        status=states,
        expected=np.where(np.isfinite(arrived), 100.0, np.nan),
        received=arrived,
        findings=empty,
        measure=measure,
    )


def _keys(members: dict[str, Sequence[str]], dimensions: Sequence[str]) -> list[tuple[str, ...]]:
    keys: list[tuple[str, ...]] = [()]
    for dimension in dimensions:
        keys = [(*key, code) for key in keys for code in members[dimension]]
    return keys


def _words(words: dict[str, dict[str, str]], dimensions: Sequence[str], key: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        "Chung" if code == "total" else words.get(dimension, {}).get(code, code)
        for dimension, code in zip(dimensions, key)
    )
