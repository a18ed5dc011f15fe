"""The coder's screen in HTML. Every text that was typed or stored is escaped; the look is that of the capture app."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from pathlib import Path

from mortality.coder.queue import RECORD, ages_of
from mortality.coder.session import Coding, Item
from mortality.coder.similar import Past
from mortality.coder.titles import title_of
from mortality.coder.words import rule_words
from mortality.underlying_cause.explain import flag_text
from tkyt_analysis.app_shell import page as shell
from tkyt_analysis.labels import format_number, label

HERE = Path(__file__).parent
CAPTURE = HERE.parent / "capture"
TABS = ("code", "list", "learnt", "double")
KEYS = ("choose", "uncodable", "ask", "next", "undo", "search", "sex")


def style_html() -> str:
    """The style of the capture app, and this app's own rules after it."""
    return shell.style_of(CAPTURE / "capture.css", HERE / "coder.css")


def script_html() -> str:
    """The page's side of the app."""
    return shell.script_of(HERE / "coder.js")


def skeleton_html(language: str, *, practice: bool) -> str:
    """Everything that stands still in one language; what changes is filled in by the script."""
    tabs = {one: label(f"coder.tab.{one}", language) for one in TABS}
    title, choose = label("coder.title", language), label("coder.language", language)
    keys = shell.keys_html(
        label("coder.keys", language),
        ((label(f"coder.key.{one}", language), label(f"coder.does.{one}", language)) for one in KEYS),
    )
    code = (
        f'<div class="cap-two"><div class="cod-main"><div class="cod-progress"></div><div class="cod-item"></div>{_typing(language)}</div>'
        f'<aside class="cap-aside"><div class="cod-similar"></div>{keys}</aside></div>'
    )
    return shell.frame_html(
        language, shell.head_html(language, title=title, choose_language=choose, tabs=tabs),
        shell.panel_html("code", code) + "".join(shell.panel_html(one) for one in TABS[1:]),
        practice=practice, words={"lost": label("coder.js.lost", language)}, kind="cod",
    )  # fmt: skip


def _typing(language: str) -> str:
    """The two inputs: other words or a code, and a note. They stand still, so that typing is never lost."""
    fields = "".join(
        f'<div class="cap-field"><label for="cod-{name}">{label(f"coder.field.{name}", language)}</label>'
        f'<input id="cod-{name}" data-typed="{name}" type="text" maxlength="200" autocomplete="off"></div>'
        for name in ("search", "note")
    )
    return f'<div class="cod-typing">{fields}</div>'


# ------------------------------------------------------------------------------------------------- the matter in hand


def progress_html(coding: Coding, language: str) -> str:
    """How much is done and left; what the warehouse does not have yet."""

    def number(value: float) -> str:
        return format_number(value, 0, language)

    total = coding.deaths_decided + coding.deaths_left
    share = 100 * coding.deaths_decided / total if total else 100
    words = label(
        "coder.progress", language, decided=number(coding.decided), deaths=number(coding.deaths_decided), left=number(coding.left),
        left_deaths=number(coding.deaths_left),
    )  # fmt: skip
    kept = label("coder.kept", language, waiting=number(coding.outbox.waiting)) if coding.outbox.waiting else ""
    return (
        f'<progress max="100" value="{share:.1f}" aria-label="{escape(words, quote=True)}"></progress><span>{words}</span>'
        f'<span class="cap-saved">{kept}</span>'
    )


def item_html(coding: Coding, language: str) -> str:
    """The words, whom they concern, the candidates and the other answers."""
    item = coding.item
    if item is None:
        return _nothing_left(coding, language)
    row = item.row
    chips = [label(f"coder.stake.{one}", language) for one in str(row["stakes"]).split()]
    chips += [label("coder.band.under_28_days", language)] if row["age_band"] else []
    chips += [label("coder.band.maternal", language)] if row["maternal"] else []
    if row["others"]:
        chips.append(label("coder.second", language, others=format_number(row["others"], 0, language)))
    marks = "".join(f'<span class="cod-chip">{one}</span>' for one in chips)
    return (
        f'<p class="cod-words" data-item="{item.key}">“{escape(str(row["written"]))}”</p><p class="cod-facts">{_facts(item, language)}{marks}</p>'
        f"{_sexes(item, language)}{_candidates(item, language)}{_answers(coding, language)}"
    )


