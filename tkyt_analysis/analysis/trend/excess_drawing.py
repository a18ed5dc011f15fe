"""The picture of excess deaths: what was observed, what was expected, and the area between them.

Every picture says the years of the baseline, the method and the sum of the excess; periods still being reported are
hatched, missing ones leave a gap.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.rates import NOT_ASSESSABLE
from tkyt_analysis.assets import chart_style
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.labels import current_language, format_date, format_number, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OBSERVED, EXPECTED, ABOVE, BELOW, RULE, INK, GREY = (
    "#1a1a1a", "#0a4d8c", "#e08a1e", "#2f919c", "#c3ccd4", "#1a1a1a", "#4a545c",
)  # fmt: skip
SIZES = {"print": (9.2, 6.4), "phone": (4.2, 6.6)}
NEEDED = ("date", "period_end", "observed", "expected", "expected_lower", "expected_upper", "cumulative_excess", "cumulative_lower",
          "cumulative_upper", "baseline", "method", "status", "reason")  # fmt: skip
_INCOMPLETE = ("reason.excess_incomplete", "reason.excess_nowcast")


def excess_picture(
    table: pd.DataFrame,
    *,
    title: str,
    since: Any = None,
    until: Any = None,
    cumulative: bool = True,
    size: str = "print",
    note: str = "",
    language: str | None = None,
) -> Figure:
    """Draw the table of `excess_deaths` for one series, or the rows of one place of the release's table of that name.

    title : what and where, e.g. the name of the province; since, until : dates between which is drawn (default: all)
    cumulative : the sum of the excess with its limits below, where there is one; size : "print" or "phone"
    note : a line below, e.g. that the figures are practice data
    """
    if size not in SIZES:
        raise UsageError("error.excess_option", option="size", found=size, expected=", ".join(SIZES))
    table = _of_release(table)
    rows = _rows(table, since, until)
    language = language or current_language()
    cumulative = cumulative and bool(np.isfinite(rows["cumulative_excess"].to_numpy(float)).any())
    with chart_style():
        from matplotlib.figure import Figure

        drawing = Figure(figsize=SIZES[size], layout="constrained")
        heights = [3, 1.4] if cumulative else [1]
        panels = drawing.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        _draw_counts(panels[0], rows, language)
        if cumulative:
            _draw_sum(panels[1], rows, language)
        _date_axis(panels[-1], rows, language, most=4 if size == "phone" else 9)
        summary = summary_words(_rows(table, None, until), language)  # the sum may begin before what is drawn
        _words(drawing, panels[0], rows, summary, title=title, note=note, language=language, size=size)
    return drawing


def _of_release(table: pd.DataFrame) -> pd.DataFrame:
    """The release's table (months; lower and upper are of what was expected) in the columns of the function; else as it is.

    Its months are added up without limits: months of one place depend on each other, and the release does not say how.
    """
    if "date" in table or not {"period_id", "lower", "upper", "excess", "excess_lower"} <= set(table):
        return table
    rows = pd.DataFrame(table).sort_values("period_id", ignore_index=True)
    first = pd.to_datetime(rows["period_id"].astype("str"), format="%Y%m")
    total = rows["excess"].cumsum()
    return rows.rename(columns={"lower": "expected_lower", "upper": "expected_upper"}).assign(
        date=first, period_end=first + pd.offsets.MonthEnd(0), cumulative_excess=total, cumulative_lower=np.nan,
        cumulative_upper=np.nan, cumulative_p_score=100 * total / rows["expected"].where(rows["excess"].notna()).cumsum(),
        periods_missing=rows["excess"].isna().cumsum(),
    )  # fmt: skip


def _rows(table: pd.DataFrame, since: Any, until: Any) -> pd.DataFrame:
    """The rows to draw, in order of time."""
    absent = [name for name in NEEDED if name not in table]
    twice = 0 if absent else int(table["date"].duplicated().sum())
    if absent or twice or not len(table):
        raise InputError("error.excess_picture_columns", expected=", ".join(absent) or "–", found=twice)
    rows = table.assign(date=pd.to_datetime(table["date"])).sort_values("date")
    low = rows["date"].min() if since is None else pd.Timestamp(since)
    high = rows["date"].max() if until is None else pd.Timestamp(until)
    found = rows[rows["date"].between(low, high)].reset_index(drop=True)
    if not len(found):
        raise InputError("error.excess_window_empty", start=low.date(), end=high.date(), found=0)
    return found


def _draw_counts(axes: Axes, rows: pd.DataFrame, language: str) -> None:
    dates, seen, mean = rows["date"].to_numpy(), rows["observed"].to_numpy(float), rows["expected"].to_numpy(float)
    share = format_number(100 * float(rows.get("confidence", pd.Series([0.95])).iloc[0]), 0, language)
    band = label("excess.picture.band", language, share=share)
    low, high = rows["expected_lower"].to_numpy(float), rows["expected_upper"].to_numpy(float)
    axes.fill_between(dates, low, high, color=EXPECTED, alpha=0.16, linewidth=0, label=band)
    good = (rows["status"] != NOT_ASSESSABLE).to_numpy() & np.isfinite(seen) & np.isfinite(mean)
    for more, colour, hatch, key in ((True, ABOVE, "", "above"), (False, BELOW, "....", "below")):
        where = good & ((seen > mean) if more else (seen < mean))
        axes.fill_between(
            dates, mean, seen, where=where, interpolate=True, facecolor=colour, alpha=0.75, linewidth=0, hatch=hatch,
            edgecolor="#ffffff", label=label(f"excess.picture.{key}", language),
        )  # fmt: skip
    axes.plot(
        dates,
        mean,
        color=EXPECTED,
        linewidth=1.6,
        linestyle=(0, (5, 2)),
        label=label("excess.picture.expected", language),
    )
    axes.plot(dates, seen, color=OBSERVED, linewidth=1.1, label=label("excess.picture.observed", language))
    _hatch_incomplete(axes, rows, language)
    lowest = np.nanmin(np.concatenate([seen, low])) if np.isfinite(np.concatenate([seen, low])).any() else 0.0
    axes.set_ylim(bottom=0 if lowest < 0.5 * np.nanmax(high, initial=1.0) else 0.92 * lowest)
    _plain(axes, label(f"excess.picture.deaths_{_step(rows)}", language), language)


def _step(rows: pd.DataFrame) -> str:
    """What one period is: day, week, month."""
    days = (pd.to_datetime(rows["period_end"]) - rows["date"]).dt.days.abs().median()
    steps = rows["date"].diff().dt.days.median()
    length = max(days if days == days else 0, steps if steps == steps else 0)
    return "day" if length < 2 else "week" if length < 10 else "month"


def _hatch_incomplete(axes: Axes, rows: pd.DataFrame, language: str) -> None:
    """Runs of periods that are still being reported."""
    open_ = rows["reason"].isin(_INCOMPLETE).to_numpy()
    if not open_.any():
        return
    dates = rows["date"].to_numpy()
    half = np.median(np.diff(dates)) / 2 if len(dates) > 1 else np.timedelta64(3, "D")
    edges = np.flatnonzero(np.diff(np.concatenate([[False], open_, [False]]).astype(int)))
    for number, (first, last) in enumerate(edges.reshape(-1, 2)):
        axes.axvspan(
            dates[first] - half, dates[last - 1] + half, facecolor="none", edgecolor=GREY, hatch="////", linewidth=0,
            alpha=0.45, label=label("excess.picture.incomplete", language) if not number else None,
        )  # fmt: skip


def _draw_sum(axes: Axes, rows: pd.DataFrame, language: str) -> None:
    dates, total = rows["date"].to_numpy(), rows["cumulative_excess"].to_numpy(float)
    low, high = rows["cumulative_lower"].to_numpy(float), rows["cumulative_upper"].to_numpy(float)
    axes.fill_between(dates, low, high, color=ABOVE, alpha=0.3, linewidth=0)
    axes.plot(dates, total, color="#8a4b00", linewidth=1.6)
    axes.axhline(0, color=GREY, linewidth=0.8)
    _plain(axes, label("excess.picture.sum", language), language)


def _plain(axes: Axes, name: str, language: str) -> None:
    """The frame of the house: no box, light lines, numbers as people of the language write them."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(RULE)
    axes.tick_params(color=RULE, labelcolor=INK, labelsize=8.5)
    axes.grid(axis="y", color="#e8ecef", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: format_number(value, 0, language)))
    axes.set_title(name, loc="left", fontsize=9, color=GREY, pad=4)


