"""Timeliness: the day a report was sent against its dated deadline; where no day is known it is not assessable.

The day is, in this order, that of the completion mark, of receipt in the workflow, of receipt of the file (`grid.SENT_BY`).
A DHIS2 extract says nothing about when its reports were sent; a mark without data is no report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import duckdb

LATE_BANDS = (("on_time", None, 0), ("late_1_3", 1, 3), ("late_4_7", 4, 7), ("late_8_14", 8, 14), ("late_15_30", 15, 30),
              ("late_31_60", 31, 60), ("late_over_60", 61, None))  # fmt: skip
_TIMED = """
    SELECT dataset_no, unit_no, period_no, expected, received, sent_by, date_diff('day', period_end, sent_on) AS lag,
           date_diff('day', due, sent_on) AS late
    FROM report JOIN report_period USING (period_no) LEFT JOIN report_due USING (dataset_no, period_no)
    WHERE received OR expected
"""
_LATE = f"""
    SELECT u.unit_id, any_value(period_id ORDER BY period_no) AS period_id, list(period_id ORDER BY period_no) FILTER (late >= $least) AS periods,
           count(*) FILTER (late >= $least) AS late, count(*) AS sent, median(late) FILTER (late >= $least) AS median_days,
           max(late) AS longest_days
    FROM ({_TIMED}) JOIN report_period USING (period_no) JOIN report_unit u USING (unit_no)
    WHERE dataset_no = $dataset AND received AND late IS NOT NULL
    GROUP BY unit_no, u.unit_id, sequence, year(period_end) HAVING count(*) FILTER (late >= $least) > 0 ORDER BY unit_no, periods
"""


def late_reports(con: duckdb.DuckDBPyConnection, dataset_no: int, *, least_days: int = 1) -> pd.DataFrame:
    """One row per unit and calendar year with late reports of one data set.

    unit_id, period_id (the first late one of the year: it names the finding and stays while the year goes on), periods
    (all late ones), late, sent (reports whose time is known), median_days (of the late ones), longest_days.
    """
    rows = con.execute(_LATE, {"dataset": dataset_no, "least": least_days}).df()
    periods = rows["periods"].map(list)
    return rows.assign(periods=periods, period_id=periods.map(lambda one: one[0]).astype("str"))


def timed_share(con: duckdb.DuckDBPyConnection, dataset_no: int) -> tuple[int, int]:
    """(reports whose day of sending and deadline are known, reports received) of one data set."""
    row = con.execute(
        f"SELECT count(late) FILTER (received), count(*) FILTER (received) FROM ({_TIMED}) WHERE dataset_no = ?",
        [dataset_no],
    ).fetchall()[0]
    return int(row[0]), int(row[1])


def lag_query(by: str, extra: str = "") -> str:
    """Query of the distribution of lags per `by` (columns of the tables of `grid` and of `extra` joins).

    expected, received, timed (received, day and deadline known), on_time, share_on_time (of the timed),
    share_on_time_of_due (of the reports due: WHO's timeliness), lag_median, lag_p90, lag_max [days after the period],
    late_median [days after the deadline, late ones], one column per band of LATE_BANDS, sent_by (how most days are known)
    """
    bands = ", ".join(
        f"count(*) FILTER (received AND {_between(first, last)}) AS {name}" for name, first, last in LATE_BANDS
    )
    return f"""
        SELECT *, on_time / nullif(timed, 0) AS share_on_time, on_time / nullif(expected, 0) AS share_on_time_of_due FROM (
            SELECT {by}, count(*) FILTER (expected) AS expected, count(*) FILTER (received) AS received,
                   count(late) FILTER (received) AS timed, {bands},
                   median(lag) FILTER (received) AS lag_median, quantile_cont(lag, 0.9) FILTER (received) AS lag_p90,
                   max(lag) FILTER (received) AS lag_max, median(late) FILTER (received AND late > 0) AS late_median,
                   mode(sent_by) FILTER (received AND late IS NOT NULL) AS sent_by
            FROM ({_TIMED}) JOIN report_dataset USING (dataset_no) JOIN report_unit USING (unit_no)
            JOIN report_period USING (period_no) {extra} GROUP BY ALL)
    """


def _between(first: int | None, last: int | None) -> str:
    if first is None:
        return f"late <= {last}"
    return f"late >= {first}" if last is None else f"late BETWEEN {first} AND {last}"


def lag_histogram(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """dataset_id, days (after the end of the period), reports, share_arrived: which part had come by that day."""
    rows = con.execute(
        f"SELECT dataset_id, lag AS days, count(*) AS reports FROM ({_TIMED}) JOIN report_dataset USING (dataset_no) "
        "WHERE received AND lag IS NOT NULL GROUP BY ALL ORDER BY 1, 2"
    ).df()
    sums = rows.groupby("dataset_id")["reports"]
    return rows.assign(share_arrived=sums.cumsum() / sums.transform("sum"))
