"""Changes of the unit list after 2025-07-01: our own dated rows, and the files the statistics office publishes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.reference.supplied_table import (
    PROBLEM_COLUMNS,
    problem_rows,
    read_dates,
    read_supplied_table,
)
from tkyt_analysis.reference.vietnamese_text import fold_series

SYSTEM = "VN2025"
CHANGE_COLUMNS = [
    "system",
    "code",
    "valid_from",
    "action",
    "name",
    "unit_type",
    "parent_code",
    "successor_code",
    "reference",
]
_NEEDED = {"new": ["name", "unit_type"], "rename": ["name"], "retype": ["unit_type"], "merge": ["successor_code"]}
_DAY = pd.Timedelta(days=1)


@cache
def shipped_changes() -> pd.DataFrame:
    """The rows of unit_changes.csv as changes: CHANGE_COLUMNS, `valid_from` a date."""
    changes = read_codelist("unit_changes")
    changes["valid_from"] = read_dates(changes["valid_from"])
    return changes.reindex(columns=CHANGE_COLUMNS).fillna({"parent_code": "", "successor_code": ""})


def read_unit_update(path: str | Path, units: pd.DataFrame | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Dated changes of the unit list from a CSV or Excel file of the statistics office.

    Columns of the file (headers: code list unit_update_columns): code, name, type, parent code, from-date,
    action (new, rename, retype, merge, close; Vietnamese words in unit_update_actions), receiving unit, document.

    Parameters
    ----------
    units : unit list that the changes apply to; default `places("VN2025")`

    Returns
    -------
    changes : CHANGE_COLUMNS, one row per change that can be applied by `places(system, updates=…)`
    problems : PROBLEM_COLUMNS, one row per row that was refused. changes + problems = rows of the file.
    Raises InputError where the file has no such columns.
    """
    if units is None:
        from tkyt_analysis.reference.places import places

        units = places(SYSTEM)
    rows = read_supplied_table(path, headers="unit_update_columns", required=["code", "valid_from", "action"])
    written = read_codelist("unit_update_actions")
    words = written["action"].set_axis(fold_series(written["written"]))
    rows["action_written"], rows["action"] = rows["action"], fold_series(rows["action"]).map(words).fillna("")
    rows["date"] = read_dates(rows["valid_from"])
    rows["unit_type"] = rows["unit_type"].str.lower()
    problems = check_unit_update(rows, units)
    good = rows[~rows["row_number"].isin(problems["row_number"])].assign(system=SYSTEM)
    changes = good.drop(columns="valid_from").rename(columns={"date": "valid_from"})
    return changes[CHANGE_COLUMNS].sort_values("valid_from", kind="stable", ignore_index=True), problems


