"""Neighbours from outlines (queen, rook) and from points (nearest, distance, Delaunay), within groups if wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.rates import same_length
from tkyt_analysis.analysis.spatial.weights import Weights, style_word
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.option_words import option_word

if TYPE_CHECKING:
    from scipy.sparse import csr_array

RULES = ("nearest", "distance", "delaunay")
EARTH_KM = 6371.0088  # mean radius


def neighbours_from_polygons(
    polygons: Any, *, contiguity: str = "queen", ids: Any = None, style: str = "W", snap: float = 0.0
) -> Weights:
    """Areas whose outlines have a point ("queen") or a line ("rook") in common.

    polygons : GeoDataFrame or GeoSeries
    ids : name of each area in the rows' order (default: the index)
    snap : outlines up to this far apart touch, in units of the coordinates (for files whose borders do not meet)
    Islands keep an empty row. Raises UsageError for another contiguity, InputError for an empty outline.
    """
    import shapely

    rule = option_word(contiguity, ("queen", "rook"))
    if rule not in ("queen", "rook"):
        raise UsageError("error.spatial_option", option="contiguity", value=contiguity, known="queen, rook")
    shapes = np.asarray(polygons.geometry if hasattr(polygons, "geometry") else polygons, dtype=object)
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    names = pd.Index(polygons.index if ids is None else ids)
    if empty.any():
        raise InputError(
            "error.spatial_outline_empty", area=names[int(np.flatnonzero(empty)[0])], count=int(empty.sum())
        )
    i, j = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=snap)
    apart = i != j
    i, j = i[apart], j[apart]
    if rule == "rook":
        near = shapely.buffer(shapes, snap) if snap else shapes
        line = shapely.length(shapely.intersection(near[i], near[j])) > 2 * snap
        i, j = i[line], j[line]
    return Weights(_links(i, j, len(shapes)), names, style_word(style))


def neighbours_from_points(
    longitude: npt.ArrayLike,
    latitude: npt.ArrayLike,
    *,
    rule: str = "nearest",
    k: int = 6,
    distance: float | None = None,
    within: npt.ArrayLike | None = None,
    alone: npt.ArrayLike | None = None,
    degrees: bool = True,
    symmetric: bool = False,
    ids: Any = None,
    style: str = "W",
) -> Weights:
    """Neighbours of points.

    Parameters
    ----------
    longitude, latitude : degrees, or plane coordinates with degrees=False; a point without coordinates is an island
    rule : "nearest" (the `k` nearest, not mutual unless `symmetric`), "distance" (up to `distance`: km for degrees, else
        the coordinates' unit), "delaunay" (the triangulation; always mutual)
    within : group of each point (e.g. province): neighbours are sought within the group only
    alone : True for points that get no neighbours and are nobody's (islands of the sea)
    ids : name of each area (default: index of `longitude`)

    Equally far neighbours are taken in the order of the rows. Points at the same place are neighbours of each other.
    """
    word = option_word(rule, RULES, {"knn": "nearest", "k_nearest": "nearest", "triangulation": "delaunay"})
    if word not in RULES:
        raise UsageError("error.spatial_option", option="rule", value=rule, known=", ".join(RULES))
    if (word == "nearest" and not (isinstance(k, (int, np.integer)) and k >= 1)) or (
        word == "distance" and not (distance is not None and distance > 0)
    ):
        raise UsageError("error.spatial_rule_number", rule=word, found=k if word == "nearest" else distance)
    x, y = (part.ravel() for part in same_length(longitude=longitude, latitude=latitude))
    named = longitude.index if isinstance(longitude, pd.Series) else pd.RangeIndex(len(x))
    names = named if ids is None else pd.Index(ids)
    usable = np.isfinite(x) & np.isfinite(y)
    if alone is not None:
        usable &= ~np.asarray(alone, dtype=bool)
    group = np.zeros(len(x), dtype=int) if within is None else pd.factorize(np.asarray(within))[0]
    place = _on_the_globe(x, y) if degrees else np.column_stack([x, y])
    flat = np.column_stack([x * np.cos(np.radians(y)), y]) if degrees else place
    pairs = []
    for number in np.unique(group[usable]):
        rows = np.flatnonzero(usable & (group == number))
        found = _delaunay(flat[rows]) if word == "delaunay" else _near(place[rows], word, k, distance, degrees)
        pairs.append(rows[found])
    i, j = np.concatenate(pairs, axis=1) if pairs else np.zeros((2, 0), dtype=int)
    weights = Weights(_links(i, j, len(x)), names, style_word(style))
    return weights.symmetric() if symmetric else weights


def _links(i: npt.NDArray[Any], j: npt.NDArray[Any], n: int) -> csr_array:
    from scipy.sparse import csr_array

    links = csr_array((np.ones(len(i)), (i, j)), shape=(n, n))
    links.sum_duplicates()
    links.data[:] = 1.0
    return links


def _on_the_globe(longitude: npt.NDArray[Any], latitude: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Points of the sphere in km; the straight line through the earth keeps the order of distances."""
    east, north = np.radians(longitude), np.radians(latitude)
    return EARTH_KM * np.column_stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])


def _near(points: Any, rule: str, k: int, distance: float | None, degrees: bool) -> npt.NDArray[np.intp]:
    from scipy.spatial import cKDTree

    tree = cKDTree(points)
    if rule == "distance":
        assert distance is not None
        chord = 2 * EARTH_KM * np.sin(min(distance / (2 * EARTH_KM), np.pi / 2)) if degrees else distance
        pairs = tree.query_pairs(chord, output_type="ndarray")
        return np.concatenate([pairs, pairs[:, ::-1]]).T
    count = min(k, len(points) - 1)
    if count < 1:
        return np.zeros((2, 0), dtype=np.intp)
    found = tree.query(points, k=count + 1)[1].reshape(len(points), -1)
    own = found == np.arange(len(points))[:, None]
    own[~own.any(axis=1), -1] = True  # several points at one place: the last found is left out instead
    return np.stack([np.repeat(np.arange(len(points)), count), found[~own]])


def _delaunay(points: Any) -> npt.NDArray[np.intp]:
    """Sides of the triangles, both ways; three points or fewer, or points on a line, are joined along their order."""
    from scipy.spatial import Delaunay, QhullError

    different, back = np.unique(points, axis=0, return_inverse=True)
    try:
        corners = Delaunay(different).simplices
        sides = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    except (QhullError, ValueError):
        sides = np.column_stack([np.arange(len(different) - 1), np.arange(1, len(different))])
    return _same_places(sides, back.ravel())


def _same_places(sides: npt.NDArray[Any], back: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Sides between different places as pairs of points; points of one place are joined with each other."""
    points = pd.DataFrame({"place": back, "point": np.arange(len(back))})
    both = pd.DataFrame(np.concatenate([sides, sides[:, ::-1]]), columns=["one", "two"]).drop_duplicates()
    same = pd.DataFrame({"one": np.unique(back), "two": np.unique(back)})
    ends = (
        pd.concat([both, same])
        .merge(points, left_on="one", right_on="place")
        .merge(points, left_on="two", right_on="place", suffixes=("_i", "_j"))
    )
    ends = ends[ends["point_i"] != ends["point_j"]]
    return ends[["point_i", "point_j"]].to_numpy(dtype=np.intp).T
