"""What the columns of a population file mean, from their headings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from unicodedata import normalize

from tkyt_analysis.reference.population_series import TOTAL
from tkyt_analysis.reference.vietnamese_text import fold

_ROLES = {
    "place": ("dia phuong", "tinh", "tinh thanh pho", "tinh thanh", "ma tinh", "ma", "ma don vi", "don vi", "ma xa",
              "cities provinces", "province", "provinces", "province code", "unit id", "unit", "code"),
    "year": ("nam", "year"),
    "sex": ("gioi tinh", "gioi", "phan theo gioi tinh", "sex"),
    "age_group": ("nhom tuoi", "tuoi", "do tuoi", "age group", "age"),
    "status": ("tinh trang", "status"),
    "source": ("nguon", "nguon so lieu", "source"),
    "persons": ("dan so", "dan so trung binh", "so dan", "so nguoi", "persons", "population", "average population"),
}  # fmt: skip
_OTHER_MEASURES = re.compile(
    r"\b(mat do|dien tich|density|area|ty le|ty so|co cau|toc do|urban|rural|thanh thi|nong thon)\b"
)
_YEAR = re.compile(r"\b((?:19|20|21)\d\d)\b")
_MALE, _FEMALE = re.compile(r"\b(nam|male)\b"), re.compile(r"\b(nữ|female)\b")


@dataclass(frozen=True)
class Heading:
    """A column: its text, its role (place, year, sex, age_group, status, source, persons, skipped) and fixed keys."""

    text: str
    role: str
    year: str = ""
    sex: str = ""
    column_in_persons: bool = False

    def fixed(self) -> dict[str, str]:
        """The keys that the heading itself gives to every cell below it."""
        return {"year": self.year, "sex": self.sex}


def understand_header(row: list[str]) -> list[Heading]:
    """The meaning of each cell of a header row; empty where the row is no header of a population table.

    "nam" (male) and "năm" (year) differ only in their accent, so that headings are read with accents.
    """
    headings = [_heading(cell) for cell in row]
    roles = {heading.role for heading in headings}
    by_year = any(h.role == "persons" and h.year for h in headings)
    if "place" not in roles or "persons" not in roles or not (by_year or "year" in roles):
        return []
    # Persons columns without a year are counts only where a year column stands beside them.
    return headings


def _heading(cell: str) -> Heading:
    text = normalize("NFC", cell).casefold()
    words = " ".join(re.sub(r"[\W_]+", " ", fold(re.sub(r"\(.*?\)", " ", cell))).split())
    if text.strip() == "nam":
        return Heading(cell, "persons", sex="male")
    if _OTHER_MEASURES.search(words):
        return Heading(cell, "skipped")
    for role, names in _ROLES.items():
        if words in names:
            return Heading(cell, role, column_in_persons=words == "persons" or words == "so nguoi")
    return _value_heading(cell, text)


def _value_heading(cell: str, text: str) -> Heading:
    year = _YEAR.search(text)
    sex = "female" if _FEMALE.search(text) else "male" if _MALE.search(text) else ""
    if not year and not sex and text.strip() not in ("tổng số", "chung", "total"):
        return Heading(cell, "skipped")
    # The whole heading is the year's text, so that "Sơ bộ" beside the year marks it preliminary.
    return Heading(cell, "persons", year=text if year else "", sex=sex or ("" if year else TOTAL))
