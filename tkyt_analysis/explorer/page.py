"""The explorer's page in HTML: frame, remarks, table or picture, code. Every text that came from outside is escaped."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from tkyt_analysis.dashboards import overview_page
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.pages import notice

if TYPE_CHECKING:
    from tkyt_analysis.cube.model import Measure
    from tkyt_analysis.explorer.layout import Pivot
    from tkyt_analysis.warehouse.release import Release

PICTURE_WIDTH = 980
COPIES = (
    "var t=this.parentNode.querySelector('pre'),s=getSelection(),r=document.createRange();r.selectNodeContents(t);"
    "s.removeAllRanges();s.addRange(r);var b=this,w=b.textContent,d=function(){b.textContent=b.dataset.done;"
    "setTimeout(function(){b.textContent=w},1500)};"
    "if(navigator.clipboard){navigator.clipboard.writeText(t.textContent).then(d)}else{document.execCommand('copy');d()}"
)


@cache
def style_html() -> str:
    """The style of the dashboards and the explorer's own rules."""
    own = Path(__file__).with_name("explorer.css").read_text("utf-8")
    return f"{overview_page.style_html()}<style>{own}</style>"


def head_html(release: Release | None, language: str) -> str:
    """Band of practice data, masthead and title."""
    return overview_page.head_html(release, language, title="explorer.title")


def foot_html(release: Release, language: str) -> str:
    """Release, date of the data, practice."""
    return overview_page.foot_html(release, language)


def shown_html(pivot: Pivot, language: str, *, width: int = PICTURE_WIDTH) -> str:
    """The pivot as its layout wants to be shown: the table, or the picture with the table's remarks below."""
    from tkyt_analysis.explorer.pivot_html import pivot_html

    if pivot.layout.picture == "table":
        return pivot_html(pivot, language)
    return picture_html(pivot, language, width=width)


def picture_html(pivot: Pivot, language: str, *, width: int = PICTURE_WIDTH) -> str:
    """A chart or map that grows and shrinks with the page. Raises InputError where the dimensions do not fit it."""
    from tkyt_analysis.explorer.charts import picture_markup

    return picture_markup(pivot, language=language, width_px=width)


def size_words(pivot: Pivot, language: str) -> str:
    """How large the table is: "34 dòng × 3 cột"."""
    rows, columns = (format_number(one, 0, language) for one in pivot.shown.shape)
    return label("explorer.size", language, rows=rows, columns=columns)


def status_html(text: str, language: str, *, busy: bool = False) -> str:
    """What is going on, said to screen readers too."""
    kind = " busy" if busy else ""
    return f'<div class="tkyt-status{kind}" role="status" aria-live="polite" lang="{language}">{escape(text)}</div>'


def advice_html(sentence: str, language: str) -> str:
    """Why nothing is shown, and what to change."""
    return f'<div lang="{language}" role="alert">{notice(sentence, kind="warning", language=language)}</div>'


def said_html(sentence: str, language: str, *, error: bool = False) -> str:
    """The answer to saving, opening, exporting."""
    kind = "error" if error else "info"
    return (
        f'<div lang="{language}" role="status">{notice(sentence, kind=kind, language=language)}</div>'
        if sentence
        else ""
    )


def small_html(text: str, language: str) -> str:
    """A remark below a picker."""
    return f'<p class="small" lang="{language}">{escape(text)}</p>'


def about_html(measures: Sequence[Measure], language: str) -> str:
    """What the chosen measures mean: unit, definition, source."""
    parts = []
    for one in measures:
        lines = [f"<dt>{escape(one.title[language])}</dt>"]
        lines.append(f"<dd>{escape(label('explorer.unit', language, unit=one.unit[language]))}</dd>")
        if one.definition is not None:
            lines.append(f"<dd>{escape(one.definition[language])}</dd>")
        if one.source and one.source != one.dataset:
            lines.append(f"<dd>{escape(label('explorer.source', language, source=one.source))}</dd>")
        if one.unverified:
            lines.append(f"<dd>{escape(label('explorer.unverified', language))}</dd>")
        parts.append("".join(lines))
    return f'<dl class="small" lang="{language}">{"".join(parts)}</dl>' if parts else ""


def filtered_html(kept: Sequence[tuple[str, Sequence[str]]], language: str) -> str:
    """The filters in force."""
    if not kept:
        return ""
    lines = "".join(f"<li><b>{escape(name)}</b>: {escape(', '.join(members))}</li>" for name, members in kept)
    return f'<ul class="small" lang="{language}">{lines}</ul>'


def code_html(code: str, language: str) -> str:
    """The code, selectable, with a button that copies it; "" where nothing is shown."""
    if not code:
        return ""
    done = escape(label("explorer.copied", language), quote=True)
    intro = f"<p>{escape(label('explorer.code_intro', language))}</p>"
    button = f'<button type="button" class="tkyt-copy" data-done="{done}" onclick="{escape(COPIES, quote=True)}">{escape(label("explorer.copy", language))}</button>'
    return f'<div class="tkyt-code" lang="{language}">{intro}{button}<pre tabindex="0">{escape(code)}</pre></div>'


def download_html(name: str, content: bytes, kind: str, words: str, path: str, language: str) -> str:
    """A link that saves a file without asking a server, and where the same file lies in the work folder."""
    data = base64.b64encode(content).decode("ascii")
    link = f'<a download="{escape(name, quote=True)}" href="data:{kind};base64,{data}">{escape(words)}</a>'
    place = f'<p class="small">{escape(path)}</p>' if path else ""
    return f'<div class="tkyt-download" lang="{language}" role="status">{link}{place}</div>'
