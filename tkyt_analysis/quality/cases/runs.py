"""What a run of the checks changed: each run is on record, with the findings that are new, gone, back or changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.catalog import catalog_version
from tkyt_analysis.quality.cases.adopting import adopt_error_workbooks
from tkyt_analysis.quality.cases.carrying import carry_decisions, mark_explained
from tkyt_analysis.version import code_version
from tkyt_analysis.workflow.states import event_time, utc_now

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.warehouse.lake import Warehouse

# The last thing known of every finding ever seen.
LAST = """
    SELECT finding_id, max(run_number) AS run_number, arg_max(change, run_number) AS change,
           arg_max_null(value, run_number) AS value, any_value(rule_id) AS rule_id,
           any_value(rule_version) AS rule_version, arg_max(severity, run_number) AS severity,
           arg_max(verdict, run_number) AS verdict,
           any_value(dataset_id) AS dataset_id, any_value(unit_id) AS unit_id, any_value(period_id) AS period_id,
           any_value(element_id) AS element_id, any_value(category_id) AS category_id
    FROM lake.finding_change GROUP BY finding_id
"""
# A finding that a rule no longer has is solved only where the rule was asked again and could judge something.
CHANGES = """
    WITH last AS ({last}),
    now AS (
        SELECT * REPLACE (CASE WHEN isnan(value) THEN NULL ELSE value END AS value) FROM lake.finding
        WHERE rule_id IN (SELECT rule_id FROM tested_rule) AND {inside}
              AND coalesce(verdict, '') NOT IN ('ok', 'not_assessable')
    ),
    missed AS (
        SELECT l.*, CASE WHEN l.rule_version < t.rule_version THEN 'superseded' ELSE 'gone' END AS became
        FROM last l JOIN tested_rule t USING (rule_id)
        WHERE change NOT IN ('gone', 'superseded') AND {inside} AND l.finding_id NOT IN (SELECT finding_id FROM now)
    ),
    seen AS (
        SELECT n.*, CASE WHEN l.finding_id IS NULL THEN 'new' WHEN l.change IN ('gone', 'superseded') THEN 'back'
                         WHEN n.value IS DISTINCT FROM l.value THEN 'changed'
                         WHEN c.finding_id IS NOT NULL THEN 'retested' ELSE 'still' END AS became
        FROM now n LEFT JOIN last l USING (finding_id) LEFT JOIN closed_case c USING (finding_id)
    )
    SELECT finding_id, became AS change, {columns} FROM seen
    UNION ALL BY NAME SELECT finding_id, became AS change, {columns} FROM missed
