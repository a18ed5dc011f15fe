"""When a report is due: by the version of its form in force at the end of the period, and the calendar.

A letter may name the day itself (`due_dates`). Else the deadline is `deadline_days` after the last day of the period:
working days (the first counts from the day after), or days of the calendar, which run on to the next working day where
the last of them is a day of rest (Bộ luật Dân sự 2015 Đ148 k5; recalled).
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from tkyt_analysis.catalog import load_entry
from tkyt_analysis.catalog.entries import Form, FormVersion
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_date, label
from tkyt_analysis.reference.calendar import add_working_days, next_working_day, unverified_between
from tkyt_analysis.reference.periods import Period, as_period


@dataclass(frozen=True)
class DueDate:
    """The last day of a report, None where the form gives no deadline; `basis` says by what, in words.

    unverified : the deadline itself, or a day off that it counts, has not been checked against its source
    """

    day: datetime.date | None
    basis: str
    unverified: bool


def due_date(form: Form | str, period: Period | str) -> DueDate:
    """The last day on which the report of `form` for `period` is in time.

    Raises InputError for a form or period that does not exist, a kind of period that the form is not reported for, a
    period when no version of the form was in force, and a day outside the calendar.
    """
    form = load_entry("forms", form) if isinstance(form, str) else form
    period = as_period(period)
    version = form.version_at(period.end)
    require_period_kind(form, version, period)
    named = version.due_dates.get(period.period_id)
    if named:
        return DueDate(named, label("deadline.named", reference=version.reference), version.unverified)
    if version.deadline_days is None:
        return DueDate(None, label("deadline.none", reference=version.reference), True)
    day, basis = deadline(period.end, version.deadline_days, working_days=version.deadline_kind == "working_days")
    unverified = version.unverified or unverified_between(period.end + datetime.timedelta(days=1), day)
    return DueDate(day, f"{version.reference}: {basis}", unverified)


def deadline(end: datetime.date, days: int, *, working_days: bool) -> tuple[datetime.date, str]:
    """(last day, in words) of a deadline of `days` after a period that ends on `end`."""
    if working_days:
        return add_working_days(end, days), label("deadline.working_days", days=days, end=format_date(end))
    last = end + datetime.timedelta(days=days)
    day = next_working_day(last)
    key = "deadline.days" if day == last else "deadline.days_moved"
    return day, label(key, days=days, end=format_date(end), last=format_date(last))


def require_period_kind(form: Form, version: FormVersion, period: Period) -> None:
    """Refuse a period of a kind for which the form is not reported."""
    if version.period_kinds and period.kind not in version.period_kinds:
        kinds = ", ".join(label(f"period.kind.{kind}") for kind in version.period_kinds)
        raise InputError("error.deadline_period_kind", form=form.code, period=period, kinds=kinds)
