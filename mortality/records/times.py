"""Times of day as people write them beside a date or alone: "14h30", "2 giờ chiều", "lúc 14 giờ 30 phút", "1430"."""

from __future__ import annotations

import re
from functools import lru_cache

import pandas as pd

from tkyt_analysis.reference.vietnamese_text import fold

TIME_UNREADABLE = "note.time_unreadable"
_PART = r"(?P<part>sang|trua|chieu|toi|dem|khuya|am|pm)?"
_HOURS = re.compile(
    rf"\b(?P<hour>\d{{1,2}})\s*(?:h|g|gio|:)(?:\s*(?P<minute>\d{{1,2}})(?!\d|\s*[/-]))?(?::\d{{2}}(?:\.\d+)?)?\s*(?:phut|p|')?\s*{_PART}\b"
)
_ALONE = re.compile(rf"(?P<hour>\d{{1,2}})[.\s]?(?P<minute>\d{{2}})?\s*{_PART}")
_COMPACT = re.compile(r"(?:18|19|20)\d{6}(?P<hour>\d{2})(?P<minute>\d{2})(?:\d{2})?")
_STAMP = re.compile(r"\d[ t]00:00(?::00(?:\.0+)?)?$")  # midnight as machines add it to a date
_AFTERNOON = {"chieu", "toi", "pm"}


@lru_cache(maxsize=100_000)
def read_time(text: str, alone: bool = False) -> str:
    """ "HH:MM", "" where the text names no time of day.

    alone : the text stands in a column of times, so "1430", "14.30" and the day fraction of a sheet ("0.604") are times too
    """
    words = fold(text).strip(" .")
    if match := _COMPACT.fullmatch(words):
        return "" if match["hour"] + match["minute"] == "0000" else _clock(match["hour"], match["minute"], "")
    if not words or _STAMP.search(words):
        return ""
    if match := _HOURS.search(words):
        return _clock(match["hour"], match["minute"], match["part"])
    if alone and re.fullmatch(r"0?\.\d+", words):
        minutes = round(float(words) * 1440)
        return f"{minutes // 60:02d}:{minutes % 60:02d}" if minutes < 1440 else ""
    if alone and (match := _ALONE.fullmatch(words)):
        return _clock(match["hour"], match["minute"], match["part"])
    return ""


def _clock(hour: str, minute: str | None, part: str | None) -> str:
    hours, minutes = int(hour), int(minute or 0)
    if (part in _AFTERNOON and hours < 12) or (part == "trua" and hours < 10) or (part == "dem" and 6 <= hours < 12):
        hours += 12
    elif hours == 12 and part in ("dem", "am", "khuya"):
        hours = 0
    return f"{hours:02d}:{minutes:02d}" if hours < 24 and minutes < 60 else ""


def read_times(texts: pd.Series, *, alone: bool = False) -> pd.Series:
    """`read_time` of a column; each distinct text is read once."""
    codes, distinct = pd.factorize(texts.fillna(""))
    found = pd.Series([read_time(text, alone) for text in distinct], dtype="str")
    return found.take(codes).set_axis(texts.index) if len(distinct) else texts.astype("str")
