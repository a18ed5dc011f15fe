"""Communes as circles where they lie: for want of outlines, and where counts are meant.

A circle's area is the count; its colour, where there is one, is a rate. 3 321 or 10 035 circles are a few collections.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language, format_number, label
from tkyt_analysis.maps.boundaries import ARCHIPELAGO_LONGITUDE, ARCHIPELAGOS, Boundaries, archipelago_unit, boundaries
from tkyt_analysis.maps.class_legend import class_rows, gap_rows, scheme_text
from tkyt_analysis.maps.classes import Classes, classify
from tkyt_analysis.maps.content import Legend, MapContent, Panel, Points, Row, Swatch
from tkyt_analysis.maps.palettes import NEUTRAL, POINT
from tkyt_analysis.maps.values import GAPS, SHOWN, Mark, complete, value_text

# Degrees of the map: the radius of the largest count, at most; smaller where all circles together would hide the land.
_LARGEST, _INK, _LAND = 0.2, 0.3, 27.0  # of the land, about 27 square degrees, the circles take 30 % at most
_SPREAD = 0.018  # degrees between old communes that are drawn around the new one they joined


@cache
def commune_places(vintage: str) -> pd.DataFrame:
    """unit_id, code, name, province_id, longitude, latitude of every commune: 3 321, or 10 035 old ones and the five
    island districts that had none.

    VN2025: the points of the commune list. VN2024 has none that may be published (its points come from a geocoder):
    an old commune is drawn on a small spiral around the new commune that took most of it, which is near enough for
    a map of the country and for nothing else.
    """
    from tkyt_analysis.catalog.codelists import read_codelist
    from tkyt_analysis.reference.places import places

    columns = ["unit_id", "code", "name", "province_id", "longitude", "latitude"]
    units = places(vintage)
    lone = ("VN2024:" + read_codelist("island_districts")["old_code"]).tolist() if vintage == "VN2024" else []
    units = units[(units["level"] == 3) | units["unit_id"].isin(lone)].reset_index(drop=True)
    if vintage == "VN2025":
        return units[columns]
    from tkyt_analysis.reference.geography import crosswalk

    edges = crosswalk()
    default = edges[edges["is_default"]].set_index("old_unit_id")["new_unit_id"]
    target = units["unit_id"].map(default)
    new = places("VN2025").set_index("unit_id")
    rank = target.groupby(target).cumcount()
    turn, reach = rank * 2.399963, _SPREAD * np.sqrt(rank)  # golden angle
    longitude = target.map(new["longitude"]) + reach * np.cos(turn)
    latitude = target.map(new["latitude"]) + reach * np.sin(turn)
    return units.assign(longitude=longitude, latitude=latitude)[columns]


def commune_points(
    values: pd.DataFrame,
    *,
    vintage: str = "VN2025",
    title: str,
    unit: str = "",
    rate_unit: str = "",
    scheme: str = "quantile",
    n_classes: int = 5,
    bounds: Sequence[float] | None = None,
    decimals: int | None = None,
    practice: bool = False,
    shapes: Boundaries | None = None,
    language: str | None = None,
) -> MapContent:
    """Map of communes as circles.

    values : unit_id of communes ("VN2025:00004"), value (a count: the circle's area), optionally rate (in
        `rate_unit`: the circle's colour, in classes) and status (of the rate where there is one)
    shapes : province outlines under the circles
    A commune without a row is missing. Other parameters and errors as `draw_province_map`.
    """
    language = language or current_language()
    shapes = shapes or boundaries("province", vintage)
    where = commune_places(vintage)
    table = _table(values, where, vintage)
    rated = "rate" in values
    shown = table.loc[table["status"].isin(SHOWN), "colour_value"].to_numpy(float)
    classes = classify(shown, scheme=scheme, n_classes=n_classes, bounds=bounds, decimals=decimals) if rated else None
    colour = _colours(table, classes)
    largest = float(table["value"].max()) if table["value"].notna().any() else 0.0
    reach = _reach(table["value"].fillna(0).to_numpy(float), largest)
    radius = reach * np.sqrt(table["value"].fillna(0).to_numpy(float) / max(largest, 1e-12))
    text = _texts(table, where, unit, rate_unit, classes, language)
    near = where["longitude"].to_numpy() < ARCHIPELAGO_LONGITUDE
    position = where[["longitude", "latitude"]].to_numpy(float)
    status = table["status"].to_numpy(object)
    points = Points(position[near], radius[near], colour[near], status[near], text[near])
    land = {one: Mark(one, name, "ok", float("nan"), NEUTRAL, "") for one, name in shapes.names.items()}
    islands = _islands(table, where, vintage, colour, text)
    legend = _legend(table, classes, (largest, reach), unit, rate_unit, language)
    notes = (label("map.points.old_places", language),) if vintage == "VN2024" else ()
    panel = Panel(land, points=points, islands=islands)
    return MapContent(
        "commune_points", title, unit, practice, language, shapes, (panel,), legend, notes=notes, named=False
    )


def _reach(values: np.ndarray, largest: float) -> float:
    """Radius of the largest circle, degrees."""
    if largest <= 0:
        return _LARGEST
    return min(_LARGEST, float(np.sqrt(_INK * _LAND / (np.pi * (values / largest).sum()))))


def _table(values: pd.DataFrame, where: pd.DataFrame, vintage: str) -> pd.DataFrame:
    """unit_id, value, colour_value, status of every commune, in the order of `where`."""
    listed = Boundaries(vintage, "commune", "polygons", where[["unit_id", "code", "name"]], {}, {}, {})
    main = values.drop(columns="value").rename(columns={"rate": "value"}) if "rate" in values else values
    table = complete(main, listed)
    if "rate" not in values:
        table = table.assign(colour_value=table["value"])
    else:
        count = complete(values[["unit_id", "value"]], listed)
        status = table["status"].where(count["value"].notna() | ~table["status"].isin(SHOWN), "missing")
        kept = status.isin(SHOWN)
        table = table.assign(colour_value=table["value"].where(kept), value=count["value"].where(kept), status=status)
    negative = table[table["value"] < 0]
    if len(negative):
        raise InputError("error.map_negative_size", unit=negative["unit_id"].iloc[0], value=negative["value"].iloc[0])
    return table


def _colours(table: pd.DataFrame, classes: Classes | None) -> np.ndarray:
    shown = table["status"].isin(SHOWN).to_numpy()
    colour = np.full(len(table), "", dtype=object)
    if classes is None:
        colour[shown] = POINT
    elif shown.any():
        index = classes.index(table.loc[shown, "colour_value"].to_numpy(float))
        colour[shown] = np.array(classes.colours, dtype=object)[index]
    return colour


def _texts(
    table: pd.DataFrame, where: pd.DataFrame, unit: str, rate_unit: str, classes: Classes | None, language: str
) -> np.ndarray:
    """ "Ba Đình: 12 ca; 34,5 trên 100.000 dân" of each."""
    gaps = {status: label(f"map.status.{status}", language) for status in GAPS}
    said = []
    for name, value, status, rate in zip(where["name"], table["value"], table["status"], table["colour_value"]):
        if status in gaps:
            said.append(f"{name}: {gaps[status]}")
            continue
        count = f"{format_number(value, 0 if float(value).is_integer() else 1, language)} {unit}".strip()
        places = classes.decimals if classes else 0
        more = f"; {value_text(rate, status, unit=rate_unit, decimals=places, language=language)}" if classes else ""
        said.append(f"{name}: {count}{more}")
    return np.array(said, dtype=object)


def _islands(
    table: pd.DataFrame, where: pd.DataFrame, vintage: str, colour: np.ndarray, text: np.ndarray
) -> dict[str, Mark]:
    """Both archipelagos in the colour of their commune; plain where there is no such commune."""
    code = {unit_id: i for i, unit_id in enumerate(where["unit_id"])}
    far = where["longitude"].to_numpy() >= ARCHIPELAGO_LONGITUDE
    north = where["latitude"].to_numpy() > 14
    found = {}
    for name in ARCHIPELAGOS:
        i = code.get(archipelago_unit(name, vintage, "commune"))
        if i is None:
            found[name] = Mark("", "", "ok", float("nan"), NEUTRAL, "")
            continue
        said = "; ".join(text[far & (north == (name == "hoang_sa"))])  # of every commune of the archipelago
        status = table["status"].iloc[i]
        found[name] = Mark(where["unit_id"].iloc[i], "", status, float("nan"), colour[i] or None, said)
    return found


def _legend(
    table: pd.DataFrame, classes: Classes | None, sizing: tuple[float, float], unit: str, rate_unit: str, language: str
) -> Legend:
    """Sizes of round counts, then the colours, then the symbols of gaps."""
    largest, reach = sizing
    sizes = []
    for count in dict.fromkeys(_round_below(largest * share) for share in (1.0, 0.25, 0.04)):
        if count > 0:
            size = 2 * reach * float(np.sqrt(count / largest))
            sizes.append(
                Row(format_number(count, 0 if count >= 1 else 2, language), (Swatch("ok", POINT, "size", size),))
            )
    rows: list[Row] = [Row(label("map.points.size", language, unit=unit or "–")), *sizes]
    head = ""
    if classes is not None:
        head = scheme_text(classes, language)
        rows.append(Row(label("map.points.colour", language, unit=rate_unit or "–")))
        coloured = table.assign(value=table["colour_value"])
        rows += class_rows(coloured, classes, language, shape="dot")
    rows += gap_rows(table["status"], language, shape="dot")
    return Legend(head, tuple(rows), label("map.legend_note.commune", language))


def _round_below(number: float) -> float:
    """The largest of 1, 2, 5 × 10ⁿ that is not above `number`."""
    if number <= 0:
        return 0.0
    power = 10.0 ** np.floor(np.log10(number))
    return float(max(step for step in (1, 2, 5) if step * power <= number * (1 + 1e-9)) * power)
