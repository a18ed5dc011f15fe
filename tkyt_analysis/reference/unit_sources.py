"""Where the unit lists come from: the data files of PyPI `vietnamadminunits` 1.0.4, mended by our own code lists.

The package is not imported (that would load shapely and geopy); its SQLite and JSON files are read.
Legacy points and areas of the package are left out: geography.md §3.1 finds them unreliable.
"""

from __future__ import annotations

import json
import sqlite3
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.errors import ProcessingError

PACKAGE = "vietnamadminunits"
_LEGACY = """select provinceCode province_code, province, districtCode district_code, district,
    wardCode commune_code, ward commune, provinceKey || '_' || districtKey || '_' || coalesce(wardKey, '') key
    from admin_units_legacy"""
_CURRENT = """select provinceCode province_code, province, provinceLat province_latitude,
    provinceLon province_longitude, wardCode commune_code, ward commune, wardLat latitude, wardLon longitude,
    provinceKey || '_' || wardKey key from admin_units"""


def data_directory() -> Path:
    """The folder of the package's data files; ProcessingError where it is not installed."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ProcessingError("error.places.package_missing", package=PACKAGE)
    return Path(spec.origin).parent / "data"


@cache
def _tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    path = data_directory() / "dataset.db"
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return pd.read_sql(_LEGACY, connection), pd.read_sql(_CURRENT, connection)
    finally:
        connection.close()


def legacy_rows() -> pd.DataFrame:
    """One row per commune of VN2024 (and per district without one): codes, full names, package key."""
    return _tables()[0]


def current_rows() -> pd.DataFrame:
    """One row per commune of VN2025: codes, full names, point (degrees), package key."""
    return _tables()[1]


@cache
def package_edges() -> pd.DataFrame:
    """Crosswalk exactly as the package states it: old_code, new_code, is_default (communes only)."""
    converter = json.loads((data_directory() / "converter_2025.json").read_text("utf-8"))
    whole = [
        (old, f"{province}_{new}", True)
        for province, targets in converter["DICT_PROVINCE_WARD_NO_DIVIDED"].items()
        for new, sources in targets.items()
        for old in sources
    ]
    split = [
        (old, f"{province}_{target['newWardKey']}", target["isDefaultNewWard"])
        for province, sources in converter["DICT_PROVINCE_WARD_DIVIDED"].items()
        for old, targets in sources.items()
        for target in targets
    ]
    edges = pd.DataFrame(whole + split, columns=["old_key", "new_key", "is_default"])
    edges["old_code"] = edges["old_key"].map(legacy_rows().set_index("key")["commune_code"])
    edges["new_code"] = edges["new_key"].map(current_rows().set_index("key")["commune_code"])
    edges = edges[edges["old_code"].notna()]
    return edges[["old_code", "new_code", "is_default"]].astype({"is_default": bool}).reset_index(drop=True)


def corrected_edges(edges: pd.DataFrame) -> pd.DataFrame:
    """`package_edges` after the rows of crosswalk_corrections.csv: delete, add, default."""
    corrections = read_codelist("crosswalk_corrections")
    pairs = _pairs(edges)
    kept = edges[~pairs.isin(_pairs(corrections[corrections["action"] == "delete"]))]
    added = corrections.loc[corrections["action"] == "add", ["old_code", "new_code"]].assign(is_default=False)
    result = pd.concat([kept, added], ignore_index=True)
    default = corrections[corrections["action"] == "default"]
    of_mended = result["old_code"].isin(default["old_code"])
    result.loc[of_mended, "is_default"] = _pairs(result[of_mended]).isin(_pairs(default))
    return result


def _pairs(edges: pd.DataFrame) -> pd.Series:
    return edges["old_code"] + ">" + edges["new_code"]


def check_overlay(
    *, edges: pd.DataFrame | None = None, legacy: pd.DataFrame | None = None, current: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Overlay rows that the installed package no longer needs, or that no longer fit it.

    Parameters
    ----------
    edges, legacy, current : the package's tables; default: those installed (given by tests)

    Returns
    -------
    One row per stale overlay row: codelist, row (text), reason (label key). Empty when all still apply.
    """
    edges = package_edges() if edges is None else edges
    legacy = legacy_rows() if legacy is None else legacy
    current = current_rows() if current is None else current
    stale = [
        *_stale_corrections(edges),
        *_stale_islands(legacy),
        *_stale_changes(current),
        *_stale_provinces("provinces_2024", legacy),
        *_stale_provinces("provinces_2025", current),
    ]
    return pd.DataFrame(stale, columns=["codelist", "row", "reason"], dtype="str")


