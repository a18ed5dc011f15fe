"""Completeness of reporting: who had to report, who did, and whether anybody pressed "complete".

Expected reporters are the units of the assignment that existed in the period, those that never reported
included. A share above 1 is shown: it says that the list of expected reporters is wrong.
"""

from __future__ import annotations

import pandas as pd

from tkyt_analysis.quality.findings import make_findings

_KEY = ["dataset_id", "unit_id", "period_id"]


def expected_reports(assignments: pd.DataFrame, units: pd.DataFrame, periods: pd.DataFrame) -> pd.DataFrame:
    """One row per report that is due: data set × assigned unit × period in which the unit existed.

    Parameters
    ----------
    assignments : dataset_id, unit_id
    units : unit_id and, where known, valid_from, valid_to (last day); empty means always
    periods : period_id, period_start, period_end and optionally dataset_id (else every data set has every period)
    """
    assigned = assignments[["dataset_id", "unit_id"]].drop_duplicates()
    lives = units.reindex(columns=["unit_id", "valid_from", "valid_to"]).drop_duplicates("unit_id")
    due = assigned.merge(lives, on="unit_id", how="left", validate="many_to_one")
    windows = periods.drop_duplicates()
    due = due.merge(windows, on="dataset_id") if "dataset_id" in windows else due.merge(windows, how="cross")
    opens, closes = pd.to_datetime(due["valid_from"]), pd.to_datetime(due["valid_to"])
    begun = opens.isna() | (opens <= pd.to_datetime(due["period_end"]))
    open_still = closes.isna() | (closes >= pd.to_datetime(due["period_start"]))
    return due.loc[begun & open_still, _KEY].reset_index(drop=True)


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
    `reporting_status` is given). Reports outside the given periods are left out.
    """
    due = expected_reports(assignments, units, periods).assign(expected=True)
    arrived = values[_KEY].drop_duplicates().assign(received=True)
    arrived = arrived[arrived["period_id"].isin(set(periods["period_id"]))]
    grid = due.merge(arrived, on=_KEY, how="outer", validate="one_to_one")
    if reporting_status is not None:
        pressed = reporting_status
        if "completed" in pressed:
            pressed = pressed[~pressed["completed"].isin([False, "false", "0"])]
        marked = pressed[_KEY].drop_duplicates().assign(marked_complete=True)
        marked = marked[marked["period_id"].isin(set(periods["period_id"]))]
        grid = grid.merge(marked, on=_KEY, how="outer", validate="one_to_one")
    flags = [name for name in ("expected", "received", "marked_complete") if name in grid]
    grid[flags] = grid[flags].notna()
    if "marked_complete" not in grid:
        grid["marked_complete"] = pd.array([pd.NA] * len(grid), dtype="boolean")
    return grid.sort_values(_KEY, ignore_index=True)


def completeness_share(counts: pd.DataFrame) -> pd.DataFrame:
    """Columns received, expected → share (never capped) and status: ok, above_expected or not_assessable."""
    share = counts["received"] / counts["expected"].where(counts["expected"] > 0)
    status = pd.Series("ok", index=counts.index).mask(share > 1, "above_expected")
    return counts.assign(share=share, status=status.mask(share.isna(), "not_assessable"))


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
    by : columns that name one share, among dataset_id, unit_id, period_id and columns of `units`
        (default: dataset_id, period_id)

    Returns
    -------
    `by`, expected, received, share [0–1 and above; not capped], received_unexpected (reports of units that had
    none to make), marked_complete, marked_without_data, data_without_mark (missing where no status is known),
    status: ok | above_expected | not_assessable (nothing was expected).
    """
    by = by or ["dataset_id", "period_id"]
    grid = report_grid(values, assignments, units, periods, reporting_status=reporting_status)
    of_units = [name for name in by if name not in _KEY]
    if of_units:
        grid = grid.merge(units[["unit_id", *of_units]].drop_duplicates("unit_id"), on="unit_id", how="left")
    marked = grid["marked_complete"].astype("boolean")
    counted = grid[by].assign(
        expected=grid["expected"].astype(int),
        received=grid["received"].astype(int),
        received_unexpected=(grid["received"] & ~grid["expected"]).astype(int),
        marked_complete=marked.astype("Int64"),
        marked_without_data=(marked & ~grid["received"]).where(marked.notna()).astype("Int64"),
        data_without_mark=(~marked & grid["received"]).where(marked.notna()).astype("Int64"),
    )
    names = [name for name in counted.columns if name not in by]
    totals = counted.groupby(by, observed=True, dropna=False)[names].sum(min_count=1).reset_index()
    return completeness_share(totals)


def never_reported(
    values: pd.DataFrame, assignments: pd.DataFrame, units: pd.DataFrame, periods: pd.DataFrame
) -> pd.DataFrame:
    """Units that had to report and sent nothing in all the periods: dataset_id, unit_id, expected (reports due)."""
    grid = report_grid(values, assignments, units, periods)
    totals = grid.groupby(["dataset_id", "unit_id"], as_index=False)[["expected", "received"]].sum()
    silent = totals[(totals["received"] == 0) & (totals["expected"] > 0)]
    return silent[["dataset_id", "unit_id", "expected"]].reset_index(drop=True)


def check_missing_reports(
    values: pd.DataFrame,
    assignments: pd.DataFrame,
    units: pd.DataFrame,
    periods: pd.DataFrame,
    *,
    reporting_status: pd.DataFrame | None = None,
    rule_id: str = "report_missing",
    rule_version: int = 1,
    severity: str = "warning",
) -> pd.DataFrame:
    """A finding for each report that was due and has no values; verdict missing, or marked_without_data."""
    grid = report_grid(values, assignments, units, periods, reporting_status=reporting_status)
    absent = grid[grid["expected"] & ~grid["received"]]
    pressed = absent["marked_complete"].astype("boolean").fillna(False).astype(bool)
    verdict = pd.Series("missing", index=absent.index).mask(pressed, "marked_without_data")
    return make_findings(
        absent[_KEY].assign(verdict=verdict), rule_id=rule_id, rule_version=rule_version, severity=severity
    )
