"""The names of provinces on a printed map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tkyt_analysis.maps.frame import Box, Frame, short_lines
from tkyt_analysis.maps.ground import set_off
from tkyt_analysis.maps.place_labels import Placed, place_labels
from tkyt_analysis.maps.sheet import Sheet, text_size
from tkyt_analysis.maps.values import Mark

_NAME_SIZE, _TILE_NAME_SIZE = 5.2, 6.2


def draw_names(
    sheet: Sheet, placed: Frame, marked: Mapping[str, Mark], taken: list[Box], *, rims: bool = False
) -> None:
    """Province names where no other text stands; in a tile grid, inside the tiles. `rims` where arrows cross them."""
    if placed.tiles:
        _draw_tile_names(sheet, placed, marked)
        return
    bottom = max(box[3] for box in (placed.legend, *(inset.box for inset in placed.insets)))
    obstacles = [*taken, *(inset.box for inset in placed.insets)]
    for name in _name_places(sheet, placed, marked, obstacles, bottom + 2):
        if name.anchor is not None:
            end = np.clip(name.anchor, name.box[:2], name.box[2:])
            sheet.leader(np.array([name.anchor, end]))
        artist = sheet.text(
            name.x, name.y, name.text, _NAME_SIZE, ha="center", va="center", multialignment="center", zorder=5
        )
        set_off(artist, None if name.anchor else marked[name.unit_id], rim=rims or not name.within)
        artist.set_gid(f"name-{name.unit_id}")


_places: dict[tuple, list[Placed]] = {}


def _name_places(
    sheet: Sheet, placed: Frame, marked: Mapping[str, Mark], obstacles: list[Box], bottom: float
) -> list[Placed]:
    """`place_labels`, remembered: maps of one size find the places once, however high their headings are.

    Measured from the top of the map, so that names stay below the heading.
    """
    top = min(float(part[0][:, 1].min()) for parts in placed.shapes.values() for part in parts) - 4
    shapes = {
        unit_id: tuple(tuple(ring - [0.0, top] for ring in part) for part in placed.shapes[unit_id])
        for unit_id in marked
        if placed.shapes[unit_id]
    }
    boxes = [(box[0], box[1] - top, box[2], box[3] - top) for box in obstacles]
    corners = tuple(round(float(polygons[0][0][0].sum()), 3) for polygons in shapes.values())
    rounded = tuple(tuple(round(side, 3) for side in box) for box in boxes)
    key = (tuple(marked), corners, rounded, round(sheet.width, 3), round(bottom - top, 3), sheet.scale)
    if key not in _places:
        if len(_places) > 16:
            _places.clear()
        names = {unit_id: marked[unit_id].name for unit_id in shapes}
        size = (sheet.width, bottom - top)
        _places[key] = place_labels(names, shapes, size=size, taken=boxes, measure=_measure(sheet))
    return [_lowered(name, top) for name in _places[key]]


def _lowered(name: Placed, by: float) -> Placed:
    """The same place on a sheet whose map starts `by` points lower."""
    anchor = None if name.anchor is None else (name.anchor[0], name.anchor[1] + by)
    box = (name.box[0], name.box[1] + by, name.box[2], name.box[3] + by)
    return replace(name, y=name.y + by, anchor=anchor, box=box)


def _measure(sheet: Sheet) -> Any:
    def measure(text: str) -> tuple[float, float]:
        width, height = text_size(text, _NAME_SIZE * sheet.scale)
        return width + 1.0, height * 0.92

    return measure


def _draw_tile_names(sheet: Sheet, placed: Frame, marked: Mapping[str, Mark]) -> None:
    """The name inside each tile, in up to three lines, all in one size that fits every tile."""
    tile = min(float(np.ptp(parts[0][0][:, 0])) for parts in placed.shapes.values()) - 3
    texts = {unit_id: "\n".join(short_lines(mark.name)) for unit_id, mark in marked.items()}
    widest = max(text_size(text, 10)[0] for text in texts.values()) / 10
    size = min(_TILE_NAME_SIZE, tile / widest / sheet.scale)
    for unit_id, text in texts.items():
        x, y = (float(part) for part in placed.shapes[unit_id][0][0][:4].mean(axis=0))
        artist = sheet.text(x, y, text, size, ha="center", va="center", multialignment="center", zorder=5)
        set_off(artist, marked[unit_id])
        artist.set_gid(f"name-{unit_id}")
