"""A page in points, y downwards, on which a picture is composed: measured text, axes, legends, places to point at.

Everything is put at a known place, so that nothing is laid out twice and no text is cut or set over another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tkyt_analysis.assets import font_path
from tkyt_analysis.explorer.palette import GREY, GROUND, INK, RULE
from tkyt_analysis.labels import format_number
from tkyt_analysis.maps.sheet import LEADING, Sheet, fills, text_size, wrap

if TYPE_CHECKING:
    from tkyt_analysis.maps.frame import Box

POINTS = 72.0  # per inch
SMALL, NORMAL, LARGE = 7.5, 8.5, 12.0  # type sizes in points at scale 1
MARGIN = 10.0


@lru_cache(maxsize=64)
def _font(style: str, size: float) -> Any:
    from matplotlib.font_manager import FontProperties

    return FontProperties(fname=str(font_path(style)), size=size)


@dataclass(frozen=True)
class Mark:
    """A row of a legend: a swatch of a kind (box, line, hollow, dash or a status) and its words."""

    kind: str
    colour: str
    text: str
    dash: Any = (0, ())


class Canvas(Sheet):
    """A sheet whose height is known at the end; type grows with the width, for projectors."""

    def __init__(self, width: float, height: float) -> None:
        super().__init__(width * POINTS, scale=min(max(width / 9.0, 1.0), 2.0))
        self.least_height = height * POINTS
        self.hints: list[tuple[Box, str]] = []
        self.spoken: list[str] = []  # remarks that the picture itself calls for

    def text(self, x: float, y: float, text: str, size: float, *, style: str = "Regular", **options: Any) -> Any:
        """Lines of text; (x, y) is the upper left corner unless `ha` and `va` say otherwise."""
        settings = {"ha": "left", "va": "top", "color": INK, "linespacing": 1.15, **options}
        font = _font(style, round(size * self.scale, 2))
        return self.axes.text(x, y, text, fontproperties=font, parse_math=False, **settings)

    def measure(self, text: str, size: float, style: str = "Regular") -> tuple[float, float]:
        """Width and height in points of lines of text."""
        width, _ = text_size(text, round(size * self.scale, 2), style)
        return width, self.line(size) * (1 + text.count("\n"))

    def line(self, size: float) -> float:
        """Height of one line."""
        return size * self.scale * LEADING

    def lines(self, text: str, width: float, size: float, style: str = "Regular") -> str:
        """The text broken into lines no wider than `width`."""
        return "\n".join(wrap(text, width, round(size * self.scale, 2), style))

    def remark(self, text: str) -> None:
        """Something that must be said under the picture, once."""
        if text not in self.spoken:
            self.spoken.append(text)

    def hint(self, box: Box, text: str) -> None:
        """What is shown where one points at a box (screens only)."""
        self.hints.append((box, text))

    def boxes(self, boxes: Sequence[Box] | np.ndarray, colour: Any, **options: Any) -> None:
        """Many rectangles at once (x0, y0, x1, y1)."""
        from matplotlib.collections import PolyCollection

        corners = np.asarray(boxes, dtype=float).reshape(-1, 4)
        if len(corners):
            rings = corners[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]
            settings = {"linewidths": 0, **options}
            self.axes.add_collection(PolyCollection(list(rings), facecolors=colour, **settings), autolim=False)

    def segments(
        self, segments: Sequence[Any] | np.ndarray, colour: Any = RULE, width: float = 0.6, **options: Any
    ) -> None:
        """Many straight lines at once, each [(x0, y0), (x1, y1)] or longer."""
        from matplotlib.collections import LineCollection

        if len(segments):
            lines = LineCollection(list(segments), colors=colour, linewidths=width * self.scale, **options)
            self.axes.add_collection(lines, autolim=False)

    def dots(self, x: Any, y: Any, colour: str, *, size: float = 4.0, hollow: bool = False, **options: Any) -> None:
        """Round points."""
        if not len(x):
            return
        from matplotlib.lines import Line2D

        face = "#ffffff" if hollow else colour
        settings = {"markeredgewidth": 1.1 if hollow else 0.0, "zorder": 3, **options}
        self.axes.add_line(
            Line2D(
                x,
                y,
                linestyle="none",
                marker="o",
                markersize=size * self.scale,
                color=colour,
                markerfacecolor=face,
                **settings,
            )
        )

    def area(self, ring: np.ndarray, colour: str, **options: Any) -> None:
        """A filled outline (n, 2)."""
        from matplotlib.patches import Polygon

        self.axes.add_artist(Polygon(ring, closed=True, facecolor=colour, **{"linewidth": 0, **options}))

    def pattern(self, box: Box, status: str) -> None:
        """A box in the pattern of a status."""
        from matplotlib.patches import Rectangle

        for fill in fills(status, None):
            settings = {"edgecolor": RULE, "linewidth": 0.4, **fill}
            self.axes.add_artist(Rectangle((box[0], box[1]), box[2] - box[0], box[3] - box[1], **settings))

    def legend(self, marks: Sequence[Mark], x: float, y: float, width: float, *, draw: bool = True) -> float:
        """Legend in rows from (x, y); returns where the next thing may start."""
        at, step, swatch = x, self.line(SMALL) + 2, 16 * self.scale
        for mark in marks:
            text = self.lines(mark.text, width - swatch, SMALL)
            wide = swatch + self.measure(text, SMALL)[0] + 12
            if at > x and at + wide > x + width + 12:
                at, y = x, y + step
            if draw:
                self._legend_row(mark, text, at, y, swatch)
            at += wide
            extra = text.count("\n")
            if extra:
                at, y = x, y + extra * self.line(SMALL) + step
        return y + step + 2 if marks and at > x else y

    def _legend_row(self, mark: Mark, text: str, x: float, y: float, swatch: float) -> None:
        middle, wide = y + self.line(SMALL) / 2, swatch - 5
        if mark.kind == "box":
            self.boxes([(x, middle - 4, x + wide, middle + 4)], mark.colour, edgecolors=INK, linewidths=0.4)
        elif mark.kind in ("line", "dash"):
            self.segments([[(x, middle), (x + wide, middle)]], mark.colour, 2.0, linestyles=[mark.dash])
        elif mark.kind == "hollow":
            self.dots([x + wide / 2], [middle], mark.colour, size=5, hollow=True)
        else:
            self.pattern((x, middle - 4, x + wide, middle + 4), mark.kind)
        if "\n" in text:
            self.text(x + swatch, y, text, SMALL, va="top")
        else:
            self.text(x + swatch, middle, text, SMALL, va="center")


@dataclass(frozen=True)
class Scale:
    """A linear axis: values low…high on points start…end, with round ticks."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]

    def __call__(self, values: Any) -> Any:
        """Values as points."""
        return self.start + (np.asarray(values, dtype=float) - self.low) / (self.high - self.low) * (
            self.end - self.start
        )

    def text(self, tick: float, language: str) -> str:
        """A tick as a number with just enough decimals."""
        step = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else 1.0
        decimals = next((i for i in range(9) if abs(round(step, i) - step) < 1e-9 * step), 9)
        return format_number(tick + 0.0, decimals, language)


