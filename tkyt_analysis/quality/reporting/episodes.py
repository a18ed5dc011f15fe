"""When units reported: opened, started, paused, resumed, closed, merged, fell silent.

An episode is silent where at least `silent_after` reports in a row are missing (FASTR calls a facility inactive from
six months without data at the start or end of its series); shorter gaps belong to the episode around them. A unit
that stops without a closing date "fell silent", with the probability that it stopped rather than missed by chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import duckdb

SILENT_AFTER = 6
STOPPING_PER_MONTH = 0.00125  # one or two units in a hundred a year: the prior of `probability_stopped`
LEAST_MISSING = 0.15  # misses come in bursts (a remote unit, the end of the year): three in a row are not yet a closure
_UNIT_MONTHS = """
    CREATE OR REPLACE TABLE report_unit_month AS
    SELECT unit_no, period_no, bool_or(received) AS received, count(*) AS due, count(*) FILTER (received) AS came
    FROM report WHERE expected GROUP BY unit_no, period_no ORDER BY unit_no, period_no
"""
EPISODES = """
    WITH due AS (
        SELECT unit_no, period_no, sequence, received, row_number() OVER every AS k,
               row_number() OVER every - row_number() OVER (PARTITION BY unit_no, sequence, received ORDER BY period_no) AS run
        FROM {source} JOIN report_period USING (period_no) WINDOW every AS (PARTITION BY unit_no, sequence ORDER BY period_no)
    ),
    stated AS (
        SELECT unit_no, period_no, sequence, received, k,
               NOT received AND count(*) OVER (PARTITION BY unit_no, sequence, received, run) >= {silent_after} AS silent FROM due
    ),
    numbered AS (
        SELECT *, k - row_number() OVER (PARTITION BY unit_no, sequence, silent ORDER BY period_no) AS episode FROM stated
    ),
    episodes AS (
        SELECT unit_no, sequence, silent, min(period_no) AS first_no, max(period_no) AS last_no, count(*) AS due,
               count(*) FILTER (received) AS received FROM numbered GROUP BY unit_no, sequence, silent, episode
    )
    SELECT u.unit_id, '{dataset}' AS dataset_id, row_number() OVER one AS number, CASE WHEN silent THEN 'silent' ELSE 'active' END AS state,
           f.period_id AS from_period, t.period_id AS to_period, e.due, e.received,
           CASE WHEN count(*) OVER (PARTITION BY unit_no, e.sequence) = 1 AND silent THEN 'never'
                WHEN lag(silent) OVER one IS NULL AND u.valid_from > w.first_start THEN 'opened'
                WHEN lag(silent) OVER one IS NULL THEN 'before'
                WHEN silent AND lead(silent) OVER one IS NULL THEN 'fell_silent'
                WHEN silent THEN 'paused'
                WHEN row_number() OVER one = 2 THEN 'started' ELSE 'resumed' END AS began,
           CASE WHEN lead(silent) OVER one IS NOT NULL THEN 'changed'
                WHEN t.period_end >= w.last_end THEN 'open'
                WHEN s.successor IS NOT NULL AND u.valid_to < w.last_end THEN 'merged'
                WHEN u.valid_to < w.last_end THEN 'closed' ELSE 'open' END AS ended,
           CASE WHEN lead(silent) OVER one IS NULL AND u.valid_to < w.last_end THEN s.successor END AS successor
    FROM episodes e JOIN report_unit u USING (unit_no) JOIN report_period f ON f.period_no = first_no JOIN report_period t ON t.period_no = last_no
    JOIN (SELECT sequence, min(period_start) AS first_start, max(period_end) AS last_end FROM report_period
          WHERE period_no IN (SELECT period_no FROM {source}) GROUP BY sequence) w ON w.sequence = e.sequence
    LEFT JOIN unit_successor s USING (unit_id)
    WINDOW one AS (PARTITION BY unit_no, e.sequence ORDER BY first_no)
"""
_TAILS = """
    SELECT u.unit_id, u.unit_no, any_value(f.period_id) AS period_id, any_value(t.period_id) AS "to", any_value(months)::INTEGER AS months,
           any_value(before)::INTEGER AS before, any_value(missed)::INTEGER AS missed,
           coalesce(bool_or(u.valid_to <= t.period_end), false) AS closed
    FROM (
        SELECT unit_no, sequence AS kind, count(*) FILTER (period_no > last_seen) AS months, min(period_no) FILTER (period_no > last_seen) AS first_no,
               max(period_no) AS last_no, count(*) FILTER (period_no <= last_seen) AS before,
               count(*) FILTER (period_no <= last_seen AND NOT received) AS missed
        FROM (SELECT *, max(CASE WHEN received THEN period_no END) OVER (PARTITION BY unit_no, sequence) AS last_seen
              FROM {source} JOIN report_period USING (period_no))
        WHERE last_seen IS NOT NULL GROUP BY unit_no, sequence
    ) JOIN report_unit u USING (unit_no) JOIN report_period f ON f.period_no = first_no JOIN report_period t ON t.period_no = last_no
    WHERE months >= {least} GROUP BY u.unit_id, u.unit_no, kind ORDER BY u.unit_no
