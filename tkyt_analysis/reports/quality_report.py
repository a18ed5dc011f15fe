"""The monthly data-quality report: one function per section, QualityView → HTML in words that a department understands."""

from __future__ import annotations

from html import escape

import pandas as pd

from tkyt_analysis.catalog import load_entries, read_codelist
from tkyt_analysis.ingest.summary import door_name
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.pages import FigureCard, figure_cards, notice, paragraph, section, table_html
from tkyt_analysis.quality.findings import finding_question
from tkyt_analysis.quality.truth_card import card_summary, expected_false_alarms
from tkyt_analysis.reference.periods import format_period
from tkyt_analysis.reports.charts import draw_completeness_course, draw_reporting_matrix
from tkyt_analysis.reports.quality_data import QualityView


def summary_section(view: QualityView, language: str) -> str:
    """Figures first, then the sentences that say what they mean."""
    course = view.course()
    now = course[course["period_id"] == view.period_id]
    share = float(now["share"].iloc[0]) if len(now) else float("nan")
    before = course["share"].iloc[-2] if len(course) > 1 and len(now) else float("nan")
    missing = int(now["missing"].sum()) if len(now) else 0
    asked = view.asked
    cards = [
        FigureCard(
            label("report.quality.completeness", language),
            100 * share if share == share else None,
            "%",
            1,
            change=100 * (share - before) if share == share and before == before else None,
            change_text=label("report.quality.against_before", language),
            trust="not_assessable" if share != share else ("high" if share >= view.threshold else "low"),
            course=[None if one != one else 100 * one for one in course["share"]],
        ),
        FigureCard(label("report.quality.missing_reports", language), missing if len(now) else None),
        FigureCard(label("report.quality.errors", language), int((asked["severity"] == "error").sum())),
        FigureCard(label("report.quality.questions", language), int((asked["severity"] == "warning").sum())),
    ]
    return figure_cards(cards, language=language) + paragraph(
        _summary_sentence(view, share, missing, len(asked), language)
    )


def _summary_sentence(view: QualityView, share: float, missing: int, asked: int, language: str) -> str:
    period = format_period(view.period_id, language)
    if share != share:
        return label(
            "report.quality.summary_unknown",
            language,
            place=view.place_name,
            period=period,
            asked=format_number(asked, 0, language),
        )
    key = "report.quality.summary_good" if share >= view.threshold else "report.quality.summary_low"
    return label(
        key,
        language,
        place=view.place_name,
        period=period,
        share=format_number(100 * share, 1, language),
        threshold=format_number(100 * view.threshold, 0, language),
        missing=format_number(missing, 0, language),
        asked=format_number(asked, 0, language),
    )


def reporting_section(view: QualityView, language: str) -> str:
    """Who reported: the course over a year, units by month, and data sets."""
    course = view.course()
    if course.empty:
        return section(
            label("report.quality.reporting", language),
            notice(label("report.quality.no_assignment", language), kind="info", language=language),
        )
    matrix, by_dataset = view.by_unit(), view.by_dataset()
    parts = [
        draw_completeness_course(course, language, threshold=view.threshold),
        draw_reporting_matrix(matrix, view.names, language),
        table_html(
            by_dataset.assign(
                share=100 * by_dataset["share"], dataset_id=by_dataset["dataset_id"].map(view.dataset_name)
            ),
            headings={
                "dataset_id": label("column.dataset", language),
                "expected": label("column.expected_reports", language),
                "received": label("column.received_reports", language),
                "missing": label("column.missing_reports", language),
                "share": label("column.share_percent", language),
            },
            decimals={"share": 1},
            caption=label("report.quality.by_dataset", language),
            language=language,
        ),
    ]
    return section(label("report.quality.reporting", language), "".join(parts))


