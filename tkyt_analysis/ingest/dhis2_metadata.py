"""DHIS2 metadata (units, data elements, data sets, category option combos) → reference tables.

A unit whose code and name are those of a Vietnamese place becomes that place, and its DHIS2 identifier an alias; any
other unit becomes `DHIS2:<uid>`. Shape: `GET /api/metadata` of DHIS2 2.40–2.44, or a bare list of organisation units.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import ijson
import pandas as pd
from ijson.common import ObjectBuilder

from tkyt_analysis.ingest.door import Batch, IngestContext, Note, Quarantined, ReceivedFile
from tkyt_analysis.ingest.safe_open import detect_encoding, open_utf8

SECTIONS = ("organisationUnits", "dataElements", "dataSets", "categoryOptionCombos")
ALIAS_SOURCE, CODE_SOURCE = "DHIS2", "DHIS2.code"
LEVEL_OF_CODE = {2: 1, 3: 2, 5: 3}
Rows = list[dict[str, Any]]


def read_metadata(file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
    """The reference tables of one metadata file; a file that is cut off gives what stands before the break."""
    sections, broken = load_sections(file)
    units = unit_table(sections["organisationUnits"])
    known = known_units(context)
    if len(sections["organisationUnits"]):
        yield from unit_batches(units, known)
    known = known | dict(zip(units["uid"], units["unit_id"], strict=True))
    yield from element_batches(sections["dataElements"], sections["dataSets"])
    yield from data_set_batches(sections["dataSets"], known)
    yield category_batch(sections["categoryOptionCombos"])
    if broken:
        yield Batch("organisation_unit", pd.DataFrame(), [broken], received=1)


def load_sections(file: ReceivedFile) -> tuple[dict[str, Rows], Quarantined | None]:
    """The objects of the sections that are read, each with its `number` in its section (from 1)."""
    found: dict[str, Rows] = {section: [] for section in SECTIONS}
    with open_utf8(file, detect_encoding(file)) as stream:
        try:
            for section, item in _objects(stream):
                found[section].append(item | {"number": len(found[section]) + 1})
        except ijson.JSONError as error:
            position = stream.source.position
            fields = {"position": position, "problem": str(error).splitlines()[0][:120]}
            return found, Quarantined("quarantine.dhis2_metadata_cut_off", value=str(position), fields=fields)
    return found, None


def _objects(stream: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """(section, object) of each section that is read; other sections are passed over without being built."""
    prefixes = {f"{section}.item": section for section in SECTIONS} | {"item": "organisationUnits"}
    builder: ObjectBuilder | None = None
    for prefix, event, value in ijson.parse(stream, use_float=True):
        if builder is None:
            if event == "start_map" and prefix in prefixes:
                builder, start = ObjectBuilder(), prefix
                builder.event(event, value)
            continue
        builder.event(event, value)
        if event == "end_map" and prefix == start:
            yield prefixes[start], builder.value
            builder = None


# --------------------------------------------------------------------------------------------------------------- units


def known_units(context: IngestContext) -> dict[str, str]:
    """{DHIS2 identifier: unit_id} of the units that have landed."""
    aliases = context.unit_aliases()
    aliases = aliases[aliases["source"] == ALIAS_SOURCE]
    return dict(zip(aliases["alias"], aliases["unit_id"], strict=True))


def unit_table(items: Rows) -> pd.DataFrame:
    """One row per unit object: number, uid, code, name, parent (uid), path, opened, closed, longitude, latitude,
    unit_id, resolved (is it a Vietnamese place), level, province (uid of the first level below the nation)."""
    rows = [_unit_row(item) for item in items]
    columns = [
        "number",
        "uid",
        "code",
        "name",
        "written",
        "parent",
        "path",
        "opened",
        "closed",
        "longitude",
        "latitude",
    ]
    units = pd.DataFrame(rows, columns=columns)
    places = _vietnamese_places(units)
    units["resolved"] = places != ""
    units["unit_id"] = places.where(places != "", "DHIS2:" + units["uid"].astype("str"))
    units["level"] = [path.count("/") - 1 for path in units["path"]]
    units["province"] = [(path.split("/") + ["", "", ""])[2] for path in units["path"]]
    return units


def _unit_row(item: dict[str, Any]) -> list[Any]:
    uid = _text(item.get("id"))
    path = _text(item.get("path")) or f"/{uid}"
    parent = _text((item.get("parent") or {}).get("id")) or (path.split("/")[-2] if path.count("/") > 1 else "")
    dates = [_text(item.get(key))[:10] or None for key in ("openingDate", "closedDate")]
    written = str(item.get("name") or item.get("displayName") or "")
    return [item["number"], uid, _text(item.get("code")), _text(written), written, parent, path, *dates, *_point(item)]


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _point(item: dict[str, Any]) -> tuple[float | None, float | None]:
    """(longitude, latitude) of a point; other shapes and damaged ones have none."""
    geometry = item.get("geometry") or {}
    written = geometry.get("coordinates") if geometry.get("type") == "Point" else item.get("coordinates")
    if item.get("featureType", "POINT") != "POINT":
        return None, None
    try:
        pair: list[Any] = json.loads(written) if isinstance(written, str) else list(written or ())
        longitude, latitude = pair
        return float(longitude), float(latitude)
    except (TypeError, ValueError):
        return None, None


def _vietnamese_places(units: pd.DataFrame) -> pd.Series:
    """The place that code and name agree on, in the unit system of the unit's own life; "" where they do not."""
    from tkyt_analysis.reference.places import find_places

    found = pd.Series("", index=units.index, dtype="object")
    codes = units["code"].astype("str")
    bare = codes.str.replace(r"^VN20\d\d:", "", regex=True)
    for length, level in LEVEL_OF_CODE.items():
        of_level = bare.str.fullmatch(rf"\d{{{length}}}") & units["name"].ne("")
        for system, chosen in _systems(units[of_level]).items():
            rows = units.loc[chosen]
            answers = find_places(bare[chosen], level=level, system=system, named=rows["name"])
            new = answers["unit_id"].where(answers["unit_id"] != "", found[chosen])
            found.loc[chosen] = new.where(found[chosen] == "", found[chosen])
    return found.astype("str")


