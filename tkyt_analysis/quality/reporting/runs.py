"""Runs of reports that share a trait (missing, marked but empty, not due): one finding per unit, data set and run.

A finding's period is the first of its run, so its id stays the same while the run grows; its fields say how far it
reaches (`to`) and how many reports it is (`months`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import duckdb

# Reports of a unit are numbered in the order of their periods: a period in which none was due breaks no run.
_RUNS = """
    WITH numbered AS (
        SELECT unit_no, period_no, sequence, {trait} AS trait,
               row_number() OVER (PARTITION BY unit_no, sequence ORDER BY period_no)
               - row_number() OVER (PARTITION BY unit_no, sequence, {trait} ORDER BY period_no) AS run
        FROM report JOIN report_period USING (period_no) WHERE dataset_no = {dataset} AND {among}
    )
    SELECT u.unit_id, f.period_id, t.period_id AS "to", months, unit_no, first_no, last_no
    FROM (SELECT unit_no, run, sequence, min(period_no) AS first_no, max(period_no) AS last_no, count(*) AS months FROM numbered
          WHERE trait GROUP BY unit_no, run, sequence)
    JOIN report_unit u USING (unit_no) JOIN report_period f ON f.period_no = first_no JOIN report_period t ON t.period_no = last_no
    {where} ORDER BY unit_no, first_no
"""
MISSING = "expected AND NOT received AND NOT coalesce(marked, false)"
MARKED_WITHOUT_DATA = "marked AND NOT received"
DATA_WITHOUT_MARK = "received AND NOT marked"
NOT_DUE = "received AND NOT expected"
_SEVERAL = r'"(?:to|periods)":'  # fields of a finding that is about several periods


def runs(
    con: duckdb.DuckDBPyConnection,
    dataset_no: int,
    trait: str,
    *,
    among: str = "true",
    periods: frozenset[str] | None = None,
) -> pd.DataFrame:
    """unit_id, period_id (first of the run), to (last), months (reports in the run) of one data set.

    trait, among : conditions on the columns of `report`; only runs that reach into `periods` come back
    """
    where = ""
    if periods is not None:
        listed = ", ".join("'" + one.replace("'", "''") + "'" for one in sorted(periods)) or "''"
        where = (
            "WHERE EXISTS (SELECT 1 FROM report_period a WHERE a.sequence = f.sequence "
            f"AND a.period_no BETWEEN first_no AND last_no AND a.period_id IN ({listed}))"
        )
    found = con.execute(
        _RUNS.format(dataset=dataset_no, trait=f"coalesce({trait}, false)", among=among, where=where)
    ).df()
    return found.drop(columns=["first_no", "last_no"])


def usual_size(con: duckdb.DuckDBPyConnection, dataset_id: str) -> pd.Series:
    """unit_no of `report_unit` → what one report of the unit usually adds up to (all of its cells), for ranking."""
    first, last = con.execute(
        "SELECT coalesce(min(series_no), 0), coalesce(max(series_no), -1) FROM series WHERE dataset_id = ?",
        [dataset_id],
    ).fetchall()[0]
    rows = con.execute(
        "SELECT r.unit_no, total / reports AS events FROM (SELECT unit_no, sum(value) AS total FROM cell "
        "WHERE series_no BETWEEN ? AND ? AND value >= 0 GROUP BY 1) JOIN unit USING (unit_no) JOIN report_unit r ON r.unit_id = unit.unit_id "
        "JOIN (SELECT unit_no, count(*) AS reports FROM report JOIN report_dataset USING (dataset_no) WHERE dataset_id = ? AND received "
        "GROUP BY 1) n ON n.unit_no = r.unit_no",
        [first, last, dataset_id],
    ).df()
    return rows.set_index("unit_no")["events"]


def reaching_into(findings: pd.DataFrame, periods: frozenset[str]) -> pd.Series:
    """Which findings concern one of the periods: their own, none at all, or one inside the run in their fields."""
    inside = findings["period_id"].isin(periods) | (findings["period_id"] == "")
    further = ~inside & findings["fields"].str.contains(_SEVERAL)
    covered = [
        not periods.isdisjoint(covered_periods(first, fields))
        for first, fields in findings.loc[further, ["period_id", "fields"]].itertuples(index=False)
    ]
    return inside.mask(further, pd.Series(covered, index=findings.index[further], dtype="bool"))


def covered_periods(first: str, fields: str) -> list[str]:
    """The periods that a finding is about: a list in its fields, or all from its own to `to`, or its own."""
    from tkyt_analysis.reference.periods import period_range

    known = json.loads(fields)
    if isinstance(known.get("periods"), list):
        return known["periods"]
    last = known.get("to")
    if not isinstance(last, str) or len(last) != len(first) or "months" not in known:
        return [first]
    return [one.period_id for one in period_range(first, last)]


def every_period(findings: pd.DataFrame) -> pd.DataFrame:
    """The findings with those of several periods written out: one row per period they are about (columns as given)."""
    several = findings["fields"].str.contains(_SEVERAL)
    rows = findings[several]
    spans = [covered_periods(first, fields) for first, fields in rows[["period_id", "fields"]].itertuples(index=False)]
    written = rows.assign(period_id=pd.Series(spans, index=rows.index, dtype="object")).explode("period_id")
    return pd.concat([findings[~several], written], ignore_index=True)
