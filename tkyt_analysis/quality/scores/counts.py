"""How much of the data of each unit could be judged, and how much was in order: per data set, year and component of the score.

Every count is of things (reports, values, cells, records), so counts of units add up to those of provinces. Nothing that
no rule looked at is counted as in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.quality.cases.runs import NO_ERROR
from tkyt_analysis.quality.frames import keep_frame
from tkyt_analysis.quality.scores.settings import ScoreSettings
from tkyt_analysis.reference.periods import period_windows

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.warehouse.release import ReleaseContext

ANY = ""  # of a rule that is no expression and names no data set: it looks at all of them
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,}")
_KINDS = "('month', 'administrative_month', 'quarter')"  # periods that checks on series look at

_REPORTS = """
    CREATE OR REPLACE TEMP TABLE score_report AS
    SELECT dataset_id, unit_id, period_id, count(*) AS reported_values FROM lake.aggregate_value
    WHERE value IS NOT NULL AND file_sha256 NOT IN ({replaced}) GROUP BY ALL
"""
_USUAL = """
    CREATE OR REPLACE TEMP TABLE score_usual AS
    WITH reports AS (SELECT dataset_id, count(*) AS reports FROM score_report GROUP BY 1)
    SELECT dataset_id, element_id, coalesce(category_id, '') AS category_id FROM lake.aggregate_value JOIN reports USING (dataset_id)
    WHERE value IS NOT NULL AND file_sha256 NOT IN ({replaced})
    GROUP BY dataset_id, element_id, coalesce(category_id, ''), reports HAVING count(*) >= ? * reports
"""
_CELLS = """
    WITH form AS (SELECT dataset_id, count(*) AS cells FROM score_usual GROUP BY 1),
    filled AS (
        SELECT v.dataset_id, v.unit_id, v.period_id, count(*) AS filled FROM lake.aggregate_value v
        JOIN score_usual u ON u.dataset_id = v.dataset_id AND u.element_id = v.element_id AND u.category_id = coalesce(v.category_id, '')
        WHERE v.value IS NOT NULL AND v.file_sha256 NOT IN ({replaced}) GROUP BY ALL)
    SELECT r.dataset_id, r.unit_id, y.year, sum(least(coalesce(filled, 0), cells)) AS good, sum(cells) AS total
    FROM score_report r JOIN form USING (dataset_id) JOIN score_period y USING (period_id)
    LEFT JOIN filled f USING (dataset_id, unit_id, period_id) GROUP BY ALL
"""
_DUE = """
    SELECT dataset_id, unit_id, year(period_end) AS year, count(*) FILTER (received) AS good, count(*) AS total
    FROM report JOIN report_dataset USING (dataset_no) JOIN report_unit USING (unit_no) JOIN report_period USING (period_no)
    WHERE expected GROUP BY ALL
"""
_TIMED = """
    SELECT dataset_id, unit_id, year(period_end) AS year, count(*) FILTER (sent_on <= due) AS good, count(*) AS total
    FROM report JOIN report_dataset USING (dataset_no) JOIN report_unit USING (unit_no) JOIN report_period USING (period_no)
    JOIN report_due USING (dataset_no, period_no)
    WHERE received AND sent_on IS NOT NULL AND due IS NOT NULL GROUP BY ALL
"""
_FOUND = f"""
    CREATE OR REPLACE TEMP TABLE score_finding AS
    SELECT c.component, f.finding_id, f.dataset_id, f.unit_id, f.period_id, f.element_id, f.category_id, y.year,
           coalesce(json_extract_string(f.fields, '$.death_id'), f.finding_id) AS record
    FROM lake.finding f JOIN score_rule c USING (rule_id) LEFT JOIN score_period y USING (period_id)
    WHERE f.severity <> 'note' AND coalesce(f.verdict, '') NOT IN ({NO_ERROR})
"""
# Findings of a component against its units of work; data sets that none of its rules looks at have no row.
_JUDGED = """
    WITH work AS (
        SELECT r.dataset_id, r.unit_id, y.year, {total} AS total FROM score_report r JOIN score_period y USING (period_id)
        WHERE (r.dataset_id IN (SELECT dataset_id FROM score_dataset WHERE component = '{component}')
               OR EXISTS (SELECT 1 FROM score_dataset WHERE component = '{component}' AND dataset_id = '')) {inside}
        GROUP BY ALL),
    bad AS (SELECT dataset_id, unit_id, year, {bad} AS bad FROM score_finding WHERE component = '{component}' GROUP BY ALL)
    SELECT w.dataset_id, w.unit_id, w.year, greatest(w.total - coalesce(b.bad, 0), 0) AS good, w.total
    FROM work w LEFT JOIN bad b USING (dataset_id, unit_id, year)