def _systems(units: pd.DataFrame) -> dict[str, pd.Index]:
    """{unit system: rows to look up in it}; a unit of both times is looked up in today's system first."""
    opened_after = units["opened"].fillna("") >= "2025-07-01"
    closed_before = units["closed"].fillna("9999") <= "2025-07-01"
    return {"VN2025": units.index[~closed_before], "VN2024": units.index[~opened_after]}


def unit_batches(units: pd.DataFrame, known: dict[str, str]) -> Iterator[Batch]:
    """unit_alias accounts for every unit object; organisation_unit holds those that are not Vietnamese places."""
    bad = (units["uid"] == "") | units["uid"].duplicated()
    quarantined = [
        Quarantined(
            "quarantine.dhis2_unit_twice" if uid else "quarantine.dhis2_no_identifier",
            "organisationUnits",
            int(number),
            "id",
            uid,
            {"value": uid or name},
        )
        for number, uid, name in units.loc[bad, ["number", "uid", "name"]].itertuples(index=False)
    ]
    good = units[~bad]
    yield Batch("unit_alias", _aliases(good, ALIAS_SOURCE, "uid"), quarantined, received=len(units))
    coded = good[(good["code"] != "") & ~good["code"].duplicated(keep=False)]
    yield Batch("unit_alias", _aliases(coded, CODE_SOURCE, "code"), counts=False)
    yield Batch("organisation_unit", _foreign_units(good, known), notes=_place_notes(good), counts=False)


def _aliases(units: pd.DataFrame, source: str, column: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "source": source,
            "alias": units[column],
            "unit_id": units["unit_id"],
            "sheet": "organisationUnits",
            "row_number": units["number"],
        }
    )


def _foreign_units(units: pd.DataFrame, known: dict[str, str]) -> pd.DataFrame:
    own = known | dict(zip(units["uid"], units["unit_id"], strict=True))
    rows = units[~units["resolved"]]

    def identified(uids: pd.Series) -> pd.Series:
        return uids.map(lambda uid: own.get(uid, f"DHIS2:{uid}") if uid else "").astype("str")

    return pd.DataFrame(
        {
            "unit_id": rows["unit_id"],
            "code": rows["code"],
            "name": rows["name"],
            "level": rows["level"],
            "parent_unit_id": identified(rows["parent"]),
            "province_id": identified(rows["province"]),
            "unit_type": "",
            "valid_from": pd.to_datetime(rows["opened"], errors="coerce"),
            "valid_to": pd.to_datetime(rows["closed"], errors="coerce"),
            "latitude": rows["latitude"].astype("float64"),
            "longitude": rows["longitude"].astype("float64"),
            "sheet": "organisationUnits",
            "row_number": rows["number"],
        }
    )


def _place_notes(units: pd.DataFrame) -> list[Note]:
    """Units with a code like a Vietnamese place's whose name is another: kept as units of their own, and said so; and
    places whose name the sender writes otherwise than the official list."""
    like = units["code"].astype("str").str.fullmatch(r"(VN20\d\d:)?\d{5}") & ~units["resolved"]
    return [
        Note(
            "note.dhis2_unit_no_place",
            "organisationUnits",
            int(row.number),
            "code",
            row.code,
            row.unit_id,
            {"code": row.code, "name": row.name_},
        )
        for row in units[like].rename(columns={"name": "name_"}).itertuples()
    ] + _spelling_notes(units[units["resolved"]])


