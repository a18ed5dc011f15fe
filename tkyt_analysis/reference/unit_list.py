"""The unit lists as they stood on their last (VN2024) or first (VN2025) day, before any dated change."""

from __future__ import annotations

from functools import cache

import pandas as pd

from tkyt_analysis.reference import unit_sources
from tkyt_analysis.reference.unit_updates import full_name

SYSTEMS = ("VN2024", "VN2025")
NATION, PROVINCE, DISTRICT, COMMUNE = 0, 1, 2, 3
CODE_WIDTH = {PROVINCE: 2, DISTRICT: 3, COMMUNE: 5}
PLACE_COLUMNS = [
    "unit_id", "system", "code", "name", "full_name", "unit_type", "level",
    "parent_unit_id", "province_id", "valid_from", "valid_to", "latitude", "longitude",
]  # fmt: skip
_TYPES = {"latitude": float, "longitude": float, "parent_unit_id": "str", "province_id": "str"}


@cache
def base_units(system: str) -> pd.DataFrame:
    """The units of a system as they were on its last or first day, before any dated change."""
    unit_sources.require_overlay()
    levels = _levels_2024() if system == "VN2024" else _levels_2025()
    nation = pd.DataFrame({"code": ["VN"], "full": ["Việt Nam"], "level": [NATION], "parent": [""], "province": [""]})
    units = pd.concat([nation, *levels], ignore_index=True)
    units["unit_type"], units["name"] = "quốc gia", units["full"]
    units.loc[1:, ["unit_type", "name"]] = unit_sources.split_full_name(units["full"].iloc[1:])
    units["system"] = system
    units["unit_id"] = (system + ":" + units["code"]).where(units["level"] > NATION, "VN")
    units["full_name"] = full_name(units).where(units["level"] > NATION, units["full"])
    units["parent_unit_id"] = (system + ":" + units["parent"]).where(units["level"] > PROVINCE, "VN")
    units.loc[0, "parent_unit_id"] = ""
    units["province_id"] = (system + ":" + units["province"]).where(units["level"] > NATION, "")
    first, last = ("2025-07-01", None) if system == "VN2025" else (None, "2025-06-30")
    dates = {"valid_from": pd.Timestamp(first or "NaT"), "valid_to": pd.Timestamp(last or "NaT")}
    units = units.assign(**dates).astype(dict.fromkeys(dates, "datetime64[s]"))
    units.loc[0, ["valid_from", "valid_to"]] = pd.NaT
    return units.reindex(columns=PLACE_COLUMNS).astype(_TYPES)


def _levels_2024() -> list[pd.DataFrame]:
    rows = unit_sources.legacy_rows()
    provinces = rows.drop_duplicates("province_code").assign(
        code=lambda d: d["province_code"], full=lambda d: d["province"], level=PROVINCE, parent=""
    )
    districts = rows.drop_duplicates("district_code").assign(
        code=lambda d: d["district_code"], full=lambda d: d["district"], level=DISTRICT,
        parent=lambda d: d["province_code"],
    )  # fmt: skip
    communes = rows.dropna(subset="commune_code").assign(
        code=lambda d: d["commune_code"], full=lambda d: d["commune"], level=COMMUNE,
        parent=lambda d: d["district_code"],
    )  # fmt: skip
    return [_level(frame) for frame in (provinces, districts, communes)]


def _levels_2025() -> list[pd.DataFrame]:
    rows = unit_sources.current_rows()
    provinces = rows.drop_duplicates("province_code").assign(
        code=lambda d: d["province_code"], full=lambda d: d["province"], level=PROVINCE, parent="",
        latitude=lambda d: d["province_latitude"], longitude=lambda d: d["province_longitude"],
    )  # fmt: skip
    communes = rows.assign(code=rows["commune_code"], full=rows["commune"], level=COMMUNE, parent=rows["province_code"])
    return [_level(frame) for frame in (provinces, communes)]


def _level(rows: pd.DataFrame) -> pd.DataFrame:
    columns = ["code", "full", "level", "parent", "province", "latitude", "longitude"]
    rows = rows.assign(province=rows["province_code"]).reindex(columns=columns)
    return rows.sort_values("code", ignore_index=True)
