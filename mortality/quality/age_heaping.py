"""Preference for digits in the ages of the dead, per commune and province, with the interval that chance leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mortality.measures.age_quality import bachi, myers, spoorenberg, whipple
from mortality.quality.records import death_records
from tkyt_analysis.quality.checks import CheckResult, TableCheck
from tkyt_analysis.quality.findings import make_findings

if TYPE_CHECKING:
    import numpy.typing as npt

    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext

OLDEST = 110


def whipple_limits(counts: npt.ArrayLike, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Wilson limits of Whipple's index (25–60, digits 0 and 5): its share of one in five is a binomial share."""
    from tkyt_analysis.analysis.rates import wilson_limits

    table = np.asarray(counts, dtype=float)
    index = whipple(table)
    base = pd.Series(np.atleast_1d(index.events))
    events = pd.Series(np.atleast_1d(np.nan_to_num(index.value))) / 500 * base
    limits = wilson_limits(events, base, confidence)
    return 500 * limits["lower"].to_numpy(), 500 * limits["upper"].to_numpy()


def ages_of_unit(context: CheckContext, source: str) -> pd.DataFrame:
    """unit_id, age, deaths of records whose age was written or counted from years, per commune and province of 2025."""
    death_records(context)
    return context.query(
        f"""
        WITH one AS (SELECT home_2025 AS commune, province_2025 AS province, CAST(floor(age_years) AS INTEGER) AS age FROM death_record
            WHERE source = ? AND age_years BETWEEN 0 AND {OLDEST} AND birth_kind <> 'date')
        SELECT unit_id, age, count(*) AS deaths FROM (SELECT unnest([commune, province]) AS unit_id, age FROM one)
        GROUP BY unit_id, age ORDER BY unit_id, age
        """,
        [source],
    )


def heaping_table(ages: pd.DataFrame, *, minimum: int) -> pd.DataFrame:
    """unit_id, whipple, lower, upper, myers, bachi, spoorenberg, events, status, reason: one row per unit."""
    counts = (
        ages.pivot_table(index="unit_id", columns="age", values="deaths", aggfunc="sum", fill_value=0)
        .reindex(columns=range(OLDEST + 1), fill_value=0)
        .sort_index()
    )
    table = counts.to_numpy(dtype=float)
    index = whipple(table, minimum=minimum)
    lower, upper = whipple_limits(table) if len(table) else (np.array([]), np.array([]))
    others = {"myers": myers(table), "bachi": bachi(table), "spoorenberg": spoorenberg(table)} if len(table) else {}
    return pd.DataFrame(
        {
            "unit_id": counts.index,
            "whipple": index.value,
            "lower": lower,
            "upper": upper,
            **{name: np.where(index.status == "ok", one.value, np.nan) for name, one in others.items()},
            "events": index.events,
            "status": index.status,
            "reason": index.reason,
        }
    )


def check_heaping(context: CheckContext, rule: Rule) -> CheckResult:
    """Units whose Whipple index lies above the threshold with its whole interval.

    Full dates of birth are left out: they cannot heap on an age. parameters: threshold (index), minimum events, source
    """
    ages = ages_of_unit(context, str(rule.parameters.get("source", "a6")))
    rows = heaping_table(ages, minimum=int(rule.parameters.get("minimum", 100)))
    ok = rows["status"] == "ok"
    found = rows[ok & (rows["lower"] > float(rule.parameters.get("threshold", 105)))]
    found = found.assign(
        dataset_id="death",
        value=found["whipple"].round(1),
        expected=100.0,
        verdict="error_high",
        explanation="heaped",
        probability=0.9,
        at_stake=found["events"] * (found["whipple"] - 100) / 500,
        myers=found["myers"].round(1) if "myers" in found else np.nan,
    )
    findings = make_findings(
        found, rule_id=rule.id, rule_version=rule.version, severity=rule.severity, fields=["events", "myers"]
    )
    return CheckResult(findings, int(ok.sum()), len(rows))


HEAPING = TableCheck(("death",), check_heaping)
