"""From a written code or name to a unit: one dictionary per system and level, searched strict key first."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import Any

import pandas as pd

from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.reference.unit_list import CODE_WIDTH, PROVINCE
from tkyt_analysis.reference.unit_names import WrittenName, accented_key, folded_key, written_names

_CODE = re.compile(r"(\d{1,5})(?:\.0)?")
_UNIT_ID = re.compile(r"(VN20\d\d):(\d+)")
Answer = tuple[str, str, str, dict[str, Any]]


@dataclass
class UnitLookup:
    """The units of one system and level: by code, and by (scope, key of the name); a scope is a parent's id."""

    by_code: dict[str, str] = field(default_factory=dict)
    by_name: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    full_name: dict[str, str] = field(default_factory=dict)
    scopes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def named(self, text: str, level: int, scope: str) -> tuple[list[str], str]:
        """Units of `scope` whose name is `text` under the strictest key that finds any, and that key."""
        readings = written_names(text, level)
        keys = [key for reading in readings for key in reading.search_keys()]
        for key in sorted(keys, key=lambda key: key[0] != "a"):
            if units := self.by_name.get((scope, key)):
                return units, key
        return [], ""

    def nearest(self, text: str, scope: str) -> str:
        """The full name in `scope` that looks most like `text`; "–" where none does, or no parent is known."""
        if scope == "VN" and len(self.by_code) > 100:
            return "–"
        names = {folded_key(self.full_name[unit]): unit for unit, scopes in self.scopes.items() if scope in scopes}
        found = get_close_matches(folded_key(text), list(names), n=1, cutoff=0.75)
        return self.full_name[names[found[0]]] if found else "–"


def build_lookup(units: pd.DataFrame, level: int) -> UnitLookup:
    """The dictionaries of one level; `units` may name a unit several times, each of its names is known."""
    lookup = UnitLookup(full_name=dict(units.drop_duplicates("unit_id")[["unit_id", "full_name"]].to_numpy()))
    units = units[units["level"] == level].drop_duplicates(["unit_id", "full_name"])
    columns = ["unit_id", "code", "full_name", "parent_unit_id", "province_id"]
    for unit_id, code, full_name, parent, province in units[columns].itertuples(index=False):
        scopes = tuple(dict.fromkeys((parent, province, "VN"))) if level > PROVINCE else ("VN",)
        lookup.by_code[code] = unit_id
        lookup.scopes[unit_id] = scopes
        keys = written_names(full_name, level)[0].search_keys()
        aliases = _aliases().get(folded_key(full_name), []) if level == PROVINCE else []
        for key in dict.fromkeys([*keys, *aliases]):
            for scope in scopes:
                units_there = lookup.by_name.setdefault((scope, key), [])
                if unit_id not in units_there:
                    units_there.append(unit_id)
    return lookup


@cache
def _aliases() -> dict[str, list[str]]:
    """Keys of the aliases of a province, by the folded key of its full name (both types)."""
    found: dict[str, list[str]] = {}
    for name, alias in read_codelist("place_aliases").itertuples(index=False):
        keys = WrittenName("", accented_key(alias), folded_key(alias)).search_keys()
        for kind in ("tinh", "thanhpho"):
            found.setdefault(kind + folded_key(name), []).extend(keys)
    return found


def resolve(lookups: dict[str, UnitLookup], level: int, value: str, system: str, parent: str, named: str) -> Answer:
    """(unit_id, reason, note, fields) of one written value."""
    if not value:
        return _refused("places.unit_missing", value)
    if match := _UNIT_ID.fullmatch(value):
        if match[1] != system:
            return _other_system(lookups, match[1], match[2], value, system)
        value = match[2]
    if match := _CODE.fullmatch(value):
        return _by_code(lookups, level, value, match[1], system, parent, named)
    return _by_name(lookups, level, value, system, parent)


def _by_code(
    lookups: dict[str, UnitLookup], level: int, value: str, digits: str, system: str, parent: str, named: str
) -> Answer:
    here, width = lookups[system], CODE_WIDTH[level]
    if len(digits) < width and len(units := here.named(value, level, parent)[0]) == 1:
        return units[0], "", "", {}  # "4" in a city is Phường 4
    code = digits.zfill(width)
    unit_id = here.by_code.get(code, "")
    if not unit_id:
        other = next(name for name in lookups if name != system)
        if code in lookups[other].by_code:
            return _other_system(lookups, other, code, value, system)
        return _refused("places.unknown_unit", value, system=system, nearest="–")
    if parent not in here.scopes[unit_id]:
        return _refused(
            "places.unit_outside_parent", value, unit=here.full_name[unit_id], parent=here.full_name.get(parent, parent)
        )
    if named and unit_id not in here.named(named, level, "VN")[0]:
        return _name_differs(lookups, level, code, value, system, named)
    note = "" if code == value else "places.note_code_zeros"
    return unit_id, "", note, {"value": value, "unit": here.full_name[unit_id], "code": code} if note else {}


def _name_differs(lookups: dict[str, UnitLookup], level: int, code: str, value: str, system: str, named: str) -> Answer:
    """The name beside the code is another's: that of the same code in the other system, or a mistake."""
    other = next(name for name in lookups if name != system)
    there = lookups[other].by_code.get(code)
    if there and there in lookups[other].named(named, level, "VN")[0]:
        return _other_system(lookups, other, code, value, system)
    unit = lookups[system].full_name[lookups[system].by_code[code]]
    return _refused("places.unit_code_name_differ", value, named=named, unit=unit, system=system)


def _by_name(lookups: dict[str, UnitLookup], level: int, value: str, system: str, parent: str) -> Answer:
    here = lookups[system]
    units, key = here.named(value, level, parent)
    if len(units) > 1:
        shown = ", ".join(f"{here.full_name[unit]} ({unit.partition(':')[2]})" for unit in units[:5])
        return _refused(
            "places.duplicate_name", value, count=len(units), units=shown, parent=here.full_name.get(parent, parent)
        )
    if units:
        note = "places.note_name_without_accents" if key.startswith("f:") else ""
        return units[0], "", note, {"value": value, "unit": here.full_name[units[0]]} if note else {}
    for other in lookups:
        for scope in _counterparts(parent, other) if other != system else []:
            if there := lookups[other].named(value, level, scope)[0]:
                return _other_system(lookups, other, there[0].partition(":")[2], value, system)
    return _refused("places.unknown_unit", value, system=system, nearest=here.nearest(value, parent))


@cache
def _counterparts(parent: str, other: str) -> list[str]:
    """The provinces of the other system that hold the area of a province; the nation for the nation."""
    system, _, code = parent.partition(":")
    if system == "VN":
        return ["VN"]
    merge = read_codelist("provinces_2024")
    if system == other:
        return [parent]
    if system == "VN2024":
        return list("VN2025:" + merge.loc[merge["code"] == code, "code_2025"])
    return list("VN2024:" + merge.loc[merge["code_2025"] == code, "code"])


def _other_system(lookups: dict[str, UnitLookup], other: str, code: str, value: str, system: str) -> Answer:
    unit_id = lookups[other].by_code.get(code) if other in lookups else None
    if unit_id is None:
        return _refused("places.unknown_unit", value, system=system, nearest="–")
    return _refused("places.unit_not_valid_at_date", value, unit=f"{lookups[other].full_name[unit_id]} ({unit_id})")


def _refused(reason: str, value: str, **fields: Any) -> Answer:
    return "", reason, "", {"value": value, **fields}
