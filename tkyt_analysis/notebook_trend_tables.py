"""What the notebook of trends shows: the picture, stretches in words, marks, one line beside them, all units below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.cube.model import NATION
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.notebook_country import Answer, capital, map_of, range_text, two_sizes
from tkyt_analysis.notebook_course import MINIMUM_YEARS
from tkyt_analysis.notebook_trends import KEY, YearlySeries, marks_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tkyt_analysis.analysis.trend.joinpoint_regression import JoinpointResult

DECIMALS = 2  # of a change in % a year, as NCI prints it
FEW_EVENTS = 100  # a year: below, joinpoints are found in half of drawn series or fewer (docs/joinpoint.md)


def trend_html(series: YearlySeries, found: JoinpointResult) -> Answer:
    """The picture that people publish, and the trend of the place in words."""
    from tkyt_analysis.analysis.trend import joinpoint_picture
    from tkyt_analysis.pages import notice, paragraph

    own = found.segments[found.segments[KEY] == series.place]
    if own.empty or (own["status"] == "not_assessable").all():
        return _refused(series, own)
    title = f"{series.title}, {series.name}"

    def draw(size: str) -> Figure:
        drawn = joinpoint_picture(
            found, only={KEY: series.place}, title=title, unit=series.unit, note=series.note, size=size,
            language=series.language,
        )  # fmt: skip
        for axes in drawn.axes:
            axes.get_legend().set_title(None)  # the key is the unit's code; the name stands above
        return drawn

    html = two_sizes(draw, caption=label("trend_notebook.picture", series.language, title=title, note=series.note))
    html += paragraph(sentence(series, found, series.place))
    few = series.own["events"].min()
    if few < FEW_EVENTS:
        text = label("trend_notebook.few_events", series.language, found=format_number(few, 0), least=FEW_EVENTS)
        html += notice(text, kind="warning", language=series.language)
    if len(series.own) < MINIMUM_YEARS:
        html += notice(" ".join(series.missing[:1]), kind="warning", language=series.language)
    return series.answer(own, html)


def _refused(series: YearlySeries, own: pd.DataFrame) -> Answer:
    reason = str(own["reason"].iloc[0]) if len(own) else "reason.joinpoint_no_events"
    said = label(reason, series.language) if reason else ""
    return series.nothing("trend_notebook.refused", place=capital(series.name), reason=said)


def sentence(series: YearlySeries, found: JoinpointResult, unit: str) -> str:
    """ "2010–2025 trung bình giảm 0,8 % mỗi năm (…); gồm: 2010–2015 tăng …; 2015–2025 giảm …"."""
    average = found.aapc[found.aapc[KEY] == unit].iloc[0]
    parts = found.segments[found.segments[KEY] == unit]
    whole = label(
        "trend_notebook.average", series.language, span=f"{average['start']:.0f}–{average['end']:.0f}",
        change=change_words(average["aapc"], average["lower"], average["upper"], series.language),
    )  # fmt: skip
    if len(parts) == 1:
        return whole + " " + label("trend_notebook.no_joinpoint", series.language)
    told = "; ".join(segment_words(one, series.language) for one in parts.to_dict("records"))
    return whole + " " + label("trend_notebook.parts", series.language, parts=told)


def segment_words(segment: dict[Any, Any], language: str) -> str:
    """ "2010–2015 tăng 1,5 % mỗi năm (1,2–1,7)"."""
    change = change_words(segment["apc"], segment["lower"], segment["upper"], language)
    return f"{segment['start']:.0f}–{segment['end']:.0f}: {change}"


def change_words(value: float, lower: float, upper: float, language: str) -> str:
    """ "tăng 1,5 % mỗi năm (1,2–1,7)"; "chưa rõ tăng hay giảm (0,3 %; từ −0,4 đến 1,1)" where the limits hold 0."""
    if pd.isna(value):
        return label("verdict.not_assessable", language)
    if pd.isna(lower) or lower <= 0 <= upper:
        key = "trend_notebook.unclear" if pd.notna(lower) else "trend_notebook.no_limits"
        return label(key, language, change=range_text(value, lower, upper, DECIMALS, language))
    key = "trend_notebook.rises" if value > 0 else "trend_notebook.falls"
    ends = (lower, upper) if value > 0 else (-upper, -lower)
    return label(key, language, change=range_text(abs(value), *ends, DECIMALS, language))


def segments_html(series: YearlySeries, found: JoinpointResult) -> Answer:
    """Each stretch of the place with its change in words, the average, and whether it crosses a change of the yardstick."""
    from tkyt_analysis.pages import table_html

    own = found.segments[found.segments[KEY] == series.place]
    if own.empty or (own["status"] == "not_assessable").all():
        return _refused(series, own)
    language = series.language
    table = pd.DataFrame({
        "span": [f"{one.start:.0f}–{one.end:.0f}" for one in own.itertuples()],
        "years": own["n"].astype(int).astype("str").to_list(),
        "change": [change_words(one.apc, one.lower, one.upper, language) for one in own.itertuples()],
        "marks": [str(one) or "–" for one in own["breaks"]],
    })  # fmt: skip
    average = found.aapc[found.aapc[KEY] == series.place].iloc[0]
    table.loc[len(table)] = [
        label("trend_notebook.all_years", language), f"{len(series.own)}",
        change_words(average["aapc"], average["lower"], average["upper"], language), "–",
    ]  # fmt: skip
    headings = {name: label(f"trend_notebook.column.{name}", language) for name in table}
    caption = label("trend_notebook.table.segments", language, place=series.name)
    html = table_html(table, headings=headings, caption=caption, total_rows=[len(table) - 1], stacked=True)
    return series.answer(own, html)


def marks_html(series: YearlySeries) -> Answer:
    """The years in which the yardstick changes: population, list of causes, form of the register."""
    from tkyt_analysis.pages import paragraph, table_html

    marks = marks_of(series)
    marks = marks[marks[KEY] == series.place]
    if marks.empty:
        return Answer(marks, paragraph(label("trend_notebook.no_marks", series.language)))
    language = series.language
    table = pd.DataFrame({
        "year": marks["at"].astype("str"),
        "what": [label(one, language) for one in marks["note"]],
        "change": [f"{one.before or '–'} → {one.after or '–'}" for one in marks.itertuples()],
    })  # fmt: skip
    headings = {name: label(f"trend_notebook.mark.{name}", language) for name in table}
    html = paragraph(label("trend_notebook.marks_of_country", language)) if series.country else ""
    html += table_html(table, headings=headings, caption=label("trend_notebook.table.marks", language), stacked=True)
    return Answer(marks, html)


def straight_html(series: YearlySeries, found: JoinpointResult) -> Answer:
    """One straight line through all years by three models of counts, beside the average of the joinpoints."""
    from tkyt_analysis.analysis.trend import count_trend
    from tkyt_analysis.pages import paragraph, table_html

    if not series.counted:
        return series.nothing("trend_notebook.not_counts", measure=series.title)
    language, own = series.language, series.own[["year", "events", "population"]]
    models = ("poisson", "quasipoisson", "negative_binomial")
    rows = pd.concat([count_trend(own, model=one).assign(model=one) for one in models], ignore_index=True)
    if (rows["status"] == "not_assessable").all():
        return series.nothing(
            "trend_notebook.refused", place=capital(series.name), reason=label(rows["reason"].iloc[0], language)
        )
    average = found.aapc[found.aapc[KEY] == series.place].iloc[0]
    changes = [(one.apc, one.lower, one.upper) for one in rows.itertuples()]
    changes.append((average["aapc"], average["lower"], average["upper"]))
    table = pd.DataFrame({
        "model": [label(f"trend_notebook.model.{one}", language) for one in (*models, "joinpoint")],
        "change": [change_words(*one, language) for one in changes],
    })  # fmt: skip
    headings = {name: label(f"trend_notebook.column.{name}", language) for name in table}
    spread = float(rows["dispersion"].iloc[0])
    said = label(
        "trend_notebook.spread" if bool(rows["overdispersed"].iloc[0]) else "trend_notebook.no_spread", language,
        spread=format_number(spread, 1, language),
    )  # fmt: skip
    caption = label("trend_notebook.table.models", language, place=series.name)
    html = table_html(table, headings=headings, caption=caption, stacked=True) + paragraph(said)
    return series.answer(rows, html)


def below_html(series: YearlySeries, found: JoinpointResult) -> Answer:
    """All units below the place: map of the average change where they are provinces, and their stretches in words."""
    from tkyt_analysis.pages import table_html

    average = found.aapc[found.aapc[KEY] != series.place]
    told = average[average["status"] != "not_assessable"].sort_values("aapc")
    if series.missing and not series.country or len(told) < 2:
        return series.nothing("trend_notebook.nothing_below", place=series.name)
    language, names = series.language, series.rows.drop_duplicates(KEY).set_index(KEY)["name"]
    parts = {unit: rows.to_dict("records") for unit, rows in found.segments.groupby(KEY)}
    table = pd.DataFrame({
        "place": told[KEY].map(names).to_list(),
        "average": [change_words(one.aapc, one.lower, one.upper, language) for one in told.itertuples()],
        "parts": [
            "; ".join(segment_words(one, language) for one in parts[unit]) if len(parts[unit]) > 1
            else label("trend_notebook.one_part", language) for unit in told[KEY]
        ],
    })  # fmt: skip
    html = ""
    if series.place == NATION:
        values = told.rename(columns={"aapc": "value"})[[KEY, "value", "lower", "upper"]]
        html = map_of(
            "change", values, series, unit="%",
            title=label("trend_notebook.map", language, measure=series.title, span=_span(average)),
        )  # fmt: skip
    headings = {name: label(f"trend_notebook.below.{name}", language) for name in table}
    caption = label("trend_notebook.table.below", language, measure=series.title)
    html += table_html(table, headings=headings, caption=caption, stacked=True)
    html += _truth(series, found)
    return Answer(told, html) if series.place == NATION else series.answer(told, html)  # the map has its band


def _span(average: pd.DataFrame) -> str:
    return f"{average['start'].min():.0f}–{average['end'].max():.0f}"


def _truth(series: YearlySeries, found: JoinpointResult) -> str:
    """Of the practice country: in how many provinces the planted number of joinpoints was found."""
    from tkyt_analysis.pages import notice

    if series.truth.empty:
        return ""
    planted = series.truth.drop_duplicates(KEY).set_index(KEY)["joinpoints"]
    seen = found.series.set_index(KEY)["n_joinpoints"].reindex(planted.index)
    right = int((seen == planted).sum())
    text = label("trend_notebook.truth", series.language, right=right, provinces=len(planted))
    return notice(text, language=series.language)
