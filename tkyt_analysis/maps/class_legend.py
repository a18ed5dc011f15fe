"""The legend of classes: each with its number of units, then each kind of gap that is present."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from tkyt_analysis.labels import label
from tkyt_analysis.maps.boundaries import Boundaries
from tkyt_analysis.maps.classes import Classes
from tkyt_analysis.maps.content import Legend, Row, Swatch
from tkyt_analysis.maps.schemes import SAMPLE
from tkyt_analysis.maps.values import GAPS, SHOWN


def class_legend(table: pd.DataFrame, classes: Classes, shapes: Boundaries, language: str) -> Legend:
    """Scheme, classes and gaps of a map of classes; `table` comes from `complete`."""
    rows = (*class_rows(table, classes, language), *gap_rows(table["status"], language))
    return Legend(scheme_text(classes, language), rows, label(f"map.legend_note.{shapes.level}", language))


def scheme_text(classes: Classes, language: str) -> str:
    """ "Cách chia nhóm: phân vị"; says where the bounds come from a sample."""
    name = label(f"map.scheme.{classes.scheme}", language)
    if classes.sampled:
        name = label("map.scheme_sampled", language, scheme=name, number=SAMPLE)
    return label("map.scheme", language, scheme=name)


def class_rows(table: pd.DataFrame, classes: Classes, language: str, *, shape: str = "box") -> tuple[Row, ...]:
    """One row per class, with the number of units in it."""
    shown = table.loc[table["status"].isin(SHOWN), "value"].to_numpy(float)
    counts = np.bincount(classes.index(shown), minlength=classes.number) if len(shown) else [0] * classes.number
    return tuple(
        counted_row(classes.text(i, language), int(counts[i]), Swatch("ok", colour, shape), language)
        for i, colour in enumerate(classes.colours)
    )


def gap_rows(statuses: Iterable[str], language: str, *, shape: str = "box") -> tuple[Row, ...]:
    """One row for modelled figures and one per kind of gap, where there is any."""
    found = pd.Series(list(statuses), dtype=object).value_counts()
    return tuple(
        counted_row(label(f"map.status.{status}", language), int(found[status]), Swatch(status, "", shape), language)
        for status in ("modelled", *GAPS)
        if status in found
    )


def counted_row(text: str, number: int, swatch: Swatch, language: str) -> Row:
    """ "12,3 – dưới 20 (7)" with its sample."""
    return Row(label("map.legend_row", language, text=text, number=number), (swatch,))
