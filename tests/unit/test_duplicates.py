"""A report sent twice, a death written twice."""

import json

from support import table

from tkyt_analysis.quality.context import context_of_tables
from tkyt_analysis.quality.duplicates import duplicate_deaths, duplicate_deaths_coverage
from tkyt_analysis.quality.reporting.submissions import data_sets_sent_again, sent_again

CELL = ["dataset_id", "unit_id", "period_id", "element_id", "category_id"]

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


def sent_twice(values):
    context = context_of_tables({"aggregate_value": values})
    assert list(data_sets_sent_again(context.con)) == (["f"] if values.duplicated(CELL).any() else [])
    return sent_again(context.con, "f")


def test_identical_and_differing_submissions_are_told_apart():
    found = sent_twice(VALUES)
    assert found[["unit_id", "cells", "differing", "files"]].to_numpy().tolist() == [["u1", 2, 1, 2], ["u2", 1, 0, 2]]
    assert found[["first_value", "last_value"]].iloc[0].tolist() == [5, 7]  # of the cell that differs


def test_a_value_against_an_empty_cell_differs():
    values = VALUES[VALUES["unit_id"] == "u2"].assign(value=[3.0, None])
    assert sent_twice(values)["differing"].tolist() == [1]


def test_a_value_twice_in_one_file_is_told_from_a_later_file():
    values = VALUES.assign(file_sha256="one")
    assert sent_twice(values)["within_file"].all()
    assert not sent_twice(VALUES)["within_file"].any()


def test_without_duplicates_there_is_no_finding():
    assert sent_twice(VALUES[VALUES["unit_id"] == "u3"]).empty


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
