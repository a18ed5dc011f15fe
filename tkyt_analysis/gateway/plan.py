"""What to ask of a server, in which order: the plan of a pull. Pure apart from the three lists it asks the server for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tkyt_analysis.errors import InputError
from tkyt_analysis.gateway import KINDS, USUAL
from tkyt_analysis.gateway.batches import MOST_UNITS, unit_batches
from tkyt_analysis.gateway.client import Gateway
from tkyt_analysis.gateway.ledger import Ask
from tkyt_analysis.gateway.paging import fetch_list

LISTS = {"organisationUnits": "organisationUnits", "validationRules": "validationRules", "minMax": "minMaxDataElements"}
UNIT_FIELDS = "id,code,name,shortName,level,path,parent[id],openingDate,closedDate,geometry"
RULE_FIELDS = (
    "id,code,name,description,instruction,importance,operator,periodType,organisationUnitLevels,"
    "leftSide[expression,missingValueStrategy],rightSide[expression,missingValueStrategy],validationRuleGroups[id,name]"
)
SET_FIELDS = "id,name,periodType,workflow[id]"
_MOST_SETS = 40
_VALUE_UNITS = 10  # units of the split level per answer: their whole subtree comes with them
_PERIOD_TYPES = (
    (r"\d{6}", ("Monthly", "BiMonthly")), (r"\d{4}Q[1-4]", ("Quarterly",)), (r"\d{4}S[12]", ("SixMonthly",)),
    (r"\d{4}", ("Yearly", "FinancialApril", "FinancialJuly", "FinancialOct")), (r"\d{4}W\d{1,2}", ("Weekly",)),
    (r"\d{8}", ("Daily",)),
)  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """What the caller wants. Empty selections mean: all data sets, the account's own units.

    periods : DHIS2 codes, or "202501..202512"
    since : values changed since this date ("2025-06-01"), of any period where no period is given
    elements : data elements or indicators of analytics
    level : answers are split at this level of the hierarchy (2: provinces); approvals are asked down to it
    """

    what: tuple[str, ...] = USUAL
    datasets: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    since: str = ""
    elements: tuple[str, ...] = ()
    level: int = 2

    def arguments(self) -> dict[str, Any]:
        """The wish as it stands in the ledger: two pulls with equal arguments continue one another."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass
class World:
    """What the plan needs to know of the server: data sets (with period type and workflow) and units to split by."""

    data_sets: list[dict[str, Any]] = field(default_factory=list)
    above: list[str] = field(default_factory=list)
    at_level: list[str] = field(default_factory=list)


def require_wish(wish: Wish) -> Wish:
    """The wish with its periods listed one by one; InputError for what no server could answer."""
    unknown = [name for name in wish.what if name not in KINDS]
    if unknown:
        raise InputError("error.dhis2_what_unknown", found=", ".join(unknown), known=", ".join(KINDS))
    if wish.since and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", wish.since):
        raise InputError("error.dhis2_since", found=wish.since)
    needs_period = [name for name in ("dataValueSets", "completeDataSetRegistrations", "analytics", "dataApprovals")
                    if name in wish.what]  # fmt: skip
    if needs_period and not wish.periods and not wish.since:
        raise InputError("error.dhis2_no_period", what=", ".join(needs_period))
    if "analytics" in wish.what and not wish.elements:
        raise InputError("error.dhis2_no_element")
    for uid in (*wish.datasets, *wish.units, *wish.elements):
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{10}(\.[A-Za-z0-9_*]+)*", uid):
            raise InputError("error.dhis2_uid", found=uid)
    return Wish(**{**wish.arguments(), "periods": tuple(_periods(wish.periods))})


def _periods(written: Sequence[str]) -> Iterator[str]:
    from tkyt_analysis.reference.period_words import from_dhis2, to_dhis2
    from tkyt_analysis.reference.periods import period_range

    for text in written:
        first, _, last = text.partition("..")
        for one in period_range(from_dhis2(first), from_dhis2(last or first)):
            yield to_dhis2(one)


def look_around(gateway: Gateway, wish: Wish) -> World:
    """The server's data sets and units, as far as the wish needs them."""
    world = World()
    if {"dataValueSets", "completeDataSetRegistrations", "dataApprovals"} & set(wish.what):
        world.data_sets = _data_sets(gateway, wish)
    if {"dataValueSets", "completeDataSetRegistrations", "dataApprovals", "analytics"} & set(wish.what):
        world.above, world.at_level = _units(gateway, wish)
    return world


def _data_sets(gateway: Gateway, wish: Wish) -> list[dict[str, Any]]:
    found = _objects(gateway, "dataSets", [("fields", SET_FIELDS)])
    missing = sorted(set(wish.datasets) - {one["id"] for one in found})
    if missing:
        raise InputError("error.dhis2_no_data_set", found=", ".join(missing))
    return [one for one in found if not wish.datasets or one["id"] in wish.datasets]


