"""Short answers, tick boxes and intervals of documents on a death: from words to codes, each distinct text read once."""

from __future__ import annotations

import re
from functools import cache, lru_cache

import numpy as np
import pandas as pd

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.reference.vietnamese_text import fold

WORD_LIST = "death_document_words"
_TICKED, _EMPTY = "☑☒✓✔■▣", "☐□▢"
_BOX = re.compile(rf"([{_TICKED}{_EMPTY}]|\[\s*[xXvV✓]?\s*\]|\(\s*[xXvV✓]\s*\))")
_UNITS = (
    ("minutes", r"phut|minutes?|min"), ("hours", r"gio|tieng|hours?|h|g"), ("days", r"ngay|days?|ng"),
    ("weeks", r"tuan|weeks?"), ("months", r"thang|months?|th"), ("years", r"nam|years?|n"),
)  # fmt: skip
_NUMBER = r"(\d{1,4}(?:[.,]\d{1,2})?)"


@cache
def _words(field: str) -> list[tuple[re.Pattern[str], str]]:
    rows = read_codelist(WORD_LIST)
    rows = rows[rows["field"] == field]
    return [(re.compile(pattern), code) for pattern, code in zip(rows["pattern"], rows["code"], strict=True)]


@lru_cache(maxsize=100_000)
def read_option(field: str, text: str) -> str:
    """The code of an answer ("Tai nạn" → "accident"; of tick boxes, the ticked one), "" where none is known."""
    said = fold(ticked_option(text)).strip(" .:")
    if said in {code for _, code in _words(field)}:
        return said
    return next((code for pattern, code in _words(field) if said and pattern.search(said)), "")


def ticked_option(text: str) -> str:
    """ "☐ Bệnh ☒ Tai nạn" → "Tai nạn", "Bệnh [ ] Tai nạn [x]" → "Tai nạn"; a text without boxes stays itself.

    The first ticked option counts; none ticked is "".
    """
    parts = [part.strip() for part in _BOX.split(text)]
    if len(parts) == 1:
        return text
    boxes, texts = parts[1::2], parts[0::2]
    before = not texts[0]  # the box stands before its option
    options = texts[1:] if before else texts[:-1]
    return next((option for box, option in zip(boxes, options, strict=False) if _is_ticked(box)), "")


def _is_ticked(box: str) -> bool:
    return box in _TICKED or bool(re.search("[xXvV✓]", box))


def read_options(field: str, texts: pd.Series) -> pd.Series:
    """`read_option` of a column; "" where nothing is written or known."""
    codes, distinct = pd.factorize(texts.fillna(""))
    found = pd.Series([read_option(field, text) for text in distinct], dtype="str")
    return found.take(codes).set_axis(texts.index) if len(distinct) else texts.astype("str")


@lru_cache(maxsize=100_000)
def read_interval(text: str) -> tuple[float | None, str]:
    """ "3 ngày" → (3.0, "days"), "1,5 tháng" → (1.5, "months"); (None, "") for "không rõ", a range, or nothing."""
    words = fold(text).strip(" .~()")
    for unit, names in _UNITS:
        if match := re.fullmatch(rf"(?:khoang |tren |hon )?{_NUMBER} ?(?:{names})(?: nay)?", words):
            return float(match[1].replace(",", ".")), unit
    return None, ""


def read_intervals(texts: pd.Series) -> pd.DataFrame:
    """interval_value, interval_unit of a column of texts."""
    codes, distinct = pd.factorize(texts.fillna(""))
    found = [read_interval(text) for text in distinct]
    table = pd.DataFrame(
        {
            "interval_value": np.array([np.nan if value is None else value for value, _ in found], dtype="float64"),
            "interval_unit": pd.Series([unit for _, unit in found], dtype="str"),
        }
    )
    return table.take(codes).set_axis(texts.index)
