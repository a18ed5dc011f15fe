"""One offline page on a file of certificates: what came in, which cause was chosen by which rule, the table, the doubts."""

from __future__ import annotations

import pandas as pd

from mortality.reports.certificates_data import CertificateRun
from mortality.tabulation.cause_lists import DEFAULT_LIST, GAP, UNKNOWN
from tkyt_analysis.labels import all_labels, current_language, format_number, label
from tkyt_analysis.pages import FigureCard, figure_cards, notice, page, paragraph, section, table_html

RULES = ("SP1", "SP2", "SP3", "SP4", "SP5", "SP6", "SP7", "SP8", "M1", "M2", "M3", "M4")
LEADING, PATHS, OUTSIDE = 12, 12, 20
COUNTS = ("male", "female", "unknown", "total")


def certificates_page(
    run: CertificateRun,
    *,
    list_id: str = DEFAULT_LIST,
    practice: bool = False,
    restricted: bool = False,
    language: str | None = None,
) -> str:
    """The HTML document.

    practice : prints the band of practice data; restricted : False counts HIV among the unknown and does not name it
    """
    language = language or current_language()
    parts = [
        paragraph(
            label("certificates.lead", language, file=run.source.name, count=format_number(run.records, 0, language))
        ),
        _cards(run, restricted, language),
        _way(run, list_id, restricted, language),
        _causes(run, list_id, restricted, language),
        _rules(run, restricted, language),
        _edits(run, restricted, language),
        _garbage(run, restricted, language),
        _outside(run, list_id, language),
    ]
    return page(
        label("certificates.title", language),
        "\n".join(part for part in parts if part),
        language=language,
        practice=practice,
        passport=passport(run, list_id, language),
    )


def passport(run: CertificateRun, list_id: str, language: str) -> dict[str, object]:
    """Where the figures come from: file, profile, table of causation, lists, versions."""
    from tkyt_analysis.catalog.loader import catalog_version, load_entry
    from tkyt_analysis.version import code_version

    listed = load_entry("cause_lists", list_id)
    table = run.decision_table.name if run.decision_table else label("certificates.passport.who_table", language)
    facts = {
        "file": run.source.name,
        "sha256": run.sha256,
        "profile": run.profile.name,
        "table": table,
        "list": f"{list_id} ({listed.edition})",
        "catalog": catalog_version(),
        "code": code_version(),
    }
    return {label(f"certificates.passport.{name}", language): value for name, value in facts.items()}


def _percent(part: int, whole: int, language: str) -> str:
    return f"{format_number(100 * part / whole, 1, language)} %" if whole else "–"


def _cards(run: CertificateRun, restricted: bool, language: str) -> str:
    with_cause = run.with_cause(restricted=restricted)
    garbage = run.garbage(restricted=restricted).set_index("category").loc["all_listed"]
    low, high = (format_number(100 * garbage[name], 1, language) for name in ("lower", "upper"))
    cards = [
        FigureCard(label("certificates.card.records", language), run.records),
        FigureCard(
            label("certificates.card.with_cause", language),
            with_cause,
            unit=_percent(with_cause, run.records, language),
        ),
        FigureCard(
            label("certificates.card.review", language), run.review, unit=_percent(run.review, run.records, language)
        ),
        FigureCard(
            label("certificates.card.garbage", language),
            f"{format_number(100 * garbage['share'], 1, language)} %" if garbage["total"] else "–",
            change_text="",
            unit=label("certificates.interval", language, low=low, high=high) if garbage["total"] else "",
        ),
    ]
    if run.given:
        cards.append(
            FigureCard(
                label("certificates.card.same", language),
                _percent(run.same_code, run.given, language),
                unit=label(
                    "certificates.same_category", language, share=_percent(run.same_category, run.given, language)
                ),
            )
        )
    return figure_cards(cards, language=language)


