"""Cases: a state follows from what the checks saw and what people did; decisions stand while the value does."""

import pandas as pd
import pytest
from case_support import COMMUNES, PROVINCE, checked, finding, forget, query
from hypothesis import given
from hypothesis import strategies as st

from tkyt_analysis.access import door as access_door
from tkyt_analysis.errors import InputError
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.quality.cases.actions import (
    accept_cases,
    assign_cases,
    close_cases,
    explain_case,
    list_cases,
    list_runs,
    reject_cases,
    reopen_cases,
    show_case,
    withdraw_cases,
)
from tkyt_analysis.quality.cases.context import accepted_values
from tkyt_analysis.quality.cases.states import ALLOWED, DONE, SEEN, STATES, Event, case_state
from tkyt_analysis.quality.context import context_of_tables


@pytest.fixture(scope="module")
def whole_home(tmp_path_factory):
    place = tmp_path_factory.mktemp("home") / "tkyt"
    prepare_home(place, practice=True)
    return place


@pytest.fixture
def home(whole_home):
    forget(whole_home)
    return whole_home


def state(*events):
    return case_state(Event(*one) if isinstance(one, tuple) else Event(one, 140.0) for one in events)


@pytest.mark.parametrize(
    ("timeline", "expected"),
    [
        (["new"], "open"),
        (["new", "asked"], "asked"),
        (["new", "asked", ("explained", 140.0, "right")], "explained"),
        (["new", "asked", ("explained", 140.0, "wrong"), "gone"], "mended"),
        (["new", "asked", ("explained", 140.0, "unclear")], "asked"),
        (["new", "asked", ("explained", 140.0, "right"), "accepted"], "accepted"),
        (["new", "asked", ("explained", 140.0, "right"), "rejected"], "asked"),
        (["new", "accepted", ("changed", 150.0)], "reopened"),
        (["new", "accepted", "gone", ("back", 140.0)], "accepted"),
        (["new", "accepted", "gone", ("back", 150.0)], "reopened"),
        (["new", "closed", "retested"], "reopened"),
        (["new", "closed", "gone"], "closed"),
        (["new", "closed", "gone", "back"], "reopened"),
        (["new", "withdrawn", "retested"], "withdrawn"),
        (["new", "gone", "back"], "reopened"),
        (["new", "asked", "superseded"], "superseded"),
        (["new", "accepted", "superseded"], "accepted"),
        (["new", "gone", ("explained", 140.0, "right")], "mended"),  # too late: it is solved already
        (["new", "rejected"], "open"),  # nothing was explained
        ([], ""),
    ],
)
def test_the_state_follows_from_the_timeline(timeline, expected):
    assert state(*timeline) == expected


EVENTS = st.builds(
    Event,
    st.sampled_from(sorted({*SEEN, *DONE})),
    st.sampled_from([None, 1.0, 2.0]),
    st.sampled_from(["", "right", "unclear"]),
)


@given(st.lists(EVENTS, max_size=12))
def test_every_timeline_ends_in_a_known_state_and_always_in_the_same(timeline):
    timeline = [Event("new", 1.0), *timeline]
    found = case_state(timeline)
    assert found in STATES
    assert found == case_state(list(timeline))


@given(st.lists(EVENTS, max_size=10), st.sampled_from(sorted(DONE)))
def test_an_event_that_may_not_happen_changes_nothing(timeline, event):
    timeline = [Event("new", 1.0), *timeline]
    before = case_state(timeline)
    if before not in ALLOWED[event]:
        assert case_state([*timeline, Event(event, 1.0, "right")]) == before


def states(home):
    rows = list_cases(home)
    return dict(zip(rows["unit_id"], rows["state"], strict=True))


def ids(home):
    rows = list_cases(home)
    return dict(zip(rows["unit_id"], rows["finding_id"], strict=True))


def test_a_run_says_what_is_new_gone_back_and_changed(home):
    a, b, c = (finding(unit) for unit in COMMUNES)
    assert (checked(home, a, b).new, checked(home, a, b).still) == (2, 2)
    third = checked(home, a | {"value": 150.0}, c)
    assert (third.new, third.gone, third.changed, third.still) == (1, 1, 1, 0)
    fourth = checked(home, a | {"value": 150.0}, b, c)
    assert (fourth.back, fourth.still) == (1, 2)
    assert list_runs(home)["run_number"].tolist() == [4, 3, 2, 1]
    assert states(home) == {COMMUNES[0]: "open", COMMUNES[1]: "reopened", COMMUNES[2]: "open"}
    assert len(query(home, "SELECT * FROM lake.finding_change")) == 2 + 3 + 1  # still there leaves no row


