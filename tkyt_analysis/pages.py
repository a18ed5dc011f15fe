"""The HTML page that reports, portal and index pages share: one file, nothing loaded from anywhere.

Style, typeface and pictures are inside the page; a content security policy forbids everything else. Texts given
to the components are escaped; only `page(body_html=…)` and `figure(svg=…)` take HTML, from our own components.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.assets import font_face_css, page_css
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.labels import current_language, format_date, format_number, label

TRUST = ("high", "medium", "low", "not_assessable")
NOTICES = ("info", "warning", "error")


def page(
    title: str,
    body_html: str,
    *,
    language: str | None = None,
    practice: bool,
    release_id: str | None = None,
    data_as_of: Any = None,
    passport: Mapping[str, object] | None = None,
    navigation: Sequence[tuple[str, str]] = (),
    logo_svg: str | None = None,
    script: str | None = None,
    heading: bool = True,
) -> str:
    """A whole HTML document.

    Parameters
    ----------
    title : plain text; the page's name and, with `heading`, its first heading
    body_html : trusted HTML made with the components of this module
    practice : True puts the band "Số liệu mô phỏng – không phải số liệu thật" on the page; no default, so that
        nobody forgets it
    data_as_of : date, or its ISO text
    passport : name → value of where the figures come from, printed in the footer
    navigation : (text, relative address) of the links under the masthead
    logo_svg : trusted inline SVG in place of the letters TKYT
    script : our own JavaScript; the only script that the page's policy lets run
    """
    language = language or current_language()
    name = escape(title)
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}"><title>{name}</title>'
        f"<style>\n{font_face_css()}\n{page_css()}</style>"
    )
    parts = [
        f'<a class="skip" href="#content">{label("page.skip", language)}</a>',
        f'<div class="band" role="note">{label("page.practice", language)}</div>' if practice else "",
        _masthead(logo_svg, language),
        _navigation(navigation),
        f'<main id="content" class="inner">{f"<h1>{name}</h1>" if heading else ""}\n{body_html}\n</main>',
        _footer(practice, release_id, data_as_of, passport or {}, language),
        f"<script>{script}</script>" if script else "",
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>{head}</head>\n<body>\n{"".join(parts)}\n</body>\n</html>\n'
    )


def _policy(script: str | None) -> str:
    """Inline style, data: pictures and fonts, and the one script by its hash; nothing else."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'"
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
        policy += f"; script-src 'sha256-{digest}'"
    return policy


def _masthead(logo_svg: str | None, language: str) -> str:
    logo = f'<div class="logo" aria-hidden="true">{logo_svg or "TKYT"}</div>'
    names = f"<div><strong>{label('page.ministry', language)}</strong>{label('page.service', language)}</div>"
    return f'<header class="masthead"><div class="inner">{logo}{names}</div></header>'


def _navigation(links: Sequence[tuple[str, str]]) -> str:
    if not links:
        return ""
    items = "".join(f'<a href="{escape(_relative(address))}">{escape(text)}</a>' for text, address in links)
    return f'<nav class="main"><div class="inner">{items}</div></nav>'


def _relative(address: str) -> str:
    """The address, if it stays on this site; "#" where it would lead away or run something."""
    return "#" if ":" in address.split("/")[0] or address.startswith("//") else address


def _footer(
    practice: bool, release_id: str | None, data_as_of: Any, passport: Mapping[str, object], language: str
) -> str:
    lines = [f"{label('page.ministry', language)} — {label('page.service', language)}"]
    if release_id:
        lines.append(label("page.release", language, release_id=release_id))
    if data_as_of is not None:
        lines.append(label("page.data_as_of", language, date=format_date(data_as_of, language)))
    if practice:
        lines.append(label("page.practice", language))
    text = "".join(f"<p>{escape(line)}</p>" for line in lines)
    rows = "".join(f"<dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd>" for name, value in passport.items())
    more = f"<details><summary>{label('page.passport', language)}</summary><dl>{rows}</dl></details>" if rows else ""
    return f'<footer><div class="inner">{text}{more}</div></footer>'


