"""Lines over time: periods in calendar order, never joined over a gap, named at their ends where that fits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tkyt_analysis.explorer import palette
from tkyt_analysis.explorer.canvas import GREY, SMALL, Canvas, Mark, Scale, scale, spread, tick_width, value_grid
from tkyt_analysis.explorer.grid import Grid
from tkyt_analysis.explorer.titles import period_name
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tkyt_analysis.reference.periods import Period

MOST_COLOURED = 12  # lines; of more, only the ends of the range are coloured and named
_MOST_BANDS = 4


@dataclass(frozen=True)
class Style:
    """How one line is drawn: its colour, dashes and width, and whether it is named."""

    colour: str
    dash: tuple[int, tuple[float, ...]]
    width: float
    named: bool


def draw_lines(canvas: Canvas, grid: Grid, left: float, top: float, width: float, room: float) -> float:
    """One line per series over all periods from the first to the last; returns where the picture ends."""
    whole = calendar(grid)
    return draw_courses(canvas, whole, [key[0] for key in whole.categories], left, top, width, room)


def draw_courses(
    canvas: Canvas, grid: Grid, periods: Sequence[str], left: float, top: float, width: float, room: float
) -> float:
    """Lines of `grid`, whose categories lie at equal steps and are called after `periods`."""
    styles = line_styles(grid)
    axis = _value_axis(canvas, grid, 0, 1)
    ends = _End(canvas, grid, styles, width)
    in_legend = not ends.fit(room - top - 3 * canvas.line(SMALL))
    if in_legend:
        top = canvas.legend(line_marks(grid, styles), left, top, width)
    gutter = tick_width(canvas, axis, grid.language)
    start, end = left + gutter + 4, left + width - (8 if in_legend else ends.width + 14)
    slot = (end - start) / max(len(grid.categories) - 1, 1)
    names = period_ticks(canvas, periods, slot, grid.language)
    below = max((canvas.measure(name, SMALL)[1] for _, name in names), default=0.0) + 8 * canvas.scale
    foot = canvas.line(SMALL) + 4 if (grid.thin & np.isfinite(grid.shown)).any() else 0.0
    bottom = max(room - below - foot, top + 110 * canvas.scale)
    axis = replace(axis, start=bottom, end=top + 6)
    value_grid(canvas, axis, start - 4, end + 4, grid.language)
    places = (
        start + slot * np.arange(len(grid.categories)) if len(grid.categories) > 1 else np.array([(start + end) / 2])
    )
    draw_runs(canvas, grid, axis, places, styles)
    _hints(canvas, grid, axis, places, slot)
    if not in_legend:
        ends.draw(axis, places, end)
    draw_ticks(canvas, names, places, bottom)
    return _hollow_legend(canvas, grid, left, bottom + below, foot)


def _hollow_legend(canvas: Canvas, grid: Grid, left: float, top: float, foot: float) -> float:
    if not foot:
        return top
    mark = Mark("hollow", GREY, label("chart.hollow", grid.language))
    return canvas.legend([mark], left, top, canvas.width - 2 * left)


def calendar(grid: Grid) -> Grid:
    """The grid with every period from its first to its last, in calendar order; periods without figures are empty."""
    from tkyt_analysis.reference.periods import period_range

    at = {key[0]: i for i, key in enumerate(grid.categories)}
    found = sorted((one for one in map(_known_period, at) if one), key=lambda one: one.start)
    wanted = [one.period_id for one in period_range(found[0], found[-1])] if found else []
    rows = np.array([at.get(code, -1) for code in wanted], dtype=int)
    if not wanted:
        return grid.pick([])
    arrays: dict[str, Any] = {
        name: np.where((rows >= 0)[:, None], getattr(grid, name)[rows], "" if name in ("status", "measure") else np.nan)
        for name in ("shown", "value", "lower", "upper", "expected", "received", "status", "measure")
    }
    names = [period_name(code, grid.language) for code in wanted]
    return replace(grid, categories=[(code,) for code in wanted], names=names, **arrays)


def _known_period(code: str) -> Period | None:
    """The period, None for what is none ("rest", "unknown")."""
    from tkyt_analysis.errors import TkytError
    from tkyt_analysis.reference.periods import period

    try:
        return period(code)
    except TkytError:
        return None


def line_styles(grid: Grid) -> list[Style]:
    """Colour and dashes of each line; of more than twelve, the three highest and lowest at the end stand out."""
    number = len(grid.series)
    hues = palette.colours(grid.series, grid.across, ordered=False)
    if number <= MOST_COLOURED:
        return [Style(hue, palette.dash(i), 1.8, True) for i, hue in enumerate(hues)]
    order = [int(i) for i in np.argsort(_last(grid)[1]) if np.isfinite(_last(grid)[1][i])]
    chosen = {place: i for i, place in enumerate([*order[-3:][::-1], *order[:3]])}
    faint = Style(palette.FAINT, (0, ()), 0.8, False)
    return [Style(palette.SERIES[chosen[i]], (0, ()), 1.9, True) if i in chosen else faint for i in range(number)]


def line_marks(grid: Grid, styles: Sequence[Style]) -> list[Mark]:
    """A legend row per named line."""
    rows = zip(styles, grid.series_names)
    return [Mark("line", style.colour, name, style.dash) for style, name in rows if style.named and name]


def _last(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Place and value of each series' last figure (-1 and missing where it has none)."""
    known = np.isfinite(grid.shown)
    last = np.where(known.any(axis=0), len(known) - 1 - known[::-1].argmax(axis=0), -1)
    values = np.where(last >= 0, grid.shown[last, np.arange(known.shape[1])], np.nan)
    return last, values