def test_the_same_values_received_again_keep_their_cases(home):
    checked(home, finding())
    (case,) = ids(home).values()
    accept_cases(home, [case], note="có chiến dịch", explanation="campaign")
    for _ in range(2):  # findings are deleted and written anew by each run
        assert checked(home, finding()).new == 0
    assert ids(home)[COMMUNES[0]] == case
    assert states(home)[COMMUNES[0]] == "accepted"


def test_a_rule_that_could_judge_nothing_solves_nothing(home):
    checked(home, finding())
    assert checked(home, judged=0).gone == 0
    assert states(home)[COMMUNES[0]] == "open"
    assert checked(home).gone == 1


def test_a_run_on_one_commune_says_nothing_about_the_others(home):
    checked(home, *(finding(unit) for unit in COMMUNES))
    assert checked(home, scope=[COMMUNES[0]]).gone == 1
    assert states(home) == {COMMUNES[0]: "mended", COMMUNES[1]: "open", COMMUNES[2]: "open"}


def test_an_accepted_explanation_makes_the_finding_a_note_until_its_value_changes(home):
    checked(home, finding())
    (case,) = ids(home).values()
    explain_case(home, case, answer="right", note="tiêm bù sau bão", explanation="campaign")
    assert accept_cases(home, [case]).done == 1

    def found():
        return query(home, "SELECT severity, verdict, explanation FROM lake.finding").iloc[0].tolist()

    assert found() == ["note", "explained", "campaign"]
    checked(home, finding())
    assert found() == ["note", "explained", "campaign"]
    checked(home, finding(value=150.0))
    assert found()[:2] == ["warning", "error_high"]
    assert states(home)[COMMUNES[0]] == "reopened"


def test_reopening_gives_the_finding_its_severity_back(home):
    checked(home, finding())
    (case,) = ids(home).values()
    withdraw_cases(home, [case], note="quy tắc hỏi nhầm")
    assert query(home, "SELECT severity FROM lake.finding")["severity"][0] == "note"
    reopen_cases(home, [case], note="xem lại")
    assert query(home, "SELECT severity, verdict FROM lake.finding").iloc[0].tolist() == ["warning", "error_high"]


def test_what_was_accepted_is_context_for_the_checks(home):
    checked(home, *(finding(unit) for unit in COMMUNES))
    case = ids(home)[COMMUNES[1]]
    accept_cases(home, [case], note="chiến dịch", explanation="campaign")
    tables = {name: query(home, f"SELECT * FROM lake.{name}") for name in ("case_event", "finding_change")}
    known = accepted_values(context_of_tables(tables))
    assert known[["unit_id", "value", "explanation"]].values.tolist() == [[COMMUNES[1], 140.0, "campaign"]]
    assert accepted_values(context_of_tables({})).empty


def test_a_new_version_of_a_rule_asks_anew_except_where_the_cell_was_accepted(home):
    checked(home, finding(COMMUNES[0]), finding(COMMUNES[1]), finding(COMMUNES[2]))
    old = ids(home)
    accept_cases(home, [old[COMMUNES[0]], old[COMMUNES[1]]], note="chiến dịch")
    after = checked(home, finding(COMMUNES[0]), finding(COMMUNES[1], value=150.0), finding(COMMUNES[2]), version=2)
    assert (after.new, after.gone) == (3, 3)
    rows = list_cases(home)
    new = rows[rows["rule_version"] == 2].set_index("unit_id")["state"].to_dict()
    assert new == {
        COMMUNES[0]: "accepted",
        COMMUNES[1]: "open",
        COMMUNES[2]: "open",
    }  # another value is another question
    assert rows[rows["rule_version"] == 1].set_index("unit_id")["state"].to_dict()[COMMUNES[2]] == "superseded"


def test_a_closed_case_is_tested_again(home):
    checked(home, finding(COMMUNES[0]), finding(COMMUNES[1]))
    close_cases(home, ids(home).values(), note="đơn vị nói đã sửa")
    assert set(states(home).values()) == {"closed"}
    checked(home, finding(COMMUNES[0]))
    assert states(home) == {COMMUNES[0]: "reopened", COMMUNES[1]: "closed"}


