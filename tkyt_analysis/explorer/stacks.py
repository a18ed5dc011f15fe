"""Stacked bars of counts: parts of a whole, as numbers or as 100 %. Rates have no sum, so they are refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tkyt_analysis.cube.model import PERIODS
from tkyt_analysis.errors import InputError
from tkyt_analysis.explorer import palette
from tkyt_analysis.explorer.bars import lies
from tkyt_analysis.explorer.canvas import GREY, SMALL, Canvas, Mark, Scale, scale, tick_width, value_grid
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.maps.palettes import ink_on

if TYPE_CHECKING:
    from tkyt_analysis.explorer.grid import Grid

_MOST_PARTS = 6


@dataclass(frozen=True, eq=False)
class Stack:
    """Parts per category: `parts` in the unit drawn, `known` where no part of the whole is withheld."""

    grid: Grid
    parts: np.ndarray
    known: np.ndarray
    share: bool
    hues: list[str]

    def text(self, row: int, column: int) -> str:
        """A part's number."""
        decimals = 1 if self.share else self.grid.decimals
        unit = " %" if self.share else ""
        return format_number(self.parts[row, column], decimals, self.grid.language) + unit


def draw_stacks(
    canvas: Canvas, grid: Grid, left: float, top: float, width: float, room: float, *, share: bool
) -> float:
    """One bar per category, its parts on one another; returns where the picture ends.

    Raises InputError for rates, which have no sum.
    """
    over_time = any(one in PERIODS for one in grid.across)  # two years of a population make up no whole
    averages = any(grid.pivot.figures.measures[one].method == "average" for one in grid.measures)
    if not grid.counts or (averages and over_time) or grid.pivot.layout.shows.startswith("change"):
        raise InputError("error.chart_stack_of_rates")
    stack = _stack(grid, share)
    if share:
        canvas.remark(label("chart.beside_bars", grid.language, unit=grid.unit))
    if not stack.known.all():
        canvas.remark(label("chart.part_withheld_share" if share else "chart.part_withheld", grid.language))
    marks = [Mark("box", hue, name) for hue, name in zip(stack.hues, stack.grid.series_names) if name]
    top = canvas.legend(marks, left, top, width)
    painter = _lying if lies(canvas, replace(grid, series=grid.series[:1]), width) else _upright
    return painter(canvas, stack, left, top, width, room)


def _stack(grid: Grid, share: bool) -> Stack:
    withheld = np.isin(grid.status, ("suppressed", "not_assessable")).any(axis=1)
    parts = np.nan_to_num(grid.shown)
    grid, parts = _fewer(grid, parts)
    whole = parts.sum(axis=1)
    known = np.asarray(~withheld)
    if share:
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = np.where((known & (whole > 0))[:, None], 100 * parts / whole[:, None], 0.0)
    return Stack(grid, parts, known, share, palette.colours(grid.series, grid.across))


def _fewer(grid: Grid, parts: np.ndarray) -> tuple[Grid, np.ndarray]:
    """The largest parts; the others as one, where there are more than colours."""
    if len(grid.series) <= _MOST_PARTS:
        return grid, parts
    order = np.argsort(-parts.sum(axis=0), kind="stable")
    kept, rest = sorted(order[: _MOST_PARTS - 1].tolist()), order[_MOST_PARTS - 1 :]
    picked = grid.pick(None, [*kept, int(rest[0])])
    together = label("chart.others", grid.language, number=len(rest))
    named = replace(picked, series_names=[*picked.series_names[:-1], together])
    return named, np.column_stack([parts[:, kept], parts[:, rest].sum(axis=1)])


