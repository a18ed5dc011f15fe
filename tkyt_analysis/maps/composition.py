"""A map for print: every kind goes this way from `MapContent` to a figure, SVG or PNG.

Title, stamp of practice data, panels with both archipelagos, legend, remarks and attribution, from top to bottom. The
kind decides none of this, so that no map can lack it.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tkyt_analysis.assets import chart_style
from tkyt_analysis.errors import UsageError
from tkyt_analysis.labels import label
from tkyt_analysis.maps.content import MapContent, Panel
from tkyt_analysis.maps.frame import Frame, frame
from tkyt_analysis.maps.ground import draw_units, in_points, label_strip
from tkyt_analysis.maps.legend import draw_legend, legend_height
from tkyt_analysis.maps.names import draw_names
from tkyt_analysis.maps.overlays import draw_arrows, draw_points
from tkyt_analysis.maps.sheet import GREY, LINE, Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 72.0  # per inch
# A sheet narrower than this (inches) is for a phone: legend below the map, no province names.
WIDE = 5.0
PRINT, PHONE = 6.3, 3.6  # inches that the kinds are looked at and tested in
_HIGHEST = 8.2 * POINTS  # of the map block where the height is free, so that A4 holds it
_MARGIN = 8.0
_SOURCE_SIZE, _NOTE_SIZE, _LISTING_SIZE = 6.0, 6.5, 5.8
# Least width of one of several panels (outlines, tiles), and what lies between them: both archipelagos stay readable.
_PANEL, _TILE_PANEL, _GAP, _HEAD = 136.0, 200.0, 8.0, 12.0


def figure_of(
    content: MapContent, *, figsize: tuple[float, float | None] = (PRINT, None), names: bool | None = None
) -> Figure:
    """The printed map; with height None the sheet is as high as its content.

    names : of provinces; default: where the sheet is at least 5 inches wide and the kind has room for them
    Raises UsageError where the sheet is too low for a readable map.
    """
    with chart_style():
        return _compose(content, figsize, content.named if names is None else names)


def svg_of(content: MapContent, **options: Any) -> str:
    """The printed map as SVG text without XML head, for a page; same input, same bytes."""
    stream = io.StringIO()
    with chart_style():
        figure = figure_of(content, **options)
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return _compact(stream.getvalue())


def png_of(content: MapContent, *, dpi: int = 200, **options: Any) -> bytes:
    """The printed map as PNG; `dpi` pixels per inch."""
    stream = io.BytesIO()
    figure_of(content, **options).savefig(stream, format="png", dpi=dpi, metadata={"Software": None})
    return stream.getvalue()


def _compact(svg: str) -> str:
    """Without XML head and metadata, coordinates to a hundredth of a point, one line: a third of the size."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path.group()), svg)
    return re.sub(r"\s*\n\s*", " ", svg)


@dataclass(frozen=True)
class _Grid:
    """How panels stand: columns, rows, points per map unit, and where the block of panels starts."""

    columns: int
    rows: int
    scale: float
    left: float
    top: float
    plain: Frame
    head: float

    @property
    def step(self) -> tuple[float, float]:
        """From one panel to the next, across and down."""
        return self.plain.width * self.scale + _GAP, self.plain.height * self.scale + self.head + _GAP

    @property
    def bottom(self) -> float:
        """Where the block of panels ends."""
        return self.top + self.rows * self.step[1] - _GAP


def _compose(content: MapContent, figsize: tuple[float, float | None], named: bool) -> Figure:
    """Everything from top to bottom; the sheet grows to hold it."""
    width, wide = figsize[0] * POINTS, figsize[0] >= WIDE
    sheet = Sheet(width, scale=1.0 if wide else 0.95)
    column = width - 2 * _MARGIN
    top = _heading(sheet, content, column)
    grid, beside = _plan(sheet, content, figsize, top)
    sheet.per = grid.scale
    placed = [_panel(sheet, content, panel, grid, i) for i, panel in enumerate(content.panels)]
    box = placed[0].legend
    if beside:
        draw_legend(sheet, content.legend, box[0], box[1], box[2] - box[0])
    if named and wide and len(placed) == 1 and content.shapes.level == "province":
        only = content.panels[0]
        draw_names(sheet, placed[0], only.marked, [box] if beside else [], rims=only.arrows is not None)
    y = grid.bottom + 6
    if not beside:
        y = draw_legend(sheet, content.legend, _MARGIN, y, column) + 4
    y = _foot(sheet, content, y, column)
    return sheet.finish(figsize[1] * POINTS if figsize[1] else y + _MARGIN)


def _plan(sheet: Sheet, content: MapContent, figsize: tuple[float, float | None], top: float) -> tuple[_Grid, bool]:
    """The grid of panels, and whether the legend stands in the empty west of the only map."""
    column, wide = figsize[0] * POINTS - 2 * _MARGIN, figsize[0] >= WIDE
    plain, number = frame(content.shapes, content.language), len(content.panels)
    columns, rows, head = _across(number, column, _TILE_PANEL if plain.tiles else _PANEL)
    each = (column - _GAP * (columns - 1)) / columns
    sheet.per = _scale(plain, each, _HIGHEST)
    tail = 10 + _MARGIN + _foot_height(sheet, content, column)
    beside = number == 1 and wide and _legend_fits(sheet, content, plain, _scale(plain, each, _HIGHEST))
    tail += 0 if beside else legend_height(sheet, content.legend, column) + 4
    room = _room(figsize[1], plain, each, rows, top + tail + rows * head + (rows - 1) * _GAP)
    scale = _scale(plain, each, room / rows)
    used = columns * plain.width * scale + _GAP * (columns - 1)
    return _Grid(columns, rows, scale, (sheet.width - used) / 2, top, plain, head), beside


