"""Charts that reports and dashboards share, as inline SVG with caption and alternative text."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.assets import chart_style
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.pages import figure

RECEIVED, MISSING, NOT_DUE = "#0a4d8c", "#e69f00", "#eef1f4"  # blue and orange: told apart by the colour-blind
INK, LINE = "#1a1a1a", "#c3ccd4"
WIDE, NARROW = 7.4, 3.9  # inches: on paper and wide screens, on phones


def svg_of(drawing: Any) -> str:
    """A matplotlib figure as an SVG element without a fixed size."""
    stream = io.StringIO()
    drawing.savefig(stream, format="svg", bbox_inches="tight", metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]


def in_both_widths(draw: Callable[[float], Any], *, caption: str, alternative: str = "") -> str:
    """HTML of a chart that is drawn for paper and for phones: `draw` gets the width in inches and returns the figure."""
    with chart_style():
        wide, narrow = (svg_of(draw(width)) for width in (WIDE, NARROW))
    return figure(wide, narrow=narrow, caption=caption, alternative=alternative or caption)


def few_ticks(width: float, number: int, *, room: float = 0.52) -> slice:
    """Which of so many labels (each `room` inches wide) stand at an axis of a figure of this width: the last one always."""
    step = -(-number // max(1, int(0.8 * width / room)))
    return slice((number - 1) % step, None, step)


def new_figure(width: float, height: float) -> tuple[Any, Any]:
    """(figure, axes) in the house style."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(width, height))
    axes = drawing.subplots()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(LINE)
    axes.tick_params(color=LINE, labelcolor=INK, labelsize=9)
    return drawing, axes


def draw_completeness_course(course: pd.DataFrame, language: str, *, threshold: float) -> str:
    """Line of the share of expected reports that arrived, per period (columns period_id, share).

    threshold : share that must have arrived, drawn as a dashed line.
    """
    caption = label("report.quality.course_caption", language)
    return in_both_widths(lambda width: _course(course, language, threshold, width), caption=caption)


def _course(course: pd.DataFrame, language: str, threshold: float, width: float) -> Any:
    from tkyt_analysis.reference.periods import as_period

    drawing, axes = new_figure(width, 2.6)
    share = 100 * course["share"].to_numpy(float)
    places = np.arange(len(course))
    words = label("report.quality.threshold", language, share=format_number(100 * threshold, 0, language))
    axes.axhline(100 * threshold, color="#8a5a00", linewidth=1, linestyle=(0, (4, 3)), label=words)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), frameon=False, fontsize=9, borderaxespad=0)
    axes.plot(places, share, color=RECEIVED, linewidth=2, marker="o", markersize=5)
    if len(share):
        text = format_number(share[-1], 1, language) + " %"
        axes.annotate(
            text, (places[-1], share[-1]), xytext=(8, 0), textcoords="offset points", va="center", fontsize=9,
            fontweight=600, color=RECEIVED,
        )  # fmt: skip
    axes.set_ylim(0, max(108, np.nanmax(share, initial=100) + 6))
    axes.set_xlim(-0.5, max(len(course) + 0.1, 1.1))
    shown = few_ticks(width, max(len(course), 1))
    axes.set_xticks(places[shown], [short_period(as_period(one)) for one in course["period_id"]][shown])
    axes.set_yticks([0, 25, 50, 75, 100], [f"{tick} %" for tick in (0, 25, 50, 75, 100)])
    return drawing


def draw_reporting_matrix(matrix: pd.DataFrame, names: pd.Series, language: str, *, most: int = 30) -> str:
    """Units (worst first) by period: all reports received, some or all missing, none due."""
    shown = matrix.head(most)
    caption = label("report.quality.matrix_caption", language, shown=len(shown), total=len(matrix))
    return in_both_widths(lambda width: _matrix(shown, names, language, width), caption=caption)


