"""The further fields of a death record: time, calendar, manner, pregnancy, external cause, who told. Words become codes by
the word list of the register (`a6_value_words`); what is not known stays empty, with a note."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from mortality import register_values as values
from mortality.documents.words import read_options, ticked_option
from mortality.records.times import TIME_UNREADABLE, read_times
from mortality.register_dates import is_lunar
from tkyt_analysis.reference.vietnamese_text import fold_series

if TYPE_CHECKING:
    from mortality.register_records import LineNotes

FURTHER = [
    "death_time", "death_calendar", "birth_calendar", "manner", "maternal_timing", "external_place", "external_activity",
    "source_list", "informant_relation", "birth_known",
]  # fmt: skip
WORDS = ("manner", "maternal_timing", "external_place", "external_activity", "source_list", "informant_relation")
# Columns of documents that say the same; their own table notes what it could not read.
OF_DOCUMENTS = {"maternal_timing": "pregnancy_status", "external_place": "injury_place"}
SAME_AS = {
    "self_harm": "suicide", "under_investigation": "pending", "at_death": "pregnant", "no": "not_pregnant",
    "within_43_days_to_1_year": "43_days_to_1_year",
}  # fmt: skip
NO_MANNER = {"unknown"}  # "không rõ" is no manner of death; could not be determined is one

Text = Callable[[str], pd.Series]


def further_fields(text: Text, notes: LineNotes, records: pd.DataFrame) -> pd.DataFrame:
    """The columns FURTHER of the lines ("" where not given).

    text : the column of a field as written, empty where there is none; records : death_date_as_written, death_year,
    birth_as_written, birth_date and birth_year, read already
    """
    found = {name: _coded(name, text, notes) for name in WORDS}
    written = found["maternal_timing"]
    found["maternal_timing"] = written.where(written.ne(""), _timing_of_answer(text("maternal_death")))
    told = _whole_words("source_list", text("informant"))
    found["source_list"] = found["source_list"].where(found["source_list"].ne(""), told)
    found["death_time"] = _time(text, notes)
    for name in ("death", "birth"):
        as_written = records["death_date_as_written" if name == "death" else "birth_as_written"]
        found[f"{name}_calendar"] = calendar(as_written, records[f"{name}_year"])
    found["birth_known"] = birth_known(records)
    return pd.DataFrame(found, index=records.index)[FURTHER]


def birth_known(records: pd.DataFrame) -> pd.Series:
    """How much of the birth is written: "date" (day, month and year), "year", else ""."""
    year = records["birth_year"].notna().map({True: "year", False: ""})
    return year.mask(records["birth_date"].notna(), "date").astype("str")


def calendar(written: pd.Series, year: pd.Series) -> pd.Series:
    """ "lunar" where the text says so ("15/8 âl", "rằm tháng bảy"), "solar" of every other text that was read, else ""."""
    lunar = is_lunar(written)
    return pd.Series("solar", index=written.index, dtype="str").where(year.notna(), "").mask(lunar, "lunar")


def _blank(*columns: pd.Series) -> bool:
    """Nothing is written in any of these columns: most lines of most books, and most fields while one is typed."""
    return not any(column.ne("").any() for column in columns)


def _time(text: Text, notes: LineNotes) -> pd.Series:
    """The own column of times, else the time that stands with the date."""
    if _blank(text("death_time")):
        return read_times(text("death_date"))
    own = read_times(text("death_time"), alone=True)
    unread = text("death_time").ne("") & own.eq("")
    notes.add("death_time", unread.map({True: TIME_UNREADABLE, False: ""}), text("death_time"))
    return own.where(own.ne(""), read_times(text("death_date")))


def _coded(name: str, text: Text, notes: LineNotes) -> pd.Series:
    document = OF_DOCUMENTS.get(name, "manner" if name == "manner" else "")
    if _blank(text(name), text(document or name)):
        return pd.Series("", index=text(name).index, dtype="str")
    written = text(name).map(ticked_option).astype("str")
    found = values.read_words(name, written)
    code = found["code"]
    if document:
        said = read_options("injury_place" if name == "external_place" else document, text(document))
        code = code.where(code.ne(""), said.replace(SAME_AS))
    if name == "manner":
        code = code.mask(code.isin(NO_MANNER), "")
    unread = written.ne("") & code.eq("")
    notes.add(name, unread.map({True: values.WORD_UNKNOWN, False: ""}), written)
    return code.astype("str")


def _timing_of_answer(written: pd.Series) -> pd.Series:
    """When the column "tử vong mẹ" says more than yes or no ("có, sau đẻ 3 ngày")."""
    if _blank(written):
        return written.astype("str")
    found = values.read_words("maternal_timing", written)["code"]
    return found.mask(found.isin(["not_pregnant", "unknown"]), "").astype("str")


def _whole_words(name: str, written: pd.Series) -> pd.Series:
    """A code only of texts that are nothing but such a word ("Y tế thôn"): an informant's name is none."""
    if _blank(written):
        return written.astype("str")
    short = fold_series(written).str.count(" ").le(2) & written.ne("")
    code = values.read_words(name, written.where(short, ""))["code"]
    role = code.isin(["village_health_worker", "population_collaborator", "justice_officer", "health_facility"])
    return code.where(role, "").astype("str")
