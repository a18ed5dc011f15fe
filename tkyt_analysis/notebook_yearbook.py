"""One page of a yearbook: a numbered table in Vietnamese and English with notes and source, ready to print."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.cube.model import MODELLED, NOT_ASSESSABLE, TOTAL
from tkyt_analysis.labels import format_date, format_number, label
from tkyt_analysis.notebook_course import Drawing

if TYPE_CHECKING:
    from tkyt_analysis.api.question import Question
    from tkyt_analysis.cube.model import Figures, Measure

STYLE = """<style>
.yearbook{font-family:"Be Vietnam Pro","Noto Sans",sans-serif;color:#1a1a1a;max-width:780px}
.yearbook h3{font-size:1.05rem;margin:0 0 2px;line-height:1.35}
.yearbook .en{font-style:italic;color:#444c54;font-weight:400}
.yearbook .unit{text-align:right;font-size:.85rem;margin:6px 0 2px}
.yearbook .wide{overflow-x:auto}
.yearbook table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
.yearbook thead th{border-top:2px solid #1a1a1a;border-bottom:1px solid #1a1a1a;padding:6px 8px;text-align:right;font-weight:600}
.yearbook td,.yearbook tbody th{padding:4px 8px;text-align:right;font-weight:400;border-bottom:1px solid #e3e8ec}
.yearbook th:first-child,.yearbook tbody th{text-align:left}
.yearbook td small{display:block;color:#5a6570}
.yearbook tr.whole th,.yearbook tr.whole td{font-weight:700}
.yearbook tbody tr:last-child th,.yearbook tbody tr:last-child td{border-bottom:2px solid #1a1a1a}
.yearbook .foot{font-size:.82rem;line-height:1.45;margin-top:8px}
.yearbook .foot p{margin:0 0 3px}
@media print{.yearbook{max-width:none;break-inside:avoid}.yearbook .wide{overflow:visible}}
</style>"""


def yearbook_page(question: Question, number: str, *, notes: tuple[str, ...] = ()) -> Drawing:
    """The page of one measure: the first dimension down, the second (or nothing) across, the whole as the first row.

    number : of the table, e.g. "15"; notes : sentences in Vietnamese that go below it
    """
    from tkyt_analysis import cube

    by = question.view.by
    figures = cube.evaluate(question.workbench.release, question.view, groupings=[by, by[1:]])
    measure = figures.measures[question.view.measures[0]]
    parts = [
        f"<h3>{_said('notebook.yearbook.table', 'vi', number=number)}. {_title(question, measure, figures, 'vi')}<br>"
        f'<span class="en">{_said("notebook.yearbook.table", "en", number=number)}. {_title(question, measure, figures, "en")}</span></h3>',
        f'<div class="unit">{_said("notebook.yearbook.unit", "vi", unit=measure.unit.vi)} – '
        f'<span class="en">{_said("notebook.yearbook.unit", "en", unit=measure.unit.en)}</span></div>',
        f'<div class="wide">{_table(figures, measure, by)}</div>',
        _foot(figures, measure, notes),
    ]
    return Drawing(f'{STYLE}<div class="yearbook">{"".join(parts)}</div>')


def _said(key: str, language: str, **fields: Any) -> str:
    return escape(label(key, language, **fields))


def _title(question: Question, measure: Measure, figures: Figures, language: str) -> str:
    from tkyt_analysis.explorer.titles import period_words, place_words

    place = place_words(figures, language)
    inside = place[:1].lower() + place[1:] if language == "vi" else place
    parts = [measure.title[language], inside, period_words(figures, language)]
    return escape(", ".join(part for part in parts if part))


def _table(figures: Figures, measure: Measure, by: tuple[str, ...]) -> str:
    down, across = by[0], by[1] if len(by) > 1 else None
    columns = list(dict.fromkeys(figures.rows[across])) if across else [None]
    rows = [TOTAL, *(one for one in dict.fromkeys(figures.rows[down]) if one != TOTAL)]
    cells = {(row[down], row[across] if across else None): row for row in figures.rows.to_dict("records")}
    heads = "".join(f'<th scope="col">{_heading(figures, across, one)}</th>' for one in columns)
    first = f'{_said(f"chart.dimension.{down}", "vi").capitalize()} / <span class="en">{_said(f"chart.dimension.{down}", "en").capitalize()}</span>'
    body = "".join(
        f"<tr{_WHOLE if row == TOTAL else ''}><th scope='row'>{_row_name(figures, down, row)}</th>"
        + "".join(f"<td>{_cell(cells.get((row, one)), measure)}</td>" for one in columns)
        + "</tr>"
        for row in rows
    )
    return f'<table><thead><tr><th scope="col">{first}</th>{heads}</tr></thead><tbody>{body}</tbody></table>'


_WHOLE = ' class="whole"'


def _heading(figures: Figures, across: str | None, code: Any) -> str:
    if across in ("year", None):
        return escape(str(code)) if across else ""
    return escape(str(figures.names.get(across, {}).get(code, code)))


def _row_name(figures: Figures, down: str, code: str) -> str:
    if code == TOTAL:
        return f'{_said("cube.total", "vi")} / <span class="en">{_said("cube.total", "en")}</span>'
    return escape(str(figures.names.get(down, {}).get(code, code)))


def _cell(row: dict[str, Any] | None, measure: Measure) -> str:
    """The value, its limits on a line of their own; "–" where there is none."""
    if row is None or row["status"] == NOT_ASSESSABLE or pd.isna(row["value"]):
        return "–"
    mark = " (m)" if row["status"] == MODELLED else ""
    value = f"{format_number(row['value'], measure.decimals, 'vi')}{mark}"
    if pd.isna(row["lower"]):
        return value
    low, high = (format_number(row[name], measure.decimals, "vi") for name in ("lower", "upper"))
    return f"{value}<small>({low}–{high})</small>"


def _foot(figures: Figures, measure: Measure, notes: tuple[str, ...]) -> str:
    lines = []
    keys = _note_keys(figures)
    for language in ("vi", "en"):
        said = " ".join(_said(key, language) for key in keys)
        own = " ".join(escape(one) for one in notes) if language == "vi" else ""
        text = f"{said} {own}".strip()
        if text:
            lines.append(
                f'<p class="{language}"><strong>{_said("notebook.yearbook.notes", language)}.</strong> {text}</p>'
            )
        lines.append(f'<p class="{language}">{_source(figures, measure, language)}</p>')
        if figures.passport.get("practice"):
            lines.append(f'<p class="{language}"><strong>{_said("page.practice", language)}.</strong></p>')
    return f'<div class="foot">{"".join(lines)}</div>'


def _note_keys(figures: Figures) -> list[str]:
    rows = figures.rows
    keys = ["notebook.yearbook.limits"] if rows["lower"].notna().any() else []
    keys += ["notebook.yearbook.modelled"] if (rows["status"] == MODELLED).any() else []
    keys += ["notebook.yearbook.not_assessable"] if (rows["status"] == NOT_ASSESSABLE).any() else []
    return keys


def _source(figures: Figures, measure: Measure, language: str) -> str:
    import datetime

    from tkyt_analysis.api.about import source_words

    received = str(figures.passport.get("data_as_of") or "")[:10]
    date = format_date(datetime.date.fromisoformat(received), language) if received else "–"
    return _said(
        "notebook.yearbook.source",
        language,
        source=source_words(measure, language).rstrip(".") + ".",
        release=figures.passport["release"],
        date=date,
    )
