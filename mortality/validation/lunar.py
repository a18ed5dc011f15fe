"""What a date as written says of the lunar calendar: each distinct text is looked at once, both ways of reading it.

Tables of the Vietnamese calendar: package vnlunar (published tables 1900–2100).
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from mortality import register_dates as dates
from tkyt_analysis.reference.vietnamese_text import fold

CALENDAR_COLUMNS = ["marked", "impossible", "solar", "leap_solar", "only_lunar", "apart", "short_year"]
_PAIR = re.compile(
    r"(?P<solar>\d{1,2}[/.-]\d{1,2}[/.-]\d{4})(?: ?(?:dl|duong lich))?[ (;,-]+(?:tuc|nham|la)?(?: ngay)? ?"
    r"(?P<day>\d{1,2})[/.-](?P<month>\d{1,2})(?:[/.-](?P<year>\d{4}))? ?\(?(?:a\.? ?l\b|am\b)"
)


@dataclass(frozen=True)
class WrittenDay:
    """What a text says.

    marked : the text says that it is lunar; impossible : marked, and the lunar year has no such day
    solar : the solar day of a lunar date (marked, or a day that only the lunar calendar has), None where there is none
    leap_solar : the other day that a marked date may mean, because its month comes twice that year and the text does not say which
    only_lunar : not marked, no day of the solar calendar, but one of the lunar calendar (30/02)
    apart : days between the two dates of a text that gives both ("23/9/2024 (21/8 âl)"), None where it gives one
    short_year : the year has two digits
    """

    marked: bool = False
    impossible: bool = False
    solar: datetime.date | None = None
    leap_solar: datetime.date | None = None
    only_lunar: bool = False
    apart: int | None = None
    short_year: bool = False


@lru_cache(maxsize=200_000)
def written_day(text: str, year_hint: int = 0, latest_year: int = dates.LAST_YEAR) -> WrittenDay:
    """One text; `year_hint` (0: none) stands for a year that it does not give."""
    words = fold(text)
    if pair := _PAIR.search(words):
        return WrittenDay(apart=_days_apart(pair))
    marked = dates._is_lunar(words)
    parts = _lunar_parts(words) if marked else _numbers(words, latest_year)
    if parts is None:
        return WrittenDay(marked)
    day, month, year, leap, short = parts
    if not marked and _is_solar(day, month, year):
        return WrittenDay(short_year=short)
    years = [year] if year else [year_hint, year_hint - 1] if year_hint else []
    found = [(one, dates.lunar_to_solar(day, month, one, leap)) for one in years]
    fitting = [(y, s) for y, s in found if s and (year or s.year == year_hint)]
    own, solar = fitting[0] if fitting else (0, None)
    if not marked:
        return WrittenDay(solar=solar, only_lunar=solar is not None, short_year=short)
    other = dates.lunar_to_solar(day, month, own, 1) if solar and not leap else None
    return WrittenDay(True, bool(years) and solar is None, solar, other if other != solar else None, short_year=short)


def _lunar_parts(words: str) -> tuple[int, int, int, int, bool] | None:
    """day, month, year (0: not given), leap, whether the year has two digits, of a text that says it is lunar."""
    leap = int("nhuan" in words)
    bare = re.sub(r"[()]|\bnhuan\b", " ", dates._LUNAR_MARK.sub(" ", words)).strip()
    day, month = dates._LUNAR_DAY.match(bare), dates._LUNAR_MONTH.search(bare)
    if not day or not month:
        return None
    number = 15 if day["ram"] else int(day["day"])
    said = {"gieng": 1, "chap": 12}.get(month["month"] or "") or int(month["month"] or 0)
    said = (12 if number >= 29 else 1) if month["tet"] else said
    year = dates._LUNAR_YEAR.search(bare)
    short = bool(year and year["short"])
    return number, said, int(year["year"] or f"20{year['short']}") if year else 0, leap, short


def _numbers(words: str, latest_year: int) -> tuple[int, int, int, int, bool] | None:
    match = dates._DAY_FIRST.fullmatch(words)
    if not match:
        return None
    return int(match[1]), int(match[2]), dates.full_year(match[3], latest_year), 0, len(match[3]) == 2


def _is_solar(day: int, month: int, year: int) -> bool:
    """Whether the solar calendar has such a day, read either way round."""
    day, month = (month, day) if month > 12 >= day else (day, month)
    try:
        datetime.date(year, month, day)
    except ValueError:
        return False
    return True


def _days_apart(pair: re.Match[str]) -> int | None:
    solar = dates.read_date(pair["solar"]).day
    if solar is None:
        return None
    years = [int(pair["year"])] if pair["year"] else [solar.year, solar.year - 1]
    days = [dates.lunar_to_solar(int(pair["day"]), int(pair["month"]), y, leap) for y in years for leap in (0, 1)]
    return min((abs((one - solar).days) for one in days if one), default=None)


def written_days(texts: pd.Series, hints: pd.Series) -> pd.DataFrame:
    """`written_day` of a column: CALENDAR_COLUMNS, index of `texts`; hints : a year for texts without one, 0 for none."""
    latest = datetime.date.today().year + 1
    read = [written_day(text, int(hint), latest) for text, hint in zip(texts, hints, strict=True)]
    table = pd.DataFrame([[getattr(one, name) for name in CALENDAR_COLUMNS] for one in read], columns=CALENDAR_COLUMNS)
    table = table.set_axis(texts.index)
    return table.astype({"solar": "datetime64[s]", "leap_solar": "datetime64[s]", "apart": "Float64"})
