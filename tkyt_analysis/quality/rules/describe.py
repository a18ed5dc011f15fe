"""A rule in words and figures: what `tkyt rule list` and `tkyt rule show` say of it, and what a home knows about rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tkyt_analysis.catalog.entries import Rule
from tkyt_analysis.labels import current_language
from tkyt_analysis.quality.rules.dhis2_import import metadata_of_warehouse


def summary(rule: Rule) -> dict[str, Any]:
    """One line: rule, version, title, level, severity, source, window, missing, what it detects."""
    left, right = rule.left_missing or rule.missing, rule.right_missing or rule.missing
    return {
        "rule": rule.id,
        "version": rule.version,
        "title": rule.title[current_language()],
        "kind": rule.kind,
        "level": list(rule.level),
        "severity": rule.severity,
        "source": rule.source,
        "window": ", ".join(f"{key} {value}" for key, value in rule.window.items()),
        "missing": (left if left == right else f"{left} / {right}") if rule.kind == "expression" else "",
        "detects": list(rule.detects),
    }


def details(rule: Rule) -> dict[str, Any]:
    """The whole rule: the summary, its expression or function, tolerance, validity, question and examples."""
    language = current_language()
    said = f"{rule.left} {rule.operator} {rule.right}" if rule.kind == "expression" else rule.function
    return summary(rule) | {
        "said": said,
        "tolerance": ", ".join(f"{key} {value}" for key, value in rule.tolerance.items()),
        "valid_from": f"{rule.valid_from:%Y-%m-%d}" if rule.valid_from else "",
        "valid_to": f"{rule.valid_to:%Y-%m-%d}" if rule.valid_to else "",
        "owner": rule.owner,
        "question": rule.question[language],
        "groups": list(rule.groups),
        "examples": len(rule.examples),
        "unverified": "?" if rule.unverified else "",
    }


def last_coverage(home: Path) -> dict[str, dict[str, Any]]:
    """{rule: judged, total, findings} of the last whole run on a home."""
    from tkyt_analysis.warehouse.lake import Warehouse

    with Warehouse(home) as warehouse:
        rows = warehouse.query("SELECT rule_id, judged, total, findings FROM lake.rule_coverage")
    return {
        row.rule_id: {"judged": int(row.judged), "total": int(row.total), "findings": int(row.findings)}
        for row in rows.itertuples()
    }


def received_rules(home: Path) -> dict[str, Any]:
    """The validation rules that a home received from DHIS2, as metadata; of a rule received twice the last counts."""
    from tkyt_analysis.warehouse.lake import Warehouse

    with Warehouse(home) as warehouse:
        rows = warehouse.query(
            "SELECT v.* EXCLUDE (file_sha256, sheet, row_number) FROM lake.dhis2_validation_rule v "
            "JOIN lake.received_file r USING (file_sha256) "
            "QUALIFY row_number() OVER (PARTITION BY rule_id ORDER BY r.received_at DESC, r.file_name DESC) = 1 ORDER BY rule_id"
        )
    return metadata_of_warehouse(rows.astype(object).where(rows.notna(), "").to_dict("records"))


def element_codes(home: Path) -> dict[str, str]:
    """{code: uid} of the elements and categories that a home received from DHIS2."""
    from tkyt_analysis.warehouse.lake import Warehouse

    with Warehouse(home) as warehouse:
        rows = warehouse.query(
            "SELECT code, element_id AS uid FROM lake.data_element WHERE code <> '' "
            "UNION ALL SELECT code, category_id FROM lake.category WHERE code <> ''"
        )
    return dict(zip(rows["code"], rows["uid"], strict=True))
