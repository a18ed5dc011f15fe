"""The start page counts what waits and what is new, for the account that looks."""

import datetime
import shutil

import pytest

from tkyt_analysis.start_page import start
from tkyt_analysis.start_tasks import last_visit, news, waiting_tasks
from tkyt_analysis.warehouse.lake import Warehouse

TODAY = datetime.date(2026, 1, 20)  # the practice data end with December 2025


@pytest.fixture(scope="module")
def home(practice_home, tmp_path_factory):
    copy = tmp_path_factory.mktemp("start") / "home"
    return shutil.copytree(practice_home, copy, symlinks=True)


def counted(home, sql):
    with Warehouse(home) as warehouse:
        return warehouse.one(sql)[0]


def test_every_number_is_the_count_of_its_rows(home):
    tasks = {task.kind: task.number for task in waiting_tasks(home, today=TODAY)}
    assert tasks["quarantined"] == counted(home, "SELECT count(*) FROM lake.quarantine") > 0
    assert tasks["findings"] == counted(home, "SELECT count(*) FROM lake.finding WHERE severity = 'error'") > 0
    assert tasks["refused_files"] == counted(
        home, "SELECT count(*) FROM lake.received_file WHERE rows_landed = 0 AND rows_quarantined > 0"
    )
    keys = "SELECT DISTINCT dataset_id, unit_id, period_id FROM lake.submission_event"
    assert tasks["reports_received"] == counted(home, f"SELECT count(*) FROM ({keys})")


def test_reports_that_are_not_here_are_late_after_their_day_and_due_before(home):
    month = "202512"
    expected = "SELECT dataset_id, unit_id FROM lake.data_set_assignment WHERE period_type = 'Monthly'"
    here = f"SELECT dataset_id, unit_id FROM lake.submission_event WHERE period_id = '{month}'"
    missing = counted(home, f"SELECT count(*) FROM ({expected} EXCEPT {here})")
    late = [task for task in waiting_tasks(home, today=TODAY) if task.kind == "reports_late"]
    assert [task.number for task in late if task.command.endswith(month)] == [missing]
    before = [task for task in waiting_tasks(home, today=datetime.date(2026, 1, 2)) if task.command.endswith(month)]
    assert [(task.kind, task.number) for task in before] == [("reports_due", missing)]


def test_an_account_below_the_nation_is_told_of_its_own_only(home, monkeypatch):
    from tkyt_analysis import start_tasks
    from tkyt_analysis.access import Account, Scope

    unit = counted(
        home, "SELECT unit_id FROM lake.finding WHERE severity = 'error' AND unit_id LIKE 'VN2024:_____' LIMIT 1"
    )
    account = Account("xa", "province_unit", unit, Scope(units=frozenset({unit})))
    monkeypatch.setattr(start_tasks, "require", lambda home, action: account)
    own = {task.kind: task.number for task in waiting_tasks(home, today=TODAY)}
    assert own["findings"] == counted(
        home, f"SELECT count(*) FROM lake.finding WHERE severity = 'error' AND unit_id = '{unit}'"
    )
    assert own["findings"] < counted(home, "SELECT count(*) FROM lake.finding WHERE severity = 'error'")


def test_new_is_what_came_after_the_visit_before_this_one(home):
    morning = datetime.datetime(2026, 11, 20, 8, 0)
    assert last_visit(home, now=morning) == ""
    assert last_visit(home, now=morning + datetime.timedelta(minutes=20)) == ""  # the same visit
    noon = morning + datetime.timedelta(hours=4)
    assert last_visit(home, now=noon) == last_visit(home, now=noon) == "2026-11-20 08:20:00"
    files = {task.kind: task.number for task in news(home, "2000-01-01 00:00:00")}
    assert files["new_files"] == counted(home, "SELECT count(*) FROM lake.received_file")
    assert files["new_release"] == 1
    assert news(home, "2999-01-01 00:00:00") == []


def test_the_page_shows_numbers_with_a_next_step_and_escapes_names_of_files(home, monkeypatch):
    from tkyt_analysis import start_page
    from tkyt_analysis.start_tasks import Task

    page = start(home)
    html = page.waiting()
    assert "tkyt errors write" in html
    assert "20_quality.ipynb" in html
    monkeypatch.setattr(
        start_page, "waiting_tasks", lambda home: [Task("refused_files", 1234, {"example": "<b>x</b>"})]
    )
    html = page.waiting()
    assert "<b>x" not in html
    assert "1.234" in html
    monkeypatch.setattr(start_page, "waiting_tasks", lambda home: [])
    assert "Không có việc nào đang chờ" in page.waiting()


def test_the_page_speaks_english_too(home):
    from tkyt_analysis.labels import set_language

    try:
        assert "Next step" in start(home, "en").waiting()
    finally:
        set_language("vi")
