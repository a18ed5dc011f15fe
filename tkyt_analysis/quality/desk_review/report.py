"""The printed desk review: one section per domain, one table per metric. DeskReviewView → HTML."""

from __future__ import annotations

import datetime
from collections import Counter
from html import escape

import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.pages import FigureCard, figure_cards, notice, paragraph, section, table_html
from tkyt_analysis.quality.desk_review.review import METRICS
from tkyt_analysis.quality.desk_review.view import DeskReviewView
from tkyt_analysis.quality.desk_review.words import (
    facts_of,
    interpretation,
    names_text,
    place_diverges,
    reason_text,
    score_text,
)
from tkyt_analysis.warehouse.release import NATION

DOMAINS = {"1": ("1a", "1b", "1c", "1d"), "2": ("2a", "2b", "2c", "2d", "2e"), "3": ("3a",), "4": ("4a", "4b")}
UNITS_SHOWN = 12


def summary_section(view: DeskReviewView, language: str) -> str:
    """What was reviewed, how much of it could be judged, and which units come up most."""
    rows = view.rows
    judged = rows[rows["status"] == "ok"]
    whole = [place_diverges(row) for row in judged.to_dict("records")]
    cards = [
        FigureCard(
            label("desk_review.card.judged", language),
            label("desk_review.of", language, part=len(judged), whole=len(rows)),
        ),
        FigureCard(label("desk_review.card.place", language), sum(one is True for one in whole)),
        FigureCard(label("desk_review.card.units", language), int((judged["diverging"] > 0).sum())),
        FigureCard(label("desk_review.card.noise", language), int((judged["beyond_noise"].fillna(0) > 0).sum())),
    ]
    text = label(
        "desk_review.summary", language, place=view.place_name, year=view.year, units=_kind_of_units(view, language)
    )
    return (
        figure_cards(cards, language=language)
        + paragraph(text)
        + _overview(view, language)
        + _most_often(view, language)
    )


def _kind_of_units(view: DeskReviewView, language: str) -> str:
    kind = view.geography.lower() if view.place == NATION else f"province_{view.geography.lower()}"
    return label(f"desk_review.units.{kind}", language)


def _overview(view: DeskReviewView, language: str) -> str:
    """One row per metric: how many subjects were judged, how many diverge here and below, how many units."""
    table = []
    for metric in METRICS:
        rows = view.rows[view.rows["metric"] == metric]
        judged = rows[rows["status"] == "ok"]
        said = [one for one in (place_diverges(row) for row in judged.to_dict("records")) if one is not None]
        table.append(
            {
                "metric": label(f"desk_review.metric.{metric}", language),
                "judged": label("desk_review.of", language, part=len(judged), whole=len(rows)) if len(rows) else "–",
                "place": label("desk_review.of", language, part=sum(said), whole=len(said)) if said else "–",
                "diverging": int(judged["diverging"].sum()) if len(judged) else None,
                "beyond": int(judged["beyond_noise"].sum()) if judged["beyond_noise"].notna().any() else None,
                "unknown": int(rows["not_assessable"].sum()) if len(rows) else None,
            }
        )
    frame = pd.DataFrame(table).astype(dict.fromkeys(("diverging", "beyond", "unknown"), "Float64"))
    headings = {name: label(f"desk_review.overview.{name}", language) for name in frame.columns}
    caption = label("desk_review.overview.caption", language)
    return table_html(frame, headings=headings, caption=caption, stacked=True, language=language)


def _most_often(view: DeskReviewView, language: str) -> str:
    """The units that diverge most often, those that chance may explain apart."""
    often, sure, names = Counter[str](), Counter[str](), {}
    for row in view.records(language):
        if row["metric"] == "4a" or row["status"] != "ok":
            continue
        for one in row["names"]:
            names[one["unit"]] = one.get("name", one["unit"])
            often[one["unit"]] += 1
            sure[one["unit"]] += one["beyond_noise"] is not False
    if not often:
        return paragraph(label("desk_review.nobody", language))
    order = sorted(often, key=lambda unit: (-sure[unit], -often[unit], unit))[:UNITS_SHOWN]
    table = pd.DataFrame(
        {
            "unit": [names[one] for one in order],
            "sure": [sure[one] for one in order],
            "often": [often[one] for one in order],
        }
    )
    headings = {name: label(f"desk_review.often.{name}", language) for name in table.columns}
    return table_html(table, headings=headings, caption=label("desk_review.often.caption", language), language=language)


def domain_section(view: DeskReviewView, domain: str, language: str) -> str:
    """One domain: its metrics, each with its table and what could not be judged."""
    parts = [_metric(view, metric, language) for metric in DOMAINS[domain]]
    return section(label(f"desk_review.domain.{domain}", language), "".join(parts))


