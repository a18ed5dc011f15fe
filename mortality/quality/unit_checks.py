"""Shares per commune and year: ill-defined causes, birth dates, codes, late and batched registration; judged in a funnel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mortality.quality.cause_tests import prepare_useless
from mortality.quality.funnel import flagged_at, funnel
from mortality.quality.records import death_records
from tkyt_analysis.errors import InputError
from tkyt_analysis.quality.checks import CheckResult, TableCheck
from tkyt_analysis.quality.findings import make_findings, no_findings

if TYPE_CHECKING:
    import pandas as pd

    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext

_USELESS = "LEFT JOIN useless_code u ON u.code = r.code"
_LAG = "(r.registered_on - r.death_date)"
# name: (what is counted, of which records, joins)
SHARES = {
    "ill_defined": ("u.item IN ('SENILITY', 'ILL_DEFINED')", "r.code <> ''", _USELESS),
    "senility": ("u.item = 'SENILITY'", "r.code <> ''", _USELESS),
    "says_little": ("u.item IS NOT NULL", "r.code <> ''", _USELESS),
    "year_only": ("r.birth_kind = 'year'", "r.birth_kind <> 'none' AND r.identified", ""),
    "new_year_birth": ("r.new_year_birth", "r.birth_kind = 'date'", ""),
    "code_missing": ("coalesce(r.icd10_as_written, '') = ''", "coalesce(r.cause_text, '') <> ''", ""),
    "sex_missing": ("r.sex NOT IN ('male', 'female')", "true", ""),
    "registered_in_december": ("month(r.registered_on) = 12", "r.registered_on IS NOT NULL", ""),
    "registered_late": (f"{_LAG} > {{days}}", "r.registered_on IS NOT NULL AND r.death_date IS NOT NULL", ""),
}


def check_share(context: CheckContext, rule: Rule) -> CheckResult:
    """Communes and years in which a share of the records is larger than the other communes' and chance explain.

    parameters: share (a name of SHARES), source, minimum records, false_discovery, further ones that the share names
    """
    given = dict(rule.parameters)
    name = str(given.get("share", ""))
    if name not in SHARES:
        raise InputError("error.death_share_unknown", rule=rule.id, found=name, expected=", ".join(sorted(SHARES)))
    event, record, joins = (part.format(**given) for part in SHARES[name])
    death_records(context)
    if joins:
        prepare_useless(context)
    rows = context.query(
        f"""
        SELECT r.unit_id, left(r.period_id, 4) AS period_id, count(*) FILTER ({event}) AS events, count(*) AS records
        FROM death_record r {joins} WHERE ({record}) AND r.period_id <> '' AND r.source = ? GROUP BY ALL ORDER BY ALL
        """,
        [given.get("source", "a6")],
    )
    if rows.empty:
        return CheckResult(no_findings(), 0, 0)
    found = funnel(
        rows["events"],
        rows["records"],
        minimum=int(given.get("minimum", 20)),
        false_discovery=float(given.get("false_discovery", 0.05)),
    )
    rows = rows.assign(
        dataset_id="death",
        value=(100 * found.share).round(1),
        expected=(100 * found.expected).round(1),
        lower=(100 * found.lower).round(1),
        upper=(100 * found.upper).round(1),
        verdict="error_high",
        probability=np.round(1 - np.minimum(found.p, 1), 3),
        at_stake=np.maximum(rows["events"] - found.expected * rows["records"], 0).round(1),
    )
    return CheckResult(_findings(rows[found.flagged], rule, name), int(found.assessable.sum()), len(rows))


def check_same_day(context: CheckContext, rule: Rule) -> CheckResult:
    """Communes and years in which more records were registered on one day than chance brings together.

    Registrations are taken to spread over the working days of the year; the chance that any day holds so many is found by
    the Poisson distribution. parameters: least records on the day, false_discovery
    """
    from scipy.stats import poisson

    death_records(context)
    rows = context.query(
        """
        SELECT unit_id, period_id, arg_max(source, same) AS source, max(same) AS value, sum(same) AS records, count(*) AS days
        FROM (SELECT unit_id, source, strftime(registered_on, '%Y') AS period_id, registered_on, count(*) AS same
              FROM death_record WHERE registered_on IS NOT NULL GROUP BY ALL)
        GROUP BY unit_id, period_id ORDER BY ALL
        """
    )
    if rows.empty:
        return CheckResult(no_findings(), 0, 0)
    per_day = rows["records"] / 250
    tail = np.minimum(1, 250 * poisson.sf(rows["value"] - 1, per_day))
    least = int(rule.parameters.get("least", 5))
    flagged = flagged_at(tail, float(rule.parameters.get("false_discovery", 0.05))) & (rows["value"] >= least)
    rows = rows.assign(
        dataset_id="death",
        expected=per_day.round(2),
        upper=poisson.ppf(1 - 0.05 / 250, per_day),
        verdict="error_high",
        explanation="entered_in_batch",
        probability=np.round(1 - tail, 3),
        at_stake=rows["value"],
    )
    assessable = int((rows["records"] >= least).sum())
    return CheckResult(_findings(rows[flagged.to_numpy()], rule, "same_day"), assessable, len(rows))


def _findings(rows: pd.DataFrame, rule: Rule, what: str) -> pd.DataFrame:
    return make_findings(
        rows.assign(what=what),
        rule_id=rule.id,
        rule_version=rule.version,
        severity=rule.severity,
        fields=[name for name in ("what", "events", "records", "source") if name in rows.columns or name == "what"],
    )


SHARE = TableCheck(("death",), check_share)
SAME_DAY = TableCheck(("death",), check_same_day)
