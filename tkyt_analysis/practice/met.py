"""Which finding meets which planted error: practice data only, rule by rule, whatever the rule claims to look for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.quality.findings import meetings
from tkyt_analysis.quality.reporting.runs import every_period

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule

Query = Callable[[str], pd.DataFrame]
PLACE = ("unit_id", "period_id", "dataset_id", "element_id")
_NOT_ERRORS = "('ok', 'not_assessable', 'shock')"
COUNTS = ["planted", "found", "findings", "right", "judged", "total"]


def met_by_rule(query: Query, truth: pd.DataFrame) -> pd.DataFrame:
    """rule_id, finding_id, id, kind: a finding and a planted error at the same place (columns empty on one side meet all).

    truth : of `practice.score.read_truth`. Errors in single records are met by findings on records only.
    """
    findings = query(
        f"SELECT finding_id, rule_id, {', '.join(PLACE)}, fields, fields LIKE '%death_id%' AS of_record FROM lake.finding "
        f"WHERE verdict NOT IN {_NOT_ERRORS}"
    )
    findings = every_period(findings)  # one about a run of periods stands at each of them
    how = read_codelist("defect_kinds").set_index("kind")["match"]
    at_place = truth[~truth["kind"].map(how).isin(["place", "file"])]
    of_places = findings.loc[~findings["of_record"], ["finding_id", *PLACE]].rename(columns={"finding_id": "finding"})
    by_place = meetings(_with_dataset(query, at_place), of_places, PLACE)
    by_record = _by_record(query, truth)
    met = pd.concat([by_place, by_record], ignore_index=True).drop_duplicates()
    rules = findings[["finding_id", "rule_id"]].drop_duplicates()
    met = met.rename(columns={"finding": "finding_id"}).merge(rules, on="finding_id")
    return met.merge(truth[["id", "kind"]], on="id")[["rule_id", "finding_id", "id", "kind"]]


def _with_dataset(query: Query, truth: pd.DataFrame) -> pd.DataFrame:
    """The planted errors with the data set that their element belongs to; one on a whole report has no element."""
    elements = query("SELECT element_id, any_value(dataset_id) AS dataset_id FROM lake.data_element GROUP BY 1")
    rows = truth[["id", "unit_id", "period_id", "element_id"]].merge(elements, on="element_id", how="left")
    whole = ~rows["element_id"].isin(elements["element_id"]) & ~rows["element_id"].str.contains("/", regex=False)
    known = set(query("SELECT DISTINCT dataset_id FROM lake.data_set_assignment")["dataset_id"])
    whole &= rows["element_id"].isin(known)
    rows["dataset_id"] = rows["dataset_id"].mask(whole, rows["element_id"])
    rows["element_id"] = rows["element_id"].mask(whole, "")
    rows["period_id"] = rows["period_id"].mask(rows["period_id"].str.len() == 4, "")  # a whole year: any of its periods
    return rows.fillna("").astype("str")[["id", *PLACE]]


def _by_record(query: Query, truth: pd.DataFrame) -> pd.DataFrame:
    """Findings on single deaths meet what was planted in the rows where these deaths stood."""
    places = query(
        """
        SELECT DISTINCT x.finding_id AS finding, r.file_name, d.row_number FROM lake.finding x
        JOIN lake.death d ON d.death_id IN (json_extract_string(x.fields, '$.death_id'), json_extract_string(x.fields, '$.same_as'))
        JOIN lake.received_file r ON r.file_sha256 = d.file_sha256 WHERE x.fields LIKE '%death_id%'
        """
    )
    return truth[["id", "file_name", "row_number"]].merge(places, on=["file_name", "row_number"])[["id", "finding"]]


def score_rules(query: Query, truth: pd.DataFrame, rules: list[Rule]) -> pd.DataFrame:
    """How each rule did on one practice warehouse: one row per rule and kind of defect that it claims (`Rule.detects`).

    COUNTS: planted and found errors of the kind; findings of the rule, right: those at whose place an error of a kind
    that it claims was planted (errors of other kinds do not count in its favour); judged, total: units of work
    """
    met = met_by_rule(query, truth)
    findings = query(f"SELECT rule_id, count(*) AS n FROM lake.finding WHERE verdict NOT IN {_NOT_ERRORS} GROUP BY 1")
    claimed = pd.DataFrame([(rule.id, kind) for rule in rules for kind in rule.detects], columns=["check", "kind"])
    claims = met.rename(columns={"rule_id": "check"}).merge(claimed, on=["check", "kind"])
    found = claims.groupby(["check", "kind"])["id"].nunique().rename("found").reset_index()
    right = claims.groupby("check")["finding_id"].nunique().rename("right").reset_index()
    count = findings.rename(columns={"rule_id": "check", "n": "findings"})
    coverage = query('SELECT rule_id AS "check", judged, total FROM lake.rule_coverage')
    planted = truth.groupby("kind").size().rename("planted").reset_index()
    table = claimed.merge(planted, on="kind", how="left").merge(found, on=["check", "kind"], how="left")
    for more in (count, right, coverage):
        table = table.merge(more, on="check", how="left")
    return table.fillna(0).astype(dict.fromkeys(COUNTS, int))[["check", "kind", *COUNTS]]


def as_card(scores: pd.DataFrame, *, panel: str, seeds: str) -> pd.DataFrame:
    """The scores of one or several practice warehouses, added up, as rows of the truth card.

    recall = found / planted; precision = right / findings; false_alarms_per_1000 = 1,000 × (findings − right) / judged;
    coverage = judged / total; missing where the divisor is 0. Kinds that were never planted are left out.
    """
    sums = scores.groupby(["check", "kind"], as_index=False)[COUNTS].sum()
    sums = sums[sums["planted"] > 0].reset_index(drop=True)
    return pd.DataFrame(
        {
            "check": sums["check"],
            "panel": panel,
            "kind": sums["kind"],
            "planted": sums["planted"],
            "found": sums["found"],
            "recall": sums["found"] / sums["planted"],
            "precision": sums["right"] / sums["findings"].where(sums["findings"] > 0),
            "false_alarms_per_1000": 1000
            * (sums["findings"] - sums["right"])
            / sums["judged"].where(sums["judged"] > 0),
            "coverage": sums["judged"] / sums["total"].where(sums["total"] > 0),
            "seeds": seeds,
        }
    )
