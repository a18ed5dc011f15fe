"""A line list of people, apart: what analysis may see, and who the people are (restricted store).

The analysis rows carry `record_id` and `person_key`, which are stored as keyed hashes only, and of the date of birth the year
and the age in months at the event.
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from tkyt_analysis.catalog.entries import Dataset
from tkyt_analysis.reference.vietnamese_text import fold

IDENTITY_COLUMNS = ("full_name", "birth_date", "address", "id_number", "phone", "insurance_number", "guardian_name")


def split_people(rows: pa.Table, entry: Dataset) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(rows of the entry's table without identifiers, rows of record_identity)."""
    frame = rows.to_pandas()
    key = frame["sheet"].astype("str") + "#" + frame["row_number"].astype("str")
    people = frame[["sheet", "row_number"]].assign(record_key=key, dataset_id=entry.id)
    for name in IDENTITY_COLUMNS:
        if name in entry.identifiers and name in frame:
            people[name] = _as_text(frame[name])
    kept = frame.drop(columns=[name for name in entry.identifiers if name in frame])
    kept["record_key"] = key
    if entry.person:
        kept["person_key"] = _person_key(frame, entry.person)
    return _with_age(kept, frame, entry), people


def _with_age(kept: pd.DataFrame, frame: pd.DataFrame, entry: Dataset) -> pd.DataFrame:
    """birth_year, and age_months in whole months at the event, where the entry has these columns."""
    if "birth_date" not in frame or "birth_year" not in entry.columns:
        return kept
    born = pd.to_datetime(frame["birth_date"])
    kept["birth_year"] = born.dt.year.astype("Int64")
    if entry.event_date and entry.event_date in frame and "age_months" in entry.columns:
        event = pd.to_datetime(frame[entry.event_date])
        months = (event.dt.year - born.dt.year) * 12 + event.dt.month - born.dt.month - (event.dt.day < born.dt.day)
        kept["age_months"] = months.astype("Int64")
    return kept


def _as_text(values: pd.Series) -> pd.Series:
    return values.map(lambda value: None if value is None or value != value else str(value)[:500]).astype("object")


def _person_key(frame: pd.DataFrame, names: tuple[str, ...]) -> list[str | None]:
    """Folded parts of a person's name, birth and sex joined; nothing where one of them is missing."""
    if not set(names) <= set(frame.columns):
        return [None] * len(frame)
    parts = [[None if v is None or v != v else fold(str(v)) for v in frame[name]] for name in names]
    return ["|".join(one) if all(one) else None for one in zip(*parts, strict=True)]


def withheld(rows: pd.DataFrame, entry: Dataset) -> pd.DataFrame:
    """Quarantine rows or notes: the values of identifiers are not repeated outside the restricted store."""
    hidden = rows["column_name"].isin(entry.identifiers)
    if not hidden.any():
        return rows
    rows = rows.copy()
    shown = ("value", "became") if "became" in rows else ("value",)
    for name in shown:
        rows.loc[hidden, name] = "•••"
    rows["fields"] = [
        fields | {"value": "•••", "unit": "•••"} if hide else fields
        for fields, hide in zip(rows["fields"], hidden, strict=True)
    ]
    return rows
