"""The integrity checks of the code list `integrity_checks` as quality rules: run, stored, asked and reported like every other rule."""

from __future__ import annotations

from typing import Any, cast

from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.catalog.entries import Rule, Text


def integrity_rules() -> dict[str, Rule]:
    """{"integrity_<check>": rule} of all integrity checks."""
    return {rule.id: rule for row in read_codelist("integrity_checks").to_dict("records") for rule in [_rule(row)]}


def _rule(row: dict[str, Any]) -> Rule:
    return Rule(
        id=f"integrity_{row['id']}",
        version=1,
        title=cast("Text", {"vi": row["title_vi"], "en": row["title_en"]}),
        question=cast("Text", {"vi": row["question_vi"], "en": row["question_en"]}),
        severity=row["severity"],
        kind="python",
        level=("nation", "province", "district", "commune", "facility"),
        owner="TKYT",
        source="DHIS2 data integrity checks (ý tưởng); danh mục hành chính 2024, 2025",
        function="integrity",
        fields=("subject", "detail"),
        parameters={"check": row["id"]},
        detects=tuple(row["detects"].split()),
    )
