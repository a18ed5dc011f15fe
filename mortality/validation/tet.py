"""Deaths written on the first day of Tết, or kept away from its days: a note on a commune or province, not an error of a record.

Families remember deaths by the holiday, and clerks do not write during it. Of the deaths within WINDOW days of the first day of the
lunar year, the days are taken to be alike; how many fall on the first day, or on the first three, is judged by the binomial distribution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mortality.quality.funnel import flagged_at
from mortality.quality.records import death_records
from tkyt_analysis.quality.checks import CheckResult, TableCheck
from tkyt_analysis.quality.findings import make_findings, no_findings

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext

WINDOW, HOLIDAY = 14, 3


def check_tet(context: CheckContext, rule: Rule) -> CheckResult:
    """Communes and provinces with too many deaths on the first day of Tết, or hardly any on its first three days.

    parameters: least (deaths within the window, below which nothing is judged), false_discovery
    """
    death_records(context)
    rows = _counts(context)
    if rows.empty:
        return CheckResult(no_findings(), 0, 0)
    least = int(rule.parameters.get("least", 5))
    assessable = rows["near"] >= least
    tail = pd.Series(np.where(assessable, _tails(rows), 1.0), index=rows.index)
    flagged = flagged_at(tail.to_numpy(), float(rule.parameters.get("false_discovery", 0.05))) & assessable.to_numpy()
    onto = rows["first"] > rows["near"] / (2 * WINDOW + 1)
    rows = rows.assign(
        dataset_id="death",
        value=np.where(onto, rows["first"], rows["holiday"]),
        expected=(rows["near"] * np.where(onto, 1, HOLIDAY) / (2 * WINDOW + 1)).round(1),
        verdict="inconsistent",
        explanation="heaped",
        probability=0.5,
        at_stake=rows["near"],
    )
    findings = make_findings(
        rows[flagged], rule_id=rule.id, rule_version=rule.version, severity=rule.severity, fields=["near"]
    )
    return CheckResult(findings, int(assessable.sum()), len(rows))


def _counts(context: CheckContext) -> pd.DataFrame:
    """unit_id, period_id (the year), near (deaths of the window), holiday (first three days), first (the first day)."""
    from mortality.register_dates import lunar_to_solar

    years = context.query(
        "SELECT DISTINCT year(death_date) AS y FROM death_record WHERE death_date IS NOT NULL ORDER BY 1"
    )["y"]
    days = [(int(y), lunar_to_solar(1, 1, int(y))) for y in years]
    tet = pd.DataFrame([(str(y), pd.Timestamp(day)) for y, day in days if day], columns=["period_id", "tet"])
    if tet.empty:
        return tet
    context.con.register("incoming", tet)
    counted = context.query(
        f"""
        SELECT unit_id, period_id, count(*) AS near, count(*) FILTER (apart BETWEEN 0 AND {HOLIDAY - 1}) AS holiday,
               count(*) FILTER (apart = 0) AS first
        FROM (SELECT unnest(list_distinct([r.unit_id, r.province_2025])) AS unit_id, t.period_id, r.death_date - CAST(t.tet AS DATE) AS apart
              FROM death_record r JOIN incoming t ON abs(r.death_date - CAST(t.tet AS DATE)) <= {WINDOW} WHERE r.source = 'a6')
        WHERE coalesce(unit_id, '') <> '' GROUP BY ALL ORDER BY ALL
        """
    )
    context.con.unregister("incoming")
    return counted


def _tails(rows: pd.DataFrame) -> np.ndarray:
    """The smaller of two chances, doubled: so many on the first day; so few on the first three."""
    from scipy.stats import binom

    days = 2 * WINDOW + 1
    many = binom.sf(rows["first"] - 1, rows["near"], 1 / days)
    few = binom.cdf(rows["holiday"], rows["near"], HOLIDAY / days)
    return np.minimum(1, 2 * np.minimum(many, few))


TET = TableCheck(("death",), check_tet)