def _way(run: CertificateRun, list_id: str, restricted: bool, language: str) -> str:
    """The identity: certificates in = in an item + outside the list + without a code."""
    _, table = run.by_cause(list_id, restricted=restricted)
    counts = table[~table["is_heading"]].set_index("item")["total"]
    gap, unknown = int(counts.get(GAP, 0)), int(counts.get(UNKNOWN, 0))
    placed = int(counts.sum()) - gap - unknown
    rows = pd.DataFrame(
        {
            "step": [label(f"certificates.way.{name}", language) for name in ("received", "placed", "gap", "unknown")],
            "number": [run.records, placed, gap, unknown],
        }
    )
    numbers = {
        name: format_number(value, 0, language)
        for name, value in (("received", run.records), ("placed", placed), ("gap", gap), ("unknown", unknown))
    }
    closes = placed + gap + unknown == run.records
    said = label(f"certificates.identity.{'closes' if closes else 'open'}", language, **numbers)
    headings = {
        "step": label("certificates.column.step", language),
        "number": label("certificates.column.certificates", language),
    }
    return section(
        label("certificates.section.way", language),
        table_html(rows, headings=headings, total_rows=[0], language=language)
        + notice(said, kind="info" if closes else "error", language=language),
    )


def _causes(run: CertificateRun, list_id: str, restricted: bool, language: str) -> str:
    """Leading causes as bars, then the whole list by sex; the last row is the sum of the items."""
    from tkyt_analysis.catalog.loader import load_entry
    from tkyt_analysis.reports.charts import draw_bars

    causes, table = run.by_cause(list_id, restricted=restricted)
    titles = causes.items.set_index("item")[f"label_{language}"].to_dict()
    words = {GAP: label("tabulation.gap", language), UNKNOWN: label("certificates.unknown", language)}
    table = table.assign(cause=[words.get(item) or f"{item}. {titles[item]}" for item in table["item"]])
    items = table[~table["is_heading"]]
    known = items[~items["item"].isin([GAP, UNKNOWN])].sort_values("total", ascending=False, kind="stable")
    title = load_entry("cause_lists", list_id).title[language]
    bars = (
        draw_bars(
            known, name="cause", value="total", decimals=0, unit=label("certificates.column.certificates", language),
            caption=label("certificates.leading", language, list=title), language=language, most=LEADING,
        )
        if len(known)
        else ""
    )  # fmt: skip
    return section(title, bars + _cause_table(table, items, language))


def _cause_table(table: pd.DataFrame, items: pd.DataFrame, language: str) -> str:
    """The total and its share stand first: a phone shows them without scrolling."""
    sexes = [name for name in COUNTS if name != "total" and items[name].sum() > 0]
    shown = ["total", *sexes]
    sums = {"cause": label("certificates.column.sum", language), **{name: items[name].sum() for name in shown}}
    whole = pd.concat([table[["cause", *shown]], pd.DataFrame([sums])], ignore_index=True)
    whole = whole.astype(dict.fromkeys(shown, "int64"))
    whole = whole.assign(share=100 * whole["total"] / max(int(items["total"].sum()), 1))
    headings = {name: label(f"certificates.column.{name}", language) for name in ("cause", "total", "share", *sexes)}
    bold = [*[place for place, is_sum in enumerate(table["is_heading"]) if is_sum], len(whole) - 1]
    note = paragraph(label("certificates.table_note", language))
    return note + table_html(whole, headings=headings, decimals={"share": 1}, total_rows=bold, language=language)


def _rules(run: CertificateRun, restricted: bool, language: str) -> str:
    """How often each rule was used, and the usual paths."""
    used = [
        (f"{rule}. {label(f'certificates.rule.{rule}', language)}", run.rules[rule])
        for rule in RULES
        if run.rules[rule]
    ]
    rules = pd.DataFrame(used, columns=["rule", "number"])
    paths = pd.DataFrame(run.paths.most_common(PATHS), columns=["path", "number"])
    paths["path"] = paths["path"].astype("str").str.replace(">", " → ")
    headings = {name: label(f"certificates.column.{name}", language) for name in ("rule", "path", "share")}
    headings["number"] = label("certificates.column.certificates", language)
    body = ""
    for rows, note in ((rules, "rules_note"), (paths, "paths_note")):
        shared = rows.assign(share=100 * rows["number"].astype(float) / max(run.records, 1))
        body += _listed(shared, headings, label(f"certificates.{note}", language), language)
    return section(label("certificates.section.rules", language), body + _flags(run, restricted, language))


