"""Every rule in words of the catalog has a sound and a broken example, and judges both as written."""

import itertools

import pandas as pd
import pytest

from tkyt_analysis.catalog import load_entries
from tkyt_analysis.catalog.language import operands, written
from tkyt_analysis.catalog.language_parse import parse_condition, parse_number
from tkyt_analysis.catalog.rule_sides import Sides, Tolerance, sides_of
from tkyt_analysis.quality.rules.by_hand import Given, _Values
from tkyt_analysis.quality.rules.examples import example_results
from tkyt_analysis.quality.run import run_checks

RULES = load_entries("rules")
EXPRESSIONS = sorted(name for name, rule in RULES.items() if rule.kind == "expression")
OF_PANELS = sorted(
    name for name, rule in RULES.items() if rule.function == "dataset_expression" and not rule.parameters["table"]
)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_a_rule_judges_its_examples_as_written_by_sql_and_by_hand(name):
    results = example_results(RULES[name])
    assert {"holds", "broken"} <= {one["wanted"] for one in results}, "a rule needs a sound and a broken example"
    assert [one for one in results if not one["passed"]] == []


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_writing_out_what_was_read_and_reading_it_again_changes_nothing(name):
    sides = sides_of(RULES[name])
    for side in (sides.left, sides.right):
        assert parse_number(written(side)) == side


@pytest.mark.parametrize("name", OF_PANELS)
def test_a_check_of_a_data_set_breaks_exactly_where_its_condition_is_false(name):
    rule = RULES[name]
    node, dataset = parse_condition(rule.parameters["rule"]), rule.parameters["dataset"]
    columns = [one.rows[0] for one in operands(node)]
    cases = list(itertools.product((0, 1, 2), repeat=len(columns)))[:81]
    rows = [
        (dataset, f"{dataset}/{column}", "", f"u{number:03}", "202501", float(value))
        for number, case in enumerate(cases)
        for column, value in zip(columns, case)
    ]
    names = ["dataset_id", "element_id", "category_id", "unit_id", "period_id", "value"]
    found = run_checks({"aggregate_value": pd.DataFrame(rows, columns=names)}, [rule]).findings
    sides = Sides(parse_number("0"), "==", parse_number("0"), "never_skip", "never_skip", None, Tolerance(), {})
    broken = []
    for number, case in enumerate(cases):
        given = Given([{("", column, ""): float(value) for column, value in zip(columns, case)}])
        if _Values(sides, given, "").truth(node, nulls=True) is False:
            broken.append(f"u{number:03}")
    assert sorted(found["unit_id"]) == broken
    assert 0 < len(broken) < len(cases)
