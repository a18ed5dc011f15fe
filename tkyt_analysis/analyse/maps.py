"""Maps of the analyses of a file, where its areas are places of Viet Nam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.analyse.reading import known_places, level_of
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.maps.registry import MAP_KINDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def rate_picture(
    found: pd.DataFrame, area: str, vintage: str | None, per: float, *, by: Sequence[str], title: str, note: str
) -> Figure:
    """Smoothed rates: provinces coloured, communes as circles (area: events; colour: rate)."""
    if by and len(found.drop_duplicates(list(by))) > 1:
        raise InputError("error.analyse.one_map", columns=", ".join(by))
    ids = known_places(found[area], vintage)
    rows = found.assign(unit_id=ids.to_numpy())
    unit = label("analyse.map.unit", per=format_number(per))
    title = " · ".join(text for text in (title or label("analyse.map.smooth"), note) if text)
    common = {"vintage": ids.iloc[0][:6], "title": title}
    if level_of(ids) == "province":
        return MAP_KINDS["choropleth"].draw(
            rows.assign(value=rows["rate"])[["unit_id", "value", "status"]], unit=unit, **common
        )
    points = rows.assign(value=rows["events"])[["unit_id", "value", "rate", "status"]]
    return MAP_KINDS["commune_points"].draw(points, unit=label("analyse.map.events"), rate_unit=unit, **common)


def cluster_picture(areas: pd.DataFrame, vintage: str | None, *, title: str, note: str) -> Figure:
    """Clusters of provinces; InputError for communes, whose outlines are not ours."""
    ids = known_places(areas["area"], vintage)
    if level_of(ids) != "province":
        raise InputError("error.analyse.commune_map")
    title = " · ".join(text for text in (title or label("analyse.map.clusters"), note) if text)
    table = areas.assign(unit_id=ids.to_numpy())[["unit_id", "cluster", "value", "status"]]
    return MAP_KINDS["clusters"].draw(table, vintage=ids.iloc[0][:6], title=title)
