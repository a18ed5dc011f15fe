"""Pictures of life tables and corrected causes as SVG with real text: readable on a phone, told apart without colour.

They are drawn with the parts of `mortality.ten_steps.pictures`; colours are the house's six, measured for colour blindness.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mortality.ten_steps.pictures import SMALL, WIDTH, box, drawing, line, text
from tkyt_analysis.explorer.palette import GREY, INK, SERIES
from tkyt_analysis.labels import format_number

LEFT, RIGHT = 10.0, WIDTH - 16


@dataclass(frozen=True)
class Dot:
    """One figure of a line: value with limits; `hollow` ones are drawn as a ring (registered, borrowed, before)."""

    value: float
    lower: float = np.nan
    upper: float = np.nan
    hollow: bool = False


def interval_dots(
    rows: Sequence[tuple[str, Sequence[Dot]]],
    *,
    key: tuple[str, str] | None,
    decimals: int,
    language: str,
    caption: str,
) -> str:
    """A line per name: its dots with their limits below the name. The axis need not begin at 0 and says where it ends.

    key : what a filled and what a hollow dot is
    """
    every = [dot for _, dots in rows for dot in dots]
    ends = np.array([[dot.value, dot.lower, dot.upper] for dot in every], dtype=float)
    least, most = float(np.nanmin(ends)), float(np.nanmax(ends))
    pad = 0.04 * ((most - least) or 1.0)
    at = _scale(least - pad, most + pad)
    parts = _dot_key(key) if key else []
    y = 30.0 if key else 6.0
    top = y
    for name, dots in rows:
        parts.append(text(LEFT, y + 12, name, size=SMALL))
        for number, dot in enumerate(dots):
            parts += _dot(dot, at, y + 24 + 11 * number)
        y += 24 + 11 * len(dots) + 3
    ticks = _ticks(least - pad, most + pad)
    grid = [line(at(one), top, at(one), y, colour="#e3e8ec") for one in ticks]
    grid += [
        text(at(one), y + 14, format_number(one, _places(ticks, decimals), language), anchor="middle", size=SMALL)
        for one in ticks
    ]
    return drawing([*grid, line(LEFT, y, RIGHT, y), *parts], y + 20, caption=caption)


def _dot(dot: Dot, at: _Scale, y: float) -> list[str]:
    colour = GREY if dot.hollow else SERIES[0]
    parts = []
    if np.isfinite(dot.lower) and np.isfinite(dot.upper):
        parts.append(line(at(dot.lower), y, at(dot.upper), y, colour=colour, width=1.6))
    if np.isfinite(dot.value):
        fill = "#fff" if dot.hollow else colour
        parts.append(
            f'<circle cx="{at(dot.value):.1f}" cy="{y:.1f}" r="4.2" fill="{fill}" stroke="{colour}" stroke-width="1.8"/>'
        )
    return parts


def _dot_key(key: tuple[str, str]) -> list[str]:
    return [
        f'<circle cx="16" cy="12" r="4.2" fill="{SERIES[0]}"/>', text(26, 16, key[0], size=SMALL),
        f'<circle cx="206" cy="12" r="4.2" fill="#fff" stroke="{GREY}" stroke-width="1.8"/>', text(216, 16, key[1], size=SMALL),
    ]  # fmt: skip


class _Scale:
    """Value → horizontal place."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.spread = low, (high - low) or 1.0

    def __call__(self, value: float) -> float:
        return LEFT + (RIGHT - LEFT) * (value - self.low) / self.spread


def _scale(low: float, high: float) -> _Scale:
    return _Scale(low, high)


def _ticks(low: float, high: float, *, most: int = 6) -> list[float]:
    """Round numbers within the limits, not more than `most`."""
    raw = (high - low) / most or 1.0
    size = 10.0 ** np.floor(np.log10(raw))
    step = next((size * one for one in (1, 2, 5, 10) if size * one >= raw), 10 * size)
    return [float(one) for one in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step]


def _places(ticks: Sequence[float], decimals: int) -> int:
    """As many decimals as the ticks need, not more than the figures have."""
    return next((n for n in range(decimals) if all(abs(one - round(one, n)) < 1e-9 for one in ticks)), decimals)


def courses(
    x: npt.ArrayLike, lines: Sequence[tuple[str, npt.ArrayLike]], *, most: float, language: str, caption: str, unit: str
) -> str:
    """A line per name over age, each with its own dash and its name at the key; y from 0 to `most`."""
    years = np.asarray(x, dtype=float)
    top, bottom, start, end = 52.0, 216.0, 52.0, WIDTH - 12

    def across(year: float) -> float:
        return start + (end - start) * year / max(float(years.max(initial=1.0)), 1.0)

    def up(value: float) -> float:
        return bottom - (bottom - top) * value / most

    parts = [text(8, 36, unit, size=SMALL)]
    for tick in np.linspace(0, most, 6):
        parts += [
            line(start, up(tick), end, up(tick), colour="#e3e8ec"),
            text(start - 5, up(tick) + 4, format_number(tick, 0, language), anchor="end", size=SMALL),
        ]
    parts += [
        text(across(year), bottom + 15, f"{year}", anchor="middle", size=SMALL)
        for year in range(0, int(years.max()) + 1, 20)
    ]
    for number, (name, values) in enumerate(lines):
        colour, dash = (SERIES[0], SERIES[1], GREY)[number], ("", "6 3", "2 3")[number]
        left = 8 + 136 * number
        parts += [
            line(left, 12, left + 26, 12, colour=colour, width=2.4, dash=dash),
            text(left + 31, 16, name, size=SMALL),
        ]
        points = " ".join(
            f"{across(year):.1f},{up(value):.1f}"
            for year, value in zip(years, np.asarray(values, dtype=float), strict=True)
            if np.isfinite(value)
        )
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>')
    return drawing(parts, bottom + 22, caption=caption)