def _metric(view: DeskReviewView, metric: str, language: str) -> str:
    rows = view.rows[view.rows["metric"] == metric]
    title = f"<h3>{escape(label(f'desk_review.metric.{metric}', language))}</h3>"
    rule = _rule(view, metric, language)
    if rows.empty and metric == "4a" and view.place != NATION:
        return title + rule + notice(label("desk_review.nation_only", language), kind="info", language=language)
    if rows.empty:
        return title + rule + notice(label("desk_review.no_subject", language), kind="info", language=language)
    judged = rows[rows["status"] == "ok"]
    noted = [_worth_a_row(row) for row in judged.to_dict("records")]
    worth = judged[pd.Series(noted, index=judged.index, dtype=bool)]
    table = _table(view, worth, language) if len(worth) else ""
    fine = _nothing_diverges(view, judged.drop(worth.index), language)
    return title + rule + table + fine + _not_assessable(view, rows[rows["status"] != "ok"], language)


def _worth_a_row(row: dict) -> bool:
    """Something diverges, lies above 100 %, or it is the nation's population."""
    above = row["metric"] in ("1a", "1c") and (row["score"] > 1 or facts_of(row).get("above"))
    return bool(row["diverging"] or place_diverges(row) or above or row["metric"] == "4a")


def _nothing_diverges(view: DeskReviewView, rows: pd.DataFrame, language: str) -> str:
    """The subjects of which neither the place nor a unit diverges, with their scores, in one line."""
    if rows.empty:
        return ""
    named = [
        label(
            "desk_review.with_score",
            language,
            subject=view.subject_name(row["metric"], row["subject"], language),
            score=score_text(row, language),
        )
        for row in rows.to_dict("records")
    ]
    return paragraph(label("desk_review.nothing_diverges", language, subjects="; ".join(named)))


def _rule(view: DeskReviewView, metric: str, language: str) -> str:
    """What the metric is and from which value on something diverges, as in force at the end of the year."""
    try:
        values = {name: view.entry.threshold(name, datetime.date(view.year, 12, 31)) for name in view.entry.thresholds}
    except InputError as error:  # a year before the first threshold
        return paragraph(error.sentence())
    fields = {
        "limit": format_number(100 * values.get(metric, 0), 0, language),
        "strict": format_number(values.get(metric), 1, language),
    }
    fields |= {
        "values": values.get(f"{metric}_values", ""),
        "extreme": format_number(values["2c_extreme"], 0, language),
    }
    for kind in ("eq", "aGTb", "level"):
        fields[kind] = format_number(100 * values[f"2e_{kind}"], 0, language)
    fields |= {"years": values["years_before"], "apart": values["estimate_years_apart"]}
    return paragraph(label(f"desk_review.rule.{metric}", language, **fields))


def _table(view: DeskReviewView, rows: pd.DataFrame, language: str) -> str:
    records = rows.to_dict("records")
    table = pd.DataFrame(
        {
            "subject": [view.subject_name(row["metric"], row["subject"], language) for row in records],
            "score": [score_text(row, language) for row in records],
            "diverging": [_diverging(row, language) for row in records],
            "names": [names_text(row, language) for row in records],
            "meaning": [interpretation(row, language) for row in records],
        }
    )
    if not rows["beyond_noise"].isna().all():
        beyond = [
            "–" if pd.isna(row["beyond_noise"]) else format_number(row["beyond_noise"], 0, language) for row in records
        ]
        table.insert(3, "beyond", beyond)
    if rows["metric"].iloc[0] == "4a":
        table = table[["subject", "score", "meaning"]]
    headings = {name: label(f"desk_review.column.{name}", language) for name in table.columns}
    return table_html(table, headings=headings, stacked=True, language=language)


def _diverging(row: dict, language: str) -> str:
    if not row["subunits"]:
        return "–"
    return label("desk_review.of", language, part=int(row["diverging"]), whole=int(row["subunits"]))


def _not_assessable(view: DeskReviewView, rows: pd.DataFrame, language: str) -> str:
    """The subjects without a result, by reason: never left out."""
    if rows.empty:
        return ""
    by_reason = [
        label(
            "desk_review.without_result",
            language,
            reason=reason_text(str(reason), language),
            subjects="; ".join(
                view.subject_name(row["metric"], row["subject"], language) for row in group.to_dict("records")
            ),
        )
        for reason, group in rows.groupby("reason", sort=True)
    ]
    return "".join(paragraph(text) for text in by_reason)


def method_section(view: DeskReviewView, language: str) -> str:
    """How to read it: where the thresholds come from, what counting noise means, what differs from WHO's tool."""
    texts = [
        label(f"desk_review.method.{name}", language)
        for name in ("source", "noise", "stars", "unknown", "months", "lineage")
    ]
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return section(label("desk_review.method", language), f"<ul>{items}</ul>")
