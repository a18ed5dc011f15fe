"""Helpers of the tests of cases: a home whose findings the test draws, as if a check had found them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from support import rule_like

from tkyt_analysis.quality.cases.runs import RunDifference, record_run
from tkyt_analysis.quality.findings import make_findings
from tkyt_analysis.warehouse.lake import Warehouse

RULE = "outlier_count"
COMMUNES = ("VN2024:21115", "VN2024:21121", "VN2024:21127")
PROVINCE = "VN2025:51"


def finding(unit=COMMUNES[0], period="202405", value=140.0, **more):
    """One value of one commune and month that is far from 14."""
    return {
        "unit_id": unit, "period_id": period, "dataset_id": "tcBJlqphMFU", "element_id": "DsTVajRIZkv", "value": value,
        "expected": 14.0, "lower": 8.0, "upper": 21.0, "verdict": "error_high", "at_stake": None if value is None else abs(value - 14),
    } | more  # fmt: skip


def checked(home: Path, *rows, version=1, rule=RULE, judged=100, scope=None, severity="warning") -> RunDifference:
    """A run of one rule that finds exactly these rows (within its scope)."""
    columns = list(finding())
    found = make_findings(
        pd.DataFrame(list(rows), columns=None if rows else columns),
        rule_id=rule,
        rule_version=version,
        severity=severity,
    )
    coverage = pd.DataFrame(
        [(rule, "ok" if judged else "not_assessable", judged, 100, len(found))],
        columns=["rule_id", "status", "judged", "total", "findings"],
    )
    inside = "" if scope is None else f" AND unit_id IN ({', '.join(repr(unit) for unit in scope)})"
    with Warehouse(home, write=True) as warehouse:
        with warehouse.transaction():
            warehouse.con.execute(f"DELETE FROM lake.finding WHERE rule_id = '{rule}'{inside}")
            warehouse.con.register("drawn", found)
            warehouse.con.execute("INSERT INTO lake.finding BY NAME SELECT * FROM drawn")
        units = None if scope is None else frozenset(scope)
        return record_run(warehouse, coverage, [rule_like(id=rule, version=version)], scope=units)


def query(home: Path, sql: str) -> pd.DataFrame:
    with Warehouse(home) as warehouse:
        return warehouse.query(sql)


def forget(home: Path) -> None:
    """Take away all findings, runs and cases."""
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        for name in (
            "finding",
            "finding_change",
            "case_event",
            "check_run",
            "check_run_count",
            "question",
            "question_answer",
        ):
            warehouse.con.execute(f"DELETE FROM lake.{name}")
