"""The checks on a warehouse: read its tables, run the rules, store the findings in place of the last ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from tkyt_analysis.catalog import load_entries, load_entry
from tkyt_analysis.catalog.expressions import names_in
from tkyt_analysis.labels import current_language
from tkyt_analysis.quality.run import QualityResult, run_checks
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.replaced import replaced_files_sql

Progress = Callable[[int, int, str], None]

# In the order in which they were received, so that of duplicate cells the last one counts.
ALL_VALUES = """
    SELECT v.dataset_id, v.element_id, v.category_id, v.unit_id, v.period_id, v.value, v.file_sha256, v.sheet, v.row_number
    FROM lake.aggregate_value v JOIN lake.received_file f USING (file_sha256)
    WHERE v.file_sha256 NOT IN ({replaced})
    ORDER BY f.received_at, f.file_name, v.sheet, v.row_number
"""
DEATHS = """
    SELECT death_id, record_key, person_key, unit_id, death_date, file_sha256, sheet, row_number FROM lake.death
    WHERE file_sha256 NOT IN ({replaced})
"""


def check(
    home: Path, *, rules: tuple[str, ...] | None = None, progress: Progress | None = None
) -> list[dict[str, Any]]:
    """Run the rules (all, or those named) on a home; a line per rule: rule, title, severity, findings, judged, total,
    not_assessable. Findings of the rules that ran replace their earlier ones."""
    wanted = [load_entry("rules", rule) for rule in rules] if rules else list(load_entries("rules").values())
    with Warehouse(home, write=True) as warehouse:
        tables = read_tables(warehouse)
        parts = []
        for number, rule in enumerate(wanted):
            if progress:
                progress(number, len(wanted), rule.title[current_language()])
            parts.append(run_checks(tables, [rule]))
        result = QualityResult(
            pd.concat([part.findings for part in parts], ignore_index=True),
            pd.concat([part.coverage for part in parts], ignore_index=True),
        )
        store_findings(warehouse, result, [rule.id for rule in wanted])
    return summary(result, wanted)


def read_tables(warehouse: Warehouse) -> dict[str, pd.DataFrame]:
    """The tables that rules ask for; those without a row are left out, so that their rules are not assessable."""
    replaced = replaced_files_sql(warehouse)
    tables = {
        "aggregate_value": warehouse.query(ALL_VALUES.format(replaced=replaced)),
        "data_set_assignment": warehouse.query(
            "SELECT DISTINCT dataset_id, unit_id, period_type FROM lake.data_set_assignment"
        ),
        "organisation_unit": warehouse.query(
            "SELECT unit_id, level, province_id, valid_from, valid_to FROM lake.organisation_unit"
        ),
        "reporting_status": warehouse.query(
            "SELECT DISTINCT dataset_id, unit_id, period_id, completed FROM lake.reporting_status"
        ),
        "death": warehouse.query(DEATHS.format(replaced=replaced)),
        **line_lists(warehouse),
    }
    tables["period"] = reporting_periods(tables["aggregate_value"], tables["data_set_assignment"])
    return {name: rows for name, rows in tables.items() if len(rows)}


def line_lists(warehouse: Warehouse) -> dict[str, pd.DataFrame]:
    """{table: rows} of the line lists whose catalog entries have checks: only the columns that the checks name."""
    found = {}
    for entry in load_entries("datasets").values():
        if entry.checks and entry.store and not entry.panel and entry.access != "personal":
            names = {name for one in entry.checks for name in names_in(one.rule)} | {"unit_id", "record_id"}
            listed = ", ".join(f'"{name}"' for name in entry.columns if name in names)
            found[entry.target] = warehouse.query(f'SELECT {listed} FROM lake."{entry.target}"')
    return found


def reporting_periods(values: pd.DataFrame, assignments: pd.DataFrame) -> pd.DataFrame:
    """The periods for which reports were due: per assigned data set, from its first period with values to its last.

    Columns dataset_id, period_id, period_start, period_end. A month in which nobody reported is among them.
    """
    from tkyt_analysis.reference.periods import period_range, period_windows

    seen = values[values["dataset_id"].isin(set(assignments["dataset_id"]))][
        ["dataset_id", "period_id"]
    ].drop_duplicates()
    if seen.empty:
        return pd.DataFrame(columns=["dataset_id", "period_id", "period_start", "period_end"])
    windows = seen.merge(period_windows(seen["period_id"].unique()), on="period_id")
    spans = windows.sort_values("period_start").groupby(["dataset_id", "kind"])["period_id"].agg(["first", "last"])
    due = [
        (dataset, one.period_id, one.start, one.end)
        for (dataset, _), first, last in spans.itertuples()
        for one in period_range(first, last)
    ]
    return pd.DataFrame(due, columns=["dataset_id", "period_id", "period_start", "period_end"])


def store_findings(warehouse: Warehouse, result: QualityResult, rules: list[str]) -> None:
    """Replace the findings and the coverage of these rules, in one transaction."""
    listed = ", ".join(f"'{rule}'" for rule in rules)
    coverage = result.coverage.drop(columns="share_assessable").assign(
        checked_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    )
    with warehouse.transaction():
        for table, rows in (("finding", result.findings), ("rule_coverage", coverage)):
            warehouse.con.execute(f"DELETE FROM lake.{table} WHERE rule_id IN ({listed})")
            warehouse.con.register("incoming", rows)
            warehouse.con.execute(f"INSERT INTO lake.{table} BY NAME SELECT * FROM incoming")
            warehouse.con.unregister("incoming")


def summary(result: QualityResult, rules: list[Any]) -> list[dict[str, Any]]:
    """A line per rule for people and machines."""
    coverage = result.coverage.set_index("rule_id")
    return [
        {
            "rule": rule.id,
            "title": rule.title[current_language()],
            "severity": rule.severity,
            "findings": int(coverage.loc[rule.id, "findings"]),
            "judged": int(coverage.loc[rule.id, "judged"]),
            "total": int(coverage.loc[rule.id, "total"]),
            "not_assessable": int(coverage.loc[rule.id, "total"] - coverage.loc[rule.id, "judged"]),
        }
        for rule in rules
    ]
