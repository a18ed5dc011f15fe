"""The rules of a form as formulas of its sheet: totals to write, cells to leave empty, breaches to colour."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tkyt_analysis.catalog.entries import FormRule
from tkyt_analysis.forms.plan import Cell, SheetPlan

Value = float | str | datetime.date | None


@dataclass(frozen=True)
class Total:
    """A cell that adds up others; `formula` stays empty while nothing is filled in, so that no zero is invented."""

    cell: Cell
    parts: tuple[Cell, ...]
    rule: FormRule

    @property
    def formula(self) -> str:
        """The Excel formula: "" until one part holds a number, then their sum."""
        span = references(self.parts)
        return f'=IF(COUNT({span})=0,"",SUM({span}))'


@dataclass(frozen=True)
class Breach:
    """A condition that must not be true of a cell (colours it)."""

    cell: Cell
    condition: str
    rule: FormRule


def references(cells: Iterable[Cell]) -> str:
    """Excel references of cells, runs of one row or column as ranges: "C13:C37,C40"."""
    runs: list[list[Cell]] = []
    for cell in cells:
        if runs and _continues(runs[-1], cell):
            runs[-1].append(cell)
        else:
            runs.append([cell])
    return ",".join(a1(run[0]) if len(run) == 1 else f"{a1(run[0])}:{a1(run[-1])}" for run in runs)


def _continues(run: list[Cell], cell: Cell) -> bool:
    step = (cell[0] - run[-1][0], cell[1] - run[-1][1])
    before = (run[-1][0] - run[-2][0], run[-1][1] - run[-2][1]) if len(run) > 1 else step
    return step == before and step in ((0, 1), (1, 0))


def a1(cell: Cell) -> str:
    """(12, 2) → "C13"."""
    letters, column = "", cell[1] + 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{cell[0] + 1}"


def totals(plan: SheetPlan) -> dict[Cell, Total]:
    """Every cell that a rule adds up; where a row rule and a column rule meet, the row rule writes the formula."""
    found: dict[Cell, Total] = {}
    for rule in _ordered(plan, "total"):
        for target, parts in applied(plan, rule):
            found.setdefault(target, Total(target, parts, rule))
    return found


def _ordered(plan: SheetPlan, *kinds: str) -> list[FormRule]:
    return sorted((one for one in plan.found.version.rules if one.kind in kinds), key=lambda one: one.axis == "columns")


def applied(plan: SheetPlan, rule: FormRule) -> Iterator[tuple[Cell, tuple[Cell, ...]]]:
    """(target cell, part cells) along the other axis, where the rule holds and the cells exist."""
    exists = {(row, column) for row, column, _, _ in plan.cells()}
    own = plan.row_at if rule.axis == "rows" else plan.column_at
    for other in _others(plan, rule):
        target, *parts = [_cell(rule, own[name], other) for name in (rule.target, *rule.parts)]
        if target in exists and parts and set(parts) <= exists:
            yield target, tuple(parts)


def _cell(rule: FormRule, own: int, other: int) -> Cell:
    return (own, other) if rule.axis == "rows" else (other, own)


def _others(plan: SheetPlan, rule: FormRule) -> list[int]:
    """Sheet columns (rule along rows) or sheet rows (rule along columns, free lines too) where the rule holds."""
    if rule.axis == "columns":
        named = [(line.row, row) for row, line in enumerate(plan.lines, plan.first_row)]
    else:
        named = [(column.id, plan.column_at[column.id]) for column in plan.columns if column.value != "text"]
    return [at for name, at in named if not rule.within or name in rule.within]


def blocked(plan: SheetPlan) -> dict[Cell, FormRule]:
    """Cells that an only_in rule keeps empty."""
    found: dict[Cell, FormRule] = {}
    for rule in _ordered(plan, "only_in"):
        for row, column, line, head in plan.cells():
            own, other = (line.row, head.id) if rule.axis == "rows" else (head.id, line.row)
            if own == rule.target and other not in rule.within:
                found[row, column] = rule
    return found


def breaches(plan: SheetPlan) -> list[Breach]:
    """The conditions under which a cell contradicts the others: part above the whole, parts above their total."""
    found = []
    for rule in _ordered(plan, "at_most", "at_least"):
        sign = ">" if rule.kind == "at_most" else "<"
        for target, parts in applied(plan, rule):
            span = references(parts)
            condition = f"=AND(ISNUMBER({a1(target)}),COUNT({span})>0,N({a1(target)}){sign}SUM({span}))"
            found.append(Breach(target, condition, rule))
    return found + _crossing(plan)


def _crossing(plan: SheetPlan) -> list[Breach]:
    """Cells that two rules add up, along rows and along columns: the second sum must be the first."""
    written, found = totals(plan), []
    for rule in _ordered(plan, "total"):
        for target, parts in applied(plan, rule):
            if written[target].rule is not rule:
                span = references(parts)
                condition = f"=AND(ISNUMBER({a1(target)}),COUNT({span})>0,N({a1(target)})<>SUM({span}))"
                found.append(Breach(target, condition, rule))
    return found


def evaluate(sums: Mapping[Cell, Total], given: Mapping[Cell, Value]) -> dict[Cell, float | str]:
    """The value of every total for the given cells, "" where no part is filled in (as the formula says)."""
    known: dict[Cell, float | str] = {}

    def value(cell: Cell) -> Value:
        if cell not in sums:
            return given.get(cell)
        if cell not in known:
            parts = [value(part) for part in sums[cell].parts]
            numbers = [part for part in parts if isinstance(part, int | float)]
            known[cell] = sum(numbers) if numbers else ""
        return known[cell]

    for cell in sums:
        value(cell)
    return known
