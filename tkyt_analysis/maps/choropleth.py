"""The province map of one value: classes as colours, for print (figure, SVG, PNG).

Every map shows Hoàng Sa and Trường Sa with their labels, the source of the outlines, the way the classes were
made, and each kind of gap in its own pattern. None of this can be switched off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.labels import current_language
from tkyt_analysis.maps.boundaries import Boundaries, boundaries
from tkyt_analysis.maps.class_legend import class_legend
from tkyt_analysis.maps.classes import classify
from tkyt_analysis.maps.content import MapContent, Panel
from tkyt_analysis.maps.values import SHOWN, complete, marks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHEET = ("figsize", "names")  # options of the sheet, not of the content


def choropleth(
    values: pd.DataFrame,
    *,
    vintage: str = "VN2025",
    title: str,
    unit: str = "",
    scheme: str = "quantile",
    n_classes: int = 5,
    bounds: Sequence[float] | None = None,
    decimals: int | None = None,
    value_decimals: int | None = None,
    practice: bool = False,
    tiles: bool = False,
    shapes: Boundaries | None = None,
    language: str | None = None,
) -> MapContent:
    """What a map of one value per unit says; parameters and errors as `draw_province_map`.

    value_decimals : of single values in hints and tables; default: as the classes
    """
    language = language or current_language()
    shapes = shapes or boundaries("province", vintage, tiles=tiles)
    table = complete(values, shapes)
    shown = table.loc[table["status"].isin(SHOWN), "value"].to_numpy()
    classes = classify(shown, scheme=scheme, n_classes=n_classes, bounds=bounds, decimals=decimals)
    places = classes.decimals if value_decimals is None else value_decimals
    marked = marks(table, shapes, classes, unit=unit, decimals=places, language=language)
    legend = class_legend(table, classes, shapes, language)
    return MapContent("choropleth", title, unit, practice, language, shapes, (Panel(marked),), legend)


def draw_province_map(values: pd.DataFrame, **options: Any) -> Figure:
    """Map of one value per province.

    Parameters
    ----------
    values : one row per province, columns unit_id ("VN2025:51"), value (in `unit`), and optionally status
        (ok, modelled, missing, suppressed, not_assessable). A province without a row is "missing".
    title, unit : words; the unit may be left out
    vintage : "VN2025" (34 provinces) or "VN2024" (63)
    scheme, n_classes, bounds, decimals : see `classify`
    practice : True prints that the figures are not real
    tiles : a grid of equal squares in place of outlines
    names : province names; default: where the sheet is at least 5 inches wide
    shapes : outlines of the user's own, from `boundaries(...)`
    language : "vi" or "en"
    figsize : inches; with height None the sheet is as high as its content

    Raises InputError for a table that does not fit, UsageError for an unknown option.
    """
    from tkyt_analysis.maps.composition import figure_of

    return figure_of(choropleth(values, **_content(options)), **_sheet(options))


def map_svg(values: pd.DataFrame, **options: Any) -> str:
    """`draw_province_map` as SVG text without XML head, for a page; same input, same bytes."""
    from tkyt_analysis.maps.composition import svg_of

    return svg_of(choropleth(values, **_content(options)), **_sheet(options))


def map_png(values: pd.DataFrame, *, dpi: int = 200, **options: Any) -> bytes:
    """`draw_province_map` as PNG; `dpi` pixels per inch."""
    from tkyt_analysis.maps.composition import png_of

    return png_of(choropleth(values, **_content(options)), dpi=dpi, **_sheet(options))


def _content(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in _SHEET}


def _sheet(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name in _SHEET}
