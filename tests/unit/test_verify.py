"""`tkyt verify` finds one altered or removed byte, file or line, says where, and leaves with exit code 1."""

import json

import pytest
from custody_support import small_home

from tkyt_analysis.cli.main import run
from tkyt_analysis.verify import verify
from tkyt_analysis.warehouse import custody
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.release import current_release


@pytest.fixture
def home(tmp_path, monkeypatch):
    return small_home(tmp_path, monkeypatch)


def problems(home):
    """{check: what is wrong} of the checks that found something."""
    return {check.name: check.problems for check in verify(home) if check.problems}


def one_byte(path, at=None):
    data = bytearray(path.read_bytes())
    at = len(data) // 2 if at is None else at
    data[at] ^= 1
    path.chmod(0o600)
    path.write_bytes(bytes(data))


def data_file(home, store):
    return max((home / store / "data").rglob("*.parquet"), key=lambda path: path.stat().st_size)


def test_a_home_as_it_was_made_has_no_problem(home, capsys):
    assert problems(home) == {}
    assert run(["verify", "--home", str(home)]) == 0
    assert capsys.readouterr().out.count("✓") == 8


def test_one_altered_byte_of_a_received_file(home):
    sha256 = custody.kept_hashes(home)[0]
    one_byte(custody.kept_path(home, sha256))
    found = problems(home)
    assert set(found) == {"custody"}
    assert sha256 in found["custody"][0]


def test_a_received_file_that_is_gone(home):
    custody.kept_path(home, custody.kept_hashes(home)[0]).unlink()
    assert set(problems(home)) == {"received"}


@pytest.mark.parametrize("store", ["warehouse", "restricted"])
def test_one_altered_byte_of_a_data_file(home, store):
    path = data_file(home, store)
    one_byte(path)
    found = problems(home)
    assert set(found) == {"lake" if store == "warehouse" else "restricted"}
    assert str(path) in next(iter(found.values()))[0]


def test_the_first_and_the_last_byte_of_a_data_file_count_too(home):
    one_byte(data_file(home, "warehouse"), 0)
    one_byte(data_file(home, "restricted"), -1)
    assert set(problems(home)) == {"lake", "restricted"}


def test_a_data_file_that_is_gone_or_cut(home):
    data_file(home, "warehouse").unlink()
    path = data_file(home, "restricted")
    path.write_bytes(path.read_bytes()[:-1])
    found = problems(home)
    assert set(found) >= {"lake", "restricted"}


def test_one_altered_byte_of_a_release_its_manifest_and_the_pointer(home):
    folder = home / "releases" / current_release(home)
    one_byte(next(folder.rglob("*.parquet")))
    assert set(problems(home)) == {"releases"}
    (folder / "manifest.json").write_text("{", "utf-8")
    (home / "releases" / "CURRENT").write_text("R000999-none\n", "ascii")
    found = problems(home)["releases"]
    assert len(found) == 2


def test_a_quarantined_row_that_is_gone_and_one_too_many(home):
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        warehouse.con.execute(
            "UPDATE lake.received_file SET rows_landed = rows_landed - 1 WHERE file_name = 'a.people'"
        )
    assert [sentence for sentence in problems(home)["balance"] if "a.people" in sentence]
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        warehouse.con.execute("UPDATE lake.received_file SET rows_landed = rows_received")
        warehouse.con.execute("INSERT INTO lake.quarantine (file_sha256, reason) VALUES ('nobody knows it', 'x')")
    assert len(problems(home)["balance"]) == 1


def test_a_line_of_the_audit_log_that_was_removed_or_altered(home):
    verify(home)
    log = home / "audit" / "log.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-1]))
    assert set(problems(home)) == {"audit"}


def test_a_backup_that_was_missed_or_failed_is_a_problem_and_none_yet_a_remark(home, monkeypatch):
    last = {check.name: check for check in verify(home)}["backup"]
    assert last.good
    assert last.remarks
    state = home / "work" / "backup.json"
    state.write_text(json.dumps({"backup_id": "b", "target": "/t", "finished_at": "2026-01-01 00:00:00"}), "ascii")
    assert set(problems(home)) == {"backup"}


def test_problems_lead_to_exit_code_1_and_stand_in_the_json(home, capsys):
    one_byte(custody.kept_path(home, custody.kept_hashes(home)[0]))
    assert run(["verify", "--home", str(home), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [check["check"] for check in found["checks"] if check["problems"]] == ["custody"]


def test_files_of_an_older_home_are_offered_for_encryption(home, tmp_path, capsys):
    sha256 = custody.kept_hashes(home)[0]
    with custody.opened(home, sha256) as plain:
        data = plain.read_bytes()
    kept = custody.kept_path(home, sha256)
    kept.unlink()
    kept.write_bytes(data)
    assert run(["verify", "--home", str(home)]) == 0
    assert "--seal" in capsys.readouterr().out
    assert run(["verify", "--home", str(home), "--seal"]) == 0
    assert "--seal" not in capsys.readouterr().out
    assert data not in kept.read_bytes()
