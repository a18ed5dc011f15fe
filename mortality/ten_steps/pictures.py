"""Small pictures of a step as SVG with real text: drawn in milliseconds, readable on a phone, told apart without colour."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from tkyt_analysis.labels import format_number
from tkyt_analysis.pages import figure

WIDTH = 420.0
BLUE, ORANGE, GREY, INK, LINE = "#0a4d8c", "#c26a00", "#8f9aa3", "#1a1a1a", "#c3ccd4"
FILLS = (BLUE, "#f0b35a", "#dfe5ea", "#7fa6cc", "#8a5a00")  # of unlike lightness: they differ in grey too
SMALL, MIDDLE = 11, 12
ON_DARK = {BLUE, "#8a5a00"}


def drawing(parts: Sequence[str], height: float, *, caption: str) -> str:
    """A figure of the page: as wide as its column, never wider than 30 rem."""
    svg = (
        f'<svg viewBox="0 0 {WIDTH:g} {height:g}" style="min-width:0;width:100%;max-width:30rem" '
        f'font-family="inherit" font-size="{MIDDLE}">{"".join(parts)}</svg>'
    )
    return figure(svg, caption=caption, alternative=caption)


def text(
    x: float, y: float, words: str, *, anchor: str = "start", size: int = MIDDLE, fill: str = INK, edge: bool = True
) -> str:
    """A word at a place; with `edge` dark ones keep a white edge, so that lines behind them do not cross them."""
    halo = (
        ' stroke="#fff" stroke-width="3" paint-order="stroke" stroke-linejoin="round"' if edge and fill == INK else ""
    )
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{fill}"{halo}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, *, colour: str = LINE, width: float = 1, dash: str = "") -> str:
    """A straight line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width:g}"{dashed}/>'


def box(x: float, y: float, width: float, height: float, colour: str) -> str:
    """A filled box with a thin white edge."""
    size = f'width="{max(width, 0):.1f}" height="{height:.1f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{colour}" stroke="#fff" stroke-width="1"/>'


def dots(
    names: Sequence[str],
    values: npt.ArrayLike,
    lowers: npt.ArrayLike,
    uppers: npt.ArrayLike,
    *,
    low: float,
    high: float,
    scale: float,
    language: str,
    caption: str,
) -> str:
    """A point with its interval per name, over the band of what is good (between dashed lines).

    scale : what the numbers are multiplied by where they are shown (100 for shares)
    """
    points, left, right = (scale * np.asarray(one, dtype=float) for one in (values, lowers, uppers))
    edges = [scale * one for one in (low, high) if np.isfinite(one)]
    least = min(0.0, float(np.nanmin(left)))
    most = 1.08 * max([float(np.nanmax(right)), *edges])
    row, top = 34, 6
    bottom = top + row * len(names)

    def at(value: float) -> float:
        return 8 + (WIDTH - 24) * (value - least) / ((most - least) or 1)

    inside = [
        at(max(scale * low, least)) if np.isfinite(low) else 8,
        at(scale * high) if np.isfinite(high) else WIDTH - 16,
    ]
    parts = [
        f'<rect x="{inside[0]:.1f}" y="{top}" width="{inside[1] - inside[0]:.1f}" height="{bottom - top}" fill="#e6eff8"/>'
    ]
    parts += [line(at(edge), top, at(edge), bottom + 3, colour=BLUE, dash="4 3") for edge in edges]
    for place, name in enumerate(names):
        y = top + row * place
        said = f"{name}: {format_number(points[place], 0, language)}"
        parts.append(text(10, y + 13, said, size=SMALL))
        if np.isfinite(left[place]) and np.isfinite(right[place]):
            parts.append(line(at(left[place]), y + 23, at(right[place]), y + 23, colour=INK, width=1.5))
        parts.append(f'<circle cx="{at(points[place]):.1f}" cy="{y + 23}" r="4.5" fill="{BLUE}"/>')
    parts.append(line(8, bottom, WIDTH - 16, bottom))
    parts += [
        text(at(edge), bottom + 15, format_number(edge, 0, language), anchor="middle", size=SMALL) for edge in edges
    ]
    return drawing(parts, bottom + 20, caption=caption)


