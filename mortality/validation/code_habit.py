"""Codes of three characters as a habit of a list: one note for a commune and year, where `death_edit_incomplete` asks about no line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mortality.validation.edit_relation import HABIT_FROM, prepare_edits
from tkyt_analysis.quality.checks import CheckResult, TableCheck
from tkyt_analysis.quality.findings import make_findings

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext

_COUNTS = f"""
    SELECT 'death' AS dataset_id, r.unit_id, left(r.period_id, 4) AS period_id, count(k.death_id) AS short, count(*) AS codes,
           round(100 * count(k.death_id) / count(*), 1) AS value, 'missing' AS verdict, 1.0 AS probability, count(k.death_id) AS at_stake
    FROM death_record r JOIN edit_habit h ON h.file_sha256 = r.file_sha256 AND h.short >= {HABIT_FROM} * h.codes
    LEFT JOIN edit_finding k ON k.death_id = r.death_id AND k.rule_id = 'death_edit_incomplete'
    JOIN edited e ON e.death_id = r.death_id AND NOT e.has_line
    WHERE r.code_rule IN ('as_given', 'as_written') AND (k.death_id IS NOT NULL OR length(r.code) > 3) AND r.period_id <> ''
      AND coalesce(r.unit_id, '') <> ''
    GROUP BY ALL ORDER BY ALL
"""


def check_code_habit(context: CheckContext, rule: Rule) -> CheckResult:
    """Communes and years whose lists are coded with three characters by habit. parameters: least (codes, below which nothing is said)."""
    prepare_edits(context)
    rows = context.query(_COUNTS)
    rows = rows[rows["codes"] >= int(rule.parameters.get("least", 20))]
    findings = make_findings(
        rows[rows["short"] >= HABIT_FROM * rows["codes"]],
        rule_id=rule.id,
        rule_version=rule.version,
        severity=rule.severity,
        fields=["short", "codes"],
    )
    return CheckResult(findings, len(rows), len(rows))


CODE_HABIT = TableCheck(("death",), check_code_habit)