def questions_section(view: QualityView, language: str, *, most: int = 20) -> str:
    """The questions to ask first, as sentences with the place and the figures in them."""
    rows = view.questions(most)
    if rows.empty:
        return section(
            label("report.quality.ask", language), paragraph(label("report.quality.nothing_to_ask", language))
        )
    rules = load_entries("rules")
    table = pd.DataFrame(
        {
            "place": [view.names.get(unit, unit) for unit in rows["unit_id"]],
            "what": [
                view.elements.get(one.element_id, one.element_id) or view.dataset_name(one.dataset_id)
                for one in rows.itertuples()
            ],
            "verdict": [label(f"verdict.{verdict}", language) for verdict in rows["verdict"]],
            "question": [question(view, rules, row, language) for row in rows.to_dict("records")],
            "severity": [label(f"severity.{one}", language) for one in rows["severity"]],
            "suggested": rows["suggested"].to_numpy(),
            "probability_percent": 100 * rows["probability"].to_numpy(),
        }
    )
    table = table.loc[:, table.notna().any()]
    headings = {name: label(f"column.{name}", language) for name in table.columns}
    total = len(view.asked)
    caption = label(
        "report.quality.questions_caption", language, shown=len(rows), total=format_number(total, 0, language)
    )
    body = table_html(table, headings=headings, caption=caption, stacked=True, language=language)
    return section(label("report.quality.ask", language), body + false_alarms_paragraph(view, language))


def false_alarms_paragraph(view: QualityView, language: str) -> str:
    """How many of the questions probably find nothing wrong: told before anybody is asked."""
    table = expected_false_alarms(view.asked)
    known = table["expected_false"].notna()
    text = label(
        "report.quality.false_alarms",
        language,
        findings=format_number(int(table.loc[known, "findings"].sum()), 0, language),
        false=format_number(float(table.loc[known, "expected_false"].sum()), 1, language),
        unknown=format_number(int(table.loc[~known, "findings"].sum()), 0, language),
    )
    return paragraph(text)


def question(view: QualityView, rules: dict, row: dict, language: str) -> str:
    """The rule's question to the unit, with this finding's figures."""
    rule = rules.get(row["rule_id"])
    if rule is None:
        return str(row["rule_id"])
    unit = str(view.names.get(row["unit_id"], row["unit_id"]))
    return finding_question(rule, row, unit=unit, language=language, names=view.words)


def period_text(period_id: str, language: str) -> str:
    """A period in words; "–" where a finding has none."""
    return format_period(period_id, language) if period_id else "–"


def coverage_section(view: QualityView, language: str) -> str:
    """How far each rule could judge at all: "not assessable" is not a pass."""
    rows = view.coverage()
    if rows.empty:
        return section(
            label("report.quality.coverage", language), paragraph(label("report.quality.not_checked", language))
        )
    rules = load_entries("rules")
    silent = (rows["findings"] == 0) & (rows["judged"] == rows["total"]) & (rows["total"] > 0)
    others = paragraph(label("report.quality.silent_rules", language, count=int(silent.sum()))) if silent.any() else ""
    rows = rows[~silent].sort_values(["findings", "rule_id"], ascending=[False, True])
    card = card_summary().reindex(rows["rule_id"])
    table = pd.DataFrame(
        {
            "rule": [rules[rule].title[language] if rule in rules else rule for rule in rows["rule_id"]],
            "findings": rows["findings"].astype(int),
            "judged": rows["judged"].astype("float64"),  # missing for accounts below the nation
            "not_assessable": (rows["total"] - rows["judged"]).astype("float64"),
            "assessable_percent": 100 * rows["judged"] / rows["total"].where(rows["total"] > 0),
            "recall_percent": 100 * card["recall"].to_numpy(),
            "precision_percent": 100 * card["precision"].to_numpy(),
        }
    )
    headings = {name: label(f"column.{name}", language) for name in table.columns}
    return section(
        label("report.quality.coverage", language),
        paragraph(label("report.quality.coverage_text", language))
        + table_html(table, headings=headings, decimals={"assessable_percent": 1}, language=language)
        + others
        + paragraph(label("report.quality.truth_card_text", language)),
    )


