"""The same measure at several times, small maps side by side in the same classes."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.labels import current_language
from tkyt_analysis.maps.boundaries import Boundaries, boundaries
from tkyt_analysis.maps.class_legend import class_legend
from tkyt_analysis.maps.classes import classify
from tkyt_analysis.maps.content import Legend, MapContent, Panel
from tkyt_analysis.maps.values import SHOWN, complete, marks

MOST = 9  # maps on one sheet of A4 on which both archipelagos can still be read


def small_multiples(
    values: pd.DataFrame,
    *,
    vintage: str = "VN2025",
    title: str,
    unit: str = "",
    by: str = "year",
    scheme: str = "quantile",
    n_classes: int = 5,
    bounds: Sequence[float] | None = None,
    decimals: int | None = None,
    practice: bool = False,
    tiles: bool = False,
    shapes: Boundaries | None = None,
    language: str | None = None,
) -> MapContent:
    """One map per value of the column `by`, in its order; all share one set of classes.

    values : unit_id, value, the column `by`, and optionally status; at most 9 different values of `by`
    Other parameters and errors as `draw_province_map`; the numbers in the legend count units of all maps together.
    """
    language = language or current_language()
    shapes = shapes or boundaries("province", vintage, tiles=tiles)
    times = _times(values, by)
    tables = [complete(values[values[by] == time].drop(columns=by), shapes) for time in times]
    together = pd.concat(tables, ignore_index=True)
    shown = together.loc[together["status"].isin(SHOWN), "value"].to_numpy()
    classes = classify(shown, scheme=scheme, n_classes=n_classes, bounds=bounds, decimals=decimals)
    panels = tuple(
        Panel(marks(one, shapes, classes, unit=unit, decimals=classes.decimals, language=language), str(time))
        for time, one in zip(times, tables)
    )
    plain = class_legend(together, classes, shapes, language)
    return MapContent("multiples", title, unit, practice, language, shapes, panels, _joint(plain, len(times), language))


def _joint(legend: Legend, number: int, language: str) -> Legend:
    from tkyt_analysis.labels import label

    return Legend(legend.head, legend.rows, label("map.multiples.note", language, number=number))


def _times(values: pd.DataFrame, by: str) -> list[object]:
    """The values of `by` in order."""
    if by not in values:
        found = ", ".join(map(str, values.columns))
        raise InputError("error.map_kind_columns", missing=by, found=found, needed="unit_id, value")
    times = sorted(values[by].dropna().unique())
    if not 1 <= len(times) <= MOST:
        raise UsageError("error.map_too_many_panels", by=by, number=len(times), most=MOST)
    return times
