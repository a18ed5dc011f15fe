"""The check behind every expression rule: one query over the cells of its series, whatever their number."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.catalog.language import (
    Call,
    Cells,
    Node,
    Operand,
    Population,
    field_name,
    operands,
    short_text,
)
from tkyt_analysis.catalog.rule_sides import LEVELS, Sides, sides_of
from tkyt_analysis.quality.checks import CheckResult, TableCheck
from tkyt_analysis.quality.findings import make_findings, no_findings
from tkyt_analysis.quality.rules import operands as read
from tkyt_analysis.quality.rules.sql import (
    SqlWriter,
    asked,
    breach_sql,
    is_pair,
    margin_sql,
    present,
    window_column,
)

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext

_STEP = "CASE kind WHEN 'quarter' THEN 3 WHEN 'half' THEN 6 WHEN 'year' THEN 12 ELSE 1 END"
_PLACE = (
    f"CASE WHEN kind = 'week' THEN datediff('day', DATE '1900-01-01', period_start) // 7 "
    f"ELSE datediff('month', DATE '1900-01-01', period_start) // ({_STEP}) END"
)
_ENDS = {"": "true", "quarter": "month(period_end) % 3 = 0", "year": "month(period_end) = 12"}


def check_expression_rule(context: CheckContext, rule: Rule) -> CheckResult:
    """Findings of a rule of two sides, and how many unit-periods (or rows and columns of their forms) it could judge."""
    sides = one_row_at_a_time(sides_of(rule))
    plan = _Plan(context, sides)
    if plan.empty:
        return CheckResult(no_findings(), 0, 0)
    plan.judge(rule)
    total, judged = context.con.execute("SELECT total, judged FROM rule_judged").fetchall()[0]
    return CheckResult(_findings(context, rule, sides, plan), int(judged), int(total))


def one_row_at_a_time(sides: Sides) -> Sides:
    """Several rows without named columns become a sum: so that each of them counts as present or missing."""
    return replace(sides, left=_spread(sides.left), right=_spread(sides.right))


def _spread(node: Node) -> Node:
    match node:
        case Cells(rows, (), dataset) if len(rows) > 1:
            return Call("sum", tuple(Cells((row,), (), dataset) for row in rows))
        case Call("window_sum" | "window_average", _):
            return node
    from dataclasses import fields

    changes: dict[str, Any] = {}
    for one in fields(node):
        value = getattr(node, one.name)
        if isinstance(value, tuple) and value and not isinstance(value[0], str):
            changes[one.name] = tuple(_spread(part) for part in value)
        elif not isinstance(value, tuple | str | bool | float | int):
            changes[one.name] = _spread(value)
    return replace(node, **changes) if changes else node


class _Plan:
    """The operands of a rule and where their values are; `judge` fills the scratch table `rule_judged`: one row with total,
    judged, periods (period_no with something judged), found (the broken rows)."""

    def __init__(self, context: CheckContext, sides: Sides) -> None:
        self.context, self.sides = context, sides
        self.operands: dict[int, Operand] = dict(enumerate(sides.operands))
        self.series = read.read_series(context)
        self.table, self.each = read.series_of_operands(self.series, self.operands.values(), sides.each)
        self.columns = {
            one: f"pv{no}" if isinstance(one, Population) else f"v{no}" for no, one in self.operands.items()
        }
        self.empty = self.table.empty

    def judge(self, rule: Rule) -> None:
        """Values, both sides, judged and broken for every row at hand, unit and period; only the broken ones are kept."""
        con, sides = self.context.con, self.sides
        con.register("rule_series", self.table)
        base = read.values_sql(read.ranges(self.table["series_no"].tolist()), len(self.operands))
        joins, parameters = self._populations()
        where, more = _asked_where(rule, sides)
        writer = SqlWriter(self.columns, sides.constants)
        said = self._said(writer)
        con.execute(
            f"""
            CREATE OR REPLACE TABLE rule_judged AS
            WITH values_ AS ({base}),
            placed AS (SELECT v.*, {self._population_columns()} period_start, period_end, kind, {_PLACE} AS place,
                       datediff('day', period_start, period_end) + 1 AS days
                       FROM values_ v JOIN period USING (period_no) JOIN unit u USING (unit_no) {joins} WHERE {where}),
            windows AS (SELECT *, {self._windows()} FROM placed),
            said AS (SELECT *, {said} FROM windows WHERE {_ENDS[sides.window.ends if sides.window else ""]})
            SELECT count(*) AS total, count(*) FILTER (judged) AS judged, list(DISTINCT period_no) FILTER (judged) AS periods,
                   list(said) FILTER (judged AND coalesce({breach_sql(sides.operator)}, false)) AS found
            FROM said
            """,
            [*parameters, *more, *writer.parameters],
        )
        con.unregister("rule_series")

    def _populations(self) -> tuple[str, list[Any]]:
        joins, parameters = "", []
        for no, one in self.operands.items():
            if isinstance(one, Population) and self.context.has("population"):
                joins += f" LEFT JOIN ({read.POPULATION}) p{no} ON p{no}.unit_no = v.unit_no AND p{no}.year = year(period_end)"
                parameters += read.population_parameters(one)
        return joins, parameters

    def _population_columns(self) -> str:
        known = self.context.has("population")
        return "".join(
            f"p{no}.persons AS pv{no}, " if known else f"CAST(NULL AS DOUBLE) AS pv{no}, "
            for no, one in self.operands.items()
            if isinstance(one, Population)
        )

    def _windows(self) -> str:
        """Sums over the window of those periods in which every windowed value is there."""
        sides = self.sides
        if sides.window is None:
            return "1 AS window_periods, days AS window_days"
        numbers = [no for no, one in self.operands.items() if one in sides.windowed]
        needed = {no: one.needed for no, one in self.operands.items() if isinstance(one, Cells)}
        whole = " AND ".join(f"n{no} >= {int(needed[no])}" for no in numbers)
        over = (
            "OVER (PARTITION BY each_no, unit_no, kind ORDER BY place "
            f"RANGE BETWEEN {int(sides.window.before)} PRECEDING AND {int(sides.window.after)} FOLLOWING)"
        )
        sums = [f"sum(CASE WHEN {whole} THEN v{no} END) {over} AS {window_column(f'v{no}')}" for no in numbers]
        return ", ".join([
            *sums, f"coalesce(sum(CASE WHEN {whole} THEN 1 END) {over}, 0) AS window_periods",
            f"sum(CASE WHEN {whole} THEN days END) {over} AS window_days",
        ])  # fmt: skip

    def _there(self) -> dict[Operand, tuple[str, int]]:
        found = read.needs(self.operands)
        for no, one in self.operands.items():
            if isinstance(one, Population):
                found[one] = (f"CASE WHEN pv{no} IS NULL THEN 0 ELSE 1 END", 1)
        return found

    def _said(self, writer: SqlWriter) -> str:
        sides, there = self.sides, self._there()
        writer.columns = dict(self.columns)
        left_there = present(sides.left, sides.left_missing, there)
        right_there = present(sides.right, sides.right_missing, there)
        enough = f"window_periods >= {int(sides.window.least)}" if sides.window else "true"
        value, expected = writer.number(sides.left), writer.number(sides.right)
        judged = "true" if is_pair(sides) else (
            f"{asked(sides.left, sides.left_missing, there)} AND {asked(sides.right, sides.right_missing, there)} "
            "AND value_ IS NOT NULL AND expected_ IS NOT NULL"
        )  # fmt: skip
        return (
            f"CAST({value} AS DOUBLE) AS value_, CAST({expected} AS DOUBLE) AS expected_, {margin_sql(sides, writer)} AS margin_, "
            f"{left_there} AS left_there, {right_there} AS right_there, ({enough} AND {judged}) AS judged"
        )


def _asked_where(rule: Rule, sides: Sides) -> tuple[str, list[Any]]:
    """Units of the rule's levels (or of no known level), periods that end while it is valid."""
    parts: list[str] = []
    parameters: list[Any] = []
    levels = sorted({LEVELS[name] for name in rule.level if name in LEVELS})
    if levels:
        parts.append("(TRY_CAST(u.level AS INTEGER) IS NULL OR TRY_CAST(u.level AS INTEGER) IN (SELECT unnest(?)))")
        parameters.append(levels)
    for sign, day in ((">=", rule.valid_from), ("<=", rule.valid_to)):
        if day:
            parts.append(f"period_end {sign} ?")
            parameters.append(day)
    if kinds := rule.parameters.get("kinds"):
        parts.append("kind IN (SELECT unnest(?))")
        parameters.append(list(kinds))
    if sides.window:
        parts.append("kind <> 'cumulative'")
    return " AND ".join(parts) or "true", parameters


