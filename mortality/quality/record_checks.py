"""Tests of single death records, each a condition in SQL over `death_record`; a rule names its test.

A finding says which line to look up (`death_id`), what was found and what was expected: never a name, never a full date.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mortality.quality.records import TABLE, death_records
from tkyt_analysis.errors import InputError
from tkyt_analysis.quality.checks import CheckResult, TableCheck
from tkyt_analysis.quality.findings import make_findings

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext


@dataclass(frozen=True)
class RecordTest:
    """judged : condition under which a record can be judged at all; breach : the condition of a finding. Both and the other
    parts are SQL over `death_record r` and what `joins` adds; {parameter} stands for a parameter of the rule.
    `prepare` makes relations that the test joins, before it runs. probability : that the record is wrong."""

    judged: str
    breach: str
    value: str = "NULL"
    expected: str = "NULL"
    lower: str = "NULL"
    upper: str = "NULL"
    verdict: str = "inconsistent"
    explanation: str = "''"
    probability: str = "0.9"
    joins: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[CheckContext, Rule], None] | None = None


TESTS: dict[str, RecordTest] = {}


def check_record(context: CheckContext, rule: Rule) -> CheckResult:
    """Run the test that the rule names on every death record."""
    name = str(rule.parameters.get("test", ""))
    tests = all_tests()
    if name not in tests:
        raise InputError("error.death_test_unknown", rule=rule.id, found=name, expected=", ".join(sorted(tests)))
    test = tests[name]
    death_records(context)
    if test.prepare:
        test.prepare(context, rule)
    given = {key: value for key, value in rule.parameters.items() if key != "test"}
    tables = f"{TABLE} r {test.joins}"
    judged, breach = test.judged.format(**given), test.breach.format(**given)
    (counts,) = context.query(
        f"SELECT count(DISTINCT r.death_id) FILTER ({judged}) AS judged, count(DISTINCT r.death_id) AS total FROM {tables}"
    ).to_dict("records")
    fields = {"death_id": "r.death_id", "source": "r.source", **test.fields}
    chosen = ", ".join(f"{sql} AS {column}" for column, sql in fields.items())
    rows = context.query(
        f"""
        SELECT 'death' AS dataset_id, r.unit_id, r.period_id, {test.value} AS value, {test.expected} AS expected,
               {test.lower} AS lower, {test.upper} AS upper, '{test.verdict}' AS verdict, {test.explanation} AS explanation,
               {test.probability} AS probability, 1 AS at_stake, {chosen}
        FROM {tables} WHERE ({judged}) AND ({breach})
        QUALIFY row_number() OVER (PARTITION BY r.death_id ORDER BY {test.probability} DESC) = 1
        ORDER BY r.unit_id, r.period_id, r.file_sha256, r.sheet, r.row_number
        """.format(**given)
    )
    findings = make_findings(
        rows,
        rule_id=rule.id,
        rule_version=rule.version,
        severity=rule.severity,
        fields=list(fields),
        subject="death_id",
    )
    return CheckResult(findings, int(counts["judged"]), int(counts["total"]))


def all_tests() -> dict[str, RecordTest]:
    """Every test by the name that rules use."""
    from mortality.quality import age_tests, cause_tests, date_tests, sex_tests

    if not TESTS:
        for module in (date_tests, age_tests, sex_tests, cause_tests):
            TESTS.update(module.TESTS)
    return TESTS


RECORD = TableCheck(("death",), check_record)
