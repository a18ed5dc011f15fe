"""Points and outlines: where a point lies, and what is wrong with it. Pure functions on arrays, shapely inside."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

# Outlines are simplified for drawing: a point this close to one (about 5 km) is not called outside.
NEAR_DEGREES = 0.05
PROBLEMS = ("null_island", "impossible", "swapped", "outside_country", "outside_parent", "on_centroid", "shared")


@cache
def province_shapes(system: str) -> dict[str, Any]:
    """{unit_id: outline} of the provinces of a code system, both archipelagos with theirs (the packaged outlines)."""
    from shapely.geometry import MultiPoint, MultiPolygon, Polygon
    from shapely.ops import unary_union

    from tkyt_analysis.maps.boundaries import archipelago_unit, boundaries, island_points

    outlines = boundaries("province", system)

    def shape(polygons: Any) -> Any:
        return MultiPolygon([Polygon(polygon[0], list(polygon[1:])) for polygon in polygons]).buffer(0)

    found = {unit: shape(polygons) for unit, polygons in outlines.shapes.items()}
    points = island_points()
    for archipelago in points["archipelago"].unique():
        unit = archipelago_unit(archipelago, system)
        own = points[points["archipelago"] == archipelago]
        islands = MultiPoint(own[["longitude", "latitude"]].to_numpy()).convex_hull.buffer(0.5)
        found[unit] = unary_union(
            [
                found[unit],
                islands,
                *([shape(outlines.islands[archipelago])] if outlines.islands.get(archipelago) else []),
            ]
        )
    return found


@cache
def country_shape() -> Any:
    """Viet Nam: all provinces, with the sea around the archipelagos."""
    from shapely.ops import unary_union

    return unary_union(list(province_shapes("VN2025").values()))


def point_problems(
    points: pd.DataFrame,
    parents: Mapping[str, BaseGeometry],
    *,
    country: BaseGeometry | None = None,
    near: float = NEAR_DEGREES,
) -> pd.DataFrame:
    """What is wrong with points: one row per point and problem.

    Parameters
    ----------
    points : id, parent_id, latitude, longitude (degrees; rows without a number are left out)
    parents : outline of each parent (longitude, latitude); a parent without one is not judged
    country : outline of everything; None: `country_shape`
    near : degrees by which a point may lie outside an outline

    Returns id, problem (of PROBLEMS), detail. A point at 0,0 or swapped is called that only. `swapped`: outside as it
    stands, inside with latitude and longitude exchanged. `on_centroid`: at the centre of its parent, as filled in by
    a program. `shared`: several ids at one point.
    """
    import shapely

    country = country_shape() if country is None else country
    known = points[points["latitude"].notna() & points["longitude"].notna()].reset_index(drop=True)
    lat, lon = known["latitude"].to_numpy(float), known["longitude"].to_numpy(float)
    found: list[pd.DataFrame] = []
    left = np.ones(len(known), bool)

    def add(problem: str, hit: np.ndarray, detail: Any = None) -> None:
        rows = known[hit]
        words = [f"{y:.4f}, {x:.4f}" for y, x in zip(rows["latitude"], rows["longitude"])] if detail is None else detail
        found.append(pd.DataFrame({"id": rows["id"].to_numpy(), "problem": problem, "detail": words}))

    def step(problem: str, hit: np.ndarray) -> None:
        hit = hit & left
        add(problem, hit)
        left[hit] = False

    step("null_island", (np.abs(lat) < 0.01) & (np.abs(lon) < 0.01))
    outside = _distance(country, lon, lat) > near
    step("swapped", outside & (_distance(country, lat, lon) <= near))
    step("impossible", (np.abs(lat) > 90) | (np.abs(lon) > 180))
    step("outside_country", outside)
    for parent, rows in known[left].groupby("parent_id").groups.items():
        if parent not in parents:
            continue
        at = rows.to_numpy()
        far = np.zeros(len(known), bool)
        far[at] = _distance(parents[parent], lon[at], lat[at]) > near
        step("outside_parent", far)
        centre = shapely.centroid(parents[parent])
        close = np.zeros(len(known), bool)
        close[at] = np.hypot(lon[at] - centre.x, lat[at] - centre.y) < 1e-4
        step("on_centroid", close)
    same = known.assign(lat=lat.round(5), lon=lon.round(5))[left]
    counts = same.groupby(["lat", "lon"])["id"].transform("nunique")
    shared = np.zeros(len(known), bool)
    shared[same.index[counts > 1]] = True
    words = [f"{y:.4f}, {x:.4f} × {n}" for y, x, n in zip(lat[shared], lon[shared], counts[counts > 1])]
    add("shared", shared, words)
    return pd.concat(found, ignore_index=True).sort_values(["id", "problem"], ignore_index=True)


def _distance(shape: Any, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Degrees from each point to the outline, 0 inside it."""
    import shapely

    shapely.prepare(shape)
    points = shapely.points(lon, lat)
    inside = shapely.contains(shape, points)
    result = np.zeros(len(lon))
    if (~inside).any():
        result[~inside] = shapely.distance(shape, points[~inside])
    return result


def shape_problems(shapes: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """(id, problem, detail) of outlines that are unreadable, empty or cross themselves, and {id: outline} of all that can be read.

    shapes : id, geometry (GeoJSON text of the geometry)
    """
    import shapely
    from shapely.validation import explain_validity

    rows, read = [], {}
    for name, text in shapes[["id", "geometry"]].itertuples(index=False):
        shape = shapely.from_geojson(text, on_invalid="ignore") if isinstance(text, str) and text else None
        if shape is None or shape.is_empty:
            rows.append((name, "unreadable", ""))
        elif not shape.is_valid:
            rows.append((name, "invalid", explain_validity(shape)[:80]))
            read[name] = shape.buffer(0)
        else:
            read[name] = shape
    return pd.DataFrame(rows, columns=["id", "problem", "detail"], dtype="str"), read


def outside_their_parents(
    children: pd.DataFrame, shapes: Mapping[str, Any], *, least_share: float = 0.5
) -> pd.DataFrame:
    """Outlines of which less than `least_share` lies in their parent's: id, problem (outside_parent), detail (percent inside).

    children : id, parent_id
    """
    rows = []
    for child, parent in children[["id", "parent_id"]].itertuples(index=False):
        own, above = shapes.get(child), shapes.get(parent)
        if own is None or above is None or not own.area:
            continue
        share = own.intersection(above).area / own.area
        if share < least_share:
            rows.append((child, "outside_parent", f"{100 * share:.0f} %"))
    return pd.DataFrame(rows, columns=["id", "problem", "detail"], dtype="str")
