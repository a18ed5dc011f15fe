"""Deaths of form 16/BCH against the lines of the book for the same place and period, cell by cell (F12).

Both count the same deaths, so they must agree up to what is doubtful in the lines: double lines, a date that cannot be true,
a cause that no row or two rows could take, a registration after the period. The form is asked about where its
figure lies outside what the doubtful lines can explain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mortality.quality.records import death_records
from tkyt_analysis.quality.checks import CheckResult, TableCheck
from tkyt_analysis.quality.findings import make_findings, no_findings

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext

FORM, TOTAL = "form16bch", "total"
WORK_ACCIDENT = "23"
NO_ROW = ("gap", "unknown")
LINES = f"""
    CREATE OR REPLACE TABLE form_line AS
    SELECT r.death_id, u.above, r.death_date, CASE WHEN r.work_accident THEN '{WORK_ACCIDENT}' ELSE coalesce(k.item, 'unknown') END AS form_row,
           r.sex, r.age_years, {{again}} AS again, coalesce(r.death_date > r.received_on, true) AS undated,
           r.registered_on, r.code_rule LIKE 'dictionary%' AND r.code_decision <> 'auto' AS coded_here
    FROM death_record r LEFT JOIN form_row_of_code k ON k.code = r.code {{same}}
    JOIN (SELECT unit_id, unnest([unit_id, home_2025, parent, province]) AS above FROM unit_place) u ON u.unit_id = r.home
    WHERE r.source = 'a6' AND u.above <> ''
"""
# Of one person's lines in the book the smallest id counts; the others are probable duplicates.
SAME = "LEFT JOIN (SELECT record_id, row_number() OVER (PARTITION BY person_id, source ORDER BY record_id) > 1 AS again FROM death_match) m ON m.record_id = r.death_id"
CELLS = """
    WITH cell_value AS (
        SELECT DISTINCT unit_id, period_id, element_id, category_id, value, period_start, period_end,
               regexp_extract(element_id, '[^/]+$') AS form_row FROM form_value WHERE category_id = 'total'
    ), asked AS (
        SELECT c.*, count(l.death_id) FILTER (NOT (l.again OR l.late) AND l.certain) AS lower,
               count(l.death_id) AS upper
        FROM cell_value c LEFT JOIN (
            SELECT f.*, w.period_id, coalesce(f.registered_on > w.period_end, false) AS late,
                   NOT f.undated AND NOT f.coded_here AND f.form_row NOT IN ('gap', 'unknown') AS certain, w.period_end
            FROM form_line f JOIN (SELECT DISTINCT unit_id, period_id, period_start, period_end FROM cell_value) w
                ON w.unit_id = f.above AND (f.death_date BETWEEN w.period_start AND w.period_end
                    OR (f.undated AND month(f.death_date) BETWEEN month(w.period_start) AND month(w.period_end)))
        ) l ON l.above = c.unit_id AND l.period_id = c.period_id
            AND (c.form_row = 'total' OR l.form_row = c.form_row OR l.coded_here OR l.form_row IN ('gap', 'unknown'))
        GROUP BY ALL
    ) SELECT *, (SELECT count(*) FROM form_line f WHERE f.above = asked.unit_id) AS book FROM asked ORDER BY unit_id, period_id, element_id
"""


def check_form_counts(context: CheckContext, rule: Rule) -> CheckResult:
    """Cells of the form that the lines of the book cannot explain. parameters: slack (deaths beyond the doubtful ones)"""
    rows = form_cells(context)
    if rows.empty:
        return CheckResult(no_findings(), 0, 0)
    judged = rows["book"] > 0
    slack = float(rule.parameters.get("slack", 0))
    beyond = (rows["lower"] - rows["value"]).clip(lower=0) + (rows["value"] - rows["upper"]).clip(lower=0)
    found = rows[judged & (beyond > slack)].assign(
        dataset_id=FORM,
        expected=lambda one: one[["lower", "upper"]].mean(axis=1),
        verdict="inconsistent",
        at_stake=beyond,
        probability=0.9,
    )
    findings = make_findings(found, rule_id=rule.id, rule_version=rule.version, severity=rule.severity, fields=["book"])
    return CheckResult(findings, int(judged.sum()), len(rows))


def form_cells(context: CheckContext) -> pd.DataFrame:
    """Each total of the form with what the book's lines allow: unit_id, period_id, element_id, value, lower, upper, book."""
    _prepare_lines(context)
    if not _form_values(context):
        return pd.DataFrame()
    rows = context.query(CELLS)
    _drop(context)
    return rows


def _form_values(context: CheckContext) -> bool:
    """Make `form_value`: the cells of the form with the window of their period."""
    from tkyt_analysis.reference.periods import period_windows

    values = context.query(
        "SELECT unit_id, period_id, element_id, category_id, value FROM aggregate_value WHERE dataset_id = ? AND value IS NOT NULL",
        [FORM],
    )
    if values.empty:
        return False
    windows = period_windows(values["period_id"].unique())[["period_id", "period_start", "period_end"]]
    context.con.register("incoming", values.merge(windows, on="period_id"))
    context.con.execute(
        "CREATE OR REPLACE TABLE form_value AS SELECT * REPLACE (CAST(period_start AS DATE) AS period_start, "
        "CAST(period_end AS DATE) AS period_end) FROM incoming"
    )
    context.con.unregister("incoming")
    return True


def _prepare_lines(context: CheckContext) -> None:
    """Make `form_line`: a line of the book once for each place that it counts in, with the form's row for its cause."""
    from mortality.tabulation.cause_lists import load_cause_list

    death_records(context)
    codes = context.query("SELECT DISTINCT code FROM death_record WHERE code <> '' ORDER BY 1")["code"]
    rows = pd.DataFrame({"code": codes, "item": load_cause_list(FORM).item_of(codes)}).astype("str")
    context.con.register("incoming", rows)
    context.con.execute("CREATE OR REPLACE TABLE form_row_of_code AS SELECT * FROM incoming")
    context.con.unregister("incoming")
    matched = context.has("death_match")
    again = (
        "coalesce(m.again, false)"
        if matched
        else (
            "coalesce(row_number() OVER (PARTITION BY r.person_key, u.above ORDER BY r.death_id) > 1 AND r.person_key IS NOT NULL, false)"
        )
    )
    context.con.execute(LINES.format(again=again, same=SAME if matched else ""))


def _drop(context: CheckContext) -> None:
    context.con.execute("DROP TABLE form_line; DROP TABLE form_row_of_code; DROP TABLE form_value")


FORM_COUNTS = TableCheck(("death", "aggregate_value"), check_form_counts)
