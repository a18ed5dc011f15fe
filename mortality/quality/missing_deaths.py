"""Deaths that the book seems to lack by age: infants and the old, against what the population of the place would lose.

Expected deaths are persons × the rate of a published schedule (the code list names it): a place may really have fewer, so
the finding is a question. A cell with too few expected deaths is not assessable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mortality.quality.funnel import flagged_at
from mortality.quality.places import unit_places
from mortality.quality.records import death_records
from tkyt_analysis.quality.checks import CheckResult, TableCheck
from tkyt_analysis.quality.findings import make_findings, no_findings

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext

GROUPS = {"under_1": ("0",), "over_80": ("80-84", "85+")}
_AGES = {"under_1": "r.age_years < 1", "over_80": "r.age_years >= 80"}


def expected_in_group(context: CheckContext, group: str) -> pd.DataFrame:
    """unit_id (communes of 2025), year, expected deaths and the months that the year's population stands for."""
    from tkyt_analysis.catalog import read_codelist
    from tkyt_analysis.reference.geography import crosswalk

    links = crosswalk()
    default = links[links["is_default"]].drop_duplicates("old_unit_id").set_index("old_unit_id")["new_unit_id"]
    people = context.query(
        "SELECT unit_id, year, sex, age_group, any_value(persons) AS persons FROM population "
        "WHERE unit_id LIKE 'VN20__:_____' AND sex IN ('male', 'female') AND age_group IN (SELECT unnest(?)) GROUP BY ALL",
        [list(GROUPS[group])],
    )
    people = people.assign(own=people["unit_id"].str.startswith("VN2025"))
    people["unit_id"] = people["unit_id"].map(default).fillna(people["unit_id"])
    has_own = people.groupby(["unit_id", "year"])["own"].transform("any")
    people = people[people["own"] | ~has_own]
    rates = read_codelist("practice_death_rates").astype({"year_from": int, "year_to": int, "deaths_per_1000": float})
    rated = people.merge(rates, on=["sex", "age_group"])
    rated = rated[(rated["year"] >= rated["year_from"]) & (rated["year"] <= rated["year_to"])]
    rated = rated.assign(expected=rated["persons"] * rated["deaths_per_1000"] / 1000)
    return rated.groupby(["unit_id", "year"], as_index=False)["expected"].sum()


def counted_in_group(context: CheckContext, group: str, source: str) -> pd.DataFrame:
    """unit_id (communes of 2025), year, deaths in the group, each person of the source once; months with any record."""
    death_records(context)
    return context.query(
        f"""
        SELECT home_2025 AS unit_id, CAST(left(period_id, 4) AS INTEGER) AS year, count(*) FILTER ({_AGES[group]}) AS deaths,
               count(DISTINCT period_id) AS months FROM
            (SELECT * FROM death_record WHERE source = ? AND period_id <> ''
             QUALIFY person_key IS NULL OR row_number() OVER (PARTITION BY person_key ORDER BY death_id) = 1) r
        GROUP BY ALL ORDER BY ALL
        """,
        [source],
    )


def missing_table(
    context: CheckContext, group: str, *, source: str, minimum: float, tolerance: float = 1.0
) -> pd.DataFrame:
    """unit_id, year, deaths, expected (times `tolerance`), p (that chance gives so few), assessable; communes and provinces."""
    from scipy.stats import poisson

    joined = counted_in_group(context, group, source).merge(expected_in_group(context, group), on=["unit_id", "year"])
    joined["expected"] = tolerance * joined["expected"]
    province = unit_places().set_index("unit_id")["province_2025"]
    levels = [joined, joined.assign(unit_id=joined["unit_id"].map(province).fillna(""))]
    rows = pd.concat([one.assign(level=level) for level, one in enumerate(levels)])
    rows = rows.groupby(["level", "unit_id", "year"], as_index=False)[["deaths", "expected"]].sum()
    assessable = rows["expected"] >= minimum
    p = np.where(assessable, poisson.cdf(rows["deaths"], rows["expected"]), np.nan)
    return rows.assign(assessable=assessable, p=p)


def check_missing(context: CheckContext, rule: Rule) -> CheckResult:
    """Places and years with fewer deaths of an age than chance explains.

    parameters: group, source, minimum (expected deaths), tolerance (share of the expected below which a place is asked),
    false_discovery
    """
    from scipy.stats import poisson

    group = str(rule.parameters.get("group", "under_1"))
    rows = missing_table(
        context,
        group,
        source=str(rule.parameters.get("source", "a6")),
        minimum=float(rule.parameters.get("minimum", 3)),
        tolerance=float(rule.parameters.get("tolerance", 1.0)),
    )
    if rows.empty:
        return CheckResult(no_findings(), 0, 0)
    flagged = np.zeros(len(rows), dtype=bool)
    for level in rows["level"].unique():  # provinces do not pay for the many communes
        own = (rows["level"] == level).to_numpy()
        flagged[own] = flagged_at(rows.loc[own, "p"], float(rule.parameters.get("false_discovery", 0.05)))
    found = rows[flagged].assign(
        dataset_id="death",
        period_id=lambda one: one["year"].astype("str"),
        value=lambda one: one["deaths"],
        lower=lambda one: poisson.ppf(0.025, one["expected"]),
        upper=lambda one: poisson.ppf(0.975, one["expected"]),
        verdict="error_low",
        probability=lambda one: (1 - one["p"]).round(3),
        at_stake=lambda one: (one["expected"] - one["deaths"]).round(1),
        group=group,
    )
    found["expected"] = found["expected"].round(1)
    findings = make_findings(
        found, rule_id=rule.id, rule_version=rule.version, severity=rule.severity, fields=["group"]
    )
    return CheckResult(findings, int(rows["assessable"].sum()), len(rows))


MISSING = TableCheck(("death", "population"), check_missing)
