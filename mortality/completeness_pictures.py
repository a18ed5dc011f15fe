"""Pictures of completeness: the methods side by side, the provinces, and what the choice of ages does. SVG, the same for the same rows."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mortality.completeness_release import METHODS
from tkyt_analysis.explorer.palette import GREY, INK, RULE, SERIES
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.reports.charts import WIDE, few_ticks, in_both_widths, new_figure, shortened

COMBINED = "combined"
MARKERS = {"ok": "o", "modelled": "D"}  # modelled estimates borrow another place's level: a diamond, not filled
FULL = 100.0
MOST_PLACES = 70  # all 63
FIRST_NAMED = 35  # the points of younger ages lie too close to be named


def draw_methods(rows: pd.DataFrame, language: str, *, place: str) -> str:
    """One place: a line per method, a dot with its interval per year (the newest last); what cannot be assessed says why.

    rows : of `completeness_estimate`, one sex: year, method_id, completeness, lower, upper, status, reason
    """
    years = sorted(rows["year"].unique())[-2:]
    shown = rows[rows["year"].isin(years)]
    caption = label("completeness.picture.methods", language, place=place)
    spoken = _spoken(shown, years[-1], caption, language)
    return in_both_widths(lambda width: _methods(shown, years, language, width), caption=caption, alternative=spoken)


def _methods(shown: pd.DataFrame, years: Sequence[int], language: str, width: float) -> Any:
    methods = [one for one in METHODS if one in set(shown["method_id"])]
    colours = dict(zip(years, SERIES, strict=False))
    drawing, axes = new_figure(width, 0.9 + 0.46 * len(methods))
    most = _most(shown)
    for line, method in enumerate(methods):
        own = shown[shown["method_id"] == method]
        _dots(axes, own, line, years, colours)
        if not own["completeness"].notna().any():
            why = _why(own, language, letters=72 if width == WIDE else 34)
            axes.text(2, line, why, va="center", ha="left", fontsize=8 if width == WIDE else 7, color=GREY)
    _frame(axes, [label(f"completeness.method.{one}", language) for one in methods], most)
    axes.axhspan(len(methods) - 1.5, len(methods) - 0.5, color="#eef1f4", zorder=0)
    _legend(axes, years, colours, language, columns=4 if width == WIDE else 1)
    return drawing


def draw_places(rows: pd.DataFrame, names: dict[str, str], language: str, *, year: int) -> str:
    """Provinces, the least complete first: the combined estimate with its interval, the single methods as small grey dots."""
    combined = (
        rows[rows["method_id"] == COMBINED]
        .sort_values(["completeness", "unit_id"], na_position="last")
        .head(MOST_PLACES)
    )
    caption = label("completeness.picture.places", language, year=year)
    return in_both_widths(lambda width: _places(rows, combined, names, width), caption=caption)


def _places(rows: pd.DataFrame, combined: pd.DataFrame, names: dict[str, str], width: float) -> Any:
    drawing, axes = new_figure(width, 0.9 + 0.26 * len(combined))
    for line, unit in enumerate(combined["unit_id"]):
        others = rows[(rows["unit_id"] == unit) & (rows["method_id"] != COMBINED)]
        at = np.full(len(others), line)
        axes.plot(100 * others["completeness"], at, "o", color=GREY, alpha=0.6, markersize=3, zorder=2)
    low, high = (100 * combined[name].to_numpy(dtype=float) for name in ("lower", "upper"))
    lines = np.arange(len(combined))
    axes.hlines(lines, low, high, color=SERIES[0], linewidth=2, zorder=3)
    axes.plot(100 * combined["completeness"], lines, "o", color=SERIES[0], markersize=6, zorder=4)
    letters = 34 if width == WIDE else 22
    _frame(axes, [shortened(names.get(one, one), letters) for one in combined["unit_id"]], _most(rows))
    return drawing


def draw_by_age(rows: pd.DataFrame, language: str, *, place: str, year: int) -> str:
    """Completeness at each age group with limits: rows age_group, completeness, lower, upper."""
    caption = label("completeness.picture.by_age", language, place=place, year=year)
    return in_both_widths(lambda width: _ages(rows, width), caption=caption)


def _ages(rows: pd.DataFrame, width: float) -> Any:
    drawing, axes = new_figure(width, 2.8)
    places = np.arange(len(rows))
    low, high = (np.minimum(100 * rows[name].to_numpy(dtype=float), 250) for name in ("lower", "upper"))
    axes.axhline(FULL, color=RULE, linewidth=1)
    axes.vlines(places, low, high, color=SERIES[0], linewidth=2)
    axes.plot(places, 100 * rows["completeness"], "o", color=SERIES[0], markersize=6)
    shown = few_ticks(width, max(len(rows), 1), room=0.55)
    axes.set_xticks(places[shown], list(rows["age_group"])[shown])
    axes.set_ylim(0, max(120, float(np.nanmax(high, initial=0)) * 1.05))
    _percent(axes.yaxis)
    return drawing


def draw_age_ranges(
    points: pd.DataFrame, ranges: pd.DataFrame, line: pd.Series, language: str, *, example: bool
) -> str:
    """Left the points of the growth balance with its line, right what every range of ages would give.

    points : `growth_balance_points`; ranges : `age_range_estimates`; line : the row of `generalised_growth_balance`
    """
    kind = "example" if example else "own"
    share = format_number(100 * line["completeness"], 0, language)
    low, high = (format_number(100 * line[name], 0, language) for name in ("lower", "upper"))
    ages = f"{line['lowest_age']:g}–{line['highest_age']:g}"
    caption = label(f"completeness.picture.ages_{kind}", language, share=share, low=low, high=high, ages=ages)
    return in_both_widths(lambda width: _age_choice(points, ranges, language, width), caption=caption)


def _age_choice(points: pd.DataFrame, ranges: pd.DataFrame, language: str, width: float) -> Any:
    """Side by side on paper, one below the other on phones."""
    places = ((0.09, 0.16, 0.38, 0.72), (0.6, 0.16, 0.38, 0.72))
    if width != WIDE:
        places = ((0.16, 0.58, 0.8, 0.38), (0.16, 0.08, 0.8, 0.38))
    drawing, axes = new_figure(width, 3.4 if width == WIDE else 6.0)
    axes.set_position(places[0])
    _balance(axes, points, language)
    _ranges(drawing.add_axes(places[1]), ranges, language)
    return drawing


def _balance(axes: Any, points: pd.DataFrame, language: str) -> None:
    used = points[points["used"]]
    axes.plot(
        points["death_rate"], points["entry_minus_growth"], "o", color=GREY, markerfacecolor="white", markersize=5
    )
    axes.plot(used["death_rate"], used["entry_minus_growth"], "o", color=SERIES[0], markersize=5)
    axes.plot(points["death_rate"], points["fitted"], color=SERIES[1], linewidth=1.5)
    for row in points[points["age"] >= FIRST_NAMED].iloc[::3].itertuples():
        axes.annotate(
            f"{row.age:g}+",
            (row.death_rate, row.entry_minus_growth),
            xytext=(4, -9),
            textcoords="offset points",
            fontsize=7.5,
            color=GREY,
        )
    axes.set_xlabel(label("completeness.axis.death_rate", language), fontsize=8)
    axes.set_ylabel(label("completeness.axis.entry", language), fontsize=8)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(_few())
        axis.set_major_formatter(lambda value, _: format_number(value, 2, language))


def _ranges(axes: Any, ranges: pd.DataFrame, language: str) -> None:
    chosen = ranges["chosen"].to_numpy(dtype=bool)
    value = 100 * ranges["completeness"].to_numpy(dtype=float)
    for mask, colour, width in ((~chosen, GREY, 1.2), (chosen, SERIES[1], 3.0)):
        axes.hlines(value[mask], ranges["lowest_age"][mask], ranges["highest_age"][mask], color=colour, linewidth=width)
    axes.set_xlabel(label("completeness.axis.ages", language), fontsize=8)
    axes.set_ylabel(label("completeness.axis.completeness", language), fontsize=8)
    _percent(axes.yaxis)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(RULE)
    axes.tick_params(color=RULE, labelcolor=INK, labelsize=9)


def _few() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(4)


def _percent(axis: Any) -> None:
    axis.set_major_formatter(lambda value, _: f"{value:.0f} %")


def _most(rows: pd.DataFrame) -> float:
    """Right end of the axis [%]: what is shown, at least a little over 100."""
    top = 100 * np.nanmax(rows[["completeness", "upper"]].to_numpy(dtype=float), initial=1.0)
    return float(min(max(top * 1.03, 108), 200))


def _dots(axes: Any, own: pd.DataFrame, line: int, years: Sequence[int], colours: dict[int, str]) -> None:
    for number, year in enumerate(years):
        row = own[(own["year"] == year) & own["completeness"].notna()]
        height = line + (number - (len(years) - 1) / 2) * 0.28
        heavy = row["method_id"].eq(COMBINED).any()
        for one in row.itertuples():
            axes.hlines(
                height,
                100 * one.lower,
                min(100 * one.upper, 200),
                color=colours[year],
                linewidth=3 if heavy else 1.6,
                zorder=3,
            )
            axes.plot(
                100 * one.completeness, height, MARKERS[one.status], color=colours[year], markersize=7 if heavy else 5.5,
                markerfacecolor=colours[year] if one.status == "ok" else "white", zorder=4,
            )  # fmt: skip


def _frame(axes: Any, names: Sequence[str], most: float) -> None:
    axes.axvline(FULL, color=RULE, linewidth=1, zorder=1)
    axes.set_yticks(np.arange(len(names)), list(names))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, most)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    _percent(axes.xaxis)


def _legend(axes: Any, years: Sequence[int], colours: dict[int, str], language: str, *, columns: int) -> None:
    from matplotlib.lines import Line2D

    def mark(shape: str, colour: str, face: str, text: str) -> Any:
        return Line2D([], [], marker=shape, linestyle="", color=colour, markerfacecolor=face, markersize=6, label=text)

    handles = [mark("o", colours[year], colours[year], str(year)) for year in years]
    handles += [
        mark("o", GREY, GREY, label("completeness.status.ok", language)),
        mark("D", GREY, "white", label("completeness.status.modelled", language)),
    ]
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=columns,
        frameon=False,
        fontsize=8.5,
        borderaxespad=0.2,
        columnspacing=1.2,
    )


def _why(own: pd.DataFrame, language: str, *, letters: int) -> str:
    """Why a method gives nothing, on two lines; the table below has it whole."""
    reasons = [one for one in own["reason"].dropna().unique() if one]
    text = label(reasons[0], language) if reasons else label("verdict.not_assessable", language)
    return "\n".join(textwrap.wrap(text, letters, max_lines=2, placeholder="…"))


def _spoken(rows: pd.DataFrame, year: int, caption: str, language: str) -> str:
    """The picture in words: the combined estimate of the newest year."""
    one = rows[(rows["year"] == year) & (rows["method_id"] == COMBINED)]
    if one.empty or not np.isfinite(one["completeness"].iloc[0]):
        return caption
    share, low, high = (
        format_number(100 * one[name].iloc[0], 0, language) for name in ("completeness", "lower", "upper")
    )
    return f"{caption} {label('completeness.combined', language, year=year, share=share, low=low, high=high)}"
