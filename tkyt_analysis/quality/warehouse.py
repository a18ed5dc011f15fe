"""The checks on a warehouse: run the rules on what counts in it, store the findings in place of the last ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from tkyt_analysis.access.scopes import visible_units
from tkyt_analysis.catalog import load_entry
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language
from tkyt_analysis.quality.cases.runs import record_run
from tkyt_analysis.quality.lake_context import warehouse_context
from tkyt_analysis.quality.run import all_rules, run_rules
from tkyt_analysis.reference.periods import as_period, months_of
from tkyt_analysis.warehouse.catalogs import has_catalog
from tkyt_analysis.warehouse.lake import Warehouse, create_home
from tkyt_analysis.warehouse.release import NATION

Progress = Callable[[int, int, str], None]


def check(
    home: Path,
    *,
    rules: tuple[str, ...] | None = None,
    scope: str | None = None,
    period: str | None = None,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Run the rules (all, or those named) on a home; a line per rule: rule, title, severity, findings, judged, total,
    not_assessable. Findings of the rules that ran replace their earlier ones, within scope and period.

    scope : a place (unit_id); findings on it and all units below it, a province of 2025 with its old units
    period : findings on periods that lie within this one; what is judged, and how, is the same with and without
    """
    wanted = [load_entry("rules", rule) for rule in rules] if rules else all_rules()
    if has_catalog(home):
        create_home(home)  # a home of an earlier version gets the columns that it lacks
    with Warehouse(home, write=True) as warehouse:
        units, periods = units_of(warehouse, scope), periods_within(warehouse, period)
        with warehouse_context(warehouse, scope=units, periods=periods) as context:
            found = _FoundTable(warehouse)
            coverage = run_rules(context, wanted, found.add, progress=progress)
        _store(warehouse, coverage, [rule.id for rule in wanted], units, periods)
        record_run(warehouse, coverage, wanted, scope=units, periods=periods)
    return summary(coverage, wanted)


def units_of(warehouse: Warehouse, place: str | None) -> frozenset[str] | None:
    """The unit_ids of a place and everything below it; None for all of them. An unknown place is an InputError."""
    if place in (None, NATION):
        return None
    table = warehouse.query("SELECT DISTINCT unit_id, parent_unit_id, province_id FROM lake.organisation_unit")
    found = visible_units(frozenset({str(place)}), table)
    if str(place) not in set(table["unit_id"]):
        raise InputError("error.check_scope", place=place)
    return frozenset(found)


def periods_within(warehouse: Warehouse, asked: str | None) -> frozenset[str] | None:
    """The period_ids that lie within a period, with values or not; None for all of them."""
    if asked is None:
        return None
    window = as_period(asked)
    seen = warehouse.query("SELECT DISTINCT period_id FROM lake.aggregate_value")["period_id"]
    inside = {one for one in seen if window.contains(as_period(one).start) and window.contains(as_period(one).end)}
    return frozenset(inside | {window.period_id} | {month.period_id for month in months_of(window)})


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
        warehouse.con.execute(  # a run of periods that began before those asked for
            f"DELETE FROM lake.finding WHERE {where} AND finding_id IN (SELECT finding_id FROM memory.main.found)",
            parameters,
        )
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
