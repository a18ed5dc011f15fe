"""Bars: single or grouped, upright or lying, with limits as whiskers; a total is a line with its value, never a bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tkyt_analysis.cube.model import PERIODS
from tkyt_analysis.explorer import palette
from tkyt_analysis.explorer.canvas import (
    GREY,
    INK,
    SMALL,
    Canvas,
    Mark,
    Scale,
    rim,
    scale,
    tick_width,
    value_grid,
)
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from tkyt_analysis.explorer.grid import Grid
    from tkyt_analysis.maps.frame import Box

_MOST_UPRIGHT = 8
_BAR, _GAP = 11.0, 4.0  # points of a lying bar with its value beside it, and between groups


def draw_bars(canvas: Canvas, grid: Grid, left: float, top: float, width: float, room: float) -> float:
    """Bars of every category, one per series; returns where the picture ends (lower than `room` if names need it)."""
    top = canvas.legend(series_marks(grid), left, top, width)
    top = _say_total(canvas, grid, left, top)
    say_modelled(canvas, grid)
    lying = lies(canvas, grid, width)
    below = _status_marks(grid, in_words=lying)
    foot = canvas.legend(below, left, 0, width, draw=False) if below else 0.0
    painter = _lying if lying else _upright
    bottom = painter(canvas, grid, left, top, width, room - foot)
    if below:
        bottom = canvas.legend(below, left, bottom + 4, width)
    return bottom


def say_modelled(canvas: Canvas, grid: Grid) -> None:
    """Where all figures rest on modelled denominators one sentence says so, and nothing is hatched."""
    if grid.all_modelled and not grid.pivot.figures.remarks:  # the figures' own remarks say it too
        canvas.remark(label("chart.all_modelled", grid.language))


def lies(canvas: Canvas, grid: Grid, width: float) -> bool:
    """Whether the bars lie: more than eight, or names that do not fit under upright ones. Periods stand."""
    if grid.along and grid.along[-1] in PERIODS and len(grid.along) == 1:
        return len(grid.categories) * max(len(grid.series), 1) * 4.0 > width
    if len(grid.categories) > _MOST_UPRIGHT:
        return True
    slot = (width - 40) / max(len(grid.categories), 1) - 6
    words = [word for name in grid.names for word in name.split()]
    too_wide = any(canvas.measure(word, SMALL)[0] > slot for word in words)
    return too_wide or any(canvas.lines(name, slot, SMALL).count("\n") > 2 for name in grid.names)


def series_marks(grid: Grid) -> list[Mark]:
    """A legend row per series; none where there is only one without a name."""
    if len(grid.series) < 2:
        return []
    hues = palette.colours(grid.series, grid.across)
    return [Mark("box", hue, name) for hue, name in zip(hues, grid.series_names)]


def _status_marks(grid: Grid, *, in_words: bool) -> list[Mark]:
    """A legend row per pattern used; lying bars have room for words where a figure is withheld."""
    kinds = ("modelled",) if in_words else ("modelled", "suppressed", "not_assessable")
    present = [one for one in kinds if (grid.hatched if one == "modelled" else grid.status == one).any()]
    return [Mark(one, "", label(f"chart.status.{one}", grid.language)) for one in present]


def _say_total(canvas: Canvas, grid: Grid, left: float, top: float) -> float:
    """A count's total in words above the bars: as a line it would crush them."""
    known = np.flatnonzero(np.isfinite(grid.total))
    if _total_is_line(grid) or not len(known) or grid.relative or len(grid.categories) < 2:
        return top
    names = [f"{grid.series_names[i]}: " if grid.series_names[i] else "" for i in known]
    parts = [f"{name}{grid.text(grid.total[i])}" for name, i in zip(names, known)]
    text = label("chart.total_is", grid.language, totals="; ".join(parts))
    text = canvas.lines(text, canvas.width - 2 * left, SMALL)
    canvas.text(left, top, text, SMALL, color=GREY)
    return top + canvas.measure(text, SMALL)[1] + 4


def _total_is_line(grid: Grid) -> bool:
    """Rates and changes of the whole are comparable with those of the parts; sums and shares are not."""
    return (not grid.counts and not grid.relative) or grid.pivot.layout.shows.startswith("change")


def _ends(grid: Grid) -> np.ndarray:
    """The outermost value of each bar, with its limits where they are drawn."""
    if not grid.intervals:
        return grid.shown
    return np.where(grid.shown < 0, np.fmin(grid.shown, grid.lower), np.fmax(grid.shown, grid.upper))


