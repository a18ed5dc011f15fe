"""Persons on one list and not on another: deaths that the book lacks, and patients taken home dying of whom no list knows more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mortality.quality.records import death_records
from tkyt_analysis.quality.checks import CheckResult, TableCheck
from tkyt_analysis.quality.findings import make_findings

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext

# The book of a commune and year is there where it holds a record; only then can a death be missing from it.
NOT_IN_BOOK = """
    SELECT 'death' AS dataset_id, r.home AS unit_id, r.period_id, r.death_id, r.source, 'missing' AS verdict, {certainty} AS probability,
           1 AS at_stake, coalesce(array_to_string(s.sources, ' '), r.source) AS sources
    FROM death_record r LEFT JOIN {match} m ON m.record_id = r.death_id
    LEFT JOIN (SELECT person_id, list_sort(list(DISTINCT source)) AS sources FROM {match} GROUP BY 1) s ON s.person_id = m.person_id
    WHERE r.source IN ('civil_registration', 'death_notice', 'certificate') AND r.death_date IS NOT NULL
      AND NOT coalesce(list_contains(s.sources, 'a6'), false)
      AND EXISTS (SELECT 1 FROM death_record b WHERE b.source = 'a6' AND b.home_2025 = r.home_2025 AND left(b.period_id, 4) = left(r.period_id, 4))
    QUALIFY row_number() OVER (PARTITION BY coalesce(m.person_id, r.death_id) ORDER BY r.source, r.death_id) = 1
    ORDER BY unit_id, period_id, death_id
"""
TAKEN_HOME = """
    SELECT 'sent_home_dying' AS dataset_id, coalesce(h.residence_unit_id, h.unit_id) AS unit_id, strftime(h.discharge_date, '%Y%m') AS period_id,
           h.event_id, 'missing' AS verdict, 0.5 AS probability, 1 AS at_stake
    FROM sent_home_dying h LEFT JOIN death_match m ON m.record_id = h.event_id
    WHERE coalesce(h.discharge_state, 'sent_home_dying') = 'sent_home_dying' AND m.person_id IS NULL
    ORDER BY unit_id, period_id, event_id
"""


def check_not_in_book(context: CheckContext, rule: Rule) -> CheckResult:
    """Deaths that civil registration or a hospital reported and the book of the commune lacks: one finding per person.

    Judged are the persons on those lists; not assessable where records were never matched (`death_match`).
    """
    death_records(context)
    total = _count(
        context, "source IN ('civil_registration', 'death_notice', 'certificate') AND death_date IS NOT NULL"
    )
    rows = context.query(
        NOT_IN_BOOK.format(match="death_match", certainty="CASE WHEN len(s.sources) > 1 THEN 0.95 ELSE 0.8 END")
    )
    findings = make_findings(
        rows,
        rule_id=rule.id,
        rule_version=rule.version,
        severity=rule.severity,
        fields=["death_id", "source", "sources"],
        subject="death_id",
    )
    return CheckResult(findings, total, total)


def check_taken_home(context: CheckContext, rule: Rule) -> CheckResult:
    """Patients taken home dying of whom no list of deaths knows: they died unregistered, or they recovered."""
    rows = context.query(TAKEN_HOME)
    (total,) = context.query("SELECT count(*) AS n FROM sent_home_dying")["n"]
    findings = make_findings(
        rows,
        rule_id=rule.id,
        rule_version=rule.version,
        severity=rule.severity,
        fields=["event_id"],
        subject="event_id",
    )
    return CheckResult(findings, int(total), int(total))


def _count(context: CheckContext, condition: str) -> int:
    (n,) = context.query(f"SELECT count(*) AS n FROM death_record WHERE {condition}")["n"]
    return int(n)


NOT_IN_BOOK_CHECK = TableCheck(("death", "death_match"), check_not_in_book)
TAKEN_HOME_CHECK = TableCheck(("sent_home_dying", "death_match"), check_taken_home)
