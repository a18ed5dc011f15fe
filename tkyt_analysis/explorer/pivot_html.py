"""A pivot as an HTML table that stands by itself: its style comes with it, every text in it is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tkyt_analysis.cube.model import TOTAL
from tkyt_analysis.explorer.layout import Pivot
from tkyt_analysis.explorer.marks import Marks, cell_texts, interval_texts, legend, marks_of, notes, signs
from tkyt_analysis.explorer.table_lines import MEASURE, REST, subtotal_lines, total_lines
from tkyt_analysis.explorer.titles import axis_unit, dimension_name, measure_name, subtitle, title
from tkyt_analysis.labels import current_language, format_date, format_number, label

_NAMED_ONCE = (TOTAL, REST)


class Heading(NamedTuple):
    """A cell of a header: what it says, where it begins, how many lines and how many levels it spans."""

    text: str
    first: int
    span: int
    levels: int = 1


def pivot_html(pivot: Pivot, language: str | None = None) -> str:
    """The table with title, units, legend of the signs that occur and footnotes; scrolls inside its own box.

    Headers are grouped and carry their scope for screen readers; the first column and the header stay in sight."""
    language = language or current_language()
    name = _safe(title(pivot.figures, pivot.layout, language))
    parts = [
        f"<style>{_style()}</style>",
        _band(pivot, language),
        f'<div class="box" tabindex="0" role="region" aria-label="{_safe(label("page.table_scrolls", language))}">',
        f"<table><caption>{name}<span>{_below_title(pivot, language)}</span></caption>",
        f"{_head(pivot, language)}{_body(pivot, language)}</table></div>",
        _foot(pivot, language),
    ]
    return f'<div class="tkyt-pivot" lang="{language}">{"".join(parts)}</div>'


def headings(names: Sequence[tuple[str, ...]], keys: Sequence[tuple[str, ...]], level: int) -> list[Heading]:
    """The headings of one level: lines that agree on this level and all before it share one.

    A total, or the others of a top-n table, is named once: its heading stands over all levels that it sums."""
    found = []
    for head, group in groupby(enumerate(keys), key=lambda line: line[1][: level + 1]):
        lines = [place for place, _ in group]
        code = head[level]
        if code in _NAMED_ONCE and level and head[level - 1] == code:
            continue
        below = keys[lines[0]][level:]
        levels = next((place for place, other in enumerate(below) if other != code), len(below))
        levels = levels if code in _NAMED_ONCE else 1
        found.append(Heading(names[lines[0]][level], lines[0], len(lines), levels))
    return found


def measure_heading(pivot: Pivot, measure_id: str, language: str) -> str:
    """A measure's title with its unit, where the table has several units."""
    name = measure_name(pivot.figures, measure_id, language)
    units = {one.unit[language] for one in pivot.figures.measures.values()}
    found = pivot.figures.measures.get(measure_id)
    if found is None or len(units) < 2 or pivot.layout.shows != "value" or not found.unit[language]:
        return name
    return f"{name} ({found.unit[language]})"


def column_names(pivot: Pivot, language: str) -> list[tuple[str, ...]]:
    """Words of the columns, measures with their units; of a single column without a name "value"."""
    return _with_units(pivot, pivot.layout.columns, pivot.column_keys, pivot.column_names, language)


def row_names(pivot: Pivot, language: str) -> list[tuple[str, ...]]:
    """Words of the rows, measures with their units."""
    return _with_units(pivot, pivot.layout.rows, pivot.row_keys, pivot.row_names, language)


def _with_units(
    pivot: Pivot,
    dimensions: Sequence[str],
    keys: Sequence[tuple[str, ...]],
    names: Sequence[tuple[str, ...]],
    language: str,
) -> list[tuple[str, ...]]:
    if MEASURE not in dimensions:
        return list(names)
    place = list(dimensions).index(MEASURE)
    words = {one: measure_heading(pivot, one, language) for one in pivot.figures.view.measures}
    return [(*name[:place], words[key[place]], *name[place + 1 :]) for key, name in zip(keys, names)]


