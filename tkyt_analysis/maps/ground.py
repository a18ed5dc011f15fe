"""The ground of every printed map: units in their colours or patterns, and both archipelagos with their labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tkyt_analysis.maps.frame import Box, Frame, Inset, Polygon
from tkyt_analysis.maps.palettes import ink_on
from tkyt_analysis.maps.sheet import LEADING, PATTERNS, Sheet, text_size
from tkyt_analysis.maps.values import Mark

_MANY = 500  # units, beyond which borders are thin: communes of the country
INSET_TYPE = 7.0  # points of an archipelago's label, where its frame is wide enough


def in_points(plain: Frame, scale: float, left: float, top: float) -> Frame:
    """The frame in points of the sheet."""
    offset = np.array([left, top])

    def move(ring: np.ndarray) -> np.ndarray:
        return ring * scale + offset

    def move_parts(polygons: tuple[Polygon, ...]) -> tuple[Polygon, ...]:
        return tuple(tuple(move(ring) for ring in polygon) for polygon in polygons)

    def move_box(box: Box) -> Box:
        corners = move(np.array(box).reshape(2, 2)).ravel()
        return float(corners[0]), float(corners[1]), float(corners[2]), float(corners[3])

    first, second = (
        replace(inset, box=move_box(inset.box), points=move(inset.points), polygons=move_parts(inset.polygons))
        for inset in plain.insets
    )
    moved = {unit_id: move_parts(polygons) for unit_id, polygons in plain.shapes.items()}
    size = plain.width * scale, plain.height * scale
    return replace(
        plain, width=size[0], height=size[1], shapes=moved, insets=(first, second), legend=move_box(plain.legend)
    )


def label_size(lines: tuple[str, str], width: float, scale: float) -> float:
    """Type size of an archipelago's label in a frame `width` points wide."""
    return min(INSET_TYPE, INSET_TYPE * (width - 4) / text_size("\n".join(lines), INSET_TYPE * scale)[0])


def label_strip(lines: tuple[str, str], width: float, scale: float) -> float:
    """Points that the two lines of the label take."""
    return 2 * LEADING * label_size(lines, width, scale) * scale + 4


def draw_units(
    sheet: Sheet, placed: Frame, marked: Mapping[str, Mark], islands: Mapping[str, Mark] | None = None
) -> None:
    """Every unit, then both archipelagos; `islands` where these are not drawn as the unit they belong to."""
    line = 0.35 if len(placed.shapes) < _MANY else 0.12
    for unit_id, polygons in placed.shapes.items():
        if polygons:
            sheet.shape(polygons, marked[unit_id].status, marked[unit_id].colour, linewidth=line)
    for inset in placed.insets:
        own = (islands or {}).get(inset.archipelago) or marked.get(inset.unit_id)
        _draw_inset(sheet, inset, own or Mark(inset.unit_id, "", "ok", float("nan"), "#ffffff", ""), tile=placed.tiles)


def _draw_inset(sheet: Sheet, inset: Inset, mark: Mark, *, tile: bool) -> None:
    """One archipelago: its frame and label, and its islands in the colour of their unit."""
    x0, y0, x1, y1 = inset.box
    size = label_size(inset.lines, x1 - x0, sheet.scale)
    if tile:
        size = min(size, (y1 - y0 - 1) / (2 * LEADING * sheet.scale))
    sheet.box(inset.box, **({"facecolor": "none", "edgecolor": "none"} if tile else {})).set_gid(
        f"archipelago-frame-{inset.archipelago}"
    )
    if tile:
        square = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]])
        sheet.shape(((square,),), mark.status, mark.colour)
        where = ((x0 + x1) / 2, (y0 + y1) / 2, "center", "center")
    else:
        if inset.polygons:
            sheet.shape(inset.polygons, mark.status, mark.colour)
        for point in inset.points:
            sheet.shape(((_dot(point, 1.9),),), "ok", mark.colour or PATTERNS[mark.status][0], linewidth=0.5)
        where = (x0 + 3, y0 + 2.5, "left", "top")
    text = "\n".join(inset.lines)
    artist = sheet.text(where[0], where[1], text, size, ha=where[2], va=where[3], multialignment=where[2], zorder=6)
    set_off(artist, mark if tile else None)
    artist.set_gid(f"archipelago-{inset.archipelago}")


def _dot(centre: np.ndarray, radius: float) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, 13)
    return centre + radius * np.column_stack([np.cos(turn), np.sin(turn)])


def set_off(artist: Any, ground: Mark | None, *, rim: bool = False) -> None:
    """Make text readable on the unit below it (None: on paper): its ink; `rim` where it crosses the outline."""
    from matplotlib.patheffects import withStroke

    colour = ground.colour if ground and ground.colour else "#ffffff"
    artist.set_color(ink_on(colour))
    if ground and (rim or ground.status != "ok"):
        artist.set_path_effects([withStroke(linewidth=1.5 if ground.status == "ok" else 2.6, foreground=colour)])