def _value_axis(canvas: Canvas, grid: Grid, start: float, end: float) -> Scale:
    """From zero, unless all values lie far above it: then the picture says so."""
    banded = grid.intervals and len(grid.series) <= _MOST_BANDS
    held = np.concatenate([grid.shown.ravel(), *((grid.lower.ravel(), grid.upper.ravel()) if banded else ())])
    finite = held[np.isfinite(held)]
    zero = not len(finite) or finite.min() <= 0.6 * finite.max()
    if not zero:
        canvas.remark(label("chart.not_from_zero", grid.language))
    return scale(held, start, end, zero=zero)


def runs(known: np.ndarray) -> list[np.ndarray]:
    """Places of figures that follow one another without a gap."""
    places = np.flatnonzero(known)
    return [part for part in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if len(part)]


def draw_runs(
    canvas: Canvas, grid: Grid, axis: Scale, places: np.ndarray, styles: Sequence[Style], *, dots: bool = True
) -> None:
    """The lines, their bands, and points where a line has but one figure, few figures, or few reports."""
    banded = grid.intervals and len(grid.series) <= _MOST_BANDS
    for column, style in enumerate(styles):
        y = axis(grid.shown[:, column])
        known = np.isfinite(y)
        pieces = runs(known)
        if banded:
            _bands(canvas, grid, axis, places, column, style.colour)
        lines = [np.column_stack([places[part], y[part]]) for part in pieces if len(part) > 1]
        z = 2 if style.named else 1
        canvas.segments(lines, style.colour, style.width, linestyles=[style.dash], zorder=z, capstyle="round")
        thin = grid.thin[:, column] & known
        alone = np.zeros(len(known), dtype=bool)
        alone[[part[0] for part in pieces if len(part) == 1]] = True
        full = known & ~thin if dots and len(known) <= 24 and style.named else alone & ~thin
        canvas.dots(places[full], y[full], style.colour, size=4.2)
        canvas.dots(places[thin], y[thin], style.colour, size=4.6, hollow=True)


def _bands(canvas: Canvas, grid: Grid, axis: Scale, places: np.ndarray, column: int, colour: str) -> None:
    """95 % limits as a pale band, parted at gaps; of a single figure, as a whisker."""
    low, high = axis(grid.lower[:, column]), axis(grid.upper[:, column])
    for part in runs(np.isfinite(low) & np.isfinite(high)):
        if len(part) == 1:
            canvas.segments([[(places[part[0]], low[part[0]]), (places[part[0]], high[part[0]])]], colour, 1.0)
            continue
        there, back = np.column_stack([places[part], low[part]]), np.column_stack([places[part], high[part]])[::-1]
        canvas.area(np.concatenate([there, back]), colour, alpha=0.16, zorder=1)


def _hints(canvas: Canvas, grid: Grid, axis: Scale, places: np.ndarray, slot: float) -> None:
    """At each period, its figures in words (of up to twelve lines; else of the point itself)."""
    if len(grid.series) > MOST_COLOURED:
        return
    for row, x in enumerate(places):
        said = [grid.said(row, column) for column in range(len(grid.series)) if grid.measure[row, column]]
        if said:
            canvas.hint((x - slot / 2, axis.end, x + slot / 2, axis.start), "\n".join(said))


