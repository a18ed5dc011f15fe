"""Single records judged while they are typed, and the tests of names, calendars, occupations and places: drawn records."""

import datetime
import time

import pytest

from mortality.validation.lunar import written_day
from mortality.validation.one_record import Problem, typing_rules, validate_record
from tkyt_analysis.catalog import load_entries
from tkyt_analysis.labels import all_labels

TODAY = datetime.date(2026, 1, 15)
GOOD = {
    "full_name": "Nguyễn Văn An", "sex": "Nam", "birth": "1/2/1950", "death_date": "10/8/2025", "age": "75", "cause_text": "Nhồi máu cơ tim",
    "icd10_as_written": "I21.9", "place_of_death": "Tại nhà", "occupation": "Làm ruộng", "id_number": "001050012345",
}  # fmt: skip


def problems(today=TODAY, restricted=False, **parts):
    """{rule: problem} of the good record with some fields otherwise."""
    return {one.rule_id: one for one in validate_record(GOOD | parts, today=today, restricted=restricted)}


def test_a_record_in_order_has_no_problem():
    assert validate_record(GOOD, today=TODAY) == []
    assert validate_record({}, today=TODAY) == []


def test_the_record_after_a_bad_one_is_judged_anew():
    bad = GOOD | {
        "sex": "Nữ",
        "cause_text": "Ung thư tiền liệt tuyến",
        "icd10_as_written": "C61",
        "line_a": "x",
        "line_a_icd10": "C61",
    }
    first = validate_record(bad, today=TODAY)
    assert validate_record(GOOD, today=TODAY) == []
    assert validate_record(bad, today=TODAY) == first != []


def test_a_problem_names_the_field_as_the_record_gave_it():
    found = {
        one.rule_id: one
        for one in validate_record({**GOOD, "icd10": "ZZ9", "icd10_as_written": ""} | {"icd10": "ZZ9"}, today=TODAY)
    }
    assert found["death_code_invalid"].field in ("icd10", "icd10_as_written")
    assert problems(death_date="10/8/2035")["death_in_future"].field == "death_date"


def test_problems_come_worst_first_and_in_words():
    found = validate_record(GOOD | {"death_date": "10/8/2035", "age": "76"}, today=TODAY)
    assert [one.severity for one in found] == sorted(
        [one.severity for one in found], key=["error", "warning", "note"].index
    )
    assert all(isinstance(one, Problem) and one.sentence and "{" not in one.sentence for one in found)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("Nguyễn Văn An", None), ("H'Yim Niê", None), ("A Pá", None), ("Nguyễn Thị Bé (Tư)", None), ("Châu Văn Sóc", None), ("Bế Văn Đàn", None),
        ("Vô danh", "death_name_missing"), ("không rõ", "death_name_missing"), ("Nguyễn Văn A", "death_name_missing"), ("???", "death_name_missing"),
        ("Nguyễn Văn An 75", "death_name_form"), ("N.V.A", "death_name_form"), ("NVA", "death_name_form"), ("An", "death_name_form"),
        ("Nguyễn Văn An và Trần Thị Bình", "death_name_form"), ("Con bà Nguyễn Thị Hoa", "death_name_of_newborn"),
    ],
)  # fmt: skip
def test_names(name, rule):
    assert {one for one in problems(full_name=name) if one.startswith("death_name")} == ({rule} if rule else set())


def test_a_newborn_may_be_the_child_of_its_mother():
    found = problems(
        full_name="Con bà Nguyễn Thị Hoa",
        birth="8/8/2025",
        age="2 ngày",
        occupation="",
        icd10_as_written="P22.0",
        id_number="",
    )
    assert not {one for one in found if one.startswith("death_name")}


def test_the_dead_and_the_informant_are_two_people():
    assert "death_name_is_informant" in problems(informant="nguyễn văn an")
    assert "death_name_is_informant" not in problems(informant="Nguyễn Thị Hoa")


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("30/02/2025", "death_lunar_day_only"),  # no solar day; the lunar month has it in some years only
        ("15/7/2025 âl", None), ("10/6/2025 âl", "death_lunar_leap_month"), ("10/6 nhuận 2025 âl", None),
        ("20/12/2025 âl", "death_lunar_day_too_late"), ("30/2/2025 âl", "death_lunar_day_impossible"),
        ("23/9/2025 (21/8/2025 âl)", "death_calendars_disagree"), ("12/10/2025 (21/8/2025 âl)", None),
    ],
)  # fmt: skip
def test_lunar_days_are_read_both_ways(written, rule):
    if written.startswith("30/02") and written_day(written).solar is None:
        written = "30/02/2024"  # 2025 has no such lunar day, 2024 has
    told = {one for one in problems(death_date=written, age="") if "lunar" in one or "calendars" in one}
    assert {one for one in told if one.startswith("death_")} == ({rule} if rule else set())


