"""A push to DHIS2: tried first, the same bytes then, and sent twice it leaves the server as once."""

import json
import shutil

import pytest
from gateway_support import (
    BIRTHS,
    CLINIC_A,
    CLINIC_B,
    CLINIC_C,
    DEATHS,
    FLOW,
    MONTHLY,
    NORTH,
    QUARTERLY,
    calm,
    server_at,
    small_store,
    value,
)
from hypothesis import given
from hypothesis import strategies as st

from tkyt_analysis.cli.main import run
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.gateway.payload import make_chunks, payload_id, read_file
from tkyt_analysis.gateway.plan import Wish
from tkyt_analysis.gateway.pull import pull
from tkyt_analysis.gateway.push import push
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.practice.stub_dhis2 import Fault, StubServer
from tkyt_analysis.practice.stub_dhis2.server import TOKEN
from tkyt_analysis.warehouse.release import publish


@pytest.fixture(scope="module")
def known_home(tmp_path_factory):
    """A home that knows the server's units and elements."""
    home = tmp_path_factory.mktemp("push") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TKYT_KEY_FILE", str(tmp_path_factory.mktemp("key") / "key"))
        prepare_home(home)
        with StubServer(small_store()) as stub:
            pull(home, server_at(stub.url), Wish(what=("metadata", "organisationUnits")), retrier=calm())
        shutil.rmtree(home / "work" / "gateway")
        yield home


@pytest.fixture
def home(known_home):
    yield known_home
    shutil.rmtree(known_home / "work" / "gateway", ignore_errors=True)


@pytest.fixture
def stub():
    with StubServer(small_store()) as server:
        yield server


def april(*numbers, what=BIRTHS, **more):
    clinics = (CLINIC_A, CLINIC_B, CLINIC_C)
    return [
        {"dataSet": MONTHLY, "dataElement": what, "period": "202504", "orgUnit": clinic, "value": str(number), **more}
        for clinic, number in zip(clinics, numbers)
    ]


def pushed(home, stub, values, *, yes=True, **how):
    limits = {"attempts": 3} | how.pop("limits", {})
    return push(home, server_at(stub.url), values, confirm=lambda tried: yes, retrier=calm(**limits), **how)


def births(stub):
    return {key[2]: text for key, text in stub.store.content().items() if key[:2] == (BIRTHS, "202504")}


def posts(stub):
    return [request for request in stub.requests if request.method == "POST"]


def test_a_dry_run_comes_first_and_changes_nothing(home, stub):
    before = stub.store.content()
    result = pushed(home, stub, april(11, 21, 31), yes=False)
    assert result.sent is None
    assert result.tried.counts == {"imported": 3, "updated": 0, "ignored": 0, "deleted": 0}
    assert stub.store.content() == before
    assert ["dryRun=true" in request.target for request in posts(stub)] == [True]


def test_what_is_sent_are_the_bytes_that_were_tried(home, stub):
    result = pushed(home, stub, april(11, 21, 31))
    tried, sent = posts(stub)
    assert tried.body == sent.body
    assert "dryRun=false" in sent.target
    assert result.sent.counts["imported"] == 3
    assert births(stub) == {CLINIC_A: "11", CLINIC_B: "21", CLINIC_C: "31"}


def test_pushing_twice_leaves_the_server_as_once(home, stub):
    pushed(home, stub, april(11, 21, 31))
    once = stub.store.content()
    again = pushed(home, stub, april(11, 21, 31))
    assert stub.store.content() == once
    assert again.sent.counts == {"imported": 0, "updated": 3, "ignored": 0, "deleted": 0}


@pytest.mark.parametrize("kind", ["429_seconds", "500", "502", "503", "reset", "truncated", "length_too_long", "empty_200",
                                  "accepted_then_reset", "accepted_then_silent"])  # fmt: skip
def test_a_fault_in_the_middle_of_a_push_neither_loses_nor_doubles_a_value(home, stub, kind):
    """`accepted_then_…`: the server has stored the chunk, and we never hear of it."""
    stub.misbehave(Fault(kind, path="dryRun=false", method="POST", times=1, after=1, seconds=0.6))
    silence = {"limits": {"silence_seconds": 0.3}} if kind == "accepted_then_silent" else {}
    pushed(home, stub, april(11, 21, 31), chunk_size=1, **silence)
    assert births(stub) == {CLINIC_A: "11", CLINIC_B: "21", CLINIC_C: "31"}
    sent = [request.body for request in posts(stub) if "dryRun=false" in request.target]
    assert len(sent) == 3 + 1  # one chunk of three was sent again


