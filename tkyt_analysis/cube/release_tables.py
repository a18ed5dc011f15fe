"""Release tables that make questions fast and the same for everybody: where each unit lies, and sums per province.

A release holds values of communes; a question about provinces reads the sums of `province_value` instead, which are a
hundredth of them. Both provinces stand in every row (the 34 of 2025 and the 63 before), so that a series can be put on either.
"""

from __future__ import annotations

import pandas as pd

from tkyt_analysis.warehouse.release import NATION, ReleaseContext

PLACE_COLUMNS = [
    "unit_id", "level", "commune", "province", "region", "commune_2024", "district_2024", "province_2024", "region_2024",
    "facility", "facility_type", "moved",
]  # fmt: skip
# A sum belongs to the province that it is of, whatever the scope of the rows behind it.
SCOPE_OF_PLACE = f"coalesce(replace(p.province, ':', '-'), '{NATION}')"


def place(context: ReleaseContext) -> pd.DataFrame:
    """Where each unit lies on the units of 2025 and on those before; public.

    level : nation | province | district | commune | facility | other
    commune, province, region : of 2025 (an old commune: its default target; `moved` where it was divided)
    commune_2024 … region_2024 : before July 2025 (a commune of 2025 lies in one old province; its district is not known)
    """
    units = _administrative()
    facilities = _facilities(context, units)
    others = _others(context, set(units["unit_id"]) | set(facilities["unit_id"]))
    rows = pd.concat([units, facilities, others], ignore_index=True)[PLACE_COLUMNS]
    return rows.assign(scope=NATION)


def _administrative() -> pd.DataFrame:
    """Every unit of both code lists."""
    from tkyt_analysis.reference.geography import crosswalk, province_merge
    from tkyt_analysis.reference.places import places, regions

    old, new = places("VN2024"), places("VN2025")
    units = pd.concat([old, new[new["level"] > 0]], ignore_index=True)
    commune_level = {"VN2024": 3, "VN2025": 3 if (new["level"] == 3).any() else 2}
    links = crosswalk()
    default = links[links["is_default"]].set_index("old_unit_id")["new_unit_id"]
    merge = province_merge().set_index("old_unit_id")["new_unit_id"]
    province_of = old.set_index("unit_id")["province_id"]
    old_province = links.assign(province=links["old_unit_id"].map(province_of)).drop_duplicates("new_unit_id")
    old_province = old_province.set_index("new_unit_id")["province"]
    ids, system = units["unit_id"], units["system"]
    is_old = system == "VN2024"
    is_commune = units["level"] == system.map(commune_level)
    level = units["level"].map({0: "nation", 1: "province", 2: "district"}).mask(is_commune, "commune")
    province_2024 = units["province_id"].where(is_old, ids.map(old_province))
    province = units["province_id"].map(merge).where(is_old, units["province_id"])
    region = pd.concat([regions(name).set_index("province_id")["region_id"] for name in ("VN2024", "VN2025")])
    divided = set(links.loc[links["relation"] == "split", "old_unit_id"])
    district = units["parent_unit_id"].where(is_old & is_commune, ids.where(is_old & (level == "district")))
    return pd.DataFrame(
        {
            "unit_id": ids,
            "level": level,
            "commune": ids.map(default).where(is_old, ids).where(is_commune),
            "province": province,
            "region": province.map(region),
            "commune_2024": ids.where(is_old & is_commune),
            "district_2024": district,
            "province_2024": province_2024,
            "region_2024": province_2024.map(region),
            "facility": None,
            "facility_type": None,
            "moved": ids.isin(divided),
        }
    )


def _facilities(context: ReleaseContext, units: pd.DataFrame) -> pd.DataFrame:
    """Facilities where their commune lies, by the last description of each."""
    rows = context.latest("facility", "facility_id", "valid_from").sort_values("valid_from")
    rows = rows.drop_duplicates("facility_id", keep="last")[["facility_id", "facility_type", "unit_id"]]
    located = rows.merge(
        units.drop(columns=["level", "facility", "facility_type"]), on="unit_id", how="left", validate="many_to_one"
    )
    return located.assign(unit_id=located["facility_id"], facility=located["facility_id"], level="facility").drop(
        columns="facility_id"
    )


def _others(context: ReleaseContext, known: set[str]) -> pd.DataFrame:
    """Units of other code systems (DHIS2 groups): all that is known is their province."""
    rows = context.units[~context.units["unit_id"].isin(known)]
    province = rows["scope"].where(rows["scope"] != NATION).str.replace("-", ":", regex=False)
    return pd.DataFrame({"unit_id": rows["unit_id"], "level": "other", "province": province, "moved": False}).reindex(
        columns=PLACE_COLUMNS
    )


def province_value(context: ReleaseContext) -> str:
    """Reported values summed over the units of a province (34 × 63), the kind of unit kept apart."""
    offer_places(context)
    from tkyt_analysis.warehouse.release_tables import aggregate_value

    return f"SELECT * FROM {context.keep('province_value', province_value_sql(f'({aggregate_value(context)})'))}"


def province_value_sql(values: str) -> str:
    """The sums of `province_value` over a relation of values (`aggregate_value`); needs the relation place_of_unit."""
    return f"""
        SELECT v.dataset_id, v.element_id, v.category_id, coalesce(p.level, 'other') AS level, v.period_id,
               p.province, p.province_2024, p.facility_type, sum(v.value) AS value, count(v.value) AS units,
               {SCOPE_OF_PLACE} AS scope
        FROM {values} v LEFT JOIN place_of_unit p USING (unit_id) GROUP BY ALL
    """


def province_report(context: ReleaseContext) -> pd.DataFrame:
    """Reports due and received, per data set, period and province."""
    from tkyt_analysis.warehouse.release_tables import reporting

    offer_places(context)
    sums = context.query(province_report_sql(f"({reporting(context)})"))
    context.keep("province_report", sums)
    return sums


def province_report_sql(reports: str) -> str:
    """The counts of `province_report` over a relation of reports (`reporting`); needs the relation place_of_unit."""
    return f"""
        SELECT r.dataset_id, r.period_id, p.province, p.province_2024, p.facility_type,
               count(*) FILTER (WHERE r.expected) AS expected, count(*) FILTER (WHERE r.received) AS received,
               {SCOPE_OF_PLACE} AS scope
        FROM {reports} r LEFT JOIN place_of_unit p USING (unit_id) GROUP BY ALL
    """


def province_finding(context: ReleaseContext) -> pd.DataFrame:
    """Open findings counted per data set, element, period and province."""
    from tkyt_analysis.warehouse.release_tables import finding

    offer_places(context)
    context.warehouse.con.register("finding_rows", finding(context))
    return context.query(province_finding_sql("finding_rows"))


def province_finding_sql(findings: str) -> str:
    """The counts of `province_finding` over a relation of findings; needs the relation place_of_unit."""
    return f"""
        SELECT f.dataset_id, coalesce(f.element_id, '') AS element_id, f.period_id, p.province, p.province_2024, p.facility_type,
               count(*) AS findings, {SCOPE_OF_PLACE} AS scope
        FROM {findings} f LEFT JOIN place_of_unit p USING (unit_id) GROUP BY ALL
    """


def category(context: ReleaseContext) -> pd.DataFrame:
    """Names of the categories that values are split by; public."""
    return context.latest("category", "category_id")[["category_id", "code", "name"]].assign(scope=NATION)


def offer_places(context: ReleaseContext) -> None:
    """Register `place` as the relation place_of_unit."""
    if "place" not in context.made:
        context.made["place"] = place(context)
    context.warehouse.con.register("place_of_unit", context.made["place"])
