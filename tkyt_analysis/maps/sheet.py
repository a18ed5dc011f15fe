"""A sheet of paper measured in points, y downwards, on which a map is composed from top to bottom."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tkyt_analysis.assets import font_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tkyt_analysis.maps.frame import Box, Polygon

LEADING = 1.3
INK, GREY, SEA, LINE = "#1a1a1a", "#444444", "#eef4f8", "#4d5a63"
# Fill and pattern of a unit without a value to show.
PATTERNS = {
    "missing": ("#ffffff", "////"),
    "suppressed": ("#dcdcdc", "\\\\\\\\"),
    "not_assessable": ("#f3e9dc", "xxxx"),
    "modelled": ("#ffffff", "||||"),
    "uncertain": ("#ffffff", "...."),  # of a figure that is shown, but must be read with care
}
PATTERN_INK = "#7a7a7a"


@lru_cache(maxsize=4096)
def text_size(text: str, size: float, style: str = "Regular") -> tuple[float, float]:
    """Width and height in points of lines parted by line feeds, in the shipped typeface."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(fname=str(font_path(style)), size=size)
    widths = [text_to_path.get_text_width_height_descent(line, font, ismath=False)[0] for line in text.split("\n")]
    return max(widths), size * LEADING * len(widths)


def wrap(text: str, width: float, size: float, style: str = "Regular") -> list[str]:
    """Lines no wider than `width`; a word that is too long by itself is cut."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if text_size(longer, size, style)[0] <= width:
            lines[-1] = longer
            continue
        pieces = _pieces(word, width, size, style)
        lines = [*(lines if lines[-1] else lines[:-1]), *pieces]
    return lines


def _pieces(word: str, width: float, size: float, style: str) -> list[str]:
    pieces = [""]
    for letter in word:
        if pieces[-1] and text_size(pieces[-1] + letter, size, style)[0] > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


class Sheet:
    """A growing sheet: paragraphs, boxes and shapes are put at points from the upper left corner."""

    def __init__(self, width: float, *, scale: float = 1.0) -> None:
        from matplotlib.figure import Figure

        self.width = width
        self.scale = scale  # of all type sizes
        self.per = 0.0  # points per degree of the map on the sheet, for samples drawn at its scale
        self.figure: Figure = Figure(figsize=(width / 72, 1))
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.axes.set_xlim(0, width)

    def finish(self, height: float) -> Figure:
        """The figure, `height` points high."""
        self.figure.set_size_inches(self.width / 72, height / 72)
        self.axes.set_ylim(height, 0)
        return self.figure

    def text(self, x: float, y: float, text: str, size: float, *, style: str = "Regular", **options: Any) -> Any:
        """One or more lines; (x, y) is the upper left corner unless `ha` and `va` say otherwise."""
        from matplotlib.font_manager import FontProperties

        font = FontProperties(fname=str(font_path(style)), size=size * self.scale)
        settings = {"ha": "left", "va": "top", "color": INK, "linespacing": 1.08, **options}
        return self.axes.text(x, y, text, fontproperties=font, parse_math=False, **settings)

    def paragraph(
        self, text: str, x: float, y: float, width: float, *, size: float, style: str = "Regular", colour: str = INK
    ) -> float:
        """Wrapped text from (x, y) down; returns where the next thing may start."""
        for line in wrap(text, width, size * self.scale, style):
            self.text(x, y, line, size, style=style, color=colour)
            y += size * self.scale * LEADING
        return y

    def paragraph_height(self, text: str, width: float, *, size: float, style: str = "Regular") -> float:
        """How much `paragraph` takes."""
        return len(wrap(text, width, size * self.scale, style)) * size * self.scale * LEADING

    def box(self, box: Box, **options: Any) -> Any:
        """A rectangle."""
        from matplotlib.patches import Rectangle

        settings = {"facecolor": SEA, "edgecolor": LINE, "linewidth": 0.6, **options}
        return self.axes.add_artist(Rectangle((box[0], box[1]), box[2] - box[0], box[3] - box[1], **settings))

    def shape(self, polygons: tuple[Polygon, ...], status: str, colour: str | None, **options: Any) -> None:
        """Polygons in the colour of a class, or in the pattern of a gap."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        rings = [Path(ring, closed=True) for polygon in polygons for ring in polygon]
        settings = {"edgecolor": LINE, "linewidth": 0.35, "joinstyle": "round", **options}
        path = Path.make_compound_path(*rings)
        for fill in fills(status, colour):
            self.axes.add_artist(PathPatch(path, **{**settings, **fill}))  # without the search for data limits

    def leader(self, points: np.ndarray) -> None:
        """A thin line from a dot inside a unit to its name, seen on light and dark ground."""
        for colour, width, dot in (("#ffffff", 1.5, 3.0), (INK, 0.45, 1.7)):
            self.axes.plot(*points.T, color=colour, linewidth=width, solid_capstyle="butt")
            self.axes.plot(*points[:1].T, marker="o", markersize=dot, color=colour, markeredgewidth=0)


def fills(status: str, colour: str | None) -> list[dict[str, Any]]:
    """Settings of the patches that draw one unit: the fill, then its pattern, then its outline."""
    background, pattern = PATTERNS.get(status, ("#ffffff", None))
    layers: list[dict[str, Any]] = [{"facecolor": colour or background}]
    if pattern:
        layers += [{"facecolor": "none", "edgecolor": PATTERN_INK, "linewidth": 0.0, "hatch": pattern}]
        layers += [{"facecolor": "none"}]
    return layers
