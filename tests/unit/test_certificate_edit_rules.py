"""The edits as rules over the death records of a warehouse, and while one record is typed."""

import json

import pandas as pd
import pytest

from mortality.quality.record_checks import all_tests, check_record
from mortality.validation import edit_relation
from mortality.validation.code_habit import CODE_HABIT
from mortality.validation.edit_tests import TESTS
from mortality.validation.one_record import validate_record
from tests.unit.test_death_quality import context, death, person
from tkyt_analysis.catalog import load_entries
from tkyt_analysis.quality.run import run_rules

RULES = {name: rule for name, rule in load_entries("rules").items() if rule.parameters.get("test") in TESTS}
CHAIN = [
    ("a", "I46.9", "Ngừng tim", "1 giờ"),
    ("b", "I21.9", "Nhồi máu cơ tim", "2 ngày"),
    ("part2", "E11.9", "Đái tháo đường", None),
]


def certificate(number, chain):
    rows = [
        {"death_id": f"d{number}", "line": line, "position": 1, "icd10_code": code, "icd10_as_written": code, "cause_text": text, "interval_as_written": interval}
        for line, code, text, interval in chain
    ]  # fmt: skip
    return pd.DataFrame(rows)


def broken(deaths, causes=None, rules=None, **more):
    """{rule: fields of its findings} of rules of the edits (all of them) on drawn records."""
    tables = {"death_cause": pd.concat(causes)} if causes else {}
    findings = []
    run_rules(context(deaths, **tables, **more), [RULES[name] for name in rules or RULES], findings.append)
    rows = pd.concat(findings).to_dict("records") if findings else []
    return {row["rule_id"]: json.loads(row["fields"]) for row in rows}


def test_every_test_has_its_rule_and_every_rule_its_test():
    assert {rule.parameters["test"] for rule in RULES.values()} == set(TESTS)
    assert all(all_tests()[name].alone for name in TESTS)


def test_a_record_and_a_certificate_in_order_break_no_rule():
    assert broken([death(1)]) == {}
    assert broken([death(1, source="certificate", icd10_as_written="I21.9")], [certificate(1, CHAIN)]) == {}


@pytest.mark.parametrize(
    ("chain", "rule", "field"),
    [
        ([("a", "I46.9", "x", "3 ngày"), ("b", "I21.9", "x", "1 giờ")], "certificate_interval", "line_a_interval"),
        ([("a", "I21.9", "x", None), ("part2", "I219", "x", None)], "certificate_code_twice", "part2_icd10"),
        ([("part2", "I21.9", "x", None)], "certificate_part1_blank", "line_a"),
        ([("a", "X70", "treo cổ", None)], "certificate_external_on_top", "line_a_icd10"),
        ([("a", "I46.9", "x", None), ("b", "X70", "treo cổ", None)], "certificate_external_without_nature", "line_b_icd10"),
        ([("a", "S06.5", "x", None)], "certificate_nature_without_external", "line_a_icd10"),
        ([("a", "I2", "x", None), ("b", "I21.9", "x", None)], "certificate_code", "line_a_icd10"),
        ([("a", "I64.0", "x", None), ("b", "I10", "x", None)], "certificate_place_digit", "line_a_icd10"),
        ([("a", "I84.1", "x", None), ("b", "I10", "x", None)], "certificate_code_legacy", "line_a_icd10"),
    ],
)  # fmt: skip
def test_rules_of_the_certificate(chain, rule, field):
    found = broken([death(1, source="certificate", icd10_as_written="I21.9")], [certificate(1, chain)], [rule])
    assert found[rule]["field"] == field


