"""The checks of the core, each under the function name that rules use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tkyt_analysis.quality import duplicates
from tkyt_analysis.quality.checks import CheckResult, TableCheck

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


DUPLICATE_DEATHS = TableCheck(("death",), _duplicate_deaths)