def _lying(canvas: Canvas, grid: Grid, left: float, top: float, width: float, room: float) -> float:
    """Bars lie, names to the left, values at the ends."""
    number = max(len(grid.series), 1)
    heads, rests = group_heads(grid)
    names = [canvas.lines(name, min(0.38 * width, 260 * canvas.scale), SMALL) for name in rests]
    name_width = max((canvas.measure(name, SMALL)[0] for name in names), default=0.0)
    above = np.array([canvas.line(SMALL) + 3 if head else 0.0 for head in heads])
    needs = [_row_height(canvas, name, number) for name in names]
    top = _total_heads(canvas, grid, top) if _lines_of_total(grid) else top
    stretch = min(max(room - top - above.sum(), sum(needs)) / max(sum(needs), 1), 1.7)
    edges = top + np.concatenate([[0.0], np.cumsum(np.array(needs) * stretch + above)])
    starts = edges[:-1] + above
    values = [grid.text(number) for number in grid.shown.ravel() if np.isfinite(number)]
    value_width = max((canvas.measure(text, SMALL)[0] for text in values), default=0.0) + 8
    axis = _lying_axis(grid, left + name_width + 6, left + width, value_width)
    _lying_bars(canvas, grid, axis, starts, edges[1:], number)
    for head, name, y0, y1 in zip(heads, names, starts, edges[1:]):
        if head:
            canvas.text(left, y0 - 1, head, SMALL, va="bottom", style="SemiBold")
        canvas.text(left + name_width, (y0 + y1) / 2, name, SMALL, ha="right", va="center", multialignment="right")
    canvas.segments([[(axis(0.0), edges[0]), (axis(0.0), edges[-1])]], GREY, 0.8)
    _total_lines(canvas, grid, axis, edges[0], edges[-1])
    return float(edges[-1]) + 4


def group_heads(grid: Grid) -> tuple[list[str], list[str]]:
    """(heading above a row, the row's own name): rows of two dimensions are grouped under the members of the first."""
    from tkyt_analysis.explorer.grid import capital, part_names

    if len(grid.along) != 2:
        return [""] * len(grid.names), grid.names
    parts = [part_names(grid.pivot, grid.along, key, grid.language) for key in grid.categories]
    firsts = [part[0] for part in parts]
    heads = [first if i == 0 or firsts[i - 1] != first else "" for i, first in enumerate(firsts)]
    return [capital(head) for head in heads], [capital(part[1]) for part in parts]


def _row_height(canvas: Canvas, name: str, number: int) -> float:
    bars = number * (_BAR if number == 1 else _BAR - 1.5) * canvas.scale
    return max(bars, canvas.measure(name, SMALL)[1]) + _GAP * canvas.scale


def _lying_axis(grid: Grid, start: float, end: float, beyond: float) -> Scale:
    """From the smallest to the largest end (0 among them), with room for the numbers beyond."""
    held = np.append(_ends(grid).ravel(), grid.total if _lines_of_total(grid) else [])
    held = held[np.isfinite(held)]
    low, high = min(float(held.min(initial=0.0)), 0.0), max(float(held.max(initial=0.0)), 0.0)
    if low == high:
        high = 1.0
    return Scale(low, high, start + (beyond if low < 0 else 0.0), end - beyond, (0.0,))


def _lying_bars(canvas: Canvas, grid: Grid, axis: Scale, starts: np.ndarray, ends_at: np.ndarray, number: int) -> None:
    hues, ends, zero = palette.colours(grid.series, grid.across), _ends(grid), float(axis(0.0))
    gap = _GAP * canvas.scale
    thick = (ends_at - starts - gap) / number
    whiskers = []
    for column in range(number):
        upper = starts + gap / 2 + thick * column
        boxes: list[Box] = []
        hatched: list[Box] = []
        for row, value in enumerate(grid.shown[:, column]):
            y0, y1 = upper[row], upper[row] + min(thick[row], 18 * canvas.scale)
            y0, y1 = (y0, y1) if number > 1 else _middle(upper[row], thick[row], 18 * canvas.scale)
            canvas.hint((zero - 60, upper[row], axis.end + 40, upper[row] + thick[row]), grid.said(row, column))
            if not np.isfinite(value):
                _say_gap(canvas, grid, row, column, zero + 4, (y0 + y1) / 2)
                continue
            end = float(axis(value))
            box = (min(zero, end), y0 + 0.6, max(zero, end), y1 - 0.6)
            (hatched if grid.hatched[row, column] else boxes).append(box)
            if grid.intervals and np.isfinite(grid.lower[row, column]) and np.isfinite(grid.upper[row, column]):
                limits = axis([grid.lower[row, column], grid.upper[row, column]])
                whiskers.append([(limits[0], (y0 + y1) / 2), (limits[1], (y0 + y1) / 2)])
            outer = float(axis(ends[row, column]))
            _lying_value(canvas, grid, axis, outer, (y0 + y1) / 2, float(value))
        canvas.boxes(boxes, hues[column], **_rim(grid))
        canvas.boxes(hatched, "#ffffff", hatch="||||", edgecolors=hues[column], linewidths=1.0)
    canvas.segments(whiskers, INK, 1.0, zorder=3)