def scale(values: Any, start: float, end: float, *, zero: bool = True, most: int = 5, head: float = 0.0) -> Scale:
    """An axis that holds all finite values, from round number to round number.

    zero : the axis holds 0; head : share of the range left free beyond the largest value
    """
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        low, high = (0.0, 1.0) if not low else (min(low, 0.0), max(low, 0.0)) if zero else (low - 1, high + 1)
    step = _step((high - low) / most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(float(f"{i * step:.12g}") for i in range(first, last + 1))
    spare = head * (high - low)
    return Scale(ticks[0] - (spare if low < 0 else 0), max(ticks[-1], high + spare), start, end, ticks)


def _step(rough: float) -> float:
    """1, 2, 2.5 or 5 times a power of ten, not under `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))


def nice_below(number: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is not over `number` (> 0)."""
    power = 10.0 ** math.floor(math.log10(number))
    return next(factor * power for factor in (5, 2, 1) if factor * power <= number * (1 + 1e-9))


def spread(wanted: Sequence[float], heights: Sequence[float], low: float, high: float) -> list[float] | None:
    """Middles of labels near where they are wanted, none over another, all within low…high; None if they cannot be."""
    if sum(heights) > high - low + 1e-6:
        return None
    order = np.argsort(wanted, kind="stable")
    groups: list[list[float]] = []  # [start, total height, number, sum of wanted starts]
    for i in order:
        groups.append([min(max(wanted[i] - heights[i] / 2, low), high - heights[i]), heights[i], 1, 0.0])
        while len(groups) > 1 and groups[-2][0] + groups[-2][1] > groups[-1][0]:
            last, before = groups.pop(), groups[-1]
            together = before[1] + last[1]
            middle = (before[0] * before[2] + (last[0] - before[1]) * last[2]) / (before[2] + last[2])
            before[:] = [min(max(middle, low), high - together), together, before[2] + last[2], 0.0]
    placed, k = [0.0] * len(order), 0
    for start, _, number, _ in groups:
        for _ in range(int(number)):
            i = int(order[k])
            placed[i] = start + heights[i] / 2
            start += heights[i]
            k += 1
    return placed


def rim(width: float = 2.0) -> list[Any]:
    """A white rim that sets text off from what runs below it."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=width, foreground="#ffffff")]


def meet(a: Box, b: Box) -> bool:
    """Whether two boxes overlap."""
    return bool(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])


def value_grid(canvas: Canvas, axis: Scale, left: float, right: float, language: str) -> None:
    """Horizontal rules at the ticks of a vertical axis, numbers to the left of them, a darker rule at zero."""
    places = axis(axis.ticks)
    canvas.segments([[(left, y), (right, y)] for y in places], RULE, 0.5, zorder=0.4)
    if axis.low <= 0 <= axis.high:
        canvas.segments([[(left, axis(0)), (right, axis(0))]], GREY, 0.8, zorder=0.5)
    for tick, y in zip(axis.ticks, places):
        canvas.text(left - 4, y, axis.text(tick, language), SMALL, ha="right", va="center", color=GREY)


def tick_width(canvas: Canvas, axis: Scale, language: str) -> float:
    """How much room the numbers of a vertical axis take."""
    return max(canvas.measure(axis.text(tick, language), SMALL)[0] for tick in axis.ticks) + 6


__all__ = ["GREY", "GROUND", "INK", "LARGE", "MARGIN", "NORMAL", "RULE", "SMALL", "Canvas", "Mark", "Scale", "scale"]
