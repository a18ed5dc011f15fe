"""Working days of Viet Nam's public bodies: weekly rest, public holidays, days in lieu and swapped days.

The law and the yearly decisions are data (`data_catalog/calendars/vietnam.yaml`); lunar dates are converted with the
published Vietnamese tables (package vnlunar, UTC+7). A holiday that falls on a day of weekly rest is made up on the next
working day, in the order of the holidays. Adding working days counts the working days after a day:
`add_working_days(d, 0)` is the last working day up to `d`, so that n and m days are n + m days from wherever one starts.
"""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tkyt_analysis.catalog import load_entry
from tkyt_analysis.catalog.entries import Calendar, CalendarDecision, Holiday
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language, label
from tkyt_analysis.settings import catalog_directories

if TYPE_CHECKING:
    import pandas as pd

CALENDAR = "vietnam"
ONE_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class DayOff:
    """A day off other than weekly rest. kind : holiday | compensation | swap; `holiday` is None for a swap."""

    day: datetime.date
    kind: str
    holiday: Holiday | None
    basis: str
    unverified: bool

    def name(self, language: str | None = None) -> str:
        """The words for it: the holiday, "in lieu of …", or a swap."""
        if self.holiday is None:
            return label("calendar.swapped_off", language)
        title = self.holiday.title[language or current_language()]
        return title if self.kind == "holiday" else label("calendar.compensation", language, holiday=title)


def calendar() -> Calendar:
    """The calendar entry in use."""
    return load_entry("calendars", CALENDAR)


def is_working_day(day: datetime.date) -> bool:
    """Whether public bodies work on `day`. Raises InputError outside the years of the calendar."""
    _require_covered(day)
    _, days = _current()
    place = bisect_right(days, day)
    return place > 0 and days[place - 1] == day


def add_working_days(day: datetime.date, n: int) -> datetime.date:
    """The n-th working day after `day` (n = 0: the last one up to it; n < 0: before it). Raises InputError outside the calendar."""
    _require_covered(day)
    _, days = _current()
    place = bisect_right(days, day) - 1 + n
    if not 0 <= place < len(days):
        _refuse(day)
    return days[place]


def next_working_day(day: datetime.date) -> datetime.date:
    """`day` itself where it is a working day, else the first one after it."""
    return day if is_working_day(day) else add_working_days(day, 1)


def holidays(year: int) -> pd.DataFrame:
    """Days off of a year other than weekly rest, in order: day, name, basis (source), unverified."""
    import pandas as pd

    _require_covered(datetime.date(year, 1, 1))
    found = [one for one in _current()[0].values() if one.day.year == year]
    rows = [(one.day, one.name(), one.basis, one.unverified) for one in found]
    return pd.DataFrame(rows, columns=["day", "name", "basis", "unverified"])


def unverified_between(first: datetime.date, last: datetime.date) -> bool:
    """Whether a day off or a day worked in [first, last] rests on a source that nobody has checked."""
    off = any(one.unverified for day, one in _current()[0].items() if first <= day <= last)
    return off or any(
        first <= day <= last for one in calendar().decisions if one.unverified for day in one.working_days
    )


def _require_covered(day: datetime.date) -> None:
    entry = calendar()
    if not entry.first_year <= day.year <= entry.last_year:
        _refuse(day)


def _refuse(day: datetime.date) -> None:
    entry = calendar()
    raise InputError("error.calendar_range", day=day, first=entry.first_year, last=entry.last_year)


@cache
def _tables(directories: tuple[Path, ...]) -> tuple[dict[datetime.date, DayOff], list[datetime.date]]:
    """(days off other than weekly rest, working days) of the calendar in the given catalog folders."""
    entry = calendar()
    return days_off(entry), working_days(entry)


def _current() -> tuple[dict[datetime.date, DayOff], list[datetime.date]]:
    return _tables(tuple(catalog_directories()))


def working_days(entry: Calendar) -> list[datetime.date]:
    """Every working day of a calendar's years, in order."""
    off = days_off(entry)
    worked = {day for one in entry.decisions for day in one.working_days}
    return [
        day
        for day in _all_days(entry)
        if day in worked or (day.isoweekday() not in entry.weekly_rest and day not in off)
    ]


def _all_days(entry: Calendar) -> Iterator[datetime.date]:
    day = datetime.date(entry.first_year, 1, 1)
    while day.year <= entry.last_year:
        yield day
        day += ONE_DAY


def days_off(entry: Calendar) -> dict[datetime.date, DayOff]:
    """Every day off of a calendar other than weekly rest, in order: holidays first, then the days in lieu of those on a weekly rest, then the swapped days."""
    found: dict[datetime.date, DayOff] = {}
    for year in range(entry.first_year, entry.last_year + 1):
        for holiday in entry.holidays:
            for one in _holiday_days(entry, holiday, year):
                found.setdefault(one.day, one)
    resting = sorted(day for day in found if day.isoweekday() in entry.weekly_rest)
    swapped = {day: one for one in entry.decisions for day in one.days_off}
    for day in resting:
        lieu = day + ONE_DAY
        while lieu.isoweekday() in entry.weekly_rest or lieu in found:
            lieu += ONE_DAY
        source = found[day]
        found[lieu] = DayOff(lieu, "compensation", source.holiday, source.basis, source.unverified)
    for day, notice in swapped.items():
        found.setdefault(day, DayOff(day, "swap", None, notice.reference, notice.unverified))
    return dict(sorted(found.items()))


def _holiday_days(entry: Calendar, holiday: Holiday, year: int) -> Iterator[DayOff]:
    """The days off of one holiday in one year."""
    day = _solar_day(holiday, year)
    if day is None or day < holiday.from_ or (holiday.to and day > holiday.to):
        return
    decision = _decision(entry, holiday, year)
    before = decision.before[holiday.id] if decision else holiday.before
    basis = f"{holiday.reference}; {decision.reference}" if decision else holiday.reference
    unsure = holiday.unverified or (decision.unverified if decision else holiday.days > 1)
    for number in range(holiday.days):
        offset = number - before
        yield DayOff(day + offset * ONE_DAY, "holiday", holiday, basis, unsure if offset else holiday.unverified)


def _decision(entry: Calendar, holiday: Holiday, year: int) -> CalendarDecision | None:
    """What was decided on a holiday in a year; of several notices the last in the entry."""
    found = [one for one in entry.decisions if one.year == year and holiday.id in one.before]
    return found[-1] if found else None


def _solar_day(holiday: Holiday, year: int) -> datetime.date | None:
    if not holiday.lunar:
        return datetime.date(year, holiday.month, holiday.day)
    from vnlunar import get_solar_date

    found = get_solar_date(holiday.day, holiday.month, year)
    return datetime.date(found["year"], found["month"], found["day"]) if found else None