def _facts(item: Item, language: str) -> str:
    row = item.row
    parts = [label("coder.one_record" if row["kind"] == RECORD else "coder.deaths", language, deaths=format_number(item.deaths, 0, language))]  # fmt: skip
    parts += [
        label(f"coder.{sex}", language, count=format_number(row[sex], 0, language))
        for sex in ("male", "female")
        if row[sex]
    ]
    low, high = ages_of(row)
    if low is not None and high is not None:
        one = age_words(low, language)
        parts.append(one if low == high else label("coder.ages", language, low=one, high=age_words(high, language)))
    machine = label(f"coder.decision.{row['decision']}", language) if row["decision"] else ""
    code = f" {escape(str(row['code']))}" if row["code"] else ""
    parts.append(
        label(
            "coder.machine", language, decision=f"{machine}{code}", rule=escape(rule_words(str(row["rule"]), language))
        )
    )
    parts += [
        escape(flag_text(flag, language))
        for flag in re.split(r"[;, ]+", str(row["flags"]))
        if flag.startswith(("reject:", "check:"))
    ]
    return " · ".join(parts)


def age_words(years: float, language: str) -> str:
    """An age in the unit in which people say it."""
    if years < 1:
        days = round(years * 365.25)
        return label("coder.age_days", language, days=format_number(days, 0, language))
    return label("coder.age_years", language, years=format_number(int(years), 0, language))


def _sexes(item: Item, language: str) -> str:
    """For which sex the decision counts, where the words stand for both."""
    if item.row["kind"] == RECORD or not (item.row["male"] and item.row["female"]):
        return ""
    why = f"<span>{label('coder.by_sex', language)}</span>" if item.by_sex else ""
    buttons = "".join(
        f'<button type="button" class="cap-tab" data-do="sex" data-value="{sex}" aria-pressed="{str(item.sex == sex).lower()}"'
        f' aria-selected="{str(item.sex == sex).lower()}">{label(f"coder.for_sex.{name}", language)}</button>'
        for sex, name in (("", "both"), ("male", "male"), ("female", "female"))
    )
    return f'<div class="cod-sexes" role="group">{buttons}{why}</div>'


def _candidates(item: Item, language: str) -> str:
    said = ""
    if item.searched:
        said = f'<p class="cod-searched">{label("coder.searched", language, words=escape(item.searched))}</p>'
    if not item.candidates:
        return f'{said}<p class="cap-nothing">{label("coder.no_candidates", language)}</p>'
    rows = "".join(
        f'<button type="button" class="cap-button cod-candidate" data-do="choose" data-number="{number}"><kbd>{number}</kbd>'
        f"<b>{escape(one.code)}</b><span>{escape(title_of(one.code, language) or one.expression)}"
        f"<small>{escape(rule_words(one.rule, language))}{_by_words(one.expression, language)}</small></span>"
        f"<em>{_chance(one.score, language)}</em></button>"
        for number, one in enumerate(item.candidates, 1)
    )
    return f'{said}<div class="cod-candidates">{rows}</div>'


def _chance(score: float, language: str) -> str:
    """A probability in whole per cent; what is rarer than half a per cent is no zero."""
    return "&lt; 1 %" if score < 0.005 else f"{format_number(100 * score, 0, language)} %"


def _by_words(expression: str, language: str) -> str:
    return f": {escape(expression)}" if expression else ""


def _answers(coding: Coding, language: str) -> str:
    undo = "" if coding.done else " disabled"
    buttons = "".join(
        f'<button type="button" class="cap-button" data-do="{one}"{undo if one == "undo" else ""}><kbd>{label(f"coder.key.{one}", language)}</kbd>'
        f" {label(f'coder.does.{one}', language)}</button>"
        for one in ("uncodable", "ask", "next", "undo")
    )
    return f'<div class="cap-buttons">{buttons}</div>'


def _nothing_left(coding: Coding, language: str) -> str:
    if coding.sample:
        key = "coder.sample_done"
    elif coding.queue.coded == 0:
        key = "coder.nothing_coded"
    else:
        key = "coder.nothing_left"
    return f'<p class="cap-done">{label(key, language)}</p>{_answers(coding, language) if coding.done else ""}'


def similar_html(past: Iterable[Past], language: str) -> str:
    """Earlier choices for words like these."""
    rows = "".join(
        f"<li>“{escape(one.text_key)}” → <b>{escape(one.code) or label('coder.decision.uncodable', language)}</b>"
        f"{_by_coders(one, language)}</li>"
        for one in past
    )
    title = f"<h3>{label('coder.similar', language)}</h3>"
    return f"{title}<ul>{rows}</ul>" if rows else f"{title}<p>{label('coder.similar_none', language)}</p>"


def _by_coders(one: Past, language: str) -> str:
    count = format_number(one.coders, 0, language)
    return f" ({label('coder.coders', language, count=count)})" if one.coders > 1 else ""
