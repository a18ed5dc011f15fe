"""Small choices that several notebooks share: which parts of a place to show, and which year is the last whole one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tkyt_analysis.api.workbench import Workbench


def part_below(workbench: Workbench, place: str) -> str:
    """ "province" for a nation with several provinces in the release, else "commune"."""
    from tkyt_analysis.notebook_runs import places_with_data

    wide = place == "VN" and len(places_with_data(workbench.release, "provinces")) > 1
    return "province" if wide else "commune"


def last_year(workbench: Workbench, measure: str = "deaths") -> str:
    """The last year in which a measure has figures; "" where it has none."""
    years = [row.year for row in workbench.indicator(measure, by="year")]
    return str(max(years, default=""))


def reporting_data_sets(workbench: Workbench, *, most: int = 6) -> list[str]:
    """Data sets with a list of due reports, by id; those with most reports due first."""
    if not workbench.release.has("reporting"):
        return []
    rows = workbench.release.query(
        "SELECT dataset_id FROM reporting WHERE expected GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT ?", [most]
    )
    return [one for one in rows["dataset_id"] if f"{one}:reporting_rate" in workbench.measures]
