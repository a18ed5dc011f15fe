"""`tkyt rule`: what people and machines get of the rules."""

import json

import pytest
from click.testing import CliRunner

from tkyt_analysis.cli.rules import rule
from tkyt_analysis.errors import InputError


def run(*arguments, code=0):
    result = CliRunner().invoke(rule, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def test_the_list_says_version_severity_window_and_what_a_rule_looks_for():
    lines = {line["rule"]: line for line in json.loads(run("list", "--kind", "expression", "--json"))}
    assert lines["deaths_within_admissions"]["detects"] == ["C3"]
    assert lines["bcg_within_target"]["window"] == "before 6, after 5, least 6"
    assert "form10bcx.ages_sum_to_total" in lines  # the form's own arithmetic
    assert "deaths_within_admissions" in run("list", "--detects", "C3")


def test_a_rule_is_shown_whole():
    assert "KCB_TU_VONG <= KCB_NOI_TRU" in run("show", "deaths_within_admissions")


def test_the_examples_of_one_rule_are_judged():
    lines = json.loads(run("test", "deaths_within_admissions", "--json"))
    assert [(line["wanted"], line["passed"]) for line in lines] == [
        ("holds", True), ("broken", True), ("not_assessable", True),
    ]  # fmt: skip


def test_rules_come_in_from_dhis2_and_go_out_again(tmp_path):
    given = {"validationRules": [
        {"id": "rrrrrrrrrr1", "name": "R", "operator": "equal_to", "importance": "HIGH", "periodType": "Monthly",
         "leftSide": {"expression": "#{aaaaaaaaaa1}"}, "rightSide": {"expression": "0"}},
        {"id": "rrrrrrrrrr2", "name": "S", "operator": "equal_to", "periodType": "Monthly",
         "leftSide": {"expression": "OUG{aaaaaaaaaa1}"}, "rightSide": {"expression": "0"}},
    ]}  # fmt: skip
    (tmp_path / "m.json").write_text(json.dumps(given), "utf-8")
    said = json.loads(run("import", str(tmp_path / "m.json"), "-o", str(tmp_path / "rules"), "--json"))
    assert ([path[-21:] for path in said["written"]], len(said["refused"])) == (["dhis2_rrrrrrrrrr1.yaml"[-21:]], 1)
    assert said["refused"][0]["rule"] == "rrrrrrrrrr2"
    out = json.loads(run("export", "--rule", "deaths_within_admissions", "-o", str(tmp_path / "o.json"), "--json"))
    assert (out["rules"], out["refused"][0]["rule"]) == (0, "deaths_within_admissions")  # its codes are no uids


def test_importing_from_nowhere_is_a_sentence(tmp_path):
    result = CliRunner().invoke(rule, ["import", "-o", str(tmp_path)])
    assert isinstance(result.exception, InputError)
    with pytest.raises(InputError, match="tkyt rule import"):
        raise result.exception
