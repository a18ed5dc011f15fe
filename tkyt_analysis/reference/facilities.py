"""Health facilities with dated lives: opened, merged into another, closed. The ministry supplies the list.

A facility is keyed by its KCB code (`KCB:51Z01`). The first two digits are a province of before 2025 and say nothing
about where the facility lies today: that is `unit_id`.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_date
from tkyt_analysis.reference.places import find_places
from tkyt_analysis.reference.supplied_table import (
    problem_rows,
    read_dates,
    read_supplied_table,
)

KCB_CODE = r"[0-9]{2}[0-9A-Z]{3}"
FACILITY_COLUMNS = [
    "facility_id", "name", "facility_type", "unit_id", "valid_from", "valid_to", "merged_into", "latitude", "longitude",
]  # fmt: skip
_FIRST, _LAST = pd.Timestamp("1800-01-01"), pd.Timestamp("2999-12-31")
_LAST_DAY_2024 = pd.Timestamp("2025-06-30")


def read_facilities(path: str | Path, *, updates: pd.DataFrame | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The facility list of a CSV or Excel file, checked.

    Columns of the file (headers: code list facility_columns): KCB code, name, type, commune, start, end, merged
    into, latitude, longitude. One facility may have several rows whose dates follow one another (a move, or the
    change of communes on 2025-07-01). A commune may be a unit id, a code or a name; it is looked up in the
    list in force on the last day of the life (today's list where the facility is open).

    Returns
    -------
    facilities : FACILITY_COLUMNS, sorted by facility_id and valid_from; dates NaT where open or not known;
        facility_type as written; merged_into a facility_id or ""
    problems : PROBLEM_COLUMNS, one row per row refused. facilities + problems = rows of the file.
    Raises InputError where the file has no such columns.
    """
    rows = read_supplied_table(path, headers="facility_columns", required=["code", "name", "unit"])
    for column in ("code", "merged_into"):
        rows[column] = rows[column].str.removeprefix("KCB:")
    rows["start"], rows["end"] = read_dates(rows["valid_from"]), read_dates(rows["valid_to"])
    for column in ("latitude", "longitude"):
        rows[f"{column}_degrees"] = pd.to_numeric(rows[column].str.replace(",", "."), errors="coerce")
    rows = rows.join(_units(rows, updates))
    problems = check_facilities(rows)
    good = rows[~rows["row_number"].isin(problems["row_number"])]
    return _facilities(good), problems


def _units(rows: pd.DataFrame, updates: pd.DataFrame | None) -> pd.DataFrame:
    """unit_id, and why there is none (unit_reason, unit_fields), as of the last day of each life."""
    digits = rows["unit"].str.extract(r"^(?:VN20\d\d:)?(\d+)$")[0].fillna("")
    level = digits.str.len().map({2: 1, 3: 2}).fillna(3)
    day = rows["end"].fillna(_LAST)
    day = day.mask(rows["unit"].str.startswith("VN2024:"), day.clip(upper=_LAST_DAY_2024))
    found = pd.concat(
        [find_places(rows.loc[level == n, "unit"], level=n, at=day[level == n], updates=updates) for n in (1, 2, 3)]
    ).reindex(rows.index)
    return found.rename(columns={"reason": "unit_reason", "fields": "unit_fields"}).drop(columns="note")


def check_facilities(rows: pd.DataFrame) -> pd.DataFrame:
    """The first thing that forbids each row of a facility list: PROBLEM_COLUMNS, at most one problem per row."""
    merged = rows["merged_into"] != ""
    unreadable = {
        name: (rows[written] != "") & rows[name].isna()
        for name, written in (("start", "valid_from"), ("end", "valid_to"))
    }
    outside = {
        name: (rows[name] != "") & ~rows[f"{name}_degrees"].between(*limits)
        for name, limits in (("latitude", (6, 24)), ("longitude", (102, 118)))
    }
    target_end = _last_end(rows).reindex(rows["merged_into"]).array
    in_circle = rows["code"].isin(_in_circles(rows)) | (rows["code"] == rows["merged_into"])
    overlap, other = _overlapping(rows)
    checks = [
        ("code", "facilities.code_format", ~rows["code"].str.fullmatch(KCB_CODE), {}),
        ("name", "facilities.name_missing", rows["name"] == "", {}),
        ("valid_from", "facilities.date_unreadable", unreadable["start"], {}),
        ("valid_to", "facilities.date_unreadable", unreadable["end"], {}),
        ("valid_to", "facilities.ends_before_start", rows["end"] < rows["start"], {"start": rows["valid_from"]}),
        ("latitude", "facilities.point_outside", outside["latitude"], {}),
        ("longitude", "facilities.point_outside", outside["longitude"], {}),
        ("merged_into", "facilities.merged_unknown", merged & ~rows["merged_into"].isin(rows["code"]), {}),
        ("merged_into", "facilities.merged_without_end", merged & rows["end"].isna(), {}),
        ("merged_into", "facilities.merged_in_circle", merged & in_circle, {}),
        ("merged_into", "facilities.merged_into_closed", merged & (target_end < rows["end"]),
         {"date": pd.Series(target_end, index=rows.index).map(format_date)}),
        ("code", "facilities.lives_overlap", overlap, {"other": other}),
    ]  # fmt: skip
    found = [problem_rows(rows, bad, column, reason, **fields) for column, reason, bad, fields in checks]
    found.insert(2, _unit_problems(rows))
    return pd.concat(found).drop_duplicates("row_number").sort_values("row_number", ignore_index=True)


