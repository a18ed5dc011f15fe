"""Integrity: what is wrong with units, elements, data sets, rules, points and denominators, said one by one."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import rule_like, table
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.catalog.loader import load_entries
from tkyt_analysis.quality.context import context_of_tables
from tkyt_analysis.quality.integrity.checks import INTEGRITY
from tkyt_analysis.quality.integrity.names import name_problems, tidy_name, unmatched_names
from tkyt_analysis.quality.integrity.points import outside_their_parents, point_problems, shape_problems
from tkyt_analysis.quality.integrity.registry import integrity_checks
from tkyt_analysis.quality.run import results_of

UNITS = table("""
    unit_id | code  | name       | level | parent_unit_id | province_id | valid_from | valid_to
    X:root  | R     | Gốc        | 0     |                |             |            |
    X:p     | P     | Tỉnh An    | 1     | X:root         | X:p         | 2000-01-01 |
    X:a     | A     | Xã Hòa     | 2     | X:p            | X:p         | 2000-01-01 |
    X:b     | B     | Xã Hoa     | 2     | X:p            | X:p         | 2000-01-01 |
    X:c     | C     | XÃ  HÒA    | 2     | X:p            | X:p         | 2000-01-01 |
    X:d     | D     | Xã Dài     | 2     | X:p            | X:p         | 2010-01-01 | 2009-01-01
    X:e     | A     | Xã Én      | 3     | X:p            | X:p         | 1999-01-01 |
    X:f     |       | Xã Phú     | 2     | X:gone         | X:p         |            |
    X:shut  | S     | Xã Cũ      | 2     | X:p            | X:p         | 2000-01-01 | 2020-12-31
    X:under | U     | Trạm Cũ    | 3     | X:shut         | X:p         | 2000-01-01 |
    X:l1    | L1    | Vòng một   | 2     | X:l2           | X:p         |            |
    X:l2    | L2    | Vòng hai   | 2     | X:l1           | X:p         |            |
    X:i     | 99999 |            | 2     | X:p            | X:p         |            |
""").astype({"level": "Int64"})
ELEMENTS = table("""
    element_id  | code | name       | short_name | period_type | dataset_id
    Aelement001 | E1   | Số đẻ      | Số đẻ      | Monthly     | Adataset001
    Aelement002 | E2   | Số  đẻ     | Đẻ         | Monthly     | Adataset001
    Aelement003 |      | Số khám    | Đẻ         | Monthly     |
""")
DATA_SETS = table("""
    dataset_id  | name   | period_type | timely_days
    Adataset001 | Tháng  | Monthly     | 5
    Adataset002 | Tháng  | Monthly     | 0