def _lying(canvas: Canvas, stack: Stack, left: float, top: float, width: float, room: float) -> float:
    grid = stack.grid
    names = [canvas.lines(name, min(0.38 * width, 260 * canvas.scale), SMALL) for name in grid.names]
    name_width = max((canvas.measure(name, SMALL)[0] for name in names), default=0.0)
    needs = np.array([max(11 * canvas.scale, canvas.measure(name, SMALL)[1]) + 4 * canvas.scale for name in names])
    needs *= min(max(room - top, needs.sum()) / max(needs.sum(), 1), 1.7)
    edges = top + np.concatenate([[0.0], np.cumsum(needs)])
    sums = _sum_texts(stack)
    beyond = max((canvas.measure(text, SMALL)[0] for text in sums), default=0.0) + 8
    high = 100.0 if stack.share else max(float(stack.parts.sum(axis=1).max(initial=0)), 1.0)
    axis = Scale(0.0, high, left + name_width + 6, left + width - beyond, (0.0,))
    for i, name in enumerate(names):
        y0, y1 = edges[i] + 2 * canvas.scale, edges[i + 1] - 2 * canvas.scale
        canvas.text(left + name_width, (y0 + y1) / 2, name, SMALL, ha="right", va="center", multialignment="right")
        if stack.share and not stack.known[i]:
            canvas.pattern((axis.start, y0, axis.end, y1), "not_assessable")
            continue
        steps = axis(np.concatenate([[0.0], np.cumsum(stack.parts[i])]))
        _parts(canvas, stack, i, [(a, y0, b, y1) for a, b in zip(steps, steps[1:])])
        canvas.text(steps[-1] + 4, (y0 + y1) / 2, sums[i], SMALL, va="center")
    return float(edges[-1]) + 4


def _sum_texts(stack: Stack) -> list[str]:
    """The whole beside each bar; of 100 % bars the number of cases that they rest on."""
    whole = np.nansum(stack.grid.value, axis=1)
    return (
        [
            ("≥ " if not known else "") + format_number(number, stack.grid.decimals, stack.grid.language)
            for number, known in zip(whole, stack.known)
        ]
        if stack.share or not stack.grid.relative
        else [""] * len(whole)
    )


def _parts(canvas: Canvas, stack: Stack, row: int, boxes: list[tuple[float, float, float, float]]) -> None:
    """The parts of one bar, each with its number where that fits."""
    canvas.boxes(boxes, stack.hues, edgecolors="#ffffff", linewidths=0.6)
    for column, (x0, y0, x1, y1) in enumerate(boxes):
        text = stack.text(row, column)
        said = ", ".join(part for part in (stack.grid.names[row], stack.grid.series_names[column]) if part)
        canvas.hint(
            (x0, min(y0, y1), x1, max(y0, y1)), f"{said}: {text} {'' if stack.share else stack.grid.unit}".strip()
        )
        wide, high = canvas.measure(text, SMALL - 0.7)
        if wide + 3 < x1 - x0 and high - 2 < abs(y1 - y0):
            ink = ink_on(stack.hues[column])
            canvas.text((x0 + x1) / 2, (y0 + y1) / 2, text, SMALL - 0.7, ha="center", va="center", color=ink)


def _upright(canvas: Canvas, stack: Stack, left: float, top: float, width: float, room: float) -> float:
    from tkyt_analysis.explorer.bars import upright_names

    grid = stack.grid
    whole = stack.parts.sum(axis=1)
    axis = scale(whole if not stack.share else [0, 100], 0, 1, head=0.0 if stack.share else 0.05)
    start, end = left + tick_width(canvas, axis, grid.language), left + width
    slot = (end - start) / max(len(grid.categories), 1)
    names, low = upright_names(canvas, grid, slot)
    bottom = max(room - low - 4, top + 110 * canvas.scale)
    axis = Scale(axis.low, axis.high, bottom, top + canvas.line(SMALL), axis.ticks)
    value_grid(canvas, axis, start, end, grid.language)
    half, sums = min(slot * 0.74, 80 * canvas.scale) / 2, _sum_texts(stack)
    fits = all(canvas.measure(text, SMALL)[0] < slot - 2 for text in sums)
    for i in range(len(grid.categories)):
        middle = start + slot * (i + 0.5)
        if stack.share and not stack.known[i]:
            canvas.pattern((middle - half, axis.end, middle + half, bottom), "not_assessable")
            continue
        steps = axis(np.concatenate([[0.0], np.cumsum(stack.parts[i])]))
        _parts(canvas, stack, i, [(middle - half, b, middle + half, a) for a, b in zip(steps, steps[1:])])
        if fits:
            canvas.text(middle, steps[-1] - 1, sums[i], SMALL, ha="center", va="bottom", color=GREY)
    for i, name in names:
        canvas.text(start + slot * (i + 0.5), bottom + 4, name, SMALL, ha="center", multialignment="center")
    return bottom + low + 4