def _date_axis(axes: Axes, rows: pd.DataFrame, language: str, *, most: int) -> None:
    """Ticks on the first days of months or years, at most so many."""
    first, last = rows["date"].iloc[0], rows["date"].iloc[-1]
    months = pd.date_range(first.normalize().replace(day=1), last, freq="MS")
    months = months[months >= first] if len(months) > 1 else months
    step = next((one for one in (1, 2, 3, 6, 12, 24, 60, 120) if len(months) / one <= most), 120)
    kept: Any = months[(months.year * 12 + months.month - 1) % step == 0]
    axes.set_xticks(kept, [f"{one.year}" if step >= 12 else f"{one.month:02}/{one.year}" for one in kept])
    axes.set_xlim(first, last if last > first else first + pd.Timedelta(days=7))


def _words(
    drawing: Figure, axes: Axes, rows: pd.DataFrame, summary: str, *, title: str, note: str, language: str, size: str
) -> None:
    width = 110 if size == "print" else 50
    drawing.suptitle(
        "\n".join(textwrap.wrap(title, width - 8)), x=0.01, ha="left", fontsize=11, fontweight=600, color=INK
    )
    head = "\n".join(textwrap.wrap(summary, width))
    axes.set_title(f"{head}\n{axes.get_title(loc='left')}", loc="left", fontsize=9, color=INK, pad=4, linespacing=1.3)
    lines = [
        label(
            "excess.picture.baseline",
            language,
            years=rows["baseline"].iloc[0] or "–",
            method=method_words(rows, language),
        ),
        note,
    ]
    foot = "\n".join(part for line in lines for part in textwrap.wrap(line, width + 10))
    columns = 3 if size == "print" else 2
    drawing.legend(
        *axes.get_legend_handles_labels(), loc="outside lower left", ncols=columns, frameon=False, fontsize=8.5,
        title=foot, title_fontsize=8, alignment="left",
    )  # fmt: skip