def _across(number: int, column: float, least: float) -> tuple[int, int, float]:
    """Columns, rows, and the height of a panel's heading."""
    if number == 1:
        return 1, 1, 0.0
    most = max(1, int((column + _GAP) // (least + _GAP)))
    rows = -(-number // most)
    return -(-number // rows), rows, _HEAD


def _scale(plain: Frame, width: float, height: float) -> float:
    """Points per map unit."""
    return min(width / plain.width, height / plain.height)


def _room(height: float | None, plain: Frame, each: float, rows: int, rest: float) -> float:
    """Height of all maps in points; a sheet too low for a readable map is refused."""
    if height is None:
        return rows * _HIGHEST
    least = (0.45 if rows == 1 else 0.8) * rows * each / plain.width * plain.height
    if height * POINTS - rest < least:
        raise UsageError("error.map_too_small", height=height, needed=round((least + rest) / POINTS + 0.05, 1))
    return height * POINTS - rest


def _panel(sheet: Sheet, content: MapContent, panel: Panel, grid: _Grid, i: int) -> Frame:
    """One map of the country with its archipelagos, and what lies over it."""
    row, across = divmod(i, grid.columns)
    left, top = grid.left + across * grid.step[0], grid.top + row * grid.step[1]
    if panel.heading:
        middle = left + grid.plain.width * grid.scale / 2
        sheet.text(middle, top, panel.heading, 8, style="SemiBold", ha="center")
    top += grid.head
    insets = grid.plain.insets
    strip = max(label_strip(one.lines, (one.box[2] - one.box[0]) * grid.scale, sheet.scale) for one in insets)
    strips = frame(content.shapes, content.language, strip=strip / grid.scale)
    placed = in_points(strips, grid.scale, left, top)
    whole = (left, top, left + placed.width, top + placed.height)
    sheet.box(whole, facecolor="none", edgecolor="none").set_gid(f"panel-{i}")
    draw_units(sheet, placed, panel.marked, panel.islands)
    offset = np.array([left, top])
    if content.over is not None and not placed.tiles:
        _outline(sheet, in_points(frame(content.over, content.language), grid.scale, left, top))
    if panel.arrows is not None and not placed.tiles:
        draw_arrows(sheet, panel.arrows, grid.scale, offset)
    if panel.points is not None and not placed.tiles:
        draw_points(sheet, panel.points, grid.scale, offset)
    return placed


def _outline(sheet: Sheet, placed: Frame) -> None:
    """Thick borders of the units that others joined into."""
    for polygons in placed.shapes.values():
        if polygons:
            sheet.shape(polygons, "ok", "none", edgecolor=LINE, linewidth=1.1, zorder=2)


def _heading(sheet: Sheet, content: MapContent, column: float) -> float:
    """Practice band, title and unit; returns where the map may start."""
    y = _MARGIN
    if content.practice:
        text = label("map.practice", content.language)
        height = sheet.paragraph_height(text, column - 8, size=7.5, style="SemiBold") + 5
        sheet.box((_MARGIN, y, sheet.width - _MARGIN, y + height), facecolor="#fff2cc", edgecolor="#8a5a00")
        sheet.paragraph(text, _MARGIN + 4, y + 2.5, column - 8, size=7.5, style="SemiBold", colour="#5c3b00")
        y += height + 4
    y = sheet.paragraph(content.title, _MARGIN, y, column, size=11, style="SemiBold")
    if content.unit:
        text = label("map.unit", content.language, unit=content.unit)
        y = sheet.paragraph(text, _MARGIN, y, column, size=7.5, colour=GREY)
    return y + 4


def _legend_fits(sheet: Sheet, content: MapContent, plain: Frame, scale: float) -> bool:
    """Whether the empty west of the map holds the legend."""
    width, height = (plain.legend[i + 2] - plain.legend[i] for i in (0, 1))
    return width * scale > 90 and legend_height(sheet, content.legend, width * scale) <= height * scale


def _foot(sheet: Sheet, content: MapContent, y: float, column: float) -> float:
    """Remarks, the listing in columns, and the source of the outlines, always last."""
    for note in content.notes:
        y = sheet.paragraph(note, _MARGIN, y, column, size=_NOTE_SIZE) + 1
    y = _listing(sheet, content, y, column, draw=True)
    return sheet.paragraph(
        content.shapes.attribution[content.language], _MARGIN, y, column, size=_SOURCE_SIZE, colour=GREY
    )


def _foot_height(sheet: Sheet, content: MapContent, column: float) -> float:
    """How much `_foot` takes."""
    notes = sum(sheet.paragraph_height(note, column, size=_NOTE_SIZE) + 1 for note in content.notes)
    credit = sheet.paragraph_height(content.shapes.attribution[content.language], column, size=_SOURCE_SIZE)
    return notes + _listing(sheet, content, 0.0, column, draw=False) + credit


def _listing(sheet: Sheet, content: MapContent, y: float, column: float, *, draw: bool) -> float:
    """Short lines in columns of about 150 points, down one column and then the next."""
    if not content.listing:
        return y
    columns = max(1, int(column // 150))
    each, start = column / columns, y
    down = -(-len(content.listing) // columns)
    for i in range(columns):
        at = start + 2
        for line in content.listing[i * down : (i + 1) * down]:
            if draw:
                at = sheet.paragraph(line, _MARGIN + i * each, at, each - 8, size=_LISTING_SIZE)
            else:
                at += sheet.paragraph_height(line, each - 8, size=_LISTING_SIZE)
        y = max(y, at)
    return y + 3