def _matrix(shown: pd.DataFrame, names: pd.Series, language: str, width: float) -> Any:
    from matplotlib.colors import BoundaryNorm, ListedColormap

    from tkyt_analysis.reference.periods import as_period

    states = np.where(shown.isna(), 0, np.where(shown < 1, 1, 2))
    drawing, axes = new_figure(width, 0.9 + 0.24 * len(shown))
    colours = ListedColormap([NOT_DUE, MISSING, RECEIVED])
    norm = BoundaryNorm([-0.5, 0.5, 1.5, 2.5], 3)
    axes.pcolormesh(states, cmap=colours, norm=norm, edgecolor="white", linewidth=1.5 if width == WIDE else 0.8)
    for row, column in zip(*np.nonzero(states == 1)):
        axes.text(column + 0.5, row + 0.5, "×", ha="center", va="center", fontsize=8, color=INK)
    axes.invert_yaxis()
    letters = 34 if width == WIDE else 22
    units = [shortened(str(names.get(unit, unit)), letters) for unit in shown.index]
    axes.set_yticks(np.arange(len(shown)) + 0.5, units)
    ticks = few_ticks(width, max(shown.shape[1], 1))
    periods = [short_period(as_period(one)) for one in shown.columns]
    axes.set_xticks((np.arange(shown.shape[1]) + 0.5)[ticks], periods[ticks])
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    states_named = ((RECEIVED, "received"), (MISSING, "missing"), (NOT_DUE, "not_due"))
    handles = [_patch(colour, label(f"report.quality.matrix_{state}", language)) for colour, state in states_named]
    axes.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0, -0.5 / max(len(shown), 4) - 0.02),
        ncols=3 if width == WIDE else 1, frameon=False, fontsize=9, borderaxespad=1.2,
    )  # fmt: skip
    return drawing


def _patch(colour: str, text: str) -> Any:
    from matplotlib.patches import Patch

    return Patch(facecolor=colour, edgecolor=LINE, label=text)


def short_period(period: Any) -> str:
    """A tick label: 06/25 for a month, Q2/25 for a quarter, else the id."""
    if period.kind == "month":
        return f"{period.number:02d}/{period.year % 100:02d}"
    if period.kind == "quarter":
        return f"Q{period.number}/{period.year % 100:02d}"
    return str(period.period_id)


def shortened(text: str, most: int = 34) -> str:
    """A name that fits beside a chart."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def draw_bars(
    table: pd.DataFrame, *, name: str, value: str, decimals: int, unit: str, caption: str, language: str, most: int = 20
) -> str:
    """Horizontal bars of one value by name, in the order of the table, each with its figure; low/high as whiskers
    where columns `lower` and `upper` exist."""
    shown = table.head(most)
    names = [str(one) for one in shown[name]]
    drawn = shown.assign(_value=shown[value].astype(float))
    return in_both_widths(lambda width: _bars(drawn, names, decimals, unit, language, width), caption=caption)


def _bars(shown: pd.DataFrame, names: list[str], decimals: int, unit: str, language: str, width: float) -> Any:
    drawing, axes = new_figure(width, 0.7 + 0.32 * len(shown))
    places, values = np.arange(len(shown)), shown["_value"].to_numpy(float)
    axes.barh(places, values, color=RECEIVED, height=0.62)
    tops = shown["upper"].to_numpy(float) if "upper" in shown else values
    if {"lower", "upper"} <= set(shown.columns):
        whiskers = [np.nan_to_num(values - shown["lower"].to_numpy(float)), np.nan_to_num(tops - values)]
        axes.errorbar(values, places, xerr=whiskers, fmt="none", ecolor=INK, elinewidth=1, capsize=2.5)
    edge = np.nan_to_num(np.nanmax(np.append(values, tops), initial=1.0))
    for place, number, top in zip(places, values, tops):
        said = format_number(number, decimals, language)
        axes.text(np.nan_to_num(top, nan=number) + edge * 0.015, place, said, va="center", fontsize=9)
    axes.set_yticks(places, [shortened(one, 46 if width == WIDE else 24) for one in names])
    axes.invert_yaxis()
    axes.set_xlim(0, edge * (1.14 if width == WIDE else 1.3))
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xlabel(unit, fontsize=9, loc="left")
    return drawing
