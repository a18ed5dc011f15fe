"""Which units an account's scope covers, in both unit systems: what was merged in 2025 keeps its past.

* A province of 2025 covers its communes and all of the old provinces that went into it.
* A commune of 2025 covers the old communes that went there whole, and of the divided ones those of which it is the
  default target (where most of it is taken to have gone): every old commune belongs to exactly one new one, the same as in
  releases and figures. Another successor that needs the past of a divided commune asks for it (a granted place).
* An account of an old unit covers that unit and what is below it; of the new units only those whose whole past lies
  within it: an old province sees its communes of 2025, but not the merged province.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

NATION = "VN"
SYSTEMS = ("VN2024", "VN2025")


@lru_cache(maxsize=1)
def _links() -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]], frozenset[str]]:
    """(unit → units directly below it or its past, new unit → its whole past, all known units)."""
    from tkyt_analysis.reference.geography import crosswalk, province_merge
    from tkyt_analysis.reference.places import places

    below: dict[str, list[str]] = {}
    known = {NATION}
    for system in SYSTEMS:
        for unit, parent in places(system)[["unit_id", "parent_unit_id"]].itertuples(index=False):
            known.add(unit)
            if parent and parent != NATION:
                below.setdefault(parent, []).append(unit)
    edges = crosswalk()
    past: dict[str, list[str]] = {}
    for old, new in edges[["old_unit_id", "new_unit_id"]].itertuples(index=False):
        past.setdefault(new, []).append(old)
    for old, new in edges.loc[edges["is_default"], ["old_unit_id", "new_unit_id"]].itertuples(index=False):
        below.setdefault(new, []).append(old)
    for old, new in province_merge().itertuples(index=False):
        below.setdefault(new, []).append(old)
    return _frozen(below), _frozen(past), frozenset(known)


def _frozen(lists: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(values) for key, values in lists.items()}


def is_known(unit: str) -> bool:
    """Whether a unit id names a unit of Viet Nam's lists, or belongs to another code system (a facility, a DHIS2 unit)."""
    system, _, code = unit.partition(":")
    if system in SYSTEMS or unit == NATION:
        return unit in _links()[2]
    return bool(system and code)


@lru_cache(maxsize=256)
def covered_units(units: frozenset[str]) -> frozenset[str]:
    """The units with everything below them and their past (units of other code systems: themselves)."""
    below, past, known = _links()
    if NATION in units:
        return known | units
    found: set[str] = set()
    waiting = list(units)
    while waiting:
        unit = waiting.pop()
        if unit not in found:
            found.add(unit)
            waiting += below.get(unit, ())
    grown = {new for new, olds in past.items() if new not in found and all(old in found for old in olds)}
    return frozenset(found | grown)


def within(unit: str, units: frozenset[str], above: Iterable[str] = ()) -> bool:
    """Whether a unit lies in a scope. `above`: units known to contain it (of a facility: its commune and province)."""
    covered = covered_units(units)
    return unit in covered or any(one in covered for one in above)


def visible_units(units: frozenset[str], table: pd.DataFrame) -> frozenset[str]:
    """The covered units and, by the unit table of a home or release, units of other systems that lie below one of them.

    table : columns unit_id, parent_unit_id, province_id
    """
    covered = set(covered_units(units))
    other = table[~table["unit_id"].str.startswith(tuple(f"{system}:" for system in SYSTEMS))]
    other = other[other["unit_id"].ne(NATION) & ~other["unit_id"].isin(covered)]
    while True:
        inside = other["parent_unit_id"].isin(covered) | other["province_id"].isin(covered)
        if not inside.any():
            return frozenset(covered)
        covered |= set(other.loc[inside, "unit_id"])
        other = other[~inside]


def whole_provinces(units: frozenset[str]) -> frozenset[str]:
    """The provinces of 2025 that a scope covers as a whole."""
    return frozenset(
        unit for unit in covered_units(units) if unit.startswith("VN2025:") and len(unit) == len("VN2025:51")
    )
