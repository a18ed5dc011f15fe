"""The other panels of the coder's screen: the queue, learnt words, double coding. Every stored text is escaped."""

from __future__ import annotations

from html import escape
from typing import Any

from mortality.coder.session import Coding
from mortality.coder.titles import title_of
from tkyt_analysis.labels import format_date, format_number, label

LISTED = 40


def list_html(coding: Coding, language: str) -> str:
    """The first matters of the queue; a press opens one."""
    rows = "".join(_list_row(key, row, language) for key, row in coding.first_waiting(LISTED))
    note = label(
        "coder.list.note", language, shown=format_number(min(LISTED, coding.left), 0, language),
        without=format_number(coding.queue.without_words, 0, language), asked=format_number(coding.queue.asked, 0, language),
    )  # fmt: skip
    heads = "".join(f"<th>{label(f'coder.column.{one}', language)}</th>" for one in ("words", "deaths", "why", "open"))
    button = f'<button type="button" class="cap-button" data-do="reload">{label("coder.reload", language)}</button>'
    return (
        f"<h2>{label('coder.tab.list', language)}</h2><p>{note} {button}</p>"
        f'<div class="scroll"><table class="cap-table cod-list"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _list_row(key: str, row: dict[str, Any], language: str) -> str:
    why = [label(f"coder.stake.{one}", language) for one in str(row["stakes"]).split()]
    why += [label("coder.second", language, others=format_number(row["others"], 0, language))] if row["others"] else []
    why += [
        label(f"coder.band.{one}", language) for one in (row["age_band"], "maternal" if row["maternal"] else "") if one
    ]
    open_ = f'<button type="button" class="cap-button" data-do="open" data-item="{key}">{label("coder.open", language)}</button>'
    return (
        f'<tr><td class="cap-wide-cell">{escape(str(row["written"]))}</td><td>{format_number(row["deaths"], 0, language)}</td>'
        f"<td>{'; '.join(why)}</td><td>{open_}</td></tr>"
    )


def learnt_html(rows: list[dict[str, Any]], language: str, *, version: str, reviewer: bool) -> str:
    """Entries learnt from coders, with what a reviewer may say."""
    names = ("words", "code", "state", "confirmed", "last", *(("review",) if reviewer else ()))
    heads = "".join(f"<th>{label(f'coder.column.{one}', language)}</th>" for one in names)
    body = "".join(_learnt_row(row, language, reviewer) for row in rows)
    intro = label("coder.learnt.note", language, version=version or "–")
    reason = (
        f'<div class="cap-field cap-why"><label for="cod-reason">{label("coder.field.reason", language)}</label>'
        '<input id="cod-reason" data-typed="reason" type="text" maxlength="200" autocomplete="off"></div>'
        if reviewer and rows
        else ""
    )
    if not rows:
        return f'<h2>{label("coder.tab.learnt", language)}</h2><p class="cap-empty">{label("coder.learnt.none", language)}</p>'
    return (
        f"<h2>{label('coder.tab.learnt', language)}</h2><p>{intro}</p>{reason}"
        f'<div class="scroll"><table class="cap-table"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _learnt_row(row: dict[str, Any], language: str, reviewer: bool) -> str:
    only = [label(f"coder.for_sex.{row['sex']}", language)] if row["sex"] else []
    only += [label("coder.band.under_28_days", language)] if row["age_band"] else []
    words = escape(str(row["expression"])) + (f" ({'; '.join(only)})" if only else "")
    confirmed = label(
        "coder.confirmed", language, coders=format_number(row["coders"], 0, language), against=format_number(row["against"], 0, language),
        deaths=format_number(row["deaths"], 0, language),
    )  # fmt: skip
    last = _day(str(row["reviewed_at"] or row["last_at"]), language)
    by_reviewer = f"; {label('coder.by_reviewer', language)}" if row["reviewers"] else ""
    offered = {"learnt": ("accept", "withdraw"), "accepted": ("withdraw",), "not_learnt": ()}.get(str(row["state"]), ("accept", "refuse"))  # fmt: skip
    buttons = "".join(
        f'<button type="button" class="cap-button" data-do="review" data-value="{one}" data-item="{row["entry_id"]}">{label(f"coder.review.{one}", language)}</button>'
        for one in offered
    )
    state = label(f"coder.state.{row['state']}", language)
    said = f"<small>{escape(str(row['reason']))}</small>" if row["reason"] else ""
    return (
        f'<tr><td class="cap-wide-cell">{words}</td><td><b>{escape(str(row["code"]))}</b> {escape(title_of(str(row["code"]), language))}</td>'
        f"<td>{state} {said}</td><td>{confirmed}{by_reviewer}</td><td>{last}</td>"
        + (f'<td class="cap-actions">{buttons}</td>' if reviewer else "")
        + "</tr>"
    )


def _day(moment: str, language: str) -> str:
    """The day of a stored moment as the language writes it; nothing for none."""
    import datetime

    return format_date(datetime.date.fromisoformat(moment[:10]), language) if moment else ""


def double_html(samples: list[dict[str, Any]], found: Any, language: str, *, current: str, me: str) -> str:
    """Samples for double coding, and the agreement of the one that was asked for."""
    heads = "".join(
        f"<th>{label(f'coder.column.{one}', language)}</th>" for one in ("sample", "records", "coded", "open")
    )
    rows = "".join(_sample_row(one, language, current, me) for one in samples)
    table = (
        f'<div class="scroll"><table class="cap-table"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        if rows
        else f'<p class="cap-empty">{label("coder.sample.none", language)}</p>'
    )
    back = (
        f'<button type="button" class="cap-button" data-do="sample" data-value="">{label("coder.sample.leave", language)}</button>'
        if current
        else ""
    )
    return f"<h2>{label('coder.tab.double', language)}</h2><p>{label('coder.sample.note', language)}</p>{table}{back}{agreement_html(found, language) if found else ''}"


def _sample_row(one: dict[str, Any], language: str, current: str, me: str) -> str:
    coded = "; ".join(
        f"{escape(name)}: {format_number(count, 0, language)}" for name, count in sorted(one["coded"].items())
    )
    sample = escape(one["sample_id"], quote=True)
    mine = format_number(one["coded"].get(me, 0), 0, language)
    buttons = f'<button type="button" class="cap-button" data-do="sample" data-value="{sample}">{label("coder.sample.code", language, mine=mine)}</button>'
    if len(one["coded"]) > 1:
        buttons += f' <button type="button" class="cap-button" data-do="kappa" data-value="{sample}">{label("coder.sample.kappa", language)}</button>'
    mark = ' class="current"' if one["sample_id"] == current else ""
    return f"<tr{mark}><td>{sample}</td><td>{format_number(one['size'], 0, language)}</td><td>{coded}</td><td>{buttons}</td></tr>"


def agreement_html(found: Any, language: str) -> str:
    """Kappa with its interval at both levels, and the commonest differences."""
    from mortality.coder.words import kappa_sentence

    kappas = "".join(f"<li>{escape(kappa_sentence(one, language))}</li>" for one in found.kappas)
    rows = found.disagreements("list_1").head(10)
    body = "".join(
        f"<tr><td>{escape(str(one.first))}</td><td>{escape(str(one.second))}</td><td>{format_number(one.records, 0, language)}</td></tr>"
        for one in rows.itertuples()
    )
    names = [escape(name) for name in found.coders]
    table = (
        f'<div class="scroll"><table class="cap-table"><thead><tr><th>{names[0]}</th><th>{names[1]}</th>'
        f"<th>{label('coder.column.records', language)}</th></tr></thead><tbody>{body}</tbody></table></div>"
        if body
        else ""
    )
    return f'<div class="cap-notice"><ul>{kappas}</ul></div>{table}'