def is_total(key: tuple[str, ...]) -> bool:
    """Whether a line is a total."""
    return TOTAL in key


def unit_words(pivot: Pivot, language: str) -> str:
    """ "Đơn vị tính: …" for the caption; "" where the columns say their own units."""
    unit = axis_unit(pivot.figures, language, pivot.layout)
    units = {one.unit[language] for one in pivot.figures.measures.values()}
    if not unit or (len(units) > 1 and pivot.layout.shows == "value"):
        return ""
    return label("table.unit", language, unit=unit)


@cache
def _style() -> str:
    return Path(__file__).with_name("pivot.css").read_text("utf-8")


def _safe(text: object) -> str:
    return escape(str(text), quote=True)


def _band(pivot: Pivot, language: str) -> str:
    if not pivot.figures.passport.get("practice"):
        return ""
    return f'<p class="band">{_safe(label("practice.note", language))}</p>'


def _below_title(pivot: Pivot, language: str) -> str:
    said = (subtitle(pivot.figures, language), unit_words(pivot, language))
    return _safe(". ".join(part for part in said if part))


def _head(pivot: Pivot, language: str) -> str:
    rows, columns = pivot.layout.rows, pivot.layout.columns
    names = column_names(pivot, language)
    corner = "".join(
        f'<th scope="col" rowspan="{max(len(columns), 1)}" class="{_corner(place)}">{_safe(_capital(dimension_name(one, language)))}</th>'
        for place, one in enumerate(rows)
    )
    if not rows:
        corner = f'<td rowspan="{max(len(columns), 1)}" class="k s"></td>'
    if not columns:
        return f'<thead><tr>{corner}<th scope="col" class="n">{_safe(label("table.value", language))}</th></tr></thead>'
    lines = []
    for level in range(len(columns)):
        cells = "".join(
            _column_heading(one, pivot.column_keys[one.first]) for one in headings(names, pivot.column_keys, level)
        )
        lines.append(f"<tr>{corner if level == 0 else ''}{cells}</tr>")
    return f"<thead>{''.join(lines)}</thead>"


def _column_heading(one: Heading, key: tuple[str, ...]) -> str:
    total, levels = " t" if is_total(key) else "", f' rowspan="{one.levels}"' if one.levels > 1 else ""
    if one.span > 1:
        return f'<th scope="colgroup" colspan="{one.span}"{levels} class="g{total}">{_safe(one.text)}</th>'
    return f'<th scope="col"{levels} class="n{total}">{_safe(one.text)}</th>'


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _corner(place: int) -> str:
    return "k s" if place == 0 else "k"


def _stuck(place: int) -> str:
    return ' class="s"' if place == 0 else ""


def _body(pivot: Pivot, language: str) -> str:
    heads = _row_headings(pivot, language)
    cells = _cells(pivot, language)
    subtotal = subtotal_lines(pivot.row_keys, pivot.layout.rows)
    lines = []
    for place, key in enumerate(pivot.row_keys):
        kind = ' class="t"' if is_total(key) else ""
        kind = ' class="t u"' if subtotal[place] else kind
        lines.append(f"<tr{kind}>{heads[place]}{''.join(cells[place])}</tr>")
    return f"<tbody>{''.join(lines)}</tbody>"


def _row_headings(pivot: Pivot, language: str) -> list[str]:
    names = row_names(pivot, language)
    if not pivot.layout.rows:
        word = _safe(label("table.value", language))
        return [f'<th scope="row" class="s">{word}</th>' for _ in pivot.row_keys]
    lines = [""] * len(names)
    for level in range(len(pivot.layout.rows)):
        for one in headings(names, pivot.row_keys, level):
            span = f' rowspan="{one.span}" scope="rowgroup"' if one.span > 1 else ' scope="row"'
            span += f' colspan="{one.levels}"' if one.levels > 1 else ""
            lines[one.first] += f"<th{span}{_stuck(level)}>{_safe(one.text)}</th>"
    return lines