"""


def data_set_source(dataset_no: int) -> str:
    """The due reports of one data set, as `source` of the queries."""
    return f"(SELECT unit_no, period_no, received FROM report WHERE dataset_no = {dataset_no} AND expected)"


def unit_months(con: duckdb.DuckDBPyConnection) -> str:
    """Make and name the table of unit × period: did any report that was due come."""
    con.execute(_UNIT_MONTHS)
    return "(SELECT unit_no, period_no, received FROM report_unit_month)"


def make_successors(con: duckdb.DuckDBPyConnection, facilities: str = "") -> None:
    """Make unit_successor (unit_id, successor): what each unit of before July 2025 became, and facilities merged into others."""
    from tkyt_analysis.reference.geography import crosswalk

    links = crosswalk()
    links = links[links["is_default"]][["old_unit_id", "new_unit_id"]].set_axis(["unit_id", "successor"], axis=1)
    con.register("incoming", links.astype("str"))
    merged = f" UNION SELECT facility_id, merged_into FROM {facilities} WHERE merged_into <> ''" if facilities else ""
    con.execute(
        f"CREATE OR REPLACE TABLE unit_successor AS SELECT unit_id, any_value(successor) AS successor FROM (SELECT * FROM incoming{merged}) GROUP BY 1"
    )
    con.unregister("incoming")


def episodes(
    con: duckdb.DuckDBPyConnection, source: str, dataset_id: str = "", *, silent_after: int = SILENT_AFTER
) -> pd.DataFrame:
    """The episodes of every unit of one data set (or of all, `source` = `unit_months`), in order.

    unit_id, dataset_id, number, state (active | silent), from_period, to_period, due, received, began (before | opened |
    started | resumed | paused | fell_silent | never), ended (open | changed | closed | merged), successor.
    """
    return con.execute(f"{episodes_query(source, dataset_id, silent_after)} ORDER BY 1, 5, 3").df()


def episodes_query(source: str, dataset_id: str, silent_after: int = SILENT_AFTER) -> str:
    """The query of `episodes`; needs the tables of `grid` and unit_successor."""
    return EPISODES.format(source=source, dataset=dataset_id.replace("'", "''"), silent_after=silent_after)


def inactive_units(con: duckdb.DuckDBPyConnection, source: str, *, months: int = SILENT_AFTER) -> pd.DataFrame:
    """FASTR's rule by name: units without data for at least `months` months at the start or end of the reports due.

    unit_id, from_period, to_period, months, at ("start" or "end"; "both" where nothing ever came).
    """
    rows = episodes(con, source, silent_after=months).query("state == 'silent' and began != 'paused'")
    at = rows["began"].map({"fell_silent": "end", "never": "both"}).fillna("start")
    named = rows[["unit_id", "from_period", "to_period", "due"]].rename(columns={"due": "months"})
    return named.assign(at=at).reset_index(drop=True)


def silent_tails(con: duckdb.DuckDBPyConnection, source: str, *, least: int = 2) -> pd.DataFrame:
    """Units whose last `least` or more reports are missing, with the probability that they stopped.

    unit_id, unit_no, period_id (first missing), to, months, before (reports due until then), missed (of these), closed
    (the list has a closing date by then), probability.
    """
    rows = con.execute(_TAILS.format(source=source, least=least)).df()
    usual = rows["missed"].sum() / max(1, rows["before"].sum())
    chance = (rows["missed"] + 5 * usual) / (rows["before"] + 5)
    return rows.assign(probability=probability_stopped(rows["months"], chance))


def probability_stopped(
    months: pd.Series, missing: pd.Series, *, stopping: float = STOPPING_PER_MONTH, least: float = LEAST_MISSING
) -> pd.Series:
    """P(the unit stopped | its last `months` reports are missing), by Bayes' rule.

    A unit that goes on misses each report with probability `missing` (at least `least`: units do miss several in a
    row); a unit stops with probability `stopping` in any month, so it may have missed k reports by chance before it did.
    """
    chance = np.clip(np.asarray(missing, dtype=float), least, 0.99)
    n = np.asarray(months, dtype=float)
    stopped = stopping * (1 - chance**n) / (1 - chance)
    return pd.Series(stopped / (stopped + chance**n), index=months.index)
