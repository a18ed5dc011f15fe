"""The door for what only the gateway brings: analytics, approval states, rules, limits, boundaries, and its own stamps.

Analytics are aggregates that the server has already added up: they stand in a table of their own, never among raw values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from tkyt_analysis.errors import InputError, TkytError
from tkyt_analysis.ingest.dhis2_classify import _known_units as known_units
from tkyt_analysis.ingest.dhis2_classify import _written_period as written_period
from tkyt_analysis.ingest.door import Batch, IngestContext, Quarantined, ReceivedFile
from tkyt_analysis.ingest.safe_open import file_kind, open_utf8, read_head

_FIXED = ("dx", "pe", "ou", "value")


class GatewayDoor:
    """See `tkyt_analysis.ingest.door.Door`."""

    id = "dhis2_gateway"

    def recognise(self, file: ReceivedFile) -> float:
        """0.9 where the first bytes are those of an answer that the gateway keeps."""
        return 0.9 if content(file) else 0.0

    def rank(self, file: ReceivedFile) -> int:
        """After units and metadata."""
        return 3

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """Batches for analytics_value, data_approval, dhis2_validation_rule, dhis2_min_max, unit_geometry, extraction."""
        what = content(file)
        with open_utf8(file) as stream:
            try:
                read = json.loads(stream.read())
            except ValueError:
                raise InputError("error.dhis2_cut_off", where=file.name, size=file.size) from None
        yield _READERS[what](read, context)


def content(file: ReceivedFile) -> str:
    """Which answer a file is, by how it begins; "" for any other file."""
    try:
        if file_kind(file.path) not in ("json", "text"):
            return ""
        head = read_head(file).decode("utf-8", "replace")
    except (TkytError, OSError, ValueError):
        return ""
    return next((what for what, pattern in _BEGINNINGS.items() if re.search(pattern, head)), "")


_BEGINNINGS = {
    "extractions": r'^\s*\{\s*"tkyt_extractions"',
    "analytics": r'^\s*\{(?=.*"headers"\s*:\s*\[).*("rows"\s*:\s*\[|"metaData"\s*:)',
    "approvals": r'^\s*\[\s*\{\s*(?=[^\]]*"wf"\s*:)[^\]]*"state"\s*:',
    "rules": r'^\s*\{[^\[]*"validationRules"\s*:\s*\[',
    "limits": r'^\s*\{[^\[]*"minMaxDataElements"\s*:\s*\[',
    "geometry": r'^\s*\{[^\[]*"FeatureCollection"[^\[]*"features"\s*:\s*\[\s*\{[^\[]*"id"\s*:\s*"[A-Za-z][A-Za-z0-9]{10}"',
}


# ----------------------------------------------------------------------------------------------------------- analytics


def _read_analytics(grid: dict[str, Any], context: IngestContext) -> Batch:
    """A grid: one row per dx × pe × ou (× further dimensions, kept as JSON)."""
    names = [header.get("name") for header in grid["headers"]]
    missing = [name for name in _FIXED if name not in names]
    if missing:
        raise InputError("error.dhis2_grid", missing=", ".join(missing))
    rows = pd.DataFrame(grid.get("rows") or [], columns=names, dtype="object")
    others = [name for name in names if name not in _FIXED]
    table = pd.DataFrame({
        "element_id": rows["dx"], "unit_written": rows["ou"], "period_written": rows["pe"],
        "value_as_written": rows["value"].astype("str"),
        "value": pd.to_numeric(rows["value"], errors="coerce").astype("float64"),
        "dimensions": [json.dumps(one, ensure_ascii=False) for one in rows[others].to_dict("records")] if others else "",
    })  # fmt: skip
    return _placed(table, "analytics_value", "rows", context, number="value")


def _placed(table: pd.DataFrame, dataset: str, sheet: str, context: IngestContext, *, number: str = "") -> Batch:
    """Unit and period as ours; rows whose unit, period or number nobody knows are quarantined."""
    table = table.assign(sheet=sheet, row_number=range(1, len(table) + 1))
    table["unit_id"] = table["unit_written"].map(known_units(context)).fillna("").astype("str")
    reason = pd.Series("", index=table.index).where(table["unit_id"] != "", "quarantine.dhis2_unit_unknown")
    if "period_written" in table:
        windows = {text: _window(text) for text in table["period_written"].unique()}
        for at, name in enumerate(("period_id", "period_start", "period_end")):
            table[name] = table["period_written"].map(lambda text, at=at: windows[text][at])
        reason = reason.where(table["period_id"].notna(), "quarantine.dhis2_period_unknown")
    if number:
        reason = reason.where(table[number].notna(), "quarantine.not_a_number")
    bad = reason != ""
    shown = {"quarantine.dhis2_unit_unknown": ("ou", "unit_written"), "quarantine.not_a_number": ("value", "value_as_written"),
             "quarantine.dhis2_period_unknown": ("pe", "period_written")}  # fmt: skip
    refused = [
        Quarantined(
            why, sheet, int(row["row_number"]), shown[why][0], str(row[shown[why][1]]), {"value": row[shown[why][1]]}
        )
        for why, row in zip(reason[bad], table[bad].to_dict("records"), strict=True)
    ]
    landed = table[~bad].drop(columns=["unit_written", "period_written"], errors="ignore")
    return Batch(dataset, landed, refused, received=len(table))


def _window(text: str) -> tuple[Any, Any, Any]:
    try:
        period = written_period(text)
    except InputError:
        return None, None, None
    return period.period_id, pd.Timestamp(period.start), pd.Timestamp(period.end)


# -------------------------------------------------------------------------------------------------- states, rules, limits


def _read_approvals(states: list[dict[str, Any]], context: IngestContext) -> Batch:
    """Approval state of workflow × period × unit × attribute. Names of those who approved stay out."""
    given = [one.get("permissions") or {} for one in states]
    table = pd.DataFrame({
        "workflow_id": [_text(one.get("wf")) for one in states],
        "unit_written": [_text(one.get("ou")) for one in states],
        "period_written": [_text(one.get("pe")) for one in states],
        "attribute_id": [_text(one.get("aoc")) for one in states],
        "state": [_text(one.get("state")) for one in states],
        "level": [_text(one.get("level")) for one in states],
        "approved_at": [_text(one.get("approvedAt")) for one in given],
        "accepted_at": [_text(one.get("acceptedAt")) for one in given],
    })  # fmt: skip
    return _placed(table, "data_approval", "approvals", context)


def _read_rules(read: dict[str, Any], context: IngestContext) -> Batch:
    """validationRules as received; they are judged by the quality rules, not here."""
    rules = read["validationRules"]
    table = pd.DataFrame({
        "rule_id": [_text(one.get("id")) for one in rules],
        "name": [_text(one.get("name") or one.get("displayName")) for one in rules],
        "importance": [_text(one.get("importance")) for one in rules],
        "period_type": [_text(one.get("periodType")) for one in rules],
        "left_side": [_side(one, "leftSide", "expression") for one in rules],
        "left_missing": [_side(one, "leftSide", "missingValueStrategy") for one in rules],
        "operator": [_text(one.get("operator")) for one in rules],
        "right_side": [_side(one, "rightSide", "expression") for one in rules],
        "right_missing": [_side(one, "rightSide", "missingValueStrategy") for one in rules],
        "levels": [json.dumps(one.get("organisationUnitLevels") or []) for one in rules],
        "instruction": [_text(one.get("instruction")) for one in rules],
        "sheet": "validationRules",
        "row_number": range(1, len(rules) + 1),
    })  # fmt: skip
    return Batch("dhis2_validation_rule", table, received=len(table))


def _side(rule: dict[str, Any], side: str, name: str) -> str:
    return _text((rule.get(side) or {}).get(name))


def _read_limits(read: dict[str, Any], context: IngestContext) -> Batch:
    """minMaxDataElements: the limits of an element, category and unit, and whether they were generated."""
    limits = read["minMaxDataElements"]

    def identifier(one: dict[str, Any], *names: str) -> str:
        found = next((one[name] for name in names if one.get(name)), "")
        return _text(found.get("id") if isinstance(found, dict) else found)

    table = pd.DataFrame({
        "element_id": [identifier(one, "dataElement") for one in limits],
        "category_id": [identifier(one, "optionCombo", "categoryOptionCombo") for one in limits],
        "unit_written": [identifier(one, "source", "orgUnit", "organisationUnit") for one in limits],
        "minimum": pd.to_numeric(pd.Series([_first(one, "min", "minValue") for one in limits], dtype="object")),
        "maximum": pd.to_numeric(pd.Series([_first(one, "max", "maxValue") for one in limits], dtype="object")),
        "generated": [str(one.get("generated")).lower() == "true" for one in limits],
    })  # fmt: skip
    return _placed(table, "dhis2_min_max", "minMaxDataElements", context)


def _first(one: dict[str, Any], *names: str) -> Any:
    return next((one[name] for name in names if one.get(name) is not None), None)


def _read_geometry(read: dict[str, Any], context: IngestContext) -> Batch:
    """Shapes of units as the server draws them (GeoJSON text)."""
    features = read["features"]
    shapes = [one.get("geometry") or {} for one in features]
    table = pd.DataFrame({
        "unit_written": [_text(one.get("id")) for one in features],
        "shape": [_text(shape.get("type")) for shape in shapes],
        "geometry": [json.dumps(shape, separators=(",", ":")) for shape in shapes],
    })  # fmt: skip
    return _placed(table, "unit_geometry", "features", context)


def _read_extractions(read: dict[str, Any], context: IngestContext) -> Batch:
    """The gateway's own stamps."""
    table = pd.DataFrame(read["extractions"])
    return Batch(
        "extraction", table.assign(sheet="extractions", row_number=range(1, len(table) + 1)), received=len(table)
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


_READERS: dict[str, Callable[[Any, IngestContext], Batch]] = {
    "analytics": _read_analytics,
    "approvals": _read_approvals,
    "rules": _read_rules,
    "limits": _read_limits,
    "geometry": _read_geometry,
    "extractions": _read_extractions,
}

DOOR = GatewayDoor()
