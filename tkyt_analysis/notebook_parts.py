"""Small choices that several notebooks share: which place stands for none, which parts of it to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tkyt_analysis.api.workbench import Workbench
    from tkyt_analysis.warehouse.release import Release


def place_or_own(release: Release, place: str) -> str:
    """The place; where none is chosen the whole that the account sees: the nation, else the account's own unit."""
    return place or ("VN" if release.reads.nation else release.account.unit_id)


def part_below(workbench: Workbench, place: str) -> str:
    """ "province" for a nation with several provinces in the release, else "commune"."""
    from tkyt_analysis.notebook_runs import places_with_data

    wide = place == "VN" and len(places_with_data(workbench.release, "provinces")) > 1
    return "province" if wide else "commune"


def reporting_data_sets(workbench: Workbench, *, most: int = 6) -> list[str]:
    """Data sets with a list of due reports, by id; those with most reports due first."""
    if not workbench.release.has("reporting"):
        return []
    rows = workbench.release.query(
        "SELECT dataset_id FROM reporting WHERE expected GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT ?", [most]
    )
    return [one for one in rows["dataset_id"] if f"{one}:reporting_rate" in workbench.measures]
