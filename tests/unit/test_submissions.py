"""States of reports: received → checked → approved → locked, returned and reopened; a locked report cannot change."""

import json
import shutil

import pandas as pd
import pytest
from workflow_support import COMMUNE, OTHER, PROVINCE, ReportDoor, make_home, only_our_gate, run_rules, send, set_clock

from tkyt_analysis.cli.main import run
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest import receive
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.workflow.actions import approve_reports, check_reports, reopen_reports, return_reports
from tkyt_analysis.workflow.adopt import adopt_reports
from tkyt_analysis.workflow.listing import list_submissions
from tkyt_analysis.workflow.verify import check_approved_values

# Biểu 16/BCH of the first half of 2024 is due ten days after 30 June 2024: Wednesday 10 July 2024.
FORM, PERIOD = "form16bch", "2024C6"
REPORT = (FORM, COMMUNE, PERIOD)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("empty")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TKYT_KEY_FILE", str(folder / "key"))
        yield make_home(folder / "home")


@pytest.fixture
def home(empty, tmp_path, monkeypatch):
    monkeypatch.setattr(receive, "doors", lambda: [ReportDoor()])
    only_our_gate(monkeypatch)
    shutil.copytree(empty, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def clock(monkeypatch):
    return set_clock(monkeypatch, "2024-07-05 02:00:00")


def line(value, element="16BCH/1", unit=COMMUNE, period=PERIOD):
    return f"{FORM},{unit},{period},{element},{value}"


def state(home, unit=COMMUNE):
    rows, _ = list_submissions(home, place=unit)
    return rows.iloc[0]


def approved(home, clock, at="2024-07-06 02:00:00", **more):
    run_rules(home, at=at)
    clock.set(at)
    assert check_reports(home, place=COMMUNE).done == 1
    assert approve_reports(home, place=COMMUNE, **more).done == 1


def values(home):
    with Warehouse(home) as warehouse:
        from tkyt_analysis.warehouse.release_tables import CURRENT_VALUE

        sql = f"SELECT element_id, value FROM ({CURRENT_VALUE}) ORDER BY ALL"
        return warehouse.con.execute(sql).fetchall()


def test_a_report_is_received_checked_approved_and_locked_when_its_due_date_is_over(home, clock):
    send(home, line(3))
    assert state(home).state == "received"
    approved(home, clock)
    assert state(home).state == "approved"
    clock.set("2024-07-10 16:59:00")  # 23:59 of the due date in Viet Nam
    assert state(home).state == "approved"
    clock.set("2024-07-10 17:00:00")  # 00:00 of the next day
    assert state(home).state == "locked"
    assert (state(home).days_late, str(state(home).due.date())) == (0, "2024-07-10")


def test_a_value_of_a_locked_report_is_refused_with_the_day_of_the_lock_and_whom_to_ask(home, clock):
    send(home, line(3), line(5, "16BCH/2"))
    approved(home, clock)
    clock.set("2024-08-01 02:00:00")
    said = send(home, line(3), line(6, "16BCH/2"), line(1, unit=OTHER))
    assert (said["received"], said["landed"], said["quarantined"]) == (3, 2, 1)
    assert values(home) == [("16BCH/1", 1.0), ("16BCH/1", 3.0), ("16BCH/2", 5.0)]
    with Warehouse(home) as warehouse:
        [(reason, row, column, value, fields)] = warehouse.con.execute(
            "SELECT reason, row_number, column_name, value, fields FROM lake.quarantine"
        ).fetchall()
    assert (reason, row, column, value) == ("quarantine.report_locked", 2, "c", "6")
    told = json.loads(fields)
    assert (told["locked"], told["was"], told["sent"]) == ("11/07/2024", "5.0", "6.0")
    from tkyt_analysis.ingest.summary import quarantine_examples

    [(_, sentence)] = quarantine_examples(home, [said["sha256"]])
    assert "11/07/2024" in sentence
    assert "tkyt submission reopen" in sentence
    assert state(home).state == "locked"
    assert check_approved_values(home).empty


def test_a_new_cell_of_a_locked_report_is_a_change_too(home, clock):
    send(home, line(3))
    approved(home, clock)
    clock.set("2024-08-01 02:00:00")
    assert send(home, line(9, "16BCH/7"))["quarantined"] == 1
    assert values(home) == [("16BCH/1", 3.0)]


def test_identical_values_of_a_locked_report_are_no_change_and_no_alarm(home, clock):
    send(home, line(3))
    approved(home, clock)
    clock.set("2024-08-01 02:00:00")
    again = send(home, line(3), line(4, unit=OTHER))
    assert again["quarantined"] == 0
    assert state(home).state == "locked"
    assert state(home).times_received == 2


def test_sent_again_before_the_lock_the_approval_lapses_and_the_list_says_so(home, clock):
    send(home, line(3))
    approved(home, clock)
    clock.set("2024-07-07 02:00:00")
    send(home, line(4))
    found = state(home)
    assert (found.state, bool(found.approval_lapsed)) == ("received", True)
    clock.set("2024-08-01 02:00:00")  # never approved again: it does not lock
    assert state(home).state == "received"
    assert send(home, line(5))["quarantined"] == 0


def test_identical_values_leave_an_approval_as_it_is(home, clock):
    send(home, line(3))
    approved(home, clock)
    send(home, line(3), line(1, unit=OTHER))
    assert state(home).state == "approved"


def test_a_returned_report_waits_for_a_new_file(home, clock):
    send(home, line(3))
    with pytest.raises(InputError, match="reason"):
        return_reports(home, place=COMMUNE, reason="  ")
    assert return_reports(home, place=COMMUNE, reason="thiếu hàng 7").done == 1
    assert (state(home).state, state(home).reason) == ("returned", "thiếu hàng 7")
    assert list(approve_reports(home, place=COMMUNE, despite="x").refused["why"]) == ["wrong_state"]
    send(home, line(3), line(1, unit=OTHER))  # the same values in a new file are an answer
    assert (state(home).state, state(home).times_returned) == ("received", 1)


def test_a_locked_report_is_reopened_with_a_reason_changed_and_locked_again_by_approval(home, clock):
    send(home, line(3))
    approved(home, clock)
    clock.set("2024-08-01 02:00:00")
    assert list(return_reports(home, place=COMMUNE, reason="sai").refused["why"]) == ["wrong_state"]
    with pytest.raises(InputError, match="reason"):
        reopen_reports(home, place=COMMUNE, reason="")
    assert reopen_reports(home, place=COMMUNE, reason="công văn 12/SYT").done == 1
    assert state(home).state == "reopened"
    assert send(home, line(4))["quarantined"] == 0
    assert state(home).state == "received"
    approved(home, clock, at="2024-08-02 02:00:00")
    assert state(home).state == "locked"
    assert send(home, line(5))["quarantined"] == 1
    assert values(home) == [("16BCH/1", 4.0)]


def test_a_refused_file_is_received_again_after_reopening(home, clock):
    send(home, line(3))
    approved(home, clock)
    clock.set("2024-08-01 02:00:00")
    send(home, line(4), name="late")
    reopen_reports(home, place=COMMUNE, reason="công văn 12/SYT")
    receive.ingest(home, [home.parent / "late.reports"], retry=True)
    assert values(home) == [("16BCH/1", 4.0)]


def test_reading_a_file_again_does_not_change_a_locked_report(home, clock):
    send(home, line(3), name="first")
    send(home, line(7), line(2, "16BCH/2"), name="second")
    approved(home, clock)
    clock.set("2024-08-01 02:00:00")
    before = values(home)
    with Warehouse(home, write=True) as warehouse:  # as if both had left rows in quarantine
        warehouse.con.execute("UPDATE lake.received_file SET rows_quarantined = 1, rows_received = rows_received + 1")
        warehouse.con.execute(
            "INSERT INTO lake.quarantine (file_sha256, reason) SELECT file_sha256, 'x' FROM lake.received_file"
        )
    receive.ingest(home, [home.parent / "first.reports", home.parent / "second.reports"], retry=True)
    assert values(home) == before
    assert check_approved_values(home).empty


def test_a_first_report_after_the_deadline_is_taken_and_is_late(home, clock):
    clock.set("2024-07-15 02:00:00")
    assert send(home, line(3))["landed"] == 1
    assert (state(home).state, state(home).days_late) == ("received", 5)


def test_a_report_is_checked_only_after_the_rules_have_seen_its_last_values(home, clock):
    run_rules(home, at="2024-07-04 00:00:00")
    send(home, line(3))
    assert list(check_reports(home, place=COMMUNE).refused["why"]) == ["check_not_run"]
    assert list(approve_reports(home, place=COMMUNE).refused["why"]) == ["not_checked"]
    assert approve_reports(home, place=COMMUNE, despite="hạn chót").done == 1


def test_a_report_with_an_open_error_is_approved_only_despite_it_with_the_reason_kept(home, clock):
    send(home, line(3))
    send(home, line(4, unit=OTHER))
    run_rules(home, at="2024-07-06 00:00:00", errors=(REPORT,))
    check_reports(home, place=PROVINCE)
    outcome = approve_reports(home, place=PROVINCE, form=FORM, period=PERIOD)  # all communes that passed
    assert outcome.done == 1
    assert outcome.refused[["unit_id", "why", "errors"]].to_numpy().tolist() == [[COMMUNE, "open_errors", 1]]
    assert approve_reports(home, place=COMMUNE, despite="đã xác minh với trạm").done == 1
    assert state(home).reason == "đã xác minh với trạm"


def test_a_place_is_its_units_and_nothing_else(home, clock):
    send(home, line(3), line(4, unit=OTHER), line(5, unit="VN2025:01"))
    assert list_submissions(home, place=PROVINCE)[1] == {"received": 2}
    assert list_submissions(home)[1] == {"received": 3}
    assert len(list_submissions(home, limit=1)[0]) == 1
    with pytest.raises(InputError, match="VN2025:99"):
        list_submissions(home, place="VN2025:99")
    with pytest.raises(InputError, match="open"):
        list_submissions(home, state="open")


def test_a_report_without_a_known_deadline_never_locks_and_says_why(home, clock):
    send(home, f"dept_x,{COMMUNE},202401,e,1")
    approved(home, clock)
    clock.set("2030-01-01 00:00:00")
    assert state(home).state == "approved"
    assert "dept_x" in state(home).due_basis


def test_every_action_is_asked_of_access_and_written_to_the_audit_log(home, clock, monkeypatch):
    from tkyt_analysis.access.audit import read_log
    from tkyt_analysis.workflow import actions

    asked = []
    real = actions.require
    monkeypatch.setattr(
        actions, "require", lambda h, action, *, place: asked.append((action, place)) or real(h, action)
    )
    send(home, line(3))
    return_reports(home, place=COMMUNE, reason="thiếu hàng 7")
    assert asked == [("return", COMMUNE)]
    last = list(read_log(home))[-1]
    assert (last["event"], last["why"], last["rows"]) == ("submission_returned", "thiếu hàng 7", 1)


def test_reports_from_before_the_events_are_adopted_once_with_their_own_time(home, clock):
    send(home, line(3))
    with Warehouse(home, write=True) as warehouse:
        warehouse.con.execute("DELETE FROM lake.submission_event")
        warehouse.con.execute("UPDATE lake.received_file SET received_at = '2024-07-12 01:00:00'")
    assert adopt_reports(home) == {"adopted": 1}
    assert adopt_reports(home) == {"adopted": 0}
    assert (state(home).state, state(home).days_late) == ("received", 2)


def test_a_dhis2_report_is_late_by_the_day_it_was_completed_not_by_the_day_of_the_extract(home, clock):
    clock.set("2025-01-01 00:00:00")
    send(home, line(3))
    with Warehouse(home, write=True) as warehouse:
        warehouse.con.execute("UPDATE lake.received_file SET door = 'dhis2'")
    assert pd.isna(state(home).days_late)  # nobody knows
    with Warehouse(home, write=True) as warehouse:
        warehouse.con.execute(
            "INSERT INTO lake.reporting_status (dataset_id, unit_id, period_id, completed_at, completed) "
            f"VALUES ('{FORM}', '{COMMUNE}', '{PERIOD}', '2024-07-13T08:00:00', true)"
        )
    assert state(home).days_late == 3


def test_the_release_says_who_reported_and_when_but_names_no_account(home, clock):
    from tkyt_analysis.warehouse.release import publish

    send(home, line(3))
    approved(home, clock)
    with Warehouse(home, write=True) as warehouse:  # the file came in on the day that the clock says
        warehouse.con.execute("UPDATE lake.received_file SET received_at = '2024-07-05 02:00:00'")
    release = publish(home)
    [row] = release.query("SELECT * FROM submission").to_dict("records")
    assert (row["state"], row["unit_id"], row["scope"]) == ("approved", COMMUNE, "VN2025-51")
    assert not {"account", "reason"} & set(row)


def test_the_commands_do_what_the_functions_do(home, clock, capsys):
    send(home, line(3))
    at = ["--home", str(home)]
    assert run(["submission", "approve", "--place", COMMUNE, *at]) == 1
    assert "chưa kiểm tra" in capsys.readouterr().out
    assert run(["submission", "return", "--place", COMMUNE, "--reason", "thiếu", "--period", PERIOD, *at]) == 0
    capsys.readouterr()
    assert run(["submission", "list", "--json", "--state", "returned", *at]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["states"] == {"returned": 1}
    assert said["reports"][0]["reason"] == "thiếu"
    assert run(["submission", "list", *at]) == 0
    assert "đã trả lại" in capsys.readouterr().out
    assert run(["calendar", "due", FORM, "--period", PERIOD]) == 0
    assert "10/07/2024" in capsys.readouterr().out
