"""Where each unit lies, for SQL: on the communes of 2025, and above it in its own system."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import duckdb

NATION = "VN"


def offer_units(con: duckdb.DuckDBPyConnection) -> None:
    """Make `unit_place` where it is not there: unit_id, home_2025 (an old commune's default target), province_2025, parent, province, valid_from, valid_to."""
    if con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'unit_place'").fetchone():
        return
    con.register("incoming", unit_places())
    con.execute("CREATE OR REPLACE TEMP TABLE unit_place AS SELECT * FROM incoming")
    con.unregister("incoming")


def unit_places() -> pd.DataFrame:
    """The rows of `unit_place`, one per unit of both systems; provinces and districts are their own home_2025."""
    from tkyt_analysis.reference.geography import crosswalk, province_merge
    from tkyt_analysis.reference.places import places

    units = pd.concat([places("VN2024"), places("VN2025")]).drop_duplicates("unit_id")
    links = crosswalk()
    default = links[links["is_default"]].drop_duplicates("old_unit_id").set_index("old_unit_id")["new_unit_id"]
    merge = province_merge().set_index("old_unit_id")["new_unit_id"]
    province = units["province_id"].where(units["province_id"].fillna("").ne(""), units["unit_id"])
    return pd.DataFrame(
        {
            "unit_id": units["unit_id"],
            "home_2025": units["unit_id"].map(default).fillna(units["unit_id"]),
            "province_2025": province.map(merge).fillna(province),
            "parent": units["parent_unit_id"].fillna(""),
            "province": province,
            "valid_from": units["valid_from"],
            "valid_to": units["valid_to"],
        }
    ).astype(dict.fromkeys(("unit_id", "home_2025", "province_2025", "parent", "province"), "str"))
