"""Completeness: reports received over reports due, never capped, with the marks beside them.

Expected reporters are the units of the assignment that existed in the period, those that never reported included.
A share above 1 is shown: it says that the list of expected reporters is wrong (DHIS2 cuts it to 100 %).
"""

from __future__ import annotations

import pandas as pd

from tkyt_analysis.quality.reporting.sources import reports_of_frames

_KEY = ["dataset_id", "unit_id", "period_id"]
_NAMED = """
    SELECT d.dataset_id, u.unit_id, p.period_id, r.expected, r.received, r.marked AS marked_complete
    FROM report r JOIN report_dataset d USING (dataset_no) JOIN report_unit u USING (unit_no) JOIN report_period p USING (period_no)
"""
COUNTS = """
    count(*) FILTER (expected) AS expected, count(*) FILTER (received) AS received,
    count(*) FILTER (received AND NOT expected) AS received_unexpected,
    count(*) FILTER (received AND expected) AS received_expected,
    CASE WHEN bool_or(marked IS NOT NULL) THEN count(*) FILTER (marked) END AS marked_complete,
    CASE WHEN bool_or(marked IS NOT NULL) THEN count(*) FILTER (marked AND NOT received) END AS marked_without_data,
    CASE WHEN bool_or(marked IS NOT NULL) THEN count(*) FILTER (NOT marked AND received) END AS data_without_mark
"""


def named_reports() -> str:
    """Query of every report with its names: dataset_id, unit_id, period_id, expected, received, marked_complete."""
    return _NAMED


def completeness_query(by: tuple[str, ...], source: str = "report") -> str:
    """Query of counts per `by` over the tables of `grid`: among dataset_id, unit_id, period_id, province_id and columns
    of the relation place_of_unit (province, province_2024), where that exists. `share` is received / expected."""
    places = [name for name in by if name not in (*_KEY, "province_id")]
    join = " LEFT JOIN place_of_unit place USING (unit_id)" if places else ""
    names = ", ".join(f"place.{name}" if name in places else name for name in by)
    return f"""
        SELECT *, received / nullif(expected, 0) AS share FROM (
            SELECT {names}, {COUNTS} FROM {source} JOIN report_dataset USING (dataset_no) JOIN report_unit USING (unit_no)
            JOIN report_period USING (period_no){join} GROUP BY ALL)
    """


def expected_reports(assignments: pd.DataFrame, units: pd.DataFrame, periods: pd.DataFrame) -> pd.DataFrame:
    """One row per report that is due: data set × assigned unit × period in which the unit existed.

    Parameters
    ----------
    assignments : dataset_id, unit_id
    units : unit_id and, where known, valid_from, valid_to (last day); empty means always
    periods : period_id, period_start, period_end and optionally dataset_id (else every data set has every period)
    """
    nothing = pd.DataFrame({name: pd.Series(dtype="str") for name in _KEY})
    grid = report_grid(nothing, assignments, units, periods)
    return grid.loc[grid["expected"], _KEY].reset_index(drop=True)


def report_grid(
    values: pd.DataFrame,
    assignments: pd.DataFrame,
    units: pd.DataFrame,
    periods: pd.DataFrame,
    *,
    reporting_status: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Every report that was due or arrived: dataset_id, unit_id, period_id, expected, received, marked_complete.

    received means that values exist; marked_complete that somebody pressed the button (missing where no
    `reporting_status` is given, or it has no row of the data set). Reports outside the given periods are left out.
    For small tables: checks and releases count in the database (`grid`).
    """
    con = reports_of_frames(values, assignments, units, periods, reporting_status)
    grid = con.execute(f"{_NAMED} ORDER BY 1, 2, 3").df()
    con.close()
    return grid.astype({"expected": "bool", "received": "bool", "marked_complete": "boolean"})


def completeness_share(counts: pd.DataFrame) -> pd.DataFrame:
    """Columns received, expected → share (never capped) and status: ok, above_expected or not_assessable."""
    share = counts["received"] / counts["expected"].where(counts["expected"] > 0)
    status = pd.Series("ok", index=counts.index).mask(share > 1, "above_expected")
    return counts.assign(share=share, status=status.mask(share.isna(), "not_assessable"))


def more_received_than_expected(counts: pd.DataFrame, *, capped: str | None = None) -> pd.DataFrame:
    """The rows of another system's table of reports in which more were received than expected, with the true share.

    counts : received, expected; capped : column in which that system shows a rate (percent), to tell what it hid
    Adds share, surplus (reports) and, with `capped`, hidden (percentage points between the true and the shown rate).
    """
    rows = completeness_share(counts).query("status == 'above_expected'")
    rows = rows.assign(surplus=rows["received"] - rows["expected"])
    return rows if capped is None else rows.assign(hidden=100 * rows["share"] - rows[capped])


def reporting_completeness(
    values: pd.DataFrame,
    assignments: pd.DataFrame,
    units: pd.DataFrame,
    periods: pd.DataFrame,
    *,
    by: list[str] | None = None,
    reporting_status: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Completeness per group.

    Parameters
    ----------
    values, assignments, units, periods, reporting_status : see `report_grid`; `units` may have province_id
    by : columns that name one share, among dataset_id, unit_id, period_id and province_id (default: dataset_id, period_id)

    Returns
    -------
    `by`, expected, received, share [0–1 and above; not capped], received_unexpected (reports of units that had
    none to make), received_expected, marked_complete, marked_without_data, data_without_mark (missing where no status
    is known), status: ok | above_expected | not_assessable (nothing was expected).
    """
    names = tuple(by or ["dataset_id", "period_id"])
    con = reports_of_frames(values, assignments, units, periods, reporting_status)
    counted = con.execute(f"{completeness_query(names)} ORDER BY {', '.join(names)}").df()
    con.close()
    marks = ["marked_complete", "marked_without_data", "data_without_mark"]
    return completeness_share(counted.astype(dict.fromkeys(marks, "Int64")))


def never_reported(
    values: pd.DataFrame, assignments: pd.DataFrame, units: pd.DataFrame, periods: pd.DataFrame
) -> pd.DataFrame:
    """Units that had to report and sent nothing in all the periods: dataset_id, unit_id, expected (reports due)."""
    totals = reporting_completeness(values, assignments, units, periods, by=["dataset_id", "unit_id"])
    silent = totals[(totals["received"] == 0) & (totals["expected"] > 0)]
    return silent[["dataset_id", "unit_id", "expected"]].reset_index(drop=True)