def test_the_manner_of_part_b_is_held_against_the_code():
    parts = pd.DataFrame({"death_id": ["d1"], "manner": ["accident"]})
    chain = [("a", "T71", "x", None), ("b", "X70", "x", None)]
    record = death(1, source="certificate", icd10_as_written="X70", cause_text="treo cổ")
    disagrees, absent = "certificate_manner_disagrees", "certificate_external_without_manner"
    assert set(broken([record], [certificate(1, chain)], [disagrees, absent], certificate=parts)) == {disagrees}
    assert set(broken([record], [certificate(1, chain)], [disagrees, absent])) == {absent}


@pytest.mark.parametrize(
    ("parts", "rule"),
    [
        ({"icd10_as_written": "B03"}, "death_edit_eradicated"), ({"icd10_as_written": "A20.0"}, "death_edit_rare"),
        ({"icd10_as_written": "G63.2"}, "death_edit_asterisk"), ({"icd10_as_written": "R54", "age_years": 55.0}, "death_senility_young"),
        ({"icd10_as_written": "S06.5"}, "death_edit_not_underlying"), ({"icd10_as_written": "F03"}, "death_edit_if_known"),
        ({"icd10_as_written": "H25.9"}, "death_edit_unlikely"), ({"icd10_as_written": "P95", "age_years": 0.0}, "death_edit_stillbirth_code"),
        ({"icd10_as_written": "R54", "age_years": 65.0}, "death_edit_notable"), ({"icd10_as_written": "I70.9", "age_years": 20.0}, "death_cause_unusual"),
        ({"age_value": 40.0, "age_unit": "days", "age_years": 0.0}, "death_edit_age_unit"),
        ({"age_value": 29.0, "age_unit": "days", "age_years": 0.0}, "death_edit_age_unit_unusual"),
        ({"icd10_as_written": "U07.2", "cause_text": "covid"}, "death_edit_covid_suspected"),
    ],
)  # fmt: skip
def test_rules_of_the_cause_that_counts(parts, rule):
    assert rule in broken([death(1, **parts)], rules=[rule])


def test_three_characters_are_asked_about_in_certificates_and_where_the_other_lines_have_four():
    rule = "death_edit_incomplete"
    chain = [("a", "I46.9", "x", None), ("b", "I21", "x", None)]
    assert rule in broken([death(1, source="certificate", icd10_as_written="I21")], [certificate(1, chain)], [rule])
    fine = [death(number, icd10_as_written="I21.9") for number in range(2, 8)]  # 1 short of 7 codes: 14 % < 20 %
    assert rule in broken([death(1, icd10_as_written="I21"), *fine], rules=[rule])
    habit = [death(number, icd10_as_written="I21") for number in (8, 9)]  # 3 short of 9: a habit
    assert broken([death(1, icd10_as_written="I21"), *fine, *habit], rules=[rule]) == {}
    assert rule not in broken([death(1, icd10_as_written="I64"), *fine], rules=[rule])  # I64 has no fourth character


def test_a_habit_of_three_characters_is_one_note_for_the_commune_and_year():
    rule = load_entries("rules")["death_codes_of_three_characters"]
    short = [death(number, icd10_as_written="I21") for number in range(15)]
    fine = [death(number, icd10_as_written="I21.9") for number in range(15, 20)]
    found = CODE_HABIT.run(context([*short, *fine]), rule).findings.to_dict("records")
    assert [(row["unit_id"], row["period_id"], row["value"]) for row in found] == [(death(1)["unit_id"], "2025", 75.0)]
    assert len(CODE_HABIT.run(context([*short[:5], *fine]), rule).findings) == 0  # 10 codes, below 20: nothing is said
    assert len(CODE_HABIT.run(context(fine * 5), rule).findings) == 0


