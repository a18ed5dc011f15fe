"""Administrative units of Viet Nam with their dates: `VN2024` until 2025-06-30, `VN2025` from 2025-07-01.

A code alone names nothing: 82 is Tiền Giang in VN2024 and Đồng Tháp in VN2025. Units are therefore keyed
by `unit_id` = system:code; `VN` is the nation. Names and types are dated too.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.place_lookup import UnitLookup, build_lookup, resolve
from tkyt_analysis.reference.unit_list import SYSTEMS, base_units
from tkyt_analysis.reference.unit_updates import apply_changes, shipped_changes

FIRST_DAY_2025 = datetime.date(2025, 7, 1)


@dataclass(frozen=True)
class Place:
    """One unit as it is at a date; fields as in `places`, missing dates and points are None."""

    unit_id: str
    system: str
    code: str
    name: str
    full_name: str
    unit_type: str
    level: int
    parent_unit_id: str
    province_id: str
    valid_from: datetime.date | None
    valid_to: datetime.date | None
    latitude: float | None
    longitude: float | None


def system_at(date: datetime.date | str) -> str:
    """The unit system in force on a day: "VN2024" until 2025-06-30, then "VN2025"."""
    return "VN2025" if pd.Timestamp(date) >= pd.Timestamp(FIRST_DAY_2025) else "VN2024"


def places(system: str, *, at: datetime.date | str | None = None, updates: pd.DataFrame | None = None) -> pd.DataFrame:
    """Every unit of a system: the nation, provinces, districts (VN2024 only) and communes.

    Parameters
    ----------
    system : "VN2024" (63 provinces, 696 districts, 10 035 communes) or "VN2025" (34 and 3 321)
    at : names and types as of this day, and only units alive on it; default: the latest known names, all units
    updates : further dated changes, from `read_unit_update`

    Returns
    -------
    One row per unit, in the order of PLACE_COLUMNS. level: 0 nation, 1 province, 2 district, 3 commune.
    unit_type: Vietnamese word in lower case (code list unit_types). parent_unit_id and province_id are ""
    where there is none. valid_from / valid_to: the unit's own life (NaT: open, or not recorded). Points are in
    degrees and exist for VN2025 only (those of the old units come from a geocoder and are not used).

    Source: PyPI vietnamadminunits 1.0.4 (NSO codes), with our overlay (data_catalog/codelists/unit_changes.csv).
    Raises InputError for an unknown system.
    """
    if system not in SYSTEMS:
        raise InputError("error.places.unknown_system", system=system, choices=", ".join(SYSTEMS))
    if updates is None or updates.empty:
        return _places(system, None if at is None else pd.Timestamp(at)).copy()
    return _dated(system, None if at is None else pd.Timestamp(at), updates)


@lru_cache(maxsize=16)
def _places(system: str, at: pd.Timestamp | None) -> pd.DataFrame:
    return _dated(system, at, None)


def _dated(system: str, at: pd.Timestamp | None, updates: pd.DataFrame | None) -> pd.DataFrame:
    changes = shipped_changes()
    if updates is not None:
        changes = pd.concat([changes, updates[changes.columns]], ignore_index=True)
    if at is not None:
        changes = changes[changes["valid_from"] <= at]
    units = apply_changes(base_units(system), changes, system=system)
    if at is not None:
        born = units["valid_from"].isna() | (units["valid_from"] <= at)
        alive = units["valid_to"].isna() | (units["valid_to"] >= at)
        units = units[born & alive].reset_index(drop=True)
    return units


def place(unit_id: str, *, at: datetime.date | str | None = None) -> Place:
    """One unit as of a day (default: its latest name and type). Raises InputError where there is none."""
    system = unit_id.partition(":")[0] if unit_id != "VN" else (system_at(at) if at else "VN2025")
    if system in SYSTEMS:
        units = _places(system, None if at is None else pd.Timestamp(at))
        found = units[units["unit_id"] == unit_id]
        if len(found):
            row = found.astype(object).iloc[0].to_dict()
            row = {key: None if pd.isna(value) else value for key, value in row.items()}
            dates = {key: row[key] and row[key].date() for key in ("valid_from", "valid_to")}
            return Place(**(row | dates))
    raise InputError("error.unknown_place", unit_id=unit_id, date=at or "–")


def unit_type_at(unit_id: str, date: datetime.date | str) -> str:
    """The type of a unit on a day: VN2025:75 is "tỉnh" until 2026-04-29 and "thành phố" from 2026-04-30."""
    return place(unit_id, at=date).unit_type


def regions(system: str) -> pd.DataFrame:
    """The six socio-economic regions: province_id, region_id, name_vi, name_en; one row per province.

    The regions of VN2025 (Resolution 306/NQ-CP of 2025-10-05) are not unions of those of VN2024.
    """
    provinces = read_codelist(f"provinces_{system[2:]}")[["code", "region_id"]]
    names = read_codelist("regions").query("system == @system").drop(columns="system")
    members = provinces.merge(names, on="region_id", validate="many_to_one")
    members.insert(0, "province_id", system + ":" + members.pop("code"))
    return members


FOUND_COLUMNS = ["unit_id", "reason", "note", "fields"]


def find_places(
    values: pd.Series,
    *,
    level: int,
    at: datetime.date | str | pd.Series | None = None,
    system: str | None = None,
    parent: str | pd.Series | None = None,
    named: pd.Series | None = None,
    updates: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The unit that each written code or name means, or the reason why none can be told.

    Parameters
    ----------
    values : codes ("21019"), unit ids ("VN2025:21019") or names ("X. Bình Sơn", with or without accents)
    level : 1 province, 2 district, 3 commune
    at : day of the data (one for all or one per row): decides the unit system and whether the unit was alive
    system : use this system whatever the day; default: `system_at(at)`, and VN2025 where `at` is missing
    parent : unit_id within which to look, of a province or district (one for all or one per row); default: nation
    named : the name written beside a code; a code whose name is that of the other system is refused
    updates : from `read_unit_update`

    Returns
    -------
    One row per value, same index: unit_id ("" where not found), reason (label key, "" where found), note (label
    key where the value was taken not quite as written, else ""), fields (what the sentence of either names).
    Reasons: places.unit_missing, places.unknown_unit, places.duplicate_name, places.unit_not_valid_at_date,
    places.unit_outside_parent, places.unit_code_name_differ.
    """
    dates = _per_row(at, values.index)
    days = pd.to_datetime(dates, errors="coerce").astype("datetime64[s]")
    of_day = pd.Series("VN2025", index=values.index).where(days.isna() | (days >= "2025-07-01"), "VN2024")
    asked = pd.DataFrame(
        {
            "value": values.astype("str").fillna("").str.strip(),
            "system": system or of_day,
            "parent": _per_row(parent, values.index).fillna("").replace("", "VN"),
            "named": "" if named is None else named.astype("str").fillna("").str.strip(),
        }
    )
    lookups = {name: _lookup(name, level) if updates is None else _new_lookup(name, level, updates) for name in SYSTEMS}
    distinct = asked.drop_duplicates()
    answers = [resolve(lookups, level, *row) for row in distinct.itertuples(index=False)]
    distinct = distinct.assign(**pd.DataFrame(answers, columns=FOUND_COLUMNS, index=distinct.index))
    found = asked.merge(distinct, on=list(asked.columns), how="left", validate="many_to_one")
    found.index = values.index
    return _alive(found, days, updates)[FOUND_COLUMNS]


