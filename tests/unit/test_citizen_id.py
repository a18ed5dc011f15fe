"""What an ID number says of itself: 3 digits province, 1 century and sex, 2 year, 6 at random; the number itself never comes out."""

import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mortality.quality.record_checks import check_record
from mortality.validation.citizen_id import province_codes
from tkyt_analysis.catalog import load_entries
from tkyt_analysis.quality.context import context_of_tables

RULES = {r.parameters["test"]: r for r in load_entries("rules").values() if r.function == "check_death_record"}


def context(*people):
    """Deaths of 2025 of people with an ID number: (number, sex, year of birth, name)."""
    deaths = [
        {"death_id": f"d{n}", "source": "a6", "unit_id": "VN2025:21115", "death_date": "2025-08-10", "birth_year": born,
         "age_value": None, "age_unit": None, "age_years": 60.0, "sex": sex, "file_sha256": "f", "sheet": "A6", "row_number": n}
        for n, (_, sex, born, _) in enumerate(people, 1)
    ]  # fmt: skip
    identities = [
        {"death_id": f"d{n}", "full_name": name, "id_number": number}
        for n, (number, _, _, name) in enumerate(people, 1)
    ]
    return context_of_tables({"death": pd.DataFrame(deaths), "death_identity": pd.DataFrame(identities)})


def person(number, sex="male", born=1985, name="Nguyễn Văn An"):
    return number, sex, born, name


def found(test, *people):
    """{line: suggestion} of what a test finds."""
    result = check_record(context(*people), RULES[test])
    rows = [json.loads(fields) for fields in result.findings["fields"]]
    return {row["death_id"]: row.get("suggestion") for row in rows}


@pytest.mark.parametrize(
    ("number", "suggestion"),
    [
        ("001085012345", None),  # Hà Nội, man of the 1900s, 85
        ("001 085 012 345", None), ("012345679", None), ("B1234567", None), ("", None), ("không", None),
        ("00108501234", "id_length"), ("0010850123456", "id_length"), ("1085012345", "id_lost_zero"),
        ("79085012345", "id_lost_zero"), ("12345670", "id_lost_zero"), ("1.23E+11", "id_characters"), ("00108501234O", "id_characters"),
    ],
)  # fmt: skip
def test_a_number_has_twelve_digits_or_nine(number, suggestion):
    answer = found("id_form", person(number))
    assert answer.get("d1") == suggestion
    assert bool(answer) == (suggestion is not None)


def test_the_provinces_are_the_63_of_before_july_2025():
    assert len(province_codes()) == 63
    assert found("id_province", person("001085012345"), person("003085012345"), person("000085012345")) == {
        "d2": None,
        "d3": None,
    }


def test_a_birth_registered_abroad_has_the_code_of_a_country():
    assert found("id_province", person("101085012345")) == {}


@pytest.mark.parametrize("number", ["000000000000", "111111111111", "123456789", "123456789012", "001000000000"])
def test_a_row_of_digits_is_nobodys_number(number):
    assert list(found("id_placeholder", person(number))) == ["d1"]
    assert found("id_province", person(number)) == {}


@pytest.mark.parametrize(
    ("digit", "sex", "century"), [("0", "male", 19), ("1", "female", 19), ("2", "male", 20), ("3", "female", 20)]
)
def test_the_fourth_digit_says_century_and_sex(digit, sex, century):
    number, born = f"001{digit}10012345", century * 100 + 10
    other = "male" if sex == "female" else "female"
    assert list(found("id_sex", person(number, sex, born), person(number, other, born))) == ["d2"]
    assert found("id_year", person(number, sex, born)) == {}
    assert list(found("id_year", person(number, sex, born + 100))) == ["d1"]


def test_a_year_of_birth_one_or_two_too_early_is_the_traditional_count():
    years = [person("001085012345", born=born) for born in (1985, 1984, 1983, 1982, 1986)]
    # the number says 1985; counted by tuổi mụ the year comes out 1984 or 1983
    assert found("id_year", *years) == {
        "d2": "birth_traditional", "d3": "birth_traditional", "d4": "id_look_at_card", "d5": "id_look_at_card"
    }  # fmt: skip


def test_one_number_belongs_to_one_person():
    same = "001085012345"
    assert found("id_shared", person(same), person(same, name="Trần Thị Bưởi")) == {
        "d1": "id_compare",
        "d2": "id_compare",
    }
    # the same person on two lists, once without accents
    assert found("id_shared", person(same), person(same, name="NGUYEN VAN AN")) == {}
    assert found("id_shared", person("123456789012"), person("123456789012", name="Trần Thị Bưởi")) == {}


@pytest.mark.parametrize(
    ("other", "asked"),
    [
        ("Lê Quý", False), ("LE MINH QUY", False), ("Lê Minh Quí", False), ("Lê Văn Nghĩa", True), ("Trần Minh Quý", True),
        ("Lê Thị Hoa", True),
    ],
)  # fmt: skip
def test_one_person_written_in_two_ways_shares_a_number_with_nobody(other, asked):
    two = person("001085012345", name="Lê Minh Quý"), person("001085012345", name=other)
    assert list(found("id_shared", *two)) == (["d1", "d2"] if asked else [])


@settings(max_examples=10, deadline=None)
@given(st.lists(st.from_regex(r"[0-9]{6,13}", fullmatch=True), min_size=3, max_size=8))
def test_no_finding_holds_a_number(numbers):
    people = [person(number, "female", 1950, f"Người {at}") for at, number in enumerate(numbers)]
    made = context(*people)
    for test in ("id_form", "id_province", "id_placeholder", "id_sex", "id_year", "id_shared"):
        said = check_record(made, RULES[test]).findings.drop(columns="finding_id").to_csv()
        assert not any(number in said for number in numbers)
    columns = made.query("SELECT * FROM death_record").astype(str).to_csv()
    assert not any(number in columns for number in numbers)
