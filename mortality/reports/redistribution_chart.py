"""Picture of a redistribution: what each cause had before, has after, and between which limits."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.labels import current_language, format_number, label
from tkyt_analysis.reports.charts import INK, LINE, MISSING, RECEIVED, WIDE, in_both_widths, new_figure

BEFORE = "#6b7780"
ROW = 0.3  # inches per cause


def draw_redistribution(
    table: pd.DataFrame,
    *,
    cause_list: str = "who_mortality_list_1",
    most: int = 15,
    language: str | None = None,
) -> str:
    """Causes with most deaths before or after, one line each: grey ring before, blue dot after with its limits.

    table : rows of `redistribute(…, cause_list=cause_list)` of one place (before, after, cause; lower, upper where drawn).
    Causes that lose deaths have an orange dot. Returns the figure as HTML with inline SVG, caption and alternative text.
    """
    language = language or current_language()
    shown = leading_rows(table, most)
    caption = label("redistribution.chart.caption", language, deaths=format_number(table["before"].sum(), 0, language))
    return in_both_widths(lambda width: _drawn(shown, cause_list, language, width), caption=caption)


def _drawn(shown: pd.DataFrame, cause_list: str, language: str, width: float) -> Any:
    drawing, axes = new_figure(width, 1.1 + ROW * max(len(shown), 1))
    _lines(axes, shown)
    _names(axes, shown, cause_list, language, letters=40 if width == WIDE else 26)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3 if width == WIDE else 1, frameon=False, fontsize=9,
        handles=_key(language),
    )  # fmt: skip
    return drawing


def leading_rows(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """The causes with most deaths before or after, the largest after first."""
    size = table[["before", "after"]].max(axis=1)
    rows = table.assign(_size=size).sort_values(["_size", "cause"], ascending=[False, True]).head(most)
    return rows.sort_values(["after", "before", "cause"], ascending=[False, False, True]).drop(columns="_size")


def _lines(axes: Any, shown: pd.DataFrame) -> None:
    before, after = shown["before"].to_numpy(float), shown["after"].to_numpy(float)
    places = np.arange(len(shown))
    colour = np.where(after >= before, RECEIVED, MISSING)
    axes.hlines(places, before, after, color=colour, linewidth=2, alpha=0.55, zorder=1)
    if {"lower", "upper"} <= set(shown.columns):
        axes.hlines(places, shown["lower"], shown["upper"], color=INK, linewidth=1, zorder=2)
        for end in ("lower", "upper"):
            axes.scatter(shown[end], places, marker="|", s=40, color=INK, linewidth=1, zorder=2)
    axes.scatter(before, places, s=34, facecolor="white", edgecolor=BEFORE, linewidth=1.6, zorder=3)
    axes.scatter(after, places, s=34, color=colour, zorder=4)


def _names(axes: Any, shown: pd.DataFrame, cause_list: str, language: str, *, letters: int) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    names = [
        "\n".join(textwrap.wrap(name, letters, max_lines=2, placeholder="…"))
        for name in titles(shown["cause"], cause_list, language)
    ]
    axes.set_yticks(np.arange(len(shown)), names, fontsize=8, linespacing=0.95)
    axes.invert_yaxis()
    axes.set_ylim(max(len(shown), 1) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.grid(axis="x", color=LINE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(MaxNLocator(8 if letters == 40 else 4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: format_number(value, 0, language)))
    axes.set_xlabel(label("redistribution.chart.deaths", language), fontsize=9)


def titles(items: pd.Series, cause_list: str, language: str) -> list[str]:
    """The title of each item of a list; deaths without code and codes outside the list are named."""
    from mortality.tabulation.cause_lists import GAP, UNKNOWN, load_cause_list

    listed = load_cause_list(cause_list).items
    names = dict(zip(listed["item"], listed[f"label_{language}"], strict=True))
    names |= {
        GAP: label("redistribution.chart.gap", language),
        UNKNOWN: label("redistribution.chart.no_code", language),
    }
    return [names.get(item, item) for item in items]


def _key(language: str) -> list[Any]:
    from matplotlib.lines import Line2D

    def dot(face: str, edge: str, key: str) -> Any:
        return Line2D([], [], linestyle="", marker="o", markersize=6, markerfacecolor=face, markeredgecolor=edge, label=label(key, language))  # fmt: skip

    return [
        dot("white", BEFORE, "redistribution.chart.before"),
        dot(RECEIVED, RECEIVED, "redistribution.chart.more"),
        dot(MISSING, MISSING, "redistribution.chart.less"),
    ]
