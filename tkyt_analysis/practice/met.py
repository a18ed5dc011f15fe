"""Which finding meets which planted error: practice data only, rule by rule, whatever the rule claims to look for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.quality.findings import meetings

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule

Query = Callable[[str], pd.DataFrame]
PLACE = ("unit_id", "period_id", "dataset_id", "element_id")
_NOT_ERRORS = "('ok', 'not_assessable', 'shock')"
CARD = ["check", "panel", "kind", "planted", "found", "recall", "precision", "false_alarms_per_1000", "coverage"]


def met_by_rule(query: Query, truth: pd.DataFrame) -> pd.DataFrame:
    """rule_id, finding_id, id, kind: a finding and a planted error at the same place (columns empty on one side meet all).

    truth : of `practice.score.read_truth`. Errors in single records are met by findings on records only.
    """
    findings = query(
        f"SELECT finding_id, rule_id, {', '.join(PLACE)}, fields LIKE '%death_id%' AS of_record FROM lake.finding "
        f"WHERE verdict NOT IN {_NOT_ERRORS}"
    )
    how = read_codelist("defect_kinds").set_index("kind")["match"]
    at_place = truth[~truth["kind"].map(how).isin(["place", "file"])]
    of_places = findings.loc[~findings["of_record"], ["finding_id", *PLACE]].rename(columns={"finding_id": "finding"})
    by_place = meetings(_with_dataset(query, at_place), of_places, PLACE)
    by_record = _by_record(query, truth)
    met = pd.concat([by_place, by_record], ignore_index=True).drop_duplicates()
    met = met.rename(columns={"finding": "finding_id"}).merge(findings[["finding_id", "rule_id"]], on="finding_id")
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


def truth_card_of_practice(query: Query, truth: pd.DataFrame, rules: list[Rule], *, panel: str) -> pd.DataFrame:
    """How good each rule was on practice data: one row per rule and kind of defect that it claims (`Rule.detects`).

    precision : share of the rule's findings at whose place an error of a claimed kind was planted (missing without
    findings; errors of other kinds do not count in its favour); false_alarms_per_1000 : the other findings per 1,000 units of work that it judged; coverage : judged / all
    """
    met = met_by_rule(query, truth)
    findings = query(f"SELECT rule_id, count(*) AS n FROM lake.finding WHERE verdict NOT IN {_NOT_ERRORS} GROUP BY 1")
    count = findings.set_index("rule_id")["n"]
    claimed = pd.DataFrame([(rule.id, kind) for rule in rules for kind in rule.detects], columns=["rule_id", "kind"])
    right = met.merge(claimed, on=["rule_id", "kind"]).groupby("rule_id")["finding_id"].nunique()
    coverage = query("SELECT rule_id, judged, total FROM lake.rule_coverage").set_index("rule_id")
    lines = [
        _line(rule, kind, truth, met, int(count.get(rule.id, 0)), int(right.get(rule.id, 0)), coverage)
        | {"panel": panel}
        for rule in rules
        for kind in rule.detects
    ]
    return pd.DataFrame(lines, columns=CARD)


def _line(
    rule: Rule, kind: str, truth: pd.DataFrame, met: pd.DataFrame, count: int, right: int, coverage: pd.DataFrame
) -> dict[str, Any]:
    planted = int((truth["kind"] == kind).sum())
    found = int(met.loc[(met["rule_id"] == rule.id) & (met["kind"] == kind), "id"].nunique())
    judged, total = coverage.loc[rule.id, ["judged", "total"]] if rule.id in coverage.index else (0, 0)
    return {
        "check": rule.id,
        "kind": kind,
        "planted": planted,
        "found": found,
        "recall": found / planted if planted else float("nan"),
        "precision": right / count if count else float("nan"),
        "false_alarms_per_1000": 1000 * (count - right) / judged if judged else float("nan"),
        "coverage": judged / total if total else 0.0,
    }
