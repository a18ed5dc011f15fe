"""Integrity of places on the map and of facilities: geometry that is missing, impossible or elsewhere; facilities and their communes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.quality.integrity.registry import IntegrityCheck

if TYPE_CHECKING:
    from tkyt_analysis.quality.context import CheckContext

_POINTS = """
    SELECT unit_id AS id, province_id, parent_unit_id AS parent_id, coalesce(nullif(name, ''), unit_id) AS subject, latitude, longitude
    FROM integrity_unit WHERE latitude IS NOT NULL AND longitude IS NOT NULL AND (used OR NOT official)
"""
_FACILITIES = "(SELECT * FROM facility QUALIFY row_number() OVER (PARTITION BY facility_id ORDER BY as_day(valid_from) DESC NULLS LAST) = 1)"
_FACILITY_POINTS = f"""
    SELECT facility_id AS id, coalesce(u.province_id, '') AS province_id, f.unit_id AS parent_id, f.name AS subject, f.latitude, f.longitude
    FROM {_FACILITIES} f LEFT JOIN integrity_unit u USING (unit_id) WHERE f.latitude IS NOT NULL AND f.longitude IS NOT NULL
"""
_COUNT_POINTS = f"SELECT count(*) FROM ({_POINTS})"
_COUNT_FACILITY_POINTS = "SELECT count(*) FROM facility WHERE latitude IS NOT NULL AND longitude IS NOT NULL"
_COUNT_FACILITIES = "SELECT count(DISTINCT facility_id) FROM facility"


def _received_shapes(context: CheckContext) -> tuple[pd.DataFrame, dict[str, Any]]:
    from tkyt_analysis.quality.integrity.points import shape_problems

    if not context.has("unit_geometry"):
        return pd.DataFrame(columns=["id", "problem", "detail"]), {}
    rows = context.query(
        "SELECT unit_id AS id, any_value(geometry) AS geometry FROM unit_geometry WHERE shape NOT IN ('Point', 'POINT') GROUP BY 1 ORDER BY 1"
    )
    return shape_problems(rows)


def _commune_shapes() -> dict[str, Any]:
    """Outlines of communes that the ministry put into its own catalog folder, if any."""
    from shapely.geometry import MultiPolygon, Polygon

    from tkyt_analysis.maps.boundaries import boundaries
    from tkyt_analysis.maps.user_boundaries import catalog_boundary_file

    found: dict[str, Any] = {}
    for system in ("VN2024", "VN2025"):
        if catalog_boundary_file("commune", system) is None:
            continue
        for unit, polygons in boundaries("commune", system).shapes.items():
            found[unit] = MultiPolygon([Polygon(one[0], list(one[1:])) for one in polygons]).buffer(0)
    return found


def _parent_shapes(context: CheckContext) -> dict[str, Any]:
    """Outlines by unit: the provinces of both lists, the communes of the ministry's file, and what DHIS2 sent."""
    from tkyt_analysis.quality.integrity.points import province_shapes

    return province_shapes("VN2024") | province_shapes("VN2025") | _commune_shapes() | _received_shapes(context)[1]


def _problem(points: str, problem: str, key: str) -> Callable[[CheckContext], pd.DataFrame]:
    """The points with one problem; `key` names the column that their id goes to."""

    def find(context: CheckContext) -> pd.DataFrame:
        from tkyt_analysis.quality.integrity.points import point_problems

        rows = context.query(points)
        shapes = _parent_shapes(context) if len(rows) else {}
        # The nearest outline that is known: that of the parent, else of the province.
        within = rows["parent_id"].where(rows["parent_id"].isin(list(shapes)), rows["province_id"])
        country = None if _vietnamese(rows) else _hull(rows)
        found = point_problems(rows.assign(parent_id=within), shapes, country=country)
        found = found[found["problem"] == problem].merge(rows[["id", "subject", "parent_id"]], on="id", how="left")
        return found.assign(unit_id=found["id"] if key == "unit_id" else found["parent_id"], code=found["id"])

    return find


def _vietnamese(rows: pd.DataFrame) -> bool:
    """Are these places of Viet Nam? Units of another country are not judged by its outline."""
    return bool(rows["province_id"].astype("str").str.startswith("VN20").mean() >= 0.5) if len(rows) else True


def _hull(rows: pd.DataFrame) -> Any:
    """The area of the middle 98 % of the points, for places of another country."""
    from shapely.geometry import box

    low, high = rows[["longitude", "latitude"]].quantile(0.01), rows[["longitude", "latitude"]].quantile(0.99)
    margin = 0.25 * (high - low) + 0.05
    return box(*(low - margin), *(high + margin))


