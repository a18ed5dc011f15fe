"""Pictures of smoothed areas: raw rates pulled towards the mean, and relative risks by rank with their limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tkyt_analysis.analysis.spatial.picture_parts import (
    FAINT,
    GREY,
    INK,
    MOST_NAMED,
    RULE,
    name_places,
    new_sheet,
    not_drawn,
    numbers,
    rows_of,
    say,
)
from tkyt_analysis.assets import chart_style
from tkyt_analysis.errors import InputError
from tkyt_analysis.explorer.palette import SERIES
from tkyt_analysis.labels import current_language, format_number, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ROWS = 70  # areas with a line and a name of their own: all 63
# evidence → marker, face, edge: by shape, lightness and colour
EVIDENCE = {
    "raised": ("^", SERIES[1], SERIES[1]),
    "probably_raised": ("^", "white", SERIES[1]),
    "unclear": ("o", "white", GREY),
    "probably_lowered": ("v", "white", SERIES[0]),
    "lowered": ("v", SERIES[0], SERIES[0]),
}


def shrinkage_picture(
    table: pd.DataFrame,
    *,
    names: Mapping[Any, str] | None = None,
    unit: str = "",
    title: str = "",
    note: str = "",
    size: str = "print",
    language: str | None = None,
) -> Figure:
    """Raw rates (rings) and smoothed rates (dots) of areas by population, a line from one to the other.

    table : of `empirical_bayes_rate` (population, raw_rate, rate, prior_mean), one row per area of one map; areas without a
        rate are counted below. names : area → name; the areas that move most are named. unit : of the rates
    The smaller an area, the more its rate is pulled towards the mean of all areas (dashed).
    """
    language = language or current_language()
    rows = rows_of(table[table["population"] > 0], ("population", "raw_rate", "rate"))
    with chart_style():
        drawing, axes = new_sheet(size, {"print": 4.6, "phone": 5.2})
        _pulls(axes, rows, language)
        axes.set_xscale("log")
        _sizes(axes, rows)
        axes.grid(axis="y", color=FAINT, linewidth=0.8)
        numbers(axes.xaxis, language, decimals=0)
        numbers(axes.yaxis, language)
        lines = [label("area_picture.shrinkage.note", language), not_drawn(len(rows), len(table), language), note]
        say(drawing, axes, title=title, across=label("area_picture.shrinkage.across", language), lines=lines, size=size,
            columns={"print": 3, "phone": 1})  # fmt: skip
        axes.set_ylabel(unit, fontsize=8.5, color=INK)
        moved = rows.assign(by=(rows["rate"] - rows["raw_rate"]).abs()).sort_values(
            "by", ascending=False, kind="stable"
        )
        moved = moved.head(3 * MOST_NAMED[size])
        taken = np.concatenate([rows[["population", one]].to_numpy(float) for one in ("raw_rate", "rate")])
        said = [str((names or {}).get(area, area)) for area in moved.index]
        name_places(drawing, axes, moved[["population", "raw_rate"]], said, taken=taken, most=MOST_NAMED[size])
    return drawing


def _pulls(axes: Axes, rows: pd.DataFrame, language: str) -> None:
    many = len(rows) > 300
    across, raw, smooth = (rows[name].to_numpy(float) for name in ("population", "raw_rate", "rate"))
    axes.vlines(across, raw, smooth, color=GREY, linewidth=0.4 if many else 0.9, alpha=0.5, zorder=2)
    axes.scatter(across, raw, s=5 if many else 20, facecolor="white", edgecolor=GREY, linewidth=0.5 if many else 0.9,
                 zorder=3, label=label("area_picture.shrinkage.raw", language))  # fmt: skip
    axes.scatter(across, smooth, s=5 if many else 20, color=SERIES[0], linewidth=0, zorder=4,
                 label=label("area_picture.shrinkage.smoothed", language))  # fmt: skip
    means = rows["prior_mean"].dropna().unique() if "prior_mean" in rows else []
    if len(means) == 1:
        words = label("area_picture.shrinkage.mean", language)
        axes.axhline(means[0], color=INK, linewidth=1, linestyle=(0, (5, 2)), zorder=1, label=words)


def _sizes(axes: Axes, rows: pd.DataFrame) -> None:
    """Round numbers of persons on the logarithmic axis."""
    from matplotlib.ticker import LogLocator, NullLocator

    low, high = rows["population"].min() / 1.25, rows["population"].max() * 1.25
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if high / low > 300 else (1.0, 3.0)))
    axes.xaxis.set_minor_locator(NullLocator())


def risk_picture(
    table: pd.DataFrame,
    *,
    names: Mapping[Any, str] | None = None,
    title: str = "",
    note: str = "",
    size: str = "print",
    language: str | None = None,
) -> Figure:
    """Relative risks by rank, the highest on top, with their limits; marks say how sure one can be (a caterpillar).

    table : of `gamma_poisson_rate` or `bym2_rate` (relative_risk, lower, upper, evidence), one row per area. Up to 70 areas
        have a line with their name; of more, only the curve of all is drawn, and the first five are named below.
    """
    language = language or current_language()
    rows = rows_of(table, ("relative_risk", "lower", "upper"))
    unknown = sorted(set(rows["evidence"]) - set(EVIDENCE))
    if unknown:
        raise InputError("error.area_picture_evidence", found=", ".join(map(str, unknown)), known=", ".join(EVIDENCE))
    rows = rows.sort_values("relative_risk", ascending=False, kind="stable")
    named = len(rows) <= MOST_ROWS
    height = 1.7 + (0.165 * len(rows) if named else 3.6)
    with chart_style():
        drawing, axes = new_sheet(size, {"print": height, "phone": height + 0.4})
        _ranked(axes, rows, language, slim=not named)
        axes.axvline(1, color=INK, linewidth=1, zorder=1)
        _risk_axis(axes, rows, language)
        said = [str((names or {}).get(area, area)) for area in rows.index]
        axes.set_yticks(np.arange(len(rows)) if named else [], said if named else [])
        axes.tick_params(axis="y", length=0, labelsize=7.5)
        edge = 0.6 if named else 0.03 * len(rows)
        axes.set_ylim(len(rows) - 1 + edge, -edge)
        lines = [_ranking(rows, said, language, named=named), not_drawn(len(rows), len(table), language), note]
        say(drawing, axes, title=title, across=label("area_picture.risk.across", language), lines=lines, size=size,
            columns={"print": 2, "phone": 1})  # fmt: skip
    return drawing


def _ranking(rows: pd.DataFrame, said: list[str], language: str, *, named: bool) -> str:
    """Of more areas than have a name at the axis: how many there are, and the first five."""
    if named:
        return ""
    areas = format_number(len(rows), 0, language)
    return label("area_picture.risk.ranked", language, areas=areas, first=", ".join(said[:5]))


def _ranked(axes: Axes, rows: pd.DataFrame, language: str, *, slim: bool) -> None:
    at = np.arange(len(rows))
    colour, thick = (RULE, 0.3) if slim else (GREY, 1.1)
    axes.hlines(at, rows["lower"], rows["upper"], color=colour, linewidth=thick, zorder=2)
    for evidence, (marker, face, edge) in EVIDENCE.items():
        own = (rows["evidence"] == evidence).to_numpy()
        if own.any():
            words = f"{label(f'evidence.{evidence}', language)}: {format_number(int(own.sum()), 0, language)}"
            axes.scatter(rows["relative_risk"][own], at[own], s=9 if slim else 24, marker=marker, facecolor=face,
                         edgecolor=edge, linewidth=0.9, zorder=3, label=words)  # fmt: skip


def _risk_axis(axes: Axes, rows: pd.DataFrame, language: str) -> None:
    """A logarithmic axis with round ratios that have room."""
    from matplotlib.ticker import FixedLocator, NullLocator

    low, high = min(rows["lower"].min(), 0.95), max(rows["upper"].max(), 1.05)
    axes.set_xscale("log")
    axes.set_xlim(low / 1.03, high * 1.03)
    fine = (0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5)
    rough = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
    middle = (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4)
    steps = fine if high / low < 2.2 else middle if high / low < 12 else rough
    axes.xaxis.set_major_locator(FixedLocator([one for one in steps if low / 1.03 <= one <= high * 1.03]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(axis="x", color=FAINT, linewidth=0.8)
    numbers(axes.xaxis, language)
