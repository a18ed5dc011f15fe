"""What lies under a map of the explorer: outlines in points, both archipelagos, where a symbol of a unit stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from tkyt_analysis.cube.model import NATION
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label
from tkyt_analysis.maps.boundaries import Boundaries, boundaries
from tkyt_analysis.maps.frame import Frame, Polygon, frame

if TYPE_CHECKING:
    from tkyt_analysis.explorer.canvas import Canvas
    from tkyt_analysis.explorer.layout import Pivot
    from tkyt_analysis.maps.values import Mark

_STRIP = 20.0  # points of the two lines of an archipelago's label
COUNTRY = (12.7, 15.3)  # degrees that the map of the country with its archipelago frames is wide and high
LOCATOR = 0.3  # share of the width that the map of the whole country takes beside a map of communes


@dataclass(frozen=True)
class Outlines:
    """Outlines that the figures of a pivot can be put on.

    dimension : the place dimension that is mapped; shapes : all units of the level, or the communes of one province
    local : whether it is a part of the country, beside which the whole country is drawn small
    """

    dimension: str
    shapes: Boundaries
    local: bool


def outlines(pivot: Pivot, dimension: str, language: str) -> Outlines | str:
    """The outlines for a place dimension, or the sentence why there are none."""
    view = pivot.figures.view
    if dimension == "province":
        if view.place != NATION:
            return label("chart.no_map.one_province", language)
        return Outlines("province", boundaries("province", view.geography), local=False)
    if dimension != "commune":
        return label("chart.no_map.level", language)
    if view.place == NATION:
        return label("chart.no_map.commune_of_nation", language)
    try:
        whole = boundaries("commune", view.geography)
    except InputError:
        return label("chart.no_map.commune", language)
    return Outlines("commune", _part(whole, _units(pivot, dimension)), local=True)


def _units(pivot: Pivot, dimension: str) -> set[str]:
    from tkyt_analysis.explorer.grid import dimensions_of

    place = dimensions_of(pivot).index(dimension)
    keys = ((*row, *column) for row in pivot.row_keys for column in pivot.column_keys)
    return {unit_id(key[place], pivot.figures.view.geography) for key in keys}


def _part(whole: Boundaries, units: set[str]) -> Boundaries:
    kept = whole.units[whole.units["unit_id"].isin(units)].reset_index(drop=True)
    return replace(whole, units=kept, shapes={one: whole.shapes[one] for one in kept["unit_id"]})


def unit_id(code: str, geography: str) -> str:
    """The unit id of a place's code."""
    return code if ":" in code else f"{geography}:{code}"


@dataclass(frozen=True, eq=False)
class Ground:
    """Outlines in points of the page.

    country : the whole country with its archipelago frames: the map itself, or the small one beside a local map
    shapes : of the units that figures are put on
    """

    country: Frame
    shapes: Mapping[str, tuple[Polygon, ...]]
    local: bool
    bottom: float

    def middle(self, unit: str) -> tuple[float, float]:
        """Where the symbol of a unit stands: deepest inside its largest part."""
        return _middle(unit, self.shapes[unit])


_middles: dict[tuple[str, float, float], tuple[float, float]] = {}


def _middle(unit: str, polygons: tuple[Polygon, ...]) -> tuple[float, float]:
    """`anchor_point`, found once per unit whatever the size and place of the map."""
    from tkyt_analysis.maps.place_labels import anchor_point

    corners = np.concatenate([part[0] for part in polygons])
    start, size = corners.min(axis=0), np.ptp(corners, axis=0)
    key = (unit, round(float(len(corners)), 0), round(float(size[0] / max(size[1], 1e-9)), 3))
    if key not in _middles:
        if len(_middles) > 8000:
            _middles.clear()
        x, y = anchor_point(polygons)
        _middles[key] = (float((x - start[0]) / size[0]), float((y - start[1]) / size[1]))
    share = _middles[key]
    return float(start[0] + share[0] * size[0]), float(start[1] + share[1] * size[1])