def _findings(context: CheckContext, rule: Rule, sides: Sides, plan: _Plan) -> pd.DataFrame:
    rows = context.query(
        """
        SELECT one.*, unit_id, period_id FROM (SELECT unnest(found) AS one FROM rule_judged)
        JOIN unit ON unit.unit_no = one.unit_no JOIN period ON period.period_no = one.period_no
        ORDER BY one.each_no, unit_id, period_id
        """
    )
    names: list[str] = []
    for one in plan.operands.values():
        column = plan.columns[one]
        rows[field_name(one)] = rows[window_column(column) if one in sides.windowed else column]
        names.append(field_name(one))
    dataset, element, category = _subject(sides, plan)
    rows = rows.assign(dataset_id=dataset, element_id=element, category_id=category, verdict="inconsistent")
    if sides.each:
        rows["element_id" if sides.each == "row" else "category_id"] = rows["each_no"].map(plan.each)
    pair = is_pair(sides)
    rows = rows.assign(value=rows["value_"], expected=rows["expected_"])
    if pair:
        rows["value"] = rows["value"].where(rows["left_there"])
        rows["expected"] = rows["expected"].where(rows["right_there"])
    else:
        rows["at_stake"] = (rows["value"] - rows["expected"]).abs().round(1)
    if sides.tolerance.counts or sides.tolerance.share or sides.tolerance.absolute:
        rows["margin"] = rows["margin_"].round(2)
        names.append("margin")
    elif not pair and rule.severity == "error":
        rows["probability"] = 1.0  # an identity: one of its figures is wrong
    if sides.window:
        rows["periods"] = rows["window_periods"].astype("int64")
        names.append("periods")
    rows["cells"] = _cells_text(rows, plan)
    return make_findings(
        rows,
        rule_id=rule.id,
        rule_version=rule.version,
        severity=rule.severity,
        fields=[*dict.fromkeys([*names, "cells"])],
    )


