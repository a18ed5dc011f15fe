"""How the cells of foreign lists are written, made into the texts that the register's readers know."""

from __future__ import annotations

import re

import pandas as pd

_SIM_UNITS = {"0": "phút", "1": "giờ", "2": "ngày", "3": "tháng", "4": "năm"}
_DAY_FIRST = r"(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])((?:18|19|20)\d{2})"
_WHOLE = re.compile(r"(\d+)\.0+")


def read_cells(texts: pd.Series, reading: str) -> pd.Series:
    """The texts of a column in the words of the register; "" where the reading knows no such answer.

    reading : "" | ddmmyyyy | hhmm | sim_age | sim_codes | "answer=code|answer=code"
    """
    codes, distinct = pd.factorize(texts.fillna("").str.strip())
    found = pd.Series([_read(text, reading) for text in distinct], dtype="str")
    return found.take(codes).set_axis(texts.index) if len(distinct) else texts.astype("str")


def date_reading(texts: pd.Series) -> str:
    """ "ddmmyyyy" where most filled cells of a column of dates are written so ("31122015"), else ""."""
    filled = texts[texts.ne("")]
    return "ddmmyyyy" if len(filled) and filled.str.zfill(8).str.fullmatch(_DAY_FIRST).mean() >= 0.9 else ""


def _read(text: str, reading: str) -> str:
    if not text or not reading:
        return text
    if "=" in reading:
        answers = dict(pair.split("=", 1) for pair in reading.split("|"))
        return answers.get(_WHOLE.sub(r"\1", text), "")
    if reading == "ddmmyyyy":
        digits = text.zfill(8) if text.isdigit() and len(text) in (7, 8) else ""
        return f"{digits[:2]}/{digits[2:4]}/{digits[4:]}" if digits else text
    if reading == "hhmm":
        return f"{text.zfill(4)[:2]}:{text.zfill(4)[2:]}" if text.isdigit() and len(text) <= 4 else text
    if reading == "sim_age":
        return sim_age(text)
    if reading == "sim_codes":
        return sim_codes(text)
    return text


def sim_age(text: str) -> str:
    """ "427" → "27 năm", "305" → "5 tháng", "212" → "12 ngày", "103" → "3 giờ", "501" → "101 năm"; unknown ("999") → ""."""
    code = text.zfill(3)
    if not re.fullmatch(r"\d{3}", code) or code in ("000", "999"):
        return ""
    number = int(code[1:])
    if code[0] == "5":
        return f"{100 + number} năm"
    if code[0] == "0":
        return "0 giờ"  # minutes: less than an hour
    return f"{number} {_SIM_UNITS[code[0]]}" if code[0] in _SIM_UNITS else ""


def sim_codes(text: str) -> str:
    """ "*R58X" → "R58", "*A419*B99X" → "A419 B99": an X fills the place of a fourth character."""
    codes = [re.sub(r"^([A-Z]\d\d)X$", r"\1", part.strip().upper()) for part in re.split(r"[*/\s]+", text)]
    return " ".join(code for code in codes if code)


def joined(columns: list[pd.Series]) -> pd.Series:
    """Several columns as one text, blanks left out: "An" + "Nguyễn" → "An Nguyễn", "2.0" + "years" → "2 years"."""
    result = columns[0].str.replace(_WHOLE, r"\1", regex=True) if len(columns) > 1 else columns[0]
    for one in columns[1:]:
        result = result.str.cat(one, sep=" ").str.strip()
    return result
