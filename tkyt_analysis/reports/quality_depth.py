"""Further sections of the quality report: what bad data change in the figures, fair scores, and whether quality gets better."""

from __future__ import annotations

from functools import cache

import pandas as pd

from tkyt_analysis.catalog import load_entries
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.pages import paragraph, section, table_html
from tkyt_analysis.quality.conclusion import conclusion_sentence
from tkyt_analysis.reference.periods import as_period
from tkyt_analysis.reports.quality_data import QualityView

FIGURE = ["figure_kind", "dataset_id", "figure"]
SCENARIOS = ("outliers", "completeness", "both")


def consequences_section(view: QualityView, language: str, *, most: int = 10) -> str:
    """What the findings would change: the figures of the place and year that move most, and whether a conclusion turns."""
    title = label("report.quality.consequences", language)
    parts = [_changes_by_findings(view, language, most), _scenarios(view, language, most)]
    if not any(parts):
        return section(title, paragraph(label("report.quality.no_consequences", language)))
    return section(title, paragraph(label("report.quality.consequences_text", language)) + "".join(parts))


def _changes_by_findings(view: QualityView, language: str, most: int) -> str:
    """Sums of the changes that the suggested values would make, figure by figure, in the year of the report."""
    if not view.release.has("finding_consequence"):
        return ""
    rows = view.release.query(
        f"""
        SELECT {", ".join(FIGURE)}, count(*) AS findings, any_value(reported) AS reported, sum(change) AS change
        FROM finding_consequence WHERE place = ? AND period_id = ? AND figure_kind = 'total' AND change IS NOT NULL
        GROUP BY ALL ORDER BY abs(sum(change) / nullif(any_value(reported), 0)) DESC NULLS LAST, figure LIMIT {int(most)}
        """,
        [view.place, str(as_period(view.period_id).year)],
    )
    if rows.empty:
        return ""
    table = pd.DataFrame(
        {
            "figure": [figure_title(view, row, language) for row in rows.to_dict("records")],
            "findings": rows["findings"],
            "reported": rows["reported"],
            "change": rows["change"],
            "change_percent": 100 * rows["change"] / rows["reported"].where(rows["reported"] != 0),
        }
    )
    headings = {name: label(f"report.quality.head.{name}", language) for name in table.columns}
    caption = label("report.quality.changes_caption", language, year=as_period(view.period_id).year)
    return table_html(table, headings=headings, caption=caption, decimals={"change_percent": 1}, language=language)


def _scenarios(view: QualityView, language: str, most: int) -> str:
    """The figures whose conclusion another scenario turns; how many stay, and of how many nothing can be said."""
    if not view.release.has("adjusted_total"):
        return ""
    rows = view.release.query(
        "SELECT * FROM adjusted_total WHERE place = ? AND year = ? ORDER BY ALL",
        [view.place, as_period(view.period_id).year],
    )
    if rows.empty:
        return ""
    wide = rows.pivot(index=FIGURE, columns="scenario", values="value")
    reported = {tuple(row[name] for name in FIGURE): row for row in rows[rows["scenario"] == "none"].to_dict("records")}
    turned = rows[rows["conclusion_changes"] == "yes"]
    lines = []
    for key, group in turned.groupby(FIGURE, sort=True):
        words = {conclusion_sentence(row, reported[key], language) for row in group.to_dict("records")}
        lines.append({"figure": key, "words": " ".join(sorted(words))} | wide.loc[key].to_dict())
    counts = rows[rows["scenario"] == "both"]["conclusion_changes"].value_counts()
    numbers = {name: format_number(int(counts.get(name, 0)), 0, language) for name in ("yes", "no", "not_assessable")}
    said = paragraph(label("report.quality.conclusions", language, **numbers))
    return said + _scenario_table(view, pd.DataFrame(lines).head(most), language)


def _scenario_table(view: QualityView, lines: pd.DataFrame, language: str) -> str:
    if lines.empty:
        return ""
    shown = [name for name in ("none", *SCENARIOS) if name in lines]
    titles = [figure_title(view, dict(zip(FIGURE, key, strict=True)), language) for key in lines["figure"]]
    table = lines[[*shown, "words"]].assign(figure=titles)[["figure", *shown, "words"]]
    headings = {name: label(f"report.quality.head.{name}", language) for name in table.columns}
    caption = label("report.quality.scenarios_caption", language)
    return table_html(table, headings=headings, caption=caption, decimals=dict.fromkeys(shown, 1), language=language)


