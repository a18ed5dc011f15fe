"""Maps of the explorer: rates as colours of areas, counts as circles; several columns as maps with common classes.

A map that colours areas by counts shows where many people live, and little else; so counts are circles whose area is the
number. Both archipelagos are on every map. Where there are no outlines for the units, a sentence says so and ranked bars
take the map's place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tkyt_analysis.cube.model import PLACES
from tkyt_analysis.explorer.canvas import GREY, NORMAL, SMALL, Canvas, Mark, meet, nice_below, rim
from tkyt_analysis.explorer.grid import Grid, arrange, dimensions_of
from tkyt_analysis.explorer.map_ground import COUNTRY, Ground, Outlines, draw_ground, ground, outlines, unit_id
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.maps import values as map_values
from tkyt_analysis.maps.classes import Classes, classify

if TYPE_CHECKING:
    from tkyt_analysis.explorer.layout import Pivot

MOST_MAPS = 12
_LEAST_WIDE = 138.0
_CIRCLE, _CIRCLE_RIM, _LAND = "#3d8fd1", "#06294d", "#f4f6f8"


@dataclass(frozen=True, eq=False)
class Mapped:
    """Figures and the outlines that they are put on, one map per series."""

    grid: Grid
    outlines: Outlines

    @property
    def circles(self) -> bool:
        """Counts are circles; rates, proportions and changes are colours."""
        return self.grid.counts and self.grid.pivot.layout.shows in ("value", "share_all", "share_column")

    @cached_property
    def tables(self) -> list[pd.DataFrame]:
        """unit_id, value, status of each map, for every unit of the outlines."""
        return [self._table(i) for i in range(len(self.grid.series))]

    def _table(self, column: int) -> pd.DataFrame:
        view = self.grid.pivot.figures.view
        units = [unit_id(key[0], view.geography) for key in self.grid.categories]
        status = [str(one) if one else "missing" for one in self.grid.status[:, column]]
        table = pd.DataFrame({"unit_id": units, "value": self.grid.shown[:, column], "status": status})
        known = table["unit_id"].isin(self.outlines.shapes.units["unit_id"])
        return map_values.complete(table[known], self.outlines.shapes)


def place_dimension(pivot: Pivot) -> str:
    """The place dimension of a map: the finest that the pivot has ("" for none)."""
    found = [one for one in dimensions_of(pivot) if one in PLACES]
    return max(found, key=PLACES.index) if found else ""


def mapped(pivot: Pivot, *, language: str) -> Mapped | str:
    """What can be mapped of a pivot, or the sentence why there is no map."""
    dimension = place_dimension(pivot)
    if not dimension:
        return label("chart.no_map.place", language)
    found = outlines(pivot, dimension, language)
    if isinstance(found, str):
        return found
    return Mapped(arrange(pivot, (dimension,), language=language), found)


def classes_of(one: Mapped) -> Classes:
    """The classes that all maps of the picture share."""
    layout = one.grid.pivot.layout
    shown = [table.loc[table["status"].isin(map_values.SHOWN), "value"] for table in one.tables]
    together = pd.concat(shown).to_numpy(float) if shown else np.array([])
    return classify(together, scheme=layout.scheme, n_classes=layout.classes)


def draw_maps(canvas: Canvas, one: Mapped, left: float, top: float, width: float, room: float) -> float:
    """One map per series, side by side, with one legend; returns where the picture ends."""
    number = len(one.grid.series)
    if number > MOST_MAPS:
        canvas.remark(label("chart.maps_left_out", one.grid.language, shown=MOST_MAPS, total=number))
    shown = range(max(0, number - MOST_MAPS), number)  # the last ones: the latest years
    columns = _across(canvas, len(shown), width)
    wide = (width - 12 * (columns - 1)) / columns
    rows = -(-len(shown) // columns)
    classes = None if one.circles else classes_of(one)
    head = canvas.line(NORMAL) + 3 if number > 1 else 0.0
    least = {1: 430, 2: 330}.get(len(shown), 240) * canvas.scale
    high = max((room - top - 40 * canvas.scale) / rows - head - 8, min(wide * 1.21, least))
    per = min(wide / COUNTRY[0], high / COUNTRY[1])  # points per degree of a map of the country
    top = _legend(canvas, one, classes, left, top, width, per)
    for place, series in enumerate(shown):
        row, column = divmod(place, columns)
        x, y = left + column * (wide + 12), top + row * (high + head + 8)
        if head:
            _heading(canvas, one.grid.series_names[series], x, y, wide)
        _one(canvas, one, series, classes, (x, y + head, wide, high), per)
    credit = one.outlines.shapes.attribution[one.grid.language]
    return canvas.paragraph(credit, left, top + rows * (high + head + 8), width, size=6.0, colour=GREY)


def _across(canvas: Canvas, number: int, width: float) -> int:
    """How many maps stand side by side."""
    most = max(1, int((width + 12) // (_LEAST_WIDE * canvas.scale + 12)))
    rows = -(-number // most)
    return -(-number // rows)


def _heading(canvas: Canvas, name: str, x: float, y: float, wide: float) -> None:
    text = canvas.lines(name, wide, NORMAL, "SemiBold").split("\n")
    canvas.text(x + wide / 2, y, text[0], NORMAL, ha="center", style="SemiBold")


def _one(canvas: Canvas, one: Mapped, series: int, classes: Classes | None, box: tuple[float, ...], per: float) -> None:
    """A single map within left, top, width, height."""
    grid, shapes, table = one.grid, one.outlines.shapes, one.tables[series]
    base = ground(canvas, one.outlines, box[0], box[1], box[2], box[3], grid.language)
    marked = _marks(one, table, classes)
    draw_ground(canvas, base, marked)
    if classes is None:
        _draw_circles(canvas, one, base, table, per)
    for unit, polygons in base.shapes.items():
        if polygons:
            corners = np.concatenate([part[0] for part in polygons])
            (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
            inner = 0.22  # a box in the middle: neighbours' boxes hardly meet
            dx, dy = (x1 - x0) * inner, (y1 - y0) * inner
            canvas.hint((x0 + dx, y0 + dy, x1 - dx, y1 - dy), f"{shapes.names[unit]}: {marked[unit].text}")


def _marks(one: Mapped, table: pd.DataFrame, classes: Classes | None) -> dict[str, map_values.Mark]:
    """How each unit is drawn; under circles the land is plain, gaps keep their patterns."""
    grid, shapes = one.grid, one.outlines.shapes
    if classes is not None:
        return map_values.marks(table, shapes, classes, unit=grid.unit, decimals=grid.decimals, language=grid.language)
    found = {}
    for unit, value, status in zip(table["unit_id"], table["value"], table["status"]):
        text = map_values.value_text(value, status, unit=grid.unit, decimals=grid.decimals, language=grid.language)
        land = _LAND if status in map_values.SHOWN else None
        kind = "ok" if status in map_values.SHOWN else status
        found[unit] = map_values.Mark(unit, shapes.names[unit], kind, value, land, text)
    return found


def _largest(one: Mapped) -> float:
    return float(np.nanmax(np.append(np.abs(one.grid.shown), 0.0)))


def _radius(one: Mapped, value: Any, per: float) -> Any:
    """Radius in points: the circle's area is the number; the largest reaches 0.62 degrees of the map."""
    return 0.62 * per * np.sqrt(np.abs(value) / max(_largest(one), 1e-12))


