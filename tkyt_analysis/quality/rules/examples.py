"""The examples of a rule: small cases that it must judge as written, by the product's SQL and again by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.catalog.language import EACH, Cells, Population
from tkyt_analysis.catalog.language_parse import parse_number
from tkyt_analysis.catalog.rule_sides import LEVELS, Sides, sides_of
from tkyt_analysis.quality.context import context_of_tables
from tkyt_analysis.quality.rules.by_hand import BROKEN, HOLDS, NOT_ASSESSABLE, Given, judge
from tkyt_analysis.quality.rules.check import check_expression_rule
from tkyt_analysis.reference.periods import Period, period, shift

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule

UNIT = "VN2025:00000"
FREE = "example"  # data set of elements that an example names without one
OUTCOMES = (HOLDS, BROKEN, NOT_ASSESSABLE)


def example_results(rule: Rule) -> list[dict[str, Any]]:
    """One line per example: number, given, wanted, judged (by SQL), by_hand, passed (all three agree)."""
    lines = []
    for number, example in enumerate(rule.examples, 1):
        judged, by_hand = judge_in_sql(rule, example), judge_by_hand(rule, example)
        wanted = example["outcome"]
        lines.append({
            "example": number, "given": dict(example["given"]), "wanted": wanted, "judged": judged, "by_hand": by_hand,
            "passed": wanted == judged == by_hand,
        })  # fmt: skip
    return lines


def judge_in_sql(rule: Rule, example: Mapping[str, Any]) -> str:
    """What the check of the product says of the last period of an example."""
    tables = example_tables(rule, example)
    if "aggregate_value" not in tables:
        return NOT_ASSESSABLE
    at_hand = str(example.get("period", "202506"))
    context = context_of_tables(tables)
    result = check_expression_rule(context, rule)
    if (result.findings["period_id"] == at_hand).any():
        return BROKEN
    if not context.query("SELECT 1 FROM duckdb_tables() WHERE table_name = 'rule_judged'").size:
        return NOT_ASSESSABLE
    judged = context.query(
        "SELECT period_id FROM period JOIN (SELECT unnest(periods) AS period_no FROM rule_judged) USING (period_no)"
    )
    return HOLDS if at_hand in set(judged["period_id"]) else NOT_ASSESSABLE


def example_tables(rule: Rule, example: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """The example as the tables of a check context."""
    at_hand = period(str(example.get("period", "202506")))
    values, persons = [], []
    for name, given in example["given"].items():
        operand = parse_number(name)
        if isinstance(operand, Population):
            persons += _persons(operand, float(given), at_hand)
            continue
        assert isinstance(operand, Cells)
        dataset, element, category = _key(operand)
        for one, value in zip(_periods(at_hand, given), given if isinstance(given, list) else [given], strict=True):
            if value is not None:
                values.append((dataset, element, category, UNIT, one.period_id, float(value)))
    columns = ["dataset_id", "element_id", "category_id", "unit_id", "period_id", "value"]
    level = next((LEVELS[name] for name in rule.level if name in LEVELS), 3)
    tables = {"organisation_unit": pd.DataFrame({"unit_id": [UNIT], "level": [level]})}
    if values:
        tables["aggregate_value"] = pd.DataFrame(values, columns=columns)
    if persons:
        tables["population"] = pd.DataFrame(
            persons, columns=["unit_id", "year", "sex", "age_group", "persons", "series"]
        )
    return tables


def _key(cells: Cells) -> tuple[str, str, str]:
    if cells.dataset:
        return cells.dataset, f"{cells.dataset}/{cells.rows[0]}", cells.columns[0] if cells.columns else ""
    return FREE, cells.rows[0], cells.columns[0] if cells.columns else ""


def _periods(at_hand: Period, given: Any) -> list[Period]:
    count = len(given) if isinstance(given, list) else 1
    return [shift(at_hand, -back) if back else at_hand for back in range(count - 1, -1, -1)]


def _persons(one: Population, persons: float, at_hand: Period) -> list[tuple[Any, ...]]:
    ages = one.ages or ("total",)
    return [
        (UNIT, at_hand.end.year, one.sex or "total", age, persons if not number else 0.0, "EXAMPLE")
        for number, age in enumerate(ages)
    ]


def judge_by_hand(rule: Rule, example: Mapping[str, Any]) -> str:
    """The same by `by_hand`."""
    sides, at_hand = sides_of(rule), period(str(example.get("period", "202506")))
    if not _asked(rule, at_hand):
        return NOT_ASSESSABLE
    given = _given(example, at_hand)
    found = {judge(sides, given, each) for each in _each(sides, given)}
    return next((one for one in (BROKEN, HOLDS) if one in found), NOT_ASSESSABLE)


def _asked(rule: Rule, at_hand: Period) -> bool:
    return not (rule.valid_from and at_hand.end < rule.valid_from) and not (
        rule.valid_to and at_hand.end > rule.valid_to
    )


def _given(example: Mapping[str, Any], at_hand: Period) -> Given:
    longest = max((len(one) for one in example["given"].values() if isinstance(one, list)), default=1)
    history: list[dict[tuple[str, str, str], float]] = [{} for _ in range(longest)]
    population = {}
    for name, given in example["given"].items():
        operand = parse_number(name)
        if isinstance(operand, Population):
            population[operand.ages, operand.sex] = float(given)
            continue
        assert isinstance(operand, Cells)
        several = given if isinstance(given, list) else [given]
        for at, value in enumerate(several, longest - len(several)):
            if value is not None:
                history[at][_key(operand)] = float(value)
    days = [(one.end - one.start).days + 1 for one in _periods(at_hand, [None] * longest)]
    return Given(history, days, population)


def _each(sides: Sides, given: Given) -> list[str]:
    """The rows or columns at hand: those that an operand with @ finds in the last period."""
    if not sides.each:
        return [""]
    at = 1 if sides.each == "row" else 2
    marked = {one.dataset for one in sides.operands if isinstance(one, Cells) and EACH in (*one.rows, *one.columns)}
    found = sorted({key[at].rsplit("/", 1)[-1] for key in given.periods[-1] if key[0] in marked})
    return found or [""]
