"""Moments as people here say them: a date is the end of that day in Viet Nam, a time without a zone is Viet Nam's."""

from __future__ import annotations

import datetime
import re

from tkyt_analysis.errors import InputError

VIET_NAM = datetime.timezone(datetime.timedelta(hours=7), "Asia/Ho_Chi_Minh")  # no daylight saving time since 1975
END_OF_DAY = datetime.time(23, 59, 59, 999999)


def moment(text: str) -> datetime.datetime:
    """The moment that a text names: "2026-10-01", "01/10/2026", "2026-10-01 08:30", ISO with a zone. Else InputError."""
    given = text.strip()
    written = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})(.*)", given)
    if written:
        day, month, year, rest = written.groups()
        given = f"{year}-{int(month):02d}-{int(day):02d}{rest}"
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", given):
            return datetime.datetime.combine(datetime.date.fromisoformat(given), END_OF_DAY, VIET_NAM)
        found = datetime.datetime.fromisoformat(given)
    except ValueError:
        raise InputError("error.as_of_format", found=text) from None
    return found if found.tzinfo else found.replace(tzinfo=VIET_NAM)


def as_of_text(value: int | str | None) -> int | str | None:
    """What a warehouse is opened with: a snapshot number as it is, a moment as text in UTC, with its zone."""
    if value is None or isinstance(value, int):
        return value
    if value.strip().isdigit():
        return int(value)
    return moment(value).astimezone(datetime.UTC).isoformat(sep=" ", timespec="microseconds")


def local_text(when: datetime.datetime | int) -> str:
    """A moment (or microseconds since 1970) as people here read it: "2026-10-01 08:30:00" in Viet Nam."""
    if isinstance(when, int):
        when = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(microseconds=when)
    return when.astimezone(VIET_NAM).strftime("%Y-%m-%d %H:%M:%S")
