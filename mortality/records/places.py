"""Where a person lived and where the death happened, as units dated by the day of the death; only what the line names."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from mortality.documents.places import find_units, parts_of_texts
from tkyt_analysis.ingest.door import NOTE_COLUMNS
from tkyt_analysis.reference.places import FIRST_DAY_2025, places
from tkyt_analysis.reference.vietnamese_text import fold

PLACE_TEXTS = ["address", "death_place", "death_place_code"]
NOT_FOUND = "note.death_place_not_found"
_NAMES_A_COMMUNE = re.compile(r"\b(xa|x|phuong|p|thi tran|tt|dac khu)\b|\b\d{5}\b")


def place_columns(
    texts: pd.DataFrame, days: pd.Series, unit_ids: pd.Series, *, header: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """residence_unit_id and death_place_unit_id per line, and the notes on places of death that no list of units knows.

    texts : PLACE_TEXTS of the lines; days : of the deaths; unit_ids : where they are registered: its province is meant
        where the text names none; header : heading of the column of places of death, for the notes
    """
    usual = days.where(days.notna(), _day_of_system(unit_ids))
    home = _units(_named_address(texts["address"]), None, usual, unit_ids)
    place = _units(texts["death_place"], texts["death_place_code"], usual, unit_ids, lone_name=True)
    written = texts["death_place"].ne("") | texts["death_place_code"].ne("")
    lost = place.index[written & place.eq("")]
    notes = pd.DataFrame({"row_number": lost}).reindex(columns=NOTE_COLUMNS)
    notes = notes.assign(sheet="", column_name=header, value="", became="", note=NOT_FOUND, fields=[{}] * len(lost))
    found = pd.DataFrame({"residence_unit_id": home, "death_place_unit_id": place}).replace("", pd.NA)
    return found, notes


def _day_of_system(unit_ids: pd.Series) -> pd.Series:
    """A day on which the lists of a unit's system held, for a death without a date."""
    new = unit_ids.fillna("").str.startswith("VN2025")
    return pd.Series(
        np.where(new, np.datetime64(FIRST_DAY_2025), np.datetime64("2024-06-30")), index=unit_ids.index
    ).astype("datetime64[s]")


def _named_address(texts: pd.Series) -> pd.Series:
    """Addresses that name a commune; "Thôn 3" alone is in the commune of the book and names none."""
    codes, distinct = pd.factorize(texts.fillna(""))
    names = np.array([bool(_NAMES_A_COMMUNE.search(fold(text))) for text in distinct], dtype=bool)
    return texts.where(names[codes], "") if len(distinct) else texts


def _units(
    texts: pd.Series, unit_codes: pd.Series | None, days: pd.Series, unit_ids: pd.Series, *, lone_name: bool = False
) -> pd.Series:
    """The commune that each text (or code) names, "" where none can be told."""
    result = pd.Series("", index=texts.index, dtype="str")
    codes = pd.Series("", index=texts.index, dtype="str") if unit_codes is None else unit_codes
    asked = texts.index[texts.ne("") | codes.ne("")]
    if not len(asked):
        return result
    parts = parts_of_texts(texts[asked])
    if lone_name:
        bare = parts.eq("").all(axis=1)
        parts["commune"] = parts["commune"].mask(bare, texts[asked])
    parts["code"] = parts["code"].mask(codes[asked].ne(""), codes[asked])
    unnamed = parts["province"].eq("") & parts["city"].eq("")
    parts["province"] = parts["province"].mask(unnamed, _provinces(unit_ids[asked]))
    known = parts["commune"].ne("") | parts["code"].ne("")
    usual = days[asked].dropna().median() if days[asked].notna().any() else pd.Timestamp(FIRST_DAY_2025)
    result.loc[asked[known]] = find_units(parts[known], days[asked][known], usual.date())["unit_id"]
    return result


def _provinces(unit_ids: pd.Series) -> pd.Series:
    """The province in which each unit lies, "" where that is not known."""
    known = {}
    for unit in unit_ids.dropna().unique():
        rows = _of_system(str(unit).partition(":")[0])
        known[unit] = rows.get(unit, "") if rows is not None else ""
    return unit_ids.map(known).fillna("").astype("str")


def _of_system(system: str) -> pd.Series | None:
    if system not in ("VN2024", "VN2025"):
        return None
    units = places(system).drop_duplicates("unit_id")
    return units.set_index("unit_id")["province_id"]
