"""Exhibits → pages: one per group and an index, each self-contained; interactive maps as pages of their own."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tkyt_analysis.assets import chart_style
from tkyt_analysis.errors import InputError
from tkyt_analysis.gallery.model import GROUPS, SIZES, Exhibit, exhibits
from tkyt_analysis.labels import current_language, label
from tkyt_analysis.pages import page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 200
NARROW = 640  # pixels: windows up to here show the size for phones
_STYLE = (
    f"<style>.on-narrow{{display:none}}@media (max-width:{NARROW}px){{.on-wide{{display:none}}.on-narrow{{display:block}}"
    ".on-narrow figure>svg{min-width:0}}</style>"
)


def write_gallery(directory: Path | str, *, language: str | None = None, only: Sequence[str] = ()) -> list[Path]:
    """Pages of all exhibits (or of those named in `only`) under `directory`; returns the files, the index first."""
    language, directory = language or current_language(), Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    known = exhibits()
    if unknown := [name for name in only if name not in known]:
        raise InputError("error.gallery_unknown", found=", ".join(unknown), known=", ".join(known))
    chosen = [known[name] for name in only] if only else list(known.values())
    groups = {group: [one for one in chosen if one.group == group] for group in GROUPS}
    groups = {group: some for group, some in groups.items() if some}
    files = [_write(directory / "index.html", label("gallery.title", language), _contents(groups, language), language)]
    for group, some in groups.items():
        body = _STYLE + "".join(_exhibit(one, directory, language) for one in some)
        files.append(_write(directory / f"{group}.html", label(f"gallery.group.{group}", language), body, language))
    return files + [directory / f"{one.id}.html" for one in chosen if one.interactive]


def picture_data(figure: Figure) -> str:
    """A figure as data URI of a PNG in print quality; same picture, same bytes."""
    stream = io.BytesIO()
    with chart_style():
        figure.savefig(stream, format="png", dpi=DPI, metadata={"Software": None})
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def _write(path: Path, title: str, body: str, language: str) -> Path:
    links = [(label("gallery.title", language), "index.html")] if path.name != "index.html" else []
    path.write_text(page(title, body, language=language, practice=True, navigation=links), "utf-8")
    return path


def _contents(groups: dict[str, list[Exhibit]], language: str) -> str:
    intro = f"<p>{escape(label('gallery.intro', language))}</p>"
    return intro + "".join(
        f'<h2><a href="{group}.html">{escape(label(f"gallery.group.{group}", language))}</a></h2><ul>'
        + "".join(f'<li><a href="{group}.html#{one.id}">{escape(_name(one, language))}</a></li>' for one in some)
        + "</ul>"
        for group, some in groups.items()
    )


def _name(one: Exhibit, language: str) -> str:
    return label(f"gallery.{one.id}", language)


def _exhibit(one: Exhibit, directory: Path, language: str) -> str:
    """Heading, the picture in both sizes, and a link to the interactive form."""
    name = _name(one, language)
    picture = _both([one.draw(width, language) for width in SIZES.values()], name)
    link = ""
    if one.interactive:
        (directory / f"{one.id}.html").write_text(one.interactive(language), "utf-8")
        link = f'<p><a href="{one.id}.html">{escape(label("gallery.interactive", language))}</a></p>'
    return f'<section id="{one.id}"><h2>{escape(name)}</h2>{picture}{link}</section>'


def _both(pictures: list[Any], name: str) -> str:
    """The sizes for paper and phone, of which the window shows the one that fits; once where they are the same."""
    wide, narrow = pictures
    if isinstance(wide, str) and isinstance(narrow, str):
        if wide == narrow:
            return wide
        return f'<div class="on-wide">{wide}</div><div class="on-narrow">{narrow}</div>'
    return (
        f'<picture><source media="(max-width: {NARROW}px)" srcset="{picture_data(narrow)}"><img '
        f'src="{picture_data(wide)}" alt="{escape(name)}" style="max-width:100%;height:auto"></picture>'
    )
