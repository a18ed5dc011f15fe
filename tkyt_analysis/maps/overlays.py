"""Symbols and arrows over a printed map: a few collections, however many thousand there are."""

from __future__ import annotations

from typing import Any

import numpy as np

from tkyt_analysis.maps.content import Arrows, Points
from tkyt_analysis.maps.frame import project
from tkyt_analysis.maps.palettes import ARROW, POINT_RIM
from tkyt_analysis.maps.sheet import Sheet

# Form, fill and rim of a symbol without a value: told apart by form, not by colour.
POINT_FORMS = {
    "missing": ("o", "#ffffff", "#6b6b6b"),
    "suppressed": ("s", "#bdbdbd", "#4a4a4a"),
    "not_assessable": ("x", "#5c3b00", "#5c3b00"),
}
FORM_RADIUS = 1.3  # points
LEAST_RADIUS = 0.55


def draw_points(sheet: Sheet, points: Points, per: float, offset: np.ndarray) -> None:
    """Circles, the largest first so that small ones stay seen; then the symbols of what has no value."""
    place = project(points.position) * per + offset
    valued = points.colour != ""
    order = np.flatnonzero(valued)[np.argsort(-points.radius[valued], kind="stable")]
    radius = np.maximum(points.radius[order] * per, LEAST_RADIUS)
    modelled = points.status[order] == "modelled"
    for kind, rim, width in ((~modelled, POINT_RIM, 0.15), (modelled, "#b35806", 0.7)):
        _circles(sheet, place[order][kind], radius[kind], points.colour[order][kind], rim, width)
    for status, (form, fill, rim) in POINT_FORMS.items():
        chosen = points.status == status
        if chosen.any():
            _forms(sheet, place[chosen], form, fill, rim)


def _circles(sheet: Sheet, place: np.ndarray, radius: np.ndarray, colour: np.ndarray, rim: str, width: float) -> None:
    from matplotlib.collections import CircleCollection

    if not len(place):
        return
    circles = CircleCollection(
        np.pi * radius**2,
        offsets=place,
        offset_transform=sheet.axes.transData,
        facecolors=list(colour),
        edgecolors=rim,
        linewidths=width,
        alpha=0.85,
        zorder=3,
    )
    sheet.axes.add_collection(circles, autolim=False)


def _forms(sheet: Sheet, place: np.ndarray, form: str, fill: str, rim: str) -> None:
    from matplotlib.lines import Line2D

    look: dict[str, Any] = {"marker": form, "markersize": 2 * FORM_RADIUS, "markerfacecolor": fill}
    line = Line2D(*place.T, linestyle="none", markeredgecolor=rim, markeredgewidth=0.45, zorder=2.8, **look)
    sheet.axes.add_artist(line)


def draw_arrows(sheet: Sheet, arrows: Arrows, per: float, offset: np.ndarray) -> None:
    """Arrows with a white rim, seen on light and dark ground."""
    from matplotlib.patches import FancyArrowPatch

    starts, ends = (project(side) * per + offset for side in (arrows.start, arrows.end))
    for start, end, width in zip(starts, ends, arrows.width):
        for colour, wide, order in (("#ffffff", width + 1.2, 3.0), (ARROW, width, 3.1)):
            head = f"-|>,head_length={1.5 + 0.4 * width},head_width={0.8 + 0.3 * width}"
            look: dict[str, Any] = {
                "arrowstyle": head if colour == ARROW else "-",
                "connectionstyle": "arc3,rad=0.12",
                "mutation_scale": 1.6,
            }
            sheet.axes.add_artist(
                FancyArrowPatch(start, end, color=colour, linewidth=wide, shrinkA=0, shrinkB=0, zorder=order, **look)
            )
