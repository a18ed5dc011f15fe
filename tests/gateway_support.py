"""A small imagined DHIS2 for the gateway's tests, and the Sierra Leone export behind a stub server."""

from __future__ import annotations

import json
from functools import cache

from support import reference_path

from tkyt_analysis.gateway.client import Gateway
from tkyt_analysis.gateway.ledger import DONE, RECEIVED
from tkyt_analysis.gateway.receive import Received
from tkyt_analysis.gateway.retry import Limits, Retrier
from tkyt_analysis.gateway.server import read_server
from tkyt_analysis.practice.stub_dhis2 import Store, load_store
from tkyt_analysis.practice.stub_dhis2.server import TOKEN

NATION, NORTH, SOUTH = "natnatnat01", "northnorth1", "southsouth1"
CLINIC_A, CLINIC_B, CLINIC_C = "clinicaaaa1", "clinicbbbb1", "clinicccccc"
BIRTHS, DEATHS, STOCK = "birthsbirt1", "deathsdeat1", "stockstock1"
MONTHLY, QUARTERLY, FLOW = "monthlyset1", "quarterset1", "flowflowfl1"


def units():
    """Nation → two provinces → three clinics."""
    drawn = [(NATION, "Nation", f"/{NATION}"), (NORTH, "North", f"/{NATION}/{NORTH}"),
             (SOUTH, "South", f"/{NATION}/{SOUTH}"), (CLINIC_A, "Clinic A", f"/{NATION}/{NORTH}/{CLINIC_A}"),
             (CLINIC_B, "Clinic B", f"/{NATION}/{NORTH}/{CLINIC_B}"),
             (CLINIC_C, "Clinic C", f"/{NATION}/{SOUTH}/{CLINIC_C}")]  # fmt: skip
    return [
        {"id": uid, "code": f"C{number}", "name": name, "shortName": name, "path": path, "level": path.count("/"),
         "openingDate": "2000-01-01T00:00:00.000", "geometry": {"type": "Point", "coordinates": [106.0, 15.0 + number]}}
        for number, (uid, name, path) in enumerate(drawn)
    ]  # fmt: skip


def element(uid, name, kind="NUMBER"):
    return {
        "id": uid,
        "code": uid.upper(),
        "name": name,
        "shortName": name,
        "valueType": kind,
        "aggregationType": "SUM",
    }


def data_set(uid, period_type, elements, **more):
    members = [{"dataElement": {"id": one}} for one in elements]
    reporters = [{"id": one} for one in (CLINIC_A, CLINIC_B, CLINIC_C)]
    return {"id": uid, "name": uid, "shortName": uid, "periodType": period_type, "dataSetElements": members,
            "organisationUnits": reporters, **more}  # fmt: skip


def value(unit, period, what, number, **more):
    return {"dataElement": what, "period": period, "orgUnit": unit, "value": str(number), "followup": False,
            "lastUpdated": "2025-02-01T00:00:00.000+0000", **more}  # fmt: skip


def small_store() -> Store:
    """Births and deaths of three clinics in three months; the clinics' values are 10, 20, 30 births and 1, 2, 3 deaths."""
    store = Store()
    store.lists["organisationUnits"] = units()
    store.lists["dataElements"] = [
        element(BIRTHS, "Births"),
        element(DEATHS, "Deaths"),
        element(STOCK, "Stock out", "BOOLEAN"),
    ]
    store.lists["dataSets"] = [
        data_set(MONTHLY, "Monthly", [BIRTHS, DEATHS], workflow={"id": FLOW}),
        data_set(QUARTERLY, "Quarterly", [STOCK]),
    ]
    for month in ("202501", "202502", "202503"):
        for number, clinic in enumerate((CLINIC_A, CLINIC_B, CLINIC_C), start=1):
            store.put(value(clinic, month, BIRTHS, 10 * number))
            store.put(value(clinic, month, DEATHS, number))
            store.registrations.append(
                {"dataSet": MONTHLY, "period": month, "organisationUnit": clinic, "attributeOptionCombo": "",
                 "date": "2025-04-01T08:00:00.000+0000", "completed": True}
            )  # fmt: skip
    return store.index()


def server_at(url, **environment):
    return read_server(url, environment={"TKYT_DHIS2_TOKEN": TOKEN, **environment})


def calm(sleeps=None, **limits) -> Retrier:
    """Retries without waiting; what would have been waited is written down in `sleeps`."""
    waited = [] if sleeps is None else sleeps
    return Retrier(Limits(**limits), sleep=waited.append, draw=lambda: 1.0)


def gateway_to(stub, sleeps=None, **limits) -> Gateway:
    return Gateway(server_at(stub.url), retrier=calm(sleeps, **limits))


@cache
def sierra_leone() -> Store:
    """The public demo of DHIS2: 1,332 units, 188,701 values of 2025 (see the reference data's PROVENANCE.md)."""
    folder = ("quality", "dhis2_sl")
    return load_store(
        metadata=[
            reference_path(*folder, "metadata_play42.json"),
            reference_path(*folder, "organisationUnits_play42.json"),
        ],
        values=[reference_path(*folder, "dataValueSets_play42_2025.json.gz")],
        geometry=reference_path(*folder, "geometry_play42.geojson.gz"),
    )


class Kept:
    """Stands in for the ingest door where only what was fetched matters: `values` of all answers received so far."""

    def __init__(self):
        self.values = {}

    def __call__(self, home, ledger, run_id, server, *, progress=None):
        for row in ledger.asks(run_id, DONE):
            if row["what"] == "dataValueSets":
                for one in json.loads((ledger.folder / row["file"]).read_bytes()).get("dataValues") or []:
                    key = (one["dataElement"], one["period"], one["orgUnit"], one["categoryOptionCombo"])
                    key = (*key, one["attributeOptionCombo"])
                    assert self.values.setdefault(key, one["value"]) == one["value"], key
            ledger.update(run_id, row["number"], state=RECEIVED)
        return Received()
