"""All ten steps of all places and years at once: read, counted, judged."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from mortality.ten_steps import steps_ages as ages
from mortality.ten_steps import steps_causes as causes
from mortality.ten_steps import steps_level as level
from mortality.ten_steps.data import TenStepsData, read_ten_steps
from mortality.ten_steps.limits import Limit, judge, limits_at, step_verdicts
from mortality.ten_steps.panel import Panel, panel_of
from tkyt_analysis.warehouse.release import Release

BANDS = (("0-4", 0.0, 4.0), ("5-14", 5.0, 14.0), ("15-34", 15.0, 34.0), ("35-59", 35.0, 59.0), ("60+", 60.0, 130.0))


@dataclass(frozen=True)
class Assessment:
    """What the pages show; tables over all places and years.

    figures : see `judge`; verdicts : place, year, step, verdict; limits : by figure
    leading, garbage, groups : see `leading_causes`, `garbage_table`, `group_table`
    """

    data: TenStepsData
    panel: Panel
    figures: pd.DataFrame
    verdicts: pd.DataFrame
    limits: dict[str, Limit]
    leading: pd.DataFrame
    garbage: pd.DataFrame
    groups: pd.DataFrame

    @property
    def latest(self) -> int:
        """The last year that has ended and has data; 0 where there is none."""
        return max(self.data.years, default=0)

    def series_of(self, place: str, year: int) -> int:
        """The row of the panel; -1 where the release has nothing of that year."""
        found = self.panel.frame.index[(self.panel.frame["place"] == place) & (self.panel.frame["year"] == year)]
        return int(found[0]) if len(found) else -1


def assess(release: Release, places: Sequence[str]) -> Assessment:
    """Read the places from a release and judge them with the limits in force when its data came."""
    return assess_data(read_ten_steps(release, places), _day(release))


def _day(release: Release) -> datetime.date:
    written = str(release.manifest["data_as_of"])[:10]
    return datetime.date.fromisoformat(written) if written else datetime.date(2026, 1, 1)


def assess_data(data: TenStepsData, day: datetime.date) -> Assessment:
    """The ten steps of plain tables."""
    panel = panel_of(data)
    cells = causes.cause_cells(panel)
    leading = causes.leading_causes(panel, cells)
    level_2 = level.step_2_level(panel, data)
    parts = [
        *level.step_1_input(panel),
        *level_2,
        *ages.step_3_rates(panel),
        *ages.step_4_ages(panel, data),
        *ages.step_5_children(panel),
        *causes.step_6_groups(panel, cells),
        *causes.step_7_ages_of_groups(panel, cells),
        *causes.step_8_leading(panel, leading),
        *causes.step_9_use(panel, cells),
        *causes.step_10_ill_defined(panel, cells, _completeness(level_2), day),
    ]
    figures = pd.concat(parts, ignore_index=True)
    limits = limits_at(day)
    judged = judge(figures, limits)
    return Assessment(
        data,
        panel,
        judged,
        step_verdicts(judged),
        limits,
        leading,
        causes.garbage_table(cells),
        causes.group_table(cells, BANDS),
    )


def _completeness(figures: list[pd.DataFrame]) -> pd.DataFrame:
    """value, lower, upper per series: by how lists overlap where that can say, else by Adair–Lopez."""
    named = {str(one["figure"].iloc[0]): one for one in figures if len(one)}
    columns = ["value", "lower", "upper"]
    if not named:
        return pd.DataFrame(columns=columns)
    lists, regression = (
        named[name][columns].reset_index(drop=True) for name in ("completeness_lists", "completeness_adair_lopez")
    )
    return lists.where(lists["value"].notna(), regression)
