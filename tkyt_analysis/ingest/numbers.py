"""Numbers as people write them, read without guessing.

"1.184" is 1 184 where Vietnamese write thousands, and 1,184 thousandths where a machine writes decimals. The
column decides (`decimal_hint`), never the single cell; what stays ambiguous fails and goes to quarantine. Every
cell that is read as something else than it says gets a note.
"""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

LARGEST_COUNT = 1e15  # every whole number below it is exact
DecimalHint = Literal["count", "point", "comma", "unknown"]

# Words that stand behind a count and change nothing in it (folded: no accents, no case).
_COUNT_WORDS = (
    "ca", "cas", "case", "cases", "nguoi", "tre", "tre em", "truong hop", "t/h", "th", "lieu", "luot", "giuong",
    "xa", "don vi", "co so", "phu nu", "ba me", "lan", "persons", "people", "deaths", "tu vong", "doses", "visits",
)  # fmt: skip
_MISSING_WORDS = {
    "": "", "..": "note.number_not_available", "...": "note.number_not_available", "…": "note.number_not_available",
    "-": "note.number_dash", "--": "note.number_dash", "---": "note.number_dash",
    "khong": "note.number_word_none", "none": "note.number_word_none",
    "khong co": "note.number_word_none", "ko": "note.number_word_none", "k": "note.number_word_none",
    "na": "note.number_not_available", "n/a": "note.number_not_available", "null": "note.number_not_available",
    "nan": "note.number_not_available", "chua co": "note.number_not_available",
    "khong co so lieu": "note.number_not_available", "missing": "note.number_not_available", "x": "note.number_cross",
}  # fmt: skip
_FORMULA_ERROR = re.compile(r"#(?:REF!|DIV/0!|VALUE!|NAME\?|N/A|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA)", re.IGNORECASE)
_DIGITS = re.compile(r"[+-]?\d+")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d+)?[eE][+-]?\d+")
_GROUPED = {mark: re.compile(rf"[+-]?\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+") for mark in (".", ",", " ", "'")}
_DECIMAL = {mark: re.compile(rf"[+-]?\d+{re.escape(mark)}\d+") for mark in (".", ",")}
_BOTH = {
    ".": re.compile(r"[+-]?\d{1,3}(?:,\d{3})+\.\d+"),  # 1,184.5
    ",": re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+,\d+"),  # 1.184,5
}
_BLANKS = re.compile(r"[\s\u00a0\u2000-\u200b\u202f\u205f\u3000\ufeff]+")


class Reading(NamedTuple):
    """One written number: its value (None: none), the note on how it was read, or the reason why not."""

    value: float | None
    note: str = ""
    failure: str = ""


class ParsedNumbers(NamedTuple):
    """values : float64, missing where empty or failed
    notes : index (as the series), value, became, note (label key): cells read as something else than written
    failures : index, value, reason (label key): cells that are no number
    """

    values: pd.Series
    notes: pd.DataFrame
    failures: pd.DataFrame


def parse_numbers(
    series: pd.Series, *, decimal_hint: DecimalHint | None = None, dash_is_zero: bool = False
) -> ParsedNumbers:
    """Read a column of written numbers; each distinct text is read once.

    Parameters
    ----------
    series : texts; number cells mean what they are; missing and empty cells are missing values without a note
    decimal_hint : "count" (whole numbers: "." and "," can only part thousands), "point" (1.184 is a decimal),
        "comma" (1,184 is a decimal, 1.184 thousands), "unknown" ("1.184" fails as ambiguous);
        None: what the column itself gives away (`infer_decimal_hint`)
    dash_is_zero : "-" means zero, as in the tables of the statistics office; otherwise a dash is no data
    """
    texts = series.astype("object").where(series.notna(), "").map(_as_text)
    hint = decimal_hint or infer_decimal_hint(texts)
    codes, distinct = pd.factorize(texts)
    readings = [read_number(text, hint, dash_is_zero=dash_is_zero) for text in distinct]
    values = np.array([np.nan if one.value is None else one.value for one in readings] or [np.nan])[codes]
    notes = np.array([one.note for one in readings] or [""], dtype=object)[codes]
    reasons = np.array([one.failure for one in readings] or [""], dtype=object)[codes]
    return ParsedNumbers(
        pd.Series(values, index=series.index, dtype="float64", name=series.name),
        _cells(texts, notes, "note", values),
        _cells(texts, reasons, "reason"),
    )


def _as_text(value: object) -> str:
    """A number cell (not a text) as a text that can only be read as that number: 1.184 becomes "1.1840"."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        return str(value)
    plain = plain_number(float(value))
    return f"{plain}0" if _GROUPED["."].fullmatch(plain) else plain


def _cells(texts: pd.Series, keys: np.ndarray, name: str, values: np.ndarray | None = None) -> pd.DataFrame:
    chosen = keys != ""
    frame = pd.DataFrame({"value": texts[chosen].astype("str"), name: pd.Series(keys, texts.index)[chosen]})
    if values is not None:
        frame.insert(1, "became", [plain_number(value) for value in values[chosen]])
    return frame


def plain_number(value: float) -> str:
    """A number as a machine writes it ("1184", "1184.5"); missing is ""."""
    if value != value:
        return ""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def read_number(text: str, hint: DecimalHint, *, dash_is_zero: bool = False) -> Reading:
    """One written number under the column's hint: plain, then separators, then words around it."""
    if _FORMULA_ERROR.search(text):
        return Reading(None, failure="quarantine.formula_error")
    plain = _plain(text)
    missing = _missing(plain, dash_is_zero=dash_is_zero)
    if missing is not None:
        return missing
    reading = _separated(plain, hint)
    if reading is None:
        reading = _with_words(plain, hint)
    if reading.failure or reading.value is None:
        return reading
    if not math.isfinite(reading.value) or (hint == "count" and abs(reading.value) >= LARGEST_COUNT):
        return Reading(None, failure="quarantine.not_a_number")
    if hint == "count" and not float(reading.value).is_integer():
        return Reading(None, failure="quarantine.number_not_whole")
    if not reading.note and plain != text.strip(" "):
        return reading._replace(note="note.number_odd_characters")
    return reading


