"""What the checks say of single death records: drawn lines of a book, each with one thing wrong."""

import json

import pandas as pd
import pytest

from mortality.quality.places import unit_places
from mortality.quality.record_checks import all_tests, check_record
from mortality.quality.records import death_records
from mortality.validation.code_ranges import in_ranges
from tests.support import rule_like
from tkyt_analysis.catalog import load_entries
from tkyt_analysis.errors import InputError
from tkyt_analysis.quality.context import context_of_tables
from tkyt_analysis.quality.run import run_rules

COMMUNE = "VN2025:21115"
RULES = {
    rule.parameters["test"]: rule for rule in load_entries("rules").values() if rule.function == "check_death_record"
}


def death(number, day="2025-08-10", **parts):
    """One line of the book; everything that a test does not say is in order."""
    given = {
        "death_id": f"d{number}", "source": "a6", "unit_id": COMMUNE, "death_date": day, "birth_year": 1950, "age_value": None,
        "age_unit": None, "age_years": 75.0, "sex": "male", "place_of_death": "home", "cause_text": "Tai biến", "icd10_as_written": "I64",
        "maternal_death": None, "file_sha256": "f", "sheet": "A6", "row_number": number, "person_key": f"p{number}",
        "residence_unit_id": None, "death_date_as_written": "", "underlying_cause_as_given": None,
    }  # fmt: skip
    return given | parts


def person(number, name="Nguyễn Văn An", **parts):
    """The identifiers of a line: they must never come out."""
    return {"death_id": f"d{number}", "full_name": name, "birth_date": None, "note": None} | parts


def context(deaths, people=(), **more):
    rows = pd.DataFrame(deaths)
    coded = rows[["death_id"]].assign(code=rows["icd10_as_written"].fillna(""), rule="as_written", decision="auto")
    tables = {"death": rows, "death_code": coded, **more}
    tables["received_file"] = pd.DataFrame({"file_sha256": ["f"], "received_at": ["2026-01-15 08:00:00"]})
    if people:
        tables["death_identity"] = pd.DataFrame(people).astype({"birth_date": "datetime64[s]"})
    return context_of_tables(tables)


def found(test, deaths, people=(), **more):
    """{line: finding} of one test with the parameters of its rule."""
    result = check_record(context(deaths, people, **more), RULES[test])
    return {json.loads(row["fields"])["death_id"]: row for row in result.findings.to_dict("records")}


def judged(test, deaths, people=(), **more):
    result = check_record(context(deaths, people, **more), RULES[test])
    return result.judged, result.total


def test_words_on_hiv_in_the_remark_restrict_the_record_and_stay_where_they_are():
    people = [person(1, note="Có điều trị ARV"), person(2, note="ghi muộn"), person(3)]
    given = context([death(1), death(2), death(3)], people)
    result = check_record(given, RULES["hiv_words"])
    assert [json.loads(fields)["death_id"] for fields in result.findings["fields"]] == ["d1"]
    assert "arv" not in (result.findings.to_csv() + given.query("SELECT * FROM death_record").to_csv()).lower()


def test_a_death_after_the_book_was_received_lies_in_the_future():
    assert list(found("death_in_future", [death(1), death(2, "2035-08-10")])) == ["d2"]


def test_a_death_in_the_year_before_birth_comes_before_birth():
    lines = [death(1), death(2, birth_year=2026), death(3, birth_year=None)]
    assert list(found("death_before_birth", lines)) == ["d2"]
    assert judged("death_before_birth", lines) == (2, 3)


def test_the_full_date_of_birth_decides_within_one_year():
    lines = [death(1, birth_year=2025, age_years=0.0), death(2, birth_year=2025, age_years=0.0)]
    people = [person(1, birth_date="2025-08-11"), person(2, birth_date="2025-08-09")]
    assert list(found("death_before_birth", lines, people)) == ["d1"]


def test_the_remark_ghi_so_ngay_is_the_day_of_registration():
    lines = [death(1, "2025-08-10"), death(2, "2025-12-25"), death(3, "2025-03-01")]
    people = [
        person(1, note="Khai muộn, ghi sổ ngày 20/08/2025"),
        person(2, note="ghi sổ ngày 20/12/2025"),
        person(3, note="Khai muộn, ghi sổ ngày 20/12/2025"),
    ]
    late = found("registered_late", lines, people)
    assert {line: row["value"] for line, row in late.items()} == {
        "d3": 30 - 0 + 30 + 31 + 30 + 31 + 31 + 30 + 31 + 30 + 20
    }
    assert list(found("death_after_registration", lines, people)) == ["d2"]


def book(days):
    return [death(number, day) for number, day in enumerate(days, 1)]


def test_day_and_month_exchanged_is_seen_by_the_lines_around_it():
    # 5 February among lines of early May: as 2 May it stands where it belongs
    lines = book(["2025-04-28", "2025-04-29", "2025-05-01", "2025-02-05", "2025-05-03", "2025-05-04", "2025-05-05"])
    finding = found("day_and_month_exchanged", lines)["d4"]
    assert (finding["value"], finding["expected"]) == (2, 5)
    assert finding["explanation"] == "day_and_month_exchanged"


