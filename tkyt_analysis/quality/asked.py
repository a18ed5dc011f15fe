"""The questions to ask first, after a check: as many as one can follow up, with how many of them are probably false alarms."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from tkyt_analysis.catalog import load_entries
from tkyt_analysis.quality.findings import finding_question
from tkyt_analysis.quality.ranking import budget_summary, rank_questions
from tkyt_analysis.quality.warehouse import periods_within, units_of
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.release import unit_scopes

SHOWN = [
    "rank",
    "province_id",
    "unit_id",
    "unit",
    "period_id",
    "question",
    "probability",
    "suggested",
    "at_stake",
    "finding_id",
]


def first_questions(
    home: Path, *, budget: int | None = None, scope: str | None = None, period: str | None = None, most: int = 20
) -> dict[str, Any]:
    """The stored findings, ranked within each province and month by events at stake × probability, cut at a budget.

    budget : cases per province and month (None: the catalog's); scope, period : as in `check`; most : questions given

    Returns what the budget buys (cases, asked, unknown, expected_false, fdr, …) and `questions`: SHOWN, the first
    finding of the `most` cases with the highest scores.
    """
    with Warehouse(home) as warehouse:
        findings = _findings(warehouse, scope, period)
        units = warehouse.query("SELECT DISTINCT unit_id, name, province_id FROM lake.organisation_unit")
    units = units.drop_duplicates("unit_id").assign(province_id=_provinces_now(units))
    ranked = rank_questions(findings, units, budget)
    first = ranked[ranked["within_budget"].astype(bool) & (ranked["finding_id"] == ranked["case_id"])]
    first = first.sort_values(["score", "case_id"], ascending=[False, True]).head(most)
    rows = first[["finding_id", "rank", "province_id"]].merge(findings, on="finding_id", validate="one_to_one")
    return asdict(budget_summary(ranked)) | {"questions": _in_words(rows, units)}


def _findings(warehouse: Warehouse, scope: str | None, period: str | None) -> pd.DataFrame:
    rows = warehouse.query("SELECT * EXCLUDE (file_sha256, sheet, row_number) FROM lake.finding")
    units, periods = units_of(warehouse, scope), periods_within(warehouse, period)
    if units is not None:
        rows = rows[rows["unit_id"].isin(units)]
    if periods is not None:
        rows = rows[rows["period_id"].isin(periods)]
    return rows


def _provinces_now(units: pd.DataFrame) -> pd.Series:
    """The present-day province of each unit, "" above provinces."""
    scopes = unit_scopes(units.drop_duplicates("unit_id"))
    return scopes.where(scopes != "VN", "").str.replace("-", ":", regex=False)


def _in_words(rows: pd.DataFrame, units: pd.DataFrame) -> list[dict[str, Any]]:
    rules, names = load_entries("rules"), dict(zip(units["unit_id"], units["name"], strict=True))
    lines = []
    for row in rows.to_dict("records"):
        unit = str(names.get(row["unit_id"], row["unit_id"]))
        rule = rules.get(row["rule_id"])
        question = finding_question(rule, row, unit=unit, names=names) if rule else row["rule_id"]
        line = row | {"unit": unit, "question": question}
        lines.append({name: None if line[name] != line[name] else line[name] for name in SHOWN})
    return lines
