"""A pull from DHIS2: whole or resumable, stamped, and a second one with nothing new changes nothing."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from gateway_support import (
    BIRTHS,
    CLINIC_A,
    CLINIC_B,
    CLINIC_C,
    FLOW,
    MONTHLY,
    NATION,
    NORTH,
    QUARTERLY,
    SOUTH,
    STOCK,
    Kept,
    calm,
    gateway_to,
    server_at,
    small_store,
    value,
)
from support import REPOSITORY

from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.gateway.ledger import Ledger
from tkyt_analysis.gateway.log import extractions, runs
from tkyt_analysis.gateway.plan import Wish, fits, require_wish
from tkyt_analysis.gateway.pull import pull
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.practice.stub_dhis2 import Fault, StubServer
from tkyt_analysis.practice.stub_dhis2.server import TOKEN
from tkyt_analysis.warehouse.digest import warehouse_digest
from tkyt_analysis.warehouse.lake import Warehouse

QUARTER = Wish(periods=("202501..202503",))
VALUES = Wish(what=("dataValueSets",), periods=("202501..202503",))
REFERENCE = Wish(what=("metadata", "organisationUnits"))


@pytest.fixture(scope="module")
def empty_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("gateway") / "empty"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TKYT_KEY_FILE", str(tmp_path_factory.mktemp("key") / "key"))
        prepare_home(home)
        yield home


@pytest.fixture
def home(empty_home, tmp_path):
    return shutil.copytree(empty_home, tmp_path / "home")


@pytest.fixture
def fetched(monkeypatch):
    """Pulls end before the warehouse: what was fetched stands in `fetched.values`."""
    kept = Kept()
    monkeypatch.setattr("tkyt_analysis.gateway.pull.receive_answers", kept)
    return kept


@pytest.fixture(scope="module")
def once(empty_home, tmp_path_factory):
    """(home, stub, what was said) after one pull in which January of North and February of South were approved."""
    home = shutil.copytree(empty_home, tmp_path_factory.mktemp("pulled") / "home")
    with StubServer(small_store()) as stub:
        stub.store.approvals |= {(FLOW, "202501", NORTH): "APPROVED_HERE", (FLOW, "202502", SOUTH): "ACCEPTED_HERE"}
        result = pulled(home, stub)
        yield home, stub, result


@pytest.fixture
def stub():
    with StubServer(small_store()) as server:
        yield server


def pulled(home, stub, wish=QUARTER, **how):
    return pull(home, server_at(stub.url), wish, retrier=calm(attempts=2), **how)


def ask(home, sql):
    with Warehouse(home) as warehouse:
        return warehouse.con.execute(sql).fetchall()


def gateway_body(stub, units):
    params = [("dataSet", MONTHLY), ("period", "202501"), ("children", "true"), *(("orgUnit", unit) for unit in units)]
    with gateway_to(stub) as gateway:
        return gateway.fetch("dataValueSets", params).body


def stored_values(home):
    """{(element, unit, period): value} as the last received file says."""
    return {
        row[:3]: row[3] for row in ask(home, "SELECT element_id, unit_id, period_id, value FROM lake.aggregate_value")
    }


def asked(stub, path):
    return [request for request in stub.requests if path in request.target]


EVERYTHING = {
    (what, f"DHIS2:{clinic}", month): factor * number
    for number, clinic in enumerate((CLINIC_A, CLINIC_B, CLINIC_C), start=1)
    for month in ("202501", "202502", "202503")
    for what, factor in ((BIRTHS, 10), ("deathsdeat1", 1))
}


def test_a_pull_brings_units_elements_values_and_completion_marks(once):
    home, _, result = once
    assert stored_values(home) == EVERYTHING
    assert result.failed == []
    assert ask(home, "SELECT count(*) FROM lake.reporting_status WHERE completed") == [(9,)]
    assert ask(home, "SELECT latitude FROM lake.organisation_unit WHERE unit_id = 'DHIS2:" + CLINIC_A + "'") == [
        (18.0,)
    ]
    assert ask(home, "SELECT count(*) FROM lake.quarantine") == [(0,)]


def test_every_extraction_is_stamped_with_who_when_where_and_how_far_it_was_approved(once):
    home, stub, _ = once
    stamps = {
        (row["what"], row["period"]): row
        for row in extractions(home, last=100)
        if row["end_point"] == "/api/dataValueSets"
    }
    january, march = stamps["dataValueSets", "202501"], stamps["dataValueSets", "202503"]
    assert january["approval"] == "APPROVED_HERE 1, UNAPPROVED_READY 1"
    assert march["approval"] == "UNAPPROVED_READY 2"
    assert january["server"] == stub.url
    assert (january["rows"], len(january["sha256"])) == (6, 64)
    assert json.loads(january["units"]) == sorted([NORTH, SOUTH])
    assert ["period", "202501"] in json.loads(january["parameters"])
    assert january["who"]
    assert january["asked_at"] >= "2026"
    kept = ask(home, f"SELECT rows_received FROM lake.received_file WHERE file_sha256 = '{january['sha256']}'")
    assert kept == [(6,)]  # the stamp's hash is that of the bytes in custody


def test_approval_states_of_every_unit_asked_for_are_stored(once):
    home, _, _ = once
    states = (
        "SELECT unit_id, state FROM lake.data_approval WHERE period_id = '202502' AND workflow_id = '"
        + FLOW
        + "' ORDER BY 1"
    )
    assert dict(ask(home, states)) == {
        f"DHIS2:{NATION}": "UNAPPROVED_READY",
        f"DHIS2:{NORTH}": "UNAPPROVED_READY",
        f"DHIS2:{SOUTH}": "ACCEPTED_HERE",
    }


def test_a_second_pull_brings_what_changed_and_a_third_with_nothing_new_changes_nothing(once, tmp_path):
    home = shutil.copytree(once[0], tmp_path / "home")
    stub = once[1]
    today = f"{time.strftime('%Y-%m-%d')}T00:00:00.000+0000"
    stub.store.put(value(CLINIC_A, "202501", BIRTHS, 11, lastUpdated=today))
    stub.store.put(value(CLINIC_B, "202502", BIRTHS, 20, lastUpdated=today, deleted=True))
    stub.requests.clear()
    second = pulled(home, stub)
    assert not second.resumed
    assert all("lastUpdated=" in request.target for request in asked(stub, "dataValueSets?"))
    assert second.deleted == 1
    values = "SELECT value FROM lake.aggregate_value JOIN lake.received_file USING (file_sha256) WHERE "
    key = (
        f"element_id = '{BIRTHS}' AND unit_id = 'DHIS2:{CLINIC_A}' AND period_id = '202501' ORDER BY received_at, value"
    )
    assert [row[0] for row in ask(home, values + key)] == [10, 11]
    assert ask(home, "SELECT count(*) FROM lake.aggregate_value") == [(len(EVERYTHING) + 1,)]
    assert ask(home, "SELECT reason FROM lake.quarantine") == [("quarantine.dhis2_deleted",)]
    before = warehouse_digest(home)
    third = pulled(home, stub)  # both lie in the overlap window: they come again, and are known
    assert warehouse_digest(home) == before
    assert third.repeated == 2
    assert len(runs(home)) == 3  # but that it was asked is on record


def test_one_bad_unit_is_named_and_costs_the_others_nothing(home, stub, fetched):
    stub.store.bad_units = {SOUTH}
    result = pulled(home, stub)
    assert {(what, units) for what, _, units, _ in result.failed} == {
        ("dataValueSets", SOUTH),
        ("completeDataSetRegistrations", SOUTH),
    }
    assert len(result.failed) == 6
    assert all("E2012" in sentence for *_, sentence in result.failed)
    assert fetched.values == {key: text for key, text in stub.store.content().items() if key[2] != CLINIC_C}
    assert runs(home)[0]["state"] == "closed_with_failures"
    stub.store.bad_units = set()
    later = pulled(home, stub)
    assert later.since == ""  # a run with failures is no ground for asking only for changes
    assert fetched.values == stub.store.content()


def test_a_pull_that_is_sent_to_the_login_page_goes_on_later_without_asking_twice(home, stub, fetched):
    stub.misbehave(Fault("302_login", after=2, times=-1))
    with pytest.raises(ProcessingError) as stopped:
        pulled(home, stub, VALUES)
    assert stopped.value.key == "error.dhis2_stopped"
    sentence = stopped.value.sentence("vi")
    assert "trang đăng nhập" in sentence
    assert "2/6" in sentence
    first = [request.target for request in asked(stub, "dataValueSets?") if request.status == 200]
    stub.misbehave()
    result = pulled(home, stub, VALUES)
    assert result.resumed
    answered = [request.target for request in asked(stub, "dataValueSets?") if request.status == 200]
    assert len(answered) == len(set(answered)) == 6
    assert answered[:2] == first
    assert fetched.values == stub.store.content()


def test_too_many_failures_in_a_row_end_the_run_and_not_the_servers_patience(home, stub, fetched):
    stub.misbehave(Fault("409", times=-1))
    with pytest.raises(ProcessingError) as stopped:
        pulled(home, stub, Wish(what=("dataValueSets",), periods=("202501..202512",)))
    assert "E2017" in stopped.value.sentence("vi")
    assert len(asked(stub, "dataValueSets?")) < 30


def test_an_answer_that_is_too_large_is_asked_for_in_smaller_parts(home, stub, fetched):
    month, north = (len(gateway_body(stub, units)) for units in ((NORTH, SOUTH), (NORTH,)))
    stub.requests.clear()
    result = pull(home, server_at(stub.url), VALUES, retrier=calm(attempts=2, most_bytes=(month + north) // 2))
    assert result.failed == []
    assert fetched.values == stub.store.content()
    assert any(
        request.target.count("orgUnit=") == 1 and NORTH in request.target for request in asked(stub, "dataValueSets?")
    )


RULE = {
    "id": "ruleruleru1", "name": "Deaths below births", "importance": "HIGH", "periodType": "Monthly",
    "operator": "less_than_or_equal_to",
    "leftSide": {"expression": "#{deathsdeat1}", "missingValueStrategy": "SKIP_IF_ANY_VALUE_MISSING"},
    "rightSide": {"expression": "#{birthsbirt1}", "missingValueStrategy": "NEVER_SKIP"},
}  # fmt: skip
LIMIT = {
    "source": {"id": CLINIC_A}, "dataElement": {"id": BIRTHS}, "optionCombo": {"id": "HllvX50cXC0"}, "min": 5, "max": 15,
    "generated": "TRUE",
}  # fmt: skip


def test_aggregates_rules_limits_and_shapes_stand_apart_from_raw_values(home, stub):
    stub.store.lists["validationRules"], stub.store.lists["minMaxDataElements"] = [RULE], [LIMIT]
    what = ("metadata", "organisationUnits", "analytics", "validationRules", "minMax", "geometry")
    pulled(home, stub, Wish(what=what, periods=("202501",), elements=(BIRTHS,)), whole_list=1, page_size=2)
    assert ask(home, "SELECT count(*) FROM lake.aggregate_value") == [(0,)]
    found = dict(ask(home, "SELECT unit_id, value FROM lake.analytics_value WHERE period_id = '202501'"))
    assert found == {f"DHIS2:{NATION}": 10 + 20 + 30, f"DHIS2:{NORTH}": 10 + 20, f"DHIS2:{SOUTH}": 30}
    rule = ask(home, "SELECT name, left_side, operator, right_missing FROM lake.dhis2_validation_rule")
    assert rule == [("Deaths below births", "#{deathsdeat1}", "less_than_or_equal_to", "NEVER_SKIP")]
    limit = ask(home, "SELECT unit_id, element_id, minimum, maximum, generated FROM lake.dhis2_min_max")
    assert limit == [(f"DHIS2:{CLINIC_A}", BIRTHS, 5, 15, True)]
    assert ask(home, "SELECT count(*), any_value(shape) FROM lake.unit_geometry") == [(6, "Point")]
    # the units came in three pages of two; each page knows those before it
    parents = ask(home, f"SELECT parent_unit_id FROM lake.organisation_unit WHERE unit_id = 'DHIS2:{CLINIC_C}'")
    assert parents == [(f"DHIS2:{SOUTH}",)]


def test_only_data_sets_that_report_in_the_period_are_asked_for_it(home, stub, fetched):
    stub.store.put(value(CLINIC_A, "2025Q1", STOCK, "TRUE"))
    stub.store.index()
    pulled(home, stub, Wish(what=("dataValueSets",), periods=("202501", "2025Q1")))
    months = [request.target for request in asked(stub, "dataValueSets?") if "period=202501" in request.target]
    quarters = [request.target for request in asked(stub, "dataValueSets?") if "period=2025Q1" in request.target]
    assert months
    assert quarters
    assert all(MONTHLY in target and QUARTERLY not in target for target in months)
    assert all(QUARTERLY in target and MONTHLY not in target for target in quarters)
    assert fits("Weekly", "2026W7")
    assert not fits("Monthly", "2025")


def test_a_server_with_another_calendar_is_refused(home, stub):
    stub.store.calendar = "ethiopian"
    with pytest.raises(InputError) as refused:
        pulled(home, stub)
    assert "ethiopian" in refused.value.sentence("vi")


@pytest.mark.parametrize(
    ("wish", "key"),
    [
        (Wish(what=("values",)), "error.dhis2_what_unknown"),
        (Wish(), "error.dhis2_no_period"),
        (Wish(what=("dataValueSets",), since="1/1/2025"), "error.dhis2_since"),
        (Wish(what=("analytics",), periods=("202501",)), "error.dhis2_no_element"),
        (Wish(periods=("202501",), units=("Thanh Hóa",)), "error.dhis2_uid"),
    ],
)
def test_a_wish_that_no_server_could_answer_is_refused_before_asking(wish, key):
    with pytest.raises(InputError) as refused:
        require_wish(wish)
    assert refused.value.key == key
    assert refused.value.sentence("vi")


@pytest.mark.parametrize(
    ("wish", "key"),
    [
        (Wish(periods=("202501",), datasets=("nosuchset01",)), "error.dhis2_no_data_set"),
        (Wish(periods=("202501",), units=("nosuchunit1",)), "error.dhis2_no_unit"),
    ],
)
def test_what_the_server_does_not_have_is_named(home, stub, fetched, wish, key):
    with pytest.raises(InputError) as refused:
        pulled(home, stub, wish)
    assert refused.value.key == key


def test_a_run_that_dies_between_storing_and_stamping_is_stamped_by_the_next(home, stub, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("tkyt_analysis.gateway.receive._stamp", die)
    with pytest.raises(KeyboardInterrupt):
        pulled(home, stub, REFERENCE)
    assert extractions(home) == []
    monkeypatch.undo()
    assert pulled(home, stub, REFERENCE).resumed
    assert sorted(row["what"] for row in extractions(home)) == ["metadata", "organisationUnits"]


PULL = """
import sys
from pathlib import Path
from gateway_support import Kept, calm, server_at
import tkyt_analysis.gateway.pull as module
from tkyt_analysis.gateway.plan import Wish
module.receive_answers = Kept()
module.pull(Path(sys.argv[1]), server_at(sys.argv[2]), Wish(what=("dataValueSets",), periods=("202501..202503",)), retrier=calm())
"""


@pytest.mark.parametrize("answers", [1, 4])
def test_a_pull_killed_in_the_middle_goes_on_to_the_same_end(home, stub, fetched, answers):
    stub.misbehave(Fault("delay", times=-1, after=answers, seconds=20))  # dies while it waits for the next answer
    environment = os.environ | {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'tests'}"}
    process = subprocess.Popen([sys.executable, "-c", PULL, str(home), stub.url], env=environment)
    deadline = time.monotonic() + 120
    while stub.faults.faults[0].spoilt == 0 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    *before, lost = [request.target for request in asked(stub, "dataValueSets?")]
    assert len(before) == answers
    stub.misbehave()
    result = pulled(home, stub, VALUES)
    assert result.resumed
    assert fetched.values == stub.store.content()
    after = [request.target for request in asked(stub, "dataValueSets?")][answers + 1 :]
    assert not set(before) & set(after)  # what had come is not asked for again
    assert lost in after
    assert len(after) == 6 - answers


def test_two_pulls_from_one_server_do_not_run_at_once(home, stub):
    with Ledger(home, server_at(stub.url).name), pytest.raises(ProcessingError) as busy:
        pulled(home, stub)
    assert busy.value.key == "error.dhis2_ledger_busy"


def test_the_secret_is_in_no_file_no_log_and_no_message(home, stub, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    pulled(home, stub, REFERENCE)
    stub.misbehave(Fault("302_login", path="metadata|system/info", times=-1))
    with pytest.raises(ProcessingError) as stopped:
        pulled(home, stub, REFERENCE)
    said = "".join(capfd.readouterr()) + caplog.text + stopped.value.sentence("vi") + repr(stopped.value.fields)
    assert stopped.value.key == "error.dhis2_not_begun"
    assert "system/info" in said  # the log is there
    assert TOKEN not in said
    secret = TOKEN.encode()
    assert [path for path in home.rglob("*") if path.is_file() and secret in path.read_bytes()] == []


def test_the_cache_is_its_owners_and_holds_no_answer_that_was_received(once):
    ledger = next((once[0] / "work" / "gateway").rglob("ledger.sqlite"))
    assert ledger.stat().st_mode & 0o077 == 0
    assert ledger.parent.stat().st_mode & 0o077 == 0
    assert list((ledger.parent / "answers").rglob("*.json")) == []