def _unit_problems(rows: pd.DataFrame) -> pd.DataFrame:
    problems = problem_rows(rows, rows["unit_id"] == "", "unit", "")
    chosen = rows.loc[problems.index]
    return problems.assign(reason=chosen["unit_reason"], fields=chosen["unit_fields"])


def _overlapping(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Rows that begin before an earlier life of the same facility has ended, and the row of that life."""
    lives = rows.assign(start=rows["start"].fillna(_FIRST), end=rows["end"].fillna(_LAST))
    lives = lives.sort_values(["code", "start", "row_number"])
    by_code = lives.groupby("code")
    latest_end = by_code["end"].cummax().groupby(lives["code"]).shift()
    overlap = (latest_end >= lives["start"]).reindex(rows.index)
    return overlap, by_code["row_number"].shift().reindex(rows.index).astype("Int64")


def _last_end(rows: pd.DataFrame) -> pd.Series:
    """Last day of each facility by code; far in the future where a life is open."""
    return rows["end"].fillna(_LAST).groupby(rows["code"]).max()


def _links(codes: pd.Series, merged_into: pd.Series) -> pd.Series:
    """The facility into which each merged, itself where it did not: indexed by code."""
    links = merged_into.where(merged_into != "", codes).groupby(codes.to_numpy()).last()
    return links.where(links.isin(links.index), links.index.to_series())


def _followed(links: pd.Series) -> pd.Series:
    """`links` followed to their end, by doubling the stride; a circle leads round for ever and stays inside it."""
    for _ in range(max(len(links), 1).bit_length()):
        links = pd.Series(links.reindex(links.array).array, index=links.index)
    return links


def _in_circles(rows: pd.DataFrame) -> pd.Series:
    links = _links(rows["code"], rows["merged_into"])
    ends = _followed(links)
    return ends[links.reindex(ends.array).array != ends.array]


def _facilities(rows: pd.DataFrame) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "facility_id": "KCB:" + rows["code"],
            "name": rows["name"],
            "facility_type": rows["facility_type"],
            "unit_id": rows["unit_id"],
            "valid_from": rows["start"],
            "valid_to": rows["end"],
            "merged_into": ("KCB:" + rows["merged_into"]).where(rows["merged_into"] != "", ""),
            "latitude": rows["latitude_degrees"],
            "longitude": rows["longitude_degrees"],
        }
    )
    return table.sort_values(["facility_id", "valid_from"], na_position="first", ignore_index=True)


def facilities_at(table: pd.DataFrame, date: datetime.date | str) -> pd.DataFrame:
    """The rows of a facility table that are alive on a day; an empty date is an open end."""
    day = pd.Timestamp(date)
    begun = table["valid_from"].isna() | (table["valid_from"] <= day)
    return table[begun & (table["valid_to"].isna() | (table["valid_to"] >= day))].reset_index(drop=True)


def successors(table: pd.DataFrame) -> pd.Series:
    """The facility that carries on each one today, mergers followed to their end: facility_id -> facility_id.

    A facility that never merged is its own successor, also when it closed.
    """
    last = table.sort_values("valid_from", na_position="first", kind="stable")
    return _followed(_links(last["facility_id"], last["merged_into"])).rename("successor_id")


def successor(table: pd.DataFrame, facility_id: str) -> str:
    """The facility that carries on `facility_id` today. Raises InputError where the list does not have it."""
    found = successors(table)
    if facility_id not in found.index:
        raise InputError("error.facilities.unknown", facility_id=facility_id)
    return str(found[facility_id])
