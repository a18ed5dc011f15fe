"""From received lists of deaths to persons, for a notebook: the flow, the marks, what two bases count, the lists side by side, notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mortality.notebook_completeness import Comparison
from mortality.reports.deaths_data import DeathsView
from tkyt_analysis.labels import current_language, format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.api.workbench import Workbench

MARKS = (
    "duplicates", "date_from_another_list", "date_conflict", "date_lunar", "age_approximate", "age_conflict", "sex_conflict", "residence_conflict",
    "cause_conflict", "cause_says_little", "uncoded", "weak_link", "open_findings",
)  # fmt: skip
WEAK = 0.95
AGES = ("0-4", "5-59", "60-79", "80+")


def view_of(workbench: Workbench, place: str, period: str) -> DeathsView:
    """The place and year of a notebook; a period that is no year stands for all years."""
    return DeathsView(
        workbench.release, workbench.place(place), int(period) if period.isdigit() and len(period) == 4 else 0
    )


def flow_html(workbench: Workbench, place: str, period: str = "", language: str | None = None) -> Comparison:
    """The flow diagram from rows received to deaths analysed; `.rows` holds its numbers."""
    from mortality.persons_release.flow_diagram import flow_figure

    language = language or current_language()
    view = view_of(workbench, place, period)
    if view.way is None or view.way.empty:
        return _nothing(language)
    whole = view.place == "VN" and not view.year
    return Comparison(view.way, flow_figure(view.way, language, place=view.place_name, year=view.year, asked=not whole))


def persons_of(workbench: Workbench, place: str, period: str = "") -> pd.DataFrame:
    """The rows of `deaths` of the place and year (by the commune of residence)."""
    view = view_of(workbench, place, period)
    if not workbench.release.has("deaths"):
        return pd.DataFrame()
    rows = workbench.release.query("SELECT * FROM deaths")
    if view.place != "VN":
        units = set(view.units["unit_id"])
        rows = rows[rows["unit_id"].isin(units) | rows["unit_2025"].isin(units)]
    return rows[rows["year"] == view.year] if view.year else rows


def marks_html(workbench: Workbench, place: str, period: str = "", language: str | None = None) -> Comparison:
    """How many persons carry each quality mark."""
    from tkyt_analysis.pages import table_html

    language = language or current_language()
    people = persons_of(workbench, place, period)
    if people.empty:
        return _nothing(language)
    found = {
        **{name: people[name] for name in MARKS if name in people and people[name].dtype == bool},
        "duplicates": people["duplicates"] > 0,
        "date_from_another_list": people["in_book"] & ~people["date_from"].isin(["a6", ""]),
        "uncoded": people["decision"] != "auto",
        "weak_link": people["link_probability"] < WEAK,
        "open_findings": people["open_findings"] > 0,
    }
    rows = pd.DataFrame({"mark": MARKS, "persons": [int(found[name].sum()) for name in MARKS]})
    rows = rows.assign(share=100 * rows["persons"] / len(people))
    shown = rows.assign(mark=[label(f"records.mark.{one}", language) for one in rows["mark"]])
    caption = label("records.marks", language, persons=format_number(len(people), 0, language))
    return Comparison(
        rows,
        table_html(
            shown, headings=_headings(shown, language), decimals={"share": 1}, caption=caption, language=language
        ),
    )


def bases_html(workbench: Workbench, place: str, period: str = "", language: str | None = None) -> Comparison:
    """Persons by age that the book holds and that any list holds."""
    from tkyt_analysis.pages import paragraph, table_html

    language = language or current_language()
    people = persons_of(workbench, place, period)
    if people.empty:
        return _nothing(language)
    age = pd.cut(people["age_years"], [-1, 4, 59, 79, 200], labels=list(AGES)).astype("object").fillna("unknown")
    usable = people["excluded"] == ""
    rows = pd.DataFrame({"age": age, "book": people["counted"], "all_lists": usable}).groupby("age").sum()
    rows = (
        rows.reindex([*AGES, *(["unknown"] if "unknown" in rows.index else [])]).fillna(0).astype("int64").reset_index()
    )
    total = pd.DataFrame([{"age": "total", "book": rows["book"].sum(), "all_lists": rows["all_lists"].sum()}])
    rows = pd.concat([rows, total], ignore_index=True)
    rows = rows.assign(ratio=(100 * rows["book"] / rows["all_lists"].where(rows["all_lists"] > 0)))
    shown = rows.assign(
        age=[
            label(f"records.age.{one}", language) if one in ("unknown", "total") else one.replace("-", "–")
            for one in rows["age"]
        ]
    )
    table = table_html(
        shown, headings=_headings(shown, language), decimals={"ratio": 1}, total_rows=[len(rows) - 1],
        caption=label("records.bases", language), language=language,
    )  # fmt: skip
    return Comparison(rows, table + paragraph(label("records.bases.note", language)))


def lists_html(workbench: Workbench, place: str, language: str | None = None) -> Comparison:
    """The lists side by side per commune and year, with the estimate of all deaths (capture–recapture)."""
    from tkyt_analysis.pages import paragraph, table_html

    language = language or current_language()
    if not workbench.release.has("death_reconciliation"):
        return _nothing(language)
    view = view_of(workbench, place, "")
    rows = workbench.release.query(
        "SELECT unit_id, period_id, a6, civil_registration, hospital, a6_and_civil, persons, estimate, lower, upper, status "
        "FROM death_reconciliation WHERE kind IN ('commune', 'province') AND length(period_id) = 4 ORDER BY kind, unit_id, period_id"
    )
    rows = rows if view.place == "VN" else rows[rows["unit_id"].isin(set(view.units["unit_id"]))]
    if rows.empty:
        return _nothing(language)
    shown = rows.assign(
        unit_id=[workbench.place_name(one) for one in rows["unit_id"]],
        estimate=[_estimate(row, language) for row in rows.to_dict("records")],
    ).drop(columns=["lower", "upper", "status"])
    shown = shown.astype(dict.fromkeys(["a6", "civil_registration", "hospital", "a6_and_civil", "persons"], "int64"))
    body = table_html(
        shown,
        headings=_headings(shown, language),
        caption=label("records.lists", language),
        stacked=True,
        language=language,
    )
    return Comparison(rows, body + paragraph(label("records.lists.note", language)))


def _estimate(row: dict, language: str) -> str:
    if row["status"] == "not_assessable":
        return label("verdict.not_assessable", language)
    low, high, value = (format_number(row[name], 0, language) for name in ("lower", "upper", "estimate"))
    return label("records.estimate", language, value=value, low=low, high=high)


def notices_html(workbench: Workbench, place: str, language: str | None = None) -> Comparison:
    """Deaths at facilities by month: those notified, and synchronised as electronic data."""
    from tkyt_analysis.pages import paragraph, table_html

    language = language or current_language()
    if not workbench.release.has("facility_notice"):
        return _nothing(language)
    view = view_of(workbench, place, "")
    rows = workbench.release.query(
        "SELECT * FROM facility_notice WHERE kind = 'province' AND length(period_id) = 6 ORDER BY unit_id, period_id"
    )
    rows = rows if view.place == "VN" else rows[rows["unit_id"].isin(set(view.units["unit_id"]))]
    if rows.empty:
        return _nothing(language)
    shown = pd.DataFrame(
        {
            "month": rows["period_id"].str[4:] + "/" + rows["period_id"].str[:4],
            "facility_deaths": rows["facility_deaths"],
            **{
                f"{one}_share": [_share(row, one, language) for row in rows.to_dict("records")]
                for one in ("notified", "synchronised")
            },
        }
    )
    body = table_html(
        shown, headings=_headings(shown, language), caption=label("records.notices", language), language=language
    )
    return Comparison(rows, body + paragraph(label("records.notices.note", language)))


def _share(row: dict, name: str, language: str) -> str:
    if row[f"{name}_status"] != "ok":
        return label("verdict.not_assessable", language)
    share = format_number(100 * row[f"{name}_share"], 0, language)
    return label("records.share", language, count=format_number(row[name], 0, language), share=share)


def _headings(table: pd.DataFrame, language: str) -> dict[str, str]:
    return {name: label(f"records.column.{name}", language) for name in table.columns}


def _nothing(language: str) -> Comparison:
    from tkyt_analysis.pages import notice

    return Comparison(pd.DataFrame(), notice(label("records.nothing", language), language=language))