def table_html(
    table: pd.DataFrame,
    *,
    headings: Mapping[str, str] | None = None,
    caption: str | None = None,
    decimals: int | Mapping[str, int] = 0,
    total_rows: Sequence[int] = (),
    stacked: bool = False,
    language: str | None = None,
) -> str:
    """A table; every text escaped, numbers right-aligned in digits of one width, missing shown as "–".

    headings : column → heading, in the order to show; default: all columns under their own names
    decimals : of all number columns, or of each by its name. A whole-number column has none.
    total_rows : positions of rows that are sums, set in bold
    stacked : on a phone each row becomes a card with its headings, for tables with sentences in them
    """
    language = language or current_language()
    headings = dict(headings or {name: str(name) for name in table.columns})
    missing = [name for name in headings if name not in table]
    if missing:
        found = ", ".join(map(str, table.columns))
        raise InputError("error.page_columns", missing=", ".join(missing), found=found)
    columns = [_column(table[name], _decimals_of(name, decimals), language) for name in headings]
    head = "".join(f"<th scope='col'{c}>{escape(h)}</th>" for (c, _), h in zip(columns, headings.values()))
    rows = []
    for i, cells in enumerate(zip(*(cells for _, cells in columns))):
        first = f'<th scope="row"{columns[0][0]}>{cells[0]}</th>'
        rest = "".join(
            f'<td{kind} data-heading="{escape(name, quote=True)}">{cell}</td>'
            for (kind, _), cell, name in zip(columns[1:], cells[1:], list(headings.values())[1:])
        )
        rows.append(f"<tr{_TOTAL if i in total_rows else ''}>{first}{rest}</tr>")
    name = f"<caption>{escape(caption)}</caption>" if caption else ""
    hint = escape(caption or label("page.table_scrolls", language), quote=True)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{hint}"><table class="data{" stacked" if stacked else ""}">{name}'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


_TOTAL = ' class="total"'


def _decimals_of(name: str, decimals: int | Mapping[str, int]) -> int:
    return decimals if isinstance(decimals, int) else decimals.get(name, 0)


def _column(column: pd.Series, decimals: int, language: str) -> tuple[str, list[str]]:
    """(HTML attribute, escaped cells) of one column."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        places = 0 if pd.api.types.is_integer_dtype(column) else decimals
        values = [None if pd.isna(value) else value for value in column]
        return ' class="number"', [format_number(value, places, language) for value in values]
    if pd.api.types.is_datetime64_any_dtype(column):
        return "", [format_date(value, language) for value in column]
    texts = ["–" if pd.isna(value) else str(value) for value in column]
    cells = [_breaking(escape(text)) for text in texts]
    return (' class="long"' if max(map(len, texts), default=0) > 28 else ""), cells


def _breaking(cell: str) -> str:
    """A figure's id may break between its parts and words: whole it is wider than a page."""
    return cell.replace("|", "|<wbr>").replace("_", "_<wbr>") if "|" in cell else cell


@dataclass(frozen=True)
class FigureCard:
    """One figure in a value box.

    value : number (shown with `decimals`) or text; None is "–"
    change : difference to the period before in the unit of `value`; None: nothing is said
    change_text : against what, e.g. "so với năm 2023"
    trust : "high" | "medium" | "low" | "not_assessable"; `trust_note` says why
    course : values of a sparkline, oldest first; missing values leave a gap
    """

    title: str
    value: float | str | None
    unit: str = ""
    decimals: int = 0
    change: float | None = None
    change_text: str = ""
    trust: str | None = None
    trust_note: str = ""
    course: Sequence[float | None] = ()


def figure_cards(cards: Sequence[FigureCard], *, language: str | None = None) -> str:
    """Value boxes side by side, one below the other on a phone."""
    language = language or current_language()
    return f'<ul class="cards">{"".join(_card(card, language) for card in cards)}</ul>'


def _card(card: FigureCard, language: str) -> str:
    value = card.value if isinstance(card.value, str) else format_number(card.value, card.decimals, language)
    unit = f" <small>{escape(card.unit)}</small>" if card.unit and not pd.isna(card.value) else ""
    parts = [
        f'<span class="title">{escape(card.title)}</span>',
        f'<span class="value">{escape(value)}{unit}</span>',
        _trend(card, language),
        sparkline(card.course, decimals=card.decimals, language=language) if len(card.course) > 1 else "",
        _trust(card, language),
    ]
    return f'<li class="card">{"".join(parts)}</li>'