def _invalid(context: CheckContext) -> pd.DataFrame:
    found, _ = _received_shapes(context)
    return found.rename(columns={"id": "unit_id"}).assign(
        subject=found["id"], detail=found["problem"] + " " + found["detail"]
    )


def _shape_outside(context: CheckContext) -> pd.DataFrame:
    from tkyt_analysis.quality.integrity.points import outside_their_parents

    children = context.query(
        "SELECT unit_id AS id, parent_unit_id AS parent_id FROM integrity_unit WHERE parent_unit_id <> ''"
    )
    found = outside_their_parents(children, _received_shapes(context)[1])
    return found.rename(columns={"id": "unit_id"}).assign(subject=found["id"])


def _missing(context: CheckContext) -> pd.DataFrame:
    """Units in use (or of another system) without a point or an outline, of systems that give some."""
    shaped = "SELECT unit_id FROM unit_geometry" if context.has("unit_geometry") else "SELECT '' LIMIT 0"
    return context.query(f"""
        SELECT unit_id, coalesce(nullif(name, ''), unit_id) AS subject, '' AS detail FROM integrity_unit
        WHERE (used OR NOT official) AND (latitude IS NULL OR longitude IS NULL) AND unit_id NOT IN ({shaped}) ORDER BY unit_id
    """)


def _facilities(condition: str, detail: str, *, among: str = _FACILITIES) -> IntegrityCheck:
    find = f"SELECT f.unit_id, facility_id AS code, f.name AS subject, {detail} AS detail FROM {among} f WHERE {condition} ORDER BY facility_id"
    return IntegrityCheck(("facility", "organisation_unit"), _COUNT_FACILITIES, find)


_ORGANISATION = ("organisation_unit",)
CHECKS: dict[str, IntegrityCheck] = {
    "geometry_missing": IntegrityCheck(
        _ORGANISATION, "SELECT count(*) FROM integrity_unit WHERE used OR NOT official", _missing
    ),
    "geometry_invalid": IntegrityCheck(("unit_geometry",), "SELECT count(*) FROM unit_geometry", _invalid),
    "geometry_outside_parent": IntegrityCheck(
        ("unit_geometry", *_ORGANISATION), "SELECT count(*) FROM unit_geometry", _shape_outside
    ),
    **{
        f"point_{problem}": IntegrityCheck(_ORGANISATION, _COUNT_POINTS, _problem(_POINTS, problem, "unit_id"))
        for problem in (
            "null_island",
            "impossible",
            "swapped",
            "outside_country",
            "outside_parent",
            "on_centroid",
            "shared",
        )
    },
    **{
        f"facility_{problem}": IntegrityCheck(
            ("facility", *_ORGANISATION), _COUNT_FACILITY_POINTS, _problem(_FACILITY_POINTS, problem, "parent")
        )
        for problem in ("null_island", "swapped", "outside_country", "outside_parent", "on_centroid", "shared")
    },
    "facility_unit_unknown": _facilities(
        "coalesce(f.unit_id, '') NOT IN (SELECT unit_id FROM integrity_unit)", "coalesce(f.unit_id, '')"
    ),
    "facility_opens_after_closing": _facilities(
        "as_day(f.valid_from) > as_day(f.valid_to)",
        "as_day(f.valid_from) || ' > ' || as_day(f.valid_to)",
        among="facility",
    ),
    "facility_outside_life_of_unit": _facilities(
        "EXISTS (SELECT 1 FROM integrity_unit u WHERE u.unit_id = f.unit_id AND (coalesce(as_day(f.valid_to), DATE '9999-12-31') > u.valid_to "
        "OR (as_day(f.valid_from) < u.valid_from AND NOT u.official)))",
        "f.unit_id",
    ),
    "facility_same_name": _facilities(
        "(f.unit_id, plain_name(f.name)) IN (SELECT (unit_id, plain_name(name)) FROM "
        + _FACILITIES
        + " GROUP BY 1 HAVING count(DISTINCT facility_id) > 1)",
        "f.unit_id",
    ),
    "facility_name_blanks": _facilities("has_odd_blanks(f.name)", "'“' || f.name || '”'", among="facility"),
    "facility_merged_into_unknown": _facilities(
        "f.merged_into <> '' AND f.merged_into NOT IN (SELECT facility_id FROM facility)",
        "f.merged_into",
        among="facility",
    ),
    "facility_without_type": _facilities("coalesce(trim(f.facility_type), '') = ''", "''"),
}
