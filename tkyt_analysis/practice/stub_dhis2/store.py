"""What the stub server holds, in memory: units, metadata, values, registrations, approval states."""

from __future__ import annotations

import gzip
import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

DEFAULT_COMBO = "HllvX50cXC0"
LISTS = ("organisationUnits", "dataElements", "dataSets", "categoryOptionCombos", "validationRules", "minMaxDataElements",
         "dataApprovalWorkflows")  # fmt: skip
Key = tuple[str, str, str]  # element, category option combination, attribute option combination


class Kept(NamedTuple):
    """One value as JSON bytes, with what requests choose by."""

    text: bytes
    changed: str
    deleted: bool


@dataclass
class Store:
    """The contents. `lists` holds metadata objects as DHIS2 gives them; values lie by unit and period."""

    lists: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in LISTS})
    values: dict[tuple[str, str], dict[Key, Kept]] = field(default_factory=lambda: defaultdict(dict))
    registrations: list[dict[str, Any]] = field(default_factory=list)
    approvals: dict[tuple[str, str, str], str] = field(default_factory=dict)
    bad_units: set[str] = field(default_factory=set)
    roots: list[str] = field(default_factory=list)
    version: str = "2.42.0"
    calendar: str = "iso8601"
    lock: threading.Lock = field(default_factory=threading.Lock)

    def index(self) -> Store:
        """Look-ups; to be called again after `lists` was changed."""
        self.units = {one["id"]: one for one in self.lists["organisationUnits"]}
        self.elements = {one["id"]: one for one in self.lists["dataElements"]}
        self.elements_of = {
            one["id"]: {member["dataElement"]["id"] for member in one.get("dataSetElements") or []}
            for one in self.lists["dataSets"]
        }
        self.below: dict[str, list[str]] = defaultdict(list)
        for one in self.lists["organisationUnits"]:
            for above in one["path"].strip("/").split("/"):
                self.below[above].append(one["id"])
        self.periods_of: dict[str, set[str]] = defaultdict(set)
        for unit, period in self.values:
            self.periods_of[unit].add(period)
        self.roots = self.roots or [one["id"] for one in self.lists["organisationUnits"] if one.get("level") == 1]
        return self

    def put(self, value: dict[str, Any]) -> bool:
        """Store a value; whether there was one before."""
        unit, period = value["orgUnit"], value["period"]
        key = (
            value["dataElement"],
            value.get("categoryOptionCombo") or DEFAULT_COMBO,
            value.get("attributeOptionCombo") or DEFAULT_COMBO,
        )
        cell = self.values[unit, period]
        there = key in cell and not cell[key].deleted
        full = value | {"categoryOptionCombo": key[1], "attributeOptionCombo": key[2]}
        changed = value.get("lastUpdated") or f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}.000+0000"
        text = json.dumps(full | {"lastUpdated": changed}, ensure_ascii=False, separators=(",", ":")).encode()
        cell[key] = Kept(text, changed[:19], bool(value.get("deleted")))
        return there

    def chosen(
        self,
        units: Iterable[str],
        periods: Iterable[str],
        elements: set[str],
        *,
        since: str = "",
        deleted: bool = False,
    ) -> Iterator[bytes]:
        """The JSON of the values asked for; no periods means all that a unit has."""
        wanted = list(periods)
        for unit in units:
            for period in wanted or sorted(self.periods_of.get(unit, ())):
                for key, kept in self.values.get((unit, period), {}).items():
                    if key[0] in elements and kept.changed >= since and (deleted or not kept.deleted):
                        yield kept.text

    def content(self) -> dict[tuple[str, str, str, str, str], str]:
        """{(element, period, unit, category, attribute): value} of everything that is not deleted."""
        found = {}
        for (unit, period), cell in self.values.items():
            for (element, category, attribute), kept in cell.items():
                if not kept.deleted:
                    found[element, period, unit, category, attribute] = json.loads(kept.text)["value"]
        return found


def load_store(
    *,
    metadata: Iterable[Path] = (),
    values: Iterable[Path] = (),
    registrations: Iterable[Path] = (),
    geometry: Path | None = None,
) -> Store:
    """A store from files as DHIS2 exports them (JSON, also packed with gz)."""
    store = Store()
    for path in metadata:
        content = _read(path)
        parts = {"organisationUnits": content} if isinstance(content, list) else content
        for name in LISTS:
            store.lists[name] += parts.get(name) or []
    if geometry:
        shapes = {one["id"]: one["geometry"] for one in _read(geometry)["features"]}
        for unit in store.lists["organisationUnits"]:
            if unit["id"] in shapes:
                unit["geometry"] = shapes[unit["id"]]
    for path in values:
        for value in _read(path).get("dataValues") or []:
            store.put(value)
    for path in registrations:
        store.registrations += _read(path).get("completeDataSetRegistrations") or []
    return store.index()


def practice_store(folder: Path) -> Store:
    """A store from the `received` folder of practice data."""
    dhis2 = folder / "dhis2"
    return load_store(
        metadata=[dhis2 / "metadata.json"],
        values=sorted(dhis2.glob("dataValueSets_*.json")),
        registrations=sorted(dhis2.glob("completeDataSetRegistrations_*.json")),
    )


def _read(path: Path) -> Any:
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