def check_unit_update(rows: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """The first thing that forbids each row: PROBLEM_COLUMNS, at most one problem per row."""
    known = units.set_index("code")
    new = rows[rows["action"] == "new"]
    created = new.drop_duplicates("code").set_index("code")["date"]
    ended = _end_dates(rows, known)
    level = pd.Series(1, index=rows.index).where(rows["code"].str.len() == 2, 3)
    is_new = rows["action"] == "new"
    parent_known = rows["parent_code"].isin(known.index[known["level"] == 1]) | rows["parent_code"].isin(created.index)
    first_day = pd.Timestamp("2025-07-01")
    checks = [
        ("code", "places.update_code_format", ~rows["code"].str.fullmatch(r"\d{2}|\d{5}")),
        ("action_written", "places.update_action_unknown", rows["action"] == ""),
        ("valid_from", "places.update_date_unreadable", rows["date"].isna()),
        ("valid_from", "places.update_date_too_early", rows["date"] < first_day),
        ("code", "places.update_code_reused", is_new & (rows["code"].isin(known.index) | _again(rows))),
        ("code", "places.update_code_unknown", ~is_new & ~_born(rows, known, created)),
        ("code", "places.update_unit_closed", ~is_new & (rows["date"] > _of(ended, rows["code"]))),
        *[
            (column, "places.update_value_missing", (rows["action"] == action) & (rows[column] == ""))
            for action, columns in _NEEDED.items()
            for column in columns
        ],
        ("unit_type", "places.update_type_unknown", rows["action"].isin(["new", "retype"]) & ~_legal_type(rows, level)),
        ("parent_code", "places.update_parent_unknown", is_new & (level == 3) & ~parent_known),
        ("parent_code", "places.update_parent_closed", is_new & (rows["date"] > _of(ended, rows["parent_code"]))),
        (
            "successor_code",
            "places.update_successor_unknown",
            (rows["action"] == "merge") & ~_good_successor(rows, known, created),
        ),
        (
            "code",
            "places.update_children_left",
            rows["action"].isin(["merge", "close"]) & _has_children(rows, known, ended),
        ),
        ("code", "places.update_stated_twice", rows.duplicated(["code", "valid_from", "action"])),
    ]
    found = [problem_rows(rows, bad.fillna(False), column, reason) for column, reason, bad in checks]
    problems = pd.concat(found, ignore_index=True).drop_duplicates("row_number")
    problems["column_name"] = problems["column_name"].replace("action_written", "action")
    return problems.sort_values("row_number", ignore_index=True)[PROBLEM_COLUMNS]


def _of(values: pd.Series, codes: pd.Series) -> pd.Series:
    """`values` (indexed by code) for each of `codes`; unlike `Series.map`, also where `values` is empty."""
    return pd.Series(values.reindex(codes).array, index=codes.index)


def _again(rows: pd.DataFrame) -> pd.Series:
    return rows["code"].where(rows["action"] == "new").pipe(lambda codes: codes.notna() & codes.duplicated())


def _born(rows: pd.DataFrame, known: pd.DataFrame, created: pd.Series) -> pd.Series:
    return rows["code"].isin(known.index) | (rows["date"] >= _of(created, rows["code"]))


def _end_dates(rows: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    """The latest day a change of each ended unit may bear: that of the change which ends it."""
    ends = rows[rows["action"].isin(["merge", "close"])].groupby("code")["date"].min()
    earlier = known["valid_to"].dropna()
    return pd.concat([earlier, ends[~ends.index.isin(earlier.index)]])


def _legal_type(rows: pd.DataFrame, level: pd.Series) -> pd.Series:
    types = read_codelist("unit_types")
    legal = set(types["level"] + " " + types["unit_type"])
    return (level.astype(str) + " " + rows["unit_type"]).isin(legal)


def _good_successor(rows: pd.DataFrame, known: pd.DataFrame, created: pd.Series) -> pd.Series:
    successor = rows["successor_code"]
    exists = successor.isin(known.index) | successor.isin(created.index)
    return exists & (successor != rows["code"]) & (successor.str.len() == rows["code"].str.len())


def _has_children(rows: pd.DataFrame, known: pd.DataFrame, ended: pd.Series) -> pd.Series:
    living = known[~known.index.isin(ended.index)]
    return rows["code"].isin(living.loc[living["level"] == 3, "province_id"].str.partition(":")[2])


def apply_changes(units: pd.DataFrame, changes: pd.DataFrame, *, system: str) -> pd.DataFrame:
    """`units` after dated `changes`: new rows, latest names and types, `valid_to` of what was merged or closed."""
    changes = changes[changes["system"] == system].sort_values("valid_from", kind="stable")
    new = changes[changes["action"] == "new"]
    units = pd.concat([units, _new_units(new, system)], ignore_index=True).astype(units.dtypes)
    for action, column in (("rename", "name"), ("retype", "unit_type")):
        latest = changes[changes["action"] == action].groupby("code")[column].last()
        units[column] = _of(latest, units["code"]).fillna(units[column])
    ends = changes[changes["action"].isin(["merge", "close"])].groupby("code")["valid_from"].min() - _DAY
    units["valid_to"] = _of(ends, units["code"]).fillna(units["valid_to"]).astype("datetime64[s]")
    changed = units["code"].isin(changes["code"])
    units.loc[changed, "full_name"] = full_name(units[changed])
    return units


def _new_units(new: pd.DataFrame, system: str) -> pd.DataFrame:
    is_province = new["code"].str.len() == 2
    parent = (system + ":" + new["parent_code"]).where(~is_province, "VN")
    return pd.DataFrame(
        {
            "unit_id": system + ":" + new["code"],
            "system": system,
            "code": new["code"],
            "name": new["name"],
            "full_name": "",
            "unit_type": new["unit_type"],
            "level": (3 - 2 * is_province).astype("int64"),
            "parent_unit_id": parent,
            "province_id": parent.where(~is_province, system + ":" + new["code"]),
            "valid_from": new["valid_from"],
            "valid_to": pd.Series(pd.NaT, index=new.index, dtype="datetime64[s]"),
            "latitude": float("nan"),
            "longitude": float("nan"),
        }
    )


def full_name(units: pd.DataFrame) -> pd.Series:
    """Type and name; a name that already begins with its type (wards known by a number) stays."""
    title = units["unit_type"].str[:1].str.upper() + units["unit_type"].str[1:]
    joined = title + " " + units["name"]
    repeated = [name.startswith(start) for name, start in zip(units["name"], title)]
    return joined.where(~pd.Series(repeated, index=units.index, dtype=bool), units["name"])