def _lying_value(canvas: Canvas, grid: Grid, axis: Scale, x: float, y: float, value: float) -> None:
    """The number beyond a bar's end; set off where a total line runs through it."""
    text, size, way = grid.text(value), _value_size(len(grid.series)), -1.0 if value < 0 else 1.0
    far = x + way * (4 + canvas.measure(text, size)[0])
    lines = [float(axis(grid.total[column])) for column in _lines_of_total(grid)]
    crossed = any(min(x, far) - 1 <= line <= max(x, far) + 1 for line in lines)
    options: dict[str, Any] = {"path_effects": rim()} if crossed else {}
    canvas.text(x + way * 4, y, text, size, ha="right" if value < 0 else "left", va="center", **options)


def _middle(start: float, thick: float, most: float) -> tuple[float, float]:
    """A bar no thicker than `most`, in the middle of its row."""
    spare = max(thick - most, 0.0) / 2
    return start + spare, start + thick - spare


def _value_size(number: int) -> float:
    return SMALL if number == 1 else SMALL - 0.7


def _rim(grid: Grid) -> dict[str, object]:
    """Light steps of an ordered palette have an outline."""
    hues = palette.colours(grid.series, grid.across)
    return {"edgecolors": palette.ORDERED_RIM, "linewidths": 0.5} if hues and hues[0] in palette.ORDERED[:2] else {}


def _say_gap(canvas: Canvas, grid: Grid, row: int, column: int, x: float, y: float) -> None:
    """Why there is no bar; nothing where there is no such figure at all."""
    status = grid.gap(row, column)
    text = label(f"chart.status.{status}", grid.language) if status else "–"
    canvas.text(x, y, text, SMALL - 0.7, va="center", color=GREY)


def _lines_of_total(grid: Grid) -> list[int]:
    """Series whose total is drawn as a line: up to three."""
    known = [int(i) for i in np.flatnonzero(np.isfinite(grid.total))]
    return known if _total_is_line(grid) and len(known) <= 3 and len(grid.categories) > 1 else []


def _total_heads(canvas: Canvas, grid: Grid, top: float) -> float:
    """Room above the bars for the words of the total lines."""
    return top + canvas.line(SMALL) * len(_lines_of_total(grid)) + 3


def _total_words(grid: Grid, column: int) -> str:
    value = grid.text(grid.total[column])
    if len(grid.series) > 1:
        return label("chart.total_of", grid.language, name=grid.series_names[column], value=value)
    return label("chart.total", grid.language, value=value)


def _total_lines(canvas: Canvas, grid: Grid, axis: Scale, top: float, bottom: float) -> None:
    """Upright dashed lines at the totals, each with its words above, one below the other."""
    for place, column in enumerate(_lines_of_total(grid)):
        x, words = float(axis(grid.total[column])), _total_words(grid, column)
        y = top - canvas.line(SMALL) * (place + 1) - 1
        canvas.segments(
            [[(x, y + canvas.line(SMALL) - 1), (x, bottom)]], GREY, 1.1, linestyles=[(0, (4, 2))], zorder=0.6
        )
        half = canvas.measure(words, SMALL)[0] / 2
        at = min(max(x, half + 4), canvas.width - half - 4)
        canvas.text(at, y, words, SMALL, ha="center", color=GREY, style="SemiBold", path_effects=rim())


def _upright(canvas: Canvas, grid: Grid, left: float, top: float, width: float, room: float) -> float:
    """Bars stand side by side, names below, values above where they fit."""
    number = max(len(grid.series), 1)
    axis = scale(np.append(_ends(grid).ravel(), grid.total if _lines_of_total(grid) else []), 0, 1, head=0.06)
    gutter = tick_width(canvas, axis, grid.language)
    start, end = left + gutter, left + width
    end -= _total_margin(canvas, grid)
    slot = (end - start) / max(len(grid.categories), 1)
    names, low = upright_names(canvas, grid, slot)
    bottom = max(room - low - 4, top + 110 * canvas.scale)
    axis = Scale(axis.low, axis.high, bottom, top + canvas.line(SMALL), axis.ticks)
    value_grid(canvas, axis, start, end, grid.language)
    _upright_bars(canvas, grid, axis, start, slot, number)
    for i, name in names:
        canvas.text(start + slot * (i + 0.5), bottom + 4, name, SMALL, ha="center", multialignment="center")
    _level_lines(canvas, grid, axis, start, end)
    return bottom + low + 4


