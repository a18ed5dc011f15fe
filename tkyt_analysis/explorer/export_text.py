"""A table as CSV for other programs: one line per figure, numbers as programs write them, every line complete by itself."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from tkyt_analysis.cube.model import TOTAL
from tkyt_analysis.explorer.described import Description
from tkyt_analysis.explorer.layout import Pivot
from tkyt_analysis.explorer.table_lines import MEASURE
from tkyt_analysis.explorer.titles import dimension_name, measure_name
from tkyt_analysis.labels import label

_STARTS_A_FORMULA = re.compile(r"^\s*[=+\-@]|^[\t\r\n]")


def csv_bytes(pivot: Pivot, words: Description, language: str) -> bytes:
    """UTF-8 with BOM, commas, decimal points; a text that a spreadsheet would run gets a ' in front."""
    table = _figures(pivot, language)
    said = {
        "shows": words.title,
        "filters": "; ".join(f"{name}: {value}" for name, value in words.filters),
        "notice": "; ".join(words.bands),
        "passport": words.footer,
    }
    table = table.assign(**{label(f"export.column.{name}", language): text for name, text in said.items()})
    for name in table.columns:
        if not pd.api.types.is_numeric_dtype(table[name]):
            table[name] = table[name].map(guarded)
    table.columns = [guarded(name) for name in table.columns]
    return b"\xef\xbb\xbf" + table.to_csv(index=False, lineterminator="\r\n", float_format="%.12g").encode("utf-8")


def guarded(text: object) -> str:
    """The text, with a ' in front where a spreadsheet would take it for a formula."""
    said = "" if text is None or text != text else str(text)
    return f"'{said}" if _STARTS_A_FORMULA.match(said) else said


def _figures(pivot: Pivot, language: str) -> pd.DataFrame:
    """One row per figure of the table, row by row; combinations without a figure are left out."""
    there = (pivot.status != "").ravel()
    shape = pivot.value.shape
    rows, columns = (one.ravel()[there] for one in np.indices(shape))
    found: dict[str, object] = {}
    for dimensions, keys, names, places in (
        (pivot.layout.rows, pivot.row_keys, pivot.row_names, rows),
        (pivot.layout.columns, pivot.column_keys, pivot.column_names, columns),
    ):
        for level, dimension in enumerate(dimensions):
            if dimension != MEASURE:
                word = dimension_name(dimension, language)
                codes = np.array([key[level] for key in keys], dtype=object)
                said = np.array([name[level] or label("table.whole", language) for name in names], dtype=object)
                found[label("export.column.code", language, name=word)] = codes[places]
                found[word] = np.where(codes[places] == TOTAL, label("table.whole", language), said[places])
    measure = pd.Series(pivot.measure.ravel()[there])
    units = {one.id: one.unit[language] for one in pivot.figures.measures.values()}
    names_of = {one: measure_name(pivot.figures, one, language) for one in pivot.figures.view.measures}
    found[label("export.column.measure_id", language)] = measure.to_numpy()
    found[label("export.column.measure", language)] = measure.map(names_of).to_numpy()
    plain = pivot.layout.shows == "value"
    found[label("export.column.unit", language)] = measure.map(units).to_numpy() if plain else "%"
    numbers = ("shown", "lower", "upper", "numerator", "denominator") if plain else ("shown",)
    for name in (*numbers, "expected", "received", "findings"):
        found[label(f"export.column.{name}", language)] = getattr(pivot, name).ravel()[there]
    found[label("export.column.status", language)] = pivot.status.ravel()[there]
    return pd.DataFrame(found)
