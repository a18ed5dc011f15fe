"""The reports of a check's context, of a warehouse about to be published, and of data frames: one way to count them."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.quality.reporting.grid import ReportSources, make_reports

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.quality.context import CheckContext
    from tkyt_analysis.warehouse.release import ReleaseContext

NEEDS = ("aggregate_value", "data_set_assignment", "organisation_unit", "due_period")
# What came out of a DHIS2 extract was sent when its unit marked it, not when we pulled it.
_PULLED = "('dhis2', 'dhis2_gateway', 'exchange')"
_MARKS = """(SELECT DISTINCT dataset_id, unit_id, period_id FROM {status} WHERE {completed})"""
_MARKED_ON = """
    SELECT unit_id, period_id, try_cast(left(CAST(completed_at AS VARCHAR), 10) AS DATE) AS sent_on, 1::TINYINT AS sent_by
    FROM {status} WHERE dataset_id = {dataset} AND {completed}
"""
_LOCAL_DAY = "CAST(try_cast({0} AS TIMESTAMP) + INTERVAL 7 HOUR AS DATE)"
_WORKFLOW = f"""
    SELECT unit_id, period_id, {_LOCAL_DAY.format("event_at")}, 2::TINYINT FROM {{events}} e
    WHERE dataset_id = {{dataset}} AND event = 'received' AND (of_file IS NULL OR of_file NOT IN (
        SELECT file_sha256 FROM {{files}} WHERE door IN {_PULLED}))
"""
_FILES = f"""
    SELECT unit_id, period_id, {_LOCAL_DAY.format("min(received_at)")}, 3::TINYINT FROM {{values}} JOIN {{files}} f USING (file_sha256)
    WHERE dataset_id = {{dataset}} AND coalesce(door, '') NOT IN {_PULLED} GROUP BY ALL
"""


def reports_of(context: CheckContext) -> duckdb.DuckDBPyConnection:
    """The context's connection with the tables of `grid`, made once, and `report_due` (see `make_due_dates`)."""
    con = context.con
    made = con.execute(
        "SELECT 1 FROM duckdb_tables() WHERE table_name = 'report' AND database_name = current_database()"
    )
    if made.fetchone() is None:
        make_reports(con, _sources_of_context(context))
        make_due_dates(con, _timely_days(con, "data_set") if context.has("data_set") else {})
    return con


def _sources_of_context(context: CheckContext) -> ReportSources:
    status = "reporting_status" if context.has("reporting_status") else ""
    ids = [f"SELECT unit_id FROM {name}" for name in ("unit", "data_set_assignment", status) if name]
    return ReportSources(
        units="organisation_unit",
        unit_ids=f"({' UNION '.join(ids)})",
        assignment="data_set_assignment",
        due=_due_of_context(context),
        arrived=lambda dataset: _arrived(context.con, dataset),
        marks=_MARKS.format(status=status, completed=_completed(context.con, status)) if status else "",
        sent=lambda dataset: _sent(context, dataset, status),
    )


def _due_of_context(context: CheckContext) -> str:
    """due_period, every assigned data set with every period where it names none."""
    if "dataset_id" in _columns(context.con, "due_period"):
        return "(SELECT * FROM due_period SEMI JOIN data_set_assignment USING (dataset_id))"
    return "(SELECT a.dataset_id, d.* FROM (SELECT DISTINCT dataset_id FROM data_set_assignment) a CROSS JOIN due_period d)"


def _arrived(con: duckdb.DuckDBPyConnection, dataset: str) -> str:
    first, last = con.execute(
        "SELECT coalesce(min(series_no), 0), coalesce(max(series_no), -1) FROM series WHERE dataset_id = ?", [dataset]
    ).fetchall()[0]
    return (
        f"SELECT unit_id, period_id FROM (SELECT DISTINCT unit_no, period_no FROM cell WHERE series_no BETWEEN {first} AND {last} "
        "AND value IS NOT NULL) JOIN unit USING (unit_no) JOIN period USING (period_no)"
    )


