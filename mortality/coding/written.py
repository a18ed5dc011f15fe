"""What a text says beside its causes: an ICD-10 code written in it, the age of a newborn, a pregnancy."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from mortality.coding.letters import accented_letters, fold
from mortality.coding.routes import Person

DAYS_OF_YEAR, HOURS_OF_DAY = 365.25, 24
NEWBORN_DAYS = 28
YOUNGEST_MOTHER = 10
_CODE = r"[A-TV-Z]\d{2}(?:\.?\d{1,2})?"
# A letter with two digits is also a vertebra (T12) or a vitamin (B12): without a dot it must stand in brackets, alone, or after "ICD".
_CODE_IN_TEXT = re.compile(
    rf"[\(\[]\s*(?:mã\s*)?(?:ICD[\s:-]*(?:10)?[\s:-]*)?(?P<bracket>{_CODE})\s*[*†+]?\s*[\)\]]"
    rf"|\bICD[\s:-]*(?:10)?[\s:-]*(?P<icd>{_CODE})(?![\w.])"
    rf"|(?<![\w.])(?P<dot>[A-TV-Z]\d{{2}}\.\d{{1,2}})(?![\w.]*\w)"
    rf"|^\s*(?P<alone>{_CODE})\s*$"
)
_NEWBORN = re.compile(
    r"(?:sinh|de|sanh)\s+(?:ra\s+|non\s+|mo\s+|thuong\s+)*(?:(?:duoc|dc|moi)\s+)+(\d{1,3}|vai|may)\s*(phut|gio|h|ngay|hom)\b"
    r"|(?:tre|be|chau|so sinh)\s+(?:moi\s+)?(\d{1,2})\s*(gio|h|ngay)\s*(?:tuoi)?\b"
)
_PREGNANT = re.compile(r"\b(?:có thai|mang thai|có bầu|mang bầu|thai phụ|co thai|co bau|mang bau|thai phu)\b")
_NOT_PREGNANT = re.compile(r"\b(?:mẹ|me|ngoài|ngoai|không|khong|lưu|luu|sau|trứng|trung)\b")


@lru_cache(maxsize=10_000)
def code_written(text: str) -> tuple[str, str]:
    """(the one valid ICD-10 code that stands in the text, the text without it); ("", text) where none or several do."""
    found = list(_CODE_IN_TEXT.finditer(text))
    if len(found) != 1:
        return "", text
    from mortality.icd import judge_code

    verdict = judge_code(next(filter(None, found[0].groups())))
    if verdict.status not in ("valid", "legacy"):
        return "", text
    return verdict.code, f"{text[: found[0].start()]} {text[found[0].end() :]}".strip(" :-–;,.")


def lowest_of(code: str, candidates: list[str]) -> str:
    """The code itself where it is at the lowest level; else the first candidate below it, or its "unspecified" (.9)."""
    from mortality.icd import is_lowest_level, is_valid_code

    if is_lowest_level(code):
        return code
    below = next((one for one in candidates if one.startswith(code)), "")
    return below or (f"{code}.9" if is_valid_code(f"{code}.9") else code)


def person_of_text(text: str, person: Person) -> Person:
    """The person with what the text itself says: "sinh ra được 2 giờ" is a newborn, "có thai 7 tháng" a pregnant woman."""
    letters = accented_letters(text)
    if person.age_years is None or person.age_years < 1:
        days = _days_of_newborn(fold(letters))
        if days is not None and days < NEWBORN_DAYS:
            return replace(person, age_years=days / DAYS_OF_YEAR)
    if person.maternal or person.sex == "male" or (person.age_years or YOUNGEST_MOTHER) < YOUNGEST_MOTHER:
        return person
    if _PREGNANT.search(letters) and not _NOT_PREGNANT.search(letters):
        return replace(person, maternal="pregnant")
    return person


def _days_of_newborn(folded: str) -> float | None:
    match = _NEWBORN.search(folded)
    if not match:
        return None
    number, unit = (match.group(1) or match.group(3)), (match.group(2) or match.group(4))
    count = int(number) if number.isdigit() else 3
    return float(count) if unit in ("ngay", "hom") else min(count, 600) / HOURS_OF_DAY if unit != "phut" else 0.0
