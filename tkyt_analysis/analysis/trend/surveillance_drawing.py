"""Pictures of surveillance: counts with their bound and alarms (or z-lines), and nowcasts beside what is reported."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tkyt_analysis.analysis.rates import NOT_ASSESSABLE
from tkyt_analysis.assets import chart_style
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.labels import current_language, format_number, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OBSERVED, EXPECTED, BOUND, ALARM, REPORTED, INK, GREY, RULE = (
    "#1a1a1a", "#0a4d8c", "#c96a00", "#7a1230", "#0a4d8c", "#1a1a1a", "#4a545c", "#c3ccd4",
)  # fmt: skip
SIZES = {"print": (9.2, 4.8), "phone": (4.2, 4.8)}


def surveillance_picture(
    table: pd.DataFrame, *, title: str, size: str = "print", note: str = "", language: str | None = None
) -> Figure:
    """Draw one series of `farrington` (bound, alarms) or `euromomo` (lines at z = 2 and 4).

    title : what and where; note : a line below, e.g. that the figures are practice data; size : "print" or "phone"
    A period without a bound is hollow: it was not judged. Raises InputError for several series or another table.
    """
    rows = _rows(table, ("observed", "expected", "status"))
    language = language or current_language()
    with chart_style():
        drawing, axes = _sheet(size)
        at = np.arange(len(rows))
        euromomo = "zscore" in rows
        _line(axes, at, rows["expected"], EXPECTED, (0, (5, 2)), label("surveillance.picture.expected", language))
        for column, key, style in _bounds(rows):
            _line(axes, at, rows[column], BOUND, style, label(f"surveillance.picture.{key}", language))
        _line(axes, at, rows["observed"], OBSERVED, "-", label("surveillance.picture.observed", language))
        high = (rows["zscore"] > 4 if euromomo else rows["alarm"]).to_numpy(bool)
        word = label("surveillance.picture.above_four" if euromomo else "surveillance.picture.alarm", language)
        axes.plot(at[high], rows["observed"][high], "o", color=ALARM, markersize=5, label=f"{word} ({high.sum()})")
        open_ = (rows["status"] == NOT_ASSESSABLE).to_numpy()
        if open_.any():
            hollow: dict[str, Any] = {"markerfacecolor": "white", "markeredgecolor": GREY, "markersize": 4}
            words = label("surveillance.picture.not_judged", language)
            axes.plot(at[open_], rows["observed"][open_], "o", linestyle="none", label=words, **hollow)
        _finish(drawing, axes, rows, title=title, note=note, language=language, size=size)
    return drawing


def nowcast_picture(
    table: pd.DataFrame, *, title: str, last: int = 26, size: str = "print", note: str = "", language: str | None = None
) -> Figure:
    """Draw the last periods of one series of `nowcast`: reported, still to come (hatched), limits."""
    rows = _rows(table, ("reported", "estimate", "lower", "upper", "complete")).tail(last).reset_index(drop=True)
    language = language or current_language()
    with chart_style():
        drawing, axes = _sheet(size)
        at, reported = np.arange(len(rows)), rows["reported"].to_numpy(float)
        axes.bar(at, reported, color=REPORTED, width=0.8, label=label("surveillance.picture.reported", language))
        open_ = ~rows["complete"].to_numpy(bool) & np.isfinite(rows["estimate"].to_numpy(float))
        rest = (rows["estimate"].to_numpy(float) - reported)[open_]
        words = label("surveillance.picture.to_come", language)
        axes.bar(
            at[open_], rest, bottom=reported[open_], width=0.8, facecolor="#e3edf6", edgecolor=REPORTED, hatch="////",
            linewidth=0.6, label=words,
        )  # fmt: skip
        low, high = (rows[name].to_numpy(float)[open_] for name in ("lower", "upper"))
        words = label("surveillance.picture.limits", language)
        axes.vlines(at[open_], low, high, color=INK, linewidth=1.4, label=words)
        _finish(drawing, axes, rows, title=title, note=note, language=language, size=size)
    return drawing


def _rows(table: pd.DataFrame, needed: tuple[str, ...]) -> pd.DataFrame:
    """The rows of one series in order of time."""
    absent = [name for name in (*needed, "index") if name not in table]
    if absent or not len(table):
        raise InputError("error.surveillance_picture", missing=", ".join(absent) or "–", found=len(table))
    if table["index"].duplicated().any():
        raise InputError("error.surveillance_picture_series", found=int(table["index"].value_counts().max()))
    return table.sort_values("index").reset_index(drop=True)


def method_words(rows: pd.DataFrame, language: str | None = None) -> str:
    """The method of a result of `farrington`, `euromomo` or `nowcast` in words; "" where the table does not say it."""
    if "method" not in rows:
        return ""
    name = str(rows["method"].iloc[0]).split(";")[0]
    return label(f"surveillance.method.{name}", language)


def _sheet(size: str) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    if size not in SIZES:
        raise UsageError("error.surveillance_option", option="size", found=size, known=", ".join(SIZES))
    drawing = Figure(figsize=SIZES[size], layout="constrained")
    return drawing, drawing.subplots()


def _bounds(rows: pd.DataFrame) -> list[tuple[str, str, Any]]:
    """Columns drawn as bounds, the key of their words, their line."""
    if "zscore" in rows:
        lines: list[tuple[str, str, Any]] = [("upib2", "two", (0, (1.5, 1.5))), ("upib4", "four", "-")]
        return [line for line in lines if line[0] in rows]
    return [("upper", "bound", "-")]


def _line(axes: Axes, at: np.ndarray, values: pd.Series, colour: str, style: Any, words: str) -> None:
    axes.plot(at, values.to_numpy(float), color=colour, linestyle=style, linewidth=1.3, label=words)


def _ticks(names: list[str], most: int, language: str) -> tuple[list[int], list[str]]:
    """Places and words at the time axis: weeks of more than a year by month and year, else each period in short."""
    from tkyt_analysis.reference.periods import as_period

    try:
        periods = [as_period(one) for one in names]
    except InputError:
        return _evenly(names, most)
    if periods[0].kind != "week":
        return _evenly([_short(one, language) for one in periods], most)
    if len(periods) <= 60:
        return _evenly([_short(one, language) for one in periods], most)
    months = [one.start.year * 12 + one.start.month - 1 for one in periods]
    first = [place for place in range(1, len(months)) if months[place] != months[place - 1]]
    step = next((one for one in (1, 2, 3, 6, 12, 24, 60) if len(first) / one <= 1.5 * most), 120)
    kept = [place for place in first if months[place] % step == 0]
    return kept, [f"{months[place] % 12 + 1:02}/{months[place] // 12}" for place in kept]


def _evenly(words: list[str], most: int) -> tuple[list[int], list[str]]:
    """Of many words those at even distances."""
    step = -(-len(words) // most)
    places = list(range((len(words) - 1) % step, len(words), step))  # the last one always
    return places, [words[place] for place in places]


def _short(period: Any, language: str) -> str:
    """A week as "tuần 27" over its year, a month as 07/2025, else the whole name."""
    from tkyt_analysis.reference.periods import format_period

    if period.kind == "month":
        return f"{period.number:02}/{period.year}"
    if period.kind == "week":
        return label("surveillance.picture.week", language, week=period.number, year=period.year)
    return format_period(period.period_id, language)


def _finish(
    drawing: Figure, axes: Axes, rows: pd.DataFrame, *, title: str, note: str, language: str, size: str
) -> None:
    """Frame, axes, legend below, title and notes."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(RULE)
    axes.grid(axis="y", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_ylim(0, max(axes.get_ylim()[1], 5.0))
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: format_number(value, 0, language)))
    names = rows["period"].tolist() if "period" in rows else rows["index"].astype(str).tolist()
    axes.set_xticks(*_ticks([str(one) for one in names], 4 if size == "phone" else 9, language))
    axes.tick_params(color=RULE, labelcolor=INK, labelsize=8)
    axes.set_ylabel(label("surveillance.picture.count", language), fontsize=9, color=INK)
    width = 46 if size == "phone" else 100
    axes.set_title(
        textwrap.fill(title, 34 if size == "phone" else 90), loc="left", fontsize=11, fontweight="semibold", color=INK
    )
    drawing.legend(loc="outside lower center", ncols=2 if size == "phone" else 4, fontsize=8, frameon=False)
    words = method_words(rows, language)
    below = [label("surveillance.picture.method", language, method=words)] if words else []
    below += [note] if note else []
    axes.set_xlabel("\n".join(textwrap.fill(line, width) for line in below), fontsize=7.5, color=GREY, loc="left")
