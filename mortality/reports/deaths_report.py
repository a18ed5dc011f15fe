"""The report on registered deaths: one function per section, DeathsView → HTML."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from mortality.measures.indicator_order import CORRECTED, SEX_ORDER, in_reading_order
from mortality.reports.deaths_data import DeathsView
from mortality.tabulation.cause_lists import GAP, UNKNOWN, CauseList
from tkyt_analysis.catalog import load_entries
from tkyt_analysis.labels import all_labels, format_number, label
from tkyt_analysis.pages import FigureCard, figure_cards, notice, paragraph, section, table_html
from tkyt_analysis.reports.charts import draw_bars

SUMMARY_INDICATORS = ("crude_death_rate", "age_standardised_death_rate")
SEXES = ("male", "female", "unknown", "total")
MARKS = {"deaths.modelled": "*", "deaths.corrected": "†"}


def summary_section(view: DeathsView, language: str) -> str:
    """How many deaths, at what rate, and the sentence that says how far to trust it."""
    cards = [FigureCard(label("deaths.analysed", language), len(view.analysed))]
    figures = view.indicators()
    for indicator in SUMMARY_INDICATORS:
        entry = load_entries("indicators")[indicator]
        rows = figures[(figures["indicator_id"] == indicator) & (figures["sex"] == "total")]
        row = rows.iloc[0].to_dict() if len(rows) else {"status": "not_assessable"}
        known = row["status"] != "not_assessable"
        cards.append(
            FigureCard(
                entry.title[language],
                float(row["value"]) if known else None,
                entry.unit[language],
                entry.decimals,
                trust=None if known and row["status"] == "ok" else "medium" if known else "not_assessable",
                trust_note=interval(row, entry.decimals, language) if known else "",
            )
        )
    return figure_cards(cards, language=language) + paragraph(_sentence(view, language))


def interval(row: Mapping[str, Any], decimals: int, language: str) -> str:
    """The 95 % interval of a figure in words."""
    low, high = (format_number(row[name], decimals, language) for name in ("lower", "upper"))
    return label("deaths.interval", language, low=low, high=high)


def _sentence(view: DeathsView, language: str) -> str:
    total = len(view.analysed)
    review = int((view.analysed["decision"] == "review").sum())
    uncoded = int((view.analysed["decision"] == "uncodable").sum())
    year = str(view.year) if view.year else label("deaths.all_years", language)
    numbers = {
        name: format_number(value, 0, language)
        for name, value in (("total", total), ("review", review), ("uncoded", uncoded))
    }
    return label("deaths.summary", language, place=view.place_name, year=year, **numbers)


def flow_section(view: DeathsView, language: str) -> str:
    """Received → excluded → analysed, and how the causes were coded."""
    flow = view.flow()
    flow = flow.assign(step=[label(f"deaths.step.{step}", language) for step in flow["step"]])
    decisions = view.decisions()
    decisions = decisions.assign(decision=[label(f"deaths.decision.{one}", language) for one in decisions["decision"]])
    deaths = label("column.deaths", language)
    return section(
        label("deaths.flow", language),
        way_figure(view, language)
        + table_html(flow, headings={"step": label("column.step", language), "deaths": deaths}, language=language)
        + table_html(
            decisions, headings={"decision": label("column.decision", language), "deaths": deaths}, language=language
        ),
    )


def way_figure(view: DeathsView, language: str) -> str:
    """The flow diagram from rows received to the deaths of this report; nothing for a release without it."""
    from mortality.persons_release.flow_diagram import flow_figure

    if view.way is None or view.way.empty:
        return ""
    return flow_figure(view.way, language, place=view.place_name, year=view.year)


def causes_section(view: DeathsView, list_id: str, language: str) -> str:
    """Leading items of a cause list as bars, then the whole table; its total equals the deaths analysed."""
    causes, table = view.by_cause(list_id)
    named = table.assign(cause=[item_title(causes, item, language) for item in table["item"]])
    known = named[~named["item"].isin([GAP, UNKNOWN])].sort_values("total", ascending=False, kind="stable")
    title = load_entries("cause_lists")[list_id].title[language]
    bars = draw_bars(
        known,
        name="cause",
        value="total",
        decimals=0,
        unit=label("column.deaths", language),
        caption=label("deaths.leading", language, list=title),
        language=language,
        most=12,
    )
    return section(title, bars + sex_table(named, "cause", label("column.cause", language), language))


def sex_table(table: pd.DataFrame, name: str, heading: str, language: str) -> str:
    """A table by sex with its share and its sum in the last row."""
    shown = [sex for sex in SEXES if sex == "total" or table[sex].sum() > 0]
    total = table["total"].sum()
    sums = pd.DataFrame([{name: label("column.sum", language), **{sex: table[sex].sum() for sex in shown}}])
    whole = pd.concat([table[[name, *shown]], sums], ignore_index=True)
    whole = whole.assign(share=100 * whole["total"] / max(total, 1)).astype(dict.fromkeys(shown, "int64"))
    headings = {
        name: heading,
        **{sex: label(f"column.{sex}", language) for sex in shown},
        "share": label("column.share_percent", language),
    }
    return table_html(whole, headings=headings, decimals={"share": 1}, total_rows=[len(whole) - 1], language=language)


def item_title(causes: CauseList, item: str, language: str) -> str:
    """Name of an item, with its id; the two rows that are no items say what they are."""
    if item in (GAP, UNKNOWN):
        return label(f"deaths.item.{item}", language)
    names = causes.items.set_index("item")[f"label_{language}"]
    return f"{item}. {names[item]}"


def ages_section(view: DeathsView, language: str) -> str:
    """Deaths by age and sex."""
    ages = view.by_age()
    ages = ages.assign(
        age_group=[
            age.replace("-", "–") if age not in ("unknown", "outside") else label(f"age_group.{age}", language)
            for age in ages["age_group"]
        ]
    )
    return section(
        label("deaths.by_age", language), sex_table(ages, "age_group", label("column.age_group", language), language)
    )


def indicators_section(view: DeathsView, language: str) -> str:
    """Figures with interval, method, status in words, and the id to explain them."""
    rows = view.indicators()
    if len(rows):  # rates by age have a table of their own
        rows = rows[(rows["cause"] == "all") & (rows["indicator_id"] != "age_specific_death_rate")]
    if rows.empty:
        return section(
            label("deaths.indicators", language), notice(label("deaths.no_indicators", language), language=language)
        )
    table, headings = _indicator_table(rows, language)
    text = paragraph(label("deaths.indicators_text", language))
    marks = paragraph("; ".join(f"{mark} {label(name, language)}" for name, mark in MARKS.items()) + ".")
    return section(
        label("deaths.indicators", language),
        text + table_html(table, headings=headings, stacked=True, language=language) + marks,
    )


def _indicator_table(rows: pd.DataFrame, language: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """(one row per indicator: men, women, both, and the id of the figure of both; headings)."""
    entries = load_entries("indicators")
    lines = []
    for indicator in in_reading_order(rows["indicator_id"]):
        entry = entries[indicator]
        by_sex = {row["sex"]: row for row in rows[rows["indicator_id"] == indicator].to_dict("records")}
        values = {sex: _value(by_sex[sex], entry.decimals, language) if sex in by_sex else "–" for sex in SEX_ORDER}
        figure = (by_sex.get("total") or next(iter(by_sex.values())))["figure_id"]
        lines.append({"indicator": f"{entry.title[language]}, {entry.unit[language]}", **values, "figure": figure})
    table = pd.DataFrame(lines).rename(columns={"total": "both"})
    return table, {name: label(f"column.{name}", language) for name in table.columns}


def _value(row: Mapping[str, Any], decimals: int, language: str) -> str:
    """ "71,2* (70,1–72,3)"; the marks of MARKS say what is an estimate. Why not where there is no figure."""
    if row["status"] == "not_assessable":
        told = row["sex"] == "total" and row.get("reason") in all_labels()
        return label(row["reason"] if told else "verdict.not_assessable", language)
    value = format_number(row["value"], decimals, language)
    if row["status"] == "modelled":
        corrected = str(row["indicator_id"]).startswith(CORRECTED)
        value += MARKS["deaths.corrected" if corrected else "deaths.modelled"]
    if row["lower"] != row["lower"]:  # a count has no limits
        return value
    low, high = (format_number(row[name], decimals, language) for name in ("lower", "upper"))
    return f"{value} ({low}–{high})"


def cautions_section(view: DeathsView, language: str) -> str:
    """What to be careful about, computed from the records."""
    total = max(len(view.analysed), 1)
    shares = {
        "deaths.caution_uncoded": (view.analysed["decision"] != "auto").sum() / total,
        "deaths.caution_age": (view.analysed["age_group"] == "unknown").sum() / total,
        "deaths.caution_sex": (~view.analysed["sex"].isin(["male", "female"])).sum() / total,
    }
    lines = [label("deaths.caution_completeness", language)]
    lines += [
        label(key, language, share=format_number(100 * share, 1, language))
        for key, share in shares.items()
        if share > 0
    ]
    if len(view.analysed) < 30:
        lines.append(label("deaths.caution_few", language, count=len(view.analysed)))
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return section(label("report.quality.cautions", language), f"<ul>{items}</ul>")
