"""From the unit that a heading names to a unit_id, or the reason why none can be told."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from tkyt_analysis.ingest.report_heading import ReportingUnit
from tkyt_analysis.reference.places import FIRST_DAY_2025, find_places
from tkyt_analysis.reference.unit_list import COMMUNE, DISTRICT, PROVINCE

NOT_NAMED = "quarantine.heading_unit_missing"
_LEVEL_OF_WIDTH = {2: PROVINCE, 3: DISTRICT, 5: COMMUNE}


@dataclass(frozen=True)
class FoundUnit:
    """unit_id, or "" and the label key of the reason; `note` where the name was not quite the unit's."""

    unit_id: str = ""
    reason: str = ""
    note: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


def find_reporting_unit(unit: ReportingUnit, days: Sequence[datetime.date], *, default_parent: str = "") -> FoundUnit:
    """The unit of a heading on the first of `days` on which it can be told; the reason of the first otherwise.

    days : dates of the data, in order of preference; the unit system follows from each
    """
    if not unit:
        return FoundUnit(reason=NOT_NAMED, fields={"value": ""})
    answers = [_find(unit, day, default_parent) for day in days]
    return next((answer for answer in answers if answer.unit_id), answers[0])


def days_of_data(first: datetime.date, last: datetime.date, *, has_district: bool) -> list[datetime.date]:
    """Days that decide the unit system: the last day, and where the data straddle 2025-07-01 also the one before.

    Where both are possible, a heading that names a district is of the old system.
    """
    day_before = FIRST_DAY_2025 - datetime.timedelta(days=1)
    if last < FIRST_DAY_2025 or first >= FIRST_DAY_2025:
        return [last]
    return [day_before, last] if has_district else [last, day_before]


def find_units_of_rows(
    written: pd.Series, days: pd.Series, *, usual_day: datetime.date, parent: str = "", named: pd.Series | None = None
) -> pd.DataFrame:
    """The commune of every row on its own day; where it is not valid on that day, on the usual day of the data.

    So one wrong date (a day and a month exchanged across 2025-07-01) does not lose the row, while a code of another
    year's list is still refused. Columns as of `find_places`.
    """
    own = days.fillna(pd.Timestamp(usual_day))
    found = find_places(written, level=COMMUNE, at=own, parent=parent or None, named=named)
    again = found["reason"].eq("places.unit_not_valid_at_date") & own.ne(pd.Timestamp(usual_day))
    if again.any():
        names = None if named is None else named[again]
        second = find_places(written[again], level=COMMUNE, at=usual_day, parent=parent or None, named=names)
        better = second[second["unit_id"].ne("")]
        found.loc[better.index] = better
    return found


def _find(unit: ReportingUnit, day: datetime.date, default_parent: str) -> FoundUnit:
    """By its code, where one is written; else province, district (old system), commune, each within the one before."""
    if unit.code and len(unit.code) in _LEVEL_OF_WIDTH:
        level = _LEVEL_OF_WIDTH[len(unit.code)]
        return _ask(unit.code, level, day, "", named=_name_at(unit, level))
    parent = default_parent
    found = FoundUnit(parent)
    for level, name in _levels(unit, day):
        found = _ask(name, level, day, parent)
        if not found.unit_id:
            return found
        parent = found.unit_id
    return found


def _levels(unit: ReportingUnit, day: datetime.date) -> list[tuple[int, str]]:
    """(level, name) from the top down; "thành phố …" is a province where it stands for one, else a district."""
    province, district = unit.province, unit.district
    if unit.city:
        is_province = not province and bool(_ask(unit.city, PROVINCE, day, "").unit_id)
        province, district = (unit.city, district) if is_province else (province, district or unit.city)
    levels = [(PROVINCE, province), (DISTRICT, district), (COMMUNE, unit.commune)]
    if day >= FIRST_DAY_2025 and unit.commune:
        levels.pop(1)  # the district level ended; a district that is still written says where the commune was
    return [(level, name) for level, name in levels if name]


def _name_at(unit: ReportingUnit, level: int) -> str:
    return {PROVINCE: unit.province, DISTRICT: unit.district, COMMUNE: unit.commune}[level]


def _ask(value: str, level: int, day: datetime.date, parent: str, *, named: str = "") -> FoundUnit:
    asked = pd.Series([value], dtype="str")
    named_series = pd.Series([named], dtype="str") if named else None
    row = find_places(asked, level=level, at=day, parent=parent or None, named=named_series).iloc[0]
    return FoundUnit(row["unit_id"], row["reason"], row["note"], dict(row["fields"]))
