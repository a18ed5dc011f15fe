"""Where the province names stand: inside, else outside with a thin leader; never on one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from tkyt_analysis.maps.frame import Box, Polygon

Line = tuple[tuple[float, float], tuple[float, float]]
Measure = Callable[[str], tuple[float, float]]
_CELL = 0.5  # points per cell of the raster


@dataclass(frozen=True)
class Placed:
    """A name at its place: lines, middle of the text (points), and where a leader starts (None: no leader)."""

    unit_id: str
    text: str
    x: float
    y: float
    anchor: tuple[float, float] | None
    box: Box
    within: bool = False  # wholly on the unit's own land


def anchor_point(polygons: tuple[Polygon, ...]) -> tuple[float, float]:
    """The point deepest inside the largest polygon."""
    import shapely

    largest = max((shapely.Polygon(part[0], part[1:]) for part in polygons), key=lambda shape: shape.area)
    circle = shapely.maximum_inscribed_circle(largest, tolerance=largest.length / 400)
    return float(circle.coords[0][0]), float(circle.coords[0][1])


def place_labels(
    names: Mapping[str, str],
    shapes: Mapping[str, tuple[Polygon, ...]],
    *,
    size: tuple[float, float],
    taken: list[Box],
    measure: Measure,
    reach: float = 170.0,
) -> list[Placed]:
    """A place for every name; all lengths in points, y downwards.

    names    unit_id → text; it may also be broken at one blank
    taken    boxes that hold something else (frames, legend)
    measure  text (lines parted by a line feed) → (width, height)
    """
    sheet = _Sheet(shapes, size, taken)
    anchors = {unit_id: anchor_point(shapes[unit_id]) for unit_id in names}
    inside = {
        unit_id: sheet.inside(unit_id, _forms(name), anchors[unit_id], measure) for unit_id, name in names.items()
    }
    placed = [place for place in inside.values() if place]
    outside = [unit_id for unit_id, place in inside.items() if place is None]
    for unit_id in sorted(outside, key=lambda unit_id: sheet.distance_to_free(anchors[unit_id])):
        found = sheet.outside(unit_id, _forms(names[unit_id]), anchors[unit_id], measure, reach)
        if found:
            placed.append(found)
    return placed


def _forms(name: str) -> list[str]:
    """The name in one line, then broken near its middle."""
    words = name.split(" ")
    if len(words) == 1:
        return [name]
    cut = min(range(1, len(words)), key=lambda i: max(len(" ".join(words[:i])), len(" ".join(words[i:]))))
    return [name, " ".join(words[:cut]) + "\n" + " ".join(words[cut:])]


class _Sheet:
    """What already stands where."""

    def __init__(self, shapes: Mapping[str, tuple[Polygon, ...]], size: tuple[float, float], taken: list[Box]) -> None:
        from PIL import Image, ImageDraw

        self.size = size
        self.number = {unit_id: i + 1 for i, unit_id in enumerate(shapes)}
        image = Image.new("I", (round(size[0] / _CELL), round(size[1] / _CELL)))
        pen = ImageDraw.Draw(image)
        for unit_id, polygons in shapes.items():
            for polygon in polygons:
                pen.polygon([tuple(corner) for corner in polygon[0] / _CELL], fill=self.number[unit_id])
        self.land = np.asarray(image)
        self.boxes = list(taken)
        self.leaders: list[Line] = []

    def inside(self, unit_id: str, forms: list[str], anchor: tuple[float, float], measure: Measure) -> Placed | None:
        """The place around the anchor that lies in the unit's own land, or partly in the sea beside it."""
        best: tuple[float, Placed] | None = None
        for text in forms:
            width, height = measure(text)
            for dx, dy in product(np.linspace(-0.45, 0.45, 7), np.linspace(-1.2, 1.2, 9)):
                x, y = anchor[0] + dx * width, anchor[1] + dy * height
                box = _box(x, y, width, height)
                own, foreign = self._shares(unit_id, box)
                if foreign > 0.03 or own < 0.55 or not self._free(box):
                    continue
                score = own - 0.12 * np.hypot(dx, dy) - (0.05 if "\n" in text else 0.0)
                if best is None or score > best[0]:
                    best = (float(score), Placed(unit_id, text, x, y, None, box, own == 1.0))
        return self._keep(best[1]) if best else None

    def outside(
        self, unit_id: str, forms: list[str], anchor: tuple[float, float], measure: Measure, reach: float
    ) -> Placed | None:
        """The nearest free place off the land whose leader crosses nothing."""
        for radius in np.arange(10, reach, 4):
            for text, angle in product(forms, np.linspace(0, 2 * np.pi, 36, endpoint=False)):
                width, height = measure(text)
                x = anchor[0] + radius * np.cos(angle) + np.sign(np.cos(angle)) * width / 2
                y = anchor[1] + radius * np.sin(angle)
                box = _box(x, y, width, height)
                if self._shares(unit_id, box) != (0.0, 0.0) or not self._free(box, gap=1.5):
                    continue
                end = _edge(box, anchor)
                if self._leader_is_clear(anchor, end):
                    self.leaders.append((anchor, end))
                    return self._keep(Placed(unit_id, text, x, y, anchor, box))
        return None

    def distance_to_free(self, anchor: tuple[float, float]) -> float:
        """How far the sea or a neighbouring country is, left or right."""
        row = self.land[min(int(anchor[1] / _CELL), len(self.land) - 1)]
        empty = np.flatnonzero(row == 0)
        return float(np.abs(empty - anchor[0] / _CELL).min()) if len(empty) else 1e9

    def _keep(self, placed: Placed) -> Placed:
        self.boxes.append(placed.box)
        return placed

    def _shares(self, unit_id: str, box: Box) -> tuple[float, float]:
        """Share of the box on the unit's own land, and on the land of others."""
        x0, y0, x1, y1 = (int(round(part / _CELL)) for part in box)
        cells = self.land[max(y0, 0) : y1, max(x0, 0) : x1]
        own = float((cells == self.number[unit_id]).mean()) if cells.size else 0.0
        return own, (float((cells > 0).mean()) if cells.size else 0.0) - own

    def _free(self, box: Box, gap: float = 0.6) -> bool:
        if box[0] < 1 or box[1] < 1 or box[2] > self.size[0] - 1 or box[3] > self.size[1] - 1:
            return False
        wide = (box[0] - gap, box[1] - gap, box[2] + gap, box[3] + gap)
        if any(a[0] < wide[2] and wide[0] < a[2] and a[1] < wide[3] and wide[1] < a[3] for a in self.boxes):
            return False
        return not any(_crosses_box(line, wide) for line in self.leaders)

    def _leader_is_clear(self, start: tuple[float, float], end: tuple[float, float]) -> bool:
        if any(_crosses_box((start, end), box) for box in self.boxes):
            return False
        return not any(_cross((start, end), line) for line in self.leaders)


def _box(x: float, y: float, width: float, height: float) -> Box:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _edge(box: Box, point: tuple[float, float]) -> tuple[float, float]:
    """The point of the box nearest to `point`."""
    return min(max(point[0], box[0]), box[2]), min(max(point[1], box[1]), box[3])


def _crosses_box(line: Line, box: Box) -> bool:
    """Whether a segment meets a box (sampled every point of length)."""
    (x0, y0), (x1, y1) = line
    steps = np.linspace(0, 1, max(int(np.hypot(x1 - x0, y1 - y0)), 2))
    x, y = x0 + (x1 - x0) * steps, y0 + (y1 - y0) * steps
    return bool(((x > box[0]) & (x < box[2]) & (y > box[1]) & (y < box[3])).any())


def _cross(first: Line, second: Line) -> bool:
    """Whether two segments cross."""

    def side(a, b, c) -> float:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    (a, b), (c, d) = first, second
    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
