"""The command: Vietnamese first, sentences instead of tracebacks, exit codes, JSON for machines."""

import json

import pytest

from tkyt_analysis.cli.main import run


@pytest.fixture
def key(tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))


def test_a_missing_warehouse_is_a_sentence_and_exit_code_2(tmp_path, capsys):
    assert run(["status", "--home", str(tmp_path / "absent")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "tkyt init" in said.err
    assert "Traceback" not in said.err


def test_every_sentence_comes_in_english_too(tmp_path, capsys):
    assert run(["status", "--home", str(tmp_path / "absent"), "--language", "en"]) == 2
    assert "There is no warehouse" in capsys.readouterr().err
    assert run(["--language=en", "status", "--home", str(tmp_path / "absent")]) == 2
    assert "There is no warehouse" in capsys.readouterr().err


def test_an_unknown_language_and_an_unknown_command_are_wrong_use(capsys):
    assert run(["status", "--language", "fr"]) == 2
    assert "vi, en" in capsys.readouterr().err
    assert run(["statsu"]) == 2
    assert "--help" in capsys.readouterr().err


def test_an_unexpected_fault_is_one_sentence_and_exit_code_3(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("tkyt_analysis.status.home_status", lambda home, as_of: 1 / 0)
    assert run(["status", "--home", str(tmp_path), "--language", "en"]) == 3
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "Traceback" not in said
    assert run(["status", "--home", str(tmp_path), "--debug"]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_a_home_is_made_received_into_and_asked(tmp_path, key, capsys):
    home = str(tmp_path / "home")
    assert run(["init", "--home", home, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["new"] is True
    (tmp_path / "stray.txt").write_text("hello", "utf-8")
    assert run(["ingest", str(tmp_path / "stray.txt"), "--home", home, "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)
    assert (counts["received"], counts["landed"], counts["quarantined"]) == (1, 0, 1)
    assert run(["status", "--home", home, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["quarantined"] == 1
    assert run(["ingest", str(tmp_path / "stray.txt"), "--home", home]) == 0
    assert "1 tệp đã có trong kho" in capsys.readouterr().out


def test_checks_fail_on_findings_only_when_asked_to(tmp_path, key, capsys):
    home = str(tmp_path / "home")
    assert run(["init", "--home", home]) == 0
    assert run(["check", "--home", home, "--fail-on", "note"]) == 0
    capsys.readouterr()
    summary = [
        {"title": "r", "severity": "warning", "findings": 2, "judged": 5, "total": 5, "not_assessable": 0, "rule": "r"}
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tkyt_analysis.pipeline.check_warehouse", lambda *given, **options: summary)
        assert run(["check", "--home", home]) == 0
        assert run(["check", "--home", home, "--fail-on", "error"]) == 0
        assert run(["check", "--home", home, "--fail-on", "warning"]) == 1
        assert run(["check", "--home", home, "--fail-on", "note", "--json"]) == 1


def test_an_unknown_rule_names_the_nearest_one(tmp_path, key, capsys):
    home = str(tmp_path / "home")
    assert run(["init", "--home", home]) == 0
    assert run(["check", "--home", home, "--rules", "duplicate_deaht"]) == 2
    assert "duplicate_death" in capsys.readouterr().err


def test_help_is_vietnamese_and_lists_the_modules_commands(capsys):
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    for word in ("deaths", "ingest", "publish", "Nhận tệp"):
        assert word in text


def test_village_wording_is_coded_from_a_csv(tmp_path, capsys):
    (tmp_path / "in.csv").write_text("id,text,sex,age_years\n1,Tai biến mạch máu não,male,70\n2,,female,3\n", "utf-8")
    assert run(["deaths", "code", str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.csv"), "--json"]) == 0
    rows = (tmp_path / "out.csv").read_text("utf-8").splitlines()
    assert rows[0].startswith("id,text,decision,code_1,code_2,code_3,code_4,code_5,score_1")
    assert rows[1].startswith("1,Tai biến mạch máu não,auto,I64,")
    assert ",uncodable," in rows[2]


def test_the_state_at_an_older_snapshot_can_be_asked_by_number_and_by_time(tmp_path, key, capsys):
    home = str(tmp_path / "home")
    assert run(["init", "--home", home]) == 0
    capsys.readouterr()
    assert run(["status", "--home", home, "--json"]) == 0
    before = json.loads(capsys.readouterr().out)["snapshot"]
    (tmp_path / "stray.txt").write_text("hello", "utf-8")
    assert run(["ingest", str(tmp_path / "stray.txt"), "--home", home]) == 0
    capsys.readouterr()
    assert run(["status", "--home", home, "--as-of", str(before), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == 0
    assert run(["status", "--home", home, "--as-of", "2100-01-01 00:00:00", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == 1


@pytest.mark.parametrize(
    ("when", "expected"),
    [("999999", "tkyt status"), ("1999-01-01 00:00:00", "ảnh chụp đầu tiên"), ("yesterday", "2026-10-01 08:30")],
)
def test_a_snapshot_that_never_was_is_a_sentence(tmp_path, key, capsys, when, expected):
    home = str(tmp_path / "home")
    assert run(["init", "--home", home]) == 0
    assert run(["status", "--home", home, "--as-of", when]) == 2
    assert expected in capsys.readouterr().err
