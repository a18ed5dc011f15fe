"""`tk.explain`: how one figure came about, in sentences: formula with its numbers, source, marks, release, received files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.api.about import About, period_words, source_words, vintage_line
from tkyt_analysis.api.table import MARKS, FigureSeries, FigureTable
from tkyt_analysis.cube.model import PERIODS, PLACES, TOTAL, Measure, View
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language, format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.api.workbench import Workbench

PARTS = ("numerator", "denominator")


@dataclass(frozen=True, eq=False)
class Explained:
    """How a figure was computed.

    figure : its values; sentences : in words; files : part, file_name, rows; rows : part, file_name, sheet, row_number,
    what (one sentence a row, without identifiers), for figures that can be followed to single rows
    """

    figure: Mapping[str, Any]
    sentences: list[str]
    files: FigureTable
    rows: FigureTable

    def _repr_html_(self) -> str:
        from tkyt_analysis.api.display import lines_html

        return lines_html(self.sentences) + (self.files._repr_html_() if len(self.files) else "")

    def __repr__(self) -> str:
        return "\n".join([*self.sentences, *([repr(self.files)] if len(self.files) else [])])


def explain_figure(workbench: Workbench, figure: Any, *, most: int = 10) -> Explained:
    """The explanation of a figure id, of a row of a FigureTable or with a figure_id, or of a table with one row."""
    if isinstance(figure, str):
        return _published(workbench, figure, most)
    if isinstance(figure, pd.DataFrame) and len(figure) == 1:
        figure = figure.iloc[0]
    about = getattr(figure, "about", None)
    if isinstance(figure, pd.Series) and "figure_id" in figure.index and (about is None or about.view is None):
        return _published(workbench, str(figure["figure_id"]), most)  # a row of a release table, as from tk.sql
    if not isinstance(figure, FigureSeries) or about is None or about.view is None or "value" not in figure.index:
        raise InputError("error.api.explain_what")
    return _of_row(workbench, figure, about, most)


# --- a published figure by its id


def _published(workbench: Workbench, figure_id: str, most: int) -> Explained:
    from tkyt_analysis.warehouse.explain import explain

    release = workbench.release
    found = explain(release.home, figure_id, release_id=release.release_id)
    return Explained(found.figure, found.sentences(most), _by_file(found.rows), _listed(found.rows))


# --- a row of a table


def _of_row(workbench: Workbench, row: FigureSeries, about: About, most: int) -> Explained:
    view = about.view
    assert view is not None
    measure = about.measures[str(row.get("measure", view.measures[0]))]
    sentences = [_what(workbench, row, about, measure), *_formula(row, measure), *_meaning(measure)]
    sentences += [_mark_sentence(mark, row) for mark in MARKS if mark in str(row.get("marks", "")).split()]
    sentences.append(vintage_line(about.passport))
    rows, remark = _rows_behind(workbench, row, view, measure)
    counted = {part: int((rows["part"] == part).sum()) for part in PARTS}
    sentences += [label(f"api.explain.{part}", None, count=format_number(n)) for part, n in counted.items() if n]
    sentences += [remark] if remark else []
    figure = {name: row[name] for name in row.index}
    return Explained(figure, sentences, _by_file(rows), _listed(rows))


def _what(workbench: Workbench, row: FigureSeries, about: About, measure: Measure) -> str:
    """Measure, value with unit, and the members that the figure stands for."""
    language, view = current_language(), about.view
    assert view is not None
    members = [
        str(about.names.get(name, {}).get(row[name], row[name]))
        for name in view.by
        if name in row.index and row[name] != TOTAL
    ]
    if not any(name in PLACES for name in view.by):
        members.insert(0, workbench.place_name(view.place))
    if not any(name in PERIODS for name in view.by) and view.period:
        members.append(period_words(view.period, language))
    members += [", ".join(kept) for name, kept in view.where if name not in view.by]
    value = format_number(None if pd.isna(row["value"]) else row["value"], measure.decimals, language)
    return label(
        "api.explain.what",
        language,
        title=measure.title[language],
        value=value,
        unit=measure.unit[language],
        where="; ".join(members),
    )


def _formula(row: FigureSeries, measure: Measure) -> list[str]:
    """The formula with the numbers put in; for a standardised rate what was done instead."""
    if pd.isna(row["value"]):
        return []
    fields = {
        "numerator": _number(row["numerator"], 0),
        "denominator": _number(row["denominator"], 0),
        "per": _number(measure.per, 0),
        "value": _number(row["value"], measure.decimals),
        "lower": _number(row["lower"], measure.decimals),
        "upper": _number(row["upper"], measure.decimals),
        "standard": str(measure.options.get("standard_population") or "–"),
    }
    kind = measure.method
    if kind not in ("count", "direct", "by_age", "published"):
        kind = "divided" if pd.notna(row["denominator"]) else "count"
    lines = [label(f"api.explain.formula_{kind}", None, **fields)]
    return [*lines, label("api.explain.limits", None, **fields)] if pd.notna(row["lower"]) else lines


def _number(value: Any, decimals: int) -> str:
    if pd.isna(value):
        return "–"
    broken = decimals == 0 and abs(float(value) - round(float(value))) > 0.05
    return format_number(value, 1 if broken else decimals)


def _meaning(measure: Measure) -> list[str]:
    language = current_language()
    lines = []
    if measure.definition is not None:
        lines.append(label("api.explain.definition", language, definition=measure.definition[language]))
    if measure.source:
        key = "api.explain.source_unverified" if measure.unverified else "api.source"
        lines.append(label(key, language, source=source_words(measure, language)))
    return lines


def _mark_sentence(mark: str, row: FigureSeries) -> str:
    text = label(f"api.mark.{mark}")
    if mark == "incomplete":
        received, expected = _number(row["received"], 0), _number(row["expected"], 0)
        return label("api.explain.incomplete", None, mark=text, received=received, expected=expected)
    if mark == "findings":
        return label("api.explain.findings", None, mark=text, count=_number(row["findings"], 0))
    if mark == "moved":
        return label("api.explain.moved", None, mark=text, share=format_number(100 * row["moved"], 1))
    return label("api.explain.mark", None, mark=text)


# --- the received rows


def _rows_behind(workbench: Workbench, row: FigureSeries, view: View, measure: Measure) -> tuple[pd.DataFrame, str]:
    """(part, file_name, sheet, row_number, what; why there are none)."""
    from tkyt_analysis.api import rows_behind

    cell = {name: str(row[name]) for name in view.by if name in row.index}
    if measure.numerator.startswith("element:"):
        return rows_behind.of_element(workbench.release, narrowed(view, cell), measure), ""
    figure = published_figure(measure, view, cell)
    if figure is None or not _sees_whole(workbench, figure["unit_id"]) or _hides_causes(workbench, figure, measure):
        return rows_behind.nothing(), label("api.explain.not_traced")
    return rows_behind.of_figure(workbench.release, figure, measure), ""


def _sees_whole(workbench: Workbench, unit: str) -> bool:
    """Whether the account sees all that counts in a unit: "VN" is the nation, of which an account of a province sees a part."""
    release = workbench.release
    return release.reads.nation or unit in release.seen_units


def _hides_causes(workbench: Workbench, figure: Mapping[str, Any], measure: Measure) -> bool:
    """Whether single deaths by cause are not for this account: counting the rows would give a hidden number away."""
    from tkyt_analysis.disclosure import NOTHING, rule_for

    of_causes = figure["cause"] != "all" or bool(measure.options.get("items"))
    return of_causes and rule_for(workbench.release.account, "screen").hides != NOTHING


def narrowed(view: View, cell: Mapping[str, str]) -> View:
    """The view of one cell of a table."""
    for name, code in cell.items():
        if code != TOTAL:
            view = view.keeping(name, [code])
    return View(view.measures, (), view.place, view.geography, view.period, view.where, view.cause_list)


def published_figure(measure: Measure, view: View, cell: Mapping[str, str]) -> dict[str, Any] | None:
    """The cell as a row of `indicator_value` would name it (unit, year, sex, ages, cause); None where it could not."""
    kept = {name: members[0] for name, members in view.where if len(members) == 1}
    if any(len(members) > 1 for _, members in view.where) or view.geography != "VN2025":
        return None
    at = {**kept, **{name: code for name, code in cell.items() if code != TOTAL}}
    year = at.pop("year", view.period)
    unit = at.pop("commune", at.pop("province", view.place))
    at.pop("province", None)
    if set(at) - {"sex", "age_group", "cause"} or len(year) != 4 or "unknown" in at.values():
        return None
    if "cause" in at and not measure.options.get("cause_list"):  # explainers know the cause lists of indicators only
        return None
    own_ages = measure.options.get("where_age") or measure.options.get("about_ages") or ()
    ages = at.get("age_group") or "+".join(own_ages) or "all"
    return {
        "indicator_id": measure.id,
        "unit_id": unit,
        "period_id": year,
        "sex": at.get("sex", "total"),
        "age_group": ages,
        "cause": at.get("cause", "all"),
    }


def _by_file(rows: pd.DataFrame) -> FigureTable:
    counted = rows.groupby(["part", "file_name"], sort=False).size().reset_index(name="rows")
    shown = counted.assign(part=[label(f"api.column.{part}") for part in counted["part"]])
    return _with_heading(shown, label("api.explain.files"))


def _listed(rows: pd.DataFrame) -> FigureTable:
    return _with_heading(rows.reset_index(drop=True), label("api.explain.rows"))


def _with_heading(rows: pd.DataFrame, heading: str) -> FigureTable:
    table = FigureTable(rows)
    table.about = About(heading=heading)
    return table