def _cells(pivot: Pivot, language: str) -> list[list[str]]:
    marks = marks_of(pivot)
    texts, behind, limits = cell_texts(pivot, language), signs(marks).tolist(), interval_texts(pivot, language)
    reasons = _reasons(pivot, marks, language)
    fifths = _fifths(pivot).tolist() if pivot.layout.shade else []
    total = [is_total(key) for key in pivot.column_keys]
    lines = []
    for row, (words, sign) in enumerate(zip(texts, behind)):
        line = []
        for column, text in enumerate(words):
            reason = reasons.get((row, column), "")
            opening = f'<td class="t" title="{reason}">' if reason and total[column] else "<td>"
            if reason and not total[column]:
                opening = f'<td title="{reason}">'
            elif total[column] and not reason:
                opening = '<td class="t">'
            if fifths and fifths[row][column]:
                opening = opening.replace("<td", f'<td data-q="{fifths[row][column]}"', 1)
            mark = f"<sup>{sign[column]}</sup>" if sign[column] else ""
            low = f"<small>{limits[row][column]}</small>" if limits and limits[row][column] else ""
            line.append(f"{opening}{text}{mark}{low}</td>")
        lines.append(line)
    return lines


def _fifths(pivot: Pivot) -> np.ndarray:
    """1–5: the fifth of its measure's values that each cell lies in; 0 for totals and cells without a number."""
    found = np.zeros(pivot.shown.shape, dtype=int)
    parts = ~(total_lines(pivot.row_keys, pivot.layout.rows) | subtotal_lines(pivot.row_keys, pivot.layout.rows))
    own = parts[:, None] & ~total_lines(pivot.column_keys, pivot.layout.columns) & np.isfinite(pivot.shown)
    for one in pivot.figures.measures:
        here = own & (pivot.measure == one)
        if here.any():
            bounds = np.unique(np.quantile(pivot.shown[here], (0.2, 0.4, 0.6, 0.8)))
            found[here] = 1 + np.searchsorted(bounds, pivot.shown[here], side="right")
    return found


def _reasons(pivot: Pivot, marks: Marks, language: str) -> dict[tuple[int, int], str]:
    """Escaped sentences for the cells that carry a sign: why, and how many reports stand behind the figure."""
    present = marks.present()
    words = dict(legend(pivot, language))
    by_name = {name: words.get(_sign(name), "") for name in present}
    found: dict[tuple[int, int], str] = {}
    for name in present:
        for row, column in zip(*(one.tolist() for one in np.nonzero(getattr(marks, name)))):
            said = by_name[name]
            if name == "under_reported":
                said = label(
                    "table.reports",
                    language,
                    received=format_number(pivot.received[row, column], 0, language),
                    expected=format_number(pivot.expected[row, column], 0, language),
                )
            found[row, column] = " ".join(part for part in (found.get((row, column), ""), _safe(said)) if part)
    return found


def _sign(name: str) -> str:
    from tkyt_analysis.explorer.marks import SIGNS

    return SIGNS[name]


def _foot(pivot: Pivot, language: str) -> str:
    signs_shown = "".join(f"<li><b>{_safe(sign)}</b> {_safe(text)}</li>" for sign, text in legend(pivot, language))
    remarks = "".join(f"<li>{_safe(text)}</li>" for text in notes(pivot, language))
    parts = [f'<ul class="legend">{signs_shown}</ul>' if signs_shown else "", f"<ul>{remarks}</ul>" if remarks else ""]
    source = passport_line(pivot, language)
    return f'<div class="foot">{"".join(parts)}{f"<p>{_safe(source)}</p>" if source else ""}</div>'


def passport_line(pivot: Pivot, language: str) -> str:
    """Release and the date of its data, in one line."""
    passport = pivot.figures.passport
    parts = []
    if passport.get("release"):
        parts.append(label("page.release", language, release_id=passport["release"]))
    if passport.get("data_as_of"):
        parts.append(label("page.data_as_of", language, date=format_date(passport["data_as_of"], language)))
    return ". ".join(parts)