def _draw_circles(canvas: Canvas, one: Mapped, base: Ground, table: pd.DataFrame, per: float) -> None:
    from matplotlib.collections import CircleCollection

    shown = table[table["status"].isin(map_values.SHOWN)].sort_values("value", ascending=False)
    units = [unit for unit in shown["unit_id"] if base.shapes.get(unit)]
    if not units:
        return
    numbers = shown.set_index("unit_id").loc[units]
    middles = np.array([base.middle(unit) for unit in units])
    radius = _radius(one, numbers["value"].to_numpy(float), per)
    modelled = (numbers["status"] == "modelled").to_numpy()
    for kind, face in ((~modelled, _CIRCLE), (modelled, "#ffffff")):
        circles = CircleCollection(
            np.pi * np.maximum(radius[kind], 0.6) ** 2,
            offsets=middles[kind],
            offset_transform=canvas.axes.transData,
            facecolors=face,
            edgecolors=_CIRCLE_RIM,
            linewidths=0.6,
            alpha=0.82,
            zorder=3,
        )
        canvas.axes.add_collection(circles, autolim=False)
    _name_largest(canvas, one, base, list(zip(units, middles, radius, numbers["value"])))


def _name_largest(canvas: Canvas, one: Mapped, base: Ground, circles: list[Any]) -> None:
    """Names and numbers of the largest, where they stand free of one another and of the archipelago frames."""
    grid, names = one.grid, one.outlines.shapes.names
    taken = [inset.box for inset in base.country.insets]
    dots = [(x - r, y - r, x + r, y + r) for _, (x, y), r, _ in circles]
    left = min(float(ring[:, 0].min()) for parts in base.shapes.values() for part in parts for ring in part[:1])
    for unit, (x, y), radius, value in circles[:8]:
        text = f"{names[unit]} {grid.text(value)}"
        wide, high = canvas.measure(text, SMALL - 0.7)
        for at in (x + radius + 3, x - radius - 3 - wide):
            box = (at - 1, y - high / 2, at + wide + 1, y + high / 2)
            inside = box[0] >= min(left, base.country.insets[0].box[0]) - 30 and box[2] <= canvas.width - 2
            others = [dot for dot in dots if dot != (x - radius, y - radius, x + radius, y + radius)]
            if inside and not any(meet(box, other) for other in (*taken, *others)):
                canvas.text(at, y, text, SMALL - 0.7, va="center", path_effects=rim())
                taken.append(box)
                break


