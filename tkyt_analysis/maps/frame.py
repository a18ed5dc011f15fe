"""Where things lie on the sheet: outlines, the two archipelago frames, room for the legend.

Map units: x to the right, y downwards. One unit is one degree of latitude, or one tile. Both pictures (matplotlib
and SVG) use this, so that no map of the product can be drawn without Hoàng Sa and Trường Sa.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tkyt_analysis.labels import label
from tkyt_analysis.maps.boundaries import ARCHIPELAGOS, Boundaries, Polygon, archipelago_unit, island_points

WEST, NORTH = 101.95, 23.55
# Length of a degree of longitude relative to one of latitude at 16.2° N, the middle of the country.
LONGITUDE_SCALE = float(np.cos(np.radians(16.2)))
# Longitude and latitude that an archipelago frame shows: west, south, east, north.
_EXTENT = {"hoang_sa": (110.95, 15.6, 113.0, 17.3), "truong_sa": (111.5, 7.5, 116.3, 11.8)}
_EXTENT_POLYGONS = {"hoang_sa": (110.9, 15.4, 113.1, 17.4), "truong_sa": (111.0, 6.8, 118.0, 12.2)}

Box = tuple[float, float, float, float]  # x0, y0, x1, y1


@dataclass(frozen=True)
class Inset:
    """One archipelago frame: its box, the province it belongs to, its label in two lines, what is drawn inside."""

    archipelago: str
    box: Box
    unit_id: str
    lines: tuple[str, str]
    points: np.ndarray  # (n, 2) map units
    polygons: tuple[Polygon, ...]


@dataclass(frozen=True)
class Frame:
    """The sheet in map units."""

    width: float
    height: float
    shapes: dict[str, tuple[Polygon, ...]]
    insets: tuple[Inset, Inset]
    legend: Box
    tiles: bool


def frame(shapes: Boundaries, language: str | None = None, *, strip: float = 1.0) -> Frame:
    """The sheet of `shapes`; `strip` is the height that the two label lines take in an archipelago frame."""
    return _tile_frame(shapes, language) if shapes.kind == "tiles" else _map_frame(shapes, language, strip)


def inset_lines(archipelago: str, language: str | None = None) -> tuple[str, str]:
    """The label of an archipelago, broken before the bracket: "Q.đ. Hoàng Sa", "(TP. Đà Nẵng)"."""
    name, bracket = label(f"map.archipelago.{archipelago}", language).split(" (")
    return name, "(" + bracket


def project(degrees: np.ndarray) -> np.ndarray:
    """Longitude and latitude → map units."""
    return np.column_stack([(degrees[:, 0] - WEST) * LONGITUDE_SCALE, NORTH - degrees[:, 1]])


def _map_frame(shapes: Boundaries, language: str | None, strip: float) -> Frame:
    boxes: dict[str, Box] = {"hoang_sa": (8.5, 5.9, 12.65, 8.9), "truong_sa": (8.5, 11.0, 12.65, 15.25)}
    drawn = {unit: tuple(tuple(map(project, polygon)) for polygon in parts) for unit, parts in shapes.shapes.items()}
    first, second = (_map_inset(name, boxes[name], shapes, language, strip) for name in ARCHIPELAGOS)
    return Frame(12.7, 15.3, drawn, (first, second), (0.0, 6.35, 3.68, 12.3), tiles=False)


def _map_inset(name: str, box: Box, shapes: Boundaries, language: str | None, strip: float) -> Inset:
    points = island_points()
    degrees = points.loc[points["archipelago"] == name, ["longitude", "latitude"]].to_numpy()
    polygons = shapes.islands[name]
    inside = (box[0] + 0.15, box[1] + strip, box[2] - 0.15, box[3] - 0.15)
    extent = _around(_EXTENT_POLYGONS[name], polygons) if polygons else _EXTENT[name]
    placed = tuple(tuple(_fit(ring, extent, inside) for ring in polygon) for polygon in polygons)
    dots = np.empty((0, 2)) if polygons else _fit(degrees, extent, inside)
    unit_id = archipelago_unit(name, shapes.vintage, shapes.level)
    return Inset(name, box, unit_id, inset_lines(name, language), dots, placed)


def _around(extent: Box, polygons: tuple[Polygon, ...]) -> Box:
    """The extent, widened to hold every polygon."""
    corners = np.vstack([polygon[0] for polygon in polygons])
    low, high = np.minimum(corners.min(axis=0), extent[:2]), np.maximum(corners.max(axis=0), extent[2:])
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _fit(degrees: np.ndarray, extent: Box, box: Box) -> np.ndarray:
    """Degrees within `extent` → the box, both directions at one scale, in its middle."""
    west, south, east, north = extent
    width, height = (east - west) * LONGITUDE_SCALE, north - south
    scale = min((box[2] - box[0]) / width, (box[3] - box[1]) / height)
    x = (box[0] + box[2]) / 2 + ((degrees[:, 0] - west) * LONGITUDE_SCALE - width / 2) * scale
    y = (box[1] + box[3]) / 2 + ((north - degrees[:, 1]) - height / 2) * scale
    return np.column_stack([x, y])


def _tile_frame(shapes: Boundaries, language: str | None) -> Frame:
    """Tiles; each archipelago is a wide extra tile in the row of its province."""
    corners = {unit: parts[0][0].min(axis=0) for unit, parts in shapes.shapes.items()}
    columns, rows = np.ceil(np.max([parts[0][0].max(axis=0) for parts in shapes.shapes.values()], axis=0))
    insets = []
    for name in ARCHIPELAGOS:
        unit_id = archipelago_unit(name, shapes.vintage)
        top = float(np.floor(corners[unit_id][1])) + 0.04
        box = (columns + 0.4, top, columns + 3.6, top + 0.92)
        insets.append(Inset(name, box, unit_id, inset_lines(name, language), np.empty((0, 2)), ()))
    free = _empty_west(corners, int(rows))
    return Frame(columns + 3.64, rows, dict(shapes.shapes), (insets[0], insets[1]), free, tiles=True)


def _empty_west(corners: dict[str, np.ndarray], rows: int) -> Box:
    """The largest empty box at the left edge of a tile grid."""
    start = [
        min((corner[0] for corner in corners.values() if int(corner[1]) == row), default=99) for row in range(rows)
    ]
    spans = [(a, b) for a in range(rows) for b in range(a + 1, rows + 1)]
    first, last = max(spans, key=lambda span: (span[1] - span[0]) * (min(start[span[0] : span[1]]) - 0.9))
    return 0.0, first + 0.1, float(min(start[first:last])) - 0.3, last - 0.1


def short_lines(name: str) -> list[str]:
    """ "Bà Rịa - Vũng Tàu" → two lines; two words → two lines."""
    words = name.replace(" - ", "\u00a0- ").split(" ")
    return words if len(words) <= 3 else [" ".join(words[:2]), " ".join(words[2:])]