"""
_WORK = {
    "report": {"total": "count(*)", "bad": "count(DISTINCT period_id)", "inside": ""},
    "value": {
        "total": "sum(reported_values)",
        "bad": "count(DISTINCT (period_id, element_id, category_id))",
        "inside": f"AND y.kind IN {_KINDS}",
    },
    "unit_year": {"total": "1", "bad": "least(count(*), 1)", "inside": f"AND y.kind IN {_KINDS}"},
}
_RECORDS = """
    WITH work AS (
        SELECT unit_id, year(death_date) AS year, count(*) AS total FROM lake.death
        WHERE file_sha256 NOT IN ({replaced}) AND unit_id IS NOT NULL AND death_date IS NOT NULL GROUP BY ALL),
    bad AS (
        SELECT f.unit_id, coalesce(f.year, year(d.death_date)) AS year, count(DISTINCT f.record) AS bad FROM score_finding f
        LEFT JOIN lake.death d ON d.death_id = f.record AND d.file_sha256 NOT IN ({replaced})
        WHERE f.component = '{component}' GROUP BY ALL)
    SELECT 'death' AS dataset_id, w.unit_id, w.year, greatest(w.total - coalesce(bad, 0), 0) AS good, w.total
    FROM work w LEFT JOIN bad USING (unit_id, year)
"""


def make_counts(context: ReleaseContext, settings: ScoreSettings, rules: Iterable[Rule]) -> duckdb.DuckDBPyConnection:
    """Make the temporary table score_count: dataset_id, unit_id, year, component, good, total. Returns the connection.

    A component whose rules judged nothing (rule_coverage) has no rows: it is not assessable, never passed.
    """
    from tkyt_analysis.quality.reporting.sources import release_reports
    from tkyt_analysis.warehouse.replaced import replaced_files_sql

    con = release_reports(context)
    replaced = replaced_files_sql(context.warehouse)
    con.execute(_REPORTS.format(replaced=replaced))
    con.execute(_USUAL.format(replaced=replaced), [settings.usual_share])
    _offer_periods(con)
    judged = set(context.query("SELECT rule_id FROM lake.rule_coverage WHERE status = 'ok'")["rule_id"])
    _offer_rules(con, settings, [rule for rule in rules if rule.id in judged])
    con.execute(_FOUND)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE score_count (dataset_id VARCHAR, unit_id VARCHAR, year INTEGER, "
        "component VARCHAR, good DOUBLE, total DOUBLE)"
    )
    for component in settings.components:
        sql = _count_sql(component, settings.work[component]).format(replaced=replaced, component=component)
        if _can_count(con, component, settings.work[component]):
            con.execute(
                f"INSERT INTO score_count SELECT dataset_id, unit_id, year, '{component}', good, total FROM ({sql}) WHERE total > 0"
            )
    return con


def _count_sql(component: str, work: str) -> str:
    fixed = {"report_due": _DUE, "report_timed": _TIMED, "cell": _CELLS, "record": _RECORDS}
    if work in fixed:
        return fixed[work]
    return _JUDGED.format(component=component, **_WORK[work])


def _can_count(con: duckdb.DuckDBPyConnection, component: str, work: str) -> bool:
    """Whether the component's rules judged anything; counts of reporting need no rule."""
    if work in ("report_due", "report_timed", "cell"):
        return True
    row = con.execute("SELECT count(*) FROM score_rule WHERE component = ?", [component]).fetchone()
    return bool(row and row[0])


def _offer_periods(con: duckdb.DuckDBPyConnection) -> None:
    """score_period: period_id, kind, year (in which it ends) of every period of a report or a finding."""
    sql = "SELECT period_id FROM score_report UNION SELECT period_id FROM lake.finding WHERE period_id <> '' ORDER BY 1"
    ids = [row[0] for row in con.execute(sql).fetchall() if row[0]]
    windows = period_windows(ids) if ids else pd.DataFrame(columns=["period_id", "kind", "period_end"])
    rows = pd.DataFrame(
        {
            "period_id": windows["period_id"].astype("str"),
            "kind": windows["kind"].astype("str"),
            "year": pd.to_datetime(windows["period_end"]).dt.year.astype("int32"),
        }
    )
    keep_frame(con, "score_period", rows)


def _offer_rules(con: duckdb.DuckDBPyConnection, settings: ScoreSettings, rules: list[Rule]) -> None:
    """score_rule: rule_id, component; score_dataset: component, dataset_id ("" = every one) that its rules look at."""
    components = settings.rules_of(rules)
    sets = _datasets_of_words(con)
    pairs = sorted(
        {
            (components[rule.id], dataset)
            for rule in rules
            if rule.id in components
            for dataset in datasets_of(rule, sets)
        }
    )
    keep_frame(
        con, "score_rule", pd.DataFrame(sorted(components.items()), columns=["rule_id", "component"], dtype="str")
    )
    keep_frame(con, "score_dataset", pd.DataFrame(pairs, columns=["component", "dataset_id"], dtype="str"))


def _datasets_of_words(con: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """{code or id of an element: its data sets}."""
    found: dict[str, set[str]] = {}
    sql = (
        "SELECT DISTINCT dataset_id, element_id, coalesce(code, '') FROM lake.data_element WHERE dataset_id IS NOT NULL"
    )
    for dataset, element, code in con.execute(sql).fetchall():
        for word in (element, code):
            found.setdefault(word, set()).add(dataset)
    return found


def datasets_of(rule: Rule, of_words: dict[str, set[str]]) -> set[str]:
    """The data sets that a rule looks at: those it names, of an expression those of its elements, else ANY."""
    named = {*rule.applies_to, *rule.parameters.get("datasets", ())} | {rule.parameters.get("dataset", "")}
    if named - {""}:
        return named - {""}
    if rule.kind != "expression":
        return {ANY}
    words = _WORD.findall(f"{rule.left or ''} {rule.right or ''}")
    return set().union(*(of_words.get(word, set()) for word in words))
