"""The stub server speaks as DHIS2 does: every answer fits the OpenAPI document of 2.42, every recorded exchange is replayed.

The document is generated from Java classes. Two of its traits are allowed for: `required` names what a class always has, not
what an answer with `fields` holds, and what the cut-out leaves open ($ref to a class outside it) fits anything.
"""

import gzip
import json
from urllib.parse import urlsplit

import pytest
from gateway_support import BIRTHS, CLINIC_A, FLOW, MONTHLY, NATION, calm, gateway_to, server_at, small_store, value
from support import reference_path

from tkyt_analysis.gateway.answers import Answer
from tkyt_analysis.gateway.plan import Wish
from tkyt_analysis.gateway.pull import pull
from tkyt_analysis.practice.stub_dhis2 import Store, StubServer
from tkyt_analysis.practice.stub_dhis2.recorded import body_of

CONFORMANCE = ("quality", "conformance")


@pytest.fixture(scope="module")
def contract():
    data = reference_path(*CONFORMANCE, "openapi_42_slice.json.gz").read_bytes()
    return json.loads(gzip.decompress(data))


@pytest.fixture
def stub():
    store = small_store()
    store.put(value(CLINIC_A, "2025Q1", "stockstock1", "true"))
    with StubServer(store.index(), keep_bodies=True) as server:
        yield server


# ------------------------------------------------------------------------------------------------------- the validator


def problems(value, schema, contract, where="$", *, partial=False):
    """Sentences on where a value does not fit its schema; `partial` where the answer holds chosen fields only."""
    if "$ref" in schema:
        schema = contract["components"]["schemas"].get(schema["$ref"].rpartition("/")[2])
        if schema is None:
            return []
    if "oneOf" in schema:
        return []  # its classes are all outside the cut-out
    kind = schema.get("type")
    fits = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
    if kind in fits and not isinstance(value, fits[kind]):
        return [f"{where}: {type(value).__name__} instead of {kind}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is not in the list")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        if not partial:
            found += [f"{where}.{name}: missing" for name in schema.get("required", []) if name not in value]
        for name, inner in value.items():
            if name in known:
                found += problems(inner, known[name], contract, f"{where}.{name}", partial=partial)
            elif known and "additionalProperties" not in schema:
                found.append(f"{where}.{name}: not in the document")
    if isinstance(value, list):
        for at, inner in enumerate(value[:50]):
            found += problems(inner, schema.get("items", {}), contract, f"{where}[{at}]", partial=partial)
    return found


def operation(contract, method, target):
    """The document's entry for a request; paths of lists end in "/" there, formats are paths of their own."""
    path = urlsplit(target).path
    bare = path.removesuffix(".json")
    for candidate in (path, f"{path}/", bare, f"{bare}/", path.replace(".geojson", "/.geojson")):
        if candidate in contract["paths"]:
            return contract["paths"][candidate].get(method.lower())
    return None


def parameter_names(entry, contract):
    for one in entry.get("parameters", []):
        if "$ref" in one:
            name = one["$ref"].rpartition("/")[2]
            one = contract["components"]["parameters"].get(name) or {"name": name.rpartition(".")[2]}
        yield one["name"]


def schema_of(entry, status):
    if status >= 400:  # the document says WebResponse; a real server sends a WebMessage (the recorded 404 shows it)
        return {"$ref": "#/components/schemas/WebMessage"}
    content = entry["responses"].get(str(status), {}).get("content", {})
    return next((one.get("schema") for kind, one in content.items() if kind.startswith("application/json")), None)


def test_the_validator_finds_what_is_wrong(contract):
    pager = {"$ref": "#/components/schemas/Pager"}
    assert problems({"page": 1, "pageCount": 1, "total": 6, "pageSize": 50}, pager, contract) == []
    assert problems({"page": "1", "pageCount": 1, "pageSize": 50, "pages": 2}, pager, contract) == [
        "$.total: missing",
        "$.page: str instead of integer",
        "$.pages: not in the document",
    ]


# ---------------------------------------------------------------------------------------------------- answers and questions


# The document describes these two answers by the class of their parameters, which is a slip of its generator.
WRONG_IN_THE_DOCUMENT = ("/api/metadata",)
# Real servers give no errorCode with a web message that has none (dhis2-core sends non-null fields only).
OPTIONAL = {"WebMessage": "errorCode", "WebResponse": "errorCode"}