def received_section(view: QualityView, language: str) -> str:
    """What came in and why rows were quarantined, over all received files."""
    if not view.release.reads.nation:
        text = paragraph(label("report.quality.received_of_nation", language))
        return section(label("report.quality.received", language), text)
    received, reasons = view.received(), view.quarantine()
    parts = []
    if len(received):
        headings = {
            "door": label("column.door", language),
            "files": label("column.files", language),
            "rows_received": label("column.received", language),
            "rows_landed": label("column.landed", language),
            "rows_quarantined": label("column.quarantined", language),
            "notes": label("column.notes", language),
        }
        numbers = received.astype({name: "int64" for name in headings if name != "door"})
        numbers["door"] = [door_name(door, language) for door in numbers["door"]]
        parts.append(
            table_html(
                numbers,
                headings=headings,
                caption=label("report.quality.received_caption", language),
                language=language,
            )
        )
    if len(reasons):
        shown = reasons.assign(
            kind=[label(f"report.quality.kind_{kind}", language) for kind in reasons["kind"]],
            key=[reason_title(key, language) for key in reasons["key"]],
            rows=reasons["rows"].astype("int64"),
        )
        headings = {
            "kind": label("column.kind", language),
            "key": label("column.reason", language),
            "rows": label("column.rows", language),
        }
        parts.append(
            table_html(
                shown, headings=headings, caption=label("report.quality.reasons_caption", language), language=language
            )
        )
    return section(
        label("report.quality.received", language),
        "".join(parts) or paragraph(label("report.quality.nothing_received", language)),
    )


def reason_title(key: str, language: str) -> str:
    """The short name of a reason or note; the key itself where no short name is written."""
    from tkyt_analysis.labels import all_labels

    return all_labels().get(f"{key}.title", {}).get(language) or shortened_sentence(key, language)


def shortened_sentence(key: str, language: str) -> str:
    """The sentence of a reason with its fields as dots, cut at the first full stop."""
    from tkyt_analysis.labels import all_labels

    text = all_labels().get(key, {}).get(language)
    if not text:
        return key
    import re

    plain = re.sub(r"\{[^}]*\}", "…", text)
    plain = re.sub(r"^[…,:\s“”]+", "", plain)
    return plain.split(". ")[0].rstrip(".")[:160]


def truth_section(view: QualityView, language: str) -> str:
    """Practice data only: how many of the planted errors the checks found, by kind."""
    if not view.release.practice or not view.release.has("truth_score"):
        return ""
    scores = view.release.query("SELECT * FROM truth_score ORDER BY kind")
    kinds = read_codelist("defect_kinds").set_index("kind")
    table = pd.DataFrame(
        {
            "kind": scores["kind"],
            "defect": scores["kind"].map(kinds[f"title_{language}"]),
            "planted": scores["planted"].astype(int),
            "found": scores["found"].astype("Int64").where(scores["has_check"].astype(bool)).astype("Float64"),
            "share": 100 * scores["share"].where(scores["has_check"].astype(bool)),
        }
    )
    headings = {name: label(f"column.{name}", language) for name in ("kind", "defect", "planted", "found")}
    headings |= {"share": label("column.share_percent", language)}
    errors, events = table[scores["is_error"] == "yes"], table[scores["is_error"] == "no"]
    parts = [
        paragraph(label("report.quality.truth_text", language)),
        table_html(errors, headings=headings, language=language),
    ]
    if len(events):
        caption = label("report.quality.truth_events", language)
        parts.append(table_html(events, headings=headings, caption=caption, language=language))
    return section(label("report.quality.truth", language), "".join(parts))


def cautions_section(view: QualityView, language: str) -> str:
    """What to be careful about, from the findings themselves."""
    lines = []
    course = view.course()
    if len(course) and (course["share"] > 1).any():
        lines.append(label("report.quality.caution_above", language))
    if course.empty:
        lines.append(label("report.quality.caution_no_list", language))
    elif (course["share"] < view.threshold).any():
        low = course.loc[course["share"] < view.threshold, "period_id"]
        lines.append(
            label("report.quality.caution_low", language, count=len(low), last=period_text(low.iloc[-1], language))
        )
    coverage = view.coverage()
    outliers = coverage[coverage["rule_id"] == "outlier_count"] if len(coverage) else coverage
    if len(outliers) and outliers["total"].iloc[0] > outliers["judged"].iloc[0]:
        unjudged = outliers["total"].iloc[0] - outliers["judged"].iloc[0]
        lines.append(label("report.quality.caution_short", language, count=format_number(unjudged, 0, language)))
    items = (
        "".join(f"<li>{escape(line)}</li>" for line in lines)
        or f"<li>{escape(label('report.quality.caution_none', language))}</li>"
    )
    return section(
        label("report.quality.cautions", language),
        f"<ul>{items}</ul>" + paragraph(label("report.quality.method", language)),
    )
