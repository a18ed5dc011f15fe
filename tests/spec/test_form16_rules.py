"""What Biểu 16/BCH promises by its own layout, as rules of the catalog."""

import pandas as pd
import pytest

from tkyt_analysis.catalog.loader import load_entries
from tkyt_analysis.quality.run import run_checks

AGES = ["age_0", "age_1_4", "age_5_14", "age_15_59", "age_60_plus"]
COLUMNS = ["total", "female", *AGES, "maternal"]
#            total female  <1 1-4 5-14 15-59 60+ maternal
SOUND = {
    "10": [12, 5, 0, 0, 0, 3, 9, 0],
    "17": [2, 1, 2, 0, 0, 0, 0, 0],
    "18": [1, 1, 0, 0, 0, 1, 0, 1],
    "25": [8, 4, 0, 1, 0, 2, 5, 0],
}


def form(**changes):
    """Values of one form; a change is row_column=value, e.g. r10_female=13."""
    cells = {(row, column): 0 for row in map(str, range(1, 26)) for column in COLUMNS}
    cells |= {(row, column): value for row, values in SOUND.items() for column, value in zip(COLUMNS, values)}
    totals = {("total", column): sum(cells[row, column] for row in map(str, range(1, 26))) for column in COLUMNS}
    cells |= totals
    for name, value in changes.items():
        row, _, column = name.removeprefix("r").partition("_")
        cells[row, column] = value
    rows = [(f"16BCH/{row}", column, value) for (row, column), value in cells.items() if value is not None]
    values = pd.DataFrame(rows, columns=["element_id", "category_id", "value"])
    return values.assign(dataset_id="form16bch", unit_id="VN2024:522", period_id="2024C12")


def broken_rules(values):
    rules = [rule for rule in load_entries("rules").values() if rule.id.startswith("form16bch")]
    return sorted(run_checks({"aggregate_value": values}, rules).findings["rule_id"].unique())


def test_a_sound_form_breaks_no_rule():
    assert broken_rules(form()) == []


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"r10_female": 13, "rtotal_female": 19}, ["form16bch_female_within_total"]),
        ({"r10_age_60_plus": 8, "rtotal_age_60_plus": 13}, ["form16bch_ages_sum_to_total"]),
        ({"rtotal_female": 10}, ["form16bch_rows_sum_to_total"]),
        (
            {"r18_maternal": 2, "rtotal_maternal": 2},
            ["form16bch_maternal_within_15_59", "form16bch_maternal_within_row_18"],
        ),
        ({"r10_maternal": 1, "rtotal_maternal": 2}, ["form16bch_maternal_only_in_row_18"]),
        ({"r18_female": 0, "rtotal_female": 10}, ["form16bch_maternal_within_row_18", "form16bch_row_18_only_women"]),
        (
            {"r17_age_0": 1, "r17_age_1_4": 1, "rtotal_age_0": 1, "rtotal_age_1_4": 2},
            ["form16bch_perinatal_only_under_1"],
        ),
    ],
)
def test_one_wrong_cell_breaks_the_rule_that_is_about_it(changes, rules):
    assert broken_rules(form(**changes)) == rules


def test_an_empty_female_cell_is_not_assessable_and_not_a_pass():
    rule = load_entries("rules")["form16bch_female_within_total"]
    whole = run_checks({"aggregate_value": form()}, [rule]).coverage.iloc[0]
    part = run_checks({"aggregate_value": form(r10_female=None)}, [rule]).coverage.iloc[0]
    assert (whole["judged"], whole["total"]) == (26, 26)
    assert (part["judged"], part["total"]) == (25, 26)


def test_the_finding_names_form_row_and_both_figures():
    rule = load_entries("rules")["form16bch_female_within_total"]
    found = run_checks({"aggregate_value": form(r10_female=13)}, [rule]).findings.iloc[0]
    assert (found["element_id"], found["value"], found["expected"]) == ("16BCH/10", 13, 12)
    assert found["verdict"] == "inconsistent"


def test_other_data_sets_are_left_alone():
    assert broken_rules(form(r10_female=13).assign(dataset_id="other")) == []
