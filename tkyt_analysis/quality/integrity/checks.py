"""The integrity checks as one check of the engine, and the release table of what they found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.quality.checks import CheckResult, TableCheck
from tkyt_analysis.quality.findings import make_findings, no_findings
from tkyt_analysis.quality.integrity.registry import found_by, integrity_checks

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext
    from tkyt_analysis.warehouse.release import ReleaseContext


def _run(context: CheckContext, rule: Rule) -> CheckResult:
    """The check that the rule's parameter names; not assessable where its tables are absent."""
    check = integrity_checks()[rule.parameters["check"]]
    if not context.has(*[name for name in check.needs if name != "organisation_unit"]):
        return CheckResult(no_findings(), 0, 0)
    rows, judged = found_by(context, check)
    code = rows["code"] if "code" in rows else pd.Series("", index=rows.index)
    rows = rows.assign(verdict="inconsistent", code=code.fillna(""), subject=rows["subject"].fillna(""))
    # What changes from run to run (counts, last month) is not part of a finding's identity; a code is.
    rows = rows[~rows.duplicated(["unit_id", "dataset_id", "element_id", "category_id", "period_id", "code"])]
    found = make_findings(
        rows,
        rule_id=rule.id,
        rule_version=rule.version,
        severity=rule.severity,
        fields=["subject", "detail"],
        subject="code",
    )
    return CheckResult(found, judged, judged)


INTEGRITY = TableCheck((), _run)


def integrity(context: ReleaseContext) -> pd.DataFrame:
    """What the integrity checks of the last `tkyt check` found: check, severity, unit_id, dataset_id, element_id, category_id,
    period_id, subject, detail, value, expected, scope."""
    rows = context.query(
        "SELECT rule_id, severity, unit_id, dataset_id, element_id, category_id, period_id, value, expected, fields FROM lake.finding "
        "WHERE rule_id LIKE 'integrity\\_%' ESCAPE '\\' ORDER BY finding_id"
    )
    fields = rows["fields"].map(json.loads)
    named = rows.assign(
        check=rows["rule_id"].str.removeprefix("integrity_").astype("str"),
        subject=fields.map(lambda one: one.get("subject") or "").astype("str"),
        detail=fields.map(lambda one: one.get("detail") or "").astype("str"),
    )
    return context.add_scope(named.drop(columns=["rule_id", "fields"]))
