"""Value and how far it can be relied on, in one map: less reliable areas fade towards grey."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.labels import current_language, format_number, label
from tkyt_analysis.maps.boundaries import Boundaries, boundaries
from tkyt_analysis.maps.class_legend import class_rows, counted_row, gap_rows, scheme_text
from tkyt_analysis.maps.classes import Classes, classify
from tkyt_analysis.maps.content import Legend, MapContent, Panel, Row, Swatch
from tkyt_analysis.maps.palettes import bivariate
from tkyt_analysis.maps.values import SHOWN, Mark, complete, value_text

LEVELS = ("high", "middle", "low")


def reliability_map(
    values: pd.DataFrame,
    *,
    vintage: str = "VN2025",
    title: str,
    unit: str = "",
    cutoffs: Sequence[float] = (75.0, 90.0),
    measure: str = "",
    measure_unit: str = "%",
    high_is_reliable: bool = True,
    scheme: str = "quantile",
    n_classes: int = 3,
    bounds: Sequence[float] | None = None,
    decimals: int | None = None,
    practice: bool = False,
    tiles: bool = False,
    shapes: Boundaries | None = None,
    language: str | None = None,
) -> MapContent:
    """Bivariate map, value × reliability (value-suppressing: Correll, Moritz & Heer, CHI 2018).

    values : unit_id, value, reliability (in `measure_unit`), and optionally status; a value without a reliability
        is shown as not assessable
    cutoffs : two rising cut-offs of reliability, for low, middle and high
    measure : what reliability is, in words ("Tính đầy đủ của báo cáo")
    high_is_reliable : False where small is good (relative standard error, width of an interval)
    n_classes : of the value, 2 or 3: more could not be told apart once faded
    Other parameters and errors as `draw_province_map`.
    """
    language = language or current_language()
    shapes = shapes or boundaries("province", vintage, tiles=tiles)
    _require_options(values, cutoffs, n_classes)
    table = _with_level(complete(values, shapes), values, tuple(cutoffs), high_is_reliable)
    shown = table.loc[table["status"].isin(SHOWN), "value"].to_numpy(float)
    classes = classify(shown, scheme=scheme, n_classes=n_classes, bounds=bounds, decimals=decimals)
    colours = bivariate(classes.number, len(LEVELS)) if classes.number else ((),) * 3
    marked = {}
    for unit_id, value, status, level, reliability in table.itertuples(index=False):
        text = value_text(value, status, unit=unit, decimals=classes.decimals, language=language)
        colour, kind = None, status
        if status in SHOWN:
            words = f"{format_number(reliability, 1, language)} {measure_unit}".strip()
            text = label("map.reliability.hint", language, text=text, reliability=words)
            colour = colours[level][int(classes.index(np.array([value]))[0])]
            kind = "uncertain" if level == 2 and status == "ok" else status
        marked[unit_id] = Mark(unit_id, shapes.names[unit_id], kind, value, colour, text)
    name = measure or label("map.reliability.measure", language)
    said = _words(cutoffs, measure_unit, high_is_reliable, language)
    legend = _legend(table, classes, colours, name, said, shapes, language)
    return MapContent("bivariate", title, unit, practice, language, shapes, (Panel(marked),), legend)


def _require_options(values: pd.DataFrame, cutoffs: Sequence[float], n_classes: int) -> None:
    if "reliability" not in values:
        found = ", ".join(map(str, values.columns))
        raise InputError("error.map_kind_columns", missing="reliability", found=found, needed="unit_id, value")
    if len(cutoffs) != 2 or not cutoffs[0] < cutoffs[1]:
        raise UsageError("error.map_cutoffs", value=list(cutoffs))
    if n_classes not in (2, 3):
        raise UsageError("error.map_option", option="n_classes", value=n_classes, expected="2, 3")


def _with_level(
    table: pd.DataFrame, values: pd.DataFrame, cutoffs: tuple[float, ...], high_is_reliable: bool
) -> pd.DataFrame:
    """unit_id, value, status, level (0 the most reliable), reliability."""
    given = pd.to_numeric(values["reliability"], errors="coerce").astype(float)
    known = pd.DataFrame({"unit_id": values["unit_id"].astype(str), "reliability": given})
    table = table.merge(known, on="unit_id", how="left", validate="one_to_one")
    unknown = table["status"].isin(SHOWN) & table["reliability"].isna()
    table.loc[unknown, ["value", "status"]] = [np.nan, "not_assessable"]
    step = np.searchsorted(cutoffs, table["reliability"].fillna(cutoffs[0]), side="right")
    table["level"] = 2 - step if high_is_reliable else step
    return table[["unit_id", "value", "status", "level", "reliability"]]


def _words(cutoffs: Sequence[float], unit: str, high_is_reliable: bool, language: str) -> list[str]:
    """What the three levels are, the most reliable first: "từ 90 %", "75 – dưới 90 %", "dưới 75 %"."""
    low, high = (format_number(cut, 0 if float(cut).is_integer() else 2, language) for cut in cutoffs)
    ranges = [
        label("map.range.from", language, low=high),
        label("map.class", language, low=low, high=high),
        label("map.range.below", language, high=low),
    ]
    ranges = [f"{text} {unit}".strip() for text in (ranges if high_is_reliable else ranges[::-1])]
    return [label(f"map.reliability.{name}", language, range=text) for name, text in zip(LEVELS, ranges)]


def _legend(
    table: pd.DataFrame, classes: Classes, colours: tuple[tuple[str, ...], ...], measure: str, words: list[str],
    shapes: Boundaries, language: str,
) -> Legend:  # fmt: skip
    """Classes of the value in full colour, then the three levels, each with all its colours."""
    plain = class_rows(table, classes, language)
    values = [Row(row.text, (Swatch("ok", colour),)) for row, colour in zip(plain, colours[0])]
    counts = table.loc[table["status"].isin(SHOWN), "level"].value_counts()
    levels = []
    for i, text in enumerate(words):
        row = counted_row(text, int(counts.get(i, 0)), Swatch(), language)
        levels.append(Row(row.text, tuple(Swatch("uncertain" if i == 2 else "ok", one) for one in colours[i])))
    heads = Row(label("map.reliability.value", language)), Row(measure)
    rows = (heads[0], *values, heads[1], *levels, *gap_rows(table["status"], language))
    return Legend(scheme_text(classes, language), rows, label(f"map.legend_note.{shapes.level}", language))
