"""Unit and period of a form: what the heading says, cross-checked with the hidden sheet of its template."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from tkyt_analysis.catalog.entries import Form
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.excel_tables import Table
from tkyt_analysis.ingest.heading_unit import FoundUnit, find_reporting_unit
from tkyt_analysis.ingest.report_heading import as_form_period, read_heading_period, read_reporting_unit
from tkyt_analysis.reference.periods import Period, period
from tkyt_analysis.reference.vietnamese_text import fold

PERIOD_MISSING, PERIOD_CONTRADICTION = "quarantine.form_period_missing", "quarantine.form_period_contradiction"
UNIT_CONTRADICTION = "quarantine.form_unit_contradiction"
UNIT_FROM_TEMPLATE, PERIOD_FROM_TEMPLATE = "note.form_unit_from_template", "note.form_period_from_template"
_RECEIVER = re.compile(r"don vi nhan|noi nhan|kinh gui|ngay nhan|han gui|han nop")
_REPORTER = re.compile(r"don vi bao cao|don vi gui|don vi lap")
_DATES = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


@dataclass(frozen=True)
class FoundPeriod:
    """The period, or the label key of the reason why it cannot be told; `note` where it was not as written."""

    period: Period | None = None
    reason: str = ""
    note: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


def heading_lines(table: Table, file_name: str) -> list[str]:
    """The texts over the form, the reporting unit first, then nearest first; then the names of sheet and file."""
    above = [text for _, text in reversed(table.above()) if not _RECEIVER.search(fold(text))]
    above.sort(key=lambda text: not _REPORTER.search(fold(text)))
    return [*above, table.grid.sheet, re.sub(r"[_+.]+", " ", PurePosixPath(file_name).stem)]


# ---------------------------------------------------------------------------------------------------------- period


def find_period(lines: Sequence[str], form: Form, passport: Mapping[str, str]) -> FoundPeriod:
    """The period of the heading; where the template names another one, neither."""
    visible = _visible_period(lines, form)
    hidden = _hidden_period(passport)
    if hidden is None:
        return visible
    if visible.period is None:
        said = visible.reason == PERIOD_MISSING
        note = FoundPeriod(hidden, note=PERIOD_FROM_TEMPLATE, fields={"period": hidden.period_id})
        return note if said else visible
    one = visible.period
    if one.period_id == hidden.period_id or (one.start, one.end) in (_window(form, hidden), (hidden.start, hidden.end)):
        return FoundPeriod(hidden)
    return FoundPeriod(reason=PERIOD_CONTRADICTION, fields={"visible": one.period_id, "hidden": hidden.period_id})


def _visible_period(lines: Sequence[str], form: Form) -> FoundPeriod:
    kinds = tuple({kind for version in form.versions.values() for kind in version.period_kinds})
    if found := _own_window(lines, form):
        return FoundPeriod(found)
    try:
        found = read_heading_period(lines, kinds=kinds)
    except InputError as error:
        return FoundPeriod(reason=error.key, fields={name: str(value) for name, value in error.fields.items()})
    if found is None:
        return FoundPeriod(reason=PERIOD_MISSING)
    if found.kind == "month" and "administrative_month" in kinds and "month" not in kinds:
        found = period(f"{found.period_id}A")
    return FoundPeriod(as_form_period(found, kinds))


def _own_window(lines: Sequence[str], form: Form) -> Period | None:
    """The period for which the form's letter names the two dates that a line writes."""
    windows = {(own.from_, own.to): name for version in form.versions.values() for name, own in version.windows.items()}
    for line in lines if windows else ():
        days = [_day(*parts) for parts in _DATES.findall(line)]
        if len(days) == 2 and days[0] and (name := windows.get((days[0], days[1]))):
            return period(name)
    return None


def _day(day: str, month: str, year: str) -> datetime.date | None:
    try:
        return datetime.date(int(year), int(month), int(day))
    except ValueError:
        return None


def _hidden_period(passport: Mapping[str, str]) -> Period | None:
    try:
        return period(passport["period_id"])
    except (KeyError, InputError):
        return None


def _window(form: Form, one: Period) -> tuple[datetime.date, datetime.date]:
    for version in form.versions.values():
        if own := version.windows.get(one.period_id):
            return own.from_, own.to or one.end
    return one.start, one.end


def data_window(form: Form, one: Period) -> tuple[datetime.date, datetime.date]:
    """First and last day of the data: those of the period unless the form's letter names others."""
    return _window(form, one)


# ------------------------------------------------------------------------------------------------------------ unit


def find_unit(lines: Sequence[str], day: datetime.date, passport: Mapping[str, str]) -> FoundUnit:
    """The unit of the heading; where the template was made for another one, neither."""
    written = read_reporting_unit(lines)
    visible = find_reporting_unit(written, [day])
    hidden = passport.get("unit_id", "")
    if not hidden or not _known(hidden, day):
        return visible
    if hidden == visible.unit_id:
        return visible
    if hidden.startswith("KCB:") and not written:
        return FoundUnit(hidden)  # a facility stands in no list of places; its heading names no place either
    if not visible.unit_id or _is_above(visible.unit_id, hidden, day):
        return FoundUnit(hidden, note=UNIT_FROM_TEMPLATE, fields={"value": written.text or "–", "unit": hidden})
    return FoundUnit(reason=UNIT_CONTRADICTION, fields={"visible": written.text, "hidden": hidden})


def _known(unit_id: str, day: datetime.date) -> bool:
    """A facility is known by its template only; a place must be one of the catalog, on that day."""
    from tkyt_analysis.reference.places import place

    if unit_id.startswith("KCB:"):
        return True
    try:
        return bool(place(unit_id, at=day))
    except InputError:
        return False


def _is_above(upper: str, lower: str, day: datetime.date) -> bool:
    """Does one unit hold the other? A facility lies in the province whose code its own code begins with."""
    from tkyt_analysis.reference.places import place

    if lower.startswith("KCB:"):
        return lower[4:6] == upper.partition(":")[2][:2] or upper == "VN"
    at = lower
    while at and at != "VN":
        try:
            at = place(at, at=day).parent_unit_id
        except InputError:
            return False
        if at == upper:
            return True
    return False
