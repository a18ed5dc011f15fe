"""Two measures against one another, a point per unit, names on those that lie apart; and single figures as cards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tkyt_analysis.errors import InputError
from tkyt_analysis.explorer import palette
from tkyt_analysis.explorer.canvas import GREY, LARGE, NORMAL, RULE, SMALL, Canvas, Scale, meet, scale, tick_width
from tkyt_analysis.explorer.grid import Grid, arrange, dimensions_of
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from tkyt_analysis.explorer.layout import Pivot

_MOST_NAMED = 14
MOST_CARDS = 12


def draw_scatter(
    canvas: Canvas, pivot: Pivot, left: float, top: float, width: float, room: float, language: str
) -> float:
    """First measure to the right, second upwards; returns where the picture ends.

    Raises InputError unless the view has two measures and something to compare.
    """
    across, up = _two(pivot, language)
    x, y = across.shown[:, 0], up.shown[:, 0]
    known = np.isfinite(x) & np.isfinite(y)
    if (~known).any():
        number = int((~known).sum())
        canvas.remark(label("chart.scatter_left_out", language, number=number))
    upward = scale(y[known], 0, 1, zero=_from_zero(y[known]))
    heading = canvas.lines(_axis_name(up), width, SMALL, "SemiBold")
    canvas.text(left, top, heading, SMALL, style="SemiBold")
    top += canvas.measure(heading, SMALL)[1] + 8 * canvas.scale
    start, end = left + tick_width(canvas, upward, language) + 4, left + width - 8
    along = canvas.lines(_axis_name(across), end - start, SMALL, "SemiBold")
    low = canvas.line(SMALL) + canvas.measure(along, SMALL)[1] + 12
    bottom = max(room - low, top + 120 * canvas.scale)
    upward = replace(upward, start=bottom, end=top)
    rightward = scale(x[known], start, end, zero=_from_zero(x[known]))
    _frame(canvas, rightward, upward, language)
    canvas.text(
        end, bottom + canvas.line(SMALL) + 8, along, SMALL, ha="right", style="SemiBold", multialignment="right"
    )
    places = np.column_stack([rightward(x[known]), upward(y[known])])
    canvas.dots(places[:, 0], places[:, 1], palette.SERIES[0], size=5.0, alpha=0.85)
    rows = np.flatnonzero(known)
    for row, (px, py) in zip(rows, places):
        head = f"{across.names[row]}\n" if across.names[row] else ""
        said = f"{head}{_axis_name(across)}: {across.text(x[row])}\n{_axis_name(up)}: {up.text(y[row])}"
        canvas.hint((px - 5, py - 5, px + 5, py + 5), said)
    _name_far(canvas, [across.names[row] for row in rows], places, (start, top, end, bottom))
    return bottom + low


def _two(pivot: Pivot, language: str) -> tuple[Grid, Grid]:
    along = tuple(one for one in dimensions_of(pivot) if one != "measure")
    grid = arrange(pivot, along, language=language)
    ids = pivot.figures.view.measures
    if len(ids) != 2 or not along or len(grid.series) != 2:
        raise InputError("error.chart_scatter", number=len(ids))
    order = [next(i for i in range(2) if grid.series[i] == (one,)) for one in ids]
    return grid.pick(None, [order[0]]), grid.pick(None, [order[1]])


def _from_zero(values: np.ndarray) -> bool:
    return not len(values) or float(values.min()) <= 0.4 * float(values.max())


def _axis_name(grid: Grid) -> str:
    title = grid.pivot.figures.measures[grid.measures[0]].title[grid.language]
    return f"{title} ({grid.unit})" if grid.unit else title


def _frame(canvas: Canvas, across: Scale, up: Scale, language: str) -> None:
    ys: Any = up(up.ticks)
    xs: Any = across(across.ticks)
    canvas.segments([[(across.start, y), (across.end, y)] for y in ys], RULE, 0.5, zorder=0.4)
    canvas.segments([[(x, up.start), (x, up.end)] for x in xs], RULE, 0.5, zorder=0.4)
    for tick, y in zip(up.ticks, ys):
        canvas.text(across.start - 4, y, up.text(tick, language), SMALL, ha="right", va="center", color=GREY)
    wide = max(canvas.measure(across.text(tick, language), SMALL)[0] for tick in across.ticks) + 6
    apart = float(xs[1] - xs[0]) if len(xs) > 1 else wide
    for tick, x in list(zip(across.ticks, xs))[:: max(1, int(np.ceil(wide / apart)))]:
        canvas.text(x, up.start + 4, across.text(tick, language), SMALL, ha="center", color=GREY)


def _name_far(canvas: Canvas, names: list[str], places: np.ndarray, box: tuple[float, float, float, float]) -> None:
    """Names of the points farthest from the middle, where they stand free; all of them where there are few."""
    middle = np.median(places, axis=0) if len(places) else np.zeros(2)
    width = np.maximum(np.median(np.abs(places - middle), axis=0), 1.0) if len(places) else np.ones(2)
    order: Any = np.argsort(-np.hypot(*((places - middle) / width).T)) if len(places) else []
    taken = [(x - 3.5, y - 3.5, x + 3.5, y + 3.5) for x, y in places]
    for i in list(order)[: _MOST_NAMED if len(places) > _MOST_NAMED else len(places)]:
        wide, high = canvas.measure(names[i], SMALL - 0.5)
        x, y = places[i]
        spots = [
            (x + 5, y - high / 2),
            (x - 5 - wide, y - high / 2),
            (x - wide / 2, y - high - 4),
            (x - wide / 2, y + 4),
        ]
        for at_x, at_y in spots:
            spot = (at_x, at_y, at_x + wide, at_y + high)
            inside = (
                spot[0] >= box[0]
                and spot[2] <= box[2] + 6
                and spot[1] >= box[1] - 9 * canvas.scale
                and spot[3] <= box[3]
            )
            if inside and not any(meet(spot, other) for other in taken):
                canvas.text(at_x, at_y + high / 2, names[i], SMALL - 0.5, va="center")
                taken.append(spot)
                break


def draw_cards(canvas: Canvas, grid: Grid, left: float, top: float, width: float, room: float) -> float:
    """Each figure large, with its unit and limits; returns where the picture ends.

    Raises InputError for more figures than can be read as cards.
    """
    present = grid.status != ""
    places = [(int(row), int(column)) for row, column in np.argwhere(present)]
    if not 0 < len(places) <= MOST_CARDS:
        raise InputError("error.chart_cards", number=len(places), most=MOST_CARDS)
    columns = min(len(places), max(1, int(width // (190 * canvas.scale))))
    columns = -(-len(places) // -(-len(places) // columns))
    wide = (width - 12 * (columns - 1)) / columns
    high = max(_card_words(canvas, grid, row, column, wide)[1] for row, column in places) + 20
    for i, (row, column) in enumerate(places):
        x, y = left + (i % columns) * (wide + 12), top + (i // columns) * (high + 12)
        _draw_card(canvas, grid, row, column, (x, y, x + wide, y + high))
    return top + -(-len(places) // columns) * (high + 12)


def _card_words(
    canvas: Canvas, grid: Grid, row: int, column: int, wide: float
) -> tuple[list[tuple[str, float, str]], float]:
    """(text, size, style) of a card's lines, and their height."""
    measure = grid.pivot.figures.measures.get(str(grid.measure[row, column]))
    several = len(grid.pivot.figures.view.measures) > 1
    named = [part for part in (grid.names[row], grid.series_names[column]) if part]
    head = " · ".join(dict.fromkeys(named)) or (measure.title[grid.language] if measure else "")
    shown = grid.shown[row, column]
    single = grid.pick([row], [column])
    number = (
        single.text(shown)
        if np.isfinite(shown)
        else label(f"chart.status.{grid.gap(row, column) or 'missing'}", grid.language)
    )
    low, high = grid.lower[row, column], grid.upper[row, column]
    limits = ""
    if not grid.relative and np.isfinite(low) and np.isfinite(high):
        limits = label("chart.limits", grid.language, low=single.text(low), high=single.text(high))
    notes = [single.unit, limits]
    if grid.status[row, column] == "modelled":
        notes.append(label("chart.status.modelled", grid.language))
    size = LARGE * 2 if np.isfinite(shown) else NORMAL
    while size > LARGE and canvas.measure(number, size, "SemiBold")[0] > wide - 20:
        size -= 1
    words = [(head, NORMAL if several else NORMAL, "Regular"), (number, size, "SemiBold")]
    words += [(note, SMALL, "Regular") for note in notes if note]
    broken = [(canvas.lines(text, wide - 20, one, style), one, style) for text, one, style in words if text]
    return broken, sum(_high(canvas, text, one, style) for text, one, style in broken)


def _high(canvas: Canvas, text: str, size: float, style: str) -> float:
    """Height of a card's line; the large number has more air."""
    return canvas.measure(text, size, style)[1] * (1.2 if size > NORMAL else 1.0)


def _draw_card(canvas: Canvas, grid: Grid, row: int, column: int, box: tuple[float, float, float, float]) -> None:
    canvas.boxes([box], palette.GROUND, edgecolors=RULE, linewidths=0.8)
    y = box[1] + 10
    for text, size, style in _card_words(canvas, grid, row, column, box[2] - box[0])[0]:
        colour = palette.SERIES[0] if style == "SemiBold" else palette.INK
        canvas.text(box[0] + 10, y, text, size, style=style, color=colour)
        y += _high(canvas, text, size, style)