def test_a_late_line_that_says_so_is_not_called_exchanged():
    lines = book(["2025-04-28", "2025-04-29", "2025-05-01", "2025-02-05", "2025-05-03", "2025-05-04", "2025-05-05"])
    people = [person(4, note="ghi sổ ngày 02/05/2025")]
    assert found("day_and_month_exchanged", lines, people) == {}


def test_a_lunar_date_read_as_solar_is_seen_by_the_lines_around_it():
    # 21/8 of the lunar year 2024 is 23 September 2024
    lines = book(["2024-09-20", "2024-09-21", "2024-09-22", "2024-08-21", "2024-09-24", "2024-09-25", "2024-09-26"])
    lines[3]["death_date_as_written"] = "21/8/2024"
    finding = found("lunar_date_by_book", lines)["d4"]
    assert (finding["value"], finding["expected"], finding["explanation"]) == (8, 9, "lunar_date")


def test_lines_that_lie_far_apart_say_nothing_of_a_lunar_date():
    # the quarter of the lines around is months apart: 21/8 may be late as well as lunar
    lines = book(["2024-06-02", "2024-07-11", "2024-09-22", "2024-08-21", "2024-10-24", "2024-11-25", "2024-12-26"])
    lines[3]["death_date_as_written"] = "21/8/2024"
    assert found("lunar_date_by_book", lines) == {}


def test_a_line_given_to_an_old_commune_by_its_wrong_date_stays_in_its_book():
    # the door gives a date before July 2025 to a commune of that time, here one that became part of this one
    days = ["2025-10-28", "2025-10-29", "2025-11-01", "2025-04-11", "2025-11-04", "2025-11-05", "2025-11-06"]
    lines = book(days)
    old = {new: one for one, new in zip(unit_places()["unit_id"], unit_places()["home_2025"]) if one != new}[COMMUNE]
    lines[3]["unit_id"] = old
    assert old.startswith("VN2024:")
    assert list(found("day_and_month_exchanged", lines)) == ["d4"]  # 11 April among lines of early November: 4 November


def test_too_few_lines_around_cannot_be_judged():
    assert judged("lunar_date_by_book", book(["2024-09-20", "2024-08-21"])) == (0, 2)


@pytest.mark.parametrize(
    ("age", "explanation"), [(75, None), (74, None), (76, "traditional_age"), (77, "traditional_age"), (57, "")]
)
def test_age_must_lie_between_the_birthday_and_the_one_before(age, explanation):
    lines = [death(1, age_value=age, age_unit="years")]  # born 1950, died 2025: 74 or 75
    findings = found("age_against_dates", lines)
    assert (findings["d1"]["explanation"] if findings else None) == explanation


def test_days_of_a_newborn_taken_for_years():
    lines = [
        death(1, age_value=12, age_unit="years", icd10_as_written="P22.0"),
        death(2, age_value=12, age_unit="years"),
    ]
    assert list(found("days_as_years", lines)) == ["d1"]


def test_sex_missing_is_missing():
    assert list(found("sex_missing", [death(1), death(2, sex=None), death(3, sex="")])) == ["d2", "d3"]


@pytest.mark.parametrize(
    ("name", "sex", "asked"),
    [
        ("Nguyễn Thị Hoa", "male", True), ("NGUYEN THI HOA", "male", True), ("Nguyễn Văn An", "female", True),
        ("Nguyễn Thị Hoa", "female", False), ("Thị Hoa", "male", False), ("Lê Hoài Thi", "male", False), ("Lê Minh", "female", False),
    ],
)  # fmt: skip
def test_only_a_middle_name_speaks_for_a_sex(name, sex, asked):
    assert bool(found("sex_against_name", [death(1, sex=sex)], [person(1, name)])) == asked


def test_without_identifiers_the_name_cannot_be_judged():
    assert judged("sex_against_name", [death(1)]) == (0, 1)


@pytest.mark.parametrize(
    ("parts", "limit"),
    [
        ({"icd10_as_written": "C61", "sex": "female"}, "SEX_M"),
        ({"icd10_as_written": "C53.9", "sex": "male"}, "SEX_F"),
        ({"icd10_as_written": "O72", "sex": "female", "age_years": 70.0}, "AGE04"),
        ({"icd10_as_written": "R54", "age_years": 55.0}, None),  # asked by death_senility_young
        ({"icd10_as_written": "P22.0", "age_years": 3.0}, "AGE02"),
        ({"icd10_as_written": "O72", "sex": "female", "age_years": 30.0}, None),
        ({"icd10_as_written": "R54", "age_years": 90.0}, None),
        ({"icd10_as_written": "C61", "sex": None}, None),
    ],
)
def test_causes_that_a_sex_or_an_age_cannot_have(parts, limit):
    findings = found("cause_impossible", [death(1, **parts)])
    assert (json.loads(findings["d1"]["fields"])["limit"] if findings else None) == limit


