"""Change between two times, or distance from a mark: colours that part at "no change"."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from tkyt_analysis.errors import UsageError
from tkyt_analysis.labels import current_language, format_number, label
from tkyt_analysis.maps.boundaries import Boundaries, boundaries
from tkyt_analysis.maps.class_legend import class_rows, counted_row, gap_rows
from tkyt_analysis.maps.classes import Classes
from tkyt_analysis.maps.content import Legend, MapContent, Panel, Swatch
from tkyt_analysis.maps.palettes import diverging
from tkyt_analysis.maps.values import SHOWN, Mark, complete, marks


def change_map(
    values: pd.DataFrame,
    *,
    vintage: str = "VN2025",
    title: str,
    unit: str = "",
    centre: float = 0.0,
    bounds: Sequence[float] | None = None,
    decimals: int = 1,
    practice: bool = False,
    tiles: bool = False,
    shapes: Boundaries | None = None,
    language: str | None = None,
) -> MapContent:
    """Map of a change: violet below `centre`, orange above it.

    values : unit_id, value, and optionally lower, upper (limits: an area whose limits hold `centre` is dotted: it
        is not clear whether it rose or fell) and status
    centre : the value that means no change (0; 1 or 100 for ratios)
    bounds : 3 to 8 rising bounds with `centre` among them; default: six classes, symmetric about `centre`, parted
        at the thirds of the distances from it
    Other parameters and errors as `draw_province_map`.
    """
    language = language or current_language()
    shapes = shapes or boundaries("province", vintage, tiles=tiles)
    table = complete(values, shapes)
    shown = table.loc[table["status"].isin(SHOWN), "value"].to_numpy(float)
    classes = _given(shown, bounds, centre, decimals) if bounds is not None else _symmetric(shown, centre, decimals)
    marked = marks(table, shapes, classes, unit=unit, decimals=decimals, language=language)
    unclear = _unclear(values, table, centre)
    words = label("map.change.unclear", language, centre=_plain(centre, language))
    marked = {one: _dotted(mark, words) if one in unclear else mark for one, mark in marked.items()}
    rows = class_rows(table, classes, language)
    if unclear:
        rows = (*rows, counted_row(words, len(unclear), Swatch("uncertain", "#ffffff"), language))
    rows = (*rows, *gap_rows(table["status"], language))
    head = label(
        f"map.change.{'given' if bounds is not None else 'symmetric'}", language, centre=_plain(centre, language)
    )
    legend = Legend(head, rows, label(f"map.legend_note.{shapes.level}", language))
    return MapContent("change", title, unit, practice, language, shapes, (Panel(marked),), legend)


def _plain(number: float, language: str) -> str:
    return format_number(number, 0 if float(number).is_integer() else 2, language)


def _given(shown: np.ndarray, bounds: Sequence[float], centre: float, decimals: int) -> Classes:
    """The user's bounds; as many colours of either side as there are classes on it."""
    steps = [float(one) for one in bounds]
    if not (3 <= len(steps) <= 8 and steps == sorted(set(steps)) and centre in steps[1:-1]):
        raise UsageError("error.map_change_bounds", value=steps, centre=centre)
    outside = shown[(shown < steps[0]) | (shown > steps[-1])]
    if len(outside):
        raise UsageError("error.map_value_outside_bounds", value=outside[0], low=steps[0], high=steps[-1])
    return Classes("given", tuple(steps), decimals, _sides(steps.index(centre), len(steps) - 1 - steps.index(centre)))


def _sides(below: int, above: int) -> tuple[str, ...]:
    """Colours for so many classes below and above the centre; the stronger side reaches the strongest colour."""
    half = min(max(below, above), 3)
    ramp = diverging(2 * half)
    low = [ramp[round(one)] for one in np.linspace(max(half - below, 0), half - 1, below)]
    high = [ramp[round(one)] for one in np.linspace(half, min(half + above, 2 * half) - 1, above)]
    return (*low, *high)


def _symmetric(shown: np.ndarray, centre: float, decimals: int) -> Classes:
    """Three classes on either side, parted at the thirds of the distances, bounds rounded outwards."""
    distance = np.abs(shown - centre)
    step = 10.0**-decimals
    if not len(distance) or distance.max() == 0:
        return Classes("given", (centre - step, centre, centre + step), decimals, diverging(2))
    parts = [round(float(np.quantile(distance, share)) / step) * step for share in (1 / 3, 2 / 3)]
    far = math.ceil(float(distance.max()) / step - 1e-9) * step
    inner = sorted({round(one, decimals) for one in parts if 0 < one < far} - {0.0})
    steps = [-far, *(-one for one in reversed(inner)), 0.0, *inner, far]
    return Classes("given", tuple(round(centre + one, 9) for one in steps), decimals, diverging(2 * (len(inner) + 1)))


def _unclear(values: pd.DataFrame, table: pd.DataFrame, centre: float) -> set[str]:
    """Units that have a figure whose limits hold the centre."""
    if not {"lower", "upper"} <= set(values.columns):
        return set()
    low, high = (pd.to_numeric(values[name], errors="coerce") for name in ("lower", "upper"))
    holds = values.loc[(low <= centre) & (high >= centre), "unit_id"].astype(str)
    return set(holds) & set(table.loc[table["status"] == "ok", "unit_id"])


def _dotted(mark: Mark, words: str) -> Mark:
    return Mark(mark.unit_id, mark.name, "uncertain", mark.value, mark.colour, f"{mark.text} – {words}")
