"""One request to a DHIS2 server: what is tried again, what is refused, and what a person is told."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from gateway_support import BIRTHS, CLINIC_A, NATION, calm, gateway_to, server_at, small_store
from hypothesis import given
from hypothesis import strategies as st

from tkyt_analysis.errors import InputError
from tkyt_analysis.gateway.answers import is_true, read_json
from tkyt_analysis.gateway.batches import LONGEST_ADDRESS, MOST_UNITS, halves, unit_batches
from tkyt_analysis.gateway.client import Gateway
from tkyt_analysis.gateway.paging import fetch_list
from tkyt_analysis.gateway.problems import GatewayProblem
from tkyt_analysis.gateway.retry import Limits, Retrier, seconds_asked
from tkyt_analysis.gateway.server import read_server
from tkyt_analysis.practice.stub_dhis2 import Fault, StubServer
from tkyt_analysis.practice.stub_dhis2.server import PASSWORD, TOKEN, USER

VALUES = [("dataSet", "monthlyset1"), ("period", "202501"), ("orgUnit", NATION), ("children", "true")]
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def stub():
    with StubServer(small_store()) as server:
        yield server


@pytest.fixture(autouse=True)
def _well_behaved(stub):
    stub.misbehave()
    stub.requests.clear()


# ---------------------------------------------------------------------------------------------------------------- address


def refusal(url, **environment):
    with pytest.raises(InputError) as refused:
        read_server(url, environment=environment or {"TKYT_DHIS2_TOKEN": "t"})
    return refused.value


def test_plain_http_is_for_this_machine_only_unless_it_is_said():
    assert refusal("http://dhis2.example.vn").key == "error.dhis2_plain_http"
    for here in ("http://127.0.0.1:8080", "http://localhost", "http://[::1]:80"):
        read_server(here, environment={"TKYT_DHIS2_TOKEN": "t"})
    read_server("http://dhis2.example.vn", insecure_http=True, environment={"TKYT_DHIS2_TOKEN": "t"})


def test_a_password_in_the_address_is_refused_and_not_repeated():
    error = refusal("https://admin:Secret-123@dhis2.example.vn/tkyt")
    assert error.key == "error.dhis2_secret_in_address"
    assert "Secret-123" not in error.sentence("vi") + error.sentence("en") + repr(error.fields)


def test_the_api_part_of_an_address_is_not_doubled():
    for url in ("https://x.vn/tkyt", "https://x.vn/tkyt/", "https://x.vn/tkyt/api", "https://x.vn/tkyt/api/42/"):
        assert read_server(url, environment={"TKYT_DHIS2_TOKEN": "t"}).url == "https://x.vn/tkyt"


def test_the_secret_comes_from_a_file_of_one_line(tmp_path):
    file = tmp_path / "token"
    file.write_text("d2pat_abc\n", "utf-8")
    server = read_server("https://x.vn", environment={"TKYT_DHIS2_TOKEN_FILE": str(file)})
    assert server.token == "d2pat_abc"
    assert "d2pat_abc" not in repr(server) + str(server)
    file.write_text("one\ntwo\n", "utf-8")
    assert refusal("https://x.vn", TKYT_DHIS2_TOKEN_FILE=str(file)).key == "error.dhis2_secret_file"
    assert refusal("https://x.vn", TKYT_DHIS2_USER="u").key == "error.dhis2_no_secret"


def test_certificates_are_always_checked_and_an_authority_of_ones_own_is_a_file(tmp_path):
    bad = tmp_path / "ca.pem"
    bad.write_text("no certificate", "utf-8")
    with pytest.raises(InputError) as refused:
        Gateway(read_server("https://x.vn", ca_file=bad, environment={"TKYT_DHIS2_TOKEN": "t"}))
    assert refused.value.key == "error.dhis2_ca_file"
    assert refusal("https://x.vn", TKYT_DHIS2_TOKEN="t", TKYT_DHIS2_CA_FILE="/nowhere.pem").key == "error.dhis2_ca_file"


# ------------------------------------------------------------------------------------------------------------------ waiting


def test_retry_after_is_read_as_seconds_and_as_a_date():
    assert seconds_asked("120", now=NOON) == 120
    assert seconds_asked(format_datetime(NOON + timedelta(seconds=45), usegmt=True), now=NOON) == 45
    assert seconds_asked(format_datetime(NOON - timedelta(hours=1), usegmt=True), now=NOON) == 0
    assert seconds_asked("soon", now=NOON) is None
    assert seconds_asked(None, now=NOON) is None


@given(draw=st.floats(0, 1), failures=st.integers(1, 9))
def test_waits_double_up_to_the_longest_and_half_of_each_is_drawn(draw, failures):
    waited = []
    retrier = Retrier(
        Limits(attempts=failures + 1, first_wait=1, longest_wait=8), sleep=waited.append, draw=lambda: draw
    )
    left = [GatewayProblem("error.dhis2_broken_off", retry=True, where="/api/x") for _ in range(failures)]

    def send():
        if left:
            raise left.pop()
        return "answer"

    assert retrier.run(send, safe=True) == ("answer", failures + 1)
    assert waited == pytest.approx([min(8, 2**n) * (0.5 + 0.5 * draw) for n in range(failures)])


def test_what_is_not_safe_to_repeat_is_sent_once():
    sent = []

    def send():
        sent.append(1)
        raise GatewayProblem("error.dhis2_broken_off", retry=True, where="/api/x")

    with pytest.raises(GatewayProblem):
        calm().run(send, safe=False)
    assert len(sent) == 1


@pytest.mark.parametrize("kind", ["429_seconds", "429_date"])
def test_the_wait_that_the_server_asks_for_is_kept(stub, kind):
    stub.misbehave(Fault(kind, seconds=7))
    waited = []
    with gateway_to(stub, waited) as gateway:
        assert len(gateway.ask("dataValueSets", VALUES)["dataValues"]) == 6
    assert waited[0] == pytest.approx(7, abs=1.5)


def test_a_wait_of_an_hour_ends_the_run_and_says_how_long(stub):
    stub.misbehave(Fault("429_seconds", seconds=3600))
    with gateway_to(stub) as gateway, pytest.raises(GatewayProblem) as problem:
        gateway.ask("dataValueSets", VALUES)
    assert problem.value.key == "error.dhis2_come_back_later"
    assert "3600" in problem.value.sentence("vi")


# ------------------------------------------------------------------------------------------------------------------ answers


# fault, does one spoilt answer pass unnoticed by the caller, key of the sentence when it lasts
OUTCOMES = [
    ("429_seconds", True, "error.dhis2_busy"),
    ("500", True, "error.dhis2_failed"),
    ("502", True, "error.dhis2_busy"),
    ("503", True, "error.dhis2_busy"),
    ("302_login", False, "error.dhis2_login"),
    ("login_page", False, "error.dhis2_login"),
    ("redirect_elsewhere", False, "error.dhis2_redirect"),
    ("proxy_page", True, "error.dhis2_not_json"),
    ("drip", True, "error.dhis2_too_slow"),
    ("reset", True, "error.dhis2_broken_off"),
    ("truncated", True, "error.dhis2_cut_off"),
    ("length_too_long", True, "error.dhis2_broken_off"),
    ("length_too_short", True, "error.dhis2_cut_off"),
    ("duplicate_keys", True, "error.dhis2_key_twice"),
    ("409", False, "error.dhis2_refused"),
    ("empty_204", True, "error.dhis2_empty"),
    ("empty_200", True, "error.dhis2_empty"),
]


@pytest.mark.parametrize(("kind", "passes", "key"), OUTCOMES)
def test_a_fault_that_passes_costs_a_retry_and_one_that_lasts_ends_in_its_sentence(stub, kind, passes, key):
    limits = {"attempts": 3, "total_seconds": 0.3} if kind == "drip" else {"attempts": 3}
    with gateway_to(stub, **limits) as gateway:
        right = gateway.fetch("dataValueSets", VALUES).body
        stub.misbehave(Fault(kind, times=1))
        if passes:
            answer = gateway.fetch("dataValueSets", VALUES)
            assert (answer.body, answer.attempts) == (right, 2)
        stub.misbehave(Fault(kind, times=-1))
        with pytest.raises(GatewayProblem) as problem:
            gateway.fetch("dataValueSets", VALUES)
    assert problem.value.key == key
    assert problem.value.sentence("vi")
    assert TOKEN not in problem.value.sentence("vi")


@pytest.mark.parametrize("kind", ["gzip", "mixed_booleans"])
def test_packed_answers_and_booleans_in_any_spelling_are_no_faults(stub, kind):
    with gateway_to(stub) as gateway:
        right = gateway.ask("dataValueSets", VALUES)
        stub.misbehave(Fault(kind, times=1))
        answer = gateway.fetch("dataValueSets", VALUES)
    assert answer.attempts == 1
    assert [row["value"] for row in answer.json()["dataValues"]] == [row["value"] for row in right["dataValues"]]


def test_truth_is_written_in_many_ways():
    assert [is_true(text) for text in (True, "true", "TRUE", " True ")] == [True] * 4
    assert [is_true(text) for text in (False, "false", "FALSE", None, 1, "")] == [False] * 6


def test_a_key_with_two_values_is_named():
    with pytest.raises(GatewayProblem) as problem:
        read_json(b'{"dataValues":[{"value":"7","period":"202501","value":"8"}]}', where="/api/dataValueSets")
    assert problem.value.key == "error.dhis2_key_twice"
    assert problem.value.fields["name"] == "value"


def test_an_answer_larger_than_the_limit_is_not_read_to_its_end(stub):
    with gateway_to(stub, most_bytes=200) as gateway, pytest.raises(GatewayProblem) as problem:
        gateway.fetch("dataValueSets", VALUES)
    assert problem.value.key == "error.dhis2_too_big"


def test_who_does_not_answer_at_all_is_named(stub):
    with (
        Gateway(server_at("http://127.0.0.1:9"), retrier=calm(attempts=2)) as gateway,
        pytest.raises(GatewayProblem) as problem,
    ):
        gateway.ask("system/info")
    assert problem.value.key == "error.dhis2_unreachable"
    assert "127.0.0.1" in problem.value.sentence("vi")


def test_a_wrong_token_is_told_as_a_matter_of_login_not_as_bad_json(stub):
    server = read_server(stub.url, environment={"TKYT_DHIS2_TOKEN": "wrong"})
    with Gateway(server, retrier=calm()) as gateway, pytest.raises(GatewayProblem) as problem:
        gateway.ask("me")
    assert problem.value.key == "error.dhis2_login"
    assert stub.requests[-1].status == 401  # because we say X-Requested-With; else it had been a redirect


def test_name_and_password_open_the_server_too(stub):
    server = read_server(stub.url, environment={"TKYT_DHIS2_USER": USER, "TKYT_DHIS2_PASSWORD": PASSWORD})
    with Gateway(server, retrier=calm()) as gateway:
        assert gateway.ask("me")["username"] == "stub"
    assert PASSWORD not in repr(server)


def test_the_helpers_of_the_client_library_pass_through_our_layer(stub):
    stub.misbehave(Fault("502", path="system/info", times=2))
    waited = []
    with gateway_to(stub, waited) as gateway:
        assert gateway.get_system_info()["version"] == "2.42.0"
        assert gateway.get_org_unit(CLINIC_A, fields="id,name") == {"id": CLINIC_A, "name": "Clinic A"}
        assert len(list(gateway.get_organisation_units(page_size=2))) == 6
    assert len(waited) == 2


def test_a_redirect_is_never_followed_to_another_host(stub):
    stub.misbehave(Fault("redirect_elsewhere", times=-1))
    with gateway_to(stub) as gateway, pytest.raises(GatewayProblem) as problem:
        gateway.fetch("dataValueSets", VALUES)
    assert problem.value.fields["host"] == "elsewhere.invalid"
    assert len(stub.requests) == 1


def test_json_is_asked_for_in_the_address_where_negotiation_is_broken(stub):
    with gateway_to(stub) as gateway:
        for path in ("analytics", "analytics/rawData", "analytics/dataValueSet"):
            assert gateway.address(path).endswith(f"/api/{path}.json")
        assert gateway.address("organisationUnits.geojson").endswith("/api/organisationUnits.geojson")


def test_the_two_outlier_end_points_name_one_method_differently(stub):
    with gateway_to(stub) as gateway:
        assert gateway.ask("outlierDetection", [("algorithm", "MOD_Z_SCORE")])["metadata"]["algorithm"] == "MOD_Z_SCORE"
        with pytest.raises(GatewayProblem) as problem:
            gateway.ask("outlierDetection", [("algorithm", "MODIFIED_Z_SCORE")])
    assert "MODIFIED_Z_SCORE" in problem.value.sentence("vi")


# -------------------------------------------------------------------------------------------------------- pages and batches


def listed(gateway, **how):
    pages = list(fetch_list(gateway, "organisationUnits", [("fields", "id,name")], **how))
    return [one["id"] for page in pages for one in page.json()["organisationUnits"]], len(pages)


def test_a_short_list_comes_whole_and_a_long_one_in_pages(stub):
    with gateway_to(stub) as gateway:
        whole, answers = listed(gateway)
        assert (len(whole), answers) == (6, 1)
        assert "paging=false" in stub.requests[-1].target
        assert listed(gateway, whole=0, page_size=4) == (whole, 2)
        assert not any("paging=false" in request.target for request in stub.requests[2:])


@pytest.mark.parametrize("kind", ["past_end", "repeated_page"])
def test_a_page_that_is_another_one_is_asked_for_again(stub, kind):
    with gateway_to(stub) as gateway:
        whole, _ = listed(gateway)
        stub.misbehave(Fault(kind, path=r"organisationUnits\?.*page=2", times=1))
        assert listed(gateway, whole=0, page_size=4) == (whole, 2)
        stub.misbehave(Fault(kind, path=r"organisationUnits\?.*page=2", times=-1))
        with pytest.raises(GatewayProblem) as problem:
            listed(gateway, whole=0, page_size=4)
    assert problem.value.key == "error.dhis2_page_repeated"


def test_a_list_that_is_shorter_than_the_server_says_is_not_taken(stub, monkeypatch):
    monkeypatch.setattr("tkyt_analysis.gateway.paging.list_total", lambda *_: 7)  # six units are there
    with gateway_to(stub) as gateway, pytest.raises(GatewayProblem) as problem:
        listed(gateway)
    assert problem.value.key == "error.dhis2_list_short"
    assert (problem.value.fields["found"], problem.value.fields["total"]) == (6, 7)


@given(count=st.integers(0, 500), path=st.integers(10, 1500))
def test_batches_hold_every_unit_once_in_order_and_fit_the_address(count, path):
    units = [f"u{number:010d}" for number in range(count)]

    def address(batch):
        return "x" * path + "".join(f"&orgUnit={unit}" for unit in batch)

    batches = list(unit_batches(units, address))
    assert [unit for batch in batches for unit in batch] == units
    assert all(len(batch) <= MOST_UNITS for batch in batches)
    assert all(len(address(batch)) <= LONGEST_ADDRESS for batch in batches if len(batch) > 1)


@given(st.lists(st.text(min_size=1, max_size=3), max_size=40))
def test_halving_a_batch_loses_no_unit_and_ends_at_one(units):
    if len(units) < 2:
        assert halves(units) == []
    else:
        left, right = halves(units)
        assert left + right == units
        assert left
        assert right


def test_values_of_a_unit_and_its_month_are_those_of_the_store(stub):
    with gateway_to(stub) as gateway:
        found = gateway.ask("dataValueSets", VALUES)["dataValues"]
    births = {row["orgUnit"]: row["value"] for row in found if row["dataElement"] == BIRTHS}
    assert sorted(births.values()) == ["10", "20", "30"]