""")


def values(*rows):
    frame = pd.DataFrame(rows, columns=["dataset_id", "element_id", "unit_id", "period_id"])
    return frame.assign(category_id="", value=1.0)


VALUES = values(
    ("Adataset001", "Aelement001", "X:a", "202401"),
    ("Adataset001", "Aelement001", "X:a", "202601"),
    ("Adataset001", "Aelement001", "X:shut", "202401"),
    ("Adataset001", "Aelement001", "X:unknown", "202401"),
    ("Adataset001", "Aelement009", "X:a", "202401"),
    ("Adataset002", "Aelement001", "X:a", "2024Q1"),
)
TABLES = {
    "organisation_unit": UNITS,
    "aggregate_value": VALUES,
    "data_element": ELEMENTS,
    "data_set": DATA_SETS,
    "data_set_assignment": pd.DataFrame({"dataset_id": "Adataset001", "unit_id": ["X:a", "X:b"]}),
}


def found(check, tables=None):
    rule = rule_like(id=f"integrity_{check}", parameters={"check": check})
    (result,) = results_of(context_of_tables(tables or TABLES), rule, INTEGRITY)
    fields = pd.DataFrame([json.loads(text) for text in result.findings["fields"]], columns=["subject", "detail"])
    return result.findings.join(fields), result.judged


@pytest.mark.parametrize(
    ("check", "units"),
    [
        ("unit_orphaned", ["X:f"]),
        ("unit_own_ancestor", ["X:l1", "X:l2"]),
        ("unit_same_name_and_parent", ["X:c"]),  # Xã Hòa again, in capitals and with a second blank
        ("unit_name_alike", ["X:b", "X:c"]),  # Xã Hoa: an accent away from both
        ("unit_same_code", ["X:a", "X:e"]),
        ("unit_name_blanks", ["X:c"]),
        ("unit_without_name", ["X:i"]),
        ("unit_without_code", ["X:f"]),
        ("unit_level_jump", ["X:e", "X:l1", "X:l2"]),
        ("unit_opens_after_closing", ["X:d"]),
        ("unit_closed_with_open_children", ["X:shut"]),
        ("unit_open_before_parent", ["X:e"]),
        ("unit_code_not_official", ["X:i"]),
        ("unit_reports_outside_life", ["X:shut"]),
        ("unit_assigned_never_reports", ["X:b"]),
        ("unit_reports_unassigned", ["X:shut", "X:unknown"]),
        ("unit_unknown", ["X:unknown"]),
    ],
)
def test_each_fault_of_a_unit_is_found_at_its_unit_and_nowhere_else(check, units):
    findings, judged = found(check)
    assert sorted(findings["unit_id"]) == units
    assert judged > 0
    assert findings["subject"].ne("").all()


@pytest.mark.parametrize(
    ("check", "elements"),
    [
        ("element_without_data_set", ["Aelement003"]),
        ("element_same_name", ["Aelement001", "Aelement002"]),
        ("element_same_short_name", ["Aelement003"]),  # the other of the two has the same whole name as well
        ("element_without_code", ["Aelement003"]),
        ("element_name_blanks", ["Aelement002"]),
        ("element_unused", ["Aelement002"]),
        ("element_not_described", ["Aelement009"]),
        ("element_of_several_period_types", ["Aelement001"]),
        ("element_in_other_data_set", ["Aelement001"]),
        ("element_abandoned", ["Aelement009"]),
    ],
)
def test_each_fault_of_an_element_is_found_at_its_element(check, elements):
    assert sorted(found(check)[0]["element_id"]) == elements


@pytest.mark.parametrize(
    ("check", "data_sets"),
    [
        ("data_set_without_units", ["Adataset002"]),
        ("data_set_without_elements", ["Adataset002"]),
        ("data_set_same_name", ["Adataset001", "Adataset002"]),
        ("data_set_without_deadline", ["Adataset002"]),
        ("data_set_other_periods", ["Adataset002"]),
    ],
)
def test_each_fault_of_a_data_set_is_found_at_its_data_set(check, data_sets):
    assert sorted(found(check)[0]["dataset_id"]) == data_sets


def test_a_check_whose_tables_are_absent_is_not_assessable():
    findings, judged = found("population_jump")
    assert (len(findings), judged) == (0, 0)


def test_every_check_of_the_list_has_a_query_and_every_query_words():
    listed = read_codelist("integrity_checks")
    assert set(listed["id"]) == set(integrity_checks())
    rules = load_entries("rules")
    assert {f"integrity_{one}" for one in listed["id"]} <= set(rules)
    assert all(rules[f"integrity_{one}"].title["vi"] != rules[f"integrity_{one}"].title["en"] for one in listed["id"])


REFORM = values(
    ("f", "e", "VN2024:21118", "202506"),
    ("f", "e", "VN2024:21118", "202507"),
    ("f", "e", "VN2025:21127", "202507"),
    ("f", "e", "VN2025:21127", "202506"),
    ("f", "e", "VN2025:21115", "202507"),
)


def test_after_the_reform_an_old_unit_that_reports_and_a_month_counted_twice_are_found():
    tables = {"aggregate_value": REFORM, "organisation_unit": UNITS}
    assert found("unit_old_still_reports", tables)[0][["unit_id", "period_id"]].to_numpy().tolist() == [
        ["VN2024:21118", "202507"]
    ]
    assert found("unit_new_reports_before", tables)[0]["unit_id"].tolist() == ["VN2025:21127"]
    both = found("unit_old_and_new_report", tables)[0]
    assert both[["unit_id", "period_id", "detail"]].to_numpy().tolist() == [
        ["VN2025:21127", "202506", "VN2024:21118"],
        ["VN2025:21127", "202507", "VN2024:21118"],
    ]


RULES = table("""
    rule_id | name | operator | left_side      | left_missing | right_side     | right_missing | instruction
    r1      | Một  | <=       | #{Aelement001} | NEVER_SKIP   | #{Aelement777} | NEVER_SKIP    | Xem lại
    r2      | Hai  | <=       | #{Aelement001} |              | #{Aelement002} | NEVER_SKIP    |
    r3      | Ba   | <=       | #{Aelement001} | NEVER_SKIP   | #{Aelement002} | NEVER_SKIP    | Xem lại