def _subject(sides: Sides, plan: _Plan) -> tuple[str, str, str]:
    """(data set, element, category) that a finding is about: of the first value named; a form's cells stand for the form."""
    first = next((one for side in (sides.left, sides.right) for one in operands(side) if isinstance(one, Cells)), None)
    if first is None:
        return "", "", ""
    rows = plan.series.of(first)
    dataset = rows["dataset_id"].iloc[0] if len(rows) else first.dataset
    if first.dataset:
        return dataset, "", ""
    element = rows["element_id"].iloc[0] if len(rows) else first.rows[0]
    return dataset, element, rows["category_id"].iloc[0] if len(first.columns) == 1 and len(rows) else ""


def _cells_text(rows: pd.DataFrame, plan: _Plan) -> pd.Series:
    """ "A = 3; B = –": the values of a finding in the order of the rule."""
    text = pd.Series("", index=rows.index, dtype="str")
    for no, one in plan.operands.items():
        names = {number: short_text(one, key.rsplit("/", 1)[-1]) for number, key in plan.each.items()}
        figures = rows[field_name(one)].map(lambda value: "–" if value != value else f"{value:.10g}").astype("str")
        text = text + ("; " if no else "") + rows["each_no"].map(names).astype("str") + " = " + figures
    return text


def check_condition(context: CheckContext, rule: Rule, node: Node, dataset: str) -> CheckResult:
    """Findings of a condition over the columns of a data set's panel (elements `<data set>/<column>`); rows where it
    cannot be told are not judged."""
    columns = {one: Cells((f"{dataset}/{one.rows[0]}",)) for one in operands(node) if isinstance(one, Cells)}
    found = read.read_series(context)
    table, _ = read.series_of_operands(found, columns.values(), "")
    if set(table["operand_no"]) != set(range(len(columns))):
        return CheckResult(no_findings(), 0, 0)
    writer = SqlWriter({one: f"v{no}" for no, one in enumerate(columns)})
    holds = writer.truth(node, nulls=True)
    context.con.register("rule_series", table)
    base = read.values_sql(read.ranges(table["series_no"].tolist()), len(columns))
    context.con.execute(
        f"""
        CREATE OR REPLACE TABLE rule_judged AS
        WITH said AS (SELECT *, {holds} AS holds FROM ({base}))
        SELECT count(*) AS total, count(holds) AS judged, list(said) FILTER (NOT holds) AS found FROM said
        """,
        writer.parameters,
    )
    context.con.unregister("rule_series")
    total, judged = context.con.execute("SELECT total, judged FROM rule_judged").fetchall()[0]
    names = {f"v{no}": one.rows[0] for no, one in enumerate(columns) if isinstance(one, Cells)}
    rows = context.query(
        "SELECT one.*, unit_id, period_id FROM (SELECT unnest(found) AS one FROM rule_judged) "
        "JOIN unit ON unit.unit_no = one.unit_no JOIN period ON period.period_no = one.period_no ORDER BY unit_id, period_id"
    ).rename(columns=names)
    rows = rows.assign(dataset_id=dataset, element_id=f"{dataset}/{next(iter(names.values()))}", verdict="error")
    if rule.severity == "error":
        rows["probability"] = 1.0
    found_rows = make_findings(
        rows,
        rule_id=rule.id,
        rule_version=rule.version,
        severity=rule.severity,
        fields=list(names.values()),
    )
    return CheckResult(found_rows, int(judged), int(total))