def figure_title(view: QualityView, row: dict, language: str) -> str:
    """The name of a figure: of an element, or of an indicator of a data set."""
    known = view.elements.get(row["figure"])
    if known:
        return str(known)
    return _indicator_titles(language).get((row["dataset_id"], row["figure"]), str(row["figure"]))


@cache
def _indicator_titles(language: str) -> dict[tuple[str, str], str]:
    return {
        (entry.id, one.id): one.title[language]
        for entry in load_entries("datasets").values()
        for one in entry.indicators
    }


def scores_section(view: QualityView, language: str) -> str:
    """Completeness of the units below the place as a funnel, and the components of the place's own score with intervals."""
    from tkyt_analysis.quality.scores.settings import component_title

    title = label("report.quality.scores", language)
    if not view.release.has("quality_score"):
        return section(title, paragraph(label("report.quality.no_scores", language)))
    year = as_period(view.period_id).year
    rows = view.release.query("SELECT * FROM quality_score WHERE year = ? AND dataset_id = ''", [year])
    own = rows[(rows["place"] == view.place) & (rows["level"] == _level(rows, view.place))]
    own = own.sort_values("component", key=lambda names: names != "composite", kind="stable")
    table = pd.DataFrame(
        {
            "component": [component_title(one, language) for one in own["component"]],
            "score_percent": 100 * own["score"],
            "lower_percent": 100 * own["lower"],
            "upper_percent": 100 * own["upper"],
            "weight_percent": 100 * own["weight"],
        }
    )
    headings = {name: label(f"report.quality.head.{name}", language) for name in table.columns}
    decimals = dict.fromkeys(("score_percent", "lower_percent", "upper_percent"), 1)
    caption = label("report.quality.scores_caption", language, place=view.place_name, year=year)
    shown = table_html(table, headings=headings, decimals=decimals, caption=caption, language=language)
    return section(
        title,
        paragraph(label("report.quality.scores_text", language))
        + (shown if len(own) else "")
        + _funnel(view, year, language),
    )


def _level(rows: pd.DataFrame, place: str) -> str:
    """The widest level at which the place is scored: a province that reports itself is scored as a unit as well."""
    present = set(rows.loc[rows["place"] == place, "level"])
    return next((level for level in ("nation", "province", "unit") if level in present), "")


def _funnel(view: QualityView, year: int, language: str) -> str:
    """Who is low beyond chance among the units of the place."""
    from tkyt_analysis.quality.scores.funnel import funnel_of_scores
    from tkyt_analysis.quality.scores.funnel_picture import draw_funnel

    scores = view.release.query("SELECT * FROM quality_score WHERE year = ? AND component = 'completeness'", [year])
    scores = scores[scores["place"].isin(view.units["unit_id"])]
    units = scores[(scores["level"] == "unit") & (scores["dataset_id"] == "")]
    if len(units) < 3:
        return ""
    table = funnel_of_scores(scores, component="completeness", year=year)
    return draw_funnel(
        table, title=label("report.quality.funnel_title", language), across=label("report.quality.funnel_across", language),
        names=dict(view.names), language=language,
    )  # fmt: skip


def trend_section(view: QualityView, language: str, *, months: int = 12) -> str:
    """Findings per 1,000 values in the months reported about, with limits: does quality get better?"""
    title = label("report.quality.trend", language)
    if not view.release.has("quality_trend"):
        return section(title, paragraph(label("report.quality.no_trend", language)))
    rows = view.release.query(
        """
        SELECT "at", findings, reported_values, per_1000, "lower", "upper" FROM quality_trend
        WHERE axis = 'month' AND "by" IN ('all', 'province') AND member = ? AND "at" <= ? ORDER BY "at"
        """,
        [view.place, view.period_id],
    ).tail(months)
    if rows.empty:
        return section(title, paragraph(label("report.quality.no_trend", language)))
    table = rows.assign(at=[as_period(one).name(language) for one in rows["at"]])
    headings = {name: label(f"report.quality.head.{name}", language) for name in table.columns}
    decimals = dict.fromkeys(("per_1000", "lower", "upper"), 1)
    shown = table_html(table, headings=headings, decimals=decimals, language=language)
    return section(title, paragraph(label("report.quality.trend_text", language)) + shown)