def contributions(
    names: Sequence[str], parts_of: npt.ArrayLike, key: Sequence[str], *, language: str, caption: str, unit: str
) -> str:
    """Bars that grow to both sides of 0, cut into parts; the sum of each line in words at its right end.

    parts_of : (names, parts); what adds years lies right of the line, what takes years left of it
    """
    table = np.asarray(parts_of, dtype=float)
    gains, losses = np.clip(table, 0, None).sum(axis=1), np.clip(table, None, 0).sum(axis=1)
    low, high = min(float(losses.min(initial=0.0)), 0.0), max(float(gains.max(initial=0.0)), 0.0)
    start, end = 62.0, WIDTH - 54
    spread = (high - low) or 1.0

    def at(value: float) -> float:
        return start + (end - start) * (value - low) / spread

    drawn, y = _series_key(key)
    first = y
    for place, name in enumerate(names):
        drawn.append(text(start - 8, y + 14, name, anchor="end", size=SMALL))
        ends = [0.0, 0.0]
        for number, value in enumerate(table[place]):
            side = int(value < 0)
            begin, ends[side] = ends[side], ends[side] + value
            drawn.append(box(at(min(begin, ends[side])), y + 2, abs(at(value) - at(0)), 16, SERIES[number]))
        drawn.append(text(end + 6, y + 14, signed(table[place].sum(), 2, language), size=SMALL))
        y += 22
    drawn += [
        line(at(0), first - 2, at(0), y, colour=INK, width=1.2),
        text(at(0), y + 15, unit, anchor="middle", size=SMALL),
    ]
    return drawing(drawn, y + 22, caption=caption)


def _series_key(names: Sequence[str]) -> tuple[list[str], float]:
    """The key of the house's six colours, two to a line."""
    parts: list[str] = []
    for number, name in enumerate(names):
        x, y = 8 + (WIDTH / 2) * (number % 2), 4 + 17 * (number // 2)
        parts += [box(x, y, 13, 11, SERIES[number]), text(x + 18, y + 10, name, size=SMALL)]
    return parts, 4 + 17 * ((len(names) + 1) // 2) + 8


def signed(value: float, decimals: int, language: str) -> str:
    """A number with its sign, "0" without."""
    rounded = round(float(value), decimals)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
    return sign + format_number(abs(rounded), decimals, language)


def ranks(rows: Sequence[tuple[str, int, int, int]], *, caption: str, last: int) -> str:
    """A line per cause: its rank as a dot, the range of ranks that chance allows as a bar; 1 stands left.

    rows : name, rank, lowest, highest
    """
    most = max([last, *(high for _, _, _, high in rows)])
    at = _scale(0.5, most + 0.5)
    parts, y = [], 6.0
    for name, rank, low, high in rows:
        parts.append(text(LEFT, y + 12, name, size=SMALL))
        parts.append(line(at(low), y + 24, at(high), y + 24, colour=GREY, width=4))
        parts.append(f'<circle cx="{at(rank):.1f}" cy="{y + 24:.1f}" r="5" fill="{SERIES[0]}"/>')
        y += 36
    step = 1 if most <= 12 else 5
    ticks = [1, *range(step if step > 1 else 2, most + 1, step)]
    grid = [line(at(one), 6, at(one), y, colour="#e3e8ec") for one in ticks]
    grid += [text(at(one), y + 14, str(one), anchor="middle", size=SMALL) for one in ticks]
    return drawing([*grid, line(LEFT, y, RIGHT, y), *parts], y + 20, caption=caption)


def shares(rows: Sequence[tuple[str, Sequence[float]]], key: Sequence[str], *, language: str, caption: str) -> str:
    """A bar of 100 % per name, the name above it, cut into the parts of the key; parts from 8 % on say how many per cent."""
    drawn, y = _series_key(key)
    full = RIGHT - LEFT
    for name, parts in rows:
        drawn.append(text(LEFT, y + 12, name, size=SMALL))
        whole, x = sum(parts) or 1.0, LEFT
        for number, part in enumerate(parts):
            width = full * part / whole
            drawn.append(box(x, y + 17, width, 17, SERIES[number]))
            if part / whole >= 0.08:
                said = f"{format_number(100 * part / whole, 0, language)} %"
                drawn.append(text(x + width / 2, y + 30, said, anchor="middle", size=SMALL, fill="#fff", edge=False))
            x += width
        y += 41
    return drawing(drawn, y + 2, caption=caption)
