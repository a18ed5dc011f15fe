"""Outlines of provinces and communes: the ministry's own file, else the packaged default, else a tile grid.

Outlines are for drawing. Area, distance and density never come from them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.labels import label
from tkyt_analysis.settings import REPOSITORY

VINTAGES = ("VN2024", "VN2025")
LEVELS = ("province", "commune")
ARCHIPELAGOS = ("hoang_sa", "truong_sa")
# No mainland or coastal island of Viet Nam lies east of this; both archipelagos do.
ARCHIPELAGO_LONGITUDE = 109.6
_FOLDER = REPOSITORY / "data_catalog" / "boundaries"

Ring = np.ndarray  # (n, 2): longitude, latitude in degrees; or column, row of a tile grid
Polygon = tuple[Ring, ...]  # shell, then holes


@dataclass(frozen=True, eq=False)
class Boundaries:
    """Outlines of every unit of one level and vintage.

    units     one row per unit: unit_id, code, name
    shapes    unit_id → polygons without the archipelagos
    islands   archipelago → polygons of the file (empty: the points are drawn)
    kind      "polygons" or "tiles"
    """

    vintage: str
    level: str
    kind: str
    units: pd.DataFrame
    shapes: Mapping[str, tuple[Polygon, ...]]
    islands: Mapping[str, tuple[Polygon, ...]]
    attribution: Mapping[str, str]

    def name(self, unit_id: str) -> str:
        """The unit's name."""
        return self.names[unit_id]

    @property
    def names(self) -> dict[str, str]:
        """unit_id → name."""
        return dict(zip(self.units["unit_id"], self.units["name"]))


def boundaries(
    level: str = "province",
    vintage: str = "VN2025",
    *,
    file: Path | str | None = None,
    code_column: str = "code",
    crs: str | None = None,
    attribution: Mapping[str, str] | None = None,
    tiles: bool = False,
) -> Boundaries:
    """Outlines of all units of `level` in `vintage`.

    Looks at `file`, then at `boundaries/<level>_<vintage>.yaml` in the user's catalog folders, then takes the
    packaged province outlines (OpenStreetMap, ODbL). `tiles=True` asks for the grid of equal squares.

    Raises InputError where a file is unreadable, names no coordinate system, has invalid polygons, or where
    its codes are not exactly those of the code list (each missing and surplus code is named).
    """
    _require_known(level, vintage)
    if tiles:
        return tile_grid(vintage)
    from tkyt_analysis.maps.user_boundaries import catalog_boundary_file, read_boundary_file

    if file is not None:
        return read_boundary_file(
            Path(file), level=level, vintage=vintage, code_column=code_column, crs=crs, attribution=attribution
        )
    entry = catalog_boundary_file(level, vintage)
    if entry is not None:
        return read_boundary_file(level=level, vintage=vintage, **entry)
    if level != "province":
        raise InputError("error.boundary_none_packaged", level=label(f"map.level.{level}"), vintage=vintage)
    return packaged_provinces(vintage)


def _require_known(level: str, vintage: str) -> None:
    for name, value, expected in (("level", level, LEVELS), ("vintage", vintage, VINTAGES)):
        if value not in expected:
            raise UsageError("error.map_option", option=name, value=value, expected=", ".join(expected))


@cache
def packaged_provinces(vintage: str) -> Boundaries:
    """The default province outlines of the package."""
    path = _FOLDER / "openstreetmap_odbl" / f"{vintage.lower()}_provinces.geojson"
    features = json.loads(path.read_text("utf-8"))["features"]
    units = pd.DataFrame([feature["properties"] for feature in features], dtype="str")
    parts = {feature["properties"]["unit_id"]: _polygons(feature["geometry"]) for feature in features}
    return assemble(vintage, "province", units, parts, {code: label("map.attribution", code) for code in ("vi", "en")})


def _polygons(geometry: dict) -> list[Polygon]:
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return [tuple(np.array(ring) for ring in polygon) for polygon in polygons]


def assemble(
    vintage: str,
    level: str,
    units: pd.DataFrame,
    parts: Mapping[str, list[Polygon]],
    attribution: Mapping[str, str],
) -> Boundaries:
    """Boundaries with the archipelagos' polygons set apart from the mainland's."""
    islands: dict[str, list[Polygon]] = {name: [] for name in ARCHIPELAGOS}
    shapes = {}
    for unit_id, polygons in parts.items():
        far = [bool(polygon[0][:, 0].mean() >= ARCHIPELAGO_LONGITUDE) for polygon in polygons]
        shapes[unit_id] = tuple(polygon for polygon, is_far in zip(polygons, far) if not is_far)
        for polygon, is_far in zip(polygons, far):
            if is_far:
                islands[_archipelago(polygon)].append(polygon)
    together = {name: tuple(polygons) for name, polygons in islands.items()}
    return Boundaries(vintage, level, "polygons", units, shapes, together, attribution)


def _archipelago(polygon: Polygon) -> str:
    """Hoàng Sa lies north of 14° N, Trường Sa south of it."""
    return "hoang_sa" if polygon[0][:, 1].mean() > 14 else "truong_sa"


@cache
def tile_grid(vintage: str) -> Boundaries:
    """One square per province, about where the province lies; equal squares for equal attention."""
    grid = pd.read_csv(_FOLDER / f"tile_grid_{vintage.lower()}.csv", dtype=str, keep_default_na=False, comment="#")
    units = grid.assign(unit_id=vintage + ":" + grid["code"])[["unit_id", "code", "name"]]
    square = np.array([[0.04, 0.04], [0.96, 0.04], [0.96, 0.96], [0.04, 0.96], [0.04, 0.04]])
    corners = grid[["col", "row"]].astype(float).to_numpy()
    shapes: dict[str, tuple[Polygon, ...]] = {
        unit_id: ((square + corner,),) for unit_id, corner in zip(units["unit_id"], corners)
    }
    attribution = {code: label("map.attribution_tiles", code) for code in ("vi", "en")}
    return Boundaries(vintage, "province", "tiles", units, shapes, dict.fromkeys(ARCHIPELAGOS, ()), attribution)


@cache
def island_points() -> pd.DataFrame:
    """The 22 points of both archipelagos: archipelago, province_code, name, latitude, longitude."""
    points = pd.read_csv(_FOLDER / "island_points.csv", dtype=str, keep_default_na=False, comment="#")
    return points.astype({"latitude": float, "longitude": float})


def archipelago_unit(archipelago: str, vintage: str, level: str = "province") -> str:
    """The unit of an archipelago: province Đà Nẵng (48) or Khánh Hòa (56), or the commune of its name.

    Hoàng Sa was a district without communes in VN2024 (498) and stands for itself there.
    """
    if level == "commune":
        hoang_sa = {"VN2024": "498", "VN2025": "20333"}[vintage]
        return f"{vintage}:{hoang_sa if archipelago == 'hoang_sa' else '22736'}"
    points = island_points()
    return f"{vintage}:{points.loc[points['archipelago'] == archipelago, 'province_code'].iloc[0]}"