def _sent(context: CheckContext, dataset: str, status: str) -> str:
    quoted = _quoted(dataset)
    files = "received_file" if context.has("received_file") else "(SELECT '' AS file_sha256, '' AS door LIMIT 0)"
    parts = []
    if status and "completed_at" in _columns(context.con, status):
        parts.append(_MARKED_ON.format(status=status, dataset=quoted, completed=_completed(context.con, status)))
    if context.has("submission_event"):
        parts.append(_WORKFLOW.format(events="submission_event", files=files, dataset=quoted))
    elif context.has("received_file"):
        parts.append(_FILES.format(values="received_value", files=files, dataset=quoted))
    known = " UNION ALL ".join(parts) or "SELECT '' AS unit_id, '' AS period_id, NULL::DATE, NULL::TINYINT LIMIT 0"
    return f"SELECT * FROM ({known}) AS known(unit_id, period_id, sent_on, sent_by) WHERE sent_on IS NOT NULL"


def release_reports(context: ReleaseContext) -> duckdb.DuckDBPyConnection:
    """The same tables for the snapshot that is being published, made once per release."""
    from tkyt_analysis.quality.lake_context import reporting_periods
    from tkyt_analysis.warehouse.replaced import replaced_files_sql

    con = context.warehouse.con
    if "report_grid" in context.made:
        return con
    replaced = replaced_files_sql(context.warehouse)
    counted = f"lake.aggregate_value WHERE file_sha256 NOT IN ({replaced}) AND value IS NOT NULL"
    seen = context.query(
        f"SELECT DISTINCT dataset_id, period_id FROM {counted} AND dataset_id IN (SELECT dataset_id FROM lake.data_set_assignment)"
    )
    con.register("due_report", reporting_periods(seen).astype({"dataset_id": "str", "period_id": "str"}))
    status = "lake.reporting_status"
    sources = ReportSources(
        units="lake.organisation_unit",
        unit_ids=f"(SELECT unit_id FROM {counted} UNION SELECT unit_id FROM lake.data_set_assignment UNION SELECT unit_id FROM {status})",
        assignment="lake.data_set_assignment",
        due="due_report",
        arrived=lambda dataset: (
            f"SELECT DISTINCT unit_id, period_id FROM {counted} AND dataset_id = {_quoted(dataset)}"
        ),
        marks=_MARKS.format(status=status, completed="completed IS NOT false"),
        sent=lambda dataset: _sent_before_release(con, dataset, status),
    )
    make_reports(con, sources)
    make_due_dates(con, _timely_days(con, "lake.data_set"))
    con.unregister("due_report")
    context.made["report_grid"] = pd.DataFrame()
    return con


def _sent_before_release(con: duckdb.DuckDBPyConnection, dataset: str, status: str) -> str:
    from tkyt_analysis.workflow.states import has_events

    parts = [_MARKED_ON.format(status=status, dataset=_quoted(dataset), completed="completed IS NOT false")]
    if has_events(con):
        parts.append(
            _WORKFLOW.format(events="lake.submission_event", files="lake.received_file", dataset=_quoted(dataset))
        )
    known = " UNION ALL ".join(parts)
    return f"SELECT * FROM ({known}) AS known(unit_id, period_id, sent_on, sent_by) WHERE sent_on IS NOT NULL"


