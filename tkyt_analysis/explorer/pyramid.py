"""Age–sex pyramid: men to the left, women to the right, the open group on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tkyt_analysis.cube.model import UNKNOWN
from tkyt_analysis.errors import InputError, TkytError
from tkyt_analysis.explorer import palette
from tkyt_analysis.explorer.bars import say_modelled
from tkyt_analysis.explorer.canvas import GREY, NORMAL, RULE, SMALL, Canvas, Scale, scale
from tkyt_analysis.explorer.grid import COUNTS, Grid, arrange, dimensions_of
from tkyt_analysis.explorer.titles import listing
from tkyt_analysis.labels import format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.explorer.layout import Pivot
    from tkyt_analysis.maps.frame import Box


def pyramids(pivot: Pivot, *, language: str) -> list[tuple[str, Grid]]:
    """(name, ages × male and female) per combination of the other dimensions.

    Raises InputError where age group or sex is missing among the dimensions, or one of the two sexes has no figures.
    """
    if not {"age_group", "sex"} <= set(dimensions_of(pivot)):
        raise InputError("error.chart_pyramid_dimensions", found=_found(pivot, language))
    grid = arrange(pivot, ("age_group",), language=language)
    place = grid.across.index("sex")
    others = list(dict.fromkeys(key[:place] + key[place + 1 :] for key in grid.series))
    found = []
    for other in others:
        key = {sex: (*other[:place], sex, *other[place:]) for sex in ("male", "female")}
        if all(one in grid.series for one in key.values()):
            picked = _ages(grid.pick(None, [grid.series.index(one) for one in key.values()]))
            found.append((_name(grid, key["male"], place), picked))
    if not found:
        raise InputError("error.chart_pyramid_sexes")
    return found


def _found(pivot: Pivot, language: str) -> str:
    from tkyt_analysis.explorer.titles import dimension_name

    return listing([dimension_name(one, language) for one in dimensions_of(pivot)], language, most=9) or "–"


def _name(grid: Grid, key: tuple[str, ...], place: int) -> str:
    """What a pyramid is of, without the word for the sex."""
    full = grid.series_names[grid.series.index(key)].split(" · ")
    return " · ".join(word for i, word in enumerate(full) if i != min(place, len(full) - 1))


def _ages(grid: Grid) -> Grid:
    """Age groups by age, youngest first; what is no age group is left out."""
    from tkyt_analysis.reference.ages import parse_band

    def first(i: int) -> float:
        try:
            return float(parse_band(grid.categories[i][0])[0])
        except TkytError:
            return np.nan

    ages = [(first(i), i) for i in range(len(grid.categories))]
    return grid.pick([i for age, i in sorted(ages) if age == age])


def draw_pyramids(
    canvas: Canvas, pivot: Pivot, left: float, top: float, width: float, room: float, language: str
) -> float:
    """One pyramid, or several side by side on one scale; returns where the picture ends."""
    found = pyramids(pivot, language=language)[:6]
    _say_unknown(canvas, pivot, language)
    for _, grid in found:
        say_modelled(canvas, grid)
        if grid.hatched.any():
            canvas.remark(label("chart.modelled_pattern", language))
    columns = min(len(found), max(1, int(width // (230 * canvas.scale))))
    rows = -(-len(found) // columns)
    highest: dict[str, float] = {}  # one scale per unit
    for _, grid in found:
        highest[grid.unit] = max(highest.get(grid.unit, 0.0), float(np.nanmax(np.append(np.abs(grid.shown), 0.0))))
    wide = (width - 18 * (columns - 1)) / columns
    for row in range(rows):
        bottom = top + (room - top) / (rows - row)
        ends = [
            _draw_one(canvas, grid, name, left + i * (wide + 18), top, wide, bottom - 6, highest[grid.unit])
            for i, (name, grid) in enumerate(found[row * columns : (row + 1) * columns])
        ]
        top = max(ends) + 10
        room = max(room, top)
    return top


def _say_unknown(canvas: Canvas, pivot: Pivot, language: str) -> None:
    """Figures without age or sex stand in no pyramid; how many there are is said."""
    dimensions = dimensions_of(pivot)
    age, sex = dimensions.index("age_group"), dimensions.index("sex")
    lost = 0.0
    for row, row_key in enumerate(pivot.row_keys):
        for column, column_key in enumerate(pivot.column_keys):
            key = (*row_key, *column_key)
            measure = pivot.figures.measures.get(str(pivot.measure[row, column]))
            if UNKNOWN in (key[age], key[sex]) and "total" not in key and measure and measure.method in COUNTS:
                lost += float(np.nan_to_num(pivot.value[row, column]))
    if lost:
        canvas.remark(label("chart.without_age_or_sex", language, number=format_number(lost, 0, language)))


def _draw_one(
    canvas: Canvas, grid: Grid, name: str, left: float, top: float, width: float, room: float, highest: float
) -> float:
    """One pyramid between left and left + width."""
    if name:
        text = canvas.lines(name, width, NORMAL, "SemiBold")
        canvas.text(left + width / 2, top, text, NORMAL, ha="center", style="SemiBold", multialignment="center")
        top += canvas.measure(text, NORMAL)[1] + 2
    ages = [_age_words(key[0]) for key in grid.categories]
    middle, half = left + width / 2, max((canvas.measure(age, SMALL)[0] for age in ages), default=0.0) / 2 + 5
    numbered = width > 300 * canvas.scale
    beyond = (
        max(canvas.measure(grid.text(abs(v)), SMALL - 0.7)[0] for v in (highest, highest * 0.9)) + 6 if numbered else 2
    )
    axis = scale([0, highest], 0.0, width / 2 - half - beyond, most=4)
    axis = Scale(
        0.0, max(highest, 1e-9), axis.start, axis.end, tuple(one for one in axis.ticks if one <= highest * 1.001)
    )
    top += canvas.line(NORMAL) + 2
    low = canvas.line(SMALL) + 6
    bottom = max(room - low, top + len(ages) * 10.5 * canvas.scale)
    step = (bottom - top) / max(len(ages), 1)
    for column, way in ((0, -1.0), (1, 1.0)):
        _side(canvas, grid, axis, column, way, (middle + way * half, top, bottom, step), numbered)
    for i, age in enumerate(ages):
        canvas.text(middle, bottom - step * (i + 0.5), age, SMALL, ha="center", va="center")
    return bottom + low


def _side(
    canvas: Canvas,
    grid: Grid,
    axis: Scale,
    column: int,
    way: float,
    frame: tuple[float, float, float, float],
    numbered: bool,
) -> None:
    """The bars of one sex, its heading and the ticks below."""
    base, top, bottom, step = frame
    hue = palette.SEX["male" if column == 0 else "female"]
    head = label("chart.men" if column == 0 else "chart.women", grid.language)
    canvas.text(
        base + way * 4,
        top - canvas.line(NORMAL),
        head,
        NORMAL,
        ha=_toward(way),
        color=palette.for_text(hue),
        style="SemiBold",
    )
    canvas.segments(
        [[(base + way * axis(t), top), (base + way * axis(t), bottom)] for t in axis.ticks], RULE, 0.5, zorder=0.4
    )
    _side_ticks(canvas, grid, axis, base, way, bottom)
    boxes: list[Box] = []
    hatched: list[Box] = []
    for i, value in enumerate(grid.shown[:, column]):
        y0, y1 = bottom - step * (i + 1) + 0.8, bottom - step * i - 0.8
        far = base + way * float(axis(axis.high))
        canvas.hint((min(base, far), y0, max(base, far), y1), grid.said(i, column))
        if not np.isfinite(value):
            if grid.gap(i, column):
                canvas.pattern((min(base, base + way * 10), y0, max(base, base + way * 10), y1), grid.gap(i, column))
                canvas.remark(label("chart.withheld_pattern", grid.language))
            continue
        end = base + way * float(axis(abs(value)))
        box = (min(base, end), y0, max(base, end), y1)
        (hatched if grid.hatched[i, column] else boxes).append(box)
        if numbered:
            y = (y0 + y1) / 2
            canvas.text(end + way * 3, y, grid.text(value), SMALL - 0.7, ha=_toward(way), va="center", color=GREY)
    canvas.boxes(boxes, hue, zorder=1)
    canvas.boxes(hatched, "#ffffff", hatch="||||", edgecolors=hue, linewidths=0.8, zorder=1)


def _side_ticks(canvas: Canvas, grid: Grid, axis: Scale, base: float, way: float, bottom: float) -> None:
    """Numbers below, as many as stand free of one another."""
    texts = [axis.text(tick, grid.language) for tick in axis.ticks]
    wide = max((canvas.measure(text, SMALL)[0] for text in texts), default=0.0) + 6
    apart = float(axis(axis.ticks[1]) - axis(axis.ticks[0])) if len(axis.ticks) > 1 else wide
    skip = max(1, int(np.ceil(wide / max(apart, 1e-6))))
    for tick, text in list(zip(axis.ticks, texts))[::skip]:
        canvas.text(base + way * float(axis(tick)), bottom + 3, text, SMALL, ha="center", color=GREY)


def _toward(way: float) -> Any:
    return "left" if way > 0 else "right"


def _age_words(code: str) -> str:
    return code.replace("-", "–")
