"""Periods: a window of two dates plus its name.

Two "months" live side by side in Vietnamese reporting: the statistical month (01 → end, TT 37/2019
Đ2, TT 23/2025 Đ4) and the administrative month (15 of the previous month → 14, NĐ 09/2019 Đ12, TT 38/2019).
Six and nine months are cumulative ("lũy kế") from 1 January. Every value stores its window, so that
the two never mix.

Ids (text): month `202506`, administrative_month `202506A`, quarter `2025Q2`, half `2025S1`,
cumulative `2025C9`, year `2025`, week `2026W53` (ISO 8601, always two digits).
Reading what others wrote (DHIS2, ADX, words of a form heading): `tkyt_analysis.reference.period_words`.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_date, label

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("month", "administrative_month", "quarter", "half", "cumulative", "year", "week")
FIRST_YEAR, LAST_YEAR = 1900, 2199

_ID = re.compile(r"(?P<year>\d{4})(?:(?P<month>\d{2})(?P<administrative>A?)|(?P<letter>[QSCW])(?P<number>\d{1,2}))?")
_KIND_OF_LETTER = {"Q": "quarter", "S": "half", "C": "cumulative", "W": "week"}
_NUMBERS = {
    "month": range(1, 13),
    "administrative_month": range(1, 13),
    "quarter": range(1, 5),
    "half": range(1, 3),
    "cumulative": (3, 6, 9, 12),
}


@dataclass(frozen=True, slots=True)
class Period:
    """A named window; `start` and `end` are both inside it.

    period_id : e.g. "202506", "202506A", "2025Q2", "2025S1", "2025C9", "2025", "2026W53"
    kind : one of KINDS
    """

    period_id: str
    kind: str
    start: date
    end: date

    def __str__(self) -> str:
        return self.period_id

    @property
    def year(self) -> int:
        """The year in the name: of an administrative January the year it ends in, of a week the ISO year."""
        return int(self.period_id[:4])

    @property
    def number(self) -> int:
        """Number within the year: 6 of "202506", 2 of "2025Q2", 9 of "2025C9", 53 of "2026W53"; a year: 1."""
        return int(re.sub(r"\D", "", self.period_id[4:]) or 1)

    @property
    def days(self) -> int:
        """Days in the window."""
        return (self.end - self.start).days + 1

    def contains(self, day: date) -> bool:
        """Is `day` inside the window (both ends count)?"""
        return self.start <= day <= self.end

    def next(self) -> Period:
        """The following period of the kind; of a cumulative one, the same months of the next year."""
        return shift(self, 1)

    def previous(self) -> Period:
        """The preceding period of the kind; of a cumulative one, the same months of the year before."""
        return shift(self, -1)

    def name(self, language: str | None = None) -> str:
        """The words of a form heading: "Tháng 6 năm 2025", "June 2025"."""
        return format_period(self, language)


@lru_cache(maxsize=100_000)
def period(period_id: str) -> Period:
    """The period that an id names.

    Raises InputError for anything that is not exactly one of our ids: `parse_period` reads other spellings.
    """
    match = _ID.fullmatch(period_id)
    if not match:
        raise InputError("error.period_unknown", value=period_id)
    year = int(match["year"])
    if match["letter"]:
        found = make_period(_KIND_OF_LETTER[match["letter"]], year, int(match["number"]))
    elif match["month"]:
        kind = "administrative_month" if match["administrative"] else "month"
        found = make_period(kind, year, int(match["month"]))
    else:
        found = make_period("year", year)
    if found.period_id != period_id:  # 2026W5, 2025Q02: one period, one id
        raise InputError("error.period_unknown", value=period_id)
    return found


def make_period(kind: str, year: int, number: int = 1) -> Period:
    """The period `number` of `kind` in `year`: make_period("quarter", 2025, 2) is 2025Q2.

    Raises InputError where the year has no such period (month 13, week 53 of 2025, 8 months cumulative).
    """
    if kind not in KINDS:
        raise InputError("error.period_kind_unknown", kind=kind, known=", ".join(KINDS))
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise InputError("error.period_year", year=year, first=FIRST_YEAR, last=LAST_YEAR)
    allowed = range(1, weeks_of_year(year) + 1) if kind == "week" else _NUMBERS.get(kind, (1,))
    if number not in allowed:
        kind_name, valid = label(f"period.kind.{kind}"), ", ".join(map(str, allowed))
        if isinstance(allowed, range) and len(allowed) > 1:
            valid = f"{allowed[0]}–{allowed[-1]}"
        raise InputError("error.period_number", kind=kind_name, year=year, number=number, allowed=valid)
    return _BUILDERS[kind](year, number)


def _months_window(period_id: str, kind: str, year: int, first: int, last: int) -> Period:
    return Period(period_id, kind, date(year, first, 1), date(year, last, monthrange(year, last)[1]))


def _administrative_month(year: int, month: int) -> Period:
    before_year, before_month = (year - 1, 12) if month == 1 else (year, month - 1)
    return Period(
        f"{year}{month:02}A",
        "administrative_month",
        date(before_year, before_month, 15),
        date(year, month, 14),
    )


def _week(year: int, week: int) -> Period:
    monday = date.fromisocalendar(year, week, 1)
    return Period(f"{year}W{week:02}", "week", monday, monday + timedelta(days=6))


_BUILDERS = {
    "month": lambda y, n: _months_window(f"{y}{n:02}", "month", y, n, n),
    "administrative_month": _administrative_month,
    "quarter": lambda y, n: _months_window(f"{y}Q{n}", "quarter", y, 3 * n - 2, 3 * n),
    "half": lambda y, n: _months_window(f"{y}S{n}", "half", y, 6 * n - 5, 6 * n),
    "cumulative": lambda y, n: _months_window(f"{y}C{n}", "cumulative", y, 1, n),
    "year": lambda y, n: _months_window(f"{y}", "year", y, 1, 12),
    "week": _week,
}


def weeks_of_year(year: int) -> int:
    """ISO weeks of a year: 52, or 53 (the week of 28 December is always the last)."""
    return date(year, 12, 28).isocalendar().week


def shift(this: Period | str, steps: int) -> Period:
    """The period `steps` later (negative: earlier) of the kind; a cumulative one moves by whole years."""
    this = as_period(this)
    if this.kind == "week":
        year, week, _ = (this.start + timedelta(weeks=steps)).isocalendar()
        return make_period("week", year, week)
    if this.kind == "cumulative":
        return make_period("cumulative", this.year + steps, this.number)
    per_year = len(_NUMBERS.get(this.kind, (1,)))
    year, index = divmod(this.year * per_year + this.number - 1 + steps, per_year)
    return make_period(this.kind, year, index + 1)


def period_of(day: date, kind: str = "month") -> Period:
    """The period of `kind` that contains `day`.

    Not for "cumulative", whose windows overlap: a day lies in up to four of them.
    """
    if kind == "week":
        year, week, _ = day.isocalendar()
        return make_period("week", year, week)
    if kind == "administrative_month":
        month = make_period("month", day.year, day.month)
        return make_period(kind, day.year, day.month) if day.day < 15 else shift(_as_administrative(month), 1)
    if kind == "cumulative":
        raise InputError("error.period_kind_overlaps", kind=label("period.kind.cumulative"))
    months = {"month": 1, "quarter": 3, "half": 6, "year": 12}.get(kind, 12)
    return make_period(kind, day.year, (day.month - 1) // months + 1)


def _as_administrative(month: Period) -> Period:
    return make_period("administrative_month", month.year, month.number)


def as_period(value: Period | str) -> Period:
    """A Period stays, an id becomes one."""
    return value if isinstance(value, Period) else period(value)


def period_range(first: Period | str, last: Period | str) -> list[Period]:
    """All periods from `first` to `last`, both included, in order; both must be of one kind.

    An empty list where `last` lies before `first`.
    """
    first, last = as_period(first), as_period(last)
    if first.kind != last.kind:
        raise InputError("error.period_range_kinds", first=first, last=last)
    found = []
    while first.start <= last.start and first.end <= last.end:
        found.append(first)
        if first == last:
            break
        first = first.next()
    return found


def month_range(first: Period | str, last: Period | str) -> list[Period]:
    """The months from `first` to `last`: month_range("202411", "202502") has four."""
    return period_range(first, last)


def months_of(this: Period | str) -> list[Period]:
    """The statistical months that make up a month, quarter, half, cumulative period or year.

    Raises InputError for weeks and administrative months, which are not made of whole months.
    """
    this = as_period(this)
    if this.kind in ("week", "administrative_month"):
        raise InputError("error.period_not_whole_months", period=this, start=this.start, end=this.end)
    return month_range(period_of(this.start), period_of(this.end))


def quarters_of(this: Period | str) -> list[Period]:
    """The quarters that make up a quarter, half, cumulative period or year: 2025C9 → Q1, Q2, Q3."""
    this = as_period(this)
    if this.kind in ("week", "administrative_month", "month"):
        raise InputError("error.period_not_whole_months", period=this, start=this.start, end=this.end)
    return period_range(period_of(this.start, "quarter"), period_of(this.end, "quarter"))


def format_period(this: Period | str, language: str | None = None) -> str:
    """The period in words, as it stands in form headings: "Quý II/2025"; en "Quarter 2 of 2025"."""
    this = as_period(this)
    roman = ("I", "II", "III", "IV")[this.number - 1] if this.kind == "quarter" else ""
    monthly = this.kind in ("month", "administrative_month")
    return label(
        f"period.half_{this.number}" if this.kind == "half" else f"period.{this.kind}",
        language,
        year=this.year,
        number=this.number,
        roman=roman,
        month_name=label(f"period.month_name.{this.number}", language) if monthly else "",
        start=format_date(this.start, language),
        end=format_date(this.end, language),
    )


def period_windows(period_ids: Iterable[str]) -> pd.DataFrame:
    """The windows of many ids at once.

    Returns period_id, kind, period_start, period_end (dates as datetime64), one row per id in the order
    given, the index of a Series kept. Each distinct id is parsed once. Raises InputError at what is no id.
    """
    import pandas as pd

    ids = pd.Series(period_ids, dtype="str") if not isinstance(period_ids, pd.Series) else period_ids.astype("str")
    codes, distinct = pd.factorize(ids)
    if (codes < 0).any():
        raise InputError("error.period_unknown", value="")
    found = [period(value) for value in distinct]
    windows = pd.DataFrame(
        {
            "period_id": pd.Series([p.period_id for p in found], dtype="str"),
            "kind": pd.Series([p.kind for p in found], dtype="str"),
            "period_start": pd.Series([p.start for p in found], dtype="datetime64[s]"),
            "period_end": pd.Series([p.end for p in found], dtype="datetime64[s]"),
        }
    )
    return windows.take(codes).set_axis(ids.index)