def test_a_push_that_was_cut_goes_on_with_what_the_server_has_not_confirmed(home, stub):
    stub.misbehave(Fault("503", path="dryRun=false", method="POST", times=-1, after=1))
    with pytest.raises(ProcessingError) as stopped:
        pushed(home, stub, april(11, 21, 31), chunk_size=1)
    assert "1/3" in stopped.value.sentence("vi")
    assert births(stub) == {CLINIC_A: "11"}
    stub.misbehave()
    stub.requests.clear()
    result = pushed(home, stub, april(11, 21, 31), chunk_size=1)
    assert result.skipped == 1
    assert result.sent.counts["imported"] == 3  # what was confirmed before is counted with its own summary
    assert births(stub) == {CLINIC_A: "11", CLINIC_B: "21", CLINIC_C: "31"}
    assert sum("dryRun=false" in request.target for request in posts(stub)) == 2


def test_values_of_an_approved_report_are_told_as_locked_and_nothing_is_sent(home, stub):
    stub.store.approvals[FLOW, "202504", NORTH] = "APPROVED_HERE"
    before = stub.store.content()
    with pytest.raises(InputError) as refused:
        pushed(home, stub, april(11, 21, 31))
    assert refused.value.key == "error.push_conflicts"
    assert (refused.value.fields["count"], refused.value.fields["locked"]) == (2, 2)
    sentence = refused.value.sentence("vi")
    assert "Clinic A" in sentence
    assert "Births" in sentence
    assert "đã được duyệt" in sentence
    assert stub.store.content() == before


def test_the_others_can_be_sent_if_that_is_said(home, stub):
    stub.store.approvals[FLOW, "202504", NORTH] = "APPROVED_HERE"
    result = pushed(home, stub, april(11, 21, 31), with_conflicts=True)
    assert result.sent.counts == {"imported": 1, "updated": 0, "ignored": 2, "deleted": 0}
    assert births(stub) == {CLINIC_C: "31"}
    assert [conflict.unit_name for conflict in result.sent.conflicts] == ["Clinic A", "Clinic B"]
    assert all(conflict.locked and conflict.code == "E7642" for conflict in result.sent.conflicts)


def test_a_conflict_names_unit_element_period_and_value(home, stub):
    result = pushed(home, stub, april("many", 2, 3, what=DEATHS), yes=False)
    (conflict,) = result.tried.conflicts
    assert (conflict.unit_name, conflict.element_name, conflict.period, conflict.value) == (
        "Clinic A",
        "Deaths",
        "202504",
        "many",
    )
    assert "cần số" in conflict.sentence()


def test_a_409_without_an_import_summary_is_a_refusal(home, stub):
    stub.misbehave(Fault("409", path="dryRun=true", method="POST", times=-1))
    with pytest.raises(ProcessingError) as stopped:
        pushed(home, stub, april(1, 2, 3))
    assert "E2017" in stopped.value.sentence("vi")


def test_an_element_of_two_data_sets_does_not_abort_the_chunk_because_ours_is_named(home, stub):
    stub.store.version = "2.43.0"
    stub.store.lists["dataSets"][1]["dataSetElements"].append({"dataElement": {"id": BIRTHS}})
    stub.store.index()
    assert QUARTERLY in stub.store.elements_of
    result = pushed(home, stub, april(11, 21, 31))
    assert result.sent.counts["imported"] == 3
    open_ended = [{name: text for name, text in one.items() if name != "dataSet"} for one in april(12, 22, 32)]
    with pytest.raises(InputError) as refused:  # 2.43 itself refuses what leaves the data set open
        pushed(home, stub, open_ended)
    assert refused.value.fields["count"] == 3


def test_values_of_a_unit_that_lies_in_no_known_scope_are_refused(home, stub):
    with pytest.raises(InputError) as refused:
        pushed(home, stub, [april(1)[0] | {"orgUnit": "strangeunit"}])
    assert refused.value.key == "error.push_unit_unknown"
    assert posts(stub) == []


def test_each_unit_is_asked_about_before_anything_is_sent(home, stub, monkeypatch):
    def only_north(home, action, *, place=None, **_):
        if place == f"DHIS2:{CLINIC_C}":
            raise InputError("error.access_denied_for_test")

    monkeypatch.setattr("tkyt_analysis.gateway.payload.require", only_north)
    with pytest.raises(InputError) as refused:
        pushed(home, stub, april(1, 2, 3))
    assert refused.value.key == "error.access_denied_for_test"
    assert stub.requests == []
    assert pushed(home, stub, april(1, 2), yes=False).values == 2


def test_other_values_than_those_of_the_dry_run_are_refused(home, stub):
    tried = pushed(home, stub, april(11, 21, 31), yes=False)
    with pytest.raises(InputError) as refused:
        pushed(home, stub, april(11, 21, 32), payload=tried.payload)
    assert refused.value.key == "error.push_changed"
    assert pushed(home, stub, april(11, 21, 31), payload=tried.payload).sent.counts["imported"] == 3


