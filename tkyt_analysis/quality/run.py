"""Run the rules of the catalog: findings, and for each rule how much of the data it could judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.modules import load_object, parts
from tkyt_analysis.quality.checks import Check, CheckResult, FormCheck, PanelCheck, TableCheck
from tkyt_analysis.quality.context import CheckContext, context_of_tables
from tkyt_analysis.quality.findings import make_findings, no_findings
from tkyt_analysis.quality.reporting.runs import reaching_into
from tkyt_analysis.quality.workers import Asked, each_judged

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule

COVERAGE_COLUMNS = ["rule_id", "status", "judged", "total", "share_assessable", "findings", "missing_tables"]
Store = Callable[[pd.DataFrame], object]


@dataclass(frozen=True)
class QualityResult:
    """findings : the finding table; coverage : one row per rule (rule_id, status, judged, total,
    share_assessable, findings, missing_tables). A rule whose tables are absent is not_assessable, not passed."""

    findings: pd.DataFrame
    coverage: pd.DataFrame


@cache
def known_checks() -> dict[str, Check]:
    """{function name that rules use: the check}, of every module."""
    return {name: load_object(reference) for name, reference in parts("checks").items()}


def check_of(rule: Rule) -> Check:
    """The check that a rule names: an expression rule's is `expression`."""
    name = rule.function or rule.kind
    checks = known_checks()
    if name not in checks:
        raise InputError("error.rule_function", rule=rule.id, found=name, expected=", ".join(sorted(checks)))
    return checks[name]


def all_rules() -> list[Rule]:
    """The rules of the catalog that a whole run asks; those marked `default: false` are asked where named only."""
    from tkyt_analysis.catalog.loader import load_entries

    return [rule for rule in load_entries("rules").values() if rule.default]


def run_checks(tables: Mapping[str, pd.DataFrame], rules: Iterable[Rule] | None = None) -> QualityResult:
    """Every rule on data frames (see `context_of_tables`); findings in the order of the rules."""
    findings: list[pd.DataFrame] = []
    coverage = run_rules(context_of_tables(tables), all_rules() if rules is None else rules, findings.append)
    found = [part for part in findings if len(part)] or [no_findings()]
    return QualityResult(pd.concat(found, ignore_index=True), coverage)


def run_rules(
    context: CheckContext,
    rules: Iterable[Rule],
    store: Store,
    *,
    progress: Callable[[int, int, str], None] | None = None,
) -> pd.DataFrame:
    """Run rules one after the other; findings go to `store` in blocks. Returns the coverage, one row per rule."""
    listed = list(rules)
    lines: dict[str, _Tally] = {}
    for group in _read_together(listed):
        for rule in group:
            if progress:
                progress(len(lines), len(listed), rule.id)
            lines[rule.id] = _Tally(rule, [name for name in check_of(rule).needs if not context.has(name)])
        able = [rule for rule in group if not lines[rule.id].absent]
        for rule, result in results_together(context, able):
            lines[rule.id].add(result, _asked_for(result.findings, context), store)
    return pd.DataFrame([lines[rule.id].row() for rule in listed], columns=COVERAGE_COLUMNS)


class _Tally:
    """What one rule judged and found so far."""

    def __init__(self, rule: Rule, absent: list[str]) -> None:
        self.rule, self.absent = rule, absent
        self.judged = self.total = self.found = 0

    def add(self, result: CheckResult, inside: pd.DataFrame, store: Store) -> None:
        self.judged, self.total = self.judged + result.judged, self.total + result.total
        self.found += len(inside)
        if len(inside):
            store(inside)

    def row(self) -> list[Any]:
        share = self.judged / self.total if self.total else float("nan")
        status = "ok" if self.judged else "not_assessable"
        return [self.rule.id, status, self.judged, self.total, share, self.found, ", ".join(self.absent)]


def _read_together(rules: list[Rule]) -> list[list[Rule]]:
    """Rules that read the same panels or the same forms, side by side: each of these is read once for all of them."""
    groups: dict[Any, list[Rule]] = {}
    for number, rule in enumerate(rules):
        check = check_of(rule)
        key = number if isinstance(check, TableCheck) else (type(check), check.kinds, _datasets(rule))
        groups.setdefault(key, []).append(rule)
    return list(groups.values())


def _datasets(rule: Rule) -> tuple[str, ...]:
    return tuple(rule.parameters.get("datasets", ()))


def results_of(context: CheckContext, rule: Rule, check: Check) -> Iterator[CheckResult]:
    """The results of one rule with its check, block by block."""
    yield from (result for _, result in results_together(context, [rule], [check]))


def results_together(
    context: CheckContext, rules: list[Rule], checks: list[Check] | None = None
) -> Iterator[tuple[Rule, CheckResult]]:
    """The results of rules that read together, block by block. checks : of the rules, where they are not the catalog's."""
    if not rules:
        return
    checks = checks or [check_of(rule) for rule in rules]
    check = checks[0]
    if isinstance(check, TableCheck):
        answer = check.run(context, rules[0])
        yield from ((rules[0], one) for one in ([answer] if isinstance(answer, CheckResult) else answer))
        return
    blocks = context.panels if isinstance(check, PanelCheck) else context.forms
    judges = [_asked_of(rule, one) for rule, one in zip(rules, checks, strict=True)]
    for block, answers in each_judged(judges, blocks(check.kinds, _datasets(rules[0]))):
        for rule, (rows, judged, total) in zip(rules, answers, strict=True):
            yield rule, CheckResult(findings_of_block(rows, rule, check, block), judged, total)


def _asked_of(rule: Rule, check: Check) -> Asked:
    """The detector of a panel or form rule, and its settings."""
    judge: Any = check.run
    return judge, {name: value for name, value in rule.parameters.items() if name != "datasets"}


def findings_of_block(rows: pd.DataFrame, rule: Rule, check: Check, block: Any) -> pd.DataFrame:
    """The rows that a panel or form check gave, as findings: its subject added, further columns kept as fields."""
    own = {"dataset_id": block.dataset_id}
    if not isinstance(check, FormCheck):
        own |= {"element_id": block.element_id, "category_id": block.category_id}
    rows = rows.assign(**own)
    return make_findings(
        rows, rule_id=rule.id, rule_version=rule.version, severity=rule.severity, fields=_further(rows)
    )


def _further(rows: pd.DataFrame) -> list[str]:
    from tkyt_analysis.quality.findings import FINDING_COLUMNS

    return [name for name in rows.columns if name not in FINDING_COLUMNS]


def _asked_for(findings: pd.DataFrame, context: CheckContext) -> pd.DataFrame:
    """Findings on the units and periods that were asked for; one without a unit or period belongs to all, one about a
    run of periods to each of them."""
    if context.scope is not None:
        findings = findings[findings["unit_id"].isin(context.scope) | (findings["unit_id"] == "")]
    if context.periods is not None:
        findings = findings[reaching_into(findings, context.periods)]
    return findings
