"""Figures for exhibits of the explorer's pictures, made of practice series in place of a release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from tkyt_analysis.cube.model import FIGURE_COLUMNS, Figures, Measure, View
from tkyt_analysis.explorer.layout import Layout, Pivot

PASSPORT = {
    "release": "gallery",
    "snapshot": 0,
    "catalog_version": "–",
    "code_version": "–",
    "data_as_of": "2025-12-31",
    "practice": True,
}


def practice_pivot(
    rows: pd.DataFrame,
    by: Sequence[str],
    layout: Layout,
    *,
    measures: Sequence[Measure],
    names: Mapping[str, Mapping[str, str]],
    language: str,
    period: str = "",
) -> Pivot:
    """The pivot of drawn figures: `rows` has the dimensions of `by`, value and any of FIGURE_COLUMNS (measure where
    there are several)."""
    from tkyt_analysis.explorer.pivot import pivot

    table = rows.assign(measure=rows.get("measure", measures[0].id))
    empty = {name: np.nan for name in FIGURE_COLUMNS if name not in table and name != "status"}
    table = table.assign(**empty, status=table.get("status", "ok"))
    figures = Figures(
        view=View(measures=tuple(one.id for one in measures), by=tuple(by), period=period),
        rows=table[["measure", *by, *FIGURE_COLUMNS]],
        names=dict(names),
        measures={one.id: one for one in measures},
        passport=PASSPORT,
    )
    return pivot(figures, layout, language=language)