@given(st.permutations(range(6)), st.integers(1, 4))
def test_the_order_of_the_values_does_not_change_what_is_sent(order, size):
    values = [*april(1, 2, 3), *april(4, 5, 6, what=DEATHS)]
    mixed = [values[at] for at in order]
    assert [chunk.body for chunk in make_chunks(mixed, size=size)] == [
        chunk.body for chunk in make_chunks(values, size=size)
    ]
    assert payload_id(make_chunks(mixed, size=size)) == payload_id(make_chunks(values, size=size))
    assert sum(len(chunk.values) for chunk in make_chunks(mixed, size=size)) == 6


def test_two_different_values_of_one_cell_are_refused():
    with pytest.raises(InputError) as refused:
        make_chunks([*april(1), *april(2)])
    assert refused.value.key == "error.push_contradicting"
    with pytest.raises(InputError):
        make_chunks([])


def test_files_of_dhis2_are_read_whole_and_incomplete_values_are_named(tmp_path):
    one = {"dataElement": BIRTHS, "value": 5}
    path = tmp_path / "set.json"
    path.write_text(
        json.dumps({"dataSet": MONTHLY, "period": "202504", "orgUnit": CLINIC_A, "dataValues": [one]}), "utf-8"
    )
    assert read_file(path) == [
        {"dataSet": MONTHLY, "dataElement": BIRTHS, "period": "202504", "orgUnit": CLINIC_A, "value": "5"}
    ]
    table = tmp_path / "set.csv"
    table.write_text(
        "dataelement,period,orgunit,catoptcombo,attroptcombo,value,strby,lstupd,cmt\n"
        f"{BIRTHS},202504,{CLINIC_A},HllvX50cXC0,HllvX50cXC0,5,a,b,c\n",
        "utf-8",
    )
    assert read_file(table)[0]["value"] == "5"
    assert read_file(table)[0]["categoryOptionCombo"] == "HllvX50cXC0"
    path.write_text(json.dumps({"dataValues": [one]}), "utf-8")
    with pytest.raises(InputError) as refused:
        read_file(path)
    assert refused.value.fields["missing"] == "period, orgUnit"
    path.write_text("name;value\n", "utf-8")
    with pytest.raises(InputError) as refused:
        read_file(path)
    assert refused.value.key == "error.push_file"


def test_the_command_shows_the_dry_run_in_vietnamese_and_sends_only_when_told(
    home, stub, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("TKYT_DHIS2_TOKEN", TOKEN)
    file = tmp_path / "set.json"
    file.write_text(json.dumps({"dataValues": april(11, 21, 31)}), "utf-8")
    command = ["dhis2", "push", "--server", stub.url, "--file", str(file), "--home", str(home)]
    assert run(command) == 0
    said = capsys.readouterr().out
    assert "thêm mới 3" in said
    assert "chưa gửi" in said
    assert births(stub) == {}
    assert run([*command, "--yes"]) == 0
    assert "ĐÃ GỬI 3 giá trị" in capsys.readouterr().out
    assert len(births(stub)) == 3
    assert run(["dhis2", "push", "--server", stub.url, "--home", str(home)]) == 2
    assert "--file" in capsys.readouterr().err


def test_a_release_pushed_to_an_empty_server_makes_it_hold_the_same_values(tmp_path, monkeypatch):
    """Also values told apart by an attribute combination only: it must not come back as a category."""
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("TKYT_DHIS2_TOKEN", TOKEN)
    home = tmp_path / "home"
    prepare_home(home)

    def with_projects(store):
        combos = [{"id": "projectpro1"}, {"id": "projectpro2"}]
        store.lists["dataSets"][0]["categoryCombo"] = {
            "id": "combocombo1",
            "isDefault": False,
            "categoryOptionCombos": combos,
        }
        return store.index()

    store = with_projects(small_store())
    store.put(value(CLINIC_A, "202501", BIRTHS, 4, attributeOptionCombo="projectpro2"))
    store.put(
        value(CLINIC_A, "202501", BIRTHS, 5, categoryOptionCombo="femalefema1", attributeOptionCombo="projectpro1")
    )
    with StubServer(store.index()) as full:
        pull(
            home,
            server_at(full.url),
            Wish(what=("metadata", "organisationUnits", "dataValueSets"), periods=("202501",)),
            retrier=calm(),
        )
    publish(home)
    empty = with_projects(small_store())
    empty.values.clear()
    with StubServer(empty) as stub:
        assert run(["dhis2", "push", "--server", stub.url, "--release", "latest", "--home", str(home), "--yes"]) == 0
    january = {key: text for key, text in store.content().items() if key[1] == "202501"}
    assert len(january) == 3 * 2 + 2
    assert empty.content() == january
