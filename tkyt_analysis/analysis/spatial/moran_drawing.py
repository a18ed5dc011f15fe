"""Moran's scatter plot: each area against its neighbours, the four quadrants named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.spatial.picture_parts import (
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
from tkyt_analysis.labels import current_language, format_number, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Told apart by shape as well as by colour; the corner in which each lies (of the axes).
QUADRANTS = {
    "high_high": ("^", (0.99, 0.99)),
    "low_high": ("s", (0.01, 0.99)),
    "low_low": ("v", (0.01, 0.01)),
    "high_low": ("D", (0.99, 0.01)),
}


def moran_picture(
    values: Any,
    neighbours: Any,
    *,
    names: Mapping[Any, str] | None = None,
    alpha: float = 0.05,
    adjust: str = "none",
    permutations: int = 999,
    seed: int = 1,
    title: str = "",
    note: str = "",
    size: str = "print",
    language: str | None = None,
) -> Figure:
    """Moran's scatter plot: z of each area across, the weighted mean of its neighbours' z upwards; the slope is Moran's I.

    Parameters
    ----------
    values : one map, a Series by area (or a list); areas without a value, and islands, are counted below the picture
    neighbours : anything that `spatial_weights` reads, row-standardised
    names : area → name; the clearest significant areas are named where there is room
    alpha, adjust : which areas are marked (p of local Moran by permutation; `adjust` as in `local_moran`)
    title, note : above and below; size : "print" or "phone"
    """
    from tkyt_analysis.analysis.spatial.association import moran
    from tkyt_analysis.analysis.spatial.local_association import local_moran

    language = language or current_language()
    table = local_moran(
        values, neighbours, style="W", variance="permutation", adjust=adjust, alpha=alpha,
        permutations=permutations, seed=seed,
    )  # fmt: skip
    whole = moran(values, neighbours, style="W", assumption="permutation", permutations=permutations, seed=seed).iloc[0]
    points = _standardised(table)
    with chart_style():
        drawing, axes = new_sheet(size, {"print": 5.4, "phone": 5.6})
        _ground(axes, points, float(whole["statistic"]), language)
        _points(axes, points, language)
        _corners(axes, language)
        lines = [_sentence(whole, permutations, language), not_drawn(len(points), len(table), language), note]
        say(drawing, axes, title=title, across=label("area_picture.moran.across", language), lines=lines, size=size,
            columns={"print": 3, "phone": 2})  # fmt: skip
        axes.set_ylabel(label("area_picture.moran.upwards", language), fontsize=8.5, color=INK)
        marked = points[points["cluster"] != "not_significant"].sort_values("p_value", kind="stable")
        said = [str((names or {}).get(area, area)) for area in marked.index]
        name_places(drawing, axes, marked[["x", "y"]], said, taken=points[["x", "y"]], most=MOST_NAMED[size])
    return drawing


def _standardised(table: pd.DataFrame) -> pd.DataFrame:
    """x = z of the value, y = mean z of the neighbours, of areas that have both."""
    known = rows_of(table[table["neighbours"] > 0], ("value", "lag"))
    mean, spread = table["value"].mean(), table["value"].std(ddof=0) or 1.0
    return known.assign(x=(known["value"] - mean) / spread, y=(known["lag"] - mean) / spread)


def _ground(axes: Axes, points: pd.DataFrame, slope: float, language: str) -> None:
    for line in (axes.axhline, axes.axvline):
        line(0, color=RULE, linewidth=1, zorder=1)
    for column, set_limits in (("x", axes.set_xlim), ("y", axes.set_ylim)):
        low, high = points[column].min(), points[column].max()
        low, high = min(low, -0.8 * high, -0.5), max(high, -0.8 * low, 0.5)  # each quadrant has room for its name
        set_limits(low - 0.12 * (high - low), high + 0.12 * (high - low))
    numbers(axes.xaxis, language)
    numbers(axes.yaxis, language)
    if np.isfinite(slope):
        ends: npt.NDArray[np.float64] = np.array([points["x"].min(), points["x"].max()])
        words = label("area_picture.moran.slope", language)
        axes.plot(ends, slope * ends, color=GREY, linewidth=1.4, linestyle=(0, (5, 2)), zorder=2, label=words)


def _points(axes: Axes, points: pd.DataFrame, language: str) -> None:
    from tkyt_analysis.maps.palettes import CLUSTERS

    own = points[points["cluster"] == "not_significant"]
    words = f"{label('lisa.not_significant', language)} ({format_number(len(own), 0, language)})"
    axes.scatter(own["x"], own["y"], s=22, facecolor="white", edgecolor=GREY, linewidth=0.9, zorder=3, label=words)
    for cluster, (marker, _) in QUADRANTS.items():
        own = points[points["cluster"] == cluster]
        if len(own):
            words = f"{label(f'lisa.{cluster}', language)} ({format_number(len(own), 0, language)})"
            axes.scatter(own["x"], own["y"], s=40, marker=marker, facecolor=CLUSTERS[cluster], edgecolor=INK,
                         linewidth=0.8, zorder=4, label=words)  # fmt: skip


def _corners(axes: Axes, language: str) -> None:
    """The names of the quadrants in the four corners."""
    for cluster, (_, (x, y)) in QUADRANTS.items():
        axes.text(x, y, label(f"lisa.{cluster}", language), transform=axes.transAxes, fontsize=7.5, color=GREY,
                  ha="right" if x > 0.5 else "left", va="top" if y > 0.5 else "bottom")  # fmt: skip


def _sentence(whole: pd.Series, permutations: int, language: str) -> str:
    """Moran's I and its p in words."""
    fields = {"i": _signed(whole["statistic"], language), "p": format_number(float(whole["p_value"]), 3, language),
              "permutations": format_number(permutations, 0, language)}  # fmt: skip
    return label("area_picture.moran.sentence", language, **fields)


def _signed(value: float, language: str) -> str:
    return ("−" if value < 0 else "") + format_number(abs(float(value)), 2, language)