def _flags(run: CertificateRun, restricted: bool, language: str) -> str:
    """What a coder has to look at, and what the profile decided."""
    from mortality.underlying_cause.explain import flag_text

    told = [
        (flag_text(flag, language), number)
        for flag, number in run.flags.most_common()
        if restricted or "hiv" not in flag
    ]
    if not told:
        return ""
    rows = pd.DataFrame(told, columns=["flag", "number"])
    headings = {
        "flag": label("certificates.column.flag", language),
        "number": label("certificates.column.certificates", language),
    }
    return _listed(rows, headings, label("certificates.flags_note", language), language)


def _listed(rows: pd.DataFrame, headings: dict[str, str], caption: str, language: str) -> str:
    used = {name: headings[name] for name in rows.columns}
    return paragraph(caption) + table_html(rows, headings=used, decimals={"share": 1}, language=language)


def _edits(run: CertificateRun, restricted: bool, language: str) -> str:
    """The findings of the edits by check, the worst first."""
    from mortality.validation.edit_findings import SEVERITIES
    from mortality.validation.edit_sentences import titles

    found = run.findings(restricted=restricted)
    if found.empty:
        return section(
            label("certificates.section.edits", language), paragraph(label("certificates.no_edits", language))
        )
    named = titles("VN", language)
    order = {name: rank for rank, name in enumerate(SEVERITIES)}
    found = found.assign(rank=found["severity"].map(order)).sort_values(
        ["rank", "findings", "check"], ascending=[True, False, True]
    )
    rows = pd.DataFrame(
        {
            "severity": [label(f"edit.severity.{one}", language) for one in found["severity"]],
            "check": found["check"].to_numpy(),
            "what": [named.get(one, one) for one in found["check"]],
            "findings": found["findings"].to_numpy(),
        }
    )
    headings = {name: label(f"certificates.column.{name}", language) for name in rows.columns}
    return section(
        label("certificates.section.edits", language),
        paragraph(label("certificates.edits_note", language))
        + table_html(rows, headings=headings, stacked=True, language=language),
    )


def _garbage(run: CertificateRun, restricted: bool, language: str) -> str:
    """Garbage codes by category with their limits; old age by age where there is any."""
    shares = run.garbage(restricted=restricted)
    rows = shares.assign(
        title=[category_words(one, language) for one in shares["category"]],
        percent=100 * shares["share"],
        limits=[
            f"{format_number(100 * low, 1, language)}–{format_number(100 * high, 1, language)}"
            if status == "ok"
            else "–"
            for low, high, status in zip(shares["lower"], shares["upper"], shares["status"])
        ],
    )
    names = {"title": "category", "deaths": "deaths", "percent": "share", "limits": "limits"}
    headings = {column: label(f"garbage.column.{name}", language) for column, name in names.items()}
    bold = [place for place, one in enumerate(rows["category"]) if one.startswith("all_")]
    table = paragraph(label("certificates.garbage_note", language))
    table += table_html(rows, headings=headings, decimals={"percent": 1}, total_rows=bold, language=language)
    return section(label("certificates.section.garbage", language), table + _old_age(run, language))


def category_words(category: str, language: str) -> str:
    """A category of garbage codes in words; one of a file as it is written there."""
    key = f"garbage.category.{category}"
    return label(key, language) if key in all_labels() else category


def _old_age(run: CertificateRun, language: str) -> str:
    table = run.old_age()
    rows = table[table["senility"] > 0]
    if rows.empty:
        return ""
    shown = pd.DataFrame(
        {
            "age": [
                label("garbage.age_unknown", language) if one == "unknown" else one.replace("-", "–")
                for one in rows["age_group"]
            ],
            "deaths": rows["deaths"].to_numpy(),
            "old_age": rows["senility"].to_numpy(),
            "mark": [label("garbage.mark", language) if marked else "" for marked in rows["marked"]],
        }
    )
    headings = {name: label(f"garbage.column.{name}", language) for name in shown.columns}
    return paragraph(label("certificates.old_age_note", language)) + table_html(
        shown, headings=headings, language=language
    )


def _outside(run: CertificateRun, list_id: str, language: str) -> str:
    """The codes that the list does not place."""
    outside = run.outside(list_id)
    outside = outside[outside["item"] == GAP].head(OUTSIDE)
    if outside.empty:
        return ""
    headings = {
        "code": label("certificates.column.code", language),
        "deaths": label("certificates.column.certificates", language),
    }
    return section(
        label("certificates.section.outside", language),
        table_html(outside[["code", "deaths"]], headings=headings, language=language),
    )