@lru_cache(maxsize=16)
def _country(vintage: str, language: str, per: float, size: float) -> Frame:
    """The country at `per` points a degree from (0, 0), outlines no finer than can be seen; `size` of the type."""
    from tkyt_analysis.maps.ground import in_points

    strip = (3 + _STRIP * size * min(1.0, (per * 4.15 - 4) / (58 * size))) / per
    placed = in_points(frame(boundaries("province", vintage), language, strip=strip), per, 0.0, 0.0)
    return replace(placed, shapes={unit: _thinned(parts) for unit, parts in placed.shapes.items()})


def _thinned(parts: tuple[Polygon, ...], step: float = 0.5) -> tuple[Polygon, ...]:
    """Corners on a grid of `step` points, each once in a row: neighbours keep common borders. Specks fall away, but
    never the largest part of a unit."""
    rounded = []
    for part in parts:
        rings = []
        for ring in part:
            corners = np.round(ring / step) * step
            rings.append(corners[np.append(True, (np.diff(corners, axis=0) != 0).any(axis=1))])
        rounded.append(tuple(ring for ring in rings if len(ring) > 3))
    kept = tuple(part for part in rounded if part)
    return kept or parts[:1]


def _moved(placed: Frame, left: float, top: float) -> Frame:
    from tkyt_analysis.maps.ground import in_points

    return in_points(placed, 1.0, round(2 * left) / 2, round(2 * top) / 2)


def ground(
    canvas: Canvas, found: Outlines, left: float, top: float, width: float, height: float, language: str
) -> Ground:
    """The outlines within a box, both archipelagos always with them."""
    vintage = found.shapes.vintage
    if found.local:
        wide = LOCATOR * width
        country = _fitted(vintage, language, (left, top, wide, height), canvas.scale)
        inner = _local(found.shapes, (left + wide + 10, top, width - wide - 10, height))
        return Ground(country, inner, True, top + height)
    placed = _fitted(vintage, language, (left, top, width, height), canvas.scale)
    return Ground(placed, placed.shapes, False, top + placed.height)


def _fitted(vintage: str, language: str, box: tuple[float, float, float, float], size: float) -> Frame:
    """The country within left, top, width, height."""
    per = round(min(box[2] / COUNTRY[0], box[3] / COUNTRY[1]), 3)
    placed = _country(vintage, language, per, size)
    return _moved(placed, box[0] + (box[2] - placed.width) / 2, box[1])


def _local(shapes: Boundaries, box: tuple[float, float, float, float]) -> dict[str, tuple[Polygon, ...]]:
    """Outlines of a part of the country, as large as the box allows, in true proportion at its own latitude."""
    rings = [ring for parts in shapes.shapes.values() for part in parts for ring in part]
    corners = np.concatenate(rings) if rings else np.zeros((1, 2))
    (west, south), (east, north) = corners.min(axis=0), corners.max(axis=0)
    narrow = float(np.cos(np.radians((south + north) / 2)))
    per = min(box[2] / max((east - west) * narrow, 1e-9), box[3] / max(north - south, 1e-9))
    offset_x = box[0] + (box[2] - per * (east - west) * narrow) / 2

    def place(ring: np.ndarray) -> np.ndarray:
        return np.column_stack([offset_x + (ring[:, 0] - west) * narrow * per, box[1] + (north - ring[:, 1]) * per])

    return {unit: tuple(tuple(map(place, part)) for part in parts) for unit, parts in shapes.shapes.items()}


def draw_ground(canvas: Canvas, base: Ground, marked: Mapping[str, Mark]) -> None:
    """The units in their colours or patterns; beside a local map the country, empty, with its archipelagos."""
    from tkyt_analysis.maps.ground import draw_units

    if not base.local:
        draw_units(canvas, base.country, dict(marked))
        return
    from tkyt_analysis.maps.values import Mark

    empty = {unit: Mark(unit, "", "ok", float("nan"), "#ffffff", "") for unit in base.country.shapes}
    draw_units(canvas, base.country, empty)
    for unit, polygons in base.shapes.items():
        if polygons:
            canvas.shape(polygons, marked[unit].status, marked[unit].colour)
