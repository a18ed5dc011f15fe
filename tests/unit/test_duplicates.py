"""A report sent twice, a death written twice."""

import json

import pandas as pd
from support import table

from tkyt_analysis.quality.duplicates import duplicate_deaths, duplicate_deaths_coverage, duplicate_submissions

VALUES = table("""
    dataset_id | unit_id | period_id | element_id | category_id | value | file_sha256
    f          | u1      | 202501    | e1         | c           | 10    | one
    f          | u1      | 202501    | e2         | c           | 5     | one
    f          | u1      | 202501    | e1         | c           | 10    | two
    f          | u1      | 202501    | e2         | c           | 7     | two
    f          | u2      | 202501    | e1         | c           | 3     | one
    f          | u2      | 202501    | e1         | c           | 3     | two
    f          | u3      | 202501    | e1         | c           | 3     | one
    f          | u3      | 202502    | e1         | c           | 3     | two
""").astype({"period_id": str})


def test_identical_and_differing_submissions_are_told_apart():
    found = duplicate_submissions(VALUES)
    assert list(zip(found["unit_id"], found["verdict"])) == [
        ("u1", "duplicate_differing"),
        ("u2", "duplicate_identical"),
    ]
    assert json.loads(found["fields"][0]) == {"cells": 2, "differing": 1, "files": 2}


def test_a_value_against_an_empty_cell_differs():
    values = VALUES[VALUES["unit_id"] == "u2"].assign(value=[3.0, None])
    assert duplicate_submissions(values)["verdict"].tolist() == ["duplicate_differing"]


def test_without_duplicates_there_is_no_finding():
    assert duplicate_submissions(VALUES[VALUES["unit_id"] == "u3"]).empty


DEATHS = table("""
    death_id | unit_id | person_key | death_date
    d1       | u1      | p1         | 2025-01-03
    d2       | u1      | p1         | 2025-01-03
    d3       | u2      | p1         | 2025-01-03
    d4       | u1      | p1         | 2025-01-04
    d5       | u1      |            | 2025-01-03
    d6       | u1      |            | 2025-01-03
""")


def test_each_further_record_of_one_person_and_day_is_a_finding_that_names_the_first():
    found = duplicate_deaths(DEATHS)
    assert [json.loads(text)["death_id"] for text in found["fields"]] == ["d2", "d3"]
    assert {json.loads(text)["same_as"] for text in found["fields"]} == {"d1"}
    assert found["finding_id"].is_unique


def test_records_without_identity_are_not_judged():
    assert duplicate_deaths_coverage(DEATHS) == (4, 6)


def test_a_third_copy_in_another_order_gives_the_same_finding_ids():
    shuffled = DEATHS.sample(frac=1, random_state=3)
    assert set(duplicate_deaths(shuffled)["finding_id"]) == set(duplicate_deaths(DEATHS)["finding_id"])


def test_no_deaths_no_findings():
    assert duplicate_deaths(DEATHS.iloc[:0]).empty
    assert isinstance(duplicate_submissions(VALUES.iloc[:0]), pd.DataFrame)