def require_overlay() -> None:
    """Raise ProcessingError naming every overlay row that `check_overlay` finds stale."""
    stale = check_overlay()
    if len(stale):
        rows = "; ".join(stale["codelist"] + ".csv: " + stale["row"])
        raise ProcessingError("error.places.overlay_stale", package=PACKAGE, rows=rows)


def _stale_corrections(edges: pd.DataFrame) -> list[tuple[str, str, str]]:
    corrections = read_codelist("crosswalk_corrections").assign(pair=_pairs)
    known, defaults = set(_pairs(edges)), set(_pairs(edges[edges["is_default"]]))
    deleted, added, default = (corrections[corrections["action"] == word] for word in ("delete", "add", "default"))
    stale = [
        *(pair for pair in deleted["pair"] if pair not in known),
        *(pair for pair in added["pair"] if pair in known),
        *(pair for pair in default["pair"] if pair in defaults),
    ]
    return [("crosswalk_corrections", pair, "places.overlay_row_fixed") for pair in stale]


def _stale_islands(legacy: pd.DataFrame) -> list[tuple[str, str, str]]:
    without_commune = set(legacy.loc[legacy["commune_code"].isna(), "district_code"])
    ours = set(read_codelist("island_districts")["old_code"])
    return [("island_districts", code, "places.overlay_row_fixed") for code in sorted(ours ^ without_commune)]


def _stale_changes(current: pd.DataFrame) -> list[tuple[str, str, str]]:
    names = pd.concat(
        [
            current.set_index("province_code")["province"].loc[lambda s: ~s.index.duplicated()],
            current.set_index("commune_code")["commune"],
        ]
    )
    changes = read_codelist("unit_changes")
    written = changes["code"].map(names).fillna("").str.lower()
    still_before = [text.startswith(f"{before} ") for text, before in zip(written, changes["type_before"])]
    return [("unit_changes", code, "places.overlay_row_fixed") for code in changes["code"][~pd.Series(still_before)]]


def _stale_provinces(codelist: str, rows: pd.DataFrame) -> list[tuple[str, str, str]]:
    ours = read_codelist(codelist)
    expected = set(ours["code"] + " " + ours["unit_type"] + " " + ours["name"])
    rows = rows.drop_duplicates(["province_code", "province"])
    found = set(rows["province_code"] + " " + _lower_type(rows["province"]))
    return [(codelist, row, "places.overlay_row_differs") for row in sorted(expected ^ found)]


def _lower_type(full_names: pd.Series) -> pd.Series:
    types = "|".join(read_codelist("unit_types")["unit_type"].unique())
    return full_names.str.replace(rf"^(?i:{types}) ", lambda match: match[0].lower(), regex=True)


def split_full_name(full_names: pd.Series) -> pd.DataFrame:
    """unit_type (lower case) and name of "Thị trấn Trà Xuân"; wards known by a number keep their type as name.

    Raises ProcessingError for a full name that begins with no known type.
    """
    types = sorted(read_codelist("unit_types")["unit_type"].unique(), key=len, reverse=True)
    parts = full_names.str.extract(rf"^(?P<unit_type>(?i:{'|'.join(types)})) (?P<name>.+)$")
    if parts["name"].isna().any():
        raise ProcessingError(
            "error.places.type_unknown",
            names=", ".join(full_names[parts["name"].isna()].astype(str).head(5)),
            choices=", ".join(types),
        )
    numbered = parts["name"].str.fullmatch(r"\d+")
    name = parts["name"].where(~numbered, full_names)
    return pd.DataFrame({"unit_type": parts["unit_type"].str.lower(), "name": name})