def _objects(gateway: Gateway, path: str, params: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [item for answer in fetch_list(gateway, path, params) for item in answer.json().get(path) or []]


def _units(gateway: Gateway, wish: Wish) -> tuple[list[str], list[str]]:
    """(units above the split level, units at it) below the wished or the account's own units."""
    roots = list(wish.units) or [one["id"] for one in gateway.ask("me", [("fields", "id,organisationUnits[id]")])
                                 .get("organisationUnits") or []]  # fmt: skip
    found = {
        one["id"]: one
        for condition in (f"level:le:{wish.level}", f"id:in:[{','.join(roots)}]")
        for one in _objects(gateway, "organisationUnits", [("fields", "id,level,path"), ("filter", condition)])
    }
    unknown = sorted(set(roots) - set(found))
    if unknown or not roots:
        raise InputError("error.dhis2_no_unit", found=", ".join(unknown) or "–")
    below = sorted(
        (one for one in found.values() if any(root in one["path"].split("/") for root in roots)),
        key=lambda one: one["path"],
    )
    tops = {one["id"] for one in below if int(one["level"]) >= wish.level}
    covered = {one["id"] for one in below if tops & set(one["path"].split("/")[1:-1])}
    below, tops = [one for one in below if one["id"] not in covered], tops - covered
    return [one["id"] for one in below if one["id"] not in tops], [one["id"] for one in below if one["id"] in tops]


def make_plan(gateway: Gateway, wish: Wish, world: World, *, changed_since: str = "") -> list[Ask]:
    """The requests of a pull, reference data first.

    changed_since : only values changed since this date, deleted ones included
    """
    makers = {"metadata": _metadata, "geometry": _geometry, "dataValueSets": _values, "analytics": _analytics,
              "completeDataSetRegistrations": _registrations, "dataApprovals": _approvals}  # fmt: skip
    asks: list[Ask] = []
    for what in KINDS:
        if what not in wish.what:
            continue
        if what in LISTS:
            fields = {"organisationUnits": UNIT_FIELDS, "validationRules": RULE_FIELDS}.get(what)
            asks.append(Ask(what, LISTS[what], (("fields", fields),) if fields else ()))
        else:
            asks += makers[what](gateway, wish, world, changed_since)
    return asks


def _metadata(gateway: Gateway, wish: Wish, world: World, changed_since: str) -> list[Ask]:
    parts = ("dataElements", "dataSets", "categoryOptionCombos")
    return [Ask("metadata", "metadata", tuple((part, "true") for part in parts))]


def _geometry(gateway: Gateway, wish: Wish, world: World, changed_since: str) -> list[Ask]:
    return [Ask("geometry", "organisationUnits.geojson", tuple(("level", str(level)) for level in (1, 2, 3, 4)))]


def _values(gateway: Gateway, wish: Wish, world: World, changed_since: str) -> list[Ask]:
    since = changed_since or wish.since
    changed = (("lastUpdated", since), ("includeDeleted", "true")) if since else ()
    return list(_per_period(gateway, wish, world, "dataValueSets", changed))


def _registrations(gateway: Gateway, wish: Wish, world: World, changed_since: str) -> list[Ask]:
    created = (("created", wish.since),) if wish.since and not wish.periods else ()
    return list(_per_period(gateway, wish, world, "completeDataSetRegistrations", created))


def _per_period(
    gateway: Gateway, wish: Wish, world: World, what: str, more: tuple[tuple[str, str], ...]
) -> Iterator[Ask]:
    """One request per period, piece of the data sets, and batch of units: those above the split level without children."""
    for period in wish.periods or ("",):
        sets = [one["id"] for one in world.data_sets if fits(one.get("periodType", ""), period)]
        for at in range(0, len(sets), _MOST_SETS):
            chosen = tuple(("dataSet", uid) for uid in sets[at : at + _MOST_SETS])
            for units, children in ((world.above, "false"), (world.at_level, "true")):
                params = (*chosen, *((("period", period),) if period else ()), ("children", children), *more)
                ask = Ask(what, what, params, period=period)
                yield from batched(gateway, ask, units, most=_VALUE_UNITS if children == "true" else MOST_UNITS)


def fits(period_type: str, period: str) -> bool:
    """Whether a data set of this period type has reports for this period code."""
    if not period:
        return True
    wanted = next((types for pattern, types in _PERIOD_TYPES if re.fullmatch(pattern, period)), ())
    return period_type in wanted


def _approvals(gateway: Gateway, wish: Wish, world: World, changed_since: str) -> list[Ask]:
    asks: list[Ask] = []
    flows = {one["workflow"]["id"]: one.get("periodType", "") for one in world.data_sets if one.get("workflow")}
    for workflow, period_type in sorted(flows.items()):
        for period in wish.periods:
            if fits(period_type, period):
                params = (("wf", workflow), ("pe", period))
                ask = Ask("dataApprovals", "dataApprovals/approvals", params, (), period, "ou")
                asks += batched(gateway, ask, [*world.above, *world.at_level])
    return asks


def _analytics(gateway: Gateway, wish: Wish, world: World, changed_since: str) -> list[Ask]:
    params = (("dimension", "dx:" + ";".join(wish.elements)), ("dimension", "pe:" + ";".join(wish.periods)))
    ask = Ask("analytics", "analytics", params, (), "", "dimension")
    return list(batched(gateway, ask, [*world.above, *world.at_level]))


def batched(gateway: Gateway, ask: Ask, units: Sequence[str], *, most: int = MOST_UNITS) -> Iterator[Ask]:
    """The request once per batch of units."""
    for batch in unit_batches(units, partial(_address, gateway, ask), most=most):
        yield with_units(ask, batch)


def _address(gateway: Gateway, ask: Ask, units: Sequence[str]) -> str:
    return gateway.address(ask.path, with_units(ask, units).parameters())


def with_units(ask: Ask, units: Sequence[str]) -> Ask:
    """The same request for other units."""
    return Ask(ask.what, ask.path, ask.params, tuple(units), ask.period, ask.unit_parameter)


def attribute_combos(gateway: Gateway) -> frozenset[str]:
    """The attribute option combinations of the server's data sets (the built-in one left out)."""
    fields = "id,categoryCombo[id,isDefault,categoryOptionCombos[id]]"
    found = _objects(gateway, "dataSets", [("fields", fields)])
    return frozenset(
        combo["id"]
        for one in found
        if not (one.get("categoryCombo") or {}).get("isDefault")
        for combo in (one.get("categoryCombo") or {}).get("categoryOptionCombos") or []
    )