def test_what_cannot_happen_is_refused_by_name_and_the_rest_is_done(home):
    checked(home, finding(COMMUNES[0]), finding(COMMUNES[1]))
    a, b = ids(home)[COMMUNES[0]], ids(home)[COMMUNES[1]]
    explain_case(home, a, answer="wrong", reported_value=14.0)
    outcome = reject_cases(home, [a, b], note="chưa đủ")
    assert (outcome.done, outcome.refused.values.tolist()) == (1, [[b, "open"]])
    assert query(home, "SELECT value FROM lake.finding")["value"].tolist() == [140.0, 140.0]  # no data were changed


MISSING = [
    (lambda home, case: accept_cases(home, [case]), "error.case_reason"),
    (lambda home, case: close_cases(home, [case], note=" "), "error.case_reason"),
    (lambda home, case: explain_case(home, case, answer="maybe"), "error.case_answer"),
    (lambda home, case: explain_case(home, case, answer="wrong"), "error.case_value_needed"),
    (lambda home, case: explain_case(home, case, answer="right"), "error.case_reason"),
    (lambda home, case: explain_case(home, case, answer="unclear", explanation="mưa"), "error.case_explanation"),
    (lambda home, case: assign_cases(home, [case], to=""), "error.case_assign_whom"),
    (lambda home, case: close_cases(home, ["ffffffff"], note="x"), "error.case_unknown"),
    (lambda home, case: show_case(home, case[:3]), "error.case_unknown"),
    (lambda home, case: list_cases(home, state="lost"), "error.case_state"),
]


def test_what_is_missing_is_said(home):
    checked(home, finding())
    (case,) = ids(home).values()
    for call, key in MISSING:
        with pytest.raises(InputError) as problem:
            call(home, case)
        assert problem.value.key == key
        assert len(problem.value.sentence()) > 20


def test_a_home_without_a_check_has_no_cases(home):
    with pytest.raises(InputError) as problem:
        list_cases(home)
    assert problem.value.key == "error.case_no_run"


def test_the_timeline_keeps_who_did_what_without_names_of_patients(home):
    checked(home, finding())
    (case,) = ids(home).values()
    assign_cases(home, [case], to="Phòng NVY")
    explain_case(home, case[:8], answer="right", note="Bà Nguyễn Thị Mẫu, CCCD 079099000123, tiêm hai lần")
    found, timeline = show_case(home, case)
    assert timeline["event"].tolist() == ["new", "assigned", "explained"]
    assert found["assigned_to"] == "Phòng NVY"
    assert "Mẫu" not in timeline["note"].iloc[-1]
    assert "079099000123" not in timeline["note"].iloc[-1]
    log = (home / "audit" / "log.jsonl").read_text("utf-8")
    assert "case_assigned" in log


def test_a_place_shows_its_own_cases(home):
    checked(home, *(finding(unit) for unit in COMMUNES), finding("VN2024:00001"))
    assert set(list_cases(home, place=PROVINCE)["unit_id"]) == set(COMMUNES)
    assert list_cases(home, place=COMMUNES[0])["unit_id"].tolist() == [COMMUNES[0]]


def test_an_account_of_another_province_may_not_decide(home, monkeypatch):
    from tkyt_analysis.access import Account, Scope

    checked(home, finding())
    (case,) = ids(home).values()
    other = Account("hue", "province", "VN2025:46", Scope(units=frozenset({"VN2025:46"})))
    monkeypatch.setattr(access_door, "current_account", lambda home: other)
    with pytest.raises(InputError) as problem:
        accept_cases(home, [case], note="thử")
    assert problem.value.key == "error.outside_scope"
    assert list_cases(home).empty


def test_only_whole_runs_count_for_the_trend(home):
    checked(home, finding())
    assert query(home, "SELECT whole FROM lake.check_run")["whole"].tolist() == [False]  # one rule of many
    assert query(home, "SELECT * FROM lake.check_run_count").empty


def test_values_that_are_missing_compare_as_equal(home):
    rows = [finding(value=None, at_stake=None, verdict="missing")]
    checked(home, *rows)
    (case,) = ids(home).values()
    accept_cases(home, [case], note="trạm đã đóng")
    assert checked(home, *rows).changed == 0
    assert states(home)[COMMUNES[0]] == "accepted"
    assert pd.isna(show_case(home, case)[0]["value"])
