"""The checks of the core, each under the function name that rules use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tkyt_analysis.quality import consistency, dataset_checks, duplicates
from tkyt_analysis.quality.checks import CheckResult, PanelCheck, TableCheck
from tkyt_analysis.quality.findings import no_findings
from tkyt_analysis.quality.outliers import OutlierSettings, judge_panel, score_panel
from tkyt_analysis.quality.panel import Panel

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext


def naming(rule: Rule) -> dict[str, Any]:
    """What `make_findings` needs to know of a rule."""
    return {"rule_id": rule.id, "rule_version": rule.version, "severity": rule.severity}


def _duplicate_deaths(context: CheckContext, rule: Rule) -> CheckResult:
    identity = tuple(rule.parameters.get("identity", ("person_key", "death_date")))
    deaths = context.query("SELECT * FROM death")
    findings = duplicates.duplicate_deaths(deaths, identity=identity, **naming(rule))
    return CheckResult(findings, *duplicates.duplicate_deaths_coverage(deaths, identity=identity))


def judge_outliers(panel: Panel, parameters: Mapping[str, Any]) -> tuple[pd.DataFrame, int, int]:
    """Values of one element that stray: one row each, most events at stake first."""
    settings = OutlierSettings(**parameters)
    scores = score_panel(panel.counts, settings)
    verdict = judge_panel(panel.counts, scores, settings)
    row, column = np.nonzero(~np.isin(verdict, ["", "ok", "not_assessable"]) & panel.asked)
    periods = np.array([one.period_id for one in panel.periods], dtype=object)
    value, expected = panel.counts[row, column], scores.expected[row, column]
    found = pd.DataFrame(
        {
            "unit_id": panel.units[row],
            "period_id": periods[column],
            "value": value,
            "expected": expected,
            "lower": scores.lower[row, column],
            "upper": scores.upper[row, column],
            "verdict": verdict[row, column],
            "at_stake": np.abs(value - expected).round(1),
            "distance": scores.distance[row, column].round(2),
        }
    ).sort_values("at_stake", ascending=False, kind="stable")
    present = np.isfinite(panel.counts) & panel.asked
    return found, int((present & scores.assessable).sum()), int(present.sum())


def _form_arithmetic(context: CheckContext, rule: Rule) -> CheckResult:
    values = context.query("SELECT * FROM aggregate_value WHERE dataset_id = ?", [rule.parameters["dataset"]])
    return CheckResult(*consistency.check_form_arithmetic(values, parameters=dict(rule.parameters), **naming(rule)))


def _dataset_expression(context: CheckContext, rule: Rule) -> CheckResult:
    table = rule.parameters["table"]
    if not context.has(table or "aggregate_value"):
        return CheckResult(no_findings(), 0, 0)
    if table:
        rows = context.query(f'SELECT * FROM "{table}"')
    else:
        rows = context.query("SELECT * FROM aggregate_value WHERE dataset_id = ?", [rule.parameters["dataset"]])
    return CheckResult(*dataset_checks.check_expression(rows, rule))


DUPLICATE_DEATHS = TableCheck(("death",), _duplicate_deaths)
OUTLIERS = PanelCheck(judge_outliers)
FORM_ARITHMETIC = TableCheck(("aggregate_value",), _form_arithmetic)
DATASET_EXPRESSION = TableCheck((), _dataset_expression)