def _spelling_notes(units: pd.DataFrame) -> list[Note]:
    """Places whose name has other accents, letters, case or blanks than that of the list (the list's is kept)."""
    from tkyt_analysis.reference.places import places

    listed = pd.concat([places(system)[["unit_id", "full_name"]] for system in ("VN2024", "VN2025")])
    official = units["unit_id"].map(dict(zip(listed["unit_id"], listed["full_name"], strict=True)))
    rows = units.assign(official=official)[official.notna() & (official != units["written"])]
    return [
        Note(
            "note.dhis2_unit_name",
            "organisationUnits",
            int(number),
            "name",
            written,
            name,
            {"name": written, "official": name},
        )
        for number, written, name in rows[["number", "written", "official"]].itertuples(index=False)
    ]


# ---------------------------------------------------------------------------------------------- elements and data sets


def element_batches(elements: Rows, data_sets: Rows) -> Iterator[Batch]:
    """data_element: one row per element, with the first data set (in the file's order) that holds it."""
    holders: dict[str, list[str]] = {}
    period_types = {_text(one.get("id")): _text(one.get("periodType")) for one in data_sets}
    for data_set in data_sets:
        for member in data_set.get("dataSetElements") or []:
            holders.setdefault(_text((member.get("dataElement") or {}).get("id")), []).append(_text(data_set.get("id")))
    rows, quarantined, notes, seen = [], [], [], set()
    for element in elements:
        uid, number = _text(element.get("id")), element["number"]
        if not uid or uid in seen:
            reason = "quarantine.dhis2_element_twice" if uid else "quarantine.dhis2_no_identifier"
            fields = {"value": uid or _text(element.get("name"))}
            quarantined.append(Quarantined(reason, "dataElements", number, "id", uid, fields))
            continue
        seen.add(uid)
        held_by = holders.get(uid, [])
        rows.append(_element_row(element, held_by[0] if held_by else "", period_types))
        if len(held_by) > 1:
            fields = {"element": _text(element.get("name")), "chosen": held_by[0], "others": ", ".join(held_by[1:])}
            notes.append(Note("note.dhis2_element_in_data_sets", "dataElements", number, "id", uid, held_by[0], fields))
    yield Batch("data_element", pd.DataFrame(rows), quarantined, notes, received=len(elements))


def _element_row(element: dict[str, Any], data_set: str, period_types: dict[str, str]) -> dict[str, Any]:
    name = _text(element.get("name") or element.get("displayName"))
    return {
        "element_id": _text(element.get("id")),
        "code": _text(element.get("code")),
        "name": name,
        "short_name": _text(element.get("shortName")) or name,
        "value_type": _text(element.get("valueType")),
        "period_type": period_types.get(data_set, ""),
        "dataset_id": data_set,
        "status": "described",
        "sheet": "dataElements",
        "row_number": element["number"],
    }


def data_set_batches(data_sets: Rows, known: dict[str, str]) -> Iterator[Batch]:
    """data_set, and data_set_assignment: one row per unit that is to report; unknown units are quarantined."""
    described = [
        {
            "dataset_id": _text(one.get("id")),
            "name": _text(one.get("name")),
            "short_name": _text(one.get("shortName")),
            "period_type": _text(one.get("periodType")),
            "timely_days": _number(one.get("timelyDays")),
            "expiry_days": _number(one.get("expiryDays")),
            "sheet": "dataSets",
            "row_number": one["number"],
        }
        for one in data_sets
    ]
    yield Batch("data_set", pd.DataFrame(described), received=len(described))
    rows, quarantined, received = [], [], 0
    for one in data_sets:
        units = dict.fromkeys(_text(unit.get("id")) for unit in one.get("organisationUnits") or [])
        received += len(units)
        for uid in units:
            if uid in known:
                assignment = [_text(one.get("id")), known[uid], _text(one.get("periodType")), "dataSets", one["number"]]
                rows.append(assignment)
            else:
                fields = {"value": uid, "data_set": _text(one.get("name"))}
                reason = "quarantine.dhis2_assignment_unit_unknown"
                quarantined.append(Quarantined(reason, "dataSets", one["number"], "organisationUnits", uid, fields))
    columns = ["dataset_id", "unit_id", "period_type", "sheet", "row_number"]
    yield Batch("data_set_assignment", pd.DataFrame(rows, columns=columns), quarantined, received=received)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def category_batch(combos: Rows) -> Batch:
    """category: the names of category option combos."""
    rows = [
        {
            "category_id": _text(one.get("id")),
            "code": _text(one.get("code")),
            "name": _text(one.get("name") or one.get("displayName")),
            "sheet": "categoryOptionCombos",
            "row_number": one["number"],
        }
        for one in combos
    ]
    return Batch("category", pd.DataFrame(rows), received=len(rows))
