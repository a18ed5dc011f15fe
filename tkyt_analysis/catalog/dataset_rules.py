"""The checks of data sets as quality rules, so that they run, are stored, asked and reported like every other rule."""

from __future__ import annotations

from collections.abc import Iterable

from tkyt_analysis.catalog.entries import Dataset, DatasetCheck, Rule


def dataset_rules(datasets: Iterable[Dataset]) -> dict[str, Rule]:
    """{"<data set>.<check>": rule} of all checks."""
    return {rule.id: rule for entry in datasets for check in entry.checks for rule in [_rule(entry, check)]}


def _rule(entry: Dataset, check: DatasetCheck) -> Rule:
    return Rule(
        id=f"{entry.id}.{check.id}",
        version=1,
        title=check.message,
        question=check.message,
        severity=check.severity,
        kind="python",
        level=(entry.reported_by or "commune",),
        owner=entry.owner["vi"] if entry.owner else entry.origin.producer,
        source=entry.origin.document,
        function="dataset_expression",
        applies_to=(entry.target,),
        parameters={"dataset": entry.id, "rule": check.rule, "table": "" if entry.panel else entry.target},
        unverified=entry.origin.unverified,
    )
