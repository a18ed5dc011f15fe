"""The checks on a warehouse: run the rules on what counts in it, store the findings in place of the last ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from tkyt_analysis.catalog import load_entry
from tkyt_analysis.labels import current_language
from tkyt_analysis.quality.lake_context import warehouse_context
from tkyt_analysis.quality.run import all_rules, run_rules
from tkyt_analysis.warehouse.catalogs import has_catalog
from tkyt_analysis.warehouse.lake import Warehouse, create_home

Progress = Callable[[int, int, str], None]


def check(
    home: Path,
    *,
    rules: tuple[str, ...] | None = None,
    scope: frozenset[str] | None = None,
    periods: frozenset[str] | None = None,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Run the rules (all, or those named) on a home; a line per rule: rule, title, severity, findings, judged, total,
    not_assessable. Findings of the rules that ran replace their earlier ones, within scope and periods."""
    wanted = [load_entry("rules", rule) for rule in rules] if rules else all_rules()
    if has_catalog(home):
        create_home(home)  # a home of an earlier version gets the columns that it lacks
    with Warehouse(home, write=True) as warehouse:
        with warehouse_context(warehouse, scope=scope, periods=periods) as context:
            found = _FoundTable(warehouse)
            coverage = run_rules(context, wanted, found.add, progress=progress)
        _store(warehouse, coverage, [rule.id for rule in wanted], scope, periods)
    return summary(coverage, wanted)


class _FoundTable:
    """Findings of this run, block by block, in the connection's own database, which outlives the scratch file and may spill."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.con = warehouse.con
        self.con.execute("CREATE OR REPLACE TABLE memory.main.found AS SELECT * FROM lake.finding LIMIT 0")

    def add(self, findings: pd.DataFrame) -> None:
        self.con.register("incoming", findings)
        self.con.execute("INSERT INTO memory.main.found BY NAME SELECT * FROM incoming")
        self.con.unregister("incoming")


def _store(
    warehouse: Warehouse,
    coverage: pd.DataFrame,
    rules: list[str],
    scope: frozenset[str] | None,
    periods: frozenset[str] | None,
) -> None:
    """Replace the findings and the coverage of these rules, in one transaction."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    lines = coverage.drop(columns="share_assessable").assign(checked_at=now)
    where, parameters = "rule_id IN (SELECT unnest(?))", [rules]
    inside, within = where, list[Any](parameters)
    for column, wanted in (("unit_id", scope), ("period_id", periods)):
        if wanted is not None:
            inside += f" AND ({column} IN (SELECT unnest(?)) OR {column} = '')"
            within.append(sorted(wanted))
    with warehouse.transaction():
        warehouse.con.execute(f"DELETE FROM lake.finding WHERE {inside}", within)
        warehouse.con.execute("INSERT INTO lake.finding BY NAME SELECT * FROM memory.main.found")
        if scope is None and periods is None:  # how much a rule can judge is known from whole runs only
            warehouse.con.execute(f"DELETE FROM lake.rule_coverage WHERE {where}", parameters)
            warehouse.con.register("incoming", lines)
            warehouse.con.execute("INSERT INTO lake.rule_coverage BY NAME SELECT * FROM incoming")
            warehouse.con.unregister("incoming")
    warehouse.con.execute("DROP TABLE memory.main.found")


def summary(coverage: pd.DataFrame, rules: list[Any]) -> list[dict[str, Any]]:
    """A line per rule for people and machines."""
    lines = coverage.set_index("rule_id")
    return [
        {
            "rule": rule.id,
            "title": rule.title[current_language()],
            "severity": rule.severity,
            "findings": int(lines.loc[rule.id, "findings"]),
            "judged": int(lines.loc[rule.id, "judged"]),
            "total": int(lines.loc[rule.id, "total"]),
            "not_assessable": int(lines.loc[rule.id, "total"] - lines.loc[rule.id, "judged"]),
        }
        for rule in rules
    ]
