"""Release tables of cases: states without words of people, and the course of quality over runs and over reported months."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.analysis.rates import poisson_limits
from tkyt_analysis.quality.cases.runs import NO_ERROR
from tkyt_analysis.quality.cases.table import case_table
from tkyt_analysis.warehouse.release import NATION, ReleaseContext

if TYPE_CHECKING:
    from collections.abc import Iterable

CASE_COLUMNS = [
    "finding_id", "rule_id", "rule_version", "severity", "dataset_id", "unit_id", "period_id", "element_id", "category_id",
    "verdict", "state", "answer", "said_explanation", "value", "reported_value", "times_asked", "first_seen_at", "changed_at",
    "asked_at", "answered_at", "decided_at",
]  # fmt: skip
TREND_COLUMNS = [
    "axis",
    "at",
    "run_number",
    "by",
    "member",
    "findings",
    "reported_values",
    "per_1000",
    "lower",
    "upper",
    "scope",
]
_RUNS = """
    SELECT c.run_number, r.run_at, c.rule_id, c.severity, c.province_id, c.findings, c.reported_values
    FROM lake.check_run_count c JOIN lake.check_run r USING (run_id)
"""
_FOUND = f"""
    SELECT f.period_id, f.rule_id, f.severity, f.unit_id, count(*) AS findings FROM lake.finding f
    WHERE coalesce(f.verdict, '') NOT IN ({NO_ERROR}) AND f.period_id <> '' GROUP BY ALL
"""
_VALUES = """
    SELECT period_id, unit_id, count(*) AS reported_values FROM lake.aggregate_value
    WHERE value IS NOT NULL AND file_sha256 NOT IN ({replaced}) GROUP BY ALL
"""


def quality_case(context: ReleaseContext) -> pd.DataFrame:
    """One row per case with its state; what people wrote, their names and to whom it was assigned stay in the warehouse."""
    if not context.warehouse.has("case_event"):  # a snapshot from before there were cases
        return pd.DataFrame(columns=[*CASE_COLUMNS, "scope"], dtype="str")
    rows = case_table(context.warehouse)[CASE_COLUMNS]
    return context.add_scope(rows)


def quality_trend(context: ReleaseContext) -> pd.DataFrame:
    """Findings per 1 000 values received, by severity, family (component of the score) and province.

    axis : run (`at`: when; whole runs only, as counted then) | month (`at`: first month of the reported period; the findings
    as they are now); by : all | severity | family | province, member : which (notes count under severity only); lower, upper : Poisson limits
    """
    if not context.warehouse.has("check_run_count"):
        return pd.DataFrame(columns=TREND_COLUMNS, dtype="str")
    families, provinces = _families(), context.units.set_index("unit_id")["scope"]
    parts = [*_by_run(context, families, provinces), *_by_month(context, families, provinces)]
    rows = pd.concat([part for part in parts if len(part)] or [pd.DataFrame(columns=TREND_COLUMNS)], ignore_index=True)
    return _rates(rows)


def _families() -> dict[str, str]:
    """{rule: component of the score}; rules of reporting are "completeness"."""
    from tkyt_analysis.quality.run import all_rules
    from tkyt_analysis.quality.scores.settings import score_settings

    settings = score_settings()
    return {rule.id: settings.component_of(rule) or _reporting(rule.detects) for rule in all_rules()}


def _reporting(kinds: Iterable[str]) -> str:
    if "A4" in kinds:
        return "timeliness"
    return "completeness" if any(kind.startswith("A") for kind in kinds) else "other"


def _by_run(context: ReleaseContext, families: dict[str, str], provinces: pd.Series) -> list[pd.DataFrame]:
    rows = context.query(_RUNS)
    rows = rows.assign(axis="run", at=rows["run_at"].str[:19], province=_scope(rows["province_id"], provinces))
    values = (
        rows[rows["rule_id"] == ""]
        .groupby(["axis", "at", "run_number", "province"], as_index=False)["reported_values"]
        .sum()
    )
    found = rows[rows["rule_id"] != ""]
    return _grouped(found.assign(family=found["rule_id"].map(families).fillna("other")), values)


def _by_month(context: ReleaseContext, families: dict[str, str], provinces: pd.Series) -> list[pd.DataFrame]:
    from tkyt_analysis.quality.ranking import months_of
    from tkyt_analysis.warehouse.replaced import replaced_files_sql

    found = context.query(_FOUND)
    values = context.query(_VALUES.format(replaced=replaced_files_sql(context.warehouse)))
    both = [rows.assign(axis="month", at=months_of(rows["period_id"]), run_number=0, province=_scope(rows["unit_id"], provinces))
            for rows in (found, values)]  # fmt: skip
    summed = both[1].groupby(["axis", "at", "run_number", "province"], as_index=False)["reported_values"].sum()
    return _grouped(both[0].assign(family=found["rule_id"].map(families).fillna("other")), summed)


def _scope(units: pd.Series, provinces: pd.Series) -> pd.Series:
    return units.map(provinces[~provinces.index.duplicated()]).fillna(NATION)


def _grouped(found: pd.DataFrame, values: pd.DataFrame) -> list[pd.DataFrame]:
    """Findings over values by severity, family and province; a group without findings has 0 of its values."""
    moment = ["axis", "at", "run_number"]
    if values.empty:
        return []
    found = found.astype({"axis": "str", "at": "str"})  # without a row a column has no type of its own
    total = values.groupby(moment, as_index=False)["reported_values"].sum()
    parts = []
    for by in ("all", "severity", "family"):
        rows = found if by == "severity" else found[found["severity"] != "note"]
        rows = rows.assign(member=NATION if by == "all" else rows[by]).astype({"member": "str"})
        counts = rows.groupby([*moment, "member"], as_index=False)["findings"].sum()
        present = pd.DataFrame({"member": pd.Series(sorted(rows["member"].unique()), dtype="str")})
        members = total.merge(present, how="cross")
        merged = members.merge(counts, on=[*moment, "member"], how="left")
        parts.append(merged.assign(by=by, scope=NATION))
    counts = found[found["severity"] != "note"].groupby([*moment, "province"], as_index=False)["findings"].sum()
    merged = values.merge(counts, on=[*moment, "province"], how="left")
    parts.append(
        merged.assign(by="province", member=merged["province"].str.replace("-", ":", n=1), scope=merged["province"])
    )
    return parts


def _rates(rows: pd.DataFrame) -> pd.DataFrame:
    findings, values = rows["findings"].fillna(0).astype(float), rows["reported_values"].astype(float)
    lower, upper, _ = poisson_limits(findings)
    per = 1000 / values.where(values > 0)
    rows = rows.assign(findings=findings.astype("int64"), reported_values=values.astype("int64"), per_1000=findings * per,
                       lower=lower * per, upper=upper * per)  # fmt: skip
    return rows[TREND_COLUMNS].sort_values(["axis", "run_number", "at", "by", "member"], ignore_index=True)
