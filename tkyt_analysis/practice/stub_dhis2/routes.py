"""What each end point answers. Shapes: the OpenAPI document of DHIS2 2.42 and the recorded exchanges."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tkyt_analysis.practice.stub_dhis2.imports import post_values
from tkyt_analysis.practice.stub_dhis2.lists import Params, object_list, selected_fields
from tkyt_analysis.practice.stub_dhis2.store import DEFAULT_COMBO, Store

if TYPE_CHECKING:
    from tkyt_analysis.practice.stub_dhis2.server import Request

Content = tuple[int, Any]
PERMISSIONS = {"mayApprove": True, "mayUnapprove": False, "mayAccept": False, "mayUnaccept": False, "mayReadData": True}


def answer(store: Store, request: Request) -> Content:
    """(status, JSON content or its bytes) for a request."""
    path = re.sub(r"^/api(/\d+)?/?", "", request.path).removesuffix("/")
    params = Params(request.params)
    if request.method == "POST" and path == "dataValueSets":
        return post_values(store, params, request.body)
    if request.method != "GET":
        return refused(405, f"Request method '{request.method}' not supported")
    known = _ROUTES.get(path.removesuffix(".json"))
    if known:
        return known(store, params)
    single = re.fullmatch(r"(\w+)/([A-Za-z][A-Za-z0-9]{10})", path)
    if path in store.lists:
        return object_list(store, path, params)
    if single and single[1] in store.lists:
        found = next((one for one in store.lists[single[1]] if one.get("id") == single[2]), None)
        return (200, selected_fields(found, params.one("fields"))) if found else refused(404, f"{single[2]} not found")
    return refused(404, f"No static resource api/{path}")


def refused(status: int, message: str, code: str = "") -> Content:
    """A web message that refuses."""
    words = {404: "Not Found", 405: "Method Not Allowed", 409: "Conflict"}
    body = {
        "httpStatus": words.get(status, "Bad Request"),
        "httpStatusCode": status,
        "status": "ERROR",
        "message": message,
    }
    return status, body | ({"errorCode": code} if code else {})


def _system_info(store: Store, params: Params) -> Content:
    return 200, {
        "contextPath": "http://127.0.0.1", "calendar": store.calendar, "dateFormat": "yyyy-mm-dd",
        "serverDate": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}.000", "serverTimeZoneId": "Etc/UTC",
        "version": store.version, "systemName": "TKYT stub – số liệu mô phỏng / practice", "systemId": "stub",
    }  # fmt: skip


def _me(store: Store, params: Params) -> Content:
    me = {
        "id": "stubUser001", "username": "stub", "name": "Stub", "displayName": "Stub", "authorities": ["ALL"],
        "organisationUnits": [{"id": uid} for uid in store.roots],
        "dataViewOrganisationUnits": [{"id": uid} for uid in store.roots],
    }  # fmt: skip
    return 200, selected_fields(me, params.one("fields"))


def _metadata(store: Store, params: Params) -> Content:
    wanted = [name for name in store.lists if params.one(name) == "true"] or list(store.lists)
    system = {"id": "stub", "version": store.version, "date": f"{datetime.now(UTC):%Y-%m-%d}"}
    return 200, {"system": system} | {name: store.lists[name] for name in wanted}


def _geojson(store: Store, params: Params) -> Content:
    levels = {int(text) for text in params.all("level")}
    features = [
        {"type": "Feature", "id": one["id"], "geometry": one["geometry"],
         "properties": {"code": one.get("code"), "name": one["name"], "level": str(one["level"])}}
        for one in store.lists["organisationUnits"]
        if one.get("geometry") and (not levels or one["level"] in levels)
    ]  # fmt: skip
    return 200, {"type": "FeatureCollection", "features": features}


def _chosen_units(store: Store, params: Params) -> list[str] | Content:
    """The units of a query with their children, or the refusal."""
    given = params.all("orgUnit")
    bad = [uid for uid in given if uid not in store.units or uid in store.bad_units]
    if bad:
        return refused(409, f"User is not allowed to view org unit: `{bad[0]}`", "E2012")
    if not given:
        return refused(409, "At least one valid organisation unit must be specified", "E2006")
    if params.one("children") != "true":
        return given
    return list(dict.fromkeys(uid for top in given for uid in store.below[top]))


def _data_value_sets(store: Store, params: Params) -> Content:
    sets = params.all("dataSet")
    if not sets:
        return refused(409, "At least one data set, data element or data element group must be specified", "E2001")
    if not (params.all("period") or params.one("lastUpdated")):
        return refused(409, "At least one period, start/end dates, last updated or duration must be specified", "E2002")
    units = _chosen_units(store, params)
    if isinstance(units, tuple):
        return units
    elements = set().union(*(store.elements_of.get(uid, set()) for uid in sets))
    found = store.chosen(
        units, params.all("period"), elements,
        since=params.one("lastUpdated"), deleted=params.one("includeDeleted") == "true",
    )  # fmt: skip
    text = b",".join(found)
    return 200, b'{"dataValues":[' + text + b"]}" if text else b"{}"


def _registrations(store: Store, params: Params) -> Content:
    units = _chosen_units(store, params)
    if isinstance(units, tuple):
        return units
    wanted, sets, periods = set(units), set(params.all("dataSet")), set(params.all("period"))
    found = [
        one
        for one in store.registrations
        if one["dataSet"] in sets and one["organisationUnit"] in wanted and (not periods or one["period"] in periods)
    ]
    return 200, {"completeDataSetRegistrations": found} if found else {}


def _approvals(store: Store, params: Params) -> Content:
    rows = [
        {"wf": workflow, "pe": period, "ou": unit, "aoc": DEFAULT_COMBO, "permissions": PERMISSIONS,
         "state": store.approvals.get((workflow, period, unit), "UNAPPROVED_READY")}
        for workflow in params.items("wf") for period in params.items("pe") for unit in params.items("ou")
    ]  # fmt: skip
    return 200, rows


def _analytics(store: Store, params: Params) -> Content:
    """Sums over each unit's subtree, of data elements without disaggregation."""
    dimensions = dict(text.partition(":")[::2] for text in params.all("dimension"))
    if not {"dx", "pe", "ou"} <= set(dimensions):
        return refused(409, "At least one dimension must be specified", "E7101")
    rows = []
    for element in dimensions["dx"].split(";"):
        for period in dimensions["pe"].split(";"):
            for unit in dimensions["ou"].split(";"):
                total = _total(store, element, period, unit)
                if total is not None:
                    rows.append([element, unit, period, f"{total:g}" if total % 1 else f"{total:.1f}"])
    headers = [
        {"name": name, "column": column, "valueType": kind, "type": java, "hidden": False, "meta": name != "value"}
        for name, column, kind, java in (
            ("dx", "Data", "TEXT", "java.lang.String"), ("ou", "Organisation unit", "TEXT", "java.lang.String"),
            ("pe", "Period", "TEXT", "java.lang.String"), ("value", "Value", "NUMBER", "java.lang.Double"),
        )
    ]  # fmt: skip
    meta = {"items": {}, "dimensions": {name: text.split(";") for name, text in dimensions.items()}}
    return 200, {"headers": headers, "metaData": meta, "rows": rows, "height": len(rows), "width": 4, "headerWidth": 4,
                 "visibleWidth": 4}  # fmt: skip