""")


def test_validation_rules_that_name_nothing_say_nothing_or_repeat_are_found():
    tables = {"dhis2_validation_rule": RULES, "data_element": ELEMENTS}
    assert found("rule_unknown_element", tables)[0][["subject", "detail"]].to_numpy().tolist() == [
        ["Một", "Aelement777"]
    ]
    assert found("rule_without_missing_strategy", tables)[0]["subject"].tolist() == ["Hai"]
    assert found("rule_without_instruction", tables)[0]["subject"].tolist() == ["Hai"]
    same = found("rule_same_expression", tables)[0]
    assert same["subject"].tolist() == ["Hai", "Ba"]
    assert same["finding_id"].is_unique


PEOPLE = table("""
    unit_id      | year | sex    | age_group | persons
    VN2024:21118 | 2024 | male   | total     |    1000
    VN2024:21118 | 2024 | female | total     |    1000
    VN2024:21118 | 2025 | male   | total     |    1010
    VN2024:21118 | 2025 | female | total     |    1010
    VN2024:21127 | 2024 | total  | total     |    3000
    VN2024:21127 | 2025 | total  | total     |    4500
    VN2024:21130 | 2024 | total  | total     |    5000
    VN2024:21130 | 2025 | total  | total     |    5050
    VN2025:21127 | 2025 | total  | total     |    7000
    VN2024:21124 | 2024 | total  | total     |    2000
    VN2024:21124 | 2024 | male   | total     |     900
    VN2024:21124 | 2024 | female | total     |    1000
    VN2024:21124 | 2024 | male   | 0-4       |     100
    VN2024:21124 | 2024 | male   | 5+        |     800
""").assign(series="S")


def test_a_population_that_jumps_is_told_with_what_was_usual():
    tables = {"population": PEOPLE, "organisation_unit": UNITS}
    (jump,) = found("population_jump", tables)[0].to_dict("records")
    assert (jump["unit_id"], jump["period_id"], jump["value"]) == ("VN2024:21127", "2025", 4500)
    assert jump["expected"] == pytest.approx(3000 * 1.01, abs=1)  # the others grew by one percent


def test_sexes_and_ages_that_do_not_add_up_are_found():
    tables = {"population": PEOPLE, "organisation_unit": UNITS}
    sexes = found("population_sexes", tables)[0]
    assert sexes[["unit_id", "value", "expected"]].to_numpy().tolist() == [["VN2024:21124", 2000.0, 900.0 + 1000]]
    assert found("population_ages", tables)[0].empty  # 100 + 800 = 900


def test_a_new_commune_is_held_against_the_old_ones_that_became_it():
    olds = [("VN2024:21118", 2020), ("VN2024:21127", 3000), ("VN2024:21130", 3000)]
    new = ("VN2025:21127", 8020 * 1.5)
    rows = pd.DataFrame([*olds, new], columns=["unit_id", "persons"]).assign(
        year=2025, sex="total", age_group="total", series="S"
    )
    (row,) = found("population_lineage", {"population": rows, "organisation_unit": UNITS})[0].to_dict("records")
    assert (row["unit_id"], row["value"], row["expected"]) == ("VN2025:21127", 8020 * 1.5, 8020)
    assert found("population_lineage", {"population": rows.iloc[[0, 1, 3]], "organisation_unit": UNITS})[0].empty


# --- names ------------------------------------------------------------------------------------------------------------


def test_what_is_wrong_with_a_name_is_said_one_by_one():
    names = [
        "Baringo ",
        " ABIDJAN 1",
        "Xã\u00a0An",
        "Tra\u0300 La\u0302m",
        "Hµ Néi",
        "Trà  Xuân",
        "Bình",
        "Bình",
        "BINH",
        None,
        "",
    ]
    said = name_problems(names).set_index(["name", "problem"])["suggestion"]
    assert said.to_dict() == {
        ("Baringo ", "trailing_blank"): "Baringo",
        (" ABIDJAN 1", "leading_blank"): "ABIDJAN 1",
        ("Xã\u00a0An", "odd_blank"): "Xã An",
        ("Tra\u0300 La\u0302m", "decomposed"): "Trà Lâm",
        ("Hµ Néi", "legacy_font"): "Hà Nội",
        ("Trà  Xuân", "double_blank"): "Trà Xuân",
        ("BINH", "two_spellings"): "Bình",
    }


@given(st.text(max_size=20))
def test_a_tidy_name_has_no_fault_of_blanks_or_letters(name):
    tidy = tidy_name(name)
    assert tidy_name(tidy) == tidy
    assert set(name_problems([tidy])["problem"]) <= {"legacy_font"}


def test_names_lost_in_a_join_are_named_with_their_match():
    lost = unmatched_names(["Baringo ", "Décembre", "Nairobi", "Nowhere"], ["Baringo", "Decembre", "Nairobi"])
    assert lost.to_numpy().tolist() == [["Baringo ", "Baringo"], ["Décembre", "Decembre"]]


# --- points -----------------------------------------------------------------------------------------------------------

POINTS = table("""
    id     | parent_id | latitude | longitude
    good   | VN2025:51 |    15.12 |    108.80
    zero   | VN2025:51 |     0.00 |      0.00
    turned | VN2025:51 |   108.80 |     15.12
    abroad | VN2025:51 |    48.85 |      2.35
    hanoi  | VN2025:51 |    21.03 |    105.85
    twin_a | VN2025:51 |    15.00 |    108.70
    twin_b | VN2025:51 |    15.00 |    108.70
    lyson  | VN2025:51 |    15.38 |    109.12
    truong | VN2025:56 |     8.64 |    111.92
    none   | VN2025:51 |          |