def _plain(text: str) -> str:
    """ASCII digits, plain spaces, one kind of minus."""
    ascii_digits = unicodedata.normalize("NFKC", text)
    return _BLANKS.sub(" ", ascii_digits).strip().translate(str.maketrans("−‒–—", "----"))


def _missing(plain: str, *, dash_is_zero: bool) -> Reading | None:
    from tkyt_analysis.reference.vietnamese_text import fold

    folded = fold(plain)
    if folded not in _MISSING_WORDS:
        return None
    note = _MISSING_WORDS[folded]
    if note == "note.number_dash" and dash_is_zero:
        return Reading(0.0, "note.number_dash_zero")
    return Reading(None, note)


def _separated(plain: str, hint: DecimalHint) -> Reading | None:
    """A number with or without thousands and decimal marks; None where it is none."""
    if _DIGITS.fullmatch(plain):
        return Reading(float(plain))
    for decimal, pattern in _BOTH.items():
        if pattern.fullmatch(plain):
            thousands = "," if decimal == "." else "."
            return Reading(float(plain.replace(thousands, "").replace(decimal, ".")), "note.number_thousands")
    for mark in (" ", "'"):
        if _GROUPED[mark].fullmatch(plain):
            return Reading(float(plain.replace(mark, "")), "note.number_thousands")
    for mark in (".", ","):
        if _GROUPED[mark].fullmatch(plain):
            return _grouped_or_decimal(plain, mark, hint)
        if _DECIMAL[mark].fullmatch(plain):
            note = "note.number_decimal_comma" if mark == "," else ""
            return Reading(float(plain.replace(mark, ".")), note)
    if _SCIENTIFIC.fullmatch(plain) and hint in ("point", "unknown"):
        return Reading(float(plain))
    return None


def _grouped_or_decimal(plain: str, mark: str, hint: DecimalHint) -> Reading:
    """ "1.184" and "1,184": the one shape that can be read two ways."""
    thousands = Reading(float(plain.replace(mark, "")), "note.number_thousands")
    single = plain.count(mark) == 1
    if not single:
        return thousands
    if plain.lstrip("+-").startswith("0"):  # 0.184 parts no thousands
        decimal_mark = {"point": ".", "comma": ","}.get(hint)
        if hint == "count" or (decimal_mark and mark != decimal_mark):
            return Reading(None, failure="quarantine.number_ambiguous")
        return Reading(float(plain.replace(mark, ".")), "note.number_decimal_comma" if mark == "," else "")
    if hint == "count":
        return thousands
    if hint == "unknown":
        return Reading(None, failure="quarantine.number_ambiguous")
    if (hint == "point") == (mark == "."):
        return Reading(float(plain.replace(mark, ".")), "note.number_decimal_comma" if mark == "," else "")
    return thousands


def _with_words(plain: str, hint: DecimalHint) -> Reading:
    """ "12 ca", "45%": a number and a word that changes nothing; anything else is no number."""
    from tkyt_analysis.reference.vietnamese_text import fold

    match = re.fullmatch(r"([+-]?[\d.,' ]*\d)\s*(%|[^\d%][^\d]*)", plain)
    if not match:
        return Reading(None, failure="quarantine.not_a_number")
    reading = _separated(match[1].strip(), hint)
    word = fold(match[2]).strip(" .()")
    known = word in _COUNT_WORDS or (word == "%" and hint != "count")
    if reading is None or not known:
        return Reading(None, failure="quarantine.not_a_number")
    return reading if reading.failure else Reading(reading.value, "note.number_word_dropped")


def infer_decimal_hint(texts: pd.Series) -> DecimalHint:
    """What a column gives away about its decimal mark: "point", "comma", or "unknown" where it says nothing or both.

    1184.5 and 27.25 can only be decimals with a point; 1.184.000 and 1.184,5 only thousands with points.
    """
    distinct = pd.Series(texts.unique(), dtype="str").str.strip()
    point = _any(
        distinct, r"[+-]?(?:\d{4,}\.\d+|\d+\.(?:\d{1,2}|\d{4,})|0\.\d+|[\d,]+,\d{3}\.\d+|\d{1,3}(?:,\d{3}){2,})"
    )
    comma = _any(distinct, r"[+-]?(?:\d{4,},\d+|\d+,(?:\d{1,2}|\d{4,})|0,\d+|[\d.]+\.\d{3},\d+|\d{1,3}(?:\.\d{3}){2,})")
    if point == comma:
        return "unknown"
    return "point" if point else "comma"


def _any(texts: pd.Series, pattern: str) -> bool:
    return bool(texts.str.fullmatch(pattern).any())
