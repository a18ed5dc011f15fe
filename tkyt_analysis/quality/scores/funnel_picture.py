"""The picture of a funnel: units as points, limits as curves, those to ask about named. For paper, page and phone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tkyt_analysis.assets import chart_style
from tkyt_analysis.labels import current_language, format_number, label
from tkyt_analysis.pages import figure
from tkyt_analysis.quality.scores.funnel import ASK, INNER, NORMAL, NOT_ASSESSABLE, OUTER, funnel_limits
from tkyt_analysis.reports.charts import INK, LINE, MISSING, RECEIVED, new_figure, shortened, svg_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PHONE, PAGE = 3.7, 7.4  # inches: a phone's width, a page's
MOST_NAMED = 6
# status → (marker, fill, edge, size): told apart by shape as well as by colour
LOOKS = {
    NORMAL: ("o", RECEIVED, "white", 26),
    ASK: ("v", MISSING, INK, 58),
    NOT_ASSESSABLE: ("o", "white", "#6b7780", 22),
}
GREY = "#5b6770"


def draw_funnel(
    table: pd.DataFrame,
    *,
    title: str,
    across: str,
    names: Mapping[str, str] | None = None,
    language: str | None = None,
    width: float = PAGE,
) -> str:
    """A table of `funnel` as an SVG figure with caption and alternative text.

    title : what the values are, with their unit; across : what the denominators are; names : of the units asked about;
    width : PAGE or PHONE [inches]
    """
    language = language or current_language()
    with chart_style():
        drawing, axes = new_figure(width, 3.2 if width >= PAGE else 3.6)
        shown = table[table["denominator"] > 0]
        _limits(axes, table, language)
        _points(axes, shown, language)
        _axes(axes, shown, title, across, language, narrow=width < PAGE)
        _name(axes, shown, names or {}, narrow=width < PAGE)
        handles, words = axes.get_legend_handles_labels()
        axes.legend(
            handles, words, loc="upper left", bbox_to_anchor=(-0.02, -0.24), ncols=2 if width >= PAGE else 1, frameon=False,
            fontsize=9, borderaxespad=0,
        )  # fmt: skip
        picture = svg_of(drawing)
    counts = {name: format_number(int((table["status"] == name).sum()), 0, language) for name in LOOKS}
    fdr = format_number(100 * float(table.attrs["fdr"]), 0, language)
    caption = label("funnel.caption", language, title=title, fdr=fdr, **counts)
    return figure(picture, caption=caption, alternative=caption)


def _limits(axes: Axes, table: pd.DataFrame, language: str) -> None:
    """The target and both pairs of limits over the range of sizes; dashed: what chance alone would give."""
    about: dict[str, Any] = table.attrs
    sizes = table.loc[table["denominator"] > 0, "denominator"].to_numpy(float)
    if not len(sizes):
        return
    grid = np.geomspace(max(sizes.min() * 0.8, 1e-9), sizes.max() * 1.2, 240)
    per, centre = about["per"], about["target"] / about["per"]
    axes.axhline(about["target"], color=GREY, linewidth=1.2, label=label("funnel.target", language))
    for coverage, style, key in ((INNER, "-", "inner"), (OUTER, "-", "outer")):
        lower, upper = funnel_limits(grid, centre, about["statistic"], coverage, tau2=about["tau2"])
        colour, thick = ("#8a97a1", 1.0) if key == "inner" else (INK, 1.3)
        axes.plot(grid, per * lower, style, color=colour, linewidth=thick, label=label(f"funnel.{key}", language))
        axes.plot(grid, per * upper, style, color=colour, linewidth=thick)
    if about["tau2"] > 0:
        lower, upper = funnel_limits(grid, centre, about["statistic"], OUTER)
        dashes = (0, (2, 2))
        axes.plot(
            grid, per * lower, color=GREY, linewidth=0.9, linestyle=dashes, label=label("funnel.chance", language)
        )
        axes.plot(grid, per * upper, color=GREY, linewidth=0.9, linestyle=dashes)


def _points(axes: Axes, shown: pd.DataFrame, language: str) -> None:
    for order, (status, (marker, fill, edge, size)) in enumerate(LOOKS.items()):
        rows = shown[shown["status"] == status]
        if len(rows):
            words = label(f"funnel.status.{status}", language)
            text = f"{words} ({format_number(len(rows), 0, language)})"
            axes.scatter(rows["denominator"], rows["value"], s=size, marker=marker, facecolor=fill, edgecolor=edge,
                         linewidth=0.8, zorder=3 + (status == ASK) + 0.1 * order, label=text)  # fmt: skip


def _name(axes: Axes, shown: pd.DataFrame, names: Mapping[str, str], *, narrow: bool) -> None:
    """The names of the units farthest out among those to ask about, where they meet no such unit and no other name."""
    asked = shown[shown["status"] == ASK].sort_values(["q_value", "unit"])
    if asked.empty:
        return
    places = axes.transData.transform(asked[["denominator", "value"]].to_numpy(float))
    points = axes.figure.dpi / 72
    taken = [(x - 5 * points, y - 5 * points, x + 5 * points, y + 5 * points) for x, y in places]
    left, right = axes.transAxes.transform([(0, 0), (1, 1)])[:, 0]
    for (x, y), row in list(zip(places, asked.itertuples(), strict=True))[: 3 if narrow else MOST_NAMED]:
        text = shortened(str(names.get(row.unit, row.unit)), 18 if narrow else 28)
        wide = 5.0 * points * len(text)
        for side, ha in ((1, "left"), (-1, "right")):
            start = x + 7 * points if side > 0 else x - 7 * points - wide
            spot = (start, y - 5 * points, start + wide, y + 5 * points)
            inside = spot[0] >= left and spot[2] <= right
            if inside and not any(_meet(spot, other) for other in taken):
                axes.annotate(text, (row.denominator, row.value), xytext=(side * 7, 0), textcoords="offset points",
                              ha=ha, va="center", fontsize=8.5, color=INK, zorder=6)  # fmt: skip
                taken.append(spot)
                break


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _axes(axes: Axes, shown: pd.DataFrame, title: str, across: str, language: str, *, narrow: bool) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    axes.set_xscale("log")
    if len(shown):
        low, high = float(shown["denominator"].min()) * 0.8, float(shown["denominator"].max()) * 1.2
        axes.set_xlim(low, high)
        subs = (1.0,) if high / low > 60 else (1.0, 3.0) if narrow else (1.0, 2.0, 5.0)
        axes.xaxis.set_major_locator(LogLocator(subs=subs) if high / low > 8 else MaxNLocator(5, integer=True))
    axes.set_title(title, loc="left", fontsize=10, fontweight=600, color=INK)
    axes.set_xlabel(across, fontsize=9, loc="left", color=INK)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: format_number(value, 0, language)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: format_number(value, 0 if float(value).is_integer() else 1, language)))  # fmt: skip
    axes.grid(axis="y", color=LINE, linewidth=0.4)
    axes.set_axisbelow(True)
    if len(shown):
        values = shown["value"].to_numpy(float)
        room = 0.08 * max(np.ptp(values), 1e-9) + 1e-9
        axes.set_ylim(values.min() - room, values.max() + room)
