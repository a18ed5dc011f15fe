"""Small multiples: one panel per row, all on the same scales, so that shapes can be compared at a glance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tkyt_analysis.explorer import palette
from tkyt_analysis.explorer.canvas import GREY, SMALL, Canvas, Mark, Scale, scale, tick_width, value_grid
from tkyt_analysis.explorer.grid import Grid, arrange, dimensions_of, period_dimension
from tkyt_analysis.explorer.lines import Style, calendar, draw_runs, draw_ticks, line_marks, line_styles, tick_words
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tkyt_analysis.explorer.layout import Pivot

MOST_PANELS = 40
_LEAST_WIDE, _LEAST_HIGH, _APART = 112.0, 74.0, 10.0


def draw_panels(
    canvas: Canvas, whole: Grid, panel_at: Sequence[int], left: float, top: float, width: float, room: float
) -> float:
    """Panels of `whole` (from `inner_grid`); returns where the picture ends."""
    panels = _parted(whole, panel_at)
    if len(panels) > MOST_PANELS:
        more = label("chart.panels_left_out", whole.language, shown=MOST_PANELS, total=len(panels))
        canvas.remark(more)
        panels = panels[:MOST_PANELS]
    over_time = bool(whole.along) and period_dimension(whole.pivot) == whole.along[-1]
    first = panels[0][1]
    if over_time and any((grid.thin & np.isfinite(grid.shown)).any() for _, grid in panels):
        canvas.remark(label("chart.hollow", whole.language) + ".")
    styles = line_styles(first)
    top = _legend(canvas, first, styles, over_time, left, top, width)
    axis = scale(np.concatenate([grid.shown.ravel() for _, grid in panels]), 0, 1, most=3)
    gutter = tick_width(canvas, axis, whole.language)
    columns = _columns(canvas, len(panels), width - gutter, room - top)
    wide = (width - gutter - _APART * (columns - 1)) / columns
    rows = -(-len(panels) // columns)
    names = _tick_names(canvas, first, wide, over_time)
    foot = canvas.line(SMALL) + 6 if names else 4.0
    titles = [canvas.lines(name, wide, SMALL, "SemiBold") for name, _ in panels]
    head = max(canvas.measure(text, SMALL)[1] for text in titles) + 3
    high = max((room - top - foot) / rows - head - 8, _LEAST_HIGH * canvas.scale * 0.6)
    for i, (_, grid) in enumerate(panels):
        row, column = divmod(i, columns)
        x, y = left + gutter + column * (wide + _APART), top + row * (head + high + 8)
        for k, line in enumerate(reversed(titles[i].split("\n"))):
            canvas.text(x, y + head - 5 - k * canvas.line(SMALL), line, SMALL, style="SemiBold", va="baseline")
        frame = replace(axis, start=y + head + high, end=y + head + 2)
        _rules(canvas, frame, x, x + wide, whole.language, numbered=column == 0)
        if over_time:
            _course(canvas, grid, frame, x, wide, styles)
        else:
            _columns_of(canvas, grid, frame, x, wide)
        if i + columns >= len(panels):
            _ticks(canvas, names, grid, x, wide, frame.start, over_time)
    return top + rows * (head + high + 8) - 8 + foot


def inner_grid(pivot: Pivot, *, language: str) -> tuple[Grid, list[int]]:
    """The grid with what runs inside a panel along its categories, and which parts of a series key name the panel."""
    dimensions = dimensions_of(pivot)
    inside = period_dimension(pivot)
    rows = [one for one in pivot.layout.rows if one not in (inside, "measure")]
    if not inside:
        columns = [one for one in pivot.layout.columns if one != "measure"]
        inside = next((one for one in ("age_group", *columns) if one in columns), "")
        inside = inside or (rows.pop() if len(rows) > 1 else "")
    panels = [one for one in rows if one != inside] or [one for one in dimensions if one not in (inside, "measure")]
    grid = arrange(pivot, (inside,) if inside else (), language=language)
    if inside == period_dimension(pivot) and inside:
        grid = calendar(grid)
    return grid, [i for i, one in enumerate(grid.across) if one in panels]


def _parted(grid: Grid, panel_at: Sequence[int]) -> list[tuple[str, Grid]]:
    """(name, grid) of each panel; series are called after what is left of their key."""
    rest_at = [i for i in range(len(grid.across)) if i not in panel_at]
    names = _part_names(grid)
    found: dict[tuple[str, ...], list[int]] = {}
    for column, key in enumerate(grid.series):
        found.setdefault(tuple(key[i] for i in panel_at), []).append(column)
    panels = []
    for columns in found.values():
        head = " · ".join(word for i in panel_at if (word := names[columns[0]][i]))
        picked = grid.pick(None, columns)
        words = [" · ".join(word for i in rest_at if (word := names[column][i])) for column in columns]
        panels.append((head, replace(picked, series_names=words)))
    return panels


def _part_names(grid: Grid) -> list[list[str]]:
    """The words of each part of each series key."""
    from tkyt_analysis.explorer.grid import part_names

    return [part_names(grid.pivot, grid.across, key, grid.language) for key in grid.series]


def _legend(
    canvas: Canvas, grid: Grid, styles: Sequence[Style], over_time: bool, left: float, top: float, width: float
) -> float:
    if over_time:
        return canvas.legend(line_marks(grid, styles) if len(grid.series) > 1 else [], left, top, width)
    marks = _bar_marks(grid)
    return canvas.legend(marks, left, top, width)


def _bar_marks(grid: Grid) -> list[Mark]:
    """Bars of a panel are told apart by colour: by series, or, with one series, by category unless ages name them."""
    if len(grid.series) > 1:
        hues = palette.colours(grid.series, grid.across)
        return [Mark("box", hue, name) for hue, name in zip(hues, grid.series_names)]
    if grid.along == ("age_group",) or len(grid.categories) > len(palette.SERIES):
        return []
    hues = palette.colours(grid.categories, grid.along)
    return [Mark("box", hue, name) for hue, name in zip(hues, grid.names) if name]


def _columns(canvas: Canvas, number: int, width: float, room: float) -> int:
    """How many panels stand side by side: as near as can be to panels half as high again as they are wide."""
    most = max(1, int((width + _APART) // (_LEAST_WIDE * canvas.scale + _APART)))

    def strain(columns: int) -> float:
        wide, high = width / columns, room / -(-number // columns)
        empty = (-number % columns) / number
        return abs(np.log(wide / max(high, 1.0) / 1.5)) + empty

    return min(range(1, min(most, number) + 1), key=strain)


def _rules(canvas: Canvas, axis: Scale, left: float, right: float, language: str, *, numbered: bool) -> None:
    if numbered:
        value_grid(canvas, axis, left, right, language)
        return
    places: Any = axis(axis.ticks)
    canvas.segments([[(left, y), (right, y)] for y in places], palette.RULE, 0.5, zorder=0.4)
    canvas.segments([[(left, axis(0.0)), (right, axis(0.0))]], GREY, 0.8, zorder=0.5)


def _course(canvas: Canvas, grid: Grid, axis: Scale, x: float, wide: float, styles: Sequence[Style]) -> None:
    places = _places(len(grid.categories), x, wide)
    thinner = [replace(style, width=1.3) for style in styles]
    draw_runs(canvas, grid, axis, places, thinner, dots=False)
    slot = wide / max(len(places), 1)
    for row, place in enumerate(places):
        said = [grid.said(row, column) for column in range(len(grid.series)) if grid.measure[row, column]]
        if said:
            canvas.hint((place - slot / 2, axis.end, place + slot / 2, axis.start), "\n".join(said))


def _places(number: int, x: float, wide: float) -> np.ndarray:
    return x + 3 + (wide - 6) * (np.arange(number) / max(number - 1, 1) if number > 1 else np.array([0.5]))


def _columns_of(canvas: Canvas, grid: Grid, axis: Scale, x: float, wide: float) -> None:
    number, slot = len(grid.series), wide / max(len(grid.categories), 1)
    by_category = number == 1 and bool(_bar_marks(grid))
    hues = palette.colours(grid.categories, grid.along) if by_category else palette.colours(grid.series, grid.across)
    bar = slot * 0.82 / number
    for row in range(len(grid.categories)):
        for column in range(number):
            x0 = x + slot * (row + 0.09) + bar * column
            value = grid.shown[row, column]
            canvas.hint((x0, axis.end, x0 + bar, axis.start), grid.said(row, column))
            if np.isfinite(value):
                ends = sorted((float(axis(value)), float(axis(0.0))))
                canvas.boxes([(x0, ends[0], x0 + bar, ends[1])], hues[row if by_category else column], zorder=1)
            elif grid.gap(row, column):
                canvas.pattern((x0, axis(0.0) - 8, x0 + bar, axis(0.0)), grid.gap(row, column))
                canvas.remark(label("chart.withheld_pattern", grid.language))


def _tick_names(canvas: Canvas, grid: Grid, wide: float, over_time: bool) -> list[tuple[int, str]]:
    """Names below the lowest panels: first and last of many."""
    if over_time:
        ends = dict.fromkeys((0, len(grid.categories) - 1))
        names = [(i, tick_words(grid.categories[i][0], grid.language)) for i in ends]
        return names if sum(canvas.measure(name, SMALL)[0] for _, name in names) + 8 < wide else names[-1:]
    if _bar_marks(grid) and len(grid.series) == 1:
        return []
    slot = wide / max(len(grid.names), 1)
    widest = max((canvas.measure(name, SMALL)[0] for name in grid.names), default=0.0) + 5
    step = max(1, int(np.ceil(widest / slot)))
    return [(i, grid.names[i]) for i in range(0, len(grid.names), step)] if widest < wide else []


def _ticks(
    canvas: Canvas, names: list[tuple[int, str]], grid: Grid, x: float, wide: float, bottom: float, over_time: bool
) -> None:
    number = len(grid.categories)
    if over_time:
        _end_ticks(canvas, names, x, wide, bottom)
        return
    places = x + wide / max(number, 1) * (np.arange(number) + 0.5)
    draw_ticks(canvas, _within(canvas, names, places, x, x + wide), places, bottom)


def _end_ticks(canvas: Canvas, names: list[tuple[int, str]], x: float, wide: float, bottom: float) -> None:
    """The first and the last period below a panel, flush with its sides."""
    for i, name in names:
        last = i > 0
        canvas.text(x + wide if last else x, bottom + 4, name, SMALL, ha="right" if last else "left", color=GREY)


def _within(
    canvas: Canvas, names: list[tuple[int, str]], places: np.ndarray, left: float, right: float
) -> list[tuple[int, str]]:
    """Names that do not reach over to the neighbouring panel by more than the gap between."""
    half = {i: canvas.measure(name, SMALL)[0] / 2 for i, name in names}
    spare = _APART / 2 - 1
    return [
        (i, name) for i, name in names if places[i] - half[i] > left - spare and places[i] + half[i] < right + spare
    ]
