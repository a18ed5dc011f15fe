"""The audit log only grows, and whatever is done to it behind the system's back is found."""

import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tkyt_analysis.access import audit
from tkyt_analysis.warehouse.lake import create_home

EVENTS = 8


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("audit") / "home"
    create_home(home)
    for number in range(EVENTS):
        audit.record(home, "report", rows=number, why=f"lần {number}", report="deaths_annual")
    return home


@pytest.fixture
def log(home):
    """The log's lines; log and seal are put back afterwards."""
    kept = audit.log_file(home).read_bytes(), audit.head_file(home).read_bytes()
    yield kept[0].splitlines(keepends=True)
    audit.log_file(home).write_bytes(kept[0])
    audit.head_file(home).write_bytes(kept[1])


def write(home, lines):
    audit.log_file(home).write_bytes(b"".join(lines))


def test_an_untouched_log_is_whole_and_says_who_did_what(home):
    assert audit.check_chain(home) == []
    entries = list(audit.read_log(home))
    assert [entry["rows"] for entry in entries] == list(range(EVENTS))
    assert entries[3]["why"] == "lần 3"
    assert entries[3]["fields"] == {"report": "deaths_annual"}
    assert entries[3]["account"]
    assert audit.log_file(home).stat().st_mode & 0o077 == 0


def test_a_removed_line_is_named(home, log):
    write(home, log[:3] + log[4:])
    assert "4" in audit.check_chain(home)[0]


def test_an_altered_line_is_named(home, log):
    log[2] = log[2].replace(b'"rows": 2', b'"rows": 0')
    write(home, log)
    assert len(audit.check_chain(home)) == 1
    assert "3" in audit.check_chain(home)[0]


def test_two_swapped_lines_are_found(home, log):
    write(home, [*log[:2], log[3], log[2], *log[4:]])
    assert audit.check_chain(home)


def test_a_line_put_in_is_found_whether_forged_or_copied(home, log):
    forged = json.loads(log[4]) | {"event": "nothing_happened"}
    for inserted in (json.dumps(forged).encode() + b"\n", log[1], b"not a record\n"):
        write(home, [*log[:5], inserted, *log[5:]])
        assert audit.check_chain(home)


@pytest.mark.parametrize("left", range(EVENTS))
def test_a_log_whose_end_was_cut_off_is_found(home, log, left):
    write(home, log[:left])
    assert audit.check_chain(home)


def test_a_log_that_was_deleted_is_found_with_and_without_its_seal(home, log):
    audit.log_file(home).unlink()
    assert audit.check_chain(home)
    audit.head_file(home).unlink()
    (home / "releases" / "CURRENT").write_text("R000001-00000000\n")
    assert audit.check_chain(home)
    (home / "releases" / "CURRENT").unlink()


def test_a_seal_that_is_gone_altered_or_old_is_found(home, log):
    seal = json.loads(audit.head_file(home).read_text())
    audit.head_file(home).write_text(json.dumps(seal | {"count": EVENTS - 1}))
    assert audit.check_chain(home)
    audit.head_file(home).unlink()
    assert audit.check_chain(home)


def test_a_cut_off_end_stays_visible_after_the_log_went_on(home, log):
    write(home, log[:-2])
    audit.record(home, "publish")
    assert audit.check_chain(home)
    audit.record(home, "publish")
    assert audit.check_chain(home)


def test_foreign_lines_behind_the_seal_stay_visible_after_the_log_went_on(home, log):
    write(home, [*log, log[-1], log[-2]])
    audit.record(home, "publish")
    assert any("niêm phong" in problem for problem in audit.check_chain(home))


def test_a_writer_that_died_between_line_and_seal_is_no_alarm(home, log):
    before = audit.head_file(home).read_bytes()
    audit.record(home, "publish")
    audit.head_file(home).write_bytes(before)  # the line is there, the seal is still the old one
    assert audit.check_chain(home) == []
    audit.record(home, "publish")
    assert audit.check_chain(home) == []
    assert [entry["n"] for entry in audit.read_log(home)] == list(range(1, EVENTS + 3))


def test_a_writer_that_died_within_a_line_is_no_alarm(home, log):
    write(home, [*log, log[-1][:40]])
    assert audit.check_chain(home) == []
    audit.record(home, "publish")
    assert audit.check_chain(home) == []
    assert [entry["n"] for entry in audit.read_log(home)] == list(range(1, EVENTS + 2))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_change_of_bytes_goes_unnoticed(home, data):
    """Any cut, overwritten or inserted bytes, unless they only take away an unfinished end behind the seal."""
    whole = audit.log_file(home).read_bytes()
    start = data.draw(st.integers(0, len(whole) - 1), "start")
    end = data.draw(st.integers(start, min(len(whole), start + 400)), "end")
    put = data.draw(st.binary(max_size=12), "put")
    changed = whole[:start] + put + whole[end:]
    same = json_lines(changed) == json_lines(whole)
    try:
        audit.log_file(home).write_bytes(changed)
        assert same or audit.check_chain(home)
    finally:
        audit.log_file(home).write_bytes(whole)


def json_lines(text):
    """What the lines say (blanks within JSON and an unfinished last line say nothing)."""
    said = []
    for line in text.splitlines(keepends=True):
        try:
            said.append(json.loads(line))
        except ValueError:
            if line.endswith(b"\n"):
                said.append(line)
    return said


def test_many_writers_at_once_lose_and_double_nothing(tmp_path):
    create_home(tmp_path / "home")
    code = (
        "import sys; from pathlib import Path; from tkyt_analysis.access.audit import record\n"
        "for number in range(10): record(Path(sys.argv[1]), 'read', rows=number)"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "home")]) for _ in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert [entry["n"] for entry in audit.read_log(tmp_path / "home")] == list(range(1, 41))
    assert audit.check_chain(tmp_path / "home") == []


def test_numbers_of_persons_do_not_enter_the_log(home, log):
    audit.record(home, "identifiers_read", why="người nhà 079099000123, điện thoại 0912 345 678", note="012345678")
    text = audit.log_file(home).read_text("utf-8")
    assert all(number not in text for number in ("079099000123", "345 678", "012345678"))
    assert "người nhà" in text


def test_the_log_of_another_key_is_not_believed(home, log, tmp_path, monkeypatch):
    create_home(tmp_path / "other")
    audit.record(tmp_path / "other", "report")
    write(home, [audit.log_file(tmp_path / "other").read_bytes()])
    audit.head_file(home).write_bytes(audit.head_file(tmp_path / "other").read_bytes())
    assert audit.check_chain(home)