""")


def test_each_wrong_point_is_called_by_its_own_name_and_islands_are_home():
    from tkyt_analysis.quality.integrity.points import province_shapes

    points = POINTS.assign(**{name: pd.to_numeric(POINTS[name], errors="coerce") for name in ("latitude", "longitude")})
    said = point_problems(points, province_shapes("VN2025"))
    assert said[["id", "problem"]].to_numpy().tolist() == [
        ["abroad", "outside_country"],
        ["hanoi", "outside_parent"],
        ["turned", "swapped"],
        ["twin_a", "shared"],
        ["twin_b", "shared"],
        ["zero", "null_island"],
    ]


def test_a_point_on_the_centre_of_its_parent_was_filled_in():
    from shapely.geometry import box

    parents = {"p": box(105, 20, 107, 22)}
    points = pd.DataFrame({"id": ["a", "b"], "parent_id": "p", "latitude": [21.0, 21.3], "longitude": [106.0, 106.0]})
    said = point_problems(points, parents, country=box(100, 8, 110, 24))
    assert said[["id", "problem"]].to_numpy().tolist() == [["a", "on_centroid"]]


def test_outlines_that_cross_themselves_or_lie_elsewhere_are_found():
    square = '{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,4],[0,0]]]}'
    bow = '{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,1],[0,0]]]}'
    far = '{"type":"Polygon","coordinates":[[[3,3],[7,3],[7,7],[3,7],[3,3]]]}'
    said, shapes = shape_problems(
        pd.DataFrame({"id": ["square", "bow", "far", "torn"], "geometry": [square, bow, far, "{"]})
    )
    assert said[["id", "problem"]].to_numpy().tolist() == [["bow", "invalid"], ["torn", "unreadable"]]
    children = pd.DataFrame({"id": ["bow", "far"], "parent_id": "square"})
    assert outside_their_parents(children, shapes)[["id", "detail"]].to_numpy().tolist() == [["far", "6 %"]]  # 1 of 16


def test_a_facility_in_another_province_is_found_at_its_commune():
    from tkyt_analysis.quality.integrity.points import province_shapes

    assert "VN2025:51" in province_shapes("VN2025")
    units = pd.DataFrame(
        {
            "unit_id": ["VN2025:21115"],
            "name": ["Xã Trà Bồng"],
            "province_id": ["VN2025:51"],
            "parent_unit_id": ["VN2025:51"],
        }
    )
    facilities = pd.DataFrame(
        {"facility_id": ["KCB:1", "KCB:2"], "name": ["Trạm A", "Trạm B "], "facility_type": "trạm", "unit_id": "VN2025:21115",
         "valid_from": None, "valid_to": None, "merged_into": ["", "KCB:9"], "latitude": [15.25, 21.0], "longitude": [108.5, 105.8]}
    )  # fmt: skip
    tables = {"organisation_unit": units, "facility": facilities}
    outside = found("facility_outside_parent", tables)[0]
    assert outside[["unit_id", "subject"]].to_numpy().tolist() == [["VN2025:21115", "Trạm B "]]
    assert found("facility_name_blanks", tables)[0]["detail"].tolist() == ["“Trạm B ”"]
    assert found("facility_merged_into_unknown", tables)[0]["detail"].tolist() == ["KCB:9"]
