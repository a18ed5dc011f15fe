"""Ages, sex and the short answers of a death register: from words to codes, column by column."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import pandas as pd

from mortality.register_dates import LAST_YEAR, UNREADABLE, read_date
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.reference.vietnamese_text import fold

WORD_LIST = "a6_value_words"
OLDEST = 130
NEWBORN = "note.age_newborn"
AGE_UNREADABLE = "note.age_unreadable"
WORD_UNKNOWN = "note.word_unknown"
BOTH_SEXES = "note.both_sex_columns"
UNIT_YEARS = {"years": 1.0, "months": 1 / 12, "days": 1 / 365.25, "hours": 1 / 8766}

_AGE_WORDS = (
    (re.compile(r"(\d{1,3})(?:[.,]\d+)?(?: ?(?:tuoi|t|nam|years?|y))?(?: (?:mu|am|duong))?\.?"), "years"),
    (re.compile(r"(\d{1,2}) ?(?:thang(?: tuoi)?|th|m|months?)\.?|(\d{1,2})/12"), "months"),
    (re.compile(r"(\d{1,3}) ?(?:ngay(?: tuoi)?|ng|d|days?)\.?"), "days"),
    (re.compile(r"(\d{1,2}) ?(?:gio(?: tuoi)?|h|g|hours?)\.?"), "hours"),
)
_NEWBORN = re.compile(r"so sinh|moi (?:sinh|de)|ss|newborn")


@dataclass(frozen=True)
class AgeReading:
    """An age as written: value and unit (years, months, days, hours); `newborn` has no value."""

    value: float | None = None
    unit: str = ""
    note: str = ""


@lru_cache(maxsize=100_000)
def read_age(text: str) -> AgeReading:
    """ "72", "72 tuổi", "8 tháng", "6/12", "3 ngày", "5 giờ", "sơ sinh" (days, without a value)."""
    words = fold(text).strip("()~ ")
    if not words:
        return AgeReading()
    for pattern, unit in _AGE_WORDS:
        if match := pattern.fullmatch(words):
            value = float(next(part for part in match.groups() if part))
            return AgeReading(value, unit) if value <= _most(unit) else AgeReading(note=AGE_UNREADABLE)
    if _NEWBORN.fullmatch(words):
        return AgeReading(None, "days", NEWBORN)
    return AgeReading(note=AGE_UNREADABLE)


def _most(unit: str) -> int:
    return OLDEST if unit == "years" else 366


@dataclass(frozen=True)
class BirthReading:
    """A cell "ngày sinh/tuổi": a birth date, a birth year, an age, or only a tick that says the sex."""

    birth: pd.Timestamp | None = None
    year: int | None = None
    age: float | None = None
    unit: str = ""
    note: str = ""


_TICK = re.compile(r"[xv+*✓✔]|1|nam|nu", re.IGNORECASE)


@lru_cache(maxsize=200_000)
def read_birth_or_age(text: str, latest_year: int = LAST_YEAR, ticks: bool = False) -> BirthReading:
    """One cell of a column that holds year of birth, date of birth or age; `ticks`: "x" only marks the sex.

    A number up to 130 is an age, 1880–2100 a year of birth, a larger one an Excel day number.
    """
    words = fold(text).strip()
    if not words or (ticks and _TICK.fullmatch(words)):
        return BirthReading()
    age = read_age(text)
    if age.unit:
        return BirthReading(age=age.value, unit=age.unit, note=age.note)
    date = read_date(re.sub(r"^(?:sn|sinh|ns)\W*(?:nam )?", "", words), 0, latest_year)
    note = "" if date.note == "note.date_year_only" else date.note
    if date.year is None:
        return BirthReading(note=UNREADABLE)
    return BirthReading(pd.Timestamp(date.day) if date.day else None, date.year, note=note)


def read_births(texts: pd.Series, latest_year: int, *, ticks: bool = False) -> pd.DataFrame:
    """`read_birth_or_age` of a column: birth_date, birth_year (Int64), age_value, age_unit, note."""
    codes, distinct = pd.factorize(texts.fillna(""))
    found = [read_birth_or_age(text, latest_year, ticks) for text in distinct]
    table = pd.DataFrame(
        {
            "birth_date": np.array([r.birth for r in found], dtype="datetime64[s]"),
            "birth_year": pd.array([r.year for r in found], dtype="Int64"),
            "age_value": np.array([np.nan if r.age is None else r.age for r in found], dtype="float64"),
            "age_unit": pd.Series([r.unit for r in found], dtype="str"),
            "note": pd.Series([r.note for r in found], dtype="str"),
        }
    )
    return table.take(codes).set_axis(texts.index)


def age_in_years(records: pd.DataFrame) -> pd.Series:
    """Completed years of age: as written; else from the two dates; else year of death − year of birth.

    The last is one year too high for whoever had not had the birthday. Columns: age_value, age_unit, birth_date,
    birth_year, death_date, death_year. A newborn without a value is 0; an age below 0 or above 130 is missing.
    """
    written = np.floor(records["age_value"] * records["age_unit"].map(UNIT_YEARS).astype("float64") + 1e-9)
    written = written.mask(records["age_unit"].eq("days") & records["age_value"].isna(), 0.0)
    birth, death = records["birth_date"], records["death_date"]
    before_birthday = (death.dt.month * 100 + death.dt.day) < (birth.dt.month * 100 + birth.dt.day)
    exact = (death.dt.year - birth.dt.year - before_birthday).astype("float64")
    by_years = (records["death_year"] - records["birth_year"]).astype("Float64").astype("float64")
    years = written.fillna(exact.where(birth.notna() & death.notna())).fillna(by_years)
    return years.where(years.between(0, OLDEST))


def age_of_infants(records: pd.DataFrame) -> pd.DataFrame:
    """age_value, age_unit: where no age is written and both dates say less than a year, the age in days."""
    days = (records["death_date"] - records["birth_date"]).dt.days
    infant = records["age_value"].isna() & (records["age_unit"] == "") & days.between(0, 365)
    infant &= records["age_years"].eq(0)
    return pd.DataFrame(
        {
            "age_value": records["age_value"].mask(infant, days.astype("float64")),
            "age_unit": records["age_unit"].mask(infant, "days"),
        }
    )


# ------------------------------------------------------------------------------------- words to codes


@cache
def _words(field: str) -> list[tuple[re.Pattern[str], str]]:
    rows = read_codelist(WORD_LIST)
    rows = rows[rows["field"] == field]
    return [(re.compile(pattern), code) for pattern, code in zip(rows["pattern"], rows["code"], strict=True)]


@lru_cache(maxsize=100_000)
def read_word(field: str, text: str) -> str:
    """The code of a cell's words ("BV huyện" → "district"), "" where none is known."""
    if text in {code for _, code in _words(field)}:
        return text
    folded = fold(text).strip(" .")
    return next((code for pattern, code in _words(field) if folded and pattern.search(folded)), "")


def read_words(field: str, texts: pd.Series) -> pd.DataFrame:
    """code and note (WORD_UNKNOWN where the words are not known) of a column."""
    codes, distinct = pd.factorize(texts.fillna(""))
    found = [read_word(field, text) for text in distinct]
    unknown = [WORD_UNKNOWN if text and not code else "" for text, code in zip(distinct, found, strict=True)]
    table = pd.DataFrame({"code": pd.Series(found, dtype="str"), "note": pd.Series(unknown, dtype="str")})
    return table.take(codes).set_axis(texts.index)


_NOT_TICKED = ("", "0", "khong", "k", "-", "o")


def is_ticked(texts: pd.Series) -> pd.Series:
    """Whether a cell of a tick column is ticked: anything but blank, "0", "không", "-"."""
    codes, distinct = pd.factorize(texts.fillna(""))
    ticked = np.array([fold(text).strip(" .") not in _NOT_TICKED for text in distinct], dtype=bool)
    return pd.Series(ticked[codes] if len(distinct) else False, index=texts.index, dtype=bool)
