"""What the lines over a table say: which unit reports, and for which period.

Reads "Đơn vị báo cáo: Trạm Y tế xã Bình Châu", "Tỉnh: … Huyện: … Xã: …", "Mã xã: 21019",
"Xã Bình Châu, huyện Bình Sơn, tỉnh Quảng Ngãi", "SỞ Y TẾ QUẢNG NGÃI", "TTYT huyện Bình Sơn".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.period_words import parse_period
from tkyt_analysis.reference.periods import Period, make_period
from tkyt_analysis.reference.vietnamese_text import fold

# Type words with their accents, and as people write them without. Without accents some are names too ("Xã Ba Xa",
# "Xã Thượng Quan"), so they count only in what the accented words of the same line have left over.
_ACCENTED = {
    "commune": r"(?<!thị )(?!(?<=mã )(?:xã|phường)\s*(?:[:.(\d]|số))(?:xã|phường|thị trấn|đặc khu)",
    "district": "(?:huyện|quận|thị xã)",
    "city": r"(?:thành phố|tp\.?)",
    "province": "tỉnh",
}
_PLAIN = {
    "commune": r"(?<!thi )(?!(?<=ma )(?:xa|phuong)\s*(?:[:.(\d]|so))(?:xa|phuong|thi tran|dac khu)",
    "district": "(?:huyen|quan|thi xa)",
    "city": "thanh pho",
    "province": "tinh",
}
_PERIOD_WORDS = r"(?:năm|tháng|quý|nam|thang|quy)\s*[:.]?\s*(?:\d|[IV]+\b)"
_STATION_WORDS = r"(?:\btyt|trạm y tế|tram y te)"


def _next_word(words: dict[str, str]) -> str:
    """Where a name ends: a type word with a name behind it, or the words of a period or a code."""
    types = "|".join(words.values())
    return (
        rf"(?:(?:{types})(?!\w)\s*[:.]?\s*(?!(?:{types})(?!\w)|{_PERIOD_WORDS})\w|{_STATION_WORDS}\b|cả nước\b|từ ngày\b"
        rf"|{_PERIOD_WORDS}|mã\s*(?:số|xã|phường|đơn|đv|huyện|tỉnh|:|\d))"
    )


def _end_of_name(words: dict[str, str]) -> str:
    return rf"(?=\s*(?:[,;()|/…]|\.{{3}}|$|\s(?:-\s?)?{_next_word(words)}))"


def _level_patterns(words: dict[str, str]) -> dict[str, re.Pattern[str]]:
    name = rf"\s*[:.]?\s*(?P<name>[^,;:()|/…]+?){_end_of_name(words)}"
    return {level: re.compile(rf"(?<!\w)(?P<type>{word})(?!\w){name}", re.IGNORECASE) for level, word in words.items()}


_EVERY = {level: f"(?:{_ACCENTED[level]}|{_PLAIN[level]})" for level in _ACCENTED}
_LEVELS = _level_patterns(_ACCENTED)
_PLAIN_LEVELS = _level_patterns(_PLAIN)
_HEALTH_DEPARTMENT = re.compile(
    rf"(?:sở y tế|so y te)\s+(?!{_EVERY['city']}|{_EVERY['province']}\b)(?P<name>[^,;:()|]+?)\s*$", re.IGNORECASE
)
_HEALTH_STATION = re.compile(
    rf"{_STATION_WORDS}\s+(?!{_EVERY['commune']}\b)(?P<name>[^,;:()|]+?)(?=\s*-|{_end_of_name(_ACCENTED)})",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"mã\s*(?:số\s*)?(?P<of>xã|phường|đơn vị|đv|đvhc|huyện|tỉnh)?[^:\d]{0,12}:?\s*(?P<code>\d{2,5})\b", re.IGNORECASE
)
_NATION = re.compile(r"cong hoa xa hoi chu nghia|doc lap.*tu do.*hanh phuc")  # "XÃ HỘI …" is no commune
_NO_NAME = re.compile(r"^[\s._…-]*$")
_LEGAL_ACT = re.compile(
    r"\b\d{1,4}/(?:19|20)\d{2}/\w+|(?:\btt|thông tư|thong tu)\s*(?:số\s*)?\d+/\d{4}\S*", re.IGNORECASE
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")


@dataclass(frozen=True)
class ReportingUnit:
    """The unit that a heading names, as written with its type word; "" where a level is not named."""

    province: str = ""
    district: str = ""
    commune: str = ""
    city: str = ""
    code: str = ""

    def __bool__(self) -> bool:
        return any((self.province, self.district, self.commune, self.city, self.code))

    @property
    def text(self) -> str:
        """The names in the order in which Vietnamese write them."""
        parts = (self.commune, self.district, self.city, self.province, self.code)
        return ", ".join(part for part in parts if part)

    def filled_from(self, other: ReportingUnit) -> ReportingUnit:
        """This unit, with the levels it does not name taken from `other`."""
        return ReportingUnit(*(getattr(self, name) or getattr(other, name) for name in _FIELDS))


_FIELDS = ("province", "district", "commune", "city", "code")


def read_reporting_unit(lines: Iterable[str]) -> ReportingUnit:
    """The unit named by the lines over a table; what a later line adds is added, what it repeats is ignored."""
    unit = ReportingUnit()
    for line in lines:
        text = " ".join(unicodedata.normalize("NFC", line).split())
        if len(text) <= 250 and not _NATION.search(fold(text)):
            unit = unit.filled_from(_units_of_line(text))
    return unit


def _units_of_line(text: str) -> ReportingUnit:
    found: dict[str, str] = {}
    rest = _take_levels(text, _LEVELS, found)
    if department := _HEALTH_DEPARTMENT.search(text):
        found.setdefault("province", department["name"].strip())
    if station := _HEALTH_STATION.search(text):
        found.setdefault("commune", station["name"].strip(" .-_"))
        rest = rest[: station.start()] + rest[station.end() :] if rest == text else rest
    _take_levels(rest, _PLAIN_LEVELS, found)
    code = _CODE.search(text)
    if code and fold(code["of"] or "") not in ("huyen", "tinh"):
        found["code"] = code["code"]
    return replace(ReportingUnit(), **{name: value for name, value in found.items() if value})


def _take_levels(text: str, patterns: dict[str, re.Pattern[str]], found: dict[str, str]) -> str:
    """Adds the named units of a line to `found`; returns what they leave of the line (";" for each)."""
    rest = text
    for level, pattern in patterns.items():
        for match in pattern.finditer(text):
            name = match["name"].strip(" .-_")
            if not _NO_NAME.match(name):
                found.setdefault(level, f"{match['type'].strip()} {name}")
                rest = rest.replace(match[0], ";", 1)
    return rest


def read_year(lines: Iterable[str]) -> int:
    """The year that the lines name (not those of circulars), 0 where none; the latest where they name several."""
    years = [int(year) for line in lines for year in _YEAR.findall(_LEGAL_ACT.sub(" ", line))]
    return max(years) if years else 0


def read_heading_period(lines: Iterable[str], *, kinds: tuple[str, ...] = ()) -> Period | None:
    """The period that the lines name, None where no line names one.

    kinds : the kinds of period the form knows; a half "6 tháng năm 2024" of a form of cumulative periods is 2024C6
    Raises InputError where a line names a period twice, differently.
    """
    for line in lines:
        try:
            found = parse_period(line)
        except InputError as error:
            if error.key == "error.period_contradiction":
                raise
            continue
        return as_form_period(found, kinds)
    return None


def as_form_period(found: Period, kinds: tuple[str, ...]) -> Period:
    """The same window under the name that the form uses: 2024S1, 2024Q1 and 2024 are 2024C6, 2024C3 and 2024C12."""
    if not kinds or found.kind in kinds or "cumulative" not in kinds:
        return found
    from_january = (found.start.month, found.start.day) == (1, 1)
    whole_quarters = found.end.month in (3, 6, 9, 12) and found.kind != "month"
    return make_period("cumulative", found.year, found.end.month) if from_january and whole_quarters else found
