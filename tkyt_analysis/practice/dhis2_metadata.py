"""metadata.json of the imagined DHIS2: units of both systems, elements, categories, data sets."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.labels import label
from tkyt_analysis.practice.elements import CATEGORIES, Form, option_uid, uid
from tkyt_analysis.practice.rates import defect_rate
from tkyt_analysis.practice.world import NOTE, World
from tkyt_analysis.reference.vietnamese_text import fold

DEFAULT_COMBO, DEFAULT_CATEGORY, DEFAULT_OPTION = "bjDvmb4bfuf", "GLevLNI9wkl", "xYerKDKCefk"  # built in
OPENED, CLOSED, REOPENED = "2000-01-01", "2025-06-30", "2025-07-01"
FILE = "dhis2/metadata.json"
Record = dict[str, Any]


def write_metadata(world: World, form: Form) -> None:
    """received/dhis2/metadata.json, with E1 (lineage), E2 (double listed), E3 (misspelt) and A7 (not assigned)."""
    rng = world.rng("dhis2", "metadata")
    units = organisation_units(world)
    shown, misspelt = _misspelt(world, units, rng)
    shown, double = _double_listed(world, shown, units, rng)
    unassigned, not_assigned = _not_assigned(world, units, form, rng)
    content = {
        "_note": NOTE,
        "system": {"version": "2.42.0"},
        "organisationUnitLevels": _levels(),
        "organisationUnits": _unit_records(shown),
        **_categories(form),
        "dataElements": _elements(form),
        "dataSets": _data_sets(form, units[units["reports"]], unassigned),
    }
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    world.received_path("dhis2", "metadata.json").write_text(text, "utf-8")
    for rows in (_lineage(world), misspelt, double, not_assigned):
        world.write_truth("metadata", rows)


def organisation_units(world: World) -> pd.DataFrame:
    """Nation, old provinces, districts and communes, new provinces and communes.

    Columns: unit_id, org_uid, code, name, level, parent_id, opened, closed, latitude, longitude, reports.
    """
    from tkyt_analysis.reference.places import places

    communes = world.communes
    old = places("VN2024", at=CLOSED)
    wanted = set(communes["unit_id"]) | set(communes["district_id"]) | set(communes["province_id"])
    old = old[old["unit_id"].isin(wanted)].assign(opened=OPENED, closed=CLOSED, shift=1)
    new = places("VN2025", at=REOPENED)
    if world.scale.provinces is not None or world.scale.communes is not None:
        new = new[new["unit_id"].isin({*communes["successor_id"], *communes["successor_province_id"]})]
    new = new[new["level"] > 0].assign(opened=REOPENED, closed="", shift=1)
    new.loc[new["level"] == 3, "level"] = 2  # the district tier has ended
    nation = places("VN2025", at=REOPENED).head(1).assign(opened=OPENED, closed="", shift=1)
    units = pd.concat([nation, old, new], ignore_index=True)
    reporters = set(communes["unit_id"]) | set(communes["successor_id"])
    return units.assign(
        org_uid=[uid("unit", unit_id) for unit_id in units["unit_id"]],
        name=units["full_name"],
        level=units["level"] + units["shift"],
        parent_id=units["parent_unit_id"],
        reports=units["unit_id"].isin(reporters),
    ).drop(columns="shift")


def _unit_records(units: pd.DataFrame) -> list[Record]:
    own = dict(zip(units["unit_id"], units["org_uid"]))
    parent = dict(zip(units["unit_id"], units["parent_id"]))
    records = []
    for unit in units.to_dict("records"):
        line = [unit["org_uid"]]
        above = unit["parent_id"]
        while above:
            line.insert(0, own[above])
            above = parent[above]
        record: Record = {
            "id": unit["org_uid"],
            "code": unit["code"],
            "name": unit["name"],
            "shortName": unit["name"][:50],
            "level": int(unit["level"]),
            "path": "/" + "/".join(line),
            "openingDate": f"{unit['opened']}T00:00:00.000",
        }
        if unit["closed"]:
            record["closedDate"] = f"{unit['closed']}T00:00:00.000"
        if unit["parent_id"]:
            record["parent"] = {"id": own[unit["parent_id"]]}
        if unit["latitude"] == unit["latitude"]:
            record["geometry"] = {"type": "Point", "coordinates": [unit["longitude"], unit["latitude"]]}
        records.append({key: value for key, value in record.items() if value != ""})
    return records


def _levels() -> list[Record]:
    return [
        {"id": uid("level", level), "level": level, "name": label(f"practice.level.{level}", "vi")}
        for level in (1, 2, 3, 4)
    ]


def _categories(form: Form) -> dict[str, list[Record]]:
    """categoryOptions, categories, categoryCombos and categoryOptionCombos: one flat category per combo."""
    lists: dict[str, list[Record]] = {
        name: [] for name in ("categoryOptions", "categories", "categoryCombos", "categoryOptionCombos")
    }
    for combo in dict.fromkeys(form.cells["combo"]):
        options = [(_category_option(combo, c), _category_name(c)) for c in CATEGORIES[combo]]
        lists["categoryOptions"] += [{"id": id, "name": name, "shortName": name} for id, name in options]
        category = {"id": _category(combo), "name": combo, "categoryOptions": [{"id": id} for id, _ in options]}
        lists["categories"].append({**category, "dataDimensionType": "DISAGGREGATION"})
        lists["categoryCombos"].append(
            {
                "id": combo_uid(combo),
                "name": combo,
                "dataDimensionType": "DISAGGREGATION",
                "categories": [{"id": _category(combo)}],
            }
        )
        lists["categoryOptionCombos"] += [
            {
                "id": option_uid(combo, category_id),
                "code": category_id,
                "name": _category_name(category_id),
                "categoryCombo": {"id": combo_uid(combo)},
                "categoryOptions": [{"id": _category_option(combo, category_id)}],
            }
            for category_id in CATEGORIES[combo]
        ]
    return lists


def combo_uid(combo: str) -> str:
    """The categoryCombo of "default", "sex" or "sex_age"."""
    return DEFAULT_COMBO if combo == "default" else uid("categoryCombo", combo)


def _category(combo: str) -> str:
    return DEFAULT_CATEGORY if combo == "default" else uid("category", combo)


def _category_option(combo: str, category: str) -> str:
    return DEFAULT_OPTION if combo == "default" else uid("categoryOption", combo, category)


def _category_name(category: str) -> str:
    return "default" if category == "default" else label(f"practice.category.{category}", "vi")


def _elements(form: Form) -> list[Record]:
    return [
        {
            "id": uid("dataElement", element["element_id"]),
            "code": element["element_id"],
            "name": element["name"],
            "shortName": element["name"][:50],
            "valueType": "INTEGER_ZERO_OR_POSITIVE",
            "domainType": "AGGREGATE",
            "aggregationType": "SUM",
            "zeroIsSignificant": True,
            "categoryCombo": {"id": combo_uid(element["combo"])},
        }
        for element in form.elements.to_dict("records")
    ]


def _data_sets(form: Form, reporters: pd.DataFrame, unassigned: set[tuple[str, str]]) -> list[Record]:
    records = []
    for data_set in form.data_sets:
        name = label(f"practice.data_set.{data_set}", "vi")
        elements = form.elements.loc[form.elements["data_set"] == data_set, "element_id"]
        units = [
            org_uid
            for unit_id, org_uid in zip(reporters["unit_id"], reporters["org_uid"])
            if (unit_id, data_set) not in unassigned
        ]
        records.append(
            {
                "id": uid("dataSet", data_set),
                "code": data_set,
                "name": name,
                "shortName": name[:50],
                "description": NOTE,
                "periodType": "Monthly",
                "timelyDays": 5,
                "expiryDays": 0,
                "categoryCombo": {"id": DEFAULT_COMBO},
                "dataSetElements": [
                    {"dataSet": {"id": uid("dataSet", data_set)}, "dataElement": {"id": uid("dataElement", e)}}
                    for e in elements
                ],
                "organisationUnits": [{"id": org_uid} for org_uid in units],
            }
        )
    return records


# --- what is wrong in the metadata --------------------------------------------------------------------


def _hit(world: World, kind: str, candidates: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The planned share of candidates; at small scales at least one."""
    count = int(rng.binomial(len(candidates), defect_rate(kind, world.profile)))
    if world.scale.id != "national":
        count = max(1, count)
    return np.sort(rng.choice(candidates, size=min(count, len(candidates)), replace=False))


