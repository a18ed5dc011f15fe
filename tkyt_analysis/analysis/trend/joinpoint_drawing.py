"""The figure of joinpoint regression that people publish: observed rates, fitted segments, their APC with limits, breaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tkyt_analysis.analysis.rates import OK
from tkyt_analysis.analysis.trend.joinpoint_regression import JoinpointResult
from tkyt_analysis.assets import chart_style
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.labels import format_number, label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_PANELS = 12
_SIZES = {"print": (7.2, 3.6), "phone": (4.2, 4.4)}


def joinpoint_picture(
    result: JoinpointResult,
    *,
    only: Mapping[str, object] | None = None,
    title: str = "",
    unit: str = "",
    note: str = "",
    size: str = "print",
    language: str | None = None,
) -> Figure:
    """A matplotlib figure: one panel per series (at most 12), below each other.

    only : values of key columns that pick the series, e.g. {"province_id": "01"}
    title, unit : what is drawn, and what one rate is per ("trên 100.000 dân"); note : a line below, e.g. the source
    size : "print" (17 cm wide, limits of the APC in the key) or "phone" (narrow)

    Points are observed, lines fitted (a colour for each segment), a dashed line is a year in which the population series or
    the cause list changes. Series that could not be fitted say why. Save it with `figure.savefig("name.svg")` (or .png).
    """
    from matplotlib.figure import Figure

    if size not in _SIZES:
        raise UsageError("error.joinpoint_option", option="size", value=size, known=", ".join(_SIZES))
    keys = list(result.segments.columns[: list(result.segments.columns).index("segment")])
    names = [name for name in keys if name != "stretch"]
    panels = _panels(result, names, only)
    width, height = _SIZES[size]
    with chart_style():
        figure = Figure(figsize=(width, height * len(panels) + 0.5), layout="constrained")
        every = np.atleast_1d(figure.subplots(len(panels), 1))
        for axes, (name, parts) in zip(every, panels, strict=True):
            _panel(axes, parts, heading=name, unit=unit, size=size, language=language)
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight=600)
        said = [label("joinpoint.picture.note", language), note]
        if any(axes.get_ylim()[0] > 0 for axes in every):
            said.insert(1, label("joinpoint.picture.axis", language))
        figure.supxlabel("\n".join(filter(None, said)), x=0.01, ha="left", fontsize=7.5, wrap=True)
        figure.draw_without_rendering()
    return figure


def _panels(
    result: JoinpointResult, names: list[str], only: Mapping[str, object] | None
) -> list[tuple[str, dict[str, pd.DataFrame]]]:
    """(heading, tables) of each series that is asked for."""
    tables = {name: getattr(result, name) for name in ("segments", "fitted", "joinpoints")}
    for column, value in (only or {}).items():
        if column not in names:
            raise InputError("error.rate_columns_missing", missing=column, found=", ".join(names))
        tables = {name: table[table[column] == value] for name, table in tables.items()}
    if not len(tables["segments"]):
        raise InputError("error.joinpoint_nothing_to_draw")
    if not names:
        return [("", tables)]
    found = tables["segments"][names].drop_duplicates()
    if len(found) > MOST_PANELS:
        raise InputError("error.joinpoint_too_many_panels", series=len(found), most=MOST_PANELS)
    return [
        (", ".join(map(str, row)), {name: _rows_of(table, names, row) for name, table in tables.items()})
        for row in found.itertuples(index=False, name=None)
    ]


def _rows_of(table: pd.DataFrame, names: list[str], row: tuple[Any, ...]) -> pd.DataFrame:
    chosen = np.ones(len(table), dtype=bool)
    for name, value in zip(names, row, strict=True):
        chosen &= (table[name] == value).to_numpy(dtype=bool, na_value=False)
    return table[chosen]


def _panel(
    axes: Any, parts: dict[str, pd.DataFrame], *, heading: str, unit: str, size: str, language: str | None
) -> None:
    from tkyt_analysis.explorer.palette import GREY, INK, RULE, SERIES

    fitted, segments = parts["fitted"], parts["segments"]
    axes.plot(
        fitted["year"].to_numpy(float),
        fitted["rate"].to_numpy(float),
        linestyle="",
        marker="o",
        markersize=4.2,
        markerfacecolor="white",
        markeredgecolor=GREY,
        zorder=3,
        label=label("joinpoint.picture.observed", language),
    )
    for number, row in enumerate(segments.itertuples(index=False)):
        if row.status == OK or np.isfinite(row.slope):
            x, y = _course(fitted, row)
            text = _segment_text(row, size=size, language=language)
            axes.plot(x, y, color=SERIES[number % len(SERIES)], linewidth=2, zorder=4, label=text)
    for year in parts["joinpoints"]["year"].to_numpy(float):
        axes.axvline(year, color=RULE, linewidth=0.8, zorder=1)
    for number, year in enumerate(_break_years(segments)):
        said = label("joinpoint.picture.break", language) if not number else None
        axes.axvline(year - 0.5, color=INK, linewidth=1, linestyle=(0, (4, 3)), zorder=2, label=said)
    _dress(axes, heading=heading, unit=unit, size=size, language=language)
    for reason in sorted(set(segments.loc[segments["apc"].isna() & segments["slope"].isna(), "reason"]) - {""}):
        said = label(reason, language)
        axes.text(0.5, 0.5, said, transform=axes.transAxes, ha="center", va="center", fontsize=9, wrap=True, color=INK)


def _course(fitted: pd.DataFrame, row: Any) -> tuple[np.ndarray, np.ndarray]:
    """Points along one segment: curved where rates change by a constant share; levels jump at breaks that were fitted."""
    same = fitted["stretch"] == row.stretch if "stretch" in fitted else np.ones(len(fitted), dtype=bool)
    own = fitted[same & (fitted["year"] >= row.start) & (fitted["year"] <= row.end) & fitted["fitted"].notna()]
    year, value = own["year"].to_numpy(float), own["fitted"].to_numpy(float)
    if row.mark == "mark.joinpoint_jump" or not len(own):
        at = np.searchsorted(year, [float(one) for one in str(row.breaks).split(", ") if one])
        return np.insert(year, at, np.nan), np.insert(value, at, np.nan)
    anchor = own[own["segment"] == row.segment]
    start, level = (anchor if len(anchor) else own)[["year", "fitted"]].to_numpy(float)[-1]
    x = np.linspace(float(row.start), float(row.end), 40)
    return x, (level + row.slope * (x - start)) if np.isnan(row.apc) else level * np.exp(row.slope * (x - start))


def _segment_text(row: Any, *, size: str, language: str | None) -> str:
    """ "2002–2006: −1,55 %* (−1,70; −1,45)"."""
    linear = np.isnan(row.apc)
    value, ends = (row.slope, (row.slope_lower, row.slope_upper)) if linear else (row.apc, (row.lower, row.upper))
    star = "*" if row.significant else ""
    text = f"{row.start:g}–{row.end:g}: {signed(value, language)}{'' if linear else ' %'}{star}"
    if size == "phone" or np.isnan(ends[0]):
        return text
    return f"{text} ({signed(ends[0], language)}; {signed(ends[1], language)})"


def signed(value: float, language: str | None) -> str:
    """A number with two decimals and its sign; "0,00" without."""
    rounded = round(float(value), 2)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
    return sign + format_number(abs(rounded), 2, language)


def _break_years(segments: pd.DataFrame) -> list[float]:
    """Years of the breaks that segments cross, and those at which the series was cut."""
    crossed = {float(year) for text in segments["breaks"] for year in str(text).split(", ") if year}
    if "stretch" in segments:
        starts = segments[segments["stretch"] > 1].groupby("stretch")["start"].min()
        crossed |= {float(year) for year in starts.dropna()}
    return sorted(crossed)


def _dress(axes: Any, *, heading: str, unit: str, size: str, language: str | None) -> None:
    """Axes, heading and key: the key stands above the picture, so that no label lies on a line."""
    from tkyt_analysis.explorer.palette import INK, RULE

    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(RULE)
    axes.tick_params(color=RULE, labelcolor=INK, labelsize=8)
    axes.margins(y=0.12)
    years = _ticks(axes.get_xlim(), 8 if size == "print" else 5, whole=True)
    axes.set_xticks(years, [f"{year:g}" for year in years])
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, 0.0) if low > -0.2 * (high - low) else low, high)
    levels = _ticks(axes.get_ylim(), 6, whole=False)
    decimals = next((n for n in range(6) if np.allclose(levels, np.round(levels, n), rtol=1e-9, atol=1e-9)), 6)
    axes.set_yticks(levels, [format_number(level, decimals, language) for level in levels])
    if unit:
        axes.set_ylabel(unit, fontsize=8)
    handles, _ = axes.get_legend_handles_labels()
    columns = 2 if size == "print" else 1
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=columns,
        frameon=False,
        fontsize=8,
        borderaxespad=0.2,
        title=heading or None,
        title_fontproperties={"size": 9, "weight": 600},
        alignment="left",
    )


def _ticks(limits: tuple[float, float], most: int, *, whole: bool) -> list[float]:
    """Round numbers within the limits."""
    from matplotlib.ticker import MaxNLocator

    low, high = limits
    return [float(one) for one in MaxNLocator(most, integer=whole).tick_values(low, high) if low <= one <= high]
