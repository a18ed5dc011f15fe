"""What people type: "5/6/25", "050625", "5-6", "nữ", "78t", "14h30" → the value as it is kept, or why it cannot be read.

Nothing is invented: what cannot be read stays as typed, with a sentence. The readings are those of the register's door.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from mortality.capture.fields import WITH_CHOICES, Field, choices_of
from tkyt_analysis.reference.vietnamese_text import fold

LONGEST = 500
_DIGITS = re.compile(r"(\d{2})(\d{2})(\d{4}|\d{2})")
_TIME = re.compile(r"(\d{1,2})\s*(?:h|g|gio|:|\.)?\s*(\d{2})?\s*(?:p|phut|')?")
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060\ufeff]")


@dataclass(frozen=True)
class Typed:
    """value : as it is kept; unread : label key of why it could not be read, "" where it could."""

    value: str
    unread: str = ""


def read_typed(field: Field, text: str, *, book_year: int, today: datetime.date) -> Typed:
    """The value of a typed text by the kind of its field; "" stays ""."""
    plain = clean(text)
    if not plain:
        return Typed("")
    if field.kind in WITH_CHOICES:
        return _choice(field, plain)
    if field.kind == "date":
        return _date(plain, book_year, today, year_alone=field.name == "birth")
    reader = {"time": _time, "age": _age, "code": _code, "icd": _icd}.get(field.kind, Typed)
    return reader(plain)


def clean(text: str) -> str:
    """NFC, single blanks, nothing invisible, of bounded length."""
    import unicodedata

    plain = _INVISIBLE.sub("", unicodedata.normalize("NFC", str(text)).replace("\n", " ").replace("\t", " "))
    return " ".join(plain.split())[:LONGEST]


def _choice(field: Field, text: str) -> Typed:
    """The code of a choice by its code, its words in either language, the register's words, or their beginning."""
    from mortality.register_values import read_word

    choices = choices_of(field.choices)
    if text in choices:
        return Typed(text)
    folded = fold(text).strip(" .")
    words = {code: [fold(said) for said in texts.values()] for code, texts in choices.items()}
    exact = [code for code, said in words.items() if folded in said]
    known = [code for code in (read_word(field.name, text),) if code in choices]
    begins = [code for code, said in words.items() if any(one.startswith(folded) for one in said)]
    found = exact or known or begins
    return Typed(found[0]) if len(set(found)) == 1 else Typed(text, "capture.unread.choice")


def _date(text: str, book_year: int, today: datetime.date, *, year_alone: bool) -> Typed:
    """dd/mm/yyyy of a solar date; a lunar date, and a year or month alone, stay as typed (the door converts them)."""
    from mortality.register_dates import LUNAR, read_date

    folded = fold(text)
    digits = _DIGITS.fullmatch(re.sub(r"\s", "", folded))
    asked = "/".join(digits.groups()) if digits else text
    if year_alone and re.fullmatch(r"\d{4}", folded) and 1880 <= int(folded) <= today.year:
        return Typed(folded)
    found = read_date(asked, book_year, today.year)
    if found.note == LUNAR:
        return Typed(text)
    if found.day is not None:
        return Typed(f"{found.day:%d/%m/%Y}")
    return Typed(text) if found.year and found.month else Typed(text, "capture.unread.date")


def _time(text: str) -> Typed:
    """HH:MM."""
    match = _TIME.fullmatch(fold(text)) or re.fullmatch(r"(\d{2})(\d{2})", text)
    if not match or int(match[1]) > 23 or int(match[2] or 0) > 59:
        return Typed(text, "capture.unread.time")
    return Typed(f"{int(match[1]):02d}:{int(match[2] or 0):02d}")


def _age(text: str) -> Typed:
    """ "78", "78 tuổi" → "78"; smaller units keep their word: "3 ngày"."""
    from mortality.register_values import read_age

    found = read_age(text)
    if not found.unit:
        return Typed(text, "capture.unread.age")
    if found.value is None:
        return Typed(text)
    unit = {"years": "", "months": " tháng", "days": " ngày", "hours": " giờ"}[found.unit]
    return Typed(f"{found.value:g}{unit}")


def _code(text: str) -> Typed:
    """Numbers on papers: without blanks, dots and dashes."""
    return Typed(re.sub(r"[\s.\-]", "", text).upper())


def _icd(text: str) -> Typed:
    """ "i64" → "I64", "c349" → "C34.9"; several codes stay several."""
    codes = [re.sub(r"[\s.]", "", part).upper() for part in re.split(r"[,;+/]", text) if part.strip()]
    if not all(re.fullmatch(r"[A-Z]\d[0-9A-Z]{0,5}[*†]?", code) and len(code) >= 3 for code in codes):
        return Typed(text, "capture.unread.icd")
    return Typed(", ".join(code if len(code) == 3 else f"{code[:3]}.{code[3:]}" for code in codes))