def misspell(name: str, style: int) -> str:
    """A name as it is mistyped: trailing space, no diacritics, decomposed (NFD), capitals, doubled space."""
    return (
        name + " ",
        fold(name).title(),
        unicodedata.normalize("NFD", name),
        name.upper(),
        name.replace(" ", "  ", 1),
    )[style % 5]


def _misspelt(world: World, units: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """E3: (units as shown, truth rows)."""
    hit = _hit(world, "E3", np.flatnonzero(units["reports"]), rng)
    shown = units.copy()
    names = [misspell(units["name"].iloc[row], int(style)) for row, style in zip(hit, rng.integers(0, 5, len(hit)))]
    shown.iloc[hit, shown.columns.get_loc("name")] = names
    rows = _unit_truth(units.iloc[hit], "E3", "name", units["name"].iloc[hit], names, hit)
    return shown, rows[rows["true_value"] != rows["shown_value"]]


def _double_listed(
    world: World, shown: pd.DataFrame, units: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """E2: a unit stands a second time under the same parent and name, without code."""
    hit = _hit(world, "E2", np.flatnonzero(units["reports"]), rng)
    again = units.iloc[hit].assign(
        org_uid=[uid("unit", unit_id, "again") for unit_id in units["unit_id"].iloc[hit]], code=""
    )
    place = len(shown) + np.arange(len(hit))
    rows = _unit_truth(units.iloc[hit], "E2", "organisationUnit", units["org_uid"].iloc[hit], again["org_uid"], place)
    return pd.concat([shown, again.assign(unit_id=again["unit_id"] + "-again")], ignore_index=True), rows


def _not_assigned(
    world: World, units: pd.DataFrame, form: Form, rng: np.random.Generator
) -> tuple[set[tuple[str, str]], pd.DataFrame]:
    """A7: a unit reports a form that is not assigned to it, so that received > expected."""
    hit = _hit(world, "A7", np.flatnonzero(units["reports"]), rng)
    data_sets = rng.choice(form.data_sets, size=len(hit))
    chosen = units.iloc[hit]
    rows = _unit_truth(chosen, "A7", data_sets, "assigned", "not assigned", None)
    return set(zip(chosen["unit_id"], data_sets)), rows


def _lineage(world: World) -> pd.DataFrame:
    """E1: the new commune of every old one (default target)."""
    units, successor = world.communes["unit_id"], world.communes["successor_id"]
    return pd.DataFrame(
        {
            "kind": "E1",
            "unit_id": units,
            "period_id": "202507",
            "element": "successor",
            "true_value": successor,
            "shown_value": successor,
            "file": FILE,
        }
    )


def _unit_truth(
    units: pd.DataFrame, kind: str, element: Any, true: Any, shown: Any, place: np.ndarray | None
) -> pd.DataFrame:
    at = "" if place is None else [f"organisationUnits[{number}]" for number in place]
    rows = {"unit_id": list(units["unit_id"]), "element": element, "true_value": true, "shown_value": shown}
    rows = {name: list(v) if not isinstance(v, str) else v for name, v in rows.items()}
    return pd.DataFrame({"kind": kind, **rows, "period_id": "", "file": FILE, "place_in_file": at})
