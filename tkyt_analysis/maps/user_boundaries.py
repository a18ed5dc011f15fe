"""A boundary file that the user supplies: read, checked against the code list, never mended in silence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import LANGUAGES
from tkyt_analysis.maps.boundaries import Boundaries, Polygon, assemble, packaged_provinces
from tkyt_analysis.settings import catalog_directories

if TYPE_CHECKING:
    import geopandas

SUFFIXES = (".gpkg", ".geojson", ".json", ".shp", ".parquet")
COMMUNE = 3  # level in reference.places
_ENTRY_KEYS = {"file", "code_column", "crs", "attribution"}
# Outlines are thinned for drawing above this many corners (0.002 degrees, about 200 m).
_CORNERS, _TOLERANCE = 60_000, 0.002


def catalog_boundary_file(level: str, vintage: str) -> dict[str, Any] | None:
    """Arguments of `read_boundary_file` from `boundaries/<level>_<vintage>.yaml`; the user's last folder wins."""
    import yaml

    for directory in reversed(catalog_directories()):
        path = directory / "boundaries" / f"{level}_{vintage.lower()}.yaml"
        if path.is_file():
            entry = yaml.safe_load(path.read_text("utf-8")) or {}
            unknown = sorted(set(entry) - _ENTRY_KEYS) if isinstance(entry, dict) else ["?"]
            if unknown or "file" not in entry:
                keys = ", ".join(unknown) or "–"
                raise InputError(
                    "error.boundary_entry", file=path, unknown=keys, expected=", ".join(sorted(_ENTRY_KEYS))
                )
            return {"path": path.parent / entry.pop("file"), **entry}
    return None


def read_boundary_file(
    path: Path,
    *,
    level: str,
    vintage: str,
    code_column: str = "code",
    crs: str | None = None,
    attribution: Mapping[str, str] | None = None,
) -> Boundaries:
    """Outlines from GeoPackage, GeoJSON, Shapefile or Parquet; errors as `boundaries` says."""
    units = expected_units(level, vintage)
    frame = _in_degrees(_read(path), path, crs)
    _check_codes(frame, path, code_column, units)
    _check_polygons(frame, path, code_column)
    if frame.count_coordinates().sum() > _CORNERS:
        frame = frame.set_geometry(frame.geometry.simplify_coverage(_TOLERANCE))
    parts = {f"{vintage}:{code}": _parts(shape) for code, shape in zip(frame[code_column], frame.geometry)}
    credit = {language: str((attribution or {}).get(language) or path.name) for language in LANGUAGES}
    return assemble(vintage, level, units, parts, credit)


def expected_units(level: str, vintage: str) -> pd.DataFrame:
    """The code list that a file must equal: unit_id, code, name."""
    if level == "province":
        return packaged_provinces(vintage).units
    from tkyt_analysis.reference.places import places

    listed = places(vintage)
    return listed.loc[listed["level"] == COMMUNE, ["unit_id", "code", "name"]].reset_index(drop=True)


def _read(path: Path) -> geopandas.GeoDataFrame:
    import geopandas

    if not path.is_file():
        raise InputError("error.boundary_file_missing", file=path)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError("error.boundary_file_type", file=path, expected=", ".join(SUFFIXES))
    try:
        return geopandas.read_parquet(path) if path.suffix.lower() == ".parquet" else geopandas.read_file(path)
    except Exception as error:
        raise InputError("error.boundary_file_unreadable", file=path, detail=str(error).splitlines()[0]) from error


def _in_degrees(frame: geopandas.GeoDataFrame, path: Path, crs: str | None) -> geopandas.GeoDataFrame:
    if frame.crs is None and crs is None:
        raise InputError("error.boundary_no_crs", file=path)
    if frame.crs is None:
        frame = frame.set_crs(crs)
    return frame.to_crs(4326)


def _check_codes(frame: geopandas.GeoDataFrame, path: Path, column: str, units: pd.DataFrame) -> None:
    if column not in frame.columns:
        columns = ", ".join(str(name) for name in frame.columns if name != frame.geometry.name)
        raise InputError("error.boundary_code_column", file=path, column=column, columns=columns)
    if pd.api.types.is_numeric_dtype(frame[column]):
        raise InputError("error.boundary_codes_are_numbers", file=path, column=column)
    found = frame[column].fillna("").astype(str)
    missing, extra = sorted(set(units["code"]) - set(found)), sorted(set(found) - set(units["code"]))
    twice = sorted(set(found[found.duplicated()]))
    if missing or extra or twice:
        lists = {"missing": _listed(missing), "extra": _listed(extra), "twice": _listed(twice)}
        raise InputError("error.boundary_codes", file=path, column=column, expected=len(units), **lists)


def _listed(codes: list[str], most: int = 12) -> str:
    """ "–", or the first codes and how many more there are."""
    more = f" … (+{len(codes) - most})" if len(codes) > most else ""
    return ", ".join(repr(code)[1:-1] or "∅" for code in codes[:most]) + more if codes else "–"


def _check_polygons(frame: geopandas.GeoDataFrame, path: Path, column: str) -> None:
    is_polygon = frame.geom_type.isin(["Polygon", "MultiPolygon"])
    wrong = ~is_polygon | ~frame.is_valid | frame.is_empty
    if wrong.any():
        raise InputError("error.boundary_polygons", file=path, codes=_listed(frame.loc[wrong, column].tolist()))


def _parts(shape: Any) -> list[Polygon]:
    polygons = getattr(shape, "geoms", [shape])
    return [
        tuple(np.asarray(ring.coords)[:, :2] for ring in (polygon.exterior, *polygon.interiors)) for polygon in polygons
    ]
