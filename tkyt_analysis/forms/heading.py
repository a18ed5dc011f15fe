"""What stands over a form: who reports, to whom, for which days, until when."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from tkyt_analysis.errors import InputError
from tkyt_analysis.forms.find import FormAt
from tkyt_analysis.labels import format_date, label
from tkyt_analysis.reference.periods import Period
from tkyt_analysis.reference.places import Place, find_places, place

LEVELS = {"ministry": 0, "province": 1, "district": 2, "commune": 3}
VI = "vi"


@dataclass(frozen=True)
class Reporter:
    """The reporting unit: its id, its name as it stands on the form, the receiver of its report."""

    unit_id: str
    name: str
    receiver: str


def find_reporter(found: FormAt, unit: str, day: datetime.date, *, name: str = "") -> Reporter:
    """The unit of an id ("VN2025:21040"), code or name at the level that fills the form in.

    A facility ("KCB:51Z01") has no place among the units: `name` is what stands on its form.
    Raises InputError where there is no such unit, or where it is not of the form's level.
    """
    if unit.startswith("KCB:"):
        return Reporter(unit, name or unit, _receiver(found, None))
    where = _place_of(found, unit, day)
    expected = LEVELS.get(found.form.level)
    if expected is not None and where.level != expected:
        raise InputError(
            "error.forms.wrong_level",
            code=found.form.code,
            level=label(f"forms.level.{found.form.level}"),
            unit=where.full_name,
            unit_level=label(f"forms.unit_level.{where.level}"),
        )
    return Reporter(where.unit_id, name or _name_on_form(found, where), _receiver(found, where))


def _place_of(found: FormAt, unit: str, day: datetime.date) -> Place:
    if ":" in unit or unit == "VN":
        return place(unit, at=day)
    import pandas as pd

    wanted = LEVELS.get(found.form.level)
    levels = [3, 2, 1] if wanted is None else [wanted or 1]
    for level in levels:
        answer = find_places(pd.Series([unit], dtype="str"), level=level, at=day).iloc[0]
        if answer["unit_id"]:
            return place(answer["unit_id"], at=day)
    raise InputError(answer["reason"], **(answer["fields"] | {"value": unit}))


def full_address(where: Place, day: datetime.date) -> str:
    """The unit and those above it: "Xã Bình Châu, huyện Bình Sơn, tỉnh Quảng Ngãi"."""
    parts, above = [where.full_name], where.parent_unit_id
    while above and above != "VN":
        parent = place(above, at=day)
        parts.append(_lower_type(parent))
        above = parent.parent_unit_id
    return ", ".join(parts)


def _lower_type(where: Place) -> str:
    return where.full_name[:1].lower() + where.full_name[1:]


def _name_on_form(found: FormAt, where: Place) -> str:
    if where.level == 0:
        return label("forms.reporter.ministry", VI)
    address = full_address(where, _day_of(where))
    words = address[:1].lower() + address[1:]
    kind = {1: "province", 2: "district", 3: "commune"}[where.level]
    return label(f"forms.reporter.{kind}", VI, place=words)


def _day_of(where: Place) -> datetime.date:
    return datetime.date(2025, 6, 30) if where.system == "VN2024" else datetime.date.today()


def _receiver(found: FormAt, where: Place | None) -> str:
    if found.version.receiver:
        return found.version.receiver.vi
    if where is None:
        return label("forms.receiver.focal", VI)
    if where.level <= 1:
        return label("forms.receiver.ministry", VI)
    parent = place(where.parent_unit_id, at=_day_of(where))
    if parent.level == 2:
        return label("forms.receiver.district", VI, place=_lower_type(parent))
    return label("forms.receiver.province", VI, place=_lower_type(parent))


def period_line(found: FormAt, period: Period) -> str:
    """ "Kỳ báo cáo: 6 tháng đầu năm 2024 (từ ngày 01/01/2024 đến ngày 30/06/2024)"."""
    start, end = found.window(period)
    words = period.name(VI)
    if (start, end) == (period.start, period.end) and words.endswith(")"):
        return label("forms.period_named", VI, period=words)
    return label("forms.period", VI, period=words, start=format_date(start, VI), end=format_date(end, VI))


@dataclass(frozen=True)
class Deadline:
    """The last day for a report and whether that is certain; `words` says it on the form."""

    day: datetime.date | None
    words: str
    unverified: bool = False


def deadline(found: FormAt, period: Period) -> Deadline:
    """The last day of a report: named by the letter, or counted by the calendar of working days where there is one."""
    named = found.version.due_dates.get(period.period_id)
    if named:
        return Deadline(named, format_date(named, VI))
    days = found.version.deadline_days
    if days is None:
        return Deadline(None, label("forms.deadline.unknown", VI), unverified=True)
    words = label(f"forms.deadline.{found.version.deadline_kind}", VI, days=days)
    day, sure = _counted(found, period)
    if day:
        words = label("forms.deadline.counted", VI, words=words, day=format_date(day, VI))
    return Deadline(day, words, unverified=found.unverified or not sure)


def _counted(found: FormAt, period: Period) -> tuple[datetime.date | None, bool]:
    """(day, certain) by the deadline calendar; (None, True) where this installation has none."""
    try:
        from tkyt_analysis.reference.deadlines import due_date
    except ImportError:
        return None, True
    try:
        due = due_date(found.form, period)
    except InputError:
        return None, True
    return (due.day, not due.unverified) if due else (None, True)
