"""The legend of a printed map: as wide as its place, as high as it needs."""

from __future__ import annotations

import numpy as np

from tkyt_analysis.maps.content import Legend, Row, Swatch
from tkyt_analysis.maps.overlays import FORM_RADIUS, LEAST_RADIUS, POINT_FORMS
from tkyt_analysis.maps.palettes import ARROW, POINT_RIM
from tkyt_analysis.maps.sheet import GREY, INK, Sheet

_BOX = (11.0, 7.0)  # points: width and height of a sample


def legend_height(sheet: Sheet, legend: Legend, width: float) -> float:
    """How high `draw_legend` gets."""
    return _flow(sheet, legend, 0.0, 0.0, width, draw=False)


def draw_legend(sheet: Sheet, legend: Legend, x: float, y: float, width: float) -> float:
    """The legend from (x, y) down; returns where it ends."""
    return _flow(sheet, legend, x, y, width, draw=True)


def _flow(sheet: Sheet, legend: Legend, x: float, y: float, width: float, *, draw: bool) -> float:
    """Scheme, one row per class and gap, the note; text wraps within `width`."""
    if legend.head:
        y = _text(sheet, legend.head, x, y, width, 6.5, draw) + 2
    for row in legend.rows:
        y = _row(sheet, row, x, y, width, draw)
    return _text(sheet, legend.note, x, y + 1, width, 6, draw) if legend.note else y


def _row(sheet: Sheet, row: Row, x: float, y: float, width: float, draw: bool) -> float:
    """Samples, then the words beside them."""
    if not row.swatches:
        return _text(sheet, row.text, x, y + 2, width, 6.5, draw) + 1.5
    start, high = x, max(_height(sheet, swatch) for swatch in row.swatches)
    for swatch in row.swatches:
        if draw:
            _sample(sheet, swatch, x, y, high)
        x += _width(sheet, swatch)
    words = y + max(0.0, (high - 7 * sheet.scale) / 2)
    left = x + 4 * sheet.scale
    return max(_text(sheet, row.text, left, words, width - (left - start), 7, draw), y + high) + 1.5


def _width(sheet: Sheet, swatch: Swatch) -> float:
    return {"box": _BOX[0] * sheet.scale, "arrow": 18 * sheet.scale}.get(swatch.shape, _across(sheet, swatch))


def _height(sheet: Sheet, swatch: Swatch) -> float:
    return _across(sheet, swatch) if swatch.shape in ("dot", "size") else _BOX[1] * sheet.scale


def _across(sheet: Sheet, swatch: Swatch) -> float:
    """Points that a circle takes across."""
    return max(swatch.size * (sheet.per if swatch.shape == "size" else 1.0), 4.0)


def _sample(sheet: Sheet, swatch: Swatch, x: float, y: float, high: float) -> None:
    """One sample with its upper left corner at (x, y)."""
    middle = y + 1 + high / 2
    if swatch.shape == "arrow":
        _arrow(sheet, swatch, x, middle)
    elif swatch.shape in ("dot", "size"):
        _dot(sheet, swatch, x + _across(sheet, swatch) / 2, middle)
    else:
        wide, tall = (part * sheet.scale for part in _BOX)
        top = y + 1
        square = np.array([[x, top], [x + wide, top], [x + wide, top + tall], [x, top + tall], [x, top]])
        sheet.shape(((square,),), swatch.status, swatch.colour or None)


def _dot(sheet: Sheet, swatch: Swatch, x: float, y: float) -> None:
    form, fill, rim = POINT_FORMS.get(swatch.status, ("o", swatch.colour or "#ffffff", POINT_RIM))
    size = 2.2 * FORM_RADIUS if swatch.status in POINT_FORMS else swatch.size
    if swatch.shape == "size":
        size = max(swatch.size * sheet.per, 2 * LEAST_RADIUS)
    if swatch.status == "modelled":
        rim = "#b35806"
    sheet.axes.plot(
        [x], [y], marker=form, markersize=size, markerfacecolor=fill, markeredgecolor=rim, markeredgewidth=0.5
    )


def _arrow(sheet: Sheet, swatch: Swatch, x: float, y: float) -> None:
    from matplotlib.patches import FancyArrowPatch

    ends = (x, y), (x + 15 * sheet.scale, y)
    style = "-|>,head_length=2.2,head_width=1.1"
    sheet.axes.add_artist(
        FancyArrowPatch(
            *ends, arrowstyle=style, mutation_scale=1.6, color=ARROW, linewidth=swatch.size, shrinkA=0, shrinkB=0
        )
    )


def _text(sheet: Sheet, text: str, x: float, y: float, width: float, size: float, draw: bool) -> float:
    if draw:
        return sheet.paragraph(text, x, y, width, size=size, colour=GREY if size < 7 else INK)
    return y + sheet.paragraph_height(text, width, size=size)
