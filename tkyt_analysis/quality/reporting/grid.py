"""Every report that was due, arrived or was marked, as one scratch table of integers: what all of reporting counts from.

Tables made on the connection (11,000 units × 60 months × 20 data sets are 13 million rows of some 20 bytes):
  report_dataset  dataset_no, dataset_id, marks (does any report of it have a mark)
  report_unit     unit_no, unit_id, province_id, valid_from, valid_to
  report_period   period_no, period_id, sequence (kind of period), period_start, period_end
  report          dataset_no, unit_no, period_no, expected, received, marked (missing: the data set knows no marks),
                  sent_on, sent_by: the day the report was sent and how that is known (1 mark, 2 workflow, 3 received file)

One data set is joined at a time, so that memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

SENT_BY = {1: "completed_at", 2: "submission_event", 3: "received_file"}


@dataclass(frozen=True)
class ReportSources:
    """Where reports come from; every text is a relation or a query in brackets.

    units : unit_id, province_id, valid_from, valid_to (missing: always); unit_ids : unit_id of every unit there may be
    assignment : dataset_id, unit_id; due : dataset_id, period_id, period_start, period_end
    arrived : data set → query of the reports with data (unit_id, period_id)
    marks : dataset_id, unit_id, period_id of reports marked complete, or "" where marks are not known
    sent : data set → query of unit_id, period_id, sent_on, sent_by (a report may have several), or None
    """

    units: str
    unit_ids: str
    assignment: str
    due: str
    arrived: Callable[[str], str]
    marks: str = ""
    sent: Callable[[str], str] | None = None


_DATE = "try_cast(nullif(CAST({0} AS VARCHAR), '') AS DATE)"
_TABLES = f"""
    CREATE OR REPLACE TABLE report_dataset AS
    SELECT row_number() OVER (ORDER BY dataset_id)::SMALLINT AS dataset_no, dataset_id, false AS marks
    FROM (SELECT DISTINCT dataset_id FROM {{due}});
    CREATE OR REPLACE TABLE report_unit AS
    SELECT row_number() OVER (ORDER BY unit_id)::INTEGER AS unit_no, unit_id, province_id, valid_from, valid_to
    FROM (SELECT DISTINCT unit_id FROM {{unit_ids}}) LEFT JOIN (
        SELECT unit_id, coalesce(any_value(province_id), '') AS province_id,
               {_DATE.format("any_value(valid_from)")} AS valid_from, {_DATE.format("any_value(valid_to)")} AS valid_to
        FROM {{units}} GROUP BY unit_id) USING (unit_id);
    CREATE OR REPLACE TABLE report_period AS
    SELECT row_number() OVER (ORDER BY sequence, period_start, period_id)::SMALLINT AS period_no, *
    FROM (SELECT DISTINCT period_id, length(period_id) || regexp_replace(period_id, '[0-9]', '', 'g') AS sequence,
                 period_start::DATE AS period_start, period_end::DATE AS period_end FROM {{due}});
    CREATE OR REPLACE TABLE report (
        dataset_no SMALLINT, unit_no INTEGER, period_no SMALLINT, expected BOOLEAN, received BOOLEAN, marked BOOLEAN,
        sent_on DATE, sent_by TINYINT);
"""
_ADD = """
    INSERT INTO report
    WITH asked AS (
        SELECT period_no, r.period_start, r.period_end FROM report_period r SEMI JOIN (SELECT period_id FROM {due} WHERE dataset_id = {dataset}) USING (period_id)
    ),
    part AS (
        SELECT unit_no, period_no, true AS expected, false AS received, false AS marked, NULL::DATE AS sent_on, NULL::TINYINT AS sent_by
        FROM (SELECT DISTINCT unit_id FROM {assignment} WHERE dataset_id = {dataset}) JOIN report_unit u USING (unit_id), asked
        WHERE coalesce(u.valid_from <= asked.period_end, true) AND coalesce(u.valid_to >= asked.period_start, true)
        UNION ALL
        SELECT unit_no, period_no, false, true, false, NULL, NULL FROM ({arrived})
        JOIN report_unit USING (unit_id) JOIN report_period USING (period_id) SEMI JOIN asked USING (period_no)
        UNION ALL
        SELECT unit_no, period_no, false, false, true, NULL, NULL FROM {marks}
        JOIN report_unit USING (unit_id) JOIN report_period USING (period_id) SEMI JOIN asked USING (period_no)
        WHERE dataset_id = {dataset}
        UNION ALL
        SELECT unit_no, period_no, false, false, false, sent_on, sent_by FROM ({sent})
        JOIN report_unit USING (unit_id) JOIN report_period USING (period_id) SEMI JOIN asked USING (period_no)
    )
    SELECT {number}, unit_no, period_no, bool_or(expected), bool_or(received), CASE WHEN {known} THEN bool_or(marked) END,
           coalesce(min(sent_on) FILTER (sent_by = 1), min(sent_on) FILTER (sent_by = 2), min(sent_on)), min(sent_by)
    FROM part GROUP BY unit_no, period_no HAVING bool_or(expected OR received OR marked) ORDER BY unit_no, period_no
"""
_NO_MARKS = "(SELECT '' AS dataset_id, '' AS unit_id, '' AS period_id LIMIT 0)"
_NO_TIMES = "SELECT '' AS unit_id, '' AS period_id, NULL::DATE AS sent_on, NULL::TINYINT AS sent_by LIMIT 0"


def make_reports(con: duckdb.DuckDBPyConnection, sources: ReportSources) -> int:
    """Make the tables above; the number of reports.

    A report is expected where its unit was assigned and existed on some day of the period; received where some cell of
    it has a value; both are told apart from the mark. Reports outside the periods due are left out.
    """
    con.execute(_TABLES.format(due=sources.due, unit_ids=sources.unit_ids, units=sources.units))
    known = _with_marks(con, sources.marks)
    for number, dataset in con.execute("SELECT dataset_no, dataset_id FROM report_dataset ORDER BY 1").fetchall():
        quoted = "'" + dataset.replace("'", "''") + "'"
        con.execute(
            _ADD.format(
                due=sources.due,
                assignment=sources.assignment,
                dataset=quoted,
                number=number,
                arrived=sources.arrived(dataset),
                marks=sources.marks or _NO_MARKS,
                sent=sources.sent(dataset) if sources.sent else _NO_TIMES,
                known=str(dataset in known).lower(),
            )
        )
    con.execute("UPDATE report_dataset SET marks = dataset_id IN (SELECT unnest(?))", [sorted(known)])
    return int(con.execute("SELECT count(*) FROM report").fetchall()[0][0])


def _with_marks(con: duckdb.DuckDBPyConnection, marks: str) -> set[str]:
    if not marks:
        return set()
    return {row[0] for row in con.execute(f"SELECT DISTINCT dataset_id FROM {marks}").fetchall()}


def data_sets(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, str]]:
    """(dataset_no, dataset_id) of every data set with reports due."""
    yield from con.execute("SELECT dataset_no, dataset_id FROM report_dataset ORDER BY 1").fetchall()