class _End:
    """Names at the ends of the lines."""

    def __init__(self, canvas: Canvas, grid: Grid, styles: Sequence[Style], width: float) -> None:
        self.canvas, self.grid, self.styles = canvas, grid, styles
        self.last, self.values = _last(grid)
        self.named = [i for i, style in enumerate(styles) if style.named and self.last[i] >= 0]
        self.most = min(0.34 * width, 150 * canvas.scale)
        self.texts = [self._text(i) for i in self.named]
        self.heights = [canvas.measure(text, SMALL)[1] + 1 for text in self.texts]
        self.width = max((canvas.measure(text, SMALL)[0] for text in self.texts), default=0.0)

    def _text(self, i: int) -> str:
        words = f"{self.grid.series_names[i]} {self.grid.text(self.values[i])}".strip()
        return self.canvas.lines(words, self.most, SMALL)

    def fit(self, room: float) -> bool:
        """Whether all names can stand one below the other, each in its own reading width."""
        return sum(self.heights) <= room and self.width <= self.most + 1 and self.canvas.width > 4.2 * 72

    def draw(self, axis: Scale, places: np.ndarray, end: float) -> None:
        """Each name beside its line's end, a thin line from one to the other."""
        ends = [float(axis(self.values[i])) for i in self.named]
        middles = spread(ends, self.heights, axis.end - 10, axis.start + 10) or ends
        for i, y, middle, text in zip(self.named, ends, middles, self.texts):
            colour = self.styles[i].colour
            self.canvas.segments([[(places[self.last[i]] + 3, y), (end + 8, middle)]], colour, 0.5)
            self.canvas.text(end + 11, middle, text, SMALL, va="center", color=palette.for_text(colour))


def period_ticks(canvas: Canvas, periods: Sequence[str], slot: float, language: str) -> list[tuple[int, str]]:
    """(place, words) of the periods that are named below the axis: as many as stand free of one another."""
    words = [tick_words(code, language) for code in periods]
    widest = max((canvas.measure(word, SMALL)[0] for word in words), default=0.0) + 8
    least = max(1, int(np.ceil(widest / max(slot, 1e-6))))
    step = next((one for one in (1, 2, 3, 4, 6, 12, 24, 60, 120) if one >= least), least)
    first = next((i for i, code in enumerate(periods) if code.endswith("01") and len(code) == 6), 0) % step
    return [(i, words[i]) for i in range(first, len(periods), step)]


def tick_words(code: str, language: str) -> str:
    """A short name of a period: "2024", "Q1/24", "6/24"; of a month of any year (yoy), its number."""
    found = _known_period(code)
    if found is None:
        return code
    if found.kind not in ("month", "quarter", "half"):
        return str(found.year) if found.kind == "year" else code
    return label(f"chart.tick.{found.kind}", language, number=found.number, year=f"{found.year % 100:02d}")


def draw_ticks(canvas: Canvas, names: Sequence[tuple[int, str]], places: np.ndarray, bottom: float) -> None:
    """Names of periods below the axis, each under its tick."""
    canvas.segments([[(places[i], bottom), (places[i], bottom + 3)] for i, _ in names], GREY, 0.6)
    for i, name in names:
        canvas.text(places[i], bottom + 1 + 4.5 * canvas.scale, name, SMALL, ha="center", color=GREY)


def year_over_year(grid: Grid) -> tuple[Grid, list[str]]:
    """Months (quarters, halves) on the axis, one line per year; and the names of the places on the axis."""
    from tkyt_analysis.reference.periods import period

    whole = calendar(grid)
    found = [period(key[0]) for key in whole.categories]
    years, numbers = sorted({one.year for one in found}), sorted({one.number for one in found})
    several = len(whole.series) > 1
    series = [(str(year), *key) for key in whole.series for year in years]
    names = [f"{name} · {year}" if several and name else str(year) for name in whole.series_names for year in years]
    arrays: dict[str, Any] = {}
    for field in ("shown", "value", "lower", "upper", "expected", "received", "status", "measure"):
        old = getattr(whole, field)
        new = np.full((len(numbers), len(series)), "" if old.dtype == object else np.nan, dtype=old.dtype)
        for row, one in enumerate(found):
            columns = years.index(one.year) + len(years) * np.arange(len(whole.series))
            new[numbers.index(one.number), columns] = old[row]
        arrays[field] = new
    kind = found[0].kind
    ticks = [label(f"chart.yoy.{kind}", whole.language, number=number) for number in numbers]
    return (
        replace(
            whole,
            across=("year", *whole.across),
            categories=[(str(number),) for number in numbers],
            names=ticks,
            series=series,
            series_names=names,
            total=np.full(len(series), np.nan),
            **arrays,
        ),
        ticks,
    )