def test_the_lunar_calendar_of_2025_has_a_second_sixth_month():
    day = written_day("10/6/2025 âl")
    assert (day.solar, day.leap_solar) == (datetime.date(2025, 7, 4), datetime.date(2025, 8, 3))  # 30 days later


@pytest.mark.parametrize(
    ("age", "occupation", "asked"),
    [
        ("3", "Làm ruộng", True), ("3", "Trẻ em", False), ("3", "không", False), ("10", "Hưu trí", True), ("75", "Hưu trí", False),
        ("75", "Trẻ em", True), ("12", "Học sinh", False), ("9", "Làm ruộng", True), ("14", "Làm ruộng", False), ("3 ngày", "Công nhân", True), ("75", "Làm ruộng", False),
    ],
)  # fmt: skip
def test_an_occupation_belongs_to_an_age(age, occupation, asked):
    assert ("death_occupation_against_age" in problems(age=age, birth="", occupation=occupation, id_number="")) == asked


@pytest.mark.parametrize(
    ("cause", "age", "asked"),
    [
        ("Thai chết lưu", "0 giờ", True),
        ("Sinh ra không khóc", "1 giờ", True),
        ("Sinh ra không khóc, ngạt", "1 giờ", False),  # born alive with asphyxia
        ("Ngạt", "1 giờ", False),
        ("Thai chết lưu", "30", False),
    ],
)
def test_a_child_that_never_lived_is_no_death(cause, age, asked):
    assert (
        "death_stillbirth"
        in problems(cause_text=cause, age=age, birth="", icd10_as_written="", id_number="", occupation="")
    ) == asked


def test_taken_home_to_die_is_a_death_at_home():
    assert "death_place_against_words" in problems(place_of_death="Bệnh viện huyện", note="nặng xin về, chết tại nhà")
    assert "death_place_against_words" not in problems(place_of_death="Tại nhà", note="nặng xin về, chết tại nhà")
    assert "death_place_against_words" in problems(place_of_death="Tại nhà", note="tử vong tại bệnh viện tỉnh")


@pytest.mark.parametrize("words", ["HIV giai đoạn cuối", "nhiễm H, lao phổi", "SIDA"])
def test_words_on_hiv_are_told_only_to_those_with_the_right_and_never_repeated(words):
    assert "death_hiv_words" not in problems(cause_text=words, icd10_as_written="")
    assert "death_hiv_words" in problems(note=words, restricted=True)
    told = problems(cause_text=words, icd10_as_written="", restricted=True)["death_hiv_words"]
    assert not {"hiv", "aids", "sida", "nhiễm"} & set(f"{told.sentence} {told.suggestion}".lower().split())


def test_two_digits_of_a_year_may_be_a_hundred_years_off():
    assert "death_year_of_two_digits" in problems(birth="1/2/21", age="", id_number="")  # 2021 or 1921
    assert "death_year_of_two_digits" not in problems(birth="1/2/50", age="", id_number="")


def test_the_sex_of_a_given_name_counts_only_without_a_middle_name_that_speaks():
    assert problems(full_name="Lê Minh Tuấn", sex="Nữ", id_number="")["death_sex_against_given_name"].severity == "note"
    assert "death_sex_against_given_name" not in problems(full_name="Lê Thị Tuấn", sex="Nữ", id_number="")


def test_every_typing_test_names_a_field():
    assert [rule.id for rule, test in typing_rules() if not test.field] == []


def test_every_suggestion_of_a_test_has_words():
    import re

    from mortality.quality.record_checks import all_tests

    keys = {
        key for test in all_tests().values() for key in re.findall(r"(?:THEN|ELSE|^) ?'(\w+)'", test.suggestion)
    } - {"name_"}
    assert {key for key in keys if f"suggestion.{key}" not in all_labels()} == set()


def test_every_rule_on_a_record_has_a_test():
    from mortality.quality.record_checks import test_of

    for rule in load_entries("rules").values():
        if rule.function == "check_death_record":
            test_of(rule)


def test_a_record_is_judged_quickly_once_warm():
    for age in ("74", "75", "76"):
        problems(age=age)
    started = time.process_time()
    for age in ("70", "71", "72", "73", "77"):
        problems(age=age)
    assert (
        time.process_time() - started
    ) / 5 < 0.5  # seconds of CPU; measured in docs/death_validation.md, wide for busy machines
