"""A province map for print: matplotlib figure, SVG or PNG.

Every map shows Hoàng Sa and Trường Sa with their labels, the source of the outlines, the way the classes were
made, and each kind of gap in its own pattern. None of this can be switched off.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tkyt_analysis.assets import chart_style
from tkyt_analysis.errors import UsageError
from tkyt_analysis.labels import current_language, label
from tkyt_analysis.maps.boundaries import Boundaries, boundaries
from tkyt_analysis.maps.classes import Classes, classify, ink_on
from tkyt_analysis.maps.frame import Box, Frame, Inset, Polygon, frame, short_lines
from tkyt_analysis.maps.place_labels import Placed, place_labels
from tkyt_analysis.maps.sheet import GREY, INK, PATTERNS, Sheet, text_size
from tkyt_analysis.maps.values import SHOWN, Mark, complete, legend_rows, marks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 72.0  # per inch
# A sheet narrower than this (inches) is for a phone: legend below the map, no province names.
_WIDE = 5.0
_HIGHEST = 8.2 * POINTS  # of the map block where the height is free, so that A4 holds it
_MARGIN = 8.0
_NAME_SIZE, _TILE_NAME_SIZE, _SOURCE_SIZE = 5.2, 6.2, 6.0
_INSET_STRIP = 22.0  # two lines of an archipelago's label, points


def draw_province_map(
    values: pd.DataFrame,
    *,
    vintage: str = "VN2025",
    title: str,
    unit: str = "",
    scheme: str = "quantile",
    n_classes: int = 5,
    bounds: Sequence[float] | None = None,
    decimals: int | None = None,
    practice: bool = False,
    tiles: bool = False,
    names: bool | None = None,
    shapes: Boundaries | None = None,
    language: str | None = None,
    figsize: tuple[float, float | None] = (6.3, None),
) -> Figure:
    """Map of one value per province.

    Parameters
    ----------
    values : one row per province, columns unit_id ("VN2025:51"), value (in `unit`), and optionally status
        (ok, modelled, missing, suppressed, not_assessable). A province without a row is "missing".
    vintage : "VN2025" (34 provinces) or "VN2024" (63)
    scheme, n_classes, bounds, decimals : see `classify`
    practice : True prints that the figures are not real
    tiles : a grid of equal squares in place of outlines
    names : province names; default: where the sheet is at least 5 inches wide
    shapes : outlines of the user's own, from `boundaries(...)`
    figsize : inches; with height None the sheet is as high as its content

    Raises InputError for a table that does not fit, UsageError for an unknown option.
    """
    language = language or current_language()
    shapes = shapes or boundaries("province", vintage, tiles=tiles)
    table = complete(values, shapes)
    shown = table.loc[table["status"].isin(SHOWN), "value"].to_numpy()
    classes = classify(shown, scheme=scheme, n_classes=n_classes, bounds=bounds, decimals=decimals)
    marked = marks(table, shapes, classes, unit=unit, decimals=classes.decimals, language=language)
    words, legend = _Words(title, unit, practice, language), _legend(table, classes, language)
    with chart_style():
        return _compose(words, shapes, marked, legend, figsize, names)


def map_svg(values: pd.DataFrame, **options: Any) -> str:
    """`draw_province_map` as SVG text without XML head, for a page; same input, same bytes."""
    stream = io.StringIO()
    with chart_style():
        draw_province_map(values, **options).savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return _compact(stream.getvalue())


def map_png(values: pd.DataFrame, *, dpi: int = 200, **options: Any) -> bytes:
    """`draw_province_map` as PNG; `dpi` pixels per inch."""
    stream = io.BytesIO()
    draw_province_map(values, **options).savefig(stream, format="png", dpi=dpi, metadata={"Software": None})
    return stream.getvalue()


def _compact(svg: str) -> str:
    """Without XML head and metadata, coordinates to a hundredth of a point, one line: a third of the size."""
    import re

    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path.group()), svg)
    return re.sub(r"\s*\n\s*", " ", svg)


@dataclass(frozen=True)
class _Words:
    title: str
    unit: str
    practice: bool
    language: str


@dataclass(frozen=True)
class _Legend:
    rows: list[tuple[str, str, str]]
    notes: tuple[str, str]


def _legend(table: pd.DataFrame, classes: Classes, language: str) -> _Legend:
    scheme = label(f"map.scheme.{classes.scheme}", language)
    notes = label("map.scheme", language, scheme=scheme), label("map.legend_note", language)
    return _Legend(legend_rows(table, classes, language), notes)


def _compose(
    words: _Words,
    shapes: Boundaries,
    marked: dict[str, Mark],
    legend: _Legend,
    figsize: tuple[float, float | None],
    names: bool | None,
) -> Figure:
    """Title, map, legend, source from top to bottom; the sheet grows to hold them."""
    width, wide = figsize[0] * POINTS, figsize[0] >= _WIDE
    sheet = Sheet(width, scale=1.0 if wide else 0.95)
    column = width - 2 * _MARGIN
    top = _heading(sheet, words, column)
    plain = frame(shapes, words.language)
    beside = wide and _legend_fits(sheet, legend, plain, _scale(plain, column, _HIGHEST))
    tail = 10 + _MARGIN + sheet.paragraph_height(shapes.attribution[words.language], column, size=_SOURCE_SIZE)
    tail += 0 if beside else _legend_height(sheet, legend, column) + 4
    scale = _scale(plain, column, _map_room(figsize[1], plain, column, top + tail))
    left = (width - scale * plain.width) / 2
    placed = in_points(frame(shapes, words.language, strip=_INSET_STRIP * sheet.scale / scale), scale, left, top)
    draw_units(sheet, placed, marked)
    box = placed.legend
    if beside:
        _draw_legend(sheet, legend, box[0], box[1], box[2] - box[0])
    if wide if names is None else names:
        _draw_names(sheet, placed, marked, [box] if beside else [])
    y = top + scale * plain.height + 6
    if not beside:
        y = _draw_legend(sheet, legend, _MARGIN, y, column) + 4
    credit = shapes.attribution[words.language]
    y = sheet.paragraph(credit, _MARGIN, y, column, size=_SOURCE_SIZE, colour=GREY)
    return sheet.finish(figsize[1] * POINTS if figsize[1] else y + _MARGIN)


def _scale(plain: Frame, width: float, height: float) -> float:
    """Points per map unit."""
    return min(width / plain.width, height / plain.height)


def _map_room(height: float | None, plain: Frame, column: float, rest: float) -> float:
    """Height of the map block in points; a sheet too low for a readable map is refused."""
    if height is None:
        return _HIGHEST
    least = 0.45 * column / plain.width * plain.height
    if height * POINTS - rest < least:
        raise UsageError("error.map_too_small", height=height, needed=round((least + rest) / POINTS + 0.05, 1))
    return height * POINTS - rest


def _heading(sheet: Sheet, words: _Words, column: float) -> float:
    """Practice band, title and unit; returns where the map may start."""
    y = _MARGIN
    if words.practice:
        text = label("map.practice", words.language)
        height = sheet.paragraph_height(text, column - 8, size=7.5, style="SemiBold") + 5
        sheet.box((_MARGIN, y, sheet.width - _MARGIN, y + height), facecolor="#fff2cc", edgecolor="#8a5a00")
        sheet.paragraph(text, _MARGIN + 4, y + 2.5, column - 8, size=7.5, style="SemiBold", colour="#5c3b00")
        y += height + 4
    y = sheet.paragraph(words.title, _MARGIN, y, column, size=11, style="SemiBold")
    if words.unit:
        text = label("map.unit", words.language, unit=words.unit)
        y = sheet.paragraph(text, _MARGIN, y, column, size=7.5, colour=GREY)
    return y + 4


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


def draw_units(sheet: Sheet, placed: Frame, marked: dict[str, Mark]) -> None:
    for unit_id, polygons in placed.shapes.items():
        if polygons:
            sheet.shape(polygons, marked[unit_id].status, marked[unit_id].colour)
    for inset in placed.insets:
        _draw_inset(sheet, inset, marked[inset.unit_id], tile=placed.tiles)


def _draw_inset(sheet: Sheet, inset: Inset, mark: Mark, *, tile: bool) -> None:
    """One archipelago: its frame and label, and its islands in the colour of their province."""
    x0, y0, x1, y1 = inset.box
    text = "\n".join(inset.lines)
    width = x1 - x0 - 4
    size = min(7.0, 7.0 * width / text_size(text, 7.0 * sheet.scale)[0])
    if tile:
        square = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]])
        sheet.shape(((square,),), mark.status, mark.colour)
        where = ((x0 + x1) / 2, (y0 + y1) / 2, "center", "center")
    else:
        sheet.box(inset.box)
        if inset.polygons:
            sheet.shape(inset.polygons, mark.status, mark.colour)
        for point in inset.points:
            sheet.shape(((_dot(point, 1.9),),), "ok", mark.colour or PATTERNS[mark.status][0], linewidth=0.5)
        where = (x0 + 3, y0 + 2.5, "left", "top")
    ground = mark if tile else None
    artist = sheet.text(where[0], where[1], text, size, ha=where[2], va=where[3], multialignment=where[2])
    _set_off(artist, ground)
    artist.set_gid(f"archipelago-{inset.archipelago}")


def _dot(centre: np.ndarray, radius: float) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, 13)
    return centre + radius * np.column_stack([np.cos(turn), np.sin(turn)])


def _set_off(artist: Any, ground: Mark | None, *, rim: bool = False) -> None:
    """Make text readable on the unit below it (None: on paper): its ink; `rim` where it crosses the outline."""
    from matplotlib.patheffects import withStroke

    colour = ground.colour if ground and ground.colour else "#ffffff"
    artist.set_color(ink_on(colour))
    if ground and (rim or ground.status != "ok"):
        artist.set_path_effects([withStroke(linewidth=1.5 if ground.status == "ok" else 2.6, foreground=colour)])


def _draw_names(sheet: Sheet, placed: Frame, marked: dict[str, Mark], taken: list[Box]) -> None:
    """Province names where no other text stands; in a tile grid, inside the tiles."""
    if placed.tiles:
        _draw_tile_names(sheet, placed, marked)
        return
    bottom = max(box[3] for box in (placed.legend, *(inset.box for inset in placed.insets)))
    obstacles = [*taken, *(inset.box for inset in placed.insets)]
    for name in _name_places(sheet, placed, marked, obstacles, (sheet.width, bottom + 2)):
        if name.anchor is not None:
            end = np.clip(name.anchor, name.box[:2], name.box[2:])
            sheet.leader(np.array([name.anchor, end]))
        artist = sheet.text(name.x, name.y, name.text, _NAME_SIZE, ha="center", va="center", multialignment="center")
        _set_off(artist, None if name.anchor else marked[name.unit_id], rim=not name.within)
        artist.set_gid(f"name-{name.unit_id}")


_places: dict[tuple, list[Placed]] = {}


def _name_places(
    sheet: Sheet, placed: Frame, marked: dict[str, Mark], obstacles: list[Box], size: tuple[float, float]
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


def _draw_tile_names(sheet: Sheet, placed: Frame, marked: dict[str, Mark]) -> None:
    """The name inside each tile, in up to three lines, all in one size that fits every tile."""
    tile = min(float(np.ptp(parts[0][0][:, 0])) for parts in placed.shapes.values()) - 3
    texts = {unit_id: "\n".join(short_lines(mark.name)) for unit_id, mark in marked.items()}
    widest = max(text_size(text, 10)[0] for text in texts.values()) / 10
    size = min(_TILE_NAME_SIZE, tile / widest / sheet.scale)
    for unit_id, text in texts.items():
        x, y = (float(part) for part in placed.shapes[unit_id][0][0][:4].mean(axis=0))
        artist = sheet.text(x, y, text, size, ha="center", va="center", multialignment="center")
        _set_off(artist, marked[unit_id])
        artist.set_gid(f"name-{unit_id}")


def _legend_fits(sheet: Sheet, legend: _Legend, plain: Frame, scale: float) -> bool:
    """Whether the empty west of the map holds the legend."""
    width, height = (plain.legend[i + 2] - plain.legend[i] for i in (0, 1))
    return width * scale > 90 and _legend_height(sheet, legend, width * scale) <= height * scale


def _legend_height(sheet: Sheet, legend: _Legend, width: float) -> float:
    """How high `_draw_legend` gets."""
    return _flow_legend(sheet, legend, 0.0, 0.0, width, draw=False)


def _draw_legend(sheet: Sheet, legend: _Legend, x: float, y: float, width: float) -> float:
    """The legend from (x, y) down; returns where it ends."""
    return _flow_legend(sheet, legend, x, y, width, draw=True)


def _flow_legend(sheet: Sheet, legend: _Legend, x: float, y: float, width: float, *, draw: bool) -> float:
    """Scheme, one row per class and gap, the note; text wraps within `width`."""
    scheme, note = legend.notes
    y = _legend_text(sheet, scheme, x, y, width, 6.5, draw) + 2
    swatch = 15 * sheet.scale
    for status, colour, text in legend.rows:
        if draw:
            height = 7 * sheet.scale
            square = np.array([[x, y], [x + swatch - 4, y], [x + swatch - 4, y + height], [x, y + height], [x, y]])
            sheet.shape(((square + [0, 1],),), "ok" if status == "class" else status, colour or None)
        y = _legend_text(sheet, text, x + swatch, y, width - swatch, 7, draw) + 1.5
    return _legend_text(sheet, note, x, y + 1, width, 6, draw)


def _legend_text(sheet: Sheet, text: str, x: float, y: float, width: float, size: float, draw: bool) -> float:
    if draw:
        return sheet.paragraph(text, x, y, width, size=size, colour=GREY if size < 7 else INK)
    return y + sheet.paragraph_height(text, width, size=size)