def upright_names(canvas: Canvas, grid: Grid, slot: float) -> tuple[list[tuple[int, str]], float]:
    """(place, name) of the names below, and the room that they take; of many periods only some are named."""
    if grid.along and grid.along[-1] in PERIODS and len(grid.along) == 1:
        from tkyt_analysis.explorer.lines import period_ticks

        chosen = period_ticks(canvas, [key[0] for key in grid.categories], slot, grid.language)
    else:
        chosen = [(i, canvas.lines(name, slot - 6, SMALL)) for i, name in enumerate(grid.names)]
    return chosen, max((canvas.measure(name, SMALL)[1] for _, name in chosen), default=0.0) + 6


def _upright_bars(canvas: Canvas, grid: Grid, axis: Scale, start: float, slot: float, number: int) -> None:
    hues, ends, zero = palette.colours(grid.series, grid.across), _ends(grid), float(axis(0.0))
    bar = min(slot * 0.78, 70 * canvas.scale * number) / number
    numbered = _values_fit(canvas, grid, bar)
    whiskers = []
    for column in range(number):
        boxes: list[Box] = []
        hatched: list[Box] = []
        for row, value in enumerate(grid.shown[:, column]):
            x0 = start + slot * (row + 0.5) + bar * (column - number / 2)
            middle = x0 + bar / 2
            canvas.hint((x0, axis.end, x0 + bar, axis.start), grid.said(row, column))
            if not np.isfinite(value):
                _upright_gap(canvas, grid, row, column, (x0 + 1, zero - 9, x0 + bar - 1, zero))
                continue
            y = float(axis(value))
            box = (x0 + 0.5, min(y, zero), x0 + bar - 0.5, max(y, zero))
            (hatched if grid.hatched[row, column] else boxes).append(box)
            if grid.intervals and np.isfinite(grid.lower[row, column]) and np.isfinite(grid.upper[row, column]):
                limits = axis([grid.lower[row, column], grid.upper[row, column]])
                whiskers.append([(middle, limits[0]), (middle, limits[1])])
            if numbered:
                outer = float(axis(ends[row, column]))
                way = "top" if value < 0 else "bottom"
                crossed: dict[str, Any] = {"path_effects": rim()} if _lines_of_total(grid) else {}
                y = outer + (2 if value < 0 else -1)
                canvas.text(middle, y, grid.text(value), _value_size(number), ha="center", va=way, **crossed)
        canvas.boxes(boxes, hues[column], zorder=1, **_rim(grid))
        canvas.boxes(hatched, "#ffffff", hatch="||||", edgecolors=hues[column], linewidths=1.0, zorder=1)
    canvas.segments(whiskers, INK, 1.0, zorder=3)


def _values_fit(canvas: Canvas, grid: Grid, bar: float) -> bool:
    """Whether every value can stand over its bar."""
    texts = [grid.text(value) for value in grid.shown.ravel() if np.isfinite(value)]
    return all(canvas.measure(text, _value_size(len(grid.series)))[0] < bar - 1 for text in texts)


def _upright_gap(canvas: Canvas, grid: Grid, row: int, column: int, box: tuple[float, float, float, float]) -> None:
    """A low patterned box where a figure is withheld; a dash where there is none."""
    status = grid.gap(row, column)
    if status:
        canvas.pattern(box, status)
    elif box[2] - box[0] > 6:
        canvas.text((box[0] + box[2]) / 2, box[3] - 1, "–", SMALL, ha="center", va="bottom", color=GREY)


def _total_margin(canvas: Canvas, grid: Grid) -> float:
    """Room to the right of upright bars for the words of the total lines."""
    words = [_total_words(grid, column) for column in _lines_of_total(grid)]
    texts = [canvas.lines(text, 90 * canvas.scale, SMALL) for text in words]
    return max((canvas.measure(text, SMALL)[0] for text in texts), default=-6.0) + 6


def _level_lines(canvas: Canvas, grid: Grid, axis: Scale, start: float, end: float) -> None:
    """Level dashed lines at the totals, their words to the right, none over another."""
    from tkyt_analysis.explorer.canvas import spread

    columns = _lines_of_total(grid)
    texts = [canvas.lines(_total_words(grid, column), 90 * canvas.scale, SMALL) for column in columns]
    heights = [canvas.measure(text, SMALL)[1] for text in texts]
    levels = [float(axis(grid.total[column])) for column in columns]
    places = spread(levels, heights, axis.end - canvas.line(SMALL), axis.start) or levels
    for level, place, text in zip(levels, places, texts):
        canvas.segments([[(start, level), (end, level)]], GREY, 1.1, linestyles=[(0, (4, 2))], zorder=0.7)
        canvas.text(end + 5, place, text, SMALL, va="center", color=GREY, style="SemiBold")
