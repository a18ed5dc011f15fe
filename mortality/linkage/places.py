"""Place codes of a list on one footing: which communes of 2025 a code may mean, its old district, its province.

A code may carry its system (VN2024:21019), stand bare (21019: of 2024 or 2025, both are considered), or be of another
country, a postcode for example: then nothing is looked up, and the text itself is compared.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import duckdb

KNOWN_SHARE = 0.6  # bare codes are Viet Nam's when at least this share of the distinct ones is in its lists


def offer_places(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Temporary table `linkage_place`: written, communes (list of VN2025 unit ids), district, province; known codes only."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE linkage_place (written VARCHAR, communes VARCHAR[], district VARCHAR, province VARCHAR)"
    )
    written = [
        row[0]
        for row in con.execute(f"SELECT DISTINCT place_code FROM {table} WHERE place_code IS NOT NULL").fetchall()
    ]
    found = _known(written)
    if found.empty:
        return
    con.register("linkage_places_read", found)
    con.execute("INSERT INTO linkage_place SELECT written, communes, district, province FROM linkage_places_read")
    con.unregister("linkage_places_read")


def _known(written: list[str]) -> pd.DataFrame:
    codes = {text: _bare(text) for text in written}
    if not any(codes.values()):
        return pd.DataFrame()
    known = _places_by_code()
    bare = [text for text, code in codes.items() if code and ":" not in text]
    trusted = bool(bare) and sum(codes[text] in known for text in bare) >= KNOWN_SHARE * len(bare)
    rows = [(text, *known[code]) for text, code in codes.items() if code and code in known and (":" in text or trusted)]
    return pd.DataFrame(rows, columns=["written", "communes", "district", "province"])


def _bare(text: str) -> str:
    """ "VN2024:21019" as it is, "21019" and "21019.0" and "1019" (a lost zero) as five digits; "" for what is no such code."""
    code = text.strip().upper()
    if code.startswith(("VN2024:", "VN2025:")):
        return code
    code = code.removeprefix("VN:").removeprefix("VN").removesuffix(".0").strip(" :-")
    return code if code.isdigit() and len(code) in (2, 3, 5) else ""


@cache
def _places_by_code() -> dict[str, tuple[list[str], str | None, str | None]]:
    """code (with or without system) → communes of 2025, old district, province of 2025."""
    from tkyt_analysis.reference.geography import crosswalk, province_merge
    from tkyt_analysis.reference.places import places

    old, new = places("VN2024"), places("VN2025")
    targets = crosswalk().groupby("old_unit_id")["new_unit_id"].agg(list).to_dict()
    merged = province_merge().set_index("old_unit_id")["new_unit_id"].to_dict()
    found: dict[str, tuple[list[str], str | None, str | None]] = {}
    for unit in new[new["level"] > 0].itertuples():
        communes = [unit.unit_id] if unit.level > 1 else []
        found[unit.unit_id] = (communes, None, unit.province_id)
    for unit in old[old["level"] > 0].itertuples():
        district = unit.parent_unit_id if unit.level == 3 else unit.unit_id if unit.level == 2 else None
        province = merged.get(unit.province_id)
        found[unit.unit_id] = (targets.get(unit.unit_id, []), district, province)
    for unit_id in list(found):
        communes, district, province = found[unit_id]
        bare = unit_id.split(":")[1]
        before = found.get(bare)
        if before:
            communes = sorted({*communes, *before[0]})
            district, province = district or before[1], before[2] if before[2] == province else None
        found[bare] = (communes, district, province)
    return found
