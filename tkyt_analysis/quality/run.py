"""Run the rules of the catalog on tables: findings, and for each rule how much of the data it could judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.quality import completeness, consistency, dataset_checks, duplicates, outliers
from tkyt_analysis.quality.findings import no_findings

Tables = Mapping[str, pd.DataFrame]
COVERAGE_COLUMNS = ["rule_id", "status", "judged", "total", "share_assessable", "findings", "missing_tables"]


@dataclass(frozen=True)
class CheckResult:
    """Findings of one rule, and how many of how many units of work (reports, values, records) it judged."""

    findings: pd.DataFrame
    judged: int
    total: int


@dataclass(frozen=True)
class QualityResult:
    """findings : the finding table; coverage : one row per rule (rule_id, status, judged, total,
    share_assessable, findings, missing_tables). A rule whose tables are absent is not_assessable, not passed."""

    findings: pd.DataFrame
    coverage: pd.DataFrame


def _naming(rule: Any) -> dict[str, Any]:
    return {"rule_id": rule.id, "rule_version": rule.version, "severity": rule.severity}


def _missing_reports(tables: Tables, rule: Any) -> CheckResult:
    arguments = (
        tables["aggregate_value"],
        tables["data_set_assignment"],
        tables["organisation_unit"],
        tables["period"],
    )
    status = tables.get("reporting_status")
    findings = completeness.check_missing_reports(*arguments, reporting_status=status, **_naming(rule))
    due = len(completeness.expected_reports(*arguments[1:]))
    return CheckResult(findings, due, due)


def _duplicate_submissions(tables: Tables, rule: Any) -> CheckResult:
    values = tables["aggregate_value"]
    reports = len(values[duplicates.REPORT].drop_duplicates())
    return CheckResult(duplicates.duplicate_submissions(values, **_naming(rule)), reports, reports)


def _duplicate_deaths(tables: Tables, rule: Any) -> CheckResult:
    identity = tuple(rule.parameters.get("identity", ("person_key", "death_date")))
    findings = duplicates.duplicate_deaths(tables["death"], identity=identity, **_naming(rule))
    return CheckResult(findings, *duplicates.duplicate_deaths_coverage(tables["death"], identity=identity))


def _outliers(tables: Tables, rule: Any) -> CheckResult:
    settings = outliers.OutlierSettings(**rule.parameters)
    findings, judged, total = outliers.check_outliers_with_coverage(
        tables["aggregate_value"], settings=settings, **_naming(rule)
    )
    return CheckResult(findings, judged, total)


def _form_arithmetic(tables: Tables, rule: Any) -> CheckResult:
    return CheckResult(
        *consistency.check_form_arithmetic(tables["aggregate_value"], parameters=dict(rule.parameters), **_naming(rule))
    )


def _dataset_expression(tables: Tables, rule: Any) -> CheckResult:
    rows = tables.get(rule.parameters["table"] or "aggregate_value")
    if rows is None:
        return CheckResult(no_findings(), 0, 0)
    return CheckResult(*dataset_checks.check_expression(rows, rule))


# function name in the catalog → (tables it needs, the check)
CHECKS: dict[str, tuple[tuple[str, ...], Callable[[Tables, Any], CheckResult]]] = {
    "check_missing_reports": (
        ("aggregate_value", "data_set_assignment", "organisation_unit", "period"),
        _missing_reports,
    ),
    "duplicate_submissions": (("aggregate_value",), _duplicate_submissions),
    "duplicate_deaths": (("death",), _duplicate_deaths),
    "check_outliers": (("aggregate_value",), _outliers),
    "check_form_arithmetic": (("aggregate_value",), _form_arithmetic),
    "dataset_expression": ((), _dataset_expression),
}


def run_checks(tables: Tables, rules: Iterable[Any] | None = None) -> QualityResult:
    """Every rule on the tables it needs.

    Parameters
    ----------
    tables : {table: rows}: aggregate_value, data_set_assignment, organisation_unit, period (period_id,
        period_start, period_end[, dataset_id]), reporting_status, death; absent ones make rules not assessable
    rules : catalog entries (`load_entries("rules")`, the default); their function must be one of CHECKS

    Returns a QualityResult; findings are in the order of the rules.
    """
    if rules is None:
        from tkyt_analysis.catalog.loader import load_entries

        rules = load_entries("rules").values()
    findings, coverage = [no_findings()], []
    for rule in rules:
        if rule.function not in CHECKS:
            raise InputError("error.rule_function", rule=rule.id, found=rule.function, expected=", ".join(CHECKS))
        needed, check = CHECKS[rule.function]
        absent = [name for name in needed if name not in tables]
        result = CheckResult(no_findings(), 0, 0) if absent else check(tables, rule)
        findings.append(result.findings)
        coverage.append(_coverage(rule.id, result, absent))
    found = [part for part in findings if len(part)] or [no_findings()]
    return QualityResult(pd.concat(found, ignore_index=True), pd.DataFrame(coverage, columns=COVERAGE_COLUMNS))


def _coverage(rule_id: str, result: CheckResult, absent: list[str]) -> list[Any]:
    share = result.judged / result.total if result.total else float("nan")
    status = "ok" if result.judged else "not_assessable"
    return [rule_id, status, result.judged, result.total, share, len(result.findings), ", ".join(absent)]
