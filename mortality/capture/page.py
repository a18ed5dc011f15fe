"""The app in HTML: the form and the panels beside it. Every text that was typed or stored is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from mortality.capture.fields import WITH_CHOICES, Field, choices_of, groups
from mortality.capture.handin import LANDED, QUARANTINED, HandedIn
from mortality.capture.journal import Other
from mortality.capture.place import Workplace
from mortality.capture.queue import Waiting
from mortality.capture.records import FINISHED, Draft
from mortality.capture.same import Likely, Pair
from tkyt_analysis.app_shell import page as shell
from tkyt_analysis.labels import format_number, label

HERE = Path(__file__).parent
TABS = ("enter", "queue", "same", "kept")
SHORTCUTS = ("next", "save", "copy", "icd", "confirm", "leave")
ICONS = {"error": "✖", "warning": "▲", "note": "ℹ", "ok": "✔"}


def style_html() -> str:
    """Typeface and style."""
    return shell.style_of(HERE / "capture.css")


def script_html() -> str:
    """The page's side of the app: keys, waiting a moment before a change is sent, showing what comes back."""
    return shell.script_of(HERE / "capture.js")


def skeleton_html(language: str, *, practice: bool) -> str:
    """Everything that stands still in one language; what changes is filled in by the script."""
    tabs = {one: label(f"capture.tab.{one}", language) for one in TABS}
    place = '<button type="button" class="cap-place" data-do="tab" data-value="place"></button>'
    title, choose = label("capture.title", language), label("capture.language", language)
    form = f'<div class="cap-two">{_form(language)}{_aside(language)}</div>'
    panels = {"place": "", "enter": form} | dict.fromkeys(TABS[1:], "")
    return shell.frame_html(
        language, shell.head_html(language, title=title, choose_language=choose, tabs=tabs, beside=place),
        '<div class="cap-left"></div>' + "".join(shell.panel_html(name, body) for name, body in panels.items()),
        practice=practice, words={name: label(f"capture.js.{name}", language) for name in ("lost", "busy", "choose")},
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------ the form


def _form(language: str) -> str:
    parts = []
    for group, fields in groups():
        body = "".join(field_html(one, language) for one in fields)
        parts.append(
            f'<fieldset class="cap-group cap-g-{group}"><legend>{label(f"capture.group.{group}", language)}</legend>'
            f'<div class="cap-grid">{body}</div></fieldset>'
        )
    name = "cap-correction_reason"
    correction = (
        '<div class="cap-correction" hidden><p class="cap-correction-text"></p><div class="cap-field" data-field="correction_reason">'
        f'<label for="{name}">{label("capture.reason", language)} <b class="cap-star">*</b></label><input id="{name}" aria-describedby="{name}-said" '
        'data-input="correction_reason" type="text" autocomplete="off" maxlength="500"></div>'
        f'<div class="cap-remarks" data-about="correction_reason" id="{name}-said" aria-live="polite"></div></div>'
    )
    return (
        f'<form class="cap-form" autocomplete="off" novalidate>{correction}{"".join(parts)}{_buttons(language)}</form>'
    )


def field_html(field: Field, language: str) -> str:
    """Label, input, help and the place of its sentences, bound together for screen readers."""
    star = ' <b class="cap-star">*</b>' if field.required else ""
    name = f"cap-{field.name}"
    same = f'id="{name}" data-input="{field.name}" data-kind="{field.kind}" aria-describedby="{name}-said"'
    title = escape(field.title[language])
    if field.required:
        same += ' aria-required="true"'
    if field.kind in WITH_CHOICES:
        options = "".join(
            f'<option value="{escape(code, quote=True)}">{escape(texts[language])}</option>'
            for code, texts in choices_of(field.choices).items()
        )
        control = f'<select {same}><option value="">–</option>{options}</select>'
    else:
        keys = ' inputmode="numeric"' if field.name in ("id_number",) else ""
        letters = ' autocapitalize="words"' if field.name == "full_name" else ""
        control = (
            f'<input {same} type="text" autocomplete="off" spellcheck="false" maxlength="500"{keys}{letters} '
            f'placeholder="{escape(_hint(field, language), quote=True)}" title="{escape(field.help[language], quote=True)}">'
        )
    essential = " essential" if field.essential else ""
    return (
        f'<div class="cap-field w{field.width}{essential}" data-field="{field.name}"><label for="{name}">{title}{star}</label>'
        f'{control}</div><div class="cap-remarks" data-about="{field.name}" id="{name}-said" aria-live="polite"></div>'
    )


def _hint(field: Field, language: str) -> str:
    return label(f"capture.hint.{field.kind}", language) if field.kind in ("date", "time", "age", "interval") else ""


def _buttons(language: str) -> str:
    keys = {"save": "Ctrl+Enter", "copy": "Ctrl+D", "leave": "Esc"}
    made = "".join(
        f'<button type="button" class="cap-button cap-{one}" data-do="{one}">{label(f"capture.button.{one}", language)} <kbd>{key}</kbd></button>'
        for one, key in keys.items()
    )
    return f'<div class="cap-buttons">{made}<span class="cap-saved" role="status"></span></div>'


def _aside(language: str) -> str:
    """What helps while typing: state of the record, codes, likely the same person, keys."""
    keys = shell.keys_html(
        label("capture.keys", language),
        ((label(f"capture.key.{one}", language), label(f"capture.key_does.{one}", language)) for one in SHORTCUTS),
    )
    return (
        '<aside class="cap-aside">'
        '<div class="cap-state" role="status"></div>'
        f'<div class="cap-icd" hidden></div><div class="cap-likely"></div>{keys}</aside>'
    )


# ------------------------------------------------------------------------------------------------------ panels


def _button(do: str, words: str, *, kind: str = "", **data: str) -> str:
    given = "".join(f' data-{name}="{escape(value, quote=True)}"' for name, value in data.items())
    return f'<button type="button" class="cap-button {kind}" data-do="{do}"{given}>{escape(words)}</button>'


def mark_html(severity: str, language: str) -> str:
    """Severity by colour, sign and word."""
    return (
        f'<span class="cap-mark {severity}"><span aria-hidden="true">{ICONS[severity]}</span> '
        f"{label(f'capture.severity.{severity}', language)}</span>"
    )


def place_html(found: Sequence[Workplace], chosen: Workplace | None, year: int, language: str, *, only: bool) -> str:
    """Which commune's book, and of which year."""
    rows = "".join(_place_row(one, language) for one in found)
    search = (
        ""
        if only
        else f'<label for="cap-find">{label("capture.find_place", language)}</label><input id="cap-find" class="cap-search" type="search" data-search="place" autocomplete="off">'
    )
    here = f"<p>{label('capture.place_now', language, place=escape(chosen.title), year=str(year))}</p>" if chosen else f"<p>{label('capture.choose_place', language)}</p>"  # fmt: skip
    nothing = "" if rows or only else f"<p>{label('capture.no_place_found', language)}</p>"
    return (
        f'<h2>{label("capture.place_title", language)}</h2>{here}<div class="cap-choose"><div class="cap-field">'
        f'<label for="cap-year">{label("capture.book_year", language)}</label><input id="cap-year" class="cap-year" type="text" inputmode="numeric" data-search="year" value="{year}"></div>'
        f'<div class="cap-field cap-wide">{search}</div></div><ul class="cap-list">{rows}</ul>{nothing}'
    )


def _place_row(one: Workplace, language: str) -> str:
    until = (
        f" <small>{label('capture.until', language, day=format(one.valid_to, '%d/%m/%Y'))}</small>"
        if one.valid_to
        else ""
    )
    return f"<li>{_button('place', one.title, kind='wide', unit=one.unit_id)}{until}</li>"


def left_html(others: Sequence[Other], language: str) -> str:
    """Drafts that closed windows left, and windows that are open beside this one."""
    lines = []
    closed = [one for one in others if not one.open and one.kept and one.count]
    if closed:
        count = format_number(sum(one.count for one in closed), 0, language)
        latest = max((one.kept.changed_at for one in closed if one.kept), default="")
        lines.append(
            f'<div class="cap-notice warning"><p>{label("capture.left", language, count=count, moment=escape(moment(latest)))}</p>'
            f"{_button('resume', label('capture.button.resume', language), kind='cap-primary')}</div>"
        )
    open_ones = [one for one in others if one.open and one.count]
    if open_ones:
        count = format_number(sum(one.count for one in open_ones), 0, language)
        lines.append(f'<div class="cap-notice"><p>{label("capture.other_window", language, count=count)}</p></div>')
    broken = [one for one in others if one.kept is None and not one.open]
    if broken:
        lines.append(f'<div class="cap-notice error"><p>{label("capture.broken_journal", language)}</p></div>')
    return "".join(lines)


def moment(utc: str) -> str:
    """A moment of the journal (UTC) on the clock of this machine: "14:05 ngày 03/02"."""
    from datetime import UTC, datetime

    if not utc:
        return ""
    local = datetime.strptime(utc, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).astimezone()
    return f"{local:%H:%M %d/%m/%Y}"


def queue_html(waiting: Sequence[Waiting], names: dict[str, str], language: str) -> str:
    """Stored records that have open findings, worst first."""
    head = f"<h2>{label('capture.queue.title', language)}</h2><p>{label('capture.queue.intro', language)}</p>"
    if not waiting:
        return f"{head}<p class='cap-empty'>{label('capture.queue.empty', language)}</p>"
    rows = "".join(
        f"<tr><td>{mark_html(one.severity, language)}</td><td>{escape(names.get(one.unit_id, one.unit_id))}</td>"
        f"<td>{escape(one.death_date)}</td><td>{escape(_who(one, language))}</td>"
        f"<td class='cap-wide-cell'>{'<br>'.join(escape(text) for text in one.sentences)}</td>"
        f"<td>{_button('correct', label('capture.button.correct', language), record=one.death_id)}</td></tr>"
        for one in waiting
    )
    heads = "".join(f"<th scope='col'>{label(f'capture.queue.{one}', language)}</th>" for one in ("severity", "unit", "day", "who", "what"))  # fmt: skip
    action = label("capture.queue.action", language)
    return f"{head}<div class='scroll'><table class='data cap-table'><thead><tr>{heads}<th scope='col'><span class='cap-hidden'>{action}</span></th></tr></thead><tbody>{rows}</tbody></table></div>"


def _who(one: Waiting, language: str) -> str:
    sex = label(f"sex.{one.sex if one.sex in ('male', 'female') else 'unknown'}", language)
    return ", ".join(filter(None, (sex, label("capture.years_old", language, age=one.age) if one.age else "")))


def pair_html(pair: Pair | None, language: str, *, last: str = "", refused: str = "") -> str:
    """Two records beside each other, differences marked by colour and word."""
    head = f"<h2>{label('capture.same.title', language)}</h2>"
    undo = (
        f"<p class='cap-done'>{escape(last)} {_button('undo', label('capture.button.undo', language))}</p>"
        if last
        else ""
    )
    if refused:
        return f"{head}<div class='cap-notice warning'><p>{escape(refused)}</p></div>"
    if pair is None:
        return f"{head}{undo}<p class='cap-empty'>{label('capture.same.empty', language)}</p>"
    rows = "".join(
        f"<tr class='{'differs' if differs else ''}'><th scope='row'>{escape(title)}</th><td>{escape(a)}</td><td>{escape(b)}</td>"
        f"<td>{label('capture.same.differs', language) if differs else ''}</td></tr>"
        for title, a, b, differs in pair.rows
    )
    reasons = "".join(f"<li>{escape(one)}</li>" for one in pair.reasons)
    buttons = "".join(
        f'<button type="button" class="cap-button cap-{one}" data-do="{one}">{label(f"capture.button.{one}", language)} <kbd>{key}</kbd></button>'
        for one, key in (("same", "S"), ("different", "D"), ("skip", "K"))
    )
    columns = [label("capture.same.record", language, record=one[:8]) for one in (pair.record_a, pair.record_b)]
    return (
        f"{head}{undo}<p>{label('capture.same.intro', language, probability=escape(pair.probability), left=pair.left)}</p>"
        f"<ul class='cap-reasons'>{reasons}</ul><div class='cap-field cap-why'><label for='cap-why'>{label('capture.same.why', language)}</label>"
        f"<input id='cap-why' type='text' maxlength='200' autocomplete='off'></div><div class='cap-buttons'>{buttons}</div>"
        f"<div class='scroll'><table class='data cap-table cap-pair'><thead><tr><th scope='col'>{label('capture.same.field', language)}</th>"
        f"<th scope='col'>{escape(columns[0])}</th><th scope='col'>{escape(columns[1])}</th><th scope='col'></th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def likely_html(found: Sequence[Likely], language: str) -> str:
    """Stored records that may be of the person who is typed."""
    if not found:
        return ""
    rows = "".join(
        f"<li><b>{escape(one.probability)}</b> {label('capture.same.record', language, record=one.record_id[:8])}"
        f"<br><small>{escape('; '.join(one.reasons))}</small></li>"
        for one in found
    )
    return f"<div class='cap-notice warning'><h3>{label('capture.likely', language)}</h3><ul>{rows}</ul><p><small>{label('capture.likely_note', language)}</small></p></div>"


def kept_html(drafts: Sequence[Draft], current: str, handed: HandedIn | None, language: str) -> str:
    """The records that are not handed in yet, and what the door answered last."""
    finished = sum(one.state == FINISHED for one in drafts)
    head = f"<h2>{label('capture.kept.title', language)}</h2><p>{label('capture.kept.intro', language)}</p>"
    answer = _handed(handed, language) if handed else ""
    send = f'<div class="cap-buttons"><button type="button" class="cap-button cap-primary" data-do="handin"{"" if finished else " disabled"}>{label("capture.button.handin", language, count=finished)}</button></div>'  # fmt: skip
    shown = [one for one in drafts if not one.is_empty]
    if not shown:
        return f"{head}{answer}<p class='cap-empty'>{label('capture.kept.empty', language)}</p>"
    rows = "".join(_kept_row(number, one, one.key == current, language) for number, one in enumerate(shown, 1))
    heads = "".join(f"<th scope='col'>{label(f'capture.kept.{one}', language)}</th>" for one in ("number", "state", "name", "day", "cause"))  # fmt: skip
    return f"{head}{answer}{send}<div class='scroll'><table class='data cap-table'><thead><tr>{heads}<th scope='col'></th></tr></thead><tbody>{rows}</tbody></table></div>"


def _kept_row(number: int, draft: Draft, current: bool, language: str) -> str:
    if draft.state == FINISHED:
        state = f'<span class="cap-mark ok"><span aria-hidden="true">{ICONS["ok"]}</span> {label("capture.state.finished", language)}</span>'
    else:
        key = "capture.state.errors" if draft.errors else "capture.state.unfinished"
        kind = "error" if draft.errors else "warning"
        state = (
            f'<span class="cap-mark {kind}"><span aria-hidden="true">{ICONS[kind]}</span> {label(key, language)}</span>'
        )
    if draft.is_correction:
        state += f"<br><small>{label('capture.state.correction', language)}</small>"
    refused = f"<br><small class='cap-refused'>{escape(draft.refused)}</small>" if draft.refused else ""
    values = draft.values
    open_it, remove = (
        _button(do, label(f"capture.button.{do}", language), key=draft.key, **more)
        for do, more in (("open", {}), ("remove", {"ask": label("capture.remove_ask", language)}))
    )
    here = " class='current'" if current else ""
    return (
        f"<tr{here}><td>{number}</td><td>{state}{refused}</td><td class='cap-name'>{escape(values.get('full_name', ''))}</td>"
        f"<td>{escape(values.get('death_date', ''))}</td><td class='cap-name'>{escape(values.get('cause_text', ''))}</td><td class='cap-actions'>{open_it}{remove}</td></tr>"
    )


def _handed(handed: HandedIn, language: str) -> str:
    landed, refused = handed.count(LANDED), handed.count(QUARANTINED)
    kind = "error" if refused or not landed else "ok"
    return f"<div class='cap-notice {kind}'><p>{label('capture.handed', language, landed=landed, refused=refused)}</p></div>"