def _total(store: Store, element: str, period: str, unit: str) -> float | None:
    import json

    found = [
        float(json.loads(kept.text)["value"])
        for below in store.below.get(unit, ())
        for key, kept in store.values.get((below, period), {}).items()
        if key[0] == element and not kept.deleted
    ]
    return sum(found) if found else None


def _outliers(store: Store, params: Params) -> Content:
    """Only the spelling of the method matters here: the two end points of DHIS2 name one method differently."""
    algorithm = params.one("algorithm") or "Z_SCORE"
    if algorithm not in ("Z_SCORE", "MOD_Z_SCORE", "MIN_MAX", "INVALID_NUMERIC"):
        return refused(400, f"Value '{algorithm}' is not valid for parameter algorithm")
    return 200, {"outlierValues": [], "metadata": {"algorithm": algorithm, "threshold": 3.0, "count": 0}}


_ROUTES: dict[str, Callable[[Store, Params], Content]] = {
    "system/info": _system_info,
    "me": _me,
    "metadata": _metadata,
    "organisationUnits.geojson": _geojson,
    "dataValueSets": _data_value_sets,
    "completeDataSetRegistrations": _registrations,
    "dataApprovals/approvals": _approvals,
    "analytics": _analytics,
    "outlierDetection": _outliers,
}
