"""Tests of single death records, each a condition in SQL over `death_record`; a rule names its test.

A finding says which line to look up (`death_id`), what was found and what was expected: never a name, never a full date.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from importlib import import_module
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
    `prepare` makes relations that the test joins, before it runs. probability : that the record is wrong.

    field : the field of the register that a finding is about (full_name, sex, birth, death_date, age, id_number, cause_text,
        icd10_as_written, line_a, place_of_death, maternal_death, manner …), for whoever shows the finding beside a cell
    alone : the record itself is enough (no other record, no other list): the test runs while a record is typed
    restricted : the finding itself says what only some may know (HIV): shown to those with the right, to nobody else
    suggestion : SQL of a key <key> of the labels `suggestion.<key>`, '' for none: what the record should probably say
    """

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
    fields: dict[str, str] = dataclass_field(default_factory=dict)
    prepare: Callable[[CheckContext, Rule], None] | None = None
    field: str = ""
    alone: bool = False
    suggestion: str = "''"
    restricted: bool = False

    def columns(self) -> dict[str, str]:
        """{name: SQL} of the further words that a finding carries."""
        own = {"death_id": "r.death_id", "source": "r.source", **self.fields}
        return own if self.suggestion == "''" else {**own, "suggestion": self.suggestion}


TESTS: dict[str, RecordTest] = {}
OWN_MODULES = tuple(f"mortality.quality.{name}_tests" for name in ("date", "age", "sex", "cause"))


def check_record(context: CheckContext, rule: Rule) -> CheckResult:
    """Run the test that the rule names on every death record."""
    test = test_of(rule)
    death_records(context)
    if test.prepare:
        test.prepare(context, rule)
    judged, breach = (sql.format(**given(rule)) for sql in (test.judged, test.breach))
    tables = f"{TABLE} r {test.joins}"
    records = "DISTINCT r.death_id" if test.joins else "*"
    (counts,) = context.query(
        f"SELECT count({records}) FILTER ({judged}) AS judged, count({records}) AS total FROM {tables}"
    ).to_dict("records")
    fields = test.columns()
    chosen = ", ".join(f"{sql} AS {column}" for column, sql in fields.items())
    rows = context.query(
        f"""
        SELECT 'death' AS dataset_id, r.unit_id, r.period_id, {test.value} AS value, {test.expected} AS expected,
               {test.lower} AS lower, {test.upper} AS upper, '{test.verdict}' AS verdict, {test.explanation} AS explanation,
               {test.probability} AS probability, 1 AS at_stake, {chosen}
        FROM {tables} WHERE ({test.judged}) AND ({test.breach})
        QUALIFY row_number() OVER (PARTITION BY r.death_id ORDER BY {test.probability} DESC) = 1
        ORDER BY r.unit_id, r.period_id, r.file_sha256, r.sheet, r.row_number
        """.format(**given(rule))
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


def given(rule: Rule) -> dict[str, object]:
    """What the rule says for the {parameters} of its test."""
    return {key: value for key, value in rule.parameters.items() if key != "test"}


def test_of(rule: Rule) -> RecordTest:
    """The test that a rule names. Raises InputError where there is none."""
    name, tests = str(rule.parameters.get("test", "")), all_tests()
    if name not in tests:
        raise InputError("error.death_test_unknown", rule=rule.id, found=name, expected=", ".join(sorted(tests)))
    return tests[name]


def all_tests() -> dict[str, RecordTest]:
    """Every test by the name that rules use: those here, and those of `mortality.validation.TEST_MODULES`."""
    from mortality.validation import TEST_MODULES

    if not TESTS:
        for module in (*OWN_MODULES, *TEST_MODULES):
            TESTS.update(import_module(module).TESTS)
    return TESTS


RECORD = TableCheck(("death",), check_record)