@pytest.fixture(scope="module")
def lenient(contract):
    """The document with what real servers leave out not required."""
    mended = json.loads(json.dumps(contract))
    for name, optional in OPTIONAL.items():
        required = mended["components"]["schemas"][name]["required"]
        required.remove(optional)
    return mended


def ask_everything(stub, tmp_path, monkeypatch):
    """Every kind of pull, and pushes that succeed and that are refused, as our client sends them."""
    monkeypatch.setattr("tkyt_analysis.gateway.pull.receive_answers", lambda *_, **__: None)
    monkeypatch.setattr("tkyt_analysis.gateway.pull._record", lambda *_: None)
    what = ("metadata", "organisationUnits", "geometry", "dataApprovals", "dataValueSets", "completeDataSetRegistrations",
            "analytics", "validationRules", "minMax")  # fmt: skip
    wish = Wish(what=what, periods=("202501", "2025Q1"), elements=(BIRTHS,))
    pull(tmp_path, server_at(stub.url), wish, retrier=calm(), whole_list=3, page_size=2)
    stub.store.approvals[FLOW, "202501", NATION] = "APPROVED_HERE"
    body = {
        "dataSet": MONTHLY,
        "dataValues": [{"dataElement": BIRTHS, "period": "202501", "orgUnit": CLINIC_A, "value": "5"}],
    }
    with gateway_to(stub) as gateway:
        for dry_run in ("true", "false"):
            answer: Answer = gateway.send(
                "dataValueSets",
                [("importStrategy", "CREATE_AND_UPDATE"), ("async", "false"), ("dryRun", dry_run)],
                json.dumps(body).encode(),
                safe=True,
            )
            assert answer.status == 409
        stub.store.approvals.clear()
        assert gateway.send("dataValueSets", [("dryRun", "false")], json.dumps(body).encode(), safe=True).status == 200


def test_every_answer_of_the_stub_fits_the_document(stub, lenient, tmp_path, monkeypatch):
    ask_everything(stub, tmp_path, monkeypatch)
    checked, found = set(), []
    for request in stub.requests:
        entry = operation(lenient, request.method, request.target)
        assert entry, request.target
        schema = schema_of(entry, request.status)
        path = urlsplit(request.target).path
        if schema and path not in WRONG_IN_THE_DOCUMENT:
            partial = any(name in ("fields", "paging", "page") for name, _ in request.params)
            found += [
                f"{path}: {one}" for one in problems(json.loads(request.answered), schema, lenient, partial=partial)
            ]
            checked.add((path, request.status))
    assert found == []
    assert {path for path, _ in checked} >= {
        "/api/system/info", "/api/me", "/api/organisationUnits", "/api/dataSets", "/api/dataValueSets", "/api/analytics.json",
        "/api/dataApprovals/approvals", "/api/validationRules", "/api/minMaxDataElements",
    }  # fmt: skip
    assert ("/api/dataValueSets", 409) in checked


def test_our_client_asks_only_with_parameters_that_the_document_knows(stub, contract, tmp_path, monkeypatch):
    ask_everything(stub, tmp_path, monkeypatch)
    unknown = set()
    for request in stub.requests:
        entry = operation(contract, request.method, request.target)
        path = urlsplit(request.target).path
        if path in WRONG_IN_THE_DOCUMENT:  # the sections of a metadata export are parameters by their names
            continue
        unknown |= {(path, name) for name, _ in request.params} - {
            (path, name) for name in parameter_names(entry, contract)
        }
    assert unknown == set()


# ------------------------------------------------------------------------------------------------------- recorded exchanges


@pytest.mark.parametrize(
    ("file", "count"), [("dataentry_app_network_v43.json.gz", 21), ("approvals_app_network_v41.json.gz", 108)]
)
def test_recorded_exchanges_are_replayed(file, count):
    path = reference_path(*CONFORMANCE, file)
    exchanges = json.loads(gzip.decompress(path.read_bytes()))
    assert len(exchanges) == count
    first = {}
    for one in exchanges:
        first.setdefault((one["method"], one["path"]), one)
    with StubServer(Store().index(), recorded=(path,)) as stub, gateway_to(stub) as gateway:
        for (method, target), exchange in first.items():
            times = len(exchange.get("responseLookup") or [1])
            for nth in range(times):
                answer = gateway._exchange(method, stub.url + target, b"" if method == "POST" else None)
                assert (answer.status, answer.body.decode()) == (exchange["statusCode"], body_of(exchange, nth)), target