@pytest.mark.parametrize(
    ("manner", "codes", "asked"),
    [
        ("accident", ("I46.9", "I21.9"), True), ("suicide", ("J18.9", "C34.9"), True), ("disease", ("I46.9", "I21.9"), False),
        ("accident", ("S06.5", "I21.9"), False), ("accident", ("A35", "A35"), False), ("accident", ("R99", "R99"), False),
        ("undetermined", ("I46.9", "I21.9"), False), (None, ("I46.9", "I21.9"), False),
    ],
)  # fmt: skip
def test_an_accident_without_an_injury_whose_cause_is_a_disease(manner, codes, asked):
    rule = "certificate_manner_of_disease"
    record = death(1, source="certificate", icd10_as_written=codes[1], manner=manner)
    chain = [("a", codes[0], "x", None), ("b", codes[1], "x", None)]
    assert bool(broken([record], [certificate(1, chain)], [rule])) == asked


def test_an_age_in_days_worked_out_from_two_dates_is_no_written_unit():
    infant = death(
        1, birth_year=2025, age_value=69.0, age_unit="days", age_years=0.0
    )  # 2 June to 10 August: 29 + 31 + 9
    born = pd.DataFrame([person(1, birth_date="2025-06-02")]).astype({"birth_date": "datetime64[s]"})
    rule = "death_edit_age_unit"
    assert broken([infant], rules=[rule], death_identity=born) == {}
    assert rule in broken([infant | {"age_value": 70.0}], rules=[rule], death_identity=born)
    assert rule in broken([infant], rules=[rule])  # 69 days without a date of birth: somebody wrote them


def test_a_book_without_certificates_is_not_asked_about_their_lines():
    result = check_record(context([death(1, icd10_as_written="X70")]), RULES["certificate_external_on_top"])
    assert (result.judged, result.total, len(result.findings)) == (0, 1, 0)


def test_findings_of_one_record_and_rule_are_one_and_the_same_in_every_run():
    mother = death(1, icd10_as_written="O72.1", sex="male", age_years=70.0)
    assert {
        broken([mother], rules=["death_cause_impossible"])["death_cause_impossible"]["limit"] for _ in range(3)
    } == {"SEX_F"}


def test_blocks_of_records_change_nothing(monkeypatch):
    deaths = [death(number, icd10_as_written=code) for number, code in enumerate(["S06.5", "I21", "G63.2", "I64"] * 3)]
    given = context(deaths)
    edit_relation.prepare_edits(given)
    whole = given.query("SELECT * FROM edit_finding ORDER BY ALL")
    monkeypatch.setattr(edit_relation, "RECORDS_AT_ONCE", 2)
    parts = context(deaths)
    edit_relation.prepare_edits(parts)
    assert len(whole) == 9
    pd.testing.assert_frame_equal(parts.query("SELECT * FROM edit_finding ORDER BY ALL"), whole)


def test_no_finding_of_the_warehouse_names_a_restricted_code():
    chain = [("a", "B20.1", "lao do HIV", None), ("b", "B20.1", "HIV", None)]
    found = broken([death(1, icd10_as_written="B24.5", cause_text="HIV")], [certificate(1, chain)])
    assert "certificate_code_twice" in found
    assert "B2" not in json.dumps(list(found.values()))
    assert "hiv" not in json.dumps(list(found.values())).lower()


def test_a_certificate_is_edited_while_it_is_typed():
    record = {"source": "certificate", "sex": "nam", "age": "70", "line_a": "Ngừng tim", "line_a_icd10": "I46.9", "line_a_interval": "3 ngày",
              "line_b": "Nhồi máu", "line_b_icd10": "I21.9", "line_b_interval": "1 giờ", "full_name": "Nguyễn Văn An"}  # fmt: skip
    problems = {one.rule_id: one for one in validate_record(record)}
    assert problems["certificate_interval"].field == "line_a_interval"
    assert "3 ngày" in problems["certificate_interval"].sentence
    typed = {
        "sex": "nữ",
        "age": "70",
        "icd10_as_written": "I25.2",
        "full_name": "Nguyễn Thị An",
        "cause_text": "nhồi máu cũ",
    }
    problem = next(one for one in validate_record(typed) if one.rule_id == "death_edit_not_underlying")
    assert problem.field == "icd10_as_written"
    assert "I25.8" in problem.suggestion
