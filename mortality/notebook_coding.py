"""How causes were coded, for a notebook: what the machine decided alone, what coders added, and how far coders agree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mortality.coder.choices import may_code
from mortality.notebook_completeness import Comparison
from mortality.notebook_death_records import persons_of
from tkyt_analysis.labels import current_language, format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.api.workbench import Workbench

DECISIONS = ("auto", "review", "uncodable")


def decisions_html(workbench: Workbench, place: str, period: str = "", language: str | None = None) -> Comparison:
    """Deaths by coding decision and year of the place: one row per year, a total row; `.rows` holds the counts."""
    from tkyt_analysis.pages import table_html

    language = language or current_language()
    people = persons_of(workbench, place, period)
    people = people[people["excluded"] == ""] if len(people) else people
    if people.empty:
        return _nothing("coder.notebook.nothing", language)
    year = pd.to_numeric(people["year"]).astype("Int64").astype("str")
    counts = (
        pd.crosstab(year, people["decision"]).reindex(columns=list(DECISIONS), fill_value=0).reset_index(names="year")
    )
    counts = pd.concat([counts, counts[list(DECISIONS)].sum().to_frame().T.assign(year="total")], ignore_index=True)
    counts["deaths"] = counts[list(DECISIONS)].sum(axis=1)
    counts["auto_share"] = 100 * counts["auto"] / counts["deaths"]
    counts = counts.astype(dict.fromkeys([*DECISIONS, "deaths"], "int64"))
    counts = counts[["year", "deaths", *DECISIONS, "auto_share"]]
    shown = counts.assign(year=counts["year"].replace({"total": label("coder.total", language), "<NA>": "–"}))
    headings = {name: label(f"coder.column.{name}", language) for name in ("year", "deaths")}
    headings |= {name: label(f"coder.decision.{name}", language) for name in DECISIONS}
    headings["auto_share"] = label("coder.column.auto_share", language)
    body = table_html(
        shown, headings=headings, decimals={"auto_share": 1}, total_rows=[len(shown) - 1], caption=label("coder.notebook.decisions", language),
        language=language,
    )  # fmt: skip
    return Comparison(counts, body)


def progress_html(home: str | Path, language: str | None = None) -> Comparison:
    """What waits for coders, by why: matters and deaths, without any words of a register."""
    from mortality.coder.queue import STAKES, TEXT, load_queue
    from tkyt_analysis.pages import paragraph, table_html

    language = language or current_language()
    if not may_code(_home(home)):
        return _nothing("coder.notebook.no_right", language)
    found = load_queue(_home(home))
    if found.coded == 0:
        return _nothing("coder.notebook.no_home", language)
    items = found.items
    why = items["stakes"].str.split(" ").str[0].where(items["kind"] != TEXT, "words")
    rows = items.assign(why=why).groupby("why", as_index=False).agg(matters=("kind", "size"), deaths=("deaths", "sum"))
    order = {name: number for number, name in enumerate(("words", *STAKES))}
    rows = rows.sort_values("why", key=lambda names: names.map(order), ignore_index=True)
    words = {"words": label("coder.notebook.words", language)} | {
        name: label(f"coder.stake.{name}", language) for name in STAKES
    }
    headings = {name: label(f"coder.column.{name}", language) for name in ("why", "matters", "deaths")}
    shown = rows.assign(why=rows["why"].map(words)).astype({"matters": "int64", "deaths": "int64"})
    counts = {
        "coded": format_number(found.coded, 0, language),
        "without": format_number(found.without_words, 0, language),
    }
    body = table_html(shown, headings=headings, caption=label("coder.notebook.waiting", language), language=language)
    return Comparison(rows, body + paragraph(label("coder.notebook.waiting.note", language, **counts)))


def coders_html(home: str | Path, language: str | None = None) -> Comparison:
    """How often coders took the first suggestion, by its rule, and how many entries were learnt."""
    from mortality.coder.agreement import accepted_first
    from mortality.coder.choices import choices
    from mortality.coder.entries import entries
    from mortality.coder.words import rule_words, share_words
    from tkyt_analysis.pages import paragraph, table_html

    language = language or current_language()
    if not may_code(_home(home)):
        return _nothing("coder.notebook.no_right", language)
    rows = accepted_first(choices(_home(home)))
    learnt = entries(_home(home))
    state = learnt["state"].value_counts().sort_index()
    said = "; ".join(
        f"{label(f'coder.state.{name}', language)}: {format_number(count, 0, language)}"
        for name, count in state.items()
    )
    if rows.empty:
        return _nothing("coder.notebook.no_choices", language)
    shown = pd.DataFrame(
        {
            "rule": [rule_words(str(one), language) for one in rows["rule"]],
            "choices": rows["choices"].astype("int64"),
            "first": rows["first"].astype("int64"),
            "share": [share_words(one, language) for one in rows.itertuples()],
        }
    )
    headings = {name: label(f"coder.column.{name}", language) for name in shown.columns}
    caption = label("coder.notebook.accepted", language)
    body = table_html(shown, headings=headings, total_rows=[len(shown) - 1], caption=caption, language=language)
    return Comparison(rows, body + paragraph(label("coder.notebook.learnt", language, states=said or "0")))


def agreement_html(home: str | Path, sample: str = "", language: str | None = None) -> Comparison:
    """Kappa of two coders on a sample (default: the latest that two have coded), and the items on which they differ most."""
    from mortality.coder.agreement import agreement
    from mortality.coder.sample import samples
    from mortality.coder.words import kappa_sentence
    from tkyt_analysis.pages import paragraph, table_html

    language = language or current_language()
    if not may_code(_home(home)):
        return _nothing("coder.notebook.no_right", language)
    drawn = samples(_home(home))
    ready = [one.sample_id for one in drawn.itertuples() if len(one.coded) > 1]
    if not sample and not ready:
        return _nothing("coder.notebook.no_sample", language)
    found = agreement(_home(home), sample or ready[-1])
    rows = pd.DataFrame([one.as_dict() for one in found.kappas])
    body = "".join(paragraph(kappa_sentence(one, language)) for one in found.kappas)
    differ = found.disagreements("list_1").head(10)
    if len(differ):
        headings = {
            "first": found.coders[0],
            "second": found.coders[1],
            "records": label("coder.column.records", language),
        }
        body += table_html(
            differ, headings=headings, caption=label("coder.notebook.differ", language), language=language
        )
    return Comparison(rows, body)


def _home(home: str | Path) -> Path:
    from tkyt_analysis.settings import home_directory

    return Path(home) if str(home) else home_directory()


def _nothing(key: str, language: str) -> Comparison:
    from tkyt_analysis.pages import notice

    return Comparison(pd.DataFrame(), notice(label(key, language), language=language))
