"""How sure it is that an area lies above a threshold: posterior probabilities in three or five steps."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.labels import current_language, label
from tkyt_analysis.maps.boundaries import Boundaries, boundaries
from tkyt_analysis.maps.class_legend import class_rows, gap_rows
from tkyt_analysis.maps.classes import Classes
from tkyt_analysis.maps.content import Legend, MapContent, Panel
from tkyt_analysis.maps.palettes import diverging
from tkyt_analysis.maps.values import complete, marks


def exceedance_map(
    values: pd.DataFrame,
    *,
    vintage: str = "VN2025",
    title: str,
    event: str,
    cutoffs: Sequence[float] = (0.8, 0.95),
    both: bool = True,
    practice: bool = False,
    tiles: bool = False,
    shapes: Boundaries | None = None,
    language: str | None = None,
) -> MapContent:
    """Map of P(event), for example P(relative risk > 1) from `bym2_rate`.

    values : unit_id, value (a probability, 0 to 1), and optionally status
    event : what the probability is of, in words: "nguy cơ tương đối lớn hơn 1"
    cutoffs : two rising probabilities above one half from which it is taken as likely and as near certain
        (default 0.80 and 0.95: Richardson et al., Environ Health Perspect 2004;112:1016-25, use 0.8)
    both : also the same cut-offs from below (1 − 0.80, 1 − 0.95)
    Other parameters and errors as `draw_province_map`.
    """
    language = language or current_language()
    shapes = shapes or boundaries("province", vintage, tiles=tiles)
    table = complete(values, shapes)
    classes = _classes(tuple(float(one) for one in cutoffs), both)
    outside = table[(table["value"] < 0) | (table["value"] > 1)]
    if len(outside):
        raise InputError("error.map_probability", unit=outside["unit_id"].iloc[0], value=outside["value"].iloc[0])
    marked = marks(table, shapes, classes, unit="", decimals=classes.decimals, language=language)
    rows = (*class_rows(table, classes, language), *gap_rows(table["status"], language))
    head = label("map.exceedance.head", language, event=event)
    legend = Legend(head, rows, label(f"map.legend_note.{shapes.level}", language))
    return MapContent("exceedance", title, "", practice, language, shapes, (Panel(marked),), legend)


def _classes(cutoffs: tuple[float, ...], both: bool) -> Classes:
    if len(cutoffs) != 2 or not 0.5 < cutoffs[0] < cutoffs[1] < 1:
        raise UsageError("error.map_cutoffs", value=list(cutoffs))
    below = tuple(round(1 - cut, 6) for cut in reversed(cutoffs)) if both else ()
    bounds = (0.0, *below, *cutoffs, 1.0)
    colours = diverging(5) if both else diverging(5)[2:]
    return Classes("given", bounds, 3 if any(round(cut, 2) != cut for cut in cutoffs) else 2, colours)