def stacked(
    names: Sequence[str], shares: npt.ArrayLike, parts_named: Sequence[str], notes: Sequence[str], *, caption: str
) -> str:
    """A bar of 100 % per name, cut into the parts; the key above, a note (how many deaths) at the right end.

    shares : (names, parts) adding up to 1 in each row (or to 0: an empty bar)
    """
    table = np.asarray(shares, dtype=float)
    key, y = _key(parts_named)
    start, full, row = 78.0, WIDTH - 78 - 62, 26
    for place, name in enumerate(names):
        key.append(text(start - 6, y + 15, name, anchor="end", size=SMALL))
        x = start
        for number, share in enumerate(table[place]):
            width = full * share
            key.append(box(x, y, width, 20, FILLS[number]))
            if share >= 0.09:
                colour = "#fff" if FILLS[number] in ON_DARK else INK
                key.append(
                    text(
                        x + width / 2,
                        y + 14,
                        f"{100 * share:.0f} %",
                        anchor="middle",
                        size=SMALL,
                        fill=colour,
                        edge=False,
                    )
                )
            x += width
        key.append(text(start + full + 5, y + 15, notes[place], size=SMALL))
        y += row
    return drawing(key, y + 2, caption=caption)


def _key(names: Sequence[str]) -> tuple[list[str], float]:
    """The key of the fills, two to a line, and where it ends."""
    parts: list[str] = []
    for number, name in enumerate(names):
        x, y = 8 + (WIDTH / 2) * (number % 2), 4 + 17 * (number // 2)
        parts += [box(x, y, 13, 11, FILLS[number]), text(x + 18, y + 10, name, size=SMALL)]
    return parts, 4 + 17 * ((len(names) + 1) // 2) + 4


def bars(
    names: Sequence[str],
    values: npt.ArrayLike,
    marked: npt.ArrayLike,
    notes: Sequence[str],
    key: tuple[str, str],
    caption: str,
) -> str:
    """A bar per name, the marked part of it first and in the second fill; the name stands above its bar."""
    lengths, dark = np.asarray(values, dtype=float), np.asarray(marked, dtype=float)
    parts, y = _key(key)
    most = max(float(lengths.max(initial=0)), 1e-9)
    full = WIDTH - 16 - 70
    for place, name in enumerate(names):
        parts.append(text(8, y + 11, name, size=SMALL))
        first = full * dark[place] / most
        parts += [
            box(8, y + 14, first, 9, FILLS[0]),
            box(8 + first, y + 14, full * lengths[place] / most - first, 9, FILLS[1]),
        ]
        parts.append(text(8 + full * lengths[place] / most + 5, y + 23, notes[place], size=SMALL))
        y += 28
    return drawing(parts, y + 2, caption=caption)


def age_rates(
    ages: npt.ArrayLike, lines: Sequence[tuple[str, npt.ArrayLike]], *, language: str, caption: str, unit: str
) -> str:
    """Death rates by age on a logarithmic scale: a line per name, told apart by its marks and dashes."""
    years = np.asarray(ages, dtype=float)
    series = [np.asarray(one, dtype=float) for _, one in lines]
    seen = np.concatenate([one[np.isfinite(one) & (one > 0)] for one in series])
    low, high = (np.floor(np.log10(seen.min())), np.ceil(np.log10(seen.max()))) if len(seen) else (0.0, 1.0)
    high = max(high, low + 1)
    parts, top = _line_key([name for name, _ in lines])
    bottom, start, end = top + 155.0, 42.0, WIDTH - 10

    def x(year: float) -> float:
        return start + (end - start) * year / max(years.max(initial=1.0), 1.0)

    def y(value: float) -> float:
        return bottom - (bottom - top) * (np.log10(value) - low) / (high - low)

    for power in np.arange(low, high + 1):
        parts += [
            line(start, y(10**power), end, y(10**power)),
            text(
                start - 5,
                y(10**power) + 4,
                format_number(10**power, max(0, int(-power)), language),
                anchor="end",
                size=SMALL,
            ),
        ]
    parts += [text(x(year), bottom + 15, f"{year}", anchor="middle", size=SMALL) for year in (0, 20, 40, 60, 80)]
    parts.append(text(start, bottom + 30, unit, size=SMALL))
    for number, values in enumerate(series):
        parts += _course([(x(year), y(value)) if value > 0 else None for year, value in zip(years, values)], number)
    return drawing(parts, bottom + 36, caption=caption)


_STYLES = ((BLUE, "", "circle"), (ORANGE, "", "square"), (GREY, "5 4", ""))


def _course(points: Sequence[tuple[float, float] | None], number: int) -> list[str]:
    """A line with its marks; a missing point leaves a gap."""
    colour, dash, mark = _STYLES[number]
    steps = [
        line(*one, *other, colour=colour, width=2, dash=dash) for one, other in zip(points, points[1:]) if one and other
    ]
    return steps + [_mark(*one, colour, mark) for one in points if one and mark]


def _mark(x: float, y: float, colour: str, kind: str) -> str:
    if kind == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
    return (
        f'<rect x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6" fill="#fff" stroke="{colour}" stroke-width="1.5"/>'
    )


def _line_key(names: Sequence[str]) -> tuple[list[str], float]:
    parts: list[str] = []
    for number, name in enumerate(names):
        colour, dash, mark = _STYLES[number]
        x, y = 8 + 120 * number, 12
        parts.append(line(x, y, x + 24, y, colour=colour, width=2, dash=dash))
        parts += [_mark(x + 12, y, colour, mark)] if mark else []
        parts.append(text(x + 29, y + 4, name, size=SMALL))
    return parts, 26.0


def age_columns(
    names: Sequence[str],
    observed: npt.ArrayLike,
    expected: npt.ArrayLike,
    *,
    key: tuple[str, str],
    language: str,
    caption: str,
) -> str:
    """Per cent of deaths in each age group as columns, what was expected as a stepped line with points."""
    seen, wanted = 100 * np.asarray(observed, dtype=float), 100 * np.asarray(expected, dtype=float)
    both = np.concatenate([seen, wanted[np.isfinite(wanted)]])
    most = max(float(both.max(initial=1.0)) * 1.1, 1.0)
    top, bottom, start, end = 28.0, 150.0, 30.0, WIDTH - 8
    width = (end - start) / max(len(names), 1)
    parts = [box(8, 4, 13, 11, FILLS[3]), text(26, 14, key[0], size=SMALL)]
    parts += [_mark(178, 9, ORANGE, "square"), text(188, 14, key[1], size=SMALL)]

    def y(value: float) -> float:
        return bottom - (bottom - top) * value / most

    for tick in _ticks(most):
        parts += [
            line(start, y(tick), end, y(tick)),
            text(start - 4, y(tick) + 4, f"{tick:g}", anchor="end", size=SMALL),
        ]
    parts += [box(start + width * n + 1, y(one), width - 2, bottom - y(one), FILLS[3]) for n, one in enumerate(seen)]
    points = [(start + width * (n + 0.5), y(one)) if np.isfinite(one) else None for n, one in enumerate(wanted)]
    parts += _course(points, 1)
    parts += [
        text(start + width * (n + 0.5), bottom + 13, name, anchor="middle", size=9)
        for n, name in enumerate(names)
        if n % 2 == 0
    ]
    return drawing(parts, bottom + 20, caption=caption)


def _ticks(most: float) -> list[float]:
    step = next((one for one in (1, 2, 5, 10, 20, 50) if most / one <= 5), 100)
    return [float(tick) for tick in np.arange(0, most, step)]
