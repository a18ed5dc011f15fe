"""Dates as a village register writes them: 5/3/24, an Excel number, "15/8 âl", "rằm tháng 7", only a year.

The text is kept as written beside the date; every reading that is more than taking the date as it stands says so
with a label key (`note`). A lunar date is converted with the published Vietnamese tables (package vnlunar).
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from tkyt_analysis.reference.vietnamese_text import fold

FIRST_YEAR, LAST_YEAR = 1880, 2100
EXCEL_EPOCH = datetime.date(1899, 12, 30)  # serial 61 and later; 1900 is no leap year, Excel thinks it is
FIRST_SERIAL, LAST_SERIAL = 2958, 73050  # 1908-02-05 … 2099-12-31; a bare year (1880–2100) is no serial

LUNAR = "note.lunar_date_converted"
SERIAL = "note.excel_serial_date"
SHORT_YEAR = "note.two_digit_year"
SWAPPED = "note.day_month_swapped"
BOOK_YEAR = "note.year_from_book"
NO_DAY = "note.date_without_day"
YEAR_ONLY = "note.date_year_only"
UNREADABLE = "note.date_unreadable"


@dataclass(frozen=True)
class DateReading:
    """What a text says: a day, or only its year and month; `note` is a label key, "" for a plain date."""

    day: datetime.date | None = None
    year: int | None = None
    month: int | None = None
    note: str = ""


_DAY_FIRST = re.compile(r"(\d{1,2})\s*[-/.,\\ ]\s*(\d{1,2})\s*[-/.,\\ ]\s*(\d{4}|\d{2})")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[t ].*)?")
_COMPACT = re.compile(r"((?:18|19|20)\d{2})(\d{2})(\d{2})(?:\d{4}|\d{6})?")
_MONTH_YEAR = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{4})")
_DAY_MONTH = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{1,2})")
_TIME = re.compile(
    r"\b\d{1,2}\s*(?:h|g|gio|:)\s*\d{0,2}\s*(?:phut|p|')?(?:\s*(?:sang|trua|chieu|toi|dem|khuya|am|pm)\b)?(?:[\s,]|$)"
)
_LUNAR_MARK = re.compile(r"\(?\b(?:ngay\s+)?(?:am lich|am|a\.?\s?l\.?)(?!\w)\)?")
_SOLAR_MARK = re.compile(r"\(?\b(?:ngay\s+)?(?:duong lich|d\.?\s?l\.?)(?!\w)\)?")
_LUNAR_WORD = re.compile(r"\bram\b|\bm[uo]ng\b|\bgieng\b|\bchap\b|\btet\b|\bnhuan\b")


@lru_cache(maxsize=200_000)
def read_date(text: str, year_hint: int = 0, latest_year: int = LAST_YEAR) -> DateReading:
    """One date. `year_hint` fills a date without a year (0: none); `latest_year` decides what "45" means."""
    words = fold(text)
    if not words:
        return DateReading()
    if _is_lunar(words):
        return _read_lunar(words, year_hint, latest_year)
    words = _normal_words(_SOLAR_MARK.sub(" ", words))
    return _read_number(words) or _read_solar(words, year_hint, latest_year) or DateReading(note=UNREADABLE)


def _is_lunar(words: str) -> bool:
    return bool(_LUNAR_MARK.search(words) or _LUNAR_WORD.search(words))


def is_lunar(texts: pd.Series) -> pd.Series:
    """Which texts of a column say that they mean the lunar calendar ("15/8 âl", "mùng 3 Tết", "rằm tháng Giêng")."""
    codes, distinct = pd.factorize(texts.fillna(""))
    marked = np.array([_is_lunar(fold(text)) for text in distinct], dtype=bool)
    return pd.Series(marked[codes] if len(distinct) else False, index=texts.index, dtype=bool)


def _normal_words(words: str) -> str:
    """ "ngay 5 thang 3 nam 2024" → "5/3/2024"; hours go."""
    words = re.sub(r"\bngay\b|\bluc\b|\bhoi\b", " ", words)
    words = re.sub(r"\s*\b(?:thang|nam)\b\s*", "/", _TIME.sub(" ", f"{words} ").replace(",", " "))
    return " ".join(words.split()).strip(" /.-")


def _read_number(words: str) -> DateReading | None:
    """A year, or an Excel day number."""
    if not re.fullmatch(r"\d{4,5}(?:\.\d+)?", words):
        return None
    number = int(float(words))
    if FIRST_YEAR <= number <= LAST_YEAR:
        return DateReading(year=number, note=YEAR_ONLY)
    if FIRST_SERIAL <= number <= LAST_SERIAL:
        return _reading(EXCEL_EPOCH + datetime.timedelta(days=number), SERIAL)
    return None


def _reading(day: datetime.date, note: str = "") -> DateReading:
    return DateReading(day, day.year, day.month, note)


def _read_solar(words: str, year_hint: int, latest_year: int) -> DateReading | None:
    if match := _YEAR_FIRST.fullmatch(words):
        return _day(int(match[3]), int(match[2]), int(match[1]))
    if match := _COMPACT.fullmatch(words):  # yyyymmdd[hhmm[ss]], as hospital systems write it
        return _day(int(match[3]), int(match[2]), int(match[1]))
    if match := _DAY_FIRST.fullmatch(words):
        year = full_year(match[3], latest_year)
        return _day(int(match[1]), int(match[2]), year, SHORT_YEAR if len(match[3]) == 2 else "")
    if match := _MONTH_YEAR.fullmatch(words):
        month, year = int(match[1]), int(match[2])
        valid = 1 <= month <= 12 and FIRST_YEAR <= year <= LAST_YEAR
        return DateReading(year=year, month=month, note=NO_DAY) if valid else None
    if (match := _DAY_MONTH.fullmatch(words)) and year_hint:
        return _day(int(match[1]), int(match[2]), year_hint, BOOK_YEAR)
    return None


def full_year(text: str, latest_year: int) -> int:
    """A year of two digits is the last such year that is not after `latest_year`."""
    if len(text) == 4:
        return int(text)
    century = latest_year - latest_year % 100
    year = century + int(text)
    return year if year <= latest_year else year - 100


def _day(day: int, month: int, year: int, note: str = "") -> DateReading | None:
    if month > 12 >= day:
        day, month, note = month, day, SWAPPED
    try:
        found = datetime.date(year, month, day)
    except ValueError:
        return None
    return _reading(found, note) if FIRST_YEAR <= year <= LAST_YEAR else None


# -------------------------------------------------------------------------------------------- lunar calendar

_LUNAR_DAY = re.compile(r"(?:ngay\s*)?(?:(?P<ram>ram)|(?:m[uo]ng\s*)?(?P<day>\d{1,2}))\b")
_LUNAR_MONTH = re.compile(r"(?:thang|/|-|\.)\s*(?P<month>\d{1,2}|gieng|chap)\b|(?P<tet>\btet\b)")
_LUNAR_YEAR = re.compile(r"(?:nam|/|-|\.|\s)\s*(?P<year>\d{4})\b|[/.-]\d{1,2}[/.-](?P<short>\d{2})\b")


def _read_lunar(words: str, year_hint: int, latest_year: int) -> DateReading:
    leap = int("nhuan" in words)
    words = re.sub(r"\b(?:luc|hoi)\b", " ", _TIME.sub(" ", words))
    words = re.sub(r"[()]|\bnhuan\b", " ", _LUNAR_MARK.sub(" ", words)).strip()
    day, month = _LUNAR_DAY.match(words), _LUNAR_MONTH.search(words)
    if not day or not month:
        return DateReading(note=UNREADABLE)
    number = 15 if day["ram"] else int(day["day"])
    lunar_month = {"gieng": 1, "chap": 12}.get(month["month"] or "") or int(month["month"] or 0)
    if month["tet"]:
        lunar_month = 12 if number >= 29 else 1
    year = _LUNAR_YEAR.search(words)
    lunar_year = full_year(year["year"] or year["short"], latest_year) if year else None
    return _from_lunar(number, lunar_month, lunar_year, year_hint, leap)


def _from_lunar(day: int, month: int, year: int | None, year_hint: int, leap: int) -> DateReading:
    """The solar day. Without a year: the lunar year whose day falls into the solar year of the book."""
    candidates = [year] if year else [year_hint, year_hint - 1] if year_hint else []
    for lunar_year in candidates:
        solar = lunar_to_solar(day, month, lunar_year, leap)
        if solar and (year or solar.year == year_hint):
            return _reading(solar, LUNAR)
    return DateReading(note=UNREADABLE)


def lunar_to_solar(day: int, month: int, year: int, leap: int = 0) -> datetime.date | None:
    """The solar date of a Vietnamese lunar date, None where the lunar year has no such day."""
    from vnlunar import get_solar_date

    if not (1 <= day <= 30 and 1 <= month <= 12 and FIRST_YEAR <= year <= LAST_YEAR):
        return None
    found = get_solar_date(day, month, year, leap)
    return datetime.date(found["year"], found["month"], found["day"]) if found else None


# ------------------------------------------------------------------------------------------- whole columns

_PLAIN = re.compile(r"\d{1,2}/\d{1,2}/\d{4}")


def read_dates(texts: pd.Series, *, year_hint: int = 0, latest_year: int = LAST_YEAR) -> pd.DataFrame:
    """`read_date` of a column; each distinct text is read once.

    Returns day (datetime64[s]), year, month (Int64, also where only they are known), note; index of `texts`.
    """
    codes, distinct = pd.factorize(texts.fillna(""))
    readings = [read_date(text, year_hint, latest_year) for text in distinct]
    table = pd.DataFrame(
        {
            "day": np.array([r.day for r in readings], dtype="datetime64[s]"),
            "year": pd.array([r.year for r in readings], dtype="Int64"),
            "month": pd.array([r.month for r in readings], dtype="Int64"),
            "note": pd.Series([r.note for r in readings], dtype="str"),
        }
    )
    return table.take(codes).set_axis(texts.index)