def summary_words(rows: pd.DataFrame, language: str | None = None) -> str:
    """The sum of the excess in one sentence: from when to when, limits, share of what was expected, per persons."""
    summed = rows[np.isfinite(rows["cumulative_excess"].to_numpy(float)) & (rows["status"] != NOT_ASSESSABLE)]
    if not len(summed):
        reasons = sorted({str(key) for key in rows["reason"] if key})
        why = [label(key, language) + "." for key in reasons] if len(reasons) == 1 else []
        return " ".join([label("excess.picture.no_sum", language), *why])
    last = summed.iloc[-1]
    fields = {name: format_number(last[f"cumulative_{name}"], 0, language) for name in ("excess", "lower", "upper")}
    share = format_number(last["cumulative_p_score"], 1, language)
    key = "excess.picture.summary" if np.isfinite(last["cumulative_lower"]) else "excess.picture.summary_no_limits"
    text = label(
        key, language, start=format_date(summed["date"].iloc[0].date(), language),
        end=format_date(last["period_end"].date(), language), share=share, **fields,
    )  # fmt: skip
    missing = int(last["periods_missing"])
    return text + (" " + label("excess.picture.missing", language, periods=missing) if missing else "")


def method_words(rows: pd.DataFrame, language: str | None = None) -> str:
    """The name of the method in words."""
    known = {
        "quasipoisson",
        "poisson",
        "negative_binomial",
        "five_year_average",
        "linear_trend",
        "farrington",
        "euromomo",
    }
    name = str(rows["method"].iloc[0])
    word = next((one for one in sorted(known, key=len, reverse=True) if name.startswith(one)), "quasipoisson")
    return label(f"excess.method.{word}", language)


def lines_of(axes: Axes) -> list[npt.NDArray[Any]]:
    """The data of the lines of a panel, for tests and for people who check a picture."""
    return [np.asarray(line.get_ydata(), dtype=float) for line in axes.get_lines()]
