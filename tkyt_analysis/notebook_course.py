"""The course of a measure by month with Tết marked and the completeness of reports beside it; and what years may say."""

from __future__ import annotations

import datetime
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tkyt_analysis.labels import current_language, format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.api.question import Question
    from tkyt_analysis.warehouse.release import Release

MINIMUM_YEARS = 5  # as `excessmort` (R) warns: no trend with fewer (methods page)
TET_COLOUR = "#e69f00"


class Drawing:
    """An SVG picture with caption that shows itself in a notebook."""

    def __init__(self, html: str) -> None:
        self.html = html

    def _repr_html_(self) -> str:
        return self.html


def draw_course(question: Question, language: str | None = None) -> Drawing:
    """Values by month above, the share of due reports that arrived below, Tết as a band over both.

    question : one measure by month
    """
    from tkyt_analysis.assets import chart_style
    from tkyt_analysis.pages import figure, notice
    from tkyt_analysis.reports.charts import svg_of

    language = language or current_language()
    rows = question.to_pandas()
    if len(rows) < 2:
        return Drawing(notice(label("notebook.course.short", language), language=language))
    measure = question.workbench.measures[question.view.measures[0]]
    with chart_style():
        picture = svg_of(_panels(rows, measure, language))
    caption = label("notebook.course.caption", language, measure=measure.title[language], unit=measure.unit[language])
    return Drawing(
        practice_band(question.workbench.release, language) + figure(picture, caption=caption, alternative=caption)
    )


def practice_band(release: Release, language: str) -> str:
    """The band that every output made of practice data carries; nothing for real data."""
    from tkyt_analysis.notebook_country import band

    return band(release.practice, language)


def _panels(rows: pd.DataFrame, measure: Any, language: str) -> Any:
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(8.6, 4.4))
    top, below = drawing.subplots(2, 1, sharex=True, height_ratios=[3, 1.2])
    places = np.arange(len(rows))
    months = rows["month"].astype("str").tolist()
    reports = rows["expected"].notna().any()
    for axes in (top, below):
        if axes is top or reports:
            _mark_tet(axes, months, language, named=axes is top)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.tick_params(labelsize=9)
    _values(top, places, rows, measure, language)
    _completeness(below, places, rows, language)
    step = max(1, len(months) // 12)
    below.set_xticks(places[::step], [f"{one[4:].lstrip('0')}/{one[:4]}" for one in months[::step]], fontsize=8.5)
    drawing.align_ylabels()
    return drawing


def _values(axes: Any, places: np.ndarray, rows: pd.DataFrame, measure: Any, language: str) -> None:
    from tkyt_analysis.reports.charts import RECEIVED

    values = rows["value"].to_numpy(float)
    lower, upper = rows["lower"].to_numpy(float), rows["upper"].to_numpy(float)
    if np.isfinite(lower).any():
        axes.fill_between(places, lower, upper, color=RECEIVED, alpha=0.15, linewidth=0)
    axes.plot(places, values, color=RECEIVED, marker="o", markersize=3.5, linewidth=1.6)
    axes.set_ylim(bottom=0)
    axes.set_ylabel(measure.unit[language], fontsize=9)
    axes.yaxis.set_major_formatter(lambda value, _: format_number(value, 0 if value == int(value) else 1, language))


def _completeness(axes: Any, places: np.ndarray, rows: pd.DataFrame, language: str) -> None:
    from tkyt_analysis.explorer.marks import least_share
    from tkyt_analysis.reports.charts import RECEIVED

    axes.set_ylabel(label("notebook.course.reports", language), fontsize=9)
    axes.set_ylim(0, 105)
    due = rows["expected"].to_numpy(float)
    share = 100 * rows["received"].to_numpy(float) / np.where(due > 0, due, np.nan)
    if not np.isfinite(share).any():
        text = label("notebook.course.no_reports", language)
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=9, color="#5a6570")
        axes.set_yticks([])
        return
    axes.axhline(100 * least_share(), color="#8a5a00", linewidth=1, linestyle="--")
    axes.plot(places, share, color=RECEIVED, marker="o", markersize=3, linewidth=1.4)
    axes.set_yticks([0, 50, 100])


def _mark_tet(axes: Any, months: list[str], language: str, *, named: bool) -> None:
    """A band over each month of the first day of the lunar year."""
    for year in sorted({one[:4] for one in months}):
        day = first_day_of_tet(int(year))
        month = f"{day:%Y%m}"
        if month in months:
            place = months.index(month)
            axes.axvspan(place - 0.45, place + 0.45, color=TET_COLOUR, alpha=0.25, linewidth=0)
            if named:
                axes.text(
                    place, 1.02, label("notebook.course.tet", language), transform=axes.get_xaxis_transform(),
                    ha="center", va="bottom", fontsize=8.5, color="#5c3b00",
                )  # fmt: skip


def first_day_of_tet(year: int) -> datetime.date:
    """The first day of the lunar year that begins in a year."""
    from vnlunar import get_solar_date

    found = get_solar_date(1, 1, year)
    return datetime.date(found["year"], found["month"], found["day"])


class Reading:
    """Sentences in plain words."""

    def __init__(self, *sentences: str) -> None:
        self.sentences = sentences

    def _repr_html_(self) -> str:
        return "".join(f"<p>{escape(one)}</p>" for one in self.sentences)

    def __repr__(self) -> str:
        return "\n".join(self.sentences)


def read_years(question: Question, language: str | None = None) -> Reading:
    """What a series of years may say: the first and the last with their limits, and whether there are enough for a trend."""
    language = language or current_language()
    rows = question.to_pandas().dropna(subset=["value"])
    measure = question.workbench.measures[question.view.measures[0]]
    if rows.empty:
        return Reading(label("notebook.course.nothing", language))
    first, last = rows.iloc[0], rows.iloc[-1]
    said = [_figure(row, measure, language) for row in (first, last)]
    compared = label("notebook.course.years", language, measure=measure.title[language], first=said[0], last=said[1])
    if len(rows) < MINIMUM_YEARS:
        enough = label("notebook.course.few_years", language, years=len(rows), least=MINIMUM_YEARS)
    else:
        enough = label("notebook.course.enough_years", language, years=len(rows))
    return Reading(compared, enough)


def _figure(row: pd.Series, measure: Any, language: str) -> str:
    value = f"{format_number(row['value'], measure.decimals, language)} {measure.unit[language]}"
    year = str(row["year"])
    if pd.isna(row["lower"]):
        return label("notebook.course.figure", language, year=year, value=value)
    low, high = (format_number(row[name], measure.decimals, language) for name in ("lower", "upper"))
    return label("notebook.course.figure_limits", language, year=year, value=value, low=low, high=high)