"""
COLUMNS = "rule_id, rule_version, severity, verdict, dataset_id, unit_id, period_id, element_id, category_id, value"


@dataclass(frozen=True)
class RunDifference:
    """A run against the one before: how many findings are new, gone, back, still there, and there with another value."""

    run_id: str
    run_number: int
    new: int
    gone: int
    back: int
    changed: int
    still: int

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def record_run(
    warehouse: Warehouse,
    coverage: pd.DataFrame,
    rules: Iterable[Rule],
    *,
    scope: frozenset[str] | None = None,
    periods: frozenset[str] | None = None,
) -> RunDifference:
    """Put a finished run on record and say what it changed; call it once its findings stand in `lake.finding`.

    coverage : as `run_rules` returns it; rules : those that ran; scope, periods : what the run was limited to
    Accepted explanations are carried to the findings that they explain: these become notes with verdict `explained`.
    """
    listed = list(rules)
    before = int(warehouse.one("SELECT coalesce(max(run_number), 0) FROM lake.check_run")[0])
    now = event_time(utc_now())
    run_id = hashlib.sha256(f"{before + 1}|{now}".encode()).hexdigest()[:12]
    with warehouse.transaction():
        adopt_error_workbooks(warehouse)
    _offer(warehouse, coverage, listed)
    _make_changes(warehouse, scope, periods)
    counts = dict(warehouse.con.execute("SELECT change, count(*) FROM run_change GROUP BY 1").fetchall())
    still = counts.get("still", 0) + counts.get("retested", 0)
    gone = counts.get("gone", 0) + counts.get("superseded", 0)
    numbers = {name: int(counts.get(name, 0)) for name in ("new", "back", "changed")} | {"gone": gone, "still": still}
    difference = RunDifference(run_id=run_id, run_number=before + 1, **numbers)
    about = _about(warehouse, coverage, listed, now, scope, periods)
    with warehouse.transaction():
        _store(warehouse, difference, about)
        carry_decisions(warehouse, run_id, now)
        mark_explained(warehouse)
        if about["whole"]:
            _store_counts(warehouse, difference)
    _forget(warehouse)
    return difference


def _offer(warehouse: Warehouse, coverage: pd.DataFrame, rules: list[Rule]) -> None:
    """Temporary tables tested_rule (rules that judged something) and closed_case."""
    from tkyt_analysis.quality.cases.table import decided_cases

    judged = set(coverage.loc[coverage["status"] == "ok", "rule_id"])
    tested = pd.DataFrame(
        [(rule.id, rule.version) for rule in rules if rule.id in judged], columns=["rule_id", "rule_version"]
    )
    states = decided_cases(warehouse)
    closed = states.loc[states["state"] == "closed", ["finding_id"]]
    for name, rows in (("tested_rule", tested), ("closed_case", closed)):
        warehouse.con.register("incoming", rows.astype({rows.columns[0]: "str"}))
        warehouse.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM incoming")
        warehouse.con.unregister("incoming")


def _make_changes(warehouse: Warehouse, scope: frozenset[str] | None, periods: frozenset[str] | None) -> None:
    inside = ["true"]
    for column, wanted in (("unit_id", scope), ("period_id", periods)):
        if wanted is not None:
            warehouse.con.register("incoming", pd.DataFrame({column: sorted(wanted)}, dtype="str"))
            warehouse.con.execute(f"CREATE OR REPLACE TEMP TABLE run_{column} AS SELECT {column} FROM incoming")
            warehouse.con.unregister("incoming")
            inside.append(f"({column} IN (SELECT {column} FROM run_{column}) OR {column} = '')")
    sql = CHANGES.format(last=LAST, inside=" AND ".join(inside), columns=COLUMNS)
    warehouse.con.execute(f"CREATE OR REPLACE TEMP TABLE run_change AS {sql}")


def _about(
    warehouse: Warehouse,
    coverage: pd.DataFrame,
    rules: list[Rule],
    now: str,
    scope: frozenset[str] | None,
    periods: frozenset[str] | None,
) -> dict[str, Any]:
    """What the record of a run says beside its counts."""
    from tkyt_analysis.quality.run import all_rules

    everything = {rule.id for rule in all_rules()} <= {rule.id for rule in rules}
    return {
        "run_at": now,
        "snapshot": warehouse.snapshot_id(),
        "code_version": code_version(),
        "catalog_version": catalog_version(),
        "rules": json.dumps([f"{rule.id}@{rule.version}" for rule in rules]),
        "whole": everything and scope is None and periods is None,
        "scope_units": None if scope is None else len(scope),
        "periods": "" if periods is None else " ".join(sorted(periods)),
        "judged": int(coverage["judged"].sum()),
        "total": int(coverage["total"].sum()),
        "findings": int(coverage["findings"].sum()),
    }


NO_ERROR = "'ok', 'not_assessable', 'explained', 'shock'"  # verdicts that are not counted as errors
# Findings of a run by rule and province, and a line without a rule per province with the values received from it.
COUNTS = """
    WITH province AS (
        SELECT unit_id, any_value(coalesce(province_id, '')) AS province_id FROM lake.organisation_unit GROUP BY 1)
    SELECT rule_id, severity, coalesce(p.province_id, '') AS province_id, count(*) AS findings, NULL::BIGINT AS reported_values
    FROM lake.finding LEFT JOIN province p USING (unit_id)
    WHERE coalesce(verdict, '') NOT IN ({no_error}) GROUP BY ALL
    UNION ALL BY NAME
    SELECT '' AS rule_id, '' AS severity, coalesce(p.province_id, '') AS province_id, 0 AS findings,
           sum(v.reported_values)::BIGINT AS reported_values
    FROM (SELECT unit_id, count(*) AS reported_values FROM lake.aggregate_value
          WHERE file_sha256 NOT IN ({replaced}) GROUP BY 1) v LEFT JOIN province p USING (unit_id) GROUP BY ALL
"""


def _store(warehouse: Warehouse, difference: RunDifference, about: dict[str, Any]) -> None:
    con, run = warehouse.con, f"'{difference.run_id}' AS run_id, {difference.run_number} AS run_number"
    con.execute(
        f"INSERT INTO lake.finding_change BY NAME SELECT {run}, '{about['run_at']}' AS run_at, * FROM run_change "
        "WHERE change <> 'still'"
    )
    row = pd.DataFrame([{**difference.as_dict(), **about}])
    con.register("incoming", row.astype({"scope_units": "Int64", "periods": "str"}))
    con.execute("INSERT INTO lake.check_run BY NAME SELECT * FROM incoming")
    con.unregister("incoming")


def _store_counts(warehouse: Warehouse, difference: RunDifference) -> None:
    from tkyt_analysis.warehouse.replaced import replaced_files_sql

    counts = COUNTS.format(replaced=replaced_files_sql(warehouse), no_error=NO_ERROR)
    warehouse.con.execute(
        f"INSERT INTO lake.check_run_count BY NAME SELECT '{difference.run_id}' AS run_id, "
        f"{difference.run_number} AS run_number, * FROM ({counts})"
    )


def _forget(warehouse: Warehouse) -> None:
    for name in ("tested_rule", "closed_case", "run_change", "run_unit_id", "run_period_id"):
        warehouse.con.execute(f"DROP TABLE IF EXISTS temp.{name}")


def latest_runs(warehouse: Warehouse, *, most: int = 10) -> pd.DataFrame:
    """The last runs, the newest first, with their differences."""
    return warehouse.query(
        'SELECT run_id, run_number, run_at, whole, judged, total, findings, "new", gone, back, "changed", still '
        "FROM lake.check_run ORDER BY run_number DESC LIMIT ?",
        [most],
    )