_ARROWS = {"up": "M5,0 10,10 0,10z", "down": "M0,0 10,0 5,10z", "flat": "M0,4 10,4 10,6 0,6z"}


def _trend(card: FigureCard, language: str) -> str:
    """Direction as a sign and in words; what shows as 0 is "unchanged"."""
    if card.change is None or pd.isna(card.change):
        return ""
    size = round(abs(card.change), card.decimals)
    way = "flat" if size == 0 else "up" if card.change > 0 else "down"
    words = label(f"page.trend.{way}", language, change=format_number(size, card.decimals, language))
    sign = f'<svg viewBox="0 0 10 10" aria-hidden="true"><path d="{_ARROWS[way]}"/></svg>'
    return f'<span class="trend">{sign}{escape(f"{words} {card.change_text}".strip())}</span>'


def _trust(card: FigureCard, language: str) -> str:
    if card.trust is None:
        return ""
    _require(card.trust, TRUST, "trust")
    note = f": {escape(card.trust_note)}" if card.trust_note else ""
    return f'<span class="trust {card.trust}">{label(f"page.trust.{card.trust}", language)}{note}</span>'


def sparkline(values: Sequence[float | None], *, decimals: int = 0, language: str | None = None) -> str:
    """A small line of values, oldest first; a missing value is a gap. For shape only: it has no axis."""
    numbers = np.array([np.nan if value is None else value for value in values], dtype=float)
    seen = numbers[np.isfinite(numbers)]
    if not len(seen):
        return ""
    low, spread = seen.min(), np.ptp(seen) or 1.0
    x = np.linspace(2, 98, len(numbers))
    y = 22 - 20 * (numbers - low) / spread
    path, pen_up = [], True
    for place, height in zip(x, y):
        if np.isfinite(height):
            path.append(f"{'M' if pen_up else 'L'}{place:.1f},{height:.1f}")
        pen_up = not np.isfinite(height)
    first, last = (format_number(value, decimals, language) for value in (seen[0], seen[-1]))
    said = escape(label("page.sparkline", language, first=first, last=last), quote=True)
    return (
        f'<svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label="{said}">'
        f'<path d="{"".join(path)}" fill="none" stroke="#0a4d8c" stroke-width="2" stroke-linecap="round" '
        'vector-effect="non-scaling-stroke"/></svg>'
    )


def notice(text: str, *, kind: str = "info", language: str | None = None) -> str:
    """A remark set off from the text: "info", "warning" or "error"."""
    _require(kind, NOTICES, "kind")
    name = label(f"page.notice.{kind}", language)
    return f'<div class="notice {kind}" role="note"><strong>{name}.</strong> {escape(text)}</div>'


def figure(svg: str, *, caption: str, alternative: str, narrow: str = "") -> str:
    """A chart as inline SVG (trusted, from matplotlib) with its caption and a text for those who cannot see it.

    narrow : the same chart drawn for phones; pages show the one that fits (without our style sheet: the wide one)
    """
    drawn = _named(svg, alternative, 'class="wide"' if narrow else "")
    if narrow:
        drawn += _named(narrow, alternative, 'class="narrow" style="display:none"')
    return f"<figure>{drawn}<figcaption>{escape(caption)}</figcaption></figure>"


def _named(svg: str, alternative: str, attributes: str) -> str:
    start = svg.index("<svg") + 4
    return f'<svg {attributes}{" " if attributes else ""}role="img" aria-label="{escape(alternative, quote=True)}"{svg[start:]}'


def paragraph(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{escape(text)}</p>"


def section(title: str, body_html: str) -> str:
    """A second-level heading and what belongs to it."""
    return f"<section><h2>{escape(title)}</h2>{body_html}</section>"


def _require(value: str, expected: Sequence[str], option: str) -> None:
    if value not in expected:
        raise UsageError("error.page_option", option=option, value=value, expected=", ".join(expected))