def _legend(
    canvas: Canvas, one: Mapped, classes: Classes | None, left: float, top: float, width: float, per: float
) -> float:
    """Classes and gaps of all maps together, or round numbers of circles."""
    language = one.grid.language
    statuses = np.concatenate([table["status"].to_numpy(str) for table in one.tables])
    kinds = [kind for kind in ("modelled", *map_values.GAPS) if (statuses == kind).any()]
    gaps = [Mark(kind, "", label(f"map.status.{kind}", language)) for kind in kinds]
    if classes is not None:
        rows = [Mark("box", colour, classes.text(i, language)) for i, colour in enumerate(classes.colours)]
        scheme = label("map.scheme", language, scheme=label(f"map.scheme.{classes.scheme}", language))
        canvas.remark(scheme)
        return canvas.legend([*rows, *gaps], left, top, width)
    return canvas.legend(gaps, left, _circle_legend(canvas, one, left, top, per), width)


def _circle_legend(canvas: Canvas, one: Mapped, left: float, top: float, per: float) -> float:
    """Two or three circles of round numbers; the circles of the map are as large."""
    from matplotlib.patches import Circle

    largest, x = _largest(one), left
    if largest <= 0:
        return top
    steps = list(dict.fromkeys(nice_below(largest * share) for share in (1.0, 0.3, 0.06)))
    high = 2 * max(float(_radius(one, step, per)) for step in steps) + 4
    for step in steps:
        radius = float(_radius(one, step, per))
        text = format_number(step, one.grid.decimals if step % 1 else 0, one.grid.language)
        canvas.axes.add_artist(
            Circle(
                (x + radius, top + high / 2),
                radius,
                facecolor=_CIRCLE,
                edgecolor=_CIRCLE_RIM,
                linewidth=0.6,
                alpha=0.82,
            )
        )
        canvas.text(x + 2 * radius + 4, top + high / 2, text, SMALL, va="center")
        x += 2 * radius + canvas.measure(text, SMALL)[0] + 18
    canvas.remark(label("chart.circles", one.grid.language))
    return top + high + 6
