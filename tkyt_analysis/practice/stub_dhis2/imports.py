"""POST /api/dataValueSets: dry run, strategies, identifier schemes, conflicts with the codes of DHIS2's own list.

Codes (dhis2-core, ErrorCode): E7610 element, E7612 unit, E7611 period not found; E7619 value does not fit its type; E7633 element
not of the data set; E7636 element not assigned to the unit; E7642 already approved. The numbers E7610–E7612 are unverified.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from tkyt_analysis.practice.stub_dhis2.lists import Params
from tkyt_analysis.practice.stub_dhis2.store import DEFAULT_COMBO, Store

STRATEGIES = ("CREATE", "UPDATE", "CREATE_AND_UPDATE", "DELETE")


def post_values(store: Store, params: Params, body: bytes) -> tuple[int, dict[str, Any]]:
    """(status, web message with its import summary)."""
    try:
        content = json.loads(body)
    except ValueError:
        return 400, {"httpStatus": "Bad Request", "httpStatusCode": 400, "status": "ERROR", "message": "Invalid JSON"}
    strategy = params.one("importStrategy") or "CREATE_AND_UPDATE"
    dry_run = (params.one("dryRun") or str(content.get("dryRun", ""))).lower() == "true"
    rows = [_resolved(store, params, content, row) for row in content.get("dataValues") or []]
    conflicts = _open_elements(store, content, rows)
    counts: Counter[str] = Counter()
    if conflicts:
        counts["ignored"] = len(rows)
    else:
        for at, row in enumerate(rows):
            conflict = _conflict(store, content, row, at)
            if conflict:
                conflicts.append(conflict)
            counts[_store_value(store, row, strategy, dry_run=dry_run) if not conflict else "ignored"] += 1
        store.index()
    return _message(counts, conflicts, dry_run, strategy)


def _resolved(store: Store, params: Params, content: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """A value with the set's own attributes, and codes turned into identifiers where a scheme says so."""
    above = {name: content[name] for name in ("period", "orgUnit", "attributeOptionCombo") if content.get(name)}
    row = above | row
    general = params.one("idScheme")
    for name, scheme, known in (
        ("orgUnit", "orgUnitIdScheme", store.units),
        ("dataElement", "dataElementIdScheme", store.elements),
    ):
        if (params.one(scheme) or general).lower() == "code":
            codes = {one.get("code"): uid for uid, one in known.items()}
            row = row | {name: codes.get(row.get(name), row.get(name))}
    return row


def _open_elements(store: Store, content: dict[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """2.43 takes nothing of a chunk that names no data set where an element belongs to two (quirk of that version)."""
    if content.get("dataSet") or not store.version.startswith("2.43"):
        return []
    of = Counter(element for elements in store.elements_of.values() for element in elements)
    return [
        {"objects": {"dataElement": row["dataElement"]}, "errorCode": "E8003", "indexes": [at],
         "value": f"Data element `{row['dataElement']}` belongs to several data sets; the data set must be given"}
        for at, row in enumerate(rows) if of[row["dataElement"]] > 1
    ]  # fmt: skip


def _conflict(store: Store, content: dict[str, Any], row: dict[str, Any], at: int) -> dict[str, Any] | None:
    element, unit, period = row.get("dataElement", ""), row.get("orgUnit", ""), row.get("period", "")
    said = ""
    if element not in store.elements:
        code, said = "E7610", f"Data element not found or not accessible: `{element}`"
    elif unit not in store.units:
        code, said = "E7612", f"Organisation unit not found or not accessible: `{unit}`"
    elif not re.fullmatch(r"\d{4}(\d{2}|Q[1-4]|S[12]|W\d{1,2})?", period):
        code, said = "E7611", f"Period not valid: `{period}`"
    elif not _fits_type(store.elements[element].get("valueType", ""), str(row.get("value", ""))):
        code, said = "E7619", f"Value must match data element's `{element}` type constraints: value_not_numeric"
    elif content.get("dataSet") and element not in store.elements_of.get(content["dataSet"], set()):
        code, said = "E7633", f"Data element: `{element}` is not part of dataset: `{content['dataSet']}`"
    elif _approved(store, content.get("dataSet", ""), element, period, unit):
        code = "E7642"
        said = (
            f"Data already approved for data set: `{content.get('dataSet', '')}` period: `{period}` org unit: `{unit}`"
        )
    if not said:
        return None
    objects = {"dataElement": element, "orgUnit": unit, "period": period}
    return {
        "object": element,
        "objects": objects,
        "value": said,
        "errorCode": code,
        "property": "value",
        "indexes": [at],
    }


def _fits_type(kind: str, value: str) -> bool:
    if kind in ("BOOLEAN", "TRUE_ONLY"):
        return value.lower() in ("true", "false", "1", "0")
    if kind in ("NUMBER", "PERCENTAGE", "UNIT_INTERVAL") or kind.startswith("INTEGER"):
        return bool(re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", value))
    return True


def _approved(store: Store, data_set: str, element: str, period: str, unit: str) -> bool:
    """Whether a workflow of the data set (or of any that holds the element) is approved for the unit or one above it."""
    line = store.units[unit]["path"].strip("/").split("/")
    for one in store.lists["dataSets"]:
        workflow = (one.get("workflow") or {}).get("id")
        mine = one["id"] == data_set if data_set else element in store.elements_of[one["id"]]
        if (
            workflow
            and mine
            and any(
                store.approvals.get((workflow, period, above), "").startswith(("APPROVED", "ACCEPTED"))
                for above in line
            )
        ):
            return True
    return False


def _store_value(store: Store, row: dict[str, Any], strategy: str, *, dry_run: bool) -> str:
    """Which count a value belongs to; the store changes unless it is a dry run."""
    key = (
        row["dataElement"],
        row.get("categoryOptionCombo") or DEFAULT_COMBO,
        row.get("attributeOptionCombo") or DEFAULT_COMBO,
    )
    kept = store.values.get((row["orgUnit"], row["period"]), {}).get(key)
    there = kept is not None and not kept.deleted
    if (strategy == "CREATE" and there) or (strategy in ("UPDATE", "DELETE") and not there):
        return "ignored"
    if not dry_run:
        store.put(row | ({"deleted": True} if strategy == "DELETE" else {}))
    return "deleted" if strategy == "DELETE" else "updated" if there else "imported"


def _message(
    counts: Counter[str], conflicts: list[dict[str, Any]], dry_run: bool, strategy: str
) -> tuple[int, dict[str, Any]]:
    status = "WARNING" if conflicts else "SUCCESS"
    summary = {
        "responseType": "ImportSummary", "status": status,
        "importOptions": {"dryRun": dry_run, "importStrategy": strategy, "async": False},
        "description": "Import process completed successfully",
        "importCount": {name: counts[name] for name in ("imported", "updated", "ignored", "deleted")},
        "conflicts": conflicts, "rejectedIndexes": [at for one in conflicts for at in one["indexes"]],
        "dataSetComplete": "false",
    }  # fmt: skip
    if conflicts:
        message = "One more conflicts encountered, please check import summary."
        return 409, {
            "httpStatus": "Conflict",
            "httpStatusCode": 409,
            "status": "WARNING",
            "message": message,
            "response": summary,
        }
    done = {"httpStatus": "OK", "httpStatusCode": 200, "status": "OK", "message": "Import was successful."}
    return 200, done | {"response": summary}
