"""Release table: deaths by category of garbage codes, per province, year and sector. Counts only, no record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.release import ReleaseContext

COLUMNS = ["scope", "year", "sector", "category", "deaths"]


def death_garbage(context: ReleaseContext) -> pd.DataFrame:
    """scope, year, sector (facility | community | unknown), category (of CDC/MITRE 2021, not_underlying, no_code, USABLE), deaths.

    Of the deaths that count; a cause withheld by law counts as no_code, as everywhere in the release.
    """
    from mortality.garbage.lists import load_garbage_list
    from mortality.garbage.share import with_sector
    from mortality.release_tables import death

    rows = death(context)
    rows = rows[rows["excluded"] == ""]
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS).astype("str")
    counted = with_sector(rows).assign(
        year=rows["year"].astype("str").replace("<NA>", ""),
        category=load_garbage_list().category_of(rows["underlying_cause"]),
    )
    return counted.groupby(COLUMNS[:-1], sort=True).size().rename("deaths").reset_index()
