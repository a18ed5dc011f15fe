"""How a table of figures looks in a notebook and in a terminal: numbers as people write them, marks, source, vintage."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tkyt_analysis.api.about import About, source_words
from tkyt_analysis.labels import all_labels, current_language, format_date, format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.api.table import FigureTable

MOST_ROWS, HEAD, TAIL = 24, 15, 5
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_HIDDEN = ("expected", "received", "findings", "moved", "marks", "status", "lower", "upper")
_LABELS = ("year", "month")  # numbers that are names
_COUNTS = ("numerator", "denominator", "expected", "received", "findings", "rows")


@dataclass(frozen=True)
class Shown:
    """A table ready to print: headings, cells as text, which columns are numbers, marks per row, rows left out."""

    headings: list[str]
    cells: list[list[str]]
    numbers: list[bool]
    marks: list[str]
    legend: dict[str, str]
    rows: int
    gap: int | None  # the row before which rows were left out
    names: list[str]  # of the columns

    @property
    def marked(self) -> int:
        """The column that carries the marks: the value's, else the first number's."""
        first = next((place for place, number in enumerate(self.numbers) if number), len(self.numbers) - 1)
        return self.names.index("value") if "value" in self.names else first


def table_as_html(table: FigureTable) -> str:
    """The whole output: practice band, heading, table, legend, remarks, source and vintage."""
    about, shown = table.about or About(), shown_table(table)
    band = f'<div class="tk-band">{escape(label("practice.note"))}</div>' if about.practice else ""
    caption = f"<caption>{escape(about.heading)}</caption>" if about.heading else ""
    head = "".join(f"<th{_kind(number)}>{escape(name)}</th>" for name, number in zip(shown.headings, shown.numbers))
    body = "".join(_row_html(shown, row) for row in range(len(shown.cells)))
    lines = "".join(f"<div>{escape(line)}</div>" for line in foot_lines(about, shown))
    return (
        f'<style>{_css()}</style><div class="tk-table">{band}<div class="tk-scroll"><table>{caption}'
        f'<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div><div class="tk-foot">{lines}</div></div>'
    )


def _row_html(shown: Shown, row: int) -> str:
    gap = ""
    if row == shown.gap:
        said = escape(_left_out(shown))
        gap = f'<tr class="tk-gap"><td colspan="{len(shown.headings)}">{said}</td></tr>'
    cells = [f"<td{_kind(number)}>{_cell_html(shown, row, column)}</td>" for column, number in enumerate(shown.numbers)]
    return f"{gap}<tr>{''.join(cells)}</tr>"


def _cell_html(shown: Shown, row: int, column: int) -> str:
    text = escape(shown.cells[row][column])
    if shown.names[column] == "use":
        return f"<code>{text}</code>"
    marks = shown.marks[row] if column == shown.marked else ""
    return f"{text}<sup>{escape(marks)}</sup>" if marks else text


def _kind(number: bool) -> str:
    return ' class="tk-number"' if number else ""


@cache
def _css() -> str:
    return (Path(__file__).parent / "table.css").read_text("utf-8")


def lines_html(lines: list[str]) -> str:
    """Sentences below each other in the look of the tables."""
    body = "".join(f"<div>{escape(line)}</div>" for line in lines)
    return f'<style>{_css()}</style><div class="tk-table tk-lines">{body}</div>'


def table_as_text(table: FigureTable) -> str:
    """The same for a terminal."""
    about, shown = table.about or About(), shown_table(table)
    rows = [
        [cell + (f" [{mark}]" if mark and place == shown.marked else "") for place, cell in enumerate(cells)]
        for cells, mark in zip(shown.cells, shown.marks)
    ]
    widths = [max([len(name), *(len(row[place]) for row in rows)]) for place, name in enumerate(shown.headings)]
    lines = [label("practice.note")] if about.practice else []
    lines += [about.heading] if about.heading else []
    lines += [_text_row(shown.headings, widths, shown.numbers), "  ".join("─" * width for width in widths)]
    for number, row in enumerate(rows):
        lines += [_left_out(shown)] if number == shown.gap else []
        lines.append(_text_row(row, widths, shown.numbers))
    return "\n".join([*lines, *foot_lines(about, shown)])


def _text_row(cells: list[str], widths: list[int], numbers: list[bool]) -> str:
    padded = (cell.rjust(width) if number else cell.ljust(width) for cell, width, number in zip(cells, widths, numbers))
    return "  ".join(padded).rstrip()


def _left_out(shown: Shown) -> str:
    return label(
        "api.rows_left_out", None, hidden=format_number(shown.rows - len(shown.cells)), rows=format_number(shown.rows)
    )


def foot_lines(about: About, shown: Shown) -> list[str]:
    """Legend of the marks, number of rows where it is not plain to see, units' sources, vintage, remarks."""
    language = current_language()
    lines = [f"{letter} {text}" for letter, text in shown.legend.items()]
    if not shown.rows:
        lines.append(label("api.no_rows", language))
    sources = "; ".join(dict.fromkeys(source_words(one, language) for one in about.measures.values() if one.source))
    if sources:
        lines.append(label("api.source", language, source=sources))
    return [*lines, *about.sentences(language)]


