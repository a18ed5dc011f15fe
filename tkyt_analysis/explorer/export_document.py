"""A table and its picture as PDF (A4 across), PNG or SVG, set by Typst from a template of ours with our own type."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from tkyt_analysis.assets import ASSETS
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.explorer.described import Description
from tkyt_analysis.explorer.layout import Pivot
from tkyt_analysis.explorer.marks import SIGNS, cell_texts, interval_texts, legend, marks_of, signs
from tkyt_analysis.explorer.pivot_html import column_names, headings, is_total, row_names
from tkyt_analysis.explorer.titles import dimension_name
from tkyt_analysis.labels import label

PAGE_WIDTH = 773.0  # points between the margins of an A4 page across
NARROWEST = 420.0
LARGEST, SMALLEST = 8.5, 6.0  # points of the table's type
_LETTER = 0.56  # width of a letter in its size, a little above the typeface's average
_PADDING = 9.0
DOTS_PER_INCH = 200
PICTURE_INCHES = (10.4, 5.4)


def document(pivot: Pivot, words: Description, kind: str, language: str) -> bytes:
    """The bytes of a "pdf", "png" or "svg". A PDF has the picture and the table; the others the picture, or the table
    where the layout has none. Raises ProcessingError where the page cannot be set."""
    import typst

    with_picture = pivot.layout.picture != "table"
    room = PAGE_WIDTH if kind == "pdf" else np.inf
    parts = _parts(pivot, language, room) if kind == "pdf" or not with_picture else []
    picture, missing = _picture(pivot, kind, language) if with_picture else ("", [])
    width = PAGE_WIDTH if with_picture else max([NARROWEST, *(part["width"] for part in parts)])
    data = _words(words, kind, language) | {"parts": parts, "picture": picture, "width": width + 36}
    data["notes"] = [*missing, *words.notes]
    if not parts:
        data |= {"legend": [], "notes": [*_gaps(pivot, language), *pivot.figures.remarks]}
    source = Path(__file__).with_name("pivot.typ").read_bytes()
    options: dict[str, Any] = {"format": kind}
    options |= {"pdf_standards": ["ua-1"]} if kind == "pdf" else {"ppi": DOTS_PER_INCH}
    try:
        made: Any = typst.compile(
            source,
            font_paths=[os.fspath(ASSETS / "fonts")],
            ignore_system_fonts=True,
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
            **options,
        )
    except typst.TypstError as error:
        raise ProcessingError("error.export_page", problem=str(error)) from None
    return made if isinstance(made, bytes) else made[0]


def _gaps(pivot: Pivot, language: str) -> list[str]:
    """Why a picture has gaps; what else its signs mean it says itself."""
    reasons = dict(legend(pivot, language))
    shown = [
        reasons[sign] for name, sign in SIGNS.items() if name in ("suppressed", "not_assessable") and sign in reasons
    ]
    return [label("export.gaps", language, reasons="; ".join(shown))] if shown else []


def _picture(pivot: Pivot, kind: str, language: str) -> tuple[str, list[str]]:
    """(SVG, []); of a PDF whose table cannot be drawn ("", the reason): the table is worth having without it."""
    try:
        return picture_svg(pivot, language), []
    except InputError as error:
        if kind != "pdf":
            raise
        return "", [error.sentence(language)]


def picture_svg(pivot: Pivot, language: str) -> str:
    """The picture alone, without its headings, as SVG. (An empty dash pattern, as matplotlib writes for a line without
    dashes, would make Typst leave the line out.)"""
    return re.sub(r"stroke-dasharray:\s*(;|(?=\"))", "", _saved(pivot, language, "svg").decode("utf-8"))


def picture_png(pivot: Pivot, language: str) -> bytes:
    """The picture alone, without its headings, as PNG."""
    return _saved(pivot, language, "png")


def _saved(pivot: Pivot, language: str, kind: str) -> bytes:
    from tkyt_analysis.assets import chart_style
    from tkyt_analysis.explorer.charts import draw

    width, height = PICTURE_INCHES
    drawing = draw(pivot, language=language, width=width, height=height, heading=False)
    stream = io.BytesIO()
    with chart_style():
        drawing.savefig(stream, format=kind, dpi=192, metadata={"Date": None} if kind == "svg" else None)
    return stream.getvalue()


def _words(words: Description, kind: str, language: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "language": language,
        "ministry": label("page.ministry", language),
        "page": label("export.page", language),
        "title": words.title,
        "unit": words.unit,
        "bands": list(words.bands),
        "filters": words.filters,
        "legend": words.legend,
        "notes": list(words.notes),
        "footer": words.footer,
        "passport": words.passport,
    }


def _parts(pivot: Pivot, language: str, room: float) -> list[dict[str, Any]]:
    """The table, cut between columns where it is too wide for the page even in small type."""
    cells = _cells(pivot, language)
    levels = range(len(pivot.layout.rows))
    heads = [_width(max((len(name[level]) for name in pivot.row_names), default=0)) for level in levels]
    left = sum(min(one, 26 * _LETTER * LARGEST) for one in heads) or 60.0
    names = column_names(pivot, language)
    widths = np.array([_column_width(names[place], cells[:, place]) for place in range(len(names))])
    size = float(np.clip(LARGEST * room / (left + widths.sum()), SMALLEST, LARGEST))
    scale = size / LARGEST
    blocks = _blocks(widths * scale, room - left * scale)
    parts = []
    for number, columns in enumerate(blocks, start=1):
        name = label("export.part", language, part=number, parts=len(blocks)) if len(blocks) > 1 else ""
        parts.append(
            {
                "name": name,
                "size": size,
                "width": float(left * scale + (widths[columns] * scale).sum()),
                "heads": max(len(pivot.layout.rows), 1),
                "columns": [round(one, 1) for one in (widths[columns] * scale).tolist()],
                "head": _head(pivot, columns, language),
                "body": _body(pivot, cells, columns, language),
            }
        )
    return parts


def _width(letters: int) -> float:
    return letters * _LETTER * LARGEST + _PADDING


def _column_width(name: tuple[str, ...], cells: np.ndarray) -> float:
    """Of a column: its longest number, or the longest word of its heading."""
    heading = name[-1] if name else ""
    word = max([len(heading) // 3, *map(len, heading.split())])
    number = max((max(len(one["text"]) + len(one["sign"]), len(one["limits"])) for one in cells), default=0)
    return _width(max(word, number))


def _blocks(widths: np.ndarray, room: float) -> list[np.ndarray]:
    """Runs of columns that fit a page each."""
    runs: list[list[int]] = [[]]
    used = 0.0
    for column, width in enumerate(widths.tolist()):
        if runs[-1] and used + width > room:
            runs.append([])
            used = 0.0
        runs[-1].append(column)
        used += width
    return [np.array(run, dtype=int) for run in runs]


def _cell(text: str, kind: str, *, total: bool = False, sign: str = "", limits: str = "") -> dict[str, Any]:
    return {"text": text, "kind": kind, "total": total, "sign": sign, "limits": limits}


def _cells(pivot: Pivot, language: str) -> np.ndarray:
    """The cells as the template wants them, an object array (rows, columns)."""
    texts, behind = cell_texts(pivot, language), signs(marks_of(pivot)).tolist()
    limits = interval_texts(pivot, language)
    totals = [is_total(key) for key in pivot.column_keys]
    made = np.empty(pivot.shown.shape, dtype=object)
    for row, key in enumerate(pivot.row_keys):
        whole = is_total(key)
        for column, total in enumerate(totals):
            limit = limits[row][column] if limits else ""
            made[row, column] = _cell(
                texts[row][column], "number", total=whole or total, sign=behind[row][column], limits=limit
            )
    return made


def _head(pivot: Pivot, columns: np.ndarray, language: str) -> list[dict[str, Any]]:
    levels = max(len(pivot.layout.columns), 1)
    found = []
    for name in pivot.layout.rows or ("",):
        text = dimension_name(name, language) if name else ""
        found.append(_cell(text[:1].upper() + text[1:], "corner") | {"down": levels})
    if not pivot.layout.columns:
        return [*found, _cell(label("table.value", language), "head")]
    names, keys = column_names(pivot, language), pivot.column_keys
    names, keys = [names[place] for place in columns], [keys[place] for place in columns]
    for level in range(levels):
        for one in headings(names, keys, level):
            total = is_total(keys[one.first])
            found.append(_cell(one.text, "head", total=total) | {"across": one.span, "down": one.levels})
    return found


def _body(pivot: Pivot, cells: np.ndarray, columns: np.ndarray, language: str) -> list[dict[str, Any]]:
    names = row_names(pivot, language)
    lines: list[list[dict[str, Any]]] = [[] for _ in pivot.row_keys]
    for level in range(len(pivot.layout.rows)):
        for one in headings(names, pivot.row_keys, level):
            total = is_total(pivot.row_keys[one.first])
            lines[one.first].append(_cell(one.text, "row", total=total) | {"down": one.span, "across": one.levels})
    if not pivot.layout.rows:
        lines = [[_cell(label("table.value", language), "row")] for _ in pivot.row_keys]
    return [one for line, row in zip(lines, cells) for one in (*line, *row[columns])]
