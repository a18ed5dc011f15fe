"""Periods as other people write them: DHIS2 codes, ADX windows, the words of a form heading.

`parse_period` takes any of them and returns one Period or a sentence; it never guesses between two readings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, timedelta

from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_date
from tkyt_analysis.reference.periods import Period, as_period, make_period, period, period_of, quarters_of

# ---- DHIS2

_DHIS2 = re.compile(r"(\d{4})(?:(0[1-9]|1[0-2])|Q([1-4])|S([12])|W(\d{1,2}))?")


def from_dhis2(code: str) -> Period:
    """The period of a DHIS2 code: `202506`, `2025Q2`, `2025S1`, `2025`, `2026W53` (week 5 may be `2026W5`).

    Raises InputError for the period types of DHIS2 that Vietnamese forms do not use (days, two months,
    other weeks, financial years).
    """
    match = _DHIS2.fullmatch(code.strip())
    if not match:
        raise InputError("error.period_dhis2_unknown", value=code)
    year, month, quarter, half, week = match.groups()
    for kind, number in (("month", month), ("quarter", quarter), ("half", half), ("week", week)):
        if number:
            return make_period(kind, int(year), int(number))
    return make_period("year", int(year))


def to_dhis2(this: Period | str) -> str:
    """The DHIS2 code of a period.

    Raises InputError for an administrative month and for cumulative periods, for which DHIS2 has no type:
    `dhis2_periods` gives the quarters that add up to a cumulative one.
    """
    this = as_period(this)
    if this.kind == "cumulative":
        raise InputError("error.period_dhis2_cumulative", period=this, parts=", ".join(dhis2_periods(this)))
    if this.kind == "administrative_month":
        raise InputError(
            "error.period_dhis2_administrative",
            period=this,
            start=format_date(this.start),
            end=format_date(this.end),
        )
    return f"{this.year}W{this.number}" if this.kind == "week" else this.period_id


def dhis2_periods(this: Period | str) -> list[str]:
    """The DHIS2 codes that add up to a period: 2025C9 → 2025Q1, 2025Q2, 2025Q3; else its one code."""
    this = as_period(this)
    return [part.period_id for part in quarters_of(this)] if this.kind == "cumulative" else [to_dhis2(this)]


# ---- ADX

_ADX = re.compile(r"(\d{4}-\d{2}-\d{2})/P(\d+)([DWMY])")


def from_adx(text: str) -> Period:
    """The period of an ADX window `start/duration`: `2025-06-01/P1M`, `2025-01-01/P9M`, `2026-12-28/P7D`."""
    match = _ADX.fullmatch(text.strip())
    if not match:
        raise InputError("error.period_adx_unknown", value=text)
    try:
        start = date.fromisoformat(match[1])
        end = _after(start, int(match[2]), match[3]) - timedelta(days=1)
    except (ValueError, OverflowError):
        raise InputError("error.period_adx_unknown", value=text) from None
    return from_window(start, end)


def _after(start: date, count: int, unit: str) -> date:
    if unit in "DW":
        return start + timedelta(days=count * (7 if unit == "W" else 1))
    years, month = divmod(start.month - 1 + count * (12 if unit == "Y" else 1), 12)
    return start.replace(year=start.year + years, month=month + 1)


def to_adx(this: Period | str) -> str:
    """The ADX window of a period: 202506 → `2025-06-01/P1M`; 2025C9 → `2025-01-01/P9M`; a week → `…/P7D`."""
    this = as_period(this)
    lengths = {"month": "P1M", "administrative_month": "P1M", "quarter": "P3M", "half": "P6M", "week": "P7D"}
    length = lengths.get(this.kind) or ("P1Y" if this.kind == "year" else f"P{this.number}M")
    return f"{this.start.isoformat()}/{length}"


def from_window(start: date, end: date) -> Period:
    """The period with exactly this window; where two names fit (2025S1, 2025C6) the one DHIS2 knows.

    Raises InputError where no kind of period has the window.
    """
    for kind in ("month", "quarter", "half", "year", "administrative_month", "week"):
        found = period_of(start, kind)
        if (found.start, found.end) == (start, end):
            return found
    if (start.day, start.month) == (1, 1) and start.year == end.year and end.month == 9 and end.day == 30:
        return make_period("cumulative", start.year, 9)
    raise InputError("error.period_window", start=format_date(start), end=format_date(end))


# ---- words

_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_MONTHS = dict(
    zip(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
        range(1, 13),
        strict=True,
    )
)
_YEAR = r"[\s,]*(?:nam|of|[/-])?\s*(?P<year>\d{4})\b"
_NUMBER = r"0?(?P<number>\d{1,2})"
_DAY = r"(?:(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})\s*[/.-]\s*(\d{1,2})(?:\s*[/.-]\s*(\d{4}))?)"
_WINDOW = re.compile(rf"(?:tu|from)?\s*(?:ngay)?\s*{_DAY}\s*(?:den\s*(?:het)?\s*(?:ngay)?|to|–|-)\s*{_DAY}(?![\d/])")

# First that is found wins: what says more comes first. Matched on lower-case text without diacritics.
_WORDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Period]], ...] = (
    (
        re.compile(rf"(?:luy\s*ke|cong\s*don|cumulative)\s*(?:cua)?\s*{_NUMBER}\s*(?:thang|months)(?:\s*dau)?{_YEAR}"),
        lambda m: make_period("cumulative", int(m["year"]), int(m["number"])),
    ),
    (
        re.compile(rf"(?:luy\s*ke|cong\s*don)\s*(?:den)?\s*(?:het)?\s*thang\s*{_NUMBER}{_YEAR}"),
        lambda m: make_period("cumulative", int(m["year"]), int(m["number"])),
    ),
    (
        re.compile(rf"\b0?6\s*thang\s*dau{_YEAR}|first\s*(?:6|six)\s*months{_YEAR.replace('year', 'year_en')}"),
        lambda m: make_period("half", int(m["year"] or m["year_en"]), 1),
    ),
    (
        re.compile(rf"\b0?6\s*thang\s*cuoi{_YEAR}|last\s*(?:6|six)\s*months{_YEAR.replace('year', 'year_en')}"),
        lambda m: make_period("half", int(m["year"] or m["year_en"]), 2),
    ),
    (
        re.compile(rf"\b0?6\s*(?:thang|months){_YEAR}"),
        lambda m: make_period("half", int(m["year"]), 1),
    ),
    (
        re.compile(rf"(?<!thang )\b0?(?P<number>3|9|12)\s*(?:thang|months)(?:\s*dau)?{_YEAR}"),
        lambda m: make_period("cumulative", int(m["year"]), int(m["number"])),
    ),
    (
        re.compile(rf"(?<!\d )(?<!\d)\b(?:thang|month|t)\s*{_NUMBER}(?!\d){_YEAR}"),
        lambda m: make_period("month", int(m["year"]), int(m["number"])),
    ),
    (
        re.compile(rf"\b(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?{_YEAR}"),
        lambda m: make_period("month", int(m["year"]), _MONTHS[m["month"]]),
    ),
    (
        re.compile(rf"\b(?:quy|qui|quarter|q)\s*(?P<number>iv|i{{1,3}}|0?[1-4])\b{_YEAR}"),
        lambda m: make_period("quarter", int(m["year"]), _ROMAN.get(m["number"]) or int(m["number"])),
    ),
    (
        re.compile(rf"\b(?:tuan|week)\s*(?:thu\s*)?{_NUMBER}(?!\d){_YEAR}"),
        lambda m: make_period("week", int(m["year"]), int(m["number"])),
    ),
)
_YEAR_ALONE = re.compile(r"\b(?:nam|year)\s*(?P<year>\d{4})\b")
_UNREAD_BEFORE_YEAR = re.compile(r"\b(?:quy|qui|tuan|thang|months?)\b\s*\S*[\s,/]*$")
_SIGNED_ON = re.compile(r"\bngay\s*\d{1,2}\s*thang\s*\d{1,2}\s*nam\s*\d{4}")


# Codes that stand alone; inside a heading "37/2019" would be a circular.
_CODES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Period]], ...] = (
    (re.compile(r"\d{4}W\d"), lambda m: from_dhis2(m[0])),
    (re.compile(r"\d{4}(?:\d{2}A?|[QSCW]\d{1,2})?"), lambda m: period(m[0])),
    (re.compile(r"\d{4}-\d{2}-\d{2}/P\w+"), lambda m: from_adx(m[0])),
    (re.compile(r"(\d{4})-(\d{1,2})"), lambda m: make_period("month", int(m[1]), int(m[2]))),
    (re.compile(r"(\d{1,2})/(\d{4})"), lambda m: make_period("month", int(m[2]), int(m[1]))),
)


def _folded(text: str) -> str:
    """Lower case, no diacritics, single spaces: "Luỹ kế" and "LŨY KẾ" become "luy ke"."""
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def parse_period(text: str) -> Period:
    """The period that a text names: one of our ids, a DHIS2 code, an ADX window, `2025-06`, or words.

    Words, inside a longer heading too: "Tháng 6 năm 2025", "Quý II/2025", "6 tháng đầu năm 2025",
    "9 tháng năm 2025", "Lũy kế 6 tháng năm 2025", "Tuần 53 năm 2026", "Năm 2025", "từ ngày 15/6/2023 đến
    ngày 14/7/2023", and what `format_period` writes in either language. "6 tháng năm 2025" is the half-year
    2025S1. Where a heading gives a name and a window, both must agree. Raises InputError otherwise.
    """
    code = text.strip()
    for shape, read in _CODES:
        match = shape.fullmatch(code)
        if match:
            return read(match)
    words = _folded(text)
    window = _WINDOW.search(words)
    named = _named_period(_WINDOW.sub(" ", words), text)
    if window:
        return _agreed(_window_period(window, text), named, text)
    if named is None:
        raise InputError("error.period_unknown", value=text)
    return named


def _named_period(words: str, text: str) -> Period | None:
    """The one period that the words name; a year alone counts only where nothing shorter is named."""
    words, found = _SIGNED_ON.sub(" ", words), []
    for pattern, build in _WORDS:
        for match in pattern.finditer(words):
            found.append(build(match))
        words = pattern.sub(" ", words)
    if len({(p.start, p.end) for p in found}) > 1:
        raise InputError("error.period_two", text=text, first=found[0], second=found[-1])
    if found:
        return found[0]
    year = _YEAR_ALONE.search(words)
    if year is None or _UNREAD_BEFORE_YEAR.search(words[: year.start()]):
        return None  # "Quý V năm 2025" is not the year 2025
    return make_period("year", int(year["year"]))


def _window_period(match: re.Match[str], text: str) -> Period:
    parts = match.groups()
    last_year = int(parts[6] or parts[11] or parts[5] or 0)
    try:
        end = date(last_year, int(parts[7] or parts[10]), int(parts[8] or parts[9]))
        month, day = int(parts[1] or parts[4]), int(parts[2] or parts[3])
        year = int(parts[0] or parts[5] or (end.year if (month, day) <= (end.month, end.day) else end.year - 1))
        return from_window(date(year, month, day), end)
    except ValueError:
        raise InputError("error.period_unknown", value=text) from None


def _agreed(window: Period, named: Period | None, text: str) -> Period:
    """The window's period; a name beside it must mean the same window, or the administrative month of it."""
    if named is None or (named.start, named.end) == (window.start, window.end):
        return named or window
    same_month = window.kind == "administrative_month" and window.period_id == f"{named.period_id}A"
    if same_month:
        return window
    raise InputError("error.period_contradiction", text=text, named=named, window=window)
