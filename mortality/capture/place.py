"""For which commune is it entered, and may the account do that: asked anew at every step, never taken from the page."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tkyt_analysis.access import NATION, Account, current_account, require
from tkyt_analysis.access.scopes import covered_units
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.vietnamese_text import fold

SYSTEMS = ("VN2025", "VN2024")
COMMUNE = 3
MOST = 30


@dataclass(frozen=True)
class Workplace:
    """A commune whose book is written: names with their type words, and until when it exists (None: still)."""

    unit_id: str
    code: str
    name: str
    above: str  # "tỉnh Quảng Ngãi" or "huyện Bình Sơn, tỉnh Quảng Ngãi"
    valid_from: datetime.date | None
    valid_to: datetime.date | None

    @property
    def title(self) -> str:
        return f"{self.name}, {self.above}"


@cache
def _communes() -> tuple[tuple[str, str, str], ...]:
    """(unit_id, folded name with what is above it, folded code) of every commune, today's before those of before 2025-07."""
    from tkyt_analysis.reference.places import places

    found: list[tuple[str, str, str]] = []
    for system in SYSTEMS:
        table = places(system).set_index("unit_id")
        names = table["full_name"].to_dict()
        rows = table[table["level"].eq(COMMUNE)].reset_index()
        for unit, name, parent, province in rows[["unit_id", "full_name", "parent_unit_id", "province_id"]].itertuples(
            index=False
        ):
            above = [names.get(one, "") for one in dict.fromkeys((parent, province))]
            found.append((str(unit), fold(f"{name}, {', '.join(above)}"), str(unit).partition(":")[2]))
    return tuple(found)


def workplace(unit_id: str) -> Workplace:
    """The commune of a unit id. Raises InputError where it is none."""
    from tkyt_analysis.reference.places import place

    here = place(unit_id)
    if here.level != COMMUNE:
        raise InputError("error.capture_no_commune", unit=unit_id, name=here.full_name)
    above = [place(one).full_name for one in dict.fromkeys((here.parent_unit_id, here.province_id)) if one]
    return Workplace(here.unit_id, here.code, here.full_name, ", ".join(above), here.valid_from, here.valid_to)


def find_workplaces(account: Account, text: str, *, most: int = MOST) -> list[Workplace]:
    """The communes of the account's scope that a text names (without accents too) or whose code it is, at most `most`."""
    wanted = fold(text).split()
    seen = None if account.scope.nation or NATION in account.scope.units else covered_units(account.scope.units)
    found: list[str] = []
    for unit, name, code in _communes():
        if len(found) == most:
            break
        if (seen is None or unit in seen) and (text.strip() == code or all(word in name for word in wanted)):
            found.append(unit)
    return [workplace(unit) for unit in found]


def only_workplace(account: Account) -> str:
    """The commune of an account that works for one commune alone, else ""."""
    if account.scope.nation or len(account.scope.units) != 1:
        return ""
    (unit,) = account.scope.units
    try:
        return workplace(unit).unit_id
    except InputError:
        return ""


def workplaces_with_books(home: Path, account: Account, *, most: int = 12) -> list[Workplace]:
    """The communes of the scope that have death records in the home, those with the latest deaths first."""
    from tkyt_analysis.access.warehouse_view import scoped_warehouse

    if not (Path(home) / "warehouse").exists():
        return []
    with scoped_warehouse(home, account) as view:
        rows = view.warehouse.con.execute(
            f"SELECT unit_id FROM lake.death WHERE source = 'a6' AND {view.units()} "
            "AND regexp_matches(unit_id, '^VN20(24|25):[0-9]{5}$') GROUP BY 1 ORDER BY max(death_date) DESC, 1 LIMIT ?",
            [most],
        ).fetchall()
    return [workplace(unit) for (unit,) in rows]


def require_writing(home: Path, unit_id: str) -> Account:
    """The account at work, if it may hand in records of the commune; else InputError that says whom to ask."""
    return require(home, "receive", place=unit_id)


def may_read_identifiers(home: Path) -> bool:
    """Whether names of stored records may be shown to the account at work."""
    from tkyt_analysis.access import decide

    return decide(current_account(home), "read_identifiers", table="death_identity").allowed


def names_of(units: Iterable[str]) -> dict[str, str]:
    """{unit_id: name} of communes; an id that is none is left out."""
    found = {}
    for unit in set(units):
        try:
            found[unit] = workplace(unit).name
        except InputError:
            continue
    return found