def _per_row(value: object, index: pd.Index) -> pd.Series:
    return value if isinstance(value, pd.Series) else pd.Series([value] * len(index), index=index, dtype=object)


def _alive(found: pd.DataFrame, days: pd.Series, updates: pd.DataFrame | None) -> pd.DataFrame:
    """Units that an update closed before, or opened after, the day of the row are not valid on it."""
    if updates is None or updates.empty:
        return found
    units = pd.concat([places(system, updates=updates) for system in SYSTEMS]).drop_duplicates("unit_id")
    life = units.set_index("unit_id").reindex(found["unit_id"])
    start, end = (pd.Series(life[column].array, index=found.index) for column in ("valid_from", "valid_to"))
    dead = ((days < start) | (days > end)).fillna(False)
    names = pd.Series(life["full_name"].array, index=found.index)
    fields = [{"value": value, "unit": name} for value, name in zip(found["value"][dead], names[dead])]
    found.loc[dead, "fields"] = pd.Series(fields, index=found.index[dead], dtype=object)
    found.loc[dead, ["unit_id", "reason", "note"]] = ["", "places.unit_not_valid_at_date", ""]
    return found


@lru_cache(maxsize=8)
def _lookup(system: str, level: int) -> UnitLookup:
    return build_lookup(pd.concat([_places(system, None), base_units(system)]), level)


def _new_lookup(system: str, level: int, updates: pd.DataFrame) -> UnitLookup:
    return build_lookup(pd.concat([places(system, updates=updates), base_units(system)]), level)