def check_records(context: CheckContext, rule: Rule, node: Node, table: str, dataset: str) -> CheckResult:
    """Findings of a condition over the columns of a line list: one per record where it is false."""
    there = set(context.query(f'SELECT * FROM "{table}" LIMIT 0').columns)
    names = [one.rows[0] for one in operands(node) if isinstance(one, Cells)]
    (total,) = context.query(f'SELECT count(*) AS n FROM "{table}"')["n"]
    if not set(names) <= there:
        return CheckResult(no_findings(), 0, int(total))
    writer = SqlWriter({one: f'"{one.rows[0]}"' for one in operands(node) if isinstance(one, Cells)})
    holds = writer.truth(node, nulls=True)
    keys = [name for name in ("unit_id", "record_id") if name in there]
    listed = ", ".join(f'"{name}"' for name in dict.fromkeys([*keys, *names]))
    judged_sql = f'SELECT {listed}, {holds} AS holds FROM "{table}"'
    (judged,) = context.query(f"SELECT count(holds) AS n FROM ({judged_sql})", writer.parameters)["n"]
    rows = context.query(f"SELECT * EXCLUDE (holds) FROM ({judged_sql}) WHERE NOT holds", writer.parameters)
    subject = "record_id" if "record_id" in rows else None
    found = make_findings(
        rows.assign(dataset_id=dataset, verdict="error", element_id=""), rule_id=rule.id, rule_version=rule.version,
        severity=rule.severity, fields=[*names, *([subject] if subject else [])], subject=subject,
    )  # fmt: skip
    return CheckResult(found, int(judged), int(total))


def check_dataset_expression(context: CheckContext, rule: Rule) -> CheckResult:
    """A check that a data set's own entry gives, on its panel or its line list."""
    from tkyt_analysis.catalog.language_parse import parse_condition

    node, dataset, table = (
        parse_condition(rule.parameters["rule"]),
        rule.parameters["dataset"],
        rule.parameters["table"],
    )
    if not context.has(table or "aggregate_value"):
        return CheckResult(no_findings(), 0, 0)
    return (
        check_records(context, rule, node, table, dataset) if table else check_condition(context, rule, node, dataset)
    )


EXPRESSION = TableCheck(("aggregate_value",), check_expression_rule)
DATASET_EXPRESSION = TableCheck((), check_dataset_expression)