def reports_of_frames(
    values: pd.DataFrame,
    assignments: pd.DataFrame,
    units: pd.DataFrame,
    periods: pd.DataFrame,
    reporting_status: pd.DataFrame | None = None,
) -> duckdb.DuckDBPyConnection:
    """The same tables over data frames (see `completeness.report_grid`), in a connection of their own."""
    import duckdb

    con = duckdb.connect()
    con.execute("SET enable_progress_bar = false")
    key = ["dataset_id", "unit_id", "period_id"]
    lives = units.reindex(columns=["unit_id", "province_id", "valid_from", "valid_to"]).drop_duplicates("unit_id")
    for name in ("province_id", "valid_from", "valid_to"):
        lives[name] = lives[name].astype("object").where(lives[name].notna(), None).map(_as_text)
    frames = {
        "arrived_report": values[key].drop_duplicates(),
        "assigned": assignments[["dataset_id", "unit_id"]].drop_duplicates(),
        "lives": lives,
        "windows": _windows(values, assignments, periods),
    }
    if reporting_status is not None:
        pressed = reporting_status
        if "completed" in pressed:
            pressed = pressed[~pressed["completed"].isin([False, "false", "0"])]
        frames["pressed"] = pressed[key].drop_duplicates()
    for name, frame in frames.items():
        con.register("incoming", frame.astype({column: "str" for column in frame if column != "valid_from"}))
        con.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
    unit_ids = "(SELECT unit_id FROM arrived_report UNION SELECT unit_id FROM assigned UNION SELECT unit_id FROM lives)"
    make_reports(
        con,
        ReportSources(
            units="lives",
            unit_ids=unit_ids,
            assignment="assigned",
            due="windows",
            arrived=lambda dataset: (
                f"SELECT unit_id, period_id FROM arrived_report WHERE dataset_id = {_quoted(dataset)}"
            ),
            marks="pressed" if reporting_status is not None else "",
        ),
    )
    return con


def _as_text(value: object) -> str | None:
    if value is None or value == "":
        return None
    return str(value)[:10]


def _windows(values: pd.DataFrame, assignments: pd.DataFrame, periods: pd.DataFrame) -> pd.DataFrame:
    """dataset_id, period_id, period_start, period_end; periods without a data set count for every data set there is."""
    columns = ["dataset_id", "period_id", "period_start", "period_end"]
    windows = periods.drop_duplicates()
    if "dataset_id" not in windows:
        names = pd.concat([values["dataset_id"], assignments["dataset_id"]]).drop_duplicates()
        windows = windows.merge(names.to_frame("dataset_id"), how="cross")
    dated = {name: pd.to_datetime(windows[name]).dt.strftime("%Y-%m-%d") for name in columns[2:]}
    return windows.assign(**dated)[columns]


def make_due_dates(con: duckdb.DuckDBPyConnection, timely_days: dict[str, float]) -> None:
    """Make report_due (dataset_no, period_no, due): the last day in time of each report, by its form or its data set.

    A data set without a deadline has no row with a day: its reports are not assessable for timeliness.
    """
    from tkyt_analysis.workflow.states import due_of

    pairs = con.execute(
        "SELECT DISTINCT dataset_no, period_no, dataset_id, period_id FROM report JOIN report_dataset USING (dataset_no) "
        "JOIN report_period USING (period_no) ORDER BY 1, 2"
    ).fetchall()
    rows: list[tuple[int, int, datetime.date | None]] = [
        (number, at, due_of(dataset, name, timely_days).day) for number, at, dataset, name in pairs
    ]
    frame = pd.DataFrame(rows, columns=["dataset_no", "period_no", "due"])
    con.register(
        "incoming", frame.assign(due=frame["due"].map(lambda day: day.isoformat() if day else None).astype("str"))
    )
    con.execute(
        "CREATE OR REPLACE TABLE report_due AS SELECT dataset_no::SMALLINT AS dataset_no, period_no::SMALLINT AS period_no, "
        "try_cast(due AS DATE) AS due FROM incoming"
    )
    con.unregister("incoming")


def _timely_days(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, float]:
    if "timely_days" not in _columns(con, relation):
        return {}
    return dict(
        con.execute(f"SELECT dataset_id, max(timely_days) FROM {relation} WHERE timely_days > 0 GROUP BY 1").fetchall()
    )


def _columns(con: duckdb.DuckDBPyConnection, relation: str) -> set[str]:
    return {row[0] for row in con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()}


def _completed(con: duckdb.DuckDBPyConnection, status: str) -> str:
    """Which rows are marks: DHIS2 also lists reports whose mark was taken back."""
    if "completed" not in _columns(con, status):
        return "true"
    return "coalesce(lower(CAST(completed AS VARCHAR)) NOT IN ('false', '0'), true)"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
