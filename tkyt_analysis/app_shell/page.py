"""The page around an app's own parts, in HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from pathlib import Path

from tkyt_analysis.labels import LANGUAGE_NAMES, LANGUAGES, label


@cache
def style_of(*sheets: Path) -> str:
    """Typeface and style; the pages' style sheet applies inside the app only, the app's own sheets after it."""
    from tkyt_analysis.assets import font_face_css, page_css

    pages = page_css().replace(":root", "&").replace("html {", "& {", 1)
    own = "".join(sheet.read_text("utf-8") for sheet in sheets)
    return f"<style>{font_face_css()}\n.tkyt-app {{ {pages} }}\n{own}</style>"


@cache
def script_of(script: Path) -> str:
    """The page's side: the part of every app, then the app's own."""
    shared = Path(__file__).with_name("app_shell.js").read_text("utf-8")
    return f"<script>{shared}\n{script.read_text('utf-8')}</script>"


def frame_html(language: str, head: str, body: str, *, practice: bool, words: Mapping[str, str], kind: str = "") -> str:
    """Everything that stands still in one language: band of practice data, head, place of the sentence, panels.

    words : what the script itself says, by name ("lost": the kernel does not answer)
    """
    band = f'<div class="band" role="note">{label("practice.note", language)}</div>' if practice else ""
    data = " ".join(f'data-{name}="{escape(text, quote=True)}"' for name, text in words.items())
    return (
        f'<div class="cap{kind and f" {kind}"}" lang="{language}" {data}>{band}{head}'
        f'<div class="cap-said" role="status" aria-live="polite"></div>{body}</div>'
    )


def head_html(language: str, *, title: str, choose_language: str, tabs: Mapping[str, str], beside: str = "") -> str:
    """Title, tabs with their counts, choice of the language; `beside` stands after the title."""
    buttons = "".join(
        f'<button type="button" role="tab" class="cap-tab" data-do="tab" data-value="{name}">{words}'
        f' <span class="cap-count" data-count="{name}"></span></button>'
        for name, words in tabs.items()
    )
    languages = "".join(
        f'<option value="{one}"{" selected" if one == language else ""}>{LANGUAGE_NAMES[one]}</option>'
        for one in LANGUAGES
    )
    return (
        f'<header class="cap-top"><h1>{title}</h1>{beside}<div class="cap-tabs" role="tablist">{buttons}</div>'
        f'<label class="cap-language"><span class="cap-hidden">{choose_language}</span>'
        f'<select data-do="language">{languages}</select></label></header>'
    )


def panel_html(name: str, body: str = "") -> str:
    """The place of one tab's content."""
    return f'<section class="cap-panel" data-panel="{name}" hidden>{body}</section>'


def keys_html(heading: str, keys: Iterable[tuple[str, str]]) -> str:
    """The keys of a page: (key, what it does)."""
    rows = "".join(f"<li><kbd>{key}</kbd> {does}</li>" for key, does in keys)
    return f'<details class="cap-keys" open><summary>{heading}</summary><ul>{rows}</ul></details>'
