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
           r.registered_on, r.code_rule LIKE 'dictionary%' AS coded_here
    FROM death_record r LEFT JOIN form_row_of_code k ON k.code = r.code {{same}}
    JOIN (SELECT unit_id, unnest(list_distinct([unit_id, home_2025, parent, province])) AS above FROM unit_place) u ON u.unit_id = r.home
    WHERE r.source = 'a6' AND u.above <> ''
"""
# Of one person's lines in the book the smallest id counts; the others are probable duplicates.
SAME = "LEFT JOIN (SELECT record_id, row_number() OVER (PARTITION BY person_id, source ORDER BY record_id) > 1 AS again FROM death_match) m ON m.record_id = r.death_id"
CELLS = """
    WITH cell_value AS (
        SELECT DISTINCT unit_id, period_id, element_id, category_id, value, period_start, period_end,
               regexp_extract(element_id, '[^/]+$') AS form_row FROM form_value WHERE category_id = 'total'
    ), line AS (
        SELECT f.*, w.period_id, coalesce(f.registered_on > w.period_end, false) AS late, f.coded_here OR f.form_row IN ('gap', 'unknown') AS rowless
        FROM form_line f JOIN (SELECT DISTINCT unit_id, period_id, period_start, period_end FROM cell_value) w
            ON w.unit_id = f.above AND (f.death_date BETWEEN w.period_start AND w.period_end
                OR (f.undated AND month(f.death_date) BETWEEN month(w.period_start) AND month(w.period_end)))
        WHERE NOT f.again
    )
    SELECT c.unit_id, c.period_id, c.element_id, c.form_row, c.value,
           count(l.death_id) FILTER (fits AND NOT l.late AND NOT l.undated) AS sure,
           count(l.death_id) FILTER (fits AND (l.late OR l.undated)) AS perhaps,
           count(l.death_id) FILTER (c.form_row <> 'total' AND l.rowless) AS rowless,
           (SELECT count(*) FROM form_line f WHERE f.above = c.unit_id) AS book
    FROM cell_value c
    LEFT JOIN line l ON l.above = c.unit_id AND l.period_id = c.period_id
    CROSS JOIN LATERAL (SELECT c.form_row = 'total' OR (NOT l.rowless AND l.form_row = c.form_row) AS fits) g
    GROUP BY ALL ORDER BY c.unit_id, c.period_id, c.element_id
"""


def check_form_counts(context: CheckContext, rule: Rule) -> CheckResult:
    """Cells of the form that the lines of the book cannot explain. parameters: slack (deaths beyond the doubtful ones)"""
    rows = form_cells(context)
    if rows.empty:
        return CheckResult(no_findings(), 0, 0)
    judged = rows["book"] > 0
    slack = float(rule.parameters.get("slack", 0))
    beyond = (rows["lower"] - rows["value"]).clip(lower=0) + (rows["value"] - rows["upper"]).clip(lower=0)
    asked = judged & (beyond > slack)
    found = rows[asked].assign(
        dataset_id=FORM,
        form_row=lambda one: one["element_id"],
        expected=lambda one: one[["lower", "upper"]].mean(axis=1),
        verdict="inconsistent",
        at_stake=beyond[asked],
        probability=0.9,
    )
    findings = make_findings(
        found, rule_id=rule.id, rule_version=rule.version, severity=rule.severity, fields=["form_row", "book"]
    )
    return CheckResult(findings, int(judged.sum()), len(rows))


def form_cells(context: CheckContext) -> pd.DataFrame:
    """Each total of the form with what the book's lines allow: unit_id, period_id, element_id, value, lower, upper, book."""
    _prepare_lines(context)
    if not _form_values(context):
        return pd.DataFrame()
    rows = context.query(CELLS)
    _drop(context)
    return _with_limits(rows)


def _with_limits(rows: pd.DataFrame) -> pd.DataFrame:
    """lower, upper: the lines that must count; and with them those that may (late, undated), and of the lines whose row is not
    known as many as a row of this size takes in 99 of 100 cases (binomial)."""
    from scipy.stats import binom

    whole = rows["sure"].where(rows["form_row"] == TOTAL)
    whole = whole.groupby([rows["unit_id"], rows["period_id"]]).transform("max")
    share = (rows["sure"] / whole.where(whole > 0)).clip(0, 1).fillna(0)
    more = pd.Series(binom.ppf(0.99, rows["rowless"], share), index=rows.index).fillna(0)
    return rows.assign(lower=rows["sure"], upper=rows["sure"] + rows["perhaps"] + more)


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