def shown_table(table: FigureTable) -> Shown:
    """What is printed of a table: readable columns, first and last rows of a long one."""
    about = table.about or About()
    legend_of = {mark: _LETTERS[place] for place, mark in enumerate(table.legend)}
    legend = {legend_of[mark]: text for mark, text in table.legend.items()}
    rows = len(table)
    picked = np.arange(rows) if rows <= MOST_ROWS else np.r_[0:HEAD, rows - TAIL : rows]
    plain = pd.DataFrame(table)
    marks = [""] * len(picked)
    if "marks" in plain and isinstance(plain["marks"], pd.Series):
        words = plain["marks"].iloc[picked].fillna("")
        marks = ["".join(legend_of.get(mark, "") for mark in str(text).split()) for text in words]
    columns = _columns(plain, about)
    cut = {heading: column.iloc[picked] for heading, column in columns.items()}
    written = {heading: _written(heading, column, about, plain.iloc[picked]) for heading, column in cut.items()}
    headings = [_heading(name, about) for name in written]
    cells = [list(row) for row in zip(*(texts for texts, _ in written.values()))]
    numbers = [number for _, number in written.values()]
    return Shown(
        headings,
        cells,
        numbers,
        marks,
        legend,
        rows,
        HEAD if rows > MOST_ROWS else None,
        list(written),
    )


def _columns(plain: pd.DataFrame, about: About) -> dict[str, pd.Series]:
    """name → column to show: the index where it says something, names in place of codes, limits as one column."""
    named = plain
    if any(name is not None for name in plain.index.names) or isinstance(plain.index, pd.MultiIndex):
        names = [name for name in plain.index.names if name not in plain.columns]
        named = plain.reset_index(level=[level for level, name in enumerate(plain.index.names) if name in names])
    found: dict[str, pd.Series] = {}
    taken = set(map(str, named.columns))
    for place, name in enumerate(named.columns):
        text = " · ".join(map(str, name)) if isinstance(name, tuple) else str(name)
        if about.measures and (text in _HIDDEN or _said_by_name(named, text) or _empty_text(named.iloc[:, place])):
            continue
        found[text] = named.iloc[:, place]
        if (
            text == "value"
            and about.measures
            and not about.grouped
            and {"lower", "upper"} <= taken
            and _has_limits(named)
        ):
            found["limits"] = named["lower"]
    averages = bool(about.measures) and all(one.method == "average" for one in about.measures.values())
    for name in ("numerator", "denominator"):
        if about.measures and name in found and (averages or found[name].isna().all() or _repeats_value(found, name)):
            del found[name]
    return found


def _said_by_name(plain: pd.DataFrame, name: str) -> bool:
    """Whether the names of these codes stand beside them."""
    beside = f"{name}_name"
    return beside in plain and not _empty_text(plain[beside])


def _empty_text(column: pd.Series) -> bool:
    return bool(len(column)) and pd.api.types.is_string_dtype(column.dtype) and bool(column.fillna("").eq("").all())


def _has_limits(plain: pd.DataFrame) -> bool:
    return bool(plain["lower"].notna().any())


def _repeats_value(found: dict[str, pd.Series], name: str) -> bool:
    return name == "numerator" and "value" in found and "denominator" in found and found["denominator"].isna().all()


def _limits(plain: pd.DataFrame, about: About) -> list[str]:
    places = _decimals(about, plain)
    return [
        "–" if pd.isna(low) else f"{format_number(low, digits)} – {format_number(high, digits)}"
        for low, high, digits in zip(plain["lower"], plain["upper"], places)
    ]


def _decimals(about: About, plain: pd.DataFrame) -> list[int]:
    """Digits after the comma of each row's value."""
    measures = about.measures
    if "measure" in plain and isinstance(plain["measure"], pd.Series):
        return [measures[one].decimals if one in measures else 2 for one in plain["measure"]]
    most = max((one.decimals for one in measures.values()), default=2)
    return [most] * len(plain)


def _written(name: str, column: pd.Series, about: About, rows: pd.DataFrame) -> tuple[list[str], bool]:
    """(cells, whether they are numbers)."""
    language = current_language()
    if name == "limits":
        return _limits(rows, about), True
    if name == "measure" and about.measures:
        return [_measure_name(one, about, language) for one in column], False
    if pd.api.types.is_bool_dtype(column.dtype):
        return [label(f"api.bool.{bool(one)}", language) for one in column], False
    if name in _LABELS:
        return ["–" if _missing(one) else str(one) for one in column], True
    if pd.api.types.is_numeric_dtype(column.dtype):
        digits = _decimals(about, rows) if name == "value" and about.measures else [_digits(name, column)] * len(column)
        return [_number(one, places, language) for one, places in zip(column, digits)], True
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return [format_date(None if pd.isna(one) else one, language) for one in column], False
    known = about.names.get(name, {})
    return ["–" if _missing(one) else str(known.get(one, one)) for one in column], False


def _missing(value: Any) -> bool:
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _number(value: Any, places: int, language: str) -> str:
    return format_number(None if pd.isna(value) else value, places, language)


def _digits(name: str, column: pd.Series) -> int:
    if pd.api.types.is_integer_dtype(column.dtype) or name in _COUNTS:
        return 0
    whole = column.dropna()
    return 0 if len(whole) and bool((whole == whole.round()).all()) else 2


def _measure_name(measure_id: Any, about: About, language: str) -> str:
    one = about.measures.get(measure_id)
    return f"{one.title[language]} ({one.unit[language]})" if one else str(measure_id)


def _heading(name: str, about: About) -> str:
    """A column's heading: the measure with its unit over the value, the words for the columns that we know."""
    language = current_language()
    if name == "value" and len(about.measures) == 1:
        (one,) = about.measures.values()
        return f"{one.title[language]} ({one.unit[language]})"
    base = name.removesuffix("_name")
    keys = [f"api.column.{name}", *([f"chart.dimension.{base}"] if about.measures or about.names else [])]
    text = next((label(key, language) for key in keys if key in all_labels()), name)
    return text[:1].upper() + text[1:] if text != name else name
