"""Neighbours of Viet Nam's provinces and communes, before and after 2025-07-01.

Provinces: tables of the catalog. Communes: from the user's outlines, else from the communes' points by a stated rule. Islands
(table vn2025_islands) have no neighbours, unless the nearest commune over the sea is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tkyt_analysis.analysis.spatial.maps_of_values import chosen
from tkyt_analysis.analysis.spatial.neighbours import RULES, neighbours_from_points, neighbours_from_polygons
from tkyt_analysis.analysis.spatial.weights import Weights, some_of, spatial_weights, style_word
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.catalog.spatial_weights import spatial_weights_table
from tkyt_analysis.errors import InputError, UsageError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

COMMUNE = 3  # level in reference.places
SEA_LIMIT_KM = 100.0


def place_weights(
    vintage: str = "VN2025",
    level: str = "province",
    *,
    polygons: Any = None,
    code_column: str = "code",
    rule: str = "nearest",
    k: int = 5,
    distance: float | None = None,
    within_province: bool = False,
    islands: str = "alone",
    sea_limit: float = SEA_LIMIT_KM,
    style: str = "W",
) -> Weights:
    """Weights of all provinces or communes of a vintage, named by unit_id.

    Parameters
    ----------
    vintage : "VN2024" (63 provinces, 10 035 communes) or "VN2025" (34, 3 321); level : "province" or "commune"
    polygons : GeoDataFrame of the communes' outlines with their codes in `code_column`; it decides who touches whom
    rule, k, distance : without outlines, by the communes' points: "nearest" (the `k` nearest, both ways), "distance" (up to
        so many km), "delaunay". Points have errors: `docs/small_areas.md` says how many of these pairs truly touch.
    within_province : neighbours of the same province only
    islands : "alone" (no neighbours) or "sea" (joined, both ways, to the nearest commune of the province over the sea where
        that is at most `sea_limit` km)

    Communes of VN2024 have no points of their own: two of them are neighbours where the communes of 2025 that took (most of)
    them are neighbours or the same; the communes of one island have each other. The five island districts that had no commune
    (Bạch Long Vĩ, Cồn Cỏ, Hoàng Sa, Lý Sơn, Côn Đảo) stand among them: 10 040 units.
    Raises UsageError for unknown words, InputError where the outlines' codes are not those of the code list.
    """
    vintage = chosen(str(vintage).upper(), ("VN2024", "VN2025"), "vintage")
    level = chosen(level, ("province", "commune"), "level")
    islands = chosen(islands, ("alone", "sea"), "islands")
    if level == "province":
        return _provinces(vintage, style)
    if polygons is not None:
        return _from_outlines(vintage, polygons, code_column, style)
    chosen(rule, RULES, "rule", {"knn": "nearest", "triangulation": "delaunay"})
    new = _communes_2025(rule, k, distance, within_province)
    if islands == "sea":
        new = _over_the_sea(new, sea_limit)
    if vintage == "VN2024":
        new = _communes_2024(new, within_province)
    return Weights(new.links, new.ids, style_word(style))


def _provinces(vintage: str, style: str) -> Weights:
    pairs = spatial_weights_table(f"{vintage.lower()}_provinces")
    both = pd.DataFrame(
        {
            "i": pd.concat([pairs["unit_id"], pairs["neighbour_id"]], ignore_index=True),
            "j": pd.concat([pairs["neighbour_id"], pairs["unit_id"]], ignore_index=True),
        }
    )
    return spatial_weights(both, ids=sorted(set(both["i"])), style=style)


def _communes(vintage: str) -> pd.DataFrame:
    from tkyt_analysis.reference.places import places

    listed = places(vintage)
    kept = listed["level"] == COMMUNE
    if vintage == "VN2024":
        kept |= listed["unit_id"].isin("VN2024:" + read_codelist("island_districts")["old_code"])
    return listed[kept].reset_index(drop=True)


def island_communes() -> pd.DataFrame:
    """The communes of VN2025 that are islands: unit_id, name, sea_neighbour_id, kilometres."""
    table = spatial_weights_table("vn2025_islands")
    return table.assign(kilometres=table["kilometres"].astype(float))


def _communes_2025(rule: str, k: int, distance: float | None, within_province: bool) -> Weights:
    units = _communes("VN2025")
    return neighbours_from_points(
        units["longitude"], units["latitude"],
        rule=rule, k=k, distance=distance, symmetric=True, ids=units["unit_id"],
        within=units["province_id"] if within_province else None,
        alone=units["unit_id"].isin(island_communes()["unit_id"]),
    )  # fmt: skip


def _over_the_sea(weights: Weights, limit: float) -> Weights:
    near = island_communes().query("kilometres <= @limit")
    i, j = (weights.ids.get_indexer(near[name]) for name in ("unit_id", "sea_neighbour_id"))
    return Weights(weights.links.maximum(_matrix(i, j, weights.n)).tocsr(), weights.ids).symmetric()


def _matrix(i: Any, j: Any, columns: int, rows: int | None = None) -> csr_array:
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(i)), (i, j)), shape=(rows or columns, columns))


def _communes_2024(new: Weights, within_province: bool) -> Weights:
    """Old communes beside each other where their new communes are the same or neighbours."""
    from tkyt_analysis.reference.geography import crosswalk

    old = _communes("VN2024")
    edges = crosswalk().query("is_default").set_index("old_unit_id")["new_unit_id"]
    member = _matrix(np.arange(len(old)), new.ids.get_indexer(old["unit_id"].map(edges)), new.n, len(old))
    links = (member @ new.with_self().binary @ member.T).tocoo()
    apart = links.row != links.col
    if within_province:
        province = pd.factorize(old["province_id"])[0]
        apart &= province[links.row] == province[links.col]
    return Weights(_matrix(links.row[apart], links.col[apart], len(old)), pd.Index(old["unit_id"]))


def _from_outlines(vintage: str, polygons: Any, code_column: str, style: str) -> Weights:
    if code_column not in polygons:
        raise UsageError("error.spatial_code_column", column=code_column, found=", ".join(map(str, polygons.columns)))
    listed = _communes(vintage)
    units = listed.loc[listed["level"] == COMMUNE, "unit_id"]
    codes = polygons[code_column].astype(str)
    found = pd.Index(codes.where(codes.str.startswith(vintage + ":"), vintage + ":" + codes))
    missing, extra = units[~units.isin(found)], found[~found.isin(units)]
    if len(missing) or len(extra) or found.has_duplicates:
        lists = {"missing": some_of(missing) or "–", "extra": some_of(extra) or "–"}
        raise InputError("error.spatial_codes", column=code_column, expected=len(units), found=len(found), **lists)
    return spatial_weights(neighbours_from_polygons(polygons, ids=found), ids=units, style=style)
