"""What a release holds of each reported element: which kinds of period, which kinds of unit, how many categories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.cube.session import cube_of

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.release import Release

LEVELS = ("commune", "facility", "district", "province", "nation", "other")
# kinds of period in the order in which a value of one is taken as the base that is summed
KINDS = {"month": "month", "administrative_month": "month", "quarter": "quarter", "half": "half", "year": "year", "cumulative": "year"}  # fmt: skip
KIND_OF_ID = """CASE WHEN regexp_full_match(period_id, '\\d{4}') THEN 'year' WHEN regexp_full_match(period_id, '\\d{6}') THEN 'month'
    WHEN period_id LIKE '%A' THEN 'administrative_month' WHEN period_id LIKE '____Q%' THEN 'quarter'
    WHEN period_id LIKE '____S%' THEN 'half' WHEN period_id LIKE '____C%' THEN 'cumulative' ELSE 'week' END"""


def profile(release: Release) -> pd.DataFrame:
    """`element_profile` of a release, asked once."""
    known = release.__dict__.setdefault("_cube_profile", [])
    if not known:
        known.append(element_profile(release))
    return known[0]


def element_profile(release: Release) -> pd.DataFrame:
    """What each element holds: dataset_id, element_id, kind (of period), level (of unit), units, categories; one row per element: its
    finest kind and level, `others` (values of other kinds or levels, which no sum takes)."""
    rows = release.query(
        f"""
        WITH value AS ({_values_by_level(release)}), kind AS (
            SELECT period_id, {KIND_OF_ID} AS kind FROM (SELECT DISTINCT period_id FROM value))
        SELECT dataset_id, element_id, kind, level, sum(units) AS units, count(DISTINCT category_id) AS categories
        FROM value JOIN kind USING (period_id) GROUP BY ALL
        """
    )
    kinds, levels = list(KINDS), list(LEVELS)
    rows = rows[rows["kind"].isin(kinds)]
    order = pd.DataFrame(
        {"kind": rows["kind"].map(kinds.index).astype(int), "level": rows["level"].map(levels.index).astype(int)}
    )
    ranked = rows.assign(rank=order["kind"] * 10 + order["level"]).sort_values(["dataset_id", "element_id", "rank"])
    total = ranked.groupby(["dataset_id", "element_id"])["units"].transform("sum")
    first = ranked.assign(total=total).drop_duplicates(["dataset_id", "element_id"])
    return first.assign(others=first["total"] - first["units"])


def _values_by_level(release: Release) -> str:
    """Values with the kind of their unit: the sums per province, or an account's own rows where it sees no whole province."""
    if cube_of(release).any_sums:
        return "SELECT dataset_id, element_id, category_id, period_id, level, units FROM province_value"
    return f"""
        SELECT v.dataset_id, v.element_id, v.category_id, v.period_id, coalesce(p.level, 'other') AS level, count(v.value) AS units
        FROM aggregate_value v LEFT JOIN {cube_of(release).place_table} p USING (unit_id) GROUP BY ALL
    """