def test_a_line_of_the_certificate_is_judged_too():
    causes = pd.DataFrame({"death_id": ["d1"], "icd10_code": ["N40"]})
    assert list(found("cause_impossible", [death(1, sex="female")], death_cause=causes)) == ["d1"]


def test_words_without_a_code_where_the_list_has_a_column_of_codes():
    with_codes = [death(1), death(2), death(3, icd10_as_written=None)]
    assert list(found("code_missing", with_codes)) == ["d3"]
    without = [death(number, icd10_as_written=None) for number in (1, 2, 3)]
    assert found("code_missing", without) == {}
    assert judged("code_missing", without) == (0, 3)


def test_codes_that_no_list_knows_and_codes_written_untidily():
    lines = [
        death(n, icd10_as_written=code) for n, code in enumerate(["I64", "I219", "i21.9", "I 21.9", "I2", "ZZZ"], 1)
    ]
    assert list(found("code_invalid", lines)) == ["d5", "d6"]
    assert list(found("code_untidy", lines)) == ["d3", "d4"]


def test_causes_that_say_little_name_their_group():
    lines = [
        death(n, icd10_as_written=code) for n, code in enumerate(["R54", "R99", "I50.9", "J96.9", "R95", "I64"], 1)
    ]
    groups = {line: json.loads(row["fields"])["group"] for line, row in found("cause_says_little", lines).items()}
    assert groups == {"d1": "SENILITY", "d2": "ILL_DEFINED", "d3": "MATHERS", "d4": "IMMEDIATE"}


def test_a_maternal_mark_for_a_man_or_an_old_woman():
    lines = [
        death(1, maternal_death=True), death(2, sex="female", maternal_death=True, age_years=70.0),
        death(3, sex="female", maternal_death=True, age_years=30.0, icd10_as_written="O72"), death(4, maternal_death=False),
    ]  # fmt: skip
    assert list(found("maternal_mark", lines)) == ["d1", "d2"]
    assert list(found("maternal_mark_and_cause", lines)) == ["d1", "d2"]


def two_lists(own, other):
    """The same person in the book (d1) and in the civil register (d2)."""
    matches = pd.DataFrame({"record_id": ["d1", "d2"], "person_id": "d1", "source": ["a6", "civil_registration"]})
    lines = [death(1, **own), death(2, **({"source": "civil_registration"} | other))]
    return lines, {"death_match": matches}


def test_another_list_shows_a_lunar_date():
    lines, more = two_lists({"death_date": "2024-08-21"}, {"death_date": "2024-09-23"})
    finding = found("date_on_another_list", lines, **more)["d1"]
    assert finding["value"] == 10 + 23
    assert finding["explanation"] == "lunar_date"


def test_another_list_shows_the_traditional_age_and_the_other_sex():
    lines, more = two_lists({"birth_year": 1949}, {"birth_year": 1950, "sex": "female"})
    people = [person(2, birth_date="1950-03-01")]
    finding = found("age_on_another_list", lines, people, **more)["d1"]
    shown = json.loads(finding["fields"])
    assert (shown["written"], shown["elsewhere"], finding["explanation"]) == ("1949", "1950", "traditional_age")
    assert list(found("sex_on_another_list", lines, people, **more)) == ["d1"]


def test_lists_that_were_never_matched_cannot_be_compared():
    assert judged("date_on_another_list", [death(1), death(2, source="civil_registration")]) == (0, 2)


def test_neither_names_nor_dates_of_birth_leave_with_a_finding():
    lines = [death(1, "2035-08-10", sex="female", icd10_as_written="C61", birth_year=2040)]
    people = [person(1, "Nguyễn Văn Ẩn", birth_date="1950-01-01", note="ghi sổ ngày 01/02/2025, nhà ông Ẩn")]
    given = context(lines, people)
    for test in RULES:
        text = check_record(given, RULES[test]).findings.to_csv().lower()
        for secret in ("ẩn", "1950-01-01", "nhà ông", "2035-08-10"):
            assert secret not in text, (test, secret)


def test_every_test_has_its_rule_and_every_rule_its_test():
    assert set(RULES) == set(all_tests())


def test_an_unknown_test_is_refused_in_words():
    with pytest.raises(InputError, match="of_my_own"):
        check_record(context([death(1)]), rule_like(id="r", parameters={"test": "of_my_own"}))


def test_the_record_table_is_made_once_and_all_rules_run_on_it():
    given = context([death(1), death(2, "2035-08-10")], [person(1)])
    findings = []
    coverage = run_rules(given, [RULES["death_in_future"], RULES["sex_missing"]], findings.append)
    assert coverage["findings"].tolist() == [1, 0]
    assert given.query(f"SELECT count(*) AS n FROM {death_records(given)}")["n"].tolist() == [2]


@pytest.mark.parametrize(
    ("code", "inside"), [("C53", True), ("C53.9", True), ("C55.9", True), ("C56", False), ("N40", True), ("M80.1", True), ("M80.2", False)]
)  # fmt: skip
def test_ranges_hold_both_ends_with_their_subdivisions(code, inside):
    assert in_ranges(code, "C53-C55;N40;M80.0-M80.1") == inside
