"""The names of provinces on a printed map."""

from __future__ import annotations

from collections.abc import Mapping
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
    for name in _name_places(sheet, placed, marked, obstacles, (sheet.width, bottom + 2)):
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
    sheet: Sheet, placed: Frame, marked: Mapping[str, Mark], obstacles: list[Box], size: tuple[float, float]
) -> list[Placed]:
    """`place_labels`, remembered per sheet: a series of maps of one size finds the places once."""
    corners = tuple(float(polygons[0][0][0].sum()) for polygons in placed.shapes.values() if polygons)
    key = (tuple(marked), corners, tuple(map(tuple, obstacles)), size, sheet.scale)
    if key not in _places:
        if len(_places) > 16:
            _places.clear()
        top = min(float(ring[:, 1].min()) for parts in placed.shapes.values() for part in parts for ring in part) - 4
        margin = (0.0, 0.0, sheet.width, max(top, 0.0))  # names stay below the heading
        names = {unit_id: mark.name for unit_id, mark in marked.items() if placed.shapes[unit_id]}
        shapes = {unit_id: placed.shapes[unit_id] for unit_id in names}
        _places[key] = place_labels(names, shapes, size=size, taken=[*obstacles, margin], measure=_measure(sheet))
    return _places[key]


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
